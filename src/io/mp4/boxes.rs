//! The boxes of an MP4 (ISO/IEC 14496-12).

use crate::io::bytes::ReadAt;

/// Most boxes of one level that are read: far more than any music file has.
const MAX_BOXES: usize = 10_000;

/// A box: its name, and start and end of its content.
#[derive(Clone, Copy)]
pub(in crate::io) struct Span {
    pub name: [u8; 4],
    pub start: u64,
    pub end: u64,
}

/// True if there is a sound track; `None` if there is no list of tracks.
pub(in crate::io) fn has_sound(file: &mut impl ReadAt) -> Option<bool> {
    let movie = movie(file)?;
    child(file, movie, b"trak")?;
    Some(track(file, movie, is_sound).is_some())
}

/// Returns the box that describes the content of a file.
pub(in crate::io) fn movie(file: &mut impl ReadAt) -> Option<Span> {
    let whole = whole(file);
    child(file, whole, b"moov")
}

/// Returns a span over the whole file.
pub(super) fn whole(file: &impl ReadAt) -> Span {
    Span { name: *b"root", start: 0, end: file.len() }
}

/// Returns the first track of a movie for which `is_wanted` is true.
pub(super) fn track<B: ReadAt>(file: &mut B, movie: Span, is_wanted: impl Fn(&mut B, Span) -> bool) -> Option<Span> {
    let tracks = children(file, movie).into_iter().filter(|b| &b.name == b"trak");
    tracks.into_iter().find(|&track| is_wanted(file, track))
}

/// True if a track contains sound.
pub(super) fn is_sound(file: &mut impl ReadAt, track: Span) -> bool {
    let handler = child(file, track, b"mdia").and_then(|media| child(file, media, b"hdlr"));
    handler.and_then(|handler| bytes(file, handler, 8)) == Some(*b"soun")
}

/// Returns the time units per second in a movie or media header.
pub(super) fn timescale(file: &mut impl ReadAt, header: Span) -> Option<u32> {
    let version = bytes::<1>(file, header, 0)?[0];
    bytes(file, header, if version == 1 { 20 } else { 12 }).map(u32::from_be_bytes)
}

/// Returns the id in a track header.
pub(super) fn id(file: &mut impl ReadAt, header: Span) -> Option<u32> {
    let version = bytes::<1>(file, header, 0)?[0];
    bytes(file, header, if version == 1 { 20 } else { 12 }).map(u32::from_be_bytes)
}

/// Reads a fixed number of bytes within a box, from the offset `at` on.
pub(super) fn bytes<const N: usize>(file: &mut impl ReadAt, span: Span, at: u64) -> Option<[u8; N]> {
    if span.start + at + N as u64 > span.end {
        return None;
    }
    file.array(span.start + at)
}

/// Returns the first box of this name within another.
pub(in crate::io) fn child(file: &mut impl ReadAt, parent: Span, name: &[u8; 4]) -> Option<Span> {
    children(file, parent).into_iter().find(|b| &b.name == name)
}

/// Returns the boxes within another, up to the first invalid one.
pub(in crate::io) fn children(file: &mut impl ReadAt, parent: Span) -> Vec<Span> {
    first_children(file, parent, MAX_BOXES)
}

/// As [`children`], up to `count` boxes.
pub(super) fn first_children(file: &mut impl ReadAt, parent: Span, count: usize) -> Vec<Span> {
    let mut boxes = Vec::new();
    let mut at = parent.start;
    while at + 8 <= parent.end && boxes.len() < count {
        let Some([a, b, c, d, name @ ..]) = file.array::<8>(at) else { break };
        let (size, head) = match u32::from_be_bytes([a, b, c, d]) {
            0 => (parent.end - at, 8),
            1 => (file.array(at + 8).map_or(0, u64::from_be_bytes), 16),
            size => (u64::from(size), 8),
        };
        let Some(end) = at.checked_add(size).filter(|&end| size >= head && end <= parent.end) else { break };
        boxes.push(Span { name, start: at + head, end });
        at = end;
    }
    boxes
}
