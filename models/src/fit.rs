//! Finds the curves of the equaliser that bring one spectrum closest to another.
//!
//! A band of the equaliser reaches into several third octaves, and all of them share one loudness: if one is out of
//! reach, the best place for the others changes. So all bands are searched together, by projected gradients with
//! momentum (Beck & Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse problems", SIAM J.
//! Imaging Sci. 2(1), 2009) that restart when they overshoot (O'Donoghue & Candès, "Adaptive restart for accelerated
//! gradient schemes", Found. Comput. Math. 15, 2015).

use analyzer::loudness::KWeight;
use analyzer::spectrum_bands::{
    FINE_BANDS, FINE_PER_THIRD, SPECTRUM_BANDS, THIRD_OCTAVES, band_centre_hz, fine_band_hz,
};
use analyzer::units::{db_from_power, power_from_db};
use renderer::params::Curve;
use renderer::stages::match_eq::MatchEqParams;

use crate::bounds::{MID_BOUND_DB, SIDE_BOUND_DB, SIDE_NOISE_DB};
use crate::target::bands_below;
use crate::third_octaves::{
    AudibleBands, EqualizerCurves, FineBandPowers, ThirdOctaveLevels, difference, thirds_below, thirds_of,
};

/// Steps of the search, and number of rounds: each further round corrects the error of straight lines between the
/// bands.
const STEPS: usize = 100;
const ROUNDS: usize = 3;
/// Error up to which errors count by their square, dB.
const SMALL_DB: f64 = 0.2;
/// Cost of squared differences between neighbouring bands, and of squared gains: a curve is only as rough as necessary.
const ROUGHNESS_COST: f64 = 1e-4;
const GAIN_COST: f64 = 1e-6;
/// Level relative to the loudness up to which there is nothing to equalise, LU.
const FLOOR_LU: f64 = -100.0;
/// Sample rate at which the K-weighting is evaluated; it hardly depends on the rate.
const RATE_HZ: u32 = 48_000;

/// The effect of the equaliser on a spectrum.
pub struct Fit<'a> {
    /// Powers relative to that of the loudness.
    source: &'a FineBandPowers,
    eq: MatchEqParams,
    places: Vec<Place>,
    /// K-weighted power of the source, summed over all bands.
    loud: f64,
    lowest: EqualizerCurves,
    highest: EqualizerCurves,
    known_thirds: usize,
    known_bands: usize,
}

/// Position of a fine band on the curve.
struct Place {
    band: usize,
    /// Shares of this band and the next in its gain.
    shares: [f64; 2],
    /// Power of the K-weighting.
    weight: f64,
}

impl<'a> Fit<'a> {
    /// Creates a fit for a source that is known up to `cutoff_hz`.
    pub fn new(source: &'a FineBandPowers, cutoff_hz: f64) -> Self {
        let (known_thirds, known_bands) = (thirds_below(cutoff_hz), bands_below(cutoff_hz).max(1));
        let eq = MatchEqParams { limit_hz: cutoff_hz.min(24_000.0), ..MatchEqParams::default() };
        let (one, coefs) = (Curve([1.0; SPECTRUM_BANDS]), KWeight::coefs(RATE_HZ));
        let places: Vec<Place> = (0..FINE_BANDS)
            .map(|point| {
                let hz = fine_band_hz(point);
                let position = (4.0 * libm::log2(hz / band_centre_hz(0))).clamp(0.0, (known_bands - 1) as f64);
                let band = (position as usize).min(SPECTRUM_BANDS - 2);
                let (above, taper) = (position - band as f64, eq.gain_db_at(&one, hz));
                let gain: f64 = coefs.iter().map(|c| c.gain_at(hz, RATE_HZ)).product();
                Place { band, shares: [taper * (1.0 - above), taper * above], weight: gain * gain }
            })
            .collect();
        let bounds = [[MID_BOUND_DB; SPECTRUM_BANDS], [SIDE_BOUND_DB; SPECTRUM_BANDS]];
        let mut fit = Self {
            source,
            eq,
            loud: 0.0,
            lowest: bounds.map(|bounds| bounds.map(|db| -db)),
            highest: bounds,
            known_thirds,
            known_bands,
            places,
        };
        fit.loud = fit.loudness(source);
        fit.spare_side_noise();
        fit
    }

