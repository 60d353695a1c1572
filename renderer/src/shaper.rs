//! Waveshaping without aliases: the part that a curve adds is computed at four times the rate and brought back.
//!
//! The curve is the identity up to its knee and bends towards its ceiling as x / √(1 + x²) beyond. Instead of its
//! value, its mean over the line between two samples is taken (first-order antiderivative anti-aliasing: Parker,
//! Zavalishin & Le Bivic, "Reducing the aliasing of nonlinear waveshaping using continuous-time convolution", DAFx
//! 2016, eq. 10; Bilbao, Esqueda, Parker & Välimäki, "Antiderivative antialiasing for memoryless nonlinearities", IEEE
//! SPL 24(7), 2017). For this curve, the quotient of differences has a form without cancellation, which needs no branch
//! for samples that are close.
//!
//! Only the *residual*, the bent signal minus the straight one, goes through the filters; the input bypasses them.
//! Samples that stay below the knee keep their bits, and the undistorted signal is never filtered.

use analyzer::crossover::BANDS;
use analyzer::stream::Frame;
use analyzer::units::{db_from_power, gain_from_db, power_from_db};

use crate::fir::{Doubler, Halver, Line};
use crate::stage::Stage;

/// Returns the mean power of a song in dBFS, the reference for the levels of a shaper, from that of its bands.
pub fn mean_dbfs(band_levels_dbfs: &[f64; BANDS]) -> f64 {
    db_from_power(band_levels_dbfs.iter().map(|db| power_from_db(*db)).sum())
}

/// y = x up to the knee; beyond, with u over the knee in units of the rest to the ceiling, knee + rest · u / √(1 + u²).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    /// A number of 24 bits, so that subtracting it from a larger number is exact.
    knee: f64,
    /// 1 / rest².
    inverse_square: f64,
}

impl Curve {
    /// Creates the curve that brings `peak` down by `drive_db`. `hardness` is the knee over the ceiling: 0 bends from
    /// the start, 1 cuts.
    ///
    /// # Panics
    /// If `peak` or `drive_db` is not positive, or `hardness` is not in 0 to 0.99.
    pub fn new(peak: f64, drive_db: f64, hardness: f64) -> Self {
        assert!(peak > 0.0 && drive_db > 0.0, "a peak of {peak} brought down by {drive_db} dB");
        assert!((0.0..=0.99).contains(&hardness), "hardness {hardness}");
        let (rest, gain) = (1.0 - hardness, gain_from_db(-drive_db));
        // Finds the point at which the curve, with its ceiling at 1, meets the line through 0 with that gain.
        let is_before = |u: f64| hardness + rest * u / libm::sqrt(1.0 + u * u) > (hardness + rest * u) * gain;
        let (mut low, mut high) = (0.0, 1.0 / (gain * rest));
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            *(if is_before(middle) { &mut low } else { &mut high }) = middle;
        }
        let ceiling = peak / (hardness + rest * low);
        let knee = f64::from((hardness * ceiling) as f32);
        Self { knee, inverse_square: 1.0 / ((ceiling - knee) * (ceiling - knee)) }
    }

    /// Returns the output for a steady `x`.
    pub fn at(&self, x: f64) -> f64 {
        let point = self.point(x);
        (x - point.over) + point.over / point.root
    }

    #[inline(always)]
    fn point(&self, x: f64) -> Point {
        let above = x.abs() - self.knee;
        let over = if above > 0.0 { above } else { 0.0 };
        Point { x, over: over.copysign(x), root: (1.0 + over * over * self.inverse_square).sqrt() }
    }
}

/// A sample, its part over the knee, and √(1 + u²).
#[derive(Clone, Copy, Default)]
struct Point {
    x: f64,
    over: f64,
    root: f64,
}

impl Point {
    const REST: Self = Self { x: 0.0, over: 0.0, root: 1.0 };

