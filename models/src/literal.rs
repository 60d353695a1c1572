//! The spectrum of a reference as it is, without asking what in it is the master and what the song.
//!
//! It is taken in third octaves: narrower bands are single notes, which no bounded equaliser can turn into others.

use analyzer::crossover::BANDS;
use analyzer::loudness::energy_share;
use analyzer::profile::{FINE_PER_THIRD, Profile, SPECTRUM_BANDS, THIRD_OCTAVES, band_centre_hz, third_octave_hz};
use analyzer::units::{db_from_power, power_from_db};

use crate::decision::{Confidence, Wish};
use crate::features::{Features, MID, SIDE};
use crate::fit::Fit;

/// Levels or gains of mid and side per third octave, dB.
pub type Thirds = [[f64; THIRD_OCTAVES]; 2];
/// Powers of mid and side per fine band, over the power of the loudness.
pub type Fine = [Vec<f64>; 2];
/// A curve for mid, one for side, as the equaliser takes them, dB.
pub type Curves = [[f64; SPECTRUM_BANDS]; 2];
/// Which third octaves of mid and side are heard.
pub type Heard = [[bool; THIRD_OCTAVES]; 2];

/// Levels further under the loudness than this hold nothing but noise, LU.
const FLOOR_LU: f64 = -70.0;
/// What a song has this far under its loudest band is not heard, dB.
const INAUDIBLE_DB: f64 = 50.0;

/// Third-octave levels of mid and side over the loudness, LU; `None` where there is no loudness.
pub fn levels(profile: &Profile) -> Option<Thirds> {
    let loudness = loudness(profile)?;
    let over = |levels: &[f64]| std::array::from_fn(|band| (levels[band] - loudness).max(FLOOR_LU));
    Some([over(&profile.spectrum.mid.third_octave_db), over(&profile.spectrum.side.third_octave_db)])
}

/// As for the features: of a mono song as it sounds from two loudspeakers.
fn loudness(profile: &Profile) -> Option<f64> {
    Some(profile.loudness.integrated_lufs? - db_from_power(energy_share(profile.channels)))
}

