//! Refinement in a closed loop: passages of the song are rendered through the chain, and the equaliser is corrected
//! until the output has changed as intended.
//!
//! Compressors, width and limiter interfere with the equaliser, and its curve does not account for where in a band the
//! song's energy lies. Each correction is learnt on one half of the passages and kept only if it improves the other
//! half as well. For a target record that is followed, all passages are used for both, and the limiter is included in
//! the render.

mod density;
mod dynamics;
mod excerpts;
mod passages;
mod test_render;

use analyzer::profile::Profile;
use analyzer::spectrum_bands::{THIRD_OCTAVES, third_octave_hz};
use models::amounts::Amounts;
use models::balance::{counted_bands, octave_wide};
use models::bounds::{SIDE_NOISE_DB, bounds, softened, unsoftened};
use models::decision::keep_one_side;
use models::literal::within_bounds;
use models::target::{Target, TargetKind};
use models::third_octaves::{
    AudibleBands, EqualizerCurves, ThirdOctaveLevels, audible, curve, levels, mean_over, thirds_below,
};
use renderer::recipe::{ForecastParams, Recipe};

pub use self::dynamics::{DynamicsTarget, with_dynamics, with_loudness};
use self::excerpts::RefinementExcerpts;
pub use self::passages::TestPassages;
use crate::error::Error;
use crate::report::Refinement;
use crate::request::settings::Effort;
use crate::song::Song;
use crate::song::observer::{Observer, Stage};

/// Returns the number of successive corrections; `None` if the equaliser is not refined.
fn rounds(effort: Effort) -> Option<usize> {
    match effort {
        Effort::Off => None,
        Effort::Fast => Some(QUICK_ROUNDS),
        Effort::Best => Some(8),
    }
}

/// Number of corrections with [`Effort::Fast`].
const QUICK_ROUNDS: usize = 2;
/// Towards a record that is followed, the search stops at a correction that improves less than this, dB.
const WORTH_DB: f64 = 0.02;
/// A deviation this small is not corrected, dB.
const CLOSE_ENOUGH_DB: f64 = 0.1;
/// Share of the deviation that a correction has to remove on passages it was not learnt from.
const MIN_IMPROVEMENT_SHARE: f64 = 0.03;
/// Largest total correction of any band, dB.
const CORRECTION_DB: f64 = 3.0;

/// Returns the recipe with its equaliser corrected by test renders of the song, as far as `target` is to be followed.
///
/// # Errors
/// Temporary data cannot be kept, or the run is interrupted.
pub fn refined(
    (song, profile, passages): (&Song, &Profile, &TestPassages),
    target: &Target,
    recipe: Recipe,
    (amounts, effort): (&Amounts, Effort),
    observer: &dyn Observer,
) -> Result<(Recipe, Option<Refinement>), Error> {
    let (mut recipe, refinement) = match rounds(effort) {
        None => (recipe, None),
        Some(rounds) => refine_by_rendering((song, profile, passages), target, recipe, (amounts, rounds), observer)?,
    };
    keep_one_side(profile, &mut recipe);
    Ok((recipe, refinement))
}

