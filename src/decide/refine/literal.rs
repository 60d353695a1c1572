//! A spectrum that is wanted as it is: what the limiter adds to it is listened to, and made up for by the equaliser.
//!
//! What an equaliser does to the song is known without listening. What else happens is heard in passages, as the difference to what the
//! equaliser alone would make of them, and counts as if it were part of the song.

use analyzer::profile::Profile;
use analyzer::spectrum_bands::THIRD_OCTAVES;
use models::amounts::Amounts;
use models::bounds::SIDE_NOISE_DB;
use models::fit::Fit;
use models::target::Target;
use models::third_octaves::{
    AudibleBands, EqualizerCurves, ThirdOctaveLevels, audible, difference, fine, thirds_below, thirds_of,
};
use renderer::recipe::Recipe;

use crate::decide::refine::excerpts::RefinementExcerpts;
use crate::decide::refine::{CLOSE_ENOUGH_DB, curves_of, largest_corrections, miss_db, rounds, with_curves};
use crate::error::Error;
use crate::report::Refinement;
use crate::request::settings::Effort;
use crate::song::Song;
use crate::song::observer::{Observer, Stage};

/// Rounds that bring less are the last, dB.
const WORTH_DB: f64 = 0.02;

/// The recipe whose master is found closest to the target.
pub fn refine_by_rendering(
    song: &Song,
    profile: &Profile,
    target: &Target,
    recipe: Recipe,
    (amounts, effort): (&Amounts, Effort),
    observer: &dyn Observer,
) -> Result<(Recipe, Option<Refinement>), Error> {
    let amounts = amounts.times(&target.trust);
    let cutoff_hz = profile.spectrum.cutoff_hz.min(target.cutoff_hz);
    let is_asked = amounts.tone > 0.0 || amounts.width > 0.0;
    let Some(source) = fine(profile).filter(|_| is_asked && thirds_below(cutoff_hz) > 0) else {
        return Ok((recipe, None));
    };
    let Some(excerpts) = RefinementExcerpts::whole(song, profile)? else { return Ok((recipe, None)) };
    let rounds = rounds(effort);
    observer.stage(Stage::Refining, Some(excerpts.len() * rounds as u64));
    let (alone, passages) = (Fit::new(&source, cutoff_hz), Fit::new(&excerpts.before.fine, cutoff_hz));
    let mut wanted = wanted(&thirds_of(&source), &target.levels, &amounts);
    let is_sound = |c: usize, band: usize| (c == 0 || profile.channels == 2) && alone.is_sound(c, band);
    let heard = heard(&thirds_of(&source), &wanted, thirds_below(cutoff_hz), is_sound);
    let listen = |curves: &EqualizerCurves| -> Result<Option<ThirdOctaveLevels>, Error> {
        observer.advance(0)?;
        let after = excerpts.through(&with_curves(&recipe, curves), profile, true)?;
        Ok(after.map(|after| difference(&passages.levels(curves), &after)))
    };
    let start = curves_of(&recipe);
    if amounts.width < 1.0 {
        let alike = alone.curves(&wanted, &[heard[0], [false; THIRD_OCTAVES]], &start);
        follow(&mut wanted, &alone.levels(&alike)[0], amounts.width);
    }
    let (mut curves, mut best) = (start, (f64::INFINITY, start));
    let mut before_db = None;
    for round in 0..=rounds {
        let Some(added) = listen(&curves)? else { break };
        let still_wanted = difference(&added, &wanted);
        let left_db = miss_db(&difference(&alone.levels(&curves), &still_wanted), &heard);
        before_db.get_or_insert(left_db);
        let is_worth_more = left_db < best.0 - WORTH_DB;
        if left_db < best.0 {
            best = (left_db, curves);
        }
        if !is_worth_more || left_db < CLOSE_ENOUGH_DB || round == rounds {
            break;
        }
        curves = alone.curves(&still_wanted, &heard, &curves);
        observer.advance(excerpts.len())?;
    }
    let Some(miss_before_db) = before_db else { return Ok((recipe, None)) };
    let corrected = with_curves(&recipe, &best.1);
    let [mid_db, side_db] = largest_corrections(&recipe, &corrected);
    Ok((corrected, Some(Refinement { miss_before_db, miss_after_db: best.0, mid_db, side_db })))
}

/// Levels on the way to the target as far as was asked for.
fn wanted(source: &ThirdOctaveLevels, target: &ThirdOctaveLevels, amounts: &Amounts) -> ThirdOctaveLevels {
    let [mid, side] = difference(source, target);
    let mid_db = |band: usize| amounts.tone * mid[band];
    let side_db = |band: usize| mid_db(band) + amounts.width * (side[band] - mid[band]);
    [
        std::array::from_fn(|band| source[0][band] + mid_db(band)),
        std::array::from_fn(|band| source[1][band] + side_db(band)),
    ]
}

/// Where the mid ends at `reached_db` for its bounds, a side whose width is to stay goes no further with it.
fn follow(wanted: &mut ThirdOctaveLevels, reached_db: &[f64; THIRD_OCTAVES], width: f64) {
    let [mid, side] = wanted;
    for (side, (mid, reached)) in side.iter_mut().zip(mid.iter().zip(reached_db)) {
        *side -= (1.0 - width) * (mid - reached);
    }
}

/// What is heard of the wanted in `known` bands, and is more than noise in the source.
fn heard(
    source: &ThirdOctaveLevels,
    wanted: &ThirdOctaveLevels,
    known: usize,
    is_sound: impl Fn(usize, usize) -> bool,
) -> AudibleBands {
    let [mut mid, mut side] = audible(wanted);
    for band in 0..THIRD_OCTAVES {
        mid[band] &= band < known && is_sound(0, band);
        let is_more = source[1][band] - source[0][band] > SIDE_NOISE_DB;
        side[band] &= band < known && is_more && is_sound(1, band);
    }
    [mid, side]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_whose_width_stays_goes_as_far_as_the_mid() {
        let (source, target) = ([[-20.0; THIRD_OCTAVES], [-30.0; THIRD_OCTAVES]], [[-5.0; THIRD_OCTAVES]; 2]);
        for (width, side_db) in [(0.0, -24.0), (0.5, -14.5), (1.0, -5.0)] {
            let mut wanted = wanted(&source, &target, &Amounts { tone: 1.0, dynamics: 0.0, width });
            follow(&mut wanted, &[-14.0; THIRD_OCTAVES], width);
            assert!(wanted[1].iter().all(|db| (db - side_db).abs() < 1e-9), "{wanted:?}");
        }
    }
}
