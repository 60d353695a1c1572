//! Reports the progress of the work on a song, and lets the caller end it.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::io::Error;

/// A stage of the work on a song.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The song is decoded and measured.
    Reading,
    /// A file is measured.
    Measuring,
    /// Excerpts are rendered, and the recipe is corrected by the results.
    Refining,
    /// The chain is rendered up to the limiter.
    Rendering,
    /// The master is limited, written and measured.
    Limiting,
    /// The difference between master and mix is written.
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

/// Receives the progress of a run. Stages follow one another and may be repeated.
pub trait Observer: Sync {
    /// A stage begins. `frames` is the number of frames to process, if known.
    fn stage(&self, stage: Stage, frames: Option<u64>);

    /// The stage has processed `frames` more frames.
    ///
    /// # Errors
    /// [`Interrupted`](Error::Interrupted) if the run is to end; nothing is written then.
    fn advance(&self, frames: u64) -> Result<(), Error>;
}

/// Reports nothing, but is interrupted when the wrapped observer is.
pub struct InterruptOnly<'a>(pub &'a dyn Observer);

impl Observer for InterruptOnly<'_> {
    fn stage(&self, _: Stage, _: Option<u64>) {}

    fn advance(&self, _: u64) -> Result<(), Error> {
        self.0.advance(0)
    }
}

/// Progress of one of several files. It is converted to bytes of the file, because the stage of all files together
/// counts bytes.
pub struct OneOfMany<'a> {
    observer: &'a dyn Observer,
    bytes: u64,
    frames: AtomicU64,
    done: AtomicU64,
}

impl<'a> OneOfMany<'a> {
    /// Starts the progress of a file of this many bytes.
    pub fn new(observer: &'a dyn Observer, bytes: u64) -> Self {
        Self { observer, bytes, frames: AtomicU64::new(0), done: AtomicU64::new(0) }
    }

    /// Reports the rest of the file as done, whatever the outcome.
    ///
    /// # Errors
    /// [`Interrupted`](Error::Interrupted) if the run is to end.
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
