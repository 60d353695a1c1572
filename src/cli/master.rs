//! Arguments of `master`.

use std::path::PathBuf;

use clap::Args;
use goldmaster::error::Error;
use goldmaster::request::job::{DeciderKind, MasterJob, MatchKind, Reference};

use super::shared::{AmountArgs, ClosenessArgs, DeliveryArgs, GenreArg, OutputArgs, ShowArgs, genre};

#[derive(Args, Debug)]
pub struct MasterArgs {
    /// The mix: WAV, AIFF, FLAC, MP3, AAC, ALAC, Vorbis...
    #[arg(required_unless_present = "genre")]
    pub input: Option<PathBuf>,
    /// Is refused: `batch` masters several
    #[arg(hide = true)]
    pub others: Vec<PathBuf>,
    /// A finished record to come close to; several are weighted, as in hit.flac:0.5, and a section is
    /// chosen as in hit.flac@1:05-1:35
    #[arg(short, long = "reference", value_name = "FILE[@START-END][:WEIGHT]")]
    pub references: Vec<Reference>,
    /// Median and spread of many songs to go towards, as `goldmaster profile` writes them
    #[arg(short, long, value_name = "FILE", conflicts_with = "references")]
    pub profile: Option<PathBuf>,
    /// Goes towards a genre, or `auto` for what it sounds like; `list` shows all
    #[arg(short, long, value_name = "NAME", conflicts_with_all = ["references", "profile"])]
    pub genre: Option<GenreArg>,
    #[command(flatten)]
    pub wanted: DeliveryArgs,
    #[command(flatten)]
    pub amounts: AmountArgs,
    /// Who decides
    #[arg(long, value_enum, default_value_t)]
    pub decider: DeciderKind,
    #[command(flatten)]
    pub closeness: ClosenessArgs,
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
        let nothing = || Error::Usage("there is no song to master: name one".to_owned());
        let input = self.input.clone().ok_or_else(nothing)?;
        if !self.others.is_empty() {
            let songs: Vec<_> = [&input].into_iter().chain(&self.others).map(|song| format!("{song:?}")).collect();
            let songs = songs.join(" ");
            return Err(Error::Usage(format!("one song at a time; for several: goldmaster batch {songs}")));
        }
        if self.closeness.matching == MatchKind::Literal && self.references.is_empty() {
            return Err(Error::Usage("--match literal takes a record as it is: name it with --reference".to_owned()));
        }
        Ok(MasterJob {
            output: self.output.output(&input)?,
            input,
            references: self.references.clone(),
            profile: self.profile.clone(),
            genre: genre(self.genre.as_ref()).unwrap_or_default(),
            wanted: self.wanted.wanted(),
            decider: self.decider,
            matching: self.closeness.matching,
            effort: self.closeness.effort,
            amounts: self.amounts.amounts(),
            recipe: self.recipe.clone(),
            settings: self.output.settings.clone(),
            strictness: self.output.strictness(),
        })
    }
}
