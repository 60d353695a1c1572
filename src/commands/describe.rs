//! The commands that describe the program itself.

use crate::cli::command;
use crate::cli::report::CompletionsArgs;
use crate::commands::print;
use crate::error::Error;

/// The completions of a shell, from the same definitions as the arguments.
pub fn print_completions(args: &CompletionsArgs) -> Result<(), Error> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "goldmaster", &mut text);
    print(&String::from_utf8_lossy(&text))
}

/// The manual page of the program and of all its commands.
pub fn print_manual() -> Result<(), Error> {
    let mut text = Vec::new();
    let mut command = command();
    command.build();
    // Memory takes all that is written.
    let _ = clap_mangen::Man::new(command.clone()).render(&mut text);
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let _ = clap_mangen::Man::new(command.clone()).render(&mut text);
    }
    print(&String::from_utf8_lossy(&text))
}
