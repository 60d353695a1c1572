//! Four bands by Linkwitz-Riley splits of fourth order; their sum is an all-pass.
//!
//! The same split is used to measure dynamics per band and to change them, so that a level measured here
//! is the level that a compressor sees.

use std::array::from_fn;

use crate::biquad::{BiquadCoefs, settle};

/// Number of bands.
pub const BANDS: usize = 4;

/// Crossover frequencies between the bands, Hz.
pub const CROSSOVER_HZ: [f64; BANDS - 1] = [120.0, 1000.0, 6000.0];

/// Names of the bands, low to high.
pub const BAND_NAMES: [&str; BANDS] = ["low", "low_mid", "high_mid", "high"];

/// A second-order all-pass in direct form II. Its state `w` is the input filtered by the poles alone.
///
/// Coefficients are stored once per channel: the multiplications of both channels are then one instruction, without a
/// shuffle.
#[derive(Clone)]
struct AllPass {
    a: [[f64; 2]; 2],
    w: [[f64; 2]; 2],
}

impl AllPass {
    fn new(hz: f64, sample_rate_hz: u32) -> Self {
        Self { a: BiquadCoefs::all_pass(hz, sample_rate_hz).a.map(|a| [a; 2]), w: [[0.0; 2]; 2] }
    }

    /// Returns the next output and the next `w`. The all-pass numerator is the reversed denominator; any other filter
    /// with the same poles can be computed from `w` as well.
    #[inline(always)]
    fn next(&mut self, x: [f64; 2]) -> ([f64; 2], [f64; 2]) {
        let ([a1, a2], [w1, w2]) = (self.a, self.w);
        let w = from_fn(|c| x[c] - a2[c] * w2[c] - a1[c] * w1[c]);
        self.w = [w, w1];
        (from_fn(|c| a2[c] * w[c] + (a1[c] * w1[c] + w2[c])), w)
    }

    fn settle(&mut self) {
        settle(self.w.as_flattened_mut());
    }
}

/// Low-pass and high-pass of fourth order, Butterworth squared.
///
/// The two add up to the all-pass with the poles of one Butterworth filter, so the high-pass is that all-pass minus the
/// low-pass: half the work of four second-order filters.
#[derive(Clone)]
struct Split {
    sum: AllPass,
    /// Sum of the last two values of `w`: one zero at Nyquist.
    once: [f64; 2],
    /// Numerator gain of both low-passes together.
    gain: [f64; 2],
    /// State of the second low-pass: its last two values of `w`, and their sum, which is its first zero.
    second: [[f64; 2]; 2],
    second_once: [f64; 2],
}

impl Split {
    fn new(hz: f64, sample_rate_hz: u32) -> Self {
        let gain = BiquadCoefs::low_pass(hz, sample_rate_hz).b[0];
        Self {
            sum: AllPass::new(hz, sample_rate_hz),
            once: [0.0; 2],
            gain: [gain * gain; 2],
            second: [[0.0; 2]; 2],
            second_once: [0.0; 2],
        }
    }

    /// Returns the low band and the high band of the next frame.
    #[inline(always)]
    fn next(&mut self, x: [f64; 2]) -> [[f64; 2]; 2] {
        let [w1, _] = self.sum.w;
        let (sum, w) = self.sum.next(x);
        let once: [f64; 2] = from_fn(|c| w[c] + w1[c]);
        let twice: [f64; 2] = from_fn(|c| once[c] + self.once[c]);
        let ([a1, a2], [v1, v2]) = (self.sum.a, self.second);
        let v: [f64; 2] = from_fn(|c| self.gain[c] * twice[c] - a2[c] * v2[c] - a1[c] * v1[c]);
        let second_once: [f64; 2] = from_fn(|c| v[c] + v1[c]);
        let low: [f64; 2] = from_fn(|c| second_once[c] + self.second_once[c]);
        (self.once, self.second, self.second_once) = (once, [v, v1], second_once);
        [low, from_fn(|c| sum[c] - low[c])]
    }

    fn settle(&mut self) {
        self.sum.settle();
        settle(self.second.as_flattened_mut());
        settle(&mut self.once);
        settle(&mut self.second_once);
    }
}

/// Splits a stereo stream into [`BANDS`] bands whose sum has a flat level.
#[derive(Clone)]
pub struct Crossover {
    middle: Split,
    lower: Split,
    upper: Split,
    /// All-passes that give the lower branch the phase of the upper split, and the upper branch that of the lower
    /// split.
    align_lower: AllPass,
    align_upper: AllPass,
    sample_rate_hz: u32,
}

impl Crossover {
    /// A crossover at rest.
    pub fn new(sample_rate_hz: u32) -> Self {
        let [lower, middle, upper] = CROSSOVER_HZ;
        Self {
            middle: Split::new(middle, sample_rate_hz),
            lower: Split::new(lower, sample_rate_hz),
            upper: Split::new(upper, sample_rate_hz),
            align_lower: AllPass::new(upper, sample_rate_hz),
            align_upper: AllPass::new(lower, sample_rate_hz),
            sample_rate_hz,
        }
    }

