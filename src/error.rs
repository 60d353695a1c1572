//! Errors that end a run.

use std::path::{Path, PathBuf};

use renderer::recipe::RecipeError;
use serde::{Deserialize, Serialize};

use crate::io::{self, name};

/// An error that ends a run. Its message is one line for a person: what failed, why, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No decision could be made for a song.
    #[error("{}: {source}", name(path))]
    Decide {
        /// Path of the song.
        path: PathBuf,
        /// The cause.
        source: models::error::Error,
    },
    /// The network cannot be run.
    #[error(transparent)]
    Network(models::error::Error),
    /// A song or reference is silent; the message says which.
    #[error(transparent)]
    Silent(models::error::Error),
    /// A value that no recipe accepts.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A file is not a profile of songs.
    #[error("{}: {source}; goldmaster profile FILES -o FILE writes one", name(path))]
    ProfileFile {
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: models::error::Error,
    },
    /// Some of several files could not be read; the error of each was printed.
    #[error("{failed} of {all} files failed")]
    SomeUnread {
        /// Number of files that could not be read.
        failed: usize,
        /// Number of all files.
        all: usize,
    },
    /// Some of several files are not ready for a destination; the failed checks were printed.
    #[error("{not_ready} of {files} files {} not ready", if *not_ready == 1 { "is" } else { "are" })]
    NotReady {
        /// Number of files that are not ready.
        not_ready: usize,
        /// Number of all files.
        files: usize,
    },
    /// A file is not a valid recipe.
    #[error("{}: {source}{}", name(path), hint(source))]
    RecipeFile {
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: RecipeError,
    },
    /// The standard output cannot be written, or its reader has closed it.
    #[error("the standard output cannot be written ({})", crate::io::plain(.0))]
    Output(std::io::Error),
    /// Arguments that do not fit together.
    #[error("{0}")]
    Usage(String),
    /// A reference of a batch cannot be used; the message says which, and why.
    #[error("{0}")]
    Reference(Cause),
    /// A folder of songs cannot be read; the message says which, and why.
    #[error("{0}")]
    Folder(String),
    /// A list of songs cannot be read.
    #[error("the list of files cannot be read ({})", crate::io::plain(.0))]
    List(std::io::Error),
    /// Part of a page cannot be made; the message says which, and why.
    #[error("{0}")]
    Page(String),
    /// An album, or a song of it, cannot be mastered; the message says why.
    #[error("{0}")]
    Album(Cause),
    /// A master was changed since a batch wrote it.
    #[error("{}: was changed since goldmaster wrote it; replace it with --force, or keep it under another name", .0.display())]
    Edited(PathBuf),
    /// A batch is finished, but not every song has a master.
    #[error("{failed} of {songs} songs failed: {}", name(report))]
    SomeFailed {
        /// Number of songs without a master.
        failed: usize,
        /// Number of all songs.
        songs: usize,
        /// Path of the report, which gives the reasons.
        report: PathBuf,
    },
    /// A batch was interrupted.
    #[error("interrupted; {left} of {songs} songs are left: the same command goes on with them")]
    SomeLeft {
        /// Number of songs that were not reached.
        left: usize,
        /// Number of all songs.
        songs: usize,
    },
    /// The master was written, but not its page.
    #[error("{}: the master is written, but its page is not: {cause}", name(path))]
    NoPage {
        /// Path of the master.
        path: PathBuf,
        /// The cause.
        cause: String,
    },
    /// The master would have broken a promise, so it was not written.
    #[error("{}: nothing was written: {broken}", name(path))]
    Promise {
        /// Path of the output.
        path: PathBuf,
        /// The broken promise.
        broken: String,
    },
    /// An album would have been quieter than asked, so nothing of it was written.
    #[error(
        "{}: nothing was written: the album is not as loud as {wanted_lufs:.2} LUFS: {} comes no higher",
        name(output),
        name(song)
    )]
    HeldBack {
        /// Folder of the masters.
        output: PathBuf,
        /// The requested loudness, LUFS.
        wanted_lufs: f64,
        /// The song that keeps the album quieter.
        song: PathBuf,
    },
}

