//! Whether the list keeps its promises: every cell legal, every licence allowed, every artist in one split.

use std::collections::BTreeMap;
use std::path::Path;

use crate::croissant::{self, Files, describe};
use crate::error::Error;
use crate::finding::Finding;
use crate::schema::Schema;
use crate::table::{Row, Table, read};
use crate::{artist, licence, source};

/// Digits of the hash that make an id.
const ID_DIGITS: usize = 12;

/// A list that was read and looked at.
#[derive(Debug)]
pub struct Checked {
    /// Without rows where the columns are wrong.
    pub table: Table,
    /// What there is to mend, in the order of the file.
    pub findings: Vec<Finding>,
}

/// A list whose columns are right.
#[derive(Debug)]
pub struct List {
    /// The rows.
    pub table: Table,
    /// What cells may hold.
    pub schema: Schema,
    /// The text that `croissant.json` should have.
    pub croissant: String,
}

/// Checks `manifest.csv` against `schema.json` and `croissant.json`, all three in `folder`.
///
/// # Errors
/// One of them cannot be read, or is no table and no JSON.
pub fn check_folder(folder: &Path) -> Result<Checked, Error> {
    let List { table, schema, croissant: expected } = match read_folder(folder)? {
        Ok(read) => read,
        Err(findings) => return Ok(Checked { table: Table::default(), findings }),
    };
    let mut findings = check(&table, &schema);
    let path = folder.join(croissant::FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(Error::Io { path, source }),
    };
    findings.extend(croissant::check(&text, &expected));
    Ok(Checked { table, findings })
}

/// Reads the list, or what is wrong with its columns.
///
/// # Errors
/// As [`check_folder`].
pub fn read_folder(folder: &Path) -> Result<Result<List, Vec<Finding>>, Error> {
    let (manifest_path, schema_path) = (folder.join(Table::FILE), folder.join(Schema::FILE));
    let (manifest, schema_text) = (read(&manifest_path)?, read(&schema_path)?);
    let schema = Schema::parse(&schema_text, &schema_path)?;
    let parsed = Table::parse(&manifest, schema.columns());
    Ok(parsed.map_err(|source| Error::Csv { path: manifest_path, source })?.map(|table| {
        let croissant = describe(&table, &schema, Files { manifest: &manifest, schema: &schema_text });
        List { table, schema, croissant }
    }))
}

/// Checks the rows, each for itself and all together.
pub fn check(table: &Table, schema: &Schema) -> Vec<Finding> {
    let mut findings: Vec<Finding> = table.rows.iter().flat_map(|row| check_row(row, schema)).collect();
    let remedy = "take one of the rows out";
    findings.extend(twice(table, "id", remedy, |row| row.id.clone()));
    findings.extend(twice(table, "sha256", remedy, |row| row.sha256.clone()));
    findings.extend(twice(table, "file", "rename one of the files", |row| row.file.to_lowercase()));
    findings.extend(twice(table, "title of the artist", "take one out, or number them as in \"Title (1)\"", |row| {
        format!("{}\n{}", artist::key(&row.artist), row.title.to_lowercase())
    }));
    findings.extend(artists(table));
    findings
}

fn check_row(row: &Row, schema: &Schema) -> Vec<Finding> {
    let serde_json::Value::Object(cells) = serde_json::to_value(row).expect("cells are strings") else {
        unreachable!("a row is an object");
    };
    let mut wrong: Vec<(String, String)> = Vec::new();
    // What is wrong with a licence, `licence::find` tells better.
    for column in schema.columns().iter().filter(|column| *column != "licence") {
        wrong.extend(schema.complaint(column, cells[column].as_str().unwrap_or_default()));
    }
    let mut tell = |cause: String, remedy: &str| wrong.push((cause, remedy.to_owned()));
    let is_hash = row.sha256.len() == 64 && row.sha256.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hash {
        tell(format!("sha256 is {:?}", row.sha256), "write the 64 digits that sha256sum gives");
    } else if row.id != row.sha256[..ID_DIGITS] {
        tell(format!("id is {:?}", row.id), &format!("write {}, as sha256 begins", &row.sha256[..ID_DIGITS]));
    }
    match licence::find(&row.licence) {
        Err(cause) => tell(cause, "write the SPDX identifier of its licence, or take the row out"),
        Ok(licence) if row.licence_url != licence.url => {
            tell(format!("licence_url is {:?}", row.licence_url), &format!("write {}", licence.url));
        }
        Ok(_) => {}
    }
    if let Some(cause) = source::complaint(&row.source) {
        tell(format!("source: {cause}"), "write where everyone can reach the music, as it was taken");
    }
    if let (Ok(rate), Ok(bandwidth)) = (row.sample_rate_hz.parse::<u32>(), row.bandwidth_hz.parse::<u32>())
        && bandwidth > rate / 2
    {
        tell(format!("bandwidth_hz {bandwidth} is above half of sample_rate_hz {rate}"), "measure it again");
    }
    if file_parts(row).is_none_or(|(genre, _)| genre != row.genre) {
        tell(format!("file is {:?}", row.file), &format!("name it {}__artist__title.ext", row.genre));
    }
    wrong.into_iter().map(|(cause, remedy)| Finding::new(row.place(), cause, remedy)).collect()
}

/// Genre and artist as `dataset` reads them from a file's name.
fn file_parts(row: &Row) -> Option<(&str, &str)> {
    let (stem, extension) = row.file.rsplit_once('.')?;
    let parts: Vec<&str> = stem.split("__").collect();
    let whole = parts.iter().chain([&extension]).all(|part| !part.is_empty()) && !row.file.contains(['/', '\\']);
    match parts.as_slice() {
        [genre, artist, _] if whole => Some((genre, artist)),
        _ => None,
    }
}

/// Rows whose key an earlier row has.
fn twice(table: &Table, what: &str, remedy: &str, key: impl Fn(&Row) -> String) -> Vec<Finding> {
    let mut first: BTreeMap<String, u64> = BTreeMap::new();
    let mut findings = Vec::new();
    for row in &table.rows {
        match first.get(&key(row)) {
            Some(line) => {
                findings.push(Finding::new(row.place(), format!("{what} is that of line {line} as well"), remedy));
            }
            None => {
                first.insert(key(row), row.line);
            }
        }
    }
    findings
}

/// An artist is in one split, spelled in one way, and has one name in file names.
fn artists(table: &Table) -> Vec<Finding> {
    let mut first: BTreeMap<String, &Row> = BTreeMap::new();
    let mut findings = Vec::new();
    for row in &table.rows {
        let earlier = first.entry(artist::key(&row.artist)).or_insert(row);
        let mut tell = |cause: String, remedy: String| findings.push(Finding::new(row.place(), cause, remedy));
        let line = earlier.line;
        if row.split != earlier.split {
            let cause = format!("{} is in {} here and in {} in line {line}", row.artist, row.split, earlier.split);
            tell(cause, "keep all rows of an artist in one split".to_owned());
        }
        if row.artist != earlier.artist {
            let cause = format!("artist {:?} is spelled {:?} in line {line}", row.artist, earlier.artist);
            tell(cause, "spell it in one way".to_owned());
        }
        if let (Some((_, here)), Some((_, there))) = (file_parts(row), file_parts(earlier))
            && here != there
        {
            let cause = format!("the artist is {here:?} in the file's name and {there:?} in line {line}");
            tell(cause, "name the files alike, or `dataset` takes them for two".to_owned());
        }
    }
    findings
}
