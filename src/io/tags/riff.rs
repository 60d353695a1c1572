//! Reads and writes tags in the chunks of WAV, and reads those of AIFF.

use super::found::{Found, MAX_TEXT_BYTES};
use super::names::{NAMES, SOFTWARE};
use super::{MAX_ENTRIES, id3};
use crate::io::bytes::ReadAt;
use crate::io::riff_chunk::{Chunk, begin_chunk, end_chunk};

/// The item of a RIFF INFO list that names the program.
const INFO_SOFTWARE: &[u8; 4] = b"ISFT";

/// Longest INFO list that is read, bytes.
const MAX_LIST_BYTES: u64 = 4 * MAX_TEXT_BYTES as u64;

/// Chunks that are not carried over, with a description of their content.
const LEFT_OUT: &[(&[u8; 4], &str)] = &[
    (b"bext", "broadcast data (bext)"),
    (b"iXML", "iXML"),
    (b"axml", "axml"),
    (b"_PMX", "XMP"),
    (b"cue ", "markers"),
    (b"smpl", "loops"),
    (b"inst", "instrument data"),
    (b"acid", "loop data"),
    (b"cart", "cart data"),
    (b"MARK", "markers"),
    (b"INST", "instrument data"),
    (b"MIDI", "MIDI"),
    (b"APPL", "application data"),
    (b"COMT", "comments with times"),
];

/// Reads the tags of a WAV, RF64 or BW64 that starts at `start`.
pub(super) fn read_wave(bytes: &mut impl ReadAt, start: u64) -> Found {
    let (mut found, mut tag) = (Found::default(), Found::default());
    let mut long_data_bytes = None;
    each_chunk(bytes, start + 12, u32::from_le_bytes, |bytes, id, at, size| {
        let mut next_size = size;
        match id {
            b"ds64" => long_data_bytes = bytes.array(at + 8).map(u64::from_le_bytes),
            b"data" if size == u64::from(u32::MAX) => next_size = long_data_bytes.unwrap_or(size),
            b"LIST" if bytes.array(at) == Some(*b"INFO") && size <= MAX_LIST_BYTES => {
                each_chunk(bytes, at + 4, u32::from_le_bytes, |bytes, id, item, size| {
                    let is_inside = item + size <= at + next_size;
                    if is_inside && let Some(text) = bytes.bytes(item, size.min(2 * MAX_TEXT_BYTES as u64)) {
                        info_item(id, &text, &mut found);
                    }
                    is_inside.then_some(size)
                });
            }
            b"LIST" if bytes.array(at) == Some(*b"adtl") => found.leave_out("markers"),
            b"id3 " | b"ID3 " => tag = id3::read_v2(bytes, at, at + size).map(|(tag, _)| tag).unwrap_or_default(),
            id => name_left_out(id, &mut found),
        }
        Some(next_size)
    });
    // ID3 has complete texts where INFO texts are often cut, but this program writes its mark into INFO.
    let software = found.software.take();
    tag.add(found);
    tag.software = software.or(tag.software);
    tag
}

/// Reads the tags of an AIFF that starts at `start`.
pub(super) fn read_aiff(bytes: &mut impl ReadAt, start: u64) -> Found {
    let (mut found, mut tag) = (Found::default(), Found::default());
    each_chunk(bytes, start + 12, u32::from_be_bytes, |bytes, id, at, size| {
        let name = match id {
            b"NAME" => "TITLE",
            b"AUTH" => "ARTIST",
            b"(c) " => "COPYRIGHT",
            b"ANNO" => "COMMENT",
            _ => "",
        };
        if !name.is_empty() {
            if size > MAX_TEXT_BYTES as u64 {
                found.leave_out(format!("{} (too long)", name.to_lowercase()));
            } else if let Some(text) = bytes.bytes(at, size) {
                found.text(name, &String::from_utf8_lossy(&text));
            }
        } else if matches!(id, b"ID3 " | b"id3 ") {
            tag = id3::read_v2(bytes, at, at + size).map(|(tag, _)| tag).unwrap_or_default();
        } else {
            name_left_out(id, &mut found);
        }
        Some(size)
    });
    tag.add(found);
    tag
}

fn name_left_out(id: &[u8; 4], found: &mut Found) {
    if let Some((_, what)) = LEFT_OUT.iter().find(|(known, _)| *known == id) {
        found.leave_out(*what);
    }
}

/// Passes id, offset and size of every chunk to `look`, which returns the real size of the chunk, or `None` to stop.
fn each_chunk<B: ReadAt>(
    bytes: &mut B,
    mut at: u64,
    size_of: fn([u8; 4]) -> u32,
    mut visit: impl FnMut(&mut B, &[u8; 4], u64, u64) -> Option<u64>,
) {
    for _ in 0..MAX_ENTRIES {
        let Ok(Some(chunk)) = Chunk::at(bytes, at, size_of) else { return };
        let Some(size) = visit(bytes, &chunk.id, chunk.body, chunk.size) else { return };
        let Some(next) = chunk.next_after(size) else { return };
        at = next;
    }
}

fn info_item(id: &[u8; 4], text: &[u8], found: &mut Found) {
    let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
    let text = match std::str::from_utf8(&text[..end]) {
        Ok(text) => text.to_owned(),
        // Older programs use the code page of their system, which is usually that of Western Europe.
        Err(_) => text[..end].iter().map(|&b| char::from(b)).collect(),
    };
    let Ok(id) = std::str::from_utf8(id) else { return };
    let name = if id.as_bytes() == INFO_SOFTWARE {
        SOFTWARE
    } else {
        // Some programs write the track number here, as in 3/12.
        let id = if id == "IPRT" { "ITRK" } else { id };
        NAMES.iter().find(|name| name.info == id).map_or(id, |name| name.name)
    };
    found.text(name, &text);
}

/// Returns the INFO list of a WAV: the texts for which INFO has a field.
pub(super) fn info_list(found: &Found, software: Option<&str>) -> Vec<u8> {
    let mut list = Vec::new();
    let start = begin_chunk(*b"LIST", &mut list);
    list.extend(b"INFO");
    let empty = list.len();
    let mut item = |id: &str, text: &str| {
        if let Some(id) = id.as_bytes().first_chunk() {
            let item = begin_chunk(*id, &mut list);
            list.extend(text.as_bytes());
            list.push(0);
            end_chunk(item, &mut list);
        }
    };
    for (name, texts) in found.by_name() {
        item(NAMES.iter().find(|n| n.name == name).map_or("", |n| n.info), &texts.join("; "));
    }
    if let Some(software) = software {
        item("ISFT", software);
    }
    if list.len() == empty {
        return Vec::new();
    }
    end_chunk(start, &mut list);
    list
}
