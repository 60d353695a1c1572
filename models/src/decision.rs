//! Turns a decision into settings of the chain, within bounds and by the given amounts.

use analyzer::crossover::BANDS;
use analyzer::defects::DefectKind;
use analyzer::profile::Profile;
use analyzer::readings::Resonance;
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};
use renderer::image::Image;
use renderer::params::Curve;
use renderer::recipe::Recipe;
use renderer::stages::balance::BalanceParams;
use renderer::stages::dynamic_eq::BellParams;
use renderer::stages::multiband::BandParams;
use renderer::stages::width::WidthParams;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::amounts::Amounts;
use crate::bounds::{
    MID_BOUND_DB, SIDE_BOUND_DB, SIDE_NOISE_DB, bounds, least_lost_shift_db, of_mid_and_side, softened,
};
use crate::serial::array;
use crate::target::{Target, TargetKind, bands_below};
use crate::third_octaves::EqualizerCurves;

/// The moves that a decider wants, before bounds and amounts, and its confidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasteringDecision {
    /// Gain of the mid, dB per spectrum band.
    #[serde(with = "array")]
    pub mid_db: [f64; SPECTRUM_BANDS],
    /// Gain of the side, dB per spectrum band.
    #[serde(with = "array")]
    pub side_db: [f64; SPECTRUM_BANDS],
    /// Natural logarithm of the ratio of each band's compressor; negative expands.
    pub log_ratio: [f64; BANDS],
    /// Change of the peak-to-loudness ratio; negative asks for limiting, LU.
    pub plr_lu: f64,
    /// Likelihood that the record is another part of the same song, by the sound: 0 (unlikely) to 1 (likely).
    pub same_song: f64,
    /// Confidence of each part, 0 (a guess) to 1 (certain).
    pub confidence: Confidence,
}

/// Confidence of a decider, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confidence {
    /// Confidence in the mid's curve.
    pub tone: f64,
    /// Confidence in the side's curve.
    pub width: f64,
    /// Confidence in the compression ratios.
    pub dynamics: f64,
}

/// Limit of the logarithm of a ratio: ratios lie between ½ and 2, e^±0.7.
const LOG_RATIO_BOUND: f64 = 0.7;
/// Logarithm of a ratio below which a band is left alone, because the move is inaudible.
const LOG_RATIO_DEAD_BAND: f64 = 0.03;
/// Smallest prominence of a resonance that is held, dB; a lower one is part of the sound.
const RESONANCE_FROM_DB: f64 = 9.0;
/// Bell for such a resonance: it acts only at the moments at which the resonance sticks out, and never by much.
const RESONANCE_THRESHOLD_DB: f64 = 6.0;
const RESONANCE_CUT_DB: f64 = 3.0;
const RESONANCE_Q: f64 = 8.0;
/// Bell for sibilance: consonants are held where their hiss exceeds the song's usual level by this much, within bounds,
/// dB; quickly, and never to the point of a lisp.
const SIBILANCE_OVER_USUAL_DB: f64 = 4.0;
const SIBILANCE_THRESHOLD_DB: [f64; 2] = [4.0, 12.0];
const SIBILANCE_CUT_DB: f64 = 4.0;
const SIBILANCE_Q: f64 = 1.5;
const SIBILANCE_MS: [f64; 2] = [2.0, 60.0];
/// Bell for a booming note: it is held where it sticks out further than in any even bass.
const BOOM_THRESHOLD_DB: f64 = 9.0;
const BOOM_CUT_DB: f64 = 3.0;
const BOOM_Q: f64 = 4.0;
/// Lift by the tone curve from which on nothing is held, dB.
const FULL_LIFT_DB: f64 = 3.0;
/// Smallest cut of a bell, dB; bells with less are left out.
const MIN_CUT_DB: f64 = 0.3;
/// Imbalance relative to the target that may be intended, dB.
const BALANCE_DEAD_BAND_DB: f64 = 1.0;
const BALANCE_BOUND_DB: f64 = 3.0;
/// Imbalance from which on it is an arrangement or a silent channel, not a fault of balance, dB.
const ONE_SIDED_DB: f64 = 12.0;

/// Level difference from which on the quieter channel counts as silent, dB.
const SILENT_CHANNEL_DB: f64 = 50.0;

