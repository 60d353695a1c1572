//! Chunks as RIFF and AIFF files hold them.

use std::io;

use super::bytes::ReadAt;

/// The head of a chunk.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    pub id: [u8; 4],
    /// Where its content starts.
    pub body: u64,
    /// Bytes of its content, as its head says.
    pub size: u64,
}

impl Chunk {
    /// The chunk at `at`, or `None` at the end of the file. RIFF writes sizes with the lowest byte first, AIFF with the highest.
    pub fn at(file: &mut impl ReadAt, at: u64, size_of: fn([u8; 4]) -> u32) -> io::Result<Option<Self>> {
        let header = file.try_array::<8>(at)?;
        Ok(header.map(|[a, b, c, d, size @ ..]| Self {
            id: [a, b, c, d],
            body: at + 8,
            size: u64::from(size_of(size)),
        }))
    }

    /// Where the chunk after one of so many bytes starts: at an even distance.
    pub fn next_after(self, size: u64) -> Option<u64> {
        self.body.checked_add(size)?.checked_add(size & 1)
    }

    /// Where the next one starts.
    pub fn next(self) -> u64 {
        self.body.saturating_add(self.size + (self.size & 1))
    }
}

/// Appends a chunk, padded to an even size.
pub(super) fn append_chunk(name: [u8; 4], body: &[u8], chunks: &mut Vec<u8>) {
    let start = begin_chunk(name, chunks);
    chunks.extend(body);
    end_chunk(start, chunks);
}

/// Begins a chunk and says where.
pub(super) fn begin_chunk(id: [u8; 4], chunks: &mut Vec<u8>) -> usize {
    chunks.extend(id);
    chunks.extend([0; 4]);
    chunks.len()
}

/// Ends the chunk that was begun there, at an even length.
pub(super) fn end_chunk(start: usize, chunks: &mut Vec<u8>) {
    let size = (chunks.len() - start) as u32;
    chunks[start - 4..start].copy_from_slice(&size.to_le_bytes());
    if size % 2 == 1 {
        chunks.push(0);
    }
}
