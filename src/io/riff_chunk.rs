//! Chunks as RIFF files hold them.

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
