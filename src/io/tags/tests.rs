use std::path::{Path, PathBuf};

use clap::ValueEnum as _;

use super::super::encode::Encoder;
use super::super::testing::{boxed, chunk, encoded, on_grid, page, read_all, riff, wav_format};
use super::found::{MAX_PICTURE_BYTES, MAX_TEXT_BYTES};
use super::names::NAMES;
use super::*;
use crate::io::error::Warning;
use crate::io::output_spec::{Format, OutputSpec, SampleFormat};

/// Size of a cover of 16 MB, nearly the largest that is carried over.
const COVER_BYTES: usize = 16_000_000;

fn tags(texts: &[(&str, &str)], pictures: Vec<Picture>) -> Tags {
    let mut found = Found::default();
    pictures.into_iter().for_each(|picture| found.picture(picture));
    texts.iter().for_each(|(name, text)| found.text(name, text));
    Tags { found, ..Tags::default() }
}

fn cover(bytes: usize) -> Picture {
    Picture { kind: 3, media_type: "image/jpeg".to_owned(), description: "front".to_owned(), data: vec![0xff; bytes] }
}

fn write(path: &Path, format: Format, tags: &Tags) -> Vec<Warning> {
    let frames = on_grid(5_001, 24);
    let (channels, sample_format) = (1, SampleFormat::Int24);
    let (sample_rate_hz, bitrate_kbps) = (if format == Format::Opus { 48_000 } else { 44_100 }, None);
    let spec = OutputSpec { sample_rate_hz, channels, format, sample_format, bitrate_kbps, frames: 5_001 };
    let mut encoder = Encoder::create(path, spec, true).expect("a file");
    encoder.write(&frames).expect("space");
    let warnings = encoder.finish(Some(tags)).expect("space");
    let (_, read, damage) = read_all(path).expect("readable");
    assert!(read.len() == frames.len() && damage.is_empty());
    assert!(format.codec().is_some() || read.iter().map(|f| f[0]).eq(frames.iter().map(|f| f[0])));
    warnings
}

/// Reads the tags of a file with these bytes.
fn read_bytes(bytes: &[u8]) -> Tags {
    Tags::read(super::super::testing::file(bytes).path())
}

fn left_out(tags: &Tags) -> String {
    tags.warnings().iter().map(ToString::to_string).collect()
}

fn syncsafe(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f)
}

