//! A dated summary of a run, as text and as JSON, short enough for an e-mail.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::batch::outcome::{Outcome, Summary, named};
use crate::batch::plan::Plan;
use crate::batch::record::Places;
use crate::batch::references::UnusableRecord;
use crate::batch::report::Findings;
use crate::error::{Cause, Error};
use crate::io::{self, text};
use crate::report::album::{AlbumReport, StaleCueSheets, WithoutCueSheet};

/// Version of the summary; raised when the meaning of a field changes.
const SUMMARY_VERSION: u32 = 2;
/// Number of seconds in a day.
const DAY_S: u64 = 86_400;

/// The summary of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSummary {
    /// Version of the meaning of the fields.
    pub version: u32,
    /// Name and version of the program.
    pub program: String,
    /// Day of the run in UTC, as in 2026-11-30.
    pub date: String,
    /// Counts of the songs by outcome.
    pub songs: Summary,
    /// Masters that were written where there were none.
    pub new: Vec<String>,
    /// Masters that were written anew.
    pub again: Vec<String>,
    /// Files written for silent songs of albums.
    pub silent: Vec<String>,
    /// Songs that have no master.
    pub without_master: Vec<Missing>,
    /// Mixes that were mastered in this run although their files are damaged or cut off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<Damaged>,
    /// Masters of earlier runs whose mixes are gone.
    pub orphaned: Vec<Places>,
    /// The albums, with a few sentences about each.
    pub albums: Vec<AlbumSummary>,
    /// Albums without the cue sheet that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_cue_sheet: Vec<WithoutCueSheet>,
    /// Cue sheets of earlier runs that are no longer written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale_cue_sheets: Vec<StaleCueSheets>,
    /// Records of the reference folder that were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unusable_records: Vec<UnusableRecord>,
}

/// A song that has no master.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// The mix.
    pub input: String,
    /// Kind of the failure.
    #[serde(default)]
    pub code: String,
    /// Message of one line: the failure and its remedy.
    pub cause: String,
    /// True if it failed in the same way before, and has not changed since.
    pub is_known: bool,
    /// True if its file was still being written: the next run takes it.
    pub is_changing: bool,
}

impl Missing {
    fn line(&self) -> String {
        named(&self.input, &self.cause)
    }
}

/// A mix whose file is damaged or cut off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Damaged {
    /// The mix.
    pub input: String,
    /// The fault of its file, in one line.
    pub fault: String,
}

/// An album in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlbumSummary {
    /// Name of the album, if there are several.
    pub name: Option<String>,
    /// The results of the album, in sentences.
    pub sentences: Vec<String>,
}

impl RunSummary {
    /// Summarizes a run; `date` is the day to print.
    pub(super) fn new(
        date: String,
        plan: &Plan,
        outcomes: &[Outcome],
        findings: Findings,
        orphaned: Vec<Places>,
    ) -> Self {
        let Findings { albums, without_cue_sheet, stale_cue_sheets, unusable_records } = findings;
        let written = |is_new: bool, is_silent: bool| {
            let wanted = (is_new, is_silent);
            let written = plan.items.iter().zip(outcomes).filter(|(_, outcome)| {
                matches!(outcome, Outcome::Mastered { is_new, is_silent, .. } if (*is_new, *is_silent) == wanted)
            });
            written.map(|(item, _)| item.output.display().to_string()).collect()
        };
        let damaged = plan.items.iter().zip(outcomes).filter_map(|(item, outcome)| match outcome {
            Outcome::Mastered { damage: Some(fault), .. } => {
                Some(Damaged { input: item.input.display().to_string(), fault: fault.clone() })
            }
            _ => None,
        });
        // A mix for several destinations is named once.
        let mut damaged: Vec<Damaged> = damaged.collect();
        damaged.dedup();
        let missing = plan.items.iter().zip(outcomes).filter_map(|(item, outcome)| {
            let (cause, is_known, is_changing) = match outcome {
                Outcome::Failed(cause) => (cause, false, false),
                Outcome::FailedAgain(cause) => (cause, true, false),
                Outcome::Changing(cause) => (cause, false, true),
                Outcome::Mastered { .. } | Outcome::Unchanged | Outcome::Left => return None,
            };
            let Cause { code, sentence } = cause.clone();
            Some(Missing { input: item.input.display().to_string(), code, cause: sentence, is_known, is_changing })
        });
        // Masters of one song for several destinations usually fail for the same reason: list it once.
        let mut without_master: Vec<Missing> = Vec::new();
        missing.for_each(|missing| {
            if !without_master.contains(&missing) {
                without_master.push(missing);
            }
        });
        let album = |album: &AlbumReport| AlbumSummary { name: album.name.clone(), sentences: album.sentences() };
        Self {
            version: SUMMARY_VERSION,
            program: concat!("goldmaster ", env!("CARGO_PKG_VERSION")).to_owned(),
            date,
            songs: plan.summary(outcomes),
            new: written(true, false),
            again: written(false, false),
            silent: [written(true, true), written(false, true)].concat(),
            without_master,
            damaged,
            orphaned,
            albums: albums.iter().map(album).collect(),
            without_cue_sheet: without_cue_sheet.to_vec(),
            stale_cue_sheets: stale_cue_sheets.to_vec(),
            unusable_records: unusable_records.to_vec(),
        }
    }

