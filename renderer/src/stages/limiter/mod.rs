//! A look-ahead true-peak limiter in two halves: a trace of the peaks of the whole song, taken once, and a gain that is
//! derived from it, so that the loudness can be solved from the trace alone.
//!
//! The gain looks ahead, and stays up unless it has to come down:
//! 1. *Low*: the low band pays for its own share of a peak. A kick drum or a bass note that exceeds the ceiling is
//!    turned down by itself, and the sound above it stays where it is.
//! 2. *Needed*: every block needs the reduction that takes the rest of its peak to the ceiling.
//! 3. *Bridged*: between two peaks that are less than the bridge apart, the reduction does not fall below the smaller
//!    of the two. This is a morphological closing (Serra 1982) with a flat window: the crests of a steady tone become
//!    a constant reduction, which distorts nothing. Bridges that would last for a moment only are opened again, so
//!    that a hit is not prolonged. Reduction is bridged up to a limited depth.
//! 4. *Rounded*: every block draws a raised-cosine dip around itself, and the deepest dip counts. No other curve made
//!    of such dips reduces less. Each dip reaches the reduction that its peak needs at both ends of its block; in
//!    between, the gain is a straight line.
//!
//! The reduction of the low band is bridged and rounded in the same way.

mod low_band;
mod params;
mod shapes;

use std::collections::VecDeque;

use analyzer::oversample::{BLOCK_FRAMES, Block, BlockScanner};
use analyzer::stream::Frame;
use analyzer::units::gain_from_db;

pub use params::LimiterParams;

use low_band::{LowBand, Splines, cubic};
use shapes::Reduction;

/// The limiter's data on a block of [`BLOCK_FRAMES`] frames.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BlockPeaks {
    /// Highest values of left and right, then magnitudes of their lowest values, between samples as well.
    pub extremes: [f32; 4],
    /// Frame of the block in which each of the four occurs.
    pub frames: [u8; 4],
    /// Left and right of the low band in the middle of the block.
    pub low: [f32; 2],
}

impl BlockPeaks {
    /// Returns the part of each extreme that the low band contributes, as it is in the middle of the block.
    fn shares(&self) -> [f64; 4] {
        let [left, right] = self.low.map(f64::from);
        [left, right, -left, -right]
    }
}

/// Measures the peaks of each block.
pub struct PeakTrace {
    scanner: BlockScanner,
    low: LowBand,
    /// Level below which the peaks of a block need not be exact.
    exact_above: f32,
    waiting: Halves,
}

/// Data on blocks of which only one half is known.
#[derive(Default)]
struct Halves {
    extremes: VecDeque<([f32; 4], [u8; 4])>,
    lows: VecDeque<[f32; 2]>,
}

impl PeakTrace {
    /// Creates a trace. Peaks over `exact_above`, a linear level, are interpolated 16 times; below it they may read
    /// low.
    pub fn new(exact_above: f64, sample_rate_hz: u32) -> Self {
        Self {
            scanner: BlockScanner::quick(),
            low: LowBand::new(sample_rate_hz),
            exact_above: exact_above as f32,
            waiting: Halves::default(),
        }
    }

    /// Takes the next frames and calls `emit` with the peaks of each block in turn.
    pub fn push(&mut self, frames: &[Frame], emit: impl FnMut(BlockPeaks)) {
        let Self { scanner, low, exact_above, waiting: Halves { extremes, lows } } = self;
        scanner.push(frames, |block| extremes.push_back(extremes_of(block, *exact_above)));
        low.push(frames, |value| lows.push_back(value));
        self.waiting.join(emit);
    }

    /// Emits the last blocks.
    pub fn finish(self, emit: impl FnMut(BlockPeaks)) {
        let Self { scanner, low, exact_above, mut waiting } = self;
        scanner.finish(|block| waiting.extremes.push_back(extremes_of(block, exact_above)));
        low.finish(|value| waiting.lows.push_back(value));
        waiting.join(emit);
    }
}

fn extremes_of(block: &Block, exact_above: f32) -> ([f32; 4], [u8; 4]) {
    let peak = block.peak_above(exact_above);
    let frames = if peak > exact_above { block.extreme_frames() } else { [BLOCK_FRAMES as u8 / 2; 4] };
    (block.extremes(peak), frames)
}

