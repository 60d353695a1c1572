//! Uncompressed sound: its layout in a file, and reading it as frames.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use analyzer::stream::Frame;

use super::error::{Error, Warning};

/// Number of frames converted at a time.
const BLOCK_FRAMES: usize = 8192;

/// Encoding of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Unsigned, with silence at 128.
    Unsigned8,
    /// Signed integer of 1 to 4 bytes, left-justified.
    Signed {
        bytes: u8,
    },
    Float32,
    Float64,
    /// Logarithmic, 8 bits (ITU-T G.711).
    ALaw,
    MuLaw,
}

impl Encoding {
    pub fn bytes(self) -> usize {
        match self {
            Self::Unsigned8 | Self::ALaw | Self::MuLaw => 1,
            Self::Signed { bytes } => usize::from(bytes),
            Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }

    /// Returns the name of a logarithmic encoding, which is lossy; `None` for all others.
    pub fn law_name(self) -> Option<&'static str> {
        match self {
            Self::ALaw => Some("A-law"),
            Self::MuLaw => Some("\u{b5}-law"),
            _ => None,
        }
    }
}

/// Location and format of the samples in a file.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub encoding: Encoding,
    pub big_endian: bool,
    pub channels: u32,
    pub sample_rate_hz: u32,
    /// Bits that contain sound; fewer than the size of a sample if it is padded.
    pub valid_bits: u32,
    pub data_start: u64,
    /// Bytes of sound that are really there.
    pub data_bytes: u64,
    /// Ranges of the sound in the file, if it is not a single range from `data_start` on.
    pub pieces: Vec<Range<u64>>,
    /// Bytes of sound that the header states, if it does.
    pub claimed_bytes: Option<u64>,
    pub codec: String,
    pub warnings: Vec<Warning>,
}

impl Layout {
    pub fn frame_bytes(&self) -> u64 {
        u64::from(self.channels) * self.encoding.bytes() as u64
    }

    /// Returns the number of whole frames that are there.
    pub fn frames(&self) -> u64 {
        self.data_bytes / self.frame_bytes()
    }

    /// Returns the warnings of the header, and one about missing data, if any.
    pub fn all_warnings(&self) -> Vec<Warning> {
        let mut warnings = self.warnings.clone();
        let promised = self.claimed_bytes.map_or(0, |bytes| bytes / self.frame_bytes());
        if promised > self.frames() {
            warnings.push(Warning::missing(promised, self.frames(), true));
        }
        warnings
    }
}

/// Reads the frames of a [`Layout`] from their ranges in the file.
pub(super) struct PcmReader {
    file: File,
    layout: Layout,
    /// Ranges that are still to be read, the next one last.
    pieces: Vec<Range<u64>>,
    /// Number of frames left in the current range.
    left_frames: u64,
    bytes: Vec<u8>,
}

impl PcmReader {
    pub fn new(file: File, mut layout: Layout) -> Self {
        let mut pieces = std::mem::take(&mut layout.pieces);
        if pieces.is_empty() {
            pieces.push(layout.data_start..layout.data_start + layout.data_bytes);
        }
        pieces.reverse();
        Self { file, layout, pieces, left_frames: 0, bytes: Vec::new() }
    }

    pub fn read(&mut self, frames: &mut [Frame], path: &Path) -> Result<usize, Error> {
        while self.left_frames == 0
            && let Some(piece) = self.pieces.pop()
        {
            self.file.seek(SeekFrom::Start(piece.start)).map_err(|e| Error::reading(path, &e))?;
            self.left_frames = (piece.end - piece.start) / self.layout.frame_bytes();
        }
        let left = usize::try_from(self.left_frames).unwrap_or(usize::MAX);
        let count = frames.len().min(left).min(BLOCK_FRAMES);
        self.bytes.resize(count * self.layout.frame_bytes() as usize, 0);
        self.file.read_exact(&mut self.bytes).map_err(|e| Error::reading(path, &e))?;
        self.left_frames -= count as u64;
        convert(&self.bytes, &self.layout, &mut frames[..count]);
        Ok(count)
    }
}

