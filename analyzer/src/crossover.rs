//! Four bands by Linkwitz-Riley splits of fourth order; their sum is an all-pass.
//!
//! The same split is used to measure dynamics per band and to change them, so that a level measured here
//! is the level that a compressor sees.

use crate::biquad::{Biquad, BiquadCoefs};

/// Number of bands.
pub const BANDS: usize = 4;

/// Where the bands meet, Hz.
pub const CROSSOVER_HZ: [f64; BANDS - 1] = [120.0, 1000.0, 6000.0];

/// What the bands are called, low to high.
pub const BAND_NAMES: [&str; BANDS] = ["low", "low_mid", "high_mid", "high"];

/// Low-pass and high-pass of fourth order: Butterworth squared.
#[derive(Clone)]
struct Split {
    low: [Biquad; 2],
    high: [Biquad; 2],
}

impl Split {
    fn new(hz: f64, sample_rate_hz: u32) -> Self {
        Self {
            low: [Biquad::new(BiquadCoefs::low_pass(hz, sample_rate_hz)); 2],
            high: [Biquad::new(BiquadCoefs::high_pass(hz, sample_rate_hz)); 2],
        }
    }

    #[inline(always)]
    fn next(&mut self, x: [f64; 2]) -> [[f64; 2]; 2] {
        let [l1, l2] = &mut self.low;
        let [h1, h2] = &mut self.high;
        [l2.next(l1.next(x)), h2.next(h1.next(x))]
    }
}

/// Splits a stereo stream into [`BANDS`] bands whose sum has a flat level.
#[derive(Clone)]
pub struct Crossover {
    middle: Split,
    lower: Split,
    upper: Split,
    /// Phase of the upper split, for the lower branch, and of the lower split, for the upper one.
    align_lower: Biquad,
    align_upper: Biquad,
}

impl Crossover {
    /// A crossover at rest.
    pub fn new(sample_rate_hz: u32) -> Self {
        let [lower, middle, upper] = CROSSOVER_HZ;
        Self {
            middle: Split::new(middle, sample_rate_hz),
            lower: Split::new(lower, sample_rate_hz),
            upper: Split::new(upper, sample_rate_hz),
            align_lower: Biquad::new(BiquadCoefs::all_pass(upper, sample_rate_hz)),
            align_upper: Biquad::new(BiquadCoefs::all_pass(lower, sample_rate_hz)),
        }
    }

    /// The bands of the next frame, low to high.
    #[inline(always)]
    pub fn next(&mut self, x: [f64; 2]) -> [[f64; 2]; BANDS] {
        let [below, above] = self.middle.next(x);
        let [low, low_mid] = self.lower.next(self.align_lower.next(below));
        let [high_mid, high] = self.upper.next(self.align_upper.next(above));
        [low, low_mid, high_mid, high]
    }

    /// Back to rest.
    pub fn reset(&mut self) {
        for split in [&mut self.middle, &mut self.lower, &mut self.upper] {
            split.low.iter_mut().chain(&mut split.high).for_each(Biquad::reset);
        }
        self.align_lower.reset();
        self.align_upper.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::db_from_gain;

    /// Magnitude at `hz` of the impulse response of the sum.
    fn level_of_sum(hz: f64, rate: u32) -> f64 {
        let mut crossover = Crossover::new(rate);
        let (mut re, mut im) = (0.0, 0.0);
        for n in 0..rate as usize {
            let x = if n == 0 { 1.0 } else { 0.0 };
            let y: f64 = crossover.next([x, 0.0]).iter().map(|b| b[0]).sum();
            let w = 2.0 * std::f64::consts::PI * hz * n as f64 / f64::from(rate);
            re += y * w.cos();
            im -= y * w.sin();
        }
        db_from_gain(re.hypot(im))
    }

    #[test]
    fn bands_sum_flat_within_a_hundredth_of_a_decibel() {
        for rate in [44_100, 96_000] {
            for hz in [20.0, 60.0, 120.0, 333.0, 1000.0, 2500.0, 6000.0, 12_000.0, 19_000.0] {
                assert!(level_of_sum(hz, rate).abs() < 0.01, "{hz} Hz at {rate}");
            }
        }
    }
}
