//! Text in columns.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

use super::style::{Colour, TextStyle, code_of};
use crate::io::is_command;

/// Formats a value with its unit, or a dash.
pub fn optional(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| "-".to_string(), |v| format!("{v:.1} {unit}"))
}

/// Wraps text to lines of at most `columns`, continued under `indent` spaces.
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

/// Returns the columns that a word takes; colour marks take none.
fn printed_columns(word: &str) -> usize {
    word.chars().filter(|c| code_of(*c).is_none()).filter_map(UnicodeWidthChar::width).sum()
}

/// Makes text safe for a terminal: colour marks become escape sequences, and characters that could move the cursor,
/// change colours or reverse the writing direction become replacement characters. Names of files, profiles and recipes
/// may contain anything.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match (code_of(c), c) {
            (Some(code), _) => out.push_str(code),
            (None, '\n' | '\t') => out.push(c),
            (None, c) if is_command(c) => out.push('\u{fffd}'),
            (None, c) => out.push(c),
        }
    }
    out
}

/// Appends a list under a title, or nothing if the list is empty.
pub fn bullets(out: &mut String, title: &str, lines: &[String], style: &TextStyle) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", style.coloured(Colour::Title, title));
    for line in lines {
        let _ = writeln!(out, "  - {}", wrapped(line, 4, style.columns));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_by_what_their_letters_take_on_a_terminal() {
        assert_eq!(wrapped("ab cd ef", 0, 5), "ab cd\nef");
        assert_eq!(wrapped("音楽 音楽 ef", 0, 7), "音楽\n音楽 ef");
        assert_eq!(wrapped("e\u{301}e\u{301} cd", 2, 7), "e\u{301}e\u{301} cd");
    }
}
