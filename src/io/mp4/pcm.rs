//! Locates uncompressed sound in MP4 and QuickTime (Apple, *QuickTime File Format*; ISO/IEC 23003-5), and finds its
//! sample format.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path;

use super::boxes::{Span, bytes, child, children, is_sound, movie, timescale, track};
use super::edit::of_track;
use crate::io::error::{Error, Warning};
use crate::io::pcm::{Encoding, Layout};

/// Flags of linear PCM in version 2 of a sample entry.
const IS_FLOAT: u32 = 1;
const IS_BIG_ENDIAN: u32 = 2;

/// Bytes of a sample entry before its boxes, in versions 0 to 2.
const ENTRY_BYTES: [u64; 3] = [28, 44, 64];

/// Largest table that is read, bytes; no music needs a larger one.
const MAX_TABLE_BYTES: u64 = 64 << 20;

/// Sample format of a codec.
struct Samples {
    encoding: Encoding,
    big_endian: bool,
    bits: u32,
}

/// Returns the layout of the first sound track, if it is not compressed.
pub(in crate::io) fn read(file: &mut File, path: &Path) -> Result<Option<Layout>, Error> {
    let Some((movie, track, table)) = sound_table(file) else { return Ok(None) };
    let Some((channels, rate_hz, samples)) = child(file, table, b"stsd").and_then(|stsd| entry(file, stsd)) else {
        return Ok(None);
    };
    if !(1..=2).contains(&channels) {
        return Err(Error::Channels { path: path.to_owned(), count: channels });
    }
    if child(file, movie, b"mvex").is_some() {
        let codec = "uncompressed sound in a fragmented MP4".to_owned();
        return Err(Error::UnsupportedCodec { path: path.to_owned(), codec });
    }
    let media_rate_hz = child(file, track, b"mdia").and_then(|media| child(file, media, b"mdhd"));
    let media_rate_hz = media_rate_hz.and_then(|header| timescale(file, header)).unwrap_or(0);
    let frame_bytes = u64::from(channels) * samples.encoding.bytes() as u64;
    let damaged = || Error::Damaged { path: path.to_owned(), cause: "its index makes no sense".to_owned() };
    let mut pieces = chunks(file, table, frame_bytes).ok_or_else(damaged)?;
    let file_bytes = file.metadata().map_err(|e| Error::reading(path, &e))?.len();
    let promised: u64 = pieces.iter().map(|piece| (piece.end - piece.start) / frame_bytes).sum();
    let mut warnings = Vec::new();
    for piece in &mut pieces {
        piece.start = piece.start.min(file_bytes);
        let there = piece.end.min(file_bytes) - piece.start;
        piece.end = piece.start + there - there % frame_bytes;
    }
    let count = |pieces: &[Range<u64>]| pieces.iter().map(|piece| (piece.end - piece.start) / frame_bytes).sum::<u64>();
    let there = count(&pieces);
    // Chunks may lie in any order, but they cannot overlap.
    if there * frame_bytes > file_bytes {
        return Err(damaged());
    }
    if promised > there {
        warnings.push(Warning::missing(promised, there, true));
    }
    match of_track(file, movie, track) {
        Some(edit) if edit.is_complex => warnings.push(Warning::EditList),
        Some(edit) if edit.timescale_hz > 0 => {
            let frame = |units: u64| u128::from(units) * u128::from(rate_hz.max(1)) / u128::from(edit.timescale_hz);
            let frame = |units| u64::try_from(frame(units)).unwrap_or(u64::MAX);
            pieces = within(pieces, frame(edit.start), edit.end.map_or(u64::MAX, frame), frame_bytes);
        }
        _ => {}
    }
    let float = if matches!(samples.encoding, Encoding::Float32 | Encoding::Float64) { " float" } else { "" };
    let plain = || format!("PCM {} bit{float}", samples.bits);
    let layout = Layout {
        encoding: samples.encoding,
        big_endian: samples.big_endian,
        channels,
        sample_rate_hz: if rate_hz == 0 { media_rate_hz } else { rate_hz },
        valid_bits: samples.bits,
        data_start: 0,
        data_bytes: count(&pieces) * frame_bytes,
        pieces,
        claimed_bytes: None,
        codec: samples.encoding.law_name().map_or_else(plain, str::to_owned),
        warnings,
    };
    Ok(Some(layout))
}

