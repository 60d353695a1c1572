//! What an MP4 says about the start and end of its sound: the edit list (ISO/IEC 14496-12, 8.6.6).
//!
//! An AAC encoder starts with priming samples that are no music; the edit list says how many. Edits are counted in
//! packets at the end: the last packet that an edit reaches into is kept whole, as common players and ffmpeg do.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// The sound of a track that is to be heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Edit {
    /// Units of the media timescale before the sound starts.
    pub start: u64,
    /// Units of the media timescale after which the sound ends.
    pub end: Option<u64>,
    /// Units per second.
    pub timescale_hz: u32,
    /// Several parts are joined, which is not followed.
    pub is_complex: bool,
}

/// Boxes are nested no deeper than this where it matters, and a level has no more of them than this.
const MAX_BOXES: usize = 4096;

/// More edits than any music file has.
const MAX_EDITS: u32 = 64;

#[derive(Clone, Copy)]
struct Span {
    name: [u8; 4],
    start: u64,
    end: u64,
}

/// The edit of the track with this id; `None` where there is none or it cannot be read.
pub(super) fn edit(file: &mut File, track_id: u32) -> Option<Edit> {
    let file_bytes = file.metadata().ok()?.len();
    let whole = Span { name: *b"root", start: 0, end: file_bytes };
    let movie = child(file, whole, b"moov")?;
    let movie_header = child(file, movie, b"mvhd")?;
    let movie_timescale_hz = timescale(file, movie_header)?;
    for track in children(file, movie).ok()?.into_iter().filter(|b| &b.name == b"trak") {
        let Some(header) = child(file, track, b"tkhd") else { continue };
        if id(file, header) != Some(track_id) {
            continue;
        }
        let media = child(file, track, b"mdia")?;
        let media_header = child(file, media, b"mdhd")?;
        let timescale_hz = timescale(file, media_header)?;
        let unedited = Edit { timescale_hz, ..Edit::default() };
        let list = child(file, track, b"edts").and_then(|edits| child(file, edits, b"elst"));
        return Some(list.and_then(|l| read_list(file, l, movie_timescale_hz, timescale_hz)).unwrap_or(unedited));
    }
    None
}

fn read_list(file: &mut File, list: Span, movie_timescale_hz: u32, timescale_hz: u32) -> Option<Edit> {
    let head = bytes::<8>(file, list, 0)?;
    let is_long = head[0] == 1;
    let count = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
    let mut parts = Vec::new();
    for i in 0..count.min(MAX_EDITS) {
        let (duration, start) = if is_long {
            let entry = bytes::<20>(file, list, 8 + u64::from(i) * 20)?;
            let long = |at: usize| u64::from_be_bytes(std::array::from_fn(|k| entry[at + k]));
            (long(0), long(8) as i64)
        } else {
            let entry = bytes::<12>(file, list, 8 + u64::from(i) * 12)?;
            let word = |at: usize| u32::from_be_bytes(std::array::from_fn(|k| entry[at + k]));
            (u64::from(word(0)), i64::from(word(4) as i32))
        };
        // An edit without media delays what follows against the other tracks.
        if let Ok(start) = u64::try_from(start) {
            parts.push((start, duration));
        }
    }
    let &(start, duration) = parts.first()?;
    if parts.len() > 1 || count > MAX_EDITS {
        return Some(Edit { timescale_hz, is_complex: true, ..Edit::default() });
    }
    let length = u128::from(duration) * u128::from(timescale_hz) / u128::from(movie_timescale_hz.max(1));
    let length = u64::try_from(length).ok().filter(|&l| l > 0);
    Some(Edit { start, end: length.and_then(|l| start.checked_add(l)), timescale_hz, is_complex: false })
}

/// The units per second in a movie or media header.
fn timescale(file: &mut File, header: Span) -> Option<u32> {
    let version = bytes::<1>(file, header, 0)?[0];
    bytes(file, header, if version == 1 { 20 } else { 12 }).map(u32::from_be_bytes)
}

/// The id in a track header.
fn id(file: &mut File, header: Span) -> Option<u32> {
    let version = bytes::<1>(file, header, 0)?[0];
    bytes(file, header, if version == 1 { 20 } else { 12 }).map(u32::from_be_bytes)
}

fn bytes<const N: usize>(file: &mut File, span: Span, at: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if span.start + at + N as u64 > span.end {
        return None;
    }
    file.seek(SeekFrom::Start(span.start + at)).ok()?;
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn child(file: &mut File, parent: Span, name: &[u8; 4]) -> Option<Span> {
    children(file, parent).ok()?.into_iter().find(|b| &b.name == name)
}

fn children(file: &mut File, parent: Span) -> io::Result<Vec<Span>> {
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
