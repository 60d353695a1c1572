//! Arguments of `check`.

use std::path::PathBuf;

use clap::Args;

use crate::request::destination::Destination;

#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Finished files to check, whoever made them
    #[arg(required = true)]
    pub inputs: Vec<PathBuf>,
    /// Where they are delivered
    #[arg(long = "for", value_enum, value_name = "PLACE", ignore_case = true)]
    pub destination: Destination,
    /// Prints the results as a JSON array, one object per file
    #[arg(long)]
    pub json: bool,
}
