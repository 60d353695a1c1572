//! The HTML page of a master, as requested.

use std::path::PathBuf;

use crate::error::Error;

/// An HTML page to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Path of the page.
    pub path: PathBuf,
    /// Audio that the page plays.
    pub audio: PageAudio,
    /// True if an existing file may be replaced.
    pub force: bool,
}

impl Page {
    /// Creates a page at a path, which must end with .html or .htm.
    ///
    /// # Errors
    /// The path has another extension.
    pub fn at(path: PathBuf, audio: PageAudio, force: bool) -> Result<Self, Error> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if !matches!(extension.as_str(), "html" | "htm") {
            return Err(Error::Usage(format!("{}: a report is written as .html; choose such a name", path.display())));
        }
        Ok(Self { path, audio, force })
    }
}

/// Audio that a page plays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum PageAudio {
    /// Nothing: under 300 kB
    None,
    /// A typical part of the song and its loudest: under 6 MB
    #[default]
    Excerpt,
    /// The whole song: some 40 MB for four minutes
    Full,
}
