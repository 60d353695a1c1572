//! Spectra of mid and side in third octaves: of a song, of a target, and what lies between them.

use analyzer::profile::Profile;
use analyzer::spectrum_bands::{FINE_PER_THIRD, SPECTRUM_BANDS, THIRD_OCTAVES, band_centre_hz, third_octave_hz};
use analyzer::units::{db_from_power, power_from_db};

use crate::features::{Features, MID, SIDE};

/// Levels or gains of mid and side per third octave, dB.
pub type ThirdOctaveLevels = [[f64; THIRD_OCTAVES]; 2];
/// Powers of mid and side per fine band, over the power of the loudness.
pub type FineBandPowers = [Vec<f64>; 2];
/// A curve for mid, one for side, as the equaliser takes them, dB.
pub type EqualizerCurves = [[f64; SPECTRUM_BANDS]; 2];
/// Which third octaves of mid and side are heard.
pub type AudibleBands = [[bool; THIRD_OCTAVES]; 2];

/// Levels further under the loudness than this hold nothing but noise, LU.
const FLOOR_LU: f64 = -70.0;
/// What a song has this far under its loudest band is not heard, dB.
const INAUDIBLE_DB: f64 = 50.0;

/// Third-octave levels of mid and side over the loudness, LU; `None` where there is no loudness.
pub fn levels(profile: &Profile) -> Option<ThirdOctaveLevels> {
    let loudness = profile.loudness.integrated_lufs?;
    let over = |levels: &[f64]| std::array::from_fn(|band| (levels[band] - loudness).max(FLOOR_LU));
    Some([over(&profile.spectrum.mid.third_octave_db), over(&profile.spectrum.side.third_octave_db)])
}

/// Powers of mid and side over the loudness; `None` where there is none.
pub fn fine(profile: &Profile) -> Option<FineBandPowers> {
    let loudness = profile.loudness.integrated_lufs?;
    // A profile that was written down knows the third octaves alone.
    let spread = || levels(profile).map(|levels| fine_of_levels(&levels));
    let powers = [&profile.spectrum.mid.fine, &profile.spectrum.side.fine];
    if powers[0].is_empty() { spread() } else { Some(powers.map(|powers| over_loudness(powers, loudness))) }
}

/// Powers over that of a loudness.
pub fn over_loudness(powers: &[f64], lufs: f64) -> Vec<f64> {
    powers.iter().map(|power| power * power_from_db(-lufs)).collect()
}

/// Third octaves of which nothing more is known.
pub fn fine_of_levels(levels: &ThirdOctaveLevels) -> FineBandPowers {
    let spread = |db: &f64| [power_from_db(*db) / FINE_PER_THIRD as f64; FINE_PER_THIRD];
    levels.each_ref().map(|levels| levels.iter().flat_map(spread).collect())
}

/// Levels per third octave, LU.
pub fn thirds_of(powers: &FineBandPowers) -> ThirdOctaveLevels {
    powers.each_ref().map(|powers| {
        std::array::from_fn(|band| db_from_power(powers[band * FINE_PER_THIRD..][..FINE_PER_THIRD].iter().sum()))
    })
}

/// The same of a song of which only the features are known, quarter octaves, which hold less than thirds.
pub fn levels_of_features(song: &Features) -> ThirdOctaveLevels {
    let wider_db = db_from_power(4.0 / 3.0);
    [MID, SIDE].map(|start| {
        let quarters = &song[start..start + SPECTRUM_BANDS];
        std::array::from_fn(|band| quarters_at(quarters, third_octave_hz(band)) + wider_db)
    })
}

/// What turns one spectrum into another, bounds apart.
pub fn difference(source: &ThirdOctaveLevels, target: &ThirdOctaveLevels) -> ThirdOctaveLevels {
    std::array::from_fn(|c| std::array::from_fn(|band| target[c][band] - source[c][band]))
}

/// Which bands of mid and side are heard.
pub fn audible(levels: &ThirdOctaveLevels) -> AudibleBands {
    let loudest = levels[0].iter().fold(f64::NEG_INFINITY, |max, level| max.max(*level));
    levels.map(|levels| levels.map(|level| level > loudest - INAUDIBLE_DB))
}

/// Third octaves that lie wholly under `cutoff_hz`.
pub fn thirds_below(cutoff_hz: f64) -> usize {
    let half_band = libm::exp2(1.0 / 6.0);
    (0..THIRD_OCTAVES).take_while(|band| third_octave_hz(*band) * half_band <= cutoff_hz).count()
}

/// Gains per third octave as a curve of the equaliser; beyond the `known` ones it stays where it stands.
pub fn curve(gains_db: &[f64; THIRD_OCTAVES], known: usize) -> [f64; SPECTRUM_BANDS] {
    let last = known.max(1) - 1;
    std::array::from_fn(|band| {
        let position = (16.0 + 3.0 * libm::log2(band_centre_hz(band) / 1000.0)).clamp(0.0, last as f64);
        between(gains_db, position)
    })
}

/// A curve of quarter octaves at `hz`, by a straight line.
pub fn quarters_at(curve: &[f64], hz: f64) -> f64 {
    let position = (4.0 * libm::log2(hz / band_centre_hz(0))).clamp(0.0, (curve.len() - 1) as f64);
    between(curve, position)
}

/// The straight line between two neighbours.
fn between(values: &[f64], position: f64) -> f64 {
    let (below, above) = (position as usize, (position as usize + 1).min(values.len() - 1));
    values[below] + (position - below as f64) * (values[above] - values[below])
}

/// Mean of a value over the bands that are heard; 0 where none is.
pub fn mean_over(heard: &[bool; THIRD_OCTAVES], value: impl Fn(usize) -> f64) -> f64 {
    let count = heard.iter().filter(|heard| **heard).count().max(1);
    (0..THIRD_OCTAVES).filter(|band| heard[*band]).map(value).sum::<f64>() / count as f64
}
