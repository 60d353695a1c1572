//! Turns errors into exceptions.

use goldmaster::error::Error;
use pyo3::prelude::*;

/// Returns the exception for an error: `goldmaster.Error`, or one of its subclasses by the exit code that the command
/// line would have.
pub fn raised(py: Python, error: &Error) -> PyErr {
    let kind = match error.exit_code() {
        2 => "UsageError",
        3 => "PromiseError",
        _ => "Error",
    };
    let file = error.path().map(|path| path.to_string_lossy().into_owned());
    exception(py, kind, &error.to_string(), error.code(), file, error.advice())
}

/// Returns the exception for a bug in the program.
pub fn fault(py: Python) -> PyErr {
    exception(py, "Error", "a fault of this program: please report it", "fault", None, None)
}

/// Returns the exception for a system that starts no further thread.
pub fn no_thread(py: Python) -> PyErr {
    exception(py, "Error", "the system starts no further thread", "threads", None, None)
}

fn exception(py: Python, kind: &str, message: &str, code: &str, file: Option<String>, advice: Option<String>) -> PyErr {
    let made = py
        .import("goldmaster._errors")
        .and_then(|module| module.getattr(kind))
        .and_then(|kind| kind.call1((message, code, file, advice)));
    made.map_or_else(|error| error, PyErr::from_value)
}
