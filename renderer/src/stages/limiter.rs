//! A look-ahead true-peak limiter in two halves: a trace of the peaks of the whole song, taken once, and a gain
//! that follows from it, so that loudness can be solved over the trace alone.
//!
//! The gain of a block may not exceed what any block within reach of it needs: minimum over the look-ahead, release,
//! then two box filters whose support is the look-ahead (a positive average of values that are all low enough is low
//! enough), then a straight line from block to block.

use std::collections::VecDeque;

use analyzer::oversample::{BLOCK_FRAMES, BlockScanner};
use analyzer::stream::Frame;
use analyzer::units::{gain_from_db, one_pole_coef};

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

/// Gains are whole multiples of 1/UNIT inside the box filters, so that running sums never drift. Two boxes of less than
/// 2¹¹ blocks each leave their sums within 64 bits.
const UNIT: f64 = (1u64 << 40) as f64;

/// A running sum of whole numbers.
struct BoxFilter {
    recent: Vec<u64>,
    oldest: usize,
    sum: u64,
}

impl BoxFilter {
    /// As after a long time at `value`.
    fn new(length: usize, value: u64) -> Self {
        Self { recent: vec![value; length], oldest: 0, sum: value * length as u64 }
    }

    fn next(&mut self, value: u64) -> u64 {
        self.sum = self.sum + value - std::mem::replace(&mut self.recent[self.oldest], value);
        self.oldest = if self.oldest + 1 == self.recent.len() { 0 } else { self.oldest + 1 };
        self.sum
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
    /// 1 less the gain, as it is and as its slow average.
    reduction: f64,
    slow: f64,
    boxes: [BoxFilter; 2],
    /// What the boxes make of a gain of 1.
    full: f64,
}

impl LimiterGain {
    /// `drive_db` is applied before the limiter and is not part of the gain that comes out.
    pub fn new(params: &LimiterParams, drive_db: f64, ceiling_dbtp: f64, sample_rate_hz: u32) -> Self {
        let rate = f64::from(sample_rate_hz) / BLOCK_FRAMES as f64;
        let reach = libm::ceil(params.look_ahead_ms * 1e-3 * rate).max(2.0) as usize;
        let lengths = [reach / 2 + 1, reach - reach / 2 + 1];
        Self {
            drive: gain_from_db(drive_db),
            ceiling: gain_from_db(ceiling_dbtp),
            lowest: VecDeque::with_capacity(reach + 2),
            block: 0,
            reach: reach as u64,
            fast_coef: one_pole_coef(params.release_ms, rate),
            slow_up_coef: one_pole_coef(params.sustain_ms / 4.0, rate),
            slow_down_coef: one_pole_coef(params.sustain_ms, rate),
            reduction: 0.0,
            slow: 0.0,
            boxes: [
                BoxFilter::new(lengths[0], UNIT as u64),
                BoxFilter::new(lengths[1], UNIT as u64 * lengths[0] as u64),
            ],
            full: UNIT * (lengths[0] * lengths[1]) as f64,
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
        (second.next(first.next((held * UNIT) as u64)) as f64 / self.full) as f32
    }

    /// The gain after release: never above `lowest`. A single peak is left behind with the fast time constant; what has
    /// been limited for long is held at its slow average.
    fn released(&mut self, lowest: f64) -> f64 {
        let wanted = 1.0 - lowest;
        let slow_coef = if wanted > self.slow { self.slow_up_coef } else { self.slow_down_coef };
        self.slow = wanted + slow_coef * (self.slow - wanted);
        let rest = self.slow.min(self.reduction);
        self.reduction = wanted.max(rest + self.fast_coef * (self.reduction - rest));
        // What nobody hears is let go, so that the gain comes back to exactly 1.
        if self.reduction < INAUDIBLE {
            (self.reduction, self.slow) = (0.0, 0.0);
        }
        1.0 - self.reduction
    }
}

/// A gain this close to 1 is 1: 0.00001 dB.
const INAUDIBLE: f64 = 1e-6;

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
mod tests {
    use super::*;
    use analyzer::stream::Meter;
    use analyzer::true_peak::TruePeakMeter;
    use analyzer::units::db_from_gain;

