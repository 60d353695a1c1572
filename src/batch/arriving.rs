//! Files that may still be on their way here.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use crate::io;
use crate::io::decode::stamp;
use crate::song::observer::Observer;

/// A file that was not written to for so long has arrived, however much of it there is.
const ARRIVED: Duration = Duration::from_secs(10);
/// Time between two looks at a file.
const LOOK: Duration = Duration::from_millis(100);

/// What `load` reads of the file at `path`, unless that is still being written. A file that is whole is not waited for; one that
/// ends too early, by `faults` or by the error, is watched until nothing was written to it for some seconds.
///
/// # Errors
/// As `load`; the file is still being written; or the run is interrupted.
pub fn arrived<T>(
    path: &Path,
    observer: &dyn Observer,
    load: impl FnOnce() -> Result<T, io::Error>,
    faults: impl Fn(&T) -> &[io::Warning],
) -> Result<T, io::Error> {
    let before = stamp(path);
    let loaded = load();
    let is_cut_off = match &loaded {
        Ok(loaded) => faults(loaded).iter().any(io::Warning::is_of_length),
        Err(io::Error::Empty { .. } | io::Error::Damaged { .. }) => true,
        Err(_) => before.is_some_and(|(bytes, _)| bytes == 0),
    };
    let written = before.and_then(|(_, time)| time).filter(|_| is_cut_off);
    let Some(written) = written else { return loaded };
    // A clock of another machine may be ahead.
    let age = SystemTime::now().duration_since(written).unwrap_or_default();
    let until = Instant::now() + ARRIVED.saturating_sub(age);
    while Instant::now() < until {
        std::thread::sleep(LOOK);
        observer.advance(0)?;
        if stamp(path) != before {
            return Err(io::Error::Changed { path: path.to_owned() });
        }
    }
    loaded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::song::observer::Silent;

    fn read(path: &Path, faults: &[io::Warning]) -> Result<Vec<u8>, io::Error> {
        let load = || {
            let bytes = std::fs::read(path).map_err(|e| io::Error::reading(path, &e))?;
            Ok((bytes, faults.to_vec()))
        };
        arrived(path, &Silent, load, |(_, faults)| faults).map(|(bytes, _)| bytes)
    }

    #[test]
    fn only_a_file_that_ends_too_early_and_was_written_to_just_now_is_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("song.wav");
        std::fs::write(&path, "whole").expect("space");
        let cut_off = [io::Warning::Truncated { missing_frames: Some(9) }];
        let began = Instant::now();
        assert!(read(&path, &[]).is_ok_and(|bytes| bytes == b"whole"));
        let old = SystemTime::now() - 2 * ARRIVED;
        std::fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(old)).expect("ours");
        assert!(read(&path, &cut_off).is_ok());
        assert!(began.elapsed() < ARRIVED / 2, "neither is waited for");
        std::fs::write(&path, "begun").expect("space");
        let grown = std::thread::scope(|threads| {
            threads.spawn(|| {
                std::thread::sleep(5 * LOOK);
                std::fs::write(&path, "begun and gone on with").expect("space");
            });
            read(&path, &cut_off)
        });
        assert!(matches!(grown, Err(io::Error::Changed { .. })), "{grown:?}");
    }
}
