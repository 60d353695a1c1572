//! The Python package is a workspace of its own, built from the crates of this one: its lock file and manifest hold the
//! same versions, so that a wheel is the same program and is built with `--locked`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Crates of this workspace that the Python package is built from, by the folders of their manifests.
const CRATES: [(&str, &str); 4] = [
    ("goldmaster", ""),
    ("goldmaster-analyzer", "analyzer"),
    ("goldmaster-models", "models"),
    ("goldmaster-renderer", "renderer"),
];

/// The commands that bring the lock file of the Python package up to date.
const REMEDY: &str = "cp Cargo.lock python/ && cargo update --workspace --manifest-path python/Cargo.toml";

/// Packages by name and version, with the names of their dependencies.
type Packages = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of the project")
}

/// Returns the value of the first line `key = "value"`.
fn value(text: &str, key: &str) -> String {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    value.expect("a value").trim_matches('"').to_owned()
}

/// Reads a lock file.
fn packages(path: &str) -> Packages {
    let mut packages = Packages::new();
    for package in text(path).split("[[package]]").skip(1) {
        let dependencies = package.lines().filter(|line| line.starts_with(" \""));
        let names = dependencies.filter_map(|line| line.trim_matches([' ', '"', ',']).split(' ').next());
        let versions = packages.entry(value(package, "name")).or_default();
        versions.insert(value(package, "version"), names.map(str::to_owned).collect());
    }
    packages
}

/// Returns the packages that a manifest depends on, but for those that only a feature needs.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let sections = ["\n[dependencies]\n", "\n[build-dependencies]\n"].into_iter();
    let sections = sections.filter_map(|heading| Some(manifest.split_once(heading)?.1));
    let lines = sections.flat_map(|section| section.lines().take_while(|line| !line.starts_with('[')));
    let is_needed = |line: &&str| line.contains('=') && !line.starts_with('#') && !line.contains("optional = true");
    let package = |name: &str| {
        let of_workspace = CRATES.iter().find(|(_, folder)| *folder == name);
        of_workspace.map_or(name, |(package, _)| *package).to_owned()
    };
    lines.filter(is_needed).filter_map(|line| line.split(['.', ' ']).next()).map(package).collect()
}

#[test]
fn the_python_package_is_locked_to_the_versions_of_the_program() {
    let (program, wheel) = (packages("Cargo.lock"), packages("python/Cargo.lock"));
    assert!(wheel.contains_key("pyo3") && program.contains_key("symphonia"), "the lock files are read");
    let mut others = Vec::new();
    for (name, versions) in &wheel {
        let Some(known) = program.get(name) else { continue };
        let unknown = versions.keys().filter(|version| !known.contains_key(*version));
        others.extend(unknown.map(|version| format!("{name} {version}, not {:?}", known.keys())));
    }
    assert!(others.is_empty(), "{others:#?}; {REMEDY}");
}

#[test]
fn the_lock_file_of_the_python_package_has_all_that_the_library_needs() {
    let wheel = packages("python/Cargo.lock");
    for (name, folder) in CRATES {
        let locked: BTreeSet<String> = wheel[name].values().flatten().cloned().collect();
        let manifest = text(Path::new(folder).join("Cargo.toml"));
        assert_eq!(locked, dependencies(&manifest), "{name}; {REMEDY}");
    }
}

#[test]
fn the_python_package_has_the_version_of_the_program() {
    let (program, wheel) = (text("Cargo.toml"), text("python/Cargo.toml"));
    for key in ["version", "edition", "rust-version", "license"] {
        assert_eq!(value(&wheel, key), value(&program, key), "{key}");
    }
}