    /// Returns the mean of the curve minus the identity along the line from `before` to this point.
    ///
    /// With v for the part over the knee and s for the root, the antiderivative is rest² · s − v² / 2, and s₁² − s₀² =
    /// (v₁² − v₀²) / rest².
    #[inline(always)]
    fn mean_residual(self, before: Self) -> f64 {
        let (dx, dv) = (self.x - before.x, self.over - before.over);
        // If both are beyond the knee on one side, the whole line is bent and the share is 1; if both are at the same
        // place, the share does not matter.
        let (part, whole) = if dx == dv { (1.0, 1.0) } else { (dv, dx) };
        let roots = self.root + before.root;
        part * (self.over + before.over) * (2.0 - roots) / (2.0 * whole * roots)
    }
}

/// Frames that go through all filters together.
const CHUNK: usize = 64;

/// Delays of the two doublers: of the first in frames, of the second in frames at twice the rate.
const DOUBLER_DELAYS: [usize; 2] = [16, 4];
const DOUBLER_BETA: f64 = 7.0;
/// Even, so that the filter is centred between two samples: its half sample of delay and that of the mean over a line
/// add up to a whole one.
const FIRST_HALVER_TAPS: usize = 18;
/// At 44.1 kHz flat to 19 kHz, −2 dB at 20 kHz, −67 dB from 22.05 kHz on; only the residual passes through it.
const SECOND_HALVER_TAPS: usize = 127;
const SECOND_HALVER_CUTOFF: f64 = 0.464;
const SECOND_HALVER_BETA: f64 = 6.5;

/// Latency in frames.
const LATENCY_FRAMES: usize = {
    let quadruple = FIRST_HALVER_TAPS / 2 - 1;
    let double = DOUBLER_DELAYS[1] + quadruple / 2 + SECOND_HALVER_TAPS / 2 - 1;
    assert!(quadruple.is_multiple_of(2) && double.is_multiple_of(2), "the latency is no whole number of frames");
    DOUBLER_DELAYS[0] + double / 2
};

/// Adds the residual of a [`Curve`] to a stream.
pub struct Shaper {
    curve: Curve,
    mix: f64,
    doublers: [Doubler; 2],
    halvers: [Halver; 2],
    /// Delay lines of the input, of the input at twice the rate, of the residual at four times the rate, and of the
    /// residual at twice the rate.
    input: Line,
    doubled: Line,
    residual: Line,
    halved: Line,
    quadrupled: [[f64; 2]; 4 * CHUNK],
    last: [Point; 2],
    /// Number of residuals in a row that are zero, at four times the rate, and number of residuals that the filters
    /// remember.
    idle: usize,
    memory: usize,
}

impl Shaper {
    /// Creates a shaper at rest. `mix` is the share of the bent signal, 0 to 1.
    pub fn new(curve: Curve, mix: f64) -> Self {
        let doublers = [0, 1].map(|n| Doubler::new(DOUBLER_DELAYS[n], DOUBLER_BETA, CHUNK << n));
        let halvers = [
            Halver::new(FIRST_HALVER_TAPS, 0.5, DOUBLER_BETA),
            Halver::new(SECOND_HALVER_TAPS, SECOND_HALVER_CUTOFF, SECOND_HALVER_BETA),
        ];
        Self {
            curve,
            mix,
            idle: 0,
            memory: halvers[0].past() + 2 * halvers[1].past() + 2,
            input: Line::new(LATENCY_FRAMES, CHUNK),
            doubled: Line::new(doublers[1].past(), 2 * CHUNK),
            residual: Line::new(halvers[0].past(), 4 * CHUNK),
            halved: Line::new(halvers[1].past(), 2 * CHUNK),
            doublers,
            halvers,
            quadrupled: [[0.0; 2]; 4 * CHUNK],
            last: [Point::REST; 2],
        }
    }

    /// Computes the residual of the newest chunk, at four times the rate.
    fn bend(&mut self, count: usize) {
        let residual = self.residual.next(count);
        for (residual, x) in residual.iter_mut().zip(&self.quadrupled) {
            let points = x.map(|x| self.curve.point(x));
            *residual = std::array::from_fn(|c| points[c].mean_residual(self.last[c]));
            self.last = points;
        }
    }