impl Halves {
    fn join(&mut self, mut emit: impl FnMut(BlockPeaks)) {
        let count = self.extremes.len().min(self.lows.len());
        for ((extremes, frames), low) in self.extremes.drain(..count).zip(self.lows.drain(..count)) {
            emit(BlockPeaks { extremes, frames, low });
        }
    }
}

/// Gain and low cut of the limiter for a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimiterStep {
    /// Gain at the start of the block.
    pub gain: f32,
    /// Share of the low band that is subtracted before the gain, in the middle of the block.
    pub low_cut: f32,
    /// The subtracted low band of left and right, before the drive: in two blocks before, this one and two after.
    pub cuts: [[f32; 2]; 5],
    /// Highest peak after that subtraction, before drive and trim.
    pub peak: f32,
}

/// Share of a peak from which the low band takes the whole reduction; below it, its part falls with the square.
const WHOLE_SHARE: f64 = 0.5;

/// Computes a step from the peaks of every block, [`delay_blocks`](Self::delay_blocks) later.
pub struct LimiterGain {
    drive: f64,
    ceiling: f64,
    splines: Splines,
    low_reduction: Reduction,
    /// Blocks with their trims whose cut is not known yet.
    uncut: VecDeque<(BlockPeaks, f64)>,
    /// The last blocks whose cut is known.
    cut: [Cut; 5],
    reduction: Reduction,
    /// Bridged reduction of the previous block.
    before: f64,
    /// Blocks whose gain is not known yet.
    waiting: VecDeque<LimiterStep>,
}

/// A block with a known cut of its low band.
#[derive(Clone, Copy, Default)]
struct Cut {
    peaks: BlockPeaks,
    trim: f64,
    low_cut: f32,
    /// The subtracted low band of left and right.
    subtracted: [f32; 2],
}

/// Blocks of look-ahead that the interpolation between cuts needs.
const SPLINE_BLOCKS: usize = 2;

impl LimiterGain {
    /// Creates the gain computer. `drive_db` is applied before the limiter and is not part of the resulting gain.
    pub fn new(params: &LimiterParams, drive_db: f64, ceiling_dbtp: f64, sample_rate_hz: u32) -> Self {
        Self {
            drive: gain_from_db(drive_db),
            ceiling: gain_from_db(ceiling_dbtp),
            splines: std::array::from_fn(cubic),
            // The low band has no hits: if a bass note were left to its own crests, they would distort it.
            low_reduction: Reduction::new(params, 0.0, sample_rate_hz),
            uncut: VecDeque::new(),
            cut: [Cut::default(); 5],
            reduction: Reduction::new(params, params.hit_ms, sample_rate_hz),
            before: 0.0,
            waiting: VecDeque::new(),
        }
    }

    /// Delay of a step behind its peaks, in blocks.
    pub fn delay_blocks(&self) -> usize {
        self.low_reduction.delay() + SPLINE_BLOCKS + self.reduction.delay()
    }

    /// Number of blocks that a step depends on. Started this many blocks earlier, another gain computer returns the same
    /// steps.
    pub fn memory_blocks(&self) -> usize {
        self.low_reduction.memory() + self.cut.len() + self.reduction.memory() + self.delay_blocks()
    }

    /// Returns the highest peak that needs no reduction. Divided by a gain, it is the peak that needs this gain.
    pub fn threshold(&self) -> f64 {
        self.ceiling / self.drive
    }

    /// Takes the peaks of the next block, with a factor by which the rest of them counts as higher, and returns the
    /// step of the block `delay_blocks` before it.
    pub fn next(&mut self, peaks: BlockPeaks, trim: f64) -> LimiterStep {
        self.cut_next(peaks, trim);
        let Cut { low_cut, peaks, trim, .. } = self.cut[SPLINE_BLOCKS];
        let cuts = self.cut.map(|cut| cut.subtracted);
        let peak = self.left_of(&peaks, &cuts);
        let bridged = self.reduction.bridged(self.needed(peak * trim));
        // At the boundary of two blocks, the gain is low enough for both.
        let between = bridged.max(self.before);
        self.before = bridged;
        let gain = (1.0 - self.reduction.rounded(between)) as f32;
        self.waiting.push_back(LimiterStep { gain: 1.0, low_cut, cuts, peak: peak as f32 });
        let late = self.waiting.len() > self.reduction.delay();
        let step = if late { self.waiting.pop_front() } else { None };
        LimiterStep { gain, ..step.unwrap_or(LimiterStep { gain, low_cut: 0.0, cuts: [[0.0; 2]; 5], peak: 0.0 }) }
    }

