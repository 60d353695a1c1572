//! Solver for the drive, the gain between chain and limiter.
//!
//! The limiter needs only a trace of peaks, and the loudness only a trace of K-weighted energies; both are recorded
//! once. A gain that changes slowly passes through the K-weighting as a factor, so the loudness behind the limiter
//! follows from the traces alone, in a thousandth of the time of a render.

use std::ops::Range;

use analyzer::loudness_history::LoudnessHistory;
use analyzer::oversample::BLOCK_FRAMES;
use analyzer::units::gain_from_db;
use rayon::prelude::*;
use renderer::recipe::{DeliveryParams, Trim};
use renderer::stages::limiter::{LimiterGain, LimiterParams};

use crate::io;
use crate::render::limiting::LimitingHistogram;
use crate::render::trace::{Trace, blocks_from, steps_from};

/// Result of a drive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Gain between chain and limiter, dB.
    pub drive_db: f64,
    /// Loudness behind the limiter, predicted from the traces, LUFS; `None` if nothing passes the gate.
    pub loudness_lufs: Option<f64>,
    /// Gain reduction that is exceeded in 5 % of the blocks, dB.
    pub limiting_db: f64,
    /// Largest gain reduction, dB.
    pub peak_limiting_db: f64,
}

/// Runs a trace through the limiter at a drive.
///
/// # Errors
/// The trace lies in a temporary file that cannot be read.
pub fn outcome(
    trace: &Trace,
    limiter: &LimiterParams,
    ceiling_dbtp: f64,
    trims: &[Trim],
    drive_db: f64,
) -> Result<Outcome, io::Error> {
    Ok(outcome_with_history(trace, limiter, ceiling_dbtp, trims, drive_db)?.0)
}

/// Runs a trace through the limiter at a drive, and also returns the loudness behind it over time.
///
/// # Errors
/// As [`outcome`].
pub fn outcome_with_history(
    trace: &Trace,
    limiter: &LimiterParams,
    ceiling_dbtp: f64,
    trims: &[Trim],
    drive_db: f64,
) -> Result<(Outcome, LoudnessHistory), io::Error> {
    let rate = trace.sample_rate_hz;
    let limiter = || LimiterGain::new(limiter, drive_db, ceiling_dbtp, rate);
    let parts: Vec<Range<u64>> = parts(trace, rayon::current_num_threads());
    let passes =
        parts.into_par_iter().map(|blocks| Pass::over(trace, blocks, limiter(), trims, gain_from_db(drive_db)));
    let (mut energies, mut limiting) = (Vec::new(), LimitingHistogram::default());
    for pass in passes.collect::<Vec<_>>() {
        let pass = pass?;
        energies.extend(pass.energies);
        limiting.add(&pass.limiting);
    }
    // Only whole windows of 10 ms count: a partial one at the end is dropped, as a meter does.
    energies.truncate(window(trace.blocks.len(), rate) as usize);
    let history = LoudnessHistory::from_energies(rate, &energies);
    let [limiting_db, peak_limiting_db] = limiting.reading_db();
    let outcome = Outcome { drive_db, loudness_lufs: history.integrated(), limiting_db, peak_limiting_db };
    Ok((outcome, history))
}

/// Returns the window of 10 ms in which a block starts.
fn window(block: u64, sample_rate_hz: u32) -> u64 {
    block * BLOCK_FRAMES as u64 * 100 / u64::from(sample_rate_hz)
}

/// Shortest part of a trace that is worth a thread of its own, in blocks: a part repeats about a thousand before it.
const MIN_PART: u64 = 10_000;

/// Divides a trace into parts of about the same length, at most as many as there are threads. Every part but the first
/// starts with a window of 10 ms, so that none is summed up in two parts.
fn parts(trace: &Trace, threads: usize) -> Vec<Range<u64>> {
    let blocks = trace.blocks.len();
    let count = (blocks / MIN_PART).clamp(1, threads as u64);
    let is_start = |block: &u64| window(*block, trace.sample_rate_hz) > window(*block - 1, trace.sample_rate_hz);
    let inner = (1..count).filter_map(|part| (part * blocks / count..blocks).find(is_start));
    let edges: Vec<u64> = std::iter::once(0).chain(inner).chain([blocks]).collect();
    edges.windows(2).map(|edges| edges[0]..edges[1]).collect()
}

/// A part of a trace behind the limiter.
struct Pass {
    /// K-weighted energy per window of 10 ms, from the part's first window on.
    energies: Vec<f64>,
    limiting: LimitingHistogram,
}

