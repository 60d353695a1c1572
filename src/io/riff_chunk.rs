//! Chunks of RIFF and AIFF files.

use std::io;

use super::bytes::ReadAt;

/// The header of a chunk.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    pub id: [u8; 4],
    /// Offset of its content.
    pub body: u64,
    /// Size of its content as stated in the header, bytes.
    pub size: u64,
}

impl Chunk {
    /// Reads the chunk at `at`, or returns `None` at the end of the file. Sizes are little-endian in RIFF and
    /// big-endian in AIFF.
    pub fn at(file: &mut impl ReadAt, at: u64, size_of: fn([u8; 4]) -> u32) -> io::Result<Option<Self>> {
        let header = file.try_array::<8>(at)?;
        Ok(header.map(|[a, b, c, d, size @ ..]| Self {
            id: [a, b, c, d],
            body: at + 8,
            size: u64::from(size_of(size)),
        }))
    }

    /// Returns the offset of the next chunk if this one has `size` bytes; chunks are padded to an even size.
    pub fn next_after(self, size: u64) -> Option<u64> {
        self.body.checked_add(size)?.checked_add(size & 1)
    }

    /// Returns the offset of the next chunk.
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

/// Begins a chunk. Returns the position of its content.
pub(super) fn begin_chunk(id: [u8; 4], chunks: &mut Vec<u8>) -> usize {
    chunks.extend(id);
    chunks.extend([0; 4]);
    chunks.len()
}

/// Ends the chunk whose content begins at `start`, and pads it to an even size.
pub(super) fn end_chunk(start: usize, chunks: &mut Vec<u8>) {
    let size = (chunks.len() - start) as u32;
    chunks[start - 4..start].copy_from_slice(&size.to_le_bytes());
    if size % 2 == 1 {
        chunks.push(0);
    }
}