/// Converts `bytes` to frames; mono becomes two equal channels.
fn convert(bytes: &[u8], layout: &Layout, frames: &mut [Frame]) {
    match (layout.encoding, layout.big_endian) {
        (Encoding::Unsigned8, _) => each(bytes, layout.channels, frames, |[b]: [u8; 1]| (f32::from(b) - 128.0) / 128.0),
        (Encoding::Signed { bytes: 1 }, _) => {
            each(bytes, layout.channels, frames, |b: [u8; 1]| f32::from(i8::from_le_bytes(b)) / 128.0)
        }
        (Encoding::Signed { bytes: 2 }, false) => {
            each(bytes, layout.channels, frames, |b| f32::from(i16::from_le_bytes(b)) / 32_768.0);
        }
        (Encoding::Signed { bytes: 2 }, true) => {
            each(bytes, layout.channels, frames, |b| f32::from(i16::from_be_bytes(b)) / 32_768.0);
        }
        (Encoding::Signed { bytes: 3 }, false) => {
            each(bytes, layout.channels, frames, |[a, b, c]: [u8; 3]| from_i32(i32::from_le_bytes([0, a, b, c])));
        }
        (Encoding::Signed { bytes: 3 }, true) => {
            each(bytes, layout.channels, frames, |[a, b, c]: [u8; 3]| from_i32(i32::from_be_bytes([a, b, c, 0])));
        }
        (Encoding::Signed { .. }, false) => {
            each(bytes, layout.channels, frames, |b| from_i32(i32::from_le_bytes(b)));
        }
        (Encoding::Signed { .. }, true) => each(bytes, layout.channels, frames, |b| from_i32(i32::from_be_bytes(b))),
        (Encoding::ALaw, _) => each(bytes, layout.channels, frames, |[b]: [u8; 1]| from_a_law(b)),
        (Encoding::MuLaw, _) => each(bytes, layout.channels, frames, |[b]: [u8; 1]| from_mu_law(b)),
        (Encoding::Float32, false) => each(bytes, layout.channels, frames, f32::from_le_bytes),
        (Encoding::Float32, true) => each(bytes, layout.channels, frames, f32::from_be_bytes),
        (Encoding::Float64, false) => each(bytes, layout.channels, frames, |b| f64::from_le_bytes(b) as f32),
        (Encoding::Float64, true) => each(bytes, layout.channels, frames, |b| f64::from_be_bytes(b) as f32),
    }
}

/// Converts a sample: exact for up to 24 bits, rounded to the nearest f32 beyond.
fn from_i32(sample: i32) -> f32 {
    (f64::from(sample) / 2_147_483_648.0) as f32
}

/// Decodes A-law (ITU-T G.711, table 1): 13 bits, with every other bit of the code inverted.
fn from_a_law(code: u8) -> f32 {
    let code = code ^ 0x55;
    let (segment, step) = (code >> 4 & 7, i32::from(code & 15));
    let magnitude = if segment == 0 { 2 * step + 1 } else { (2 * step + 33) << (segment - 1) };
    let sample = if code & 0x80 != 0 { magnitude } else { -magnitude };
    sample as f32 / 4096.0
}

/// Decodes µ-law (ITU-T G.711, table 2): 14 bits, with all bits of the code inverted.
fn from_mu_law(code: u8) -> f32 {
    let code = !code;
    let (segment, step) = (code >> 4 & 7, i32::from(code & 15));
    let magnitude = ((2 * step + 33) << segment) - 33;
    let sample = if code & 0x80 != 0 { -magnitude } else { magnitude };
    sample as f32 / 8192.0
}

fn each<const N: usize>(bytes: &[u8], channels: u32, frames: &mut [Frame], sample: impl Fn([u8; N]) -> f32) {
    let samples = bytes.as_chunks::<N>().0;
    if channels == 1 {
        for (frame, &s) in frames.iter_mut().zip(samples) {
            *frame = [sample(s); 2];
        }
    } else {
        for (frame, &[left, right]) in frames.iter_mut().zip(samples.as_chunks::<2>().0) {
            *frame = [sample(left), sample(right)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_laws_have_the_values_of_the_standard() {
        // Largest, smallest and zero values of G.711, tables 1 and 2, in units of 1/4096 and 1/8192.
        let a_law = [(0xaa, 4032.0), (0x2a, -4032.0), (0xd5, 1.0), (0x55, -1.0), (0xd4, 3.0)];
        let mu_law = [(0x80, 8031.0), (0x00, -8031.0), (0xff, 0.0), (0x7f, 0.0), (0xfe, 2.0)];
        for (code, value) in a_law {
            assert_eq!(from_a_law(code), value / 4096.0, "{code:x}");
        }
        for (code, value) in mu_law {
            assert_eq!(from_mu_law(code), value / 8192.0, "{code:x}");
        }
    }
}
