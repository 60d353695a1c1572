//! Names of masters, built from a pattern of song metadata, as in `{track:02} {title} [{destination}]`.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;

use crate::io::tags::TagFacts;
use crate::request::destination::Destination;
use crate::request::paths::{MAX_NAME_BYTES, shortened, without_extension};

/// A field of a name pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Field {
    /// Name of the mix's file without its extension
    Name,
    /// Title by the tags, or else the file's name
    Title,
    /// Artist by the tags
    Artist,
    /// Title of the album by the tags
    Album,
    /// Artist of the album by the tags, or else the artist
    AlbumArtist,
    /// Number of the track by the tags
    Track,
    /// Number of the disc by the tags
    Disc,
    /// International Standard Recording Code by the tags
    Isrc,
    /// Place that the master goes to, as `--for` has it
    Destination,
}

crate::request::text::value_enum_text!(Field);

/// A pattern for names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A field, and the minimum number of digits if it is a number.
    Field(Field, usize),
}

/// The reason why a pattern gives a song no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoName {
    /// The tags of the song lack this field.
    Tag(Field),
    /// The pattern has a destination, and the song goes to none.
    Destination,
}

impl fmt::Display for NoName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Tag(field) => {
                write!(f, "has no {field} in its tags, which --name asks for; tag it, or use another --name")
            }
            Self::Destination => f.write_str("--name has {destination}: say which with --for"),
        }
    }
}

/// Maximum number of digits that a pattern can ask for.
const MAX_DIGITS: usize = 9;
/// Room for the extension of a master and of its page, bytes.
const EXTENSION_BYTES: usize = 16;

impl FromStr for NamePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (field, behind) = after.split_once('}').ok_or("a { has no } after it")?;
            let (name, digits) = field.split_once(':').unwrap_or((field, "0"));
            let digits = digits.parse().ok().filter(|digits| *digits <= MAX_DIGITS);
            let digits = digits.ok_or_else(|| format!("{{{field}}}: digits are asked for as in {{track:02}}"))?;
            let field = name.trim().parse::<Field>()?;
            if digits > 0 && !matches!(field, Field::Track | Field::Disc) {
                return Err(format!("{{{field}}} is no number, so it cannot have {digits} digits"));
            }
            pieces.extend([Piece::Text(before.to_owned()), Piece::Field(field, digits)]);
            rest = behind;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let pattern = Self { text: text.to_owned(), pieces };
        let literal: String =
            pattern.pieces.iter().map(|piece| if let Piece::Text(text) = piece { text } else { "x" }).collect();
        let is_inside = Path::new(&literal).components().all(|part| matches!(part, Component::Normal(_)));
        match literal.is_empty() || !is_inside {
            true => Err("must be a name below the output folder, as in '{album}/{track:02} {title}'".to_owned()),
            false => Ok(pattern),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl NamePattern {
    /// Returns the default pattern for masters with several destinations.
    pub fn of_destinations() -> Self {
        let pieces = [Field::Name, Field::Destination].map(|field| Piece::Field(field, 0));
        let [name, destination] = pieces;
        let text = |text: &str| Piece::Text(text.to_owned());
        Self { text: "{name} [{destination}]".to_owned(), pieces: vec![name, text(" ["), destination, text("]")] }
    }

    /// Returns true if the pattern contains a field.
    pub fn has(&self, field: Field) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Field(own, _) if *own == field))
    }

    /// Returns true if the pattern contains a field that comes from tags.
    pub fn needs_tags(&self) -> bool {
        let is_of_tags = |piece: &Piece| matches!(piece, Piece::Field(field, _) if !matches!(field, Field::Name | Field::Destination));
        self.pieces.iter().any(is_of_tags)
    }

    /// Returns the name of a master, without extension. The end of a name that is too long for a file system is replaced by a
    /// hash of the whole.
    ///
    /// # Errors
    /// The song lacks a tag that the pattern needs, or no destination is set.
    pub fn fill(&self, input: &Path, tags: &TagFacts, destination: Option<Destination>) -> Result<PathBuf, NoName> {
        let value = |field: Field, digits: usize| {
            let file = || without_extension(input).file_name().map(|name| name.to_string_lossy().into_owned());
            let number = |number: u32| format!("{number:0digits$}");
            let value = match field {
                Field::Name => file(),
                Field::Title => tags.title.clone().or_else(file),
                Field::Artist => tags.artist.clone(),
                Field::Album => tags.album.clone(),
                Field::AlbumArtist => tags.album_artist.clone().or_else(|| tags.artist.clone()),
                Field::Track => tags.track.map(number),
                Field::Disc => tags.disc.map(number),
                Field::Isrc => tags.isrc.clone(),
                Field::Destination => destination.map(|destination| destination.to_string()),
            };
            match (value, field) {
                (Some(value), _) => Ok(harmless(&value)),
                (None, Field::Destination) => Err(NoName::Destination),
                (None, field) => Err(NoName::Tag(field)),
            }
        };
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Ok(text.clone()),
                Piece::Field(field, digits) => value(*field, *digits),
            })
            .collect::<Result<String, NoName>>()
            .map(|path| Path::new(&path).iter().map(|name| shortened(name, MAX_NAME_BYTES - EXTENSION_BYTES)).collect())
    }
}

