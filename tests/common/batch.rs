//! Helpers shared by the tests of batches.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use analyzer::stream::Frame;
use analyzer::synth::demo_mix;
use serde_json::Value;

use super::{Folder, RATE_HZ, Run, name};

/// Long enough for a loudness.
pub const SECONDS: f64 = 1.0;

/// Different songs of one second each: consecutive parts of one song.
pub fn songs(count: usize) -> Vec<Vec<Frame>> {
    let frames = demo_mix(RATE_HZ, SECONDS * count as f64);
    frames.chunks_exact(frames.len() / count).map(<[Frame]>::to_vec).collect()
}

/// A folder with `count` songs in `in`, some of them in `in/disc`.
pub fn folder_of(count: usize) -> Folder {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("in/disc")).expect("a folder");
    for (n, song) in songs(count).iter().enumerate() {
        let place = if n % 2 == 0 { "in" } else { "in/disc" };
        folder.wav(&format!("{place}/{n}.wav"), 2, song);
    }
    folder
}

/// Every file below `path`, by its path relative to it, without hidden folders.
pub fn tree(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(path).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        let own = name(&path);
        match path.is_dir() {
            true if own == ".goldmaster" => {}
            true => files.extend(tree(&path).into_iter().map(|(name, bytes)| (format!("{own}/{name}"), bytes))),
            false => match fs::read(&path) {
                // A file that was being written has its final name by now.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                bytes => drop(files.insert(own, bytes.expect("readable"))),
            },
        }
    }
    files
}

/// The masters below `path`.
pub fn masters(path: &Path) -> BTreeMap<String, Vec<u8>> {
    tree(path).into_iter().filter(|(name, _)| name.ends_with(".wav") || name.ends_with(".flac")).collect()
}

/// Asserts that nothing is left of unfinished work.
pub fn assert_tidy(path: &Path) {
    for folder in [path.to_owned(), path.join("disc"), path.join(".goldmaster")] {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let name = name(&entry.expect("an entry").path());
            assert!(!name.ends_with(".tmp") && !name.ends_with(".claim"), "{name} was left behind");
        }
    }
}

pub fn report(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("the report");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Returns the summary that a batch has written into `out` today.
pub fn summary(folder: &Folder) -> (Value, String) {
    let path = |extension: &str| {
        let mut paths =
            fs::read_dir(folder.path("out")).expect("a folder").map(|entry| entry.expect("an entry").path());
        let is_meant =
            |path: &PathBuf| name(path).starts_with("summary-") && path.extension().is_some_and(|own| own == extension);
        fs::read_to_string(paths.find(is_meant).expect("a summary")).expect("text")
    };
    (serde_json::from_str(&path("json")).expect("JSON"), path("txt"))
}

pub fn statuses(report: &Value) -> Vec<(&str, &str)> {
    fn text(value: &Value) -> &str {
        value.as_str().expect("a text")
    }
    let songs = report["songs"].as_array().expect("a list").iter();
    songs.map(|song| (text(&song["input"]), text(&song["status"]))).collect()
}

pub fn failed(run: Run, code: i32) -> Run {
    assert_eq!(run.code, Some(code), "{run:?}");
    run
}
