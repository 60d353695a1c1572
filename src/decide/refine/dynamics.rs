//! Dynamics, decided: compressors that make each band move as much as the target does.
//!
//! What a compressor makes of a band follows from its envelope alone, so that a search costs next to nothing. Clipper and
//! limiter are not that simple: what they add is found by rendering, and taken into account the second time.

use analyzer::crossover::BANDS;
use analyzer::loudness::LoudnessMeter;
use analyzer::profile::Profile;
use analyzer::punch::Punch;
use analyzer::stream::{Frame, Meter as _};
use analyzer::units::db_from_gain;
use models::features::{PLR, crest, features, spread_100ms};
use models::target::{Target, TargetKind};
use renderer::band_envelopes::{BandEnvelope, EnvelopeMeter};
use renderer::chain::Chain;
use renderer::recipe::{DeliveryParams, Recipe, Solution};
use renderer::shaper::mean_dbfs;
use renderer::stages::clipper::ClipperParams;
use renderer::stages::multiband::{BandParams, MultibandParams};
use renderer::stages::width::WidthParams;

use super::density::{CLIPPER_KNEE_DB, CLOSE_LU, Passage};
use super::excerpts::{Limiting, delivery_of, loud_first};
use crate::error::Error;
use crate::io::spool::Spool;
use crate::render::finish::starting_solution;
use crate::song::Song;
use crate::song::blocks::each_block;

/// Attack, release and look-ahead of each band, quick and slow, ms: no shorter than a few periods of its tones.
const TIMES_MS: [[[f64; 3]; 2]; BANDS] = [
    [[10.0, 120.0, 14.0], [20.0, 200.0, 14.0]],
    [[5.0, 80.0, 9.0], [12.0, 150.0, 9.0]],
    [[2.0, 50.0, 6.0], [6.0, 100.0, 6.0]],
    [[1.0, 30.0, 4.0], [4.0, 80.0, 4.0]],
];
/// Thresholds over the band's mean, and the knees that go with them, dB.
const CURVES_DB: [[f64; 2]; 3] = [[-9.0, 12.0], [-6.0, 6.0], [0.0, 6.0]];
/// Ratios that an engineer would set: the most that a band is expanded and compressed by.
const RATIOS: [f64; 2] = [0.7, 3.0];
/// A ratio this close to 1 is none.
const LEAST_RATIO: f64 = 0.03;
/// Where a search for a ratio begins, on either side.
const FIRST_RATIOS: [[f64; 2]; 2] = [[0.8, 0.9], [1.35, 2.0]];
/// Steps by which a ratio is found.
const STEPS: usize = 4;
/// What a ratio has to bring for every e-fold, dB: what is worth less is left.
const WORTH_DB: f64 = 0.5;
/// Slow times are preferred by this, dB.
const SLOW_WORTH_DB: f64 = 0.15;
/// A band that is this close to its aim is left, dB.
const CLOSE_DB: f64 = 0.3;
/// So much of a loud passage is enough to compare ways to loudness, seconds.
const LONGEST_LOUD_S: usize = 6;
/// Peaks are lowered towards the density of a record by so much at most, and by no less than this, dB...
const MOST_DENSER_DB: f64 = 6.0;
const LEAST_DENSER_DB: f64 = 0.3;
/// ...or by a share of it where the song does not bear all.
const DENSER_SHARES: [f64; 2] = [1.0, 0.5];
/// What the limiter takes without being noticed, LU.
const SQUEEZED_LU: f64 = 1.0;
/// Hits that stand in the way of a loudness are clipped by so much more at a time, and by no more than this in all, dB.
const CLIPPER_STEP_DB: f64 = 1.5;
const MOST_CLIPPED_DB: f64 = 6.0;
/// The share of a norm's spread within which a song is right as it is.
const WITHIN: f64 = 0.5;

