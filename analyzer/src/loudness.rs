//! Loudness to ITU-R BS.1770-5 Annex 1, EBU Tech 3341 (momentary, short-term, integrated) and Tech 3342 (range).
//!
//! Both channels have weight 1. A mono song that is carried as two equal channels reads as it sounds from two
//! loudspeakers, 3.01 LU above its single channel.

use crate::biquad::{Biquad, BiquadCoefs};
use crate::blocks::Blocks;
use crate::loudness_history::{
    ABSOLUTE_GATE_LUFS, LoudnessHistory, MOMENTARY_BLOCKS, SHORT_TERM_BLOCKS, STEP_BLOCKS, lufs_from_power, mean,
    power_from_lufs,
};
use crate::noise_floor::noise_floor;
use crate::readings::LoudnessReading;
use crate::stream::{Frame, Meter};
use crate::units::power_from_db;

/// Relative gate of the loudness range, Tech 3342.
const RANGE_GATE_LU: f64 = -20.0;

/// K-weighting's high shelf at 48 kHz, BS.1770-5 Annex 1, table 1.
const SHELF_48K: BiquadCoefs = BiquadCoefs {
    b: [1.535_124_859_586_97, -2.691_696_189_406_38, 1.198_392_810_852_85],
    a: [-1.690_659_293_182_41, 0.732_480_774_215_85],
};
/// K-weighting's high-pass at 48 kHz, BS.1770-5 Annex 1, table 2.
const HIGH_PASS_48K: BiquadCoefs =
    BiquadCoefs { b: [1.0, -2.0, 1.0], a: [-1.990_047_454_833_98, 0.990_072_250_366_21] };

/// The K-weighting filter: a high shelf of 4 dB, then a high-pass at 38 Hz.
///
/// The standard gives coefficients at 48 kHz. Other rates get the same analogue prototypes, found by the inverse
/// bilinear transform and mapped back with the corner kept in place.
#[derive(Clone)]
pub struct KWeight {
    shelf: Biquad,
    high_pass: Biquad,
}

impl KWeight {
    /// A filter at rest.
    pub fn new(sample_rate_hz: u32) -> Self {
        let [shelf, high_pass] = Self::coefs(sample_rate_hz).map(Biquad::new);
        Self { shelf, high_pass }
    }

    /// Coefficients of shelf and high-pass at a sample rate.
    pub fn coefs(sample_rate_hz: u32) -> [BiquadCoefs; 2] {
        [SHELF_48K, HIGH_PASS_48K].map(|coefs| at_rate(coefs, f64::from(sample_rate_hz)))
    }

    /// Coefficients of the high-pass alone, at a rate that need not be an audio sample rate.
    pub fn high_pass(rate_hz: f64) -> BiquadCoefs {
        at_rate(HIGH_PASS_48K, rate_hz)
    }

    /// Returns the next weighted frame.
    #[inline(always)]
    pub fn next(&mut self, x: [f64; 2]) -> [f64; 2] {
        self.high_pass.next(self.shelf.next(x))
    }

    /// Clears state that has decayed far below hearing, as [`Biquad::settle`] does.
    pub fn settle(&mut self) {
        self.shelf.settle();
        self.high_pass.settle();
    }
}

/// Maps a 48 kHz filter to another rate.
fn at_rate(coefs: BiquadCoefs, rate_hz: f64) -> BiquadCoefs {
    use std::f64::consts::PI;
    // With s = (1 − z⁻¹) / (1 + z⁻¹): the prototype's coefficients of s², s and 1.
    let prototype = |c: [f64; 3]| [c[0] - c[1] + c[2], 2.0 * (c[0] - c[2]), c[0] + c[1] + c[2]];
    let (above, below) = (prototype(coefs.b), prototype([1.0, coefs.a[0], coefs.a[1]]));
    let corner_48k = libm::sqrt(below[2] / below[0]);
    let corner_hz = libm::atan(corner_48k) * 48_000.0 / PI;
    let stretch = corner_48k / libm::tan(PI * corner_hz / rate_hz);
    let digital = |p: [f64; 3]| {
        let (p2, p1, p0) = (p[0] * stretch * stretch, p[1] * stretch, p[2]);
        [p2 + p1 + p0, 2.0 * (p0 - p2), p2 - p1 + p0]
    };
    let (b, a) = (digital(above), digital(below));
    BiquadCoefs { b: b.map(|v| v / a[0]), a: [a[1] / a[0], a[2] / a[0]] }
}

/// Measures loudness. Memory: 8 bytes per 10 ms, 9 MB for three hours.
pub struct LoudnessMeter {
    blocks: Blocks,
    energies: KEnergies,
}

