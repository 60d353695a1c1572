//! Small text files: recipes and reports.

use std::io::{self, BufWriter, Read as _, Write};
use std::path::Path;

use super::encode::{persist, temporary};
use super::error::Error;
use super::guard::GuardedFile;
use super::regular::open_regular;

/// Largest text file that is read, bytes: no recipe is larger, and a song given by mistake is not read to its end.
const MAX_BYTES: u64 = 64 << 20;

/// Reads a text file.
///
/// # Errors
/// The file cannot be read, or is not text.
pub fn read(path: &Path) -> Result<String, Error> {
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::InvalidData => Error::reading(path, &io::Error::other("it is no text file")),
        _ => Error::reading(path, &e),
    };
    let mut text = String::new();
    let count = open_regular(path)?.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if count as u64 > MAX_BYTES { Err(failed(io::ErrorKind::InvalidData.into())) } else { Ok(text) }
}

/// Writes a text file, which gets its name only when it is complete. Without `overwrite`, an existing file is an
/// error.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, text: &str, overwrite: bool) -> Result<(), Error> {
    write_with(path, overwrite, |file| file.write_all(text.as_bytes()))
}

/// Writes a text file, and replaces an existing file only if that starts with `prefix`.
///
/// # Errors
/// The file cannot be written, or the existing file starts with something else.
pub fn replace_own(path: &Path, text: &str, prefix: &str) -> Result<(), Error> {
    let is_free = std::fs::symlink_metadata(path).is_err() || starts_with(path, prefix);
    if is_free { write(path, text, true) } else { Err(Error::Exists { path: path.to_owned() }) }
}

/// Returns true if `path` is a text file with these first letters.
pub fn starts_with(path: &Path, prefix: &str) -> bool {
    read(path).is_ok_and(|text| text.starts_with(prefix))
}

/// As [`write()`], for a text that `fill` writes piece by piece.
///
/// # Errors
/// The file cannot be written, or `fill` fails.
pub fn write_with(
    path: &Path,
    overwrite: bool,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    let temporary = temporary(path)?;
    let filled = temporary.as_file().try_clone().and_then(|file| {
        let mut writer = BufWriter::new(GuardedFile::new(file));
        fill(&mut writer)?;
        writer.flush()
    });
    filled.map_err(|e| Error::writing(path, &e))?;
    persist(temporary, path, overwrite)
}

/// Creates a folder and its parents, unless it exists already.
///
/// # Errors
/// The folder cannot be created.
pub fn create_folder(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(|e| Error::writing(path, &e))
}
