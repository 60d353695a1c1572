//! Dynamics: compressors that give each band the crest factor and level variation of the target.
//!
//! The effect of a compressor on a band follows from the band's envelope alone, so the search costs next to nothing.
//! The effect of clipper and limiter does not: it is measured by rendering, and taken into account in a second pass.

use analyzer::crossover::BANDS;
use analyzer::profile::Profile;
use analyzer::punch::Punch;
use models::amounts::Amounts;
use models::features::{PLR, crest, features, spread_100ms};
use models::target::{Target, TargetKind};
use rayon::prelude::*;
use renderer::band_envelopes::BandEnvelope;
use renderer::recipe::{DeliveryParams, ForecastParams, Recipe};
use renderer::stages::clipper::ClipperParams;
use renderer::stages::multiband::BandParams;

use super::density::{CLIPPER_KNEE_DB, Passage};
use super::passages::TestPassages;
use super::test_render::{CLOSE_DB, LimitedResult, TestRender};
use crate::error::Error;
use crate::render::finish::starting_solution;
use crate::request::settings::Effort;
use crate::song::Song;

/// Attack, release and look-ahead of each band, fast and slow, ms. None is shorter than a few periods of the band's
/// tones.
const TIMES_MS: [[[f64; 3]; 2]; BANDS] = [
    [[10.0, 120.0, 14.0], [20.0, 200.0, 14.0]],
    [[5.0, 80.0, 9.0], [12.0, 150.0, 9.0]],
    [[2.0, 50.0, 6.0], [6.0, 100.0, 6.0]],
    [[1.0, 30.0, 4.0], [4.0, 80.0, 4.0]],
];
/// Threshold over the band's mean, and knee width, dB.
const CURVES_DB: [[f64; 2]; 3] = [[-9.0, 12.0], [-6.0, 6.0], [0.0, 6.0]];
/// Lowest (expanding) and highest (compressing) ratio; both are ratios that an engineer would set.
const RATIOS: [f64; 2] = [0.7, 3.0];
/// Starting ratios of the search, for expansion and for compression.
const FIRST_RATIOS: [[f64; 2]; 2] = [[0.8, 0.9], [1.35, 2.0]];
/// Number of steps in the search for a ratio.
const STEPS: usize = 4;
/// Improvement that a compressor has to bring for every e-fold of its ratio, dB. Compressors that bring less are not
/// used.
const WORTH_DB: f64 = 0.5;
/// Advantage given to the slow times over the fast ones, dB.
const SLOW_WORTH_DB: f64 = 0.15;
/// Largest reduction of peaks towards the density of a record, dB.
const MAX_DENSER_DB: f64 = 6.0;
/// Smallest reduction of peaks that is worth making, dB.
const MIN_DENSER_DB: f64 = 0.3;
/// Shares of that reduction that are tried in turn, if the song does not take all of it.
const DENSER_SHARES: [f64; 2] = [1.0, 0.5];
/// Share of the limiting allowed for single peaks that the song's highest one has to need before a refined recipe is
/// tested again.
const LOUD_SHARE: f64 = 0.5;
/// Limiting left until no more is allowed below which another compression is tried before it is used, dB.
const NEAR_LIMIT_DB: f64 = 3.0;
/// Share of the passages' error of the predicted loudness that is expected of the whole song, which is less limited.
const WHOLE_SONG_SHARE: f64 = 0.5;
/// Limiting that goes unnoticed: loss of peak-to-loudness ratio, LU.
const SQUEEZED_LU: f64 = 1.0;
/// Step by which hits that keep the song from its loudness are clipped further, dB.
const CLIPPER_STEP_DB: f64 = 1.5;
/// Largest total peak reduction by the clipper, dB.
const MAX_CLIPPED_DB: f64 = 6.0;
/// Step by which bands are compressed further if the loudness is still not reached, dB.
const SQUEEZE_STEP_DB: f64 = 1.0;
/// Largest amount of compression added that way, dB.
const MAX_SQUEEZED_DB: f64 = 3.0;
/// Difference between two songs in crest factor or level variation that nobody minds, dB. Larger differences from a
/// record are followed the more completely, the larger they are.
const NEGLIGIBLE_DB: f64 = 0.9;
/// The same for the peak-to-loudness ratio, LU.
const NEGLIGIBLE_LU: f64 = 0.5;
/// Share of a norm's spread within which a song is left as it is.
const UNCHANGED_SPREAD_SHARE: f64 = 0.5;

