//! One `run_*` a command: what it prints, and how it ends.

pub mod analyze;
pub mod batch;
pub mod check;
pub mod demo;
pub mod describe;
pub mod master;
pub mod profile;
pub mod render;
pub mod report;
pub mod variations;

use std::io::{IsTerminal as _, Write as _};

use goldmaster::error::Error;
use goldmaster::terminal::look::Look;
use goldmaster::terminal::printable;

/// What the standard output can show.
pub fn look() -> Look {
    let size = std::io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    Look::new(size.map(|(width, _)| usize::from(width.0)), |name| std::env::var(name).ok())
}

/// Writes to the standard output; who closed it wants no more.
pub fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", printable(text.trim_end()));
}

/// Writes data for other programs, as it is.
pub fn print_data(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}

/// Tells what failed of several files, and what that comes to. A single file that failed is told by whoever ends the program.
pub fn some_failed(mut failed: Vec<Error>, succeeded: usize) -> Result<(), Error> {
    if failed.len() == 1 && succeeded == 0 {
        return failed.pop().map_or(Ok(()), Err);
    }
    failed.iter().for_each(print_error);
    let failed = failed.len();
    if failed == 0 { Ok(()) } else { Err(Error::SomeUnread { failed, all: failed + succeeded }) }
}

/// One line on the standard error.
pub fn print_error(error: &impl std::fmt::Display) {
    complain(&format!("goldmaster: {error}"));
}

/// Writes one line to the standard error.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", printable(text).replace('\n', "\u{fffd}"));
}
