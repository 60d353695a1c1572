//! The command line: parses arguments, dispatches to a command, prints an error once, and sets the exit code.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::FromArgMatches as _;
use clap::error::ContextKind;

use crate::batch::plan::Plan;
use crate::batch::run::Options;
use crate::cli::master::MasterArgs;
use crate::cli::{Cli, Command, command, hints};
use crate::commands::{
    analyze, batch, check, demo, describe, master, print_error, print_warning, profile, render, report, ui, variations,
};
use crate::error::Error;
use crate::song::multi_threaded;
use crate::terminal::printable;
use crate::terminal::progress_bar::listen_for_interrupt;

/// Runs the command line `words`, of which the first is the program's name. Returns the exit code.
pub fn run(words: Vec<OsString>) -> u8 {
    let done = match parsed(&words) {
        Ok(command) => {
            listen_for_interrupt();
            multi_threaded(|| dispatch(command))
        }
        Err(error) => return exit_by(error, words),
    };
    match done {
        Ok(()) => 0,
        Err(error) if error.is_closed_pipe() => 0,
        Err(error) => {
            print_error(&error);
            error.exit_code()
        }
    }
}

/// A batch as requested on a command line.
pub struct BatchRequest {
    /// The songs with their settings.
    pub plan: Plan,
    /// The folder for masters and reports.
    pub output: PathBuf,
    /// Options of the run.
    pub options: Options,
}

impl BatchRequest {
    /// Parses the words after `goldmaster batch`.
    ///
    /// # Errors
    /// An option is unknown, only prints something, or has a value that it does not take, or a song or folder cannot be
    /// found.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, Error> {
        let words = ["goldmaster", "batch"].map(OsString::from).into_iter().chain(words).collect::<Vec<_>>();
        match parsed(&words) {
            Ok(Command::Batch(args)) if args.work.dry_run => {
                Err(Error::Usage("--dry-run prints what would be done: goldmaster batch --dry-run does so".to_owned()))
            }
            Ok(Command::Batch(args)) => {
                Ok(Self { plan: args.plan()?.plan, output: args.output.clone(), options: args.options() })
            }
            Ok(_) => Err(Error::Usage("this is not a batch".to_owned())),
            Err(error) => Err(Error::Usage(first_line(&error))),
        }
    }
}

/// Returns the first line of clap's error message.
fn first_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Parses the command; without one, the arguments are those of `master`.
fn parsed(words: &[OsString]) -> Result<Command, clap::Error> {
    let matches = command().try_get_matches_from(words)?;
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
    // A list of our own is an error to clap, so its text starts with "error: ".
    let mut output = std::io::stdout().lock();
    output.write_all(text.strip_prefix("error: ").unwrap_or(&text).as_bytes())?;
    output.flush()
}

/// Prints help, the version, or what is wrong with the arguments.
fn exit_by(mut error: clap::Error, words: Vec<OsString>) -> u8 {
    if error.use_stderr() {
        let advice = hints::advice(&error, words.into_iter().skip(1));
        if advice.is_some() {
            // clap's guesses are dropped in favour of our own advice.
            for guess in [ContextKind::Suggested, ContextKind::SuggestedArg] {
                error.remove(guess);
            }
        }
        // clap repeats the arguments exactly as typed, control characters included.
        let text = error.render().to_string();
        if printable(&text) == text {
            // If this fails, there is nobody left to tell.
            let _ = error.print();
        } else {
            text.trim_end().lines().for_each(print_warning);
        }
        if let Some(advice) = advice {
            print_warning(&advice);
        }
    } else if let Err(error) = print_answer(&error)
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        let error = Error::Output(error);
        print_error(&error);
        return error.exit_code();
    }
    u8::try_from(error.exit_code()).unwrap_or(1)
}

fn dispatch(command: Command) -> Result<(), Error> {
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
