//! Commands that describe the program itself.

use crate::cli::command;
use crate::cli::report::CompletionsArgs;
use crate::commands::print;
use crate::error::Error;

/// Prints the completions for a shell, generated from the definitions of the arguments.
pub fn print_completions(args: &CompletionsArgs) -> Result<(), Error> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "goldmaster", &mut text);
    print(&String::from_utf8_lossy(&text))
}

/// Prints the manual pages of the program and all its commands.
pub fn print_manual() -> Result<(), Error> {
    let mut text = Vec::new();
    let mut command = command();
    command.build();
    // Writing to memory does not fail.
    let _ = clap_mangen::Man::new(command.clone()).render(&mut text);
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let _ = clap_mangen::Man::new(command.clone()).render(&mut text);
    }
    print(&String::from_utf8_lossy(&text))
}
