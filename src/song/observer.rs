//! Who is told how far the work has come, and may end it.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::io::Error;

/// A stage of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Decodes and measures the song.
    Reading,
    /// Measures a file.
    Measuring,
    /// Renders excerpts and corrects the recipe.
    Refining,
    /// Renders the chain up to the limiter.
    Rendering,
    /// Limits, writes and measures the master.
    Limiting,
    /// Writes the difference of master and mix.
    Difference,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.pad(match self {
            Self::Reading => "reading",
            Self::Measuring => "measuring",
            Self::Refining => "refining",
            Self::Rendering => "rendering",
            Self::Limiting => "limiting",
            Self::Difference => "difference",
        })
    }
}

/// Follows a run stage by stage. Stages follow one another; one may come again.
pub trait Observer: Sync {
    /// A stage begins that will go through so many frames, if that is known.
    fn stage(&self, stage: Stage, frames: Option<u64>);

    /// The stage has gone through so many more frames.
    ///
    /// # Errors
    /// [`Interrupted`](Error::Interrupted) ends the run: nothing is written.
    fn advance(&self, frames: u64) -> Result<(), Error>;
}

/// Reports nothing, but is interrupted when the observer beside it is.
pub struct Unseen<'a>(pub &'a dyn Observer);

impl Observer for Unseen<'_> {
    fn stage(&self, _: Stage, _: Option<u64>) {}

    fn advance(&self, _: u64) -> Result<(), Error> {
        self.0.advance(0)
    }
}

/// One of several files: tells how far it is in bytes of its file, which are what the stage of all of them counts.
pub struct OneOfMany<'a> {
    observer: &'a dyn Observer,
    bytes: u64,
    frames: AtomicU64,
    done: AtomicU64,
}

impl<'a> OneOfMany<'a> {
    /// A file of so many bytes.
    pub fn new(observer: &'a dyn Observer, bytes: u64) -> Self {
        Self { observer, bytes, frames: AtomicU64::new(0), done: AtomicU64::new(0) }
    }

    /// Whatever became of it, nothing more is to be done.
    ///
    /// # Errors
    /// [`Interrupted`](Error::Interrupted).
    pub fn finish(&self) -> Result<(), Error> {
        let frames = self.frames.load(Relaxed);
        self.observer.advance(self.bytes - self.bytes_of(self.done.load(Relaxed), frames))
    }

    fn bytes_of(&self, done: u64, frames: u64) -> u64 {
        let share = if frames == 0 { 0.0 } else { (done as f64 / frames as f64).min(1.0) };
        (self.bytes as f64 * share) as u64
    }
}

impl Observer for OneOfMany<'_> {
    fn stage(&self, _: Stage, frames: Option<u64>) {
        self.frames.store(frames.unwrap_or(0), Relaxed);
    }

    fn advance(&self, frames: u64) -> Result<(), Error> {
        let (before, all) = (self.done.fetch_add(frames, Relaxed), self.frames.load(Relaxed));
        self.observer.advance(self.bytes_of(before + frames, all) - self.bytes_of(before, all))
    }
}

/// Reports nothing and is never interrupted.
pub struct Silent;

impl Observer for Silent {
    fn stage(&self, _: Stage, _: Option<u64>) {}

    fn advance(&self, _: u64) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sum(AtomicU64);

    impl Observer for Sum {
        fn stage(&self, _: Stage, _: Option<u64>) {}

        fn advance(&self, bytes: u64) -> Result<(), Error> {
            self.0.fetch_add(bytes, Relaxed);
            Ok(())
        }
    }

    #[test]
    fn a_file_counts_as_its_bytes_whatever_its_header_says() {
        for frames in [None, Some(0), Some(100), Some(1000), Some(7)] {
            let sum = Sum(AtomicU64::new(0));
            let file = OneOfMany::new(&sum, 1001);
            file.stage(Stage::Measuring, frames);
            for _ in 0..10 {
                file.advance(10).expect("nobody interrupts");
                assert!(sum.0.load(Relaxed) <= 1001, "{frames:?}");
            }
            file.finish().expect("nobody interrupts");
            assert_eq!(sum.0.load(Relaxed), 1001, "{frames:?}");
        }
    }
}
