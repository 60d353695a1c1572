//! Arguments of `demo`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Folder for mix, record, master, recipe, report and page
    #[arg(default_value = "goldmaster-demo")]
    pub folder: PathBuf,
    /// Replaces existing files
    #[arg(short, long)]
    pub force: bool,
}
