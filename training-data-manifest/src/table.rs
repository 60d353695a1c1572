//! `manifest.csv`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::finding::Finding;

/// One excerpt. Cells are kept as they are written; `schema.json` says what each means.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "schema.json describes every column")]
pub struct Row {
    pub id: String,
    pub file: String,
    pub title: String,
    pub artist: String,
    pub record: String,
    pub genre: String,
    pub genre_source: String,
    pub licence: String,
    pub licence_url: String,
    pub licence_evidence: String,
    pub source: String,
    pub codec: String,
    pub sample_rate_hz: String,
    pub duration_s: String,
    pub bandwidth_hz: String,
    pub sha256: String,
    pub split: String,
    pub note: String,
    /// Line of the file, the header being the first.
    #[serde(skip)]
    pub line: u64,
}

impl Row {
    /// File, line and id, for findings.
    pub fn place(&self) -> String {
        format!("{}:{} ({})", Table::FILE, self.line, if self.id.is_empty() { "no id" } else { &self.id })
    }
}

/// The list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Excerpts, in the order of the file.
    pub rows: Vec<Row>,
}

impl Table {
    /// Name of the file.
    pub const FILE: &'static str = "manifest.csv";

    /// Reads the text of a list with these columns, in this order.
    ///
    /// # Errors
    /// `Ok(Err)`: one finding per column that is missing or unknown. `Err`: it is no table.
    pub fn parse(text: &[u8], columns: &[String]) -> Result<Result<Self, Vec<Finding>>, csv::Error> {
        let mut reader = csv::Reader::from_reader(text);
        let headers = reader.headers()?.clone();
        let mut findings = Vec::new();
        for column in columns.iter().filter(|column| !headers.iter().any(|header| header == *column)) {
            findings.push(Finding::new(Self::FILE, format!("column {column} is missing"), "add it"));
        }
        for header in headers.iter().filter(|header| !columns.iter().any(|column| column == header)) {
            findings.push(Finding::new(Self::FILE, format!("column {header:?} is not in schema.json"), "take it out"));
        }
        if findings.is_empty() && !headers.iter().eq(columns) {
            let order = format!("write them as {}", columns.join(","));
            findings.push(Finding::new(Self::FILE, "columns are not in the order of schema.json", order));
        }
        if !findings.is_empty() {
            return Ok(Err(findings));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record?;
            let mut row: Row = record.deserialize(Some(&headers))?;
            row.line = record.position().map_or(0, csv::Position::line);
            rows.push(row);
        }
        Ok(Ok(Self { rows }))
    }
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::Table;

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn every_wrong_column_is_named() {
        let findings = Table::parse(b"id,tilte\n", &columns(&["id", "title"])).unwrap().unwrap_err();
        let causes: Vec<_> = findings.iter().map(|finding| finding.cause.as_str()).collect();
        assert_eq!(causes, ["column title is missing", "column \"tilte\" is not in schema.json"]);
    }

    #[test]
    fn a_row_with_too_few_cells_is_no_table() {
        assert!(Table::parse(b"id,title\nab\n", &columns(&["id", "title"])).is_err());
    }
}
