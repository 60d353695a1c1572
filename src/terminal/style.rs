//! The capabilities of a terminal.

/// Width, colours and characters of the text output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextStyle {
    /// Width in columns.
    pub columns: usize,
    /// True if colours are used.
    pub is_coloured: bool,
    /// True if characters beyond ASCII are used.
    pub is_unicode: bool,
}

/// Largest width of text, however wide the terminal is.
const MAX_COLUMNS: usize = 100;
/// Smallest width that text is wrapped to.
const MIN_COLUMNS: usize = 32;

impl Default for TextStyle {
    /// The style for a file or a pipe.
    fn default() -> Self {
        Self { columns: 80, is_coloured: false, is_unicode: true }
    }
}

impl TextStyle {
    /// Returns the style for a terminal of this width, or for no terminal. `variable` looks up environment variables:
    /// `NO_COLOR` and `TERM=dumb` switch colours off, a locale without UTF-8 switches characters beyond ASCII off.
    pub fn new(terminal_columns: Option<usize>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let Some(columns) = terminal_columns else { return Self::default() };
        let is_dumb = set("TERM").is_some_and(|term| term == "dumb");
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let is_utf8 = |locale: String| locale.to_lowercase().replace('-', "").contains("utf8");
        Self {
            columns: columns.clamp(MIN_COLUMNS, MAX_COLUMNS),
            is_coloured: !is_dumb && set("NO_COLOR").is_none(),
            is_unicode: !is_dumb && (cfg!(windows) || locale.is_some_and(is_utf8)),
        }
    }

    /// Returns the text in a colour of the terminal's own palette.
    pub fn coloured(&self, colour: Colour, text: &str) -> String {
        if !self.is_coloured {
            return text.to_owned();
        }
        let mark = match colour {
            Colour::Good => GOOD,
            Colour::Warning => WARNING,
            Colour::Bad => BAD,
            Colour::Title => TITLE,
        };
        format!("{mark}{text}{NORMAL}")
    }
}

/// Unicode noncharacters, which occur in no script: they mark colours until the text is printed.
const NORMAL: char = '\u{fdd0}';
const GOOD: char = '\u{fdd1}';
const WARNING: char = '\u{fdd2}';
const BAD: char = '\u{fdd3}';
const TITLE: char = '\u{fdd4}';

/// Returns the escape sequence for a colour mark.
pub(super) fn code_of(mark: char) -> Option<&'static str> {
    Some(match mark {
        NORMAL => "\x1b[0m",
        GOOD => "\x1b[32m",
        WARNING => "\x1b[33m",
        BAD => "\x1b[31m",
        TITLE => "\x1b[1m",
        _ => return None,
    })
}

/// Meaning of a colour; the colour is never the only sign of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// As it should be.
    Good,
    /// Less than was requested.
    Warning,
    /// Not as it should be.
    Bad,
    /// A heading.
    Title,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(columns: Option<usize>, variables: &[(&str, &str)]) -> TextStyle {
        TextStyle::new(columns, |name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_pipe_gets_plain_text_of_80_columns_whatever_is_set() {
        assert_eq!(style(None, &[("LANG", "C"), ("TERM", "xterm")]), TextStyle::default());
    }

    #[test]
    fn no_color_and_dumb_terminals_are_respected() {
        let utf8 = ("LANG", "en_GB.UTF-8");
        assert!(style(Some(80), &[utf8]).is_coloured);
        assert!(!style(Some(80), &[utf8, ("NO_COLOR", "1")]).is_coloured);
        assert!(style(Some(80), &[utf8, ("NO_COLOR", "")]).is_coloured);
        assert!(!style(Some(80), &[utf8, ("TERM", "dumb")]).is_coloured);
        assert!(!style(Some(80), &[("LANG", "C")]).is_unicode || cfg!(windows));
        assert_eq!([10, 60, 300].map(|columns| style(Some(columns), &[]).columns), [32, 60, 100]);
    }
}
