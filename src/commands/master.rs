//! `master`, which is what happens without a command as well.

use goldmaster::error::Error;
use goldmaster::render::promises::Verdict;
use goldmaster::report::Report;
use goldmaster::request::page::Page;
use goldmaster::terminal::progress_bar::ProgressBar;
use goldmaster::workflows::master::master;
use goldmaster::{io, terminal};

use crate::cli::master::MasterArgs;
use crate::cli::shared::ShowArgs;
use crate::commands::{complain, look, print, print_data};

pub fn run_master(args: &MasterArgs) -> Result<(), Error> {
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

pub fn show(args: &ShowArgs, report: &Report, page: Option<&Page>) {
    if args.json {
        print_data(&report.to_json());
    } else if args.quiet {
        // Nobody should have to find out from a service that a master is too quiet.
        for promise in report.promises.iter().filter(|promise| promise.verdict == Verdict::Short) {
            complain(&format!("{}: warning: {}", io::name(report.output.path.as_ref()), promise.sentence));
        }
    } else {
        print(&terminal::master_summary(report, &look()));
        if let Some(page) = page {
            print(&format!("\nPage: {}", io::name(&page.path)));
        }
    }
}
