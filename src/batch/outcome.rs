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
    /// The same, as it was the last time: file, settings and cause are those of then.
    FailedAgain(String),
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
    /// Songs without a master that failed in the same way before and have not changed since.
    pub failed_again: usize,
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
                Outcome::FailedAgain(_) => summary.failed_again += 1,
                Outcome::Changing(_) => summary.changing += 1,
                Outcome::Left => summary.left += 1,
            }
        }
        summary
    }

    /// All songs.
    pub fn songs(&self) -> usize {
        let Self { mastered, unchanged, failed, failed_again, changing, left } = *self;
        [mastered, unchanged, failed, failed_again, changing, left].into_iter().fold(0, usize::saturating_add)
    }
}

/// What is not zero, but for masters and failures, which are always counted.
impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { mastered, unchanged, failed, failed_again, changing, left } = self;
        write!(f, "{mastered} mastered, {unchanged} unchanged, {failed} failed")?;
        let others = [(failed_again, "failed as before"), (changing, "still being written"), (left, "left")];
        others.iter().filter(|(count, _)| **count > 0).try_for_each(|(count, what)| write!(f, ", {count} {what}"))
    }
}

impl std::ops::Add for Summary {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            mastered: self.mastered.saturating_add(other.mastered),
            unchanged: self.unchanged.saturating_add(other.unchanged),
            failed: self.failed.saturating_add(other.failed),
            failed_again: self.failed_again.saturating_add(other.failed_again),
            changing: self.changing.saturating_add(other.changing),
            left: self.left.saturating_add(other.left),
        }
    }
}