    /// Forbids lifting bands of the side that are noise.
    fn spare_side_noise(&mut self) {
        let [mid, side] = self.source.each_ref().map(|powers| self.per_band(powers));
        for (highest, (mid, side)) in self.highest[1].iter_mut().zip(mid.iter().zip(&side)) {
            if *side < power_from_db(SIDE_NOISE_DB) * mid {
                *highest = 0.0;
            }
        }
    }

    /// Sums values over the equaliser's bands, by their shares.
    fn per_band(&self, values: &[f64]) -> [f64; SPECTRUM_BANDS] {
        let mut sums = [0.0; SPECTRUM_BANDS];
        for (place, value) in self.places.iter().zip(values) {
            sums[place.band] += place.shares[0] * value;
            sums[place.band + 1] += place.shares[1] * value;
        }
        sums
    }

    /// Returns the K-weighted power.
    fn loudness(&self, powers: &FineBandPowers) -> f64 {
        let of =
            |powers: &[f64]| self.places.iter().zip(powers).map(|(place, power)| place.weight * power).sum::<f64>();
        powers.iter().map(|powers| of(powers)).sum()
    }

    /// Returns the powers behind an equaliser whose gain is a straight line from band to band.
    fn behind(&self, curves: &EqualizerCurves) -> FineBandPowers {
        std::array::from_fn(|c| {
            let gain_db =
                |place: &Place| place.shares[0] * curves[c][place.band] + place.shares[1] * curves[c][place.band + 1];
            let powers = self.places.iter().zip(&self.source[c]);
            powers.map(|(place, power)| power * power_from_db(gain_db(place))).collect()
        })
    }

    /// Returns the levels relative to the loudness behind the equaliser, LU; the gating of pauses is ignored.
    pub fn levels(&self, curves: &EqualizerCurves) -> ThirdOctaveLevels {
        let [mid, side] = curves.map(Curve);
        let powers = |curve: &Curve, powers: &[f64]| {
            let gain_db = |point| self.eq.gain_db_at(curve, fine_band_hz(point));
            powers.iter().enumerate().map(|(point, power)| power * power_from_db(gain_db(point))).collect()
        };
        self.over_loudness(&[powers(&mid, &self.source[0]), powers(&side, &self.source[1])])
    }

    /// Returns the levels relative to the loudness if every third octave is moved by `gains_db`, LU.
    pub fn moved(&self, gains_db: &ThirdOctaveLevels) -> ThirdOctaveLevels {
        self.over_loudness(&std::array::from_fn(|c| {
            let thirds = self.source[c].chunks_exact(FINE_PER_THIRD).zip(&gains_db[c]);
            thirds.flat_map(|(powers, db)| powers.iter().map(|power| power * power_from_db(*db))).collect()
        }))
    }

    fn over_loudness(&self, powers: &FineBandPowers) -> ThirdOctaveLevels {
        let louder_lu = db_from_power(self.loudness(powers) / self.loud);
        thirds_of(powers).map(|levels| levels.map(|level| level - louder_lu))
    }

    /// Returns the curves within the bounds whose levels relative to the loudness are closest to `wanted`: by the mean
    /// distance in mid plus that in side, over the audible bands. The search starts from `start`.
    pub fn curves(
        &self,
        wanted: &ThirdOctaveLevels,
        audible_bands: &AudibleBands,
        start: &EqualizerCurves,
    ) -> EqualizerCurves {
        let shares: ThirdOctaveLevels = std::array::from_fn(|c| {
            let counts = |band: usize| audible_bands[c][band] && band < self.known_thirds && self.is_sound(c, band);
            let count = (0..THIRD_OCTAVES).filter(|band| counts(*band)).count().max(1);
            std::array::from_fn(|band| if counts(band) { 1.0 / count as f64 } else { 0.0 })
        });
        // The inverse of the largest curvature, ignoring the loudness that all bands share, for mid and side
        // separately.
        let steps = shares.map(|shares| {
            let largest = shares.iter().fold(0.0, |max: f64, share| max.max(*share));
            1.0 / (largest / SMALL_DB + 8.0 * ROUGHNESS_COST + 2.0 * GAIN_COST)
        });
        let mut curves = self.searched(wanted, &shares, &steps, start);
        for _ in 1..ROUNDS {
            let lines = self.over_loudness(&self.behind(&curves));
            let aim = difference(&difference(&lines, &self.levels(&curves)), wanted);
            curves = self.searched(&aim, &shares, &steps, &curves);
        }
        curves
    }

