//! Title, artist, cover and other tags: read from the source, written with the master. A failure here is a warning,
//! never an error.
//!
//! Tags of every format are read into one list of texts under the names of Vorbis comments, so that all of them can be
//! written to every format. A text for which a format has no field of its own is written with its name as a custom
//! field. What a tag claims is limited (`found`), and what cannot be carried over is reported.

mod ape;
mod caf;
mod found;
mod genres;
mod id3;
mod matroska;
mod mp4;
mod names;
mod riff;
#[cfg(test)]
mod tests;
mod vorbis;

use std::path::Path;

use flac_codec::metadata::{Picture as FlacPicture, PictureType as FlacPictureType, VorbisComment};

use self::found::{Found, Picture};
use self::names::{DISC, SOFTWARE, TRACK};
use super::bytes::{FileBytes, ReadAt as _};
use super::catch_panic::catch_panic;
use super::error::Warning;
use super::regular::open_regular;

/// Most frames, items or chunks that are read: far more than any tag has.
const MAX_ENTRIES: usize = 10_000;

/// Information about a song from its tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagFacts {
    /// Title of the song.
    pub title: Option<String>,
    /// Artist of the song.
    pub artist: Option<String>,
    /// Title of the album.
    pub album: Option<String>,
    /// Artist of the album; one name even if its songs are by several artists.
    pub album_artist: Option<String>,
    /// International Standard Recording Code of the song.
    pub isrc: Option<String>,
    /// Track number on its disc, from 1.
    pub track: Option<u32>,
    /// Disc number, from 1.
    pub disc: Option<u32>,
    /// True if there is a picture.
    pub has_cover: bool,
}

/// The tags of a file, without those that would be wrong for its master.
#[derive(Clone, Default)]
pub struct Tags {
    found: Found,
    warnings: Vec<Warning>,
    /// Name of the program to write into the master.
    software_to_write: Option<String>,
}

impl Tags {
    /// Reads the tags and pictures of a file. Tags about loudness and the like are left out, as they would be wrong
    /// for a master.
    pub fn read(path: &Path) -> Self {
        match catch_panic(|| read(path)).unwrap_or_else(|| Err("they make no sense".to_owned())) {
            Ok(found) => {
                let left_out = found.left_out().map(|what| Warning::TagsLeftOut { what });
                Self { found, warnings: left_out.into_iter().collect(), software_to_write: None }
            }
            Err(cause) => Self { warnings: vec![Warning::Tags { cause }], ..Self::default() },
        }
    }

    /// Returns the program that wrote the file, if the tags name it.
    pub fn software(&self) -> Option<&str> {
        self.found.software.as_deref()
    }

    /// Returns the same tags, with the program that writes the file.
    pub fn with_software(self, software: Option<String>) -> Self {
        Self { software_to_write: software, ..self }
    }

    /// True if there is nothing to carry over.
    pub fn is_empty(&self) -> bool {
        self.found.texts.is_empty() && self.found.pictures.is_empty()
    }