/// The recipe with its dynamics decided: as far as `amount` (0 to 1) from nothing to all of it.
///
/// # Errors
/// Temporary data cannot be kept.
pub fn decided(song: &Song, profile: &Profile, target: &Target, amount: f64, recipe: Recipe) -> Result<Recipe, Error> {
    let (multiband, glue, clipper) = Default::default();
    let neutral = Recipe { multiband, glue, clipper, ..recipe };
    let Some(change) = wanted_change(profile, target).filter(|_| amount > 0.0) else { return Ok(neutral) };
    let Some(rehearsal) = Rehearsal::new(song, profile, &neutral)? else { return Ok(neutral) };
    // What is to become denser is not expanded for the sake of other records.
    let most_db = if is_squeezed(profile, target, &neutral.delivery) { 0.0 } else { f64::INFINITY };
    let mut aims: [Punch; BANDS] = std::array::from_fn(|band| Punch {
        crest_db: rehearsal.before[band].crest_db + change[band].crest_db.min(most_db),
        swing_db: (rehearsal.before[band].swing_db + change[band].swing_db.min(most_db)).max(0.0),
    });
    let whole: [BandParams; BANDS] = std::array::from_fn(|b| compressor(&rehearsal.bands[b], &aims[b], &TIMES_MS[b]));
    let mut decided = Recipe { multiband: rehearsal.multiband(&whole, amount), ..neutral };
    let compressed = rehearsal.compressed(&decided)?;
    let passage = Passage::of(&rehearsal, &compressed, &decided, profile)?;
    for ceiling_dbtp in ceilings_dbtp(profile, target, amount, &decided.delivery) {
        let delivery = DeliveryParams { ceiling_dbtp, ..decided.delivery };
        let (dense, is_borne) = passage.dense(Recipe { delivery, ..decided.clone() }, amount)?;
        if is_borne || ceiling_dbtp == decided.delivery.ceiling_dbtp {
            decided = dense;
            break;
        }
    }
    // What clipper and limiter add of their own is not for the compressors to do.
    let mut made = rehearsal.limited(&compressed, &decided, profile)?;
    // Elsewhere hits may stand out further than in the loudest passage.
    while made.short_lu > 0.0 && decided.clipper.drive_db < amount * MOST_CLIPPED_DB {
        decided.clipper = clipped(&decided.clipper, amount, rehearsal.headroom_db(&compressed)?);
        made = rehearsal.limited(&compressed, &decided, profile)?;
    }
    let whole = std::array::from_fn(|b| {
        let band = &rehearsal.bands[b];
        let rehearsed = band.through(decided.multiband.bands()[b]).punch;
        aims[b].crest_db -= made.punch[b].crest_db - rehearsed.crest_db;
        aims[b].swing_db -= made.punch[b].swing_db - rehearsed.swing_db;
        if whole[b].ratio == 1.0 { whole[b] } else { with_ratio(band, &aims[b], whole[b], whole[b].ratio) }
    });
    decided.multiband = rehearsal.multiband(&whole, amount);
    Ok(decided.quantized())
}

/// What each band of the song lacks of the target's dynamics. Towards the middle of many records, what lies within their spread is
/// right as it is.
fn wanted_change(profile: &Profile, target: &Target) -> Option<[Punch; BANDS]> {
    if let Some(punch) = &target.punch {
        return Some(std::array::from_fn(|band| {
            let (from, to) = (&profile.dynamics.bands[band].mid, &punch[band]);
            Punch { crest_db: to.crest_db - from.crest_db, swing_db: to.swing_db - from.swing_db }
        }));
    }
    let source = features(profile)?;
    let lacking = |feature: usize| {
        let (difference, spread) = (target.features[feature] - source[feature], WITHIN * target.spread[feature]);
        difference - difference.clamp(-spread, spread)
    };
    Some(std::array::from_fn(|band| Punch { crest_db: lacking(crest(band)), swing_db: lacking(spread_100ms(band)) }))
}

/// Ceilings that make a master as dense as the records it goes towards, or less so, from the lowest to the one that was asked for: peaks of a
/// quiet record are no higher over its loudness because there is room for them.
fn ceilings_dbtp(profile: &Profile, target: &Target, amount: f64, delivery: &DeliveryParams) -> Vec<f64> {
    let asked_dbtp = delivery.ceiling_dbtp;
    let mut ceilings = vec![asked_dbtp];
    if let (true, Some(lufs)) = (target.kind.is_followed(), profile.loudness.integrated_lufs) {
        let peaks_dbtp = (profile.peak.true_peak_dbtp + delivery.loudness_lufs - lufs).min(asked_dbtp);
        let target_dbtp = delivery.loudness_lufs + target.features[PLR];
        let denser_db = (peaks_dbtp - target_dbtp).clamp(0.0, MOST_DENSER_DB) * amount;
        if denser_db > LEAST_DENSER_DB {
            ceilings.splice(0..0, DENSER_SHARES.map(|share| peaks_dbtp - share * denser_db));
        }
    }
    ceilings
}

/// Whether a loudness that no record sets takes away from the peaks.
fn is_squeezed(profile: &Profile, target: &Target, delivery: &DeliveryParams) -> bool {
    let room_lu = delivery.ceiling_dbtp - delivery.loudness_lufs;
    target.kind == TargetKind::Norm && profile.plr_lu().is_some_and(|plr_lu| plr_lu > room_lu + SQUEEZED_LU)
}

