//! Reads start and end of the sound in an MP4 from its edit list (ISO/IEC 14496-12, 8.6.6).
//!
//! An AAC encoder starts with priming samples that are not music; the edit list states their number. At the end, edits
//! apply to whole packets: the last packet that an edit reaches into is kept, as in common players and ffmpeg.

use std::fs::File;

use super::boxes::{Span, bytes, child, id, movie, timescale, track};

/// The part of a track's sound that is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::io) struct Edit {
    /// Start of the sound, in units of the media timescale.
    pub start: u64,
    /// End of the sound, in units of the media timescale; `None` is the end of the track.
    pub end: Option<u64>,
    /// Units per second of the media timescale.
    pub timescale_hz: u32,
    /// True if the edit list joins several parts; it is ignored then.
    pub is_complex: bool,
}

/// Most edits that are read; no music file has as many.
const MAX_EDITS: u32 = 64;

/// Returns the edit of the track with this id; `None` if there is none or it cannot be read.
pub(in crate::io) fn edit(file: &mut File, track_id: u32) -> Option<Edit> {
    let movie = movie(file)?;
    let track =
        track(file, movie, |file, track| child(file, track, b"tkhd").and_then(|h| id(file, h)) == Some(track_id))?;
    of_track(file, movie, track)
}

/// Returns the edit of a track.
pub(super) fn of_track(file: &mut File, movie: Span, track: Span) -> Option<Edit> {
    let movie_header = child(file, movie, b"mvhd")?;
    let movie_timescale_hz = timescale(file, movie_header)?;
    let media = child(file, track, b"mdia")?;
    let media_header = child(file, media, b"mdhd")?;
    let timescale_hz = timescale(file, media_header)?;
    let unedited = Edit { timescale_hz, ..Edit::default() };
    let list = child(file, track, b"edts").and_then(|edits| child(file, edits, b"elst"));
    Some(list.and_then(|l| read_list(file, l, movie_timescale_hz, timescale_hz)).unwrap_or(unedited))
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
        // An edit without media only delays the rest relative to the other tracks.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::testing::{boxed, file};

    /// Creates a version 0 header with one 32-bit value at this offset.
    fn header(name: &[u8; 4], at: usize, value: u32) -> Vec<u8> {
        let mut body = vec![0; 100];
        body[at..at + 4].copy_from_slice(&value.to_be_bytes());
        boxed(name, &body)
    }

    fn movie(edits: &[(u32, i32)]) -> Vec<u8> {
        let mut list = [&[0; 4][..], &(edits.len() as u32).to_be_bytes()].concat();
        for (duration, start) in edits {
            list.extend([&duration.to_be_bytes()[..], &start.to_be_bytes(), &[0, 1, 0, 0]].concat());
        }
        let track = [
            header(b"tkhd", 12, 7),
            boxed(b"edts", &boxed(b"elst", &list)),
            boxed(b"mdia", &header(b"mdhd", 12, 44_100)),
        ];
        let moov = [header(b"mvhd", 12, 1_000), boxed(b"trak", &track.concat())].concat();
        [boxed(b"ftyp", b"M4A "), boxed(b"moov", &moov)].concat()
    }

    fn edit_of(bytes: &[u8], track_id: u32) -> Option<Edit> {
        edit(&mut File::open(file(bytes).path()).expect("the file"), track_id)
    }

    #[test]
    fn an_edit_says_where_the_music_starts_and_ends() {
        let found = edit_of(&movie(&[(2_000, 1_024)]), 7).expect("an edit");
        let expected = Edit { start: 1_024, end: Some(1_024 + 88_200), timescale_hz: 44_100, is_complex: false };
        assert_eq!(found, expected);
    }

    #[test]
    fn an_empty_edit_is_a_delay_and_several_parts_are_not_followed() {
        let delayed = edit_of(&movie(&[(500, -1), (2_000, 1_024)]), 7).expect("an edit");
        assert_eq!((delayed.start, delayed.is_complex), (1_024, false));
        let joined = edit_of(&movie(&[(2_000, 1_024), (2_000, 99_999)]), 7).expect("an edit");
        assert_eq!((joined.start, joined.end, joined.is_complex), (0, None, true));
    }

    #[test]
    fn broken_boxes_give_no_edit() {
        let whole = movie(&[(2_000, 1_024)]);
        assert_eq!(edit_of(&whole, 8), None);
        for length in 0..whole.len() - 1 {
            assert_eq!(edit_of(&whole[..length], 7), None);
        }
    }
}
