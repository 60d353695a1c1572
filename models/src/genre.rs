//! Estimates the genre of a song from its sound, and provides profiles of finished records of each genre.
//!
//! A small ONNX head gives the probabilities of the genres that it can recognise; the universal profile covers the
//! remaining probability. Genres with too few records to be recognised can be selected by name.

use std::collections::HashMap;
use std::sync::LazyLock;

use analyzer::profile::Profile;
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};
use ort::session::Session;
use serde::Deserialize;

use crate::error::Error;
use crate::graph;
use crate::norm::{NormProfile, UNIVERSAL};
use crate::statistics::median;
use crate::target::{bands_below, is_mono};

const GRAPH: &[u8] = include_bytes!("../weights/genre.onnx");
const SIDECAR: &str = include_str!("../weights/genre.json");
/// The head's class for all songs of a genre that it cannot recognise.
const OTHER: &str = "other";

/// Words in the names of the features that a mono song says nothing about.
const STEREO_FEATURE_WORDS: [&str; 5] = ["side_", "width", "correlation", "balance", "mono_loss"];

const PROFILES: [&str; 6] = [
    include_str!("../profiles/ambient.json"),
    include_str!("../profiles/electronic.json"),
    include_str!("../profiles/folk.json"),
    include_str!("../profiles/orchestral.json"),
    include_str!("../profiles/rock.json"),
    include_str!("../profiles/world.json"),
];

/// Names, hash and parity cases of the head's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sidecar {
    blake3: String,
    features: Vec<String>,
    neutral: Vec<f64>,
    classes: Vec<String>,
    parity: Vec<Parity>,
}

/// An input, and the probabilities that the trainer computed for it in double precision.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parity {
    features: Vec<f64>,
    probabilities: Vec<f64>,
}

/// The profiles of all genres, in the order of their names.
///
/// # Errors
/// If they were made for another set of features.
pub fn profiles() -> Result<&'static [NormProfile], Error> {
    // A plan names genres in each of its rows.
    static READ: LazyLock<Result<Vec<NormProfile>, String>> = LazyLock::new(|| parsed(&PROFILES));
    READ.as_deref().map_err(|cause| Error::Sidecar(cause.clone()))
}

/// Parses profiles, or returns the cause why one of them cannot be used.
fn parsed(texts: &[&str]) -> Result<Vec<NormProfile>, String> {
    let cause = |error: Error| format!("a profile of a genre: {error}");
    texts.iter().map(|text| NormProfile::from_json(text).map_err(cause)).collect()
}

/// Returns the genres that can be recognised from the sound; all others can be selected by name only.
///
/// # Errors
/// If the compiled-in data cannot be read.
pub fn recognizable_genres() -> Result<Vec<String>, Error> {
    let Sidecar { classes, .. } = sidecar()?;
    Ok(classes.into_iter().filter(|class| class != OTHER).collect())
}

fn sidecar() -> Result<Sidecar, Error> {
    serde_json::from_str(SIDECAR).map_err(|e| Error::Sidecar(e.to_string()))
}

/// The compiled-in head, ready to run.
pub struct GenreHead {
    session: Session,
    /// Names of its input features, from [`Profile::features`]: more than the decider uses.
    features: Vec<String>,
    /// Default values of features that a song says nothing about.
    neutral: Vec<f64>,
    classes: Vec<String>,
    parity: Vec<Parity>,
}

impl GenreHead {
    /// Loads and checks the graph.
    ///
    /// # Errors
    /// If graph and sidecar do not belong together.
    pub fn load() -> Result<Self, Error> {
        let Sidecar { blake3, features, neutral, classes, parity } = sidecar()?;
        if features.len() != neutral.len() {
            return Err(Error::Mismatch { what: "features of the genres" });
        }
        Ok(Self { session: graph::own_session(GRAPH, &blake3)?, features, neutral, classes, parity })
    }

    /// Probability of each class: positive, and together 1.
    ///
    /// # Errors
    /// If the runtime fails, or the answer is not a number.
    fn probabilities(&mut self, song: &[f64]) -> Result<Vec<f64>, Error> {
        let outputs = [("probabilities", self.classes.len())];
        let [probabilities] = graph::run(&mut self.session, "genre", [("features", song)], outputs)?;
        Ok(probabilities)
    }

    /// Returns the estimate for a song, or for the median of all `songs` of a record; `None` if nothing is audible.
    ///
    /// # Errors
    /// If the runtime fails, or this program measures other features than the head was trained on.
    pub fn classify(&mut self, songs: &[&Profile]) -> Result<Option<GenreEstimate>, Error> {
        let Some(middle) = self.middle(songs)? else { return Ok(None) };
        let probabilities = self.probabilities(&middle)?;
        let known = self.classes.iter().zip(probabilities).filter(|(class, _)| *class != OTHER);
        let percents = known.map(|(class, probability)| (class.clone(), libm::floor(100.0 * probability) as u32));
        let mut percents: Vec<(String, u32)> = percents.filter(|(_, percent)| *percent > 0).collect();
        percents.sort_by_key(|(_, percent)| std::cmp::Reverse(*percent));
        Ok(Some(GenreEstimate { percents }))
    }

