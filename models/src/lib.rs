//! Decides how a mastering chain treats a song: turns measurements of the song and of a target into settings of a
//! recipe.
//!
//! Small ONNX networks decide, run through `ort`: [`network`] towards a record, [`one_click`] towards many records, and
//! [`genre`] for the kind of music. Hand-written [`rules`] are the baseline.
//!
//! ```
//! use analyzer::analyze::Analyzer;
//! use analyzer::stream::Meter as _;
//! use analyzer::synth::demo_mix;
//! use models::Decider;
//! use models::amounts::Amounts;
//! use renderer::recipe::Recipe;
//!
//! let mut analyzer = Analyzer::new(44_100, 2);
//! analyzer.push(&demo_mix(44_100, 2.0));
//! let song = analyzer.finish();
//!
//! // `Decider::model()` loads the networks.
//! let mut decider = Decider::rules()?;
//! let norm = decider.norm().clone();
//! let target = decider.target(&norm, &[&song])?;
//! let decision = decider.decide(&song, &target)?;
//! let mut recipe = Recipe::default();
//! decision.apply(&song, &target, &Amounts::default(), &mut recipe);
//! assert!(recipe != Recipe::default());
//! # Ok::<(), models::Error>(())
//! ```

pub mod amounts;
pub mod backend;
pub mod balance;
pub mod bounds;
pub mod character;
pub mod decision;
pub mod error;
pub mod features;
pub mod fit;
pub mod genre;
mod graph;
pub mod literal;
pub mod network;
pub mod norm;
pub mod one_click;
pub mod outputs;
pub mod registration;
pub mod rules;
mod serial;
mod statistics;
pub mod target;
#[cfg(test)]
mod test_song;
pub mod third_octaves;
pub mod traits;

pub use error::Error;

use analyzer::profile::Profile;
use analyzer::spectrum_bands::SPECTRUM_BANDS;

use crate::decision::{Confidence, MasteringDecision};
use crate::features::{Features, MID, features};
use crate::network::{Network, Prediction};
use crate::norm::NormProfile;
use crate::one_click::OneClick;
use crate::registration::{Levels, Registration, moments};
use crate::target::{Target, TargetKind, bands_below, comparable};
use crate::third_octaves::{FineBandPowers, ThirdOctaveLevels};

/// Decides on the mastering of a song, by networks or by rules.
pub struct Decider {
    norm: NormProfile,
    networks: Option<Networks>,
}

/// The compiled-in networks, each loaded when it is first needed.
#[derive(Default)]
struct Networks {
    estimator: Option<Network>,
    one_click: Option<OneClick>,
}

impl Networks {
    /// Returns the network that separates mastering from song, for a record as the target.
    fn estimator(&mut self) -> Result<&mut Network, Error> {
        Ok(match &mut self.estimator {
            Some(estimator) => estimator,
            none => none.insert(Network::load()?),
        })
    }

    /// Returns the network that decides without a record.
    fn one_click(&mut self) -> Result<&mut OneClick, Error> {
        Ok(match &mut self.one_click {
            Some(one_click) => one_click,
            none => none.insert(OneClick::load()?),
        })
    }
}

impl Decider {
    /// Uses the compiled-in networks.
    ///
    /// # Errors
    /// If the compiled-in norm does not fit this program.
    pub fn model() -> Result<Self, Error> {
        Ok(Self { norm: NormProfile::universal()?, networks: Some(Networks::default()) })
    }

    /// Uses the rules alone.
    ///
    /// # Errors
    /// If the compiled-in norm does not fit this program.
    pub fn rules() -> Result<Self, Error> {
        Ok(Self { norm: NormProfile::universal()?, networks: None })
    }

    /// Returns the profile of finished records in general.
    pub fn norm(&self) -> &NormProfile {
        &self.norm
    }

    /// Returns the target of a song, or of all `songs` of a record, from a profile of many records: the typical sound
    /// of records of similar music.
    ///
    /// # Errors
    /// If the compiled-in network does not fit this program, or the runtime fails.
    pub fn target(&mut self, profile: &NormProfile, songs: &[&Profile]) -> Result<Target, Error> {
        match &mut self.networks {
            Some(networks) => networks.one_click()?.target(profile, &self.norm, songs),
            None => Ok(profile.target()),
        }
    }

    /// Returns the decision that brings a song to a target.
    ///
    /// # Errors
    /// If the song is silent, the compiled-in network does not fit this program, or the runtime fails.
    pub fn decide(&mut self, source: &Profile, target: &Target) -> Result<MasteringDecision, Error> {
        let vector = features(source).ok_or(Error::SilentSource)?;
        let fine = third_octaves::fine(source).ok_or(Error::SilentSource)?;
        let levels = third_octaves::levels(source).ok_or(Error::SilentSource)?;
        let song =
            Source { features: &vector, fine, levels, moments: &moments(source), cutoff_hz: source.spectrum.cutoff_hz };
        self.decide_for(&song, target)
    }

    /// Returns the decision for a song, or for the median of several, of which only the features are known, up to
    /// `cutoff_hz`.
    ///
    /// # Errors
    /// If the runtime fails.
    pub fn decide_between(
        &mut self,
        source: &Features,
        cutoff_hz: f64,
        target: &Target,
    ) -> Result<MasteringDecision, Error> {
        let levels = third_octaves::levels_of_features(source);
        let fine = third_octaves::fine_of_levels(&levels);
        self.decide_for(&Source { features: source, fine, levels, moments: &[], cutoff_hz }, target)
    }

