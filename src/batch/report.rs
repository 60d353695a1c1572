//! The report of a batch: every song exactly once, in the plan's order, as JSON and as a table.
//!
//! The JSON has one song per line, so that reports of any length are written, joined and searched without holding them
//! in memory.

use std::io::{self, BufRead as _, Read as _};
use std::path::{Path, PathBuf};

use analyzer::profile::Profile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_width::UnicodeWidthChar as _;

use crate::batch::outcome::{Outcome, Summary};
use crate::batch::plan::{Plan, Shard};
use crate::batch::record::{MadeFrom, Records};
use crate::batch::references::UnusableRecord;
use crate::error::{Cause, Error};
use crate::io::regular::open_regular;
use crate::io::text;
use crate::render::promises::Verdict;
use crate::report::Report;
use crate::report::album::{AlbumReport, StaleCueSheets, WithoutCueSheet};

/// Version of the report; raised when the meaning of a field changes.
const BATCH_REPORT_VERSION: u32 = 3;

/// Text between the head and the first song.
const OPENING: &str = ",\"songs\":[\n";
/// Text after the last song.
const CLOSING: &str = "]}\n";

/// Everything in the report but the songs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub version: u32,
    pub program: String,
    /// Hash of the whole plan.
    pub plan: String,
    /// Number of masters in the whole plan
    pub plan_songs: usize,
    /// The part of the plan in this report, as its number from 1 and the number of parts; none for a whole plan.
    pub shard: Option<(usize, usize)>,
    /// Counts of the songs that follow, by outcome.
    pub summary: Summary,
    /// The albums that the songs make up.
    pub albums: Vec<AlbumReport>,
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

/// The JSON report of a batch.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes what is written song by song")]
pub struct BatchReport {
    #[serde(flatten)]
    head: Head,
    songs: Vec<Entry>,
}

/// One master of the plan.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Position in the plan, from 0.
    pub index: usize,
    input: String,
    output: String,
    pub status: Status,
    /// Kind of the failure of a song without a master.
    #[serde(default)]
    code: Option<String>,
    /// Why it has no master: what happened and what to do.
    cause: Option<String>,
    made_from: Option<MadeFrom>,
    output_hash: Option<String>,
    /// Measurements of the mix.
    profile: Option<Box<Profile>>,
    /// The report of its master.
    report: Option<Box<Report>>,
}

/// [`Outcome`] without its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Mastered,
    Unchanged,
    Failed,
    FailedAgain,
    Changing,
    Left,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Mastered => "mastered",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::FailedAgain => "failed_again",
            Self::Changing => "changing",
            Self::Left => "left",
        }
    }
}

/// Returns the paths of a plan's reports: JSON and CSV.
pub fn paths(output: &Path, shard: Option<Shard>) -> [PathBuf; 2] {
    let name = shard.map_or_else(|| "report".to_owned(), |Shard { number, of }| format!("report.{number}-of-{of}"));
    ["json", "csv"].map(|extension| output.join(format!("{name}.{extension}")))
}

/// Refuses to replace a file that is not the report of a batch.
///
/// # Errors
/// The file exists and is something else.
pub fn check(path: &Path) -> Result<(), Error> {
    if std::fs::metadata(path).is_err() {
        return Ok(());
    }
    let mut lines = io::BufReader::new(open_regular(path)?);
    let start = lines.fill_buf().unwrap_or_default();
    // Check the start first: the first line of another file may be as long as the file.
    let is_ours = match start {
        start if start.starts_with(b"{\"version\":") => {
            next_line(&mut lines).is_ok_and(|line| line.ends_with(OPENING.as_bytes()))
        }
        start => start.is_empty() || start.starts_with(b"index,input,output,status,"),
    };
    if is_ours { Ok(()) } else { Err(crate::io::Error::Exists { path: path.to_owned() }.into()) }
}

/// Most bytes of a line: a song's line holds curves over time, and the head holds the reports of albums.
const MAX_LINE_BYTES: u64 = 256 << 20;

