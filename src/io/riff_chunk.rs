//! Chunks as RIFF files hold them.

/// Appends a chunk, padded to an even size.
pub(super) fn append_chunk(name: [u8; 4], body: &[u8], chunks: &mut Vec<u8>) {
    chunks.extend(name);
    chunks.extend((body.len() as u32).to_le_bytes());
    chunks.extend(body);
    chunks.extend(std::iter::repeat_n(0, body.len() % 2));
}
