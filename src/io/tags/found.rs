//! Tags that were found in a file, within bounds: a tag can claim anything.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{DISC, DISC_TOTAL, SOFTWARE, TRACK, TRACK_TOTAL, canonical, is_stale};

/// Most bytes of all pictures together: the largest metadata block of FLAC (RFC 9639, section 8.1), minus the fields
/// of a picture other than its data.
pub(super) const MAX_PICTURE_BYTES: usize = (1 << 24) - 4096;

/// Most bytes of a single text.
pub(super) const MAX_TEXT_BYTES: usize = 1 << 20;

/// Most bytes of all texts together, and most texts.
const MAX_TEXTS_BYTES: usize = 4 << 20;
const MAX_TEXTS: usize = 4096;

/// Most texts that are examined, including repeated and omitted ones: a tag that repeats itself endlessly costs time,
/// although none of it is kept.
const MAX_OFFERED_TEXTS: usize = 4 * MAX_TEXTS;

/// Name of what is left out if there are more texts.
const TOO_MANY_TEXTS: &str = "more texts than any song has";

/// Most names that a message lists.
const MAX_LISTED: usize = 8;

/// A picture. Its kind has the same number in ID3v2 and FLAC; 3 is a front cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub kind: u8,
    pub media_type: String,
    pub description: String,
    pub data: Vec<u8>,
}

/// Texts and pictures in the order in which they were found, and what was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Names as in Vorbis comments, in upper case, with their texts. A name may occur several times.
    pub texts: Vec<(String, String)>,
    pub pictures: Vec<Picture>,
    /// Name of the program that wrote the file.
    pub software: Option<String>,
    /// Descriptions of what cannot be carried over, without repetition.
    left_out: BTreeSet<String>,
    text_bytes: usize,
    offered_texts: usize,
    /// The same texts, to recognise repeated ones.
    known_texts: BTreeSet<(String, String)>,
}

impl Found {
    /// Adds a text, unless it would be wrong for the master. A number of the form `3/12` becomes two texts.
    pub fn text(&mut self, name: &str, text: &str) {
        self.offered_texts += 1;
        if self.offered_texts > MAX_OFFERED_TEXTS {
            return self.leave_out(TOO_MANY_TEXTS);
        }
        let (name, text) = (canonical(name), text.trim_end_matches('\0').trim());
        if name.is_empty() || text.is_empty() {
            return;
        }
        if name == SOFTWARE {
            self.software.get_or_insert_with(|| text.to_owned());
        }
        if is_stale(&name) {
            return;
        }
        let total = [(TRACK, TRACK_TOTAL), (DISC, DISC_TOTAL)].into_iter().find(|(number, _)| *number == name);
        match total.zip(text.split_once('/')) {
            Some(((_, total_name), (number, total))) => {
                self.keep(name, number.trim());
                self.keep(total_name.to_owned(), total.trim());
            }
            None => self.keep(name, text),
        }
    }

    fn keep(&mut self, name: String, text: &str) {
        let is_empty_number =
            text.is_empty() || text == "0" && [TRACK, TRACK_TOTAL, DISC, DISC_TOTAL].contains(&&*name);
        if is_empty_number {
            return;
        }
        if text.len() > MAX_TEXT_BYTES {
            return self.leave_out(format!("{} (too long)", name.to_lowercase()));
        }
        let bytes = name.len() + text.len();
        let entry = (name, text.to_owned());
        if self.known_texts.contains(&entry) {
            return;
        }
        if self.texts.len() >= MAX_TEXTS || self.text_bytes + bytes > MAX_TEXTS_BYTES {
            self.leave_out(TOO_MANY_TEXTS);
        } else {
            self.text_bytes += bytes;
            self.known_texts.insert(entry.clone());
            self.texts.push(entry);
        }
    }

    /// True if a picture of this size should be read. If not, it is recorded as left out.
    pub fn wants_picture(&mut self, bytes: u64) -> bool {
        let fits = bytes <= (MAX_PICTURE_BYTES - self.picture_bytes()) as u64;
        if !fits {
            self.leave_out(format!("a picture of {} MB (too large)", bytes.div_ceil(1_000_000)));
        }
        fits
    }

    pub fn picture(&mut self, picture: Picture) {
        // FLAC allows only one picture of each of the two icon kinds.
        let is_second_icon = matches!(picture.kind, 1 | 2) && self.pictures.iter().any(|p| p.kind == picture.kind);
        let is_known = self.pictures.iter().any(|known| known.data == picture.data);
        if is_second_icon {
            self.leave_out("a second icon".to_owned());
        } else if !picture.data.is_empty() && !is_known && self.wants_picture(picture.data.len() as u64) {
            self.pictures.push(picture);
        }
    }

    fn picture_bytes(&self) -> usize {
        self.pictures.iter().map(|picture| picture.data.len()).sum()
    }

    /// Records something that cannot be carried over.
    pub fn leave_out(&mut self, what: impl Into<String>) {
        if self.left_out.len() <= MAX_LISTED {
            let what: String = what.into();
            self.left_out.insert(what.chars().map(|c| if c.is_control() { ' ' } else { c }).take(80).collect());
        }
    }

    /// Adds the texts and pictures of another tag of the file that this one lacks.
    pub fn add(&mut self, other: Self) {
        let known: BTreeSet<String> = self.texts.iter().map(|(name, _)| name.clone()).collect();
        for (name, text) in other.texts {
            // Short tags contain only the beginning of a comment.
            if !known.contains(&name) {
                self.keep(name, &text);
            }
        }
        if self.pictures.is_empty() {
            other.pictures.into_iter().for_each(|picture| self.picture(picture));
        }
        self.software = self.software.take().or(other.software);
        other.left_out.into_iter().for_each(|what| self.leave_out(what));
    }

    /// Returns all texts grouped by name, in the order in which the names first occur.
    pub fn by_name(&self) -> Vec<(&str, Vec<&str>)> {
        let mut place: BTreeMap<&str, usize> = BTreeMap::new();
        let mut named: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, text) in &self.texts {
            let at = *place.entry(name).or_insert_with(|| {
                named.push((name, Vec::new()));
                named.len() - 1
            });
            named[at].1.push(text);
        }
        named
    }

    pub fn first(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|(n, _)| n == name).map(|(_, text)| text.as_str())
    }

    /// Describes what was left out; `None` if nothing was.
    pub fn left_out(&self) -> Option<String> {
        let listed: Vec<&str> = self.left_out.iter().take(MAX_LISTED).map(String::as_str).collect();
        let more = if self.left_out.len() > MAX_LISTED { " and more" } else { "" };
        (!listed.is_empty()).then(|| format!("{}{more}", listed.join(", ")))
    }
}
