//! Reads the tags of Matroska and WebM (RFC 9559, section 5.1.8).

use std::ops::Range;

use super::MAX_ENTRIES;
use super::found::{Found, MAX_TEXT_BYTES};
use crate::io::bytes::ReadAt;
use crate::io::matroska::{SEGMENT, element};

const TAGS: u32 = 0x1254_c367;
const TAG: u32 = 0x7373;
const SIMPLE_TAG: u32 = 0x67c8;
const TAG_NAME: u32 = 0x45a3;
const TAG_STRING: u32 = 0x4487;
const ATTACHMENTS: u32 = 0x1941_a469;
const CHAPTERS: u32 = 0x1043_a770;

/// Deepest nesting of elements in which tags occur.
const MAX_DEPTH: usize = 6;

/// Reads the tags of a Matroska file.
pub(super) fn read(bytes: &mut impl ReadAt) -> Found {
    let mut found = Found::default();
    let mut left = MAX_ENTRIES;
    let end = bytes.len();
    elements(bytes, 0, end, MAX_DEPTH, &mut left, &mut found);
    found
}

/// Searches the elements from `at` to `end`. Returns the name and the text of a tag if they are among them.
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
        let Some((id, Range { start, end: stop })) = element(bytes, at, end) else { break };
        match id {
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