impl Pass {
    fn over(
        trace: &Trace,
        blocks: Range<u64>,
        limiter: LimiterGain,
        trims: &[Trim],
        drive: f64,
    ) -> Result<Self, io::Error> {
        let rate = trace.sample_rate_hz;
        let mut steps = steps_from(trace, blocks.start, limiter, trims);
        let mut reader = blocks_from(trace, blocks.start);
        let mut pass = Self { energies: Vec::new(), limiting: LimitingHistogram::default() };
        let first = window(blocks.start, rate);
        let mut step = steps.next_step()?;
        for at in blocks {
            let Some(block) = reader()? else { break };
            let next = steps.next_step()?;
            let mean = f64::from(step.gain + next.gain) * 0.5 * drive;
            let window = (window(at, rate) - first) as usize;
            pass.energies.resize(pass.energies.len().max(window + 1), 0.0);
            pass.energies[window] += block.energy(step.low_cut) * mean * mean;
            pass.limiting.note(&step);
            step = next;
        }
        Ok(pass)
    }
}

/// Margin between the limiter's ceiling and the requested one, dB. It keeps rounding, and the difference between two
/// interpolators, from exceeding the ceiling.
pub(crate) const CEILING_MARGIN_DB: f64 = 0.03;

/// Accuracy of a solution.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Tolerance of the loudness, LU.
    pub loudness_lu: f64,
    /// Drives closer than this count as equal where limiting decides, dB.
    pub drive_db: f64,
    /// A drive that is limited less than allowed by no more than this is high enough, dB.
    pub limiting_db: f64,
}

/// Accuracy of a master.
pub const EXACT: Tolerance = Tolerance { loudness_lu: 0.002, drive_db: 0.02, limiting_db: 0.0 };
/// Accuracy of a test render, which is compared with others in tenths of a decibel.
pub const ROUGH: Tolerance = Tolerance { loudness_lu: 0.02, drive_db: 0.04, limiting_db: 0.04 };
/// Maximum number of steps of the search. Where loudness alone decides, three or four are enough.
const MAX_STEPS: usize = 24;
/// Tolerance of the limits on limiting, dB.
const LIMITING_TOLERANCE_DB: f64 = 0.05;
/// Length of the first step out of an open bracket, dB; each further one is twice as long.
const FIRST_STEP_DB: f64 = 0.25;
/// Largest distance between the drive and the start of the search, dB.
const MAX_DISTANCE_DB: f64 = 80.0;
/// A secant that leaves more than this share of the bracket is followed by a bisection.
const MAX_SECANT_SHARE: f64 = 0.5;

/// Returns the highest drive at which the song is no louder than `delivery.loudness_lufs` plus `offset_lu`, and limited
/// no more than allowed. `offset_lu` is the amount by which the traces were found to read too high.
///
/// Loudness and limiting rise with the drive. The solution lies between the highest drive known to keep all bounds and
/// the lowest known to exceed one, and allowing more limiting never makes it lower.
///
/// # Errors
/// As [`outcome`].
pub fn solve(
    trace: &Trace,
    limiter: &LimiterParams,
    delivery: &DeliveryParams,
    trims: &[Trim],
    offset_lu: f64,
    (start_db, tolerance): (f64, Tolerance),
) -> Result<Outcome, io::Error> {
    let mut bracket =
        Bracket { tolerance, below: None, above: None, before: None, step_db: FIRST_STEP_DB, span_db: f64::INFINITY };
    let mut drive_db = start_db;
    for _ in 0..MAX_STEPS {
        let outcome = outcome(trace, limiter, delivery.ceiling_dbtp, trims, quantized(drive_db))?;
        let Some(trial) = Trial::of(outcome, delivery, offset_lu) else { return Ok(outcome) };
        let is_as_loud = trial.louder_lu.abs() < tolerance.loudness_lu;
        let is_at_limit = trial.louder_lu < 0.0 && trial.overlimited_db() > -tolerance.limiting_db;
        if trial.overlimited_db() <= 0.0 && (is_as_loud || is_at_limit) {
            return Ok(outcome);
        }
        let side = if trial.excess() <= NEARLY_NOTHING { &mut bracket.below } else { &mut bracket.above };
        bracket.before = side.replace(trial);
        let next_db =
            bracket.next_drive_db().map(|db| db.clamp(start_db - MAX_DISTANCE_DB, start_db + MAX_DISTANCE_DB));
        match next_db {
            Some(next_db) if next_db != drive_db => drive_db = next_db,
            _ => break,
        }
    }
    // If even the lowest drive that was tried exceeds a bound, no drive that was tried exceeds it by less.
    let found = bracket.below.or(bracket.above).map(|trial| trial.outcome);
    found.map_or_else(|| outcome(trace, limiter, delivery.ceiling_dbtp, trims, quantized(start_db)), Ok)
}

