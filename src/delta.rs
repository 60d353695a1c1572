//! What a run took away or added, as a sound to listen to.

use std::path::Path;

use analyzer::stream::{Frame, Source};
use analyzer::units::gain_from_db;
use renderer::recipe::SampleFormat;
use renderer::resample::Resampled;

use crate::io;
use crate::io::decode::open;
use crate::io::encode::{Encoder, Format, OutputSpec};
use crate::song::{Song, each_block};

/// Writes the master, which is complete under its name, less the mix, the mix at the gain in front of the limiter: 32-bit floating point, aligned with both.
///
/// # Errors
/// The master cannot be read, or the file cannot be written.
pub fn write_delta(song: &Song, master: &Path, drive_db: f64, path: &Path, overwrite: bool) -> Result<(), io::Error> {
    let mut master = open(master)?;
    let rate = master.info().sample_rate_hz;
    let mut spec = OutputSpec {
        sample_rate_hz: rate,
        channels: song.info.channels,
        format: Format::Wav,
        sample_format: SampleFormat::Float32,
        frames: song.frames.len(),
    };
    if rate == song.info.sample_rate_hz {
        write_difference(&mut song.frames.reader(), &mut master, drive_db, path, spec, overwrite)
    } else {
        let mix = Resampled::new(song.frames.reader(), song.info.sample_rate_hz, rate);
        spec.frames = (song.frames.len() * u64::from(rate)).div_ceil(u64::from(song.info.sample_rate_hz));
        write_difference(&mut { mix }, &mut master, drive_db, path, spec, overwrite)
    }
}

fn write_difference<M, S>(
    mix: &mut M,
    master: &mut S,
    drive_db: f64,
    path: &Path,
    spec: OutputSpec,
    overwrite: bool,
) -> Result<(), io::Error>
where
    M: Source<Error = io::Error>,
    S: Source<Error = io::Error>,
{
    let gain = gain_from_db(drive_db) as f32;
    let mut encoder = Encoder::create(path, spec, overwrite)?;
    let mut dry: Vec<Frame> = Vec::new();
    each_block(master, |frames| {
        let mut difference = frames.to_vec();
        dry.resize(frames.len(), [0.0; 2]);
        let mut filled = 0;
        while filled < dry.len() {
            match mix.read(&mut dry[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        dry[filled..].fill([0.0; 2]);
        for (wet, dry) in difference.iter_mut().zip(&dry) {
            *wet = [wet[0] - gain * dry[0], wet[1] - gain * dry[1]];
        }
        encoder.write(&difference)
    })?;
    encoder.finish(None).map(|_| ())
}
