//! Adjustments to a recipe for cutting to vinyl.
//!
//! A groove moves sideways for the mid and vertically for the side, and a stylus follows neither a deep groove nor a
//! sharp bend. So bass is centred below about 150 Hz, sibilance is controlled, nothing is boosted above 10 kHz and
//! little is left above 15 kHz, and waveforms are neither clipped nor flattened by a limiter (16 Kilohertz, "How to
//! prepare a suitable cutting master", 2020; Mighty Media Discs, "Vinyl mastering": low cut, high cut at 16 kHz,
//! de-essing, bass in the centre, no brickwall limiters).

use analyzer::profile::Profile;
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};
use renderer::recipe::Recipe;
use renderer::stages::clipper::ClipperParams;
use renderer::stages::dynamic_eq::BellParams;
use renderer::stages::multiband::BandParams;
use renderer::stages::saturator::SaturatorParams;

use crate::report::warning::{Warning, WarningKind};
use crate::request::delivery::DeliveryRequest;
use crate::request::destination::Destination;

/// Frequency below which bass is mono, Hz.
const MONO_BELOW_HZ: f64 = 150.0;
/// Cutoff of the high-pass against rumble, Hz.
const HIGH_PASS_HZ: f64 = 20.0;
/// Frequency from which on nothing is boosted, Hz.
const NO_LIFT_HZ: f64 = 10_000.0;
/// Frequency from which on the highs roll off, Hz.
const FALL_HZ: f64 = 14_000.0;
/// Attenuation at 20 kHz, dB.
const FALL_DB: f64 = 4.0;
/// Fast compressor for bursts above 6 kHz, which would heat up the cutting head.
const HIGH_BAND_COMPRESSOR: BandParams = BandParams {
    threshold_db: 4.0,
    ratio: 2.5,
    knee_db: 6.0,
    attack_ms: 1.0,
    release_ms: 60.0,
    mix_pct: 100.0,
    look_ahead_ms: 4.0,
    makeup_db: 0.0,
};
/// De-esser that is added to a recipe without one, in case consonants need it.
const SIBILANCE: BellParams =
    BellParams { frequency_hz: 7000.0, q: 1.5, threshold_db: 8.0, max_cut_db: 6.0, attack_ms: 2.0, release_ms: 60.0 };
/// Frequency range in which a bell counts as a de-esser, Hz.
const SIBILANCE_HZ: std::ops::Range<f64> = 4000.0..11_000.0;

/// Longest side of a 12-inch record at full level, at 33⅓ and at 45 rpm, minutes (100vinyl, "Audio specifications").
const LONGEST_SIDES_MIN: [f64; 2] = [19.5, 14.5];

/// Adapts a recipe to vinyl; returns it unchanged for any other destination.
pub fn prepared(mut recipe: Recipe, request: &DeliveryRequest) -> Recipe {
    if request.destination() != Some(Destination::Vinyl) {
        return recipe;
    }
    recipe.width.mono_below_hz = recipe.width.mono_below_hz.max(MONO_BELOW_HZ);
    recipe.condition.high_pass_hz = recipe.condition.high_pass_hz.max(HIGH_PASS_HZ);
    (recipe.clipper, recipe.saturator) = (ClipperParams::default(), SaturatorParams::default());
    if recipe.multiband.high.ratio <= 1.0 {
        recipe.multiband.high = HIGH_BAND_COMPRESSOR;
    }
    for curve in [&mut recipe.match_eq.mid_db, &mut recipe.match_eq.side_db] {
        for band in 0..SPECTRUM_BANDS {
            let hz = band_centre_hz(band);
            let octaves = libm::log2(hz / FALL_HZ).max(0.0) / libm::log2(20_000.0 / FALL_HZ);
            if hz >= NO_LIFT_HZ {
                curve.0[band] = curve.0[band].min(0.0) - FALL_DB * octaves;
            }
        }
    }
    let bells = &mut recipe.dynamic_eq.bells;
    let is_deesser = |bell: &BellParams| bell.max_cut_db > 0.0 && SIBILANCE_HZ.contains(&bell.frequency_hz);
    if let Some(bell) = bells.iter_mut().find(|bell| is_deesser(bell)) {
        bell.max_cut_db = bell.max_cut_db.max(SIBILANCE.max_cut_db);
    } else if let Some(bell) = bells.iter_mut().rev().find(|bell| bell.max_cut_db == 0.0) {
        *bell = SIBILANCE;
    }
    recipe.quantized()
}

/// Returns a warning if a song for vinyl is longer than a side at 45 rpm.
pub fn side_warning(profile: &Profile, request: &DeliveryRequest) -> Option<Warning> {
    let length_min = profile.seconds() / 60.0;
    let [at_33_min, at_45_min] = LONGEST_SIDES_MIN;
    let is_long = request.destination() == Some(Destination::Vinyl) && length_min > at_45_min;
    is_long.then(|| Warning::of_master(WarningKind::LongerThanASide { length_min, at_33_min, at_45_min }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_elsewhere_is_left_alone() {
        let request = DeliveryRequest { destinations: vec![Destination::Club], ..DeliveryRequest::default() };
        assert_eq!(prepared(Recipe::default(), &request), Recipe::default());
    }

    #[test]
    fn a_recipe_for_vinyl_has_mono_bass_no_lifted_highs_and_no_clipper() {
        let request = DeliveryRequest { destinations: vec![Destination::Vinyl], ..DeliveryRequest::default() };
        let mut recipe = Recipe::default();
        recipe.match_eq.mid_db.0 = [3.0; SPECTRUM_BANDS];
        recipe.clipper.drive_db = 3.0;
        let cut = prepared(recipe, &request);
        assert_eq!((cut.width.mono_below_hz, cut.clipper.drive_db), (MONO_BELOW_HZ, 0.0));
        assert_eq!((cut.match_eq.mid_db.0[10], cut.match_eq.mid_db.0[36]), (3.0, 0.0));
        assert!(cut.match_eq.mid_db.0[39] < -3.0);
        assert_eq!(cut.dynamic_eq.bells.iter().filter(|bell| bell.max_cut_db > 0.0).count(), 1);
        assert_eq!(prepared(cut.clone(), &request).dynamic_eq, cut.dynamic_eq);
    }
}
