//! Outcomes of the songs of a batch, and their counts.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::Cause;
use crate::io;

/// The outcome of one song.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its master was written.
    Mastered {
        /// True if there was no master before.
        is_new: bool,
        /// True if the mix has no loudness and was written unprocessed; only for songs of an album.
        is_silent: bool,
        /// Fault of the mix's file, in one line, if the file is damaged or cut off.
        damage: Option<String>,
    },
    /// The master already exists, made from the same mix and settings.
    Unchanged,
    /// There is no master; holds the reason in one line.
    Failed(Cause),
    /// The song failed as in the previous run: file, settings and cause are unchanged. Holds the cause.
    FailedAgain(Cause),
    /// The file changed while it was read, for example because it is still being copied; the next run takes it. Holds
    /// a message that says so.
    Changing(Cause),
    /// The run ended before the song's turn, or while it was mastered.
    Left,
}

impl Outcome {
    /// True if the master exists.
    pub fn has_master(&self) -> bool {
        matches!(self, Self::Mastered { .. } | Self::Unchanged)
    }
}

/// Returns the cause of a failure, preceded by the name of the file unless the cause begins with it.
pub fn named(file: &str, cause: &str) -> String {
    let name = io::name(file.as_ref());
    if cause.starts_with(&format!("{name}: ")) { cause.to_owned() } else { format!("{name}: {cause}") }
}

/// Counts of the songs of a batch by outcome. One song may have several masters, for several destinations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// All songs.
    pub songs: usize,
    /// Masters written.
    pub mastered: usize,
    /// Files written for silent songs of albums.
    pub silent: usize,
    /// Masters that already existed.
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
    /// Counts the outcomes of mixes. A mix that is listed several times, for several destinations, fails only once.
    pub fn of<'a>(outcomes: impl IntoIterator<Item = (&'a Path, &'a Outcome)>) -> Self {
        let mut summary = Self::default();
        let mut worst: BTreeMap<&Path, Option<NoMasterReason>> = BTreeMap::new();
        for (mix, outcome) in outcomes {
            let reason = match outcome {
                Outcome::Mastered { is_silent, .. } => {
                    *if *is_silent { &mut summary.silent } else { &mut summary.mastered } += 1;
                    None
                }
                Outcome::Unchanged => {
                    summary.unchanged += 1;
                    None
                }
                Outcome::Left => Some(NoMasterReason::Left),
                Outcome::Changing(_) => Some(NoMasterReason::Changing),
                Outcome::FailedAgain(_) => Some(NoMasterReason::FailedAgain),
                Outcome::Failed(_) => Some(NoMasterReason::Failed),
            };
            let known = worst.entry(mix).or_default();
            *known = reason.max(*known);
        }
        summary.songs = worst.len();
        for reason in worst.into_values().flatten() {
            *match reason {
                NoMasterReason::Left => &mut summary.left,
                NoMasterReason::Changing => &mut summary.changing,
                NoMasterReason::FailedAgain => &mut summary.failed_again,
                NoMasterReason::Failed => &mut summary.failed,
            } += 1;
        }
        summary
    }
}

/// Reasons why a song lacks a master, in ascending order of severity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum NoMasterReason {
    Left,
    Changing,
    FailedAgain,
    Failed,
}

/// Writes masters, unchanged songs and failures always, and every other count unless it is zero.
impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { songs: _, mastered, silent, unchanged, failed, failed_again, changing, left } = self;
        write!(f, "{mastered} mastered, {unchanged} unchanged, {failed} failed")?;
        let others =
            [(silent, "silent"), (failed_again, "failed as before"), (changing, "still being written"), (left, "left")];
        others.iter().filter(|(count, _)| **count > 0).try_for_each(|(count, what)| write!(f, ", {count} {what}"))
    }
}

impl std::ops::Add for Summary {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            songs: self.songs.saturating_add(other.songs),
            mastered: self.mastered.saturating_add(other.mastered),
            silent: self.silent.saturating_add(other.silent),
            unchanged: self.unchanged.saturating_add(other.unchanged),
            failed: self.failed.saturating_add(other.failed),
            failed_again: self.failed_again.saturating_add(other.failed_again),
            changing: self.changing.saturating_add(other.changing),
            left: self.left.saturating_add(other.left),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_names_its_file_once() {
        let cause = "in/a\u{fffd}b.wav: it contains no sound";
        assert_eq!(named("in/a\nb.wav", cause), cause);
        assert_eq!(named("in/a", "in/ab.wav: it contains no sound"), "in/a: in/ab.wav: it contains no sound");
    }

    #[test]
    fn a_song_that_fails_for_three_places_fails_once() {
        let (failed, again) = (
            Outcome::Failed(Cause::new("damaged", "no sound")),
            Outcome::FailedAgain(Cause::new("damaged", "no sound")),
        );
        let (made, there) = (Outcome::Mastered { is_new: true, is_silent: false, damage: None }, Outcome::Unchanged);
        let outcomes =
            [("a", &failed), ("a", &again), ("b", &made), ("b", &there), ("c", &again), ("c", &again), ("a", &failed)];
        let summary = Summary::of(outcomes.map(|(mix, outcome)| (Path::new(mix), outcome)));
        let expected =
            Summary { songs: 3, mastered: 1, unchanged: 1, failed: 1, failed_again: 1, ..Summary::default() };
        assert_eq!(summary, expected);
    }
}