    const RATE: u32 = 48_000;

    /// The frames through trace, gain and multiplication.
    fn limited(frames: &[Frame], drive_db: f64, ceiling_dbtp: f64) -> Vec<Frame> {
        let mut peaks = Vec::new();
        let mut trace = PeakTrace::new(0.0);
        trace.push(frames, |peak| peaks.push(peak));
        trace.finish(|peak| peaks.push(peak));
        let mut gain = LimiterGain::new(&LimiterParams::default(), drive_db, ceiling_dbtp, RATE);
        let delay = gain.delay_blocks();
        peaks.resize(peaks.len() + delay + 1, 0.0);
        let gains: Vec<f32> = peaks.iter().map(|peak| gain.next(*peak)).skip(delay).collect();
        let apply = LimiterApply::new(drive_db);
        let mut out = frames.to_vec();
        for (block, gains) in out.chunks_mut(BLOCK_FRAMES).zip(gains.windows(2)) {
            apply.process_block(block, gains[0], gains[1]);
        }
        out
    }

    fn true_peak_dbtp(frames: &[Frame]) -> f64 {
        let mut meter = TruePeakMeter::new();
        meter.push(frames);
        db_from_gain(meter.finish())
    }

    fn sine(hz: f64, level_db: f64, frames: usize) -> Vec<Frame> {
        let step = 2.0 * std::f64::consts::PI * hz / f64::from(RATE);
        let amplitude = gain_from_db(level_db);
        (0..frames).map(|n| [(amplitude * libm::sin(step * n as f64 + 0.7)) as f32; 2]).collect()
    }

    #[test]
    fn no_peak_passes_the_ceiling_by_more_than_a_verifying_pass_can_trim() {
        let mut bursts = Vec::new();
        for level_db in [-20.0, 6.0, -20.0, 12.0, -30.0, 0.0] {
            bursts.extend(sine(RATE as f64 / 4.0, level_db, 3000));
            bursts.extend(sine(700.0, level_db, 3001));
        }
        let peak = true_peak_dbtp(&limited(&bursts, 3.0, -1.0));
        assert!((-1.2..-0.8).contains(&peak), "{peak} dBTP");
    }

    #[test]
    fn what_stays_under_the_ceiling_is_only_driven() {
        let quiet = sine(440.0, -12.0, 20_000);
        let out = limited(&quiet, 6.0, -1.0);
        let gain = gain_from_db(6.0);
        assert!(out.iter().zip(&quiet).all(|(y, x)| y[0] == (f64::from(x[0]) * gain) as f32));
    }

    /// Residual beside a least-squares fit of the tone.
    fn distortion_db(frames: &[Frame], hz: f64) -> f64 {
        let step = 2.0 * std::f64::consts::PI * hz / f64::from(RATE);
        let (mut s, mut c, mut power) = (0.0, 0.0, 0.0);
        for (n, frame) in frames.iter().enumerate() {
            let x = f64::from(frame[0]);
            s += x * libm::sin(step * n as f64);
            c += x * libm::cos(step * n as f64);
            power += x * x;
        }
        let tone = 2.0 * (s * s + c * c) / frames.len() as f64;
        10.0 * libm::log10(((power - tone) / tone).max(1e-15))
    }

    #[test]
    fn a_steady_tone_comes_out_clean() {
        // Whole periods of both tones fit into the measured second.
        for (hz, allowed_db) in [(997.0, -90.0), (100.0, -60.0)] {
            let out = limited(&sine(hz, 2.0, 4 * RATE as usize), 0.0, -1.0);
            let found = distortion_db(&out[2 * RATE as usize..3 * RATE as usize], hz);
            assert!(found < allowed_db, "{hz} Hz: {found} dB");
        }
    }
}