impl Error {
    /// Returns the exit code: 1 failed, 2 wrong use, 3 promise not kept, 4 some of several failed, 5 a checked file is
    /// not ready, 130 interrupted.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Recipe(_) => 2,
            Self::Promise { .. } | Self::HeldBack { .. } => 3,
            Self::Album(cause) if cause.code == "promise" => 3,
            Self::SomeUnread { .. } | Self::SomeFailed { .. } => 4,
            Self::NotReady { .. } => 5,
            Self::Io(io::Error::Interrupted) | Self::SomeLeft { .. } => 130,
            Self::Io(_)
            | Self::Decide { .. }
            | Self::Network(_)
            | Self::Silent(_)
            | Self::List(_)
            | Self::Page(_)
            | Self::RecipeFile { .. }
            | Self::ProfileFile { .. }
            | Self::Reference(_)
            | Self::Folder(_)
            | Self::Edited(_)
            | Self::Output(_)
            | Self::NoPage { .. }
            | Self::Album(_) => 1,
        }
    }

    /// Returns a name for the kind of failure, which stays the same in all releases.
    pub fn code(&self) -> &str {
        match self {
            Self::Album(cause) => &cause.code,
            Self::Io(error) => error.code(),
            Self::Decide { source: models::error::Error::SilentSource, .. } | Self::Silent(_) => "silent",
            Self::Decide { .. } | Self::Network(_) => "network",
            Self::Recipe(_) => "recipe",
            Self::RecipeFile { .. } => "recipe_file",
            Self::ProfileFile { .. } => "profile_file",
            Self::SomeUnread { .. } => "some_unread",
            Self::NotReady { .. } => "not_ready",
            Self::Output(_) => "output",
            Self::Usage(_) => "usage",
            Self::Reference(_) => "reference",
            Self::Folder(_) => "folder",
            Self::List(_) => "list",
            Self::Page(_) => "page",
            Self::Edited(_) => "edited",
            Self::SomeFailed { .. } => "some_failed",
            Self::SomeLeft { .. } => "some_left",
            Self::NoPage { .. } => "no_page",
            Self::Promise { .. } | Self::HeldBack { .. } => "promise",
        }
    }

    /// Returns the file that the error is about, if there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Io(error) => error.path(),
            Self::Decide { path, .. }
            | Self::RecipeFile { path, .. }
            | Self::ProfileFile { path, .. }
            | Self::NoPage { path, .. }
            | Self::Promise { path, .. }
            | Self::HeldBack { output: path, .. }
            | Self::Edited(path)
            | Self::SomeFailed { report: path, .. } => Some(path),
            Self::Silent(_)
            | Self::Network(_)
            | Self::Recipe(_)
            | Self::SomeUnread { .. }
            | Self::NotReady { .. }
            | Self::Output(_)
            | Self::Usage(_)
            | Self::Reference(_)
            | Self::Folder(_)
            | Self::List(_)
            | Self::Page(_)
            | Self::Album(_)
            | Self::SomeLeft { .. } => None,
        }
    }

    /// Returns the advice in the message, if there is any: the part after the last semicolon.
    pub fn advice(&self) -> Option<String> {
        if matches!(self, Self::Io(io::Error::Interrupted)) {
            return None;
        }
        self.to_string().rsplit_once("; ").map(|(_, advice)| advice.to_owned())
    }

    /// Converts an error from making a target: a silent song is not a failure of the network.
    pub fn of_target(source: models::error::Error) -> Self {
        use models::error::Error as E;
        match source {
            E::SilentSource | E::SilentReference { .. } => Self::Silent(source),
            source => Self::Network(source),
        }
    }

    /// Returns true if the reader of the standard output, such as `head`, has closed it. That is not a failure, and
    /// nothing is printed.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

/// An error as plain data: what a batch reports of a song without a master, and compares with the next run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Kind of the failure: that of [`Error::code`], or of a batch alone `plan` (a row, a name or a folder), `album`, or
    /// `fault` (of this program).
    pub code: String,
    /// Message of one line: the failure and its remedy.
    pub sentence: String,
}

impl Cause {
    /// A cause of the kind `code`.
    pub fn new(code: &str, sentence: impl Into<String>) -> Self {
        Self { code: code.to_owned(), sentence: sentence.into() }
    }
}

impl<E: Into<Error>> From<E> for Cause {
    fn from(error: E) -> Self {
        let error = error.into();
        Self::new(error.code(), error.to_string())
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.sentence)
    }
}

fn hint(source: &RecipeError) -> &'static str {
    match source {
        RecipeError::Json(_) => "; goldmaster SONG --save-recipe FILE writes one",
        _ => "",
    }
}
