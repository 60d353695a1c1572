//! Reads a plan from a CSV or JSON file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum as _;
use serde_json::{Map, Value};

use crate::batch::inputs::{Found, tree_path};
use crate::batch::plan::{Plan, Request, named_output};
use crate::batch::settings::Settings;
use crate::error::Error;
use crate::io::output_spec::Format;
use crate::request::naming::NamePattern;
use crate::request::settings::{DIRECTIONS, MasterSettings};

/// Separator of several values in one CSV cell. If it also separates the columns, such a cell must be quoted.
const SEPARATOR: char = ';';

/// Column separators that spreadsheets write.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// A row: the name of each column with its values. Empty cells are left out.
type Row = Vec<(String, Vec<String>)>;

/// Reads the plan in `path`: JSON if it ends with .json, otherwise CSV. Settings missing in a row are taken from
/// `settings`. Paths are relative to the plan's folder.
///
/// # Errors
/// The file cannot be read, or a row is invalid: the message names the row and the reason.
pub fn read(path: &Path, settings: &Settings, folder: &Path, pattern: Option<&NamePattern>) -> Result<Plan, Error> {
    let text = crate::io::text::read(path)?;
    let text = text.trim_start_matches('\u{feff}');
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let wrong = |cause: String| Error::Usage(format!("{}: {cause}", path.display()));
    let rows = if is_json { json_rows(text) } else { csv_rows(text) }.map_err(wrong)?;
    let base = path.parent().unwrap_or(Path::new(""));
    // Most rows have the settings of the row before: they are checked once and shared.
    let mut shared: Option<Arc<Settings>> = None;
    let requests = rows.into_iter().map(|(name, row)| {
        let in_row = |cause: String| wrong(format!("{name}: {cause}"));
        let (found, output, settings) = request(&row, settings, base).map_err(in_row)?;
        let settings = match &shared {
            Some(known) if **known == settings => Arc::clone(known),
            _ => {
                settings.check().map_err(|e| in_row(e.to_string()))?;
                Arc::clone(shared.insert(Arc::new(settings)))
            }
        };
        Ok(Request { found, output, settings })
    });
    Plan::new(requests.collect::<Result<_, Error>>()?, folder, pattern)
}

/// Returns the song of a row, its master if the row names it, and its settings.
fn request(row: &Row, settings: &Settings, base: &Path) -> Result<(Found, Option<PathBuf>, Settings), String> {
    let mut settings = settings.clone();
    let (mut input, mut output, mut format) = (None, None, None);
    let directions: Vec<_> = row.iter().map(|(column, _)| column.as_str()).filter(|c| DIRECTIONS.contains(c)).collect();
    if directions.len() > 1 {
        return Err(format!("{}: only one of them can be", directions.join(", ")));
    }
    for (column, values) in row {
        let in_column = |e: String| format!("{column}: {e}");
        match (column.as_str(), values.as_slice()) {
            ("input", [path]) => input = Some(path),
            ("output", [path]) => {
                output = Some(named_output(path).map_err(in_column)?);
            }
            ("input" | "output", _) => return Err(in_column("takes one path".to_owned())),
            ("format", [name]) => format = Some(format_of(name).map_err(in_column)?),
            ("format", _) => return Err(in_column("takes one value".to_owned())),
            _ => settings.set(column, values, base).map_err(in_column)?,
        }
    }
    let named = output.as_ref().map(|(_, format)| *format);
    if let Some((named, asked)) = named.zip(format).filter(|(named, asked)| named != asked) {
        return Err(format!("output is the name of a {named}, and format asks for {asked}"));
    }
    settings.format = named.or(format).unwrap_or(settings.format);
    let output = output.map(|(path, _)| path);
    let input = Path::new(input.ok_or("the input is missing")?);
    let found = Found { path: base.join(input), relative: tree_path(input), problem: None };
    Ok((found, output, settings))
}

fn format_of(name: &str) -> Result<Format, String> {
    Format::from_str(name, true).map_err(|_| format!("{name:?} is none of wav, flac, mp3, opus"))
}

/// Normalizes a column name: `max-limiting-db` and `max_limiting_db` are the same column.
fn column(name: &str) -> String {
    name.trim().to_lowercase().replace('-', "_")
}

