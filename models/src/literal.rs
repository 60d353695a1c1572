//! The spectrum of a reference as it is, without asking what in it is the master and what the song.
//!
//! It is taken in third octaves: narrower bands are single notes, which no bounded equaliser can turn into others.

use analyzer::crossover::BANDS;
use analyzer::loudness::{KWeight, energy_share};
use analyzer::profile::{Profile, SPECTRUM_BANDS, THIRD_OCTAVES, band_centre_hz, third_octave_hz};
use analyzer::units::{db_from_power, power_from_db};

use crate::decision::{Confidence, MID_BOUND_DB, SIDE_BOUND_DB, Wish};
use crate::features::{Features, MID, SIDE};

/// Levels or gains of mid and side per third octave, dB.
pub type Thirds = [[f64; THIRD_OCTAVES]; 2];

/// Levels further under the loudness than this hold nothing but noise, LU.
const FLOOR_LU: f64 = -70.0;
/// What a song has this far under its loudest band is not heard, dB.
const INAUDIBLE_DB: f64 = 50.0;
/// Where curves may lie within their bounds is tried in steps of this, dB...
const STEP_DB: f64 = 0.1;
/// ...so many on either side.
const STEPS: i32 = 150;
/// The K-weighting hardly depends on the rate in which it is asked for.
const RATE_HZ: u32 = 48_000;

/// Third-octave levels of mid and side over the loudness, LU; `None` where there is no loudness.
pub fn levels(profile: &Profile) -> Option<Thirds> {
    // As for the features: a mono song as it sounds from two loudspeakers.
    let loudness = profile.loudness.integrated_lufs? - db_from_power(energy_share(profile.channels));
    let over = |levels: &[f64]| std::array::from_fn(|band| (levels[band] - loudness).max(FLOOR_LU));
    Some([over(&profile.spectrum.mid.third_octave_db), over(&profile.spectrum.side.third_octave_db)])
}

/// The same of a song of which only the features are known.
pub fn levels_of_features(song: &Features) -> Thirds {
    [MID, SIDE].map(|start| std::array::from_fn(|band| quarters_at(&song[start..start + SPECTRUM_BANDS], third_octave_hz(band))))
}

/// What turns one spectrum into another, bounds apart.
pub fn difference(source: &Thirds, target: &Thirds) -> Thirds {
    std::array::from_fn(|c| std::array::from_fn(|band| target[c][band] - source[c][band]))
}

