//! Locks that end with the process that holds them. They show which process works on what, and which temporary files
//! were left by killed runs.
//!
//! A lock belongs to an open file (`flock`), so the system releases it however the process ends. On a file system
//! without locks, nothing is ever swept, and two runs may do the same work twice.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::{NamedTempFile, TempDir};

use super::error::Error;

/// Prefix of the names of files that are still being written.
pub(super) const TEMPORARY_PREFIX: &str = ".goldmaster-";
/// Suffix of the names of files that are still being written.
pub(super) const TEMPORARY_SUFFIX: &str = ".tmp";

/// Temporary files of this process that may still have their temporary names.
static TEMPORARIES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Makes a temporary file and locks it. Returns `None` if a sweep removed the file before it was locked.
///
/// # Errors
/// As `make`.
pub(super) fn create_locked(make: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<Option<NamedTempFile>> {
    // Hold the list while the file is made, so that `remove_temporaries` never misses it.
    let mut temporaries = TEMPORARIES.lock().unwrap_or_else(PoisonError::into_inner);
    let file = make()?;
    // A sweep holds its lock only for a moment, so waiting for it is fine.
    let is_locked = file.as_file().lock().is_err() || is_linked(file.as_file());
    if is_locked {
        temporaries.retain(|path| path.exists());
        temporaries.push(file.path().to_owned());
    }
    Ok(is_locked.then_some(file))
}

/// Removes the temporary files of this process, for an immediate exit: nothing else cleans up afterwards. No further
/// temporary file can be made, as the list stays locked.
pub fn remove_temporaries() {
    let mut temporaries = TEMPORARIES.lock().unwrap_or_else(PoisonError::into_inner);
    for path in temporaries.drain(..) {
        // A file that got its final name in the meantime no longer exists under this one.
        let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    }
    std::mem::forget(temporaries);
}

/// A folder for temporary files that no other user may read. It is removed when it is dropped, or when a second Ctrl-C
/// ends the process. Folders left by a killed process are removed when a new one is made.
#[derive(Debug)]
pub struct TemporaryFolder {
    /// Must be dropped before the folder: some systems cannot remove a folder that contains an open file.
    _lock: File,
    folder: TempDir,
}

/// Prefix of the names of such folders.
const FOLDER_PREFIX: &str = "goldmaster-";
/// Name of the lock file inside such a folder.
const FOLDER_LOCK: &str = ".lock";

impl TemporaryFolder {
    /// Makes a folder within the system's folder for temporary files.
    ///
    /// # Errors
    /// The folder cannot be made there.
    pub fn new() -> Result<Self, Error> {
        let parent = std::env::temp_dir();
        for entry in std::fs::read_dir(&parent).into_iter().flatten().flatten() {
            let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(FOLDER_PREFIX));
            let lock = OpenOptions::new().write(true).open(entry.path().join(FOLDER_LOCK));
            if is_ours && lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
                // A folder that cannot be removed does no harm.
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
        // On a system without locks, folders are never swept anyway.
        let _ = lock.lock();
        temporaries.push(folder.path().to_owned());
        drop(temporaries);
        Ok(Self { _lock: lock, folder })
    }

    /// Returns the path of the folder.
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

/// Removes files that killed runs have left in `folder`: temporary files that no living process has locked.
pub fn sweep(folder: &Path) {
    // Elsewhere `is_linked` cannot tell whether a file still has its name, so the owner of a swept file would not
    // notice.
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

/// Removes a file while holding its lock. A living owner either has the lock, or will notice that the name is gone.
fn remove_unheld(path: &Path) {
    if let Ok(file) = OpenOptions::new().write(true).open(path)
        && file.try_lock().is_ok()
    {
        // A file that cannot be removed does no harm.
        let _ = std::fs::remove_file(path);
    }
}

/// The exclusive right to work on something, against all other processes and threads.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    file: File,
    /// True if its previous holder ended without [`release`](Self::release), so that the state of its work is unknown.
    pub was_abandoned: bool,
}

impl Claim {
    /// Claims the work that `path` identifies. Returns `None` if it is claimed already.
    ///
    /// # Errors
    /// The claim's file cannot be made.
    pub fn take(path: &Path) -> Result<Option<Self>, Error> {
        loop {
            let (file, was_abandoned) = open(path).map_err(|e| Error::writing(path, &e))?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(None),
                // The claim was released, and its file removed, between opening and locking.
                Ok(()) if !is_linked(&file) => {}
                Ok(()) | Err(TryLockError::Error(_)) => {
                    return Ok(Some(Self { path: path.to_owned(), file, was_abandoned }));
                }
            }
        }
    }

    /// True if the claim at `path` is held.
    pub fn is_held(path: &Path) -> bool {
        let file = OpenOptions::new().write(true).open(path);
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Releases the claim: the work is complete, or was never begun.
    pub fn release(self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

/// Opens or creates the file. Returns true if it existed before.
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
