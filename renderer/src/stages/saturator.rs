//! Soft saturation: an odd curve over the whole range, mixed with the dry signal.

use analyzer::crossover::BANDS;
use analyzer::units::gain_from_db;

use crate::params::{Param, params};
use crate::shaper::{Curve, Shaper, mean_dbfs};

params! {
    /// Soft saturation, y = x / √(1 + (x / ceiling)²): quiet music keeps its level, peaks are reduced and gain odd
    /// harmonics.
    pub struct SaturatorParams {
        /// Reduction of a peak at `headroom_db`, dB; 0 changes nothing.
        drive_db: Param::linear(0.0, 12.0, 0.0, 0.01),
        /// Level of that peak over the song's mean power, dB.
        headroom_db: Param::linear(6.0, 24.0, 12.0, 0.1),
        /// Share of the saturated signal, %.
        mix_pct: Param::linear(0.0, 100.0, 100.0, 1.0),
    }
}

impl SaturatorParams {
    /// Creates the stage. `band_levels_dbfs` is the mean power of each band of the stream to come. `None` if it changes
    /// nothing.
    pub fn stage(&self, band_levels_dbfs: &[f64; BANDS]) -> Option<Shaper> {
        let SaturatorParams { drive_db, headroom_db, mix_pct } = *self;
        (drive_db > 0.0 && mix_pct > 0.0).then(|| {
            let peak = gain_from_db(mean_dbfs(band_levels_dbfs) + headroom_db);
            Shaper::new(Curve::new(peak, drive_db, 0.0), mix_pct / 100.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Stage as _;
    use analyzer::stream::Frame;
    use analyzer::units::db_from_gain;

    /// Peak of a 100 Hz tone after saturation over its amplitude, dB; the song's mean is `mean_dbfs`.
    fn gain_db(params: &SaturatorParams, amplitude: f64, mean_dbfs: f64) -> f64 {
        // Four equal bands.
        let mut stage = params.stage(&[mean_dbfs - 6.020_6; BANDS]).expect("not neutral");
        let mut frames: Vec<Frame> =
            (0..4800).map(|n| [(amplitude * libm::sin(n as f64 * std::f64::consts::TAU / 480.0)) as f32; 2]).collect();
        stage.process(&mut frames);
        db_from_gain(f64::from(frames.iter().map(|f| f[0]).fold(0.0, f32::max)) / amplitude)
    }

    #[test]
    fn a_peak_over_the_mean_comes_down_by_the_drive_whatever_the_level() {
        for mean_dbfs in [-60.0, -20.0, 0.0] {
            let params = SaturatorParams { drive_db: 4.0, headroom_db: 10.0, mix_pct: 100.0 };
            let at = |over_db: f64| gain_db(&params, gain_from_db(mean_dbfs + over_db), mean_dbfs);
            assert!((at(10.0) + 4.0).abs() < 1e-3, "{}", at(10.0));
            assert!(at(-40.0).abs() < 1e-3, "quiet music keeps its level: {}", at(-40.0));
        }
    }
}
