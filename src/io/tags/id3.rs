//! Reads ID3v2.2, 2.3 and 2.4 (id3.org), and ID3v1. Writes version 2.4, in UTF-8.

use super::MAX_ENTRIES;
use super::found::{Found, MAX_PICTURE_BYTES, MAX_TEXT_BYTES, Picture};
use super::genres::{genre, genre_of};
use super::names::{COMMENT, DISC, DISC_TOTAL, LYRICS, NAMES, SOFTWARE, TRACK, TRACK_TOTAL};
use crate::io::bytes::ReadAt;
use crate::io::riff_chunk::{begin_chunk, end_chunk};
use crate::io::tag_places::{Id3v2, MAX_LEADING_TAGS, id3v1, syncsafe};

/// Largest tag that is read if it must be unpacked as a whole, bytes.
const MAX_UNPACKED_BYTES: u64 = 2 * MAX_PICTURE_BYTES as u64;

/// Prefix of the name of a comment that has a description, which follows.
const COMMENT_ON: &str = "COMMENT:";

/// Owner and name of the MusicBrainz identifier.
const MUSICBRAINZ: &str = "http://musicbrainz.org";
const MUSICBRAINZ_NAME: &str = "MUSICBRAINZ_TRACKID";

/// Name of day and month of version 2.3, until they are joined with the year.
const DAY_AND_MONTH: &str = "TDAT";

/// Frames that describe the loudness, the length or the encoder of the source, which are wrong for a master.
const STALE_FRAMES: &[&str] = &[
    "RVA2", "RVAD", "RVA", "RGAD", "EQU2", "EQUA", "EQU", "TLEN", "TLE", "TSIZ", "TSI", "TENC", "TEN", "MLLT", "MLL",
    "SEEK", "ASPI", "AENC", "CRA", "TFLT", "TFT", "TDTG", "TDEN", "TDLY", "TDY", "TOFN", "TOF", "RBUF", "BUF", "NCON",
];

/// Reads the tags before the sound. Returns the offset of the sound.
pub(super) fn read_leading(bytes: &mut impl ReadAt, found: &mut Found) -> u64 {
    let mut at = 0;
    for _ in 0..MAX_LEADING_TAGS {
        let file_bytes = bytes.len();
        let Some((tag, next)) = read_v2(bytes, at, file_bytes) else { break };
        found.add(tag);
        at = next;
    }
    at
}

/// Reads the tag at `at`. Returns it with the offset of what follows. Nothing is read from `limit` on: a tag in a
/// chunk ends with the chunk.
pub(super) fn read_v2(bytes: &mut impl ReadAt, at: u64, limit: u64) -> Option<(Found, u64)> {
    let tag = Id3v2::at(bytes, at).ok().flatten()?;
    let Id3v2 { version, flags, body, body_bytes } = tag;
    let end = (body + body_bytes).min(limit).min(bytes.len()).max(body);
    let mut found = Found::default();
    let is_unsynchronised = flags & 0x80 != 0;
    match version {
        // In version 2.2, the flag of a compression that was never defined.
        2 if flags & 0x40 != 0 => found.leave_out("a compressed ID3 tag"),
        2 | 3 if is_unsynchronised => {
            if end - body > MAX_UNPACKED_BYTES {
                found.leave_out(format!("an ID3 tag of {} MB", (end - body) / 1_000_000));
            } else if let Some(body) = bytes.bytes(body, end - body) {
                let mut body = resynchronised(&body);
                let end = body.len() as u64;
                Tag { version, flags, at: 0, end }.read(&mut body, &mut found);
            }
        }
        2..=4 => Tag { version, flags, at: body, end }.read(bytes, &mut found),
        _ => found.leave_out(format!("ID3 version 2.{version}")),
    }
    Some((found, tag.end()))
}

struct Tag {
    version: u8,
    flags: u8,
    at: u64,
    end: u64,
}

impl Tag {
    fn read(mut self, bytes: &mut impl ReadAt, found: &mut Found) {
        if self.version > 2 && self.flags & 0x40 != 0 {
            let Some(size) = bytes.array::<4>(self.at) else { return };
            // In version 2.4, the size includes itself.
            self.at +=
                if self.version == 4 { u64::from(syncsafe(size)) } else { 4 + u64::from(u32::from_be_bytes(size)) };
        }
        for _ in 0..MAX_ENTRIES {
            match self.frame(bytes, found) {
                Some(next) => self.at = next,
                None => return join_date(found),
            }
        }
        found.leave_out("the rest of a tag of too many frames");
        join_date(found);
    }

