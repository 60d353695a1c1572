//! Properties of a file that are known before it is decoded, and the accepted sample rates.

/// Lowest accepted sample rate.
pub const MIN_SAMPLE_RATE_HZ: u32 = 8_000;

/// Highest accepted sample rate: the highest at which converters record PCM.
pub const MAX_SAMPLE_RATE_HZ: u32 = 768_000;

/// Properties of a source that are known before it is decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// 1 or 2. Mono arrives as two equal channels.
    pub channels: u8,
    /// Expected number of frames, if the file states it reliably. It must never be used as a size to allocate.
    pub frames_hint: Option<u64>,
    /// Format and codec, as a text for users.
    pub codec: String,
    /// Bits per sample of a lossless source.
    pub bit_depth: Option<u32>,
    /// True if the codec is lossy.
    pub lossy: bool,
}
