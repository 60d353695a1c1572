//! Decides how a mastering chain should treat a song: from what was measured of it and of a target to the settings
//! of a recipe.
//!
//! A small ONNX network does so through `ort`; hand-written [`rules`] are its baseline.

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
mod statistics;
pub mod target;
pub mod third_octaves;

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

/// Decides, by network or by rules.
pub struct Decider {
    norm: NormProfile,
    network: Option<Network>,
    one_click: Option<OneClick>,
}

impl Decider {
    /// Loads the compiled-in network.
    ///
    /// # Errors
    /// The compiled-in files do not fit this program, or the runtime refuses them.
    pub fn model() -> Result<Self, Error> {
        Ok(Self {
            norm: NormProfile::universal()?,
            network: Some(Network::load()?),
            one_click: Some(OneClick::load()?),
        })
    }

    /// Uses the rules alone.
    ///
    /// # Errors
    /// The compiled-in norm does not fit this program.
    pub fn rules() -> Result<Self, Error> {
        Ok(Self { norm: NormProfile::universal()?, network: None, one_click: None })
    }

    /// What finished records are like in general.
    pub fn norm(&self) -> &NormProfile {
        &self.norm
    }

    /// Where a song, or all `songs` of a record, goes by a profile of many records: what those are like that are made as it is.
    ///
    /// # Errors
    /// The runtime failed.
    pub fn target(&mut self, profile: &NormProfile, songs: &[&Profile]) -> Result<Target, Error> {
        match &mut self.one_click {
            Some(one_click) => one_click.target(profile, &self.norm, songs),
            None => Ok(profile.target()),
        }
    }

    /// What is wanted for a song on its way to a target.
    ///
    /// # Errors
    /// The song is silent, or the runtime failed.
    pub fn decide(&mut self, source: &Profile, target: &Target) -> Result<MasteringDecision, Error> {
        let vector = features(source).ok_or(Error::SilentSource)?;
        if let (TargetKind::Literal, Some(fine)) = (target.kind, third_octaves::fine(source)) {
            return Ok(literal::decide(&fine, &target.levels, source.spectrum.cutoff_hz.min(target.cutoff_hz)));
        }
        let (cutoff_hz, mut registration) = (source.spectrum.cutoff_hz, None);
        let wish = self.decide_with(&vector, cutoff_hz, target, |start_db, known| {
            registration = Registration::of(&moments(source), &target.moments, start_db, known);
            registration.clone()
        })?;
        let levels = third_octaves::levels(source).filter(|_| target.kind == TargetKind::Balance);
        let Some(levels) = levels else { return Ok(wish) };
        Ok(balance::decide(&levels, &target.levels, cutoff_hz.min(target.cutoff_hz), registration.as_ref(), wish))
    }

    /// The same for a song, or the middle of several, of which only the features are known, up to `cutoff_hz`.
    ///
    /// # Errors
    /// The runtime failed.
    pub fn decide_between(
        &mut self,
        source: &Features,
        cutoff_hz: f64,
        target: &Target,
    ) -> Result<MasteringDecision, Error> {
        let wish = self.decide_with(source, cutoff_hz, target, |_, _| None)?;
        if target.kind != TargetKind::Balance {
            return Ok(wish);
        }
        let levels = third_octaves::levels_of_features(source);
        Ok(balance::decide(&levels, &target.levels, cutoff_hz.min(target.cutoff_hz), None, wish))
    }

