//! What became of the songs of a batch.

/// What became of a song.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its master was written.
    Mastered,
    /// Its master was there, from the same mix and settings.
    Unchanged,
    /// It has no master: why, in one line.
    Failed(String),
    /// Its file changed while it was read, as one that is still being copied: the next run takes it. Says so.
    Changing(String),
    /// The run ended before it was its turn, or while it was mastered.
    Left,
}

/// How many songs came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Masters written.
    pub mastered: usize,
    /// Masters that were there.
    pub unchanged: usize,
    /// Songs without a master.
    pub failed: usize,
    /// Songs whose files were still being written.
    pub changing: usize,
    /// Songs whose turn did not come.
    pub left: usize,
}

impl Summary {
    /// Counts outcomes.
    pub fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let mut summary = Self::default();
        for outcome in outcomes {
            match outcome {
                Outcome::Mastered => summary.mastered += 1,
                Outcome::Unchanged => summary.unchanged += 1,
                Outcome::Failed(_) => summary.failed += 1,
                Outcome::Changing(_) => summary.changing += 1,
                Outcome::Left => summary.left += 1,
            }
        }
        summary
    }

    /// All songs.
    pub fn songs(&self) -> usize {
        let Self { mastered, unchanged, failed, changing, left } = *self;
        [mastered, unchanged, failed, changing, left].into_iter().fold(0, usize::saturating_add)
    }
}

impl std::ops::Add for Summary {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            mastered: self.mastered.saturating_add(other.mastered),
            unchanged: self.unchanged.saturating_add(other.unchanged),
            failed: self.failed.saturating_add(other.failed),
            changing: self.changing.saturating_add(other.changing),
            left: self.left.saturating_add(other.left),
        }
    }
}
