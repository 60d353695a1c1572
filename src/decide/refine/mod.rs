//! A closed loop: passages of the song go through the chain, and its equaliser is corrected until what comes out has
//! changed as it was meant to.
//!
//! Compressors, width and limiter disturb what an equaliser does, and its curve knows nothing of where in a band the
//! song is loud. Each correction is learnt from one half of the passages and counts only if the other half comes closer as well;
//! where a spectrum is wanted as it is, all passages teach and all judge.

mod density;
mod dynamics;
mod excerpts;
mod literal;
mod rehearsal;

use analyzer::profile::Profile;
use analyzer::spectrum_bands::{THIRD_OCTAVES, third_octave_hz};
use models::amounts::Amounts;
use models::bounds::{MID_BOUND_DB, SIDE_BOUND_DB, SIDE_NOISE_DB};
use models::decision::keep_one_side;
use models::target::{Target, TargetKind};
use models::third_octaves::{
    AudibleBands, EqualizerCurves, ThirdOctaveLevels, audible, curve, levels, mean_over, thirds_below,
};
use renderer::recipe::Recipe;

use self::excerpts::RefinementExcerpts;
use crate::error::Error;
use crate::report::Refinement;
use crate::request::settings::Effort;
use crate::song::Song;
use crate::song::observer::Observer;

/// Corrections that are made one after the other.
fn rounds(effort: Effort) -> usize {
    match effort {
        Effort::Off => 0,
        Effort::Fast => QUICK_ROUNDS,
        Effort::Best => 8,
    }
}

/// Corrections of a quick look.
const QUICK_ROUNDS: usize = 2;
/// A miss this small is left, dB.
const CLOSE_ENOUGH_DB: f64 = 0.1;
/// A correction has to take this share of the miss away from passages that it was not learnt from.
const LEAST_GAIN: f64 = 0.03;
/// A chain that was told what to do is not corrected by more, dB.
const CORRECTION_DB: f64 = 3.0;

/// The recipe with its dynamics decided by what the chain makes of the song; the equaliser is corrected afterwards, and hears them.
///
/// # Errors
/// As [`refined`].
pub fn with_dynamics(
    song: &Song,
    profile: &Profile,
    target: &Target,
    recipe: Recipe,
    (amounts, effort): (&Amounts, Effort),
    observer: &dyn Observer,
) -> Result<Recipe, Error> {
    if effort == Effort::Off || target.kind == TargetKind::Literal {
        return Ok(recipe);
    }
    observer.stage("refining", None);
    dynamics::decided(song, profile, target, amounts.dynamics * target.trust.dynamics, recipe)
}

/// The recipe, its equaliser corrected by what the chain makes of the song, towards what of `target` is done.
///
/// # Errors
/// Temporary data cannot be kept, or the run is interrupted.
pub fn refined(
    song: &Song,
    profile: &Profile,
    target: &Target,
    recipe: Recipe,
    (amounts, effort): (&Amounts, Effort),
    observer: &dyn Observer,
) -> Result<(Recipe, Option<Refinement>), Error> {
    let (mut recipe, refinement) = match effort {
        Effort::Off => (recipe, None),
        _ if target.kind == TargetKind::Literal => {
            literal::refine_by_rendering(song, profile, target, recipe, (amounts, effort), observer)?
        }
        _ => refine_by_rendering(song, profile, target, recipe, (amounts, effort), observer)?,
    };
    keep_one_side(profile, &mut recipe);
    Ok((recipe, refinement))
}

fn refine_by_rendering(
    song: &Song,
    profile: &Profile,
    target: &Target,
    recipe: Recipe,
    (amounts, effort): (&Amounts, Effort),
    observer: &dyn Observer,
) -> Result<(Recipe, Option<Refinement>), Error> {
    let goal = Goal::of(profile, target, &amounts.times(&target.trust), &recipe);
    let Some(goal) = goal else { return Ok((recipe, None)) };
    let Some(halves) = RefinementExcerpts::halves(song, profile)? else { return Ok((recipe, None)) };
    observer.stage("refining", Some(halves.iter().map(RefinementExcerpts::len).sum::<u64>()));
    let bench = Bench { profile, goal: &goal, recipe: &recipe, rounds: rounds(effort), observer };
    let [one, other] = &halves;
    let (first, second) = rayon::join(|| bench.uncorrected(one), || bench.uncorrected(other));
    let (Some(first), Some(second)) = (first?, second?) else { return Ok((recipe, None)) };
    let (a, b) =
        rayon::join(|| bench.learn((one, &first), (other, &second)), || bench.learn((other, &second), (one, &first)));
    let lessons = [a?, b?];
    let kept: Vec<&Lesson> = lessons.iter().filter(|lesson| lesson.is_kept()).collect();
    let mean = |of: fn(&Lesson) -> f64| 0.5 * lessons.iter().map(of).sum::<f64>();
    let mut report = Refinement {
        miss_before_db: mean(|lesson| lesson.before_db),
        miss_after_db: mean(|lesson| if lesson.is_kept() { lesson.after_db } else { lesson.before_db }),
        mid_db: 0.0,
        side_db: 0.0,
    };
    if kept.is_empty() {
        return Ok((recipe, Some(report)));
    }
    let curves: EqualizerCurves = std::array::from_fn(|c| {
        std::array::from_fn(|band| kept.iter().map(|lesson| lesson.curves[c][band]).sum::<f64>() / kept.len() as f64)
    });
    let corrected = with_curves(&recipe, &curves);
    [report.mid_db, report.side_db] = largest_corrections(&recipe, &corrected);
    Ok((corrected, Some(report)))
}

/// Of mid and side, dB.
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