    fn process_chunk(&mut self, frames: &mut [Frame]) {
        let count = frames.len();
        for (x, frame) in self.input.next(count).iter_mut().zip(&*frames) {
            *x = frame.map(f64::from);
        }
        self.doublers[0].process(&self.input, self.doubled.next(2 * count));
        self.doublers[1].process(&self.doubled, &mut self.quadrupled[..4 * count]);
        let mut added = [[0.0; 2]; CHUNK];
        let knee = self.curve.knee;
        let is_straight = self.quadrupled[..4 * count].as_flattened().iter().all(|x| x.abs() <= knee);
        if is_straight && self.idle > self.memory {
            // Nothing is added, and the filters remember no residual.
            self.residual.next(4 * count).fill([0.0; 2]);
            self.halved.next(2 * count).fill([0.0; 2]);
            self.last = self.quadrupled[4 * count - 1].map(|x| Point { x, ..Point::REST });
        } else {
            self.bend(4 * count);
            self.halvers[0].process(&self.residual, self.halved.next(2 * count));
            self.halvers[1].process(&self.halved, &mut added[..count]);
        }
        self.idle = if is_straight { self.idle + 4 * count } else { 0 };
        for ((frame, x), added) in frames.iter_mut().zip(self.input.since(LATENCY_FRAMES)).zip(added) {
            *frame = std::array::from_fn(|c| (x[c] + self.mix * added[c]) as f32);
        }
        self.input.advance(count);
        self.doubled.advance(2 * count);
        self.residual.advance(4 * count);
        self.halved.advance(2 * count);
    }
}

impl Stage for Shaper {
    fn process(&mut self, frames: &mut [Frame]) {
        frames.chunks_mut(CHUNK).for_each(|chunk| self.process_chunk(chunk));
    }

    fn reset(&mut self) {
        for line in [&mut self.input, &mut self.doubled, &mut self.residual, &mut self.halved] {
            line.reset();
        }
        self.last = [Point::REST; 2];
        self.idle = 0;
    }

