//! Frames per second of every stage: `cargo bench -p goldmaster-renderer`.
//!
//! With a stage's name and a number as arguments, that stage alone runs so many times over [`PASS_FRAMES`] frames:
//! what callgrind counts for two numbers differs by the cost of the passes between. See `renderer/BENCH.md`.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use analyzer::crossover::BANDS;
use analyzer::stream::Frame;
use analyzer::synth::demo_mix;
use renderer::chain::Chain;
use renderer::recipe::Recipe;
use renderer::stage::Stage;
use renderer::stages::limiter::{BlockPeaks, LimiterApply, LimiterGain, LimiterParams, LimiterStep, PeakTrace};

const RATE: u32 = 44_100;
const SECONDS: f64 = 20.0;
const RUNS: usize = 5;
/// Whole blocks of every stage.
const PASS_FRAMES: usize = 1 << 17;
/// Frames given to a stage at a time, as the renderer does.
const BLOCK: usize = 4096;
/// Of the demo mix, roughly.
const BAND_LEVELS_DBFS: [f64; BANDS] = [-31.0, -28.0, -36.0, -45.0];

/// What is measured, and the settings that make it work.
const STAGES: &[(&str, &[(&str, &str)])] = &[
    ("condition", &[("condition.high_pass_hz", "20")]),
    ("balance", &[("balance.left_over_right_db", "1")]),
    ("match_eq", &[("match_eq.mid_db.9", "3"), ("match_eq.side_db.30", "-2")]),
    ("match_eq linear", &[("match_eq.mid_db.9", "3"), ("match_eq.phase", "linear")]),
    ("dynamic_eq", &[("dynamic_eq.bells.0.max_cut_db", "6"), ("dynamic_eq.bells.1.max_cut_db", "6")]),
    ("multiband", &[("multiband.low.ratio", "1.5"), ("multiband.high.ratio", "0.8")]),
    ("glue", &[("glue.ratio", "1.5")]),
    ("saturator", &[("saturator.drive_db", "3")]),
    ("width", &[("width.high_db", "2"), ("width.mono_below_hz", "100")]),
    ("clipper", &[("clipper.drive_db", "2")]),
];
const LIMITER: &str = "limiter";

fn main() -> std::io::Result<()> {
    // `cargo bench` adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    if let [name, passes] = arguments.as_slice() {
        let mut pass = demo_mix(RATE, PASS_FRAMES as f64 / f64::from(RATE));
        pass.truncate(PASS_FRAMES);
        run(name, pass.repeat(passes.parse().expect("a number of passes")));
        return Ok(());
    }
    let song = demo_mix(RATE, SECONDS);
    for name in STAGES.iter().map(|(name, _)| *name).chain([LIMITER]) {
        let seconds = (0..RUNS).map(|_| run(name, song.clone())).fold(f64::INFINITY, f64::min);
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

/// Seconds that it takes.
fn run(name: &str, mut song: Vec<Frame>) -> f64 {
    if name == LIMITER {
        return limit(song);
    }
    let (_, settings) = STAGES.iter().find(|(known, _)| *known == name).expect("a stage of the table");
    let recipe = settings.iter().fold(Recipe::default(), |r, (path, value)| r.with(path, value).expect("legal"));
    let mut chain = Chain::new(&recipe, &BAND_LEVELS_DBFS, RATE);
    let start = Instant::now();
    song.chunks_mut(BLOCK).for_each(|block| chain.process(black_box(block)));
    black_box(song);
    start.elapsed().as_secs_f64()
}

/// Trace, gain and multiplication, at 12 dB of drive.
fn limit(mut song: Vec<Frame>) -> f64 {
    let (drive_db, ceiling_dbtp) = (12.0, -1.0);
    let start = Instant::now();
    let mut peaks = Vec::new();
    let mut trace = PeakTrace::new(analyzer::units::gain_from_db(ceiling_dbtp - drive_db), RATE);
    song.chunks(BLOCK).for_each(|block| trace.push(black_box(block), |peak| peaks.push(peak)));
    trace.finish(|peak| peaks.push(peak));
    let mut gain = LimiterGain::new(&LimiterParams::default(), drive_db, ceiling_dbtp, RATE);
    let delay = gain.delay_blocks();
    peaks.resize(peaks.len() + delay + 1, BlockPeaks::default());
    let steps: Vec<LimiterStep> = peaks.iter().map(|block| gain.next(*block, 1.0)).skip(delay).collect();
    let apply = LimiterApply::new(drive_db);
    for (block, steps) in song.chunks_mut(analyzer::oversample::BLOCK_FRAMES).zip(steps.windows(2)) {
        apply.process_block(block, &steps[0], &steps[1]);
    }
    black_box(song);
    start.elapsed().as_secs_f64()
}
