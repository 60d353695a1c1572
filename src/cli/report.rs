//! Arguments about pages, and of the commands that describe the program itself.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use crate::error::Error;
use crate::request::page::{Page, PageAudio};

#[derive(Args, Debug)]
pub struct PageArgs {
    /// Writes a page to hear and see mix and master: one .html file with everything in it
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// What the page plays [default: excerpt]
    #[arg(long, value_enum, value_name = "WHAT", requires = "report")]
    pub report_audio: Option<PageAudio>,
}

impl PageArgs {
    /// True if a page is to be written.
    pub fn is_asked_for(&self) -> bool {
        self.report.is_some()
    }

    /// Returns the page to write, if any.
    pub fn page(&self, force: bool) -> Result<Option<Page>, Error> {
        let audio = self.report_audio.unwrap_or_default();
        self.report.clone().map(|path| Page::at(path, audio, force)).transpose()
    }
}

#[derive(Args, Debug)]
pub struct ReportArgs {
    /// The first file, usually the mix
    pub before: PathBuf,
    /// The second file, usually a master of it
    pub after: PathBuf,
    /// File of the page [default: AFTER.html beside the second file]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What the page plays [default: excerpt]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub report_audio: Option<PageAudio>,
    /// Replaces an existing file
    #[arg(short, long)]
    pub force: bool,
    /// Prints what was measured as JSON
    #[arg(long)]
    pub json: bool,
}

impl ReportArgs {
    /// Returns the page to write.
    pub fn page(&self) -> Result<Page, Error> {
        let beside = || self.after.with_extension("html");
        Page::at(self.output.clone().unwrap_or_else(beside), self.report_audio.unwrap_or_default(), self.force)
    }
}

#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// Shell to print completions for
    #[arg(value_enum)]
    pub shell: Shell,
}