    fn latency_frames(&self) -> usize {
        LATENCY_FRAMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use analyzer::fft::spectrum_of;
    use analyzer::random::Random;
    use analyzer::units::db_from_gain;

    /// The softest and the hardest curve of the stages, for a peak at 0 dBFS and 6 dB of drive.
    fn curves() -> [Curve; 2] {
        [Curve::new(1.0, 6.0, 0.0), Curve::new(1.0, 6.0, gain_from_db(-2.0))]
    }

    /// Amplitudes at the frequencies k / `LENGTH` after shaping a sine at `cycles` / `LENGTH`.
    fn spectrum_of_bent_sine(curve: Curve, cycles: usize) -> Vec<f64> {
        let turn = std::f64::consts::TAU / LENGTH as f64;
        let mut frames: Vec<Frame> =
            (0..LENGTH + 4096).map(|n| [libm::sin(turn * ((n * cycles) % LENGTH) as f64 + 0.3) as f32; 2]).collect();
        Shaper::new(curve, 1.0).process(&mut frames);
        let time: Vec<f64> = frames[4096..].iter().map(|f| f64::from(f[0])).collect();
        spectrum_of(&time).iter().map(|bin| bin.norm() * 2.0 / LENGTH as f64).collect()
    }

    const LENGTH: usize = 1 << 15;

    #[test]
    fn aliases_of_a_loud_tone_at_5_khz_stay_under_minus_90_dbfs() {
        for rate in [44_100.0, 48_000.0] {
            // Odd, so that no alias falls on a harmonic.
            let cycles = (5000.0 / rate * LENGTH as f64) as usize | 1;
            for curve in curves() {
                let spectrum = spectrum_of_bent_sine(curve, cycles);
                assert!(db_from_gain(spectrum[3 * cycles]) > -30.0, "harmonics are what it is for");
                let aliases = spectrum.iter().enumerate().filter(|(bin, _)| *bin == 0 || bin % cycles != 0);
                let loudest = aliases.map(|(_, a)| *a).fold(0.0, f64::max);
                assert!(loudest < gain_from_db(-90.0), "{rate}, {curve:?}: {} dBFS", db_from_gain(loudest));
            }
        }
    }

    /// The harmonics of a memoryless curve are the Fourier coefficients of curve(sin φ).
    #[test]
    fn harmonics_are_those_of_the_curve() {
        // So low that the mean over a line equals the curve: at 20 kHz, the mean takes 1 − cos(πf / 4 fs) off the
        // residual, 0.56 dB.
        let cycles = 31;
        for curve in curves() {
            let spectrum = spectrum_of_bent_sine(curve, cycles);
            for harmonic in [1, 3, 5, 7] {
                let points = 100_000;
                let term = |n: usize| {
                    let angle = std::f64::consts::TAU * n as f64 / points as f64;
                    curve.at(angle.sin()) * (harmonic as f64 * angle).sin()
                };
                let wanted = (2.0 / points as f64 * (0..points).map(term).sum::<f64>()).abs();
                let found = spectrum[harmonic * cycles];
                assert!((found - wanted).abs() < 2e-6, "{harmonic}: {found} instead of {wanted}");
            }
        }
    }

    #[test]
    fn a_peak_comes_down_by_the_drive_at_any_level() {
        for (peak, drive_db, hardness) in [(1.0, 6.0, 0.0), (0.01, 0.5, 0.3), (3.0, 12.0, 0.9)] {
            let curve = Curve::new(peak, drive_db, hardness);
            assert!((db_from_gain(curve.at(peak) / peak) + drive_db).abs() < 1e-6);
            assert_eq!(curve.at(-peak), -curve.at(peak));
            assert!((curve.at(1e7 * peak) / curve.at(1e5 * peak) - 1.0).abs() < 1e-9, "there is a ceiling");
            let louder = Curve::new(8.0 * peak, drive_db, hardness);
            assert!((louder.at(4.0 * peak) / (8.0 * curve.at(0.5 * peak)) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn mean_of_the_residual_is_its_integral_over_the_line_between_two_samples() {
        let mut random = Random::new(3);
        for curve in [curves()[0], curves()[1], Curve::new(0.3, 3.0, 0.5)] {
            for n in 0..2000 {
                let a = 2.0 * random.bipolar();
                // Samples far apart, close, and so close that a quotient of differences would be noise.
                let b = a + [1.0, 1e-3, 1e-9, 1e-14][n % 4] * random.bipolar();
                let found = curve.point(b).mean_residual(curve.point(a));
                let steps = 20_000 / [1, 20, 200, 200][n % 4];
                let at = |k: usize| a + (b - a) * (k as f64 + 0.5) / steps as f64;
                let mean = (0..steps).map(|k| curve.at(at(k)) - at(k)).sum::<f64>() / steps as f64;
                assert!((found - mean).abs() < 1e-8, "{a} to {b}: {found} instead of {mean}");
            }
        }
    }

    #[test]
    fn what_stays_below_the_knee_keeps_its_bits() {
        let mut random = Random::new(1);
        let frames: Vec<Frame> =
            (0..5000).map(|_| [0.1 * random.bipolar() as f32, 0.1 * random.bipolar() as f32]).collect();
        let mut out = frames.clone();
        Shaper::new(Curve::new(1.0, 3.0, 0.6), 1.0).process(&mut out);
        assert_eq!(out[LATENCY_FRAMES..], frames[..frames.len() - LATENCY_FRAMES]);
    }

    #[test]
    fn bent_and_straight_signal_are_in_time() {
        let curve = Curve::new(1.0, 6.0, 0.0);
        let input: Vec<f64> = (0..9000).map(|n| 0.9 * libm::sin(n as f64 * 0.01)).collect();
        for mix in [0.5, 1.0] {
            let mut frames: Vec<Frame> = input.iter().map(|x| [*x as f32; 2]).collect();
            Shaper::new(curve, mix).process(&mut frames);
            for n in 1000..8000 {
                let x = input[n - LATENCY_FRAMES];
                let wanted = x + mix * (curve.at(x) - x);
                assert!((f64::from(frames[n][1]) - wanted).abs() < 1e-5, "{n}: {} instead of {wanted}", frames[n][1]);
            }
        }
    }
}
