//! The shipped list is in order, and whatever could be wrong with it is told.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use manifest::audio::sha256;
use manifest::check::{List, check, check_folder, read_folder};
use manifest::licence::{LICENCES, find};
use manifest::schema::Schema;
use manifest::table::{Row, Table};

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shipped() -> (Table, Schema) {
    let List { table, schema, .. } = read_folder(folder()).unwrap().unwrap();
    (table, schema)
}

/// A copy of the list, with `manifest.csv` changed.
fn changed(change: impl Fn(&str) -> String) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["manifest.csv", "schema.json", "croissant.json"] {
        let text = std::fs::read_to_string(folder().join(name)).unwrap();
        let text = if name == "manifest.csv" { change(&text) } else { text };
        std::fs::write(copy.path().join(name), text).unwrap();
    }
    copy
}

fn run(list: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_goldmaster-manifest"));
    let Output { status, stdout, stderr } =
        Command::new(program).arg("--manifest").arg(list).args(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_shipped_list_is_in_order() {
    let found = check_folder(folder()).unwrap();
    let printed: Vec<_> = found.findings.iter().map(ToString::to_string).collect();
    assert_eq!(printed, [""; 0]);
    assert!(!found.table.rows.is_empty());
}

#[test]
fn schema_rows_and_licences_name_the_same_things() {
    let (_, schema) = shipped();
    let row = serde_json::to_string(&Row::default()).unwrap();
    let places: Vec<_> = schema.columns().iter().map(|column| row.find(&format!("{column:?}:")).unwrap()).collect();
    assert!(places.is_sorted() && row.matches(':').count() == places.len(), "{row}");
    for licence in LICENCES {
        assert_eq!(schema.complaint("licence", licence.id), None);
    }
    let text = std::fs::read_to_string(folder().join(Schema::FILE)).unwrap();
    let text: serde_json::Value = serde_json::from_str(&text).unwrap();
    let listed = text["properties"]["licence"]["enum"].as_array().unwrap();
    assert!(listed.iter().all(|id| find(id.as_str().unwrap()).is_ok()), "{listed:?}");
}

#[test]
fn every_defect_is_told_with_its_line() {
    type Change = fn(&mut Row);
    let cases: [(Change, &[&str]); 17] = [
        (|row| row.id = "0123456789ab".into(), &["id is"]),
        (|row| row.sha256.make_ascii_uppercase(), &["sha256 is"]),
        (|row| row.title.clear(), &["title is empty"]),
        (|row| row.genre = "polka".into(), &["genre is", "file is"]),
        (|row| row.genre_source.clear(), &["genre_source is empty"]),
        (|row| row.licence = "CC-BY-NC-4.0".into(), &["forbids commercial use"]),
        (|row| row.licence = "CC-BY-ND-4.0".into(), &["forbids adaptations"]),
        (|row| row.licence = "Proprietary".into(), &["not among the licences"]),
        (|row| row.licence_url = "https://example.org/".into(), &["licence_url is"]),
        (|row| row.source = "a friend".into(), &["source:"]),
        (|row| row.codec = "wma".into(), &["codec is"]),
        (|row| row.sample_rate_hz = "44.1".into(), &["sample_rate_hz is"]),
        (|row| row.duration_s = "0".into(), &["duration_s is"]),
        (|row| row.bandwidth_hz = "30000".into(), &["bandwidth_hz 30000 is above half"]),
        (|row| row.bandwidth_hz = "300".into(), &["bandwidth_hz is"]),
        (|row| row.split = "dev".into(), &["split is"]),
        (|row| row.note = "two\nlines".into(), &["note is"]),
    ];
    let (table, schema) = shipped();
    // An artist with one excerpt: a changed split is no finding of its own.
    let alone = table.rows.iter().position(|row| row.artist == "Darkroom").unwrap();
    for (change, causes) in cases {
        let mut table = table.clone();
        change(&mut table.rows[alone]);
        let findings = check(&table, &schema);
        assert_eq!(findings.len(), causes.len(), "{findings:?}");
        for (finding, cause) in findings.iter().zip(causes) {
            assert!(finding.cause.contains(cause), "{finding}");
            assert!(finding.place.starts_with(&format!("manifest.csv:{} ", alone + 2)), "{finding}");
        }
    }
}

#[test]
fn an_artist_in_two_splits_or_spellings_is_told() {
    let (table, schema) = shipped();
    let last = table.rows.iter().rposition(|row| row.artist == "HoliznaCC0").unwrap();
    let printed = |change: fn(&mut Row)| {
        let mut table = table.clone();
        change(&mut table.rows[last]);
        let findings = check(&table, &schema);
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings[0].cause.clone()
    };
    assert!(printed(|row| row.split = "test".into()).contains("is in test here and in train"));
    assert!(printed(|row| row.artist = "Holizna CC0".into()).contains("is spelled"));
    assert!(printed(|row| row.file = row.file.replace("__holiznacc0__", "__holizna__")).contains("in the file's name"));
}

#[test]
fn a_row_that_is_there_twice_is_told() {
    let (mut table, schema) = shipped();
    let mut again = table.rows[0].clone();
    again.line = 1000;
    table.rows.push(again);
    let findings = check(&table, &schema);
    assert_eq!(findings.len(), 4, "id, sha256, file, title: {findings:?}");
    assert!(findings.iter().all(|finding| finding.place.contains(":1000 ")), "{findings:?}");
}

#[test]
fn croissant_has_to_keep_step() {
    let without_a_row = changed(|text| text.lines().take(100).map(|line| format!("{line}\n")).collect());
    let (code, printed, _) = run(without_a_row.path(), &["check"]);
    assert_eq!((code, printed.lines().count()), (Some(1), 1), "{printed}");
    assert!(printed.starts_with("croissant.json:") && printed.contains("99 excerpts"), "{printed}");
    assert_eq!(run(without_a_row.path(), &["croissant"]).0, Some(0));
    assert_eq!(run(without_a_row.path(), &["check"]).0, Some(0));
}

#[test]
fn croissant_names_the_hash_of_the_list_and_every_column() {
    let text = std::fs::read_to_string(folder().join("croissant.json")).unwrap();
    let croissant: serde_json::Value = serde_json::from_str(&text).unwrap();
    let manifest = std::fs::read(folder().join(Table::FILE)).unwrap();
    assert_eq!(croissant["distribution"][0]["sha256"], sha256(&manifest));
    let fields = croissant["recordSet"][0]["field"].as_array().unwrap();
    let columns: Vec<_> = fields.iter().map(|field| field["source"]["extract"]["column"].as_str().unwrap()).collect();
    assert_eq!(columns, shipped().1.columns());
    let excerpts = croissant["recordSet"][1]["data"].as_array().unwrap().iter().map(|row| &row["licences/excerpts"]);
    assert_eq!(excerpts.map(|count| count.as_u64().unwrap() as usize).sum::<usize>(), shipped().0.rows.len());
}

#[test]
fn exit_codes_tell_order_findings_and_failure() {
    let (code, printed, error) = run(folder(), &["check"]);
    assert_eq!((code, printed.lines().count(), error.as_str()), (Some(0), 1, ""), "{printed}");
    assert!(printed.ends_with("all in order\n"), "{printed}");
    let wrong = changed(|text| text.replacen("CC-BY-3.0", "CC-BY-NC-3.0", 1));
    assert_eq!(run(wrong.path(), &["check"]).0, Some(1));
    let (code, listed, _) = run(wrong.path(), &["list"]);
    assert!(code == Some(1) && listed.contains("forbids commercial use"), "nothing is listed for training: {listed}");
    let unknown = changed(|text| text.replacen("note", "notes", 1));
    let (code, printed, _) = run(unknown.path(), &["check"]);
    assert_eq!((code, printed.lines().count()), (Some(1), 2), "{printed}");
    let nowhere = folder().join("nowhere");
    let (code, printed, error) = run(&nowhere, &["check"]);
    assert_eq!((code, printed.as_str(), error.lines().count()), (Some(2), "", 1), "{error}");
    assert_eq!(run(folder(), &["list", "--licences", "any"]).0, Some(2));
}

#[test]
fn classes_of_licences_divide_the_list() {
    let names = |classes: &str| {
        let (code, listed, _) = run(folder(), &["list", "--licences", classes]);
        assert_eq!(code, Some(0));
        listed.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (free, shared, all) = (names("permissive"), names("share-alike"), names("permissive,share-alike"));
    assert!(!free.is_empty() && !shared.is_empty());
    assert_eq!(free.len() + shared.len(), all.len());
    for row in shipped().0.rows {
        let asks_nothing = row.licence == "MIT"
            || row.licence == "BSD-2-Clause"
            || row.licence == "CC0-1.0"
            || row.licence == "CC-PDM-1.0"
            || row.licence.starts_with("CC-BY-") && !row.licence.contains("SA");
        assert_eq!(free.contains(&row.file), asks_nothing, "{}", row.licence);
        assert_eq!(shared.contains(&row.file), !asks_nothing, "{}", row.licence);
    }
}
