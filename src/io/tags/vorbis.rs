//! Reads and writes Vorbis comments and pictures (xiph.org, RFC 9639) in FLAC and Ogg.

use data_encoding::{BASE64, BASE64_NOPAD};

use super::MAX_ENTRIES;
use super::found::{Found, MAX_PICTURE_BYTES, MAX_TEXT_BYTES, Picture};
use crate::io::bytes::ReadAt;

/// Decodes base64, with or without line breaks and padding.
fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let letters: Vec<u8> = text.iter().copied().filter(|c| !c.is_ascii_whitespace() && *c != b'=').collect();
    BASE64_NOPAD.decode(&letters).ok()
}

/// Name of pictures in the comments of Ogg, in base64.
const PICTURE_NAME: &str = "METADATA_BLOCK_PICTURE";

/// Longest packet of comments that is read, bytes: pictures in base64 and all texts.
const MAX_PACKET_BYTES: usize = MAX_PICTURE_BYTES / 3 * 4 + 8 * MAX_TEXT_BYTES;

/// Reads the metadata blocks of a FLAC that starts at `start`.
pub(super) fn read_flac(bytes: &mut impl ReadAt, start: u64) -> Found {
    let mut found = Found::default();
    let mut at = start + 4;
    for _ in 0..MAX_ENTRIES {
        let Some([kind, a, b, c]) = bytes.array::<4>(at) else { break };
        let size = u64::from(u32::from_be_bytes([0, a, b, c]));
        flac_block(kind & 0x7f, at + 4, size, bytes, &mut found);
        at += 4 + size;
        if kind & 0x80 != 0 {
            break;
        }
    }
    found
}

fn flac_block(kind: u8, at: u64, size: u64, bytes: &mut impl ReadAt, found: &mut Found) {
    match kind {
        2 => found.leave_out("application data"),
        4 => {
            let size = size.min(bytes.len().saturating_sub(at));
            if let Some(block) = bytes.bytes(at, size) {
                comments(&block, found);
            }
        }
        5 => found.leave_out("a cue sheet"),
        6 if found.wants_picture(size.saturating_sub(4096)) => {
            if let Some(block) = bytes.bytes(at, size)
                && picture(&block, found).is_none()
            {
                found.leave_out("a damaged picture");
            }
        }
        _ => {}
    }
}

/// Reads the comments of the first stream of an Ogg that starts at `start`. They are in its second packet or, for
/// FLAC, in the packets before the sound.
pub(super) fn read_ogg(bytes: &mut impl ReadAt, start: u64) -> Found {
    let mut found = Found::default();
    let mut packets = Packets { at: start, serial: None, segments: Vec::new(), data: 0 };
    let Some(first) = packets.next(bytes, &mut found) else { return found };
    if first.starts_with(b"\x7fFLAC") {
        for _ in 0..MAX_ENTRIES {
            let Some(mut packet) = packets.next(bytes, &mut found).filter(|packet| packet.len() > 4) else { break };
            let kind = packet[0];
            // Data that begins like a frame is the sound.
            if kind == 0xff {
                break;
            }
            let size = packet.len() as u64 - 4;
            flac_block(kind & 0x7f, 4, size, &mut packet, &mut found);
            if kind & 0x80 != 0 {
                break;
            }
        }
        return found;
    }
    let head_bytes = if first.starts_with(b"OpusHead") { 8 } else { 7 };
    if let Some(packet) = packets.next(bytes, &mut found)
        && let Some(block) = packet.get(head_bytes..)
        && (packet.starts_with(b"OpusTags") || packet.starts_with(b"\x03vorbis"))
    {
        comments(block, &mut found);
    }
    found
}

/// Assembles the packets of one stream from its pages (RFC 3533).
struct Packets {
    at: u64,
    serial: Option<[u8; 4]>,
    /// Lengths of the remaining segments of the page.
    segments: Vec<u8>,
    /// Offset of the next of these segments.
    data: u64,
}

impl Packets {
    fn next(&mut self, bytes: &mut impl ReadAt, found: &mut Found) -> Option<Vec<u8>> {
        let mut packet = Vec::new();
        loop {
            if self.segments.is_empty() {
                self.page(bytes)?;
            }
            while !self.segments.is_empty() {
                let length = self.segments.remove(0);
                if packet.len() + usize::from(length) > MAX_PACKET_BYTES {
                    found.leave_out("comments of too many megabytes");
                    return None;
                }
                packet.extend(bytes.bytes(self.data, u64::from(length))?);
                self.data += u64::from(length);
                if length < 255 {
                    return Some(packet);
                }
            }
        }
    }

