//! Reduces the header of a FLAC to what decoding needs: damaged metadata is no reason to refuse the sound.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use super::window::Window;

/// The block that describes the coding of the sound, and its size.
const STREAM_INFO: u8 = 0;
const STREAM_INFO_BYTES: usize = 34;

/// The shortest and the longest block (RFC 9639, section 8.2).
const MIN_BLOCK: u16 = 16;
const MAX_BLOCK: u16 = u16::MAX;

/// Most metadata blocks that are read; no file has as many.
const MAX_BLOCKS: usize = 1 << 12;

/// Returns the window with a header of STREAMINFO alone, followed by the frames; unchanged if there is no STREAMINFO.
pub(super) fn cleaned(mut window: Window) -> io::Result<Window> {
    let range = window.range();
    let (mut at, mut info) = (4, None);
    for _ in 0..MAX_BLOCKS {
        let mut block = Vec::new();
        window.seek(SeekFrom::Start(at))?;
        window.by_ref().take(4 + STREAM_INFO_BYTES as u64).read_to_end(&mut block)?;
        let Some(&[kind, a, b, c]) = block.first_chunk() else { break };
        let bytes = u64::from(u32::from_be_bytes([0, a, b, c]));
        // Data that begins like a frame, or extends past the end, is not metadata.
        if kind == 0xff || range.start + at + 4 + bytes > range.end {
            break;
        }
        at += 4 + bytes;
        if kind & 0x7f == STREAM_INFO && info.is_none() {
            info = block[4..].first_chunk::<STREAM_INFO_BYTES>().copied();
        }
        if kind & 0x80 != 0 {
            break;
        }
    }
    window.rewind()?;
    let Some(info) = info else { return Ok(window) };
    let header = [b"fLaC", &[0x80 | STREAM_INFO, 0, 0, STREAM_INFO_BYTES as u8][..], &legal(info)].concat();
    let start = range.start + at;
    let mut window = window.with_head(header, start);
    window.rewind()?;
    Ok(window)
}

/// Corrects bounds of block and frame sizes that old encoders omitted or swapped.
fn legal(mut info: [u8; STREAM_INFO_BYTES]) -> [u8; STREAM_INFO_BYTES] {
    let short = |at: usize| u16::from_be_bytes([info[at], info[at + 1]]);
    let long = |at: usize| u32::from_be_bytes([0, info[at], info[at + 1], info[at + 2]]);
    let (min, max) = (short(0), short(2));
    let max = if max < MIN_BLOCK { MAX_BLOCK } else { max };
    // In a stream of fixed block size, frames are numbered in blocks of that size: the largest, as only the last frame
    // is shorter.
    let min = if (MIN_BLOCK..=max).contains(&min) { min } else { max };
    let frames = [long(4), long(7)];
    if frames[0] > frames[1] {
        info[4..10].fill(0);
    }
    info[..2].copy_from_slice(&min.to_be_bytes());
    info[2..4].copy_from_slice(&max.to_be_bytes());
    info
}

#[cfg(test)]
mod tests {
    use super::super::output_spec::{Format, SampleFormat};
    use super::super::testing::{decode, encoded, on_grid};

    /// Creates a FLAC with these blocks after STREAMINFO. Returns it with its frames.
    fn with_blocks(blocks: &[(u8, &[u8])], change: impl FnOnce(&mut [u8])) -> (Vec<u8>, Vec<[f32; 2]>) {
        let frames = on_grid(10_000, 16);
        let file = encoded(Format::Flac, SampleFormat::Int16, &frames);
        let mut at = 4;
        let next = |at: usize| at + 4 + u32::from_be_bytes([0, file[at + 1], file[at + 2], file[at + 3]]) as usize;
        while file[at] & 0x80 == 0 {
            at = next(at);
        }
        let mut made = file[..42].to_vec();
        change(&mut made);
        made[4] = 0;
        for (kind, body) in blocks {
            made.push(*kind);
            made.extend(&(body.len() as u32).to_be_bytes()[1..]);
            made.extend_from_slice(body);
        }
        made.extend(b"\x81\0\0\0");
        made.extend(&file[next(at)..]);
        (made, frames)
    }

    #[test]
    fn damaged_metadata_costs_no_sound() {
        let comments: &[u8] = b"\0\0\0\0\x03\0\0\0";
        let long_comment: &[u8] = b"\xff\xff\xff\xff";
        let cases: [&[(u8, &[u8])]; 6] = [
            &[(4, comments)],
            &[(4, long_comment), (4, long_comment)],
            &[(5, b"no cue sheet")],
            &[(6, b"\0\0\0\x03\xff\xff\xff\xff")],
            &[(3, b"seek"), (3, b"seek"), (126, b"?")],
            &[(2, b"")],
        ];
        for blocks in cases {
            let (file, frames) = with_blocks(blocks, |_| ());
            let (_, read, warnings) = decode(&file).expect("a FLAC");
            assert!(read == frames && warnings.is_empty(), "{blocks:?}: {warnings:?}");
        }
    }

    #[test]
    fn sizes_that_old_encoders_left_out_are_not_needed() {
        for change in [
            |header: &mut [u8]| header[8..10].fill(0),
            |header: &mut [u8]| header[8..12].fill(0),
            |header: &mut [u8]| header[8..10].fill(0xff),
            |header: &mut [u8]| header[12..15].fill(0xff),
        ] {
            let (file, frames) = with_blocks(&[], change);
            let (_, read, warnings) = decode(&file).expect("a FLAC");
            assert!(read == frames && warnings.is_empty(), "{warnings:?}");
        }
    }
}
