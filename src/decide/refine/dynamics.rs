//! Dynamics, decided: compressors that move as much as the target does, and the mixture of glue, soft clipping and limiting that
//! reaches the loudness with the least that can be heard of it.
//!
//! What a compressor makes of a band follows from its envelope alone, so that a search costs next to nothing. Limiter and
//! saturation do not: what they add is found by rendering a passage, and taken into account the second time.

use analyzer::crossover::BANDS;
use analyzer::profile::Profile;
use analyzer::punch::Punch;
use models::features::{crest, features, spread_100ms};
use models::target::Target;
use renderer::band_envelopes::BandEnvelope;
use renderer::recipe::Recipe;
use renderer::stages::clipper::ClipperParams;
use renderer::stages::glue::GlueParams;
use renderer::stages::multiband::{BandParams, MultibandParams};

use super::density::Passage;
use super::excerpts::RefinementExcerpts;
use crate::error::Error;
use crate::render::finish::starting_solution;
use crate::song::Song;

/// Attack, release and look-ahead of each band, quick and slow, ms: no shorter than a few periods of its lowest tones.
const TIMES_MS: [[[f64; 3]; 2]; BANDS] = [
    [[10.0, 120.0, 14.0], [20.0, 200.0, 14.0]],
    [[5.0, 80.0, 9.0], [12.0, 150.0, 9.0]],
    [[2.0, 50.0, 6.0], [6.0, 100.0, 6.0]],
    [[1.0, 30.0, 4.0], [4.0, 80.0, 4.0]],
];
/// Thresholds over the band's mean, and the knees that go with them, dB.
const CURVES_DB: [[f64; 2]; 3] = [[-9.0, 12.0], [-6.0, 6.0], [0.0, 6.0]];
/// What an engineer would set.
const RATIOS: [f64; 11] = [0.75, 0.85, 0.92, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0, 2.5, 3.0];
/// What a ratio has to bring for every e-fold, dB: what is worth less is left.
const WORTH_DB: f64 = 0.5;
/// Slow times are preferred by this, dB.
const SLOW_WORTH_DB: f64 = 0.15;

/// The recipe with its dynamics decided: as far as `amount` (0 to 1) from nothing to all of it.
///
/// # Errors
/// Temporary data cannot be kept.
pub fn decided(
    song: &Song,
    profile: &Profile,
    target: &Target,
    amount: f64,
    recipe: Recipe,
) -> Result<Recipe, Error> {
    let neutral = Recipe {
        multiband: MultibandParams::default(),
        glue: GlueParams::default(),
        clipper: ClipperParams::default(),
        ..recipe
    };
    if amount <= 0.0 {
        return Ok(neutral);
    }
    let Some(change) = wanted_change(profile, target) else { return Ok(neutral) };
    let Some(excerpts) = RefinementExcerpts::whole(song, profile)? else { return Ok(neutral) };
    let solution = starting_solution(&neutral, profile);
    let before = excerpts.envelopes(&Recipe::default(), &solution)?.map(|band| band.punch());
    let bands = excerpts.envelopes(&neutral, &solution)?;
    let mut aims = aims(&before, &change);
    let mut decided = Recipe { multiband: multiband(&bands, &aims, amount), ..neutral };
    let Some(passage) = Passage::loud(song, profile, &decided, &solution)? else { return Ok(decided) };
    decided = passage.dense(decided, amount)?;
    // What clipper and limiter add of their own is no matter for the compressors.
    let made = excerpts.punch_of_master(&decided, profile)?;
    for (b, band) in bands.iter().enumerate() {
        let rehearsed = band.through(decided.multiband.bands()[b]).punch;
        aims[b].crest_db -= made[b].crest_db - rehearsed.crest_db;
        aims[b].swing_db -= made[b].swing_db - rehearsed.swing_db;
    }
    decided.multiband = multiband(&bands, &aims, amount);
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

/// The share of a norm's spread within which a song is right as it is.
const WITHIN: f64 = 0.5;

/// Where the bands are to go.
fn aims(before: &[Punch; BANDS], change: &[Punch; BANDS]) -> [Punch; BANDS] {
    std::array::from_fn(|band| Punch {
        crest_db: before[band].crest_db + change[band].crest_db,
        swing_db: (before[band].swing_db + change[band].swing_db).max(0.0),
    })
}

/// The compressors that bring the bands closest to where they are to go, as far as `amount` of the way.
fn multiband(bands: &[BandEnvelope; BANDS], aims: &[Punch; BANDS], amount: f64) -> MultibandParams {
    let mut params = MultibandParams::default();
    for (b, band) in params.bands_mut().into_iter().enumerate() {
        let whole = compressor(&bands[b], &aims[b], &TIMES_MS[b]);
        let ratio = libm::round(100.0 * libm::pow(whole.ratio, amount)) / 100.0;
        let scaled = BandParams { ratio, ..whole };
        // The band is as loud as it was.
        *band = BandParams { makeup_db: -bands[b].through(&scaled).level_db, ..scaled };
    }
    params
}

/// The compressor or expander that brings a band closest to its aim.
fn compressor(band: &BandEnvelope, aim: &Punch, times_ms: &[[f64; 3]]) -> BandParams {
    let miss_db = |params: &BandParams| {
        let punch = band.through(params).punch;
        (punch.crest_db - aim.crest_db).abs() + (punch.swing_db - aim.swing_db).abs()
    };
    let cost = |params: &BandParams, place: usize| {
        miss_db(params) + WORTH_DB * libm::log(params.ratio).abs() - SLOW_WORTH_DB * place as f64
    };
    let neutral = BandParams::default();
    let mut best = (miss_db(&neutral), neutral);
    for (place, [attack_ms, release_ms, look_ahead_ms]) in times_ms.iter().copied().enumerate() {
        for [threshold_db, knee_db] in CURVES_DB {
            let of = |ratio| BandParams {
                threshold_db,
                ratio,
                knee_db,
                attack_ms,
                release_ms,
                look_ahead_ms,
                ..BandParams::default()
            };
            for ratio in RATIOS {
                let params = of(ratio);
                let cost = cost(&params, place);
                if cost < best.0 {
                    best = (cost, params);
                }
            }
        }
    }
    best.1
}

