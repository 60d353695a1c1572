//! What is read of a Matroska file (RFC 9559) beside its demuxer: whether it holds sound, and how much of its end is
//! padding.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;

const SEGMENT: u64 = 0x1853_8067;
const TRACKS: u64 = 0x1654_ae6b;
const TRACK_ENTRY: u64 = 0xae;
const TRACK_TYPE: u64 = 0x83;

const CLUSTER: u64 = 0x1f43_b675;
const BLOCK_GROUP: u64 = 0xa0;
const DISCARD_PADDING: u64 = 0x75a2;

/// The track type of sound.
const IS_SOUND: u8 = 2;

/// Elements of one level that are looked at.
const MAX_ELEMENTS: usize = 1 << 12;

/// `None` where its tracks are not found.
pub(super) fn has_sound(file: &mut File) -> Option<bool> {
    let whole = 0..file.metadata().ok()?.len();
    let segment = elements(file, whole, SEGMENT, 1).pop()?;
    let tracks = elements(file, segment, TRACKS, 1).pop()?;
    let entries = elements(file, tracks, TRACK_ENTRY, MAX_ELEMENTS);
    Some(entries.into_iter().any(|entry| track_type(file, entry) == Some(IS_SOUND)))
}

/// What its last block says that is no music at its end, in nanoseconds.
pub(super) fn padding_ns(file: &mut File) -> Option<u64> {
    let whole = 0..file.metadata().ok()?.len();
    let segment = elements(file, whole, SEGMENT, 1).pop()?;
    let cluster = elements(file, segment, CLUSTER, MAX_ELEMENTS).pop()?;
    let group = elements(file, cluster, BLOCK_GROUP, MAX_ELEMENTS).pop()?;
    let padding = elements(file, group, DISCARD_PADDING, 1).pop()?;
    let mut bytes = [0; 8];
    let length = usize::try_from(padding.end - padding.start).ok().filter(|length| (1..=8).contains(length))?;
    file.seek(SeekFrom::Start(padding.start)).and_then(|_| file.read_exact(&mut bytes[..length])).ok()?;
    // A signed number of as many bytes as it needs; a negative one would be padding at the start.
    u64::try_from(i64::from_be_bytes(bytes) >> (8 * (8 - length))).ok()
}

fn track_type(file: &mut File, entry: Range<u64>) -> Option<u8> {
    let place = elements(file, entry, TRACK_TYPE, 1).pop()?;
    let mut byte = [0];
    file.seek(SeekFrom::Start(place.start)).and_then(|_| file.read_exact(&mut byte)).ok()?;
    Some(byte[0])
}

/// The contents of the first `count` elements with this id among those within `range`.
fn elements(file: &mut File, range: Range<u64>, wanted: u64, count: usize) -> Vec<Range<u64>> {
    let (mut found, mut at) = (Vec::new(), range.start);
    for _ in 0..MAX_ELEMENTS {
        let Some((id, id_bytes)) = number(file, at).filter(|_| at < range.end && found.len() < count) else { break };
        let Some((size, size_bytes)) = number(file, at + id_bytes) else { break };
        let start = at + id_bytes + size_bytes;
        if start > range.end {
            break;
        }
        let marker = 1 << (7 * size_bytes);
        let size = size & (marker - 1);
        // All ones say that the size is not known.
        let end = if size == marker - 1 { range.end } else { start.saturating_add(size).min(range.end) };
        if id == wanted {
            found.push(start..end);
        }
        at = end;
    }
    found
}

/// A number of variable length with its marker (RFC 8794, section 4), and its bytes.
fn number(file: &mut File, at: u64) -> Option<(u64, u64)> {
    let mut bytes = [0; 8];
    file.seek(SeekFrom::Start(at)).ok()?;
    file.read_exact(&mut bytes[..1]).ok()?;
    let length = bytes[0].leading_zeros() as usize + 1;
    file.read_exact(bytes.get_mut(1..length)?).ok()?;
    Some((bytes[..length].iter().fold(0, |value, &b| value << 8 | u64::from(b)), length as u64))
}
