//! What a song goes towards: reference tracks, a genre.

use std::fmt;
use std::path::PathBuf;

use models::genre;
use models::norm::UNIVERSAL;

use crate::request::text::value_enum_text;

/// How a reference is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum MatchKind {
    /// Its master, not its song: what the decider makes of the difference.
    #[default]
    Style,
    /// Its spectrum as it is, within ±6 dB (mid) and ±9 dB (side), and nothing else.
    Literal,
}

value_enum_text!(MatchKind);

/// What a song without references or profile goes towards.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Genre {
    /// What finished records of all kinds have in common.
    Universal,
    /// What the genres that it sounds like have in common, as far as they can be told.
    #[default]
    Auto,
    /// What a genre has in common.
    Named(String),
}

impl std::str::FromStr for Genre {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = genre_names()?;
        match text.trim().to_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            UNIVERSAL => Ok(Self::Universal),
            name if names.iter().any(|known| known == name) => Ok(Self::Named(name.to_owned())),
            _ => Err(format!("{text:?} is no genre that is known: choose auto, {}", names.join(", "))),
        }
    }
}

impl fmt::Display for Genre {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Universal => UNIVERSAL,
            Self::Auto => "auto",
            Self::Named(name) => name,
        })
    }
}

/// The names that a song can be given or told: those of the profiles.
fn genre_names() -> Result<Vec<String>, String> {
    let profiles = genre::profiles().map_err(|e| e.to_string())?;
    Ok(profiles.into_iter().map(|profile| profile.name).chain([UNIVERSAL.to_owned()]).collect())
}

/// Weights are relative: nobody needs larger ones.
const MAX_WEIGHT: f64 = 1e6;

/// A finished record to learn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Its file.
    pub path: PathBuf,
    /// Its share against the other references.
    pub weight: f64,
}

impl std::str::FromStr for Reference {
    type Err = String;

    /// `FILE` or `FILE:WEIGHT`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((path, weight)) = text.rsplit_once(':')
            && let Ok(weight) = weight.parse::<f64>()
            && !path.is_empty()
        {
            return if weight > 0.0 && weight <= MAX_WEIGHT {
                Ok(Self { path: path.into(), weight })
            } else {
                Err(format!("the weight of a reference must be a positive number up to {MAX_WEIGHT}, not {weight}"))
            };
        }
        Ok(Self { path: text.into(), weight: 1.0 })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.weight)
    }
}

/// A finished record that songs of one genre come close to.
#[derive(Clone, Debug, PartialEq)]
pub struct GenreReference {
    /// The genre's name.
    pub genre: String,
    /// The record.
    pub reference: Reference,
}

impl std::str::FromStr for GenreReference {
    type Err = String;

    /// `GENRE=FILE` or `GENRE=FILE:WEIGHT`: no genre has an equals sign in its name, a file may.
    fn from_str(text: &str) -> Result<Self, String> {
        let (genre, file) = text.split_once('=').ok_or("must be GENRE=FILE, as in rock=hit.flac")?;
        let names = genre_names()?;
        let genre = &genre.trim().to_lowercase();
        if !names.contains(genre) {
            return Err(format!("{genre:?} is no genre that is known: choose {}", names.join(", ")));
        }
        if file.is_empty() {
            return Err(format!("the record for {genre} is missing: name its file, as in {genre}=hit.flac"));
        }
        Ok(Self { genre: genre.clone(), reference: file.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_genre_is_one_that_has_a_profile() {
        assert_eq!("auto".parse(), Ok(Genre::Auto));
        assert_eq!("universal".parse(), Ok(Genre::Universal));
        for text in ["rock", "Rock", " ROCK "] {
            assert_eq!(text.parse(), Ok(Genre::Named("rock".to_owned())));
        }
        let refused = "polka".parse::<Genre>().expect_err("nobody knows it");
        assert!(["polka", "auto", "electronic", "universal"].iter().all(|name| refused.contains(name)), "{refused}");
    }

    #[test]
    fn a_genre_stands_before_the_first_equals_sign_and_the_weight_after_the_last_colon() {
        let parse = |text: &str| text.parse::<GenreReference>();
        let reference = |path: &str, weight| Reference { path: path.into(), weight };
        let of = |genre: &str, reference| Ok(GenreReference { genre: genre.to_owned(), reference });
        assert_eq!(parse("rock=a=b:c.flac:0.5"), of("rock", reference("a=b:c.flac", 0.5)));
        assert_eq!(parse("universal=a.flac"), of("universal", reference("a.flac", 1.0)));
        for (wrong, words) in [
            ("a.flac", "GENRE=FILE"),
            ("polka=a.flac", "ambient, electronic, folk, orchestral, rock, world, universal"),
            ("auto=a.flac", "\"auto\" is no genre"),
            ("rock=", "the record for rock is missing"),
            ("rock=a.flac:0", "weight"),
        ] {
            let refused = parse(wrong).expect_err(wrong);
            assert!(refused.contains(words), "{wrong}: {refused}");
        }
    }

    #[test]
    fn a_weight_follows_the_last_colon() {
        let parse = |text: &str| text.parse::<Reference>();
        assert_eq!(parse("a:b.flac:0.5"), Ok(Reference { path: "a:b.flac".into(), weight: 0.5 }));
        assert_eq!(parse("a:b.flac"), Ok(Reference { path: "a:b.flac".into(), weight: 1.0 }));
        assert!(parse("a.flac:-1").is_err());
    }
}
