//! The HTML page of a master, as requested.

use std::path::PathBuf;

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
