//! Finds the gain between chain and limiter: loudness is solved, not guessed.
//!
//! What the limiter sees of a song is a trace of peaks, and what loudness sees is a trace of K-weighted energies; both
//! are taken once. A gain that changes slowly passes through the K-weighting as a factor, so that the loudness behind the limiter
//! follows from the traces alone, in a thousandth of the time a render takes.

use std::collections::VecDeque;

use analyzer::loudness::{KWeight, LoudnessHistory, energy_share};
use analyzer::oversample::BLOCK_FRAMES;
use analyzer::stream::Frame;
use analyzer::units::db_from_gain;
use renderer::recipe::{DeliveryParams, Trim};
use renderer::stages::limiter::{LimiterGain, LimiterParams, PeakTrace};

use crate::io;
use crate::io::spool::Spool;

/// Peak and K-weighted energy of one block of [`BLOCK_FRAMES`] frames.
pub type TraceBlock = [f32; 2];

/// What limiter and loudness see of a song.
pub struct Trace {
    /// All blocks.
    pub blocks: Spool<TraceBlock>,
    /// Frames per second.
    pub sample_rate_hz: u32,
}

/// Takes the trace while frames go by.
pub struct TraceMeter {
    peaks: PeakTrace,
    weight: KWeight,
    share: f64,
    energy: f64,
    frames_in_block: usize,
    /// Energies whose peaks are not known yet.
    energies: VecDeque<f32>,
    trace: Trace,
}

impl TraceMeter {
    /// `exact_above` as for [`PeakTrace`].
    pub fn new(sample_rate_hz: u32, channels: u8, exact_above: f64, memory_bytes: usize) -> Self {
        Self {
            peaks: PeakTrace::new(exact_above),
            weight: KWeight::new(sample_rate_hz),
            share: energy_share(channels),
            energy: 0.0,
            frames_in_block: 0,
            energies: VecDeque::new(),
            trace: Trace { blocks: Spool::new(memory_bytes), sample_rate_hz },
        }
    }

    /// Takes the next frames.
    pub fn push(&mut self, frames: &[Frame]) -> Result<(), io::Error> {
        for frame in frames {
            let [left, right] = self.weight.next(frame.map(f64::from));
            self.energy += left * left + right * right;
            self.frames_in_block += 1;
            if self.frames_in_block == BLOCK_FRAMES {
                self.end_block();
            }
        }
        let mut peaks = Vec::with_capacity(frames.len() / BLOCK_FRAMES + 1);
        self.peaks.push(frames, |peak| peaks.push(peak));
        keep(&mut self.trace, &mut self.energies, &peaks)
    }

    fn end_block(&mut self) {
        self.energies.push_back((self.energy * self.share) as f32);
        (self.energy, self.frames_in_block) = (0.0, 0);
        self.weight.settle();
    }

    /// The whole trace.
    pub fn finish(mut self) -> Result<Trace, io::Error> {
        if self.frames_in_block > 0 {
            self.end_block();
        }
        let mut peaks = Vec::new();
        self.peaks.finish(|peak| peaks.push(peak));
        keep(&mut self.trace, &mut self.energies, &peaks)?;
        Ok(self.trace)
    }
}

fn keep(trace: &mut Trace, energies: &mut VecDeque<f32>, peaks: &[f32]) -> Result<(), io::Error> {
    let blocks: Vec<TraceBlock> = peaks.iter().zip(energies.drain(..peaks.len())).map(|(p, e)| [*p, e]).collect();
    trace.blocks.push(&blocks)
}

/// Gives the blocks of a trace one by one.
pub trait Blocks: FnMut() -> Result<Option<TraceBlock>, io::Error> {}

impl<T: FnMut() -> Result<Option<TraceBlock>, io::Error>> Blocks for T {}

/// The limiter's gain at the start of each block of a trace, and one more at the end.
pub struct Gains<S> {
    blocks: S,
    gain: LimiterGain,
    trims: VecDeque<Trim>,
    block: u64,
    /// Outputs that belong to the time before the start.
    ahead: usize,
}

