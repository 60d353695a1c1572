//! Spectra of mid and side in third octaves: of a song, of a target, and their difference.

use analyzer::profile::Profile;
use analyzer::spectrum_bands::{FINE_PER_THIRD, SPECTRUM_BANDS, THIRD_OCTAVES, band_centre_hz, third_octave_hz};
use analyzer::units::{db_from_power, power_from_db};

use crate::features::{Features, MID, SIDE};

/// Levels or gains of mid and side per third octave, dB.
pub type ThirdOctaveLevels = [[f64; THIRD_OCTAVES]; 2];
/// Powers of mid and side per fine band, relative to the power of the loudness.
pub type FineBandPowers = [Vec<f64>; 2];
/// Curves of mid and side for the equaliser, dB per spectrum band.
pub type EqualizerCurves = [[f64; SPECTRUM_BANDS]; 2];
/// Flags of the audible third octaves of mid and side.
pub type AudibleBands = [[bool; THIRD_OCTAVES]; 2];

/// Lower limit of levels relative to the loudness, LU: below it there is only noise.
const FLOOR_LU: f64 = -70.0;
/// Distance below the loudest band up to which a band is audible, dB.
const INAUDIBLE_DB: f64 = 50.0;

/// Returns third-octave levels of mid and side relative to the loudness, LU; `None` if there is no loudness.
pub fn levels(profile: &Profile) -> Option<ThirdOctaveLevels> {
    let loudness = profile.loudness.integrated_lufs?;
    let over = |levels: &[f64]| std::array::from_fn(|band| (levels[band] - loudness).max(FLOOR_LU));
    Some([over(&profile.spectrum.mid.third_octave_db), over(&profile.spectrum.side.third_octave_db)])
}

/// Returns powers of mid and side relative to that of the loudness; `None` if there is no loudness.
pub fn fine(profile: &Profile) -> Option<FineBandPowers> {
    let loudness = profile.loudness.integrated_lufs?;
    // A profile that was read from a file has only third octaves.
    let spread = || levels(profile).map(|levels| fine_of_levels(&levels));
    let powers = [&profile.spectrum.mid.fine, &profile.spectrum.side.fine];
    if powers[0].is_empty() { spread() } else { Some(powers.map(|powers| over_loudness(powers, loudness))) }
}

/// Returns powers relative to that of a loudness.
pub fn over_loudness(powers: &[f64], lufs: f64) -> Vec<f64> {
    powers.iter().map(|power| power * power_from_db(-lufs)).collect()
}

/// Returns the fine bands of third octaves of which nothing more is known: equal powers within each.
pub fn fine_of_levels(levels: &ThirdOctaveLevels) -> FineBandPowers {
    let spread = |db: &f64| [power_from_db(*db) / FINE_PER_THIRD as f64; FINE_PER_THIRD];
    levels.each_ref().map(|levels| levels.iter().flat_map(spread).collect())
}

/// Returns levels per third octave, LU.
pub fn thirds_of(powers: &FineBandPowers) -> ThirdOctaveLevels {
    powers.each_ref().map(|powers| {
        std::array::from_fn(|band| db_from_power(powers[band * FINE_PER_THIRD..][..FINE_PER_THIRD].iter().sum()))
    })
}

/// Returns the same for a song of which only the features are known: quarter octaves, which hold less power than third
/// octaves.
pub fn levels_of_features(song: &Features) -> ThirdOctaveLevels {
    let wider_db = db_from_power(4.0 / 3.0);
    [MID, SIDE].map(|start| {
        let quarters = &song[start..start + SPECTRUM_BANDS];
        std::array::from_fn(|band| quarters_at(quarters, third_octave_hz(band)) + wider_db)
    })
}

/// Returns the gains that turn one spectrum into another, without bounds.
pub fn difference(source: &ThirdOctaveLevels, target: &ThirdOctaveLevels) -> ThirdOctaveLevels {
    std::array::from_fn(|c| std::array::from_fn(|band| target[c][band] - source[c][band]))
}

/// Returns the audible bands of mid and side.
pub fn audible(levels: &ThirdOctaveLevels) -> AudibleBands {
    let loudest = levels[0].iter().fold(f64::NEG_INFINITY, |max, level| max.max(*level));
    levels.map(|levels| levels.map(|level| level > loudest - INAUDIBLE_DB))
}

/// Returns the number of third octaves that lie wholly under `cutoff_hz`.
pub fn thirds_below(cutoff_hz: f64) -> usize {
    let half_band = libm::exp2(1.0 / 6.0);
    (0..THIRD_OCTAVES).take_while(|band| third_octave_hz(*band) * half_band <= cutoff_hz).count()
}

/// Returns gains per third octave as a curve of the equaliser; beyond the `known` ones, the last gain is repeated.
pub fn curve(gains_db: &[f64; THIRD_OCTAVES], known: usize) -> [f64; SPECTRUM_BANDS] {
    let last = known.max(1) - 1;
    std::array::from_fn(|band| {
        let position = (16.0 + 3.0 * libm::log2(band_centre_hz(band) / 1000.0)).clamp(0.0, last as f64);
        between(gains_db, position)
    })
}

/// Returns a curve of quarter octaves at `hz`, by linear interpolation.
pub fn quarters_at(curve: &[f64], hz: f64) -> f64 {
    let position = (4.0 * libm::log2(hz / band_centre_hz(0))).clamp(0.0, (curve.len() - 1) as f64);
    between(curve, position)
}

/// Interpolates linearly between two neighbours.
fn between(values: &[f64], position: f64) -> f64 {
    let (below, above) = (position as usize, (position as usize + 1).min(values.len() - 1));
    values[below] + (position - below as f64) * (values[above] - values[below])
}

/// Returns the mean of a value over the audible bands; 0 if there are none.
pub fn mean_over(audible_bands: &[bool; THIRD_OCTAVES], value: impl Fn(usize) -> f64) -> f64 {
    let count = audible_bands.iter().filter(|is_audible| **is_audible).count().max(1);
    (0..THIRD_OCTAVES).filter(|band| audible_bands[*band]).map(value).sum::<f64>() / count as f64
}
