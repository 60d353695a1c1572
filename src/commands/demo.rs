//! The command `demo`.

use crate::cli::demo::DemoArgs;
use crate::commands::{print, text_style};
use crate::error::Error;
use crate::io::name;
use crate::terminal;
use crate::terminal::progress_bar::ProgressBar;
use crate::workflows::demo;

pub fn run_demo(args: &DemoArgs) -> Result<(), Error> {
    if args.folder.is_file() {
        let words = format!("{} is a file: the demo makes its own mix, and needs a folder for it", name(&args.folder));
        return Err(Error::Usage(words));
    }
    let bar = ProgressBar::new(false);
    let demo::Written { report, files } = demo::demo(&args.folder, args.force, &bar)?;
    bar.finish();
    print(&terminal::master_summary(&report, &text_style()))?;
    let paths: Vec<_> = files.iter().map(|path| name(path)).collect();
    print(&format!("\nWritten: {}\n\n{}", paths.join(", "), demo::LISTEN_FOR))
}