    fn decide_for(&mut self, source: &Source, target: &Target) -> Result<MasteringDecision, Error> {
        let cutoff_hz = source.cutoff_hz.min(target.cutoff_hz);
        match (target.kind, &mut self.networks) {
            (TargetKind::Literal, _) => Ok(literal::decide(&source.fine, &target.levels, cutoff_hz)),
            (TargetKind::Norm, Some(networks)) => {
                networks.one_click()?.decide(source.features, source.cutoff_hz, target)
            }
            (TargetKind::Norm, None) => {
                let (from, to) = comparable(source.features, &target.features, &self.norm.median, cutoff_hz);
                Ok(rules::decide(&from, &to, &target.spread))
            }
            (TargetKind::Reference | TargetKind::Balance, _) => self.towards_record(source, cutoff_hz, target),
        }
    }

    fn towards_record(&mut self, source: &Source, cutoff_hz: f64, target: &Target) -> Result<MasteringDecision, Error> {
        let (from, to) = comparable(source.features, &target.features, &self.norm.median, cutoff_hz);
        let mean_db: Levels = std::array::from_fn(|n| to[MID + n] - from[MID + n]);
        let registration = Registration::of(source.moments, &target.moments, &mean_db, bands_below(cutoff_hz));
        let mut estimate = match &mut self.networks {
            None => rules::decide(&from, &to, &target.spread),
            Some(networks) => {
                let apart =
                    Registration { shift_db: mean_db, distance_db: UNRELATED_DB, relative_distance: f64::INFINITY };
                let registered = registration.as_ref().unwrap_or(&apart);
                let estimate =
                    bounded(&networks.estimator()?.predict(&from, &to, registered)?, &mean_db, &registered.shift_db);
                self.with_lacking_tone(estimate, &from, &mean_db)
            }
        };
        if target.kind == TargetKind::Balance {
            return Ok(balance::decide(&source.levels, &target.levels, cutoff_hz, registration.as_ref(), estimate));
        }
        let distance_db =
            registration.filter(|_| self.networks.is_some()).map_or(UNRELATED_DB, |found| found.distance_db);
        let most_lu = to[features::PLR] - from[features::PLR] + lower_density_allowed_lu(distance_db);
        estimate.plr_lu = estimate.plr_lu.min(most_lu);
        Ok(estimate)
    }

    /// Adds what finished records have and this song would lack, no further than the target.
    fn with_lacking_tone(
        &self,
        mut decision: MasteringDecision,
        from: &Features,
        mean_db: &Levels,
    ) -> MasteringDecision {
        let lacking = rules::lacking(&decision.mid_db, from, &self.norm.median, &self.norm.spread);
        for (band, db) in lacking.into_iter().enumerate() {
            let db = db.clamp(mean_db[band].min(0.0), mean_db[band].max(0.0));
            decision.mid_db[band] += db;
            decision.side_db[band] += db;
        }
        decision
    }
}

/// The measurements of a song that a decision is based on.
struct Source<'a> {
    features: &'a Features,
    fine: FineBandPowers,
    levels: ThirdOctaveLevels,
    /// Empty if only the features are known.
    moments: &'a [Levels],
    cutoff_hz: f64,
}

/// Distance assumed between songs whose moments were not compared, dB: that of unrelated songs.
const UNRELATED_DB: f64 = 6.0;
/// Distances in dB, and the amount by which a master may be less dense than its reference there, LU: almost nothing if
/// their moments are as close as those of one song, and more than any master is if they are not, because then the mix
/// has not been limited yet.
const LOWER_DENSITY_ALLOWED: [(f64, f64); 2] = [(4.5, 0.3), (5.2, 3.0)];

fn lower_density_allowed_lu(distance_db: f64) -> f64 {
    let [(near_db, least), (far_db, most)] = LOWER_DENSITY_ALLOWED;
    least + (most - least) * ((distance_db - near_db) / (far_db - near_db)).clamp(0.0, 1.0)
}

/// Limit, in dB, of what the network may add beyond the literal differences to a reference, which nothing else
/// supports.
const BEYOND_LITERAL_DB: f64 = 3.0;
/// Root mean squares of the corrections in the training data: the deviations of a network that knows nothing.
const PRIOR_MID_DB: f64 = 2.5;
const PRIOR_SIDE_DB: f64 = 2.9;
const PRIOR_LOG_RATIO: f64 = 0.21;

/// Limits the network's answer to what the literal differences, of means and of moments, allow.
fn bounded(prediction: &Prediction, mean_db: &Levels, moments_db: &Levels) -> MasteringDecision {
    let Prediction { values, deviations } = prediction;
    let within = |value: f64, n: usize| {
        let (low, high) = (mean_db[n].min(moments_db[n]), mean_db[n].max(moments_db[n]));
        value.clamp(low.min(0.0) - BEYOND_LITERAL_DB, high.max(0.0) + BEYOND_LITERAL_DB)
    };
    let certainty = |deviations: &[f64], prior: f64| {
        let variance = deviations.iter().map(|deviation| deviation * deviation).sum::<f64>() / deviations.len() as f64;
        (1.0 - variance / (prior * prior)).clamp(0.0, 1.0)
    };
    MasteringDecision {
        mid_db: std::array::from_fn(|band| within(values.mid_db[band], band)),
        side_db: std::array::from_fn(|band| within(values.side_db[band], SPECTRUM_BANDS + band)),
        log_ratio: values.log_ratio,
        plr_lu: values.plr_lu,
        same_song: 0.0,
        confidence: Confidence {
            tone: certainty(&deviations.mid_db, PRIOR_MID_DB),
            width: certainty(&deviations.side_db, PRIOR_SIDE_DB),
            dynamics: certainty(&deviations.log_ratio, PRIOR_LOG_RATIO),
        },
    }
}