/// Which bands of mid and side are heard.
pub fn audible(levels: &Thirds) -> [[bool; THIRD_OCTAVES]; 2] {
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

/// The difference itself, from where the bounds of the equaliser cost least: a constant in it is undone when loudness is
/// solved. Bands from `known` on say nothing.
pub fn decide(source: &Thirds, target: &Thirds, known: usize) -> Wish {
    let wanted = difference(source, target);
    let mut heard = audible(target);
    heard.iter_mut().for_each(|heard| heard[known.min(THIRD_OCTAVES)..].fill(false));
    let shift_db = best_shift_db(source, &wanted, &heard);
    let shifted = wanted.map(|gains| gains.map(|db| db + shift_db));
    // Within the bounds first, so that a band out of reach does not draw its neighbours.
    let [mid_db, side_db] = bounded(&shifted).map(|gains| curve(&gains, known));
    let confidence = Confidence { tone: 1.0, width: 1.0, dynamics: 1.0 };
    Wish { mid_db, side_db, log_ratio: [0.0; BANDS], confidence }
}

/// The constant with which the bounded gains, once loudness is restored, miss the wanted ones by least.
fn best_shift_db(source: &Thirds, wanted: &Thirds, heard: &[[bool; THIRD_OCTAVES]; 2]) -> f64 {
    // Where the bounds cost nothing, the middle is as good as any place and leaves the most room.
    let middle_db = -middle(&wanted[0], &heard[0]);
    let mut best = (f64::INFINITY, middle_db);
    for step in 0..=STEPS {
        for sign in [1.0, -1.0] {
            let shift_db = middle_db + sign * f64::from(step) * STEP_DB;
            let miss_db = miss_db(source, wanted, heard, shift_db) + 1e-6 * f64::from(step);
            if miss_db < best.0 {
                best = (miss_db, shift_db);
            }
        }
    }
    best.1
}

/// Mean distance in mid and in side from what is wanted, when gains are shifted by a constant, bounded, and loudness is
/// restored.
fn miss_db(source: &Thirds, wanted: &Thirds, heard: &[[bool; THIRD_OCTAVES]; 2], shift_db: f64) -> f64 {
    let got = bounded(&wanted.map(|gains| gains.map(|db| db + shift_db)));
    let louder_lu = louder_lu(source, &got);
    let of = |c: usize| {
        let miss = |band: usize| (got[c][band] - louder_lu - wanted[c][band]).abs();
        mean_over(&heard[c], miss)
    };
    of(0) + of(1)
}

/// Mean of a value over the bands that are heard; 0 where none is.
pub fn mean_over(heard: &[bool; THIRD_OCTAVES], value: impl Fn(usize) -> f64) -> f64 {
    let count = heard.iter().filter(|heard| **heard).count().max(1);
    (0..THIRD_OCTAVES).filter(|band| heard[*band]).map(value).sum::<f64>() / count as f64
}

/// Gains within the bounds of mid and side.
pub fn bounded(gains_db: &Thirds) -> Thirds {
    let within = |gains: &[f64; THIRD_OCTAVES], bound_db: f64| gains.map(|db| db.clamp(-bound_db, bound_db));
    [within(&gains_db[0], MID_BOUND_DB), within(&gains_db[1], SIDE_BOUND_DB)]
}

/// Between the highest and the lowest.
fn middle(gains: &[f64; THIRD_OCTAVES], heard: &[bool; THIRD_OCTAVES]) -> f64 {
    let heard = || gains.iter().zip(heard).filter(|(_, heard)| **heard).map(|(db, _)| *db);
    let (low, high) = (heard().reduce(f64::min), heard().reduce(f64::max));
    low.zip(high).map_or(0.0, |(low, high)| 0.5 * (low + high))
}

/// By how much gains make a song louder, pauses apart.
pub fn louder_lu(levels: &Thirds, gains_db: &Thirds) -> f64 {
    let coefs = KWeight::coefs(RATE_HZ);
    let (mut before, mut after) = (0.0, 0.0);
    for band in 0..THIRD_OCTAVES {
        let gain: f64 = coefs.iter().map(|c| c.gain_at(third_octave_hz(band), RATE_HZ)).product();
        for (levels, gains_db) in levels.iter().zip(gains_db) {
            let power = gain * gain * power_from_db(levels[band]);
            before += power;
            after += power * power_from_db(gains_db[band]);
        }
    }
    db_from_power(after / before.max(1e-30))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn song(mid: impl Fn(usize) -> f64, side: impl Fn(usize) -> f64) -> Thirds {
        [std::array::from_fn(mid), std::array::from_fn(side)]
    }

    #[test]
    fn what_the_bounds_allow_is_taken_whole_but_for_a_constant() {
        let source = song(|_| -15.0, |_| -25.0);
        let target = song(|band| -18.0 + 0.2 * band as f64, |band| -20.0 - 0.1 * band as f64);
        let wish = decide(&source, &target, THIRD_OCTAVES);
        let shift_db = wish.mid_db[1] - quarters_of(|band| -3.0 + 0.2 * band)[1];
        for band in 1..38 {
            let [mid, side] = [quarters_of(|band| -3.0 + 0.2 * band)[band], quarters_of(|band| 5.0 - 0.1 * band)[band]];
            assert!((wish.mid_db[band] - shift_db - mid).abs() < 1e-9, "{band}");
            assert!((wish.side_db[band] - shift_db - side).abs() < 1e-9, "{band}");
        }
    }

    /// A straight line over third octaves, read in quarter octaves.
    fn quarters_of(line: impl Fn(f64) -> f64) -> [f64; SPECTRUM_BANDS] {
        std::array::from_fn(|band| line((16.0 + 3.0 * libm::log2(band_centre_hz(band) / 1000.0)).clamp(0.0, 28.0)))
    }

    #[test]
    fn no_other_place_within_the_bounds_comes_closer() {
        let source = song(|_| -15.0, |_| -30.0);
        // Far more bass than the bounds reach.
        let target = song(|band| if band < 7 { -5.0 } else { -22.0 }, |band| if band < 15 { -32.0 } else { -24.0 });
        let (wanted, heard) = (difference(&source, &target), audible(&target));
        let chosen_db = best_shift_db(&source, &wanted, &heard);
        let chosen = miss_db(&source, &wanted, &heard, chosen_db);
        assert!(chosen > 0.5, "{chosen}");
        let tried = (-120..=120).map(|step| miss_db(&source, &wanted, &heard, 0.1 * f64::from(step)));
        assert!(tried.into_iter().all(|tried| tried > chosen - 0.05));
    }

    #[test]
    fn what_nobody_hears_of_the_reference_has_no_say() {
        let source = song(|_| -20.0, |_| -30.0);
        let target = song(|band| if band == 28 { -70.0 } else { -20.0 }, |_| -30.0);
        let wish = decide(&source, &target, THIRD_OCTAVES);
        assert!((wish.mid_db[10] - wish.side_db[10]).abs() < 1e-9 && wish.mid_db[10].abs() < MID_BOUND_DB, "{wish:?}");
    }

    #[test]
    fn nothing_is_known_beyond_a_cutoff() {
        let source = song(|_| -20.0, |_| -30.0);
        let target = song(|band| if band > 20 { -60.0 } else { -20.0 - 0.1 * band as f64 }, |_| -30.0);
        let wish = decide(&source, &target, 20);
        assert!(wish.mid_db.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.2), "{wish:?}");
    }
}