/// Creates an ID3v2 tag with these frames: name, flags, content.
fn id3(version: u8, frames: &[(&str, u8, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (id, flags, content) in frames {
        let size = content.len() as u32;
        body.extend(id.as_bytes());
        match version {
            2 => body.extend(&size.to_be_bytes()[1..]),
            3 => body.extend([&size.to_be_bytes()[..], &[0, *flags]].concat()),
            _ => body.extend([&syncsafe(content.len())[..], &[0, *flags]].concat()),
        }
        body.extend(content);
    }
    [&[b'I', b'D', b'3', version, 0, 0][..], &syncsafe(body.len()), &body].concat()
}

/// Creates the 128 bytes of an ID3v1 tag.
fn id3v1(title: &str) -> Vec<u8> {
    let mut tag = vec![0; 128];
    tag[..3].copy_from_slice(b"TAG");
    tag[3..3 + title.len()].copy_from_slice(title.as_bytes());
    tag[127] = 255;
    tag
}

fn ape(items: &[(&str, &str)]) -> Vec<u8> {
    let body: Vec<u8> = items
        .iter()
        .flat_map(|(key, text)| {
            [&(text.len() as u32).to_le_bytes()[..], &[0; 4], key.as_bytes(), b"\0", text.as_bytes()].concat()
        })
        .collect();
    let mut footer = b"APETAGEX\xd0\x07\0\0".to_vec();
    footer.extend((body.len() as u32 + 32).to_le_bytes());
    footer.extend((items.len() as u32).to_le_bytes());
    footer.extend([0; 12]);
    [body, footer].concat()
}

/// Returns one text for every name, several for some, and some with unknown names.
fn everything() -> Vec<(String, String)> {
    let known = NAMES.iter().map(|name| (name.name.to_owned(), format!("{} \u{97f3}", name.name.to_lowercase())));
    let further = [
        ("TRACKNUMBER", "3"),
        ("TRACKTOTAL", "12"),
        ("DISCNUMBER", "1"),
        ("DISCTOTAL", "2"),
        ("ARTIST", "another artist"),
        ("GENRE", "Dub"),
        ("MYTAG", "mine"),
        ("MYTAG", "mine as well"),
        ("COMMENT:mixed by", "somebody"),
        ("MUSICBRAINZ_TRACKID", "5bd0f1a7"),
        ("LYRICS", "la\nla la"),
    ];
    let is_number = |name: &str| name == "TRACKNUMBER" || name == "DISCNUMBER" || name == "LYRICS";
    known.filter(|(name, _)| !is_number(name)).chain(further.map(|(n, t)| (n.to_owned(), t.to_owned()))).collect()
}

/// Returns a sequence of formats in which every format follows every other one and itself.
fn all_pairs() -> Vec<Format> {
    use Format::{Flac, Mp3, Opus, Wav};
    vec![Wav, Wav, Flac, Wav, Mp3, Wav, Opus, Flac, Flac, Mp3, Flac, Opus, Mp3, Mp3, Opus, Opus, Wav]
}

#[test]
fn each_format_follows_each() {
    let row = all_pairs();
    let all = || Format::value_variants().iter();
    let is_there = |one: &Format, other: &Format| row.windows(2).any(|pair| pair == [*one, *other]);
    assert!(all().all(|one| all().all(|other| is_there(one, other))), "{row:?}");
}

#[test]
fn every_text_and_cover_survives_from_format_to_format_and_loudness_tags_do_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut texts = everything();
    texts.push(("REPLAYGAIN_TRACK_GAIN".to_owned(), "-3.2 dB".to_owned()));
    let texts: Vec<(&str, &str)> = texts.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let mut now = tags(&texts, vec![cover(COVER_BYTES)]);
    let sorted = |tags: &Tags| {
        let mut texts = tags.found.texts.clone();
        texts.sort();
        texts
    };
    let before = sorted(&now);
    assert_eq!(before.len(), texts.len() - 1);
    for (i, format) in all_pairs().into_iter().enumerate() {
        let path = folder.path().join(i.to_string());
        assert_eq!(write(&path, format, &now), vec![]);
        now = Tags::read(&path);
        assert_eq!(now.warnings(), []);
        assert_eq!(sorted(&now), before, "{format:?}");
        assert_eq!(now.found.pictures, [cover(COVER_BYTES)]);
        let bytes = std::fs::read(&path).expect("the file");
        assert!(!bytes.windows(10).any(|w| w.eq_ignore_ascii_case(b"REPLAYGAIN")));
    }
}

#[test]
fn the_same_tags_give_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    let texts = everything();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    write(&place("source"), Format::Flac, &tags(&texts, vec![cover(100)]));
    for &format in Format::value_variants() {
        let all: Vec<Vec<u8>> = (0..4)
            .map(|_| {
                write(&place("out"), format, &Tags::read(&place("source")).with_software(Some("program".to_owned())));
                std::fs::read(place("out")).expect("the file")
            })
            .collect();
        assert!(all.iter().all(|bytes| *bytes == all[0]), "{format:?}");
    }
}

