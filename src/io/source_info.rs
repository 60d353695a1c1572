//! What is known of a file before it is decoded, and which sample rates are accepted.

/// The lowest sample rate that is accepted.
pub const MIN_SAMPLE_RATE_HZ: u32 = 8_000;

/// The highest sample rate that is accepted: the highest in which converters record PCM.
pub const MAX_SAMPLE_RATE_HZ: u32 = 768_000;

/// What is known about a source before it is decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// 1 or 2. Mono arrives as two equal channels.
    pub channels: u8,
    /// How many frames to expect, as far as the file says it for certain. Never an amount to allocate.
    pub frames_hint: Option<u64>,
    /// Format and codec for people.
    pub codec: String,
    /// Bits per sample of a lossless source.
    pub bit_depth: Option<u32>,
    /// Whether the codec leaves something out.
    pub lossy: bool,
}
