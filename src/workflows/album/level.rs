//! The loudness of an album: one offset over the traces of all songs.

use analyzer::loudness_history::{LoudnessHistory, gated};
use renderer::recipe::Recipe;

use crate::error::Error;
use crate::render::finish::predict_loudness;
use crate::render::trace::Trace;
use crate::request::job::{AlbumBalance, AlbumLoudness};

/// A song whose loudness is found together with that of the others.
pub struct Part {
    /// The song's data for predicting limiting and loudness.
    pub trace: Trace,
    /// Recipe of the song; its loudness is set here.
    pub recipe: Recipe,
    /// Loudness of the mix, LUFS.
    pub before_lufs: f64,
}

/// The level change of an album, and its limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offset {
    /// Difference between the loudness of every mix and that of its master, LU.
    pub offset_lu: f64,
    /// Index of the song that cannot become louder without more limiting than allowed, if the album falls short because
    /// of it.
    pub held_back_by: Option<usize>,
    /// Distance below the requested loudness at which the search ended although no song holds the album back, LU.
    pub missed_by_lu: Option<f64>,
}

impl Offset {
    /// Returns what the album falls short of, if its loudness is missed. `name` gives the name of the song at an index.
    pub fn shortfall(&self, wanted_lufs: f64, name: impl Fn(usize) -> String) -> Option<String> {
        let held_back = |n| format!("the album is not as loud as {wanted_lufs:.2} LUFS: {} comes no higher", name(n));
        let missed = |missed_lu| format!("the album is {missed_lu:+.2} LU away from {wanted_lufs:.2} LUFS");
        self.held_back_by.map(held_back).or_else(|| self.missed_by_lu.map(missed))
    }
}

/// Accuracy to which the album is solved, LU.
const TOLERANCE_LU: f64 = 0.01;
/// Distance below the requested loudness from which on a song cannot reach it, LU.
const OUT_OF_REACH_LU: f64 = 0.03;
/// Largest number of rounds of the search; each comes an order of magnitude closer.
const MAX_ROUNDS: usize = 8;
/// Distance from the requested loudness up to which an album has reached it, LU.
pub const PROMISED_LU: f64 = 0.1;

/// Sets the loudness of every part so that the album is at `wanted_lufs`. Depending on `balance`, all songs are raised
/// by the same amount, or all become equally loud, both only as far as the song with the least room allows. If all
/// become equally loud, the offset is that of the loudest song.
///
/// # Errors
/// If temporary data cannot be read.
pub fn balance(
    parts: &mut [&mut Part],
    wanted_lufs: f64,
    by: AlbumLoudness,
    balance: AlbumBalance,
) -> Result<Offset, Error> {
    balance_within(MAX_ROUNDS, parts, wanted_lufs, (by, balance))
}

fn balance_within(
    max_rounds: usize,
    parts: &mut [&mut Part],
    wanted_lufs: f64,
    (by, balance): (AlbumLoudness, AlbumBalance),
) -> Result<Offset, Error> {
    let loudest = parts.iter().map(|part| part.before_lufs).fold(f64::NEG_INFINITY, f64::max);
    let mut offset_lu = wanted_lufs - loudest;
    let mut room: Option<(usize, f64)> = None;
    // The loudness that the offset is added to.
    let base = |part: &Part| match balance {
        AlbumBalance::Keep => part.before_lufs,
        AlbumBalance::Even => loudest,
    };
    let mut drives: Vec<f64> = parts.iter().map(|part| base(part) + offset_lu - part.before_lufs).collect();
    let mut missed_by_lu = None;
    for _ in 0..max_rounds {
        let mut histories = Vec::with_capacity(parts.len());
        let mut short: Option<(usize, f64)> = None;
        for (n, part) in parts.iter_mut().enumerate() {
            let base_lufs = base(part);
            set_loudness(&mut part.recipe, base_lufs + offset_lu);
            let (outcome, history) = predict_loudness(&part.trace, &part.recipe, drives[n])?;
            drives[n] = outcome.drive_db;
            let reached = outcome.loudness_lufs.unwrap_or(base_lufs + offset_lu);
            let reachable_lu = reached - base_lufs;
            if reachable_lu < offset_lu - OUT_OF_REACH_LU && short.is_none_or(|(_, least)| reachable_lu < least) {
                short = Some((n, reachable_lu));
            }
            histories.push(history);
        }
        if let Some((_, reachable_lu)) = short {
            (room, offset_lu) = (short, reachable_lu);
            continue;
        }
        let miss_lu = wanted_lufs - album_lufs(&histories, by).unwrap_or(wanted_lufs);
        missed_by_lu = Some(miss_lu).filter(|miss_lu| miss_lu.abs() > PROMISED_LU);
        let is_at_its_limit = room.is_some_and(|(_, reachable_lu)| miss_lu > 0.0 && offset_lu >= reachable_lu);
        if miss_lu.abs() < TOLERANCE_LU || is_at_its_limit {
            break;
        }
        offset_lu = (offset_lu + miss_lu).min(room.map_or(f64::INFINITY, |(_, reachable_lu)| reachable_lu));
    }
    let held_back_by = room.filter(|(_, reachable_lu)| offset_lu >= *reachable_lu).map(|(n, _)| n);
    Ok(Offset { offset_lu, held_back_by, missed_by_lu: missed_by_lu.filter(|_| held_back_by.is_none()) })
}

