//! Masters the songs of a record together: a common move in tone, smaller differences in tone, unchanged differences in
//! loudness.

use std::path::PathBuf;

use analyzer::loudness::LoudnessMeter;
use analyzer::loudness_history::{LoudnessHistory, gated};
use analyzer::profile::Profile;
use analyzer::spectrum_bands::SPECTRUM_BANDS;
use analyzer::stream::Meter as _;
use models::Decider;
use models::decision::MasteringDecision;
use models::features::{Features, MID, SIDE, features};
use models::target::{Target, bands_below};
use renderer::recipe::Recipe;

use crate::error::Error;
use crate::io;
use crate::render::finish::predict_loudness;
use crate::render::trace::Trace;
use crate::report::album::AlbumReport;
use crate::report::album::AlbumSong;
use crate::request::job::{AlbumBalance, AlbumLoudness};
use crate::song::blocks::each_block;
use crate::song::observer::{Observer, Stage};

/// Name of the target of a record that is its own target.
pub const RECORD: &str = "the record itself";

/// The tone of a record: its middle, and the target for it.
pub struct Tone {
    /// Middle of the songs.
    pub middle: Target,
    /// Target of all songs.
    pub target: Target,
    /// The move that all songs share; `None` if the record is its own target.
    common: Option<MasteringDecision>,
}

impl Tone {
    /// Creates the tone of a record that is mastered towards `target`, or towards itself. `None` if nothing on it is
    /// audible.
    ///
    /// # Errors
    /// If the network fails.
    pub fn new(
        decider: &mut Decider,
        songs: &[&Profile],
        target: Option<Target>,
    ) -> Result<Option<Self>, models::error::Error> {
        let Some(middle) = Target::middle(RECORD, songs) else { return Ok(None) };
        let common = match &target {
            Some(target) => Some(decider.decide_between(&middle.features, middle.cutoff_hz, target)?),
            None => None,
        };
        Ok(Some(Self { target: target.unwrap_or_else(|| middle.clone()), middle, common }))
    }

    /// Returns the decision for one song: the common move, and the song's own move towards the middle, which never goes
    /// past it.
    ///
    /// # Errors
    /// If the song is silent, or the network fails.
    pub fn decide(&self, decider: &mut Decider, song: &Profile) -> Result<MasteringDecision, models::error::Error> {
        let vector = features(song).ok_or(models::error::Error::SilentSource)?;
        let mut decision = decider.decide(song, &self.middle)?;
        let known = bands_below(song.spectrum.cutoff_hz);
        for (curve, start) in [(&mut decision.mid_db, MID), (&mut decision.side_db, SIDE)] {
            for (band, gain) in curve.iter_mut().enumerate().take(known) {
                let whole = self.middle.features[start + band] - vector[start + band];
                *gain = gain.clamp(whole.min(0.0), whole.max(0.0));
            }
        }
        let Some(common) = &self.common else { return Ok(decision) };
        let add = |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        add(&mut decision.mid_db, &common.mid_db);
        add(&mut decision.side_db, &common.side_db);
        add(&mut decision.log_ratio, &common.log_ratio);
        decision.plr_lu += common.plr_lu;
        decision.confidence = common.confidence;
        Ok(decision)
    }
}

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

/// Accuracy to which the album is solved, LU.
const TOLERANCE_LU: f64 = 0.01;
/// Distance below the requested loudness from which on a song cannot reach it, LU.
const OUT_OF_REACH_LU: f64 = 0.03;
/// Largest number of rounds of the search; each comes an order of magnitude closer.
const MAX_ROUNDS: usize = 8;
/// Distance from the requested loudness up to which an album has reached it, LU.
const PROMISED_LU: f64 = 0.1;

/// Sets the loudness of every part so that the album is at `wanted_lufs`. Depending on `balance`, all songs are raised
/// by the same amount, or all become equally loud, both only as far as the song with the least room allows. If all
/// become equally loud, the offset is that of the loudest song.
///
/// # Errors
/// If temporary data cannot be read.
pub fn balance(
    parts: &mut [Part],
    wanted_lufs: f64,
    by: AlbumLoudness,
    balance: AlbumBalance,
) -> Result<Offset, Error> {
    balance_within(MAX_ROUNDS, parts, wanted_lufs, (by, balance))
}

