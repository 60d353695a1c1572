//! Draws the effect of the stages as SVG files: `cargo run --release -p goldmaster-renderer --example plots -- FOLDER`.
//!
//! All curves except those called "wanted" are measured on the stages' output.

mod svg;

use std::f64::consts::TAU;
use std::path::Path;

use analyzer::crossover::BANDS;
use analyzer::fft::{Complex, spectrum_of};
use analyzer::oversample::BLOCK_FRAMES;
use analyzer::random::Random;
use analyzer::stream::Frame;
use analyzer::units::{db_from_gain, db_from_power, gain_from_db};
use renderer::chain::Chain;
use renderer::recipe::Recipe;
use renderer::stage::Stage;
use renderer::stages::limiter::{BlockPeaks, LimiterGain, LimiterParams, LimiterStep, PeakTrace};
use renderer::stages::match_eq::Phase;
use renderer::stages::multiband::{BandParams, Multiband, MultibandParams};
use svg::{Axis, Plot};

const RATE: u32 = 44_100;

/// File name, and the function that draws the plot.
type Drawing = (&'static str, fn() -> Plot);

const PLOTS: [Drawing; 8] = [
    ("match_eq", match_eq),
    ("match_eq_impulse", match_eq_impulse),
    ("multiband_static", multiband_static),
    ("multiband_step", multiband_step),
    ("saturator_spectrum", || alias_spectrum("saturator", None)),
    ("clipper_spectrum", || alias_spectrum("clipper", Some(("clipper.knee_db", "2")))),
    ("shaper_curves", shaper_curves),
    ("limiter", limiter),
];

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "plots".into());
    std::fs::create_dir_all(&folder)?;
    for (name, plot) in PLOTS {
        std::fs::write(Path::new(&folder).join(name).with_extension("svg"), plot().svg())?;
    }
    Ok(())
}

/// A sine in both channels with a peak of `level_db`, from phase 0.
fn tone(hz: f64, level_db: f64, frames: usize) -> Vec<Frame> {
    let (gain, turn) = (gain_from_db(level_db), TAU * hz / f64::from(RATE));
    (0..frames).map(|n| [(gain * libm::sin(turn * n as f64)) as f32; 2]).collect()
}

/// Spectrum in dB of the left channel; a sine of peak 1 reads 0.
fn spectrum_db(frames: &[Frame]) -> Vec<[f64; 2]> {
    let time: Vec<f64> = frames.iter().map(|f| f64::from(f[0])).collect();
    let spectrum = spectrum_of(&time);
    let (bin_hz, scale) = (f64::from(RATE) / time.len() as f64, 2.0 / time.len() as f64);
    let level_db = |bin: &Complex<f64>| 20.0 * libm::log10(bin.norm() * scale + 1e-9);
    spectrum.iter().enumerate().map(|(n, bin)| [n as f64 * bin_hz, level_db(bin)]).collect()
}

/// A recipe with a rough mid curve and a flat side curve.
fn equalised(phase: Phase) -> Recipe {
    let mut random = Random::new(5);
    let mut recipe = Recipe::default();
    recipe.match_eq.mid_db.0 = std::array::from_fn(|_| 6.0 * random.bipolar());
    recipe.match_eq.limit_hz = 16_000.0;
    recipe.match_eq.phase = phase;
    recipe
}

/// Impulse response of a recipe's chain, from `before` frames before the latency on.
fn impulse_response(recipe: &Recipe, before: usize, length: usize) -> Vec<Frame> {
    let mut chain = Chain::new(recipe, &[-20.0; BANDS], RATE);
    let start = chain.latency_frames() - before;
    let mut frames = vec![[0.0; 2]; start + length];
    frames[0] = [1.0; 2];
    chain.process(&mut frames);
    frames.split_off(start)
}

fn match_eq() -> Plot {
    let params = equalised(Phase::Minimum).match_eq;
    let wanted = (0..1000).map(|n| 10.0 * libm::pow(2200.0, f64::from(n) / 999.0));
    let measured = |phase| {
        let response = spectrum_db(&impulse_response(&equalised(phase), 16_384, 1 << 16));
        let level_db = |[hz, db]: [f64; 2]| [hz, db - db_from_gain(2.0 / f64::from(1 << 16))];
        response.into_iter().filter(|[hz, _]| *hz >= 10.0).map(level_db).collect()
    };
    Plot {
        title: "match_eq: a rough curve, tapered below 30 Hz and above 16 kHz".into(),
        x: Axis::hz([10.0, 22_000.0]),
        y: Axis::linear("dB", [-8.0, 8.0], 2.0),
        series: Vec::new(),
    }
    .with("wanted", wanted.map(|hz| [hz, params.gain_db_at(&params.mid_db, hz)]).collect())
    .with("minimum phase", measured(Phase::Minimum))
    .with("linear phase", measured(Phase::Linear))
}