/// Makes a text safe as part of a name: path separators and characters that some file systems reject become `_`.
pub fn harmless(text: &str) -> String {
    let is_odd = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    let name: String = text.trim().chars().map(|c| if is_odd(c) { '_' } else { c }).collect();
    let name = name.trim_end().to_owned();
    name.strip_prefix('.').map_or(name.clone(), |rest| format!("_{rest}"))
}

/// Returns the help of an option that takes a pattern, with all fields.
pub fn fields_help() -> String {
    let lines = Field::value_variants().iter().filter_map(|field| {
        let value = field.to_possible_value()?;
        Some(format!("\n  {:14} {}", format!("{{{}}}", value.get_name()), value.get_help()?))
    });
    format!(
        "Names of masters, as in '{{track:02}} {{title}} [{{destination}}]', where {{track:02}} has two digits at least:{}",
        lines.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags() -> TagFacts {
        TagFacts {
            title: Some("A/B: one?".to_owned()),
            track: Some(3),
            album: Some("..".to_owned()),
            ..TagFacts::default()
        }
    }

    #[test]
    fn a_name_has_what_is_known_of_the_song() {
        let fill = |pattern: &str| {
            let pattern: NamePattern = pattern.parse().unwrap_or_else(|e| panic!("{pattern}: {e}"));
            pattern.fill(Path::new("in/song.v2.wav"), &tags(), Some(Destination::AppleMusic))
        };
        let name = |pattern: &str| fill(pattern).map(|path| path.display().to_string());
        assert_eq!(name("{track:02} {title} [{destination}]"), Ok("03 A_B_ one_ [apple-music]".to_owned()));
        assert_eq!(name("{album}/{name}"), Ok("_./song.v2".to_owned()));
        assert_eq!(name("{isrc}"), Err(NoName::Tag(Field::Isrc)));
        assert!(NoName::Tag(Field::Isrc).to_string().contains("has no isrc in its tags"));
        assert_eq!(name(&NamePattern::of_destinations().to_string()), Ok("song.v2 [apple-music]".to_owned()));
        let long = |take: u32| {
            let path = format!("in/{} take {take}.wav", "a".repeat(240));
            let name = NamePattern::of_destinations().fill(Path::new(&path), &tags(), Some(Destination::Spotify));
            name.expect("its fields are known").display().to_string()
        };
        assert!(long(1) != long(2) && long(1).len() < MAX_NAME_BYTES, "{}", long(1));
        let parsed: NamePattern = NamePattern::of_destinations().to_string().parse().expect("well-formed");
        assert!(parsed.has(Field::Destination) && !parsed.has(Field::Track));
    }

    #[test]
    fn a_pattern_that_makes_no_sense_is_refused() {
        for (wrong, words) in [
            ("", "must be a name"),
            ("../{name}", "must be a name"),
            ("/{name}", "must be a name"),
            ("{name", "no }"),
            ("{colour}", "none of name, title"),
            ("{title:02}", "no number"),
            ("{track:x}", "{track:02}"),
        ] {
            let error = wrong.parse::<NamePattern>().expect_err(wrong);
            assert!(error.contains(words), "{wrong}: {error}");
        }
    }
}
