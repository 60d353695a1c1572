//! The commands of the program. Each has a `run_*` function, which prints the results and returns the error for the
//! exit code.

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
use crate::terminal::printable;
use crate::terminal::style::TextStyle;

/// Returns the abilities of the standard output: width, colours and characters.
pub fn text_style() -> TextStyle {
    let size = std::io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    TextStyle::new(size.map(|(width, _)| usize::from(width.0)), |name| std::env::var(name).ok())
}

/// Writes a text and a line break to the standard output.
///
/// # Errors
/// [`Error::Output`]: the disk is full, or the reader has closed the pipe.
pub fn print(text: &str) -> Result<(), Error> {
    print_data(&printable(text))
}

/// Writes data for other programs unchanged, followed by a line break, to the standard output.
///
/// # Errors
/// As [`print`].
pub fn print_data(text: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()).map_err(Error::Output)
}

/// Prints the errors of the files that failed, and returns the error of the whole run. If the only file failed, its
/// error is returned without being printed.
pub fn some_failed(mut failed: Vec<Error>, succeeded: usize) -> Result<(), Error> {
    if failed.len() == 1 && succeeded == 0 {
        return failed.pop().map_or(Ok(()), Err);
    }
    failed.iter().for_each(print_error);
    let failed = failed.len();
    if failed == 0 { Ok(()) } else { Err(Error::SomeUnread { failed, all: failed + succeeded }) }
}

/// Writes an error to the standard error, on one line.
pub fn print_error(error: &impl std::fmt::Display) {
    print_warning(&format!("goldmaster: {error}"));
}

/// Writes one line to the standard error. If that fails, the failure cannot be reported anywhere.
pub fn print_warning(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", printable(text).replace('\n', "\u{fffd}"));
}
