//! The format of a master's file.

use std::fmt;
use std::path::Path;

use analyzer::stream::Frame;
use analyzer::units::nearest;
use clap::ValueEnum as _;
use renderer::lossy::Codec;
pub use renderer::recipe::SampleFormat;

/// A file format to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// WAV, or RF64 beyond 4 GiB
    #[default]
    Wav,
    /// FLAC
    Flac,
    /// MP3
    Mp3,
    /// Opus, in Ogg
    Opus,
}

impl Format {
    /// Returns the format that the extension of a path selects.
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_string_lossy().to_lowercase();
        Self::value_variants().iter().copied().find(|format| format.extension() == extension)
    }

    /// Returns the codec of a lossy format.
    pub fn codec(self) -> Option<Codec> {
        match self {
            Self::Wav | Self::Flac => None,
            Self::Mp3 => Some(Codec::Mp3),
            Self::Opus => Some(Codec::Opus),
        }
    }

    /// Returns the extension of files of this format.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Flac => "flac",
            Self::Mp3 => "mp3",
            Self::Opus => "opus",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Wav => f.write_str("WAV"),
            Self::Flac => f.write_str("FLAC"),
            Self::Mp3 | Self::Opus => self.codec().map_or(Ok(()), |codec| codec.fmt(f)),
        }
    }
}

/// Format and length of a file to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputSpec {
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// 1 or 2. For mono, the left channel is written.
    pub channels: u8,
    /// File format.
    pub format: Format,
    /// Sample format, for uncompressed and lossless files.
    pub sample_format: SampleFormat,
    /// Bit rate of a lossy format, kbit/s; `None` selects the default.
    pub bitrate_kbps: Option<u32>,
    /// Exact number of frames that will be written.
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

/// Interleaves the samples of frames; for mono, takes the left channel.
pub(super) fn interleaved(frames: &[Frame], channels: u8, samples: &mut Vec<f32>) {
    samples.clear();
    samples.extend(frames.iter().flat_map(|frame| &frame[..usize::from(channels)]));
}

/// The integer nearest to `sample` · 2^(bits − 1), saturated. Exact for samples on the grid k / 2^(bits − 1).
pub(super) fn quantise(sample: f32, bits: u32) -> i32 {
    let scale = f64::from(1_u32 << (bits - 1));
    nearest(f64::from(sample) * scale).clamp(-scale, scale - 1.0) as i32
}
