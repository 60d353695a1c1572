//! `master`, which is what happens without a command as well.

use std::path::Path;

use goldmaster::error::Error;
use goldmaster::render::promises::Verdict;
use goldmaster::report::Report;
use goldmaster::report::warning::WarningKind;
use goldmaster::request::job::MasterJob;
use goldmaster::request::page::Page;
use goldmaster::terminal::progress_bar::ProgressBar;
use goldmaster::workflows::master::master_each;
use goldmaster::{io, terminal};

use crate::cli::hints::check_song;
use crate::cli::master::MasterArgs;
use crate::cli::shared::ShowArgs;
use crate::commands::{look, print, print_data, print_warning};

pub fn run_master(args: &MasterArgs) -> Result<(), Error> {
    check_song(&args.input, &args.others)?;
    let masters = args.jobs()?;
    let bar = ProgressBar::new(args.show.quiet || args.show.json);
    let mut reports = Vec::new();
    let done = master_each(&masters, &bar, &mut reports);
    bar.finish();
    let written = reports.iter().zip(masters.iter().flatten());
    let shown = written.map(|(report, job)| show_job(&args.show, report, job));
    // All of them are shown, whatever becomes of one.
    shown.collect::<Vec<_>>().into_iter().chain([done]).collect()
}

/// Writes the recipe, where it is wanted, and prints the report.
fn show_job(args: &ShowArgs, report: &Report, job: &MasterJob) -> Result<(), Error> {
    if let Some(path) = &job.recipe {
        io::text::write(path, &report.recipe.to_json(), job.output.force)?;
    }
    show(args, report, job.output.page.as_ref(), job.recipe.as_deref())
}

/// Prints the report as it was asked for, and what else was written.
///
/// # Errors
/// Nothing can be printed, or the page that was asked for is not there.
pub fn show(args: &ShowArgs, report: &Report, page: Option<&Page>, recipe: Option<&Path>) -> Result<(), Error> {
    let missing = report.warnings.iter().find_map(|warning| match &warning.kind {
        WarningKind::NoPage { cause } => Some(cause.clone()),
        _ => None,
    });
    let page = page.filter(|_| missing.is_none());
    show_written(args, report, page, recipe)?;
    let path = || report.output.path.clone().into();
    missing.map_or(Ok(()), |cause| Err(Error::NoPage { path: path(), cause }))
}

fn show_written(args: &ShowArgs, report: &Report, page: Option<&Page>, recipe: Option<&Path>) -> Result<(), Error> {
    if args.json {
        return print_data(&report.to_json());
    }
    if args.quiet {
        // Nobody should have to find out from a service that a master is too quiet.
        for promise in report.promises.iter().filter(|promise| promise.verdict == Verdict::Short) {
            print_warning(&format!("{}: warning: {}", io::name(report.output.path.as_ref()), promise.sentence));
        }
        return Ok(());
    }
    print(&terminal::master_summary(report, &look()))?;
    let files = [("Page", page.map(|page| page.path.as_path())), ("Recipe", recipe)];
    let lines: String =
        files.iter().filter_map(|(name, path)| Some(format!("\n{name}: {}", io::name(path.as_ref()?)))).collect();
    if lines.is_empty() { Ok(()) } else { print(&lines) }
}
