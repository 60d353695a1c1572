//! The tonal balance of a record as engineers compare it: in mid and side, an octave wide.
//!
//! Anything narrower than an octave is a note or an instrument of a song; copying it would copy those of another song.

use std::sync::LazyLock;

use analyzer::crossover::{BANDS, CROSSOVER_HZ};
use analyzer::spectrum_bands::{SPECTRUM_BANDS, THIRD_OCTAVES, third_octave_hz};
use analyzer::units::{db_from_power, power_from_db};

use crate::decision::{Confidence, MasteringDecision};
use crate::registration::Registration;
use crate::third_octaves::{ThirdOctaveLevels, curve, difference, mean_over, quarters_at, thirds_below};

/// Weights of a third octave and its neighbours in the octave around it.
const OCTAVE: [f64; 5] = [0.5, 1.0, 1.0, 1.0, 0.5];
/// Level up to which a third octave of a song holds nothing that could be balanced, LU.
const SILENCE_LU: f64 = -69.0;
/// Weight of bends of the curve against misses of octave-wide means. Over 224 pairs of a mix and a record, curves come as close
/// to the record in octaves as they can while they hold half a decibel of what is narrower.
const SMOOTHNESS: f64 = 1.6;

/// Flags of the third octaves that count.
pub type CountedBands = [bool; THIRD_OCTAVES];

/// Returns the octave-wide running mean over the third octaves that count; where none nearby counts, the nearest mean.
pub fn octave_wide(values: &[f64; THIRD_OCTAVES], counted_bands: &CountedBands) -> [f64; THIRD_OCTAVES] {
    let reach = OCTAVE.len() / 2;
    let mean = |band: usize| {
        let near = OCTAVE.iter().enumerate().filter_map(|(n, share)| {
            // Beyond the ends, the outermost bands are repeated.
            let at = (band + n).saturating_sub(reach).min(THIRD_OCTAVES - 1);
            counted_bands[at].then(|| (share * values[at], *share))
        });
        let (sum, total) = near.fold((0.0, 0.0), |(sum, total), (value, share)| (sum + value, total + share));
        (total > 0.0).then(|| sum / total)
    };
    let means: [Option<f64>; THIRD_OCTAVES] = std::array::from_fn(mean);
    std::array::from_fn(|band| {
        let known = (0..THIRD_OCTAVES).filter_map(|other| Some((band.abs_diff(other), means[other]?)));
        known.min_by_key(|(away, _)| *away).map_or(0.0, |(_, mean)| mean)
    })
}

/// Returns the smoothest curve whose octave-wide means come close to `means`: a penalised least squares fit (Whittaker, "On a
/// new method of graduation", 1923; Eilers, "A perfect smoother", 2003). Averaging once more would be as smooth, but further
/// from the means.
fn smoothest(means: &[f64; THIRD_OCTAVES]) -> [f64; THIRD_OCTAVES] {
    static SMOOTHER: LazyLock<[[f64; THIRD_OCTAVES]; THIRD_OCTAVES]> = LazyLock::new(smoother);
    SMOOTHER.map(|weights| weights.iter().zip(means).map(|(weight, mean)| weight * mean).sum())
}

/// Returns the curve with the value of the nearest band that counts wherever nothing is known.
fn held(curve: &[f64; THIRD_OCTAVES], counted_bands: &CountedBands) -> [f64; THIRD_OCTAVES] {
    let nearest = |band: usize| {
        (0..THIRD_OCTAVES).filter(|other| counted_bands[*other]).min_by_key(|other| band.abs_diff(*other))
    };
    std::array::from_fn(|band| nearest(band).map_or(0.0, |nearest| curve[nearest]))
}

