//! Opens regular files only.

use std::fs::File;
use std::path::Path;

use super::error::Error;

/// Opens a file on disk. Anything else is refused: a pipe would block, and a device may never end.
pub(crate) fn open_regular(path: &Path) -> Result<File, Error> {
    let kind = std::fs::metadata(path).map_err(|e| Error::reading(path, &e))?.file_type();
    if kind.is_dir() {
        return Err(Error::NotAFile { path: path.to_owned(), what: "a folder" });
    }
    if !kind.is_file() {
        return Err(Error::NotAFile { path: path.to_owned(), what: "a pipe or a device" });
    }
    File::open(path).map_err(|e| Error::reading(path, &e))
}
