//! Writes a master under its name only when it is complete.

use std::fs::File;
use std::io::{self, BufWriter, Seek};
use std::path::{Path, PathBuf};

use analyzer::stream::Frame;
pub use renderer::recipe::SampleFormat;
use tempfile::NamedTempFile;

use super::error::{Error, Warning};
use super::flac::{self, FlacWriter};
use super::guard::GuardedFile;
use super::tags::Tags;
use super::wav::{MAX_RIFF_BYTES, WavWriter};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 1 << 18;

/// A file format to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// WAV, or RF64 beyond 4 GiB.
    Wav,
    /// FLAC.
    Flac,
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
    (f64::from(sample) * scale).round().clamp(-scale, scale - 1.0) as i32
}

/// Writes a master into a hidden file beside its name and gives it that name at the end.
///
/// Dropped before [`finish`](Self::finish), it leaves nothing behind.
pub struct Encoder {
    path: PathBuf,
    spec: OutputSpec,
    overwrite: bool,
    temporary: NamedTempFile,
    body: Body,
    written_frames: u64,
}

enum Body {
    Wav(WavWriter<BufWriter<GuardedFile>>),
    Flac(Box<FlacWriter<BufWriter<GuardedFile>>>),
}

/// Refuses an output that is its own input, by whatever name or link.
///
/// # Errors
/// Both are one file.
pub fn ensure_distinct(input: &Path, output: &Path) -> Result<(), Error> {
    let is_same = match (identity(input), identity(output)) {
        (Some(input), Some(output)) => input == output,
        _ => false,
    };
    if is_same { Err(Error::SameFile { path: output.to_owned() }) } else { Ok(()) }
}

/// What tells a file from all others.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// What tells a file from all others, but for hard links.
#[cfg(not(unix))]
fn identity(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok()
}

/// Checks that `path` can be written, without writing it: to be called before any work is done.
///
/// # Errors
/// It exists and may not be overwritten, it is a folder or a device, or its folder is missing or not writable.
pub fn ensure_writable(path: &Path, overwrite: bool) -> Result<(), Error> {
    check_target(path, overwrite)?;
    temporary(path).map(drop)
}

fn check_target(path: &Path, overwrite: bool) -> Result<(), Error> {
    let path_buf = || path.to_owned();
    if path.file_name().is_none() {
        return Err(Error::NotAFile { path: path_buf(), what: "a folder" });
    }
    // A link that leads nowhere exists, too.
    let Ok(link) = std::fs::symlink_metadata(path) else { return Ok(()) };
    let target = std::fs::metadata(path).unwrap_or(link);
    if target.is_dir() {
        return Err(Error::NotAFile { path: path_buf(), what: "a folder" });
    }
    if !target.is_file() && !target.is_symlink() {
        return Err(Error::NotAFile { path: path_buf(), what: "a pipe or a device" });
    }
    if overwrite { Ok(()) } else { Err(Error::Exists { path: path_buf() }) }
}

/// The folder in which `path` lies.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A hidden file in the folder of `path`, readable by whoever may read what the user creates.
fn temporary(path: &Path) -> Result<NamedTempFile, Error> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".goldmaster-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder(path)).map_err(|e| Error::writing(path, &e))
}

impl Encoder {
    /// Starts a file. Without `overwrite` an existing file is an error, now and at the end.
    ///
    /// # Errors
    /// See [`ensure_writable`]. FLAC cannot hold floating point, and no file can hold no frames.
    ///
    /// # Panics
    /// `spec.channels` is neither 1 nor 2.
    pub fn create(path: &Path, spec: OutputSpec, overwrite: bool) -> Result<Self, Error> {
        Self::create_with_limit(path, spec, overwrite, MAX_RIFF_BYTES)
    }

    fn create_with_limit(path: &Path, spec: OutputSpec, overwrite: bool, max_riff_bytes: u64) -> Result<Self, Error> {
        assert!((1..=2).contains(&spec.channels), "mono or stereo");
        if spec.format == Format::Flac && spec.sample_format == SampleFormat::Float32 {
            return Err(Error::FloatFlac { path: path.to_owned() });
        }
        if spec.frames == 0 {
            return Err(Error::Incomplete { path: path.to_owned(), announced: 0, written: 0 });
        }
        check_target(path, overwrite)?;
        let temporary = temporary(path)?;
        let unwritable = |e: io::Error| Error::writing(path, &e);
        let file = GuardedFile::new(temporary.as_file().try_clone().map_err(unwritable)?);
        let writer = BufWriter::with_capacity(BUFFER_BYTES, file);
        let body = match spec.format {
            Format::Wav => Body::Wav(WavWriter::new(writer, spec, max_riff_bytes).map_err(unwritable)?),
            Format::Flac => Body::Flac(Box::new(FlacWriter::new(writer, spec).map_err(unwritable)?)),
        };
        Ok(Self { path: path.to_owned(), spec, overwrite, temporary, body, written_frames: 0 })
    }

