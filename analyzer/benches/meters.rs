//! Frames per second of every meter, and of the whole: `cargo bench -p goldmaster-analyzer`.
//!
//! The best of several runs over the demo mix. One frame per second is real time at a rate of 1 Hz: divide by the
//! sample rate for "times real time".

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use analyzer::analyze::Analyzer;
use analyzer::loudness::LoudnessMeter;
use analyzer::spectrum::SpectrumMeter;
use analyzer::stream::{Frame, Meter};
use analyzer::synth::demo_mix;
use analyzer::true_peak::TruePeakMeter;

const RATE: u32 = 44_100;
const SECONDS: f64 = 60.0;
const RUNS: usize = 5;

fn main() -> std::io::Result<()> {
    // Brought to −10 LUFS, as most music is: how much a true-peak meter can skip depends on it.
    let song: Vec<Frame> =
        demo_mix(RATE, SECONDS).into_iter().map(|frame| frame.map(|x| 0.9 * libm::tanhf(6.0 * x))).collect();
    bench("loudness", &song, || LoudnessMeter::new(RATE))?;
    bench("true peak", &song, TruePeakMeter::new)?;
    bench("spectrum", &song, || SpectrumMeter::new(RATE))?;
    bench("whole profile", &song, || Analyzer::new(RATE, 2))
}

fn bench<M: Meter>(name: &str, song: &[Frame], new: impl Fn() -> M) -> std::io::Result<()> {
    let seconds = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            let mut meter = new();
            song.chunks(4096).for_each(|chunk| meter.push(black_box(chunk)));
            black_box(meter.finish());
            start.elapsed().as_secs_f64()
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