fn match_eq_impulse() -> Plot {
    let response = |phase| {
        let frames = impulse_response(&equalised(phase), 441, 1323);
        frames.iter().enumerate().map(|(n, f)| [(n as f64 - 441.0) / 44.1, f64::from(f[0])]).collect()
    };
    Plot {
        title: "match_eq: impulse response around the latency".into(),
        x: Axis::linear("ms", [-5.0, 10.0], 1.0),
        y: Axis::linear("", [-0.4, 1.2], 0.2),
        series: Vec::new(),
    }
    .with("minimum phase", response(Phase::Minimum))
    .with("linear phase", response(Phase::Linear))
}

fn high_mid_stage(ratio: f64, mean_db: f64) -> Multiband {
    let high_mid = BandParams { threshold_db: 0.0, ratio, knee_db: 6.0, ..Default::default() };
    let params = MultibandParams { high_mid, ..Default::default() };
    Multiband::new(&params, &[mean_db; BANDS], RATE).expect("not neutral")
}

fn gain_db_between(before: &[Frame], after: &[Frame]) -> f64 {
    let energy = |frames: &[Frame]| frames.as_flattened().iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>();
    db_from_power(energy(after) / energy(before))
}

fn multiband_static() -> Plot {
    let mut plot = Plot {
        title: "multiband: gain of a steady 2.5 kHz tone over its level (knee 6 dB, threshold at the mean)".into(),
        x: Axis::linear("dB over the band's mean", [-24.0, 24.0], 6.0),
        y: Axis::linear("dB", [-14.0, 14.0], 2.0),
        series: Vec::new(),
    };
    for ratio in [0.5, 0.8, 1.5, 2.0, 4.0] {
        let gain_db = |over_db: f64| {
            let mut stage = high_mid_stage(ratio, -40.0);
            let mut song = tone(2500.0, -40.0 + over_db + 10.0 * libm::log10(2.0), RATE as usize * 2);
            let last = song[RATE as usize..].to_vec();
            stage.process(&mut song);
            gain_db_between(&last, &song[RATE as usize..])
        };
        let points = (-12..=12).map(|n| 2.0 * f64::from(n)).map(|over_db| [over_db, gain_db(over_db)]).collect();
        plot = plot.with(format!("ratio {ratio}"), points);
    }
    plot
}

fn multiband_step() -> Plot {
    let mut plot = Plot {
        title: "multiband: gain while a 2.5 kHz tone is 12 dB up from 100 to 300 ms (attack 20 ms, release 200 ms)"
            .into(),
        x: Axis::linear("ms", [0.0, 1000.0], 100.0),
        y: Axis::linear("dB", [-10.0, 10.0], 2.0),
        series: Vec::new(),
    };
    for ratio in [0.5, 1.5, 2.0, 4.0] {
        let mut stage = high_mid_stage(ratio, -40.0);
        stage.process(&mut tone(2500.0, -37.0, RATE as usize));
        let mut points = Vec::new();
        let mut song = tone(2500.0, -37.0, RATE as usize);
        song[RATE as usize / 10..RATE as usize * 3 / 10].as_flattened_mut().iter_mut().for_each(|x| *x *= 4.0);
        for (n, block) in song.chunks_mut(44).enumerate() {
            let before = block.to_vec();
            stage.process(block);
            points.push([n as f64 * 44.0 / 44.1, gain_db_between(&before, block)]);
        }
        plot = plot.with(format!("ratio {ratio}"), points);
    }
    plot
}

/// A chain with a shaper that brings a peak at 0 dBFS down by 6 dB; the song's mean is at −12 dBFS.
fn shaped(stage: &str, settings: &[(&str, &str)]) -> Chain {
    let mut recipe = Recipe::default();
    for (path, value) in [(format!("{stage}.drive_db"), "6"), (format!("{stage}.headroom_db"), "12")] {
        recipe = recipe.with(&path, value).expect("legal");
    }
    recipe = settings.iter().fold(recipe, |r, (path, value)| r.with(path, value).expect("legal"));
    Chain::new(&recipe, &[-12.0 - db_from_power(BANDS as f64); BANDS], RATE)
}

