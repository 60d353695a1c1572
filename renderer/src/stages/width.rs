//! Width per band, and mono bass.

use analyzer::biquad::{Biquad, BiquadCoefs};
use analyzer::crossover::CROSSOVER_HZ;
use analyzer::stream::{Frame, left_right, mid_side};
use analyzer::units::gain_from_db;

use crate::envelope::ControlClock;
use crate::params::{Param, params};
use crate::stage::Stage;

const GAIN: Param = Param::linear(-12.0, 6.0, 0.0, 0.01);

params! {
    /// Gain of the side signal per band of [`analyzer::crossover`], by shelves between the bands: minimum phase, so
    /// that nothing is smeared, and no gain above 6 dB, so that noise does not become width. [`crate::image`] computes
    /// how much of it mono compatibility allows.
    pub struct WidthParams {
        /// Below 120 Hz.
        low_db: GAIN,
        /// 120 Hz to 1 kHz.
        low_mid_db: GAIN,
        /// 1 to 6 kHz.
        high_mid_db: GAIN,
        /// Above 6 kHz.
        high_db: GAIN,
        /// Frequency below which the side is removed by 12 dB per octave, Hz; 0 leaves it.
        mono_below_hz: Param::linear(0.0, 200.0, 0.0, 1.0),
    }
}

/// See [`WidthParams`].
pub struct Width {
    gain: f64,
    filters: Vec<Biquad>,
    clock: ControlClock,
}

impl Width {
    /// Creates the stage; `None` if it changes nothing.
    pub fn new(params: &WidthParams, sample_rate_hz: u32) -> Option<Self> {
        if *params == WidthParams::default() {
            return None;
        }
        let WidthParams { low_db, low_mid_db, high_mid_db, high_db, mono_below_hz } = *params;
        let [low_hz, mid_hz, high_hz] = CROSSOVER_HZ;
        let mut filters = Vec::new();
        let mut add = |needed: bool, coefs: BiquadCoefs| needed.then(|| filters.push(Biquad::new(coefs)));
        add(low_db != low_mid_db, BiquadCoefs::low_shelf(low_hz, low_db - low_mid_db, sample_rate_hz));
        add(high_mid_db != low_mid_db, BiquadCoefs::high_shelf(mid_hz, high_mid_db - low_mid_db, sample_rate_hz));
        add(
            high_db != high_mid_db && high_hz < 0.45 * f64::from(sample_rate_hz),
            BiquadCoefs::high_shelf(
                high_hz.min(0.45 * f64::from(sample_rate_hz)),
                high_db - high_mid_db,
                sample_rate_hz,
            ),
        );
        add(mono_below_hz > 0.0, BiquadCoefs::high_pass(mono_below_hz.max(1.0), sample_rate_hz));
        Some(Self { gain: gain_from_db(low_mid_db), filters, clock: ControlClock::default() })
    }
}

impl Stage for Width {
    fn process(&mut self, frames: &mut [Frame]) {
        let Self { gain, filters, clock } = self;
        clock.each_part(frames, |frames, _, is_end| {
            for frame in frames {
                let [mid, side] = mid_side(*frame);
                let mut side = [f64::from(side) * *gain, 0.0];
                for filter in filters.iter_mut() {
                    side = filter.next(side);
                }
                *frame = left_right([mid, side[0] as f32]);
            }
            if is_end {
                filters.iter_mut().for_each(Biquad::settle);
            }
        });
    }

    fn reset(&mut self) {
        self.filters.iter_mut().for_each(Biquad::reset);
        self.clock = ControlClock::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use analyzer::synth::sine;
    use analyzer::units::db_from_gain;

    const RATE: u32 = 48_000;

    /// Gains of mid and side for a tone at `hz`, dB.
    fn gains_db(params: &WidthParams, hz: f64) -> [f64; 2] {
        // The side is at half the mid's level.
        let tone: Vec<Frame> = sine(RATE, hz, -12.0, 2.0).into_iter().map(|f| [1.5 * f[0], 0.5 * f[0]]).collect();
        let mut frames = tone.clone();
        Width::new(params, RATE).expect("not neutral").process(&mut frames);
        let rms = |frames: &[Frame], part: usize| {
            let sum: f64 = frames[48_000..].iter().map(|f| f64::from(mid_side(*f)[part]).powi(2)).sum();
            libm::sqrt(sum)
        };
        [0, 1].map(|part| db_from_gain(rms(&frames, part) / rms(&tone, part)))
    }

    #[test]
    fn each_band_of_the_side_gets_its_gain_and_the_mid_none() {
        let params =
            WidthParams { low_db: -6.0, low_mid_db: 2.0, high_mid_db: -1.0, high_db: 3.0, ..Default::default() };
        for (hz, wanted_db) in [(25.0, -6.0), (350.0, 2.0), (2450.0, -1.0), (19_000.0, 3.0)] {
            let [mid_db, side_db] = gains_db(&params, hz);
            assert!((side_db - wanted_db).abs() < 0.5, "{hz} Hz: {side_db}, not {wanted_db}");
            assert!(mid_db.abs() < 1e-4, "{hz} Hz: {mid_db}");
        }
        // Shelves meet half way.
        for (hz, wanted_db) in [(120.0, -2.0), (1000.0, 0.5), (6000.0, 1.0)] {
            let [_, side_db] = gains_db(&params, hz);
            assert!((side_db - wanted_db).abs() < 0.5, "{hz} Hz: {side_db}, not {wanted_db}");
        }
    }

    #[test]
    fn bass_becomes_mono_by_twelve_decibels_per_octave() {
        let params = WidthParams { mono_below_hz: 120.0, ..Default::default() };
        // Butterworth: 10·log10(1 + (fc / f)⁴).
        for hz in [30.0, 60.0, 120.0, 240.0, 1000.0] {
            let wanted_db = -10.0 * libm::log10(1.0 + (120.0f64 / hz).powi(4));
            let [mid_db, side_db] = gains_db(&params, hz);
            assert!((side_db - wanted_db).abs() < 0.05 && mid_db.abs() < 1e-4, "{hz} Hz: {side_db}, not {wanted_db}");
        }
    }
}