impl MasteringDecision {
    /// Writes the decision into the portable settings of `recipe`.
    pub fn apply(&self, source: &Profile, target: &Target, amounts: &Amounts, recipe: &mut Recipe) {
        let cutoff_hz = source.spectrum.cutoff_hz.min(target.cutoff_hz);
        let known = bands_below(cutoff_hz);
        let amounts = amounts.times(&target.trust);
        let (mut mid, mut side) = (self.mid_db, self.side_db);
        // The equaliser tapers beyond the cutoff, from its last value.
        for curve in [&mut mid, &mut side] {
            let last = known.checked_sub(1).map_or(0.0, |band| curve[band]);
            curve[known..].fill(last);
        }
        // The gains of a literal decision are already placed where their bounds cost least.
        if target.kind != TargetKind::Literal {
            [mid, side] = bounded(&[mid, side], target.kind, known, amounts.width);
        }
        let [mid, side] = amounts.of(&[mid, side]);
        recipe.match_eq.mid_db = Curve(mid);
        // A record that is followed itself shows which width is acceptable.
        let side = if target.kind.is_followed() { side } else { width_limited_side(source, &mid, &side) };
        let [_, bound] = bounds(target.kind);
        let side = side.map(|db| bound.clamped(db));
        recipe.match_eq.side_db = Curve(without_side_noise(source, side));
        recipe.match_eq.limit_hz = cutoff_hz.min(24_000.0);
        for (band, log_ratio) in recipe.multiband.bands_mut().into_iter().zip(self.log_ratio) {
            let log_ratio = (log_ratio * amounts.dynamics).clamp(-LOG_RATIO_BOUND, LOG_RATIO_BOUND);
            *band = if log_ratio.abs() < LOG_RATIO_DEAD_BAND { BandParams::default() } else { two_sided(log_ratio) };
        }
        // Whatever sticks out of a record that is taken literally belongs to it.
        if target.kind != TargetKind::Literal && amounts.tone > 0.0 {
            hold_excesses(source, amounts.tone, recipe);
        }
        let imbalance = source.stereo.balance_db - target.balance_db;
        let is_chosen = target.kind != TargetKind::Norm && source.channels == 2;
        if is_chosen && (BALANCE_DEAD_BAND_DB..ONE_SIDED_DB).contains(&imbalance.abs()) {
            let beyond = imbalance - BALANCE_DEAD_BAND_DB.copysign(imbalance);
            recipe.balance.left_over_right_db = (-beyond * amounts.width).clamp(-BALANCE_BOUND_DB, BALANCE_BOUND_DB);
        }
        if source.defects.iter().any(|d| matches!(d.kind, DefectKind::DcOffset { .. })) {
            recipe.condition.high_pass_hz = DC_HIGH_PASS_HZ;
        }
        keep_one_side(source, recipe);
    }
}

/// Keeps a song with one silent channel on its side: its mid and side are the same sound, and treating them differently
/// would put some of it into the silent channel.
pub fn keep_one_side(source: &Profile, recipe: &mut Recipe) {
    if source.channels == 2 && source.stereo.balance_db.abs() >= SILENT_CHANNEL_DB {
        recipe.match_eq.side_db = recipe.match_eq.mid_db.clone();
        recipe.width = WidthParams::default();
        recipe.balance = BalanceParams::default();
    }
}

/// Gives one bell each to sibilance, boom and the resonances that stick out furthest, as far as the tone curve does not
/// deal with them already: what it cuts needs no further cut, and a bass note or resonance that it lifts was found to
/// be too weak.
fn hold_excesses(source: &Profile, amount: f64, recipe: &mut Recipe) {
    let sibilance = source.spectrum.sibilance.map(|sibilance| BellParams {
        frequency_hz: sibilance.hz,
        q: SIBILANCE_Q,
        threshold_db: (sibilance.usual_db + SIBILANCE_OVER_USUAL_DB)
            .clamp(SIBILANCE_THRESHOLD_DB[0], SIBILANCE_THRESHOLD_DB[1]),
        max_cut_db: amount * SIBILANCE_CUT_DB,
        attack_ms: SIBILANCE_MS[0],
        release_ms: SIBILANCE_MS[1],
    });
    let boom = source.spectrum.boom.map(|boom| BellParams {
        frequency_hz: boom.hz,
        q: BOOM_Q,
        threshold_db: BOOM_THRESHOLD_DB,
        max_cut_db: amount * BOOM_CUT_DB,
        ..BellParams::default()
    });
    let mut found: Vec<&Resonance> =
        source.spectrum.resonances.iter().filter(|r| r.prominence_db >= RESONANCE_FROM_DB).collect();
    found.sort_by(|a, b| b.prominence_db.total_cmp(&a.prominence_db));
    let resonances = found.into_iter().map(|resonance| BellParams {
        frequency_hz: resonance.hz,
        q: RESONANCE_Q,
        threshold_db: RESONANCE_THRESHOLD_DB,
        max_cut_db: amount * RESONANCE_CUT_DB,
        ..BellParams::default()
    });
    let left = |bell: BellParams, is_lift_a_reason: bool| {
        let tone_db = recipe.match_eq.gain_db_at(&recipe.match_eq.mid_db, bell.frequency_hz);
        let share = if is_lift_a_reason { (1.0 - tone_db / FULL_LIFT_DB).clamp(0.0, 1.0) } else { 1.0 };
        let max_cut_db = share * (bell.max_cut_db + tone_db.min(0.0)).max(0.0);
        (max_cut_db >= MIN_CUT_DB).then_some(BellParams { max_cut_db, ..bell })
    };
    let held = boom.into_iter().chain(resonances).filter_map(|bell| left(bell, true));
    let wanted: Vec<BellParams> = sibilance.into_iter().filter_map(|bell| left(bell, false)).chain(held).collect();
    recipe.dynamic_eq.bells.iter_mut().zip(wanted).for_each(|(bell, wanted)| *bell = wanted);
}

