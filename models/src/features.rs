//! The features of a song that the decider uses: those of the profile's named features that say something about
//! mastering.
//!
//! The other features say nothing about mastering (tempo, roll-off, percentiles over time: see `analyzer/FEATURES.md`).
//! The estimator weighs the remaining ones by how far each differs between songs.

use std::collections::HashMap;

use analyzer::crossover::{BAND_NAMES, BANDS};
use analyzer::profile::Profile;
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};

/// Statistics per band of dynamics.
const DYNAMICS: [&str; 4] = ["crest_db", "spread_10ms_db", "spread_100ms_db", "spread_1s_db"];
/// Index of the spread over 100 ms among them.
const SPREAD_100MS: usize = 2;

/// Length of a feature vector.
pub const FEATURES: usize = 2 * SPECTRUM_BANDS + (DYNAMICS.len() + 1) * BANDS + 2;

/// Index of the first feature of the mid's spectrum.
pub const MID: usize = 0;
/// Index of the first feature of the side's spectrum.
pub const SIDE: usize = SPECTRUM_BANDS;
/// Index of the first feature of the dynamics: all statistics of the lowest band, then those of the next.
pub const DYNAMICS_START: usize = 2 * SPECTRUM_BANDS;

/// Index of the first feature of the width.
pub const WIDTH_START: usize = DYNAMICS_START + DYNAMICS.len() * BANDS;

/// Index of the peak-to-loudness ratio.
pub const PLR: usize = WIDTH_START + BANDS;

/// Returns the index of the crest factor of a band.
pub fn crest(band: usize) -> usize {
    DYNAMICS_START + DYNAMICS.len() * band
}

/// Returns the index of the spread of a band's level in frames of 100 ms.
pub fn spread_100ms(band: usize) -> usize {
    DYNAMICS_START + DYNAMICS.len() * band + SPREAD_100MS
}

/// The feature vector of a song.
pub type Features = [f64; FEATURES];

/// Names in the order of the vector, as in [`Profile::features`]; the network's file repeats them.
pub fn names() -> Vec<String> {
    let mut names = Vec::with_capacity(FEATURES);
    for channel in ["mid", "side"] {
        names.extend((0..SPECTRUM_BANDS).map(|band| format!("{channel}_{:.0}hz_mean_lu", band_centre_hz(band))));
    }
    for band in BAND_NAMES {
        names.extend(DYNAMICS.iter().map(|statistic| format!("{band}_{statistic}")));
    }
    names.extend(BAND_NAMES.iter().map(|band| format!("{band}_width_db")));
    names.extend(["plr_lu".to_string(), "loudness_range_lu".to_string()]);
    names
}

/// Returns the feature vector of a song; `None` if nothing in it is audible (silence, a constant, less than 0.4 s).
pub fn features(profile: &Profile) -> Option<Features> {
    let all: HashMap<String, f64> = profile.features()?.into_iter().collect();
    let values: Option<Vec<f64>> = names().iter().map(|name| all.get(name).copied()).collect();
    values?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use analyzer::analyze::Analyzer;
    use analyzer::stream::Meter as _;

    #[test]
    fn a_place_has_the_name_that_is_meant() {
        assert_eq!(names()[spread_100ms(1)], "low_mid_spread_100ms_db");
        assert_eq!(names()[crest(2)], "high_mid_crest_db");
        assert_eq!(names()[SIDE], "side_22hz_mean_lu");
        assert_eq!(names()[WIDTH_START], "low_width_db");
        assert_eq!(names()[PLR], "plr_lu");
    }

    #[test]
    fn every_name_is_a_feature_of_a_profile() {
        let mut analyzer = Analyzer::new(44_100, 2);
        analyzer.push(&analyzer::synth::pink_noise(44_100, -20.0, 1.0, 1));
        assert!(features(&analyzer.finish()).is_some_and(|vector| vector.iter().all(|value| value.is_finite())));
    }
}
