//! Tells from its first bytes what a file is. Names are not believed, except where an MP3 starts with garbage.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use symphonia::core::io::MediaSource;

/// What a file is.
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
    /// Something else.
    Alien(&'static str),
}

/// Bytes that are looked at.
const HEAD_BYTES: usize = 64;

/// Audio that is recognised in order to be named in the error.
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
    (b"MThd", "MIDI, which has notes and no sound,"),
    (b"RIFX", "big-endian WAV"),
];

/// Other files that end up here by accident.
const ALIEN: &[(&[u8], &str)] = &[
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
];

/// What the bytes of `window` are. Leaves it at its start.
pub(super) fn kind(window: &mut Window, path: &Path) -> io::Result<Kind> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    window.rewind()?;
    window.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    window.rewind()?;
    let is = |at: usize, magic: &[u8]| head.get(at..at + magic.len()) == Some(magic);
    if head.is_empty() {
        return Ok(Kind::Alien(if window.starts_the_file() {
            "the file is empty"
        } else {
            "it holds tags but no sound"
        }));
    }
    let kind = if is(0, b"RIFF") && is(8, b"WAVE") || is(0, b"RF64") || is(0, b"BW64") {
        Kind::Riff
    } else if is(0, b"FORM") && (is(8, b"AIFF") || is(8, b"AIFC")) {
        Kind::Aiff
    } else if is(0, b"fLaC") {
        Kind::Flac
    } else if is(0, b"OggS") {
        Kind::Ogg
    } else if is(4, b"ftyp") {
        Kind::IsoMp4
    } else if is(0, b"caff") {
        Kind::Caf
    } else if is(0, b"\x1a\x45\xdf\xa3") {
        Kind::Matroska
    } else if let Some((_, name)) = UNSUPPORTED.iter().find(|(magic, _)| is(0, magic)) {
        Kind::Unsupported(name)
    } else if let Some((_, what)) = ALIEN.iter().find(|(magic, _)| is(0, magic)) {
        Kind::Alien(what)
    } else if head.len() >= 4 && head[0] == 0xff && head[1] & 0xf6 == 0xf0 {
        Kind::Adts
    } else if head.len() >= 4 && head[0] == 0xff && head[1] & 0xe0 == 0xe0 || has_mpeg_name(path) {
        Kind::Mpeg
    } else {
        Kind::Alien("this is no sound in a form that is known here")
    };
    Ok(kind)
}

/// Whether the name promises MPEG audio, which may start anywhere in the file.
fn has_mpeg_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    ["mp1", "mp2", "mp3", "mpga"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// The part of a file between leading and trailing tags.
#[derive(Debug)]
pub(super) struct Window {
    file: File,
    start: u64,
    end: u64,
    at: u64,
}

impl Window {
    /// All of `file` but an ID3v2 tag before and ID3v1 and APEv2 tags after the sound.
    pub fn without_tags(mut file: File) -> io::Result<Self> {
        let file_bytes = file.metadata()?.len();
        let mut start = 0;
        while let Some(bytes) = id3v2_bytes(&mut file, start, file_bytes)? {
            start += bytes;
        }
        let start = start.min(file_bytes);
        let end = end_of_sound(&mut file, start, file_bytes)?;
        let mut window = Self { file, start, end, at: start };
        window.rewind()?;
        Ok(window)
    }

    /// Whether nothing lies before the sound.
    pub fn starts_the_file(&self) -> bool {
        self.start == 0
    }

    /// The file, at no particular position.
    pub fn into_file(self) -> File {
        self.file
    }

    /// The file, at no particular position. [`rewind`](Seek::rewind) before reading the window again.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }
}

/// The length of an ID3v2 tag at `at` (id3.org, ID3v2.4.0 section 3.1).
fn id3v2_bytes(file: &mut File, at: u64, file_bytes: u64) -> io::Result<Option<u64>> {
    let mut header = [0; 10];
    if at + 10 > file_bytes {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut header)?;
    if !header.starts_with(b"ID3") || header[6..].iter().any(|b| b & 0x80 != 0) {
        return Ok(None);
    }
    let body = header[6..].iter().fold(0, |size, &b| size << 7 | u64::from(b));
    let footer = if header[5] & 0x10 != 0 { 10 } else { 0 };
    Ok(Some(10 + body + footer))
}

/// Where the sound ends: before an ID3v1 tag of 128 bytes and an APEv2 tag that says its size.
fn end_of_sound(file: &mut File, start: u64, file_bytes: u64) -> io::Result<u64> {
    let mut end = file_bytes;
    let mut tail = [0; 32];
    if end >= start + 128 {
        file.seek(SeekFrom::Start(end - 128))?;
        file.read_exact(&mut tail)?;
        if tail.starts_with(b"TAG") {
            end -= 128;
        }
    }
    if end >= start + 32 {
        file.seek(SeekFrom::Start(end - 32))?;
        file.read_exact(&mut tail)?;
        if tail.starts_with(b"APETAGEX") {
            let long = |i: usize| u32::from_le_bytes(std::array::from_fn(|k| tail[i + k]));
            let header = if long(20) >> 31 == 1 { 32 } else { 0 };
            let bytes = u64::from(long(12)) + header;
            end = if start + bytes <= end { end - bytes } else { end };
        }
    }
    Ok(end)
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let count = self.file.read(&mut buffer[..length])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let length = self.end - self.start;
        let wanted = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => length.checked_add_signed(offset),
            SeekFrom::Current(offset) => (self.at - self.start).checked_add_signed(offset),
        };
        let wanted = wanted.ok_or(io::ErrorKind::InvalidInput)?.min(length);
        self.at = self.file.seek(SeekFrom::Start(self.start + wanted))?;
        Ok(wanted)
    }
}

impl MediaSource for Window {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.end - self.start)
    }
}