    /// Reads the next frame. Returns the offset of its end.
    fn frame(&self, bytes: &mut impl ReadAt, found: &mut Found) -> Option<u64> {
        let head_bytes = if self.version == 2 { 6 } else { 10 };
        let body = self.at + head_bytes;
        if body > self.end {
            return None;
        }
        let (id, size, flags) = if self.version == 2 {
            let [a, b, c, size @ ..] = bytes.array::<6>(self.at)?;
            (vec![a, b, c], u32::from_be_bytes([0, size[0], size[1], size[2]]), 0)
        } else {
            let head: [u8; 10] = bytes.array(self.at)?;
            let size = [head[4], head[5], head[6], head[7]];
            // Some programs ignore that sizes in version 2.4 have 7 bits per byte.
            let is_plain = self.version == 3 || size.iter().any(|b| b & 0x80 != 0);
            let size = if is_plain { u32::from_be_bytes(size) } else { syncsafe(size) };
            (head[..4].to_vec(), size, head[9])
        };
        let end = body + u64::from(size);
        if !id.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) || end > self.end {
            return None;
        }
        let id = String::from_utf8(id).ok()?;
        self.take(&id, flags, body, end, bytes, found);
        Some(end)
    }

    fn take(&self, id: &str, flags: u8, mut at: u64, end: u64, bytes: &mut impl ReadAt, found: &mut Found) {
        if STALE_FRAMES.contains(&id) || end <= at {
            return;
        }
        let (packed, grouped, length, unsynchronised) = match self.version {
            3 => (flags & 0xc0 != 0, flags & 0x20 != 0, false, false),
            4 => (flags & 0x0c != 0, flags & 0x40 != 0, flags & 1 != 0, flags & 2 != 0 || self.flags & 0x80 != 0),
            _ => (false, false, false, false),
        };
        if packed {
            return found.leave_out(format!("a compressed or encrypted frame ({id})"));
        }
        at += u64::from(grouped) + 4 * u64::from(length);
        let count = end.saturating_sub(at);
        let is_picture = matches!(id, "APIC" | "PIC");
        let is_text =
            id.starts_with('T') || matches!(id, "COMM" | "COM" | "USLT" | "ULT" | "UFID" | "UFI" | "WXXX" | "WXX");
        if is_picture && !found.wants_picture(count.saturating_sub(256)) {
            return;
        }
        if is_text && count > MAX_TEXT_BYTES as u64 * 2 {
            return found.leave_out(format!("a text of {} MB ({id})", count / 1_000_000));
        }
        if !is_picture && !is_text {
            return found.leave_out(kind_of_frame(id));
        }
        let Some(mut data) = bytes.bytes(at, count) else { return };
        if unsynchronised {
            data = resynchronised(&data);
        }
        // Frames that are too short for their kind are ignored.
        let _ = if is_picture { picture(id, &data, found) } else { text(id, &data, found) };
    }
}

/// Describes the content of a frame that cannot be carried over.
fn kind_of_frame(id: &str) -> String {
    match id {
        "SYLT" | "SLT" => "lyrics with times".to_owned(),
        "CHAP" | "CTOC" => "chapters".to_owned(),
        "POPM" | "POP" | "PCNT" | "CNT" => "ratings".to_owned(),
        "TIPL" | "TMCL" | "IPLS" | "IPL" => "people involved".to_owned(),
        id if id.starts_with('W') => "links".to_owned(),
        id => format!("ID3 frame {id}"),
    }
}

