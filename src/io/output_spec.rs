//! What a master is written as.

use std::path::Path;

use analyzer::units::nearest;
pub use renderer::recipe::SampleFormat;

/// A file format to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// WAV, or RF64 beyond 4 GiB
    Wav,
    /// FLAC
    Flac,
}

impl Format {
    /// The format that the name of a file asks for.
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_string_lossy().to_lowercase();
        [Self::Wav, Self::Flac].into_iter().find(|format| format.extension() == extension)
    }

    /// Extension of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Flac => "flac",
        }
    }
}

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputSpec {
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// 1 or 2. Mono writes the left channel.
    pub channels: u8,
    /// File format.
    pub format: Format,
    /// What a sample is written as.
    pub sample_format: SampleFormat,
    /// How many frames will be written, exactly.
    pub frames: u64,
}

impl OutputSpec {
    /// Bits per sample.
    pub(super) fn bits(&self) -> u32 {
        self.sample_format.integer_bits().unwrap_or(32)
    }

    /// Bytes of an uncompressed frame.
    pub(super) fn frame_bytes(&self) -> u32 {
        u32::from(self.channels) * self.bits() / 8
    }
}

/// The integer nearest to `sample` · 2^(bits − 1), saturated. Exact for samples on the grid k / 2^(bits − 1).
pub(super) fn quantise(sample: f32, bits: u32) -> i32 {
    let scale = f64::from(1_u32 << (bits - 1));
    nearest(f64::from(sample) * scale).clamp(-scale, scale - 1.0) as i32
}
