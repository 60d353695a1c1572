//! Tags of Matroska and WebM (RFC 9559, section 5.1.8).

use super::MAX_ENTRIES;
use super::bytes::ReadAt;
use super::found::{Found, MAX_TEXT_BYTES};

const SEGMENT: u32 = 0x1853_8067;
const TAGS: u32 = 0x1254_c367;
const TAG: u32 = 0x7373;
const SIMPLE_TAG: u32 = 0x67c8;
const TAG_NAME: u32 = 0x45a3;
const TAG_STRING: u32 = 0x4487;
const ATTACHMENTS: u32 = 0x1941_a469;
const CHAPTERS: u32 = 0x1043_a770;

/// Elements are nested no deeper than this where tags are.
const MAX_DEPTH: usize = 6;

/// The tags of a Matroska file.
pub(super) fn read(bytes: &mut impl ReadAt) -> Found {
    let mut found = Found::default();
    let mut left = MAX_ENTRIES;
    let end = bytes.len();
    elements(bytes, 0, end, MAX_DEPTH, &mut left, &mut found);
    found
}

/// Looks through the elements from `at` to `end`; gives the name and text of a tag, if they are one's parts.
fn elements(
    bytes: &mut impl ReadAt,
    mut at: u64,
    end: u64,
    depth: usize,
    left: &mut usize,
    found: &mut Found,
) -> [Option<String>; 2] {
    let [mut name, mut text] = [None, None];
    while at < end && *left > 0 && depth > 0 {
        *left -= 1;
        let Some((id, id_bytes)) = number(bytes, at, false) else { break };
        let Some((size, size_bytes)) = number(bytes, at + id_bytes, true) else { break };
        let start = at + id_bytes + size_bytes;
        if start > end {
            break;
        }
        // An unknown size reaches to the end of what it lies in.
        let is_unknown = size == (1 << (7 * size_bytes)) - 1;
        let stop = if is_unknown { end } else { start.saturating_add(size).min(end) };
        match id as u32 {
            SEGMENT | TAGS | TAG => drop(elements(bytes, start, stop, depth - 1, left, found)),
            SIMPLE_TAG => {
                if let [Some(name), Some(text)] = elements(bytes, start, stop, depth - 1, left, found) {
                    found.text(&name, &text);
                }
            }
            TAG_NAME | TAG_STRING if stop - start > MAX_TEXT_BYTES as u64 => found.leave_out("a text that is too long"),
            TAG_NAME => name = string(bytes, start, stop),
            TAG_STRING => text = string(bytes, start, stop),
            ATTACHMENTS => found.leave_out("attached files"),
            CHAPTERS => found.leave_out("chapters"),
            _ => {}
        }
        at = stop;
    }
    [name, text]
}

fn string(bytes: &mut impl ReadAt, start: u64, end: u64) -> Option<String> {
    Some(String::from_utf8_lossy(&bytes.bytes(start, end - start)?).into_owned())
}

/// A number of variable length (RFC 8794, section 4), with or without its marker, and its bytes.
fn number(bytes: &mut impl ReadAt, at: u64, is_size: bool) -> Option<(u64, u64)> {
    let [first] = bytes.array(at)?;
    let length = u64::from(first.leading_zeros()) + 1;
    if length > if is_size { 8 } else { 4 } {
        return None;
    }
    let value = bytes.bytes(at, length)?.iter().fold(0_u64, |value, &b| value << 8 | u64::from(b));
    Some((if is_size { value & ((1 << (7 * length)) - 1) } else { value }, length))
}
