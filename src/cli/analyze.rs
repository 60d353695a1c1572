//! Arguments of `analyze`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
pub struct AnalyzeArgs {
    /// Files to measure
    #[arg(required = true)]
    pub inputs: Vec<PathBuf>,
    /// Prints the profiles as JSON, one line per file
    #[arg(long)]
    pub json: bool,
}
