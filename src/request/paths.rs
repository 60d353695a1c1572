//! Checks of the files that a run reads and writes, made before any work.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::io;
use crate::io::claim::sweep;
use crate::io::encode::{ensure_distinct, ensure_writable};
use crate::request::job::Output;

/// The longest name of a file that common file systems take, bytes.
pub const MAX_NAME_BYTES: usize = 255;
/// Letters of the hash that replaces the end of a name that is too long.
const HASH_LETTERS: usize = 16;

/// Returns a name of at most `max_bytes`: the end of a longer one is replaced by a hash of the whole, so that two names never
/// become one.
pub fn shortened(name: &OsStr, max_bytes: usize) -> OsString {
    if name.len() <= max_bytes {
        return name.to_owned();
    }
    let (text, hash) = (name.to_string_lossy(), blake3::hash(name.as_encoded_bytes()).to_hex());
    let end = text.floor_char_boundary(max_bytes.saturating_sub(HASH_LETTERS + 1));
    format!("{} {}", &text[..end], &hash[..HASH_LETTERS]).into()
}

/// Finds everything wrong with the paths of a run, before any work is done.
pub fn check_paths<'a>(
    input: &'a Path,
    references: impl Iterator<Item = &'a Path>,
    output: &Output,
) -> Result<(), Error> {
    let read: Vec<&Path> = std::iter::once(input).chain(references).collect();
    for path in &read {
        std::fs::metadata(path).map_err(|e| io::Error::reading(path, &e))?;
        ensure_distinct(path, &output.path)?;
    }
    if let Some(page) = &output.page {
        let taken = read.iter().copied().chain([output.path.as_path()]).chain(output.delta.as_deref());
        check_other_path("report", &page.path, taken, page.force)?;
    }
    if let Some(delta) = &output.delta {
        if !delta.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wav")) {
            let path = delta.display();
            return Err(Error::Usage(format!("{path}: the difference is written as .wav; choose such a name")));
        }
        check_other_path("difference", delta, read.into_iter().chain([output.path.as_path()]), output.force)?;
    }
    ensure_writable_and_sweep(&output.path, output.force)
}

/// Checks that a file can be written, and removes what killed runs have left in its folder.
fn ensure_writable_and_sweep(path: &Path, force: bool) -> Result<(), Error> {
    ensure_writable(path, force)?;
    sweep(folder(path));
    Ok(())
}

/// Checks that a file written beside the master (a recipe, a profile, the difference) does not overwrite any other file
/// of the run, including those still to be written.
pub fn check_other_path<'a>(
    what: &str,
    other: &Path,
    mut taken: impl Iterator<Item = &'a Path>,
    force: bool,
) -> Result<(), Error> {
    let is_taken = |path: &Path| resolved_path(path) == resolved_path(other) || ensure_distinct(path, other).is_err();
    if let Some(path) = taken.find(|path| is_taken(path)) {
        return Err(Error::Usage(format!("the {what} cannot be written over {}: choose another name", path.display())));
    }
    ensure_writable_and_sweep(other, force)
}

/// Checks that the files of one run are all different.
///
/// # Errors
/// Two of them are the same file; the message names it.
pub fn check_distinct(files: &[&Path]) -> Result<(), Error> {
    for (n, file) in files.iter().enumerate() {
        if files[..n]
            .iter()
            .any(|other| resolved_path(other) == resolved_path(file) || ensure_distinct(other, file).is_err())
        {
            let file = file.display();
            return Err(Error::Usage(format!("{file} would be written twice: choose another name for one of them")));
        }
    }
    Ok(())
}

/// Returns the folder of a file.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Extensions of audio files.
const SOUND_EXTENSIONS: [&str; 29] = [
    "wav", "wave", "bwf", "rf64", "w64", "aif", "aiff", "aifc", "flac", "mp1", "mp2", "mp3", "mpga", "m4a", "m4b",
    "aac", "alac", "ogg", "oga", "opus", "caf", "wv", "ape", "wma", "dsf", "dff", "au", "ac3", "tta",
];

/// Extensions of other files that may contain audio.
const OTHER_EXTENSIONS: [&str; 9] = ["mp4", "m4r", "mov", "mka", "mkv", "webm", "ogv", "3gp", "mpc"];

/// Returns true if the extension is that of an audio file.
pub fn is_audio_file_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    SOUND_EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Returns the path without the extension of an audio file. Text after any other dot is part of the name, as in
/// `Mix 1.2`.
pub(crate) fn without_extension(path: &Path) -> PathBuf {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let is_known = |known: &str| extension.eq_ignore_ascii_case(known);
    let is_extension = SOUND_EXTENSIONS.into_iter().chain(OTHER_EXTENSIONS).any(is_known);
    if is_extension { path.with_extension("") } else { path.to_owned() }
}

/// Returns the path with another extension in place of that of an audio file.
pub(crate) fn with_extension(path: &Path, extension: &str) -> PathBuf {
    let mut name = without_extension(path).into_os_string();
    name.push(".");
    name.push(extension);
    name.into()
}

/// Returns the default path of a mix's master: beside the mix.
pub fn default_master_path(mix: &Path) -> PathBuf {
    with_extension(mix, "master.wav")
}

/// Returns the path of a file with its folder resolved, so that all paths to one file are equal. The file need not
/// exist.
pub(crate) fn resolved_path(path: &Path) -> PathBuf {
    let folder = folder(path);
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    folder.join(path.file_name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_an_extension_is_left_out_of_a_name() {
        let names = ["song.wav", "No Extension 1.2", "a.b.FLAC", "Mix v2.final", "sub.d/x", "clip.mov", ".wav"];
        let masters = [
            "song.master.wav",
            "No Extension 1.2.master.wav",
            "a.b.master.wav",
            "Mix v2.final.master.wav",
            "sub.d/x.master.wav",
            "clip.master.wav",
            ".wav.master.wav",
        ];
        assert_eq!(names.map(|name| default_master_path(Path::new(name))), masters.map(PathBuf::from));
    }
}
