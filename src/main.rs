//! The command line: parse, dispatch, print an error once, exit code.

mod cli;
mod commands;

use std::process::ExitCode;

use clap::FromArgMatches as _;
use goldmaster::error::Error;
use goldmaster::song::multi_threaded;
use goldmaster::terminal::printable;
use goldmaster::terminal::progress_bar::listen_for_interrupt;

use crate::cli::master::MasterArgs;
use crate::cli::{Cli, Command, command, hints};
use crate::commands::{
    analyze, batch, check, demo, describe, master, print_error, print_warning, profile, render, report, ui, variations,
};

fn main() -> ExitCode {
    let done = match parsed() {
        Ok(command) => {
            listen_for_interrupt();
            multi_threaded(|| run(command))
        }
        Err(error) => return exit_by(&error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// The command; without one the arguments are those of `master`.
fn parsed() -> Result<Command, clap::Error> {
    let matches = command().try_get_matches()?;
    if let Some(named) = Cli::from_arg_matches(&matches)?.command {
        return Ok(named);
    }
    let master = MasterArgs::from_arg_matches(&matches);
    Ok(Command::Master(Box::new(master.map_err(|error| error.format(&mut command()))?)))
}

/// Prints help, the version or a list on the standard output.
fn print_answer(answer: &clap::Error) -> std::io::Result<()> {
    use std::io::Write as _;
    if answer.kind() != clap::error::ErrorKind::DisplayVersion {
        return answer.print();
    }
    let text = answer.render().to_string();
    // A list of our own is an error to clap, which says so in front of it.
    let mut output = std::io::stdout().lock();
    output.write_all(text.strip_prefix("error: ").unwrap_or(&text).as_bytes())?;
    output.flush()
}

/// Prints help, the version, or what is wrong with the arguments.
fn exit_by(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        // It shows what was typed as it was typed.
        let text = error.render().to_string();
        if printable(&text) == text {
            // When that fails, nobody is left to hear of it.
            let _ = error.print();
        } else {
            text.trim_end().lines().for_each(print_warning);
        }
        if let Some(advice) = hints::advice(error, std::env::args_os().skip(1)) {
            print_warning(&advice);
        }
    } else if let Err(error) = print_answer(error)
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        let error = Error::Output(error);
        print_error(&error);
        return ExitCode::from(error.exit_code());
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
}

fn run(command: Command) -> Result<(), Error> {
    match command {
        Command::Master(args) => master::run_master(&args),
        Command::Analyze(args) => analyze::run_analyze(&args),
        Command::Check(args) => check::run_check(&args),
        Command::Profile(args) => profile::run_profile(&args),
        Command::Render(args) => render::run_render(&args),
        Command::Batch(args) => batch::run_batch(&args),
        Command::MergeReports(args) => batch::run_merge(&args),
        Command::Report(args) => report::run_report(&args),
        Command::Variations(args) => variations::run_variations(&args),
        Command::Ui(args) => ui::run_ui(&args),
        Command::Demo(args) => demo::run_demo(&args),
        Command::Completions(args) => describe::print_completions(&args),
        Command::Man => describe::print_manual(),
    }
}