/// Target of the dynamics.
pub struct DynamicsTarget<'a> {
    /// The records to move towards.
    target: &'a Target,
    /// Likelihood that the target is another part of the same song, 0 (no) to 1 (yes).
    same_song: f64,
    /// Share of the change to apply, 0 (nothing) to 1 (all).
    amount: f64,
}

impl<'a> DynamicsTarget<'a> {
    /// Returns `None` if dynamics are not decided from test renders: a literal target is a spectrum without dynamics,
    /// and the cautious estimator decides on ratios itself. `same_song` is the likelihood that the target is another
    /// part of the same song, 0 (no) to 1 (yes).
    pub fn of(target: &'a Target, same_song: f64, (amounts, effort): (&Amounts, Effort)) -> Option<Self> {
        let is_decided = effort != Effort::Off && !matches!(target.kind, TargetKind::Literal | TargetKind::Reference);
        let amount = amounts.dynamics * target.trust.dynamics;
        is_decided.then_some(Self { target, same_song, amount })
    }

    /// Returns the part of a band's difference from a record that is due to mastering, dB. Two parts of one song differ
    /// by more than mastering changes them, so their difference is attributed to the song.
    fn due_to_mastering(&self, difference_db: f64) -> f64 {
        (1.0 - self.same_song) * wiener_scaled(difference_db, NEGLIGIBLE_DB)
    }
}

/// Scales a difference by the gain of a Wiener filter: little of a small difference remains, nearly all of a large one.
fn wiener_scaled(difference: f64, negligible: f64) -> f64 {
    let power = difference * difference;
    difference * power / (power + negligible * negligible)
}

/// Returns the recipe with its dynamics decided from test renders of the song, and with the forecast that follows from
/// them. Runs before the equaliser is refined, which then takes the dynamics into account.
///
/// # Errors
/// Temporary data cannot be kept.
pub fn with_dynamics(
    (song, profile, passages): (&Song, &Profile, &TestPassages),
    dynamics_target: &DynamicsTarget,
    recipe: Recipe,
) -> Result<Recipe, Error> {
    let amount = dynamics_target.amount;
    let (multiband, glue, clipper, forecast) = Default::default();
    let neutral = Recipe { multiband, glue, clipper, forecast, ..recipe };
    if amount == 0.0 {
        return Ok(neutral);
    }
    let Some(passages) = passages.loud(song, profile)? else { return Ok(neutral) };
    let test_render = TestRender::new(passages, profile, &neutral)?;
    let Some(mut aims) = aims(&test_render, profile, dynamics_target, &neutral.delivery) else { return Ok(neutral) };
    let whole = compressors(&test_render.bands, &aims);
    let mut decided = Recipe { multiband: test_render.multiband(&whole, amount), ..neutral };
    let compressed = test_render.compressed(&decided)?;
    let passage = Passage::of(&test_render, &compressed, &decided, profile)?;
    let mut drive_db = test_render.solution.drive_db;
    for ceiling_dbtp in ceilings_dbtp(profile, dynamics_target, &decided.delivery) {
        let delivery = DeliveryParams { ceiling_dbtp, ..decided.delivery };
        let dense = passage.dense(Recipe { delivery, ..decided.clone() }, amount, drive_db)?;
        drive_db = dense.drive_db;
        if dense.is_within_limits || ceiling_dbtp == decided.delivery.ceiling_dbtp {
            decided = dense.recipe;
            break;
        }
    }
    // The compressors should not repeat what clipper and limiter already do.
    let mut limited = test_render.limited(&compressed, &decided, (profile, test_render.solution.drive_db))?;
    // Outside the loudest passage, hits may stand out further.
    while limited.short_lu > 0.0 && decided.clipper.drive_db < amount * MAX_CLIPPED_DB {
        decided.clipper = clipped(&decided.clipper, amount, test_render.headroom_db(&compressed)?);
        limited = test_render.limited(&compressed, &decided, (profile, limited.drive_db))?;
    }
    // If that is not enough, the bands are compressed beyond the target.
    let mut denser_db = 0.0;
    while limited.short_lu > 0.0 && denser_db < amount * MAX_SQUEEZED_DB {
        denser_db += SQUEEZE_STEP_DB;
        let denser = aims.map(|Punch { crest_db, swing_db }| Punch {
            crest_db: crest_db - denser_db,
            swing_db: (swing_db - denser_db).max(0.0),
        });
        decided.multiband = test_render.multiband(&compressors(&test_render.bands, &denser), amount);
        limited = test_render.limited(&test_render.compressed(&decided)?, &decided, (profile, limited.drive_db))?;
    }
    if denser_db > 0.0 {
        return Ok(with_forecast(decided, &test_render, &limited));
    }
    let whole = std::array::from_fn(|b| {
        let band = &test_render.bands[b];
        let predicted = band.through(decided.multiband.bands()[b]).punch;
        aims[b].crest_db -= limited.punch[b].crest_db - predicted.crest_db;
        aims[b].swing_db -= limited.punch[b].swing_db - predicted.swing_db;
        if whole[b].ratio == 1.0 { whole[b] } else { with_ratio(band, &aims[b], whole[b], whole[b].ratio) }
    });
    let multiband = test_render.multiband(&whole, amount);
    let eased = Recipe { multiband, ..decided.clone() };
    if limited.room_db < NEAR_LIMIT_DB && multiband != decided.multiband {
        let drive_db = limited.drive_db;
        let tried = test_render.limited(&test_render.compressed(&eased)?, &eased, (profile, drive_db))?;
        if tried.short_lu > 0.0 {
            return Ok(with_forecast(decided, &test_render, &limited));
        }
        limited = tried;
    }
    Ok(with_forecast(eased, &test_render, &limited))
}