    /// Goes to the next page of the stream.
    fn page(&mut self, bytes: &mut impl ReadAt) -> Option<()> {
        for _ in 0..MAX_ENTRIES {
            let head: [u8; 27] = bytes.array(self.at)?;
            if !head.starts_with(b"OggS") {
                return None;
            }
            let serial = [head[14], head[15], head[16], head[17]];
            let segments = bytes.bytes(self.at + 27, u64::from(head[26]))?;
            self.data = self.at + 27 + u64::from(head[26]);
            self.at = self.data + segments.iter().map(|&length| u64::from(length)).sum::<u64>();
            if *self.serial.get_or_insert(serial) == serial && !segments.is_empty() {
                self.segments = segments;
                return Some(());
            }
        }
        None
    }
}

/// Reads a block of comments; a damaged one is read as far as possible.
fn comments(block: &[u8], found: &mut Found) {
    if comments_to_the_end(block, found).is_none() {
        found.leave_out("the rest of damaged comments");
    }
}

fn comments_to_the_end(block: &[u8], found: &mut Found) -> Option<()> {
    let length_at = |at: usize| Some(u32::from_le_bytes(*block.get(at..)?.first_chunk()?) as usize);
    let mut at = 4_usize.checked_add(length_at(0)?)?;
    let count = length_at(at)?;
    at += 4;
    for _ in 0..count {
        let length = length_at(at)?;
        let field = block.get(at + 4..)?.get(..length)?;
        at += 4 + length;
        let Some(equals) = field.iter().position(|&b| b == b'=') else { continue };
        let (name, text) = (String::from_utf8_lossy(&field[..equals]), &field[equals + 1..]);
        if name.eq_ignore_ascii_case(PICTURE_NAME) {
            if found.wants_picture(text.len() as u64 / 4 * 3)
                && from_base64(text).and_then(|b| picture(&b, found)).is_none()
            {
                found.leave_out("a damaged picture");
            }
        } else if name.eq_ignore_ascii_case("COVERART") {
            found.leave_out("a picture without a type");
        } else if !name.eq_ignore_ascii_case("COVERARTMIME") {
            found.text(&name, &String::from_utf8_lossy(text));
        }
    }
    Some(())
}

/// Reads a picture block (RFC 9639, section 8.8).
fn picture(block: &[u8], found: &mut Found) -> Option<()> {
    let mut rest = block;
    let kind = number(&mut rest)?;
    let media_type = String::from_utf8_lossy(part(&mut rest)?).into_owned();
    let description = String::from_utf8_lossy(part(&mut rest)?).into_owned();
    rest = rest.get(16..)?;
    let data = part(&mut rest)?.to_vec();
    if media_type == "-->" {
        found.leave_out("a link to a picture");
    } else {
        found.picture(Picture { kind: u8::try_from(kind).unwrap_or(0), media_type, description, data });
    }
    Some(())
}

/// Takes a number from the front of `rest`.
fn number(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}

/// Takes a length, and that many bytes, from the front of `rest`.
fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(rest)? as usize;
    let (part, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(part)
}

/// Converts a name to the characters allowed in comments: printable ASCII without the equals sign.
pub(super) fn field_name(name: &str) -> String {
    name.chars().map(|c| if (' '..='}').contains(&c) && c != '=' { c } else { '_' }).collect()
}

/// Formats a picture as a comment (wiki.xiph.org, *VorbisComment*, METADATA_BLOCK_PICTURE).
pub(super) fn picture_field(picture: &Picture) -> String {
    let Picture { kind, media_type, description, data } = picture;
    let mut block = u32::from(*kind).to_be_bytes().to_vec();
    let mut part = |part: &[u8]| {
        block.extend((part.len() as u32).to_be_bytes());
        block.extend(part);
    };
    part(media_type.as_bytes());
    part(description.as_bytes());
    // Width, height, colour depth and number of colours are unknown.
    block.extend([0; 16]);
    block.extend((data.len() as u32).to_be_bytes());
    block.extend(data);
    format!("{PICTURE_NAME}={}", BASE64.encode(&block))
}