    /// Returns the first text of this name, which is in upper case as in Vorbis comments.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.found.first(name)
    }

    /// Returns the information about the song.
    pub fn facts(&self) -> TagFacts {
        let text = |name| self.text(name).map(str::to_owned);
        let number = |name| self.text(name)?.split('/').next()?.trim().parse().ok();
        TagFacts {
            title: text("TITLE"),
            artist: text("ARTIST"),
            album: text("ALBUM"),
            album_artist: text("ALBUMARTIST"),
            isrc: text("ISRC"),
            track: number(TRACK),
            disc: number(DISC),
            has_cover: !self.found.pictures.is_empty(),
        }
    }

    /// Returns warnings about tags that could not be read or cannot be carried over.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Returns the chunks that follow the sound of a WAV: a RIFF INFO list and an ID3v2 tag.
    pub(super) fn riff_chunks(&self) -> Vec<u8> {
        let mut chunks = riff::info_list(&self.found, self.software_to_write.as_deref());
        if !self.is_empty() {
            id3::append_chunk(&self.found, &mut chunks);
        }
        chunks
    }

    /// Returns the ID3v2 tag of an MP3; empty if there are neither tags nor a program to name.
    pub(super) fn id3_tag(&self) -> Vec<u8> {
        let mut tag = Vec::new();
        if !self.is_empty() || self.software_to_write.is_some() {
            id3::append_tag(&self.found, self.software_to_write.as_deref(), &mut tag);
        }
        tag
    }

    /// Returns the comments of an Ogg, including pictures.
    pub(super) fn ogg_comments(&self) -> Vec<String> {
        let pictures = self.found.pictures.iter().map(vorbis::picture_field);
        self.fields().into_iter().chain(pictures).collect()
    }

    /// Returns the texts in the form `NAME=text`.
    fn fields(&self) -> Vec<String> {
        let texts = self.found.texts.iter().map(|(name, text)| format!("{}={text}", vorbis::field_name(name)));
        texts.chain(self.software_to_write.iter().map(|software| format!("{SOFTWARE}={software}"))).collect()
    }

    /// Returns the texts and pictures of a FLAC.
    pub(super) fn flac_blocks(&self) -> (Option<VorbisComment>, Vec<FlacPicture>) {
        let mut block = VorbisComment::default();
        block.fields.extend(self.fields());
        let pictures = self.found.pictures.iter().map(flac_picture).collect();
        (Some(block).filter(|block| !block.fields.is_empty()), pictures)
    }
}

/// Reads all tags of a file, or returns the reason why they cannot be read.
fn read(path: &Path) -> Result<Found, String> {
    let file = open_regular(path).map_err(|e| e.to_string())?;
    let mut file = FileBytes::new(file).map_err(|e| e.to_string())?;
    let mut found = Found::default();
    let sound = id3::read_leading(&mut file, &mut found);
    let head: [u8; 12] = file.array(sound).unwrap_or_default();
    match &head {
        [b'R', b'I', b'F', b'F', ..] | [b'R', b'F', b'6', b'4', ..] | [b'B', b'W', b'6', b'4', ..] => {
            found.add(riff::read_wave(&mut file, sound));
        }
        [b'F', b'O', b'R', b'M', ..] => found.add(riff::read_aiff(&mut file, sound)),
        [b'f', b'L', b'a', b'C', ..] => {
            let mut comments = vorbis::read_flac(&mut file, sound);
            comments.add(found);
            found = comments;
        }
        [b'O', b'g', b'g', b'S', ..] => found.add(vorbis::read_ogg(&mut file, sound)),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => found.add(mp4::read(&mut file)),
        [b'c', b'a', b'f', b'f', ..] => found.add(caf::read(&mut file)),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => found.add(matroska::read(&mut file)),
        _ => {}
    }
    found.add(ape::read(&mut file));
    found.add(id3::read_v1(&mut file));
    Ok(found)
}

fn flac_picture(picture: &Picture) -> FlacPicture {
    FlacPicture {
        picture_type: flac_picture_type(picture.kind),
        media_type: picture.media_type.clone(),
        description: picture.description.clone(),
        width: 0,
        height: 0,
        color_depth: 0,
        colors_used: None,
        data: picture.data.clone(),
    }
}

/// Picture types have the same numbers in ID3v2 and FLAC.
fn flac_picture_type(number: u8) -> FlacPictureType {
    use FlacPictureType as T;
    const TYPES: [FlacPictureType; 21] = [
        T::Other,
        T::Png32x32,
        T::GeneralFileIcon,
        T::FrontCover,
        T::BackCover,
        T::LinerNotes,
        T::MediaLabel,
        T::LeadArtist,
        T::Artist,
        T::Conductor,
        T::Band,
        T::Composer,
        T::Lyricist,
        T::RecordingLocation,
        T::DuringRecording,
        T::DuringPerformance,
        T::ScreenCapture,
        T::Fish,
        T::Illustration,
        T::BandLogo,
        T::PublisherLogo,
    ];
    TYPES.get(usize::from(number)).copied().unwrap_or(T::Other)
}
