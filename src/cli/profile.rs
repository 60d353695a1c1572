//! Arguments of `profile`.

use std::path::PathBuf;

use clap::Args;

use crate::batch::aggregate::ProfileJob;

#[derive(Args, Debug)]
pub struct ProfileArgs {
    /// Finished records: files, folders (with all folders in them) and globs
    #[arg(required = true)]
    pub inputs: Vec<PathBuf>,
    /// File of the profile
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Name of the profile in reports [default: the file's name]
    #[arg(long)]
    pub name: Option<String>,
    /// Replaces an existing file
    #[arg(short, long)]
    pub force: bool,
}

impl ProfileArgs {
    /// Returns the job of these arguments.
    pub fn job(&self) -> ProfileJob {
        let stem = self.output.file_stem().unwrap_or_default().to_string_lossy();
        let name = self.name.clone().unwrap_or_else(|| stem.trim_end_matches(".profile").to_string());
        ProfileJob { inputs: self.inputs.clone(), output: self.output.clone(), name, force: self.force }
    }
}
