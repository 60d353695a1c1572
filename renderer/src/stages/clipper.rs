//! A soft clipper ahead of the limiter: takes the tips of peaks and nothing else.

use analyzer::crossover::BANDS;
use analyzer::stream::Frame;
use analyzer::units::gain_from_db;

use crate::params::{Param, params};
use crate::shaper::{Curve, Shaper, mean_dbfs};
use crate::stage::Stage;

params! {
    /// What stays below the knee keeps its bits.
    pub struct ClipperParams {
        /// By how much a peak at `headroom_db` comes down, dB; 0 leaves everything.
        drive_db: Param::linear(0.0, 6.0, 0.0, 0.01),
        /// Level of such a peak over the song's mean power, dB.
        headroom_db: Param::linear(6.0, 24.0, 14.0, 0.1),
        /// How far below its ceiling the curve begins to bend, dB.
        knee_db: Param::linear(2.0, 12.0, 4.0, 0.1),
    }
}

/// See [`ClipperParams`].
pub struct Clipper {
    shaper: Shaper,
}

impl Clipper {
    /// `band_levels_dbfs`: mean power of each band of the stream to come. `None` when there is nothing to do.
    pub fn new(params: &ClipperParams, band_levels_dbfs: &[f64; BANDS]) -> Option<Self> {
        let ClipperParams { drive_db, headroom_db, knee_db } = *params;
        (drive_db > 0.0).then(|| {
            let peak = gain_from_db(mean_dbfs(band_levels_dbfs) + headroom_db);
            Self { shaper: Shaper::new(Curve::new(peak, drive_db, gain_from_db(-knee_db)), 1.0) }
        })
    }
}

impl Stage for Clipper {
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