/// Returns the next line including its line break, or as much of it as there is.
pub(super) fn next_line(lines: &mut impl io::BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    lines.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// Returns the albums in the report that lies in `output`; none if it cannot be read.
pub(super) fn albums(output: &Path) -> Vec<AlbumReport> {
    let [json, _] = paths(output, None);
    let head = open_regular(&json).ok().and_then(|file| parse_head(&next_line(&mut io::BufReader::new(file)).ok()?));
    head.map_or_else(Vec::new, |head| head.albums)
}

/// Findings of a batch besides the outcome of each song.
#[derive(Clone, Copy)]
pub(super) struct Findings<'a> {
    /// The albums, in order.
    pub albums: &'a [AlbumReport],
    /// Albums without the cue sheet that was asked for.
    pub without_cue_sheet: &'a [WithoutCueSheet],
    /// Cue sheets of earlier runs that are no longer written.
    pub stale_cue_sheets: &'a [StaleCueSheets],
    /// Records of the reference folder that were left out.
    pub unusable_records: &'a [UnusableRecord],
}

/// Writes the JSON report and the table.
///
/// # Errors
/// A file cannot be written.
pub(super) fn write(
    plan: &Plan,
    output: &Path,
    records: &Records,
    outcomes: &[Outcome],
    findings: Findings,
) -> Result<(), Error> {
    let Findings { albums, without_cue_sheet, stale_cue_sheets, unusable_records } = findings;
    let head = Head {
        version: BATCH_REPORT_VERSION,
        program: concat!("goldmaster ", env!("CARGO_PKG_VERSION")).to_owned(),
        plan: plan.hash.clone(),
        plan_songs: plan.songs,
        shard: plan.shard.map(|shard| (shard.number, shard.of)),
        summary: plan.summary(outcomes),
        albums: albums.to_vec(),
        without_cue_sheet: without_cue_sheet.to_vec(),
        stale_cue_sheets: stale_cue_sheets.to_vec(),
        unusable_records: unusable_records.to_vec(),
    };
    let entries = plan.items.iter().zip(outcomes).map(|(item, outcome)| {
        let (status, cause) = match outcome {
            Outcome::Mastered { .. } => (Status::Mastered, None),
            Outcome::Unchanged => (Status::Unchanged, None),
            Outcome::Failed(cause) => (Status::Failed, Some(cause)),
            Outcome::FailedAgain(cause) => (Status::FailedAgain, Some(cause)),
            Outcome::Changing(cause) => (Status::Changing, Some(cause)),
            Outcome::Left => (Status::Left, None),
        };
        let record = outcome.has_master().then(|| records.read(&item.output)).flatten();
        let (made_from, output_hash, profile, report) = match record {
            Some(record) => {
                let (profile, report) = (record.profile().map(Box::new), record.report().map(Box::new));
                (Some(record.made_from), Some(record.output_hash), profile, report)
            }
            None => (None, None, None, None),
        };
        let input = item.input.display().to_string();
        let output = output.join(&item.output).display().to_string();
        let (code, cause) = cause.cloned().map(|Cause { code, sentence }| (code, sentence)).unzip();
        Ok(Entry { index: item.index, input, output, status, code, cause, made_from, output_hash, profile, report })
    });
    write_both(&paths(output, plan.shard), &head, entries)
}

/// Writes a JSON report, and a table of its songs.
pub(super) fn write_both(
    [json, csv]: &[PathBuf; 2],
    head: &Head,
    entries: impl Iterator<Item = io::Result<Entry>>,
) -> Result<(), Error> {
    let mut table = csv_line(&COLUMNS);
    text::write_with(json, true, |file| {
        let head = serde_json::to_string(head)?;
        write!(file, "{}{OPENING}", &head[..head.len() - 1])?;
        for (n, entry) in entries.enumerate() {
            let entry = entry?;
            table.extend(csv_line(&row(&entry)));
            if n > 0 {
                file.write_all(b",\n")?;
            }
            serde_json::to_writer(&mut *file, &entry)?;
        }
        write!(file, "\n{CLOSING}")
    })?;
    Ok(text::write_with(csv, true, |file| file.write_all(&table))?)
}

