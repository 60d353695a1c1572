//! `master`, which is what happens without a command as well.

use std::io::Write as _;

use goldmaster::error::Error;
use goldmaster::io;
use goldmaster::render::promises::Verdict;
use goldmaster::report::Report;
use goldmaster::request::page::Page;
use goldmaster::terminal;
use goldmaster::terminal::progress_bar::ProgressBar;
use goldmaster::workflows::master::master;

use crate::cli::master::MasterArgs;
use crate::cli::shared::{GenreArg, ShowArgs};
use crate::commands::{look, print};

pub fn run_master(args: &MasterArgs) -> Result<(), Error> {
    if matches!(args.genre, Some(GenreArg::List)) {
        return list_genres();
    }
    let job = args.job()?;
    let bar = ProgressBar::new(args.show.quiet || args.show.json);
    let report = master(&job, &bar)?;
    bar.finish();
    if let Some(path) = &args.recipe {
        io::text::write(path, &report.recipe.to_json(), job.output.force)?;
    }
    show(&args.show, &report, job.output.page.as_ref());
    Ok(())
}

/// What `--genre` takes.
pub fn list_genres() -> Result<(), Error> {
    print(&terminal::genre_table().map_err(Error::Network)?);
    Ok(())
}

pub fn show(args: &ShowArgs, report: &Report, page: Option<&Page>) {
    if args.json {
        print(&report.to_json());
    } else if args.quiet {
        // Nobody should have to find out from a service that a master is too quiet.
        for promise in report.promises.iter().filter(|promise| promise.verdict == Verdict::Short) {
            let _ = writeln!(std::io::stderr(), "{}: warning: {}", report.output.path, promise.sentence);
        }
    } else {
        print(&terminal::master_summary(report, &look()));
        if let Some(page) = page {
            print(&format!("\nPage: {}", page.path.display()));
        }
    }
}