fn refine_by_rendering(
    (song, profile, passages): (&Song, &Profile, &TestPassages),
    target: &Target,
    recipe: Recipe,
    (amounts, rounds): (&Amounts, usize),
    observer: &dyn Observer,
) -> Result<(Recipe, Option<Refinement>), Error> {
    let goal = Goal::of(profile, target, &amounts.times(&target.trust), &recipe);
    let Some(goal) = goal else { return Ok((recipe, None)) };
    let search = CorrectionSearch { profile, goal: &goal, recipe: &recipe, rounds, observer };
    if target.kind.is_followed() {
        let Some(excerpts) = passages.whole(song, profile)? else { return Ok((recipe, None)) };
        observer.stage(Stage::Refining, Some(excerpts.len() * rounds as u64));
        return search.followed(excerpts);
    }
    let Some(halves) = passages.halves(song, profile)? else { return Ok((recipe, None)) };
    observer.stage(Stage::Refining, Some(halves.iter().map(RefinementExcerpts::len).sum::<u64>()));
    let [one, other] = halves;
    let (first, second) = rayon::join(|| search.uncorrected(one), || search.uncorrected(other));
    let (Some(first), Some(second)) = (first?, second?) else { return Ok((recipe, None)) };
    let (a, b) =
        rayon::join(|| search.learn((one, &first), (other, &second)), || search.learn((other, &second), (one, &first)));
    let corrections = [a?, b?];
    let kept: Vec<&Correction> = corrections.iter().filter(|correction| correction.is_kept()).collect();
    let mean = |of: fn(&Correction) -> f64| 0.5 * corrections.iter().map(of).sum::<f64>();
    let mut report = Refinement {
        miss_before_db: mean(|correction| correction.before_db),
        miss_after_db: mean(|correction| if correction.is_kept() { correction.after_db } else { correction.before_db }),
        mid_db: 0.0,
        side_db: 0.0,
    };
    if kept.is_empty() {
        return Ok((recipe, Some(report)));
    }
    let curves: EqualizerCurves = std::array::from_fn(|c| {
        std::array::from_fn(|band| {
            kept.iter().map(|correction| correction.curves[c][band]).sum::<f64>() / kept.len() as f64
        })
    });
    let corrected = with_curves(&recipe, &curves);
    [report.mid_db, report.side_db] = largest_corrections(&recipe, &corrected);
    Ok((corrected, Some(report)))
}

/// Returns the largest corrections of the mid and of the side curve, dB.
fn largest_corrections(recipe: &Recipe, corrected: &Recipe) -> [f64; 2] {
    let largest = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let (before, after) = (&recipe.match_eq, &corrected.match_eq);
    [largest(&after.mid_db.0, &before.mid_db.0), largest(&after.side_db.0, &before.side_db.0)]
}

fn curves_of(recipe: &Recipe) -> EqualizerCurves {
    [recipe.match_eq.mid_db.0, recipe.match_eq.side_db.0]
}

fn with_curves(recipe: &Recipe, [mid_db, side_db]: &EqualizerCurves) -> Recipe {
    let mut recipe = recipe.clone();
    (recipe.match_eq.mid_db.0, recipe.match_eq.side_db.0) = (*mid_db, *side_db);
    recipe.quantized()
}

/// Intended change of the spectrum, up to a constant.
struct Goal {
    kind: TargetKind,
    /// Change of level relative to loudness, LU.
    change: ThirdOctaveLevels,
    /// Bands of mid and side that are audible and count.
    audible_bands: AudibleBands,
    /// Number of third octaves below the cutoff of both song and target.
    known: usize,
    /// Share of the deviation that is corrected.
    amounts: Amounts,
}

impl Goal {
    /// Returns the change that `recipe` intends; `None` if there is none: its equaliser is neutral, or the song is
    /// silent.
    fn of(profile: &Profile, target: &Target, amounts: &Amounts, recipe: &Recipe) -> Option<Self> {
        let (source, eq) = (levels(profile)?, &recipe.match_eq);
        let cutoff_hz = profile.spectrum.cutoff_hz.min(target.cutoff_hz);
        let known = thirds_below(cutoff_hz);
        let is_asked = amounts.tone > 0.0 || amounts.width > 0.0;
        if known == 0 || !is_asked || eq.is_neutral() {
            return None;
        }
        let change = match target.kind {
            // The intention is a spectrum.
            TargetKind::Literal => amounts.of(&within_bounds(&source, &target.levels, cutoff_hz)),
            // The intention is the equaliser's curve.
            TargetKind::Balance | TargetKind::Reference | TargetKind::Norm => {
                [&eq.mid_db, &eq.side_db].map(|curve| std::array::from_fn(|b| eq.gain_db_at(curve, third_octave_hz(b))))
            }
        };
        let [mut mid, mut side] = match target.kind {
            TargetKind::Balance => counted_bands(&source, cutoff_hz),
            TargetKind::Literal => audible(&target.levels),
            TargetKind::Reference | TargetKind::Norm => audible(&source),
        };
        for band in 0..THIRD_OCTAVES {
            mid[band] &= band < known;
            let is_sound = source[1][band] - source[0][band] > SIDE_NOISE_DB && profile.channels == 2;
            side[band] &= band < known && is_sound;
        }
        Some(Self { kind: target.kind, change, audible_bands: [mid, side], known, amounts: *amounts })
    }