/// How far a band behind a compressor is from where it is to go, and what the compressor has to be worth, dB.
fn cost_db(band: &BandEnvelope, aim: &Punch, params: &BandParams) -> f64 {
    let punch = band.through(params).punch;
    let miss_db = (punch.crest_db - aim.crest_db).abs() + (punch.swing_db - aim.swing_db).abs();
    miss_db + WORTH_DB * libm::log(params.ratio).abs()
}

/// The compressor or expander that brings a band closest to its aim.
fn compressor(band: &BandEnvelope, aim: &Punch, times_ms: &[[f64; 3]]) -> BandParams {
    let neutral = BandParams::default();
    let (now, untouched_db) = (band.punch(), cost_db(band, aim, &neutral));
    if untouched_db < CLOSE_DB {
        return neutral;
    }
    let is_compressed = now.crest_db + now.swing_db > aim.crest_db + aim.swing_db;
    let mut best = (untouched_db, neutral);
    for (place, [attack_ms, release_ms, look_ahead_ms]) in times_ms.iter().copied().enumerate() {
        for [threshold_db, knee_db] in CURVES_DB {
            for ratio in FIRST_RATIOS[usize::from(is_compressed)] {
                let params = BandParams {
                    threshold_db,
                    ratio,
                    knee_db,
                    attack_ms,
                    release_ms,
                    look_ahead_ms,
                    ..BandParams::default()
                };
                let cost = cost_db(band, aim, &params) - SLOW_WORTH_DB * place as f64;
                if cost < best.0 {
                    best = (cost, params);
                }
            }
        }
    }
    if best.1.ratio == 1.0 { neutral } else { with_ratio(band, aim, best.1, best.1.ratio) }
}

/// The compressor with the ratio that brings the band closest to its aim, found from `start` on by ever smaller steps.
fn with_ratio(band: &BandEnvelope, aim: &Punch, params: BandParams, start: f64) -> BandParams {
    let of = |ratio: f64| BandParams { ratio: ratio.clamp(RATIOS[0], RATIOS[1]), ..params };
    // Neither a compressor nor an expander becomes the other.
    let within = |ratio: f64| if start > 1.0 { ratio.max(1.01) } else { ratio.min(0.99) };
    let mut best = (cost_db(band, aim, &of(start)), of(start));
    let mut step = if start > 1.0 { 1.35 } else { 1.1 };
    for _ in 0..STEPS {
        for ratio in [best.1.ratio * step, best.1.ratio / step] {
            let params = of(within(ratio));
            let cost = cost_db(band, aim, &params);
            if cost < best.0 {
                best = (cost, params);
                break;
            }
        }
        step = libm::sqrt(step);
    }
    best.1
}

/// Passages of a song, and what they sound like behind the equaliser.
pub struct Rehearsal {
    /// Behind what stands in front of the compressors.
    equalized: Spool<Frame>,
    /// The first so many frames are the loudest.
    pub loud_frames: usize,
    /// Loudness of the loud passage and of all, as they were, LUFS.
    pub lufs: [f64; 2],
    /// Where levels count from.
    pub solution: Solution,
    pub sample_rate_hz: u32,
    pub channels: u8,
    /// How the bands move in the mix.
    before: [Punch; BANDS],
    /// The bands in front of the compressors.
    bands: [BandEnvelope; BANDS],
}

impl Rehearsal {
    /// `None` where there is nothing to hear. `recipe` has no dynamics yet.
    fn new(song: &Song, profile: &Profile, recipe: &Recipe) -> Result<Option<Self>, Error> {
        let (sample_rate_hz, channels) = (song.info.sample_rate_hz, song.info.channels);
        let solution = starting_solution(recipe, profile);
        let (frames, loud_frames) = loud_first(song, profile)?;
        let loud_frames = (loud_frames as usize).min(LONGEST_LOUD_S * sample_rate_hz as usize);
        let mut meters = [(); 2].map(|()| LoudnessMeter::new(sample_rate_hz));
        let mut left = loud_frames;
        each_block(&mut frames.reader(), |frames| {
            let count = left.min(frames.len());
            left -= count;
            meters[0].push(&frames[..count]);
            meters[1].push(frames);
            Ok(())
        })?;
        let [Some(loud_lufs), Some(lufs)] = meters.map(|meter| meter.history().integrated()) else { return Ok(None) };
        let in_front = Recipe { width: WidthParams::default(), ..recipe.clone() };
        let chain = Chain::new(&in_front, &solution.band_levels_dbfs, sample_rate_hz);
        let mut equalized = Spool::new(usize::MAX);
        each_block(&mut chain.applied_to(frames.reader()), |frames| equalized.push(frames))?;
        let envelopes = |frames: &Spool<Frame>| -> Result<[BandEnvelope; BANDS], Error> {
            let mut meter = EnvelopeMeter::new(sample_rate_hz);
            each_block(&mut frames.reader(), |frames| {
                meter.push(frames);
                Ok(())
            })?;
            Ok(meter.finish(&solution.band_levels_dbfs))
        };
        let (before, bands) = (envelopes(&frames)?.map(|band| band.punch()), envelopes(&equalized)?);
        let lufs = [loud_lufs, lufs];
        Ok(Some(Self { equalized, loud_frames, lufs, solution, sample_rate_hz, channels, before, bands }))
    }

