//! Frames in blocks.

use analyzer::stream::{Frame, Source};

/// Frames per read.
pub const BLOCK: usize = 4096;

/// Hands every block of a source to `sink`.
pub fn each_block<S: Source>(
    source: &mut S,
    mut sink: impl FnMut(&[Frame]) -> Result<(), S::Error>,
) -> Result<(), S::Error> {
    let mut block = vec![[0.0; 2]; BLOCK];
    loop {
        match source.read(&mut block)? {
            0 => return Ok(()),
            count => sink(&block[..count])?,
        }
    }
}
