//! The command line: parse, dispatch, print an error once, exit code.

mod cli;
mod commands;

use std::process::ExitCode;

use clap::{ArgMatches, FromArgMatches as _};
use goldmaster::error::Error;
use goldmaster::song::multi_threaded;
use goldmaster::terminal::progress_bar::listen_for_interrupt;

use crate::cli::master::MasterArgs;
use crate::cli::{Cli, Command, command};
use crate::commands::{analyze, batch, check, demo, describe, master, print_error, profile, render, report, variations};

fn main() -> ExitCode {
    let matches = command().get_matches();
    listen_for_interrupt();
    match Cli::from_arg_matches(&matches).map_err(|e| e.exit()).and_then(|cli| multi_threaded(|| run(cli, &matches))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(cli: Cli, matches: &ArgMatches) -> Result<(), Error> {
    match cli.command {
        Some(Command::Master(args)) => master::run_master(&args),
        Some(Command::Analyze(args)) => analyze::run_analyze(&args),
        Some(Command::Check(args)) => check::run_check(&args),
        Some(Command::Profile(args)) => profile::run_profile(&args),
        Some(Command::Render(args)) => render::run_render(&args),
        Some(Command::Batch(args)) => batch::run_batch(&args),
        Some(Command::MergeReports(args)) => batch::run_merge(&args),
        Some(Command::Report(args)) => report::run_report(&args),
        Some(Command::Variations(args)) => variations::run_variations(&args),
        Some(Command::Demo(args)) => demo::run_demo(&args),
        Some(Command::Completions(args)) => describe::print_completions(&args),
        Some(Command::Man) => describe::print_manual(),
        // Without a command the arguments are those of `master`.
        None => match MasterArgs::from_arg_matches(matches) {
            Ok(args) => master::run_master(&args),
            Err(error) => error.format(&mut command()).exit(),
        },
    }
}