    /// Returns the median of each feature over the songs that say something about it.
    fn middle(&self, songs: &[&Profile]) -> Result<Option<Vec<f64>>, Error> {
        let mut columns: Vec<Vec<f64>> = vec![Vec::new(); self.features.len()];
        let mut is_heard = false;
        for song in songs {
            let Some(all) = song.features() else { continue };
            let all: HashMap<String, f64> = all.into_iter().collect();
            is_heard = true;
            let silent_bands = bands_below(song.spectrum.cutoff_hz)..SPECTRUM_BANDS;
            let unsaid: Vec<String> = silent_bands.map(|band| format!("_{:.0}hz_", band_centre_hz(band))).collect();
            for (name, column) in self.features.iter().zip(&mut columns) {
                let value = *all.get(name).ok_or(Error::Mismatch { what: "features of the genres" })?;
                let is_beyond = unsaid.iter().any(|band| name.contains(band));
                let is_of_image = is_mono(song) && STEREO_FEATURE_WORDS.iter().any(|word| name.contains(word));
                if !is_beyond && !is_of_image {
                    column.push(value);
                }
            }
        }
        let middle = columns.iter_mut().zip(&self.neutral).map(|(column, neutral)| median(column).unwrap_or(*neutral));
        Ok(is_heard.then(|| middle.collect()))
    }

    /// Largest difference from the probabilities that the trainer computed for the same songs.
    ///
    /// # Errors
    /// If the runtime fails, or the sidecar's vectors are of other lengths.
    pub fn parity_error(&mut self) -> Result<f64, Error> {
        let mut worst: f64 = 0.0;
        for Parity { features, probabilities } in self.parity.clone() {
            let found = self.probabilities(&features)?;
            worst = worst.max(graph::largest_difference(&[&probabilities], &[&found])?);
        }
        Ok(worst)
    }
}

/// Estimated genres of a song.
#[derive(Clone, Debug, PartialEq)]
pub struct GenreEstimate {
    /// Genres with their probabilities in whole percent, the likeliest first; the rest is the probability of none of
    /// them.
    percents: Vec<(String, u32)>,
}

impl GenreEstimate {
    fn rest(&self) -> u32 {
        100 - self.percents.iter().map(|(_, percent)| percent).sum::<u32>().min(100)
    }

    /// Returns the likeliest genre, or `universal` if none is likelier, with its probability, 0 to 1.
    pub fn likeliest(&self) -> (&str, f64) {
        let rest = self.rest();
        let genre = self.percents.first().filter(|(_, percent)| *percent > rest);
        let (name, percent) = genre.map_or((UNIVERSAL, rest), |(name, percent)| (name, *percent));
        (name, f64::from(percent) / 100.0)
    }

    /// Returns the profile to master the song towards: the genres' profiles weighted by their probabilities, and the
    /// universal one for the rest.
    ///
    /// # Errors
    /// If a compiled-in profile does not fit this program.
    pub fn profile(&self, norm: &NormProfile) -> Result<NormProfile, Error> {
        let profiles = profiles()?;
        let mut parts: Vec<(u32, &NormProfile)> = Vec::new();
        for (name, percent) in &self.percents {
            let profile = profiles.iter().find(|profile| profile.name == *name);
            parts.push((*percent, profile.ok_or(Error::Mismatch { what: "profiles of the genres" })?));
        }
        parts.push((self.rest(), norm));
        let words: Vec<_> = parts.iter().map(|(percent, profile)| format!("{} {percent} %", profile.name)).collect();
        let name = if parts.len() == 1 { UNIVERSAL.to_owned() } else { words.join(", ") };
        let parts: Vec<_> = parts.iter().map(|(percent, profile)| (f64::from(*percent) / 100.0, *profile)).collect();
        Ok(NormProfile::mixed(&name, &parts))
    }
}

#[cfg(test)]
mod tests {
    use analyzer::analyze::Analyzer;
    use analyzer::stream::{Frame, Meter as _};
    use analyzer::synth::{demo_mix, silence};

    use super::*;
    use crate::target::{Target, TargetKind};

    fn universal() -> NormProfile {
        NormProfile::universal().expect("compiled in")
    }

    #[test]
    fn this_runtime_computes_what_the_trainer_did() {
        let mut head = GenreHead::load().expect("the compiled-in head loads");
        assert!(!head.parity.is_empty());
        let worst = head.parity_error().expect("runs");
        assert!(worst < 1e-4, "{worst}");
    }

    #[test]
    fn every_class_has_a_profile_and_every_profile_its_own_name() {
        let head = GenreHead::load().expect("compiled in");
        let profiles = profiles().expect("compiled in");
        let names: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        assert!(!names.contains(&UNIVERSAL) && !names.contains(&OTHER));
        assert!(head.classes.iter().all(|class| class == OTHER || names.contains(&class.as_str())));
        assert!(recognizable_genres().expect("compiled in").iter().all(|genre| names.contains(&genre.as_str())));
    }

