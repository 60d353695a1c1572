//! Registration of two songs: lays the moments of one over those of the other.
//!
//! The difference of two long-term spectra includes everything that the songs do not play equally often. So every
//! moment of a song is paired with the most similar moment of the other, and the gain that brings the pairs together is
//! computed, alternately: an iterative closest point registration (Besl & McKay 1992) with a gain per band as the
//! motion. The gain is smooth, since mastering changes broad ranges: a gain that could follow single notes would lay
//! one note over another. It is a median in which pairs have less weight the worse they fit. How well the best pairs
//! fit, relative to how well moments within one song fit each other, shows how much the songs have in common.

use analyzer::profile::Profile;
use analyzer::spectrum_bands::SPECTRUM_BANDS;

/// Number of bands of mid and side together.
const BANDS: usize = 2 * SPECTRUM_BANDS;
/// Band levels of a moment, LU.
pub type Levels = [f64; BANDS];

/// Level relative to the loudness up to which there is only noise, LU.
const FLOOR_LU: f64 = -60.0;
/// Weights of bands in the comparison of moments: the side is quieter, and the lowest bands hold few periods.
const SIDE_WEIGHT: f64 = 0.7;
const LOWEST_WEIGHT: f64 = 0.25;
const LOWEST_BANDS: usize = 6;
/// Share of the pairs whose distance sets the scale on which pairs lose weight, and an addition to that scale, dB².
const CLOSE_SHARE: f64 = 0.02;
const CLOSE_DB2: f64 = 0.5;
/// Weights of a band and its neighbours in the gain: an octave wide.
const SMOOTH: [f64; 5] = [0.5, 1.0, 1.0, 1.0, 0.5];
/// Smallest distance of two moments of a song that may be a pair; closer ones may share a note.
const SAME_NOTE_MOMENTS: usize = 6;
const MAX_STEPS: usize = 20;
/// Step size at which the search ends, dB.
const LAST_STEP_DB: f64 = 0.01;
/// Lower limit of the distance within a song, dB: a loop repeats itself exactly, and no other part of its song would
/// seem similar.
const MIN_OWN_DB: f64 = 0.5;

/// The transformation from one song to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// Gain per band of mid, then of side, dB.
    pub shift_db: Levels,
    /// Root mean square difference of the moments that were paired, weighted like them, dB.
    pub distance_db: f64,
    /// The same relative to the distance of moments from others of their own song: about 1 between parts of one song,
    /// more between different songs. Infinite if a song is too short for it.
    pub relative_distance: f64,
}

/// Returns the moments of a song relative to its loudness, without silent ones.
pub fn moments(profile: &Profile) -> Vec<Levels> {
    let Some(loudness) = profile.loudness.integrated_lufs else { return Vec::new() };
    let levels = |moment: &[[f32; SPECTRUM_BANDS]; 2]| -> Levels {
        std::array::from_fn(|n| (f64::from(moment.as_flattened()[n]) - loudness).max(FLOOR_LU))
    };
    let sounds = |levels: &Levels| levels.iter().any(|level| *level > FLOOR_LU);
    profile.moments.iter().map(levels).filter(sounds).collect()
}

impl Registration {
    /// Brings `source` to `target`, starting from a gain of `start_db`. Bands from `known` on are unknown, and their
    /// gain is 0. `None` if either song has no moments.
    pub fn of(source: &[Levels], target: &[Levels], start_db: &Levels, known: usize) -> Option<Self> {
        if source.is_empty() || target.is_empty() || known == 0 {
            return None;
        }
        let own_db = [source, target].map(|song| own_distance_db(song, known));
        let mut pairing = Pairing::new(source, target, known);
        let mut shift_db = smooth(start_db, known);
        let mut distance_db = 0.0;
        for _ in 0..MAX_STEPS {
            let (next_db, mean_square) = pairing.step(&shift_db);
            let next_db = smooth(&next_db, known);
            distance_db = mean_square.sqrt();
            let moved_db = shift_db.iter().zip(&next_db).map(|(from, to)| (to - from).abs()).fold(0.0, f64::max);
            shift_db = next_db;
            if moved_db < LAST_STEP_DB {
                break;
            }
        }
        let relative_distance = match own_db {
            [Some(a), Some(b)] => distance_db / libm::sqrt(a * b),
            _ => f64::INFINITY,
        };
        Some(Self { shift_db, distance_db, relative_distance })
    }
}

/// Returns the distance between the moments of a song and the most similar others of the same song, weighted as in a
/// registration, dB; `None` if there are too few.
fn own_distance_db(song: &[Levels], known: usize) -> Option<f64> {
    let weight = weights(known);
    let nearest_of = |n: usize| {
        let others = song.iter().enumerate().filter(|(other, _)| other.abs_diff(n) >= SAME_NOTE_MOMENTS);
        others.map(|(_, other)| difference(&song[n], other, &weight)).min_by(f64::total_cmp)
    };
    let nearest: Vec<f64> = (0..song.len()).filter_map(nearest_of).collect();
    let scale = scale_of(&nearest)?;
    let weights: Vec<f64> = nearest.iter().map(|distance| libm::exp(-distance / scale)).collect();
    let squares: f64 = nearest.iter().zip(&weights).map(|(distance, weight)| weight * distance).sum();
    Some(libm::sqrt(squares / weights.iter().sum::<f64>()).max(MIN_OWN_DB))
}