/// Returns the movie, its first sound track, and the sample table of that track.
fn sound_table(file: &mut File) -> Option<(Span, Span, Span)> {
    let movie = movie(file)?;
    let track = track(file, movie, is_sound)?;
    let media = child(file, track, b"mdia")?;
    let information = child(file, media, b"minf")?;
    Some((movie, track, child(file, information, b"stbl")?))
}

/// Returns channels, rate (0 if the rate of the media applies) and sample format of the first sample entry, if it is
/// uncompressed.
fn entry(file: &mut File, description: Span) -> Option<(u32, u32, Samples)> {
    let entries = Span { start: description.start + 8, ..description };
    let entry = children(file, entries).into_iter().next()?;
    let short = |file: &mut File, at| bytes(file, entry, at).map(|b| u32::from(u16::from_be_bytes(b)));
    let version = short(file, 8)? as usize;
    let mut channels = short(file, 16)?;
    let mut bits = short(file, 18)?;
    let mut rate_hz = u32::from_be_bytes(bytes(file, entry, 24)?) >> 16;
    let (mut flags, mut is_little) = (0, false);
    if version == 2 {
        let word = |file: &mut File, at| bytes(file, entry, at).map(u32::from_be_bytes);
        rate_hz = bytes(file, entry, 32).map(f64::from_be_bytes)? as u32;
        (channels, bits, flags) = (word(file, 40)?, word(file, 48)?, word(file, 52)?);
    }
    let boxes = Span { start: entry.start + ENTRY_BYTES.get(version)?, ..entry };
    let inner = children(file, boxes);
    for part in inner {
        match &part.name {
            b"wave" => {
                let order = child(file, part, b"enda").and_then(|order| bytes(file, order, 0));
                is_little |= order.is_some_and(|order| u16::from_be_bytes(order) == 1);
            }
            b"enda" => is_little |= bytes(file, part, 0).is_some_and(|order| u16::from_be_bytes(order) == 1),
            b"pcmC" => {
                let [order, depth] = bytes(file, part, 4)?;
                (is_little, bits) = (order & 1 == 1, u32::from(depth));
            }
            _ => {}
        }
    }
    let (float, signed) = (
        |bits| if bits == 64 { Encoding::Float64 } else { Encoding::Float32 },
        |bits: u32| Encoding::Signed { bytes: bits.div_ceil(8) as u8 },
    );
    let (encoding, big_endian, bits) = match (&entry.name, bits) {
        (b"raw " | b"NONE", 8) => (Encoding::Unsigned8, true, 8),
        (b"raw " | b"NONE" | b"twos", 8 | 16 | 24 | 32) => (signed(bits), true, bits),
        (b"sowt", 8 | 16 | 24 | 32) => (signed(bits), false, bits),
        (b"in24", _) => (signed(24), !is_little, 24),
        (b"in32", _) => (signed(32), !is_little, 32),
        (b"fl32", _) => (Encoding::Float32, !is_little, 32),
        (b"fl64", _) => (Encoding::Float64, !is_little, 64),
        (b"ipcm", 8 | 16 | 24 | 32) => (signed(bits), !is_little, bits),
        (b"fpcm", 32 | 64) => (float(bits), !is_little, bits),
        (b"lpcm", 32 | 64) if version == 2 && flags & IS_FLOAT != 0 => (float(bits), flags & IS_BIG_ENDIAN != 0, bits),
        (b"lpcm", 8 | 16 | 24 | 32) if version == 2 => (signed(bits), flags & IS_BIG_ENDIAN != 0, bits),
        (b"ulaw", _) => (Encoding::MuLaw, true, 8),
        (b"alaw", _) => (Encoding::ALaw, true, 8),
        _ => return None,
    };
    Some((channels, rate_hz, Samples { encoding, big_endian, bits }))
}

