//! Dynamics and stereo image per crossover band, without the rest of a profile: cheap enough to measure on every master
//! while it is written.

use crate::bands::BandMeter;
use crate::blocks::Blocks;
use crate::crossover::BANDS;
use crate::dynamics::band_dynamics;
use crate::readings::BandDynamics;
use crate::stereo::{band_correlation, band_width_db};
use crate::stream::{Frame, Meter};

/// Measures [`BandStatistics`]. Memory: 20 bytes per 10 ms, 22 MB for three hours.
pub struct BandStatisticsMeter {
    blocks: Blocks,
    bands: BandMeter,
}

/// Statistics per band, low to high; the same figures as in a profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandStatistics {
    /// Levels, crest factor and spread.
    pub dynamics: [BandDynamics; BANDS],
    /// Level of side over mid, dB.
    pub width_db: [f64; BANDS],
    /// Correlation of left and right, −1 to 1.
    pub correlation: [f64; BANDS],
}

impl BandStatisticsMeter {
    /// Creates a meter at the start of a stream.
    pub fn new(sample_rate_hz: u32) -> Self {
        Self { blocks: Blocks::new(sample_rate_hz), bands: BandMeter::new(sample_rate_hz) }
    }
}

impl Meter for BandStatisticsMeter {
    type Reading = BandStatistics;

    fn push(&mut self, frames: &[Frame]) {
        self.blocks.push(frames, |block| self.bands.push(block));
    }

    fn finish(mut self) -> BandStatistics {
        self.bands.push(self.blocks.rest());
        let history = self.bands.finish();
        BandStatistics {
            dynamics: std::array::from_fn(|band| band_dynamics(&history, band)),
            width_db: band_width_db(&history),
            correlation: band_correlation(&history),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::Analyzer;
    use crate::synth::demo_mix;

    #[test]
    fn statistics_are_those_of_a_profile_however_the_song_is_cut() {
        let song = demo_mix(44_100, 3.3);
        let mut analyzer = Analyzer::new(44_100, 2);
        analyzer.push(&song);
        let profile = analyzer.finish();
        for block in [441, 5000] {
            let mut meter = BandStatisticsMeter::new(44_100);
            song.chunks(block).for_each(|chunk| meter.push(chunk));
            let BandStatistics { dynamics, width_db, correlation } = meter.finish();
            assert_eq!(dynamics, profile.dynamics.bands);
            assert_eq!((width_db, correlation), (profile.stereo.width_db, profile.stereo.correlation));
        }
    }
}
