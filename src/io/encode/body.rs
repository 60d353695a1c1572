//! The content of a file, for each format.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write as _};
use std::path::Path;

use analyzer::stream::Frame;
use tempfile::NamedTempFile;

use crate::io::error::Error;
use crate::io::flac::{self, FlacWriter};
use crate::io::guard::GuardedFile;
use crate::io::mp3::Mp3Writer;
use crate::io::ogg_pages::copy_with_comments;
use crate::io::opus_writer::{OpusWriter, comments};
use crate::io::output_spec::{Format, OutputSpec};
use crate::io::tags::Tags;
use crate::io::wav::WavWriter;

type Writer = BufWriter<GuardedFile>;

/// A function that copies a finished file into another one that has tags.
type Copy<'a> = dyn FnMut(&File, GuardedFile) -> io::Result<()> + 'a;

/// The sound of a file while it is being written.
pub(super) enum Body {
    Wav(WavWriter<Writer>),
    Flac(Box<FlacWriter<Writer>>),
    Mp3(Box<Mp3Writer<Writer>>),
    Opus(Box<OpusWriter<Writer>>),
    /// A complete lossy file that only lacks its tags.
    Sealed(Sealed),
}

/// A lossy file whose sound is complete.
pub(super) enum Sealed {
    Mp3,
    Opus {
        /// Serial number of the stream.
        serial: u32,
    },
}

impl Body {
    /// Starts the content with the header.
    pub fn new(writer: Writer, spec: OutputSpec, max_riff_bytes: u64) -> io::Result<Self> {
        Ok(match spec.format {
            Format::Wav => Self::Wav(WavWriter::new(writer, spec, max_riff_bytes)?),
            Format::Flac => Self::Flac(Box::new(FlacWriter::new(writer, spec)?)),
            Format::Mp3 => Self::Mp3(Box::new(Mp3Writer::new(writer, spec))),
            Format::Opus => Self::Opus(Box::new(OpusWriter::new(writer, spec)?)),
        })
    }

    pub fn write(&mut self, frames: &[Frame]) -> io::Result<()> {
        match self {
            Self::Wav(writer) => writer.write(frames),
            Self::Flac(writer) => writer.write(frames),
            Self::Mp3(writer) => writer.write(frames),
            Self::Opus(writer) => writer.write(frames),
            Self::Sealed(_) => Err(io::Error::other("its sound has ended")),
        }
    }

    /// Completes the sound of a lossy file; other formats are left as they are.
    pub fn seal(&mut self) -> io::Result<()> {
        if !matches!(self, Self::Mp3(_) | Self::Opus(_)) {
            return Ok(());
        }
        // If this fails, nothing more is written to the file.
        *self = match std::mem::replace(self, Self::Sealed(Sealed::Mp3)) {
            Self::Mp3(writer) => {
                writer.finish()?;
                Self::Sealed(Sealed::Mp3)
            }
            Self::Opus(writer) => Self::Sealed(Sealed::Opus { serial: writer.finish()? }),
            other => other,
        };
        Ok(())
    }

    /// Returns the complete file with tags, if any, and true if it has room for all of them. Tags that come before the
    /// sound must be written first; in that case `file` is copied into `another`.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn complete(
        self,
        file: NamedTempFile,
        another: impl FnOnce() -> Result<NamedTempFile, Error>,
        path: &Path,
        tags: Option<&Tags>,
    ) -> Result<(NamedTempFile, bool), Error> {
        let unwritable = |e: io::Error| Error::writing(path, &e);
        let copied = |copy: &mut Copy| {
            let tagged = another()?;
            let to = GuardedFile::new(tagged.as_file().try_clone().map_err(unwritable)?);
            let mut from = file.as_file();
            from.rewind().and_then(|()| copy(from, to)).map_err(unwritable)?;
            Ok((tagged, true))
        };
        match self {
            Self::Wav(writer) => {
                let chunks = tags.map(Tags::riff_chunks).unwrap_or_default();
                let has_all = writer.finish(&chunks).map_err(unwritable)?;
                Ok((file, has_all))
            }
            Self::Flac(writer) => {
                writer.finish().map_err(unwritable)?;
                let (comment, pictures) = tags.map(Tags::flac_blocks).unwrap_or_default();
                if comment.is_none() && pictures.is_empty() {
                    return Ok((file, true));
                }
                let mut tags = (comment, pictures);
                copied(&mut |from, to| {
                    let (comment, pictures) = std::mem::take(&mut tags);
                    flac::copy_with_tags(from, to, comment, pictures)
                })
            }
            Self::Sealed(Sealed::Mp3) | Self::Mp3(_) => {
                let tag = tags.map(Tags::id3_tag).unwrap_or_default();
                if tag.is_empty() {
                    return Ok((file, true));
                }
                copied(&mut |mut from, mut to| {
                    to.write_all(&tag)?;
                    io::copy(&mut from, &mut to).map(drop)
                })
            }
            Self::Sealed(Sealed::Opus { serial }) => {
                let comments = comments(&tags.map(Tags::ogg_comments).unwrap_or_default());
                copied(&mut |from, to| copy_with_comments(from, to, &comments, serial))
            }
            Self::Opus(_) => Err(unwritable(io::Error::other("its sound has not ended"))),
        }
    }
}
