//! The result of a check, as a table.

use std::fmt::Write as _;

use super::style::{Colour, TextStyle};
use super::text::wrapped;
use crate::io::name;
use crate::report::check::{CheckOutcome, FileCheck};

/// Width of the outcomes and of the names.
const OUTCOME_COLUMNS: usize = 7;
const NAME_COLUMNS: usize = 12;

/// Returns the results of checking one file, as a table.
pub fn check_table(check: &FileCheck, style: &TextStyle) -> String {
    let mut out = String::new();
    let place = check.destination.name();
    let (verdict, colour) = if check.is_ready { ("ready", Colour::Good) } else { ("NOT READY", Colour::Bad) };
    let _ = writeln!(out, "{}\n{} for {place}\n", name(check.path.as_ref()), style.coloured(colour, verdict));
    for result in &check.results {
        let padded = |word: &str| format!("{word:OUTCOME_COLUMNS$}");
        let word = match result.outcome {
            CheckOutcome::Unrated => padded("-"),
            CheckOutcome::Ok => style.coloured(Colour::Good, &padded("ok")),
            CheckOutcome::Note => style.coloured(Colour::Warning, &padded("note")),
            CheckOutcome::Fail => style.coloured(Colour::Bad, &padded("FAIL")),
        };
        let indent = OUTCOME_COLUMNS + NAME_COLUMNS;
        let sentence = wrapped(&result.sentence, indent, style.columns);
        let _ = writeln!(out, "{word}{:NAME_COLUMNS$}{sentence}", result.item.name());
    }
    out
}
