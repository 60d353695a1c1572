//! Where a master is to go: a reference, several of them, or the norm.

use analyzer::crossover::BANDS;
use analyzer::profile::{Profile, SPECTRUM_BANDS, band_centre_hz};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::features::{FEATURES, Features, MID, SIDE, WIDTH_START, features};
use crate::norm::{NormProfile, median};

/// A target that one song can be mastered towards.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// For a person.
    pub name: String,
    /// What it is made of.
    pub kind: TargetKind,
    /// The song, or the mean of several, as the decider sees it.
    pub features: Features,
    /// How far songs like it differ in each feature, as a standard deviation; 0 for chosen records.
    pub spread: Features,
    /// Typical integrated loudness, LUFS.
    pub loudness_lufs: f64,
    /// Left over right, dB.
    pub balance_db: f64,
    /// Above this the target says nothing, Hz.
    pub cutoff_hz: f64,
}

/// What a target is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// Finished records that the user chose.
    Reference,
    /// What many records have in common: inside their spread nothing is wanted.
    Norm,
}

impl Target {
    /// The weighted mean of finished records. Weights are relative and positive.
    ///
    /// # Errors
    /// [`Error::SilentReference`] when one has no loudness.
    pub fn references(songs: &[(String, f64, Profile)]) -> Result<Self, Error> {
        let total: f64 = songs.iter().map(|(_, weight, _)| weight).sum();
        let mut mean = Self {
            name: songs.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>().join(", "),
            kind: TargetKind::Reference,
            features: [0.0; FEATURES],
            spread: [0.0; FEATURES],
            loudness_lufs: 0.0,
            balance_db: 0.0,
            cutoff_hz: f64::INFINITY,
        };
        for (name, weight, profile) in songs {
            let (Some(vector), Some(loudness)) = (features(profile), profile.loudness.integrated_lufs) else {
                return Err(Error::SilentReference { name: name.clone() });
            };
            let share = weight / total;
            mean.features.iter_mut().zip(vector).for_each(|(m, v)| *m += share * v);
            mean.loudness_lufs += share * loudness;
            mean.balance_db += share * profile.stereo.balance_db;
            mean.cutoff_hz = mean.cutoff_hz.min(profile.spectrum.cutoff_hz);
        }
        Ok(mean)
    }
}

impl Target {
    /// The middle of the songs of a record: the median of each feature over the songs that have it. A song says nothing
    /// of the bands beyond its cutoff, and a mono song nothing of the side. `None` without a song that can be heard.
    pub fn middle(name: &str, songs: &[&Profile]) -> Option<Self> {
        let known: Vec<(&Profile, Features)> =
            songs.iter().filter_map(|profile| Some((*profile, features(profile)?))).collect();
        let all: Vec<&(&Profile, Features)> = known.iter().collect();
        let over = |songs: &[&(&Profile, Features)], value: &dyn Fn(&(&Profile, Features)) -> f64| {
            median(&mut songs.iter().map(|song| value(song)).collect::<Vec<_>>())
        };
        let vector = std::array::from_fn(|n| {
            let is_side = (SIDE..SIDE + SPECTRUM_BANDS).contains(&n) || (WIDTH_START..WIDTH_START + BANDS).contains(&n);
            let has_it = |(profile, _): &(&Profile, Features)| {
                let has_band = n >= 2 * SPECTRUM_BANDS || n % SPECTRUM_BANDS < bands_below(profile.spectrum.cutoff_hz);
                has_band && !(is_side && profile.channels == 1)
            };
            let that_have_it: Vec<_> = known.iter().filter(|song| has_it(song)).collect();
            over(&that_have_it, &|(_, features)| features[n]).or_else(|| over(&all, &|(_, features)| features[n]))
        });
        let cutoff_hz = known.iter().map(|(profile, _)| profile.spectrum.cutoff_hz).reduce(f64::max)?;
        Some(Self {
            name: name.to_owned(),
            kind: TargetKind::Reference,
            features: vector.map(Option::unwrap_or_default),
            spread: [0.0; FEATURES],
            loudness_lufs: over(&all, &|(profile, _)| profile.loudness.integrated_lufs.unwrap_or_default())?,
            balance_db: over(&all, &|(profile, _)| profile.stereo.balance_db)?,
            cutoff_hz,
        })
    }
}

/// Bands that lie wholly under `cutoff_hz`.
pub fn bands_below(cutoff_hz: f64) -> usize {
    (0..SPECTRUM_BANDS).take_while(|band| band_centre_hz(*band) * HALF_BAND <= cutoff_hz).count()
}

/// From a band's centre to its edge: an eighth of an octave.
const HALF_BAND: f64 = 1.090_507_732_665_257_7;

/// Source and target as the network takes them: beyond either's cutoff both stand at the norm, where nothing is wanted.
pub fn comparable(source: &Features, target: &Features, norm: &NormProfile, cutoff_hz: f64) -> (Features, Features) {
    let (mut source, mut target) = (*source, *target);
    for band in bands_below(cutoff_hz)..SPECTRUM_BANDS {
        for start in [MID, SIDE] {
            source[start + band] = norm.median[start + band];
            target[start + band] = norm.median[start + band];
        }
    }
    (source, target)
}
