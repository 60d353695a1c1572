//! Errors and warnings about files, each in one line for users: the file, the cause, and the remedy.

use std::io;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The reason why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no file of this name.
    #[error("{}: there is no such file", name(path))]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// A folder, a pipe or a device, where a file on disk is needed.
    #[error("{}: this is {what}, not a file on disk; name a file", name(path))]
    NotAFile {
        /// The file.
        path: PathBuf,
        /// Kind of the object, with its article.
        what: &'static str,
    },
    /// The file ends before the requested section.
    #[error("{}: it ends before {section}: choose a section that lies in it", name(path))]
    NoSuchSection {
        /// The file.
        path: PathBuf,
        /// The section that was requested.
        section: String,
    },
    /// The system refuses to read the file.
    #[error("{}: cannot be read ({cause})", name(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Message of the system.
        cause: String,
    },
    /// The file contains no audio in a known form.
    #[error("{}: {cause}; WAV, AIFF, FLAC, MP3, M4A, Ogg and CAF can be read", name(path))]
    NotAudio {
        /// The file.
        path: PathBuf,
        /// Description of its actual content.
        cause: String,
    },
    /// A known format or codec that cannot be decoded here.
    #[error("{}: {codec} cannot be decoded here; convert it to WAV or FLAC first", name(path))]
    UnsupportedCodec {
        /// The file.
        path: PathBuf,
        /// Name of the format or codec.
        codec: String,
    },
    /// The file is neither mono nor stereo.
    #[error("{}: it has {count} channels; only mono and stereo can be mastered, so mix it down first", name(path))]
    Channels {
        /// The file.
        path: PathBuf,
        /// Number of channels.
        count: u32,
    },
    /// The sample rate is outside the supported range.
    #[error(
        "{}: its sample rate is {hz} Hz; between {} and {} Hz can be mastered",
        name(path),
        super::source_info::MIN_SAMPLE_RATE_HZ,
        super::source_info::MAX_SAMPLE_RATE_HZ
    )]
    SampleRate {
        /// The file.
        path: PathBuf,
        /// Its sample rate.
        hz: u32,
    },
    /// The sample rate or the number of channels changes within the file.
    #[error("{}: its {what} changes from {from} to {to} on the way; split it where that happens", name(path))]
    Changes {
        /// The file.
        path: PathBuf,
        /// Name of the property that changes.
        what: &'static str,
        /// Value before the change.
        from: u32,
        /// Value after the change.
        to: u32,
    },
    /// The file has a header but no sound.
    #[error("{}: it contains no sound", name(path))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is too damaged to be mastered.
    #[error("{}: the file is damaged ({cause}); export or download it again", name(path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Description of the damage.
        cause: String,
    },
    /// The file was written to or replaced while it was read.
    #[error("{}: it changed while it was read, as a file does that is still being copied; try again later", name(path))]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Input and output are the same file.
    #[error("{}: the output would replace its own input; choose another name", name(path))]
    SameFile {
        /// The output.
        path: PathBuf,
    },
    /// The output exists already.
    #[error("{}: exists already; replace it with --force, or choose another name", name(path))]
    Exists {
        /// The output.
        path: PathBuf,
    },
    /// The folder of the output does not exist.
    #[error("{}: its folder does not exist; create it first", name(path))]
    NoFolder {
        /// The output.
        path: PathBuf,
    },
    /// The system refuses to write the file.
    #[error("{}: cannot be written ({cause})", name(path))]
    Unwritable {
        /// The output.
        path: PathBuf,
        /// Message of the system.
        cause: String,
    },
    /// The disk is full.
    #[error("{}: no space is left for it on this disk, so it was not written", name(path))]
    Full {
        /// The output.
        path: PathBuf,
    },
    /// The file would be larger than the system allows.
    #[error("{}: it would be larger than a file may be here, so it was not written", name(path))]
    TooLarge {
        /// The output.
        path: PathBuf,
    },
    /// Floating point cannot be written to FLAC.
    #[error("{}: FLAC cannot hold floating point; choose 16 or 24 bits, or WAV", name(path))]
    FloatFlac {
        /// The output.
        path: PathBuf,
    },
    /// The number of frames written is not the number announced.
    #[error("{}: {written} of {announced} frames arrived, so it was not written", name(path))]
    Incomplete {
        /// The output.
        path: PathBuf,
        /// Number of frames announced when the file was created.
        announced: u64,
        /// Number of frames written.
        written: u64,
    },
    /// The user interrupted the run.
    #[error("interrupted; nothing was written")]
    Interrupted,
    /// Temporary data could not be written or read.
    #[error("temporary data in {}: {cause}; free some space there or point TMPDIR to another disk", name(folder))]
    Spool {
        /// Folder for temporary data.
        folder: PathBuf,
        /// Message of the system.
        cause: String,
    },
}

