//! The norm of many songs: median and spread of their features, as a target without a single reference.

use analyzer::profile::Profile;
use analyzer::texture::TEXTURE_VALUES;
use serde::{Deserialize, Serialize};

use crate::amounts::Amounts;
use crate::error::Error;
use crate::features::{FEATURES, Features, features, names};
use crate::statistics::median;
use crate::target::{Target, TargetKind, covers_feature};
use crate::third_octaves::levels_of_features;

/// Version of the profile format, raised when a profile of an older program would be misread.
pub const NORM_VERSION: u32 = 1;

/// Median and spread of many songs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormProfile {
    /// [`NORM_VERSION`].
    pub version: u32,
    /// Name to show to a person.
    pub name: String,
    /// Number of songs that the profile is made of.
    pub songs: u32,
    /// Integrated loudness, LUFS: median and standard deviation.
    pub loudness_lufs: [f64; 2],
    /// Names of the features, in order.
    pub names: Vec<String>,
    /// Median of each feature.
    pub median: Vec<f64>,
    /// Standard deviation of each feature.
    pub spread: Vec<f64>,
    /// Median of the songs' texture ([`analyzer::texture`]); empty if it was not measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texture: Vec<f64>,
}

/// Name of the compiled-in profile.
pub const UNIVERSAL: &str = "universal";
/// Weight of the prior spread, as a number of songs: a few songs do not show how far such songs differ.
const PRIOR_SONGS: f64 = 4.0;

impl NormProfile {
    /// Returns the compiled-in profile of finished records of all kinds.
    ///
    /// # Errors
    /// If the file was made for another set of features.
    pub fn universal() -> Result<Self, Error> {
        Self::from_json(include_str!("../profiles/universal.json"))
            .map_err(|error| Error::Sidecar(format!("the universal profile: {error}")))
    }

    /// Reads and checks a profile.
    ///
    /// # Errors
    /// [`Error::Norm`] if it is not JSON, not a profile, or one of another version.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let norm: Self = serde_json::from_str(text).map_err(|e| Error::Norm(format!("not a profile of songs: {e}")))?;
        let is_whole = norm.median.len() == FEATURES
            && norm.spread.len() == FEATURES
            && [0, TEXTURE_VALUES].contains(&norm.texture.len())
            && norm.songs > 0;
        let spreads = norm.spread.iter().all(|spread| *spread >= 0.0);
        if norm.version != NORM_VERSION || norm.names != names() || !is_whole || !spreads {
            let cause = "made by another version of this program, or damaged; make it again from its songs";
            return Err(Error::Norm(cause.into()));
        }
        Ok(norm)
    }

    /// Returns readable JSON that [`from_json`](Self::from_json) reads back.
    ///
    /// # Panics
    /// Never: plain data has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data has a JSON form") + "\n"
    }

    /// Computes median and spread of several songs. A song says nothing about the bands beyond its cutoff, and a mono
    /// song nothing about the side. Where no song says anything, the values are those of `prior`; the spread of a few
    /// songs is taken from it in part.
    ///
    /// # Errors
    /// [`Error::SilentReference`] if a song has no loudness; [`Error::Norm`] if there is no song.
    pub fn of_songs(name: &str, songs: &[(String, Profile)], prior: &Self) -> Result<Self, Error> {
        let mut loudness = Vec::new();
        let mut columns: Vec<Vec<f64>> = vec![Vec::new(); FEATURES];
        for (name, profile) in songs {
            let (Some(vector), Some(lufs)) = (features(profile), profile.loudness.integrated_lufs) else {
                return Err(Error::SilentReference { name: name.clone() });
            };
            loudness.push(lufs);
            for (n, (column, value)) in columns.iter_mut().zip(vector).enumerate() {
                if covers_feature(profile, n) {
                    column.push(value);
                }
            }
        }
        let typical_lufs = median(&mut loudness).ok_or_else(|| Error::Norm("no song to make a profile of".into()))?;
        let spread = |values: &[f64], prior: f64| {
            let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
            let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
            rounded(libm::sqrt((squares + PRIOR_SONGS * prior * prior) / (values.len() as f64 + PRIOR_SONGS)))
        };
        Ok(Self {
            version: NORM_VERSION,
            name: name.into(),
            songs: songs.len() as u32,
            loudness_lufs: [rounded(typical_lufs), spread(&loudness, prior.loudness_lufs[1])],
            names: names(),
            median: columns
                .iter_mut()
                .zip(&prior.median)
                .map(|(c, prior)| rounded(median(c).unwrap_or(*prior)))
                .collect(),
            spread: columns.iter().zip(&prior.spread).map(|(column, prior)| spread(column, *prior)).collect(),
            texture: textures(songs.iter().map(|(_, profile)| profile)),
        })
    }

    /// Combines several profiles into that of a song that belongs to one of them, to each with the given probability
    /// (which sum to 1): means of the medians, and spreads by the law of total variance.
    pub fn mixed(name: &str, parts: &[(f64, &Self)]) -> Self {
        let moments = |value: &dyn Fn(&Self) -> [f64; 2]| {
            let mean: f64 = parts.iter().map(|(share, part)| share * value(part)[0]).sum();
            let variance = |[median, spread]: [f64; 2]| spread * spread + (median - mean) * (median - mean);
            let variance: f64 = parts.iter().map(|(share, part)| share * variance(value(part))).sum();
            [mean, variance.sqrt()]
        };
        let features: Vec<[f64; 2]> =
            (0..FEATURES).map(|n| moments(&|part| [part.median[n], part.spread[n]])).collect();
        let songs: f64 = parts.iter().map(|(share, part)| share * f64::from(part.songs)).sum();
        Self {
            version: NORM_VERSION,
            name: name.into(),
            songs: libm::round(songs) as u32,
            loudness_lufs: moments(&|part| part.loudness_lufs),
            names: names(),
            median: features.iter().map(|[mean, _]| *mean).collect(),
            spread: features.iter().map(|[_, spread]| *spread).collect(),
            texture: mixed_textures(parts),
        }
    }

    /// Returns the norm as a target.
    pub fn target(&self) -> Target {
        let array = |values: &[f64]| -> Features { std::array::from_fn(|n| values[n]) };
        Target {
            name: self.name.clone(),
            kind: TargetKind::Norm,
            features: array(&self.median),
            spread: array(&self.spread),
            loudness_lufs: self.loudness_lufs[0],
            balance_db: 0.0,
            cutoff_hz: f64::INFINITY,
            moments: Vec::new(),
            levels: levels_of_features(&array(&self.median)),
            punch: None,
            conditional: None,
            trust: Amounts::default(),
        }
    }
}

