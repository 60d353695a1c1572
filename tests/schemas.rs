//! The published schemas: they are generated from the types, and the program's output obeys them.

mod common;
#[path = "common/schema.rs"]
mod schema;

use std::path::Path;

use analyzer::synth::demo_mix;
use common::{Folder, MIX, OTHER_MIX, RATE_HZ, SECONDS};
use goldmaster::batch::report::BatchReport;
use goldmaster::batch::summary::RunSummary;
use goldmaster::report::Report;
use goldmaster::report::analysis::Analysis;
use goldmaster::report::check::FileCheck;
use goldmaster::report::comparison::Comparison;
use schemars::{JsonSchema, schema_for};
use serde_json::Value;

/// Returns the schema of a type and asserts that it is the one in `schemas/`; with `UPDATE_EXPECTED` set, writes it
/// there.
fn published<T: JsonSchema>(name: &str) -> Value {
    let schema = schema_for!(T).to_value();
    let text = serde_json::to_string_pretty(&schema).expect("plain data") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(format!("{name}.schema.json"));
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, &text).expect("space");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(text == written, "schemas/{name}.schema.json is not that of the type; run again with UPDATE_EXPECTED=1");
    schema
}

fn assert_obeys(schema: &Value, json: &Value) {
    assert_eq!(schema::violations(schema, json), Vec::<String>::new());
}

#[test]
fn what_is_printed_of_a_master_obeys_the_schema_of_a_report() {
    let schema = published::<Report>("report");
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    folder.wav("mono.wav", 1, &demo_mix(RATE_HZ, 1.0));
    folder.flac("hit.flac", &OTHER_MIX);
    let runs: [&[&str]; 4] = [
        &["mix.wav", "--json", "--recipe", "recipe.json", "--set", "multiband.low.ratio=1.5"],
        &["mix.wav", "--json", "-r", "hit.flac", "-o", "towards.flac", "--report", "towards.html"],
        &["mono.wav", "--json"],
        &["render", "mix.wav", "--recipe", "recipe.json", "-o", "again.wav", "--json"],
    ];
    for arguments in runs {
        let printed = folder.goldmaster(arguments).succeeded().json();
        assert_obeys(&schema, &printed);
        let read: Report = serde_json::from_value(printed.clone()).expect("it reads its own reports");
        assert_eq!(serde_json::to_value(&read).expect("plain data"), printed, "nothing is lost on the way");
    }
}

#[test]
fn what_is_printed_of_files_obeys_its_schema() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    folder.wav(
        "clipped.wav",
        2,
        &MIX.iter().map(|frame| frame.map(|x| (20.0 * x).clamp(-1.0, 1.0))).collect::<Vec<_>>(),
    );
    let compared = folder.goldmaster(&["report", "mix.wav", "clipped.wav", "--json"]).succeeded().json();
    assert_obeys(&published::<Comparison>("comparison"), &compared);
    let schema = published::<Analysis>("analysis");
    let run = folder.goldmaster(&["analyze", "mix.wav", "clipped.wav", "--json"]).succeeded();
    let lines: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    lines.iter().for_each(|line| assert_obeys(&schema, line));
    let codes: Vec<&Value> =
        lines[1]["warnings"].as_array().expect("a list").iter().map(|warning| &warning["code"]).collect();
    assert!(codes.contains(&&Value::from("clipping")), "{codes:?}");
    let schema = published::<FileCheck>("check");
    let checked = folder.goldmaster(&["check", "mix.wav", "clipped.wav", "--for", "spotify", "--json"]);
    let checked = checked.json();
    let files = checked.as_array().expect("a list");
    assert_eq!(files.len(), 2);
    files.iter().for_each(|file| assert_obeys(&schema, file));
}

#[test]
fn the_report_of_a_batch_obeys_its_schema() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("in")).expect("a folder");
    folder.wav("in/a.wav", 2, &demo_mix(RATE_HZ, SECONDS));
    folder.wav("in/b.wav", 2, &OTHER_MIX);
    folder.file("in/broken.wav", b"no song");
    let schema = published::<BatchReport>("batch-report");
    for arguments in [
        &["batch", "in", "--quiet", "--summary"][..],
        &["batch", "in/a.wav", "in/b.wav", "--album", "-o", "album", "--quiet"],
    ] {
        folder.goldmaster(arguments);
    }
    let summaries =
        std::fs::read_dir(folder.path("masters")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let is_summary = |path: &std::path::PathBuf| {
        common::name(path).starts_with("summary-") && path.extension().is_some_and(|e| e == "json")
    };
    let summary = summaries.into_iter().find(is_summary).expect("a summary");
    let text = std::fs::read_to_string(summary).expect("text");
    assert_obeys(&published::<RunSummary>("batch-summary"), &serde_json::from_str(&text).expect("JSON"));
    for report in ["masters/report.json", "album/report.json"] {
        let text = std::fs::read_to_string(folder.path(report)).expect("a report");
        assert_obeys(&schema, &serde_json::from_str(&text).expect("JSON"));
    }
}

#[test]
fn a_schema_refuses_what_does_not_obey_it() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    let schema = published::<Report>("report");
    let json = folder.goldmaster(&["mix.wav", "--json"]).succeeded().json();
    let faults: [(&str, Value); 5] = [
        ("/after/true_peak_dbtp", Value::Null),
        ("/promises/0/verdict", "perhaps".into()),
        ("/input/channels", "two".into()),
        ("/figures/after/peaks/values", serde_json::json!(["loud"])),
        ("/qualities/rows/0/quality", "loveliness".into()),
    ];
    for (at, fault) in faults {
        let mut wrong = json.clone();
        *wrong.pointer_mut(at).expect("it is there") = fault;
        assert!(schema::violations(&schema, &wrong).iter().any(|what| what.starts_with(at)), "{at}");
    }
}
