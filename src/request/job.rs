//! Jobs: one song to master, or to render from a recipe.

use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use renderer::recipe::Recipe;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::io::output_spec::Format;
use crate::request::page::Page;
use crate::request::settings::{MasterSettings, RecipeSetting, Strictness};

/// Output files of a master.
#[derive(Clone, Debug)]
pub struct Output {
    /// Path of the master.
    pub path: PathBuf,
    /// Format of the master.
    pub format: Format,
    /// True if existing files may be replaced.
    pub force: bool,
    /// Path of the difference between master and mix, if it is requested.
    pub delta: Option<PathBuf>,
    /// The page that shows the master, if it is requested.
    pub page: Option<Page>,
}

impl Output {
    /// Creates an output in the format given by the extension of its name, with no files beside it.
    ///
    /// # Errors
    /// The extension is not that of a supported format.
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

    /// Returns the files that are written: the master, and those beside it.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let page = self.page.as_ref().map(|page| page.path.as_path());
        [Some(self.path.as_path()), self.delta.as_deref(), page].into_iter().flatten()
    }
}

/// Returns the supported extensions: ".wav, .flac, .mp3 or .opus".
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
    /// Settings of the master.
    pub settings: MasterSettings,
    /// Path of the recipe, if it is requested.
    pub recipe: Option<PathBuf>,
}

/// One song to render from a recipe.
#[derive(Clone, Debug)]
pub struct RenderJob {
    /// The mix.
    pub input: PathBuf,
    /// The master.
    pub output: Output,
    /// The recipe to render.
    pub recipe: Recipe,
    /// Values of the recipe that are set by hand.
    pub settings: Vec<RecipeSetting>,
    /// True if the recipe's solution is used even for another input.
    pub as_is: bool,
    /// Rule for the outcomes that make the run fail.
    pub strictness: Strictness,
}

/// The part of an album that is brought to the requested loudness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlbumLoudness {
    /// All songs together, played through (BS.1770 over the album)
    #[default]
    Whole,
    /// The loudest song, as AES TD1008 wants albums for streaming
    Loudest,
}

/// Treatment of the loudness differences between the songs of an album.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlbumBalance {
    /// They stay as they are in the mixes
    #[default]
    Keep,
    /// Every song is brought to the same loudness
    Even,
}

/// Settings of an album beyond those of its songs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlbumSettings {
    /// The part of the album that is brought to the requested loudness.
    pub loudness: AlbumLoudness,
    /// Treatment of the loudness differences between its songs.
    pub balance: AlbumBalance,
    /// True if the album is its own reference: songs that stand out move towards the others.
    pub is_own_reference: bool,
}
