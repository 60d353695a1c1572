//! Arguments of `ui`.

use std::path::PathBuf;

use clap::Args;

use super::shared::check_is_local;
use crate::error::Error;
use crate::request::reference::Reference;
use crate::ui::UiOptions;

#[derive(Args, Debug)]
pub struct UiArgs {
    /// Mixes, or folders of mixes; more can be dropped on the page
    #[arg(value_name = "FILE|FOLDER")]
    pub inputs: Vec<PathBuf>,
    /// A finished record to sound like, or a section of it; more can be dropped on the page
    #[arg(short, long = "reference", alias = "ref", value_name = "FILE[@START-END][:WEIGHT]")]
    pub references: Vec<Reference>,
    /// Folder of the masters
    #[arg(short, long, value_name = "FOLDER", default_value = "masters")]
    pub output: PathBuf,
    /// Port on this machine [default: one that is free]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// Prints the address and opens nothing
    #[arg(long)]
    pub no_browser: bool,
}

impl UiArgs {
    /// Returns the options to open the page with.
    pub fn options(&self) -> Result<UiOptions, Error> {
        let references = self.references.iter().map(|reference| &reference.path);
        self.inputs.iter().chain(references).try_for_each(|path| check_is_local(path))?;
        Ok(UiOptions {
            inputs: self.inputs.clone(),
            references: self.references.clone(),
            folder: self.output.clone(),
            port: self.port,
        })
    }
}
