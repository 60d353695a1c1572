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

use super::contain::contain;
use super::error::Warning;
use super::riff_chunk::append_chunk;

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
    /// What the source says wrote it.
    software: Option<String>,
    /// What the master says wrote it.
    mark: Option<String>,
}

/// What a delivery needs of the tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagFacts {
    /// Title of the song.
    pub title: Option<String>,
    /// Who plays it.
    pub artist: Option<String>,
    /// Title of the album.
    pub album: Option<String>,
    /// International Standard Recording Code.
    pub isrc: Option<String>,
    /// There is a picture.
    pub has_cover: bool,
}

impl Tags {
    /// What a delivery needs of them.
    pub fn facts(&self) -> TagFacts {
        let Some(tag) = &self.tag else { return TagFacts::default() };
        let text =
            |key: ItemKey| tag.get_string(key).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        TagFacts {
            title: text(ItemKey::TrackTitle),
            artist: text(ItemKey::TrackArtist),
            album: text(ItemKey::AlbumTitle),
            isrc: text(ItemKey::Isrc),
            has_cover: tag.picture_count() > 0,
        }
    }

    /// Reads the tags and pictures of a file. Loudness tags and the like are left out: they are wrong for a master.
    pub fn read(path: &Path) -> Self {
        match contain(|| read(path)).unwrap_or_else(|| Err("they make no sense".to_owned())) {
            Ok((tag, software)) => Self { tag, software, ..Self::default() },
            Err(cause) => Self { warnings: vec![Warning::Tags { cause }], ..Self::default() },
        }
    }

    /// The program that wrote the file, if it says so.
    pub fn software(&self) -> Option<&str> {
        self.software.as_deref()
    }

    /// The same tags for a file that says what wrote it.
    pub fn marked(&self, mark: Option<String>) -> Self {
        Self { mark, ..self.clone() }
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
        let mut chunks = Vec::new();
        let mut marked = match (&self.tag, &self.mark) {
            (None, None) => return chunks,
            (tag, _) => tag.clone().unwrap_or_else(|| Tag::new(TagType::RiffInfo)),
        };
        if let Some(mark) = &self.mark {
            marked.insert_text(ItemKey::EncoderSoftware, mark.clone());
        }
        let info = RiffInfoList::from(marked);
        if let Err(e) = info.dump_to(&mut chunks, WriteOptions::default()) {
            warnings.push(Warning::Tags { cause: e.to_string() });
            chunks.clear();
        }
        let Some(tag) = &self.tag else { return chunks };
        let mut id3 = Vec::new();
        match id3v2(tag).dump_to(&mut id3, WriteOptions::default()) {
            Ok(()) => append_chunk(*b"id3 ", &id3, &mut chunks),
            Err(e) => warnings.push(Warning::Tags { cause: e.to_string() }),
        }
        chunks
    }

    /// The texts and pictures of a FLAC.
    pub(super) fn flac_blocks(&self, warnings: &mut Vec<Warning>) -> (Option<VorbisComment>, Vec<FlacPicture>) {
        let mut comments = self.tag.clone().map(VorbisComments::from).unwrap_or_default();
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
        block.fields.extend(self.mark.iter().map(|mark| format!("ENCODER={mark}")));
        (Some(block).filter(|b| !b.fields.is_empty()), pictures)
    }
}

