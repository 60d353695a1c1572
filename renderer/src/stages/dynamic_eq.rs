//! Bells that cut only while their band sticks out of its surroundings: resonances, sibilance, boom.
//!
//! A bell is the signal plus a share of its own band-pass, y = x + (g − 1)·B(x) (Regalia & Mitra, "Tunable digital
//! frequency response equalization filters", IEEE Trans. ASSP 35(1), 1987). Only g moves; the poles stay where they
//! are, so that the filter's state cannot click, and at g = 1 the signal passes bit for bit. Both channels are cut
//! alike.

use analyzer::biquad::{Biquad, BiquadCoefs};
use analyzer::stream::Frame;
use analyzer::units::{db_from_power, gain_from_db};
use serde::{Deserialize, Serialize};

use crate::envelope::{
    CONTROL_FRAMES, ControlClock, GainComputer, GainRamp, GainSmoother, PowerDetector, SILENCE_POWER,
};
use crate::params::{Param, Params, params};
use crate::stage::Stage;

/// Number of bells.
pub const BELLS: usize = 4;

params! {
    /// One bell. The level of its band over its surroundings is measured relative to pink noise, whose bands all read 0
    /// dB.
    pub struct BellParams {
        /// Centre frequency, Hz.
        frequency_hz: Param::log(20.0, 20_000.0, 1000.0, 0.1),
        /// Centre frequency over the width of the band, −3 dB to −3 dB.
        q: Param::log(1.0, 16.0, 4.0, 0.01),
        /// Level over the octave on either side that the band may reach, dB.
        threshold_db: Param::linear(0.0, 24.0, 6.0, 0.1),
        /// Largest cut, dB: the excess over the threshold is taken away up to this; 0 leaves the bell out.
        max_cut_db: Param::linear(0.0, 12.0, 0.0, 0.1),
        /// Time to cover 63 % of a change towards more cut, on top of the detector's 4 q / f (at least 5 ms), ms.
        attack_ms: Param::log(1.0, 200.0, 10.0, 0.1),
        /// The same towards less cut, ms.
        release_ms: Param::log(20.0, 1000.0, 150.0, 1.0),
    }
}

/// Bells in series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DynamicEqParams {
    /// The bells, in any order.
    pub bells: [BellParams; BELLS],
}

impl Params for DynamicEqParams {
    fn visit(&mut self, path: &str, visitor: &mut dyn FnMut(&str, &Param, &mut f64)) {
        for (n, bell) in self.bells.iter_mut().enumerate() {
            bell.visit(&format!("{path}.bells.{n}"), visitor);
        }
    }
}

/// Highest centre frequency of a bell, as a share of the sample rate; bells above it are left out.
const MAX_RATE_SHARE: f64 = 0.45;
/// Width of the transition around the threshold, dB.
const KNEE_DB: f64 = 3.0;
/// Length of the detector in periods of the bandwidth B: after about 4 / B, the level of noise reads within 1 dB.
const DETECTOR_PERIODS: f64 = 4.0;
/// Fastest detector, ms.
const MIN_DETECTOR_MS: f64 = 5.0;
/// Width of the surroundings beyond that of the bell: one octave on either side.
const SURROUNDING_OCTAVES: f64 = 2.0;

/// A bell with its detector.
#[derive(Clone)]
struct Bell {
    band: Biquad,
    /// The same band-pass again, for the detector: far skirts of 12 dB per octave.
    again: Biquad,
    /// Two wider band-passes in series, for the signal without the band.
    around: [Biquad; 2],
    inside: PowerDetector,
    outside: PowerDetector,
    /// Power inside over power outside for pink noise.
    even: f64,
    computer: GainComputer,
    max_cut_db: f64,
    smoother: GainSmoother,
    ramp: GainRamp,
}

impl Bell {
    /// Creates a bell at rest; `None` if it changes nothing.
    fn new(params: &BellParams, sample_rate_hz: u32) -> Option<Self> {
        let BellParams { frequency_hz, q, threshold_db, max_cut_db, attack_ms, release_ms } = *params;
        if max_cut_db == 0.0 || frequency_hz > MAX_RATE_SHARE * f64::from(sample_rate_hz) {
            return None;
        }
        let narrow = BiquadCoefs::band_pass(frequency_hz, q, sample_rate_hz);
        let wide = BiquadCoefs::band_pass(frequency_hz, surrounding_q(q), sample_rate_hz);
        let detector_ms = (DETECTOR_PERIODS * 1e3 * q / frequency_hz).max(MIN_DETECTOR_MS);
        let detector = PowerDetector::new(detector_ms, SILENCE_POWER, sample_rate_hz);
        Some(Self {
            band: Biquad::new(narrow),
            again: Biquad::new(narrow),
            around: [Biquad::new(wide); 2],
            inside: detector.clone(),
            outside: detector,
            even: pink_ratio(&narrow, &wide, frequency_hz, sample_rate_hz),
            computer: GainComputer { threshold_db, ratio: f64::INFINITY, knee_db: KNEE_DB },
            max_cut_db,
            smoother: GainSmoother::new(attack_ms, release_ms, sample_rate_hz),
            ramp: GainRamp::at(1.0),
        })
    }