/// Powers of mid and side over the loudness; `None` where there is none.
pub fn fine(profile: &Profile) -> Option<Fine> {
    let loudness = loudness(profile)?;
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
pub fn fine_of_levels(levels: &Thirds) -> Fine {
    let spread = |db: &f64| [power_from_db(*db) / FINE_PER_THIRD as f64; FINE_PER_THIRD];
    levels.each_ref().map(|levels| levels.iter().flat_map(spread).collect())
}

/// Levels per third octave, LU.
pub fn thirds_of(powers: &Fine) -> Thirds {
    powers.each_ref().map(|powers| {
        std::array::from_fn(|band| db_from_power(powers[band * FINE_PER_THIRD..][..FINE_PER_THIRD].iter().sum()))
    })
}

/// The same of a song of which only the features are known, quarter octaves, which hold less than thirds.
pub fn levels_of_features(song: &Features) -> Thirds {
    let wider_db = db_from_power(4.0 / 3.0);
    [MID, SIDE].map(|start| {
        let quarters = &song[start..start + SPECTRUM_BANDS];
        std::array::from_fn(|band| quarters_at(quarters, third_octave_hz(band)) + wider_db)
    })
}

/// What turns one spectrum into another, bounds apart.
pub fn difference(source: &Thirds, target: &Thirds) -> Thirds {
    std::array::from_fn(|c| std::array::from_fn(|band| target[c][band] - source[c][band]))
}

/// Which bands of mid and side are heard.
pub fn audible(levels: &Thirds) -> Heard {
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

/// What brings a song closest to `target` within the bounds of the equaliser, but for a constant that is undone when
/// loudness is solved. Beyond `cutoff_hz` nothing is known.
pub fn decide(source: &Fine, target: &Thirds, cutoff_hz: f64) -> Wish {
    let (wanted, mut heard) = (difference(&thirds_of(source), target), audible(target));
    let known = thirds_below(cutoff_hz);
    for heard in &mut heard {
        heard[known..].fill(false);
    }
    // In the middle there is most room.
    let shift_db = middle(&wanted[0], &heard[0]);
    let start = wanted.map(|gains| curve(&gains.map(|db| db - shift_db), known));
    let [mid_db, side_db] = Fit::new(source, cutoff_hz).curves(target, &heard, &start);
    let confidence = Confidence { tone: 1.0, width: 1.0, dynamics: 1.0 };
    Wish { mid_db, side_db, log_ratio: [0.0; BANDS], plr_lu: 0.0, confidence }
}

/// Mean of a value over the bands that are heard; 0 where none is.
pub fn mean_over(heard: &[bool; THIRD_OCTAVES], value: impl Fn(usize) -> f64) -> f64 {
    let count = heard.iter().filter(|heard| **heard).count().max(1);
    (0..THIRD_OCTAVES).filter(|band| heard[*band]).map(value).sum::<f64>() / count as f64
}

/// Between the highest and the lowest.
fn middle(gains: &[f64; THIRD_OCTAVES], heard: &[bool; THIRD_OCTAVES]) -> f64 {
    let heard = || gains.iter().zip(heard).filter(|(_, heard)| **heard).map(|(db, _)| *db);
    let (low, high) = (heard().reduce(f64::min), heard().reduce(f64::max));
    low.zip(high).map_or(0.0, |(low, high)| 0.5 * (low + high))
}

#[cfg(test)]
mod tests {
    use analyzer::profile::{FINE_BANDS, fine_band_hz};

    use super::*;
    use crate::decision::MID_BOUND_DB;
    use crate::features::FEATURES;
    use crate::target::bands_below;

    const ALL_HZ: f64 = 20_480.0;

    fn song(mid: impl Fn(usize) -> f64, side: impl Fn(usize) -> f64) -> Thirds {
        [std::array::from_fn(mid), std::array::from_fn(side)]
    }

    /// What `wish` leaves between source and target, dB.
    fn missed(source: &Thirds, target: &Thirds, wish: &Wish) -> Thirds {
        let fine = fine_of_levels(source);
        difference(&Fit::new(&fine, ALL_HZ).levels(&[wish.mid_db, wish.side_db]), target)
    }

    /// Levels over a loudness that is that of `source`.
    fn as_loud(source: &Thirds, curve: impl Fn(usize) -> f64) -> Thirds {
        let fine = fine_of_levels(source);
        let curve = std::array::from_fn(curve);
        Fit::new(&fine, ALL_HZ).levels(&[curve, curve.map(|db| 1.3 * db)])
    }

    #[test]
    fn what_the_bounds_allow_is_taken_whole_but_for_a_constant() {
        let source = song(|_| -15.0, |_| -25.0);
        let target = as_loud(&source, |band| 3.0 * libm::sin(band as f64 / 3.0));
        let wish = decide(&fine_of_levels(&source), &target, ALL_HZ);
        assert!(missed(&source, &target, &wish).as_flattened().iter().all(|db| db.abs() < 0.1), "{wish:?}");
    }

    #[test]
    fn a_band_out_of_reach_does_not_draw_the_others() {
        let source = song(|_| -15.0, |_| -30.0);
        let mut target = as_loud(&source, |band| 3.0 * libm::sin(band as f64 / 3.0));
        target[0][12] -= 20.0;
        let missed = missed(&source, &target, &decide(&fine_of_levels(&source), &target, ALL_HZ));
        assert!(missed[0][12] < -10.0, "{missed:?}");
        assert!(
            (0..THIRD_OCTAVES).filter(|band| band.abs_diff(12) > 1).all(|band| missed[0][band].abs() < 0.3),
            "{missed:?}"
        );
    }

    #[test]
    fn what_nobody_hears_of_the_reference_has_no_say() {
        let source = song(|_| -20.0, |_| -30.0);
        let mut target = as_loud(&source, |_| 0.0);
        target[0][28] = -71.0;
        let wish = decide(&fine_of_levels(&source), &target, ALL_HZ);
        assert!((wish.mid_db[10] - wish.side_db[10]).abs() < 0.1 && wish.mid_db[10].abs() < MID_BOUND_DB, "{wish:?}");
    }

    #[test]
    fn nothing_is_known_beyond_a_cutoff() {
        let source = song(|_| -20.0, |_| -30.0);
        let target = song(|band| if band > 20 { -60.0 } else { -20.0 - 0.1 * band as f64 }, |_| -30.0);
        let wish = decide(&fine_of_levels(&source), &target, 3000.0);
        let (below, beyond) = wish.mid_db.split_at(bands_below(3000.0) - 1);
        assert!(
            beyond.iter().all(|db| *db == beyond[0]) && (beyond[0] - below[below.len() - 1]).abs() < 0.3,
            "{wish:?}"
        );
        let mean_db = wish.mid_db.iter().sum::<f64>() / SPECTRUM_BANDS as f64;
        assert!(mean_db.abs() < 3.0, "{mean_db} dB for what is not known");
    }

    #[test]
    fn a_song_of_which_only_features_are_known_is_as_loud_as_it_is() {
        let slope = |hz: f64| -30.0 - 1.5 * libm::log2(hz / 500.0).abs();
        let (mut song, in_quarter_db) = ([0.0; FEATURES], db_from_power(FINE_PER_THIRD as f64 * 3.0 / 4.0));
        for band in 0..SPECTRUM_BANDS {
            song[MID + band] = slope(band_centre_hz(band)) + in_quarter_db;
            song[SIDE + band] = song[MID + band] - 8.0;
        }
        let mid: Vec<f64> = (0..FINE_BANDS).map(|point| power_from_db(slope(fine_band_hz(point)))).collect();
        let side = mid.iter().map(|power| power * power_from_db(-8.0)).collect();
        let wish = decide(&[mid, side], &levels_of_features(&song), ALL_HZ);
        assert!(wish.mid_db.iter().chain(&wish.side_db).all(|db| db.abs() < 0.2), "{wish:?}");
    }
}
