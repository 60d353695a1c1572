//! What kind of music a song is, as far as its sound tells, and what finished records of that kind are like.
//!
//! A small ONNX head gives the probabilities of the genres that it can tell; whatever else a song may be, the universal
//! profile stands for. Genres of too few records to be told can be asked for by name.

use analyzer::profile::Profile;
use ndarray::Array2;
use ort::session::Session;
use ort::value::TensorRef;
use serde::Deserialize;

use crate::Error;
use crate::features::{FEATURES, Features};
use crate::graph;
use crate::norm::{NormProfile, UNIVERSAL};
use crate::target::{Target, comparable};

const GRAPH: &[u8] = include_bytes!("../weights/genre.onnx");
const SIDECAR: &str = include_str!("../weights/genre.json");
/// The head's class for all songs of no genre that it can tell.
const OTHER: &str = "other";

const PROFILES: [&str; 3] = [
    include_str!("../profiles/electronic.json"),
    include_str!("../profiles/orchestral.json"),
    include_str!("../profiles/rock.json"),
];

/// Names and checks of the head's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sidecar {
    blake3: String,
    features: Vec<String>,
    classes: Vec<String>,
    parity: Vec<Parity>,
}

/// What the trainer's own runtime made of an input.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parity {
    features: Vec<f64>,
    probabilities: Vec<f64>,
}

/// The profiles of all genres, in the order of their names.
///
/// # Errors
/// They were made for another set of features.
pub fn profiles() -> Result<Vec<NormProfile>, Error> {
    let read = |text| NormProfile::from_json(text).map_err(|_| Error::Mismatch { what: "profiles of the genres" });
    PROFILES.into_iter().map(read).collect()
}

/// The genres that can be told from the sound; all others are by name only.
///
/// # Errors
/// The compiled-in data cannot be read.
pub fn tellable() -> Result<Vec<String>, Error> {
    let Sidecar { classes, .. } = sidecar()?;
    Ok(classes.into_iter().filter(|class| class != OTHER).collect())
}

fn sidecar() -> Result<Sidecar, Error> {
    serde_json::from_str(SIDECAR).map_err(|e| Error::Sidecar(e.to_string()))
}

/// The compiled-in head, ready to run.
pub struct GenreHead {
    session: Session,
    classes: Vec<String>,
    parity: Vec<Parity>,
}

impl GenreHead {
    /// Loads and checks the graph.
    ///
    /// # Errors
    /// Graph and sidecar do not belong together, or this program sees other features than the head was trained on.
    pub fn load() -> Result<Self, Error> {
        let Sidecar { blake3, features, classes, parity } = sidecar()?;
        Ok(Self { session: graph::session(GRAPH, &blake3, &features)?, classes, parity })
    }

    /// Probability of each class: positive, and together 1.
    ///
    /// # Errors
    /// The runtime failed.
    fn probabilities(&mut self, song: &Features) -> Result<Vec<f64>, Error> {
        let row = Array2::from_shape_fn((1, FEATURES), |(_, n)| song[n] as f32);
        let classes = self.classes.len();
        let mut run = || -> ort::Result<Vec<f64>> {
            let outputs = self.session.run(ort::inputs!["features" => TensorRef::from_array_view(&row)?])?;
            let (_, data) = outputs["probabilities"].try_extract_tensor::<f32>()?;
            let wrong = || ort::Error::new(format!("{} probabilities of {classes} genres", data.len()));
            if data.len() == classes { Ok(data.iter().copied().map(f64::from).collect()) } else { Err(wrong()) }
        };
        run().map_err(|e| Error::Runtime(e.to_string()))
    }

    /// What a song, or the middle of all `songs` of a record, sounds like; `None` where nothing can be heard.
    ///
    /// # Errors
    /// The runtime failed.
    pub fn tell(&mut self, songs: &[&Profile], norm: &NormProfile) -> Result<Option<Told>, Error> {
        let Some(middle) = Target::middle("", songs) else { return Ok(None) };
        let (heard, _) = comparable(&middle.features, &middle.features, norm, middle.cutoff_hz);
        let probabilities = self.probabilities(&heard)?;
        let known = self.classes.iter().zip(probabilities).filter(|(class, _)| *class != OTHER);
        let percents = known.map(|(class, probability)| (class.clone(), libm::floor(100.0 * probability) as u32));
        let mut percents: Vec<(String, u32)> = percents.filter(|(_, percent)| *percent > 0).collect();
        percents.sort_by_key(|(_, percent)| std::cmp::Reverse(*percent));
        Ok(Some(Told { percents }))
    }

