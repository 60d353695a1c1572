//! A page that is asked for.

use std::path::PathBuf;

/// A page that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its file.
    pub path: PathBuf,
    /// What it plays.
    pub audio: PageAudio,
    /// An existing file may be replaced.
    pub force: bool,
}

/// What a page plays.
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
