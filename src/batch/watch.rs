//! Reports the progress of a batch, and lets the user end it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::batch::outcome::Outcome;
use crate::io::Error;
use crate::report::warning::Warning;
use crate::report::with_sentence::WithSentence;
use crate::report::{DecisionReport, Levels};
use crate::song::observer::{Observer, Stage};

/// Receives the progress of a batch, song by song. It is called from several threads.
pub trait Watch: Sync {
    /// The batch begins; its work is measured in bytes of the songs' files, `bytes` in total.
    fn begins(&self, bytes: u64);

    /// Further work worth `bytes` is done.
    fn worked(&self, bytes: u64);

    /// The work on a song is over.
    fn ended(&self, song: &Ended);

    /// Returns true if no further song is to be begun.
    fn is_stopping(&self) -> bool;

    /// Returns true if the songs in progress are to end at once, with nothing written.
    fn is_aborting(&self) -> bool;
}

/// A song whose work is over.
pub struct Ended<'a> {
    /// Path of the mix.
    pub input: &'a std::path::Path,
    /// Path of the master.
    pub output: &'a std::path::Path,
    /// Outcome of the song.
    pub outcome: &'a Outcome,
    /// Levels of the master, if it was made in this run.
    pub after: Option<Levels>,
    /// The decision that it was mastered by, if it was made in this run.
    pub decision: Option<&'a DecisionReport>,
    /// Sentences about the promises that the master falls short of.
    pub shortfalls: Vec<String>,
    /// Warnings for the user, if the master was made in this run.
    pub notes: &'a [WithSentence<Warning>],
}

/// Stages of a song, with the share of its work after which each begins, measured on songs of a few minutes.
const STAGES: [(Stage, f64); 4] =
    [(Stage::Reading, 0.0), (Stage::Measuring, 0.0), (Stage::Rendering, 0.45), (Stage::Limiting, 0.75)];

/// Reports the progress of one song to a [`Watch`], in bytes of its file.
pub struct SongProgress<'a> {
    watch: &'a dyn Watch,
    /// True if the song is only measured: nothing is written, so stopping loses nothing.
    is_measuring_only: bool,
    bytes: u64,
    reported: AtomicU64,
    stage: AtomicU64,
    frames: AtomicU64,
    done: AtomicU64,
}

impl<'a> SongProgress<'a> {
    /// Starts the progress of a song whose file has this many bytes.
    pub fn new(watch: &'a dyn Watch, bytes: u64) -> Self {
        let zero = || AtomicU64::new(0);
        Self { watch, is_measuring_only: false, bytes, reported: zero(), stage: zero(), frames: zero(), done: zero() }
    }

    /// As [`new`](Self::new), for a song that is only measured: it ends as soon as the batch is to stop.
    pub fn measuring_only(watch: &'a dyn Watch, bytes: u64) -> Self {
        Self { is_measuring_only: true, ..Self::new(watch, bytes) }
    }

    /// Reports the remaining work as done, whatever the outcome.
    pub fn finish(&self) {
        self.report_share(1.0);
    }

    /// Reports that this share of the work is done. A stage that is repeated is not counted twice.
    fn report_share(&self, share: f64) {
        let done = (self.bytes as f64 * share.min(1.0)) as u64;
        let reported = self.reported.fetch_max(done, Ordering::Relaxed);
        if done > reported {
            self.watch.worked(done - reported);
        }
    }
}

impl Observer for SongProgress<'_> {
    fn stage(&self, stage: Stage, frames: Option<u64>) {
        let stage = STAGES.iter().position(|(known, _)| *known == stage).unwrap_or(0);
        self.stage.store(stage as u64, Ordering::Relaxed);
        self.frames.store(frames.unwrap_or(0), Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
    }

    fn advance(&self, frames: u64) -> Result<(), Error> {
        let done = self.done.fetch_add(frames, Ordering::Relaxed) + frames;
        let (stage, all) = (self.stage.load(Ordering::Relaxed) as usize, self.frames.load(Ordering::Relaxed));
        if all > 0 {
            let from = STAGES[stage].1;
            let to = STAGES[stage..].iter().map(|(_, start)| *start).find(|start| *start > from).unwrap_or(1.0);
            self.report_share(from + (to - from) * (done as f64 / all as f64).min(1.0));
        }
        let is_over = if self.is_measuring_only { self.watch.is_stopping() } else { self.watch.is_aborting() };
        if is_over { Err(Error::Interrupted) } else { Ok(()) }
    }
}

/// Reports nothing, and ends the work as soon as the batch is to stop.
pub struct Stopping<'a>(pub &'a dyn Watch);

impl Observer for Stopping<'_> {
    fn stage(&self, _: Stage, _: Option<u64>) {}

    fn advance(&self, _: u64) -> Result<(), Error> {
        if self.0.is_stopping() { Err(Error::Interrupted) } else { Ok(()) }
    }
}