fn csv_rows(text: &str) -> Result<Vec<(String, Row)>, String> {
    let head = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| head.bytes().filter(|byte| *byte == delimiter).count();
    // The most frequent delimiter in the head; on a tie, the first in the list.
    let delimiter = DELIMITERS.into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',');
    let mut builder = csv::ReaderBuilder::new();
    let mut reader = builder.trim(csv::Trim::All).delimiter(delimiter).from_reader(text.as_bytes());
    let names = reader.headers().map_err(|e| e.to_string())?.iter().map(column);
    let columns: Vec<(String, bool)> = names.map(|name| (name.clone(), MasterSettings::takes_several(&name))).collect();
    let mut lines = Lines { text, at: 0, number: 1 };
    let rows = reader.records().map(|record| {
        let record = record.map_err(|e| e.to_string())?;
        let name = format!("line {}", record.position().map_or(0, |position| lines.number_at(position.byte())));
        let cells = columns.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        let values = |takes_several: bool, cell: &str| match takes_several {
            true => cell.split(SEPARATOR).map(|value| value.trim().to_owned()).filter(|v| !v.is_empty()).collect(),
            false if delimiter != b',' => vec![with_decimal_point(cell)],
            false => vec![cell.to_owned()],
        };
        Ok((name, cells.map(|((column, several), cell)| (column.clone(), values(*several, cell))).collect()))
    });
    rows.collect()
}

/// Counts the lines of a text. The reader of CSV counts them itself, but names the line before where lines end as on Windows,
/// or are empty.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    number: usize,
}

impl Lines<'_> {
    /// Returns the number of the first line that is not empty from `byte` on. Bytes must not become smaller.
    fn number_at(&mut self, byte: u64) -> usize {
        let bytes = self.text.as_bytes();
        let start = usize::try_from(byte).unwrap_or(usize::MAX).clamp(self.at, bytes.len());
        let ends = bytes[start..].iter().take_while(|byte| [b'\r', b'\n'].contains(byte)).count();
        self.number += bytes[self.at..start + ends].iter().filter(|byte| **byte == b'\n').count();
        self.at = start + ends;
        self.number
    }
}

/// Converts a number with a decimal comma, which spreadsheets write where columns have other separators: `-9,5`
/// becomes `-9.5`, and `1,5:linear` becomes `1.5:linear`.
fn with_decimal_point(cell: &str) -> String {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_fraction = |text: &str| is_number(text.split(':').next().unwrap_or_default());
    match cell.split_once(',') {
        Some((whole, part)) if is_number(whole.trim_start_matches(['-', '+'])) && is_fraction(part) => {
            format!("{whole}.{part}")
        }
        _ => cell.to_owned(),
    }
}

fn json_rows(text: &str) -> Result<Vec<(String, Row)>, String> {
    let rows: Vec<Map<String, Value>> =
        serde_json::from_str(text).map_err(|e| format!("not a list of objects: {e}"))?;
    let rows = rows.into_iter().enumerate().map(|(n, row)| {
        let name = format!("song {}", n + 1);
        let cells = row.into_iter().filter(|(_, value)| !value.is_null());
        let row = cells.map(|(key, value)| match values(&value) {
            Some(values) => Ok((column(&key), values)),
            None => Err(format!("{name}: {key}: {value} is no value")),
        });
        Ok((name.clone(), row.collect::<Result<_, String>>()?))
    });
    rows.collect()
}

