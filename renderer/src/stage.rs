//! What every stage of the chain is.

use analyzer::crossover::BANDS;
use analyzer::stream::Frame;

/// Changes a stream of frames in place.
///
/// The result does not depend on how the stream is cut into blocks; `process` allocates nothing and cannot fail.
/// Finite in gives finite out, silence stays silent.
pub trait Stage: Send {
    /// Replaces the next frames.
    fn process(&mut self, frames: &mut [Frame]);

    /// Back to the state of a new stage.
    fn reset(&mut self);

    /// How many frames later the output comes.
    fn latency_frames(&self) -> usize {
        0
    }

    /// Where the gain of each band stands, dB, low to high; `None` for a band that passes unchanged. To be shown, not heard.
    fn band_gains_db(&self) -> [Option<f64>; BANDS] {
        [None; BANDS]
    }
}