fn text(id: &str, data: &[u8], found: &mut Found) -> Option<()> {
    let (&encoding, rest) = data.split_first()?;
    match id {
        "UFID" | "UFI" => {
            let end = data.iter().position(|&b| b == 0)?;
            let (owner, text) = (String::from_utf8_lossy(&data[..end]), String::from_utf8_lossy(&data[end + 1..]));
            if owner == MUSICBRAINZ { found.text(MUSICBRAINZ_NAME, &text) } else { found.leave_out("identifiers") }
        }
        "COMM" | "COM" | "USLT" | "ULT" => {
            let [about, text] = two(encoding, rest.get(3..)?);
            let name = if id.starts_with('U') { LYRICS } else { COMMENT };
            match about.trim() {
                "" => found.text(name, &text),
                about if name == COMMENT => found.text(&format!("{COMMENT_ON}{about}"), &text),
                _ => found.text(name, &text),
            }
        }
        "TXXX" | "TXX" => {
            let [name, text] = two(encoding, rest);
            values(&text).for_each(|text| found.text(&name, text));
        }
        "TIPL" | "TMCL" | "WXXX" | "WXX" => found.leave_out(kind_of_frame(id)),
        "TSSE" | "TSS" => found.text(SOFTWARE, &decoded(encoding, rest)),
        "TDAT" | "TDA" => found.text(DAY_AND_MONTH, &decoded(encoding, rest)),
        "TIME" | "TIM" | "TRDA" | "TRD" => {}
        _ => {
            let text = decoded(encoding, rest);
            let name = match id {
                "TYER" => "DATE",
                "TORY" => "ORIGINALDATE",
                _ => NAMES.iter().find(|n| n.id3 == id || n.id3_short == id).map_or(id, |n| n.name),
            };
            for text in values(&text) {
                if name == "GENRE" { found.text(name, &genre_of(text)) } else { found.text(name, text) }
            }
        }
    }
    Some(())
}

/// Joins the date of version 2.3, which has the year in one frame, and day and month in another.
fn join_date(found: &mut Found) {
    let Some(at) = found.texts.iter().position(|(name, _)| name == DAY_AND_MONTH) else { return };
    let (_, text) = found.texts.remove(at);
    let year = found.texts.iter_mut().find(|(name, text)| name == "DATE" && text.len() == 4);
    if let Some(((_, year), (day, month))) = year.zip(text.split_at_checked(2)) {
        year.push_str(&format!("-{month}-{day}"));
    }
}

fn picture(id: &str, data: &[u8], found: &mut Found) -> Option<()> {
    let (&encoding, rest) = data.split_first()?;
    let (media_type, rest) = if id == "PIC" {
        let media_type = match rest.first_chunk::<3>()? {
            b"PNG" => "image/png",
            b"JPG" => "image/jpeg",
            _ => "image/",
        };
        (media_type.to_owned(), &rest[3..])
    } else {
        let end = rest.iter().position(|&b| b == 0)?;
        (String::from_utf8_lossy(&rest[..end]).into_owned(), &rest[end + 1..])
    };
    if media_type == "-->" {
        found.leave_out("a link to a picture");
        return None;
    }
    let (&kind, rest) = rest.split_first()?;
    let (description, start) = first_string(encoding, rest);
    found.picture(Picture { kind, media_type, description, data: rest.get(start..)?.to_vec() });
    Some(())
}

/// Splits a frame into its values.
fn values(text: &str) -> impl Iterator<Item = &str> {
    text.split('\0').filter(|value| !value.is_empty())
}

/// Returns a string and the text that follows it.
fn two(encoding: u8, data: &[u8]) -> [String; 2] {
    let (first, start) = first_string(encoding, data);
    [first, decoded(encoding, &data[start..])]
}

/// Returns the string up to its terminator, and the offset of the next.
fn first_string(encoding: u8, data: &[u8]) -> (String, usize) {
    let is_wide = matches!(encoding, 1 | 2);
    let end = if is_wide {
        data.chunks_exact(2).position(|pair| pair == [0, 0]).map(|n| 2 * n)
    } else {
        data.iter().position(|&b| b == 0)
    };
    let (end, start) = end.map_or((data.len(), data.len()), |end| (end, end + if is_wide { 2 } else { 1 }));
    (decoded(encoding, &data[..end]), start)
}

fn decoded(encoding: u8, data: &[u8]) -> String {
    match encoding {
        0 => data.iter().map(|&b| char::from(b)).collect(),
        1 | 2 => {
            let is_little = encoding == 1 && !data.starts_with(&[0xfe, 0xff]);
            let unit = |pair: &[u8]| {
                let pair = [pair[0], pair[1]];
                if is_little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
            };
            let text = char::decode_utf16(data.chunks_exact(2).map(unit));
            // Every value of a list may have its own byte order mark.
            text.map(|c| c.unwrap_or('\u{fffd}')).filter(|c| *c != '\u{feff}').collect()
        }
        _ => String::from_utf8_lossy(data).into_owned(),
    }
}

