//! Targets that a song can be mastered towards: reference tracks and genres.

use std::fmt;
use std::path::PathBuf;

use models::genre;
use models::norm::UNIVERSAL;
use models::target::TargetKind;

use crate::request::text::value_enum_text;
use crate::song::section::Section;

/// Way in which a reference is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum MatchKind {
    /// Its tonal balance and width, octave by octave, and its loudness; finer where the two songs are alike
    #[default]
    Balance,
    /// Its spectrum in third octaves as it is, within ±6 dB (mid) and ±9 dB (side), and its loudness
    Literal,
    /// Only what is certain to be mastering and not another song: next to nothing where the songs have little in common
    Cautious,
}

value_enum_text!(MatchKind);

impl MatchKind {
    /// Returns the kind of target for a reference that is followed in this way.
    pub fn target_kind(self) -> TargetKind {
        match self {
            Self::Balance => TargetKind::Balance,
            Self::Literal => TargetKind::Literal,
            Self::Cautious => TargetKind::Reference,
        }
    }
}

/// Target of a song without references or profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Genre {
    /// The common features of finished records of all kinds.
    Universal,
    /// The common features of the genres that the song sounds like, as far as they are recognised.
    #[default]
    Auto,
    /// The common features of one genre.
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

/// Returns the names of the genres that can be set or recognised: those of the profiles.
fn genre_names() -> Result<Vec<String>, String> {
    let profiles = genre::profiles().map_err(|e| e.to_string())?;
    Ok(profiles.iter().map(|profile| profile.name.clone()).chain([UNIVERSAL.to_owned()]).collect())
}

/// Highest weight. Weights are relative, so nobody needs larger ones.
const MAX_WEIGHT: f64 = 1e6;

/// A finished record to learn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Path of the file.
    pub path: PathBuf,
    /// Part of the file that counts; `None` for the whole file.
    pub section: Option<Section>,
    /// Weight relative to the other references.
    pub weight: f64,
}

impl Reference {
    /// Creates a reference from a whole file, with weight 1.
    pub fn whole(path: PathBuf) -> Self {
        Self { path, section: None, weight: 1.0 }
    }

    /// Returns its name in reports.
    pub fn name(&self) -> String {
        let file = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.section.map_or_else(|| file.to_string(), |section| format!("{file} ({section})"))
    }
}

impl std::str::FromStr for Reference {
    type Err = String;

    /// Parses `FILE[@START-END][:WEIGHT]`. A file name may contain both signs: only text that looks like a section is
    /// taken as one.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the name of the record's file is missing".to_owned());
        }
        let whole = |path: &str, section, weight| Self { path: path.into(), section, weight };
        if let Some((path, section)) = text.rsplit_once('@')
            && !path.is_empty()
            && Section::is_meant_by(section)
        {
            // `1:35` after the dash is a time, `95:2` and `1:35:2` have a weight.
            if let Ok(section) = section.parse() {
                return Ok(whole(path, Some(section), 1.0));
            }
            return match section.rsplit_once(':') {
                Some((times, weight_text)) if times.contains('-') && times.parse::<Section>().is_ok() => {
                    Ok(whole(path, times.parse().ok(), weight(weight_text)?))
                }
                _ => Err(section.parse::<Section>().err().unwrap_or_default()),
            };
        }
        match text.rsplit_once(':') {
            Some((path, number)) if !path.is_empty() && number.parse::<f64>().is_ok() => {
                Ok(whole(path, None, weight(number)?))
            }
            _ => Ok(whole(text, None, 1.0)),
        }
    }
}

fn weight(text: &str) -> Result<f64, String> {
    let weight = text.parse::<f64>().ok().filter(|weight| *weight > 0.0 && *weight <= MAX_WEIGHT);
    weight.ok_or_else(|| format!("the weight of a reference must be a positive number up to {MAX_WEIGHT}, not {text}"))
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let section = self.section.map_or_else(String::new, |section| format!("@{section}"));
        write!(f, "{}{section}:{}", self.path.display(), self.weight)
    }
}

/// A finished record that songs of one genre are mastered towards.
#[derive(Clone, Debug, PartialEq)]
pub struct GenreReference {
    /// The genre's name.
    pub genre: String,
    /// The record.
    pub reference: Reference,
}

impl std::str::FromStr for GenreReference {
    type Err = String;

    /// Parses `GENRE=FILE` or `GENRE=FILE:WEIGHT`. No genre name contains an equals sign, but a file name may.
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
        let reference = |path: &str, weight| Reference { weight, ..Reference::whole(path.into()) };
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
        assert_eq!(parse("a:b.flac:0.5"), Ok(Reference { weight: 0.5, ..Reference::whole("a:b.flac".into()) }));
        assert_eq!(parse("a:b.flac"), Ok(Reference::whole("a:b.flac".into())));
        assert!(parse("a.flac:-1").is_err());
    }

    #[test]
    fn a_section_follows_the_last_at_sign_and_looks_like_one() {
        let parse = |text: &str| text.parse::<Reference>();
        let of = |path: &str, start_s, end_s, weight| {
            Ok(Reference { path: path.into(), section: Some(Section { start_s, end_s }), weight })
        };
        assert_eq!(parse("hit.flac@1:05-1:35"), of("hit.flac", 65.0, 95.0, 1.0));
        assert_eq!(parse("me@home.flac@65-95:2"), of("me@home.flac", 65.0, 95.0, 2.0));
        assert_eq!(parse("hit.flac@1:05-1:35:0.5"), of("hit.flac", 65.0, 95.0, 0.5));
        for text in ["hit.flac@1:05-1:35:0.5", "hit.flac@65.25-95:20.0", "hit.flac:3"] {
            let reference = parse(text).expect(text);
            assert_eq!(parse(&reference.to_string()), Ok(reference));
        }
        for name in ["me@home.flac", "a@1-2.flac", "live@12"] {
            assert_eq!(parse(name), Ok(Reference { path: name.into(), section: None, weight: 1.0 }));
        }
        for (wrong, words) in
            [("hit.flac@95-65", "ends before it starts"), ("hit.flac@1:5-1:35", "m:ss"), ("hit.flac@65-95:0", "weight")]
        {
            let refused = parse(wrong).expect_err(wrong);
            assert!(refused.contains(words), "{wrong}: {refused}");
        }
    }
}