/// Parses the head in the first line of a report.
pub(super) fn parse_head(line: &[u8]) -> Option<Head> {
    let line = line.strip_suffix(OPENING.as_bytes())?;
    serde_json::from_slice(&[line, b"}"].concat()).ok()
}

/// Parses the song in a further line; returns `None` for the last line.
pub(super) fn parse_entry(line: &str) -> Option<serde_json::Result<Entry>> {
    let line = line.trim_end_matches(['\n', ',']);
    (line != CLOSING.trim_end()).then(|| serde_json::from_str(line))
}

/// Columns of the table.
const COLUMNS: [&str; 18] = [
    "index",
    "input",
    "output",
    "status",
    "cause",
    "target",
    "genre",
    "genre_probability",
    "loudness_before_lufs",
    "loudness_wanted_lufs",
    "loudness_lufs",
    "true_peak_dbtp",
    "loudness_range_lu",
    "drive_db",
    "limiting_db",
    "promises",
    "warnings",
    "code",
];

fn row(entry: &Entry) -> [String; COLUMNS.len()] {
    let report = entry.report.as_deref();
    let figure = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.2}"));
    let of = |value: fn(&Report) -> Option<f64>| figure(report.and_then(value));
    let decision = report.and_then(|report| report.decision.as_ref());
    let genre = decision.and_then(|decision| decision.genre.as_ref());
    let promises = report.map_or(&[][..], |report| &report.promises);
    let worst = promises.iter().map(|promise| promise.verdict).max();
    let short = promises.iter().filter(|promise| promise.verdict == Verdict::Short).map(|promise| &promise.sentence);
    let warnings = report.into_iter().flat_map(|report| &report.warnings).map(|warning| &warning.sentence);
    let notes: Vec<&str> = short.chain(warnings).map(String::as_str).collect();
    [
        entry.index.to_string(),
        text_cell(&entry.input),
        text_cell(&entry.output),
        entry.status.name().to_owned(),
        text_cell(entry.cause.as_deref().unwrap_or_default()),
        text_cell(decision.map_or("", |decision| &decision.target)),
        text_cell(genre.map_or("", |genre| &genre.name)),
        figure(genre.and_then(|genre| genre.probability)),
        of(|report| report.before?.integrated_lufs),
        of(|report| Some(report.wanted.loudness_lufs)),
        of(|report| report.after.integrated_lufs),
        of(|report| Some(report.after.true_peak_dbtp)),
        of(|report| Some(report.after.range_lu)),
        of(|report| Some(report.drive_db)),
        of(|report| Some(report.limiting_db)),
        worst.map(Verdict::name).unwrap_or_default().to_owned(),
        text_cell(&notes.join(" | ")),
        text_cell(entry.code.as_deref().unwrap_or_default()),
    ]
}

/// First characters of a spreadsheet formula, also as full-width forms.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Converts a text to a cell. Spreadsheets run a text that begins like a formula, even behind invisible characters; an
/// apostrophe in front keeps it a text.
pub(super) fn text_cell(text: &str) -> String {
    let is_unseen = |c: char| c.is_whitespace() || c.is_control() || c.width() == Some(0);
    let is_formula = text.trim_start_matches(is_unseen).starts_with(FORMULA) || text.starts_with(['\t', '\r', '\n']);
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if is_formula { format!("'{text}") } else { text }
}

pub(super) fn csv_line<T: AsRef<[u8]>>(cells: &[T]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(cells);
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_in_the_table_is_a_formula() {
        for formula in
            ["=1+2.wav", "+1", "-2+3", "@SUM(A1)", " =1", "\t=1", "\r=1", "\n=1", "\u{200b}=1", "\u{1b}=1", "＝1"]
        {
            assert!(text_cell(formula).starts_with('\''), "{formula:?}");
        }
        assert_eq!(["a-b.wav", "1=2", "", "\u{e9}"].map(text_cell), ["a-b.wav", "1=2", "", "\u{e9}"]);
        assert!(!text_cell("a\nb\u{1b}").contains(char::is_control));
    }
}
