//! Genre recognition, and the profiles that describe finished records of each genre.

use std::path::Path;

use analyzer::profile::Profile;
use models::error::Error;
use models::genre::{self, GenreHead};
use models::norm::{NormProfile, UNIVERSAL};

use crate::io::tags::Tags;
use crate::report::GenreReport;
use crate::request::reference::Genre;
use crate::request::settings::MasterSettings;

/// Words found in genre tags, grouped by the genre whose profile they select.
const TAG_WORDS: [(&str, &[&str]); 6] = [
    ("ambient", &["ambient", "drone", "newage"]),
    (
        "electronic",
        &[
            "breakbeat",
            "dance",
            "dnb",
            "drum",
            "dubstep",
            "edm",
            "electro",
            "electronic",
            "electronica",
            "house",
            "idm",
            "synthwave",
            "techno",
            "trance",
        ],
    ),
    ("folk", &["acoustic", "bluegrass", "celtic", "country", "folk"]),
    ("orchestral", &["classical", "opera", "orchestra", "orchestral", "score", "soundtrack", "symphony"]),
    ("rock", &["grunge", "hardcore", "metal", "metalcore", "punk", "rock"]),
    ("world", &["ethnic", "world"]),
];

/// Returns the genre that a tag names, out of those that have a profile. The last known word of a name decides:
/// "symphonic metal" is metal. Returns `None` if the tag names no known genre, or more than one.
fn genre_of_tag(tag: &str) -> Option<&'static str> {
    let of_word = |word: &str| TAG_WORDS.iter().find(|(_, words)| words.contains(&word)).map(|(genre, _)| *genre);
    let tag = tag.to_lowercase().replace("new age", "newage");
    let mut named = tag
        .split([';', ',', '/', '|', '\u{0}'])
        .filter_map(|name| name.split(|letter: char| !letter.is_alphanumeric()).filter_map(of_word).next_back());
    let first = named.next()?;
    named.all(|other| other == first).then_some(first)
}

/// Returns the genre that the tags of a file name, out of those that have a profile.
pub fn genre_of_file(path: &Path) -> Option<&'static str> {
    Tags::read(path).text("GENRE").and_then(genre_of_tag)
}

/// Returns the settings with the genre taken from the tags of `inputs`; see [`with_genre`].
pub fn with_genre_of_tags(settings: &MasterSettings, inputs: &[&Path]) -> MasterSettings {
    with_genre(settings, inputs.iter().map(|path| genre_of_file(path)))
}

/// Returns the settings with the genre that the tags of all songs name; `named` is what those of each song name. The
/// genre is filled in only if it is to be detected automatically (no reference, no profile, [`Genre::Auto`]) and the
/// tags of all songs name the same genre.
pub fn with_genre<'a>(settings: &MasterSettings, named: impl IntoIterator<Item = Option<&'a str>>) -> MasterSettings {
    let is_open = settings.references.is_empty() && settings.profile.is_none() && settings.genre() == Genre::Auto;
    let mut named = named.into_iter();
    let first = if is_open { named.next().flatten() } else { None };
    let named = first.filter(|first| named.all(|other| other == Some(first)));
    let genre = named.map_or_else(|| settings.genre.clone(), |name| Some(Genre::Named(name.to_owned())));
    MasterSettings { genre, ..settings.clone() }
}

/// Recognises genres. The network is loaded when a song first needs it.
#[derive(Default)]
pub struct Genres {
    head: Option<GenreHead>,
}

impl Genres {
    /// Returns the genre of a song, or of all `songs` of a record together, and the profile of that genre. When the
    /// genre is to be detected, songs too quiet to measure get the universal profile.
    ///
    /// # Errors
    /// The runtime failed, or a compiled-in profile does not fit this program.
    pub fn find(
        &mut self,
        genre: &Genre,
        norm: &NormProfile,
        songs: &[&Profile],
    ) -> Result<(GenreReport, NormProfile), Error> {
        let given = |name: &str, profile: &NormProfile| {
            (GenreReport { name: name.to_owned(), probability: None }, profile.clone())
        };
        match genre {
            Genre::Universal => Ok(given(UNIVERSAL, norm)),
            Genre::Named(name) => {
                let profile = genre::profiles()?.iter().find(|profile| profile.name == *name);
                let profile = profile.ok_or(Error::Mismatch { what: "profiles of the genres" })?;
                Ok(given(name, profile))
            }
            Genre::Auto => {
                let head = match &mut self.head {
                    Some(head) => head,
                    none => none.insert(GenreHead::load()?),
                };
                let Some(estimate) = head.classify(songs)? else { return Ok(given(UNIVERSAL, norm)) };
                let (name, share) = estimate.likeliest();
                let report = GenreReport { name: name.to_owned(), probability: Some(share) };
                Ok((report, estimate.profile(norm)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_means_what_its_last_word_says() {
        for (tag, genre) in [
            ("Metal", Some("rock")),
            ("Symphonic Metal", Some("rock")),
            ("Punk-Rock", Some("rock")),
            ("Drum & Bass", Some("electronic")),
            ("New Age", Some("ambient")),
            ("Rock; Metal", Some("rock")),
            ("Rock; Techno", None),
            ("Blues", None),
            ("", None),
        ] {
            assert_eq!(genre_of_tag(tag), genre, "{tag}");
        }
    }

    #[test]
    fn every_genre_of_a_tag_has_a_profile() {
        let names: Vec<String> = genre::profiles().expect("compiled in").iter().map(|of| of.name.clone()).collect();
        assert!(TAG_WORDS.iter().all(|(genre, _)| names.iter().any(|name| name == genre)));
    }
}