/// Returns the median of every texture value over the songs.
fn textures<'a>(songs: impl Iterator<Item = &'a Profile> + Clone) -> Vec<f64> {
    let column = |n: usize| songs.clone().filter_map(|song| song.texture.values.get(n).copied()).collect::<Vec<_>>();
    (0..TEXTURE_VALUES).map_while(|n| median(&mut column(n)).map(rounded)).collect()
}

/// Returns the weighted mean of the textures; empty if one of them is unknown.
fn mixed_textures(parts: &[(f64, &NormProfile)]) -> Vec<f64> {
    if parts.iter().any(|(_, part)| part.texture.len() != TEXTURE_VALUES) {
        return Vec::new();
    }
    (0..TEXTURE_VALUES).map(|n| parts.iter().map(|(share, part)| share * part.texture[n]).sum()).collect()
}

/// Rounds to thousandths, which is more than the precision of any feature.
fn rounded(value: f64) -> f64 {
    libm::round(value * 1000.0) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::{MID, SIDE};
    use crate::test_song::profile;
    use analyzer::stream::Frame;
    use analyzer::synth::{demo_mix, silence};

    /// The demo mix with its side at several gains.
    fn songs() -> Vec<(String, Profile)> {
        let song = |gain: f32| {
            let widened = |[l, r]: Frame| [0.5 * (l + r) + gain * (l - r), 0.5 * (l + r) - gain * (l - r)];
            profile(&demo_mix(44_100, 6.0).into_iter().map(widened).collect::<Vec<_>>())
        };
        [0.25, 0.5, 1.0].into_iter().map(|gain| (format!("side {gain}"), song(gain))).collect()
    }

    #[test]
    fn a_median_is_the_value_in_the_middle() {
        let cases: [(&[f64], Option<f64>); 4] =
            [(&[], None), (&[3.0], Some(3.0)), (&[9.0, 1.0, 2.0], Some(2.0)), (&[4.0, 1.0, 2.0, 9.0], Some(3.0))];
        for (values, expected) in cases {
            assert_eq!(median(&mut values.to_vec()), expected);
        }
    }

    #[test]
    fn the_middle_song_is_the_norm_and_the_outer_ones_its_spread() {
        let universal = NormProfile::universal().expect("compiled in");
        let songs = songs();
        let norm = NormProfile::of_songs("mine", &songs, &universal).expect("three songs");
        let middle = features(&songs[1].1).expect("sounds");
        assert!(norm.median[SIDE..SIDE + 30].iter().zip(&middle[SIDE..]).all(|(a, b)| (a - b).abs() < 1e-3));
        assert!(norm.spread[SIDE + 20] > norm.spread[MID + 20]);
        assert_eq!(NormProfile::from_json(&norm.to_json()).expect("reads back"), norm);
    }

    #[test]
    fn a_mixture_is_as_wide_as_its_parts_are_apart() {
        let universal = NormProfile::universal().expect("compiled in");
        let shifted = |by: f64, spread: f64| {
            let median = universal.median.iter().map(|median| median + by).collect();
            NormProfile {
                median,
                spread: vec![spread; FEATURES],
                loudness_lufs: [-20.0 + by, spread],
                ..universal.clone()
            }
        };
        // The variance is 0.5 (1 + 9) within the parts and 0.25 * 8 * 8 between them.
        let mixed = NormProfile::mixed("both", &[(0.5, &shifted(-4.0, 1.0)), (0.5, &shifted(4.0, 3.0))]);
        let is_between = |(mixed, of): (&f64, &f64)| (mixed - of).abs() < 1e-9;
        assert!(mixed.median.iter().zip(&universal.median).all(is_between));
        assert!(mixed.spread.iter().all(|spread| (spread - 21.0_f64.sqrt()).abs() < 1e-9));
        assert!((mixed.loudness_lufs[0] + 20.0).abs() < 1e-9 && mixed.songs == universal.songs);
        let alone = NormProfile::mixed(&universal.name, &[(1.0, &universal)]);
        assert_eq!(alone, universal);
    }

    #[test]
    fn what_is_no_profile_is_refused() {
        let universal = NormProfile::universal().expect("compiled in");
        assert!(NormProfile::of_songs("none", &[], &universal).is_err());
        let silent = [("quiet.wav".to_string(), profile(&silence(44_100, 2.0)))];
        let error = NormProfile::of_songs("silent", &silent, &universal).expect_err("nothing to hear").to_string();
        assert!(error.contains("quiet.wav"), "{error}");
        let older = NormProfile { version: 0, ..universal.clone() };
        assert!(NormProfile::from_json(&older.to_json()).is_err());
        assert!(NormProfile::from_json("{}").is_err());
    }
}
