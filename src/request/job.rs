//! What is to be done: one song to master, or to render.

use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use renderer::recipe::Recipe;

use crate::error::Error;
use crate::io::output_spec::Format;
use crate::request::page::Page;
use crate::request::settings::{MasterSettings, RecipeSetting, Strictness};

/// Where the master goes.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its file.
    pub path: PathBuf,
    /// Its container.
    pub format: Format,
    /// An existing file may be replaced.
    pub force: bool,
    /// Where the difference of master and mix goes, if it is wanted.
    pub delta: Option<PathBuf>,
    /// The page that shows the master, if it is wanted.
    pub page: Option<Page>,
}

impl Output {
    /// A master in the format that its name says, with nothing beside it.
    ///
    /// # Errors
    /// The name says no format.
    pub fn at(path: PathBuf) -> Result<Self, Error> {
        let Some(format) = Format::of_path(&path) else {
            let file = path.with_extension(Format::Wav.extension());
            return Err(Error::Usage(format!(
                "{}: a master is written as {}; choose one by its name, as in {}",
                path.display(),
                extensions(),
                file.display()
            )));
        };
        Ok(Self { path, format, force: false, delta: None, page: None })
    }

    /// The files that are written: the master, and what goes beside it.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let page = self.page.as_ref().map(|page| page.path.as_path());
        [Some(self.path.as_path()), self.delta.as_deref(), page].into_iter().flatten()
    }
}

/// ".wav, .flac, .mp3 or .opus".
fn extensions() -> String {
    let all: Vec<String> = Format::value_variants().iter().map(|format| format!(".{}", format.extension())).collect();
    let (last, others) = all.split_last().expect("there are formats");
    format!("{} or {last}", others.join(", "))
}

/// One song to master from scratch.
#[derive(Clone, Debug)]
pub struct MasterJob {
    /// The mix.
    pub input: PathBuf,
    /// The master.
    pub output: Output,
    /// How it is mastered.
    pub settings: MasterSettings,
    /// Where the recipe goes, if it is wanted.
    pub recipe: Option<PathBuf>,
}

/// One song to render from a recipe.
#[derive(Clone, Debug)]
pub struct RenderJob {
    /// The mix.
    pub input: PathBuf,
    /// The master.
    pub output: Output,
    /// What to do.
    pub recipe: Recipe,
    /// Single values of the recipe that are set by hand.
    pub settings: Vec<RecipeSetting>,
    /// The solution is used even for another input.
    pub as_is: bool,
    /// What makes the run fail.
    pub strictness: Strictness,
}

/// What of an album is brought to the loudness that was asked for.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    clap::ValueEnum,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AlbumLoudness {
    /// All songs together, played through (BS.1770 over the album)
    #[default]
    Whole,
    /// The loudest song, as AES TD1008 wants albums for streaming
    Loudest,
}

/// What becomes of the differences in loudness between the songs of an album.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    clap::ValueEnum,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AlbumBalance {
    /// They stay as they are in the mixes
    #[default]
    Keep,
    /// Every song is brought to the same loudness
    Even,
}