    /// Appends frames. For integer formats they are on the grid already: dithered and quantised.
    ///
    /// # Errors
    /// The disk is full or fails, or more frames arrive than were announced.
    pub fn write(&mut self, frames: &[Frame]) -> Result<(), Error> {
        self.written_frames += frames.len() as u64;
        if self.written_frames > self.spec.frames {
            return Err(self.incomplete());
        }
        let written = match &mut self.body {
            Body::Wav(writer) => writer.write(frames),
            Body::Flac(writer) => writer.write(frames),
        };
        written.map_err(|e| Error::writing(&self.path, &e))
    }

    /// Completes the file, with `tags` where there are any, makes sure that it is on the disk and gives it its name.
    ///
    /// Returns what of the tags could not be carried over.
    ///
    /// # Errors
    /// Frames are missing, the disk is full or fails, or the name was taken in the meantime.
    pub fn finish(self, tags: Option<&Tags>) -> Result<Vec<String>, Error> {
        if self.written_frames != self.spec.frames {
            return Err(self.incomplete());
        }
        let mut warnings = Vec::new();
        let Self { path, overwrite, temporary, body, .. } = self;
        let unwritable = |e: io::Error| Error::writing(&path, &e);
        let complete = match body {
            Body::Wav(writer) => {
                let chunks = tags.map(|tags| tags.riff_chunks(&mut warnings)).unwrap_or_default();
                if !writer.finish(&chunks).map_err(unwritable)? {
                    warnings.push(Warning::Tags { cause: "the file has no room for them".to_owned() });
                }
                temporary
            }
            Body::Flac(writer) => {
                writer.finish().map_err(unwritable)?;
                tag_flac(temporary, &path, tags, &mut warnings)?
            }
        };
        complete.as_file().sync_all().map_err(unwritable)?;
        if overwrite {
            complete.persist(&path).map_err(|e| unwritable(e.error))?;
        } else {
            persist_new(complete, &path).map_err(unwritable)?;
        }
        // The name is part of the folder, which not every system can sync.
        let _ = File::open(folder(&path)).and_then(|folder| folder.sync_all());
        Ok(warnings.iter().map(ToString::to_string).collect())
    }

    fn incomplete(&self) -> Error {
        let (announced, written) = (self.spec.frames, self.written_frames);
        Error::Incomplete { path: self.path.clone(), announced, written }
    }
}

/// The finished FLAC with tags, if there are any: they come first in it, so that it is copied.
fn tag_flac(
    finished: NamedTempFile,
    path: &Path,
    tags: Option<&Tags>,
    warnings: &mut Vec<Warning>,
) -> Result<NamedTempFile, Error> {
    let (comment, pictures) = tags.map(|tags| tags.flac_blocks(warnings)).unwrap_or_default();
    if comment.is_none() && pictures.is_empty() {
        return Ok(finished);
    }
    let unwritable = |e: io::Error| Error::writing(path, &e);
    let tagged = temporary(path)?;
    let to = GuardedFile::new(tagged.as_file().try_clone().map_err(unwritable)?);
    let mut from = finished.as_file();
    from.rewind().and_then(|()| flac::copy_with_tags(from, to, comment, pictures)).map_err(unwritable)?;
    Ok(tagged)
}

/// Gives the file its name if nothing has it.
fn persist_new(temporary: NamedTempFile, path: &Path) -> io::Result<()> {
    let Err(failed) = temporary.persist_noclobber(path) else { return Ok(()) };
    let is_taken = failed.error.kind() == io::ErrorKind::AlreadyExists || std::fs::symlink_metadata(path).is_ok();
    if is_taken {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    // A disk without links and exclusive renaming, as on memory cards: the plain way, checked just before.
    failed.file.persist(path).map(drop).map_err(|e| e.error)
}