    /// Largest difference from the probabilities that the trainer computed for the same songs.
    ///
    /// # Errors
    /// The runtime failed, or the sidecar's vectors are of other lengths.
    pub fn parity_error(&mut self) -> Result<f64, Error> {
        let wrong = Error::Mismatch { what: "parity vectors of the genres" };
        let mut worst: f64 = 0.0;
        for Parity { features, probabilities } in self.parity.clone() {
            let Ok(song) = Features::try_from(features) else { return Err(wrong) };
            let got = self.probabilities(&song)?;
            if got.len() != probabilities.len() {
                return Err(wrong);
            }
            worst = got.iter().zip(&probabilities).map(|(a, b)| (a - b).abs()).fold(worst, f64::max);
        }
        Ok(worst)
    }
}

/// What a song sounds like.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Genres and how probable they are, the likeliest first, in whole percent; it is of none of them for the rest.
    percents: Vec<(String, u32)>,
}

impl Told {
    fn rest(&self) -> u32 {
        100 - self.percents.iter().map(|(_, percent)| percent).sum::<u32>().min(100)
    }

    /// The likeliest genre, or `universal` where none is likelier, and how probable that is, 0 to 1.
    pub fn likeliest(&self) -> (&str, f64) {
        let rest = self.rest();
        let genre = self.percents.first().filter(|(_, percent)| *percent > rest);
        let (name, percent) = genre.map_or((UNIVERSAL, rest), |(name, percent)| (name, *percent));
        (name, f64::from(percent) / 100.0)
    }

    /// What the song is mastered towards: the profiles of the genres by their probabilities, the universal one for the
    /// rest.
    ///
    /// # Errors
    /// A compiled-in profile does not fit this program.
    pub fn target(&self, norm: &NormProfile) -> Result<Target, Error> {
        let profiles = profiles()?;
        let find = |name: &str| profiles.iter().find(|profile| profile.name == name).unwrap_or(norm);
        let mut parts: Vec<(u32, &NormProfile)> = Vec::new();
        parts.extend(self.percents.iter().map(|(name, percent)| (*percent, find(name))));
        parts.push((self.rest(), norm));
        let words: Vec<_> = parts.iter().map(|(percent, profile)| format!("{} {percent} %", profile.name)).collect();
        let name = if parts.len() == 1 { UNIVERSAL.to_owned() } else { words.join(", ") };
        let parts: Vec<_> = parts.iter().map(|(percent, profile)| (f64::from(*percent) / 100.0, *profile)).collect();
        Ok(NormProfile::mixed(&name, &parts).target())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::TargetKind;

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
        assert!(tellable().expect("compiled in").iter().all(|genre| names.contains(&genre.as_str())));
    }

    #[test]
    fn a_song_from_the_middle_of_a_genre_is_told_and_one_from_the_middle_of_all_is_less() {
        let norm = universal();
        let mut head = GenreHead::load().expect("compiled in");
        let classes = head.classes.clone();
        let mut share = |song: &NormProfile, genre: &str| {
            let index = classes.iter().position(|class| class == genre).expect("a class");
            head.probabilities(&song.target().features).expect("runs")[index]
        };
        for profile in profiles().expect("compiled in").iter().filter(|profile| classes.contains(&profile.name)) {
            assert!(share(profile, &profile.name) > share(&norm, &profile.name), "{}", profile.name);
        }
    }

    #[test]
    fn the_target_lies_between_the_profiles_and_says_what_it_is_made_of() {
        let norm = universal();
        let mut head = GenreHead::load().expect("compiled in");
        for song in profiles().expect("compiled in") {
            let target = head.target(&song.target(), &norm).expect("runs");
            assert_eq!(target.kind, TargetKind::Norm);
            assert_eq!(head.target(&song.target(), &norm).expect("runs"), target);
            assert!(target.name.contains(" %") && target.name.contains(UNIVERSAL), "{}", target.name);
            let all: Vec<Target> =
                profiles().expect("compiled in").iter().chain([&norm]).map(NormProfile::target).collect();
            for n in 0..FEATURES {
                let values = all.iter().map(|profile| profile.features[n]);
                let (least, most) = values.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
                assert!((least - 1e-9..=most + 1e-9).contains(&target.features[n]), "{n}");
                assert!(target.spread[n].is_finite() && target.spread[n] > 0.0, "{n}");
            }
        }
    }
}