impl Error {
    /// True if data cannot be stored where it should be, which is not the fault of the input.
    pub fn is_of_disk(&self) -> bool {
        matches!(self, Self::NoFolder { .. } | Self::Unwritable { .. } | Self::Full { .. } | Self::Spool { .. })
    }

    /// Returns the error of opening or reading `path`.
    pub(crate) fn reading(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound { path },
            _ => Self::Unreadable { path, cause: plain(error) },
        }
    }

    /// Returns the error of creating or writing `path`.
    pub(super) fn writing(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => Self::NoFolder { path },
            io::ErrorKind::AlreadyExists => Self::Exists { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            io::ErrorKind::FileTooLarge => Self::TooLarge { path },
            io::ErrorKind::IsADirectory => Self::NotAFile { path, what: "a folder" },
            _ => Self::Unwritable { path, cause: plain(error) },
        }
    }

    /// Returns the error of storing temporary data.
    pub(crate) fn spooling(error: &io::Error) -> Self {
        Self::Spool { folder: std::env::temp_dir(), cause: plain(error) }
    }
}

/// Converts a system error to plain words without error numbers.
pub(crate) fn plain(error: &io::Error) -> String {
    let words = match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::ReadOnlyFilesystem => "this disk is read-only",
        io::ErrorKind::StorageFull => "the disk is full",
        io::ErrorKind::QuotaExceeded => "the disk quota is used up",
        io::ErrorKind::FileTooLarge => "the file would be too large",
        io::ErrorKind::InvalidFilename => "the name is too long or not allowed",
        io::ErrorKind::NotADirectory => "a part of its path is not a folder",
        io::ErrorKind::UnexpectedEof => "the file ends too early",
        _ => {
            let text = error.to_string();
            let end = text.find(" (os error").unwrap_or(text.len());
            return text[..end].to_lowercase();
        }
    };
    words.to_owned()
}

/// Formats a path on one line, whatever bytes it contains.
pub fn name(path: &Path) -> String {
    path.to_string_lossy().chars().map(|c| if is_command(c) { '\u{fffd}' } else { c }).collect()
}

/// True for characters that could change how other text is shown: control characters, line separators, and direction
/// marks that letters do not need.
pub(crate) fn is_command(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A problem with a source that did not prevent reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", content = "values", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Warning {
    /// The file ends before its sound does.
    Truncated {
        /// Number of missing frames, if the header states the length.
        missing_frames: Option<u64>,
    },
    /// Parts could not be decoded and are silent instead.
    Silenced {
        /// Number of frames.
        frames: u64,
    },
    /// Decoding stopped before the end of the file.
    Stopped {
        /// Message of the decoder.
        cause: String,
    },
    /// Less sound came out than the header says.
    Short {
        /// Number of missing frames.
        missing_frames: u64,
    },
    /// More sound came out than the header says; all of it is used.
    Long {
        /// Number of additional frames.
        extra_frames: u64,
    },
    /// The decoded sound is not what was encoded.
    Checksum,
    /// Samples that are not numbers, or are absurdly large, were replaced by silence.
    Replaced {
        /// Number of such samples.
        samples: u64,
    },
    /// The length in the header is missing; the file was read to its end.
    NoLength,
    /// The size of a frame in the header fits neither channels nor bits.
    FrameSize,
    /// Samples of 24 bits in 32 lie in the lower bits, and not in the upper ones, so that they are read 48 dB too low.
    RightJustified,
    /// There is more than one piece of sound in the file; the first is used.
    OtherTracks {
        /// Number of tracks that are not used.
        count: usize,
    },
    /// The edit list joins several parts; the whole track is used.
    EditList,
    /// The requested section extends beyond the end of the file.
    EndsInSection {
        /// Where the file ends, milliseconds.
        at_ms: u64,
    },
    /// Tags or cover could not be carried over.
    Tags {
        /// The reason.
        cause: String,
    },
    /// Parts of the tags that are not carried over.
    TagsLeftOut {
        /// Names of these parts.
        what: String,
    },
}

/// If a header promises more than this many times the frames that are there, its length is meaningless.
const MAX_PROMISE: u64 = 1000;

