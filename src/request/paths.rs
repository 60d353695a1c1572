//! Which files a run may write, asked before any work.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::io::encode::{ensure_distinct, ensure_writable};
use crate::request::job::Output;

/// Whatever can be found wrong before any work is done.
pub fn check_paths<'a>(
    input: &'a Path,
    references: impl Iterator<Item = &'a Path>,
    output: &Output,
) -> Result<(), Error> {
    let read: Vec<&Path> = std::iter::once(input).chain(references).collect();
    for path in &read {
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
    Ok(ensure_writable(&output.path, output.force)?)
}

/// What is written beside the master (a recipe, a profile, the difference) must not take the place of any other file of the
/// run, not even of one that is still to be written.
pub fn check_other_path<'a>(
    what: &str,
    other: &Path,
    mut taken: impl Iterator<Item = &'a Path>,
    force: bool,
) -> Result<(), Error> {
    let is_taken = |path: &Path| place(path) == place(other) || ensure_distinct(path, other).is_err();
    if let Some(path) = taken.find(|path| is_taken(path)) {
        return Err(Error::Usage(format!("the {what} cannot be written over {}: choose another name", path.display())));
    }
    Ok(ensure_writable(other, force)?)
}

/// Where a file is or will be, whatever way its path takes.
pub(crate) fn place(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    folder.join(path.file_name().unwrap_or_default())
}
