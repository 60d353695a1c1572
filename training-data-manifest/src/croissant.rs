//! The list as a Croissant 1.1 description in JSON-LD (MLCommons, "Croissant Format Specification", version 1.1,
//! <http://mlcommons.org/croissant/1.1>).
//!
//! What is distributed is the list itself, so the files of the description are `manifest.csv` and `schema.json`;
//! no audio, and no hash of anything that the list does not hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::artist;
use crate::audio::sha256;
use crate::finding::Finding;
use crate::json::{Json, list, object};
use crate::licence::{self, LICENCES};
use crate::schema::Schema;
use crate::table::Table;

/// Name of the file.
pub const FILE: &str = "croissant.json";

/// Version of the list, and the day it is of. Semantic versioning as section "Version" of the specification has it: a
/// new row or column counts the second number up, a changed or removed row the first.
const VERSION: &str = "2.0.0";
const DATE: &str = "2026-11-30";

/// Terms of Croissant that are written without their prefix: those of the specification's appendix 1 that are used
/// here, and the rest of what its reference reader expects to find declared.
const TERMS: [&str; 29] = [
    "arrayShape",
    "citeAs",
    "column",
    "containedIn",
    "equivalentProperty",
    "extract",
    "field",
    "fileObject",
    "fileProperty",
    "fileSet",
    "format",
    "includes",
    "isArray",
    "isLiveDataset",
    "jsonPath",
    "key",
    "md5",
    "parentField",
    "path",
    "recordSet",
    "references",
    "regex",
    "repeated",
    "replace",
    "samplingRate",
    "separator",
    "source",
    "subField",
    "transform",
];

/// The files that the description speaks of.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// `manifest.csv`.
    pub manifest: &'a [u8],
    /// `schema.json`.
    pub schema: &'a [u8],
}

/// The text of `croissant.json`. Depends on nothing but its arguments.
pub fn describe(table: &Table, schema: &Schema, files: Files<'_>) -> String {
    let description = format!(
        "Which music goldmaster's network was trained on: {} excerpts by {} artists, with sources, licences and \
         hashes. The list only, never audio. `license` is that of the list; the licence of each excerpt is in its row.",
        table.rows.len(),
        table.rows.iter().map(|row| artist::key(&row.artist)).collect::<BTreeSet<_>>().len(),
    );
    let dataset = object([
        ("@context", context()),
        ("@type", "sc:Dataset".into()),
        ("conformsTo", "http://mlcommons.org/croissant/1.1".into()),
        ("name", "goldmaster-training-music".into()),
        ("description", description.into()),
        ("version", VERSION.into()),
        ("datePublished", DATE.into()),
        // The page of the list, relative to this file: the project has no address of its own.
        ("url", "README.md".into()),
        ("license", list(["MIT", "Apache-2.0"].map(|id| format!("https://spdx.org/licenses/{id}.html").into()))),
        ("creator", object([("@type", "sc:Organization".into()), ("name", "The contributors of goldmaster".into())])),
        (
            "citeAs",
            "@misc{goldmaster-training-music, title = {The music that goldmaster's network was trained on}, \
             author = {The contributors of goldmaster}, year = {2026}}"
                .into(),
        ),
        ("keywords", list(["audio", "music", "mastering", "licences", "provenance"].map(Json::from))),
        ("isLiveDataset", false.into()),
        (
            "distribution",
            list([
                file(Table::FILE, "One row per excerpt.", "text/csv", files.manifest),
                file(Schema::FILE, "JSON Schema of a row.", "application/schema+json", files.schema),
            ]),
        ),
        ("recordSet", list([excerpts(schema), licences(table), splits(table)])),
    ]);
    let mut text = serde_json::to_string_pretty(&dataset).expect("strings, counts and truths are JSON");
    text.push('\n');
    text
}

fn context() -> Json {
    let mut entries = vec![
        ("@language".to_owned(), "en".into()),
        ("@vocab".to_owned(), "https://schema.org/".into()),
        ("sc".to_owned(), "https://schema.org/".into()),
        ("cr".to_owned(), "http://mlcommons.org/croissant/".into()),
        ("rai".to_owned(), "http://mlcommons.org/croissant/RAI/".into()),
        ("dct".to_owned(), "http://purl.org/dc/terms/".into()),
        ("conformsTo".to_owned(), "dct:conformsTo".into()),
        ("data".to_owned(), object([("@id", "cr:data".into()), ("@type", "@json".into())])),
        ("dataType".to_owned(), object([("@id", "cr:dataType".into()), ("@type", "@vocab".into())])),
        ("examples".to_owned(), object([("@id", "cr:examples".into()), ("@type", "@json".into())])),
        ("name".to_owned(), object([("@container", "@language".into())])),
        ("description".to_owned(), object([("@container", "@language".into())])),
    ];
    entries.extend(TERMS.map(|term| (term.to_owned(), format!("cr:{term}").into())));
    Json::Object(entries)
}

/// A `FileObject` beside this description.
fn file(name: &str, description: &str, encoding: &str, bytes: &[u8]) -> Json {
    object([
        ("@type", "cr:FileObject".into()),
        ("@id", name.into()),
        ("name", name.into()),
        ("description", description.into()),
        ("contentUrl", name.into()),
        ("contentSize", format!("{} B", bytes.len()).into()),
        ("encodingFormat", encoding.into()),
        ("sha256", sha256(bytes).into()),
    ])
}