/// Weights of the means in each band of the smoothest curve: (OᵀO + λDᵀD)⁻¹Oᵀ for octave-wide means O and second
/// differences D.
fn smoother() -> [[f64; THIRD_OCTAVES]; THIRD_OCTAVES] {
    let unit =
        |band: usize| -> [f64; THIRD_OCTAVES] { std::array::from_fn(|other| f64::from(u8::from(other == band))) };
    // Columns: the means of a curve that is 1 in one band.
    let means: [_; THIRD_OCTAVES] = std::array::from_fn(|band| octave_wide(&unit(band), &[true; THIRD_OCTAVES]));
    let bends: [_; THIRD_OCTAVES] = std::array::from_fn(|band| {
        let curve = unit(band);
        std::array::from_fn::<_, { THIRD_OCTAVES - 2 }, _>(|n| curve[n] - 2.0 * curve[n + 1] + curve[n + 2])
    });
    let dot = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
    let mut left: [[f64; THIRD_OCTAVES]; THIRD_OCTAVES] = std::array::from_fn(|row| {
        std::array::from_fn(|column| dot(&means[row], &means[column]) + SMOOTHNESS * dot(&bends[row], &bends[column]))
    });
    let mut right = means;
    // Gauss-Jordan elimination; the matrix is positive definite, so that no pivot is 0.
    for pivot in 0..THIRD_OCTAVES {
        let scale = 1.0 / left[pivot][pivot];
        left[pivot].iter_mut().chain(&mut right[pivot]).for_each(|value| *value *= scale);
        let (left_pivot, right_pivot) = (left[pivot], right[pivot]);
        for row in (0..THIRD_OCTAVES).filter(|row| *row != pivot) {
            let factor = left[row][pivot];
            left[row].iter_mut().zip(left_pivot).for_each(|(value, of_pivot)| *value -= factor * of_pivot);
            right[row].iter_mut().zip(right_pivot).for_each(|(value, of_pivot)| *value -= factor * of_pivot);
        }
    }
    right
}

/// Returns the third octaves of mid and side under `cutoff_hz` in which a song has sound.
pub fn counted_bands(source: &ThirdOctaveLevels, cutoff_hz: f64) -> [CountedBands; 2] {
    let known = thirds_below(cutoff_hz);
    source.map(|levels| std::array::from_fn(|band| band < known && levels[band] > SILENCE_LU))
}

/// Range of the [relative distance](Registration::relative_distance): up to the first value, a record may well be
/// another part of the same song; beyond the second, it is not. Five of six parts of a song are nearer than the first,
/// however far a mix is from its master; of other records, one in twenty-five.
const SAME_SONG_RELATIVE_DISTANCE: [f64; 2] = [1.25, 1.45];
/// Roughness at which the difference between parts of a song is taken in equal shares from moments laid over each other
/// and from long-term means, dB. Roughness is the root mean square difference of the long-term spectra within octaves.
/// Where it is larger, the parts do not play the same and the moments count more; where it is smaller, the means are
/// right.
const ROUGHNESS_DB: f64 = 1.1;
/// Range of the distance, dB: up to the first value, differences narrower than an octave count as part of the master;
/// beyond the second, they belong to the song.
const SAME_MASTER_DISTANCE_DB: [f64; 2] = [2.0, 3.75];

