//! Finds the songs that files, folders, globs and lists name, in an order that depends on their names alone.

use std::collections::HashSet;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::batch::exclude::Exclusions;
use crate::error::Error;
use crate::io::decode::begins_like_sound;
use crate::render::provenance::is_master;
use crate::request::paths::{is_audio_file_name, resolved_path, without_extension};

/// A song that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Path of the file.
    pub path: PathBuf,
    /// Path relative to the root that was given; never leads above it.
    pub relative: PathBuf,
    /// The reason why the song cannot be read, if already known.
    pub problem: Option<String>,
}

impl Found {
    fn new(path: PathBuf, relative: PathBuf) -> Self {
        Self { path, relative, problem: None }
    }

    /// Represents a folder that cannot be read, so that its songs are unknown.
    fn unread(folder: &Path, relative: &Path, error: &io::Error) -> Self {
        let name = crate::io::name(folder);
        let problem = format!("{name}: the folder cannot be read ({})", crate::io::plain(error));
        Self { problem: Some(problem), ..Self::new(folder.to_owned(), relative.to_owned()) }
    }
}

/// Returns all songs that `arguments` name, each once, without those under `output`. Folders are searched recursively.
///
/// # Errors
/// A glob is malformed or matches nothing.
pub fn find(arguments: &[PathBuf], output: &Path) -> Result<Vec<Found>, Error> {
    find_but(Exclusions::default(), arguments, output).map(|(found, _)| found)
}

/// As [`find`], without the excluded files and folders. Also returns their number.
fn find_but(exclusions: Exclusions, arguments: &[PathBuf], output: &Path) -> Result<(Vec<Found>, usize), Error> {
    let mut search = Search { found: Vec::new(), output: output.canonicalize().ok(), exclusions, excluded: 0 };
    for argument in arguments {
        let text = argument.to_str().unwrap_or_default();
        if argument.is_dir() {
            search.folder(argument, Path::new(""))?;
        } else if !argument.exists() && text.contains(['*', '?', '[']) {
            search.glob(text)?;
        } else {
            search.file(argument, argument.file_name().unwrap_or_default().as_ref());
        }
    }
    Ok((without_repetition(search.found), search.excluded))
}

/// The songs of a batch, and the number of files left out.
#[derive(Clone, Debug, Default)]
pub struct Mixes {
    /// The songs.
    pub found: Vec<Found>,
    /// Number of masters that were left out.
    pub masters: usize,
    /// Number of files and folders that were excluded.
    pub excluded: usize,
}

/// Returns the songs that `arguments` name for a batch, without excluded files and without masters. A file found by a
/// search counts as a master if its tags say that goldmaster made it, or if it lies beside its mix under the default
/// name of a master; a file given by name, only if both are true. If all files are masters, they are all returned as
/// songs.
///
/// # Errors
/// As [`find`].
pub fn mixes(arguments: &[PathBuf], output: &Path, exclusions: Exclusions) -> Result<Mixes, Error> {
    let (found, excluded) = find_but(exclusions, arguments, output)?;
    let stems: HashSet<PathBuf> = found.iter().map(|song| without_extension(&song.path)).collect();
    let lies_beside_its_mix = |path: &Path| {
        let stem = without_extension(path);
        stem.extension().is_some_and(|extension| extension == "master") && stems.contains(&stem.with_extension(""))
    };
    let is_left_out = |Found { path, .. }: &Found| {
        let (is_marked, lies_beside) = (path.is_file() && is_master(path), lies_beside_its_mix(path));
        if arguments.contains(path) { lies_beside && is_marked } else { lies_beside || is_marked }
    };
    let (masters, mixes): (Vec<_>, Vec<_>) = found.into_iter().partition(is_left_out);
    let (found, masters) = if mixes.is_empty() { (masters, 0) } else { (mixes, masters.len()) };
    Ok(Mixes { found, masters, excluded })
}

