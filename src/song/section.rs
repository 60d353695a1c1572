//! A section of a file, between two times.

use std::fmt;
use std::str::FromStr;

use analyzer::stream::{Frame, Source};

/// Start and end of a section of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    /// Start, seconds.
    pub start_s: f64,
    /// End, seconds; after the start.
    pub end_s: f64,
}

impl Section {
    /// True if a text looks like a section, well-formed or not: only digits, colons, points and a dash.
    pub fn is_meant_by(text: &str) -> bool {
        text.contains('-')
            && text.chars().any(|c| c.is_ascii_digit())
            && text.chars().all(|c| "0123456789:.-".contains(c))
    }

    /// Limits `source` to the frames within the section.
    pub fn of<S: Source>(self, source: S, sample_rate_hz: u32) -> Cut<S> {
        let [start, end] = [self.start_s, self.end_s].map(|s| (s * f64::from(sample_rate_hz)).round() as u64);
        Cut { source, skip: start, left: end - start }
    }
}

impl FromStr for Section {
    type Err = String;

    /// Parses `START-END`, each in seconds or as `m:ss`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not a section: write START-END in seconds or m:ss, as in 65-95 or 1:05-1:35");
        let (start, end) = text.split_once('-').ok_or_else(wrong)?;
        let (start_s, end_s) = (seconds(start).ok_or_else(wrong)?, seconds(end).ok_or_else(wrong)?);
        if start_s < end_s { Ok(Self { start_s, end_s }) } else { Err(format!("section {text} ends before it starts")) }
    }
}

/// Parses a time: `95`, `95.5`, `1:35` or `1:35.5`.
fn seconds(text: &str) -> Option<f64> {
    let number = |text: &str| {
        let is_plain =
            text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || c == '.');
        text.parse::<f64>().ok().filter(|_| is_plain)
    };
    match text.split_once(':') {
        None => number(text),
        Some((minutes, seconds)) => {
            let minutes: u32 = minutes.parse().ok()?;
            let has_two_digits = seconds.find('.').unwrap_or(seconds.len()) == 2;
            number(seconds).filter(|s| has_two_digits && *s < 60.0).map(|s| 60.0 * f64::from(minutes) + s)
        }
    }
}

/// Writes the section as in `1:05-1:35`.
impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}-{}", time(self.start_s), time(self.end_s))
    }
}

/// Formats a time as `m:ss`, with as many decimals as needed, at most three.
fn time(seconds: f64) -> String {
    let minutes = (seconds / 60.0).floor();
    let rest = ((seconds - 60.0 * minutes) * 1000.0).round() / 1000.0;
    if rest.fract() == 0.0 {
        format!("{minutes:.0}:{rest:02.0}")
    } else {
        format!("{minutes:.0}:{}{rest}", if rest < 10.0 { "0" } else { "" })
    }
}

/// A source limited to a range of frames.
pub struct Cut<S> {
    source: S,
    skip: u64,
    left: u64,
}

impl<S> Cut<S> {
    /// Returns the underlying source.
    pub fn source(&self) -> &S {
        &self.source
    }
}

impl<S: Source> Source for Cut<S> {
    type Error = S::Error;

    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, S::Error> {
        while self.skip > 0 {
            let most = usize::try_from(self.skip).unwrap_or(usize::MAX).min(frames.len());
            match self.source.read(&mut frames[..most])? {
                0 => return Ok(0),
                count => self.skip -= count as u64,
            }
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(frames.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.source.read(&mut frames[..most])?;
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_written_in_seconds_or_minutes() {
        let section = |start_s, end_s| Ok(Section { start_s, end_s });
        assert_eq!("65-95".parse(), section(65.0, 95.0));
        assert_eq!("1:05-1:35.5".parse(), section(65.0, 95.5));
        assert_eq!("0-2:00".parse(), section(0.0, 120.0));
        for wrong in ["65", "1:5-1:35", "1:75-2:00", "95-65", "5-5", "-5-9", "a-b", "1e1-20", "1:-2:00"] {
            assert!(wrong.parse::<Section>().is_err(), "{wrong}");
        }
        assert!(Section::is_meant_by("95-65") && !Section::is_meant_by("30-60.flac") && !Section::is_meant_by("12"));
        assert_eq!(Section { start_s: 65.0, end_s: 95.5 }.to_string(), "1:05-1:35.5");
    }

    #[test]
    fn a_section_has_the_frames_between_its_ends() {
        let frames: Vec<Frame> = (0..1000).map(|n| [n as f32; 2]).collect();
        let read = |start_s: f64, end_s: f64| {
            let mut cut = Section { start_s, end_s }.of(frames.as_slice(), 100);
            let (mut block, mut all) = ([[0.0; 2]; 64], Vec::new());
            loop {
                match cut.read(&mut block) {
                    Ok(0) => return all,
                    Ok(count) => all.extend_from_slice(&block[..count]),
                    Err(never) => match never {},
                }
            }
        };
        assert_eq!(read(2.5, 6.0), frames[250..600]);
        assert_eq!(read(8.0, 20.0), frames[800..]);
        assert!(read(10.0, 20.0).is_empty());
    }
}
