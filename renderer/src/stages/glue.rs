//! One slow compressor over the whole mix, which holds it together.
//!
//! The detector does not hear anything below the lowest crossover, so that a kick drum does not pump the rest. Levels
//! are relative to the song's own, and the gain is normalised to 0 dB there, as in [`super::multiband`].

use analyzer::biquad::{Biquad, BiquadCoefs};
use analyzer::crossover::{BANDS, CROSSOVER_HZ};
use analyzer::stream::Frame;
use analyzer::units::{db_from_power, power_from_db};

use crate::envelope::{CONTROL_FRAMES, Compressor, ControlClock, Dynamics, GainComputer};
use crate::params::{Param, params};
use crate::stage::Stage;

params! {
    /// A stereo-linked RMS compressor; bass does not move it.
    pub struct GlueParams {
        /// Level over the song's mean from which the ratio applies, dB.
        threshold_db: Param::linear(-20.0, 12.0, 0.0, 0.1),
        /// Change of input level for one dB of change in output level above the threshold; 1 leaves the stage out.
        ratio: Param::log(1.0, 4.0, 1.0, 0.01),
        /// Width of the soft transition around the threshold, dB.
        knee_db: Param::linear(0.0, 24.0, 6.0, 0.1),
        /// Time to cover 63 % of a change towards less gain, on top of the detector's 50 ms, ms.
        attack_ms: Param::log(10.0, 100.0, 30.0, 0.1),
        /// The same towards more gain, ms.
        release_ms: Param::log(100.0, 1000.0, 300.0, 1.0),
        /// Share of the processed signal, %.
        mix_pct: Param::linear(0.0, 100.0, 100.0, 1.0),
    }
}

impl GlueParams {
    /// Returns the settings of the compressor.
    pub fn dynamics(&self) -> Dynamics {
        let Self { threshold_db, ratio, knee_db, attack_ms, release_ms, mix_pct } = *self;
        let computer = GainComputer { threshold_db, ratio, knee_db };
        Dynamics { computer, attack_ms, release_ms, mix: mix_pct / 100.0, makeup_db: 0.0 }
    }
}

/// Time over which the detector averages power, ms.
const DETECTOR_MS: f64 = 50.0;

/// Correction for overlapping bands, dB: their powers add up to less than the power of their sum. Of pink noise, 1/(2
/// ln 2) octave is lost at each of the two upper corners, out of the seven octaves above the lowest one.
const OVERLAP_DB: f64 = 1.0;

/// Returns the mean power of the detector's signal, dBFS, from that of the bands.
fn reference_db(band_levels_dbfs: &[f64; BANDS]) -> f64 {
    db_from_power(band_levels_dbfs[1..].iter().map(|db| power_from_db(*db)).sum()) + OVERLAP_DB
}

/// See [`GlueParams`].
pub struct Glue {
    /// The high-pass of the lowest crossover: Linkwitz-Riley 4, two Butterworths.
    side_chain: [Biquad; 2],
    compressor: Compressor,
    at_rest: Compressor,
    clock: ControlClock,
}

impl Glue {
    /// Creates the stage. `band_levels_dbfs` is as for [`super::multiband::Multiband::new`]; `None` if it changes
    /// nothing.
    pub fn new(params: &GlueParams, band_levels_dbfs: &[f64; BANDS], sample_rate_hz: u32) -> Option<Self> {
        let dynamics = params.dynamics();
        let high_pass = Biquad::new(BiquadCoefs::high_pass(CROSSOVER_HZ[0], sample_rate_hz));
        (!dynamics.is_neutral()).then(|| {
            let compressor = Compressor::new(dynamics, reference_db(band_levels_dbfs), DETECTOR_MS, sample_rate_hz);
            Self {
                side_chain: [high_pass; 2],
                compressor: compressor.clone(),
                at_rest: compressor,
                clock: ControlClock::default(),
            }
        })
    }
}

impl Stage for Glue {
    fn process(&mut self, frames: &mut [Frame]) {
        let Self { side_chain: [first, second], compressor, clock, .. } = self;
        clock.each_part(frames, |frames, phase, is_end| {
            let mut key = [[0.0; 2]; CONTROL_FRAMES];
            for (key, frame) in key.iter_mut().zip(frames.iter()) {
                *key = second.next(first.next(frame.map(f64::from)));
            }
            compressor.listen(&key[..frames.len()]);
            for (frame, gain) in frames.iter_mut().zip(&compressor.gains()[phase..]) {
                *frame = [0, 1].map(|c| (f64::from(frame[c]) * gain[c]) as f32);
            }
            if is_end {
                compressor.end_block();
                first.settle();
                second.settle();
            }
        });
    }

