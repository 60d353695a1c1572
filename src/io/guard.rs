//! Files that report an error at the size limit of the process instead of killing it, and files that several threads
//! can read.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

/// Returns the size of the largest file that this process may write; unlimited if the system does not state a limit.
///
/// Writing past the limit would kill the process by a signal, with no chance to report an error or to clean up.
fn max_file_bytes() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max file size"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(u64::MAX)
}

/// A file for writing that returns an error where the system would kill the process.
#[derive(Debug)]
pub(super) struct GuardedFile {
    file: File,
    at: u64,
    max_bytes: u64,
}

impl GuardedFile {
    /// Guards an empty file.
    pub fn new(file: File) -> Self {
        Self { file, at: 0, max_bytes: max_file_bytes() }
    }
}

impl Write for GuardedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.at.saturating_add(bytes.len() as u64) > self.max_bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let count = self.file.write(bytes)?;
        self.at += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for GuardedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}

/// A file that is read and written at given offsets, from any thread.
#[derive(Debug)]
pub(super) struct SharedFile {
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    file: std::sync::Mutex<File>,
    max_bytes: u64,
}

impl SharedFile {
    pub fn new(file: File) -> Self {
        #[cfg(not(unix))]
        let file = std::sync::Mutex::new(file);
        Self { file, max_bytes: max_file_bytes() }
    }

    pub fn write_all_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        if at.saturating_add(bytes.len() as u64) > self.max_bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.write_unguarded(bytes, at)
    }

    #[cfg(unix)]
    fn write_unguarded(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, at)
    }

    #[cfg(unix)]
    pub fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, at)
    }

    #[cfg(not(unix))]
    fn write_unguarded(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let mut file = self.file.lock().map_err(|_| io::ErrorKind::Other)?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)
    }

    #[cfg(not(unix))]
    pub fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        use std::io::Read;
        let mut file = self.file.lock().map_err(|_| io::ErrorKind::Other)?;
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_an_error_and_not_a_signal() {
        let mut file = GuardedFile { file: tempfile::tempfile().expect("a file"), at: 0, max_bytes: 10 };
        file.write_all(&[0; 10]).expect("within the limit");
        assert_eq!(file.write_all(&[0]).expect_err("full").kind(), io::ErrorKind::FileTooLarge);
        file.rewind().expect("seekable");
        file.write_all(&[1; 5]).expect("within the limit");
        let shared = SharedFile { max_bytes: 10, ..SharedFile::new(tempfile::tempfile().expect("a file")) };
        assert_eq!(shared.write_all_at(&[0; 6], 5).expect_err("full").kind(), io::ErrorKind::FileTooLarge);
    }
}
