//! Streams of sound: frames are pulled from a [`Source`], or pushed into a [`Meter`].

/// One sample per channel: left, right. Full scale is ±1.
pub type Frame = [f32; 2];

/// A stream of frames that is pulled.
pub trait Source {
    /// Error of a failed read.
    type Error;

    /// Fills the start of `frames` and returns the number of frames written; 0 means the end of the stream, and nothing
    /// else.
    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, Self::Error>;
}

/// Measures a stream of frames. A reading does not depend on how the stream is cut into blocks.
pub trait Meter {
    /// Result of the measurement, once the stream has ended.
    type Reading;

    /// Takes the next frames, any number of them.
    fn push(&mut self, frames: &[Frame]);

    /// Ends the stream.
    fn finish(self) -> Self::Reading;
}

/// Frames in memory, read from the front.
impl Source for &[Frame] {
    type Error = std::convert::Infallible;

    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, Self::Error> {
        let count = frames.len().min(self.len());
        frames[..count].copy_from_slice(&self[..count]);
        *self = &self[count..];
        Ok(count)
    }
}

/// Mid and side of a frame: half the sum and half the difference.
#[inline]
pub fn mid_side(frame: Frame) -> [f32; 2] {
    [(frame[0] + frame[1]) * 0.5, (frame[0] - frame[1]) * 0.5]
}

/// The inverse of [`mid_side`].
#[inline]
pub fn left_right([mid, side]: [f32; 2]) -> Frame {
    [mid + side, mid - side]
}
