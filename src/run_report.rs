//! `report`, and the commands that describe the program itself.

use clap::CommandFactory as _;
use goldmaster::compare::compare;
use goldmaster::error::Error;
use goldmaster::terminal::comparison_summary;

use crate::cli::Cli;
use crate::cli::report::{CompletionsArgs, ReportArgs};
use crate::progress_bar::ProgressBar;
use crate::{look, print};

/// Two files, compared on a page and in the terminal.
pub fn run_report(args: &ReportArgs) -> Result<(), Error> {
    let page = args.page()?;
    let bar = ProgressBar::new(args.json);
    let comparison = compare([&args.before, &args.after], Some(&page), &bar)?;
    bar.finish();
    if args.json {
        print(&comparison.to_json());
    } else {
        print(&comparison_summary(&comparison, &look()));
        print(&format!("\nPage: {}", page.path.display()));
    }
    Ok(())
}

/// The completions of a shell, from the same definitions as the arguments.
pub fn print_completions(args: &CompletionsArgs) -> Result<(), Error> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "goldmaster", &mut text);
    print(&String::from_utf8_lossy(&text));
    Ok(())
}

/// The manual page of the program and of all its commands.
pub fn print_manual() -> Result<(), Error> {
    let mut text = Vec::new();
    let mut command = Cli::command();
    command.build();
    // Memory takes all that is written.
    let _ = clap_mangen::Man::new(command.clone()).render(&mut text);
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let _ = clap_mangen::Man::new(command.clone()).render(&mut text);
    }
    print(&String::from_utf8_lossy(&text));
    Ok(())
}
