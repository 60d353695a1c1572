//! The spectrum of a reference as it is, without asking what in it is the master and what the song.

use analyzer::crossover::BANDS;
use analyzer::loudness::KWeight;
use analyzer::profile::{SPECTRUM_BANDS, band_centre_hz};
use analyzer::units::{db_from_power, power_from_db};

use crate::decision::{Confidence, MID_BOUND_DB, SIDE_BOUND_DB, Wish};
use crate::features::{Features, MID, SIDE};

/// What a reference has this far under its loudest band is not heard, dB.
const INAUDIBLE_DB: f64 = 50.0;
/// Where a curve may lie within its bounds is tried in steps of this, dB.
const STEP_DB: f64 = 0.1;
/// As far from the plain difference as this, in steps.
const STEPS: i32 = 150;
/// The K-weighting hardly depends on the rate in which it is asked for.
const RATE_HZ: u32 = 48_000;

/// One curve for mid, one for side, dB per spectrum band.
pub type Curves = [[f64; SPECTRUM_BANDS]; 2];

/// What turns the spectrum of `source` into that of `target`, level over loudness: bounds apart.
pub fn difference(source: &Features, target: &Features) -> Curves {
    [MID, SIDE].map(|start| std::array::from_fn(|band| target[start + band] - source[start + band]))
}

/// Which bands of mid and side are heard in a song.
pub fn audible(song: &Features) -> [[bool; SPECTRUM_BANDS]; 2] {
    let loudest = song[MID..MID + SPECTRUM_BANDS].iter().fold(f64::NEG_INFINITY, |max, level| max.max(*level));
    [MID, SIDE].map(|start| std::array::from_fn(|band| song[start + band] > loudest - INAUDIBLE_DB))
}

/// The difference itself, from where the bounds of the equaliser cost least: a constant in it is undone when loudness is
/// solved. Both vectors are comparable.
pub fn decide(source: &Features, target: &Features) -> Wish {
    let wanted = difference(source, target);
    let shift_db = best_shift_db(source, &wanted, &audible(target));
    let [mid_db, side_db] = wanted.map(|curve| curve.map(|db| db + shift_db));
    let confidence = Confidence { tone: 1.0, width: 1.0, dynamics: 1.0 };
    Wish { mid_db, side_db, log_ratio: [0.0; BANDS], confidence }
}

/// The constant with which the bounded curves, once loudness is restored, miss the wanted ones by least.
fn best_shift_db(source: &Features, wanted: &Curves, heard: &[[bool; SPECTRUM_BANDS]; 2]) -> f64 {
    let powers = weighted_powers(source);
    let miss_db = |shift_db: f64| {
        let bounded = bounded(&wanted.map(|curve| curve.map(|db| db + shift_db)));
        let louder_lu = louder_lu(&powers, &bounded);
        (0..2).map(|c| mean_miss_db(&bounded[c], &wanted[c], louder_lu, &heard[c])).sum::<f64>()
    };
    // Where the bounds cost nothing, the middle is as good as any place and leaves the most room.
    let middle_db = -middle(&wanted[0], &heard[0]);
    let mut best = (f64::INFINITY, middle_db);
    for step in 0..=STEPS {
        for sign in [1.0, -1.0] {
            let shift_db = middle_db + sign * f64::from(step) * STEP_DB;
            let miss_db = miss_db(shift_db) + 1e-6 * f64::from(step);
            if miss_db < best.0 {
                best = (miss_db, shift_db);
            }
        }
    }
    best.1
}

/// Both curves within the bounds of mid and side.
pub fn bounded(curves: &Curves) -> Curves {
    let within = |curve: &[f64; SPECTRUM_BANDS], bound_db: f64| curve.map(|db| db.clamp(-bound_db, bound_db));
    [within(&curves[0], MID_BOUND_DB), within(&curves[1], SIDE_BOUND_DB)]
}

/// Between the highest and the lowest.
fn middle(curve: &[f64; SPECTRUM_BANDS], heard: &[bool; SPECTRUM_BANDS]) -> f64 {
    let heard = || curve.iter().zip(heard).filter(|(_, heard)| **heard).map(|(db, _)| *db);
    let (low, high) = (heard().reduce(f64::min), heard().reduce(f64::max));
    low.zip(high).map_or(0.0, |(low, high)| 0.5 * (low + high))
}

