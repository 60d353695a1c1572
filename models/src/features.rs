//! What the decider sees of a song: one vector, independent of its level.

use analyzer::crossover::{BAND_NAMES, BANDS};
use analyzer::loudness::energy_share;
use analyzer::profile::{Profile, SPECTRUM_BANDS, Spectrum, band_centre_hz};
use analyzer::units::db_from_power;

/// Quieter than this under the loudness, a band holds nothing that could be told from noise, dB.
const FLOOR_LU: f64 = -70.0;

/// Statistics per band of dynamics.
const DYNAMICS: [&str; 4] = ["crest_db", "spread_10ms_db", "spread_50ms_db", "spread_400ms_db"];

/// Length of a feature vector.
pub const FEATURES: usize = 2 * SPECTRUM_BANDS + (DYNAMICS.len() + 1) * BANDS + 2;

/// Where the features of one spectrum start.
pub const MID: usize = 0;
/// See [`MID`].
pub const SIDE: usize = SPECTRUM_BANDS;
/// Where those of the dynamics start: all statistics of the lowest band, then of the next.
pub const DYNAMICS_START: usize = 2 * SPECTRUM_BANDS;
/// Where those of the width start.
pub const WIDTH_START: usize = DYNAMICS_START + DYNAMICS.len() * BANDS;

/// A song as the decider sees it.
pub type Features = [f64; FEATURES];

/// Names in the order of the vector; the network's file repeats them.
pub fn names() -> Vec<String> {
    let mut names = Vec::with_capacity(FEATURES);
    for channel in ["mid", "side"] {
        names.extend((0..SPECTRUM_BANDS).map(|band| format!("{channel}_{:.0}hz_lu", band_centre_hz(band))));
    }
    for band in BAND_NAMES {
        names.extend(DYNAMICS.iter().map(|statistic| format!("{band}_{statistic}")));
    }
    names.extend(BAND_NAMES.iter().map(|band| format!("{band}_width_db")));
    names.extend(["plr_lu".to_string(), "loudness_range_lu".to_string()]);
    names
}

/// The vector of a song; `None` when there is nothing to hear in it (silence, a constant, less than 0.4 s).
pub fn features(profile: &Profile) -> Option<Features> {
    if profile.is_inaudible() {
        return None;
    }
    // A mono song is compared as it sounds from two speakers, like its spectrum.
    let loudness = profile.loudness.integrated_lufs? - db_from_power(energy_share(profile.channels));
    let mut values = Vec::with_capacity(FEATURES);
    for Spectrum { mean_db, .. } in [&profile.spectrum.mid, &profile.spectrum.side] {
        values.extend(mean_db.iter().map(|level| (level - loudness).max(FLOOR_LU)));
    }
    for band in &profile.dynamics.bands {
        values.extend([band.crest_db, band.spread_10ms_db, band.spread_50ms_db, band.spread_400ms_db]);
    }
    values.extend(profile.stereo.width_db.iter().map(|width| width.clamp(-40.0, 20.0)));
    values.extend([profile.peak.true_peak_dbtp - loudness, profile.loudness.range_lu]);
    values.try_into().ok()
}
