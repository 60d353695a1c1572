//! The structure of the program: no room imports one above it, and no files import each other in a cycle. Code that the
//! crates compile only for their own tests may import anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The rooms of the program, from the top down.
const ROOMS: [&str; 15] = [
    "main",
    "commands",
    "cli",
    "ui",
    "batch",
    "workflows",
    "terminal",
    "page",
    "decide",
    "report",
    "render",
    "request",
    "song",
    "error",
    "io",
];

/// The sources of all crates: the program's, and those of the members of its workspace.
fn crates() -> Vec<String> {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("a manifest");
    let (_, members) = manifest.split_once("\nmembers = [").expect("a workspace");
    let members = members.split(']').next().unwrap_or_default().split('"').skip(1).step_by(2);
    std::iter::once("src".to_owned()).chain(members.map(|member| format!("{member}/src"))).collect()
}

/// Sources by module path; the root of a library has an empty path.
type Sources = BTreeMap<String, String>;
/// The files that each file imports.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// Reads all files of a folder, without tests.
fn read(folder: &Path, module: &str, sources: &mut Sources) {
    for entry in fs::read_dir(folder).expect("a folder of the project") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let inner = if module.is_empty() { name.clone() } else { format!("{module}::{name}") };
        if path.is_dir() {
            read(&path, &inner, sources);
        } else if !["tests", "testing"].contains(&name.as_str()) {
            let place = if ["mod", "lib"].contains(&name.as_str()) { module.to_owned() } else { inner };
            sources.insert(place, without_tests(&fs::read_to_string(&path).expect("a source file")));
        }
    }
}

/// Returns the text without comments and without code that is compiled only for tests.
fn without_tests(text: &str) -> String {
    let (mut kept, mut lines) = (String::new(), text.lines());
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            let item = lines.next().unwrap_or_default();
            let end = format!("{}}}", &item[..item.len() - item.trim_start().len()]);
            if item.ends_with('{') {
                lines.by_ref().find(|line| *line == end);
            }
            continue;
        }
        kept += line.split("//").next().unwrap_or_default();
        kept.push('\n');
    }
    kept
}

/// Returns all paths that a text names: those of its `use` lines, and those in its code that begin at a module.
fn paths(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for statement in text.split_inclusive(';') {
        let lines: Vec<&str> = statement.lines().collect();
        let is_use =
            |line: &&str| line.trim_start().starts_with("use ") || (line.starts_with("pub") && line.contains(" use "));
        let (code, tree) = lines.split_at(lines.iter().rposition(is_use).unwrap_or(lines.len()));
        let tree = tree.join(" ");
        paths.extend(leaves(tree.split_once("use ").map_or("", |(_, tree)| tree)));
        let code = code.join(" ");
        let words = code.split(|letter: char| !(letter.is_alphanumeric() || "_:".contains(letter)));
        let is_path = |word: &&str| ["crate::", "self::", "super::"].iter().any(|start| word.starts_with(start));
        paths.extend(words.filter(is_path).map(|word| word.trim_end_matches(':').to_owned()));
    }
    paths
}

/// Returns the paths of a `use` tree: `a::{b, c::{d, e}}` has three.
fn leaves(tree: &str) -> Vec<String> {
    let (mut paths, mut prefixes, mut current, mut is_renamed) =
        (Vec::new(), vec![String::new()], String::new(), false);
    for letter in tree.chars() {
        let prefix = prefixes.last().cloned().unwrap_or_default();
        match letter {
            '{' => prefixes.push(prefix + &std::mem::take(&mut current)),
            ',' | '}' | ';' => {
                if !current.is_empty() {
                    paths.push(prefix + &std::mem::take(&mut current));
                }
                if letter == '}' {
                    prefixes.pop();
                }
                is_renamed = false;
            }
            letter if letter.is_whitespace() => is_renamed = !current.is_empty(),
            letter if !is_renamed => current.push(letter),
            _ => {}
        }
    }
    paths
}

/// Returns the file that a path in the file `from` leads to, if it is in this crate.
fn target(from: &str, path: &str, sources: &Sources) -> Option<String> {
    let mut parts: Vec<&str> = path.split("::").collect();
    let mut place: Vec<&str> = from.split("::").filter(|part| !part.is_empty()).collect();
    match parts[0] {
        "crate" => place.clear(),
        "self" => {}
        "super" => place.truncate(place.len() - parts.iter().take_while(|part| **part == "super").count()),
        child if sources.contains_key(&[place.as_slice(), &[child]].concat().join("::")) => {}
        _ => return None,
    }
    parts.retain(|part| !["crate", "self", "super"].contains(part));
    place.extend(parts);
    while !sources.contains_key(&place.join("::")) {
        place.pop()?;
    }
    Some(place.join("::"))
}

fn sources(folder: &str) -> Sources {
    let mut sources = Sources::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), "", &mut sources);
    sources
}

fn imports(folder: &str) -> Imports {
    let sources = sources(folder);
    let of = |(from, text): (&String, &String)| {
        let targets = paths(text).iter().filter_map(|path| target(from, path, &sources)).collect::<BTreeSet<_>>();
        (from.clone(), targets.into_iter().filter(|to| to != from).collect())
    };
    sources.iter().map(of).collect()
}

/// Returns all files that a file imports, directly or indirectly.
fn reached<'a>(from: &'a str, imports: &'a Imports) -> BTreeSet<&'a str> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(file) = next.pop() {
        next.extend(imports.get(file).into_iter().flatten().map(String::as_str).filter(|to| reached.insert(*to)));
    }
    reached
}

#[test]
fn no_room_imports_one_above_it() {
    let room = |file: &str| {
        let name = file.split("::").next().unwrap_or_default();
        ROOMS.iter().position(|room| *room == name)
    };
    let imports = imports("src");
    for (from, targets) in &imports {
        assert!(room(from).is_some() || from.is_empty(), "{from} is in no room");
        let upward: Vec<_> = targets.iter().filter(|to| room(to) < room(from)).collect();
        assert!(upward.is_empty(), "{from} imports {upward:?} above it");
    }
    for (from, to) in
        [("workflows::master", "render::finish"), ("commands::batch", "cli::batch"), ("cli::batch", "error")]
    {
        assert!(imports[from].contains(to), "the import of {to} by {from} is seen");
    }
}

#[test]
fn the_library_calls_itself_crate() {
    for (file, text) in sources("src").iter().filter(|(file, _)| *file != "main") {
        assert!(!text.contains("goldmaster::") && !text.contains("crate self"), "{file}: its imports are not seen");
    }
}

#[test]
fn no_files_import_each_other_in_a_ring() {
    let crates = crates();
    assert!(crates.len() > 3 && crates.contains(&"analyzer/src".to_owned()), "{crates:?}");
    for folder in crates {
        let imports = imports(&folder);
        let ring: Vec<_> = imports.keys().filter(|file| reached(file, &imports).contains(file.as_str())).collect();
        assert!(ring.is_empty(), "{folder}: {ring:?}");
    }
}

#[test]
fn trees_of_imports_are_read_to_their_leaves() {
    let text = "pub(crate) use a::{self, b as c, d::{e, f}};\nfn g() { crate::h::i::<u8>() }\nuse j::k;";
    assert_eq!(paths(text), ["a::self", "a::b", "a::d::e", "a::d::f", "j::k", "crate::h::i"]);
}