fn mean_miss_db(
    got: &[f64; SPECTRUM_BANDS],
    wanted: &[f64; SPECTRUM_BANDS],
    louder_lu: f64,
    heard: &[bool; SPECTRUM_BANDS],
) -> f64 {
    let count = heard.iter().filter(|heard| **heard).count().max(1);
    let miss = |band: usize| if heard[band] { (got[band] - louder_lu - wanted[band]).abs() } else { 0.0 };
    (0..SPECTRUM_BANDS).map(miss).sum::<f64>() / count as f64
}

/// K-weighted powers of mid and side.
fn weighted_powers(source: &Features) -> Curves {
    let coefs = KWeight::coefs(RATE_HZ);
    let weight = |band: usize| -> f64 {
        let gain: f64 = coefs.iter().map(|c| c.gain_at(band_centre_hz(band), RATE_HZ)).product();
        gain * gain
    };
    [MID, SIDE].map(|start| std::array::from_fn(|band| weight(band) * power_from_db(source[start + band])))
}

/// By how much curves make a song louder, pauses apart.
fn louder_lu(powers: &Curves, gains_db: &Curves) -> f64 {
    let sum = |gain: &dyn Fn(usize, usize) -> f64| -> f64 {
        (0..2).flat_map(|c| (0..SPECTRUM_BANDS).map(move |band| (c, band))).map(|(c, b)| powers[c][b] * gain(c, b)).sum()
    };
    db_from_power(sum(&|c, band| power_from_db(gains_db[c][band])) / sum(&|_, _| 1.0).max(1e-30))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::FEATURES;

    fn song(mid: impl Fn(usize) -> f64, side: impl Fn(usize) -> f64) -> Features {
        let mut song = [0.0; FEATURES];
        for band in 0..SPECTRUM_BANDS {
            (song[MID + band], song[SIDE + band]) = (mid(band), side(band));
        }
        song
    }

    #[test]
    fn what_the_bounds_allow_is_taken_whole_but_for_a_constant() {
        let source = song(|_| -15.0, |_| -25.0);
        let target = song(|band| -18.0 + 0.2 * band as f64, |band| -20.0 - 0.1 * band as f64);
        let wish = decide(&source, &target);
        let [mid, side] = bounded(&[wish.mid_db, wish.side_db]);
        let shift_db = mid[0] + 3.0;
        for band in 0..SPECTRUM_BANDS {
            assert!((mid[band] - shift_db - (-3.0 + 0.2 * band as f64)).abs() < 1e-9, "{band}");
            assert!((side[band] - shift_db - (5.0 - 0.1 * band as f64)).abs() < 1e-9, "{band}");
        }
    }

    #[test]
    fn no_other_place_within_the_bounds_comes_closer() {
        let source = song(|_| -15.0, |_| -30.0);
        // Far more bass than the bounds reach.
        let target = song(|band| if band < 10 { -5.0 } else { -22.0 }, |band| if band < 20 { -32.0 } else { -24.0 });
        let (wanted, heard, powers) = (difference(&source, &target), audible(&target), weighted_powers(&source));
        let miss = |shift_db: f64| {
            let got = bounded(&wanted.map(|curve| curve.map(|db| db + shift_db)));
            let louder_lu = louder_lu(&powers, &got);
            (0..2).map(|c| mean_miss_db(&got[c], &wanted[c], louder_lu, &heard[c])).sum::<f64>()
        };
        let wish = decide(&source, &target);
        let chosen = miss(wish.mid_db[0] - wanted[0][0]);
        assert!(chosen > 0.5, "{chosen}");
        assert!((-120..=120).all(|step| miss(0.1 * f64::from(step)) > chosen - 0.02));
    }

    #[test]
    fn what_nobody_hears_of_the_reference_has_no_say() {
        let source = song(|_| -20.0, |_| -30.0);
        let target = song(|band| if band == 39 { -70.0 } else { -20.0 }, |_| -30.0);
        let wish = decide(&source, &target);
        assert!((wish.mid_db[10] - wish.side_db[10]).abs() < 1e-9 && wish.mid_db[10].abs() < MID_BOUND_DB, "{wish:?}");
    }
}
