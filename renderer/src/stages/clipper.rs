//! A soft clipper ahead of the limiter: it takes off the tips of peaks and nothing else.

use analyzer::crossover::BANDS;
use analyzer::units::gain_from_db;

use crate::params::{Param, params};
use crate::shaper::{Curve, Shaper, mean_dbfs};

params! {
    /// A soft clipper; samples below the knee keep their bits.
    pub struct ClipperParams {
        /// Reduction of a peak at `headroom_db`, dB; 0 changes nothing.
        drive_db: Param::linear(0.0, 6.0, 0.0, 0.01),
        /// Level of that peak over the song's mean power, dB.
        headroom_db: Param::linear(6.0, 24.0, 14.0, 0.1),
        /// Distance below the ceiling at which the curve begins to bend, dB.
        knee_db: Param::linear(2.0, 12.0, 4.0, 0.1),
    }
}

impl ClipperParams {
    /// Creates the stage. `band_levels_dbfs` is the mean power of each band of the stream to come. `None` if it changes
    /// nothing.
    pub fn stage(&self, band_levels_dbfs: &[f64; BANDS]) -> Option<Shaper> {
        let ClipperParams { drive_db, headroom_db, knee_db } = *self;
        (drive_db > 0.0).then(|| {
            let peak = gain_from_db(mean_dbfs(band_levels_dbfs) + headroom_db);
            Shaper::new(Curve::new(peak, drive_db, gain_from_db(-knee_db)), 1.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Stage as _;
    use analyzer::stream::Frame;

    #[test]
    fn tips_come_down_by_the_drive_and_the_rest_keeps_its_bits() {
        let params = ClipperParams { drive_db: 3.0, headroom_db: 12.0, knee_db: 2.0 };
        // With four equal bands, the mean is at −12 dBFS and a peak with that headroom at 0 dBFS.
        let levels = [-18.020_6; BANDS];
        // The knee lies 2 dB under a ceiling that is a little over −3 dBFS.
        for (amplitude, wanted) in [(1.0, gain_from_db(-3.0)), (gain_from_db(-5.1), gain_from_db(-5.1))] {
            let mut stage = params.stage(&levels).expect("not neutral");
            let tone: Vec<Frame> = (0..4800)
                .map(|n| [(amplitude * libm::sin(n as f64 * std::f64::consts::TAU / 480.0)) as f32; 2])
                .collect();
            let mut frames = tone.clone();
            stage.process(&mut frames);
            let largest = f64::from(frames.iter().map(|f| f[0]).fold(0.0, f32::max));
            assert!((largest - wanted).abs() < 1e-3, "{largest} instead of {wanted}");
            let latency = stage.latency_frames();
            assert_eq!(frames[latency..] == tone[..tone.len() - latency], amplitude < 1.0);
        }
    }
}
