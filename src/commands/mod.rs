//! One `run_*` a command: what it prints, and how it ends.

pub mod analyze;
pub mod batch;
pub mod check;
pub mod demo;
pub mod describe;
pub mod master;
pub mod profile;
pub mod program;
pub mod render;
pub mod report;
pub mod ui;
pub mod variations;

use std::io::{IsTerminal as _, Write as _};

use crate::error::Error;
use crate::terminal::look::Look;
use crate::terminal::printable;

/// What the standard output can show.
pub fn look() -> Look {
    let size = std::io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    Look::new(size.map(|(width, _)| usize::from(width.0)), |name| std::env::var(name).ok())
}

/// Writes a text and a line break to the standard output.
///
/// # Errors
/// [`Error::Output`]: the disk is full, or the reader has closed the pipe.
pub fn print(text: &str) -> Result<(), Error> {
    print_data(&printable(text))
}

/// Writes data for other programs, as it is, and a line break to the standard output.
///
/// # Errors
/// As [`print`].
pub fn print_data(text: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()).map_err(Error::Output)
}

/// Prints why files failed, and returns what that means for the run. The error of a single file is returned, not printed.
pub fn some_failed(mut failed: Vec<Error>, succeeded: usize) -> Result<(), Error> {
    if failed.len() == 1 && succeeded == 0 {
        return failed.pop().map_or(Ok(()), Err);
    }
    failed.iter().for_each(print_error);
    let failed = failed.len();
    if failed == 0 { Ok(()) } else { Err(Error::SomeUnread { failed, all: failed + succeeded }) }
}

/// Writes one line about an error to the standard error.
pub fn print_error(error: &impl std::fmt::Display) {
    print_warning(&format!("goldmaster: {error}"));
}

/// Writes one line to the standard error. When that fails, nobody is left to hear of it.
pub fn print_warning(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", printable(text).replace('\n', "\u{fffd}"));
}
