//! Who is told how far the work has come, and may end it.

use crate::io::Error;

/// Hears of every stage of a run. Stages follow one another; one may come again.
pub trait Observer: Sync {
    /// A stage begins that will go through so many frames, if that is known.
    fn stage(&self, name: &'static str, frames: Option<u64>);

    /// The stage has gone through so many more frames.
    ///
    /// # Errors
    /// [`Interrupted`](Error::Interrupted) ends the run: nothing is written.
    fn advance(&self, frames: u64) -> Result<(), Error>;
}

/// Hears nothing, but may be interrupted like the observer that it stands beside.
pub struct Unseen<'a>(pub &'a dyn Observer);

impl Observer for Unseen<'_> {
    fn stage(&self, _: &'static str, _: Option<u64>) {}

    fn advance(&self, _: u64) -> Result<(), Error> {
        self.0.advance(0)
    }
}

/// Hears nothing.
pub struct Silent;

impl Observer for Silent {
    fn stage(&self, _: &'static str, _: Option<u64>) {}

    fn advance(&self, _: u64) -> Result<(), Error> {
        Ok(())
    }
}