    fn reset(&mut self) {
        self.side_chain.iter_mut().for_each(Biquad::reset);
        self.compressor.clone_from(&self.at_rest);
        self.clock = ControlClock::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use analyzer::analyze::Analyzer;
    use analyzer::stream::Meter;
    use analyzer::synth::{pink_noise, sine};

    use crate::testing::{RATE, kick, mixed, power_db, swing_db};

    /// Levels of a song in which only the band from 1 to 6 kHz sounds.
    fn only_high_mid(level_db: f64) -> [f64; BANDS] {
        [-120.0, -120.0, level_db - OVERLAP_DB, -120.0]
    }

    #[test]
    fn steady_tone_follows_the_static_curve() {
        for (ratio, knee_db) in [(1.5, 0.0), (2.0, 6.0), (4.0, 12.0)] {
            let params = GlueParams { threshold_db: -3.0, ratio, knee_db, ..Default::default() };
            for over_db in [-12.0, -4.0, 0.0, 5.0, 10.0] {
                let mut glue = Glue::new(&params, &only_high_mid(-30.0), RATE).expect("not neutral");
                let mut frames = sine(RATE, 3000.0, -30.0 + 3.0103 + over_db, 4.0);
                let before_db = power_db(&frames[3 * RATE as usize..]);
                glue.process(&mut frames);
                let gain_db = power_db(&frames[3 * RATE as usize..]) - before_db;
                // The output over input curve of the paper's figure, minus its value at the mean.
                let curve = |x: f64| {
                    let over = x - params.threshold_db;
                    if 2.0 * over.abs() <= knee_db && knee_db > 0.0 {
                        (1.0 / ratio - 1.0) * (over + knee_db / 2.0).powi(2) / (2.0 * knee_db)
                    } else {
                        (1.0 / ratio - 1.0) * over.max(0.0)
                    }
                };
                let wanted_db = curve(over_db) - curve(0.0);
                assert!((gain_db - wanted_db).abs() < 0.05, "{over_db} dB over: {gain_db}, not {wanted_db}");
            }
        }
    }

    #[test]
    fn song_at_its_own_level_keeps_it() {
        let mut song = pink_noise(RATE, -20.0, 12.0, 4);
        let mut analyzer = Analyzer::new(RATE, 2);
        analyzer.push(&song);
        let levels = analyzer.finish().dynamics.bands.map(|band| band.level_db);
        let params = GlueParams { threshold_db: -10.0, ratio: 4.0, ..Default::default() };
        let before_db = power_db(&song);
        Glue::new(&params, &levels, RATE).expect("not neutral").process(&mut song);
        let change_db = power_db(&song) - before_db;
        assert!(change_db.abs() < 0.2, "{change_db}");
    }

    #[test]
    fn kick_drum_twelve_decibels_over_the_song_does_not_pump_it() {
        let tone = sine(RATE, 3000.0, -24.0, 4.0);
        let mut frames = mixed(&[&tone, &kick(0.25, tone.len())]);
        let params = GlueParams { threshold_db: -10.0, ratio: 2.0, attack_ms: 10.0, ..Default::default() };
        Glue::new(&params, &only_high_mid(-27.0), RATE).expect("not neutral").process(&mut frames);
        let swing_db = swing_db(&frames[48_000..], 3000.0);
        assert!(swing_db < 0.1, "{swing_db} dB");
    }

    #[test]
    fn times_cover_63_percent_of_a_step_beyond_the_detector() {
        let params =
            GlueParams { threshold_db: -20.0, ratio: 2.0, knee_db: 0.0, attack_ms: 80.0, ..Default::default() };
        let mut glue = Glue::new(&params, &only_high_mid(-30.0), RATE).expect("not neutral");
        let mut frames = sine(RATE, 3000.0, -30.0, 2.0);
        for part in [sine(RATE, 3000.0, -27.0, 4.0), sine(RATE, 3000.0, -30.0, 4.0)] {
            frames.extend(part);
        }
        let tone = frames.clone();
        glue.process(&mut frames);
        let gain_at = |n: usize| power_db(&frames[n - 240..n + 240]) - power_db(&tone[n - 240..n + 240]);
        for (start, ms) in [(96_000, 80.0), (288_000, 300.0)] {
            let (from, to) = (gain_at(start - 480), gain_at(start + 190_000));
            let reached = (start + 240..start + 190_000)
                .step_by(48)
                .find(|n| ((gain_at(*n) - from) / (to - from)) >= 1.0 - libm::exp(-1.0))
                .expect("the gain gets there");
            let took_ms = (reached - start) as f64 / 48.0;
            assert!((ms..ms + 1.3 * DETECTOR_MS).contains(&took_ms), "{took_ms} ms, not {ms}");
        }
    }
}
