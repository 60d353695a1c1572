//! Targets of a master: a reference, several of them, or the norm.

use analyzer::crossover::BANDS;
use analyzer::profile::Profile;
use analyzer::punch::Punch;
use analyzer::spectrum_bands::{SPECTRUM_BANDS, THIRD_OCTAVES, band_centre_hz};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::amounts::Amounts;
use crate::error::Error;
use crate::features::{DYNAMICS_START, FEATURES, Features, MID, SIDE, WIDTH_START, features};
use crate::registration::{Levels, moments};
use crate::serial::{array, list_of_arrays, perhaps_infinite};
use crate::statistics::median;
use crate::third_octaves::{ThirdOctaveLevels, levels, levels_of_features, thirds_below};

/// A target that one song can be mastered towards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Name to show to a person.
    pub name: String,
    /// Kind of the target.
    pub kind: TargetKind,
    /// Features of the song, or their mean over several.
    #[serde(with = "array")]
    pub features: Features,
    /// Standard deviation of similar songs in each feature; 0 for chosen records.
    #[serde(with = "array")]
    pub spread: Features,
    /// Typical integrated loudness, LUFS.
    pub loudness_lufs: f64,
    /// Level of left over right, dB.
    pub balance_db: f64,
    /// Frequency above which the target is unknown, Hz.
    #[serde(with = "perhaps_infinite")]
    pub cutoff_hz: f64,
    /// Moments, if they were measured; for several records those of all.
    #[serde(with = "list_of_arrays")]
    pub moments: Vec<Levels>,
    /// Spectrum in third octaves, LU.
    pub levels: ThirdOctaveLevels,
    /// Short-term dynamics of the mid of each band; `None` if only the features are known.
    pub punch: Option<[Punch; BANDS]>,
    /// The target without knowledge of the song; `None` if it is the same for all songs.
    pub conditional: Option<Conditional>,
    /// Share of a move towards it that is made: less than all if the target is not a good example.
    pub trust: Amounts,
}

/// Dependence of a target on the song that is mastered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditional {
    /// Features of records in general.
    #[serde(with = "array")]
    pub general: Features,
    /// Variance of the part of this song that the texture does not predict, relative to that of the average song.
    pub doubt: f64,
}

/// Kind of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// Finished records that the user chose: their mastering is the target, not their song.
    Reference,
    /// Finished records whose tonal balance is the target: octave-wide, finer if the songs are alike.
    Balance,
    /// Finished records whose spectrum is the target as it is.
    Literal,
    /// Common features of many records: within their spread nothing is changed.
    Norm,
}

impl TargetKind {
    /// Returns true if the master is to sound like a record, whatever the song.
    pub fn is_followed(self) -> bool {
        matches!(self, Self::Balance | Self::Literal)
    }
}

impl Target {
    /// Returns the weighted mean of finished records. Weights are relative and positive.
    ///
    /// # Errors
    /// [`Error::SilentReference`] if one of them has no loudness.
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
            moments: Vec::new(),
            levels: [[0.0; THIRD_OCTAVES]; 2],
            punch: None,
            conditional: None,
            trust: Amounts::default(),
        };
        let mut punch = [Punch::default(); BANDS];
        let (mut vectors, mut spectra) = (Vec::with_capacity(songs.len()), Vec::with_capacity(songs.len()));
        for (name, weight, profile) in songs {
            let (Some(vector), Some(loudness)) = (features(profile), profile.loudness.integrated_lufs) else {
                return Err(Error::SilentReference { name: name.clone() });
            };
            let share = weight / total;
            vectors.push((*weight, profile, vector));
            let levels = levels(profile).ok_or_else(|| Error::SilentReference { name: name.clone() })?;
            spectra.push((*weight, profile, levels));
            mean.moments.extend(moments(profile));
            for (mean, band) in punch.iter_mut().zip(&profile.dynamics.bands) {
                mean.crest_db += share * band.mid.crest_db;
                mean.swing_db += share * band.mid.swing_db;
            }
            mean.loudness_lufs += share * loudness;
            mean.balance_db += share * profile.stereo.balance_db;
            mean.cutoff_hz = mean.cutoff_hz.min(profile.spectrum.cutoff_hz);
        }
        mean.levels = mean_levels(&spectra);
        // A song that says nothing about a feature has no share in it, unless no song does.
        let weighted = |n: usize, all: bool| {
            let covering = vectors.iter().filter(|(_, profile, _)| all || covers_feature(profile, n));
            let (sum, total) =
                covering.fold((0.0, 0.0), |(s, t), (weight, _, vector)| (s + weight * vector[n], t + weight));
            (total > 0.0).then(|| sum / total)
        };
        mean.features = std::array::from_fn(|n| weighted(n, false).or_else(|| weighted(n, true)).unwrap_or_default());
        mean.punch = Some(punch);
        Ok(mean)
    }

    /// Returns the middle of the songs of a record: the median of each feature over the songs that say something about
    /// it. `None` if no song is audible.
    pub fn middle(name: &str, songs: &[&Profile]) -> Option<Self> {
        let known: Vec<(&Profile, Features)> =
            songs.iter().filter_map(|profile| Some((*profile, features(profile)?))).collect();
        let feature = |n: usize| {
            let covering = known.iter().filter(|(profile, _)| covers_feature(profile, n)).map(|(_, vector)| vector[n]);
            median(&mut covering.collect::<Vec<_>>())
                .or_else(|| median(&mut known.iter().map(|(_, vector)| vector[n]).collect::<Vec<_>>()))
        };
        let over = |value: fn(&Profile) -> Option<f64>| {
            median(&mut known.iter().filter_map(|(profile, _)| value(profile)).collect::<Vec<_>>())
        };
        let middle: Features = std::array::from_fn(|n| feature(n).unwrap_or_default());
        Some(Self {
            name: name.to_owned(),
            kind: TargetKind::Reference,
            spread: [0.0; FEATURES],
            loudness_lufs: over(|profile| profile.loudness.integrated_lufs)?,
            balance_db: over(|profile| Some(profile.stereo.balance_db))?,
            cutoff_hz: known.iter().map(|(profile, _)| profile.spectrum.cutoff_hz).reduce(f64::max)?,
            features: middle,
            moments: Vec::new(),
            levels: levels_of_features(&middle),
            punch: None,
            conditional: None,
            trust: Amounts::default(),
        })
    }
}

