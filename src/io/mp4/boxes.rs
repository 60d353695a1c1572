//! The boxes of an MP4 (ISO/IEC 14496-12).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Boxes are nested no deeper than this where it matters, and a level has no more of them than this.
const MAX_BOXES: usize = 4096;

#[derive(Clone, Copy)]
pub(super) struct Span {
    pub name: [u8; 4],
    pub start: u64,
    pub end: u64,
}

/// Whether there is a track of sound; `None` where there is no index of tracks.
pub(in crate::io) fn has_sound(file: &mut File) -> Option<bool> {
    let movie = whole(file).and_then(|whole| child(file, whole, b"moov"))?;
    child(file, movie, b"trak")?;
    Some(track(file, movie, is_sound).is_some())
}

pub(super) fn whole(file: &File) -> Option<Span> {
    Some(Span { name: *b"root", start: 0, end: file.metadata().ok()?.len() })
}

/// The first track of a movie that is wanted.
pub(super) fn track(file: &mut File, movie: Span, is_wanted: impl Fn(&mut File, Span) -> bool) -> Option<Span> {
    let tracks = children(file, movie).ok()?.into_iter().filter(|b| &b.name == b"trak");
    tracks.into_iter().find(|&track| is_wanted(file, track))
}

pub(super) fn is_sound(file: &mut File, track: Span) -> bool {
    let handler = child(file, track, b"mdia").and_then(|media| child(file, media, b"hdlr"));
    handler.and_then(|handler| bytes(file, handler, 8)) == Some(*b"soun")
}

/// The units per second in a movie or media header.
pub(super) fn timescale(file: &mut File, header: Span) -> Option<u32> {
    let version = bytes::<1>(file, header, 0)?[0];
    bytes(file, header, if version == 1 { 20 } else { 12 }).map(u32::from_be_bytes)
}

/// The id in a track header.
pub(super) fn id(file: &mut File, header: Span) -> Option<u32> {
    let version = bytes::<1>(file, header, 0)?[0];
    bytes(file, header, if version == 1 { 20 } else { 12 }).map(u32::from_be_bytes)
}

pub(super) fn bytes<const N: usize>(file: &mut File, span: Span, at: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if span.start + at + N as u64 > span.end {
        return None;
    }
    file.seek(SeekFrom::Start(span.start + at)).ok()?;
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

pub(super) fn child(file: &mut File, parent: Span, name: &[u8; 4]) -> Option<Span> {
    children(file, parent).ok()?.into_iter().find(|b| &b.name == name)
}

pub(super) fn children(file: &mut File, parent: Span) -> io::Result<Vec<Span>> {
    let mut boxes = Vec::new();
    let mut at = parent.start;
    while at + 8 <= parent.end && boxes.len() < MAX_BOXES {
        let mut header = [0; 16];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut header[..8])?;
        let short = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
        let (size, head) = match short {
            0 => (parent.end - at, 8),
            1 if at + 16 <= parent.end => {
                file.read_exact(&mut header[8..])?;
                (u64::from_be_bytes(std::array::from_fn(|k| header[8 + k])), 16)
            }
            size => (u64::from(size), 8),
        };
        let Some(end) = at.checked_add(size).filter(|&end| size >= head && end <= parent.end) else { break };
        boxes.push(Span { name: [header[4], header[5], header[6], header[7]], start: at + head, end });
        at = end;
    }
    Ok(boxes)
}
