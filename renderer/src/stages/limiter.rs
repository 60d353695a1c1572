//! A look-ahead true-peak limiter in two halves: a trace of the peaks of the whole song, taken once, and a gain
//! that follows from it, so that loudness can be solved over the trace alone.
//!
//! The gain knows what comes, and stays up unless it has to be down:
//! 1. *Needed*: every block needs the reduction that takes its peak to the ceiling.
//! 2. *Bridged*: between two peaks that are less than the bridge apart, reduction does not fall under the smaller of
//!    the two. This is the morphological closing (Serra 1982) by a flat window: the crests of a steady tone become a
//!    constant, which distorts nothing, and a single hit is not prolonged. Deep reduction is bridged up to a depth only.
//! 3. *Rounded*: every block draws a raised-cosine dip around itself, and the deepest counts. No other curve of such
//!    dips reduces less. Each reaches the reduction that its peak needs at both ends of its block; in between the gain
//!    is a straight line.

use std::collections::VecDeque;
use std::f64::consts::PI;

use analyzer::oversample::{BLOCK_FRAMES, BlockScanner};
use analyzer::stream::Frame;
use analyzer::units::gain_from_db;

use crate::params::{Param, params};

params! {
    /// How the limiter moves. Its ceiling and drive are not parameters: they are asked for and solved.
    pub struct LimiterParams {
        /// Time to get down before a peak, ms.
        look_ahead_ms: Param::log(0.5, 20.0, 4.0, 0.1),
        /// Time to recover after it, ms.
        release_ms: Param::log(0.5, 200.0, 4.0, 0.1),
        /// Gaps between peaks up to this long are bridged, so that tones whose crests come no less often are not
        /// modulated, ms.
        bridge_ms: Param::log(1.0, 200.0, 30.0, 0.1),
        /// Gain reduction up to which gaps are bridged, dB; what is driven further is louder instead of clean.
        bridge_db: Param::linear(0.0, 40.0, 12.0, 0.1),
    }
}

/// Peaks of each block of [`BLOCK_FRAMES`] frames, both channels, between samples as well.
pub struct PeakTrace {
    scanner: BlockScanner,
    /// Blocks that stay under this need not be known exactly.
    exact_above: f32,
}

impl PeakTrace {
    /// `exact_above`: linear level over which peaks are interpolated 16 times; below it they may read low.
    pub fn new(exact_above: f64) -> Self {
        Self { scanner: BlockScanner::quick(), exact_above: exact_above as f32 }
    }

    /// Takes the next frames; `emit` gets the peak of each block in turn.
    pub fn push(&mut self, frames: &[Frame], mut emit: impl FnMut(f32)) {
        self.scanner.push(frames, |block| emit(block.peak_above(self.exact_above)));
    }

    /// The last blocks.
    pub fn finish(self, mut emit: impl FnMut(f32)) {
        self.scanner.finish(|block| emit(block.peak_above(self.exact_above)));
    }
}

/// The largest of the last `length` values, by a queue of those that may still become it (Lemire 2006).
struct SlidingMaximum {
    candidates: VecDeque<(u64, f64)>,
    length: u64,
    next: u64,
}

impl SlidingMaximum {
    fn new(length: usize) -> Self {
        Self { candidates: VecDeque::with_capacity(length + 1), length: length as u64, next: 0 }
    }

    fn next(&mut self, value: f64) -> f64 {
        while self.candidates.back().is_some_and(|(_, other)| *other <= value) {
            self.candidates.pop_back();
        }
        self.candidates.push_back((self.next, value));
        self.next += 1;
        if self.candidates[0].0 + self.length < self.next {
            self.candidates.pop_front();
        }
        self.candidates[0].1
    }
}

/// Reduction that does not fall between peaks less than `length` values apart; `length - 1` values later.
struct Bridge {
    dilation: SlidingMaximum,
    /// Of negative values, hence the smallest.
    erosion: SlidingMaximum,
    /// What is needed, as long as the erosion has not come to it.
    needed: VecDeque<f64>,
    deepest: f64,
}

impl Bridge {
    fn new(length: usize, deepest: f64) -> Self {
        Self {
            dilation: SlidingMaximum::new(length),
            erosion: SlidingMaximum::new(length),
            needed: std::iter::repeat_n(0.0, length - 1).collect(),
            deepest,
        }
    }

    fn next(&mut self, needed: f64) -> f64 {
        let closed = -self.erosion.next(-self.dilation.next(needed));
        self.needed.push_back(needed);
        let needed = self.needed.pop_front().unwrap_or(needed);
        needed.max(closed.min(self.deepest))
    }
}