    /// Computes the cut of one more block.
    fn cut_next(&mut self, peaks: BlockPeaks, trim: f64) {
        let bridged = self.low_reduction.bridged(self.low_needed(&peaks));
        let low_cut = self.low_reduction.rounded(bridged);
        self.uncut.push_back((peaks, trim));
        let late = self.uncut.len() > self.low_reduction.delay();
        let (peaks, trim) = if late { self.uncut.pop_front() } else { None }.unwrap_or_default();
        let subtracted = peaks.low.map(|low| (low_cut * f64::from(low)) as f32);
        self.cut.rotate_left(1);
        self.cut[4] = Cut { peaks, trim, low_cut: low_cut as f32, subtracted };
    }

    /// Returns the reduction that takes a peak to the ceiling.
    fn needed(&self, peak: f64) -> f64 {
        let driven = peak * self.drive;
        if driven > self.ceiling { 1.0 - self.ceiling / driven } else { 0.0 }
    }

    /// Returns the part of that reduction that the low band takes.
    fn low_needed(&self, peaks: &BlockPeaks) -> f64 {
        let highest = peaks.extremes.into_iter().fold(0.0, f32::max);
        if self.needed(f64::from(highest)) == 0.0 {
            return 0.0;
        }
        let of = |(extreme, share): (f32, f64)| {
            let extreme = f64::from(extreme);
            let whole = (share / (WHOLE_SHARE * extreme.max(f64::MIN_POSITIVE))).clamp(0.0, 1.0);
            self.needed(extreme) * whole * whole
        };
        peaks.extremes.into_iter().zip(peaks.shares()).map(of).fold(0.0, f64::max)
    }

    /// Returns the highest peak after the low band is cut.
    fn left_of(&self, peaks: &BlockPeaks, cuts: &[[f32; 2]; 5]) -> f64 {
        if *cuts == [[0.0; 2]; 5] {
            return f64::from(peaks.extremes.into_iter().fold(0.0, f32::max));
        }
        let of = |at: usize| {
            let weights = &self.splines[usize::from(peaks.frames[at]) % BLOCK_FRAMES];
            let cut: f64 = weights.iter().zip(cuts).map(|(weight, cut)| weight * f64::from(cut[at % 2])).sum();
            f64::from(peaks.extremes[at]) - if at < 2 { cut } else { -cut }
        };
        (0..4).map(of).fold(0.0, f64::max)
    }
}

/// Applies drive and limiter gain, block by block.
pub struct LimiterApply {
    drive: f64,
    splines: Splines,
}

impl LimiterApply {
    /// Creates it with the same `drive_db` as [`LimiterGain::new`].
    pub fn new(drive_db: f64) -> Self {
        Self { drive: gain_from_db(drive_db), splines: std::array::from_fn(cubic) }
    }

    /// Replaces the frames of a block; its gain runs from that of `step` to that of `next`.
    pub fn process_block(&self, frames: &mut [Frame], step: &LimiterStep, next: &LimiterStep) {
        if step.cuts != [[0.0; 2]; 5] {
            let cuts = step.cuts.map(|cut| cut.map(f64::from));
            for (frame, weights) in frames.iter_mut().zip(&self.splines) {
                let cut = weights
                    .iter()
                    .zip(&cuts)
                    .fold([0.0; 2], |sum, (weight, cut)| [sum[0] + weight * cut[0], sum[1] + weight * cut[1]]);
                *frame = [(f64::from(frame[0]) - cut[0]) as f32, (f64::from(frame[1]) - cut[1]) as f32];
            }
        }
        let (gain, next_gain) = (f64::from(step.gain) * self.drive, f64::from(next.gain) * self.drive);
        let slope = (next_gain - gain) / BLOCK_FRAMES as f64;
        for (n, frame) in frames.iter_mut().enumerate() {
            let gain = gain + slope * n as f64;
            *frame = frame.map(|x| (f64::from(x) * gain) as f32);
        }
    }
}

#[cfg(test)]
mod tests;
