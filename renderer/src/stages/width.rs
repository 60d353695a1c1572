//! Width per band, and mono bass.

use analyzer::biquad::{Biquad, BiquadCoefs};
use analyzer::crossover::CROSSOVER_HZ;
use analyzer::stream::{Frame, left_right, mid_side};
use analyzer::units::gain_from_db;

use crate::params::{Param, params};
use crate::stage::Stage;

const GAIN: Param = Param::linear(-12.0, 6.0, 0.0, 0.01);

params! {
    /// Gain of the side signal per band of [`analyzer::crossover`], by shelves between the bands: minimum phase, so
    /// that nothing is smeared, and no gain above 6 dB, so that noise does not become width.
    pub struct WidthParams {
        /// Below 120 Hz.
        low_db: GAIN,
        /// 120 Hz to 1 kHz.
        low_mid_db: GAIN,
        /// 1 to 6 kHz.
        high_mid_db: GAIN,
        /// Above 6 kHz.
        high_db: GAIN,
        /// The side is taken away below this by 12 dB per octave, Hz; 0 leaves it.
        mono_below_hz: Param::linear(0.0, 200.0, 0.0, 1.0),
    }
}

/// See [`WidthParams`].
pub struct Width {
    gain: f64,
    filters: Vec<Biquad>,
}

impl Width {
    /// `None` when there is nothing to do.
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
        Some(Self { gain: gain_from_db(low_mid_db), filters })
    }
}

impl Stage for Width {
    fn process(&mut self, frames: &mut [Frame]) {
        for frame in frames {
            let [mid, side] = mid_side(*frame);
            let mut side = [f64::from(side) * self.gain, 0.0];
            for filter in &mut self.filters {
                side = filter.next(side);
            }
            *frame = left_right([mid, side[0] as f32]);
        }
    }

    fn reset(&mut self) {
        self.filters.iter_mut().for_each(Biquad::reset);
    }
}
