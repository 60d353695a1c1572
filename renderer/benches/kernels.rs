//! Frames per second of every meter and every stage: `cargo bench -p goldmaster-renderer`.
//!
//! With a kernel's name and a number as arguments, only that kernel runs, that many times over [`PASS_FRAMES`] frames:
//! the counts of callgrind for two numbers differ by the cost of the passes between. `renderer/benches/instructions.sh`
//! does so for all of them. `list` prints their names.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use analyzer::analyze::Analyzer;
use analyzer::crossover::BANDS;
use analyzer::loudness::LoudnessMeter;
use analyzer::oversample::BLOCK_FRAMES;
use analyzer::spectrum::SpectrumMeter;
use analyzer::stream::{Frame, Meter, Source};
use analyzer::synth::demo_mix;
use analyzer::true_peak::TruePeakMeter;
use renderer::chain::Chain;
use renderer::recipe::Recipe;
use renderer::resample::Resampled;
use renderer::stage::Stage;
use renderer::stages::dither::Dither;
use renderer::stages::limiter::{BlockPeaks, LimiterApply, LimiterGain, LimiterParams, LimiterStep, PeakTrace};

const RATE: u32 = 44_100;
const SECONDS: f64 = 20.0;
const RUNS: usize = 5;
/// Frames of a pass, whole blocks of every stage.
const PASS_FRAMES: usize = 1 << 17;
/// Frames given to a kernel at a time, as the program does.
const BLOCK: usize = 4096;
/// Mean power of the demo mix per band, roughly.
const BAND_LEVELS_DBFS: [f64; BANDS] = [-31.0, -28.0, -36.0, -45.0];

/// A meter or a processing step that runs over a song.
#[derive(Clone, Copy)]
enum Kernel {
    /// A meter.
    Meter(fn(&[Frame])),
    /// The chain, with the settings that make one stage work.
    Stage(&'static [(&'static str, &'static str)]),
    /// Conversion to another sample rate.
    Resample(u32),
    /// The limiter, with trace, gain and multiplication, at 12 dB of drive.
    Limiter,
    /// Dither to 24 bits.
    Dither,
}

use Kernel::{Meter as Measure, Resample, Stage as Change};

const KERNELS: &[(&str, Kernel)] = &[
    ("loudness", Measure(|song| measure(LoudnessMeter::new(RATE), song))),
    ("true_peak", Measure(|song| measure(TruePeakMeter::new(), song))),
    ("spectrum", Measure(|song| measure(SpectrumMeter::new(RATE), song))),
    ("profile", Measure(|song| measure(Analyzer::new(RATE, 2), song))),
    ("condition", Change(&[("condition.high_pass_hz", "20")])),
    ("balance", Change(&[("balance.left_over_right_db", "1")])),
    ("match_eq", Change(&[("match_eq.mid_db.9", "3"), ("match_eq.side_db.30", "-2")])),
    ("match_eq_linear", Change(&[("match_eq.mid_db.9", "3"), ("match_eq.phase", "linear")])),
    ("dynamic_eq", Change(&[("dynamic_eq.bells.0.max_cut_db", "6"), ("dynamic_eq.bells.1.max_cut_db", "6")])),
    ("multiband", Change(&[("multiband.low.ratio", "1.5"), ("multiband.high.ratio", "0.8")])),
    ("glue", Change(&[("glue.ratio", "1.5")])),
    ("saturator", Change(&[("saturator.drive_db", "3")])),
    ("width", Change(&[("width.high_db", "2"), ("width.mono_below_hz", "100")])),
    ("clipper", Change(&[("clipper.drive_db", "2")])),
    ("resample_48000", Resample(48_000)),
    ("resample_44101", Resample(44_101)),
    ("limiter", Kernel::Limiter),
    ("dither", Kernel::Dither),
];

fn main() -> std::io::Result<()> {
    // `cargo bench` adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    match arguments.as_slice() {
        [list] if list == "list" => KERNELS.iter().try_for_each(|(name, _)| writeln!(std::io::stdout(), "{name}")),
        [name, passes] => {
            let mut pass = demo_mix(RATE, PASS_FRAMES as f64 / f64::from(RATE));
            pass.truncate(PASS_FRAMES);
            let (_, kernel) = KERNELS.iter().find(|(known, _)| known == name).expect("a kernel of the table");
            run(*kernel, pass.repeat(passes.parse().expect("a number of passes")));
            Ok(())
        }
        _ => times(),
    }
}

fn times() -> std::io::Result<()> {
    let song = demo_mix(RATE, SECONDS);
    for (name, kernel) in KERNELS {
        let seconds = (0..RUNS).map(|_| run(*kernel, song.clone())).fold(f64::INFINITY, f64::min);
        let rate = song.len() as f64 / seconds;
        writeln!(
            std::io::stdout(),
            "{name:16} {:6.1} million frames per second, {:6.1} ns per frame, {:5.0} times real time at 44.1 kHz",
            rate / 1e6,
            1e9 / rate,
            rate / f64::from(RATE)
        )?;
    }
    Ok(())
}

/// Returns the time that the kernel takes, in seconds.
fn run(kernel: Kernel, mut song: Vec<Frame>) -> f64 {
    let start = Instant::now();
    match kernel {
        Kernel::Meter(measure) => measure(&song),
        Kernel::Stage(settings) => {
            let recipe =
                settings.iter().fold(Recipe::default(), |r, (path, value)| r.with(path, value).expect("legal"));
            let mut chain = Chain::new(&recipe, &BAND_LEVELS_DBFS, RATE);
            song.chunks_mut(BLOCK).for_each(|block| chain.process(black_box(block)));
        }
        Resample(to_hz) => {
            let (mut source, mut out) = (Resampled::new(song.as_slice(), RATE, to_hz), vec![[0.0; 2]; BLOCK]);
            while source.read(black_box(&mut out)) != Ok(0) {}
        }
        Kernel::Limiter => limit(&mut song),
        Kernel::Dither => {
            let mut dither = Dither::new(24, 0);
            song.chunks_mut(BLOCK).for_each(|block| dither.process(black_box(block), true));
        }
    }
    black_box(song);
    start.elapsed().as_secs_f64()
}

fn measure<M: Meter>(mut meter: M, song: &[Frame]) {
    song.chunks(BLOCK).for_each(|block| meter.push(black_box(block)));
    black_box(meter.finish());
}

fn limit(song: &mut [Frame]) {
    let (drive_db, ceiling_dbtp) = (12.0, -1.0);
    let mut peaks = Vec::new();
    let mut trace = PeakTrace::new(analyzer::units::gain_from_db(ceiling_dbtp - drive_db), RATE);
    song.chunks(BLOCK).for_each(|block| trace.push(black_box(block), |peak| peaks.push(peak)));
    trace.finish(|peak| peaks.push(peak));
    let mut gain = LimiterGain::new(&LimiterParams::default(), drive_db, ceiling_dbtp, RATE);
    let delay = gain.delay_blocks();
    peaks.resize(peaks.len() + delay + 1, BlockPeaks::default());
    let steps: Vec<LimiterStep> = peaks.iter().map(|block| gain.next(*block, 1.0)).skip(delay).collect();
    let apply = LimiterApply::new(drive_db);
    for (block, steps) in song.chunks_mut(BLOCK_FRAMES).zip(steps.windows(2)) {
        apply.process_block(block, &steps[0], &steps[1]);
    }
}