/// Returns the ranges of the chunks of sound (ISO/IEC 14496-12, 8.7).
fn chunks(file: &mut File, table: Span, frame_bytes: u64) -> Option<Vec<Range<u64>>> {
    let offsets: Vec<u64> = match child(file, table, b"stco") {
        Some(offsets) => words(file, offsets, 8)?.into_iter().map(u64::from).collect(),
        None => {
            let offsets = child(file, table, b"co64")?;
            words(file, offsets, 8)?
                .as_chunks::<2>()
                .0
                .iter()
                .map(|[a, b]| u64::from(*a) << 32 | u64::from(*b))
                .collect()
        }
    };
    let sizes = child(file, table, b"stsz")?;
    let constant = u64::from(u32::from_be_bytes(bytes(file, sizes, 4)?));
    let mut left = u64::from(u32::from_be_bytes(bytes(file, sizes, 8)?));
    let sizes = if constant == 0 { words(file, sizes, 12)? } else { Vec::new() };
    // QuickTime gives the size of a sample, which is a frame, as one byte or as its real size.
    let sample_bytes = if constant % frame_bytes == 0 { constant } else { frame_bytes };
    let runs = child(file, table, b"stsc")?;
    let runs = words(file, runs, 8)?;
    let runs = runs.as_chunks::<3>().0;
    let (mut run, mut sample) = (0, 0);
    let mut chunks = Vec::with_capacity(offsets.len());
    for (n, offset) in offsets.into_iter().enumerate() {
        while runs.get(run + 1).is_some_and(|next| next[0] as usize <= n + 1) {
            run += 1;
        }
        let samples = u64::from(runs.get(run)?[1]).min(left);
        left -= samples;
        let length = if constant == 0 {
            let inside = sizes.get(sample..sample + samples as usize)?;
            sample += samples as usize;
            inside.iter().map(|&size| u64::from(size)).sum()
        } else {
            samples.checked_mul(sample_bytes)?
        };
        chunks.push(offset..offset.checked_add(length)?);
    }
    Some(chunks)
}

/// Reads all 32-bit words of a table, from the offset `at` on.
fn words(file: &mut File, table: Span, at: u64) -> Option<Vec<u32>> {
    let length = (table.end - table.start).checked_sub(at).filter(|&length| length <= MAX_TABLE_BYTES)?;
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(table.start + at)).ok()?;
    file.read_exact(&mut bytes).ok()?;
    Some(bytes.as_chunks().0.iter().map(|word| u32::from_be_bytes(*word)).collect())
}

