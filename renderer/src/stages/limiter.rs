//! A look-ahead true-peak limiter in two halves: a trace of the peaks of the whole song, taken once, and a gain
//! that follows from it, so that loudness can be solved over the trace alone.
//!
//! The gain of a block may not exceed what any block within reach of it needs: minimum over the look-ahead, release,
//! then two box filters whose support is the look-ahead (a positive average of values that are all low enough is low
//! enough), then a straight line from block to block.

use std::collections::VecDeque;

use analyzer::oversample::{BLOCK_FRAMES, BlockScanner};
use analyzer::stream::Frame;
use analyzer::units::{db_from_gain, gain_from_db, one_pole_coef};

use crate::params::{Param, params};

params! {
    /// How the limiter moves. Its ceiling and drive are not parameters: they are asked for and solved.
    pub struct LimiterParams {
        /// Time to get down before a peak, ms.
        look_ahead_ms: Param::log(1.0, 20.0, 5.0, 0.1),
        /// Time to recover 63 % from a single peak, ms.
        release_ms: Param::log(10.0, 1000.0, 60.0, 1.0),
        /// The same from limiting that lasts; between the two the gain stays at its slow average instead of pumping, ms.
        sustain_ms: Param::log(100.0, 5000.0, 800.0, 1.0),
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

/// Gains are whole multiples of this inside the box filters, so that running sums never drift.
const UNIT: f64 = (1u64 << 40) as f64;

/// A running mean of whole numbers.
struct BoxFilter {
    recent: VecDeque<u64>,
    sum: u64,
}

impl BoxFilter {
    /// As after a long time at `UNIT`.
    fn new(length: usize) -> Self {
        Self { recent: vec![UNIT as u64; length].into(), sum: UNIT as u64 * length as u64 }
    }

    fn next(&mut self, value: u64) -> u64 {
        self.sum += value;
        self.sum -= self.recent.pop_front().unwrap_or(0);
        self.recent.push_back(value);
        self.sum / self.recent.len() as u64
    }
}

/// From peaks, block by block, to the limiter's gain, [`delay_blocks`](Self::delay_blocks) later.
pub struct LimiterGain {
    drive: f64,
    ceiling: f64,
    /// Rising needed gains within the look-ahead, with the block each belongs to.
    lowest: VecDeque<(u64, f64)>,
    block: u64,
    reach: u64,
    fast_coef: f64,
    slow_up_coef: f64,
    slow_down_coef: f64,
    /// Gain reductions, dB.
    reduction_db: f64,
    slow_db: f64,
    boxes: [BoxFilter; 2],
}

impl LimiterGain {
    /// `drive_db` is applied before the limiter and is not part of the gain that comes out.
    pub fn new(params: &LimiterParams, drive_db: f64, ceiling_dbtp: f64, sample_rate_hz: u32) -> Self {
        let rate = f64::from(sample_rate_hz) / BLOCK_FRAMES as f64;
        let reach = libm::ceil(params.look_ahead_ms * 1e-3 * rate).max(2.0) as usize;
        Self {
            drive: gain_from_db(drive_db),
            ceiling: gain_from_db(ceiling_dbtp),
            lowest: VecDeque::with_capacity(reach + 2),
            block: 0,
            reach: reach as u64,
            fast_coef: one_pole_coef(params.release_ms, rate),
            slow_up_coef: one_pole_coef(params.sustain_ms / 4.0, rate),
            slow_down_coef: one_pole_coef(params.sustain_ms, rate),
            reduction_db: 0.0,
            slow_db: 0.0,
            boxes: [BoxFilter::new(reach / 2 + 1), BoxFilter::new(reach - reach / 2 + 1)],
        }
    }

    /// Blocks by which the gain comes later than the peak it belongs to.
    pub fn delay_blocks(&self) -> usize {
        self.reach as usize
    }

    /// Takes the peak of the next block and gives the gain at the start of the block `delay_blocks` before it.
    pub fn next(&mut self, peak: f32) -> f32 {
        let driven = f64::from(peak) * self.drive;
        let needed = if driven > self.ceiling { self.ceiling / driven } else { 1.0 };
        while self.lowest.back().is_some_and(|(_, gain)| *gain >= needed) {
            self.lowest.pop_back();
        }
        self.lowest.push_back((self.block, needed));
        // One block more than the boxes reach, because the gain is a line between the starts of two blocks.
        while self.lowest.front().is_some_and(|(block, _)| block + self.reach + 1 < self.block) {
            self.lowest.pop_front();
        }
        self.block += 1;
        let lowest = self.lowest.front().map_or(1.0, |(_, gain)| *gain);
        let held = self.released(lowest);
        let [first, second] = &mut self.boxes;
        (second.next(first.next(libm::floor(held * UNIT) as u64)) as f64 / UNIT) as f32
    }

    /// The gain after release: never above `lowest`.
    fn released(&mut self, lowest: f64) -> f64 {
        if lowest == 1.0 && self.reduction_db < 1e-7 && self.slow_db < 1e-7 {
            (self.reduction_db, self.slow_db) = (0.0, 0.0);
            return 1.0;
        }
        let wanted_db = -db_from_gain(lowest);
        let slow_coef = if wanted_db > self.slow_db { self.slow_up_coef } else { self.slow_down_coef };
        self.slow_db = wanted_db + slow_coef * (self.slow_db - wanted_db);
        let rest_db = self.slow_db.min(self.reduction_db);
        self.reduction_db = wanted_db.max(rest_db + self.fast_coef * (self.reduction_db - rest_db));
        lowest.min(gain_from_db(-self.reduction_db))
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
