//! The hand-written decider: the network's baseline, and an alternative to it.
//!
//! The rules take half of the smoothed difference to a reference. Towards the norm, they take half of what lies outside
//! one standard deviation, so that nothing is corrected within the spread of good records. Deviations that no finished
//! record has are corrected by every decider.

use analyzer::crossover::BANDS;
use analyzer::spectrum_bands::SPECTRUM_BANDS;

use crate::decision::{Confidence, MasteringDecision};
use crate::features::{Features, MID, PLR, SIDE, spread_100ms};

/// Share of a difference that is attributed to mastering, not to the song.
const TRUST: f64 = 0.5;
/// Bands on either side in the running mean: a width of about an octave.
const SMOOTHING_BANDS: usize = 2;
/// Confidence of the rules: equal to the share that they take.
const CONFIDENCE: Confidence = Confidence { tone: TRUST, width: TRUST, dynamics: TRUST };

/// Returns the rules' decision for `source`, with both vectors made comparable; `spread` is as in
/// [`crate::target::Target`].
pub fn decide(source: &Features, target: &Features, spread: &Features) -> MasteringDecision {
    let wanted = |feature: usize| {
        let difference = target[feature] - source[feature];
        TRUST * (difference - difference.clamp(-spread[feature], spread[feature]))
    };
    let log_ratio: [f64; BANDS] = std::array::from_fn(|band| {
        let feature = spread_100ms(band);
        // A two-sided ratio divides the spread.
        if source[feature] > 0.5 { -libm::log1p((wanted(feature) / source[feature]).max(-0.5)) } else { 0.0 }
    });
    MasteringDecision {
        mid_db: smoothed(&std::array::from_fn(|band| wanted(MID + band))),
        side_db: smoothed(&std::array::from_fn(|band| wanted(SIDE + band))),
        log_ratio,
        plr_lu: wanted(PLR),
        same_song: 0.0,
        confidence: CONFIDENCE,
    }
}

/// Distance from finished records, in their standard deviations, beyond which a deviation is no longer a matter of
/// taste.
const OUTLYING: f64 = 2.0;

/// Returns what a curve for the mid lacks to correct deviations that no finished record has: half of what lies beyond
/// the limit.
pub fn lacking(
    curve: &[f64; SPECTRUM_BANDS],
    source: &Features,
    median: &[f64],
    spread: &[f64],
) -> [f64; SPECTRUM_BANDS] {
    let outlying = smoothed(&std::array::from_fn(|band| {
        let (difference, bound) = (median[MID + band] - source[MID + band], OUTLYING * spread[MID + band]);
        TRUST * (difference - difference.clamp(-bound, bound))
    }));
    std::array::from_fn(|band| {
        let (done, needed) = (curve[band], outlying[band]);
        if needed > 0.0 { (needed - done.max(0.0)).max(0.0) } else { (needed - done.min(0.0)).min(0.0) }
    })
}

/// Returns the running mean over neighbouring bands.
fn smoothed(curve: &[f64; SPECTRUM_BANDS]) -> [f64; SPECTRUM_BANDS] {
    std::array::from_fn(|band| {
        let near = &curve[band.saturating_sub(SMOOTHING_BANDS)..(band + SMOOTHING_BANDS + 1).min(SPECTRUM_BANDS)];
        near.iter().sum::<f64>() / near.len() as f64
    })
}