/// Returns all songs of a list with one path per line. Relative paths keep their folders.
///
/// # Errors
/// The list cannot be read.
pub fn listed(list: impl io::BufRead) -> Result<Vec<Found>, Error> {
    let lines = list.split(b'\n').collect::<io::Result<Vec<_>>>();
    let lines = lines.map_err(Error::List)?;
    let paths = lines.iter().map(|line| path_of(line.trim_ascii_end())).filter(|path| !path.as_os_str().is_empty());
    Ok(without_repetition(paths.map(|path| Found::new(path.clone(), tree_path(&path))).collect()))
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(bytes);
    name.into()
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// Returns the place in the output for a path given by itself: the path as it is, or only its file name if it is
/// absolute or leads upwards.
pub fn tree_path(path: &Path) -> PathBuf {
    let is_inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let name = || path.file_name().unwrap_or_default().into();
    if is_inside { path.components().filter(|part| *part != Component::CurDir).collect() } else { name() }
}

struct Search {
    found: Vec<Found>,
    output: Option<PathBuf>,
    exclusions: Exclusions,
    excluded: usize,
}

impl Search {
    fn file(&mut self, path: &Path, relative: &Path) {
        if self.exclusions.excludes(relative, false) {
            self.excluded += 1;
        } else {
            self.found.push(Found::new(path.to_owned(), relative.to_owned()));
        }
    }

    /// Searches a folder recursively.
    fn folder(&mut self, folder: &Path, relative: &Path) -> Result<(), Error> {
        let outside = self.exclusions.enter(folder, relative).map_err(Error::Folder)?;
        let searched = self.entries(folder, relative);
        self.exclusions.leave(outside);
        searched
    }

    fn entries(&mut self, folder: &Path, relative: &Path) -> Result<(), Error> {
        let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                self.found.push(Found::unread(folder, relative, &error));
                return Ok(());
            }
        };
        entries.sort_unstable_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let (path, name) = (entry.path(), entry.file_name());
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let relative = relative.join(&name);
            // A link to a folder may form a cycle and is not followed; a link to a file counts as a file.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if self.exclusions.excludes(&relative, true) {
                    self.excluded += 1;
                } else if self.output.is_none() || path.canonicalize().ok() != self.output {
                    self.folder(&path, &relative)?;
                }
            } else if !path.is_dir() && !is_on_its_way(&path) && (is_audio_file_name(&path) || begins_like_sound(&path))
            {
                self.file(&path, &relative);
            }
        }
        Ok(())
    }

    fn glob(&mut self, pattern: &str) -> Result<(), Error> {
        let wrong = |cause: String| Error::Usage(format!("{pattern}: {cause}"));
        let base = unvarying_folder(pattern);
        let before = self.found.len() + self.excluded;
        let Matches { paths, unread } = matches(&base, pattern).map_err(|e| wrong(e.msg.to_owned()))?;
        let relative = |path: &Path| path.strip_prefix(&base).map_or_else(|_| tree_path(path), Path::to_owned);
        self.found.extend(unread.iter().map(|(folder, error)| Found::unread(folder, &relative(folder), error)));
        for path in paths {
            let relative = relative(&path);
            let is_output = path.canonicalize().ok().zip(self.output.as_ref()).is_some_and(|(p, o)| p.starts_with(o));
            if is_output {
                continue;
            } else if path.is_dir() {
                self.folder(&path, &relative)?;
            } else {
                self.file(&path, &relative);
            }
        }
        if self.found.len() + self.excluded == before {
            Err(wrong("no song has such a name".to_owned()))
        } else {
            Ok(())
        }
    }
}

/// The paths that match a glob.
#[derive(Default)]
struct Matches {
    paths: Vec<PathBuf>,
    /// Folders along the pattern that cannot be read.
    unread: Vec<(PathBuf, io::Error)>,
}

