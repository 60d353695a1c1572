//! Second-order filters: designed, immutable coefficients, and filters that hold the state of a stream.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Coefficients of H(z) = (b0 + b1 z⁻¹ + b2 z⁻²) / (1 + a1 z⁻¹ + a2 z⁻²).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BiquadCoefs {
    /// Numerator, in rising powers of z⁻¹.
    pub b: [f64; 3],
    /// Denominator in rising powers of z⁻¹, without the leading 1.
    pub a: [f64; 2],
}

impl BiquadCoefs {
    /// Creates coefficients from an unnormalised numerator and denominator.
    fn normalized(b: [f64; 3], a: [f64; 3]) -> Self {
        Self { b: b.map(|v| v / a[0]), a: [a[1] / a[0], a[2] / a[0]] }
    }

    /// Second-order Butterworth low-pass: −3 dB at `hz` (bilinear transform, pre-warped).
    pub fn low_pass(hz: f64, sample_rate_hz: u32) -> Self {
        let k = prewarped(hz, sample_rate_hz);
        let (kk, q) = (k * k, FRAC_1_SQRT_2);
        Self::normalized([kk, 2.0 * kk, kk], [1.0 + k / q + kk, 2.0 * (kk - 1.0), 1.0 - k / q + kk])
    }

    /// Second-order Butterworth high-pass: −3 dB at `hz`.
    pub fn high_pass(hz: f64, sample_rate_hz: u32) -> Self {
        let k = prewarped(hz, sample_rate_hz);
        let (kk, q) = (k * k, FRAC_1_SQRT_2);
        Self::normalized([1.0, -2.0, 1.0], [1.0 + k / q + kk, 2.0 * (kk - 1.0), 1.0 - k / q + kk])
    }

    /// Second-order all-pass with the phase of a Linkwitz-Riley 4 crossover's sum at `hz`.
    pub fn all_pass(hz: f64, sample_rate_hz: u32) -> Self {
        let k = prewarped(hz, sample_rate_hz);
        let (kk, q) = (k * k, FRAC_1_SQRT_2);
        Self::normalized(
            [1.0 - k / q + kk, 2.0 * (kk - 1.0), 1.0 + k / q + kk],
            [1.0 + k / q + kk, 2.0 * (kk - 1.0), 1.0 - k / q + kk],
        )
    }

    /// Second-order band-pass: gain 1 at `hz`, −3 dB at two edges `hz / q` apart.
    pub fn band_pass(hz: f64, q: f64, sample_rate_hz: u32) -> Self {
        let k = prewarped(hz, sample_rate_hz);
        let (kk, b) = (k * k, k / q);
        Self::normalized([b, 0.0, -b], [1.0 + b + kk, 2.0 * (kk - 1.0), 1.0 - b + kk])
    }

    /// Bell of `gain_db` at `hz` (Bristow-Johnson, Audio EQ Cookbook).
    pub fn bell(hz: f64, gain_db: f64, q: f64, sample_rate_hz: u32) -> Self {
        let w = 2.0 * PI * hz / f64::from(sample_rate_hz);
        let (a, alpha) = (libm::pow(10.0, gain_db / 40.0), libm::sin(w) / (2.0 * q));
        let c = -2.0 * libm::cos(w);
        Self::normalized([1.0 + alpha * a, c, 1.0 - alpha * a], [1.0 + alpha / a, c, 1.0 - alpha / a])
    }

    /// High shelf of `gain_db` with its midpoint at `hz`, slope 1 (Audio EQ Cookbook).
    pub fn high_shelf(hz: f64, gain_db: f64, sample_rate_hz: u32) -> Self {
        Self::shelf(hz, gain_db, -1.0, sample_rate_hz)
    }

    /// Low shelf of `gain_db` with its midpoint at `hz`, slope 1.
    pub fn low_shelf(hz: f64, gain_db: f64, sample_rate_hz: u32) -> Self {
        Self::shelf(hz, gain_db, 1.0, sample_rate_hz)
    }

    /// `side` is +1 for a low shelf, −1 for a high one.
    fn shelf(hz: f64, gain_db: f64, side: f64, sample_rate_hz: u32) -> Self {
        let w = 2.0 * PI * hz / f64::from(sample_rate_hz);
        let a = libm::pow(10.0, gain_db / 40.0);
        let (c, r) = (libm::cos(w), 2.0 * libm::sqrt(a) * libm::sin(w) * FRAC_1_SQRT_2);
        let (up, down) = (a + 1.0, a - 1.0);
        Self::normalized(
            [a * (up - side * down * c + r), side * 2.0 * a * (down - side * up * c), a * (up - side * down * c - r)],
            [up + side * down * c + r, -side * 2.0 * (down + side * up * c), up + side * down * c - r],
        )
    }

