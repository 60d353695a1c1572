//! Locks that end with the process that holds them: who works on what, and which files a killed run has left behind.
//!
//! A lock belongs to an open file (`flock`), so that the system frees it however its owner ends. Where a file system
//! knows no locks nothing is ever swept away, and two runs may do the same work twice.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::{NamedTempFile, TempDir};

use super::error::Error;

/// How the names of files begin that are still being written.
pub(super) const TEMPORARY_PREFIX: &str = ".goldmaster-";
/// How they end.
pub(super) const TEMPORARY_SUFFIX: &str = ".tmp";

/// Temporary files of this process that may still have their temporary names.
static TEMPORARIES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Makes a temporary file and locks it. `None` when a sweep came first and took its name.
///
/// # Errors
/// As `make`.
pub(super) fn held(make: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<Option<NamedTempFile>> {
    // From its first moment on the file is known to whoever removes all of them.
    let mut temporaries = TEMPORARIES.lock().unwrap_or_else(PoisonError::into_inner);
    let file = make()?;
    // A sweep holds a lock for an instant only.
    let is_held = file.as_file().lock().is_err() || is_linked(file.as_file());
    if is_held {
        temporaries.retain(|path| path.exists());
        temporaries.push(file.path().to_owned());
    }
    Ok(is_held.then_some(file))
}

/// Removes the temporary files of this process, which has to end at once: nothing else will clean up after it, and no more can be made.
pub fn remove_temporaries() {
    let mut temporaries = TEMPORARIES.lock().unwrap_or_else(PoisonError::into_inner);
    for path in temporaries.drain(..) {
        // What got its final name in the meantime is not there any more.
        let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    }
    std::mem::forget(temporaries);
}

/// A folder for temporary files, which no other user may read. It is removed when it is dropped or this process ends by a
/// second Ctrl-C; what a killed process has left is removed by the next one that makes such a folder.
#[derive(Debug)]
pub struct TemporaryFolder {
    /// Dropped first: some systems remove no folder with an open file in it.
    _lock: File,
    folder: TempDir,
}

/// How the names of such folders begin.
const FOLDER_PREFIX: &str = "goldmaster-";
/// The file in them that their process holds.
const FOLDER_LOCK: &str = ".lock";

impl TemporaryFolder {
    /// A new one in the system's folder for temporary files.
    ///
    /// # Errors
    /// It cannot be made there.
    pub fn new() -> Result<Self, Error> {
        let parent = std::env::temp_dir();
        for entry in std::fs::read_dir(&parent).into_iter().flatten().flatten() {
            let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(FOLDER_PREFIX));
            let lock = OpenOptions::new().write(true).open(entry.path().join(FOLDER_LOCK));
            if is_ours && lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
                // What cannot be removed stays, and does no harm.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(FOLDER_PREFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let mut temporaries = TEMPORARIES.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = builder.tempdir_in(&parent).map_err(|e| Error::spooling(&e))?;
        let lock = File::create(folder.path().join(FOLDER_LOCK)).map_err(|e| Error::spooling(&e))?;
        // Without locks nothing is ever swept away.
        let _ = lock.lock();
        temporaries.push(folder.path().to_owned());
        drop(temporaries);
        Ok(Self { _lock: lock, folder })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[cfg(unix)]
fn is_linked(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
}

#[cfg(not(unix))]
fn is_linked(_: &File) -> bool {
    true
}

/// Removes what killed runs have left in `folder`: temporary files that no living process holds.
pub fn sweep(folder: &Path) {
    // A file in use cannot be told from one left behind where removing does not wait for whoever has it open.
    if cfg!(not(unix)) {
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_temporary =
            name.to_str().is_some_and(|name| name.starts_with(TEMPORARY_PREFIX) && name.ends_with(TEMPORARY_SUFFIX));
        if is_temporary && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            remove_unheld(&entry.path());
        }
    }
}

/// Removes a file under its lock; its maker, if it lives, has the lock or finds the name gone.
fn remove_unheld(path: &Path) {
    if let Ok(file) = OpenOptions::new().write(true).open(path)
        && file.try_lock().is_ok()
    {
        // What cannot be removed stays, and does no harm.
        let _ = std::fs::remove_file(path);
    }
}

/// The right to work on something, held against all other processes and threads.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    file: File,
    /// Its holder before ended without [`release`](Self::release): how far it came is not known.
    pub was_abandoned: bool,
}

impl Claim {
    /// Claims what `path` stands for; `None` when another holds it.
    ///
    /// # Errors
    /// The file of the claim cannot be made.
    pub fn take(path: &Path) -> Result<Option<Self>, Error> {
        loop {
            let (file, was_abandoned) = open(path).map_err(|e| Error::writing(path, &e))?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(None),
                // Released, and so removed, between opening and locking.
                Ok(()) if !is_linked(&file) => {}
                Ok(()) | Err(TryLockError::Error(_)) => {
                    return Ok(Some(Self { path: path.to_owned(), file, was_abandoned }));
                }
            }
        }
    }

    /// Whether another holds the claim that `path` stands for.
    pub fn is_held(path: &Path) -> bool {
        let file = OpenOptions::new().write(true).open(path);
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Gives it back: nothing is left undone.
    pub fn release(self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

/// The file, and whether it was there.
fn open(path: &Path) -> io::Result<(File, bool)> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => Ok((file, false)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
            Ok((file, true))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_a_claim_and_the_next_learns_how_it_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("song.claim");
        let take = || Claim::take(&path).expect("writable");
        let first = take().expect("nobody has it");
        assert!(!first.was_abandoned && take().is_none() && Claim::is_held(&path));
        first.release();
        assert!(!path.exists() && !Claim::is_held(&path));
        drop(take().expect("it was given back"));
        assert!(take().expect("its holder is gone").was_abandoned);
    }

    #[cfg(unix)]
    #[test]
    fn only_what_nobody_holds_is_swept_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = |name: &str| folder.path().join(name);
        for left in [".goldmaster-abc.tmp", "song.wav", ".goldmaster-abc", "abc.tmp"] {
            std::fs::write(name(left), "left behind").expect("space");
        }
        let held = super::super::encode::temporary(&name("out.wav")).expect("a file");
        sweep(folder.path());
        assert!(!name(".goldmaster-abc.tmp").exists() && held.path().exists());
        assert!(["song.wav", ".goldmaster-abc", "abc.tmp"].iter().all(|kept| name(kept).exists()));
    }
}
