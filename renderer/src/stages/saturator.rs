//! Soft saturation: an odd curve over the whole range, mixed with the dry signal.

use analyzer::crossover::BANDS;
use analyzer::stream::Frame;
use analyzer::units::gain_from_db;

use crate::params::{Param, params};
use crate::shaper::{Curve, Shaper, mean_dbfs};
use crate::stage::Stage;

params! {
    /// y = x / √(1 + (x / ceiling)²): quiet music keeps its level, peaks come down to odd harmonics.
    pub struct SaturatorParams {
        /// By how much a peak at `headroom_db` comes down, dB; 0 leaves everything.
        drive_db: Param::linear(0.0, 12.0, 0.0, 0.01),
        /// Level of such a peak over the song's mean power, dB.
        headroom_db: Param::linear(6.0, 24.0, 12.0, 0.1),
        /// Share of the saturated signal, %.
        mix_pct: Param::linear(0.0, 100.0, 100.0, 1.0),
    }
}

/// See [`SaturatorParams`].
pub struct Saturator {
    shaper: Shaper,
}

impl Saturator {
    /// `band_levels_dbfs`: mean power of each band of the stream to come. `None` when there is nothing to do.
    pub fn new(params: &SaturatorParams, band_levels_dbfs: &[f64; BANDS]) -> Option<Self> {
        let SaturatorParams { drive_db, headroom_db, mix_pct } = *params;
        (drive_db > 0.0 && mix_pct > 0.0).then(|| {
            let peak = gain_from_db(mean_dbfs(band_levels_dbfs) + headroom_db);
            Self { shaper: Shaper::new(Curve::new(peak, drive_db, 0.0), mix_pct / 100.0) }
        })
    }
}

impl Stage for Saturator {
    fn process(&mut self, frames: &mut [Frame]) {
        self.shaper.process(frames);
    }

    fn reset(&mut self) {
        self.shaper.reset();
    }

    fn latency_frames(&self) -> usize {
        self.shaper.latency_frames()
    }
}