    /// Does the same for an equaliser whose gain is a straight line from band to band.
    fn searched(
        &self,
        wanted: &ThirdOctaveLevels,
        shares: &ThirdOctaveLevels,
        steps: &[f64; 2],
        start: &EqualizerCurves,
    ) -> EqualizerCurves {
        let mut best = self.bounded(start);
        let mut least = self.cost(&best, wanted, shares);
        let (mut ahead, mut momentum, mut pace) = (best, 1.0, 1.0);
        for _ in 0..STEPS {
            let slope = self.slope(&ahead, wanted, shares);
            let next = self.bounded(&combined(&ahead, &slope, |c| -pace * steps[c]));
            let cost = self.cost(&next, wanted, shares);
            if cost > least {
                // Without momentum, the step was too long.
                if ahead == best {
                    pace *= 0.5;
                }
                (ahead, momentum) = (best, 1.0);
                continue;
            }
            let moved = combined(&next, &best, |_| -1.0);
            let uphill: f64 = slope.as_flattened().iter().zip(moved.as_flattened()).map(|(a, b)| a * b).sum();
            if uphill > 0.0 {
                momentum = 1.0;
            }
            let grown = 0.5 * (1.0 + libm::sqrt(1.0 + 4.0 * momentum * momentum));
            ahead = combined(&next, &moved, |_| (momentum - 1.0) / grown);
            (best, least, momentum) = (next, cost, grown);
        }
        // Beyond the known bands, a curve keeps its last value.
        for curve in &mut best {
            let last = curve[self.known_bands - 1];
            curve[self.known_bands..].fill(last);
        }
        self.bounded(&best)
    }

    /// Returns true if there is sound to equalise in a third octave of mid (0) or side (1).
    pub fn is_sound(&self, c: usize, band: usize) -> bool {
        let powers = &self.source[c][band * FINE_PER_THIRD..][..FINE_PER_THIRD];
        powers.iter().sum::<f64>() > power_from_db(FLOOR_LU)
    }

    fn bounded(&self, curves: &EqualizerCurves) -> EqualizerCurves {
        std::array::from_fn(|c| {
            std::array::from_fn(|band| curves[c][band].clamp(self.lowest[c][band], self.highest[c][band]))
        })
    }

    /// Returns the error plus the costs of gains and roughness.
    fn cost(&self, curves: &EqualizerCurves, wanted: &ThirdOctaveLevels, shares: &ThirdOctaveLevels) -> f64 {
        let misses_db = difference(wanted, &self.over_loudness(&self.behind(curves)));
        let misses = misses_db.as_flattened().iter().zip(shares.as_flattened());
        let missed: f64 = misses.map(|(db, share)| share * libm::sqrt(db * db + SMALL_DB * SMALL_DB)).sum();
        let of = |curve: &[f64]| {
            let gains: f64 = curve.iter().map(|db| db * db).sum();
            let rises: f64 = curve.windows(2).map(|pair| (pair[1] - pair[0]) * (pair[1] - pair[0])).sum();
            GAIN_COST * gains + ROUGHNESS_COST * rises
        };
        missed + curves.iter().map(|curve| of(&curve[..self.known_bands])).sum::<f64>()
    }

    /// Returns the gradient of the cost, per dB in each band.
    fn slope(
        &self,
        curves: &EqualizerCurves,
        wanted: &ThirdOctaveLevels,
        shares: &ThirdOctaveLevels,
    ) -> EqualizerCurves {
        let behind = self.behind(curves);
        let (levels, loud) = (self.over_loudness(&behind), self.loudness(&behind));
        let pulls: ThirdOctaveLevels = std::array::from_fn(|c| {
            std::array::from_fn(|band| {
                let miss_db = levels[c][band] - wanted[c][band];
                shares[c][band] * miss_db / libm::sqrt(miss_db * miss_db + SMALL_DB * SMALL_DB)
            })
        });
        let louder: f64 = pulls.as_flattened().iter().sum();
        std::array::from_fn(|c| {
            let thirds = behind[c].chunks_exact(FINE_PER_THIRD).zip(&pulls[c]);
            let mut pull: Vec<f64> = thirds
                .flat_map(|(powers, pull)| {
                    let sum = powers.iter().sum::<f64>().max(f64::MIN_POSITIVE);
                    powers.iter().map(move |power| pull * power / sum)
                })
                .collect();
            for ((pull, place), power) in pull.iter_mut().zip(&self.places).zip(&behind[c]) {
                *pull -= louder * place.weight * power / loud;
            }
            let (mut slope, curve) = (self.per_band(&pull), &curves[c]);
            for band in 0..self.known_bands {
                slope[band] += 2.0 * GAIN_COST * curve[band];
                if band > 0 {
                    let rise = 2.0 * ROUGHNESS_COST * (curve[band] - curve[band - 1]);
                    slope[band] += rise;
                    slope[band - 1] -= rise;
                }
            }
            slope
        })
    }
}

