//! What is wrong with the list.

use std::fmt;

/// One thing to mend, told in one line: where, why, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// File, and line of the file where there is one.
    pub place: String,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    /// A finding at `place`.
    pub fn new(place: impl Into<String>, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { place: place.into(), cause: cause.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.cause, self.remedy)
    }
}