#[test]
fn a_master_says_what_wrote_it_whatever_tags_its_source_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let sound = encoded(Format::Wav, SampleFormat::Int16, &on_grid(1_000, 16));
    let text_frame = |id, text: &str| (id, 0, [b"\x03", text.as_bytes()].concat());
    let sources = [
        sound.clone(),
        [&sound[..], &id3v1("title")].concat(),
        [&sound[..], &ape(&[("Title", "title"), ("Encoder", "another")])].concat(),
        [&sound[..], &ape(&[("Title", "title")]), &id3v1("title")].concat(),
        [&id3(4, &[text_frame("TIT2", "title"), text_frame("TSSE", "another")])[..], &sound].concat(),
        encoded(Format::Flac, SampleFormat::Int16, &on_grid(1_000, 16)),
    ];
    for (i, source) in sources.iter().enumerate() {
        for &format in Format::value_variants() {
            let path = folder.path().join(format!("{i}.{format:?}"));
            let source = read_bytes(source);
            let has_title = source.found.first("TITLE").is_some();
            assert_eq!(has_title, !matches!(i, 0 | 5), "{i}");
            assert_eq!(write(&path, format, &source.with_software(Some("program b".to_owned()))), vec![]);
            let read = Tags::read(&path);
            assert_eq!((read.software(), read.is_empty()), (Some("program b"), !has_title), "{i} {format:?}");
        }
    }
}