/// Converts a JSON value to the values of a cell: a text, a number, true or false, a list of these, or an object of
/// these, whose members become `key=value`.
fn values(value: &Value) -> Option<Vec<String>> {
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is_so) => Some(is_so.to_string()),
        _ => None,
    };
    match value {
        Value::Array(list) => list.iter().map(plain).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| Some(format!("{key}={}", plain(value)?))).collect(),
        value => Some(vec![plain(value)?]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::batch::settings::defaults;
    use crate::request::delivery::LoudnessTarget;

    fn plan(name: &str, text: &str) -> Result<Plan, Error> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("space");
        read(&path, &defaults(), Path::new("out"), None)
    }

    #[test]
    fn csv_and_json_say_the_same() {
        let csv = "\u{feff}input,output,Loudness,reference,set,max-limiting-db\n\
                   a.wav,loud/a.flac,-9,r.wav:2; s.wav,limiter.release_ms=80,4\nsub/b.wav,,,,,\n";
        let json = r#"[{"input": "a.wav", "output": "loud/a.flac", "loudness": -9, "reference": ["r.wav:2", "s.wav"],
            "set": {"limiter.release_ms": 80}, "max_limiting_db": 4}, {"input": "sub/b.wav", "loudness": null}]"#;
        for (name, text) in [("plan.csv", csv), ("plan.json", json)] {
            let plan = plan(name, text).unwrap_or_else(|e| panic!("{e}"));
            let [first, second] = &plan.items[..] else { panic!("two songs") };
            assert_eq!((&*first.output, &*second.output), (Path::new("loud/a.flac"), Path::new("sub/b.wav")), "{name}");
            let wanted = &first.settings.master.delivery;
            assert_eq!((wanted.loudness, wanted.max_limiting_db), (Some(LoudnessTarget::Lufs(-9.0)), Some(4.0)));
            let references = &first.settings.master.references;
            assert!(references[0].path.is_absolute() && references[0].weight == 2.0 && references.len() == 2, "{name}");
            assert_eq!(first.settings.master.values, ["limiter.release_ms=80".parse().expect("a setting")]);
            assert!(
                second.settings.master.references.is_empty() && second.settings.master.delivery.loudness.is_none(),
                "{name}"
            );
        }
    }

    #[test]
    fn an_error_names_its_line_whatever_ends_the_lines() {
        for end in ["\n", "\r\n"] {
            let text = ["input,loudness", "", "a.wav,-9", "b.wav,loud", ""].join(end);
            let error = plan("plan.csv", &text).expect_err("no loudness").to_string();
            assert!(error.contains("line 4: loudness"), "{error}");
        }
        let fade = plan("plan.csv", "input;fade_out\r\na.wav;1,5:linear\r\n").unwrap_or_else(|e| panic!("{e}"));
        let of_one = plan("plan.csv", "input,fade_out\na.wav,1.5:linear\n").unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(fade.items[0].settings, of_one.items[0].settings);
    }

    #[test]
    fn a_spreadsheet_of_any_country_says_the_same() {
        for text in [
            "input,loudness,reference,output\na.wav,-9.5,r.wav;s.wav,\"x,y.wav\"\n",
            "\u{feff}input;loudness;reference;output\r\na.wav;-9,5;\"r.wav;s.wav\";x,y.wav\r\n",
            "input\tloudness\treference\toutput\na.wav\t-9,5\tr.wav;s.wav\tx,y.wav\n",
        ] {
            let plan = plan("plan.csv", text).unwrap_or_else(|e| panic!("{text}: {e}"));
            let [song] = &plan.items[..] else { panic!("one song") };
            assert_eq!(song.settings.master.delivery.loudness, Some(LoudnessTarget::Lufs(-9.5)), "{text}");
            assert_eq!((song.settings.master.references.len(), &*song.output), (2, Path::new("x,y.wav")), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_plan_or_a_usage_error(text in "(input|output|loudness|[,;\t\"\r\n{}\\[\\]:a-z0-9.=-]|\\PC){0,60}") {
            for name in ["plan.csv", "plan.json"] {
                if let Err(error) = plan(name, &text) {
                    prop_assert!(matches!(error, Error::Usage(_)), "{error}");
                }
            }
        }

        #[test]
        fn a_table_says_the_same_with_any_delimiter(
            rows in prop::collection::vec(("[a-z][a-z ,;\t\"=ü]{0,8}", -300_i32..-10), 1..6),
        ) {
            for delimiter in DELIMITERS {
                let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
                writer.write_record(["input", "output", "loudness"]).expect("memory");
                for (n, (input, tenths)) in rows.iter().enumerate() {
                    let loudness = f64::from(*tenths) / 10.0;
                    writer.write_record([input.trim(), &format!("{n}.wav"), &loudness.to_string()]).expect("memory");
                }
                let text = String::from_utf8(writer.into_inner().expect("memory")).expect("text");
                let plan = plan("plan.csv", &text).unwrap_or_else(|e| panic!("{text}: {e}"));
                prop_assert_eq!(plan.items.len(), rows.len());
                for (item, (input, tenths)) in plan.items.iter().zip(&rows) {
                    prop_assert!(item.input.ends_with(input.trim()), "{:?} {text}", item.input);
                    let loudness = LoudnessTarget::Lufs(f64::from(*tenths) / 10.0);
                    prop_assert_eq!(item.settings.master.delivery.loudness, Some(loudness));
                }
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let cases = [
            ("plan.csv", "input,colour\na.wav,red\n", "line 2: colour: unknown"),
            ("plan.csv", "input,loudness\na.wav,-9\nb.wav,loud\n", "line 3: loudness: \"loud\""),
            ("plan.csv", "input,ceiling\na.wav,7\n", "line 2: "),
            ("plan.csv", "output\na.wav\n", "line 2: the input is missing"),
            ("plan.csv", "input,output\na.wav,../b.wav\n", "line 2: output: \"../b.wav\" leads out"),
            ("plan.csv", "input,output\na.wav,b.m4a\n", "none of .wav, .flac, .mp3 and .opus"),
            ("plan.json", r#"[{"input": "a.wav", "rate": [1, 2]}]"#, "song 1: rate: takes one value"),
            ("plan.json", r#"{"input": "a.wav"}"#, "not a list of objects"),
            ("plan.json", r#"[{"input": "a.wav", "bits": [null]}]"#, "song 1: bits: [null] is no value"),
        ];
        for (name, text, words) in cases {
            let error = plan(name, text).expect_err(words);
            assert!(matches!(error, Error::Usage(_)) && error.to_string().contains(words), "{words}: {error}");
        }
    }
}