/// Returns a recipe whose equaliser was refined, with its dynamics decided anew if its master would not become as loud
/// as requested: another curve raises other peaks.
///
/// # Errors
/// Temporary data cannot be kept.
pub fn with_loudness(
    (song, profile, passages): (&Song, &Profile, &TestPassages),
    dynamics_target: &DynamicsTarget,
    recipe: Recipe,
) -> Result<Recipe, Error> {
    let over_db =
        profile.peak.true_peak_dbtp + starting_solution(&recipe, profile).drive_db - recipe.delivery.ceiling_dbtp;
    if dynamics_target.amount == 0.0 || over_db < LOUD_SHARE * recipe.delivery.max_peak_limiting_db {
        return Ok(recipe);
    }
    let Some(loud) = passages.loud(song, profile)? else { return Ok(recipe) };
    let (multiband, glue, clipper) = Default::default();
    let test_render = TestRender::new(loud, profile, &Recipe { multiband, glue, clipper, ..recipe.clone() })?;
    let compressed = test_render.compressed(&recipe)?;
    let limited = test_render.limited(&compressed, &recipe, (profile, test_render.solution.drive_db))?;
    if limited.short_lu > 0.0 { with_dynamics((song, profile, passages), dynamics_target, recipe) } else { Ok(recipe) }
}

/// Returns the recipe with the forecast that follows from its test render.
fn with_forecast(recipe: Recipe, test_render: &TestRender, limited: &LimitedResult) -> Recipe {
    let loss_db = limited.drive_db - test_render.solution.drive_db;
    let forecast = ForecastParams { loss_db, offset_lu: WHOLE_SONG_SHARE * limited.offset_lu };
    Recipe { forecast, ..recipe }.quantized()
}

/// Returns the aim of each band behind the equaliser. Towards a record, the change that the equaliser already brought
/// is subtracted. Towards the median of many records, a song within their spread is left as it is. Returns `None` if
/// the song is silent.
fn aims(
    test_render: &TestRender,
    profile: &Profile,
    dynamics_target: &DynamicsTarget,
    delivery: &DeliveryParams,
) -> Option<[Punch; BANDS]> {
    let target = dynamics_target.target;
    if let Some(record) = &target.punch {
        return Some(std::array::from_fn(|b| {
            let (before, now) = (&test_render.before[b], test_render.bands[b].punch());
            let (song, record) = (&profile.dynamics.bands[b].mid, &record[b]);
            let aim = |of: fn(&Punch) -> f64| {
                let lacking_db = of(record) - of(song) - (of(&now) - of(before));
                (of(&now) + dynamics_target.due_to_mastering(lacking_db)).max(0.0)
            };
            Punch { crest_db: aim(|punch| punch.crest_db), swing_db: aim(|punch| punch.swing_db) }
        }));
    }
    let source = features(profile)?;
    // A song that has to become denser is not expanded to match other records.
    let most_db = if is_squeezed(profile, target, delivery) { 0.0 } else { f64::INFINITY };
    let lacking = |feature: usize| {
        let (difference, spread) =
            (target.features[feature] - source[feature], UNCHANGED_SPREAD_SHARE * target.spread[feature]);
        (difference - difference.clamp(-spread, spread)).min(most_db)
    };
    Some(std::array::from_fn(|band| {
        let from = &test_render.before[band];
        Punch {
            crest_db: from.crest_db + lacking(crest(band)),
            swing_db: (from.swing_db + lacking(spread_100ms(band))).max(0.0),
        }
    }))
}