    /// `register` lays the song over a reference, from a gain that it is given and in so many bands.
    fn decide_with(
        &mut self,
        source: &Features,
        cutoff_hz: f64,
        target: &Target,
        register: impl FnOnce(&Levels, usize) -> Option<Registration>,
    ) -> Result<MasteringDecision, Error> {
        if let (TargetKind::Norm, Some(one_click)) = (target.kind, &mut self.one_click) {
            return one_click.decide(source, cutoff_hz, target);
        }
        let (from, to) = comparable(source, &target.features, &self.norm.median, cutoff_hz.min(target.cutoff_hz));
        if target.kind == TargetKind::Literal {
            let fine = third_octaves::fine_of_levels(&third_octaves::levels_of_features(&from));
            return Ok(literal::decide(&fine, &target.levels, cutoff_hz.min(target.cutoff_hz)));
        }
        let dense = |mut wish: MasteringDecision, distance_db: f64| {
            if target.kind == TargetKind::Reference {
                let most_lu = to[features::PLR] - from[features::PLR] + less_dense_lu(distance_db);
                wish.plr_lu = wish.plr_lu.min(most_lu);
            }
            wish
        };
        let rules = dense(rules::decide(&from, &to, &target.spread), UNRELATED_DB);
        let Some(network) = &mut self.network else { return Ok(rules) };
        // The network knows one norm: towards another, it is shown how far the song is from that.
        let shown = match target.kind {
            TargetKind::Reference | TargetKind::Balance | TargetKind::Literal => from,
            TargetKind::Norm => std::array::from_fn(|n| self.norm.median[n] + from[n] - to[n]),
        };
        let mean_db: Levels = std::array::from_fn(|n| to[MID + n] - from[MID + n]);
        let registration = match target.kind {
            TargetKind::Norm => None,
            TargetKind::Reference | TargetKind::Balance | TargetKind::Literal => {
                register(&mean_db, bands_below(cutoff_hz.min(target.cutoff_hz)))
            }
        };
        let registration = registration.unwrap_or(Registration { shift_db: mean_db, distance_db: UNRELATED_DB });
        let prediction = network.predict(&shown, &to, &registration, target.kind)?;
        let wish = bounded(&prediction, &mean_db, &registration.shift_db, target.kind);
        let mut wish = dense(wish, registration.distance_db);
        let [median, spread] = [&self.norm.median, &self.norm.spread];
        let lacking = rules::lacking(&wish.mid_db, &from, median, spread);
        for (band, db) in lacking.into_iter().enumerate() {
            // No further than the target is.
            let db = db.clamp(mean_db[band].min(0.0), mean_db[band].max(0.0));
            wish.mid_db[band] += db;
            wish.side_db[band] += db;
        }
        Ok(wish)
    }
}

/// Songs whose moments were not compared count as this far apart, dB: like strangers.
const UNRELATED_DB: f64 = 6.0;
/// What a master may be less dense than its reference, LU: next to nothing where their moments are as close as those of one
/// song, and more than any master is where they are not, for then the mix has not been limited yet. Distances in dB.
const LESS_DENSE: [(f64, f64); 2] = [(4.5, 0.3), (5.2, 3.0)];

fn less_dense_lu(distance_db: f64) -> f64 {
    let [(near_db, least), (far_db, most)] = LESS_DENSE;
    least + (most - least) * ((distance_db - near_db) / (far_db - near_db)).clamp(0.0, 1.0)
}

/// Beyond the literal differences to a reference, nobody can know: dB that the network may add to them.
const BEYOND_LITERAL_DB: f64 = 3.0;
/// Root mean squares of the corrections in the training data: where a network that knows no better stands.
const PRIOR_MID_DB: f64 = 2.5;
const PRIOR_SIDE_DB: f64 = 2.9;
const PRIOR_LOG_RATIO: f64 = 0.21;

/// The network's answer within what the literal differences, of means and of moments, allow.
fn bounded(prediction: &Prediction, mean_db: &Levels, moments_db: &Levels, kind: TargetKind) -> MasteringDecision {
    let Prediction { values, deviations } = prediction;
    let within = |value: f64, n: usize| match kind {
        TargetKind::Norm => value,
        TargetKind::Reference | TargetKind::Balance | TargetKind::Literal => {
            let (low, high) = (mean_db[n].min(moments_db[n]), mean_db[n].max(moments_db[n]));
            value.clamp(low.min(0.0) - BEYOND_LITERAL_DB, high.max(0.0) + BEYOND_LITERAL_DB)
        }
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
        confidence: Confidence {
            tone: certainty(&deviations.mid_db, PRIOR_MID_DB),
            width: certainty(&deviations.side_db, PRIOR_SIDE_DB),
            dynamics: certainty(&deviations.log_ratio, PRIOR_LOG_RATIO),
        },
    }
}