/// A drive that was tried, and the amounts by which it exceeds the requested loudness and the limits.
#[derive(Clone, Copy)]
struct Trial {
    outcome: Outcome,
    louder_lu: f64,
    /// Excess of the gain reduction that is exceeded 5 % of the time, and of the largest, dB.
    limiting_db: [f64; 2],
}

impl Trial {
    /// Returns `None` if the song has no loudness.
    fn of(outcome: Outcome, delivery: &DeliveryParams, offset_lu: f64) -> Option<Self> {
        let over = |db: f64, allowed_db: f64| db - allowed_db - LIMITING_TOLERANCE_DB;
        Some(Self {
            outcome,
            louder_lu: outcome.loudness_lufs? - delivery.loudness_lufs - offset_lu,
            limiting_db: [
                over(outcome.limiting_db, delivery.max_limiting_db),
                over(outcome.peak_limiting_db, delivery.max_peak_limiting_db),
            ],
        })
    }

    /// Returns the larger excess over the allowed limiting, dB.
    fn overlimited_db(&self) -> f64 {
        self.limiting_db[0].max(self.limiting_db[1])
    }

    /// Returns the largest of all excesses, LU or dB.
    fn excess(&self) -> f64 {
        self.louder_lu.max(self.overlimited_db())
    }

    fn excesses(&self) -> [f64; 3] {
        [self.louder_lu, self.limiting_db[0], self.limiting_db[1]]
    }
}

/// Range of drives that contains the solution.
struct Bracket {
    /// The highest drive tried that exceeds nothing.
    below: Option<Trial>,
    /// The lowest drive tried that exceeds something.
    above: Option<Trial>,
    /// The trial before the last one, if both lie on the same side.
    before: Option<Trial>,
    tolerance: Tolerance,
    step_db: f64,
    span_db: f64,
}

impl Bracket {
    /// Returns the next drive to try; `None` when the bracket is closed.
    fn next_drive_db(&mut self) -> Option<f64> {
        match (self.below, self.above) {
            (Some(low), Some(high)) => {
                let span_db = high.outcome.drive_db - low.outcome.drive_db;
                let is_closed =
                    span_db <= if high.overlimited_db() > 0.0 { self.tolerance.drive_db } else { DRIVE_STEP_DB };
                let is_slow = span_db > MAX_SECANT_SHARE * self.span_db;
                self.span_db = span_db;
                let share = if is_slow { 0.5 } else { crossing(&low, &high) };
                (!is_closed).then_some(low.outcome.drive_db + share * span_db)
            }
            (Some(low), None) => {
                self.step_db *= 2.0;
                if let Some(before) = &self.before {
                    return Some(low.outcome.drive_db + beyond(before, &low, self.step_db));
                }
                // Limiting takes part of every step upwards, and most of it where limiting is heavy.
                let is_far = low.louder_lu < -2.0 * FIRST_STEP_DB;
                let step_db = (-1.3 * low.louder_lu).max(0.05).max(if is_far { self.step_db } else { 0.0 });
                Some(low.outcome.drive_db + step_db)
            }
            (None, Some(high)) => {
                self.step_db *= 2.0;
                let by_loudness_db = if high.louder_lu > 0.0 { 1.1 * high.louder_lu + 0.02 } else { 0.0 };
                let by_limiting_db =
                    if high.overlimited_db() > 0.0 { high.overlimited_db().max(self.step_db) } else { 0.0 };
                Some(high.outcome.drive_db - by_loudness_db.max(by_limiting_db))
            }
            (None, None) => None,
        }
    }
}

/// Returns the share of the way from `low` to `high` at which the first bound is reached, assuming linear growth.
fn crossing(low: &Trial, high: &Trial) -> f64 {
    let shares = low.excesses().into_iter().zip(high.excesses());
    let shares = shares.filter(|(_, high)| *high > 0.0).map(|(low, high)| -low / (high - low));
    shares.fold(1.0, f64::min).clamp(0.02, 0.98)
}

