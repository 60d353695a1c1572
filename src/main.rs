//! The command line: parse, run, print an error once, exit code.

mod cli;
mod progress_bar;
mod run_batch;
mod run_report;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};
use goldmaster::aggregate::{Aggregate, aggregate};
use goldmaster::error::Error;
use goldmaster::master::{master, render};
use goldmaster::page::Page;
use goldmaster::report::Report;
use goldmaster::song::measure;
use goldmaster::terminal::look::Look;
use goldmaster::verify::Verdict;
use goldmaster::{demo, io, terminal};
use models::norm::NormProfile;

use crate::cli::{AnalyzeArgs, Cli, Command, DemoArgs, GenreArg, MasterArgs, ProfileArgs, RenderArgs, ShowArgs};
use crate::progress_bar::ProgressBar;

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    progress_bar::listen_for_interrupt();
    match Cli::from_arg_matches(&matches).map_err(|e| e.exit()).and_then(|cli| run(cli, &matches)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(cli: Cli, matches: &ArgMatches) -> Result<(), Error> {
    match cli.command {
        Some(Command::Master(args)) => run_master(&args),
        Some(Command::Analyze(args)) => run_analyze(&args),
        Some(Command::Profile(args)) => run_profile(&args),
        Some(Command::Render(args)) => run_render(&args),
        Some(Command::Batch(args)) => run_batch::run_batch(&args),
        Some(Command::MergeReports(args)) => run_batch::run_merge(&args),
        Some(Command::Report(args)) => run_report::run_report(&args),
        Some(Command::Demo(args)) => run_demo(&args),
        Some(Command::Completions(args)) => run_report::print_completions(&args),
        Some(Command::Man) => run_report::print_manual(),
        // Without a command the arguments are those of `master`.
        None => match MasterArgs::from_arg_matches(matches) {
            Ok(args) => run_master(&args),
            Err(error) => error.format(&mut Cli::command()).exit(),
        },
    }
}

/// What the standard output can show.
fn look() -> Look {
    let size = std::io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    Look::new(size.map(|(width, _)| usize::from(width.0)), |name| std::env::var(name).ok())
}

/// Writes to the standard output; who closed it wants no more.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}

fn run_master(args: &MasterArgs) -> Result<(), Error> {
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
fn list_genres() -> Result<(), Error> {
    print(&terminal::genre_table().map_err(Error::Network)?);
    Ok(())
}

fn run_render(args: &RenderArgs) -> Result<(), Error> {
    let job = args.job()?;
    let bar = ProgressBar::new(args.show.quiet || args.show.json);
    let report = render(&job, &bar)?;
    bar.finish();
    show(&args.show, &report, job.output.page.as_ref());
    Ok(())
}

fn show(args: &ShowArgs, report: &Report, page: Option<&Page>) {
    if args.json {
        print(&report.to_json());
    } else if args.quiet {
        // Nobody should have to find out from a service that a master is too quiet.
        for promise in report.promises.iter().filter(|promise| promise.verdict == Verdict::Short) {
            let _ = writeln!(std::io::stderr(), "{}: warning: {}", report.output.path, promise.measured);
        }
    } else {
        print(&terminal::master_summary(report, &look()));
        if let Some(page) = page {
            print(&format!("\nPage: {}", page.path.display()));
        }
    }
}

/// Measures every file; one that cannot be read is told, and does not stop the others.
fn run_analyze(args: &AnalyzeArgs) -> Result<(), Error> {
    let mut failed = Vec::new();
    let mut separator = "";
    for path in &args.inputs {
        let bar = ProgressBar::new(args.json);
        let measured = measure(path, &bar);
        bar.finish();
        let (info, profile, warnings) = match measured {
            Ok(measured) => measured,
            Err(error @ io::Error::Interrupted) => return Err(error.into()),
            Err(error) => {
                failed.push(error.into());
                continue;
            }
        };
        let path = path.display().to_string();
        if args.json {
            let line =
                serde_json::json!({ "path": path, "codec": info.codec, "warnings": warnings, "profile": profile });
            print(&line.to_string());
            continue;
        }
        print(&format!("{separator}{}", terminal::profile_summary(&path, &info.codec, &profile, &warnings, &look())));
        separator = "\n";
    }
    let succeeded = args.inputs.len() - failed.len();
    some_failed(failed, succeeded)
}

/// Tells what failed of several files, and what that comes to. A single file that failed is told by whoever ends the program.
fn some_failed(mut failed: Vec<Error>, succeeded: usize) -> Result<(), Error> {
    if failed.len() == 1 && succeeded == 0 {
        return failed.pop().map_or(Ok(()), Err);
    }
    failed.iter().for_each(tell);
    let failed = failed.len();
    if failed == 0 { Ok(()) } else { Err(Error::SomeUnread { failed, all: failed + succeeded }) }
}

fn run_profile(args: &ProfileArgs) -> Result<(), Error> {
    let bar = ProgressBar::new(false);
    let Aggregate { norm, failed } = aggregate(&args.job(), &bar)?;
    bar.finish();
    let songs = norm.as_ref().map_or(0, |norm| norm.songs as usize);
    if let Some(NormProfile { name, loudness_lufs: [lufs, spread], .. }) = &norm {
        let path = args.output.display();
        print(&format!("{path}: {name}, {songs} songs, loudness {lufs:.1} LUFS ± {spread:.1} LU"));
    }
    some_failed(failed, songs)
}

/// One line on the standard error.
fn tell(error: &impl std::fmt::Display) {
    complain(&format!("goldmaster: {error}"));
}

/// Writes to the standard error.
fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn run_demo(args: &DemoArgs) -> Result<(), Error> {
    let bar = ProgressBar::new(false);
    let demo::Written { report, files } = demo::demo(&args.folder, args.force, &bar)?;
    bar.finish();
    print(&terminal::master_summary(&report, &look()));
    let paths: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
    print(&format!("\nWritten: {}\n\n{}", paths.join(", "), demo::LISTEN_FOR));
    Ok(())
}
