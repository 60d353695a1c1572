//! Parts of an error for other programs: its code and its file.

use std::path::Path;

use super::error::Error;

impl Error {
    /// Returns a name for the kind of error that stays the same in all releases.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::NotAFile { .. } => "not_a_file",
            Self::NoSuchSection { .. } => "no_such_section",
            Self::Unreadable { .. } => "unreadable",
            Self::NotAudio { .. } => "not_audio",
            Self::UnsupportedCodec { .. } => "unsupported_codec",
            Self::Channels { .. } => "channels",
            Self::SampleRate { .. } => "sample_rate",
            Self::Changes { .. } => "changes",
            Self::Empty { .. } => "empty",
            Self::Damaged { .. } => "damaged",
            Self::Changed { .. } => "changed",
            Self::SameFile { .. } => "same_file",
            Self::Exists { .. } => "exists",
            Self::NoFolder { .. } => "no_folder",
            Self::Unwritable { .. } => "unwritable",
            Self::Full { .. } => "full",
            Self::TooLarge { .. } => "too_large",
            Self::FloatFlac { .. } => "float_flac",
            Self::Incomplete { .. } => "incomplete",
            Self::Interrupted => "interrupted",
            Self::Spool { .. } => "spool",
        }
    }

    /// Returns the file that the error is about.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::NotFound { path, .. }
            | Self::NotAFile { path, .. }
            | Self::NoSuchSection { path, .. }
            | Self::Unreadable { path, .. }
            | Self::NotAudio { path, .. }
            | Self::UnsupportedCodec { path, .. }
            | Self::Channels { path, .. }
            | Self::SampleRate { path, .. }
            | Self::Changes { path, .. }
            | Self::Empty { path, .. }
            | Self::Damaged { path, .. }
            | Self::Changed { path, .. }
            | Self::SameFile { path, .. }
            | Self::Exists { path, .. }
            | Self::NoFolder { path, .. }
            | Self::Unwritable { path, .. }
            | Self::Full { path, .. }
            | Self::TooLarge { path, .. }
            | Self::FloatFlac { path, .. }
            | Self::Incomplete { path, .. } => Some(path),
            Self::Spool { folder, .. } => Some(folder),
            Self::Interrupted => None,
        }
    }
}
