//! Merges the reports of the shards of a plan into the report that a single run would have written.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use crate::batch::outcome::Summary;
use crate::batch::references::UnusableRecord;
use crate::batch::report::{Entry, Head, check, next_line, parse_entry, parse_head, write_both};
use crate::error::Error;
use crate::io::regular::open_regular;

/// Most missing shards that a message lists.
const MAX_LISTED: usize = 8;

/// A report that is read song by song.
struct Part {
    path: PathBuf,
    head: Head,
    lines: BufReader<File>,
    next: Option<Entry>,
}

impl Part {
    fn open(path: &Path) -> Result<Self, Error> {
        let failed = |e: io::Error| crate::io::Error::reading(path, &e);
        let mut lines = BufReader::new(open_regular(path)?);
        let line = next_line(&mut lines).map_err(failed)?;
        let Some(head) = parse_head(&line) else {
            return Err(Error::Usage(format!("{}: not a report as goldmaster batch writes it", path.display())));
        };
        let mut part = Self { path: path.to_owned(), head, lines, next: None };
        part.advance().map_err(failed)?;
        Ok(part)
    }

    /// Returns the next song and reads the one after it.
    fn advance(&mut self) -> io::Result<Option<Entry>> {
        let line = String::from_utf8(next_line(&mut self.lines)?).map_err(io::Error::other)?;
        if !line.ends_with('\n') {
            return Err(io::Error::other("it ends too early"));
        }
        let next = if line == "\n" { None } else { parse_entry(&line).transpose()? };
        Ok(std::mem::replace(&mut self.next, next))
    }
}

/// Merges `reports`, which together cover all shards of one plan, into `output` and a table beside it.
///
/// # Errors
/// The reports belong to different plans or programs, a song is missing or repeated, or the output cannot be written.
pub fn merge(reports: &[PathBuf], output: &Path) -> Result<Summary, Error> {
    let outputs = [output.to_owned(), output.with_extension("csv")];
    outputs.iter().try_for_each(|path| check(path))?;
    let mut parts = reports.iter().map(|path| Part::open(path)).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = parts.first() else { return Err(Error::Usage("there is no report to join".to_owned())) };
    let common =
        |head: &Head| Head { shard: None, summary: Summary::default(), unusable_records: Vec::new(), ..head.clone() };
    if let Some(other) = parts.iter().find(|part| common(&part.head) != common(&first.head)) {
        let (first, other) = (first.path.display(), other.path.display());
        return Err(Error::Usage(format!("{first} and {other} are of different plans or programs")));
    }
    let summary = parts.iter().fold(Summary::default(), |sum, part| sum + part.head.summary);
    let mut unusable_records: Vec<UnusableRecord> = Vec::new();
    for record in parts.iter().flat_map(|part| &part.head.unusable_records) {
        if !unusable_records.contains(record) {
            unusable_records.push(record.clone());
        }
    }
    let head = Head { summary, unusable_records, ..common(&first.head) };
    complete(&parts)?;
    let entries = (0..head.plan_songs).map(|index| {
        let part = parts.iter_mut().find(|part| part.next.as_ref().is_some_and(|entry| entry.index == index));
        let entry = match part {
            Some(part) => part.advance().map_err(|e| io::Error::other(format!("{}: {e}", part.path.display())))?,
            None => None,
        };
        if index + 1 == head.plan_songs && parts.iter().any(|part| part.next.is_some()) {
            return Err(io::Error::other("the reports have more songs than the plan"));
        }
        entry.ok_or_else(|| io::Error::other(format!("song {index} is in none of the reports")))
    });
    write_both(&outputs, &head, entries)?;
    Ok(head.summary)
}

/// Checks that every shard is present exactly once.
fn complete(parts: &[Part]) -> Result<(), Error> {
    let Some((_, of)) = parts[0].head.shard else {
        return match parts {
            [_] => Ok(()),
            _ => Err(Error::Usage(format!("{} is the report of a whole plan", parts[0].path.display()))),
        };
    };
    let numbers: BTreeSet<usize> = parts.iter().filter_map(|part| part.head.shard.map(|(number, _)| number)).collect();
    // The count comes from the file and may be anything: never collect that many names.
    let mut missing = (1..=of).filter(|n| !numbers.contains(n)).map(|n| format!("{n}/{of}"));
    let listed: Vec<String> = missing.by_ref().take(MAX_LISTED).collect();
    if !listed.is_empty() {
        let more = if missing.next().is_some() { " and more" } else { "" };
        return Err(Error::Usage(format!("the report of {}{more} is missing", listed.join(", "))));
    }
    match parts.len() {
        reports if reports == of => Ok(()),
        reports => Err(Error::Usage(format!("{reports} reports are given, but there are {of} parts: give each once"))),
    }
}