    /// Returns the remaining deviation of a chain that turned `before` into `after`.
    fn deviation(&self, before: &ThirdOctaveLevels, after: &ThirdOctaveLevels) -> Deviation {
        let missing = |c: usize, band: usize| self.change[c][band] - (after[c][band] - before[c][band]);
        let constant = mean_over(&self.audible_bands[0], |band| missing(0, band));
        let mut missing: ThirdOctaveLevels = std::array::from_fn(|c| {
            std::array::from_fn(|band| if self.audible_bands[c][band] { missing(c, band) - constant } else { 0.0 })
        });
        if self.kind == TargetKind::Balance {
            missing = std::array::from_fn(|c| octave_wide(&missing[c], &self.audible_bands[c]));
        }
        Deviation { missing, deviation_db: deviation_db(&missing, &self.audible_bands) }
    }

    /// Returns the curves corrected by the remaining deviation, within their bounds.
    fn corrected(&self, curves: &EqualizerCurves, deviation: &Deviation, start: &EqualizerCurves) -> EqualizerCurves {
        let corrections = self.amounts.of(&deviation.missing.each_ref().map(|missing| curve(missing, self.known)));
        let bounds = bounds(self.kind);
        std::array::from_fn(|c| {
            std::array::from_fn(|band| {
                let db = softened(unsoftened(curves[c][band], bounds[c]) + corrections[c][band], bounds[c]);
                db.clamp(start[c][band] - CORRECTION_DB, start[c][band] + CORRECTION_DB)
            })
        })
    }
}

/// Returns the mean absolute deviation over mid and side, dB.
fn deviation_db(missing: &ThirdOctaveLevels, audible_bands: &AudibleBands) -> f64 {
    let means = [0, 1].map(|c| mean_over(&audible_bands[c], |band| missing[c][band].abs()));
    if audible_bands[1].contains(&true) { 0.5 * (means[0] + means[1]) } else { means[0] }
}

/// Remaining deviation from the intended change.
struct Deviation {
    missing: ThirdOctaveLevels,
    /// Mean absolute deviation, dB.
    deviation_db: f64,
}

/// Search for the correction that removes most of the deviation, by test renders.
struct CorrectionSearch<'a> {
    profile: &'a Profile,
    goal: &'a Goal,
    recipe: &'a Recipe,
    rounds: usize,
    observer: &'a dyn Observer,
}

/// A correction learnt on some passages, and its effect on others.
struct Correction {
    curves: EqualizerCurves,
    before_db: f64,
    after_db: f64,
}

impl Correction {
    /// Returns true if the correction also improves the passages it was not learnt from.
    fn is_kept(&self) -> bool {
        self.after_db < (1.0 - MIN_IMPROVEMENT_SHARE) * self.before_db
    }
}