/// Cuts the pieces to the frames from `start` to `end`.
fn within(pieces: Vec<Range<u64>>, start: u64, end: u64, frame_bytes: u64) -> Vec<Range<u64>> {
    let mut at = 0;
    let cut = |piece: Range<u64>| {
        let frames = (piece.end - piece.start) / frame_bytes;
        let inside = |frame: u64| piece.start + frame.clamp(at, at + frames).saturating_sub(at) * frame_bytes;
        let piece = inside(start)..inside(end);
        at += frames;
        (piece.start < piece.end).then_some(piece)
    };
    pieces.into_iter().filter_map(cut).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::io::testing::{assert_survives, boxed, config, damage, decode, frames_of, samples};

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// Creates a movie with one frame of stereo per chunk, the last chunk first.
    fn movie(entry: &[u8], frames: &[Vec<u8>], edit: Option<[u32; 2]>) -> Vec<u8> {
        let header = |name: &[u8; 4], timescale: u32| {
            let mut body = vec![0; 100];
            body[12..16].copy_from_slice(&timescale.to_be_bytes());
            boxed(name, &body)
        };
        let first = 8 + 8 + 8;
        let data: Vec<u8> = frames.iter().rev().flatten().copied().collect();
        let offsets: Vec<u32> = (0..frames.len()).rev().map(|n| (first + n * frames[0].len()) as u32).collect();
        let table = [
            boxed(b"stsd", &[words(&[0, 1]), entry.to_vec()].concat()),
            boxed(b"stsc", &words(&[0, 1, 1, 1, 1])),
            boxed(b"stsz", &words(&[0, 1, frames.len() as u32])),
            boxed(b"stco", &[words(&[0, offsets.len() as u32]), words(&offsets)].concat()),
        ];
        let handler = boxed(b"hdlr", &[&[0; 8][..], b"soun", &[0; 12]].concat());
        let media = [header(b"mdhd", 44_100), handler, boxed(b"minf", &boxed(b"stbl", &table.concat()))];
        let edits =
            edit.map(|[length, start]| boxed(b"edts", &boxed(b"elst", &words(&[0, 1, length, start, 1 << 16]))));
        let track = [header(b"tkhd", 1), edits.unwrap_or_default(), boxed(b"mdia", &media.concat())];
        let moov = [header(b"mvhd", 44_100), boxed(b"trak", &track.concat())];
        [boxed(b"ftyp", b"qt  \0\0\0\0"), boxed(b"mdat", &data), boxed(b"moov", &moov.concat())].concat()
    }

    fn entry(name: &[u8; 4], version: u16, bits: u16, rest: &[u8]) -> Vec<u8> {
        let head = [0, 0, 0, 1, version, 0, 0, 0, 2, bits, 0, 0, 44_100, 0];
        let head: Vec<u8> = head.into_iter().flat_map(u16::to_be_bytes).collect();
        boxed(name, &[&head[..], rest].concat())
    }

    #[test]
    fn every_byte_order_is_read_exactly() {
        let little = boxed(b"wave", &boxed(b"enda", &[0, 1]));
        let version_1 = |rest: &[u8]| [&[0; 16], rest].concat();
        let version_2 = |bits: u32, flags: u32| {
            [words(&[72]), 44_100_f64.to_be_bytes().to_vec(), words(&[2, 0x7f00_0000, bits, flags, 0, 1])].concat()
        };
        let pcm = |order: u8, bits: u8| boxed(b"pcmC", &[0, 0, 0, 0, order, bits]);
        let half = [0.5_f64, -0.5];
        let int = |bits: u32, big: bool| -> Vec<u8> {
            half.iter()
                .flat_map(|x| {
                    let mut bytes =
                        (((x * 2_147_483_648.0) as i32) >> (32 - bits)).to_be_bytes()[4 - bits as usize / 8..].to_vec();
                    if !big {
                        bytes.reverse()
                    }
                    bytes
                })
                .collect()
        };
        let cases = [
            (entry(b"twos", 0, 16, &[]), int(16, true)),
            (entry(b"sowt", 0, 16, &[]), int(16, false)),
            (entry(b"in24", 1, 16, &version_1(&[])), int(24, true)),
            (entry(b"in24", 1, 16, &version_1(&little)), int(24, false)),
            (entry(b"in32", 1, 16, &version_1(&[])), int(32, true)),
            (entry(b"lpcm", 2, 16, &version_2(24, 4)), int(24, false)),
            (entry(b"lpcm", 2, 16, &version_2(24, 6)), int(24, true)),
            (entry(b"ipcm", 0, 16, &pcm(1, 24)), int(24, false)),
            (entry(b"ipcm", 0, 16, &pcm(0, 16)), int(16, true)),
            (entry(b"fl32", 1, 16, &version_1(&[])), half.iter().flat_map(|x| (*x as f32).to_be_bytes()).collect()),
            (entry(b"fl32", 1, 16, &version_1(&little)), half.iter().flat_map(|x| (*x as f32).to_le_bytes()).collect()),
            (entry(b"fl64", 1, 16, &version_1(&[])), half.iter().flat_map(|x| x.to_be_bytes()).collect()),
            (entry(b"lpcm", 2, 16, &version_2(64, 3)), half.iter().flat_map(|x| x.to_be_bytes()).collect()),
        ];
        for (entry, frame) in cases {
            let silence = vec![0; frame.len()];
            let file = movie(&entry, &[frame, silence], None);
            let (info, frames, warnings) = decode(&file).expect("a movie");
            assert_eq!((info.sample_rate_hz, info.channels), (44_100, 2));
            assert_eq!((frames, warnings), (vec![[0.5, -0.5], [0.0; 2]], vec![]), "{}", info.codec);
        }
    }

    #[test]
    fn an_edit_says_which_frames_are_to_be_heard() {
        let frame = |value: u8| vec![value, 0, value, 0];
        let file = movie(&entry(b"twos", 0, 16, &[]), &[frame(0x10), frame(0x20), frame(0x40)], Some([1, 1]));
        assert_eq!(decode(&file).expect("a movie").1, [[0.25; 2]]);
    }

    #[test]
    fn a_movie_that_is_cut_off_or_turned_over_is_no_panic() {
        let whole = movie(&entry(b"twos", 0, 16, &[]), &[vec![1; 4], vec![2; 4]], None);
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0xff;
            let _ = (decode(&whole[..at]), decode(&flipped));
        }
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn any_sound_is_read_exactly_and_damage_is_no_panic(samples in samples(), damage in damage()) {
            let (bits, values) = &samples;
            let bytes = usize::from(*bits / 8);
            let word = |value: &i32| value.to_be_bytes()[4 - bytes..].to_vec();
            let frames: Vec<Vec<u8>> = values.chunks_exact(2).map(|pair| pair.iter().flat_map(word).collect()).collect();
            let entry = entry(b"ipcm", 0, 16, &boxed(b"pcmC", &[0, 0, 0, 0, 0, *bits as u8]));
            let file = movie(&entry, &frames, None);
            let (_, read, warnings) = decode(&file).expect("a movie");
            prop_assert_eq!((read, warnings), (frames_of(&samples), vec![]));
            assert_survives(file, &damage);
        }
    }
}
