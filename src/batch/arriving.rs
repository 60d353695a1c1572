//! Detects files that are still being written, such as downloads and copies in progress.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use analyzer::stream::Source as _;

use crate::io;
use crate::io::decode::{Stamp, open, stamp};
use crate::io::source_info::SourceInfo;
use crate::song::blocks::BLOCK;
use crate::song::observer::Observer;

/// A file that was not written to for this long counts as complete, whatever its header says.
const COMPLETE_AFTER: Duration = Duration::from_secs(10);
/// Largest plausible difference between the clocks of two machines. A file date further in the future is ignored.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(600);
/// Time between two checks of a file.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// True if a file states its length, and is not shorter or longer than that.
pub fn is_whole(info: &SourceInfo, warnings: &[io::Warning]) -> bool {
    info.frames_hint.is_some() && !warnings.iter().any(io::Warning::is_of_length)
}

/// Reads the file at `path` with `load`, unless it is still being written. A file that is whole by `is_whole` is
/// returned at once. A file that ends too early, or does not state its length, is first watched until nothing was
/// written to it for some seconds.
///
/// # Errors
/// Any error of `load`; [`Changed`](io::Error::Changed) if the file is still being written; or the run is interrupted.
pub fn load_when_complete<T>(
    path: &Path,
    observer: &dyn Observer,
    load: impl FnOnce() -> Result<T, io::Error>,
    is_whole: impl Fn(&T) -> bool,
) -> Result<T, io::Error> {
    let before = stamp(path);
    let loaded = load();
    let rest = if is_complete(before, &loaded, is_whole) { Duration::ZERO } else { remaining_watch_time(before) };
    let deadline = Instant::now() + rest;
    while Instant::now() < deadline {
        std::thread::sleep(POLL_INTERVAL);
        observer.advance(0)?;
        if stamp(path) != before {
            return Err(io::Error::Changed { path: path.to_owned() });
        }
    }
    loaded
}

/// True if [`load_when_complete`] would watch the file at `path` if it read it now. Does not wait. Only a file that was
/// written to just now is read to its end.
pub fn may_grow(path: &Path) -> bool {
    let before = stamp(path);
    if remaining_watch_time(before).is_zero() {
        return false;
    }
    let read = decode_to_end(path);
    matches!(read, Err(io::Error::Changed { .. })) || !is_complete(before, &read, |is_whole| *is_whole)
}

/// True if the data read from a file with the timestamp `before` is complete: nothing further is to be expected.
fn is_complete<T>(before: Option<Stamp>, loaded: &Result<T, io::Error>, is_whole: impl Fn(&T) -> bool) -> bool {
    match loaded {
        Ok(loaded) => is_whole(loaded),
        Err(io::Error::Empty { .. } | io::Error::Damaged { .. }) => false,
        Err(_) => before.is_none_or(|(bytes, _)| bytes > 0),
    }
}

/// Returns how much longer a file with this timestamp may still be written to.
fn remaining_watch_time(stamp: Option<Stamp>) -> Duration {
    let Some((_, Some(written))) = stamp else { return Duration::ZERO };
    match SystemTime::now().duration_since(written) {
        Ok(age) => COMPLETE_AFTER.saturating_sub(age),
        Err(ahead) if ahead.duration() < MAX_CLOCK_DIFFERENCE => COMPLETE_AFTER,
        Err(_) => Duration::ZERO,
    }
}

/// Decodes the file to its end. Returns true if it is whole.
fn decode_to_end(path: &Path) -> Result<bool, io::Error> {
    let mut decoder = open(path)?;
    let mut block = vec![[0.0; 2]; BLOCK];
    while decoder.read(&mut block)? > 0 {}
    Ok(is_whole(decoder.info(), decoder.warnings()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::song::observer::Silent;

    fn read(path: &Path, is_whole: bool) -> Result<Vec<u8>, io::Error> {
        let load = || std::fs::read(path).map_err(|e| io::Error::reading(path, &e));
        load_when_complete(path, &Silent, load, |_| is_whole)
    }

    #[test]
    fn only_a_file_that_ends_too_early_and_was_written_to_just_now_is_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("song.wav");
        std::fs::write(&path, "whole").expect("space");
        let began = Instant::now();
        assert!(read(&path, true).is_ok_and(|bytes| bytes == b"whole"));
        let old = SystemTime::now() - 2 * COMPLETE_AFTER;
        std::fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(old)).expect("ours");
        assert!(read(&path, false).is_ok());
        assert!(began.elapsed() < COMPLETE_AFTER / 2, "neither is waited for");
        std::fs::write(&path, "begun").expect("space");
        let grown = std::thread::scope(|threads| {
            threads.spawn(|| {
                std::thread::sleep(5 * POLL_INTERVAL);
                std::fs::write(&path, "begun and gone on with").expect("space");
            });
            read(&path, false)
        });
        assert!(matches!(grown, Err(io::Error::Changed { .. })), "{grown:?}");
    }

    #[test]
    fn a_date_to_come_is_that_of_another_clock_unless_it_is_far_off() {
        let ahead = |by: Duration| remaining_watch_time(Some((1, Some(SystemTime::now() + by))));
        assert_eq!(
            [ahead(MAX_CLOCK_DIFFERENCE / 2), ahead(2 * MAX_CLOCK_DIFFERENCE)],
            [COMPLETE_AFTER, Duration::ZERO]
        );
        assert_eq!(remaining_watch_time(None), Duration::ZERO);
    }

    #[test]
    fn a_file_that_says_no_length_or_another_is_not_whole() {
        let says = |frames_hint: Option<u64>| SourceInfo {
            sample_rate_hz: 44_100,
            channels: 2,
            frames_hint,
            codec: "MP3".to_owned(),
            bit_depth: None,
            lossy: true,
        };
        assert!(is_whole(&says(Some(9)), &[io::Warning::FrameSize]));
        assert!(!is_whole(&says(None), &[]));
        assert!(!is_whole(&says(Some(9)), &[io::Warning::Truncated { missing_frames: Some(1) }]));
    }
}
