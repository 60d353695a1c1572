//! Random access to the bytes of a file, or of data unpacked from one.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};

/// Random access. Reads past the end fail before anything is allocated.
pub(super) trait ReadAt {
    /// Returns the total number of bytes.
    fn len(&self) -> u64;

    /// Fills `bytes` from the offset `at` on. Fails if the data ends too early, or on a disk error.
    fn fill(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Returns `count` bytes from the offset `at` on; `None` if they cannot be read.
    fn bytes(&mut self, at: u64, count: u64) -> Option<Vec<u8>> {
        if at.checked_add(count)? > self.len() {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(count).ok()?];
        self.fill(at, &mut bytes).ok()?;
        Some(bytes)
    }

    /// Returns a fixed number of bytes from the offset `at` on; `None` if they cannot be read.
    fn array<const N: usize>(&mut self, at: u64) -> Option<[u8; N]>
    where
        Self: Sized,
    {
        self.try_array(at).ok().flatten()
    }

    /// As [`array`](Self::array), but distinguishes a disk error from the end of the data, which is `Ok(None)`.
    fn try_array<const N: usize>(&mut self, at: u64) -> io::Result<Option<[u8; N]>>
    where
        Self: Sized,
    {
        if at.checked_add(N as u64).is_none_or(|end| end > self.len()) {
            return Ok(None);
        }
        let mut bytes = [0; N];
        self.fill(at, &mut bytes)?;
        Ok(Some(bytes))
    }
}

/// A file that is read through a buffer, which is kept across short seeks.
pub(super) struct FileBytes {
    file: BufReader<File>,
    at: u64,
    len: u64,
}

impl FileBytes {
    pub fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let mut file = BufReader::new(file);
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { file, at: 0, len })
    }
}

impl ReadAt for FileBytes {
    fn len(&self) -> u64 {
        self.len
    }

    fn fill(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        let offset = i64::try_from(i128::from(at) - i128::from(self.at)).map_err(io::Error::other)?;
        self.file.seek_relative(offset)?;
        self.at = at;
        self.file.read_exact(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

/// Unbuffered access to a file.
impl ReadAt for File {
    fn len(&self) -> u64 {
        self.metadata().map_or(0, |metadata| metadata.len())
    }

    fn fill(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(at))?;
        self.read_exact(bytes)
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn fill(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        let there = usize::try_from(at).ok().and_then(|at| self.get(at..at.checked_add(bytes.len())?));
        bytes.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}
