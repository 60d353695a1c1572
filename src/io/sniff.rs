//! Recognises the format of a file by its first bytes. File names are ignored, except that an MP3 may start with
//! garbage.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::window::Window;
use super::{matroska, mp4};

/// Format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// WAV, RF64 or BW64.
    Riff,
    Aiff,
    Flac,
    Ogg,
    /// MP4, M4A, MOV.
    IsoMp4,
    Caf,
    Matroska,
    /// MPEG audio layers I to III.
    Mpeg,
    /// AAC in an ADTS stream.
    Adts,
    /// Audio without a decoder here.
    Unsupported(&'static str),
    /// Not audio; holds a description.
    NotAudio(&'static str),
}

/// Number of bytes examined.
const HEAD_BYTES: usize = 64;

/// Audio formats that are recognised only to be named in the error.
const UNSUPPORTED: &[(&[u8], &str)] = &[
    (b"wvpk", "WavPack"),
    (b"TTA1", "True Audio"),
    (b"TTA2", "True Audio"),
    (b"MAC ", "Monkey's Audio"),
    (b"MPCK", "Musepack"),
    (b"MP+", "Musepack"),
    (b"OFR ", "OptimFROG"),
    (b"tBaK", "TAK"),
    (b"DSD ", "DSD"),
    (b"FRM8", "DSD"),
    (b".snd", "Sun AU"),
    (b"riff\x2e\x91\xcf\x11", "Sony Wave64"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media"),
    (b"\x0b\x77", "Dolby Digital"),
    (b"\x7f\xfe\x80\x01", "DTS"),
    (b"#!AMR", "AMR"),
    (b".RMF", "RealMedia"),
    (b"RIFX", "big-endian WAV"),
];

/// Other kinds of files that are often given by mistake.
const NOT_AUDIO: &[(&[u8], &str)] = &[
    (b"\x89PNG", "this is a picture"),
    (b"\xff\xd8\xff", "this is a picture"),
    (b"GIF8", "this is a picture"),
    (b"%PDF", "this is a document"),
    (b"PK\x03\x04", "this is an archive"),
    (b"Rar!", "this is an archive"),
    (b"7z\xbc\xaf", "this is an archive"),
    (b"\x1f\x8b", "this is an archive"),
    (b"\x7fELF", "this is a program"),
    (b"MZ", "this is a program"),
    (b"<!DOCTYPE", "this is a web page"),
    (b"<html", "this is a web page"),
    (b"MThd", "this is MIDI, which has notes and no sound"),
    (b"BM", "this is a picture"),
    (b"II*\0", "this is a picture"),
    (b"MM\0*", "this is a picture"),
    (b"8BPS", "this is a picture"),
    (b"\0\0\x01\xba", "this is a video"),
    (b"\0\0\x01\xb3", "this is a video"),
    (b"FLV\x01", "this is a video"),
];

/// Brands of MP4 for pictures: HEIF, AVIF, JPEG XL, and camera raw files.
const PICTURE_BRANDS: &[&[u8]] =
    &[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis", b"crx ", b"jxl "];

/// Ogg streams by their first bytes; `None` is sound that can be decoded.
const OGG_STREAMS: &[(&[u8], Option<&str>)] = &[
    (b"\x01vorbis", None),
    (b"OpusHead", None),
    (b"\x7fFLAC", None),
    (b"fLaC", None),
    (b"Speex   ", Some("Speex")),
    (b"CELT    ", Some("CELT")),
    (b"PCM     ", Some("PCM in Ogg")),
];

/// Returns the format of the bytes in `window`, and leaves it at its start.
pub(super) fn kind(window: &mut Window, path: &Path) -> io::Result<Kind> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    window.rewind()?;
    window.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    window.rewind()?;
    let is = |at: usize, magic: &[u8]| head.get(at..at + magic.len()) == Some(magic);
    if head.is_empty() {
        return Ok(Kind::NotAudio(if window.starts_the_file() {
            "the file is empty"
        } else {
            "it holds tags but no sound"
        }));
    }
    let kind = if is(0, b"RIFF") && is(8, b"WAVE") || is(0, b"RF64") || is(0, b"BW64") {
        Kind::Riff
    } else if is(0, b"RIFF") && is(8, b"RMID") {
        Kind::NotAudio("this is MIDI, which has notes and no sound")
    } else if is(0, b"FORM") && (is(8, b"AIFF") || is(8, b"AIFC")) {
        Kind::Aiff
    } else if is(0, b"fLaC") {
        Kind::Flac
    } else if is(0, b"OggS") {
        ogg_kind(window)?
    } else if is(4, b"ftyp") {
        let is_picture = head.get(8..12).is_some_and(|brand| PICTURE_BRANDS.contains(&brand));
        match (is_picture, mp4::has_sound(window.file())) {
            (true, _) => Kind::NotAudio("this is a picture"),
            (_, Some(false)) => Kind::NotAudio("this is a video without sound"),
            _ => Kind::IsoMp4,
        }
    } else if is(0, b"caff") {
        Kind::Caf
    } else if is(0, b"\x1a\x45\xdf\xa3") {
        match matroska::has_sound(window.file()) {
            Some(false) => Kind::NotAudio("this is a video without sound"),
            _ => Kind::Matroska,
        }
    } else if let Some((_, name)) = UNSUPPORTED.iter().find(|(magic, _)| is(0, magic)) {
        Kind::Unsupported(name)
    } else if let Some((_, what)) = NOT_AUDIO.iter().find(|(magic, _)| is(0, magic)) {
        Kind::NotAudio(what)
    } else if is_utf16(&head) {
        Kind::NotAudio("this is a text")
    } else if has_name(path, MPEG_NAMES) {
        mpeg_kind(&head)
    } else if is_followed_by_another(window, &head, adts_frame_bytes)? || has_name(path, &["aac"]) && is_adts(&head) {
        Kind::Adts
    } else if is_followed_by_another(window, &head, mpeg_frame_bytes)? {
        Kind::Mpeg
    } else {
        Kind::NotAudio("this is not an audio file that goldmaster can read")
    };
    window.rewind()?;
    Ok(kind)
}

/// File extensions of MPEG audio, whose first frame may be anywhere in the file.
const MPEG_NAMES: &[&str] = &["mp1", "mp2", "mp3", "mpga"];

fn has_name(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    extensions.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Returns the format of a file whose name promises MPEG audio.
fn mpeg_kind(head: &[u8]) -> Kind {
    match head.first_chunk::<4>() {
        Some(frame) if is_adts(head) && mpeg_frame_bytes(frame).is_none() => Kind::Adts,
        // A bit rate field of 0 means free format, but only if the other fields of the header are valid.
        Some([0xff, version, rates, _])
            if version & 0xe0 == 0xe0 && version >> 1 & 3 != 0 && rates >> 4 == 0 && rates >> 2 & 3 != 3 =>
        {
            Kind::Unsupported("MPEG audio without a bit rate (free format)")
        }
        _ => Kind::Mpeg,
    }
}

fn is_adts(head: &[u8]) -> bool {
    head.first_chunk().is_some_and(|frame| adts_frame_bytes(frame).is_some())
}

/// Returns the length of an AAC frame in ADTS (ISO/IEC 13818-7, 6.2).
fn adts_frame_bytes(header: &[u8; 8]) -> Option<u64> {
    let is_sync = header[0] == 0xff && header[1] & 0xf6 == 0xf0 && header[2] >> 2 & 15 < 13;
    let length = u64::from(header[3] & 3) << 11 | u64::from(header[4]) << 3 | u64::from(header[5]) >> 5;
    (is_sync && length > 7).then_some(length)
}

/// Returns the length of an MPEG audio frame (ISO/IEC 11172-3, 2.4.2.3 and 2.4.3.1, and its extensions).
fn mpeg_frame_bytes(header: &[u8; 4]) -> Option<u64> {
    const KBPS_1: [[u64; 14]; 3] = [
        [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    ];
    const KBPS_2: [[u64; 14]; 2] = [
        [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    let [0xff, version, rates, _] = *header else { return None };
    let rate_hz = u64::from(super::mpeg::mpeg_sample_rate_hz(header)?);
    let layer = match version >> 1 & 3 {
        3 => 0,
        2 => 1,
        1 => 2,
        _ => return None,
    };
    let bit_rate = usize::from(rates >> 4).checked_sub(1)?;
    let is_first_version = version >> 3 & 3 == 3;
    let kbps = *if is_first_version { KBPS_1[layer].get(bit_rate)? } else { KBPS_2[layer.min(1)].get(bit_rate)? };
    let padding = u64::from(rates >> 1 & 1);
    (version & 0xe0 == 0xe0).then(|| match layer {
        0 => (12_000 * kbps / rate_hz + padding) * 4,
        2 if !is_first_version => 72_000 * kbps / rate_hz + padding,
        _ => 144_000 * kbps / rate_hz + padding,
    })
}

/// True if a frame begins here and is followed by another one, or by the end of the file.
fn is_followed_by_another<const N: usize>(
    window: &mut Window,
    head: &[u8],
    frame_bytes: fn(&[u8; N]) -> Option<u64>,
) -> io::Result<bool> {
    let Some(bytes) = head.first_chunk().and_then(frame_bytes) else { return Ok(false) };
    let end = window.range().end - window.range().start;
    if bytes >= end {
        return Ok(bytes == end);
    }
    let mut next = Vec::with_capacity(N);
    window.seek(SeekFrom::Start(bytes))?;
    window.by_ref().take(N as u64).read_to_end(&mut next)?;
    Ok(next.first_chunk().map_or(next.first() == Some(&0xff), |next| frame_bytes(next).is_some()))
}

/// True if the bytes are the start of a UTF-16 text, whose byte order mark looks like MPEG audio.
fn is_utf16(head: &[u8]) -> bool {
    let is_little = match head {
        [0xff, 0xfe, ..] => true,
        [0xfe, 0xff, ..] => false,
        _ => return false,
    };
    let unit = |pair: &[u8; 2]| if is_little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) };
    let mut letters = char::decode_utf16(head[2..].as_chunks().0.iter().map(unit));
    let is_text = |c: char| !c.is_control() || c.is_ascii_whitespace();
    // A surrogate pair may be cut at the end.
    head.len() > 2 && letters.all(|c| c.is_ok_and(is_text))
}

/// Returns the format of an Ogg, from the first page of each stream.
fn ogg_kind(window: &mut Window) -> io::Result<Kind> {
    let (mut at, mut unsupported, mut streams) = (0, None, 0);
    for _ in 0..MAX_OGG_STREAMS {
        let mut page = Vec::new();
        window.seek(SeekFrom::Start(at))?;
        window.by_ref().take(27 + 255 + 16).read_to_end(&mut page)?;
        let is_first = page.starts_with(b"OggS") && page.len() > 27 && page[5] & 2 != 0;
        let Some(lengths) =
            page.get(27..).and_then(|rest| rest.get(..usize::from(*page.get(26)?))).filter(|_| is_first)
        else {
            break;
        };
        let start = 27 + lengths.len();
        let known = OGG_STREAMS.iter().find(|(magic, _)| page[start..].starts_with(magic));
        match known {
            Some((_, None)) => return Ok(Kind::Ogg),
            Some((_, name)) => unsupported = unsupported.or(*name),
            None => {}
        }
        streams += 1;
        at += start as u64 + lengths.iter().map(|&length| u64::from(length)).sum::<u64>();
    }
    Ok(match unsupported {
        Some(name) => Kind::Unsupported(name),
        None if streams > 0 => Kind::NotAudio("this is an Ogg without sound"),
        // The start of the file is damaged.
        None => Kind::Ogg,
    })
}

/// Most interleaved streams that are examined.
const MAX_OGG_STREAMS: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::testing::{boxed, file, page};
    use super::*;

    fn kind_of(bytes: &[u8]) -> Kind {
        let file = file(bytes);
        let opened = std::fs::File::open(file.path()).expect("the file");
        kind(&mut Window::without_tags(opened).expect("readable"), file.path()).expect("readable")
    }

    #[test]
    fn what_lies_beside_songs_is_no_sound() {
        let utf16 = |text: &str, mark: u16, order: fn(u16) -> [u8; 2]| {
            std::iter::once(mark).chain(text.encode_utf16()).flat_map(order).collect::<Vec<u8>>()
        };
        let handler =
            |kind: &[u8]| boxed(b"trak", &boxed(b"mdia", &boxed(b"hdlr", &[&[0; 8], kind, &[0; 12]].concat())));
        let movie = |kind: &[u8]| [boxed(b"ftyp", b"isom\0\0\0\0"), boxed(b"moov", &handler(kind))].concat();
        let alien = [
            utf16("[.ShellClassInfo]\r\nIcon=1\r\n", 0xfeff, u16::to_le_bytes),
            utf16("Exact Audio Copy V1.6", 0xfeff, u16::to_be_bytes),
            utf16("\u{97f3}\u{697d}\u{306e}\u{8a18}\u{9332}", 0xfeff, u16::to_le_bytes),
            boxed(b"ftyp", b"heic\0\0\0\0mif1"),
            boxed(b"ftyp", b"avif\0\0\0\0mif1"),
            movie(b"vide"),
            b"MThd\0\0\0\x06".to_vec(),
            b"RIFF\0\0\0\0RMIDdata".to_vec(),
            page(1, 0, 2, 0, b"\x80theora"),
            b"\xff\xfb some other file with such bytes at its start, and no second frame".to_vec(),
        ];
        for bytes in alien {
            assert!(matches!(kind_of(&bytes), Kind::NotAudio(_)), "{:?}", String::from_utf8_lossy(&bytes));
        }
        assert_eq!(kind_of(&movie(b"soun")), Kind::IsoMp4);
        let both = [page(1, 0, 2, 0, b"\x80theora"), page(2, 0, 2, 0, b"\x01vorbis")].concat();
        assert_eq!(kind_of(&both), Kind::Ogg);
        assert_eq!(kind_of(&page(1, 0, 2, 0, b"Speex   1.2")), Kind::Unsupported("Speex"));
    }

    #[test]
    fn frames_are_known_by_the_next_one() {
        let mut mp3 = vec![0; 417];
        mp3[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0]);
        assert_eq!(kind_of(&mp3.repeat(2)), Kind::Mpeg);
        let mut adts = [0; 100];
        adts[..7].copy_from_slice(&[0xff, 0xf1, 0x50, 0x80, 0x0c, 0x9f, 0xfc]);
        assert_eq!(kind_of(&adts.repeat(2)), Kind::Adts);
    }
}
