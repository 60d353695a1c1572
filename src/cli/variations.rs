//! Arguments of `variations`.

use std::path::PathBuf;

use clap::Args;

use super::shared::{check_is_local, check_settings};
use crate::error::Error;
use crate::io::output_spec::Format;
use crate::request::job::{MasterJob, Output};
use crate::request::page::{Page, PageAudio};
use crate::request::settings::MasterSettings;

#[derive(Args, Debug)]
pub struct VariationsArgs {
    /// The mix
    pub input: PathBuf,
    #[command(flatten)]
    pub settings: MasterSettings,
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
    /// Returns the page of these arguments.
    pub fn page(&self) -> Result<Page, Error> {
        let beside = || self.input.with_extension("variations.html");
        Page::at(self.output.clone().unwrap_or_else(beside), PageAudio::default(), self.force)
    }

    /// Returns the job that all variations are based on.
    pub fn job(&self) -> Result<MasterJob, Error> {
        check_is_local(&self.input)?;
        check_settings(&self.settings, &[])?;
        let path = self.input.with_extension("master.wav");
        let output = Output { path, format: Format::Wav, force: false, delta: None, page: None };
        Ok(MasterJob { input: self.input.clone(), output, settings: self.settings.clone(), recipe: None })
    }
}
