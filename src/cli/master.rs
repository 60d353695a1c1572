//! Arguments of `master`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::shared::{OutputArgs, ShowArgs, check_settings, several_songs};
use crate::error::Error;
use crate::io::decode::begins_like_sound;
use crate::io::output_spec::Format;
use crate::request::is_audio_file_name;
use crate::request::job::{MasterJob, Output};
use crate::request::settings::MasterSettings;

#[derive(Args, Debug)]
pub struct MasterArgs {
    /// The mix: WAV, AIFF, FLAC, MP3, AAC, ALAC, Vorbis, Opus...
    pub input: PathBuf,
    /// Further songs, which are refused: `batch` masters several
    #[arg(hide = true)]
    pub others: Vec<PathBuf>,
    #[command(flatten)]
    pub settings: MasterSettings,
    /// Writes everything that was decided as JSON, to read, change and render again: `goldmaster render SONG --recipe FILE`
    #[arg(long, value_name = "FILE", conflicts_with = "recipe")]
    pub save_recipe: Option<PathBuf>,
    /// As `--save-recipe`, but never over a file that exists: whoever names one wants to render it
    #[arg(long, value_name = "FILE", hide = true)]
    pub recipe: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub show: ShowArgs,
}

impl MasterArgs {
    /// Returns the jobs of these arguments: the files of one master, or of one master per destination.
    pub fn jobs(&self) -> Result<Vec<Vec<MasterJob>>, Error> {
        let Self { input, others, settings, output, .. } = self;
        check_settings(settings, &[])?;
        if !others.is_empty() {
            return Err(several_songs(input, others, !settings.references.is_empty()));
        }
        let masters = output.outputs(input, &settings.delivery.destinations)?;
        let recipe = self.recipe_to_write()?;
        if recipe.is_some() && masters.len() > 1 {
            let words = "a recipe belongs to one master: give a single --for with --save-recipe";
            return Err(Error::Usage(words.to_owned()));
        }
        let jobs = |(files, settings)| jobs_of(input, files, &settings, recipe.as_ref());
        Ok(masters.into_iter().zip(settings.each_destination()).map(jobs).collect())
    }

    /// Returns the path of the recipe, if one is to be written.
    fn recipe_to_write(&self) -> Result<Option<PathBuf>, Error> {
        let recipe = self.save_recipe.as_ref().or(self.recipe.as_ref());
        if let Some(path) = recipe.filter(|path| is_audio_file_name(path) || begins_like_sound(path)) {
            let file = path.with_extension("json");
            return Err(Error::Usage(format!(
                "{} is the name of a sound, and a recipe is JSON: --save-recipe {}",
                path.display(),
                file.display()
            )));
        }
        if let Some(path) = self.recipe.as_ref().filter(|path| path.exists()) {
            let (song, path) = (self.input.display(), path.display());
            return Err(Error::Usage(format!(
                "{path} exists: to render this recipe, goldmaster render {song} --recipe {path}; to write what is \
                 decided now, --save-recipe {path}"
            )));
        }
        Ok(recipe.cloned())
    }
}

/// Creates one job per file of a master; the recipe goes with the first.
fn jobs_of(input: &Path, files: Vec<Output>, settings: &MasterSettings, recipe: Option<&PathBuf>) -> Vec<MasterJob> {
    let formats: Vec<Format> = files.iter().map(|file| file.format).collect();
    let job = |(n, output): (usize, Output)| MasterJob {
        input: input.to_owned(),
        settings: MasterSettings {
            delivery: settings.delivery.for_one_of(output.format, &formats),
            ..settings.clone()
        },
        output,
        recipe: recipe.filter(|_| n == 0).cloned(),
    };
    files.into_iter().enumerate().map(job).collect()
}
