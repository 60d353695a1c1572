//! Dynamics per band: Linkwitz-Riley split, feed-forward compressors, sum.
//!
//! Giannoulis, Massberg & Reiss, "Digital Dynamic Range Compressor Design" (JAES 60(6), 2012): soft-knee gain
//! computer (eq. 4) and smoothing of the gain in dB by a branching one-pole (eq. 16). Levels are relative to the band's own
//! mean power, so that the same parameters mean the same on any song at any gain, and the gain is normalised to 0 dB
//! at that mean, so that dynamics change and tone does not.

use analyzer::crossover::{BANDS, Crossover};
use analyzer::stream::Frame;
use analyzer::units::{db_from_power, gain_from_db, one_pole_coef};

use crate::params::{Param, Params, params};
use crate::stage::Stage;

params! {
    /// One band's compressor (ratio over 1) or expander (under 1).
    pub struct BandParams {
        /// Level over the band's mean from which the ratio applies, dB.
        threshold_db: Param::linear(-20.0, 12.0, 0.0, 0.1),
        /// Change of input level for one dB of change in output level above the threshold.
        ratio: Param::log(0.5, 4.0, 1.0, 0.01),
        /// Width of the soft transition around the threshold, dB.
        knee_db: Param::linear(0.0, 24.0, 6.0, 0.1),
        /// Time to cover 63 % of a change towards less gain, ms.
        attack_ms: Param::log(1.0, 200.0, 20.0, 0.1),
        /// Time to cover 63 % of a change towards more gain, ms.
        release_ms: Param::log(20.0, 1000.0, 200.0, 1.0),
        /// Share of the processed signal, %.
        mix_pct: Param::linear(0.0, 100.0, 100.0, 1.0),
    }
}

impl BandParams {
    /// The band passes unchanged.
    pub fn is_neutral(&self) -> bool {
        self.ratio == 1.0 || self.mix_pct == 0.0
    }

    /// Gain in dB at `level_db` over the band's mean, before it is normalised.
    fn static_gain_db(&self, level_db: f64) -> f64 {
        let over = level_db - self.threshold_db;
        let half_knee = self.knee_db / 2.0;
        let bent = if over <= -half_knee {
            0.0
        } else if over >= half_knee {
            over
        } else {
            (over + half_knee) * (over + half_knee) / (2.0 * self.knee_db)
        };
        (1.0 / self.ratio - 1.0) * bent
    }

    /// Static gain in dB at `level_db` over the band's mean: 0 at the mean, bounded.
    pub fn gain_db(&self, level_db: f64) -> f64 {
        (self.static_gain_db(level_db) - self.static_gain_db(0.0)).clamp(-MAX_GAIN_DB, MAX_GAIN_DB)
    }
}

/// No band is moved by more.
const MAX_GAIN_DB: f64 = 12.0;

/// The bands of [`analyzer::crossover`].
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MultibandParams {
    /// Below 120 Hz.
    pub low: BandParams,
    /// 120 Hz to 1 kHz.
    pub low_mid: BandParams,
    /// 1 to 6 kHz.
    pub high_mid: BandParams,
    /// Above 6 kHz.
    pub high: BandParams,
}

impl MultibandParams {
    /// Low to high.
    pub fn bands(&self) -> [&BandParams; BANDS] {
        let Self { low, low_mid, high_mid, high } = self;
        [low, low_mid, high_mid, high]
    }

    /// Low to high.
    pub fn bands_mut(&mut self) -> [&mut BandParams; BANDS] {
        let Self { low, low_mid, high_mid, high } = self;
        [low, low_mid, high_mid, high]
    }

    /// Every band passes unchanged.
    pub fn is_neutral(&self) -> bool {
        self.bands().iter().all(|b| b.is_neutral())
    }
}

impl Params for MultibandParams {
    fn visit(&mut self, path: &str, visitor: &mut dyn FnMut(&str, &Param, &mut f64)) {
        for (band, name) in self.bands_mut().into_iter().zip(analyzer::crossover::BAND_NAMES) {
            band.visit(&format!("{path}.{name}"), visitor);
        }
    }
}

/// Gains are computed once per so many frames and ramped between.
const CONTROL_FRAMES: usize = 16;

/// The level of a band is its power smoothed over about a period of its lowest tones, ms.
const DETECTOR_MS: [f64; BANDS] = [20.0, 8.0, 4.0, 2.0];

/// One band's level detector and gain smoother.
#[derive(Clone)]
struct Dynamics {
    params: BandParams,
    /// Mean power of the band, dBFS: where the compressor's levels are counted from.
    mean_db: f64,
    detector_coef: f64,
    attack_coef: f64,
    release_coef: f64,
    power: f64,
    smoothed_db: f64,
    /// Linear gain at the start of the present control block, and its change per frame.
    gain: f64,
    slope: f64,
    sum: f64,
}

impl Dynamics {
    fn new(params: BandParams, mean_db: f64, detector_ms: f64, sample_rate_hz: u32) -> Self {
        let rate = f64::from(sample_rate_hz) / CONTROL_FRAMES as f64;
        let mut new = Self {
            params,
            mean_db,
            detector_coef: one_pole_coef(detector_ms, rate),
            attack_coef: one_pole_coef(params.attack_ms, rate),
            release_coef: one_pole_coef(params.release_ms, rate),
            power: 0.0,
            smoothed_db: 0.0,
            gain: 1.0,
            slope: 0.0,
            sum: 0.0,
        };
        new.reset();
        new
    }

    /// As after a long time at the band's mean level.
    fn reset(&mut self) {
        self.power = analyzer::units::power_from_db(self.mean_db);
        (self.smoothed_db, self.gain, self.slope, self.sum) = (0.0, 1.0, 0.0, 0.0);
    }