/// Range over which widening is limited, Hz: bass is close to mono on current records, and many loudspeakers play it in
/// mono. Below the first frequency it is widened by little, from the second on by as much as is wanted.
const BASS_HZ: [f64; 2] = [120.0, 240.0];
/// Largest widening of the bass, dB.
const BASS_WIDTH_DB: f64 = 2.0;

/// Returns the largest widening at a frequency, dB: little in the bass, and above it as much as both equalisers allow.
fn widest_db(hz: f64) -> f64 {
    let [from, to] = BASS_HZ;
    let share = (libm::log2(hz / from) / libm::log2(to / from)).clamp(0.0, 1.0);
    BASS_WIDTH_DB + share * (MID_BOUND_DB + SIDE_BOUND_DB - BASS_WIDTH_DB)
}

/// Returns the side's curve with no more widening than mono compatibility and the bass allow.
fn width_limited_side(
    source: &Profile,
    mid_db: &[f64; SPECTRUM_BANDS],
    side_db: &[f64; SPECTRUM_BANDS],
) -> [f64; SPECTRUM_BANDS] {
    let width_db = std::array::from_fn(|band| (side_db[band] - mid_db[band]).min(widest_db(band_centre_hz(band))));
    let allowed_db = Image::of_spectrum(source).allowed_width_db(mid_db, &width_db);
    std::array::from_fn(|band| mid_db[band] + allowed_db[band])
}

/// Returns the side's curve without lifts of bands that are noise.
fn without_side_noise(source: &Profile, side_db: [f64; SPECTRUM_BANDS]) -> [f64; SPECTRUM_BANDS] {
    std::array::from_fn(|band| {
        let under_mid_db = source.spectrum.side.mean_db[band] - source.spectrum.mid.mean_db[band];
        if under_mid_db < SIDE_NOISE_DB { side_db[band].min(0.0) } else { side_db[band] }
    })
}

/// Corner of the high-pass that removes DC and nothing audible.
const DC_HIGH_PASS_HZ: f64 = 10.0;

/// Returns a compressor that acts above and below the mean alike: the threshold is far down, and the band's mean is
/// unchanged.
pub fn two_sided(log_ratio: f64) -> BandParams {
    BandParams { threshold_db: -12.0, ratio: libm::exp(log_ratio), knee_db: 12.0, ..BandParams::default() }
}

/// Returns gains of mid and side within their bounds, at the level at which the least of them is lost; loudness is
/// solved elsewhere. `width` is the share of the side's own move that is made.
fn bounded(curves: &EqualizerCurves, kind: TargetKind, known: usize, width: f64) -> EqualizerCurves {
    let bounds = bounds(kind);
    let moves = Amounts { width, ..Amounts::default() }.of(curves);
    let audible_gains = |curve: &[f64; SPECTRUM_BANDS]| -> Vec<f64> {
        (0..known).filter(|b| AUDIBLE_HZ.contains(&band_centre_hz(*b))).map(|b| curve[b]).collect()
    };
    let gains = moves.each_ref().map(audible_gains);
    let shift_db = least_lost_shift_db(&of_mid_and_side([&gains[0], &gains[1]], bounds));
    std::array::from_fn(|c| curves[c].map(|db| softened(db - shift_db, bounds[c])))
}

