//! Mastering without a target from the user: finds a target for a song, and decides how far to go towards it.
//!
//! The target (the expectation) is finished records *with this music's rhythm and instruments*: properties that an
//! equaliser does not change ([`traits`](crate::traits)) predict the likely spectrum, width and dynamics. The deviation
//! of the mix is partly due to its missing mastering and partly to the song; the correction is the expected value of
//! the former given the sum, under a prior of broad moves of which a few are large. Both steps are ONNX graphs, trained
//! by `train/one_click.py`.

use analyzer::profile::Profile;
use analyzer::spectrum_bands::SPECTRUM_BANDS;
use ort::session::Session;
use serde::Deserialize;

use crate::decision::{Confidence, MasteringDecision};
use crate::error::Error;
use crate::features::{FEATURES, Features, MID};
use crate::graph;
use crate::norm::NormProfile;
use crate::target::{Conditional, Target, bands_below};
use crate::third_octaves::levels_of_features;
use crate::traits::{NEARLY_MONO_DB, mean_width_db, middle, trait_names, traits, width_db};

const EXPECTATION: &[u8] = include_bytes!("../weights/expectation.onnx");
const CORRECTION: &[u8] = include_bytes!("../weights/correction.onnx");
const SIDECAR: &str = include_str!("../weights/one_click.json");

/// Number of bands of mid and width together.
const CURVES: usize = 2 * SPECTRUM_BANDS;
/// Level of side over mid at which the side is not widened at all, dB. A side that is mostly noise is widened less and
/// less from [`NEARLY_MONO_DB`] down to it.
const NOT_WIDENED_DB: f64 = -35.0;
/// Root mean squares of corrections before anything is known about a song, dB.
const PRIOR_MID_DB: f64 = 3.0;
const PRIOR_WIDTH_DB: f64 = 4.0;

/// Names, hashes and parity cases that the graphs themselves cannot hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sidecar {
    /// Hashes of the graphs' files.
    expectation_blake3: String,
    correction_blake3: String,
    features: Vec<String>,
    traits: Vec<String>,
    parity: Vec<Parity>,
}

/// An input, and the output that the trainer computed for it in double precision.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parity {
    traits: Vec<f64>,
    centre: Vec<f64>,
    centre_traits: Vec<f64>,
    features: Vec<f64>,
    doubt: f64,
    deviation: Vec<f64>,
    values: Vec<f64>,
    deviations: Vec<f64>,
}

/// The compiled-in graphs, ready to run.
pub struct OneClick {
    expectation: Session,
    correction: Session,
    parity: Vec<Parity>,
}

/// The expected features of a song.
struct Expected {
    features: Vec<f64>,
    /// Standard deviation of songs from the expectation, per feature.
    spread: Vec<f64>,
    /// Variance of the part of this song that the texture does not predict, relative to that of the average song.
    doubt: f64,
}

impl OneClick {
    /// Loads and checks the graphs.
    ///
    /// # Errors
    /// If graphs and sidecar do not belong together, or this program measures other features than they were trained on.
    pub fn load() -> Result<Self, Error> {
        let sidecar: Sidecar = serde_json::from_str(SIDECAR).map_err(|e| Error::Sidecar(e.to_string()))?;
        if sidecar.traits != trait_names() {
            return Err(Error::Mismatch { what: "features of the expectation" });
        }
        Ok(Self {
            expectation: graph::session(EXPECTATION, &sidecar.expectation_blake3, &sidecar.features)?,
            correction: graph::own_session(CORRECTION, &sidecar.correction_blake3)?,
            parity: sidecar.parity,
        })
    }

    /// Returns the expected sound of finished records of music like `songs`, based on `profile` (the universal one, a
    /// genre's, a user's) for records in general.
    ///
    /// # Errors
    /// If the runtime fails, or the answer is not a number.
    pub fn target(
        &mut self,
        profile: &NormProfile,
        universal: &NormProfile,
        songs: &[&Profile],
    ) -> Result<Target, Error> {
        let general = profile.target();
        let of_profile = if profile.texture.is_empty() { universal } else { profile };
        let centre = traits(&of_profile.texture, &of_profile.target().features);
        let Some(of_songs) = middle(songs, &centre) else { return Ok(general) };
        let Expected { features, spread, doubt } = self.expect(&of_songs, &general.features, &centre)?;
        let array = |values: &[f64]| -> Features { std::array::from_fn(|n| values[n]) };
        let (expected, spread) = (array(&features), array(&spread));
        Ok(Target {
            conditional: Some(Conditional { general: general.features, doubt }),
            levels: levels_of_features(&expected),
            features: expected,
            spread,
            ..general
        })
    }

