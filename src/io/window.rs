//! The sound of a file as a stream, without the tags around it, and with a replaced head if the header cannot be
//! trusted.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, OnceLock};

use symphonia::core::io::MediaSource;

use super::tag_places::{ApeFooter, Id3v2, MAX_LEADING_TAGS, id3v1};

/// The part of a file between leading and trailing tags.
#[derive(Debug)]
pub(super) struct Window {
    file: File,
    /// Bytes that are read in place of those before `start`.
    head: Vec<u8>,
    start: u64,
    end: u64,
    /// Position, counted from the start of `head`.
    at: u64,
    failure: Failure,
}

/// The first disk error that a [`Window`] met. Decoding libraries mistake such an error for the end of the file.
pub(super) type Failure = Arc<OnceLock<io::Error>>;

impl Window {
    /// Opens all of `file`, except ID3v2 tags before the sound and ID3v1 and APEv2 tags after it.
    pub fn without_tags(mut file: File) -> io::Result<Self> {
        let file_bytes = file.metadata()?.len();
        let mut start = 0;
        for _ in 0..MAX_LEADING_TAGS {
            let Some(tag) = Id3v2::at(&mut file, start)? else { break };
            start = tag.end();
        }
        let start = start.min(file_bytes);
        let end = end_of_sound(&mut file, start, file_bytes)?;
        let mut window = Self { file, head: Vec::new(), start, end, at: 0, failure: Failure::default() };
        window.rewind()?;
        Ok(window)
    }

    /// Returns the same window, with `head` in place of everything before the file offset `start`.
    pub fn with_head(self, head: Vec<u8>, start: u64) -> Self {
        Self { head, start: start.clamp(self.start, self.end), at: 0, ..self }
    }

    /// Returns the place where the first disk error will be stored.
    pub fn failure(&self) -> Failure {
        Arc::clone(&self.failure)
    }

    /// Stores a disk error, and returns the result.
    fn noted<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            let copy = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            let _ = self.failure.set(copy);
        })
    }

    /// Returns start and end of the sound in the file.
    pub fn range(&self) -> std::ops::Range<u64> {
        self.start..self.end
    }

    fn len(&self) -> u64 {
        self.head.len() as u64 + (self.end - self.start)
    }

    /// True if there is nothing before the sound.
    pub fn starts_the_file(&self) -> bool {
        self.start == 0
    }

    /// Returns the file, at an unspecified position.
    pub fn into_file(self) -> File {
        self.file
    }

    /// Returns the file, at an unspecified position. Call [`rewind`](Seek::rewind) before reading the window again.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }
}

/// Returns the end of the sound: before an ID3v1 tag of 128 bytes, and an APEv2 tag of the size that it states.
fn end_of_sound(file: &mut File, start: u64, file_bytes: u64) -> io::Result<u64> {
    let mut end = file_bytes;
    if end >= start + 128 && id3v1(file)?.is_some() {
        end -= 128;
    }
    if end >= start + 32
        && let Some(footer) = ApeFooter::before(file, end)?
    {
        end = end.checked_sub(footer.whole_bytes()).filter(|&end| end >= start).unwrap_or(end);
    }
    Ok(end)
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let head = usize::try_from(self.at).ok().and_then(|at| self.head.get(at..)).unwrap_or_default();
        let count = if head.is_empty() {
            let left = usize::try_from(self.len() - self.at).unwrap_or(usize::MAX);
            let length = buffer.len().min(left);
            loop {
                match self.file.read(&mut buffer[..length]) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => break self.noted(read)?,
                }
            }
        } else {
            let count = head.len().min(buffer.len());
            buffer[..count].copy_from_slice(&head[..count]);
            if count == head.len() {
                let moved = self.file.seek(SeekFrom::Start(self.start));
                self.noted(moved)?;
            }
            count
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let wanted = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        self.at = wanted.ok_or(io::ErrorKind::InvalidInput)?.min(self.len());
        if let Some(offset) = self.at.checked_sub(self.head.len() as u64) {
            let moved = self.file.seek(SeekFrom::Start(self.start + offset));
            self.noted(moved)?;
        }
        Ok(self.at)
    }
}

impl MediaSource for Window {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::file;
    use super::*;

    #[test]
    fn an_error_of_the_disk_is_noted() {
        let folder = tempfile::tempdir().expect("a folder");
        // A file opened for writing only cannot be read.
        let file = File::create(folder.path().join("song.flac")).expect("space");
        let failure = Failure::default();
        let mut window = Window { file, head: Vec::new(), start: 0, end: 100, at: 0, failure: Arc::clone(&failure) };
        assert!(failure.get().is_none());
        window.read(&mut [0; 10]).expect_err("it is not open for reading");
        assert!(failure.get().is_some_and(|error| error.raw_os_error().is_some()));
    }

    #[test]
    fn another_head_is_read_before_the_sound() {
        let file = file(b"0123456789");
        let window = Window::without_tags(File::open(file.path()).expect("the file")).expect("readable");
        let mut window = window.with_head(b"abc".to_vec(), 6);
        let mut text = String::new();
        window.read_to_string(&mut text).expect("readable");
        assert_eq!((text.as_str(), window.byte_len()), ("abc6789", Some(7)));
        for (at, rest) in [(0, "abc6789"), (2, "c6789"), (3, "6789"), (5, "89"), (9, "")] {
            window.seek(SeekFrom::Start(at)).expect("seekable");
            text.clear();
            window.read_to_string(&mut text).expect("readable");
            assert_eq!(text, rest, "{at}");
        }
    }
}
