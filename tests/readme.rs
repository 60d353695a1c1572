//! The README and the pages beside it describe what the program does, and no more.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::Folder;

const MAX_LINES: usize = 200;
const MAX_COLUMNS: usize = 120;

/// Options in the text that belong to other programs.
const OF_OTHERS: [&str; 10] = [
    "--albums",
    "--array",
    "--features",
    "--input",
    "--install",
    "--locked",
    "--path",
    "--release",
    "--rm",
    "--workspace",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(root().join("docs")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let pages = pages.chain([root().join("README.md")]);
    pages.map(|path| (path.clone(), fs::read_to_string(path).expect("text"))).collect()
}

/// Returns every `--option` that a text names.
fn options(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c == '-';
    let words = text.split(|c: char| !is_part(c)).filter(|word| word.starts_with("--") && word.len() > 3);
    words.map(|word| word.trim_end_matches('-').to_owned()).collect()
}

#[test]
fn the_readme_is_short() {
    let text = fs::read_to_string(root().join("README.md")).expect("text");
    assert!(text.lines().count() <= MAX_LINES, "{} lines", text.lines().count());
    let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > MAX_COLUMNS).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn all_links_lead_somewhere() {
    for (path, text) in pages() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            let is_here = link.starts_with("http") || file.is_empty() || path.with_file_name(file).exists();
            assert!(is_here, "{}: {link}", path.display());
        }
    }
}

#[test]
fn every_option_and_command_that_is_named_exists() {
    let folder = Folder::new();
    let help = folder.goldmaster(&["--help"]).succeeded().stdout;
    let (_, listed) = help.split_once("Commands:").expect("a list");
    let listed = listed.split("\n\n").next().unwrap_or_default();
    let commands: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let mut known: BTreeSet<String> = OF_OTHERS.iter().map(|option| (*option).to_owned()).collect();
    for command in &commands {
        known.extend(options(&folder.goldmaster(&[command, "--help"]).stdout));
    }
    for (path, text) in pages() {
        let unknown: Vec<_> = options(&text).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", path.display());
        for line in text.lines().filter(|line| line.starts_with("goldmaster ")) {
            let word = line.split_whitespace().nth(1).unwrap_or_default();
            assert!(word.contains('.') || commands.contains(&word), "{}: {line}", path.display());
        }
    }
}