    /// Replaces frames within one control block.
    fn process(&mut self, frames: &mut [[f64; 2]], phase: usize, is_end: bool) {
        let (mut inside, mut outside) = ([[0.0; 2]; CONTROL_FRAMES], [[0.0; 2]; CONTROL_FRAMES]);
        let detector_inputs = inside.iter_mut().zip(&mut outside);
        for ((x, gain), (inside, outside)) in frames.iter_mut().zip(&self.ramp.gains()[phase..]).zip(detector_inputs) {
            let band = self.band.next(*x);
            let rest = [x[0] - band[0], x[1] - band[1]];
            *inside = self.again.next(band);
            *outside = self.around.iter_mut().fold(rest, |x, filter| filter.next(x));
            *x = [x[0] + (gain[0] - 1.0) * band[0], x[1] + (gain[1] - 1.0) * band[1]];
        }
        self.inside.listen(&inside[..frames.len()]);
        self.outside.listen(&outside[..frames.len()]);
        if is_end {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        let expected = (self.even * self.outside.end_block()).max(SILENCE_POWER);
        let prominence_db = db_from_power(self.inside.end_block() / expected);
        let wanted_db = self.computer.gain_db(prominence_db).max(-self.max_cut_db);
        self.ramp.end_block(gain_from_db(self.smoother.next(wanted_db)));
        [&mut self.band, &mut self.again].into_iter().chain(&mut self.around).for_each(Biquad::settle);
    }
}

/// Returns the Q of a band-pass that is [`SURROUNDING_OCTAVES`] wider than one of `q`; a Q of 2^(n/2) / (2ⁿ − 1) is n
/// octaves wide.
fn surrounding_q(q: f64) -> f64 {
    let octaves = 2.0 * libm::asinh(0.5 / q) / std::f64::consts::LN_2 + SURROUNDING_OCTAVES;
    libm::exp2(octaves / 2.0) / (libm::exp2(octaves) - 1.0)
}

/// Returns power inside over power outside for noise with equal power per octave.
fn pink_ratio(narrow: &BiquadCoefs, wide: &BiquadCoefs, frequency_hz: f64, sample_rate_hz: u32) -> f64 {
    let (mut inside, mut outside) = (0.0, 0.0);
    for step in -384..=384 {
        let hz = frequency_hz * libm::exp2(f64::from(step) / 64.0);
        if 2.0 * hz < f64::from(sample_rate_hz) {
            let square = |gain: f64| gain * gain;
            let (n, w) = (square(narrow.gain_at(hz, sample_rate_hz)), square(wide.gain_at(hz, sample_rate_hz)));
            // The band-pass and its complement are power complementary.
            inside += n * n;
            outside += (1.0 - n) * w * w;
        }
    }
    inside / outside
}

/// See [`DynamicEqParams`].
pub struct DynamicEq {
    bells: Vec<Bell>,
    at_rest: Vec<Bell>,
    clock: ControlClock,
}

impl DynamicEq {
    /// Creates the stage at rest; `None` if no bell changes anything.
    pub fn new(params: &DynamicEqParams, sample_rate_hz: u32) -> Option<Self> {
        let bells: Vec<Bell> = params.bells.iter().filter_map(|bell| Bell::new(bell, sample_rate_hz)).collect();
        (!bells.is_empty()).then(|| Self { bells: bells.clone(), at_rest: bells, clock: ControlClock::default() })
    }
}

impl Stage for DynamicEq {
    fn process(&mut self, frames: &mut [Frame]) {
        let Self { bells, clock, .. } = self;
        clock.each_part(frames, |frames, phase, is_end| {
            let mut wide = [[0.0; 2]; CONTROL_FRAMES];
            for (wide, frame) in wide.iter_mut().zip(frames.iter()) {
                *wide = frame.map(f64::from);
            }
            for bell in bells.iter_mut() {
                bell.process(&mut wide[..frames.len()], phase, is_end);
            }
            for (frame, wide) in frames.iter_mut().zip(wide) {
                *frame = wide.map(|x| x as f32);
            }
        });
    }

