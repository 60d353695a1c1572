//! Arguments of `master`.

use std::path::PathBuf;

use clap::Args;
use goldmaster::error::Error;
use goldmaster::request::job::MasterJob;
use goldmaster::request::reference::MatchKind;
use goldmaster::request::settings::MasterSettings;

use super::shared::{OutputArgs, ShowArgs};

#[derive(Args, Debug)]
pub struct MasterArgs {
    /// The mix: WAV, AIFF, FLAC, MP3, AAC, ALAC, Vorbis...
    pub input: PathBuf,
    /// Is refused: `batch` masters several
    #[arg(hide = true)]
    pub others: Vec<PathBuf>,
    #[command(flatten)]
    pub settings: MasterSettings,
    /// Writes all that was decided as JSON, for `goldmaster render`
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub show: ShowArgs,
}

impl MasterArgs {
    /// The job that these arguments ask for.
    pub fn job(&self) -> Result<MasterJob, Error> {
        let Self { input, others, settings, recipe, output, .. } = self;
        if !others.is_empty() {
            let songs: Vec<_> = [input].into_iter().chain(others).map(|song| format!("{song:?}")).collect();
            let songs = songs.join(" ");
            return Err(Error::Usage(format!("one song at a time; for several: goldmaster batch {songs}")));
        }
        if settings.matching == MatchKind::Literal && settings.references.is_empty() {
            return Err(Error::Usage("--match literal takes a record as it is: name it with --reference".to_owned()));
        }
        Ok(MasterJob {
            input: input.clone(),
            output: output.output(input)?,
            settings: settings.clone(),
            recipe: recipe.clone(),
        })
    }
}
