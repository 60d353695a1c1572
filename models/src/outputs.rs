//! The outputs of a decider and their order: the one description that data set, trainer and network share.

use analyzer::crossover::{BAND_NAMES, BANDS};
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};

/// One value per output of the network: the answer itself, or its standard deviations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outputs {
    /// Gain of the mid, dB per spectrum band.
    pub mid_db: [f64; SPECTRUM_BANDS],
    /// Gain of the side, dB per spectrum band.
    pub side_db: [f64; SPECTRUM_BANDS],
    /// Natural logarithm of the ratio of each band's compressor.
    pub log_ratio: [f64; BANDS],
    /// Change of the peak-to-loudness ratio, LU.
    pub plr_lu: f64,
}

impl Outputs {
    /// Number of outputs.
    pub const COUNT: usize = 2 * SPECTRUM_BANDS + BANDS + 1;

    /// Names in order; data set and network repeat them.
    pub fn names() -> Vec<String> {
        let curve = |channel: &str| {
            (0..SPECTRUM_BANDS).map(|b| format!("match_eq.{channel}_db.{:.0}hz", band_centre_hz(b))).collect::<Vec<_>>()
        };
        let ratios = BAND_NAMES.iter().map(|band| format!("multiband.{band}.log_ratio"));
        [curve("mid"), curve("side"), ratios.collect(), vec!["plr_lu".to_owned()]].concat()
    }

    /// Creates outputs from [`Self::COUNT`] values in order.
    pub fn of(values: &[f64]) -> Self {
        let (curves, rest) = values.split_at(2 * SPECTRUM_BANDS);
        Self {
            mid_db: std::array::from_fn(|band| curves[band]),
            side_db: std::array::from_fn(|band| curves[SPECTRUM_BANDS + band]),
            log_ratio: std::array::from_fn(|band| rest[band]),
            plr_lu: rest[BANDS],
        }
    }

    /// Returns all values in order.
    pub fn values(&self) -> Vec<f64> {
        let Self { mid_db, side_db, log_ratio, plr_lu } = self;
        [mid_db.as_slice(), side_db, log_ratio, &[*plr_lu]].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_stands_where_its_name_does() {
        let outputs = Outputs::of(&std::array::from_fn::<_, { Outputs::COUNT }, _>(|n| n as f64));
        assert_eq!(outputs.values(), (0..Outputs::COUNT).map(|n| n as f64).collect::<Vec<_>>());
        let names = Outputs::names();
        assert_eq!(names.len(), Outputs::COUNT);
        assert_eq!(names[outputs.mid_db[1] as usize], "match_eq.mid_db.26hz");
        assert_eq!(names[outputs.side_db[0] as usize], "match_eq.side_db.22hz");
        assert_eq!(names[outputs.log_ratio[3] as usize], "multiband.high.log_ratio");
        assert_eq!(names[outputs.plr_lu as usize], "plr_lu");
    }
}