    /// Gain at `hz`, linear.
    pub fn gain_at(&self, hz: f64, sample_rate_hz: u32) -> f64 {
        let w = 2.0 * PI * hz / f64::from(sample_rate_hz);
        let (c1, s1, c2, s2) = (libm::cos(w), libm::sin(w), libm::cos(2.0 * w), libm::sin(2.0 * w));
        let square = |x: [f64; 3]| {
            let (re, im) = (x[0] + x[1] * c1 + x[2] * c2, x[1] * s1 + x[2] * s2);
            re * re + im * im
        };
        libm::sqrt(square(self.b) / square([1.0, self.a[0], self.a[1]]))
    }

    /// Returns true if both poles lie inside the unit circle.
    pub fn is_stable(&self) -> bool {
        self.a[1].abs() < 1.0 && self.a[0].abs() < 1.0 + self.a[1]
    }
}

/// tan(π f / fs), with f kept below Nyquist.
fn prewarped(hz: f64, sample_rate_hz: u32) -> f64 {
    let rate = f64::from(sample_rate_hz);
    libm::tan(PI * hz.min(0.49 * rate) / rate)
}

/// A filter with its state for two channels, transposed direct form II.
#[derive(Clone, Copy, Debug)]
pub struct Biquad {
    coefs: BiquadCoefs,
    s1: [f64; 2],
    s2: [f64; 2],
}

impl Biquad {
    /// A filter at rest.
    pub fn new(coefs: BiquadCoefs) -> Self {
        Self { coefs, s1: [0.0; 2], s2: [0.0; 2] }
    }

    /// Filters the next sample of both channels.
    #[inline(always)]
    pub fn next(&mut self, x: [f64; 2]) -> [f64; 2] {
        let BiquadCoefs { b, a } = self.coefs;
        let mut y = [0.0; 2];
        for c in 0..2 {
            y[c] = b[0] * x[c] + self.s1[c];
            self.s1[c] = b[1] * x[c] - a[0] * y[c] + self.s2[c];
            self.s2[c] = b[2] * x[c] - a[1] * y[c];
        }
        y
    }

    /// Clears state that has decayed far below hearing. Call it now and then, at positions that do not depend on how
    /// the stream is cut into blocks. Without it, the state decays into subnormal numbers during a pause, which cost
    /// about a hundred times as much per sample.
    pub fn settle(&mut self) {
        settle(&mut self.s1);
        settle(&mut self.s2);
    }

    /// Resets the filter to rest.
    pub fn reset(&mut self) {
        *self = Self::new(self.coefs);
    }
}

/// Sets values below −1200 dB to 0.
pub(crate) fn settle(memory: &mut [f64]) {
    memory.iter_mut().filter(|v| v.abs() < 1e-60).for_each(|v| *v = 0.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::db_from_gain;

    #[test]
    fn butterworth_passes_half_the_power_at_its_corner() {
        for rate in [44_100, 48_000, 96_000, 192_000] {
            for f in [BiquadCoefs::low_pass(1000.0, rate), BiquadCoefs::high_pass(1000.0, rate)] {
                assert!((db_from_gain(f.gain_at(1000.0, rate)) + 3.0103).abs() < 1e-3);
                assert!(f.is_stable());
            }
        }
    }

    #[test]
    fn bell_and_shelves_reach_their_gain() {
        let at = |f: BiquadCoefs, hz| db_from_gain(f.gain_at(hz, 48_000));
        assert!((at(BiquadCoefs::bell(1000.0, 4.0, 1.0, 48_000), 1000.0) - 4.0).abs() < 1e-6);
        assert!((at(BiquadCoefs::low_shelf(200.0, -3.0, 48_000), 5.0) + 3.0).abs() < 0.02);
        assert!((at(BiquadCoefs::high_shelf(4000.0, 5.0, 48_000), 23_900.0) - 5.0).abs() < 0.02);
    }

    #[test]
    fn band_pass_is_as_wide_as_it_says() {
        let f = BiquadCoefs::band_pass(1000.0, 4.0, 48_000);
        assert!(db_from_gain(f.gain_at(1000.0, 48_000)).abs() < 1e-9 && f.is_stable());
        // The edges lie at f·(√(1 + 1/4Q²) ± 1/2Q).
        for hz in [882.78, 1132.78] {
            assert!((db_from_gain(f.gain_at(hz, 48_000)) + 3.01).abs() < 0.03);
        }
    }

    #[test]
    fn all_pass_keeps_every_level() {
        let f = BiquadCoefs::all_pass(1000.0, 48_000);
        for hz in [20.0, 500.0, 1000.0, 5000.0, 20_000.0] {
            assert!(db_from_gain(f.gain_at(hz, 48_000)).abs() < 1e-9);
        }
    }
}