/// Removes the zero bytes that keep decoders from mistaking a tag for sound (ID3v2.4.0 section 6.1).
fn resynchronised(data: &[u8]) -> Vec<u8> {
    let after_ff = std::iter::once(false).chain(data.iter().map(|&b| b == 0xff));
    data.iter().zip(after_ff).filter(|(b, after_ff)| !(*after_ff && **b == 0)).map(|(&b, _)| b).collect()
}

/// Reads ID3v1, the 128 bytes at the end of a file.
pub(super) fn read_v1(bytes: &mut impl ReadAt) -> Found {
    let mut found = Found::default();
    let Ok(Some(tag)) = id3v1(bytes) else { return found };
    let mut field = |name: &str, range: std::ops::Range<usize>| {
        let end = tag[range.clone()].iter().position(|&b| b == 0).map_or(range.end, |n| range.start + n);
        found.text(name, &decoded(0, &tag[range.start..end]));
    };
    field("TITLE", 3..33);
    field("ARTIST", 33..63);
    field("ALBUM", 63..93);
    field("DATE", 93..97);
    field(COMMENT, 97..if tag[125] == 0 { 125 } else { 127 });
    if tag[125] == 0 && tag[126] != 0 {
        found.text(TRACK, &tag[126].to_string());
    }
    if let Some(genre) = genre(usize::from(tag[127])).filter(|_| !found.texts.is_empty()) {
        found.text("GENRE", genre);
    }
    found
}

/// Appends the tag as a RIFF chunk.
pub(super) fn append_chunk(found: &Found, chunks: &mut Vec<u8>) {
    let start = begin_chunk(*b"id3 ", chunks);
    append_tag(found, None, chunks);
    end_chunk(start, chunks);
}

/// Appends the tag. `software` names the program that writes the file, if wanted.
pub(super) fn append_tag(found: &Found, software: Option<&str>, out: &mut Vec<u8>) {
    let start = out.len();
    out.reserve(found.pictures.iter().map(|picture| picture.data.len() + 1024).sum());
    out.extend(b"ID3\x04\0\0\0\0\0\0");
    for (name, texts) in found.by_name() {
        let place = NAMES.iter().find(|n| n.name == name).map_or("", |n| n.id3);
        match name {
            TRACK | DISC => {
                let total = found.first(if name == TRACK { TRACK_TOTAL } else { DISC_TOTAL });
                let text = total.map_or_else(|| texts[0].to_owned(), |total| format!("{}/{total}", texts[0]));
                frame(place, &[b"\x03", text.as_bytes()], out);
            }
            TRACK_TOTAL if found.first(TRACK).is_some() => {}
            DISC_TOTAL if found.first(DISC).is_some() => {}
            LYRICS => frame("USLT", &[b"\x03und\0", texts.join("\n\n").as_bytes()], out),
            MUSICBRAINZ_NAME => frame("UFID", &[MUSICBRAINZ.as_bytes(), b"\0", texts[0].as_bytes()], out),
            name if name == COMMENT || name.starts_with(COMMENT_ON) => {
                let about = name.strip_prefix(COMMENT_ON).unwrap_or_default();
                frame("COMM", &[b"\x03und", about.as_bytes(), b"\0", texts.join("\n").as_bytes()], out);
            }
            _ if !place.is_empty() => frame(place, &[b"\x03", texts.join("\0").as_bytes()], out),
            _ => frame("TXXX", &[b"\x03", name.as_bytes(), b"\0", texts.join("\0").as_bytes()], out),
        }
    }
    if let Some(software) = software {
        frame("TSSE", &[b"\x03", software.as_bytes()], out);
    }
    for Picture { kind, media_type, description, data } in &found.pictures {
        let parts = [b"\x03", media_type.as_bytes(), &[0, *kind], description.as_bytes(), b"\0", data];
        frame("APIC", &parts, out);
    }
    let size = (out.len() - start - 10) as u32;
    out[start + 6..start + 10].copy_from_slice(&to_syncsafe(size));
}

fn frame(id: &str, parts: &[&[u8]], out: &mut Vec<u8>) {
    let size = parts.iter().map(|part| part.len()).sum::<usize>() as u32;
    out.extend(id.as_bytes());
    out.extend(to_syncsafe(size));
    out.extend([0, 0]);
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

/// Encodes a size in 28 bits, which is enough for everything that [`Found`] can hold.
fn to_syncsafe(size: u32) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f)
}
