//! The difference between master and mix, as a sound to listen to.

use analyzer::stream::{Frame, Source};
use analyzer::units::gain_from_db;

use crate::io;
use crate::io::encode::Encoder;
use crate::song::observer::Observer;
use crate::song::read_ahead::each_block_ahead;

/// Writes master minus mix, with the mix at the gain in front of the limiter. Both have the same number of frames.
///
/// # Errors
/// A source cannot be read, the file cannot be written, or the run was interrupted.
pub fn write_difference<M, S>(
    mix: &mut M,
    master: &mut S,
    drive_db: f64,
    encoder: &mut Encoder,
    observer: &dyn Observer,
) -> Result<(), io::Error>
where
    M: Source<Error = io::Error>,
    S: Source<Error = io::Error> + Send,
{
    let gain = gain_from_db(drive_db) as f32;
    let (mut dry, mut difference): (Vec<Frame>, Vec<Frame>) = (Vec::new(), Vec::new());
    each_block_ahead(master, |frames| {
        dry.resize(frames.len(), [0.0; 2]);
        let mut filled = 0;
        while filled < dry.len() {
            match mix.read(&mut dry[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        dry[filled..].fill([0.0; 2]);
        difference.clear();
        difference.extend(frames.iter().zip(&dry).map(|(wet, dry)| [wet[0] - gain * dry[0], wet[1] - gain * dry[1]]));
        encoder.write(&difference)?;
        observer.advance(frames.len() as u64)
    })
}