    /// Decides the correction of a song, or of the median of several, known up to `cutoff_hz`.
    ///
    /// # Errors
    /// If the runtime fails, or the answer is not a number.
    pub fn decide(&mut self, source: &Features, cutoff_hz: f64, target: &Target) -> Result<MasteringDecision, Error> {
        let deviation = deviation(source, &target.features, bands_below(cutoff_hz.min(target.cutoff_hz)));
        let doubt = target.conditional.as_ref().map_or(1.0, |conditional| conditional.doubt);
        let [values, deviations] = self.correct(&deviation, doubt)?;
        let width_share = sounding_share(source);
        let certainty = |range: std::ops::Range<usize>, prior: f64| {
            let variance = deviations[range.clone()].iter().map(|sd| sd * sd).sum::<f64>() / range.len() as f64;
            (1.0 - variance / (prior * prior)).clamp(0.0, 1.0)
        };
        Ok(MasteringDecision {
            mid_db: std::array::from_fn(|band| values[band]),
            side_db: std::array::from_fn(|band| values[band] + width_share * values[SPECTRUM_BANDS + band]),
            log_ratio: [0.0; analyzer::crossover::BANDS],
            plr_lu: 0.0,
            same_song: 0.0,
            confidence: Confidence {
                tone: certainty(0..SPECTRUM_BANDS, PRIOR_MID_DB),
                width: certainty(SPECTRUM_BANDS..CURVES, PRIOR_WIDTH_DB),
                dynamics: 0.0,
            },
        })
    }

    fn expect(&mut self, traits: &[f64], centre: &[f64], centre_traits: &[f64]) -> Result<Expected, Error> {
        let inputs = [("traits", traits), ("centre", centre), ("centre_traits", centre_traits)];
        let outputs = [("features", FEATURES), ("spread", FEATURES), ("doubt", 1)];
        let [features, spread, doubt] = graph::run(&mut self.expectation, "expectation", inputs, outputs)?;
        Ok(Expected { features, spread, doubt: doubt[0] })
    }

    /// Returns the correction of mid and width, and its standard deviations.
    fn correct(&mut self, deviation: &[f64], doubt: f64) -> Result<[Vec<f64>; 2], Error> {
        let inputs = [("deviation", deviation), ("doubt", &[doubt])];
        graph::run(&mut self.correction, "correction", inputs, [("values", CURVES), ("deviations", CURVES)])
    }

    /// Returns the largest difference from the trainer's values for the same inputs.
    ///
    /// # Errors
    /// If the runtime fails, or the sidecar's vectors are of other lengths.
    pub fn parity_error(&mut self) -> Result<f64, Error> {
        let mut worst: f64 = 0.0;
        for parity in self.parity.clone() {
            let expected = self.expect(&parity.traits, &parity.centre, &parity.centre_traits)?;
            let [values, deviations] = self.correct(&parity.deviation, parity.doubt)?;
            let trained: [&[f64]; 4] = [&parity.features, &[parity.doubt], &parity.values, &parity.deviations];
            let answered: [&[f64]; 4] = [&expected.features, &[expected.doubt], &values, &deviations];
            worst = worst.max(graph::largest_difference(&trained, &answered)?);
        }
        Ok(worst)
    }
}

/// Returns the difference of a target's mid and width from those of a song. Beyond the known bands, the last difference
/// is repeated.
fn deviation(source: &Features, target: &Features, known: usize) -> Vec<f64> {
    let last = |band: usize| band.min(known.saturating_sub(1));
    let mid = (0..SPECTRUM_BANDS).map(last).map(|band| target[MID + band] - source[MID + band]);
    let width = (0..SPECTRUM_BANDS).map(last).map(|band| width_db(target, band) - width_db(source, band));
    mid.chain(width).collect()
}

