//! Writes a master to a temporary file that gets its final name only when it is complete.

mod body;

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use analyzer::stream::Frame;
use tempfile::{NamedTempFile, TempPath};

use self::body::Body;
use super::claim::{TEMPORARY_PREFIX, TEMPORARY_SUFFIX, create_locked};
use super::error::{Error, Warning};
use super::guard::GuardedFile;
use super::output_spec::{Format, OutputSpec, SampleFormat};
use super::tags::Tags;
use super::wav::MAX_RIFF_BYTES;

/// Size of the write buffer, bytes.
const BUFFER_BYTES: usize = 1 << 18;

/// Writes a master to a hidden file in the folder of its path, and gives it its name at the end.
///
/// If it is dropped before [`finish`](Self::finish), nothing is left behind.
pub struct Encoder {
    path: PathBuf,
    spec: OutputSpec,
    overwrite: bool,
    temporary: NamedTempFile,
    body: Body,
    written_frames: u64,
}

/// Refuses an output that is the same file as its input, under whatever name or link.
///
/// # Errors
/// Both are the same file.
pub fn ensure_distinct(input: &Path, output: &Path) -> Result<(), Error> {
    let is_same = match (identity(input), identity(output)) {
        (Some(input), Some(output)) => input == output,
        _ => false,
    };
    if is_same { Err(Error::SameFile { path: output.to_owned() }) } else { Ok(()) }
}

/// Returns an identity that distinguishes the file from all others.
#[cfg(unix)]
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Returns an identity that distinguishes the file from all others, except for hard links.
#[cfg(not(unix))]
pub fn identity(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok()
}

/// Checks that `path` can be written, without writing it. To be called before any work is done.
///
/// # Errors
/// It exists and may not be overwritten, it is a folder or a device, or its folder is missing or not writable.
pub fn ensure_writable(path: &Path, overwrite: bool) -> Result<(), Error> {
    check_target(path, overwrite)?;
    temporary(path).map(drop)
}

/// Checks that `path` is a name under which a file can be written.
///
/// # Errors
/// It exists and may not be overwritten, it is a folder or a device, or the name is not allowed.
pub fn check_target(path: &Path, overwrite: bool) -> Result<(), Error> {
    let path_buf = || path.to_owned();
    if path.file_name().is_none() {
        return Err(Error::NotAFile { path: path_buf(), what: "a folder" });
    }
    // A dangling link also counts as existing.
    let link = match std::fs::symlink_metadata(path) {
        Ok(link) => link,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        // For example, a name that is too long.
        Err(error) => return Err(Error::writing(path, &error)),
    };
    let target = std::fs::metadata(path).unwrap_or(link);
    if target.is_dir() {
        return Err(Error::NotAFile { path: path_buf(), what: "a folder" });
    }
    if !target.is_file() && !target.is_symlink() {
        return Err(Error::NotAFile { path: path_buf(), what: "a pipe or a device" });
    }
    if overwrite { Ok(()) } else { Err(Error::Exists { path: path_buf() }) }
}

/// Returns the folder that contains `path`.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a hidden file in the folder of `path`, with the default permissions of new files. It is locked, so that
/// [`sweep`](super::claim::sweep) leaves it alone.
pub(super) fn temporary(path: &Path) -> Result<NamedTempFile, Error> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX).suffix(TEMPORARY_SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    loop {
        let file = create_locked(|| builder.tempfile_in(folder(path))).map_err(|e| Error::writing(path, &e))?;
        if let Some(file) = file {
            return Ok(file);
        }
    }
}

/// Returns an unused name beside `path`, for a file that is compared and removed.
///
/// # Errors
/// The folder is missing or not writable.
pub fn scratch(path: &Path) -> Result<TempPath, Error> {
    temporary(path).map(NamedTempFile::into_temp_path)
}