impl<S: Blocks> Gains<S> {
    /// Gains for the blocks that `blocks` gives, peaks corrected by `trims`, which are in order.
    pub fn new(blocks: S, gain: LimiterGain, trims: &[Trim]) -> Self {
        Self { blocks, ahead: gain.delay_blocks(), gain, trims: trims.iter().copied().collect(), block: 0 }
    }

    /// The gain at the start of the next block; past the end that of silence.
    pub fn next_gain(&mut self) -> Result<f32, io::Error> {
        loop {
            let [mut peak, _] = (self.blocks)()?.unwrap_or_default();
            if let Some(trim) = self.trims.front()
                && trim.block == self.block
            {
                peak *= analyzer::units::gain_from_db(trim.peak_db) as f32;
                self.trims.pop_front();
            }
            self.block += 1;
            let gain = self.gain.next(peak);
            match self.ahead {
                0 => return Ok(gain),
                _ => self.ahead -= 1,
            }
        }
    }
}

/// The blocks of a trace one by one.
pub fn blocks_of(trace: &Trace) -> impl Blocks {
    let mut reader = trace.blocks.reader();
    let mut buffer = vec![TraceBlock::default(); 4096];
    let (mut filled, mut next) = (0, 0);
    move || {
        if next == filled {
            (filled, next) = (reader.read(&mut buffer)?, 0);
        }
        let block = (next < filled).then(|| buffer[next]);
        next += usize::from(block.is_some());
        Ok(block)
    }
}

/// What a drive leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Gain between chain and limiter, dB.
    pub drive_db: f64,
    /// Loudness behind the limiter as the traces tell it, LUFS; `None` when nothing passes the gate.
    pub loudness_lufs: Option<f64>,
    /// Gain reduction that is exceeded in a twentieth of the blocks, dB.
    pub limiting_db: f64,
    /// Largest gain reduction, dB.
    pub peak_limiting_db: f64,
}

/// Resolution of the limiting statistics, dB.
const LIMITING_STEP_DB: f64 = 0.05;
/// The share of blocks that may be limited by more than is said.
const LIMITING_SHARE: f64 = 0.05;

/// Drives a trace through the limiter.
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
    Ok(driven(trace, limiter, ceiling_dbtp, trims, drive_db)?.0)
}

/// The same, and the loudness behind the limiter in time.
///
/// # Errors
/// As [`outcome`].
pub fn driven(
    trace: &Trace,
    limiter: &LimiterParams,
    ceiling_dbtp: f64,
    trims: &[Trim],
    drive_db: f64,
) -> Result<(Outcome, LoudnessHistory), io::Error> {
    let rate = trace.sample_rate_hz;
    let mut gains = Gains::new(blocks_of(trace), LimiterGain::new(limiter, drive_db, ceiling_dbtp, rate), trims);
    let mut blocks = blocks_of(trace);
    let mut energies = Vec::new();
    let mut histogram = Vec::new();
    let (mut count, mut frame, mut lowest) = (0u64, 0u64, 1.0f32);
    let drive = analyzer::units::gain_from_db(drive_db);
    let mut gain = gains.next_gain()?;
    while let Some([_, energy]) = blocks()? {
        let next_gain = gains.next_gain()?;
        let mean = f64::from(gain + next_gain) * 0.5 * drive;
        let window = (frame * 100 / u64::from(rate)) as usize;
        energies.resize(energies.len().max(window + 1), 0.0);
        energies[window] += f64::from(energy) * mean * mean;
        lowest = lowest.min(gain);
        if gain < 1.0 {
            let step = (-db_from_gain(f64::from(gain)) / LIMITING_STEP_DB) as usize;
            histogram.resize(histogram.len().max(step + 1), 0u64);
            histogram[step] += 1;
        }
        (count, frame, gain) = (count + 1, frame + BLOCK_FRAMES as u64, next_gain);
    }
    // Every window of 10 ms is whole: the last one is cut off as a meter would.
    energies.truncate((count * BLOCK_FRAMES as u64 * 100 / u64::from(rate)) as usize);
    let mut above = 0;
    let exceeded = histogram.iter().rposition(|blocks| {
        above += blocks;
        above as f64 > LIMITING_SHARE * count as f64
    });
    let history = LoudnessHistory::from_energies(rate, &energies);
    let outcome = Outcome {
        drive_db,
        loudness_lufs: history.integrated(),
        limiting_db: exceeded.map_or(0.0, |step| (step + 1) as f64 * LIMITING_STEP_DB),
        peak_limiting_db: -db_from_gain(f64::from(lowest)),
    };
    Ok((outcome, history))
}