/// Returns the weighted mean over the songs that say something about a third octave; over all songs if none does.
fn mean_levels(songs: &[(f64, &Profile, ThirdOctaveLevels)]) -> ThirdOctaveLevels {
    let mean = |c: usize, band: usize, all: bool| {
        let covers_band = |song: &Profile| band < thirds_below(song.spectrum.cutoff_hz) && !(c == 1 && is_mono(song));
        let covering = songs.iter().filter(|(_, song, _)| all || covers_band(song));
        let (sum, total) =
            covering.fold((0.0, 0.0), |(s, t), (weight, _, levels)| (s + weight * levels[c][band], t + weight));
        (total > 0.0).then(|| sum / total)
    };
    let level = |c: usize, band: usize| mean(c, band, false).or_else(|| mean(c, band, true)).unwrap_or_default();
    std::array::from_fn(|c| std::array::from_fn(|band| level(c, band)))
}

pub(crate) fn is_mono(song: &Profile) -> bool {
    song.channels == 1 || song.defects.iter().any(|defect| defect.kind.is_mono())
}

/// Returns true if a song says something about a feature: not about bands beyond its cutoff, and not about the side if
/// it is mono.
pub(crate) fn covers_feature(song: &Profile, feature: usize) -> bool {
    let is_band = feature < DYNAMICS_START;
    let is_side =
        (SIDE..SIDE + SPECTRUM_BANDS).contains(&feature) || (WIDTH_START..WIDTH_START + BANDS).contains(&feature);
    let is_beyond = is_band && feature % SPECTRUM_BANDS >= bands_below(song.spectrum.cutoff_hz);
    !(is_beyond || is_side && is_mono(song))
}

/// Returns the number of bands that lie wholly under `cutoff_hz`.
pub fn bands_below(cutoff_hz: f64) -> usize {
    (0..SPECTRUM_BANDS).take_while(|band| band_centre_hz(*band) * HALF_BAND <= cutoff_hz).count()
}

/// Ratio of a band's edge to its centre: an eighth of an octave.
const HALF_BAND: f64 = 1.090_507_732_665_257_7;

/// Returns source and target as input for the network: beyond the cutoff, both have the values of the norm, so that
/// nothing is wanted there.
pub fn comparable(source: &Features, target: &Features, median: &[f64], cutoff_hz: f64) -> (Features, Features) {
    let (mut source, mut target) = (*source, *target);
    for band in bands_below(cutoff_hz)..SPECTRUM_BANDS {
        for start in [MID, SIDE] {
            source[start + band] = median[start + band];
            target[start + band] = median[start + band];
        }
    }
    (source, target)
}

#[cfg(test)]
mod tests {
    use analyzer::analyze::Analyzer;
    use analyzer::stream::{Frame, Meter as _};
    use analyzer::synth::demo_mix;

    use super::*;

    fn profile(channels: u8, frames: &[Frame]) -> Profile {
        let mut analyzer = Analyzer::new(44_100, channels);
        analyzer.push(frames);
        analyzer.finish()
    }

    #[test]
    fn a_target_is_written_and_read_exactly() {
        let song = profile(2, &demo_mix(44_100, 4.0));
        let record = Target::references(&[("record".to_owned(), 0.3, song)]).expect("it can be heard");
        let norm = crate::norm::NormProfile::universal().expect("it is compiled in").target();
        assert!(!record.moments.is_empty() && norm.cutoff_hz.is_infinite());
        for target in [record, norm] {
            let text = serde_json::to_string(&target).expect("plain data");
            assert_eq!(serde_json::from_str::<Target>(&text).expect("just written"), target);
        }
    }

    #[test]
    fn the_middle_of_a_record_is_that_of_the_songs_that_have_a_say() {
        let song = demo_mix(44_100, 12.0);
        let thirds: Vec<Profile> = song.chunks_exact(song.len() / 3).map(|part| profile(2, part)).collect();
        let vectors: Vec<Features> = thirds.iter().map(|song| features(song).expect("it can be heard")).collect();
        let middle = Target::middle("record", &thirds.iter().collect::<Vec<_>>()).expect("songs");
        for n in 0..FEATURES {
            let lowest = vectors.iter().map(|v| v[n]).fold(f64::INFINITY, f64::min);
            let highest = vectors.iter().map(|v| v[n]).fold(f64::NEG_INFINITY, f64::max);
            let count = vectors.iter().filter(|v| v[n] == middle.features[n]).count();
            assert!((lowest..=highest).contains(&middle.features[n]) && count >= 1, "feature {n}");
        }
        // Two mono songs outnumber one stereo song, but say nothing about its width.
        let left: Vec<Frame> = song.iter().map(|frame| [frame[0]; 2]).collect();
        let mono = profile(1, &left);
        let outnumbered = Target::middle("record", &[&thirds[0], &mono, &mono]).expect("songs");
        assert_eq!(outnumbered.features[SIDE..DYNAMICS_START], vectors[0][SIDE..DYNAMICS_START]);
        assert_eq!(outnumbered.features[MID + 10], features(&mono).expect("it can be heard")[MID + 10]);
        assert!(Target::middle("record", &[]).is_none());
    }
}
