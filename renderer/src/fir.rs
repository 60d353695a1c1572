//! Linear-phase FIR filters that change the sample rate by two, for whole chunks of stereo frames.
//!
//! Sincs under a Kaiser window (Oppenheim & Schafer, "Discrete-Time Signal Processing", 3rd ed., section 7.6). Every
//! output is one sum in a fixed order, so that no result depends on how a stream is cut.

use std::f64::consts::PI;

use analyzer::oversample::bessel_i0;

/// Outputs computed side by side, so that no sum waits for its own previous addition.
const GROUP: usize = 8;

/// Returns a low-pass of `length` taps with unity gain at 0 Hz; `cutoff` is the middle of the transition, relative to
/// Nyquist.
fn low_pass(length: usize, cutoff: f64, beta: f64) -> Vec<f64> {
    let half = length as f64 / 2.0;
    let value = |tap: usize| {
        let t = tap as f64 + 0.5 - half;
        let x = PI * t * cutoff;
        let sinc = if x == 0.0 { 1.0 } else { libm::sin(x) / x };
        sinc * bessel_i0(beta * libm::sqrt(1.0 - t * t / (half * half)))
    };
    let raw: Vec<f64> = (0..length).map(value).collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|h| h / sum).collect()
}

/// Computes `out[n]` = Σ `taps[k]` · `x[n · STEP + k]`. `SPAN` is the number of inputs that a group of outputs spans at
/// one tap.
fn convolve<const STEP: usize, const SPAN: usize>(taps: &[f64], x: &[[f64; 2]], out: &mut [[f64; 2]]) {
    const { assert!(SPAN == (GROUP - 1) * STEP + 1) };
    debug_assert!(x.len() >= taps.len() + out.len().saturating_sub(1) * STEP, "every output has all its inputs");
    let mut groups = out.chunks_exact_mut(GROUP);
    let mut from = 0;
    for group in &mut groups {
        let mut sums = [[0.0; 2]; GROUP];
        for (h, x) in taps.iter().zip(x[from..].windows(SPAN)) {
            for (g, sum) in sums.iter_mut().enumerate() {
                sum[0] += h * x[g * STEP][0];
                sum[1] += h * x[g * STEP][1];
            }
        }
        group.copy_from_slice(&sums);
        from += GROUP * STEP;
    }
    for (n, sum) in groups.into_remainder().iter_mut().enumerate() {
        *sum = taps.iter().zip(&x[from + n * STEP..]).fold([0.0; 2], |s, (h, x)| [s[0] + h * x[0], s[1] + h * x[1]]);
    }
}

/// A delay line: the newest chunk of a stream behind the frames before it.
pub struct Line {
    frames: Vec<[f64; 2]>,
    past: usize,
}

impl Line {
    /// Creates a line that remembers `past` frames; chunks have at most `chunk` frames.
    pub fn new(past: usize, chunk: usize) -> Self {
        Self { frames: vec![[0.0; 2]; past + chunk], past }
    }

    /// Returns the place for the next `count` frames.
    pub fn next(&mut self, count: usize) -> &mut [[f64; 2]] {
        &mut self.frames[self.past..self.past + count]
    }

    /// Returns the frames from `ago` frames before the newest chunk on.
    pub fn since(&self, ago: usize) -> &[[f64; 2]] {
        &self.frames[self.past - ago..]
    }

    /// Makes the newest `count` frames part of the past.
    pub fn advance(&mut self, count: usize) {
        self.frames.copy_within(count..count + self.past, 0);
    }

    /// Resets the line to silence.
    pub fn reset(&mut self) {
        self.frames.fill([0.0; 2]);
    }
}

/// Doubles the rate with a half-band filter: every other output is an unchanged input.
pub struct Doubler {
    taps: Vec<f64>,
    between: Vec<[f64; 2]>,
}

impl Doubler {
    /// Creates a doubler that delays by `delay` inputs and interpolates over twice as many.
    pub fn new(delay: usize, beta: f64, chunk: usize) -> Self {
        Self { taps: low_pass(2 * delay, 1.0, beta), between: vec![[0.0; 2]; chunk] }
    }

    /// Number of inputs before the newest chunk that the filter needs.
    pub fn past(&self) -> usize {
        self.taps.len() - 1
    }

    /// Computes two outputs per frame of the newest chunk of `line`.
    pub fn process(&mut self, line: &Line, out: &mut [[f64; 2]]) {
        let x = line.since(self.past());
        let between = &mut self.between[..out.len() / 2];
        convolve::<1, GROUP>(&self.taps, x, between);
        let given = &x[self.taps.len() / 2 - 1..];
        for ((pair, given), between) in out.as_chunks_mut::<2>().0.iter_mut().zip(given).zip(between) {
            *pair = [*given, *between];
        }
    }
}

/// Halves the rate.
pub struct Halver {
    taps: Vec<f64>,
}

impl Halver {
    /// Creates a halver over `length` inputs; `cutoff` is relative to the inputs' Nyquist frequency.
    pub fn new(length: usize, cutoff: f64, beta: f64) -> Self {
        Self { taps: low_pass(length, cutoff, beta) }
    }

    /// Number of inputs before the newest chunk that the filter needs. An output is centred `past() / 2` inputs before
    /// its newest input.
    pub fn past(&self) -> usize {
        self.taps.len() - 1
    }

    /// Computes one output per two frames of the newest chunk of `line`; it ends at the newer of the two.
    pub fn process(&self, line: &Line, out: &mut [[f64; 2]]) {
        convolve::<2, { 2 * GROUP - 1 }>(&self.taps, &line.since(self.past())[1..], out);
    }
}
