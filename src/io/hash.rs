//! Names a sound by its content: a recipe is bound to the frames it was solved for, whatever tags they carry.

use analyzer::stream::{Frame, Meter};

/// Frames hashed at a time.
const BLOCK_FRAMES: usize = 4096;

/// BLAKE3 over sample rate, channels and the bits of every frame.
#[derive(Clone, Debug)]
pub struct FrameHash {
    hasher: blake3::Hasher,
    bytes: Vec<u8>,
}

impl FrameHash {
    /// The hash of no frames yet.
    pub fn new(sample_rate_hz: u32, channels: u8) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"goldmaster frames 1");
        hasher.update(&sample_rate_hz.to_le_bytes());
        hasher.update(&[channels]);
        Self { hasher, bytes: Vec::with_capacity(BLOCK_FRAMES * 8) }
    }
}

impl Meter for FrameHash {
    /// 64 hexadecimal digits.
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