impl LoudnessMeter {
    /// A meter for one rate, 8 to 192 kHz.
    pub fn new(sample_rate_hz: u32) -> Self {
        Self { blocks: Blocks::new(sample_rate_hz), energies: KEnergies::new(sample_rate_hz) }
    }

    /// Returns everything that was measured, for readings across several songs.
    pub fn history(self) -> LoudnessHistory {
        self.energies.finish()
    }
}

impl Meter for LoudnessMeter {
    type Reading = LoudnessReading;

    fn push(&mut self, frames: &[Frame]) {
        self.blocks.push(frames, |block| self.energies.push(block));
    }

    fn finish(self) -> LoudnessReading {
        self.history().reading()
    }
}

/// K-weighted energy of every 10 ms.
pub(crate) struct KEnergies {
    sample_rate_hz: u32,
    weight: KWeight,
    sums: Vec<f64>,
    /// Sums over the song of L², R² and L·R, weighted.
    pub totals: [f64; 3],
}

impl KEnergies {
    pub fn new(sample_rate_hz: u32) -> Self {
        let weight = KWeight::new(sample_rate_hz);
        Self { sample_rate_hz, weight, sums: Vec::new(), totals: [0.0; 3] }
    }

    /// Takes the next block of the 10 ms grid.
    pub fn push(&mut self, block: &[Frame]) {
        let (mut squares, mut product) = ([0.0; 2], 0.0);
        for frame in block {
            let [l, r] = self.weight.next(frame.map(f64::from));
            squares[0] += l * l;
            squares[1] += r * r;
            product += l * r;
        }
        self.weight.settle();
        self.sums.push(squares[0] + squares[1]);
        for (total, sum) in self.totals.iter_mut().zip([squares[0], squares[1], product]) {
            *total += sum;
        }
    }

    pub fn finish(self) -> LoudnessHistory {
        LoudnessHistory::from_energies(self.sample_rate_hz, &self.sums)
    }
}

impl LoudnessHistory {
    /// All readings.
    pub fn reading(&self) -> LoudnessReading {
        let loudest = |blocks| self.powers(blocks, 1).reduce(f64::max).map(lufs_from_power);
        LoudnessReading {
            integrated_lufs: self.integrated(),
            max_momentary_lufs: loudest(MOMENTARY_BLOCKS),
            max_short_term_lufs: loudest(SHORT_TERM_BLOCKS),
            range_lu: self.range(STEP_BLOCKS),
            histogram: self.histogram(),
            noise_floor: noise_floor(self),
        }
    }

    /// Histogram of the momentary loudness every 100 ms: the share of the time in each bin of 1 LU.
    fn histogram(&self) -> Vec<f64> {
        let mut counts: Vec<f64> = Vec::new();
        let mut windows = 0.0;
        for lufs in self.powers(MOMENTARY_BLOCKS, STEP_BLOCKS).map(lufs_from_power) {
            windows += 1.0;
            if lufs >= ABSOLUTE_GATE_LUFS {
                let bin = (lufs - ABSOLUTE_GATE_LUFS) as usize;
                counts.resize(counts.len().max(bin + 1), 0.0);
                counts[bin] += 1.0;
            }
        }
        counts.into_iter().map(|count| count / windows).collect()
    }