    fn reset(&mut self) {
        self.bells.clone_from(&self.at_rest);
        self.clock = ControlClock::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use analyzer::fft::spectrum_of;
    use analyzer::synth::{pink_noise, sine};

    use crate::testing::{RATE, mixed, power_db, stray_db};

    const SIZE: usize = 8192;

    fn processed(bell: BellParams, frames: &[Frame]) -> Vec<Frame> {
        let mut params = DynamicEqParams::default();
        params.bells[1] = bell;
        let mut frames = frames.to_vec();
        DynamicEq::new(&params, RATE).expect("not neutral").process(&mut frames);
        frames
    }

    /// Mean power per bin over the stream without its first second, in Hann windows that overlap by half.
    fn spectrum(frames: &[Frame]) -> Vec<f64> {
        let mut powers = vec![0.0; SIZE / 2 + 1];
        let mut start = RATE as usize;
        while start + SIZE <= frames.len() {
            for channel in 0..2 {
                let time: Vec<f64> = frames[start..start + SIZE]
                    .iter()
                    .enumerate()
                    .map(|(n, f)| {
                        let turn = std::f64::consts::TAU * n as f64 / SIZE as f64;
                        f64::from(f[channel]) * (0.5 - 0.5 * libm::cos(turn))
                    })
                    .collect();
                powers.iter_mut().zip(spectrum_of(&time)).for_each(|(p, x)| *p += x.re * x.re + x.im * x.im);
            }
            start += SIZE / 2;
        }
        powers
    }

    /// Power behind two second-order band-passes in series.
    fn band_power(spectrum: &[f64], hz: f64, q: f64) -> f64 {
        let bin_hz = f64::from(RATE) / SIZE as f64;
        let weight = |bin: usize| {
            let ratio = bin as f64 * bin_hz / hz;
            let x = q * (ratio - 1.0 / ratio);
            1.0 / ((1.0 + x * x) * (1.0 + x * x))
        };
        (1..spectrum.len()).map(|bin| spectrum[bin] * weight(bin)).sum()
    }

    /// Largest change of level in third-octave bands, dB.
    fn largest_change_db(before: &[Frame], after: &[Frame]) -> f64 {
        let (before, after) = (spectrum(before), spectrum(after));
        let bin_hz = f64::from(RATE) / SIZE as f64;
        (0..27)
            .map(|third| {
                let from = 40.0 * libm::exp2(f64::from(third) / 3.0);
                let bins = (from / bin_hz) as usize..(from * 1.26 / bin_hz) as usize + 1;
                (db_from_power(after[bins.clone()].iter().sum::<f64>())
                    - db_from_power(before[bins].iter().sum::<f64>()))
                .abs()
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn pink_noise_is_left_alone() {
        let noise = pink_noise(RATE, -20.0, 8.0, 3);
        for (frequency_hz, q) in [(80.0, 2.0), (300.0, 8.0), (1000.0, 4.0), (3000.0, 16.0), (7000.0, 1.5)] {
            let bell = BellParams { frequency_hz, q, threshold_db: 4.0, max_cut_db: 12.0, ..Default::default() };
            let change_db = largest_change_db(&noise, &processed(bell, &noise));
            assert!(change_db < 0.1, "{frequency_hz} Hz: {change_db} dB");
        }
    }

    #[test]
    fn resonance_comes_down_to_the_threshold() {
        let noise = pink_noise(RATE, -26.0, 8.0, 5);
        for (hz, q) in [(240.0, 6.0), (900.0, 4.0), (3150.0, 6.0), (7000.0, 3.0)] {
            let mut peak = Biquad::new(BiquadCoefs::bell(hz, 20.0, 20.0, RATE));
            let ringing: Vec<Frame> = noise.iter().map(|f| peak.next(f.map(f64::from)).map(|x| x as f32)).collect();
            let bell = BellParams { frequency_hz: hz, q, threshold_db: 5.0, max_cut_db: 12.0, ..Default::default() };
            let even = band_power(&spectrum(&noise), hz, q);
            let prominence_db = |frames: &[Frame]| db_from_power(band_power(&spectrum(frames), hz, q) / even);
            let before_db = prominence_db(&ringing);
            let after_db = prominence_db(&processed(bell, &ringing));
            assert!(before_db > 8.0, "{hz} Hz: {before_db} dB is no resonance");
            assert!((after_db - 5.0).abs() < 1.5, "{hz} Hz: from {before_db} to {after_db} dB");
        }
    }

    #[test]
    fn tone_comes_down_to_the_threshold_but_not_by_more_than_is_allowed() {
        let noise = pink_noise(RATE, -30.0, 6.0, 8);
        let even = band_power(&spectrum(&noise), 1000.0, 4.0);
        for (peak_dbfs, max_cut_db) in [(-30.0, 12.0), (-20.0, 4.0)] {
            let song = mixed(&[&noise, &sine(RATE, 1000.0, peak_dbfs, 6.0)]);
            let bell = BellParams { max_cut_db, ..Default::default() };
            let level_db = |frames: &[Frame]| db_from_power(band_power(&spectrum(frames), 1000.0, 4.0) / even);
            let (before_db, after_db) = (level_db(&song), level_db(&processed(bell, &song)));
            let wanted_db = (before_db - max_cut_db).max(6.0);
            assert!(before_db > 8.0 && (after_db - wanted_db).abs() < 1.5, "{before_db} to {after_db} dB");
            assert!(before_db - after_db < max_cut_db + 0.01);
        }
    }

    #[test]
    fn cut_is_a_bell_that_is_gone_two_octaves_away() {
        let noise = pink_noise(RATE, -30.0, 6.0, 8);
        let song = mixed(&[&noise, &sine(RATE, 1000.0, -12.0, 6.0)]);
        let bell = BellParams { max_cut_db: 9.0, ..Default::default() };
        let (before, after) = (spectrum(&song), spectrum(&processed(bell, &song)));
        let bin_hz = f64::from(RATE) / SIZE as f64;
        let gain_db = |hz: f64| {
            let bin = libm::round(hz / bin_hz) as usize;
            let level = |powers: &[f64]| db_from_power(powers[bin - 3..=bin + 3].iter().sum());
            level(&after) - level(&before)
        };
        // The analogue prototype is H(s) = (s² + g s / Q + 1) / (s² + s / Q + 1).
        let bell_db = |hz: f64| {
            let x = 4.0 * (hz / 1000.0 - 1000.0 / hz);
            let g = gain_from_db(-9.0);
            db_from_power((g * g + x * x) / (1.0 + x * x))
        };
        for hz in [900.0, 1000.0, 1100.0, 1300.0] {
            assert!((gain_db(hz) - bell_db(hz)).abs() < 0.3, "{hz} Hz: {} not {}", gain_db(hz), bell_db(hz));
        }
        for hz in [60.0, 250.0, 4000.0, 15_000.0] {
            assert!(gain_db(hz).abs() < 0.1, "{hz} Hz: {}", gain_db(hz));
        }
    }

    #[test]
    fn level_does_not_matter_and_what_does_not_stick_out_passes_bit_for_bit() {
        let song = mixed(&[&pink_noise(RATE, -30.0, 2.0, 8), &sine(RATE, 1000.0, -20.0, 2.0)]);
        let bell = BellParams { max_cut_db: 9.0, ..Default::default() };
        let quiet: Vec<Frame> = song.iter().map(|f| f.map(|x| 0.1 * x)).collect();
        let (loud, quiet) = (processed(bell, &song), processed(bell, &quiet));
        assert_ne!(loud, song);
        let error = loud.iter().zip(&quiet).map(|(a, b)| (a[0] - 10.0 * b[0]).abs()).fold(0.0, f32::max);
        assert!(error < 1e-6, "{error}");
        let elsewhere = sine(RATE, 300.0, -10.0, 1.0);
        assert_eq!(processed(bell, &elsewhere)[24_000..], elsewhere[24_000..]);
    }

    #[test]
    fn moving_gain_leaves_no_images_of_its_control_rate() {
        // A tone whose level swings above and below the threshold four times a second, between two steady tones.
        let swelling: Vec<Frame> = sine(RATE, 1000.0, -24.0, 3.0)
            .into_iter()
            .enumerate()
            .map(|(n, frame)| {
                let swell_db = 8.0 * libm::sin(std::f64::consts::TAU * 4.0 * n as f64 / f64::from(RATE));
                frame.map(|x| (f64::from(x) * gain_from_db(swell_db)) as f32)
            })
            .collect();
        let song = mixed(&[&sine(RATE, 510.0, -20.0, 3.0), &swelling, &sine(RATE, 1930.0, -20.0, 3.0)]);
        let bell = BellParams { max_cut_db: 12.0, attack_ms: 5.0, release_ms: 20.0, ..Default::default() };
        let out = processed(bell, &song);
        let cuts: Vec<f64> =
            (song.chunks(2400).zip(out.chunks(2400))).map(|(a, b)| power_db(a) - power_db(b)).collect();
        assert!(cuts.iter().any(|db| *db < 0.01) && cuts.iter().any(|db| *db > 1.0), "it moves: {cuts:?}");
        let images_db = stray_db(&out, &[510.0, 1000.0, 1930.0]);
        assert!(images_db < -80.0, "{images_db} dB");
    }
}
