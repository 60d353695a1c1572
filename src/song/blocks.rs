//! Reading a source block by block.

use analyzer::stream::{Frame, Source};

/// Number of frames per read.
pub const BLOCK: usize = 4096;

/// Passes every block of a source to `sink`, until the source ends or either fails.
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