/// Gives all songs the limiter of the loudest one, so that the album has one character.
pub fn same_limiter(parts: &mut [&mut Part]) {
    let loudest = parts.iter().max_by(|a, b| a.before_lufs.total_cmp(&b.before_lufs));
    if let Some(limiter) = loudest.map(|part| part.recipe.limiter) {
        parts.iter_mut().for_each(|part| part.recipe.limiter = limiter);
    }
}

/// Sets the loudness of a recipe, on the recipe's grid and within its range.
fn set_loudness(recipe: &mut Recipe, lufs: f64) {
    recipe.delivery.loudness_lufs = lufs;
    *recipe = std::mem::take(recipe).quantized();
}

/// Returns the loudness of several songs as one album.
pub fn album_lufs(songs: &[LoudnessHistory], by: AlbumLoudness) -> Option<f64> {
    match by {
        AlbumLoudness::Whole => gated(|| songs.iter().flat_map(LoudnessHistory::gating_powers)),
        AlbumLoudness::Loudest => songs.iter().filter_map(LoudnessHistory::integrated).reduce(f64::max),
    }
}

#[cfg(test)]
mod tests {
    use analyzer::loudness::LoudnessMeter;
    use analyzer::stream::Meter as _;
    use analyzer::synth::demo_mix;

    use super::*;
    use crate::render::trace::TraceMeter;

    const RATE_HZ: u32 = 44_100;

    fn parts() -> Vec<Part> {
        let song = demo_mix(RATE_HZ, 6.0);
        song.chunks_exact(song.len() / 2)
            .map(|frames| {
                let mut trace = TraceMeter::new(RATE_HZ, 0.0, usize::MAX);
                trace.push(frames).expect("memory");
                let mut loudness = LoudnessMeter::new(RATE_HZ);
                loudness.push(frames);
                let before_lufs = loudness.history().integrated().expect("it can be heard");
                Part { trace: trace.finish().expect("memory"), recipe: Recipe::default(), before_lufs }
            })
            .collect()
    }

    #[test]
    fn a_search_that_ends_too_early_says_by_how_much_it_missed() {
        let offset = |max_rounds| {
            let mut parts = parts();
            balance_within(max_rounds, &mut parts.iter_mut().collect::<Vec<_>>(), -16.0, Default::default())
                .expect("memory")
        };
        let (first, found) = (offset(1), offset(MAX_ROUNDS));
        assert_eq!((found.missed_by_lu, found.held_back_by), (None, None), "{found:?}");
        // The first round brings the loudest song to its loudness, but not yet the album.
        let missed = first.missed_by_lu.expect("the songs differ in loudness");
        assert!((found.offset_lu - first.offset_lu).abs() < 0.2 && missed.abs() > PROMISED_LU, "{first:?} {found:?}");
    }
}
