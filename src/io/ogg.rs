//! Finds the length of an Ogg stream whose demuxer fails at damaged pages, and whether the stream is complete.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Size of two of the largest pages (RFC 3533, section 6): the last page lies within.
const TAIL_BYTES: u64 = 2 * 65_307;
/// Size of a page's header up to the number of its segments.
const HEADER_BYTES: usize = 27;
/// Flag of the last page of a stream.
const ENDS_STREAM: u8 = 4;

/// Returns the length of the stream with this serial number, in frames, if the last page of the file belongs to it.
pub(super) fn last_frame(file: &mut File, serial: u32) -> Option<u64> {
    let page = last_header(file)?;
    let is_ours = page[14..18] == serial.to_le_bytes();
    let position = i64::from_le_bytes(page[6..14].try_into().ok()?);
    u64::try_from(position).ok().filter(|_| is_ours)
}

/// True if the last page of the file is marked as the last of its stream.
pub(super) fn has_ended(file: &mut File) -> bool {
    last_header(file).is_some_and(|page| page[5] & ENDS_STREAM != 0)
}

/// Returns the header of the last page of the file.
fn last_header(file: &mut File) -> Option<[u8; HEADER_BYTES]> {
    let file_bytes = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(file_bytes.saturating_sub(TAIL_BYTES))).ok()?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail).ok()?;
    tail.windows(HEADER_BYTES).rev().find(|page| page.starts_with(b"OggS") && page[4] == 0)?.try_into().ok()
}