fn balance_within(
    max_rounds: usize,
    parts: &mut [Part],
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

/// A song before and after mastering.
pub struct Pair {
    /// The mix.
    pub input: PathBuf,
    /// Measurements of the mix.
    pub before: Profile,
    /// Measurements of the master.
    pub after: Profile,
    /// Loudness of the master over time.
    pub history: LoudnessHistory,
}

/// Returns the report of all songs that have a master, with the causes why others could not be read.
pub fn album_report(
    context: String,
    pairs: Vec<Pair>,
    unreadable: Vec<String>,
    (by, balance): (AlbumLoudness, AlbumBalance),
    wanted_lufs: f64,
    offset: Offset,
) -> AlbumReport {
    let offset_lu = offset.offset_lu;
    let tone = |pick: fn(&Pair) -> &Profile| {
        let profiles: Vec<&Profile> = pairs.iter().map(pick).collect();
        let middle = Target::middle(RECORD, &profiles);
        let distance = |profile: &&Profile| {
            let (Some(middle), Some(vector)) = (&middle, features(profile)) else { return 0.0 };
            tone_distance_db(&vector, middle, bands_below(profile.spectrum.cutoff_hz))
        };
        profiles.iter().map(distance).collect::<Vec<f64>>()
    };
    let (before, after) = (tone(|pair| &pair.before), tone(|pair| &pair.after));
    let songs = pairs.iter().zip(before.into_iter().zip(after)).map(|(pair, (tone_before_db, tone_after_db))| {
        let [before_lufs, after_lufs] = [&pair.before, &pair.after].map(|p| p.loudness.integrated_lufs);
        AlbumSong {
            input: pair.input.display().to_string(),
            before_lufs,
            after_lufs,
            moved_lu: before_lufs.zip(after_lufs).map(|(before, after)| after - before - offset_lu),
            true_peak_dbtp: pair.after.peak.true_peak_dbtp,
            tone_before_db,
            tone_after_db,
        }
    });
    let songs: Vec<AlbumSong> = songs.collect();
    let loudnesses = || songs.iter().filter_map(|song| song.after_lufs);
    let spread_lu = loudnesses().reduce(f64::max).zip(loudnesses().reduce(f64::min)).map(|(most, least)| most - least);
    let histories: Vec<LoudnessHistory> = pairs.into_iter().map(|pair| pair.history).collect();
    let loudness_lufs = album_lufs(&histories, by);
    let missed_by_lu = loudness_lufs
        .map(|lufs| wanted_lufs - lufs)
        .filter(|miss_lu| unreadable.is_empty() && offset.held_back_by.is_none() && miss_lu.abs() > PROMISED_LU);
    AlbumReport {
        context,
        name: None,
        references: Vec::new(),
        by,
        balance,
        wanted_lufs,
        loudness_lufs,
        spread_lu,
        offset_lu,
        held_back_by: None,
        missed_by_lu,
        unreadable,
        missing: Vec::new(),
        songs,
    }
}

/// Standard deviation, over the bands of the mid, of the difference between a song and the middle, dB: it measures tone
/// independently of level.
fn tone_distance_db(song: &Features, middle: &Target, bands: usize) -> f64 {
    let bands = bands.clamp(1, SPECTRUM_BANDS);
    let distance = |band: usize| song[MID + band] - middle.features[MID + band];
    let mean = (0..bands).map(distance).sum::<f64>() / bands as f64;
    ((0..bands).map(|band| (distance(band) - mean) * (distance(band) - mean)).sum::<f64>() / bands as f64).sqrt()
}

/// Measures the profile and the loudness over time of a master.
///
/// # Errors
/// If it cannot be read.
pub fn measure_master(
    path: &std::path::Path,
    observer: &dyn Observer,
) -> Result<(Profile, LoudnessHistory), io::Error> {
    let mut decoder = io::decode::open(path)?;
    let info = decoder.info().clone();
    observer.stage(Stage::Measuring, info.frames_hint);
    let mut analyzer = analyzer::analyze::Analyzer::new(info.sample_rate_hz, info.channels);
    let mut loudness = LoudnessMeter::new(info.sample_rate_hz);
    each_block(&mut decoder, |block| {
        analyzer.push(block);
        loudness.push(block);
        observer.advance(block.len() as u64)
    })?;
    Ok((analyzer.finish(), loudness.history()))
}

#[cfg(test)]
mod tests {
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
        let offset = |max_rounds| balance_within(max_rounds, &mut parts(), -16.0, Default::default()).expect("memory");
        let (first, found) = (offset(1), offset(MAX_ROUNDS));
        assert_eq!((found.missed_by_lu, found.held_back_by), (None, None), "{found:?}");
        // The first round brings the loudest song to its loudness, but not yet the album.
        let missed = first.missed_by_lu.expect("the songs differ in loudness");
        assert!((found.offset_lu - first.offset_lu).abs() < 0.2 && missed.abs() > PROMISED_LU, "{first:?} {found:?}");
    }
}
