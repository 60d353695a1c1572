//! The low band of a song, sampled once per block: kick drums and bass notes.
//!
//! Quadratic B-splines gather frames into blocks, a symmetric low-pass runs over the blocks, and cubic B-splines turn
//! blocks into frames again. The remaining images fall as sinc³ and sinc⁴: 87 and 115 dB under a tone of 100 Hz.

use analyzer::oversample::{BLOCK_FRAMES, bessel_i0};
use analyzer::stream::Frame;
use std::f64::consts::PI;

/// Frequency at which half of the level is left, Hz: the octaves of kick drums and basses pass.
const EDGE_HZ: f64 = 150.0;
/// Reach of the low-pass on either side.
const REACH_MS: f64 = 12.0;
/// Shape of the low-pass's Kaiser window: 53 dB.
const BETA: f64 = 5.0;

/// Returns the position of frame `n` between the middle of its block (0) and those of its neighbours (±1).
fn place(n: usize) -> f64 {
    (n as f64 + 0.5) / BLOCK_FRAMES as f64 - 0.5
}

/// Returns the weights with which frame `n` contributes to the block before, its own and the next.
fn quadratic(n: usize) -> [f64; 3] {
    let t = place(n);
    [0.5 * (0.5 - t) * (0.5 - t), 0.75 - t * t, 0.5 * (0.5 + t) * (0.5 + t)]
}

/// Returns the weights of two blocks before, its own and two after, from which frame `n` is made.
pub(super) fn cubic(n: usize) -> [f64; 5] {
    let t = place(n);
    std::array::from_fn(|block| {
        let away = (t - (block as f64 - 2.0)).abs();
        let left = (2.0 - away).max(0.0);
        if away < 1.0 { 2.0 / 3.0 - away * away * (1.0 - 0.5 * away) } else { left * left * left / 6.0 }
    })
}

/// [`cubic`] of every frame of a block.
pub(super) type Splines = [[f64; 5]; BLOCK_FRAMES];

/// Computes left and right below [`EDGE_HZ`] in the middle of each block.
pub(super) struct LowBand {
    splines: [[f64; 3]; BLOCK_FRAMES],
    frames_in_block: usize,
    /// Sums of the frames so far for the block before, their own and the next.
    gathering: [[f64; 2]; 3],
    /// Taps of the low-pass, once for each channel.
    taps: Vec<[f64; 2]>,
    /// The blocks that the low-pass needs, stored twice, so that they are always contiguous.
    history: Vec<[f64; 2]>,
    oldest: usize,
    /// Delay of a value behind its frames, in blocks, and number of values that are still to be skipped.
    delay: usize,
    ahead: usize,
}

impl LowBand {
    pub fn new(sample_rate_hz: u32) -> Self {
        let rate = f64::from(sample_rate_hz) / BLOCK_FRAMES as f64;
        let half = low_pass(rate);
        let length = 2 * half.len() - 1;
        let taps = (0..length).map(|tap| [half[tap.abs_diff(half.len() - 1)]; 2]).collect();
        Self {
            splines: std::array::from_fn(|n| quadratic(n).map(|weight| weight / BLOCK_FRAMES as f64)),
            frames_in_block: 0,
            gathering: [[0.0; 2]; 3],
            ahead: half.len(),
            delay: half.len(),
            taps,
            history: vec![[0.0; 2]; 2 * length],
            oldest: 0,
        }
    }

    /// Takes the next frames and calls `emit` with the value of each block in turn.
    pub fn push(&mut self, mut frames: &[Frame], mut emit: impl FnMut([f32; 2])) {
        while !frames.is_empty() {
            let (now, later) = frames.split_at(frames.len().min(BLOCK_FRAMES - self.frames_in_block));
            let [mut before, mut own, mut next] = self.gathering;
            for (frame, weight) in now.iter().zip(&self.splines[self.frames_in_block..]) {
                for channel in 0..2 {
                    let x = f64::from(frame[channel]);
                    before[channel] += weight[0] * x;
                    own[channel] += weight[1] * x;
                    next[channel] += weight[2] * x;
                }
            }
            self.gathering = [before, own, next];
            self.frames_in_block += now.len();
            if self.frames_in_block == BLOCK_FRAMES {
                self.frames_in_block = 0;
                let value = self.end_block();
                match self.ahead {
                    0 => emit(value),
                    _ => self.ahead -= 1,
                }
            }
            frames = later;
        }
    }

    /// Emits the last blocks, as if the stream were followed by silence.
    pub fn finish(mut self, emit: impl FnMut([f32; 2])) {
        let rest = (BLOCK_FRAMES - self.frames_in_block) % BLOCK_FRAMES;
        self.push(&vec![[0.0; 2]; rest + self.delay * BLOCK_FRAMES], emit);
    }

