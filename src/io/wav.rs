//! Writes WAV: plain PCM or float, or RF64 (EBU Tech 3306) if the size does not fit 32 bits.
//!
//! The format header is the simplest possible: 16 bytes with tag 1 for 16 and 24 bits, or 18 bytes with tag 3 and a
//! `fact` chunk for float. WAVE_FORMAT_EXTENSIBLE would only add a speaker mask, which mono and stereo do not need,
//! and is refused by older players and samplers. All sizes are known before the first frame; only tags add to them.

use std::io::{self, Seek, SeekFrom, Write};

use analyzer::stream::Frame;

use super::output_spec::{OutputSpec, SampleFormat, quantise};
use super::riff_chunk::append_chunk;

/// Largest size in 32 bits; all ones means that `ds64` contains the size.
pub(super) const MAX_RIFF_BYTES: u64 = u32::MAX as u64 - 1;

/// Number of frames converted at a time.
const BLOCK_FRAMES: usize = 4096;

/// Offsets of the file size in the headers of RIFF and RF64.
const RIFF_SIZE_AT: u64 = 4;
const DS64_SIZE_AT: u64 = 20;

/// Size of a `ds64` chunk without a table.
const DS64_BYTES: u64 = 36;

pub(super) struct WavWriter<W> {
    writer: W,
    spec: OutputSpec,
    max_riff_bytes: u64,
    bytes: Vec<u8>,
}

impl<W: Write + Seek> WavWriter<W> {
    /// Writes the header.
    pub fn new(mut writer: W, spec: OutputSpec, max_riff_bytes: u64) -> io::Result<Self> {
        writer.write_all(&header(&spec, max_riff_bytes))?;
        Ok(Self { writer, spec, max_riff_bytes, bytes: Vec::new() })
    }

    pub fn write(&mut self, frames: &[Frame]) -> io::Result<()> {
        for block in frames.chunks(BLOCK_FRAMES) {
            self.bytes.clear();
            if self.spec.channels == 2 {
                append(&mut self.bytes, self.spec.sample_format, block.as_flattened());
            } else {
                let left: Vec<f32> = block.iter().map(|frame| frame[0]).collect();
                append(&mut self.bytes, self.spec.sample_format, &left);
            }
            self.writer.write_all(&self.bytes)?;
        }
        Ok(())
    }

    /// Appends whole chunks after the sound and flushes all buffers.
    ///
    /// Returns true if the chunks fit: a file of almost 4 GiB has no room for them.
    pub fn finish(mut self, chunks: &[u8]) -> io::Result<bool> {
        if data_bytes(&self.spec) % 2 == 1 {
            self.writer.write_all(&[0])?;
        }
        let body_bytes = body_bytes(&self.spec);
        let is_long = body_bytes > self.max_riff_bytes;
        let new_bytes = body_bytes + chunks.len() as u64;
        let fits = is_long || new_bytes <= self.max_riff_bytes;
        if fits && !chunks.is_empty() {
            self.writer.write_all(chunks)?;
            if is_long {
                self.writer.seek(SeekFrom::Start(DS64_SIZE_AT))?;
                self.writer.write_all(&(new_bytes + DS64_BYTES).to_le_bytes())?;
            } else {
                self.writer.seek(SeekFrom::Start(RIFF_SIZE_AT))?;
                self.writer.write_all(&(new_bytes as u32).to_le_bytes())?;
            }
        }
        self.writer.flush()?;
        Ok(fits)
    }
}

/// Encodes frames as WAV in memory.
///
/// # Errors
/// Never: writing to memory does not fail.
pub fn in_memory(spec: OutputSpec, frames: &[Frame]) -> io::Result<Vec<u8>> {
    let mut bytes = io::Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec, MAX_RIFF_BYTES)?;
    writer.write(frames)?;
    writer.finish(&[])?;
    Ok(bytes.into_inner())
}

/// Appends samples in the format of the file.
fn append(bytes: &mut Vec<u8>, format: SampleFormat, samples: &[f32]) {
    match format {
        SampleFormat::Int16 => bytes.extend(samples.iter().flat_map(|s| (quantise(*s, 16) as i16).to_le_bytes())),
        SampleFormat::Int24 => {
            let start = bytes.len();
            bytes.resize(start + 3 * samples.len(), 0);
            for (bytes, sample) in bytes[start..].as_chunks_mut::<3>().0.iter_mut().zip(samples) {
                let [a, b, c, _] = quantise(*sample, 24).to_le_bytes();
                *bytes = [a, b, c];
            }
        }
        SampleFormat::Float32 => bytes.extend(samples.iter().flat_map(|s| s.to_le_bytes())),
    }
}

fn data_bytes(spec: &OutputSpec) -> u64 {
    spec.frames * u64::from(spec.frame_bytes())
}

/// Returns the number of bytes after the size field of a RIFF file.
fn body_bytes(spec: &OutputSpec) -> u64 {
    let data_bytes = data_bytes(spec);
    4 + format_chunks(spec).len() as u64 + 8 + data_bytes + data_bytes % 2
}

fn format_chunks(spec: &OutputSpec) -> Vec<u8> {
    let is_float = spec.sample_format == SampleFormat::Float32;
    let mut format = Vec::new();
    format.extend((if is_float { 3_u16 } else { 1 }).to_le_bytes());
    format.extend(u16::from(spec.channels).to_le_bytes());
    format.extend(spec.sample_rate_hz.to_le_bytes());
    format.extend((spec.sample_rate_hz * spec.frame_bytes()).to_le_bytes());
    format.extend((spec.frame_bytes() as u16).to_le_bytes());
    format.extend((spec.bits() as u16).to_le_bytes());
    let mut chunks = Vec::new();
    if is_float {
        format.extend(0_u16.to_le_bytes());
        append_chunk(*b"fmt ", &format, &mut chunks);
        append_chunk(*b"fact", &u32::try_from(spec.frames).unwrap_or(u32::MAX).to_le_bytes(), &mut chunks);
    } else {
        append_chunk(*b"fmt ", &format, &mut chunks);
    }
    chunks
}

fn header(spec: &OutputSpec, max_riff_bytes: u64) -> Vec<u8> {
    let (body_bytes, data_bytes) = (body_bytes(spec), data_bytes(spec));
    let is_long = body_bytes > max_riff_bytes;
    let mut header = Vec::new();
    if is_long {
        let sizes = [body_bytes + DS64_BYTES, data_bytes, spec.frames].map(u64::to_le_bytes);
        header.extend(b"RF64\xff\xff\xff\xffWAVE");
        append_chunk(*b"ds64", &[sizes.as_flattened(), &[0; 4]].concat(), &mut header);
    } else {
        header.extend(b"RIFF");
        header.extend((body_bytes as u32).to_le_bytes());
        header.extend(b"WAVE");
    }
    header.extend(format_chunks(spec));
    header.extend(b"data");
    header.extend((if is_long { u32::MAX } else { data_bytes as u32 }).to_le_bytes());
    header
}