/// Returns the weights of the bands: they sum to 1, and are 0 from band `known` on.
fn weights(known: usize) -> Levels {
    let raw: Levels = std::array::from_fn(|n| {
        let channel = if n < SPECTRUM_BANDS { 1.0 } else { SIDE_WEIGHT };
        match n % SPECTRUM_BANDS {
            band if band >= known => 0.0,
            band if band < LOWEST_BANDS => LOWEST_WEIGHT * channel,
            _ => channel,
        }
    });
    let total: f64 = raw.iter().sum();
    raw.map(|weight| weight / total)
}

/// Weighted mean square difference of two moments.
fn difference(a: &Levels, b: &Levels, weight: &Levels) -> f64 {
    a.iter().zip(b).zip(weight).map(|((a, b), w)| w * (a - b) * (a - b)).sum()
}

/// Returns the scale on which pairs at these distances lose weight; `None` if there are none.
fn scale_of(distances: &[f64]) -> Option<f64> {
    let mut sorted = distances.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get((sorted.len().checked_sub(1)? as f64 * CLOSE_SHARE) as usize).map(|distance| distance + CLOSE_DB2)
}

/// Returns the running mean over the `known` bands of mid and of side, narrower towards their ends; 0 beyond.
fn smooth(gains_db: &Levels, known: usize) -> Levels {
    std::array::from_fn(|n| {
        let (start, band) = (n - n % SPECTRUM_BANDS, n % SPECTRUM_BANDS);
        if band >= known {
            return 0.0;
        }
        let reach = (SMOOTH.len() / 2).min(band).min(known - 1 - band);
        let shares = &SMOOTH[SMOOTH.len() / 2 - reach..][..2 * reach + 1];
        let near = &gains_db[start + band - reach..];
        let sum: f64 = shares.iter().zip(near).map(|(share, gain_db)| share * gain_db).sum();
        sum / shares.iter().sum::<f64>()
    })
}

/// Returns the value with half of the weight on either side. Sorts the pairs of value and weight.
fn weighted_median(values: &mut [(f64, f64)]) -> f64 {
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let half = values.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut under = 0.0;
    let middle = values.iter().find(|(_, weight)| {
        under += weight;
        under >= half
    });
    middle.or(values.last()).map_or(0.0, |(value, _)| *value)
}

/// Distances between all moments of two songs.
struct Pairing<'a> {
    source: &'a [Levels],
    target: &'a [Levels],
    weight: Levels,
    /// Weighted mean square difference of every source moment (rows) and target moment, without a shift.
    apart: Vec<f64>,
    /// Index and distance of the nearest moment of the other song: for every source moment, then for every target
    /// moment.
    nearest: Vec<(usize, f64)>,
}

impl<'a> Pairing<'a> {
    fn new(source: &'a [Levels], target: &'a [Levels], known: usize) -> Self {
        let weight = weights(known);
        let apart = source.iter().flat_map(|a| target.iter().map(move |b| difference(a, b, &weight))).collect();
        Self { source, target, weight, apart, nearest: Vec::new() }
    }

    /// Returns the next shift, and the mean square difference of the pairs that it is computed from.
    fn step(&mut self, shift: &Levels) -> (Levels, f64) {
        self.pair(shift);
        let distances: Vec<f64> = self.nearest.iter().map(|(_, distance)| *distance).collect();
        let scale = scale_of(&distances).unwrap_or(CLOSE_DB2);
        let pairs: Vec<(&Levels, &Levels, f64)> = self.pairs(scale).collect();
        let (mut total, mut squares) = (0.0, 0.0);
        for ((_, _, weight), (_, distance)) in pairs.iter().zip(&self.nearest) {
            total += weight;
            squares += weight * distance;
        }
        let median_db = |n: usize| {
            let mut gains_db: Vec<(f64, f64)> = pairs.iter().map(|(a, b, weight)| (b[n] - a[n], *weight)).collect();
            weighted_median(&mut gains_db)
        };
        let next = std::array::from_fn(|n| if self.weight[n] > 0.0 { median_db(n) } else { 0.0 });
        (next, squares / total)
    }

    /// Returns the pairs of source and target moments, with their weights.
    fn pairs(&self, scale: f64) -> impl Iterator<Item = (&Levels, &Levels, f64)> {
        self.nearest.iter().enumerate().map(move |(n, (other, distance))| {
            let weight = libm::exp(-distance / scale);
            match n.checked_sub(self.source.len()) {
                None => (&self.source[n], &self.target[*other], weight),
                Some(n) => (&self.source[*other], &self.target[n], weight),
            }
        })
    }