/// Loudness is solved to this, LU.
const TOLERANCE_LU: f64 = 0.002;
/// Steps of the search; a secant needs three or four.
const MAX_STEPS: usize = 12;
/// Limiting may exceed what is allowed by this, dB.
const LIMITING_TOLERANCE_DB: f64 = 0.05;

/// The drive whose loudness is `delivery.loudness_lufs` plus `offset_lu`, or the highest that limits no more than is allowed.
/// `offset_lu` is what the traces were found to read too high.
///
/// # Errors
/// As [`outcome`].
pub fn solve(
    trace: &Trace,
    limiter: &LimiterParams,
    delivery: &DeliveryParams,
    trims: &[Trim],
    offset_lu: f64,
    start_db: f64,
) -> Result<Outcome, io::Error> {
    let at = |drive_db: f64| outcome(trace, limiter, delivery.ceiling_dbtp, trims, quantized(drive_db));
    let wanted = delivery.loudness_lufs + offset_lu;
    let allowed = |o: &Outcome| o.limiting_db <= delivery.max_limiting_db + LIMITING_TOLERANCE_DB;
    let mut best = at(start_db)?;
    let (mut below, mut above): (Option<Outcome>, Option<Outcome>) = (None, None);
    for _ in 0..MAX_STEPS {
        let Some(loudness) = best.loudness_lufs else { return Ok(best) };
        let short = wanted - loudness;
        if allowed(&best) && short.abs() < TOLERANCE_LU {
            return Ok(best);
        }
        if allowed(&best) && short > 0.0 {
            below = Some(best);
        } else {
            above = Some(best);
        }
        let next_db = match (&below, &above) {
            (Some(low), Some(high)) => {
                let (a, b) = (low.loudness_lufs.unwrap_or(wanted), high.loudness_lufs.unwrap_or(wanted));
                let by_loudness = low.drive_db + (wanted - a) / (b - a).max(1e-6) * (high.drive_db - low.drive_db);
                let (l, h) = (low.limiting_db, high.limiting_db);
                let by_limiting =
                    low.drive_db + (delivery.max_limiting_db - l) / (h - l).max(1e-6) * (high.drive_db - low.drive_db);
                let aim = if allowed(high) { by_loudness } else { by_loudness.min(by_limiting) };
                let span = high.drive_db - low.drive_db;
                aim.clamp(low.drive_db + 0.05 * span, high.drive_db - 0.05 * span)
            }
            // Limiting eats a part of every step upwards.
            (Some(low), None) => low.drive_db + (1.3 * short).max(0.05),
            (None, _) if short < 0.0 => best.drive_db + 1.1 * short - 0.02,
            (None, _) => best.drive_db - (best.limiting_db - delivery.max_limiting_db).max(0.2),
        };
        if (next_db - best.drive_db).abs() < DRIVE_STEP_DB {
            break;
        }
        best = at(next_db)?;
    }
    Ok(match (allowed(&best), below) {
        (false, Some(below)) => below,
        _ => best,
    })
}

/// The drive is a whole multiple of this, dB.
const DRIVE_STEP_DB: f64 = 0.0005;

fn quantized(drive_db: f64) -> f64 {
    (drive_db * 2000.0).round() / 2000.0
}