/// What the chain is to change of the spectrum, but for a constant.
struct Goal {
    /// Level over loudness after less before, LU.
    change: ThirdOctaveLevels,
    /// What is heard of it.
    heard: AudibleBands,
    /// Bands that anything is known of.
    known: usize,
}

impl Goal {
    /// What `recipe` was made for; `None` where it leaves the tone alone, or the song is silent.
    fn of(profile: &Profile, target: &Target, amounts: &Amounts, recipe: &Recipe) -> Option<Self> {
        let (source, eq) = (levels(profile)?, &recipe.match_eq);
        let known = thirds_below(profile.spectrum.cutoff_hz.min(target.cutoff_hz));
        let is_asked = amounts.tone > 0.0 || amounts.width > 0.0;
        if known == 0 || !is_asked || eq.is_neutral() {
            return None;
        }
        let change =
            [&eq.mid_db, &eq.side_db].map(|curve| std::array::from_fn(|b| eq.gain_db_at(curve, third_octave_hz(b))));
        let [mut mid, mut side] = audible(&source);
        for band in 0..THIRD_OCTAVES {
            mid[band] &= band < known;
            let is_sound = source[1][band] - source[0][band] > SIDE_NOISE_DB && profile.channels == 2;
            side[band] &= band < known && is_sound;
        }
        Some(Self { change, heard: [mid, side], known })
    }

    /// What a chain that made `after` of `before` has left to be done.
    fn left(&self, before: &ThirdOctaveLevels, after: &ThirdOctaveLevels) -> Left {
        let missing = |c: usize, band: usize| self.change[c][band] - (after[c][band] - before[c][band]);
        let constant = mean_over(&self.heard[0], |band| missing(0, band));
        let missing = std::array::from_fn(|c| {
            std::array::from_fn(|band| if self.heard[c][band] { missing(c, band) - constant } else { 0.0 })
        });
        Left { missing, miss_db: miss_db(&missing, &self.heard) }
    }

    /// Curves moved by what is missing, within their bounds.
    fn corrected(&self, curves: &EqualizerCurves, left: &Left, start: &EqualizerCurves) -> EqualizerCurves {
        std::array::from_fn(|c| {
            let bound_db = [MID_BOUND_DB, SIDE_BOUND_DB][c];
            let correction = curve(&left.missing[c], self.known);
            std::array::from_fn(|band| {
                let db = curves[c][band] + correction[band];
                db.clamp(start[c][band] - CORRECTION_DB, start[c][band] + CORRECTION_DB).clamp(-bound_db, bound_db)
            })
        })
    }
}

/// Mean of what is missing in mid and in side, dB.
fn miss_db(missing: &ThirdOctaveLevels, heard: &AudibleBands) -> f64 {
    let means = [0, 1].map(|c| mean_over(&heard[c], |band| missing[c][band].abs()));
    if heard[1].contains(&true) { 0.5 * (means[0] + means[1]) } else { means[0] }
}

/// What is left to be done.
struct Left {
    missing: ThirdOctaveLevels,
    /// Mean of what is missing, dB.
    miss_db: f64,
}

/// Where corrections are tried.
struct Bench<'a> {
    profile: &'a Profile,
    goal: &'a Goal,
    recipe: &'a Recipe,
    rounds: usize,
    observer: &'a dyn Observer,
}

/// What was learnt from some passages, and what it is worth in others.
struct Lesson {
    curves: EqualizerCurves,
    before_db: f64,
    after_db: f64,
}

impl Lesson {
    /// It holds in passages that it was not learnt from.
    fn is_kept(&self) -> bool {
        self.after_db < (1.0 - LEAST_GAIN) * self.before_db
    }
}

impl Bench<'_> {
    /// What the recipe as it is leaves to be done.
    fn uncorrected(&self, excerpts: &RefinementExcerpts) -> Result<Option<Left>, Error> {
        self.left(excerpts, &curves_of(self.recipe))
    }

    /// Learns from one excerpts and checks on another; both with what is left to be done there.
    fn learn(
        &self,
        (from, left): (&RefinementExcerpts, &Left),
        (check, unchecked): (&RefinementExcerpts, &Left),
    ) -> Result<Lesson, Error> {
        let before_db = unchecked.miss_db;
        let curves = self.searched(from, left)?;
        let checked = if curves == curves_of(self.recipe) { None } else { self.left(check, &curves)? };
        self.observer.advance(from.len())?;
        Ok(Lesson { curves, before_db, after_db: checked.map_or(before_db, |left| left.miss_db) })
    }

    /// The curves that leave least to be done.
    fn searched(&self, excerpts: &RefinementExcerpts, left: &Left) -> Result<EqualizerCurves, Error> {
        let start = curves_of(self.recipe);
        let mut best = (left.miss_db, start);
        if best.0 < CLOSE_ENOUGH_DB {
            return Ok(start);
        }
        let mut curves = self.goal.corrected(&start, left, &start);
        for _ in 1..self.rounds {
            let Some(left) = self.left(excerpts, &curves)? else { break };
            let is_worth_more = left.miss_db < (1.0 - LEAST_GAIN) * best.0;
            if left.miss_db < best.0 {
                best = (left.miss_db, curves);
            }
            if !is_worth_more {
                break;
            }
            curves = self.goal.corrected(&curves, &left, &start);
        }
        // The last correction of a quick look is judged by the check alone.
        Ok(if self.rounds > QUICK_ROUNDS { best.1 } else { curves })
    }

    fn left(&self, excerpts: &RefinementExcerpts, curves: &EqualizerCurves) -> Result<Option<Left>, Error> {
        self.observer.advance(0)?;
        let after = excerpts.through(&with_curves(self.recipe, curves), self.profile, false)?;
        Ok(after.map(|after| self.goal.left(&excerpts.before.levels, &after)))
    }
}
