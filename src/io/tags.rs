//! Title, artist, cover: read from the source, written with the master. A failure here is a warning, never an error.

use std::fs::File;
use std::path::Path;

use flac_codec::metadata::{Picture as FlacPicture, PictureType as FlacPictureType, VorbisComment};
use lofty::config::{ParseOptions, WriteOptions};
use lofty::file::TaggedFileExt;
use lofty::id3::v2::{Frame as Id3v2Frame, Id3v2Tag};
use lofty::iff::wav::RiffInfoList;
use lofty::ogg::OggPictureStorage;
use lofty::ogg::tag::VorbisComments;
use lofty::picture::{Picture, PictureInformation};
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag, TagExt, TagType};

use super::error::Warning;
use super::wav::append_chunk;

/// The largest block of metadata in FLAC (RFC 9639, section 8.1), less what a picture needs besides its data.
const MAX_FLAC_PICTURE_BYTES: usize = (1 << 24) - 4096;

/// A FLAC holds one block of text, of less than 16 MiB; no single text needs more than this.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// Frames of ID3v2 that describe the loudness, the length or the encoder of the source.
const STALE_FRAMES: &[&str] =
    &["RVA2", "RVAD", "RGAD", "EQU2", "EQUA", "TLEN", "TSIZ", "TSSE", "MLLT", "SEEK", "ASPI", "AENC"];

/// Names of texts that describe the loudness, the length or the encoder of the source, or how they start.
const STALE_NAMES: &[&str] =
    &["REPLAYGAIN_", "R128_", "MP3GAIN_", "ITUNNORM", "ITUNSMPB", "ENCODER", "ENCODING", "LENGTH", "SQAM_"];

/// The tags of a file, without what would be wrong for its master.
#[derive(Clone, Default)]
pub struct Tags {
    tag: Option<Tag>,
    warnings: Vec<Warning>,
}

impl Tags {
    /// Reads the tags and pictures of a file. Loudness tags and the like are left out: they are wrong for a master.
    pub fn read(path: &Path) -> Self {
        match read(path) {
            Ok(tag) => Self { tag, warnings: Vec::new() },
            Err(cause) => Self { tag: None, warnings: vec![Warning::Tags { cause }] },
        }
    }

    /// Whether there is nothing to carry over.
    pub fn is_empty(&self) -> bool {
        self.tag.is_none()
    }

    /// What could not be read.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The chunks that follow the sound of a WAV: a RIFF INFO list and an ID3v2 tag.
    pub(super) fn riff_chunks(&self, warnings: &mut Vec<Warning>) -> Vec<u8> {
        let Some(tag) = &self.tag else { return Vec::new() };
        let mut chunks = Vec::new();
        let info = RiffInfoList::from(tag.clone());
        if let Err(e) = info.dump_to(&mut chunks, WriteOptions::default()) {
            warnings.push(Warning::Tags { cause: e.to_string() });
            chunks.clear();
        }
        let mut id3 = Vec::new();
        match id3v2(tag).dump_to(&mut id3, WriteOptions::default()) {
            Ok(()) => append_chunk(*b"id3 ", &id3, &mut chunks),
            Err(e) => warnings.push(Warning::Tags { cause: e.to_string() }),
        }
        chunks
    }

    /// The texts and pictures of a FLAC.
    pub(super) fn flac_blocks(&self, warnings: &mut Vec<Warning>) -> (Option<VorbisComment>, Vec<FlacPicture>) {
        let Some(tag) = &self.tag else { return (None, Vec::new()) };
        let mut comments = VorbisComments::from(tag.clone());
        let mut pictures = Vec::new();
        for (picture, information) in comments.remove_pictures() {
            match flac_picture(picture, information, &pictures) {
                Ok(picture) => pictures.push(picture),
                Err(cause) => warnings.push(Warning::Tags { cause }),
            }
        }
        let mut block = VorbisComment::default();
        for (name, text) in comments.items().filter(|(name, _)| !is_stale(name)) {
            if text.len() > MAX_TEXT_BYTES {
                warnings.push(Warning::Tags { cause: format!("{name} is too long") });
            } else {
                block.fields.push(format!("{name}={text}"));
            }
        }
        (Some(block).filter(|b| !b.fields.is_empty()), pictures)
    }
}

