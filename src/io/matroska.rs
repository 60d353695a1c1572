//! Reads from a Matroska file (RFC 9559) what its demuxer does not report: whether it contains sound, and how much
//! padding is at its end.

use std::ops::Range;

use super::bytes::ReadAt;

/// The element that contains the whole file after its header.
pub(super) const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK_ENTRY: u32 = 0xae;
const TRACK_TYPE: u32 = 0x83;

const CLUSTER: u32 = 0x1f43_b675;
const BLOCK_GROUP: u32 = 0xa0;
const DISCARD_PADDING: u32 = 0x75a2;

/// The track type of sound.
const IS_SOUND: u8 = 2;

/// Most elements of one level that are examined.
const MAX_ELEMENTS: usize = 1 << 12;

/// True if the file has a sound track; `None` if its list of tracks is not found.
pub(super) fn has_sound(file: &mut impl ReadAt) -> Option<bool> {
    let whole = 0..file.len();
    let segment = elements(file, whole, SEGMENT, 1).pop()?;
    let tracks = elements(file, segment, TRACKS, 1).pop()?;
    let entries = elements(file, tracks, TRACK_ENTRY, MAX_ELEMENTS);
    Some(entries.into_iter().any(|entry| track_type(file, entry) == Some(IS_SOUND)))
}

/// Returns the padding at the end of the sound according to its last block, nanoseconds.
pub(super) fn padding_ns(file: &mut impl ReadAt) -> Option<u64> {
    let whole = 0..file.len();
    let segment = elements(file, whole, SEGMENT, 1).pop()?;
    let cluster = elements(file, segment, CLUSTER, MAX_ELEMENTS).pop()?;
    let group = elements(file, cluster, BLOCK_GROUP, MAX_ELEMENTS).pop()?;
    let padding = elements(file, group, DISCARD_PADDING, 1).pop()?;
    let length = Some(padding.end - padding.start).filter(|length| (1..=8).contains(length))?;
    let bytes = file.bytes(padding.start, length)?;
    // A signed number of variable size; a negative one would be padding at the start.
    let value = bytes.iter().fold(0_u64, |value, &b| value << 8 | u64::from(b)) << (8 * (8 - length));
    u64::try_from(value.cast_signed() >> (8 * (8 - length))).ok()
}

fn track_type(file: &mut impl ReadAt, entry: Range<u64>) -> Option<u8> {
    let place = elements(file, entry, TRACK_TYPE, 1).pop()?;
    file.array(place.start).map(|[kind]| kind)
}

/// Returns the contents of the first `count` elements with this id within `range`.
fn elements(file: &mut impl ReadAt, range: Range<u64>, wanted: u32, count: usize) -> Vec<Range<u64>> {
    let (mut found, mut at) = (Vec::new(), range.start);
    for _ in 0..MAX_ELEMENTS {
        let is_over = at >= range.end || found.len() == count;
        let Some((id, content)) = element(file, at, range.end).filter(|_| !is_over) else { break };
        at = content.end;
        if id == wanted {
            found.push(content);
        }
    }
    found
}

/// Returns id and content of the element at `at`, which ends at `end` at the latest.
pub(super) fn element(file: &mut impl ReadAt, at: u64, end: u64) -> Option<(u32, Range<u64>)> {
    let (id, id_bytes) = number(file, at)?;
    let (size, size_bytes) = number(file, at + id_bytes)?;
    let start = at + id_bytes + size_bytes;
    if start > end {
        return None;
    }
    let marker = 1 << (7 * size_bytes);
    let size = size & (marker - 1);
    // All ones: the size is unknown.
    let stop = if size == marker - 1 { end } else { start.saturating_add(size).min(end) };
    Some((u32::try_from(id).ok()?, start..stop))
}

/// Reads a number of variable size including its marker bit (RFC 8794, section 4). Returns it with its size in bytes.
fn number(file: &mut impl ReadAt, at: u64) -> Option<(u64, u64)> {
    let [first] = file.array(at)?;
    let length = u64::from(first.leading_zeros()) + 1;
    // A first byte without a marker bit is not allowed.
    let bytes = file.bytes(at, length).filter(|_| length <= 8)?;
    Some((bytes.iter().fold(0, |value, &b| value << 8 | u64::from(b)), length))
}