fn alias_spectrum(stage: &str, setting: Option<(&str, &str)>) -> Plot {
    const LENGTH: usize = 1 << 14;
    let cycles = (5000.0 / f64::from(RATE) * LENGTH as f64) as usize | 1;
    let input = tone(cycles as f64 * f64::from(RATE) / LENGTH as f64, 0.0, LENGTH + 4096);
    let mut bent = input.clone();
    shaped(stage, setting.as_slice()).process(&mut bent);
    let ceiling = gain_from_db(-6.0) as f32;
    let cut: Vec<Frame> = input.iter().map(|f| f.map(|x| x.clamp(-ceiling, ceiling))).collect();
    Plot {
        title: format!("{stage}: 5 kHz at 0 dBFS, brought down by 6 dB, at 44.1 kHz"),
        x: Axis::linear("Hz", [0.0, 22_050.0], 5000.0),
        y: Axis::linear("dBFS", [-160.0, 0.0], 20.0),
        series: Vec::new(),
    }
    .with("cut at the base rate", spectrum_db(&cut[4096..]))
    .with(stage, spectrum_db(&bent[4096..]))
    .with("wanted: under −90", vec![[0.0, -90.0], [22_050.0, -90.0]])
}

fn shaper_curves() -> Plot {
    let curve = |stage, settings: &[(&str, &str)]| {
        let mut chain = shaped(stage, settings);
        let mut frames: Vec<Frame> = (0..4000).map(|n| [n as f32 * 5e-4; 2]).collect();
        let input = frames.clone();
        chain.process(&mut frames);
        let out = &frames[chain.latency_frames()..];
        out.iter().zip(&input).map(|(y, x)| [f64::from(x[0]), f64::from(y[0])]).collect::<Vec<_>>()
    };
    Plot {
        title: "saturator and clipper: a slow ramp, a peak of 1 brought down by 6 dB".into(),
        x: Axis::linear("in", [0.0, 2.0], 0.25),
        y: Axis::linear("out", [0.0, 1.0], 0.25),
        series: Vec::new(),
    }
    .with("saturator", curve("saturator", &[]))
    .with("saturator, mix 50 %", curve("saturator", &[("saturator.mix_pct", "50")]))
    .with("clipper, knee 12 dB", curve("clipper", &[("clipper.knee_db", "12")]))
    .with("clipper, knee 4 dB", curve("clipper", &[]))
    .with("clipper, knee 2 dB", curve("clipper", &[("clipper.knee_db", "2")]))
}

fn limiter() -> Plot {
    let mut song = tone(997.0, -12.0, RATE as usize * 2);
    for (from, to, gain) in [(0.2, 0.203, 8.0), (0.5, 1.2, 5.6)] {
        let at = |s: f64| (s * f64::from(RATE)) as usize;
        song[at(from)..at(to)].as_flattened_mut().iter_mut().for_each(|x| *x *= gain);
    }
    let ceiling_dbtp = -1.0;
    let mut trace = PeakTrace::new(0.0, RATE);
    let mut peaks = Vec::new();
    trace.push(&song, |peak| peaks.push(peak));
    trace.finish(|peak| peaks.push(peak));
    let mut gain = LimiterGain::new(&LimiterParams::default(), 0.0, ceiling_dbtp, RATE);
    let delay = gain.delay_blocks();
    let padded = peaks.iter().copied().chain(std::iter::repeat_n(BlockPeaks::default(), delay));
    let steps: Vec<LimiterStep> = padded.map(|block| gain.next(block, 1.0)).skip(delay).collect();
    let peak = |n: usize| peaks[n].extremes.into_iter().fold(0.0, f32::max);
    let seconds = |block: usize| (block * BLOCK_FRAMES) as f64 / f64::from(RATE);
    let line = |level: &dyn Fn(usize) -> f32| -> Vec<[f64; 2]> {
        (0..peaks.len()).map(|n| [seconds(n), db_from_gain(level(n).into())]).collect()
    };
    Plot {
        title: "limiter: 3 ms at +6 dBFS, then 700 ms at +3 dBFS; ceiling −1 dBTP".into(),
        x: Axis::linear("s", [0.0, 2.0], 0.2),
        y: Axis::linear("dB", [-21.0, 9.0], 3.0),
        series: Vec::new(),
    }
    .with("peak in", line(&peak))
    .with("gain", line(&|n| steps[n].gain))
    .with("peak out", line(&|n| steps[n].peak * steps[n].gain))
    .with("ceiling", vec![[0.0, ceiling_dbtp], [2.0, ceiling_dbtp]])
}
