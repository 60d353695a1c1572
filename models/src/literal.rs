//! Takes the spectrum of a reference as it is, without separating its mastering from its song.
//!
//! It works in third octaves: narrower bands are single notes, which no bounded equaliser can turn into others.

use analyzer::crossover::BANDS;

use crate::bounds::{bounds, least_lost_shift_db, of_mid_and_side, softened};
use crate::decision::{Confidence, MasteringDecision};
use crate::fit::Fit;
use crate::target::TargetKind;
use crate::third_octaves::{FineBandPowers, ThirdOctaveLevels, audible, curve, difference, thirds_below, thirds_of};

/// Decides the curves that bring a song closest to `target` within the bounds of the equaliser, except for a constant
/// that is undone when loudness is solved. Nothing is known beyond `cutoff_hz`.
pub fn decide(source: &FineBandPowers, target: &ThirdOctaveLevels, cutoff_hz: f64) -> MasteringDecision {
    let mut audible_bands = audible(target);
    let known = thirds_below(cutoff_hz);
    for bands in &mut audible_bands {
        bands[known..].fill(false);
    }
    let fit = Fit::new(source, cutoff_hz);
    let gains = within_bounds(&thirds_of(source), target, cutoff_hz);
    let start = gains.map(|gains| curve(&gains, known));
    let [mid_db, side_db] = fit.curves(&fit.moved(&gains), &audible_bands, &start);
    let confidence = Confidence { tone: 1.0, width: 1.0, dynamics: 1.0 };
    MasteringDecision { mid_db, side_db, log_ratio: [0.0; BANDS], plr_lu: 0.0, same_song: 0.0, confidence }
}

/// Returns the gain of each third octave on the way from `source` to `target`, dB; beyond `cutoff_hz`, that of the last
/// known one.
pub fn within_bounds(source: &ThirdOctaveLevels, target: &ThirdOctaveLevels, cutoff_hz: f64) -> ThirdOctaveLevels {
    let (mut wanted, audible_bands, bounds) =
        (difference(source, target), audible(target), bounds(TargetKind::Literal));
    let known = thirds_below(cutoff_hz).max(1);
    for wanted in &mut wanted {
        let last = wanted[known - 1];
        wanted[known..].fill(last);
    }
    let of_audible =
        |c: usize| -> Vec<f64> { (0..known).filter(|b| audible_bands[c][*b]).map(|b| wanted[c][b]).collect() };
    let gains = [of_audible(0), of_audible(1)];
    let shift_db = least_lost_shift_db(&of_mid_and_side([&gains[0], &gains[1]], bounds));
    std::array::from_fn(|c| wanted[c].map(|db| softened(db - shift_db, bounds[c])))
}

#[cfg(test)]
mod tests {
    use analyzer::spectrum_bands::{
        FINE_BANDS, FINE_PER_THIRD, SPECTRUM_BANDS, THIRD_OCTAVES, band_centre_hz, fine_band_hz,
    };
    use analyzer::units::{db_from_power, power_from_db};

    use super::*;
    use crate::bounds::MID_BOUND_DB;
    use crate::features::{FEATURES, MID, SIDE};
    use crate::target::bands_below;
    use crate::third_octaves::{fine_of_levels, levels_of_features};

    const ALL_HZ: f64 = 20_480.0;

    fn song(mid: impl Fn(usize) -> f64, side: impl Fn(usize) -> f64) -> ThirdOctaveLevels {
        [std::array::from_fn(mid), std::array::from_fn(side)]
    }

    /// Difference that `wish` leaves between source and target, dB.
    fn missed(source: &ThirdOctaveLevels, target: &ThirdOctaveLevels, wish: &MasteringDecision) -> ThirdOctaveLevels {
        let fine = fine_of_levels(source);
        difference(&Fit::new(&fine, ALL_HZ).levels(&[wish.mid_db, wish.side_db]), target)
    }

    /// Levels of a curve applied to `source`, relative to the resulting loudness.
    fn as_loud(source: &ThirdOctaveLevels, curve: impl Fn(usize) -> f64) -> ThirdOctaveLevels {
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