/// Returns the step upwards from `last` that closes the bracket: somewhat further than the first bound would be reached if it
/// were approached as from `before` to `last`. It is as long as `step_db` or four times the last step where that is less, or
/// where no bound is approached.
fn beyond(before: &Trial, last: &Trial, step_db: f64) -> f64 {
    let span_db = last.outcome.drive_db - before.outcome.drive_db;
    let approached = before.excesses().into_iter().zip(last.excesses()).filter(|(from, to)| to > from);
    let share = approached.map(|(from, to)| to / (from - to)).fold(f64::INFINITY, f64::min);
    (OVERSHOOT * share * span_db + DRIVE_STEP_DB).min(step_db.max(4.0 * span_db))
}

/// Excess up to which a drive keeps all bounds, in the face of rounding, LU or dB.
const NEARLY_NOTHING: f64 = 1e-9;
/// Factor by which a step out of an open bracket is longer than it has to be, so that it closes the bracket.
const OVERSHOOT: f64 = 1.1;
/// Resolution of the drive, dB.
const DRIVE_STEP_DB: f64 = 0.0005;

fn quantized(drive_db: f64) -> f64 {
    (drive_db * 2000.0).round() / 2000.0
}

#[cfg(test)]
mod tests {
    use analyzer::random::Random;
    use analyzer::stream::Frame;
    use analyzer::synth::{demo_mix, pink_noise};

    use super::*;
    use crate::render::trace::TraceMeter;

    const RATE: u32 = 44_100;

    fn trace(frames: &[Frame]) -> Trace {
        let mut meter = TraceMeter::new(RATE, 0.0, usize::MAX);
        meter.push(frames).expect("memory");
        meter.finish().expect("memory")
    }

    /// Hits over noise; louder hits are rarer.
    fn hits(seed: u64) -> Vec<Frame> {
        let (mut song, mut random) = (pink_noise(RATE, -34.0, 12.0, seed), Random::new(seed));
        for start in (0..song.len() - 9000).step_by(9000) {
            let peak = 0.05 + 0.9 * libm::pow(0.5 + 0.5 * random.bipolar(), 3.0);
            for n in 0..8000 {
                let x = peak * libm::exp(-(n as f64) / 900.0) * libm::sin(n as f64 * 0.012);
                song[start + n] = song[start + n].map(|y| y + x as f32);
            }
        }
        song
    }

    #[test]
    fn more_allowed_limiting_never_makes_a_master_quieter() {
        for song in [demo_mix(RATE, 12.0), hits(1), hits(2), pink_noise(RATE, -20.0, 8.0, 3)] {
            let trace = trace(&song);
            for wanted in [-12.0, -8.0, -4.0] {
                let (mut before, mut is_bound, mut last) = (f64::NEG_INFINITY, false, None);
                for max_limiting_db in [0.0, 0.5, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 11.0, 15.0, 20.0, 30.0] {
                    let delivery = DeliveryParams {
                        loudness_lufs: wanted,
                        max_limiting_db,
                        max_peak_limiting_db: 40.0,
                        ..Default::default()
                    };
                    let found =
                        solve(&trace, &LimiterParams::default(), &delivery, &[], 0.0, (0.0, EXACT)).expect("memory");
                    let lufs = found.loudness_lufs.expect("it sounds");
                    assert!(lufs > before - 0.005, "{max_limiting_db} dB: {lufs} after {before} LUFS");
                    assert!(lufs < wanted + 0.01, "{lufs} instead of {wanted} LUFS");
                    assert!(found.limiting_db <= max_limiting_db + 2.0 * LIMITING_TOLERANCE_DB, "{found:?}");
                    before = lufs;
                    is_bound = found.limiting_db > max_limiting_db - 0.1 || found.peak_limiting_db > 39.9;
                    last = Some(found);
                }
                // Only a bound keeps a song from its loudness, except for the last 0.1 LU where the whole song is
                // limited by 27 dB.
                let reach_lu = if wanted > -8.0 { 0.1 } else { 0.01 };
                assert!((before - wanted).abs() < reach_lu || is_bound, "{last:?} instead of {wanted} LUFS");
            }
        }
    }