    fn end_block(&mut self) -> [f32; 2] {
        let [complete, own, next] = self.gathering;
        self.gathering = [own, next, [0.0; 2]];
        let length = self.history.len() / 2;
        (self.history[self.oldest], self.history[self.oldest + length]) = (complete, complete);
        self.oldest = (self.oldest + 1) % length;
        let history = &self.history[self.oldest..self.oldest + length];
        // Two blocks at once: independent sums do not wait for each other, which makes this fast.
        let (pairs, last) = history.as_flattened().as_chunks::<4>();
        let (taps, last_tap) = self.taps.as_flattened().as_chunks::<4>();
        let mut sums = [0.0; 4];
        for (x, h) in pairs.iter().zip(taps) {
            for lane in 0..4 {
                sums[lane] += x[lane] * h[lane];
            }
        }
        std::array::from_fn(|channel| (sums[channel] + sums[channel + 2] + last[channel] * last_tap[channel]) as f32)
    }
}

/// Returns half of a symmetric low-pass at the blocks' rate, from its middle outwards. It compensates for the loss of
/// the splines on either side of it: sinc⁷, which is about 1 − 7/6 (πν)² at ν times the blocks' rate.
fn low_pass(rate_hz: f64) -> Vec<f64> {
    let reach = (REACH_MS * 1e-3 * rate_hz) as usize;
    let edge = 2.0 * (EDGE_HZ / rate_hz).min(0.5);
    let windowed = |n: usize| {
        let (n, at) = (n as f64, n as f64 / (reach + 1) as f64);
        let sinc = if n == 0.0 { edge } else { libm::sin(PI * edge * n) / (PI * n) };
        sinc * bessel_i0(BETA * libm::sqrt(1.0 - at * at))
    };
    let mut half: Vec<f64> = (0..=reach).map(windowed).collect();
    let sum = half[0] + 2.0 * half[1..].iter().sum::<f64>();
    half.iter_mut().for_each(|tap| *tap /= sum);
    let at = |n: i64| half.get(n.unsigned_abs() as usize).copied().unwrap_or(0.0);
    (0..=reach as i64 + 1).map(|n| at(n) + 7.0 / 24.0 * (2.0 * at(n) - at(n - 1) - at(n + 1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Level in the middle of a long tone.
    fn low_of(hz: f64, rate: u32) -> f64 {
        let frames: Vec<Frame> = (0..rate)
            .map(|n| 2.0 * PI * hz * f64::from(n) / f64::from(rate))
            .map(|turn| [libm::cos(turn) as f32, libm::sin(turn) as f32])
            .collect();
        let mut low = LowBand::new(rate);
        let mut found = Vec::new();
        low.push(&frames, |value| found.push(value));
        low.finish(|value| found.push(value));
        assert_eq!(found.len(), frames.len().div_ceil(BLOCK_FRAMES));
        let block = found.len() / 2;
        let [a, b] = found[block].map(f64::from);
        let turn =
            2.0 * PI * hz * ((block * BLOCK_FRAMES) as f64 + (BLOCK_FRAMES as f64 - 1.0) / 2.0) / f64::from(rate);
        let to_go = PI * hz * BLOCK_FRAMES as f64 / f64::from(rate);
        // In phase with the tone; otherwise it could not be subtracted from it.
        (a * libm::cos(turn) + b * libm::sin(turn)) / (1.0 + 2.0 / 3.0 * to_go * to_go)
    }

    /// The loss of the splines is compensated in advance: two thirds of (πν)² at ν times the blocks' rate are still to
    /// come.
    #[test]
    fn bass_passes_in_time_and_the_rest_does_not() {
        for rate in [16_000, 44_100, 48_000, 192_000] {
            for (hz, level, tolerance) in
                [(30.0, 1.0, 0.01), (60.0, 1.0, 0.02), (150.0, 0.5, 0.04), (300.0, 0.0, 0.005)]
            {
                let found = low_of(hz, rate);
                assert!((found - level).abs() < tolerance, "{hz} Hz at {rate}: {found}");
            }
            for hz in [440.0, 2700.0, 2756.0 + 60.0] {
                assert!(low_of(hz, rate).abs() < 0.004, "{hz} Hz at {rate}: {}", low_of(hz, rate));
            }
        }
    }

    #[test]
    fn splines_of_a_constant_are_that_constant() {
        for n in 0..BLOCK_FRAMES {
            assert!((quadratic(n).iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!((cubic(n).iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