fn id(id: &str) -> Json {
    object([("@id", id.into())])
}

fn field(set: &str, name: &str, description: &str, data_type: &str, more: Vec<(String, Json)>) -> Json {
    let head = [
        ("@type", "cr:Field".into()),
        ("@id", format!("{set}/{name}").into()),
        ("name", name.into()),
        ("description", description.into()),
        ("dataType", data_type.into()),
    ];
    Json::Object(head.into_iter().map(|(key, value): (&str, Json)| (key.to_owned(), value)).chain(more).collect())
}

/// The rows, taken from the columns of `manifest.csv`.
fn excerpts(schema: &Schema) -> Json {
    let column = |name: &String| {
        let source = object([("fileObject", id(Table::FILE)), ("extract", object([("column", name.as_str().into())]))]);
        let mut more = vec![("source".to_owned(), source)];
        match name.as_str() {
            "licence" => more.push(("references".to_owned(), object([("field", id("licences/spdx"))]))),
            "split" => more.push(("references".to_owned(), object([("field", id("splits/name"))]))),
            _ => {}
        }
        let data_type = match (name.as_str(), schema.kind(name)) {
            ("licence_url", _) => "sc:URL",
            (_, "integer") => "sc:Integer",
            (_, "number") => "sc:Float",
            _ => "sc:Text",
        };
        field("excerpts", name, schema.description(name), data_type, more)
    };
    object([
        ("@type", "cr:RecordSet".into()),
        ("@id", "excerpts".into()),
        ("name", "excerpts".into()),
        ("description", "One record per excerpt.".into()),
        ("key", id("excerpts/id")),
        ("field", list(schema.columns().iter().map(column))),
    ])
}

/// The licences that occur, with the number of excerpts under each.
fn licences(table: &Table) -> Json {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &table.rows {
        *counts.entry(&row.licence).or_default() += 1;
    }
    let data = LICENCES.iter().filter_map(|licence| counts.get(licence.id).map(|count| (licence, *count))).map(
        |(licence::Licence { id, class, url }, count)| {
            object([
                ("licences/spdx", (*id).into()),
                ("licences/class", class.to_string().into()),
                ("licences/url", (*url).into()),
                ("licences/excerpts", count.into()),
            ])
        },
    );
    object([
        ("@type", "cr:RecordSet".into()),
        ("@id", "licences".into()),
        ("name", "licences".into()),
        ("description", "Licences of the music.".into()),
        ("key", id("licences/spdx")),
        (
            "field",
            list([
                field("licences", "spdx", "SPDX identifier.", "sc:Text", Vec::new()),
                field("licences", "class", "permissive or share-alike.", "sc:Text", Vec::new()),
                field("licences", "url", "Where its text is.", "sc:URL", Vec::new()),
                field("licences", "excerpts", "Excerpts under it.", "sc:Integer", Vec::new()),
            ]),
        ),
        ("data", list(data)),
    ])
}

/// The splits that occur, with the number of excerpts in each.
fn splits(table: &Table) -> Json {
    let kinds = [("train", "cr:TrainingSplit"), ("validation", "cr:ValidationSplit"), ("test", "cr:TestSplit")];
    let data = kinds.into_iter().filter_map(|(name, url)| {
        let count = table.rows.iter().filter(|row| row.split == name).count();
        (count > 0).then(|| {
            object([("splits/name", name.into()), ("splits/url", url.into()), ("splits/excerpts", count.into())])
        })
    });
    object([
        ("@type", "cr:RecordSet".into()),
        ("@id", "splits".into()),
        ("name", "splits".into()),
        ("description", "No artist is in two of them.".into()),
        ("dataType", "cr:Split".into()),
        ("key", id("splits/name")),
        (
            "field",
            list([
                field("splits", "name", "Name of the split.", "sc:Text", Vec::new()),
                field("splits", "url", "What it is for.", "sc:Text", Vec::new()),
                field("splits", "excerpts", "Excerpts in it.", "sc:Integer", Vec::new()),
            ]),
        ),
        ("data", list(data)),
    ])
}

/// Whether `text`, the content of `croissant.json`, is what [`describe`] gives.
pub fn check(text: &str, expected: &str) -> Option<Finding> {
    // What git makes of line ends on some systems is no difference.
    let differs = |pair: &(usize, (Option<&str>, Option<&str>))| pair.1.0 != pair.1.1;
    let end = || std::iter::repeat(None);
    let pairs = text.lines().map(Some).chain(end()).zip(expected.lines().map(Some).chain(end()));
    let longest = text.lines().count().max(expected.lines().count());
    let (line, (_, wanted)) = pairs.take(longest).enumerate().find(differs)?;
    let should = wanted.map_or("the end".to_owned(), |wanted| format!("`{}`", wanted.trim()));
    let cause = format!("is not in step with {} and {}: {should} is due here", Table::FILE, Schema::FILE);
    Some(Finding::new(format!("{FILE}:{}", line + 1), cause, "write it anew with `goldmaster-manifest croissant`"))
}