    /// Finds the nearest moments by |a + s − b|² = |a − b|² + 2 s·a − 2 s·b + |s|², so that a new shift needs no new
    /// distances.
    fn pair(&mut self, shift: &Levels) {
        let Self { source, target, weight, apart, nearest } = self;
        let along =
            |levels: &Levels| -> f64 { levels.iter().zip(shift).zip(&*weight).map(|((l, s), w)| w * l * s).sum() };
        let length = along(shift);
        let from_source: Vec<f64> = source.iter().map(|a| 2.0 * along(a) + length).collect();
        let from_target: Vec<f64> = target.iter().map(|b| 2.0 * along(b)).collect();
        nearest.clear();
        nearest.resize(source.len() + target.len(), (0, f64::INFINITY));
        let (of_source, of_target) = nearest.split_at_mut(source.len());
        for (i, (row, best)) in apart.chunks_exact(target.len()).zip(of_source).enumerate() {
            for (j, (distance, other)) in row.iter().zip(of_target.iter_mut()).enumerate() {
                let distance = (distance + from_source[i] - from_target[j]).max(0.0);
                if distance < best.1 {
                    *best = (j, distance);
                }
                if distance < other.1 {
                    *other = (i, distance);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use analyzer::random::Random;

    /// A song of a few chords, each with its own levels, in the order `plays`.
    fn song(chords: &[Levels], plays: &[usize], random: &mut Random) -> Vec<Levels> {
        let once = |chord: &Levels, random: &mut Random| chord.map(|level| level + 0.3 * random.bipolar());
        plays.iter().map(|&chord| once(&chords[chord], random)).collect()
    }

    fn chords(count: usize, random: &mut Random) -> Vec<Levels> {
        (0..count).map(|_| std::array::from_fn(|_| -20.0 + 12.0 * random.bipolar())).collect()
    }

    fn mean(song: &[Levels]) -> Levels {
        std::array::from_fn(|n| song.iter().map(|moment| moment[n]).sum::<f64>() / song.len() as f64)
    }

    #[test]
    fn an_equaliser_is_found_although_the_songs_play_in_other_proportions() {
        let mut random = Random::new(5);
        let chords = chords(4, &mut random);
        let equaliser: Levels = std::array::from_fn(|n| 4.0 * libm::sin(n as f64 / 9.0));
        let plays = |counts: [usize; 4]| -> Vec<usize> { (0..4).flat_map(|c| vec![c; counts[c]]).collect() };
        let target = song(&chords, &plays([30, 5, 20, 5]), &mut random);
        let mut source = song(&chords, &plays([5, 30, 5, 20]), &mut random);
        source.iter_mut().for_each(|moment| moment.iter_mut().zip(&equaliser).for_each(|(l, e)| *l -= e));
        let (from, to) = (mean(&source), mean(&target));
        let start: Levels = std::array::from_fn(|n| to[n] - from[n]);
        let found = Registration::of(&source, &target, &start, SPECTRUM_BANDS).expect("moments");
        let miss = |shift: &Levels| shift.iter().zip(&equaliser).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(miss(&start) > 2.0, "the means alone mislead: {}", miss(&start));
        assert!(miss(&found.shift_db) < 0.2, "{} dB off", miss(&found.shift_db));
        assert!(found.distance_db < 0.3, "{}", found.distance_db);
    }

    #[test]
    fn different_songs_are_further_apart_than_parts_of_one() {
        let mut random = Random::new(6);
        // A single chord could be equalised into any other.
        let (ours, theirs) = (chords(24, &mut random), chords(24, &mut random));
        let plays: Vec<usize> = (0..96).map(|n| n % 24).collect();
        let [a, b, c] = [&ours, &ours, &theirs].map(|chords| song(chords, &plays, &mut random));
        let distance = |a: &[Levels], b: &[Levels]| {
            Registration::of(a, b, &[0.0; BANDS], SPECTRUM_BANDS).expect("moments").distance_db
        };
        assert!(distance(&a, &c) > 5.0 * distance(&a, &b), "{} and {}", distance(&a, &c), distance(&a, &b));
        let relative_distance = |a: &[Levels], b: &[Levels]| {
            Registration::of(a, b, &[0.0; BANDS], SPECTRUM_BANDS).expect("moments").relative_distance
        };
        let (part, other) = (relative_distance(&a, &b), relative_distance(&a, &c));
        assert!(part < 1.2 && other > 2.0, "{part} and {other}");
        assert_eq!(relative_distance(&a[..4], &b), f64::INFINITY);
    }

    #[test]
    fn nothing_is_said_of_bands_that_are_not_known() {
        let mut random = Random::new(7);
        let chords = chords(4, &mut random);
        let a = song(&chords, &[0, 1, 2, 3], &mut random);
        let b: Vec<Levels> = a.iter().map(|moment| moment.map(|level| level + 3.0)).collect();
        let found = Registration::of(&a, &b, &[0.0; BANDS], 30).expect("moments").shift_db;
        assert!((0..30).all(|n| (found[n] - 3.0).abs() < 0.01) && (30..SPECTRUM_BANDS).all(|n| found[n] == 0.0));
        assert_eq!(Registration::of(&a, &[], &[0.0; BANDS], 40), None);
    }
}