/// Returns the share of a width change that is made, 0 to 1: the likelier the side is only noise, the less.
fn sounding_share(source: &Features) -> f64 {
    ((mean_width_db(source) - NOT_WIDENED_DB) / (NEARLY_MONO_DB - NOT_WIDENED_DB)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use analyzer::biquad::{Biquad, BiquadCoefs};
    use analyzer::stream::Frame;
    use analyzer::synth::demo_mix;

    use super::*;
    use crate::features::{SIDE, features};
    use crate::test_song::profile;

    fn loaded() -> (OneClick, NormProfile) {
        (OneClick::load().expect("the compiled-in graphs load"), NormProfile::universal().expect("compiled in"))
    }

    fn filtered(song: &[Frame], coefs: BiquadCoefs) -> Vec<Frame> {
        let mut filter = Biquad::new(coefs);
        song.iter().map(|frame| filter.next(frame.map(f64::from)).map(|x| x as f32)).collect()
    }

    #[test]
    fn this_runtime_computes_what_the_trainer_did() {
        let (mut one_click, _) = loaded();
        assert!(!one_click.parity.is_empty());
        let worst = one_click.parity_error().expect("runs");
        assert!(worst < 1e-3, "{worst}");
    }

    /// The mid curve that is decided for a song that is as expected except for `curve`.
    fn decided(one_click: &mut OneClick, universal: &NormProfile, curve: &dyn Fn(f64) -> f64) -> [f64; SPECTRUM_BANDS] {
        let target = universal.target();
        let mut source = target.features;
        for band in 0..SPECTRUM_BANDS {
            let gain_db = curve(analyzer::spectrum_bands::band_centre_hz(band));
            source[MID + band] += gain_db;
            source[SIDE + band] += gain_db;
        }
        one_click.decide(&source, 20_000.0, &target).expect("runs").mid_db
    }

    /// A shelf with this gain above 3.5 kHz.
    fn shelf(gain_db: f64) -> impl Fn(f64) -> f64 {
        move |hz| {
            let coefs = BiquadCoefs::high_shelf(3500.0, gain_db, 48_000);
            analyzer::units::db_from_gain(coefs.gain_at(hz, 48_000))
        }
    }

    fn between(curve: &[f64; SPECTRUM_BANDS], low: usize, high: usize) -> f64 {
        curve[high] - curve[low]
    }

    #[test]
    fn what_is_as_expected_is_left_and_a_fault_is_mended_by_its_share_whatever_its_size() {
        let (mut one_click, universal) = loaded();
        let nothing = decided(&mut one_click, &universal, &|_| 0.0);
        assert!(nothing.iter().all(|db| db.abs() < 0.05), "{nothing:?}");
        let share =
            |one_click: &mut OneClick, db: f64| between(&decided(one_click, &universal, &shelf(-db)), 20, 34) / db;
        let [small, large] = [2.0, 20.0].map(|db| share(&mut one_click, db));
        assert!(large > 0.35 && small > 0.35, "{small} of 2 dB, {large} of 20 dB");
    }

    #[test]
    fn a_dull_mix_gets_treble_and_a_boomy_one_loses_bass_beside_what_the_song_gets_anyway() {
        let (mut one_click, universal) = loaded();
        let song = demo_mix(44_100, 12.0);
        let mut curve = |frames: &[Frame]| {
            let profile = profile(frames);
            let target = one_click.target(&universal, &universal, &[&profile]).expect("runs");
            let vector = features(&profile).expect("sounds");
            one_click.decide(&vector, profile.spectrum.cutoff_hz, &target).expect("runs").mid_db
        };
        let plain = curve(&song);
        let dull = curve(&filtered(&song, BiquadCoefs::high_shelf(3500.0, -10.0, 44_100)));
        let boomy = curve(&filtered(&song, BiquadCoefs::low_shelf(120.0, 10.0, 44_100)));
        let (low, middle, high) = (6, 20, 34);
        assert!(between(&dull, middle, high) > between(&plain, middle, high) + 2.0, "{plain:?} {dull:?}");
        assert!(between(&boomy, low, middle) > between(&plain, low, middle) + 2.0, "{plain:?} {boomy:?}");
    }

    #[test]
    fn the_target_depends_on_the_music_and_not_on_its_equaliser() {
        let (mut one_click, universal) = loaded();
        let song = demo_mix(44_100, 12.0);
        let mut target =
            |frames: &[Frame]| one_click.target(&universal, &universal, &[&profile(frames)]).expect("runs").features;
        let (song_target, dull) =
            (target(&song), target(&filtered(&song, BiquadCoefs::high_shelf(3500.0, -10.0, 44_100))));
        let noise = target(&analyzer::synth::pink_noise(44_100, -20.0, 12.0, 3));
        let apart = |a: &Features, b: &Features| (8..35).map(|n| (a[n] - b[n]).abs()).sum::<f64>() / 27.0;
        assert!(apart(&song_target, &dull) < 0.35 * apart(&song_target, &noise), "{}", apart(&song_target, &dull));
    }

    #[test]
    fn a_side_of_noise_alone_is_not_widened() {
        let (mut one_click, universal) = loaded();
        let target = universal.target();
        let mut source = target.features;
        (0..SPECTRUM_BANDS).for_each(|band| source[SIDE + band] = source[MID + band] - 38.0);
        let decision = one_click.decide(&source, 20_000.0, &target).expect("runs");
        assert_eq!(decision.side_db, decision.mid_db);
    }
}