/// Returns the curves plus a multiple of others.
fn combined(curves: &EqualizerCurves, others: &EqualizerCurves, factor: impl Fn(usize) -> f64) -> EqualizerCurves {
    std::array::from_fn(|c| std::array::from_fn(|band| curves[c][band] + factor(c) * others[c][band]))
}

#[cfg(test)]
mod tests {
    use analyzer::random::Random;

    use super::*;
    use crate::third_octaves::{fine_of_levels, mean_over};

    const ALL_HZ: f64 = 20_480.0;
    const ALL_AUDIBLE: AudibleBands = [[true; THIRD_OCTAVES]; 2];
    /// Error that is allowed for the sake of smooth curves.
    const NEARLY_DB: f64 = 0.02;
    const FLAT: EqualizerCurves = [[0.0; SPECTRUM_BANDS]; 2];

    /// Mean error of mid and side, dB.
    fn miss_db(fit: &Fit, curves: &EqualizerCurves, wanted: &ThirdOctaveLevels) -> f64 {
        let missed = difference(wanted, &fit.levels(curves));
        0.5 * [0, 1].map(|c| mean_over(&ALL_AUDIBLE[c], |band| missed[c][band].abs())).iter().sum::<f64>()
    }

    #[test]
    fn a_third_octave_that_is_most_of_the_loudness_is_no_obstacle() {
        for (band, more_db) in [(10, 12.0), (14, 15.0), (18, 12.0), (18, 15.0), (22, 18.0)] {
            let mid = std::array::from_fn(|b| if b == band { more_db - 25.0 } else { -25.0 });
            let source = fine_of_levels(&[mid, [-35.0; THIRD_OCTAVES]]);
            let fit = Fit::new(&source, ALL_HZ);
            let within = [0.0, 1.0].map(|c| std::array::from_fn(|b| 4.0 * libm::sin(b as f64 / 4.0 + c)));
            let wanted = fit.levels(&within);
            let missed = miss_db(&fit, &fit.curves(&wanted, &ALL_AUDIBLE, &FLAT), &wanted);
            assert!(missed < 0.03, "{missed} dB with {more_db} dB more in third octave {band}");
        }
    }

    #[test]
    fn no_other_curves_within_the_bounds_come_closer() {
        let mut random = Random::new(11);
        for song in 0..3 {
            let source = [-20.0, -28.0].map(|db| std::array::from_fn(|_| db + 4.0 * random.bipolar()));
            let beyond = |c: usize, band: usize| source[c][band] + 9.0 * libm::sin(band as f64 / 4.0 + f64::from(song));
            let wanted = [0, 1].map(|c| std::array::from_fn(|band| beyond(c, band)));
            let fine = fine_of_levels(&source);
            let fit = Fit::new(&fine, ALL_HZ);
            let found = fit.curves(&wanted, &ALL_AUDIBLE, &FLAT);
            let least_db = miss_db(&fit, &found, &wanted);
            for trial in 0..300 {
                let (from, wide) = (random.uniform() * SPECTRUM_BANDS as f64, random.uniform() * SPECTRUM_BANDS as f64);
                let (chosen, by_db) = ([0, 1].map(|_| random.uniform() < 0.7), 3.0 * random.bipolar());
                let mut other = found;
                for (curve, _) in other.iter_mut().zip(chosen).filter(|(_, is_chosen)| *is_chosen) {
                    for db in curve.iter_mut().skip(from as usize).take(wide as usize) {
                        *db = if trial % 3 == 0 { 9.0 * random.bipolar() } else { *db + by_db };
                    }
                }
                let other_db = miss_db(&fit, &fit.bounded(&other), &wanted);
                assert!(other_db > least_db - NEARLY_DB, "song {song}: {other_db} dB instead of {least_db}");
            }
        }
    }
}