impl Encoder {
    /// Starts a file. Without `overwrite`, an existing file is an error, both now and at the end.
    ///
    /// # Errors
    /// See [`ensure_writable`]. Floating point cannot be written to FLAC, and a file cannot have zero frames.
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
        let body = Body::new(writer, spec, max_riff_bytes).map_err(unwritable)?;
        Ok(Self { path: path.to_owned(), spec, overwrite, temporary, body, written_frames: 0 })
    }

    /// Appends frames. For integer formats, they must already be dithered and quantised.
    ///
    /// # Errors
    /// The disk is full or fails, or more frames arrive than were announced.
    pub fn write(&mut self, frames: &[Frame]) -> Result<(), Error> {
        self.written_frames += frames.len() as u64;
        if self.written_frames > self.spec.frames {
            return Err(self.incomplete());
        }
        self.body.write(frames).map_err(|e| Error::writing(&self.path, &e))
    }

    /// Completes the sound of a lossy file, and returns its path, to decode and measure it. It has no tags yet.
    ///
    /// # Errors
    /// Frames are missing, or the disk is full or fails.
    pub fn seal(&mut self) -> Result<&Path, Error> {
        if self.written_frames != self.spec.frames {
            return Err(self.incomplete());
        }
        self.body.seal().map_err(|e| Error::writing(&self.path, &e))?;
        Ok(self.temporary.path())
    }

    /// Completes the file, with `tags` if there are any, and gives it its name.
    ///
    /// Returns warnings about tags that could not be carried over.
    ///
    /// # Errors
    /// Frames are missing, the disk is full or fails, or the name was taken in the meantime.
    pub fn finish(self, tags: Option<&Tags>) -> Result<Vec<Warning>, Error> {
        self.complete(tags)?.persist()
    }

    /// Completes the file, with `tags` if there are any, and syncs it to the disk, still without its name.
    ///
    /// # Errors
    /// Frames are missing, or the disk is full or fails.
    pub fn complete(mut self, tags: Option<&Tags>) -> Result<Complete, Error> {
        self.seal()?;
        let mut warnings: Vec<Warning> = tags.map(|tags| tags.warnings().to_vec()).unwrap_or_default();
        let Self { path, overwrite, temporary, body, .. } = self;
        let (complete, has_all_tags) = body.complete(temporary, || self::temporary(&path), &path, tags)?;
        if !has_all_tags {
            warnings.push(Warning::Tags { cause: "the file has no room for them".to_owned() });
        }
        complete.as_file().sync_all().map_err(|e| Error::writing(&path, &e))?;
        Ok(Complete { temporary: complete, path, overwrite, warnings })
    }

    fn incomplete(&self) -> Error {
        let (announced, written) = (self.spec.frames, self.written_frames);
        Error::Incomplete { path: self.path.clone(), announced, written }
    }
}

/// A complete file that only lacks its name. If it is dropped before [`persist`](Self::persist), nothing is left
/// behind.
pub struct Complete {
    temporary: NamedTempFile,
    path: PathBuf,
    overwrite: bool,
    warnings: Vec<Warning>,
}

impl Complete {
    /// Gives the file its name, and returns warnings about tags that could not be carried over.
    ///
    /// # Errors
    /// The name was taken in the meantime, or the disk fails.
    pub fn persist(self) -> Result<Vec<Warning>, Error> {
        persist(self.temporary, &self.path, self.overwrite)?;
        Ok(self.warnings)
    }
}

