//! The interface of every stage of the chain.

use analyzer::crossover::BANDS;
use analyzer::stream::Frame;

/// Changes a stream of frames in place.
///
/// The result does not depend on how the stream is cut into blocks; `process` allocates nothing and cannot fail.
/// Finite input gives finite output, and silence stays silent.
pub trait Stage: Send {
    /// Replaces the next frames.
    fn process(&mut self, frames: &mut [Frame]);

    /// Resets the stage to the state of a new one.
    fn reset(&mut self);

    /// Latency in frames.
    fn latency_frames(&self) -> usize {
        0
    }

    /// Returns the current gain of each band, dB, low to high; `None` for a band that passes unchanged. It is for
    /// display only.
    fn band_gains_db(&self) -> [Option<f64>; BANDS] {
        [None; BANDS]
    }
}