/// Decides the gains that bring `source` to `target` octave-wide, before any bounds; the ratios are those of
/// `estimate`. Nothing is known beyond `cutoff_hz`.
///
/// Long-term means also differ by what the songs do not play equally often. For two songs that are alike,
/// `registration` is more reliable.
pub fn decide(
    source: &ThirdOctaveLevels,
    target: &ThirdOctaveLevels,
    cutoff_hz: f64,
    registration: Option<&Registration>,
    estimate: MasteringDecision,
) -> MasteringDecision {
    let (known, counted_bands) = (thirds_below(cutoff_hz), counted_bands(source, cutoff_hz));
    let (mut wanted, mut narrow_share, mut same_song) = (difference(source, target), 0.0, 0.0);
    if let Some(Registration { shift_db, distance_db, relative_distance }) = registration {
        same_song = falling(SAME_SONG_RELATIVE_DISTANCE, *relative_distance);
        narrow_share = same_song * falling(SAME_MASTER_DISTANCE_DB, *distance_db);
        for ((gains, counted_bands), shift_db) in
            wanted.iter_mut().zip(&counted_bands).zip(shift_db.chunks_exact(SPECTRUM_BANDS))
        {
            let share = same_song * share_of_moments(gains, counted_bands);
            for (band, gain) in gains.iter_mut().enumerate().take(known) {
                *gain += share * (quarters_at(shift_db, third_octave_hz(band)) - *gain);
            }
        }
    }
    let [mid, side]: ThirdOctaveLevels = std::array::from_fn(|c| {
        let mut wide = octave_wide(&wanted[c], &counted_bands[c]);
        // For another song, the mean still shows the edges of notes.
        let wider = held(&smoothest(&wide), &counted_bands[c]);
        wide.iter_mut().zip(wider).for_each(|(wide, wider)| *wide += (1.0 - same_song) * (wider - *wide));
        std::array::from_fn(|band| {
            let narrow = if counted_bands[c][band] { wanted[c][band] - wide[band] } else { 0.0 };
            wide[band] + narrow_share * narrow
        })
    });
    // If there is no side, the width stays as it is.
    let side = match counted_bands[1].contains(&true) {
        true => as_wide(source, &plus(source, &wanted), [mid, side]),
        false => mid,
    };
    let [mid_db, side_db] = [mid, side].map(|gains| curve(&gains, known));
    MasteringDecision {
        mid_db,
        side_db,
        same_song,
        confidence: Confidence { tone: 1.0, width: 1.0, ..estimate.confidence },
        ..estimate
    }
}

/// Returns the share of the moments in the difference between parts of a song: larger where the difference of their
/// means is rougher.
fn share_of_moments(difference_db: &[f64; THIRD_OCTAVES], counted_bands: &CountedBands) -> f64 {
    let wide_db = octave_wide(difference_db, counted_bands);
    let square = |band: usize| (difference_db[band] - wide_db[band]) * (difference_db[band] - wide_db[band]);
    let roughness = mean_over(counted_bands, square);
    roughness / (roughness + ROUGHNESS_DB * ROUGHNESS_DB)
}

/// Returns gains of the side that make whole bands as wide as in `target`: an octave-wide mean of levels is not a mean
/// of powers.
fn as_wide(
    source: &ThirdOctaveLevels,
    target: &ThirdOctaveLevels,
    [mid, mut side]: ThirdOctaveLevels,
) -> [f64; THIRD_OCTAVES] {
    let wanted_db = widths_db(target);
    for _ in 0..WIDTH_ROUNDS {
        let now_db = widths_db(&plus(source, &[mid, side]));
        let lacking_db: [f64; BANDS] =
            std::array::from_fn(|band| (wanted_db[band] - now_db[band]).clamp(-WIDTH_STEP_DB, WIDTH_STEP_DB));
        for (band, db) in side.iter_mut().enumerate() {
            *db += between_bands(&lacking_db, band);
        }
    }
    side
}

/// Largest change of a band's width per round, dB, and number of rounds.
const WIDTH_STEP_DB: f64 = 6.0;
const WIDTH_ROUNDS: usize = 2;
/// Lower limit of the level of side over mid, dB.
const NARROWEST_DB: f64 = -40.0;

/// Power of the side over that of the mid in the bands of [`analyzer::crossover`], dB.
fn widths_db([mid, side]: &ThirdOctaveLevels) -> [f64; BANDS] {
    let power = |levels: &[f64; THIRD_OCTAVES], band: usize| -> f64 {
        (0..THIRD_OCTAVES)
            .filter(|third| crossover_band(*third) == band)
            .map(|third| power_from_db(levels[third]))
            .sum()
    };
    std::array::from_fn(|band| db_from_power(power(side, band) / power(mid, band)).max(NARROWEST_DB))
}

fn crossover_band(third: usize) -> usize {
    CROSSOVER_HZ.iter().filter(|hz| third_octave_hz(third) >= **hz).count()
}

