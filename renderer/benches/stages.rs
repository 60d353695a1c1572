//! Frames per second of the costlier stages: `cargo bench -p goldmaster-renderer`.
//!
//! The best of several runs over the demo mix. One frame per second is real time at a rate of 1 Hz: divide by the
//! sample rate for "times real time".

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use analyzer::stream::Frame;
use analyzer::synth::demo_mix;
use renderer::params::Curve;
use renderer::stage::Stage;
use renderer::stages::dynamic_eq::{BellParams, DynamicEq, DynamicEqParams};
use renderer::stages::glue::{Glue, GlueParams};
use renderer::stages::match_eq::{MatchEq, MatchEqParams};
use renderer::stages::multiband::{BandParams, Multiband, MultibandParams};
use renderer::stages::width::{Width, WidthParams};

const RATE: u32 = 44_100;
const SECONDS: f64 = 60.0;
const RUNS: usize = 5;
/// Mean level of each band of the demo mix, roughly, dBFS.
const BAND_LEVELS_DBFS: [f64; 4] = [-28.0, -28.0, -40.0, -50.0];

fn main() -> std::io::Result<()> {
    let song = demo_mix(RATE, SECONDS);
    let tone = Curve(std::array::from_fn(|band| (band % 3) as f64 - 1.0));
    let match_eq = MatchEqParams { mid_db: tone.clone(), side_db: tone, ..Default::default() };
    bench("match_eq", &song, || MatchEq::new(&match_eq, RATE))?;
    let mut dynamic_eq = DynamicEqParams::default();
    for (bell, frequency_hz) in dynamic_eq.bells.iter_mut().zip([90.0, 300.0, 3000.0, 7000.0]) {
        *bell = BellParams { frequency_hz, max_cut_db: 6.0, ..Default::default() };
    }
    bench("dynamic_eq", &song, || DynamicEq::new(&dynamic_eq, RATE))?;
    let band = BandParams { threshold_db: -12.0, ratio: 1.5, knee_db: 12.0, ..Default::default() };
    let multiband = MultibandParams { low: band, low_mid: band, high_mid: band, high: band };
    bench("multiband", &song, || Multiband::new(&multiband, &BAND_LEVELS_DBFS, RATE))?;
    let glue = GlueParams { ratio: 1.5, ..Default::default() };
    bench("glue", &song, || Glue::new(&glue, &BAND_LEVELS_DBFS, RATE))?;
    let width = WidthParams { high_mid_db: 1.0, high_db: 2.0, mono_below_hz: 100.0, ..Default::default() };
    bench("width", &song, || Width::new(&width, RATE))
}

fn bench<S: Stage>(name: &str, song: &[Frame], new: impl Fn() -> Option<S>) -> std::io::Result<()> {
    let mut frames = song.to_vec();
    let seconds = (0..RUNS)
        .filter_map(|_| {
            let mut stage = new()?;
            frames.copy_from_slice(song);
            let start = Instant::now();
            frames.chunks_mut(4096).for_each(|chunk| stage.process(black_box(chunk)));
            Some(start.elapsed().as_secs_f64())
        })
        .fold(f64::INFINITY, f64::min);
    let rate = song.len() as f64 / seconds;
    writeln!(
        std::io::stdout(),
        "{name:14} {:6.1} million frames per second, {:5.0} times real time at 44.1 kHz",
        rate / 1e6,
        rate / f64::from(RATE)
    )
}
