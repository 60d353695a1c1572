//! What kind of music a song is, as far as its sound tells, and what finished records of that kind are like.
//!
//! A small ONNX head gives the probabilities of the genres that it can tell; whatever else a song may be, the universal
//! profile stands for. Genres of too few records to be told can be asked for by name.

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
        let sidecar: Sidecar = serde_json::from_str(SIDECAR).map_err(|e| Error::Sidecar(e.to_string()))?;
        let Sidecar { blake3, features, classes, parity } = sidecar;
        Ok(Self { session: graph::session(GRAPH, &blake3, &features)?, classes, parity })
    }

    /// Whether the head tells this genre.
    pub fn tells(&self, genre: &str) -> bool {
        genre != OTHER && self.classes.iter().any(|class| class == genre)
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

    /// What a song, or the middle of several, is mastered towards: the profiles of the genres by their probabilities in
    /// whole percent, the universal one for the rest.
    ///
    /// # Errors
    /// The runtime failed, or a compiled-in profile does not fit this program.
    pub fn target(&mut self, song: &Target, norm: &NormProfile) -> Result<Target, Error> {
        let (heard, _) = comparable(&song.features, &song.features, norm, song.cutoff_hz);
        let probabilities = self.probabilities(&heard)?;
        let profiles = profiles()?;
        let mut parts: Vec<(f64, &NormProfile)> = Vec::new();
        for (class, probability) in self.classes.iter().zip(probabilities) {
            let percent = libm::floor(100.0 * probability);
            if let Some(profile) = profiles.iter().find(|profile| profile.name == *class)
                && percent >= 1.0
            {
                parts.push((percent / 100.0, profile));
            }
        }
        parts.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let rest = 1.0 - parts.iter().map(|(share, _)| share).sum::<f64>();
        parts.push((rest.clamp(0.0, 1.0), norm));
        let share = |(share, profile): &(f64, &NormProfile)| format!("{} {:.0} %", profile.name, 100.0 * share);
        let name =
            if parts.len() == 1 { UNIVERSAL.into() } else { parts.iter().map(share).collect::<Vec<_>>().join(", ") };
        Ok(NormProfile::mixed(&name, &parts).target())
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
        assert!(head.tells("electronic") && !head.tells(OTHER) && !head.tells("polka"));
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
