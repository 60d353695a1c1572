//! Small text files: recipes and reports.

use std::io::Write as _;
use std::path::Path;

use super::encode::{persist, temporary};
use super::error::Error;

/// Nobody writes a recipe larger than this; a song given by mistake is not read to its end.
const MAX_BYTES: u64 = 64 << 20;

/// Reads a text file.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn read(path: &Path) -> Result<String, Error> {
    let failed = |e: std::io::Error| Error::reading(path, &e);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return Err(failed(std::io::Error::other("it is no text file")));
    }
    std::fs::read_to_string(path).map_err(failed)
}

/// Writes a text file under its name only when it is complete. Without `overwrite` an existing file is an error.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, text: &str, overwrite: bool) -> Result<(), Error> {
    let mut file = temporary(path)?;
    file.write_all(text.as_bytes()).map_err(|e| Error::writing(path, &e))?;
    persist(file, path, overwrite)
}

/// Makes a folder and those above it; one that exists is fine.
///
/// # Errors
/// It cannot be made.
pub fn create_folder(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(|e| Error::writing(path, &e))
}