/// Returns every path that matches `pattern`, sorted. A name that is not UTF-8 is matched by its lossy conversion.
fn matches(base: &Path, pattern: &str) -> Result<Matches, glob::PatternError> {
    let parts = Path::new(pattern).components().skip(base.components().count());
    let parts = parts.map(|part| glob::Pattern::new(&part.as_os_str().to_string_lossy()));
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    let mut found = Matches::default();
    descend(base, &parts, &mut found);
    found.paths.sort_unstable();
    found.paths.dedup();
    found.unread.sort_by(|(a, _), (b, _)| a.cmp(b));
    found.unread.dedup_by(|(a, _), (b, _)| a == b);
    Ok(found)
}

fn descend(folder: &Path, parts: &[glob::Pattern], found: &mut Matches) {
    let Some((part, rest)) = parts.split_first() else { return };
    if part.as_str() == "**" {
        descend(folder, rest, found);
    }
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::default() };
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(here).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = match entries {
        Ok(entries) => entries,
        // A folder that does not exist contains nothing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return found.unread.push((folder.to_owned(), error)),
    };
    for entry in entries {
        let path = folder.join(entry.file_name());
        let is_match = part.matches_with(&entry.file_name().to_string_lossy(), options);
        // A link to a folder may form a cycle.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        match (part.as_str(), rest) {
            ("**", []) if is_match => found.paths.push(path),
            ("**", _) if is_match && is_folder => descend(&path, parts, found),
            ("**", _) => {}
            (_, []) if is_match => found.paths.push(path),
            _ if is_match && path.is_dir() => descend(&path, rest, found),
            _ => {}
        }
    }
}

/// Extensions of unfinished downloads and copies.
const UNFINISHED_EXTENSIONS: [&str; 6] = ["part", "partial", "crdownload", "download", "filepart", "tmp"];

fn is_on_its_way(path: &Path) -> bool {
    has_extension(path, &UNFINISHED_EXTENSIONS)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    extensions.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Returns the leading folders of a pattern that contain no wildcard.
fn unvarying_folder(pattern: &str) -> PathBuf {
    let path = Path::new(pattern);
    let folders = path.parent().unwrap_or(Path::new(""));
    folders.components().take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '['])).collect()
}

