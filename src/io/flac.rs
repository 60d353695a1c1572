//! Writes FLAC.

use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use analyzer::stream::Frame;
use flac_codec::Error as Fault;
use flac_codec::encode::{FlacSampleWriter, Options};
use flac_codec::metadata::{BlockList, Picture, VorbisComment, write_blocks};

use super::output_spec::{OutputSpec, quantise};

pub(super) struct FlacWriter<W: Write + Seek> {
    writer: FlacSampleWriter<W>,
    spec: OutputSpec,
    samples: Vec<i32>,
}

impl<W: Write + Seek> FlacWriter<W> {
    /// Writes the header.
    pub fn new(writer: W, spec: OutputSpec) -> io::Result<Self> {
        Self::with_options(writer, spec, Options::default())
    }

    fn with_options(writer: W, spec: OutputSpec, options: Options) -> io::Result<Self> {
        let samples = spec.frames * u64::from(spec.channels);
        let (rate, bits) = (spec.sample_rate_hz, spec.bits());
        let writer = FlacSampleWriter::new(writer, options, rate, bits, spec.channels, Some(samples));
        Ok(Self { writer: writer.map_err(to_io)?, spec, samples: Vec::new() })
    }

    pub fn write(&mut self, frames: &[Frame]) -> io::Result<()> {
        let (channels, bits) = (usize::from(self.spec.channels), self.spec.bits());
        self.samples.clear();
        let samples = frames.iter().flat_map(|frame| &frame[..channels]);
        self.samples.extend(samples.map(|&s| quantise(s, bits)));
        self.writer.write(&self.samples).map_err(to_io)
    }

    /// Writes the last block and completes the header.
    pub fn finish(self) -> io::Result<()> {
        self.writer.finalize().map_err(to_io)
    }
}

/// Encodes frames as FLAC in memory, for speed rather than size: a twelfth larger, in a quarter of the time.
///
/// # Errors
/// Never with a legal `spec`: writing to memory does not fail.
pub fn in_memory(spec: OutputSpec, frames: &[Frame]) -> io::Result<Vec<u8>> {
    let mut bytes = io::Cursor::new(Vec::new());
    let options = Options::fast().mid_side(true).block_size(4096).map_err(|e| io::Error::other(e.to_string()))?;
    let mut writer = FlacWriter::with_options(&mut bytes, spec, options)?;
    writer.write(frames)?;
    writer.finish()?;
    Ok(bytes.into_inner())
}

/// Copies a finished FLAC, with texts and pictures added to its header. The sound is unchanged.
pub(super) fn copy_with_tags(
    from: impl Read,
    to: impl Write,
    comment: Option<VorbisComment>,
    pictures: Vec<Picture>,
) -> io::Result<()> {
    let (mut from, mut to) = (BufReader::new(from), BufWriter::new(to));
    let mut blocks = BlockList::read(&mut from).map_err(to_io)?;
    if let Some(comment) = comment {
        blocks.insert(comment);
    }
    for picture in pictures {
        blocks.insert(picture);
    }
    write_blocks(&mut to, blocks.blocks()).map_err(to_io)?;
    io::copy(&mut from, &mut to)?;
    to.flush()
}

fn to_io(fault: Fault) -> io::Error {
    match fault {
        Fault::Io(e) => e,
        fault => io::Error::other(fault.to_string()),
    }
}