    #[test]
    fn a_step_out_of_an_open_bracket_reaches_the_first_bound_or_is_a_long_one() {
        let trial = |drive_db: f64, louder_lu: f64, limiting_db: [f64; 2]| {
            let outcome = Outcome { drive_db, loudness_lufs: None, limiting_db: 0.0, peak_limiting_db: 0.0 };
            Trial { outcome, louder_lu, limiting_db }
        };
        let far = [-9.0, -9.0];
        let step_db = beyond(&trial(0.0, -4.0, far), &trial(2.0, -3.0, far), 1.0);
        assert!((6.0..7.0).contains(&step_db), "half a decibel of loudness per decibel of drive: {step_db}");
        let step_db = beyond(&trial(0.0, -4.0, [-3.0, -9.0]), &trial(1.0, -3.5, [-1.0, -9.0]), 1.0);
        assert!((0.5..0.6).contains(&step_db), "limiting comes first: {step_db}");
        for still in [trial(2.0, -4.0, far), trial(0.0, -4.0, far), trial(1.0, -5.0, far)] {
            let step_db = beyond(&trial(0.0, -4.0, far), &still, 1.0);
            assert!(step_db >= 1.0, "nothing is approached: {step_db}");
        }
    }

    #[test]
    fn a_trace_in_parts_gives_the_bits_of_the_whole() {
        let song: Vec<Frame> = [hits(4), demo_mix(RATE, 12.0), hits(5)].concat();
        let trace = trace(&song);
        let trims: Vec<Trim> = (0..90).map(|n| Trim { block: 1000 * n, peak_db: 0.3 }).collect();
        let whole_steps: Vec<_> = {
            let gain = LimiterGain::new(&LimiterParams::default(), 18.0, -1.0, RATE);
            let mut steps = steps_from(&trace, 0, gain, &trims);
            (0..trace.blocks.len()).map(|_| steps.next_step().expect("memory")).collect()
        };
        for from in [1, 700, 2_345, 33_000, 61_111] {
            let gain = LimiterGain::new(&LimiterParams::default(), 18.0, -1.0, RATE);
            let mut steps = steps_from(&trace, from, gain, &trims);
            let steps: Vec<_> = (from..trace.blocks.len()).map(|_| steps.next_step().expect("memory")).collect();
            assert!(steps == whole_steps[from as usize..], "from block {from}");
        }
        let with_threads = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| {
                outcome_with_history(&trace, &LimiterParams::default(), -1.0, &trims, 18.0).expect("memory")
            })
        };
        let (whole, history) = with_threads(1);
        assert!(whole.limiting_db > 1.0 && parts(&trace, 4).len() == 4, "{whole:?}");
        for threads in [2, 3, 4] {
            let (outcome, other) = with_threads(threads);
            assert_eq!(outcome, whole, "{threads} threads");
            assert!(other.gating_powers().eq(history.gating_powers()), "{threads} threads");
        }
    }

    #[test]
    fn a_rough_solution_is_close_to_an_exact_one() {
        for song in [demo_mix(RATE, 12.0), hits(1), pink_noise(RATE, -20.0, 8.0, 3)] {
            let trace = trace(&song);
            for (wanted, max_limiting_db) in [(-14.0, 8.0), (-8.0, 8.0), (-6.0, 0.0), (-6.0, 2.0)] {
                let delivery = DeliveryParams { loudness_lufs: wanted, max_limiting_db, ..Default::default() };
                let of = |tolerance| {
                    let found = solve(&trace, &LimiterParams::default(), &delivery, &[], 0.0, (0.0, tolerance));
                    found.expect("memory").loudness_lufs.expect("it sounds")
                };
                let (rough, exact) = (of(ROUGH), of(EXACT));
                assert!((rough - exact).abs() < 0.1, "{rough} {exact} LUFS, wanted {wanted}, {max_limiting_db} dB");
            }
        }
    }

    #[test]
    fn single_peaks_are_lowered_by_no_more_than_is_allowed() {
        let trace = trace(&hits(3));
        let mut before = f64::NEG_INFINITY;
        for max_peak_limiting_db in [1.0, 3.0, 6.0, 12.0, 20.0] {
            let delivery = DeliveryParams {
                loudness_lufs: -6.0,
                max_limiting_db: 40.0,
                max_peak_limiting_db,
                ..Default::default()
            };
            let found = solve(&trace, &LimiterParams::default(), &delivery, &[], 0.0, (0.0, EXACT)).expect("memory");
            assert!(found.peak_limiting_db <= max_peak_limiting_db + 2.0 * LIMITING_TOLERANCE_DB, "{found:?}");
            let lufs = found.loudness_lufs.expect("it sounds");
            assert!(lufs > before, "{lufs} after {before} LUFS");
            before = lufs;
        }
    }
}
