//! Arguments of `variations`.

use std::path::PathBuf;

use clap::Args;
use goldmaster::error::Error;
use goldmaster::request::job::{DeciderKind, MasterJob, Output, Reference, Strictness};
use goldmaster::request::page::Page;

use super::report::page;
use super::shared::{AmountArgs, ClosenessArgs, DeliveryArgs, GenreArg, genre, setting};

#[derive(Args, Debug)]
pub struct VariationsArgs {
    /// The mix
    pub input: PathBuf,
    /// A finished record to come close to; several are weighted, as in hit.flac:0.5
    #[arg(short, long = "reference", value_name = "FILE[:WEIGHT]")]
    pub references: Vec<Reference>,
    /// Median and spread of many songs to go towards, as `goldmaster profile` writes them
    #[arg(short, long, value_name = "FILE", conflicts_with = "references")]
    pub profile: Option<PathBuf>,
    /// Goes towards a genre, or `auto` for what it sounds like
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
    /// Changes one value of every recipe, as in multiband.low.ratio=1.5
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// The page, .html [default: SONG.variations.html beside the mix]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replaces an existing page
    #[arg(short, long)]
    pub force: bool,
    /// Prints how the masters compare as JSON
    #[arg(long)]
    pub json: bool,
}

impl VariationsArgs {
    /// The page that these arguments ask for.
    pub fn page(&self) -> Result<Page, Error> {
        let beside = || self.input.with_extension("variations.html");
        page(self.output.clone().unwrap_or_else(beside), None, self.force)
    }

    /// What all masters have in common.
    pub fn job(&self) -> MasterJob {
        let path = self.input.with_extension("master.wav");
        let format = goldmaster::io::output_spec::Format::Wav;
        MasterJob {
            input: self.input.clone(),
            output: Output { path, format, force: false, delta: None, page: None },
            references: self.references.clone(),
            profile: self.profile.clone(),
            genre: genre(self.genre.as_ref()).unwrap_or_default(),
            wanted: self.wanted.wanted(),
            decider: self.decider,
            matching: self.closeness.matching,
            effort: self.closeness.effort,
            amounts: self.amounts.amounts(),
            recipe: None,
            settings: self.settings.clone(),
            strictness: Strictness::Promises,
        }
    }
}