/// Removes repeated files and keeps the first of each. A link counts as a file of its own.
fn without_repetition(mut found: Vec<Found>) -> Vec<Found> {
    let mut seen = HashSet::new();
    found.retain(|song| seen.insert(resolved_path(&song.path)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_a_glob_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("file"), b"no folder").expect("space");
        let pattern = folder.path().join("file/*.wav");
        let found = find(&[pattern], Path::new("out")).expect("something was found");
        let [Found { path, problem: Some(problem), .. }] = &found[..] else { panic!("{found:?}") };
        assert!(path.ends_with("file") && problem.contains("the folder cannot be read"), "{problem}");
        let missing = find(&[folder.path().join("missing/*.wav")], Path::new("out"));
        assert!(matches!(missing, Err(Error::Usage(_))), "{missing:?}");
    }

    #[test]
    fn a_list_that_cannot_be_read_is_no_wrong_use() {
        struct Broken;
        impl io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let error = listed(io::BufReader::new(Broken)).expect_err("nothing to read");
        assert_eq!(error.exit_code(), 1, "{error}");
    }

    fn relatives(found: &[Found]) -> Vec<String> {
        found.iter().map(|song| song.relative.to_string_lossy().replace('\\', "/")).collect()
    }

    /// Creates a folder with songs, other files, and the output of an earlier run.
    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["cd2", "cd1/live", "out/cd1"] {
            std::fs::create_dir_all(folder.path().join(name)).expect("space");
        }
        for name in
            ["b.wav", "a.FLAC", "cd1/live/c.mp3", "cd2/d.aiff", "cover.jpg", "notes", ".hidden.wav", "out/cd1/x.wav"]
        {
            std::fs::write(folder.path().join(name), "\u{feff}text").expect("space");
        }
        std::fs::write(folder.path().join("unnamed"), b"fLaC").expect("space");
        folder
    }

    #[test]
    fn a_folder_gives_its_songs_in_order_and_not_its_output() {
        let folder = tree();
        let found = find(&[folder.path().to_owned()], &folder.path().join("out")).expect("readable");
        assert_eq!(relatives(&found), ["a.FLAC", "b.wav", "cd1/live/c.mp3", "cd2/d.aiff", "unnamed"]);
    }

    #[test]
    fn a_glob_keeps_the_tree_below_what_does_not_vary() {
        let folder = tree();
        let pattern = folder.path().join("**/*.[mw]*");
        let found = find(std::slice::from_ref(&pattern), &folder.path().join("out")).expect("a pattern");
        assert_eq!(relatives(&found), ["b.wav", "cd1/live/c.mp3"]);
        assert!(find(&[folder.path().join("*.ogg")], Path::new("out")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_are_matched_as_well() {
        let folder = tree();
        let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"latin1_\xe9.wav");
        std::fs::write(folder.path().join(name), "").expect("space");
        std::fs::create_dir(folder.path().join("cd3")).expect("space");
        std::fs::write(folder.path().join("cd3").join(name), "").expect("space");
        for (pattern, count) in [("*.wav", 2), ("latin1_*.wav", 1), ("**/latin*", 2), ("cd?/*.wav", 1), ("[xyz]*", 0)] {
            let found = find(&[folder.path().join(pattern)], Path::new("out"));
            assert_eq!(found.map_or(0, |found| found.len()), count, "{pattern}");
        }
    }

    #[test]
    fn a_file_is_taken_once_and_at_its_word() {
        let folder = tree();
        let [song, notes] = ["b.wav", "notes"].map(|name| folder.path().join(name));
        let found = find(&[song.clone(), notes, folder.path().to_owned(), song], Path::new("out")).expect("readable");
        assert_eq!(relatives(&found)[..2], ["b.wav", "notes"]);
        assert_eq!(found.len(), 7, "{found:?}");
    }

    #[test]
    fn a_master_by_its_default_name_is_left_out_beside_its_mix_only() {
        let folder = tree();
        std::fs::write(folder.path().join("a.master.wav"), "").expect("space");
        std::fs::write(folder.path().join("else.master.wav"), "").expect("space");
        let mixes = |arguments: &[PathBuf], output: &Path| {
            let Mixes { found, masters, .. } = mixes(arguments, output, Exclusions::default()).expect("readable");
            (found, masters)
        };
        let (found, left_out) = mixes(&[folder.path().to_owned()], &folder.path().join("out"));
        assert_eq!(
            relatives(&found),
            ["a.FLAC", "b.wav", "cd1/live/c.mp3", "cd2/d.aiff", "else.master.wav", "unnamed"]
        );
        assert_eq!(left_out, 1);
        // A file that is named is meant, unless its tags say that it is the master of another one.
        let named = ["a.FLAC", "a.master.wav"].map(|name| folder.path().join(name));
        let (found, left_out) = mixes(&named, Path::new("out"));
        assert_eq!((found.len(), left_out), (2, 0));
        let (found, left_out) = mixes(&[folder.path().join("a.master.wav")], Path::new("out"));
        assert_eq!((relatives(&found), left_out), (vec!["a.master.wav".to_owned()], 0));
    }

    #[test]
    fn what_is_excluded_is_passed_over_and_counted() {
        let folder = tree();
        std::fs::write(folder.path().join("cd1/.goldmasterignore"), "live/\n").expect("space");
        let exclusions = Exclusions::new(&["*.aiff".to_owned()]).expect("well-formed");
        let Mixes { found, excluded, .. } =
            mixes(&[folder.path().to_owned()], &folder.path().join("out"), exclusions).expect("readable");
        assert_eq!((relatives(&found), excluded), (["a.FLAC", "b.wav", "unnamed"].map(str::to_owned).to_vec(), 2));
    }

    #[test]
    fn a_list_keeps_the_folders_of_relative_paths() {
        let found =
            listed("cd1/a.wav\r\n\n./b.wav\n/far/away/c.wav\n../d.wav\ncd1/a.wav\n".as_bytes()).expect("a list");
        assert_eq!(relatives(&found), ["cd1/a.wav", "b.wav", "c.wav", "d.wav"]);
    }
}
