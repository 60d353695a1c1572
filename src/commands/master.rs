//! The command `master`, which also runs when no command is given.

use std::path::Path;

use crate::cli::hints::check_song;
use crate::cli::master::MasterArgs;
use crate::cli::shared::ShowArgs;
use crate::commands::{print, print_data, print_warning, text_style};
use crate::error::Error;
use crate::render::promises::Verdict;
use crate::report::Report;
use crate::report::warning::WarningKind;
use crate::request::job::MasterJob;
use crate::request::page::Page;
use crate::terminal::progress_bar::ProgressBar;
use crate::workflows::master::master_each;
use crate::{io, terminal};

pub fn run_master(args: &MasterArgs) -> Result<(), Error> {
    check_song(&args.input, &args.others)?;
    let masters = args.jobs()?;
    let bar = ProgressBar::new(args.show.quiet || args.show.json);
    let mut reports = Vec::new();
    let done = master_each(&masters, &bar, &mut reports);
    bar.finish();
    let jobs = masters.iter().flatten().enumerate().take(reports.len());
    show_all(done, jobs.map(|(n, job)| show_job(&args.show, &reports[..=n], job)))
}

/// Shows all masters that were made, even if others failed. An error of the work comes before errors of showing the
/// results.
///
/// # Errors
/// The first error; further ones are printed as warnings.
pub fn show_all(done: Result<(), Error>, shown: impl Iterator<Item = Result<(), Error>>) -> Result<(), Error> {
    let shown: Vec<_> = shown.collect();
    let mut errors = [done].into_iter().chain(shown).filter_map(Result::err);
    let first = errors.next();
    errors.for_each(|error| print_warning(&error.to_string()));
    first.map_or(Ok(()), Err)
}

/// Writes the recipe if one was asked for, and prints the last report, as [`show`] does.
fn show_job(args: &ShowArgs, reports: &[Report], job: &MasterJob) -> Result<(), Error> {
    if let (Some(path), Some(report)) = (&job.recipe, reports.last()) {
        io::text::write(path, &report.recipe.to_json(), job.output.force)?;
    }
    show(args, reports, job.output.page.as_ref(), job.recipe.as_deref())
}

/// Prints the last report in the form that was asked for, and the other files that were written. The reports before it
/// are printed already, so that their common decision is not printed again.
///
/// # Errors
/// Standard output or the requested page cannot be written.
pub fn show(args: &ShowArgs, reports: &[Report], page: Option<&Page>, recipe: Option<&Path>) -> Result<(), Error> {
    let Some((report, earlier)) = reports.split_last() else { return Ok(()) };
    let missing = report.warnings.iter().find_map(|warning| match &warning.kind {
        WarningKind::NoPage { cause } => Some(cause.clone()),
        _ => None,
    });
    let page = page.filter(|_| missing.is_none());
    show_written(args, (report, earlier), page, recipe)?;
    let path = || report.output.path.clone().into();
    missing.map_or(Ok(()), |cause| Err(Error::NoPage { path: path(), cause }))
}

fn show_written(
    args: &ShowArgs,
    (report, earlier): (&Report, &[Report]),
    page: Option<&Page>,
    recipe: Option<&Path>,
) -> Result<(), Error> {
    if args.json {
        return print_data(&report.to_json());
    }
    if args.quiet {
        // Even a quiet run reports a shortfall: nobody should learn from a streaming service that a master is too
        // quiet.
        for promise in report.promises.iter().filter(|promise| promise.verdict == Verdict::Short) {
            print_warning(&format!("{}: warning: {}", io::name(report.output.path.as_ref()), promise.sentence));
        }
        return Ok(());
    }
    if !earlier.is_empty() {
        return print(&terminal::further_master(report, earlier, &text_style()));
    }
    print(&terminal::master_summary(report, &text_style()))?;
    let files = [("Page", page.map(|page| page.path.as_path())), ("Recipe", recipe)];
    let lines: String =
        files.iter().filter_map(|(name, path)| Some(format!("\n{name}: {}", io::name(path.as_ref()?)))).collect();
    if lines.is_empty() { Ok(()) } else { print(&lines) }
}