    /// The compressors as far as `amount` from nothing to what they are. Every band is as loud behind them as before.
    fn multiband(&self, whole: &[BandParams; BANDS], amount: f64) -> MultibandParams {
        let mut params = MultibandParams::default();
        for (b, band) in params.bands_mut().into_iter().enumerate() {
            let ratio = libm::round(100.0 * libm::pow(whole[b].ratio, amount)) / 100.0;
            if (ratio - 1.0).abs() < LEAST_RATIO {
                continue;
            }
            let scaled = BandParams { ratio, ..whole[b] };
            *band = BandParams { makeup_db: -self.bands[b].through(&scaled).level_db, ..scaled };
        }
        params
    }

    /// What the compressors of a recipe make of the passages.
    pub fn compressed(&self, recipe: &Recipe) -> Result<Spool<Frame>, Error> {
        self.behind(&Recipe { multiband: recipe.multiband, ..Recipe::default() }, &self.equalized)
    }

    /// What the stages behind the compressors of a recipe make of frames.
    pub fn finished(&self, recipe: &Recipe, compressed: &Spool<Frame>) -> Result<Spool<Frame>, Error> {
        let Recipe { glue, saturator, width, clipper, .. } = *recipe;
        self.behind(&Recipe { glue, saturator, width, clipper, ..Recipe::default() }, compressed)
    }

    fn behind(&self, recipe: &Recipe, frames: &Spool<Frame>) -> Result<Spool<Frame>, Error> {
        let chain = Chain::new(recipe, &self.solution.band_levels_dbfs, self.sample_rate_hz);
        let mut rendered = Spool::new(usize::MAX);
        each_block(&mut chain.applied_to(frames.reader()), |frames| rendered.push(frames))?;
        Ok(rendered)
    }

    /// Highest peak of frames over the song's mean power, dB.
    pub fn headroom_db(&self, frames: &Spool<Frame>) -> Result<f64, Error> {
        let mut highest = 0.0f32;
        each_block(&mut frames.reader(), |frames| {
            highest = frames.as_flattened().iter().fold(highest, |highest, x| highest.max(x.abs()));
            Ok(())
        })?;
        Ok((db_from_gain(f64::from(highest)) - mean_dbfs(&self.solution.band_levels_dbfs)).clamp(6.0, 24.0))
    }

    /// The passages behind the limiter.
    fn limited(&self, compressed: &Spool<Frame>, recipe: &Recipe, profile: &Profile) -> Result<Made, Error> {
        let Self { solution, sample_rate_hz, channels, .. } = self;
        let (sample_rate_hz, channels) = (*sample_rate_hz, *channels);
        let delivery = delivery_of(recipe, self.lufs[1], profile);
        let limiting = Limiting { recipe, delivery, solution: solution.clone(), sample_rate_hz, channels };
        let mut meter = EnvelopeMeter::new(sample_rate_hz);
        let outcome = limiting.of(&self.finished(recipe, compressed)?, |frames| meter.push(frames))?;
        let is_peak = outcome.peak_limiting_db > delivery.max_peak_limiting_db - CLOSE_DB;
        let short_lu = outcome.loudness_lufs.map_or(0.0, |lufs| delivery.loudness_lufs - lufs - CLOSE_LU);
        let punch = meter.finish(&solution.band_levels_dbfs).map(|band| band.punch());
        Ok(Made { punch, short_lu: if is_peak { short_lu } else { 0.0 } })
    }
}

/// What became of the passages.
struct Made {
    /// How the bands move.
    punch: [Punch; BANDS],
    /// Loudness that single hits stand in the way of, LU.
    short_lu: f64,
}

/// The clipper's curve a step lower, where hits stand `headroom_db` over the mean.
fn clipped(clipper: &ClipperParams, amount: f64, headroom_db: f64) -> ClipperParams {
    let ceiling_db = if clipper.drive_db > 0.0 { clipper.headroom_db - clipper.drive_db } else { headroom_db };
    let drive_db = (headroom_db - ceiling_db + CLIPPER_STEP_DB).min(amount * MOST_CLIPPED_DB);
    ClipperParams { drive_db: drive_db.max(clipper.drive_db + 0.1), headroom_db, knee_db: CLIPPER_KNEE_DB }
}
