//! Hashes of sounds and files. A recipe is bound to the frames that it was solved for, whatever tags they carry; a
//! batch identifies a file by all of its bytes.

use std::io::Read as _;
use std::path::Path;

use analyzer::stream::{Frame, Meter};

use super::error::Error;
use super::regular::open_regular;

/// Returns the BLAKE3 hash of all bytes of a file, including tags: 64 hexadecimal digits.
///
/// # Errors
/// The file cannot be read, or is not a file on disk.
pub fn file_hash(path: &Path) -> Result<String, Error> {
    let mut file = open_regular(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut bytes = vec![0; FILE_BLOCK_BYTES];
    loop {
        match file.read(&mut bytes).map_err(|e| Error::reading(path, &e))? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            count => hasher.update(&bytes[..count]),
        };
    }
}

/// Number of bytes read at a time.
const FILE_BLOCK_BYTES: usize = 1 << 17;

/// Number of frames hashed at a time.
const BLOCK_FRAMES: usize = 4096;

/// BLAKE3 hash of sample rate, channels and the bits of every frame.
#[derive(Clone, Debug)]
pub struct FrameHash {
    hasher: blake3::Hasher,
    bytes: Vec<u8>,
}

impl FrameHash {
    /// Starts the hash, with no frames yet.
    pub fn new(sample_rate_hz: u32, channels: u8) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"goldmaster frames 1");
        hasher.update(&sample_rate_hz.to_le_bytes());
        hasher.update(&[channels]);
        Self { hasher, bytes: Vec::with_capacity(BLOCK_FRAMES * 8) }
    }
}

impl Meter for FrameHash {
    /// The hash as 64 hexadecimal digits.
    type Reading = String;

    fn push(&mut self, frames: &[Frame]) {
        for block in frames.chunks(BLOCK_FRAMES) {
            self.bytes.clear();
            self.bytes.extend(block.as_flattened().iter().flat_map(|s| s.to_le_bytes()));
            self.hasher.update(&self.bytes);
        }
    }

    fn finish(self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(sample_rate_hz: u32, channels: u8, blocks: &[&[Frame]]) -> String {
        let mut hash = FrameHash::new(sample_rate_hz, channels);
        blocks.iter().for_each(|block| hash.push(block));
        hash.finish()
    }

    #[test]
    fn only_content_counts_not_how_it_is_cut() {
        let frames: Vec<Frame> = (0..10_000).map(|i| [i as f32, -(i as f32)]).collect();
        let whole = hash(44_100, 2, &[&frames]);
        assert_eq!(whole, hash(44_100, 2, &[&frames[..1], &frames[1..5_000], &[], &frames[5_000..]]));
        assert_eq!(whole.len(), 64);
        assert_ne!(whole, hash(48_000, 2, &[&frames]));
        assert_ne!(whole, hash(44_100, 1, &[&frames]));
        assert_ne!(whole, hash(44_100, 2, &[&frames[1..]]));
    }
}