    /// Formats the summary as a text of a few lines.
    pub fn text(&self) -> String {
        let Self {
            version: _,
            program,
            date,
            songs,
            new,
            again,
            silent,
            without_master,
            damaged,
            orphaned,
            albums,
            without_cue_sheet,
            stale_cue_sheets,
            unusable_records,
        } = self;
        let mut out = format!("{program}, {date}\n\n{songs}\n");
        type Kind = fn(&Missing) -> bool;
        let lists: [(&str, Kind); 3] = [
            ("Failed", |song| !song.is_known && !song.is_changing),
            ("Failed as before", |song| song.is_known),
            ("Still being written, left for the next run", |song| song.is_changing),
        ];
        for (title, is_meant) in lists {
            let songs = without_master.iter().filter(|song| is_meant(song));
            list(&mut out, title, songs.map(Missing::line).collect());
        }
        let faults = damaged.iter().map(|Damaged { input, fault }| format!("{input}: {fault}"));
        list(&mut out, "Mastered from files that are damaged or cut off", faults.collect());
        list(&mut out, "New", new.clone());
        list(&mut out, "Mastered again", again.clone());
        list(&mut out, "Silent, and written as they are", silent.clone());
        let orphans = orphaned.iter().map(|Places { mix, master }| format!("{master} (its mix was {mix})"));
        list(&mut out, "Masters whose mix is gone", orphans.collect());
        list(&mut out, "Albums that are not complete", without_cue_sheet.iter().map(ToString::to_string).collect());
        list(&mut out, "Cue sheets of earlier runs", stale_cue_sheets.iter().map(ToString::to_string).collect());
        let records = unusable_records.iter().map(ToString::to_string);
        list(&mut out, "Records left out of the reference folder", records.collect());
        for AlbumSummary { name, sentences } in albums {
            let _ = writeln!(out, "\n{}:", printable_line(name.as_deref().unwrap_or("The album")));
            sentences.iter().for_each(|sentence| {
                let _ = writeln!(out, "  {}.", printable_line(sentence));
            });
        }
        out
    }

    /// Writes text and JSON into the output folder. Replaces those of an earlier run on the same day.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, output: &Path) -> Result<(), Error> {
        let [txt, json] = paths(output, &self.date);
        text::replace_own(&txt, &self.text(), "goldmaster ")?;
        let data = serde_json::to_string_pretty(self).expect("plain data has a JSON form") + "\n";
        Ok(text::replace_own(&json, &data, "{\n  \"version\": ")?)
    }
}

/// Most lines of a list in the text; the JSON has all.
const MAX_LISTED: usize = 50;

/// Appends a list under a title, unless it is empty.
fn list(out: &mut String, title: &str, lines: Vec<String>) {
    let more = lines.len().saturating_sub(MAX_LISTED);
    let more = (more > 0).then(|| format!("and {more} more"));
    for (n, line) in lines.into_iter().take(MAX_LISTED).chain(more).enumerate() {
        let title = if n == 0 { format!("\n{title}:\n") } else { String::new() };
        let _ = writeln!(out, "{title}  {}", printable_line(&line));
    }
}

/// Makes a line with file names safe to show: the text is read in terminals and e-mails.
fn printable_line(line: &str) -> String {
    io::name(line.as_ref())
}

/// Returns the paths of the summary of a day: text and JSON.
pub fn paths(output: &Path, date: &str) -> [PathBuf; 2] {
    ["txt", "json"].map(|extension| output.join(format!("summary-{date}.{extension}")))
}

/// Returns the current date in UTC.
pub fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    date(seconds / DAY_S)
}

/// Returns the Gregorian date of a day counted from 1970-01-01.
fn date(days: u64) -> String {
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(is_leap(year)) {
        left -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let months = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= months[month] {
        left -= months[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_text_command_no_terminal() {
        let mut out = String::new();
        let names = ["a\u{1b}]0;x\u{7}.wav", "b\nc.wav", "\u{202e}gpj.exe", "ü.wav"].map(str::to_owned);
        list(&mut out, "New", names.to_vec());
        let shown = ["a\u{fffd}]0;x\u{fffd}.wav", "b\u{fffd}c.wav", "\u{fffd}gpj.exe", "ü.wav"];
        assert_eq!(out, format!("\nNew:\n  {}\n", shown.join("\n  ")));
    }

    #[test]
    fn days_have_their_dates() {
        let days = [0, 59, 11_016, 11_017, 20_787, 47_541];
        let dates = ["1970-01-01", "1970-03-01", "2000-02-29", "2000-03-01", "2026-11-30", "2100-03-01"];
        assert_eq!(days.map(date), dates);
    }
}
