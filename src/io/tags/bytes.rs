//! Bytes at given places of a file, or of what was unpacked from one.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};

/// Random access. What lies past the end is not there, and nothing is allocated for it.
pub(super) trait ReadAt {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// Fills `bytes` from `at` on.
    fn fill(&mut self, at: u64, bytes: &mut [u8]) -> Option<()>;

    /// So many bytes from `at` on.
    fn bytes(&mut self, at: u64, count: u64) -> Option<Vec<u8>> {
        if at.checked_add(count)? > self.len() {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(count).ok()?];
        self.fill(at, &mut bytes)?;
        Some(bytes)
    }

    /// A fixed number of bytes from `at` on.
    fn array<const N: usize>(&mut self, at: u64) -> Option<[u8; N]>
    where
        Self: Sized,
    {
        let mut bytes = [0; N];
        if at.checked_add(N as u64)? > self.len() {
            return None;
        }
        self.fill(at, &mut bytes)?;
        Some(bytes)
    }
}

/// A file, read through a buffer that survives short jumps.
pub(super) struct FileBytes {
    file: BufReader<File>,
    at: u64,
    len: u64,
}

impl FileBytes {
    pub fn new(file: File) -> std::io::Result<Self> {
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

    fn fill(&mut self, at: u64, bytes: &mut [u8]) -> Option<()> {
        let offset = i64::try_from(i128::from(at) - i128::from(self.at)).ok()?;
        self.file.seek_relative(offset).ok()?;
        self.at = at;
        self.file.read_exact(bytes).ok()?;
        self.at += bytes.len() as u64;
        Some(())
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn fill(&mut self, at: u64, bytes: &mut [u8]) -> Option<()> {
        let at = usize::try_from(at).ok()?;
        bytes.copy_from_slice(self.get(at..at.checked_add(bytes.len())?)?);
        Some(())
    }
}