impl Warning {
    /// True if sound is missing or altered.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Truncated { .. }
            | Self::Silenced { .. }
            | Self::Stopped { .. }
            | Self::Short { .. }
            | Self::Checksum
            | Self::Replaced { .. } => true,
            Self::Long { .. }
            | Self::FrameSize
            | Self::RightJustified
            | Self::NoLength
            | Self::OtherTracks { .. }
            | Self::EditList
            | Self::EndsInSection { .. }
            | Self::Tags { .. }
            | Self::TagsLeftOut { .. } => false,
        }
    }

    /// True if the length of the sound is not what was stated: the file may be cut off, or still be incomplete.
    pub fn is_of_length(&self) -> bool {
        match self {
            Self::Truncated { .. }
            | Self::Stopped { .. }
            | Self::Short { .. }
            | Self::Silenced { .. }
            | Self::Long { .. }
            | Self::NoLength => true,
            Self::Checksum
            | Self::Replaced { .. }
            | Self::FrameSize
            | Self::RightJustified
            | Self::OtherTracks { .. }
            | Self::EditList
            | Self::EndsInSection { .. }
            | Self::Tags { .. }
            | Self::TagsLeftOut { .. } => false,
        }
    }

    /// Returns the warning about fewer frames than promised, because the file is cut off or damaged.
    pub(super) fn missing(promised: u64, got: u64, is_cut_off: bool) -> Self {
        let missing_frames = promised.saturating_sub(got);
        match is_cut_off {
            _ if promised / MAX_PROMISE > got => Self::NoLength,
            true => Self::Truncated { missing_frames: Some(missing_frames) },
            false => Self::Short { missing_frames },
        }
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated { missing_frames: Some(frames) } => {
                write!(f, "the file is cut off: {frames} frames are missing at the end")
            }
            Self::Truncated { missing_frames: None } => write!(f, "the file is cut off"),
            Self::Silenced { frames } => write!(f, "damaged parts were replaced by silence: {frames} frames"),
            Self::Stopped { cause } => write!(f, "the file is damaged and was read up to there only ({cause})"),
            Self::Short { missing_frames } => {
                write!(f, "the file is damaged: {missing_frames} frames less than its header says")
            }
            Self::Long { extra_frames } => {
                write!(f, "the file is longer than its header says by {extra_frames} frames; all are used")
            }
            Self::Checksum => write!(f, "the file is damaged: its checksum does not match its sound"),
            Self::Replaced { samples } => {
                write!(f, "{samples} samples are not numbers or absurdly large and were replaced by silence")
            }
            Self::NoLength => write!(f, "the header does not say how long the sound is; all of the file was read"),
            Self::FrameSize => {
                write!(f, "the size of a frame in the header is wrong; its channels and bits were trusted instead")
            }
            Self::RightJustified => {
                write!(
                    f,
                    "its 24 bits look right-justified in 32, which is 48 dB too quiet; export it again as 24 bits"
                )
            }
            Self::OtherTracks { count } => write!(f, "the file holds more sound: {count} further tracks are not used"),
            Self::EditList => write!(f, "the edit list of the file has several parts and was not followed"),
            Self::EndsInSection { at_ms } => {
                write!(f, "it ends at {}:{:02}, and the section ends there as well", at_ms / 60_000, at_ms / 1000 % 60)
            }
            Self::Tags { cause } => write!(f, "tags were not carried over completely: {cause}"),
            Self::TagsLeftOut { what } => write!(f, "not carried over into the master: {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_line_in_plain_words() {
        let path = Path::new("a\nb.wav");
        let denied = Error::reading(path, &io::Error::from_raw_os_error(13));
        assert_eq!(denied.to_string(), "a\u{fffd}b.wav: cannot be read (permission denied)");
        let missing = Error::reading(path, &io::ErrorKind::NotFound.into());
        assert!(matches!(missing, Error::NotFound { .. }));
        let full = Error::writing(path, &io::ErrorKind::StorageFull.into());
        assert!(full.to_string().contains("no space"));
    }

    #[test]
    fn a_promise_beyond_all_measure_is_no_length() {
        assert_eq!(Warning::missing(200, 100, true), Warning::Truncated { missing_frames: Some(100) });
        assert_eq!(Warning::missing(200, 100, false), Warning::Short { missing_frames: 100 });
        assert_eq!(Warning::missing(1 << 60, 100, false), Warning::NoLength);
    }
}