/// The tags of a file in one, or in plain words why they cannot be read.
fn read(path: &Path) -> Result<(Option<Tag>, Option<String>), String> {
    let mut options = ParseOptions::new();
    options.read_properties(false);
    let file = File::open(path).map_err(|e| e.to_string())?;
    let probe = Probe::new(std::io::BufReader::new(file)).options(options);
    let probe = probe.guess_file_type().map_err(|e| e.to_string())?;
    if probe.file_type().is_none() {
        return Ok((None, None));
    }
    let file = probe.read().map_err(|e| e.to_string())?;
    let Some(mut tag) = file.primary_tag().or_else(|| file.first_tag()).cloned() else { return Ok((None, None)) };
    let first_type = tag.tag_type();
    for other in file.tags().iter().filter(|other| other.tag_type() != first_type) {
        add_missing(other, &mut tag);
    }
    let software = tag.get_string(ItemKey::EncoderSoftware).map(str::to_owned);
    tag.retain(|item| !is_stale_item(item.key()));
    let tag = (!tag.is_empty() || tag.has_format_specific_items()).then_some(tag);
    Ok((tag, software))
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

#[cfg(test)]
mod tests {
    use lofty::picture::{MimeType, PictureType};
    use lofty::tag::ItemValue;
    use lofty::tag::TagItem;

    use super::super::encode::Encoder;
    use super::super::output_spec::{Format, OutputSpec, SampleFormat};
    use super::super::testing::{on_grid, read_all};
    use super::*;

    /// A cover of 12 MB, as people do embed them.
    const COVER_BYTES: usize = 12_000_000;

    fn tags() -> Tags {
        let mut tag = Tag::new(TagType::VorbisComments);
        tag.insert_text(ItemKey::TrackTitle, "T\u{ef}tle \u{97f3}".to_owned());
        tag.insert_text(ItemKey::TrackArtist, "Artist".to_owned());
        tag.insert_text(ItemKey::Isrc, "USABC2400001".to_owned());
        tag.insert_text(ItemKey::ReplayGainTrackGain, "-3.2 dB".to_owned());
        let cover = Picture::unchecked(vec![0xff; COVER_BYTES]);
        tag.push_picture(cover.pic_type(PictureType::CoverFront).mime_type(MimeType::Jpeg).build());
        Tags { tag: Some(tag), ..Tags::default() }
    }

    fn write(path: &Path, format: Format, tags: &Tags) -> Vec<String> {
        let frames = on_grid(5_001, 24);
        let (channels, sample_format) = (1, SampleFormat::Int24);
        let spec = OutputSpec { sample_rate_hz: 44_100, channels, format, sample_format, frames: 5_001 };
        let mut encoder = Encoder::create(path, spec, false).expect("a file");
        encoder.write(&frames).expect("space");
        let warnings = encoder.finish(Some(tags)).expect("space");
        let (_, read, damage) = read_all(path).expect("readable");
        assert!(read.iter().map(|f| f[0]).eq(frames.iter().map(|f| f[0])) && damage.is_empty());
        warnings
    }

    #[test]
    fn text_and_cover_survive_from_format_to_format_and_loudness_tags_do_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let steps = [Format::Flac, Format::Wav, Format::Wav, Format::Flac, Format::Flac];
        let mut tags = tags();
        for (i, format) in steps.into_iter().enumerate() {
            let path = folder.path().join(i.to_string());
            assert_eq!(write(&path, format, &tags), Vec::<String>::new());
            tags = Tags::read(&path);
            assert_eq!(tags.warnings(), []);
            let tag = tags.tag.as_ref().expect("tags");
            assert_eq!(tag.get_string(ItemKey::TrackTitle), Some("T\u{ef}tle \u{97f3}"));
            assert_eq!(tag.get_string(ItemKey::TrackArtist), Some("Artist"));
            assert_eq!(tag.get_string(ItemKey::Isrc), Some("USABC2400001"));
            assert_eq!(tag.pictures()[0].data().len(), COVER_BYTES);
            assert_eq!(tag.pictures()[0].pic_type(), PictureType::CoverFront);
            let bytes = std::fs::read(&path).expect("the file");
            assert!(!bytes.windows(10).any(|w| w.eq_ignore_ascii_case(b"REPLAYGAIN")));
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_with_a_warning() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut tag = Tag::new(TagType::VorbisComments);
        tag.insert_text(ItemKey::TrackTitle, "Title".to_owned());
        tag.insert(TagItem::new(ItemKey::Lyrics, ItemValue::Text("la ".repeat(MAX_TEXT_BYTES))));
        tag.push_picture(Picture::unchecked(vec![0; 1 << 24]).mime_type(MimeType::Png).build());
        let tags = Tags { tag: Some(tag), ..Tags::default() };
        let path = folder.path().join("out.flac");
        assert_eq!(write(&path, Format::Flac, &tags).len(), 2);
        let read = Tags::read(&path).tag.expect("tags");
        assert_eq!((read.get_string(ItemKey::TrackTitle), read.picture_count()), (Some("Title"), 0));
    }

    #[test]
    fn a_file_without_tags_has_none_and_a_missing_file_is_a_warning() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.wav");
        write(&path, Format::Wav, &Tags::default());
        assert!(Tags::read(&path).is_empty());
        assert_eq!(Tags::read(&folder.path().join("missing")).warnings().len(), 1);
    }

    #[test]
    fn a_file_says_what_wrote_it_and_only_that() {
        let folder = tempfile::tempdir().expect("a folder");
        for (format, tags) in [(Format::Wav, Tags::default()), (Format::Flac, Tags::default()), (Format::Wav, tags())] {
            let place = |name: &str| folder.path().join(format!("{name}.{format:?}.{}", tags.is_empty()));
            write(&place("one"), format, &tags.marked(Some("program a".to_owned())));
            let read = Tags::read(&place("one"));
            assert_eq!((read.software(), read.is_empty()), (Some("program a"), tags.is_empty()), "{format:?}");
            write(&place("other"), format, &read.marked(Some("program b".to_owned())));
            assert_eq!(Tags::read(&place("other")).software(), Some("program b"));
        }
    }

    #[test]
    fn stale_names_are_known_in_any_spelling() {
        for name in ["replaygain_track_gain", "R128_ALBUM_GAIN", "----:com.apple.iTunes:iTunNORM", "Encoder"] {
            assert!(is_stale(name), "{name}");
        }
        assert!(!is_stale("TITLE") && !is_stale("GAIN"));
    }
}