#[test]
fn every_version_of_id3_is_read() {
    let utf16 = |text: &str| {
        let units = std::iter::once(0xfeff_u16).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    let v2 = id3(
        2,
        &[
            ("TT2", 0, b"\0T\xeftle".to_vec()),
            ("ULT", 0, b"\0eng\0la".to_vec()),
            ("PIC", 0, b"\0PNG\x03\0data".to_vec()),
        ],
    );
    let v3 = id3(
        3,
        &[
            ("TIT2", 0, [b"\x01".to_vec(), utf16("T\u{ef}tle")].concat()),
            ("TYER", 0, b"\x002026".to_vec()),
            ("TDAT", 0, b"\x003112".to_vec()),
            ("TCON", 0, b"\0(17)".to_vec()),
            ("TRCK", 0, b"\x003/12".to_vec()),
            ("COMM", 0, [b"\x01eng".to_vec(), utf16(""), vec![0, 0], utf16("hm")].concat()),
            ("TXXX", 0, b"\0My Tag\0mine".to_vec()),
            ("PRIV", 0, b"owner\0data".to_vec()),
            ("APIC", 0, b"\0image/png\0\x04\0data".to_vec()),
        ],
    );
    let v4 =
        id3(4, &[("TPE1", 0, b"\x03one\0two".to_vec()), ("APIC", 2, b"\x03image/jpeg\0\x03\0\xff\0\xe0".to_vec())]);
    let [v2, v3, v4] = [v2, v3, v4].map(|bytes| read_bytes(&bytes));
    assert_eq!((v2.found.first("TITLE"), v2.found.first("LYRICS")), (Some("T\u{ef}tle"), Some("la")));
    assert_eq!((v2.found.pictures[0].kind, &v2.found.pictures[0].data[..]), (3, &b"data"[..]));
    let texts = [("TITLE", "T\u{ef}tle"), ("DATE", "2026-12-31"), ("GENRE", "Rock"), ("TRACKNUMBER", "3")];
    let more = [("TRACKTOTAL", "12"), ("COMMENT", "hm"), ("MY TAG", "mine")];
    for (name, text) in texts.into_iter().chain(more) {
        assert_eq!(v3.found.first(name), Some(text), "{name}");
    }
    assert_eq!((v3.found.texts.len(), v3.found.pictures[0].kind), (7, 4));
    assert!(left_out(&v3).contains("ID3 frame PRIV"));
    assert_eq!(v4.found.by_name(), [("ARTIST", vec!["one", "two"])]);
    assert_eq!(v4.found.pictures[0].data, [0xff, 0xe0]);
}

#[test]
fn a_tag_that_was_unsynchronised_as_a_whole_is_read() {
    let mut tag = id3(3, &[("TIT2", 0, b"\0\xff\0\xe0".to_vec())]);
    tag[5] = 0x80;
    // The size of a frame counts its unpacked content.
    tag[17] = 3;
    assert_eq!(read_bytes(&tag).found.first("TITLE"), Some("\u{ff}\u{e0}"));
}

#[test]
fn what_a_tag_claims_is_bounded_and_named() {
    let compressed = id3(4, &[("APIC", 8, vec![0; 1000]), ("TIT2", 0, b"\x03title".to_vec())]);
    let read = read_bytes(&compressed);
    assert_eq!(read.found.first("TITLE"), Some("title"));
    assert!(left_out(&read).contains("compressed or encrypted frame (APIC)"), "{}", left_out(&read));
    let frames: Vec<_> = (0..500_000).map(|n| ("TXXX", 0, format!("\u{3}{n}\0x").into_bytes())).collect();
    let read = read_bytes(&id3(3, &frames));
    assert!(read.found.texts.len() <= 4096 && left_out(&read).contains("too many frames"), "{}", left_out(&read));
    let empty = id3(4, &[]).repeat(3_000_000);
    assert!(read_bytes(&empty).is_empty());
    let long = "la ".repeat(MAX_TEXT_BYTES);
    let read = read_bytes(&id3(3, &[("TIT2", 0, format!("\u{3}{long}").into_bytes())]));
    assert!(read.is_empty() && left_out(&read).contains("TIT2"), "{}", left_out(&read));
}

#[test]
fn a_tag_that_repeats_itself_is_not_read_to_its_end() {
    let again = "again\0".repeat(100_000);
    let many: String = (0..100_000).map(|n| format!("{}\0", n % 5_000)).collect();
    for texts in [again, many] {
        let read = read_bytes(&ape(&[("Mood", &texts), ("Key", &texts)]));
        let kept = read.found.texts.len();
        assert!((1..=4096).contains(&kept) && left_out(&read).contains("more texts than any song has"), "{kept}");
    }
}

#[test]
fn a_tag_within_a_chunk_ends_with_the_chunk() {
    // A frame that is also a chunk of the same size in either byte order.
    let size = [0, 1, 1, 0];
    let frame = [b"TIT2", &size[..], &[0, 0, 3], &vec![b'x'; 0x01_0100]].concat();
    for flags in [0, 0x80] {
        let head = [&[b'I', b'D', b'3', 3, 0, flags][..], &syncsafe(0x02_0000)].concat();
        let sound = chunk(b"data", &[0; 4]);
        let format = chunk(b"fmt ", &wav_format(1, 1, 44_100, 16));
        let file = riff(&[format, sound, chunk(b"id3 ", &head), frame.clone()]);
        assert!(read_bytes(&file).is_empty(), "{flags}");
        // Outside of a chunk, the same bytes are a tag.
        assert!(read_bytes(&[head, frame.clone()].concat()).found.first("TITLE").is_some(), "{flags}");
    }
}

#[test]
fn a_cover_that_is_too_large_costs_no_text() {
    let item = |name: &[u8; 4], kind: u8, value: &[u8]| {
        boxed(name, &boxed(b"data", &[&[0, 0, 0, kind, 0, 0, 0, 0], value].concat()))
    };
    let own = boxed(
        b"----",
        &[
            boxed(b"mean", b"\0\0\0\0com.apple.iTunes"),
            boxed(b"name", b"\0\0\0\0ISRC"),
            boxed(b"data", b"\0\0\0\x01\0\0\0\0DEA123456789"),
        ]
        .concat(),
    );
    let items = [
        item(b"covr", 13, &vec![0; 20_000_000]),
        item(b"\xa9nam", 1, b"title"),
        item(b"\xa9lyr", 1, b"la"),
        item(b"trkn", 0, &[0, 0, 0, 3, 0, 12, 0, 0]),
        item(b"tmpo", 21, &[0, 120]),
        own,
    ];
    let meta = boxed(b"meta", &[&[0; 4][..], &boxed(b"hdlr", &[0; 25]), &boxed(b"ilst", &items.concat())].concat());
    let file = [boxed(b"ftyp", b"M4A \0\0\0\0"), boxed(b"moov", &boxed(b"udta", &meta))].concat();
    let read = read_bytes(&file);
    let texts = [
        ("TITLE", "title"),
        ("LYRICS", "la"),
        ("TRACKNUMBER", "3"),
        ("TRACKTOTAL", "12"),
        ("BPM", "120"),
        ("ISRC", "DEA123456789"),
    ];
    assert_eq!(read.found.texts, texts.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert!(read.found.pictures.is_empty() && left_out(&read).contains("a picture of 20 MB"), "{}", left_out(&read));
}

#[test]
fn pictures_together_are_no_larger_than_one_may_be() {
    let mut found = Found::default();
    for kind in 3..6 {
        found.picture(Picture { kind, data: vec![kind; MAX_PICTURE_BYTES / 2], ..cover(0) });
    }
    assert_eq!((found.pictures.len(), found.left_out().is_some()), (2, true));
}

#[test]
fn chunks_that_are_not_carried_over_are_named() {
    let info = [b"INFO".to_vec(), chunk(b"INAM", b"T\xeftle\0"), chunk(b"IENG", b"engineer\0")].concat();
    let file = riff(&[
        chunk(b"bext", &[0; 602]),
        chunk(b"fmt ", &wav_format(1, 1, 44_100, 16)),
        chunk(b"data", &[0; 400]),
        chunk(b"cue ", &[0; 28]),
        chunk(b"LIST", &info),
        chunk(b"iXML", b"<BWFXML/>"),
    ]);
    let read = read_bytes(&file);
    assert_eq!(read.found.by_name(), [("TITLE", vec!["T\u{ef}tle"]), ("ENGINEER", vec!["engineer"])]);
    for what in ["bext", "markers", "iXML"] {
        assert!(left_out(&read).contains(what), "{what}: {}", left_out(&read));
    }
}

#[test]
fn comments_of_ogg_and_matroska_are_read() {
    let fields = [
        b"TITLE=title".to_vec(),
        b"lyrics=la".to_vec(),
        b"METADATA_BLOCK_PICTURE=AAAAAwAAAAlpbWFnZS9wbmcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAARkYXRh".to_vec(),
    ];
    let mut comments = 0_u32.to_le_bytes().to_vec();
    comments.extend((fields.len() as u32).to_le_bytes());
    fields.iter().for_each(|field| comments.extend([&(field.len() as u32).to_le_bytes()[..], field].concat()));
    let head = [&b"OpusHead\x01\x02"[..], &[0; 9]].concat();
    let ogg = [page(1, 0, 2, 0, &head), page(1, 1, 0, 0, &[b"OpusTags".to_vec(), comments].concat())].concat();
    let read = read_bytes(&ogg);
    assert_eq!(read.found.by_name(), [("TITLE", vec!["title"]), ("LYRICS", vec!["la"])]);
    assert_eq!((&read.found.pictures[0].media_type[..], &read.found.pictures[0].data[..]), ("image/png", &b"data"[..]));
    let element = |id: &[u8], body: &[u8]| {
        [
            id,
            &[0x10 | (body.len() >> 24) as u8, (body.len() >> 16) as u8, (body.len() >> 8) as u8, body.len() as u8],
            body,
        ]
        .concat()
    };
    let simple = element(&[0x67, 0xc8], &[element(&[0x45, 0xa3], b"TITLE"), element(&[0x44, 0x87], b"title")].concat());
    let tag = element(&[0x12, 0x54, 0xc3, 0x67], &element(&[0x73, 0x73], &simple));
    let mkv = [element(&[0x1a, 0x45, 0xdf, 0xa3], b""), element(&[0x18, 0x53, 0x80, 0x67], &tag)].concat();
    assert_eq!(read_bytes(&mkv).found.first("TITLE"), Some("title"));
}

#[test]
fn a_file_without_tags_has_none_and_a_missing_file_is_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().join("out.wav");
    write(&path, Format::Wav, &Tags::default());
    assert!(Tags::read(&path).is_empty());
    assert_eq!(Tags::read(&folder.path().join("missing")).warnings().len(), 1);
}

#[test]
fn no_prefix_of_a_tag_is_a_panic() {
    let whole = id3(3, &[("TIT2", 0, b"\x01\xff\xfeT\0".to_vec()), ("APIC", 0, b"\0image/png\0\x04\0data".to_vec())]);
    for length in 0..whole.len() {
        let _ = read_bytes(&whole[..length]);
    }
}