    /// Returns the bands of the next frame, low to high.
    #[inline(always)]
    pub fn next(&mut self, x: [f64; 2]) -> [[f64; 2]; BANDS] {
        let [below, above] = self.middle.next(x);
        let [low, low_mid] = self.lower.next(self.align_lower.next(below).0);
        let [high_mid, high] = self.upper.next(self.align_upper.next(above).0);
        [low, low_mid, high_mid, high]
    }

    /// Splits up to `N` frames into bands: the same bits as [`next`](Self::next), in half the time.
    ///
    /// Each filter runs over all frames before the next filter starts, so a frame waits for one filter only, not for
    /// the whole chain.
    pub fn split<const N: usize>(&mut self, input: &[[f64; 2]], bands: &mut [[[f64; 2]; N]; BANDS]) {
        let [low, low_mid, high_mid, high] = bands;
        let mut middle = self.middle.clone();
        for ((x, below), above) in input.iter().zip(low.iter_mut()).zip(high.iter_mut()) {
            [*below, *above] = middle.next(*x);
        }
        // The two branches do not depend on each other.
        let (mut align_lower, mut lower) = (self.align_lower.clone(), self.lower.clone());
        let (mut align_upper, mut upper) = (self.align_upper.clone(), self.upper.clone());
        let below = low[..input.len()].iter_mut().zip(low_mid);
        let above = high_mid.iter_mut().zip(high);
        for ((low, low_mid), (high_mid, high)) in below.zip(above) {
            [*low, *low_mid] = lower.next(align_lower.next(*low).0);
            [*high_mid, *high] = upper.next(align_upper.next(*high).0);
        }
        (self.middle, self.align_lower, self.lower) = (middle, align_lower, lower);
        (self.align_upper, self.upper) = (align_upper, upper);
    }

    /// Clears state that has decayed far below hearing, as [`Biquad::settle`](crate::biquad::Biquad::settle) does.
    pub fn settle(&mut self) {
        [&mut self.middle, &mut self.lower, &mut self.upper].into_iter().for_each(Split::settle);
        [&mut self.align_lower, &mut self.align_upper].into_iter().for_each(AllPass::settle);
    }

    /// Resets the crossover to rest.
    pub fn reset(&mut self) {
        *self = Self::new(self.sample_rate_hz);
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

    #[test]
    fn each_band_keeps_its_place() {
        // Linkwitz-Riley 4: −6 dB at the corner, 24 dB per octave beyond.
        let level = |band: usize, hz: f64| {
            let (mut crossover, mut sum, rate) = (Crossover::new(48_000), 0.0, 48_000.0);
            for n in 0..96_000 {
                let x = libm::sin(2.0 * std::f64::consts::PI * hz * f64::from(n) / rate);
                let y = crossover.next([x, 0.0])[band][0];
                sum += if n >= 48_000 { y * y } else { 0.0 };
            }
            db_from_gain(libm::sqrt(2.0 * sum / rate))
        };
        for (band, hz) in [(0, 120.0), (1, 120.0), (1, 1000.0), (2, 1000.0), (2, 6000.0), (3, 6000.0)] {
            assert!((level(band, hz) + 6.02).abs() < 0.03, "band {band} at {hz} Hz: {}", level(band, hz));
        }
        for (band, hz) in [(0, 40.0), (1, 350.0), (2, 2500.0), (3, 18_000.0)] {
            assert!(level(band, hz).abs() < 0.5, "band {band} at {hz} Hz: {}", level(band, hz));
        }
        assert!((level(0, 240.0) + 24.6).abs() < 0.1 && (level(3, 3000.0) + 26.0).abs() < 0.2);
        assert_eq!(level(3, 30.0), crate::units::FLOOR_DB);
    }

    #[test]
    fn silence_after_sound_ends_in_silence() {
        let mut crossover = Crossover::new(44_100);
        crossover.next([1.0, -1.0]);
        for _ in 0..1000 {
            (0..441).for_each(|_| assert!(crossover.next([0.0; 2]).as_flattened().iter().all(|x| !x.is_subnormal())));
            crossover.settle();
        }
        assert_eq!(crossover.next([0.0; 2]), [[0.0; 2]; BANDS]);
    }

    #[test]
    fn many_frames_at_once_have_the_same_bits_as_one_by_one() {
        let input: Vec<[f64; 2]> = {
            let mut random = crate::random::Random::new(2);
            (0..500).map(|_| [random.bipolar(), random.bipolar()]).collect()
        };
        let (mut one, mut many) = (Crossover::new(44_100), Crossover::new(44_100));
        for (chunk, length) in [(0, 64), (64, 1), (65, 0), (65, 63), (128, 64)] {
            let mut bands = [[[0.0; 2]; 64]; BANDS];
            many.split(&input[chunk..chunk + length], &mut bands);
            for n in 0..length {
                assert_eq!(one.next(input[chunk + n]), bands.map(|band| band[n]));
            }
        }
    }
}