/// Syncs a file to the disk and gives it its name.
pub(super) fn persist(complete: NamedTempFile, path: &Path, overwrite: bool) -> Result<(), Error> {
    let unwritable = |e: io::Error| Error::writing(path, &e);
    complete.as_file().sync_all().map_err(unwritable)?;
    if overwrite {
        complete.persist(path).map_err(|e| unwritable(e.error))?;
    } else {
        persist_new(complete, path).map_err(unwritable)?;
    }
    // The name is part of the folder; not every system can sync that.
    let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Gives the file its name unless the name is taken.
fn persist_new(temporary: NamedTempFile, path: &Path) -> io::Result<()> {
    let Err(failed) = temporary.persist_noclobber(path) else { return Ok(()) };
    let is_taken = failed.error.kind() == io::ErrorKind::AlreadyExists || std::fs::symlink_metadata(path).is_ok();
    if is_taken {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    // Some disks, such as memory cards, have neither links nor exclusive renaming: rename plainly after the check
    // above.
    failed.file.persist(path).map(drop).map_err(|e| e.error)
}

#[cfg(test)]
mod tests {
    use super::super::output_spec::quantise;
    use super::super::testing::{encoded, on_grid, read_all};
    use super::*;

    fn spec(format: Format, sample_format: SampleFormat, channels: u8, frames: usize) -> OutputSpec {
        let (sample_rate_hz, frames) = (48_000, frames as u64);
        OutputSpec { sample_rate_hz, channels, format, sample_format, bitrate_kbps: None, frames }
    }

    fn wav_spec(frames: usize) -> OutputSpec {
        spec(Format::Wav, SampleFormat::Int16, 2, frames)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn every_format_gives_back_what_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let formats = [
            (Format::Wav, SampleFormat::Int16),
            (Format::Wav, SampleFormat::Int24),
            (Format::Wav, SampleFormat::Float32),
            (Format::Flac, SampleFormat::Int16),
            (Format::Flac, SampleFormat::Int24),
        ];
        for (format, sample_format) in formats {
            for channels in [1, 2] {
                // An odd number of frames, so that mono of 24 bits needs padding.
                let frames = on_grid(10_001, sample_format.integer_bits().unwrap_or(16));
                let path = folder.path().join("out");
                let spec = spec(format, sample_format, channels, frames.len());
                let mut encoder = Encoder::create(&path, spec, true).expect("a file");
                frames.chunks(997).for_each(|block| encoder.write(block).expect("space"));
                assert_eq!(encoder.finish(None).expect("space"), vec![]);
                let (info, read, warnings) = read_all(&path).expect("readable");
                assert_eq!((info.channels, info.sample_rate_hz, warnings), (channels, 48_000, vec![]));
                assert_eq!(info.bit_depth, Some(spec.bits()));
                let expected = frames.iter().map(|f| if channels == 1 { [f[0]; 2] } else { *f });
                assert!(read.into_iter().eq(expected), "{spec:?}");
            }
        }
    }

    /// Most coding error of a tone relative to its level, dB, provided that no samples are shifted.
    const LOSSY_DB: f64 = -20.0;

    #[test]
    fn a_lossy_file_is_as_long_as_what_was_written_to_the_frame_and_in_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out");
        let lengths =
            [1, 2, 119, 120, 121, 840, 841, 959, 960, 961, 1_151, 1_152, 1_153, 2_303, 5_001, 48_001, 100_000];
        for (format, bitrate_kbps) in [(Format::Mp3, 320), (Format::Mp3, 192), (Format::Opus, 160)] {
            for (channels, frames) in lengths.into_iter().flat_map(|length| [(1, length), (2, length)]) {
                let written = on_grid(frames, 24);
                let spec = OutputSpec {
                    bitrate_kbps: Some(bitrate_kbps),
                    ..spec(format, SampleFormat::Float32, channels, frames)
                };
                let mut encoder = Encoder::create(&path, spec, true).expect("a file");
                written.chunks(997).for_each(|block| encoder.write(block).expect("space"));
                let sealed = encoder.seal().expect("space").to_owned();
                let before_tags = read_all(&sealed).expect("readable");
                assert_eq!(encoder.finish(None).expect("space"), vec![]);
                let (info, read, warnings) = read_all(&path).expect("readable");
                assert_eq!((read.len(), info.channels, warnings), (frames, channels, vec![]), "{spec:?}");
                assert!(before_tags.1 == read, "{spec:?}");
                if frames > 40_000 {
                    let power = |x: f32| f64::from(x) * f64::from(x);
                    let of = |k: fn(&Frame, &Frame) -> f32| -> f64 {
                        written.iter().zip(&read).map(|(written, read)| power(k(written, read))).sum()
                    };
                    let under_db = 10.0 * libm::log10(of(|w, r| w[0] - r[0]) / of(|w, _| w[0]));
                    assert!(under_db < LOSSY_DB, "{under_db} dB {spec:?}");
                }
            }
        }
    }

    #[test]
    fn an_independent_reader_agrees() {
        let frames = on_grid(1_001, 24);
        let bytes = encoded(Format::Wav, SampleFormat::Int24, &frames);
        assert_eq!(bytes.len(), 44 + 1_001 * 6);
        let mut reader = hound::WavReader::new(&bytes[..]).expect("a WAV");
        let samples: Vec<i32> = reader.samples().map(|s| s.expect("a sample")).collect();
        let expected = frames.as_flattened().iter().map(|s| (s * 8_388_608.0) as i32);
        assert!(samples.into_iter().eq(expected));
    }

    #[test]
    fn full_scale_saturates_and_the_grid_is_exact() {
        let cases = [(1.0, 32_767), (-1.0, -32_768), (-7.0, -32_768), (0.5, 16_384), (f32::INFINITY, 32_767)];
        for (sample, expected) in cases {
            assert_eq!(quantise(sample, 16), expected);
        }
        assert_eq!((quantise(1.0, 24), quantise(8_388_607.0 / 8_388_608.0, 24)), (8_388_607, 8_388_607));
        assert_eq!(quantise(f32::NAN, 24), 0);
    }

    #[test]
    fn long_files_become_rf64() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("long.wav");
        let frames = on_grid(1_000, 16);
        let mut encoder = Encoder::create_with_limit(&path, wav_spec(1_000), false, 4_000).expect("a file");
        encoder.write(&frames).expect("space");
        encoder.finish(None).expect("space");
        let bytes = std::fs::read(&path).expect("the file");
        assert!(bytes.starts_with(b"RF64\xff\xff\xff\xffWAVEds64"));
        assert_eq!(bytes[20..28], (bytes.len() as u64 - 8).to_le_bytes());
        assert_eq!(read_all(&path).expect("readable").1, frames);
    }

    #[test]
    fn nothing_is_left_of_a_file_that_is_not_finished() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.flac");
        let frames = on_grid(1_000, 16);
        for format in [Format::Wav, Format::Flac, Format::Mp3, Format::Opus] {
            let spec = spec(format, SampleFormat::Int16, 2, 1_000);
            let mut dropped = Encoder::create(&path, spec, false).expect("a file");
            dropped.write(&frames[..500]).expect("space");
            assert!(!path.exists());
            drop(dropped);
            let mut short = Encoder::create(&path, spec, false).expect("a file");
            short.write(&frames[..999]).expect("space");
            assert!(matches!(short.finish(None), Err(Error::Incomplete { announced: 1_000, written: 999, .. })));
            let mut long = Encoder::create(&path, spec, false).expect("a file");
            long.write(&frames).expect("space");
            assert!(matches!(long.write(&frames[..1]), Err(Error::Incomplete { .. })));
        }
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn an_existing_file_is_replaced_only_when_that_is_wanted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.wav");
        let frames = on_grid(10, 16);
        let mut late = Encoder::create(&path, wav_spec(10), false).expect("a file");
        late.write(&frames).expect("space");
        std::fs::write(&path, "precious").expect("space");
        assert!(matches!(Encoder::create(&path, wav_spec(10), false), Err(Error::Exists { .. })));
        assert!(matches!(late.finish(None), Err(Error::Exists { .. })));
        assert_eq!(std::fs::read(&path).expect("the file"), b"precious");
        let mut forced = Encoder::create(&path, wav_spec(10), true).expect("a file");
        forced.write(&frames).expect("space");
        assert_eq!(std::fs::read(&path).expect("the file"), b"precious");
        forced.finish(None).expect("space");
        assert_eq!(read_all(&path).expect("readable").1, frames);
        assert_eq!(names(folder.path()), ["out.wav"]);
    }

    #[test]
    fn impossible_places_are_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("missing").join("out.wav");
        assert!(matches!(ensure_writable(&missing, true), Err(Error::NoFolder { .. })));
        assert!(matches!(ensure_writable(folder.path(), true), Err(Error::NotAFile { .. })));
        let long = folder.path().join("x".repeat(300) + ".wav");
        assert!(matches!(ensure_writable(&long, true), Err(Error::Unwritable { .. })));
        let float = spec(Format::Flac, SampleFormat::Float32, 2, 1);
        assert!(matches!(Encoder::create(&folder.path().join("a"), float, true), Err(Error::FloatFlac { .. })));
        ensure_writable(&folder.path().join("new.wav"), false).expect("writable");
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[cfg(unix)]
    #[test]
    fn an_output_that_is_its_input_is_refused_by_any_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let [input, hard, soft, other] = ["a.wav", "hard.wav", "soft.wav", "other.wav"].map(|n| folder.path().join(n));
        std::fs::write(&input, "sound").expect("space");
        std::fs::hard_link(&input, &hard).expect("a link");
        std::os::unix::fs::symlink(&input, &soft).expect("a link");
        for output in [&input, &hard, &soft] {
            assert!(matches!(ensure_distinct(&input, output), Err(Error::SameFile { .. })));
        }
        ensure_distinct(&input, &other).expect("another file");
        std::fs::write(&other, "sound").expect("space");
        ensure_distinct(&input, &other).expect("another file");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_never_replaced_and_a_dangling_link_exists() {
        assert!(matches!(ensure_writable(Path::new("/dev/null"), true), Err(Error::NotAFile { .. })));
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("link.wav");
        std::os::unix::fs::symlink("nowhere", &link).expect("a link");
        assert!(matches!(ensure_writable(&link, false), Err(Error::Exists { .. })));
    }
}
