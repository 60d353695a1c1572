//! A spectrum that is wanted as it is: what the limiter adds to it is listened to, and made up for by the equaliser.
//!
//! What an equaliser does to the song is known without listening. What else happens is heard in passages, as the difference to what the
//! equaliser alone would make of them, and counts as if it were part of the song.

use analyzer::profile::{Profile, THIRD_OCTAVES};
use models::decision::{Amounts, SIDE_NOISE_DB};
use models::fit::Fit;
use models::literal::{Curves, Heard, Thirds, audible, difference, fine, thirds_below, thirds_of};
use models::target::Target;
use renderer::recipe::Recipe;

use super::digest::Digest;
use super::{CLOSE_ENOUGH_DB, Refinement, curves_of, largest_corrections, miss_db, with_curves};
use crate::error::Error;
use crate::job::MasterJob;
use crate::progress::Observer;
use crate::song::Song;

/// Rounds that bring less are the last, dB.
const WORTH_DB: f64 = 0.02;

/// The recipe whose master is found closest to the target.
pub fn listened(
    job: &MasterJob,
    song: &Song,
    profile: &Profile,
    target: &Target,
    recipe: Recipe,
    observer: &dyn Observer,
) -> Result<(Recipe, Option<Refinement>), Error> {
    let amounts = job.amounts.times(&target.trust);
    let cutoff_hz = profile.spectrum.cutoff_hz.min(target.cutoff_hz);
    let is_asked = amounts.tone > 0.0 || amounts.width > 0.0;
    let Some(source) = fine(profile).filter(|_| is_asked && thirds_below(cutoff_hz) > 0) else {
        return Ok((recipe, None));
    };
    let Some(digest) = Digest::whole(song, profile)? else { return Ok((recipe, None)) };
    let rounds = job.effort.rounds();
    observer.stage("refining", Some(digest.len() * rounds as u64));
    let (alone, passages) = (Fit::new(&source, cutoff_hz), Fit::new(&digest.before.fine, cutoff_hz));
    let wanted = wanted(&thirds_of(&source), &target.levels, &amounts);
    let heard = heard(&thirds_of(&source), &wanted, thirds_below(cutoff_hz));
    let listen = |curves: &Curves| -> Result<Option<Thirds>, Error> {
        observer.advance(0)?;
        let after = digest.through(&with_curves(&recipe, curves), profile, true)?;
        Ok(after.map(|after| difference(&passages.levels(curves), &after)))
    };
    let start = curves_of(&recipe);
    let (mut curves, mut best) = (start, (f64::INFINITY, start));
    let mut before_db = None;
    for _ in 0..=rounds {
        let Some(added) = listen(&curves)? else { break };
        let still_wanted = difference(&added, &wanted);
        let left_db = miss_db(&difference(&alone.levels(&curves), &still_wanted), &heard);
        before_db.get_or_insert(left_db);
        let is_worth_more = left_db < best.0 - WORTH_DB;
        if left_db < best.0 {
            best = (left_db, curves);
        }
        if !is_worth_more || left_db < CLOSE_ENOUGH_DB {
            break;
        }
        curves = alone.curves(&still_wanted, &heard, &curves);
        observer.advance(digest.len())?;
    }
    let Some(miss_before_db) = before_db else { return Ok((recipe, None)) };
    let corrected = with_curves(&recipe, &best.1);
    let [mid_db, side_db] = largest_corrections(&recipe, &corrected);
    Ok((corrected, Some(Refinement { miss_before_db, miss_after_db: best.0, mid_db, side_db })))
}

/// Levels on the way to the target as far as was asked for.
fn wanted(source: &Thirds, target: &Thirds, amounts: &Amounts) -> Thirds {
    let [mid, side] = difference(source, target);
    let mid_db = |band: usize| amounts.tone * mid[band];
    let side_db = |band: usize| mid_db(band) + amounts.width * (side[band] - mid[band]);
    [
        std::array::from_fn(|band| source[0][band] + mid_db(band)),
        std::array::from_fn(|band| source[1][band] + side_db(band)),
    ]
}

/// What is heard of the wanted in `known` bands, and is more than noise in the source.
fn heard(source: &Thirds, wanted: &Thirds, known: usize) -> Heard {
    let [mut mid, mut side] = audible(wanted);
    for band in 0..THIRD_OCTAVES {
        mid[band] &= band < known;
        side[band] &= band < known && source[1][band] - source[0][band] > SIDE_NOISE_DB;
    }
    [mid, side]
}
