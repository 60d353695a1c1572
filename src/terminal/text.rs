//! Text in columns.

use std::fmt::Write as _;

use super::look::{Colour, Look};

/// A value with its unit, or a dash.
pub fn optional(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| "-".to_string(), |v| format!("{v:.1} {unit}"))
}

/// The text with lines of at most `columns`, continued under `indent` spaces.
pub fn wrapped(text: &str, indent: usize, columns: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = printed_columns(word);
        if column > 0 && column + 1 + length > columns - indent {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = 0;
        }
        if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

/// Columns that a word takes: what switches colours takes none.
fn printed_columns(word: &str) -> usize {
    let mut is_code = false;
    word.chars()
        .filter(|c| match c {
            '\x1b' => {
                is_code = true;
                false
            }
            'm' if is_code => {
                is_code = false;
                false
            }
            _ => !is_code,
        })
        .count()
}

/// A list under a title; nothing where it is empty.
pub fn bullets(out: &mut String, title: &str, lines: &[String], look: &Look) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", look.coloured(Colour::Title, title));
    for line in lines {
        let _ = writeln!(out, "  - {}", wrapped(line, 4, look.columns));
    }
}