    /// Loudness range to Tech 3342, LU: 3 s windows every `step` blocks, both gates, from the 10th to the 95th
    /// percentile.
    fn range(&self, step: usize) -> f64 {
        let absolute = power_from_lufs(ABSOLUTE_GATE_LUFS);
        let mut powers: Vec<f64> = self.powers(SHORT_TERM_BLOCKS, step).filter(|&power| power > absolute).collect();
        let Some(mean) = mean(powers.iter().copied()) else { return 0.0 };
        powers.retain(|&power| power >= mean * power_from_db(RANGE_GATE_LU));
        powers.sort_unstable_by(f64::total_cmp);
        let rank = |share: f64| lufs_from_power(powers[((powers.len() - 1) as f64 * share).round_ties_even() as usize]);
        if powers.is_empty() { 0.0 } else { rank(0.95) - rank(0.10) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::{pink_noise, silence, sine};

    /// EBU Tech 3341 allows 0.1 LU; half of it is left for other causes.
    const TOLERANCE_LU: f64 = 0.05;
    /// EBU Tech 3342 allows 1 LU.
    const RANGE_TOLERANCE_LU: f64 = 0.2;
    const RATES: [u32; 5] = [44_100, 48_000, 88_200, 96_000, 192_000];

    fn reading(frames: &[Frame], rate: u32) -> LoudnessReading {
        let mut meter = LoudnessMeter::new(rate);
        meter.push(frames);
        meter.finish()
    }

    /// A 1 kHz tone in both channels that steps through (seconds, dBFS) with continuous phase.
    fn steps(rate: u32, parts: &[(f64, f64)]) -> Vec<Frame> {
        let total: f64 = parts.iter().map(|(seconds, _)| seconds).sum();
        let mut tone = sine(rate, 1000.0, 0.0, total);
        let (mut edge, mut from) = (0.0, 0);
        for &(seconds, db) in parts {
            edge += seconds;
            let to = ((edge * f64::from(rate)).round() as usize).min(tone.len());
            let gain = crate::units::gain_from_db(db) as f32;
            tone[from..to].iter_mut().flatten().for_each(|x| *x *= gain);
            from = to;
        }
        tone
    }

    fn assert_near(value: Option<f64>, expected: f64, tolerance: f64, what: &str) {
        let value = value.unwrap_or(f64::NAN);
        assert!((value - expected).abs() <= tolerance, "{what}: {value}, not {expected}");
    }

    /// Tech 3341 table 1, cases 1 to 5.
    #[test]
    fn integrated_loudness_meets_the_ebu_cases_at_every_rate() {
        let cases: [&[(f64, f64)]; 5] = [
            &[(20.0, -23.0)],
            &[(20.0, -33.0)],
            &[(10.0, -36.0), (60.0, -23.0), (10.0, -36.0)],
            &[(10.0, -72.0), (10.0, -36.0), (60.0, -23.0), (10.0, -36.0), (10.0, -72.0)],
            &[(20.0, -26.0), (20.1, -20.0), (20.0, -26.0)],
        ];
        for rate in RATES {
            for (case, parts) in cases.iter().enumerate() {
                // The long cases run only at the usual rates: the gate does not depend on the rate.
                if rate > 48_000 && case > 1 {
                    continue;
                }
                let expected = if case == 1 { -33.0 } else { -23.0 };
                let got = reading(&steps(rate, parts), rate);
                assert_near(got.integrated_lufs, expected, TOLERANCE_LU, &format!("case {} at {rate}", case + 1));
            }
        }
    }

    /// Tech 3341 table 1, cases 9, 10 and 12, 13.
    #[test]
    fn momentary_and_short_term_maxima_meet_the_ebu_cases() {
        const GONE: f64 = -400.0;
        let rate = 48_000;
        let got = reading(&steps(rate, &[(1.34, -20.0), (1.66, -30.0)].repeat(5)), rate);
        assert_near(got.max_short_term_lufs, -23.0, TOLERANCE_LU, "case 9");
        let got = reading(&steps(rate, &[(0.18, -20.0), (0.22, -30.0)].repeat(25)), rate);
        assert_near(got.max_momentary_lufs, -23.0, TOLERANCE_LU, "case 12");
        for i in 0..20 {
            let got = reading(&steps(rate, &[(0.15 * f64::from(i), GONE), (3.0, -23.0), (1.0, GONE)]), rate);
            assert_near(got.max_short_term_lufs, -23.0, TOLERANCE_LU, &format!("case 10-{}", i + 1));
            let got = reading(&steps(rate, &[(0.02 * f64::from(i), GONE), (0.4, -23.0), (1.0, GONE)]), rate);
            assert_near(got.max_momentary_lufs, -23.0, TOLERANCE_LU, &format!("case 13-{}", i + 1));
        }
    }

    /// Tech 3342 table 1, cases 1 to 4.
    #[test]
    fn loudness_range_meets_the_ebu_cases() {
        let cases: [(&[f64], f64); 4] = [
            (&[-20.0, -30.0], 10.0),
            (&[-20.0, -15.0], 5.0),
            (&[-40.0, -20.0], 20.0),
            (&[-50.0, -35.0, -20.0, -35.0, -50.0], 15.0),
        ];
        for (levels, expected) in cases {
            let parts: Vec<(f64, f64)> = levels.iter().map(|&level| (20.0, level)).collect();
            let got = reading(&steps(48_000, &parts), 48_000);
            assert_near(Some(got.range_lu), expected, RANGE_TOLERANCE_LU, &format!("{levels:?}"));
        }
    }

    /// Report ITU-R BS.2217: the absolute and the relative gate.
    #[test]
    fn gates_ignore_what_is_too_quiet() {
        let low: [(f64, f64); 7] =
            [(0.8, -88.8), (0.5, -69.47), (0.5, -88.8), (0.5, -69.47), (0.5, -88.8), (0.5, -69.47), (0.7, -88.8)];
        assert_near(reading(&steps(48_000, &low), 48_000).integrated_lufs, -69.5, TOLERANCE_LU, "absolute");
        let high = [(0.5, -88.8), (0.9, -19.9), (1.3, -7.1), (0.8, -19.9), (0.5, -88.8)];
        assert_near(reading(&steps(48_000, &high), 48_000).integrated_lufs, -10.0, TOLERANCE_LU, "relative");
    }

    #[test]
    fn one_channel_at_full_scale_reads_three_under_zero() {
        let mut tone = sine(48_000, 997.0, 0.0, 5.0);
        tone.iter_mut().for_each(|frame| frame[1] = 0.0);
        assert_near(reading(&tone, 48_000).integrated_lufs, -3.01, 0.01, "997 Hz");
    }

    #[test]
    fn k_weighting_is_the_same_curve_at_every_rate() {
        let gain_db = |rate: u32, hz: f64| -> f64 {
            KWeight::coefs(rate).iter().map(|c| crate::units::db_from_gain(c.gain_at(hz, rate))).sum()
        };
        for rate in [8000, 11_025, 22_050, 44_100, 96_000, 192_000] {
            assert!(KWeight::coefs(rate).iter().all(BiquadCoefs::is_stable));
            for hz in [20.0, 38.0, 100.0, 500.0, 1000.0, 1681.0] {
                let off = gain_db(rate, hz) - gain_db(48_000, hz);
                // The bilinear transform warps the response near Nyquist.
                let tolerance_db = if rate < 16_000 { 0.25 } else { 0.1 };
                assert!(off.abs() < tolerance_db, "{off} dB at {hz} Hz, {rate}");
            }
        }
        assert_eq!(KWeight::coefs(48_000)[0].b.map(|b| (b * 1e12).round()), SHELF_48K.b.map(|b| (b * 1e12).round()));
    }

    #[test]
    fn silence_and_too_short_a_sound_have_no_loudness() {
        let got = reading(&silence(44_100, 5.0), 44_100);
        assert_eq!((got.integrated_lufs, got.range_lu), (None, 0.0));
        let got = reading(&sine(44_100, 1000.0, -10.0, 0.399), 44_100);
        assert_eq!((got.integrated_lufs, got.max_momentary_lufs, got.max_short_term_lufs), (None, None, None));
        let got = reading(&sine(44_100, 1000.0, -10.0, 0.4), 44_100);
        assert!(got.integrated_lufs.is_some() && got.max_short_term_lufs.is_none());
    }

    #[test]
    fn reading_does_not_depend_on_blocks() {
        let noise = pink_noise(11_025, -20.0, 8.0, 5);
        let whole = reading(&noise, 11_025);
        for size in [1, 17, 4096] {
            let mut meter = LoudnessMeter::new(11_025);
            noise.chunks(size).for_each(|chunk| meter.push(chunk));
            assert_eq!(meter.finish(), whole);
        }
    }

    /// Noise that swells, falls and pauses like a song.
    fn like_music(rate: u32) -> Vec<Frame> {
        let mut frames = pink_noise(rate, -18.0, 40.0, 11);
        let mut random = crate::random::Random::new(4);
        for phrase in frames.chunks_mut(rate as usize * 13 / 10) {
            let gain = if random.uniform() < 0.15 { 0.0 } else { crate::units::gain_from_db(-25.0 * random.uniform()) };
            phrase.iter_mut().flatten().for_each(|x| *x *= gain as f32);
        }
        frames
    }

    /// The other meter keeps the high-pass numerator of the 48 kHz table at every rate, which is off by 0.022 dB at
    /// 96 kHz; this one keeps the prototype.
    #[test]
    fn agrees_with_an_independent_meter() {
        for (rate, tolerance_lu) in [(44_100, 0.01), (48_000, 0.001), (96_000, 0.025)] {
            let frames = like_music(rate);
            let mut energies = KEnergies::new(rate);
            Blocks::new(rate).push(&frames, |block| energies.push(block));
            let history = energies.finish();
            let modes = ebur128::Mode::I | ebur128::Mode::LRA;
            let mut other = ebur128::EbuR128::new(2, rate, modes).unwrap();
            other.add_frames_f32(frames.as_flattened()).unwrap();
            assert_near(history.integrated(), other.loudness_global().unwrap(), tolerance_lu, "integrated");
            // The other meter measures once per second.
            assert_near(Some(history.range(100)), other.loudness_range().unwrap(), 0.001, "range");
        }
    }
}