impl CorrectionSearch<'_> {
    /// Returns the recipe that comes closest on the same passages that it is learnt from.
    fn followed(&self, excerpts: &RefinementExcerpts) -> Result<(Recipe, Option<Refinement>), Error> {
        let start = curves_of(self.recipe);
        let forecast = self.recipe.forecast;
        let Some((mut deviation, mut forecast)) = self.limited(excerpts, &start, forecast)? else {
            return Ok((self.recipe.clone(), None));
        };
        let miss_before_db = deviation.deviation_db;
        let (mut best, mut curves) = ((deviation.deviation_db, start), start);
        for _ in 0..self.rounds {
            if best.0 < CLOSE_ENOUGH_DB {
                break;
            }
            curves = self.goal.corrected(&curves, &deviation, &start);
            let Some((next, found)) = self.limited(excerpts, &curves, forecast)? else { break };
            forecast = found;
            self.observer.advance(excerpts.len())?;
            let is_worth_more = next.deviation_db < best.0 - WORTH_DB;
            if next.deviation_db < best.0 {
                best = (next.deviation_db, curves);
            }
            if !is_worth_more {
                break;
            }
            deviation = next;
        }
        let corrected = Recipe { forecast, ..with_curves(self.recipe, &best.1) }.quantized();
        let [mid_db, side_db] = largest_corrections(self.recipe, &corrected);
        Ok((corrected, Some(Refinement { miss_before_db, miss_after_db: best.0, mid_db, side_db })))
    }

    /// Returns the remaining deviation of the uncorrected recipe.
    fn uncorrected(&self, excerpts: &RefinementExcerpts) -> Result<Option<Deviation>, Error> {
        self.deviation(excerpts, &curves_of(self.recipe))
    }

    /// Learns on one half of the excerpts and checks on the other; each comes with its remaining deviation.
    fn learn(
        &self,
        (from, deviation): (&RefinementExcerpts, &Deviation),
        (check, unchecked): (&RefinementExcerpts, &Deviation),
    ) -> Result<Correction, Error> {
        let before_db = unchecked.deviation_db;
        let curves = self.searched(from, deviation)?;
        let checked = if curves == curves_of(self.recipe) { None } else { self.deviation(check, &curves)? };
        self.observer.advance(from.len())?;
        Ok(Correction { curves, before_db, after_db: checked.map_or(before_db, |deviation| deviation.deviation_db) })
    }

    /// Returns the curves with the smallest remaining deviation.
    fn searched(&self, excerpts: &RefinementExcerpts, deviation: &Deviation) -> Result<EqualizerCurves, Error> {
        let start = curves_of(self.recipe);
        let mut best = (deviation.deviation_db, start);
        if best.0 < CLOSE_ENOUGH_DB {
            return Ok(start);
        }
        let mut curves = self.goal.corrected(&start, deviation, &start);
        for _ in 1..self.rounds {
            let Some(deviation) = self.deviation(excerpts, &curves)? else { break };
            let is_worth_more = deviation.deviation_db < (1.0 - MIN_IMPROVEMENT_SHARE) * best.0;
            if deviation.deviation_db < best.0 {
                best = (deviation.deviation_db, curves);
            }
            if !is_worth_more {
                break;
            }
            curves = self.goal.corrected(&curves, &deviation, &start);
        }
        // In a fast refinement, only the check on the other half judges the last correction.
        Ok(if self.rounds > QUICK_ROUNDS { best.1 } else { curves })
    }

    fn deviation(&self, excerpts: &RefinementExcerpts, curves: &EqualizerCurves) -> Result<Option<Deviation>, Error> {
        self.observer.advance(0)?;
        let after = excerpts.through(&with_curves(self.recipe, curves), self.profile)?;
        Ok(after.map(|after| self.goal.deviation(&excerpts.before.levels, &after)))
    }

    /// As [`deviation`](Self::deviation), behind the limiter.
    fn limited(
        &self,
        excerpts: &RefinementExcerpts,
        curves: &EqualizerCurves,
        forecast: ForecastParams,
    ) -> Result<Option<(Deviation, ForecastParams)>, Error> {
        self.observer.advance(0)?;
        let recipe = Recipe { forecast, ..with_curves(self.recipe, curves) };
        let after = excerpts.limited(&recipe, self.profile)?;
        Ok(after.map(|(after, forecast)| (self.goal.deviation(&excerpts.before.levels, &after), forecast)))
    }
}