    #[test]
    fn a_profile_that_cannot_be_used_says_why() {
        let cause = parsed(&[PROFILES[0], "{\"version\": 1}"]).expect_err("it has one field");
        assert!(cause.contains("a profile of a genre") && cause.contains("missing field `name`"), "{cause}");
    }

    /// Input of the head for a song from the middle of a profile: features that the profile does not contain are
    /// neutral.
    fn head_input(head: &GenreHead, song: &NormProfile) -> Vec<f64> {
        let known: HashMap<&String, f64> = song.names.iter().zip(song.median.iter().copied()).collect();
        let features = head.features.iter().zip(&head.neutral);
        features.map(|(name, neutral)| known.get(name).copied().unwrap_or(*neutral)).collect()
    }

    #[test]
    fn a_song_from_the_middle_of_a_genre_is_told_and_one_from_the_middle_of_all_is_less() {
        let norm = universal();
        let mut head = GenreHead::load().expect("compiled in");
        let classes = head.classes.clone();
        let mut share = |song: &NormProfile, genre: &str| {
            let index = classes.iter().position(|class| class == genre).expect("a class");
            let input = head_input(&head, song);
            head.probabilities(&input).expect("runs")[index]
        };
        for profile in profiles().expect("compiled in").iter().filter(|profile| classes.contains(&profile.name)) {
            assert!(share(profile, &profile.name) > share(&norm, &profile.name), "{}", profile.name);
        }
    }

    fn profile(channels: u8, frames: &[Frame]) -> Profile {
        let mut analyzer = Analyzer::new(44_100, channels);
        analyzer.push(frames);
        analyzer.finish()
    }

    #[test]
    fn what_a_song_says_nothing_of_does_not_count() {
        let head = GenreHead::load().expect("compiled in");
        let song = demo_mix(44_100, 4.0);
        let middle = |songs: &[&Profile]| head.middle(songs).expect("all features are known");
        let is_neutral = |vector: &[f64], part: &str| {
            let own =
                head.features.iter().zip(vector.iter().zip(&head.neutral)).filter(|(name, _)| name.contains(part));
            own.map(|(_, (value, neutral))| value == neutral).collect::<Vec<_>>()
        };
        let stereo = profile(2, &song);
        let mut dull = stereo.clone();
        dull.spectrum.cutoff_hz = 8000.0;
        let left: Vec<Frame> = song.iter().map(|frame| [frame[0]; 2]).collect();
        let mono = profile(1, &left);
        let [whole, dull, narrow] = [&stereo, &dull, &mono].map(|song| middle(&[song]).expect("it can be heard"));
        assert!(is_neutral(&whole, "_").iter().all(|is| !is));
        assert!(
            is_neutral(&dull, "_18780hz_").iter().all(|is| *is) && is_neutral(&dull, "_987hz_").iter().all(|is| !is)
        );
        for part in STEREO_FEATURE_WORDS {
            let all = is_neutral(&narrow, part);
            assert!(!all.is_empty() && all.iter().all(|is| *is), "{part}");
        }
        assert!(is_neutral(&narrow, "crest").iter().all(|is| !is));
        assert_eq!(middle(&[&stereo, &mono, &stereo]), Some(whole));
        assert_eq!(middle(&[&profile(2, &silence(44_100, 1.0))]), None);
    }

    #[test]
    fn the_likeliest_is_universal_unless_a_genre_is_likelier() {
        let estimate = |percents: &[(&str, u32)]| GenreEstimate {
            percents: percents.iter().map(|(name, percent)| ((*name).to_owned(), *percent)).collect(),
        };
        assert_eq!(estimate(&[("rock", 51), ("orchestral", 10)]).likeliest(), ("rock", 0.51));
        assert_eq!(estimate(&[("rock", 45), ("orchestral", 10)]).likeliest(), (UNIVERSAL, 0.45));
        assert_eq!(estimate(&[("rock", 36), ("orchestral", 30)]).likeliest(), ("rock", 0.36));
        assert_eq!(estimate(&[]).likeliest(), (UNIVERSAL, 1.0));
    }

    #[test]
    fn the_target_lies_between_the_profiles_and_says_what_it_is_made_of() {
        let norm = universal();
        let mut head = GenreHead::load().expect("compiled in");
        for seconds in [3.0, 8.0] {
            let song = profile(2, &demo_mix(44_100, seconds));
            let estimate = head.classify(&[&song]).expect("runs").expect("it can be heard");
            assert_eq!(head.classify(&[&song]).expect("runs"), Some(estimate.clone()));
            let target = estimate.profile(&norm).expect("compiled in").target();
            assert_eq!(target.kind, TargetKind::Norm);
            assert!(target.name.contains(" %") && target.name.contains(UNIVERSAL), "{}", target.name);
            let all: Vec<Target> =
                profiles().expect("compiled in").iter().chain([&norm]).map(NormProfile::target).collect();
            for n in 0..target.features.len() {
                let values = all.iter().map(|profile| profile.features[n]);
                let (least, most) = values.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
                assert!((least - 1e-9..=most + 1e-9).contains(&target.features[n]), "{n}");
                assert!(target.spread[n].is_finite() && target.spread[n] > 0.0, "{n}");
            }
        }
    }
}