/// The tags of a file in one, or in plain words why they cannot be read.
fn read(path: &Path) -> Result<Option<Tag>, String> {
    let mut options = ParseOptions::new();
    options.read_properties(false);
    let file = File::open(path).map_err(|e| e.to_string())?;
    let probe = Probe::new(std::io::BufReader::new(file)).options(options);
    let probe = probe.guess_file_type().map_err(|e| e.to_string())?;
    if probe.file_type().is_none() {
        return Ok(None);
    }
    let file = probe.read().map_err(|e| e.to_string())?;
    let Some(mut tag) = file.primary_tag().or_else(|| file.first_tag()).cloned() else { return Ok(None) };
    let first_type = tag.tag_type();
    for other in file.tags().iter().filter(|other| other.tag_type() != first_type) {
        add_missing(other, &mut tag);
    }
    tag.retain(|item| !is_stale_item(item.key()));
    Ok((!tag.is_empty() || tag.has_format_specific_items()).then_some(tag))
}

/// Adds what another tag of the file says and the first does not.
fn add_missing(other: &Tag, tag: &mut Tag) {
    let new: Vec<_> = other.items().filter(|item| tag.get(item.key()).is_none()).cloned().collect();
    for item in new {
        tag.push(item);
    }
    if tag.picture_count() == 0 {
        other.pictures().iter().cloned().for_each(|picture| tag.push_picture(picture));
    }
}

fn is_stale_item(key: ItemKey) -> bool {
    let is_known = matches!(key, ItemKey::Length | ItemKey::EncoderSoftware | ItemKey::EncoderSettings);
    is_known || key.map_key(TagType::VorbisComments).is_some_and(is_stale)
}

/// Whether a text of this name would be wrong for the master.
fn is_stale(name: &str) -> bool {
    let name = name.rsplit(':').next().unwrap_or(name).to_ascii_uppercase();
    STALE_NAMES.iter().any(|start| name.starts_with(start))
}

fn id3v2(tag: &Tag) -> Id3v2Tag {
    let mut kept = Id3v2Tag::new();
    for frame in Id3v2Tag::from(tag.clone()) {
        let is_stale_text = match &frame {
            Id3v2Frame::UserText(text) => is_stale(&text.description),
            Id3v2Frame::Comment(comment) => is_stale(&comment.description),
            _ => false,
        };
        if !is_stale_text && !STALE_FRAMES.contains(&frame.id_str()) {
            kept.insert(frame);
        }
    }
    kept
}

fn flac_picture(
    picture: Picture,
    information: PictureInformation,
    before: &[FlacPicture],
) -> Result<FlacPicture, String> {
    if picture.data().len() > MAX_FLAC_PICTURE_BYTES {
        return Err("a picture is larger than FLAC can hold".to_owned());
    }
    let picture_type = flac_picture_type(picture.pic_type().as_u8());
    let is_icon = matches!(picture_type, FlacPictureType::Png32x32 | FlacPictureType::GeneralFileIcon);
    if is_icon && before.iter().any(|b| b.picture_type == picture_type) {
        return Err("a second icon was left out".to_owned());
    }
    Ok(FlacPicture {
        picture_type,
        media_type: picture.mime_type().map(ToString::to_string).unwrap_or_default(),
        description: picture.description().unwrap_or_default().to_owned(),
        width: information.width,
        height: information.height,
        color_depth: information.color_depth,
        colors_used: std::num::NonZero::new(information.num_colors),
        data: picture.into_data(),
    })
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