/// Returns the ceilings to try, from the lowest to the requested one. The lower ones make a master as dense as the
/// target records, or come closer to it: a quiet master should not have higher peaks over its loudness just because
/// there is headroom.
fn ceilings_dbtp(profile: &Profile, dynamics_target: &DynamicsTarget, delivery: &DeliveryParams) -> Vec<f64> {
    let DynamicsTarget { target, amount, .. } = *dynamics_target;
    let asked_dbtp = delivery.ceiling_dbtp;
    let mut ceilings = vec![asked_dbtp];
    if let (true, Some(lufs)) = (target.kind.is_followed(), profile.loudness.integrated_lufs) {
        let peaks_dbtp = (profile.peak.true_peak_dbtp + delivery.loudness_lufs - lufs).min(asked_dbtp);
        let target_dbtp = delivery.loudness_lufs + target.features[PLR];
        let denser_db = wiener_scaled(peaks_dbtp - target_dbtp, NEGLIGIBLE_LU).clamp(0.0, MAX_DENSER_DB) * amount;
        if denser_db > MIN_DENSER_DB {
            ceilings.splice(0..0, DENSER_SHARES.map(|share| peaks_dbtp - share * denser_db));
        }
    }
    ceilings
}

/// Returns true if a loudness that is not set by a reference will cost the song peaks.
fn is_squeezed(profile: &Profile, target: &Target, delivery: &DeliveryParams) -> bool {
    let room_lu = delivery.ceiling_dbtp - delivery.loudness_lufs;
    target.kind == TargetKind::Norm && profile.plr_lu().is_some_and(|plr_lu| plr_lu > room_lu + SQUEEZED_LU)
}

/// Cost of a compressor, dB: the band's distance from its aim behind it, plus a penalty that grows with its ratio.
fn cost_db(band: &BandEnvelope, aim: &Punch, params: &BandParams) -> f64 {
    let punch = band.through(params).punch;
    let deviation_db = (punch.crest_db - aim.crest_db).abs() + (punch.swing_db - aim.swing_db).abs();
    deviation_db + WORTH_DB * libm::log(params.ratio).abs()
}

/// Returns the compressors or expanders that bring the bands closest to their aims.
fn compressors(bands: &[BandEnvelope; BANDS], aims: &[Punch; BANDS]) -> [BandParams; BANDS] {
    let found: Vec<_> = (0..BANDS).into_par_iter().map(|b| compressor(&bands[b], &aims[b], &TIMES_MS[b])).collect();
    std::array::from_fn(|b| found[b])
}

/// Returns the compressor or expander that brings a band closest to its aim.
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

/// Returns the compressor with the ratio that brings the band closest to its aim, searched from `start` in ever smaller
/// steps.
fn with_ratio(band: &BandEnvelope, aim: &Punch, params: BandParams, start: f64) -> BandParams {
    let of = |ratio: f64| BandParams { ratio: ratio.clamp(RATIOS[0], RATIOS[1]), ..params };
    // A compressor never becomes an expander, nor the reverse.
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

/// Lowers the clipper's ceiling by a step; hits stand `headroom_db` over the song's mean power.
fn clipped(clipper: &ClipperParams, amount: f64, headroom_db: f64) -> ClipperParams {
    let ceiling_db = if clipper.drive_db > 0.0 { clipper.headroom_db - clipper.drive_db } else { headroom_db };
    let drive_db = (headroom_db - ceiling_db + CLIPPER_STEP_DB).min(amount * MAX_CLIPPED_DB);
    ClipperParams { drive_db: drive_db.max(clipper.drive_db + 0.1), headroom_db, knee_db: CLIPPER_KNEE_DB }
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::norm::NormProfile;

    #[test]
    fn small_differences_are_the_song_and_large_ones_the_master() {
        let target = NormProfile::universal().expect("compiled in").target();
        let given = |difference: f64, same_song: f64| {
            DynamicsTarget { target: &target, same_song, amount: 1.0 }.due_to_mastering(difference)
        };
        assert!(given(0.5, 0.0) < 0.15 && given(-8.0, 0.0) < -7.5);
        assert!(given(4.0, 1.0) == 0.0 && given(2.0, 0.0) > 1.0);
        assert_eq!(given(-3.0, 0.5), -given(3.0, 0.5));
    }
}