    /// The control block is over: where the gain goes next.
    fn update(&mut self) {
        let power = self.sum / (2 * CONTROL_FRAMES) as f64;
        self.sum = 0.0;
        self.power = power + self.detector_coef * (self.power - power);
        let wanted_db = self.params.gain_db(db_from_power(self.power) - self.mean_db);
        let coef = if wanted_db < self.smoothed_db { self.attack_coef } else { self.release_coef };
        self.smoothed_db = wanted_db + coef * (self.smoothed_db - wanted_db);
        let reached = self.gain + self.slope * CONTROL_FRAMES as f64;
        let wanted = 1.0 + self.params.mix_pct / 100.0 * (gain_from_db(self.smoothed_db) - 1.0);
        self.gain = reached;
        self.slope = (wanted - reached) / CONTROL_FRAMES as f64;
    }
}

/// See [`MultibandParams`].
pub struct Multiband {
    crossover: Crossover,
    bands: [Dynamics; BANDS],
    /// Frames since the last control block began.
    phase: usize,
}

impl Multiband {
    /// `mean_db`: mean power of each band of the stream to come, dBFS. `None` when every band is neutral: the split
    /// sums to an all-pass, not to nothing.
    pub fn new(params: &MultibandParams, mean_db: &[f64; BANDS], sample_rate_hz: u32) -> Option<Self> {
        let bands = params.bands();
        (!params.is_neutral()).then(|| Self {
            crossover: Crossover::new(sample_rate_hz),
            bands: std::array::from_fn(|b| Dynamics::new(*bands[b], mean_db[b], DETECTOR_MS[b], sample_rate_hz)),
            phase: 0,
        })
    }

    /// Present gain per band, dB.
    pub fn gains_db(&self) -> [f64; BANDS] {
        self.bands.each_ref().map(|b| analyzer::units::db_from_gain(b.gain))
    }
}

impl Stage for Multiband {
    fn process(&mut self, frames: &mut [Frame]) {
        for frame in frames {
            let split = self.crossover.next(frame.map(f64::from));
            let mut sum = [0.0; 2];
            for (band, x) in self.bands.iter_mut().zip(split) {
                band.sum += x[0] * x[0] + x[1] * x[1];
                let gain = band.gain + band.slope * self.phase as f64;
                sum[0] += x[0] * gain;
                sum[1] += x[1] * gain;
            }
            *frame = sum.map(|v| v as f32);
            self.phase += 1;
            if self.phase == CONTROL_FRAMES {
                self.phase = 0;
                self.bands.iter_mut().for_each(Dynamics::update);
            }
        }
    }

    fn reset(&mut self) {
        self.crossover.reset();
        self.bands.iter_mut().for_each(Dynamics::reset);
        self.phase = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, level_db: f64, frames: usize) -> Vec<Frame> {
        let amplitude = gain_from_db(level_db);
        (0..frames)
            .map(|n| [(amplitude * (2.0 * std::f64::consts::PI * hz * n as f64 / 48_000.0).sin()) as f32; 2])
            .collect()
    }

    #[test]
    fn static_curve_has_the_ratio_above_the_threshold_and_is_even_at_the_mean() {
        let p = BandParams { threshold_db: 0.0, ratio: 2.0, knee_db: 0.0, ..Default::default() };
        assert_eq!(p.gain_db(0.0), 0.0);
        assert_eq!(p.gain_db(-30.0), 0.0);
        assert!((p.gain_db(10.0) + 5.0).abs() < 1e-12);
        let soft = BandParams { knee_db: 6.0, ..p };
        assert!((soft.gain_db(6.0) - soft.gain_db(5.0) + 0.5).abs() < 1e-12);
    }

    #[test]
    fn steady_tone_comes_down_by_the_static_curve_within_a_twentieth_of_a_decibel() {
        let mean_db = -31.0;
        let band = BandParams { threshold_db: 0.0, ratio: 2.0, knee_db: 0.0, attack_ms: 200.0, ..Default::default() };
        let params = MultibandParams { low: band, low_mid: band, high_mid: band, high: band };
        for (b, hz) in [60.0, 350.0, 2500.0, 12_000.0].into_iter().enumerate() {
            let mut stage = Multiband::new(&params, &[mean_db; BANDS], 48_000).expect("not neutral");
            let mut frames = tone(hz, -18.0, 96_000);
            let mut split = Crossover::new(48_000);
            let power: f64 = frames.iter().map(|f| split.next(f.map(f64::from))[b][0].powi(2)).sum();
            let over_db = db_from_power(power / frames.len() as f64) - mean_db;
            stage.process(&mut frames);
            let gain_db = stage.gains_db()[b];
            assert!((gain_db - band.gain_db(over_db)).abs() < 0.05, "band {b}: {gain_db} at {over_db} over the mean");
        }
    }

    #[test]
    fn attack_covers_63_percent_in_its_time() {
        let high_mid =
            BandParams { threshold_db: -20.0, ratio: 4.0, knee_db: 0.0, attack_ms: 50.0, ..Default::default() };
        let params = MultibandParams { high_mid, ..Default::default() };
        let mut stage = Multiband::new(&params, &[-43.01; BANDS], 48_000).expect("not neutral");
        stage.process(&mut tone(3000.0, -40.0, 48_000));
        let before = stage.gains_db()[2];
        stage.process(&mut tone(3000.0, -30.0, 2400));
        let after_attack = stage.gains_db()[2];
        stage.process(&mut tone(3000.0, -30.0, 48_000));
        let share = (after_attack - before) / (stage.gains_db()[2] - before);
        assert!((0.55..0.68).contains(&share), "{share}");
    }
}