/// Frequencies at which losses at the bounds count.
const AUDIBLE_HZ: std::ops::Range<f64> = 40.0..12_500.0;

#[cfg(test)]
mod tests {
    use analyzer::analyze::Analyzer;
    use analyzer::readings::Excess;
    use analyzer::stream::Meter;
    use analyzer::synth::demo_mix;
    use renderer::stages::dynamic_eq::DynamicEqParams;

    use super::*;
    use crate::norm::NormProfile;

    fn bells(change: impl FnOnce(&mut Profile)) -> DynamicEqParams {
        bells_beside(Curve::default(), change)
    }

    fn bells_beside(tone: Curve, change: impl FnOnce(&mut Profile)) -> DynamicEqParams {
        let mut analyzer = Analyzer::new(44_100, 2);
        analyzer.push(&demo_mix(44_100, 6.0));
        let mut profile = analyzer.finish();
        change(&mut profile);
        let mut recipe = Recipe::default();
        recipe.match_eq.mid_db = tone;
        hold_excesses(&profile, 1.0, &mut recipe);
        recipe.quantized().dynamic_eq
    }

    #[test]
    fn one_click_widens_no_bass() {
        let mut analyzer = Analyzer::new(44_100, 2);
        analyzer.push(&demo_mix(44_100, 6.0));
        let profile = analyzer.finish();
        let widened = MasteringDecision {
            mid_db: [0.0; SPECTRUM_BANDS],
            side_db: [6.0; SPECTRUM_BANDS],
            log_ratio: [0.0; BANDS],
            plr_lu: 0.0,
            same_song: 0.0,
            confidence: Confidence { tone: 1.0, width: 1.0, dynamics: 1.0 },
        };
        let target = NormProfile::universal().expect("compiled in").target();
        let mut recipe = Recipe::default();
        widened.apply(&profile, &target, &Amounts::default(), &mut recipe);
        for band in 0..SPECTRUM_BANDS {
            let (hz, width_db) =
                (band_centre_hz(band), recipe.match_eq.side_db.0[band] - recipe.match_eq.mid_db.0[band]);
            let is_bass = hz < BASS_HZ[0];
            assert!(!is_bass || width_db <= BASS_WIDTH_DB + 1e-9, "{width_db} dB at {hz} Hz");
            assert!(!(1000.0..4000.0).contains(&hz) || width_db > 3.0, "{width_db} dB at {hz} Hz");
        }
    }

    #[test]
    fn what_does_not_stick_out_is_given_no_bell() {
        assert_eq!(bells(|_| ()), DynamicEqParams::default());
    }

    #[test]
    fn sibilance_and_boom_are_held_a_little_above_what_is_usual() {
        let excess = Excess { hz: 6800.0, excess_db: 12.0, usual_db: 1.0, share: 0.1, at_s: 1.0 };
        let [hiss, boom, third, _] = bells(|profile| {
            profile.spectrum.sibilance = Some(excess);
            profile.spectrum.boom = Some(Excess { hz: 110.0, usual_db: 0.0, ..excess });
        })
        .bells;
        assert_eq!((hiss.frequency_hz, hiss.threshold_db, hiss.max_cut_db), (6800.0, 5.0, SIBILANCE_CUT_DB));
        assert_eq!((boom.frequency_hz, boom.threshold_db, boom.max_cut_db), (110.0, BOOM_THRESHOLD_DB, BOOM_CUT_DB));
        assert_eq!(third, BellParams::default());
    }

    #[test]
    fn a_note_that_the_tone_lifts_or_cuts_already_is_not_held_as_well() {
        let excess = Excess { hz: 110.0, excess_db: 12.0, usual_db: 0.0, share: 0.1, at_s: 1.0 };
        let cut_db = |tone_db: f64| {
            let boom = |profile: &mut Profile| profile.spectrum.boom = Some(excess);
            let params = bells_beside(Curve([tone_db; SPECTRUM_BANDS]), boom);
            params.bells[0].max_cut_db
        };
        assert_eq!(cut_db(0.0), BOOM_CUT_DB);
        assert!(cut_db(-1.0) == BOOM_CUT_DB - 1.0 && cut_db(-5.0) == 0.0, "it is cut already");
        assert!((0.9..1.1).contains(&cut_db(2.0)) && cut_db(4.0) == 0.0, "the bass was found to be wanting");
    }
}