/// Interpolates a value per band of [`analyzer::crossover`] at a third octave: straight lines from the middle of one
/// band to the next.
fn between_bands(values: &[f64; BANDS], third: usize) -> f64 {
    let middle = |band: usize| {
        let thirds = || (0..THIRD_OCTAVES).filter(|third| crossover_band(*third) == band);
        thirds().sum::<usize>() as f64 / thirds().count().max(1) as f64
    };
    let at = third as f64;
    let above = (0..BANDS).find(|band| middle(*band) >= at);
    match above {
        None => values[BANDS - 1],
        Some(0) => values[0],
        Some(band) => {
            let (from, to) = (middle(band - 1), middle(band));
            values[band - 1] + (at - from) / (to - from) * (values[band] - values[band - 1])
        }
    }
}

fn plus(levels: &ThirdOctaveLevels, gains_db: &ThirdOctaveLevels) -> ThirdOctaveLevels {
    std::array::from_fn(|c| std::array::from_fn(|band| levels[c][band] + gains_db[c][band]))
}

/// Returns 1 up to the first value, 0 from the second on, and a straight line between.
fn falling([from, to]: [f64; 2], value: f64) -> f64 {
    ((to - value) / (to - from)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_HZ: f64 = 20_480.0;
    const EVERY_BAND: CountedBands = [true; THIRD_OCTAVES];
    const SONG: ThirdOctaveLevels = [[-20.0; THIRD_OCTAVES], [-30.0; THIRD_OCTAVES]];
    /// Returns the curves of mid and side for an estimator that wants nothing.
    fn found(
        source: &ThirdOctaveLevels,
        target: &ThirdOctaveLevels,
        registration: Option<&Registration>,
    ) -> ThirdOctaveLevels {
        let nothing = MasteringDecision {
            mid_db: [0.0; SPECTRUM_BANDS],
            side_db: [0.0; SPECTRUM_BANDS],
            log_ratio: [0.0; BANDS],
            plr_lu: 0.0,
            same_song: 0.0,
            confidence: Confidence { tone: 0.0, width: 0.0, dynamics: 0.0 },
        };
        let decision = decide(source, target, ALL_HZ, registration, nothing);
        let at = |curve: &[f64], band| quarters_at(curve, third_octave_hz(band));
        [decision.mid_db, decision.side_db].map(|curve| std::array::from_fn(|band| at(&curve, band)))
    }

    fn with(levels: &ThirdOctaveLevels, gain_db: impl Fn(usize, usize) -> f64) -> ThirdOctaveLevels {
        std::array::from_fn(|c| std::array::from_fn(|band| levels[c][band] + gain_db(c, band)))
    }

    #[test]
    fn an_octave_wide_difference_is_followed() {
        let slope = |c: usize, band: usize| (6.0 - 3.0 * c as f64) * libm::sin(band as f64 / 5.0);
        let curves = found(&SONG, &with(&SONG, slope), None);
        for c in 0..2 {
            assert!((2..27).all(|band| (curves[c][band] - slope(c, band)).abs() < 0.5), "{curves:?}");
        }
    }

    #[test]
    fn notes_of_another_song_are_not_copied() {
        /// Share of notes an octave apart that an octave-wide mean passes.
        const SHARE: f64 = 1.0 / 8.0;
        const NOTE_DB: f64 = 9.0;
        // Every third third octave holds a note; in the other song, the one beside it does.
        let notes = |place: usize| move |_: usize, band: usize| if band % 3 == place { NOTE_DB } else { 0.0 };
        let [mid, _] = found(&with(&SONG, notes(0)), &with(&SONG, notes(1)), None);
        // There is no whole octave at the ends.
        let copied_db = mid[2..27].iter().fold(0.0, |most: f64, db| most.max(db.abs()));
        assert!(copied_db < SHARE * NOTE_DB, "{copied_db}: {mid:?}");
    }

    #[test]
    fn of_parts_that_do_not_play_the_same_moments_say_more_than_means() {
        /// Distance of parts of a song that are not copies of each other.
        const PARTS_DB: f64 = 4.2;
        let shift_db = [-3.0; 2 * SPECTRUM_BANDS];
        let at = |notes_db: f64, relative_distance: f64| {
            let target = with(&SONG, |_, band| if band % 2 == 0 { 4.0 + notes_db } else { 4.0 - notes_db });
            found(&SONG, &target, Some(&Registration { shift_db, distance_db: PARTS_DB, relative_distance }))[0][8]
        };
        let (rough, smooth, other) = (at(6.0, 1.0), at(0.1, 1.0), at(6.0, 1.5));
        assert!(rough < -2.0 && smooth > 3.5 && other > 3.5, "{rough} {smooth} {other}");
        assert!((rough + 1.0..other - 1.0).contains(&at(6.0, 1.35)), "{}", at(6.0, 1.35));
    }

    #[test]
    fn whole_bands_become_as_wide_as_the_record() {
        // The side of the record consists of a few loud notes, that of the song is spread out.
        let target = with(&SONG, |c, band| if c == 1 { if band % 5 == 2 { 9.0 } else { -6.0 } } else { 0.0 });
        let apart = |levels: &ThirdOctaveLevels| {
            let pairs = widths_db(levels).into_iter().zip(widths_db(&target));
            pairs.map(|(a, b)| (a - b).abs()).sum::<f64>() / BANDS as f64
        };
        let after = plus(&SONG, &found(&SONG, &target, None));
        assert!(apart(&after) < 0.3 * apart(&SONG), "{} {}", apart(&after), apart(&SONG));
    }

    #[test]
    fn what_is_not_there_is_left() {
        let mut source = SONG;
        source[1].fill(-70.0);
        source[0][24..].fill(-70.0);
        let [mid, side] = found(&source, &with(&SONG, |_, band| 0.3 * band as f64), None);
        assert_eq!(mid, side, "there is no side");
        assert!((24..THIRD_OCTAVES).all(|band| (mid[band] - mid[24]).abs() < 1.5), "{mid:?}");
    }

    #[test]
    fn a_smooth_curve_keeps_octaves_and_leaves_notes_out() {
        let tilt = std::array::from_fn(|band| 0.3 * band as f64 - 4.0);
        let [inner, outer] = [2..THIRD_OCTAVES - 2, 0..THIRD_OCTAVES];
        let largest = |one: &[f64], other: &[f64], bands: std::ops::Range<usize>| {
            bands.map(|band| (one[band] - other[band]).abs()).fold(0.0, f64::max)
        };
        assert!(largest(&smoothest(&tilt), &tilt, inner.clone()) < 0.15, "a tilt stays a tilt");
        // A broad move with notes on top.
        let wanted: [f64; THIRD_OCTAVES] =
            std::array::from_fn(|band| 5.0 * (0.22 * band as f64).sin() + if band % 2 == 0 { 2.0 } else { -2.0 });
        let means = octave_wide(&wanted, &EVERY_BAND);
        let [smooth, averaged] = [smoothest(&means), octave_wide(&means, &EVERY_BAND)];
        let missed = |curve: &[f64; THIRD_OCTAVES]| largest(&octave_wide(curve, &EVERY_BAND), &means, outer.clone());
        assert!(missed(&smooth) < 0.7 * missed(&averaged), "{} {}", missed(&smooth), missed(&averaged));
        let bent = |curve: &[f64; THIRD_OCTAVES]| {
            curve.windows(3).map(|near| (near[0] - 2.0 * near[1] + near[2]).abs()).fold(0.0, f64::max)
        };
        assert!(bent(&smooth) < 0.2 * bent(&wanted), "{} {}", bent(&smooth), bent(&wanted));
    }

    #[test]
    fn the_last_known_band_does_not_move_what_lies_beyond_it_by_more_than_itself() {
        let counted: CountedBands = std::array::from_fn(|band| band < 20);
        let wanted: [f64; THIRD_OCTAVES] = std::array::from_fn(|band| if band == 19 { -12.0 } else { 0.0 });
        let curve = held(&smoothest(&octave_wide(&wanted, &counted)), &counted);
        assert!(curve[19] > -9.0, "{curve:?}");
        assert!(curve[20..].iter().all(|db| *db == curve[19]), "{curve:?}");
    }
}
