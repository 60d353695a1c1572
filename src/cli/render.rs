//! Arguments of `render`.

use std::path::PathBuf;

use clap::Args;
use renderer::recipe::Recipe;

use super::shared::{OutputArgs, ShowArgs};
use crate::error::Error;
use crate::io::decode::begins_like_sound;
use crate::request::job::RenderJob;
use crate::request::settings::{RecipeSetting, Strictness};

#[derive(Args, Debug)]
pub struct RenderArgs {
    /// The mix
    pub input: PathBuf,
    /// The recipe to render, as `--save-recipe` of `goldmaster master` writes it
    #[arg(long, value_name = "FILE")]
    pub recipe: PathBuf,
    /// Keeps the gain of the recipe even for another mix, instead of finding it anew
    #[arg(long)]
    pub as_is: bool,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Changes one value of the recipe, as in multiband.low.ratio=1.5
    #[arg(long = "set", value_name = "PATH=VALUE", help_heading = "Output")]
    pub settings: Vec<RecipeSetting>,
    /// Fails, and writes nothing, when the loudness falls short
    #[arg(long, help_heading = "Output")]
    pub strict: bool,
    #[command(flatten)]
    pub show: ShowArgs,
}

impl RenderArgs {
    /// Returns the jobs of these arguments: one for each file of the master.
    pub fn jobs(&self) -> Result<Vec<RenderJob>, Error> {
        let (song, file) = (self.input.display(), self.recipe.display());
        if begins_like_sound(&self.recipe) && !begins_like_sound(&self.input) && self.input.exists() {
            return Err(Error::Usage(format!(
                "song and recipe have changed places: goldmaster render {file} --recipe {song}"
            )));
        } else if begins_like_sound(&self.recipe) {
            return Err(Error::Usage(format!(
                "{file} is a sound file, not a recipe; goldmaster {song} --save-recipe FILE writes one"
            )));
        }
        let text = crate::io::text::read(&self.recipe)?;
        let recipe =
            Recipe::from_json(&text).map_err(|source| Error::RecipeFile { path: self.recipe.clone(), source })?;
        let job = |output| RenderJob {
            input: self.input.clone(),
            output,
            recipe: recipe.clone(),
            settings: self.settings.clone(),
            as_is: self.as_is,
            strictness: if self.strict { Strictness::Shortfalls } else { Strictness::Promises },
        };
        Ok(self.output.outputs(&self.input, &[])?.into_iter().flatten().map(job).collect())
    }
}