/// The deepest of the dips that the values draw around themselves, `ahead` values later.
struct Dips {
    /// The dip of a value of 1.
    shape: Vec<f64>,
    ahead: usize,
    /// From `from` on: the curve as far as it is known, starting `ahead` values before the next one.
    curve: Vec<f64>,
    from: usize,
}

/// Values that a curve is moved back by at once.
const CURVE_STEP: usize = 4096;

impl Dips {
    fn new(ahead: usize, behind: usize) -> Self {
        let fall = (1..=ahead).map(|n| n as f64 / (ahead + 1) as f64);
        let rise = (0..=behind).map(|n| 1.0 - n as f64 / (behind + 1) as f64);
        let shape: Vec<f64> = fall.chain(rise).map(|at| 0.5 - 0.5 * libm::cos(PI * at)).collect();
        Self { curve: vec![0.0; shape.len() + CURVE_STEP], shape, ahead, from: 0 }
    }

    fn next(&mut self, value: f64) -> f64 {
        if self.from == CURVE_STEP {
            self.curve.copy_within(CURVE_STEP.., 0);
            self.curve[self.shape.len()..].fill(0.0);
            self.from = 0;
        }
        let reached = &mut self.curve[self.from..];
        if value > 0.0 {
            for (deepest, shape) in reached.iter_mut().zip(&self.shape) {
                *deepest = deepest.max(value * shape);
            }
        }
        self.from += 1;
        reached[0]
    }
}

/// From peaks, block by block, to the limiter's gain, [`delay_blocks`](Self::delay_blocks) later.
pub struct LimiterGain {
    drive: f64,
    ceiling: f64,
    bridge: Bridge,
    /// Reduction of the block before, after the bridge.
    before: f64,
    dips: Dips,
    delay: usize,
}

impl LimiterGain {
    /// `drive_db` is applied before the limiter and is not part of the gain that comes out.
    pub fn new(params: &LimiterParams, drive_db: f64, ceiling_dbtp: f64, sample_rate_hz: u32) -> Self {
        let rate = f64::from(sample_rate_hz) / BLOCK_FRAMES as f64;
        let blocks = |ms: f64| libm::ceil(ms * 1e-3 * rate).max(1.0) as usize;
        let length = blocks(params.bridge_ms) + 1;
        let dips = Dips::new(blocks(params.look_ahead_ms), blocks(params.release_ms));
        Self {
            drive: gain_from_db(drive_db),
            ceiling: gain_from_db(ceiling_dbtp),
            bridge: Bridge::new(length, 1.0 - gain_from_db(-params.bridge_db)),
            before: 0.0,
            delay: length - 1 + dips.ahead,
            dips,
        }
    }

    /// Blocks by which the gain comes later than the peak it belongs to.
    pub fn delay_blocks(&self) -> usize {
        self.delay
    }

    /// The highest peak that needs no reduction: divided by a gain, the peak that needs this gain.
    pub fn threshold(&self) -> f64 {
        self.ceiling / self.drive
    }

    /// Takes the peak of the next block and gives the gain at the start of the block `delay_blocks` before it.
    pub fn next(&mut self, peak: f32) -> f32 {
        let driven = f64::from(peak) * self.drive;
        let needed = if driven > self.ceiling { 1.0 - self.ceiling / driven } else { 0.0 };
        let bridged = self.bridge.next(needed);
        // Where two blocks meet, the gain is low enough for both.
        let between = bridged.max(self.before);
        self.before = bridged;
        (1.0 - self.dips.next(between)) as f32
    }
}

/// Applies drive and limiter gain, block by block.
pub struct LimiterApply {
    drive: f64,
}

impl LimiterApply {
    /// `drive_db` as given to [`LimiterGain::new`].
    pub fn new(drive_db: f64) -> Self {
        Self { drive: gain_from_db(drive_db) }
    }

    /// Replaces the frames of one block; its gain runs from `gain` to the next block's `next_gain`.
    pub fn process_block(&self, frames: &mut [Frame], gain: f32, next_gain: f32) {
        let (gain, next_gain) = (f64::from(gain) * self.drive, f64::from(next_gain) * self.drive);
        let slope = (next_gain - gain) / BLOCK_FRAMES as f64;
        for (n, frame) in frames.iter_mut().enumerate() {
            let gain = gain + slope * n as f64;
            *frame = frame.map(|x| (f64::from(x) * gain) as f32);
        }
    }
}

#[cfg(test)]
mod tests;
