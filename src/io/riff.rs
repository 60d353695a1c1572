//! Reads the headers of WAV, RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088).
//!
//! A header is never trusted where the file itself can be checked: sizes are limited to the data that is there.

use std::fs::File;
use std::path::Path;

use super::bytes::ReadAt as _;
use super::error::{Error, Warning};
use super::pcm::{Encoding, Layout};
use super::riff_chunk::Chunk;
use super::sample_width::{has_four_bytes, is_right_justified};

/// Format tags of WAVE_FORMAT (mmreg.h).
const TAG_PCM: u16 = 1;
const TAG_FLOAT: u16 = 3;
const TAG_A_LAW: u16 = 6;
const TAG_MU_LAW: u16 = 7;
const TAG_EXTENSIBLE: u16 = 0xfffe;

/// The end of every subformat GUID that contains a format tag: KSDATAFORMAT_SUBTYPE_* (ksmedia.h).
const SUBFORMAT_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// A size of unknown value: used in streams, and in RF64, where the `ds64` chunk contains the size.
const UNKNOWN_SIZE: u64 = u32::MAX as u64;

/// Most chunks that are read: more than any tool writes. A file of empty chunks must not take forever.
const MAX_CHUNKS: usize = 1 << 20;

/// Content of a WAV file.
pub(super) enum Wave {
    Pcm(Layout),
    /// Compressed sound.
    Other,
}

#[derive(Clone, Copy)]
struct Format {
    tag: u16,
    channels: u16,
    sample_rate_hz: u32,
    byte_rate: u32,
    frame_bytes: u16,
    bits: u16,
    valid_bits: u16,
    is_extensible: bool,
    standard_subformat: bool,
}

/// Reads the header of `file`, whose first bytes are known to be RIFF, RF64 or BW64.
pub(super) fn read(file: &mut File, path: &Path) -> Result<Wave, Error> {
    let damaged = |cause: &str| Error::Damaged { path: path.to_owned(), cause: cause.to_owned() };
    let unreadable = |e: std::io::Error| Error::reading(path, &e);
    let file_bytes = file.metadata().map_err(unreadable)?.len();
    let mut format = None;
    let mut long_data_bytes = None;
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let chunk = chunk(file, at).map_err(unreadable)?;
        let Some(chunk @ Chunk { id, body, size }) = chunk else { break };
        match &id {
            // The size of the whole file comes first.
            b"ds64" => {
                let size = file.try_array(body + 8).map_err(unreadable)?;
                long_data_bytes = size.map(u64::from_le_bytes);
            }
            b"fmt " => {
                format = Some(
                    read_format(file, size, body, file_bytes)
                        .map_err(unreadable)?
                        .ok_or_else(|| damaged("its format header is incomplete"))?,
                );
            }
            b"data" => {
                let format: Format = format.ok_or_else(|| damaged("it has sound but no format header"))?;
                if !matches!(
                    (format.tag, format.standard_subformat),
                    (TAG_PCM | TAG_FLOAT | TAG_A_LAW | TAG_MU_LAW, true)
                ) {
                    return Ok(Wave::Other);
                }
                return located(format, file, chunk, (long_data_bytes, file_bytes), path).map(Wave::Pcm);
            }
            _ => {}
        }
        at = chunk.next();
    }
    Err(match format {
        Some(_) => Error::Empty { path: path.to_owned() },
        None => damaged("it has neither a format header nor sound"),
    })
}

/// Finds the sound in the chunk `data`, as much as is really there. `long_bytes` is its size if the chunk has none.
fn located(
    format: Format,
    file: &mut File,
    data: Chunk,
    (long_bytes, file_bytes): (Option<u64>, u64),
    path: &Path,
) -> Result<Layout, Error> {
    let unreadable = |e: std::io::Error| Error::reading(path, &e);
    let claimed_bytes = claimed_bytes(file, data, long_bytes, file_bytes).map_err(unreadable)?;
    let there = file_bytes - data.body;
    let data_bytes = claimed_bytes.unwrap_or(there).min(there);
    let padded = is_padded(&format, file, data.body, data_bytes).map_err(unreadable)?;
    let layout = layout(format, padded, path)?;
    let mut layout = Layout { data_start: data.body, data_bytes, claimed_bytes, ..layout };
    if data.size == 0 && claimed_bytes.is_none() {
        layout.warnings.push(Warning::NoLength);
    }
    let is_24_in_32 = (layout.encoding, layout.valid_bits) == (Encoding::Signed { bytes: 4 }, 24);
    if is_24_in_32 && is_right_justified(file, data.body, data_bytes, layout.channels as usize).map_err(unreadable)? {
        layout.warnings.push(Warning::RightJustified);
    }
    let further = further_data(file, data.body + data_bytes + (data_bytes & 1)).map_err(unreadable)?;
    if further > 0 {
        layout.warnings.push(Warning::OtherTracks { count: further });
    }
    Ok(layout)
}

fn chunk(file: &mut File, at: u64) -> std::io::Result<Option<Chunk>> {
    Chunk::at(file, at, u32::from_le_bytes)
}

fn read_format(file: &mut File, size: u64, body: u64, file_bytes: u64) -> std::io::Result<Option<Format>> {
    let there = file_bytes.saturating_sub(body).min(size).min(40) as usize;
    if there < 16 {
        return Ok(None);
    }
    let mut header = [0; 40];
    file.fill(body, &mut header[..there])?;
    let short = |i: usize| u16::from_le_bytes([header[i], header[i + 1]]);
    let long = |i: usize| u32::from_le_bytes(std::array::from_fn(|k| header[i + k]));
    let extensible = short(0) == TAG_EXTENSIBLE && there == 40;
    Ok(Some(Format {
        tag: if extensible { short(24) } else { short(0) },
        channels: short(2),
        sample_rate_hz: long(4),
        byte_rate: long(8),
        frame_bytes: short(12),
        bits: short(14),
        valid_bits: if extensible && short(18) != 0 { short(18).min(short(14)) } else { short(14) },
        is_extensible: extensible,
        standard_subformat: !extensible || header[26..] == SUBFORMAT_TAIL,
    }))
}

fn layout(format: Format, is_padded: bool, path: &Path) -> Result<Layout, Error> {
    let damaged = |cause: String| Error::Damaged { path: path.to_owned(), cause };
    let channels = u32::from(format.channels);
    if !(1..=2).contains(&channels) {
        return Err(Error::Channels { path: path.to_owned(), count: channels });
    }
    let (float, bits) = (format.tag == TAG_FLOAT, format.bits);
    let needed = format.needed_bytes();
    let mut warnings = Vec::new();
    let bytes = if format.frame_bytes == 0 || u32::from(format.frame_bytes) == channels * needed {
        needed
    } else if is_padded {
        u32::from(format.frame_bytes) / channels
    } else if format.is_extensible {
        return Err(damaged(format!("a frame of {} bytes cannot hold {channels} x {bits} bits", format.frame_bytes)));
    } else {
        warnings.push(Warning::FrameSize);
        needed
    };
    let encoding = match (format.tag, float, bits, bytes) {
        (TAG_A_LAW, _, 8, 1) => Encoding::ALaw,
        (TAG_MU_LAW, _, 8, 1) => Encoding::MuLaw,
        (TAG_A_LAW | TAG_MU_LAW, ..) => return Err(damaged(format!("G.711 has 8 bits per sample, not {bits}"))),
        (_, true, 32, 4) => Encoding::Float32,
        (_, true, 64, 8) => Encoding::Float64,
        (_, false, 1..=8, 1) => Encoding::Unsigned8,
        (_, false, 9..=32, 2..=4) => Encoding::Signed { bytes: bytes as u8 },
        (_, true, 16 | 24, 2 | 3) | (_, false, 64, 8) => {
            let codec = format!("{} of {bits} bits", if float { "floating point" } else { "PCM" });
            return Err(Error::UnsupportedCodec { path: path.to_owned(), codec });
        }
        _ => return Err(damaged(format!("samples of {bits} bits in {bytes} bytes do not exist"))),
    };
    let kind = if float { " float" } else { "" };
    let bits = format.valid_bits;
    let codec = encoding.law_name().map_or_else(|| format!("WAV {bits} bit{kind}"), |name| format!("WAV {name}"));
    Ok(Layout {
        encoding,
        big_endian: false,
        channels,
        sample_rate_hz: format.sample_rate_hz,
        valid_bits: u32::from(format.valid_bits),
        data_start: 0,
        data_bytes: 0,
        pieces: Vec::new(),
        claimed_bytes: None,
        codec,
        warnings,
    })
}

impl Format {
    /// Bytes that a sample of its bits takes at least.
    fn needed_bytes(&self) -> u32 {
        u32::from(self.bits.div_ceil(8))
    }
}

/// Returns true if a frame is wider than its bits need, as for 24 bits in 4 bytes. The extended header says so and is believed.
/// Without it, only this one case was ever written. Many a header claims it of samples of 3 bytes, so the samples decide.
fn is_padded(format: &Format, file: &mut File, data_start: u64, data_bytes: u64) -> std::io::Result<bool> {
    let (frame_bytes, channels, needed) =
        (u32::from(format.frame_bytes), u32::from(format.channels), format.needed_bytes());
    if channels == 0 || frame_bytes % channels != 0 || frame_bytes / channels < needed {
        return Ok(false);
    }
    let agrees = u64::from(format.byte_rate) == u64::from(format.sample_rate_hz) * u64::from(frame_bytes);
    let is_claimed = needed == 3 && frame_bytes / channels == 4 && agrees;
    Ok(format.is_extensible || is_claimed && has_four_bytes(file, data_start, data_bytes, channels as usize)?)
}

/// Returns the size of the sound in the chunk `data`, bytes, or `None` if the header does not state it. `long_bytes` is
/// the size for a chunk of unknown size.
fn claimed_bytes(
    file: &mut File,
    data: Chunk,
    long_bytes: Option<u64>,
    file_bytes: u64,
) -> std::io::Result<Option<u64>> {
    Ok(match data.size {
        UNKNOWN_SIZE => long_bytes.filter(|&bytes| bytes != u64::MAX && bytes != 0),
        // A recorder writes the size last. If it is missing, only a further chunk proves that there is no sound.
        0 if file_bytes > data.body && !chunk_follows(file, data.body, file_bytes)? => None,
        size => Some(size),
    })
}

/// True if `at` looks like the start of a chunk.
fn chunk_follows(file: &mut File, at: u64, file_bytes: u64) -> std::io::Result<bool> {
    Ok(chunk(file, at)?.is_some_and(|Chunk { id, body, size }| {
        id.iter().all(|b| b.is_ascii_graphic() || *b == b' ') && body + size <= file_bytes
    }))
}

/// Counts the data chunks that follow.
fn further_data(file: &mut File, mut at: u64) -> std::io::Result<usize> {
    let mut count = 0;
    // Only a handful of chunks follow the sound; there is no need to look further.
    for _ in 0..64 {
        let Some(chunk) = chunk(file, at)? else { break };
        count += usize::from(&chunk.id == b"data" && chunk.size > 0);
        at = chunk.next();
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{
        assert_survives, chunk, config, damage, decode, frames_of, riff, samples, wav, wav_format,
    };
    use super::super::{Error, Warning};

    /// Left-justified 24-bit values whose 16-bit parts are exact.
    const VALUES: [i32; 4] = [0x0040_0000, -0x0040_0000, 0x007f_ff00, -0x0080_0000];

    fn expected() -> Vec<[f32; 2]> {
        let sample = |v: i32| (f64::from(v) / 8_388_608.0) as f32;
        VALUES.chunks(2).map(|pair| [sample(pair[0]), sample(pair[1])]).collect()
    }

    fn bytes<const N: usize>(convert: impl Fn(i32) -> [u8; N]) -> Vec<u8> {
        VALUES.iter().flat_map(|&v| convert(v)).collect()
    }

    fn extensible(container_bits: u16, valid_bits: u16) -> Vec<u8> {
        let mut format = wav_format(super::TAG_EXTENSIBLE, 2, 44_100, container_bits);
        format.extend(22_u16.to_le_bytes());
        format.extend(valid_bits.to_le_bytes());
        format.extend(3_u32.to_le_bytes());
        format.extend(super::TAG_PCM.to_le_bytes());
        format.extend(super::SUBFORMAT_TAIL);
        format
    }

    #[test]
    fn every_sample_format_is_read_exactly() {
        let float = |v: i32| f64::from(v) / 8_388_608.0;
        let cases = [
            (wav_format(1, 2, 44_100, 16), bytes(|v| ((v >> 8) as i16).to_le_bytes())),
            (wav_format(1, 2, 44_100, 24), bytes(|v| [v as u8, (v >> 8) as u8, (v >> 16) as u8])),
            (wav_format(1, 2, 44_100, 32), bytes(|v| (v << 8).to_le_bytes())),
            (wav_format(3, 2, 44_100, 32), bytes(|v| (float(v) as f32).to_le_bytes())),
            (wav_format(3, 2, 44_100, 64), bytes(|v| float(v).to_le_bytes())),
            (extensible(24, 24), bytes(|v| [v as u8, (v >> 8) as u8, (v >> 16) as u8])),
            (extensible(32, 24), bytes(|v| (v << 8).to_le_bytes())),
        ];
        for (format, data) in cases {
            let (info, mut frames, warnings) = decode(&wav(&format, &data)).expect("a WAV");
            if info.bit_depth == Some(16) {
                assert_eq!(frames[1][0], 32_767.0 / 32_768.0);
                frames[1][0] = expected()[1][0];
            }
            assert_eq!((frames, warnings), (expected(), vec![]), "{}", info.codec);
        }
    }

    #[test]
    fn samples_that_exist_and_are_not_read_are_not_called_damaged() {
        for format in [wav_format(3, 2, 44_100, 16), wav_format(3, 2, 44_100, 24), wav_format(1, 2, 44_100, 64)] {
            assert!(matches!(decode(&wav(&format, &[0; 4096])), Err(Error::UnsupportedCodec { .. })), "{format:?}");
        }
    }

    #[test]
    fn eight_bits_are_unsigned_and_mono_fills_both_channels() {
        let (info, frames, _) = decode(&wav(&wav_format(1, 1, 8_000, 8), &[128, 0, 255])).expect("a WAV");
        assert_eq!((info.channels, info.sample_rate_hz), (1, 8_000));
        assert_eq!(frames, [[0.0; 2], [-1.0; 2], [127.0 / 128.0; 2]]);
    }

    #[test]
    fn a_recording_that_was_never_finished_is_read_to_its_end() {
        let format = chunk(b"fmt ", &wav_format(1, 2, 48_000, 16));
        for (size, expected) in [(0_u32, vec![Warning::NoLength]), (u32::MAX, vec![])] {
            let mut file = riff(&[format.clone(), b"data".to_vec(), size.to_le_bytes().to_vec()]);
            file.extend([1; 400]);
            let (_, frames, warnings) = decode(&file).expect("a WAV");
            assert_eq!((frames.len(), warnings), (100, expected));
        }
    }

    #[test]
    fn what_a_truncated_file_still_holds_is_read_and_the_rest_is_counted() {
        let mut file = wav(&wav_format(1, 2, 48_000, 16), &[1; 400]);
        file.truncate(file.len() - 101);
        let (info, frames, warnings) = decode(&file).expect("a WAV");
        assert_eq!((info.frames_hint, frames.len()), (Some(74), 74));
        assert_eq!(warnings, [Warning::Truncated { missing_frames: Some(26) }]);
    }

    #[test]
    fn long_wav_variants_say_their_size_in_ds64() {
        for id in [b"RF64", b"BW64"] {
            let sizes = [0_u64, 400, 100].map(u64::to_le_bytes).concat();
            let mut file = [&id[..], b"\xff\xff\xff\xffWAVE"].concat();
            file.extend(chunk(b"ds64", &[&sizes[..], &[0; 4]].concat()));
            file.extend(chunk(b"fmt ", &wav_format(1, 2, 48_000, 16)));
            file.extend(b"data\xff\xff\xff\xff");
            file.extend([1; 400]);
            file.extend(chunk(b"LIST", b"INFO"));
            let (_, frames, warnings) = decode(&file).expect("an RF64");
            assert_eq!((frames.len(), warnings), (100, vec![]));
        }
    }

    #[test]
    fn impossible_headers_are_named() {
        let data = [0; 400];
        let refused = |format: &[u8]| decode(&wav(format, &data)).expect_err("nonsense");
        assert!(matches!(refused(&wav_format(1, 0, 48_000, 16)), Error::Channels { count: 0, .. }));
        assert!(matches!(refused(&wav_format(1, 6, 48_000, 16)), Error::Channels { count: 6, .. }));
        assert!(matches!(refused(&wav_format(1, 2, 0, 16)), Error::SampleRate { hz: 0, .. }));
        assert!(matches!(refused(&wav_format(1, 2, u32::MAX, 16)), Error::SampleRate { .. }));
        assert!(matches!(refused(&wav_format(1, 2, 48_000, 0)), Error::Damaged { .. }));
        assert!(matches!(refused(&wav_format(1, 2, 48_000, 255)), Error::Damaged { .. }));
        assert!(matches!(refused(&wav_format(0x7777, 2, 48_000, 16)), Error::UnsupportedCodec { .. }));
        assert!(matches!(refused(&wav_format(1, 2, 48_000, 16)[..10]), Error::Damaged { .. }));
        let mut crooked = extensible(16, 16);
        crooked[12] = 3;
        assert!(matches!(refused(&crooked), Error::Damaged { .. }));
    }

    #[test]
    fn without_an_extended_header_bits_are_trusted_and_not_the_frame_size() {
        let data = bytes(|v| ((v >> 8) as i16).to_le_bytes());
        for frame_bytes in [1_u16, 2, 3, 8, 255, 65_535] {
            let mut format = wav_format(1, 2, 44_100, 16);
            format[12..14].copy_from_slice(&frame_bytes.to_le_bytes());
            let (_, frames, warnings) = decode(&wav(&format, &data)).expect("a WAV");
            assert_eq!((frames.len(), frames[0], warnings), (2, expected()[0], vec![Warning::FrameSize]));
        }
        let mut padded = wav_format(1, 2, 44_100, 24);
        padded[12] = 8;
        padded[8..12].copy_from_slice(&(44_100_u32 * 8).to_le_bytes());
        let (_, frames, warnings) = decode(&wav(&padded, &bytes(|v| (v << 8).to_le_bytes()))).expect("a WAV");
        assert_eq!((frames, warnings), (expected(), vec![]));
        let (_, frames, warnings) = decode(&wav(&padded, &bytes(|v| v.to_le_bytes()))).expect("a WAV");
        let quiet = expected().iter().map(|frame| frame.map(|sample| sample / 256.0)).collect::<Vec<_>>();
        assert_eq!((frames, warnings), (quiet, vec![]));
    }

    /// Two channels of a tone in 24 bits, left-justified, after some silence.
    fn tone() -> Vec<i32> {
        (0..20_000)
            .map(|n| if n < 9000 { 0 } else { (1.9e9 * (f64::from(n / 2) * 0.05).sin()) as i32 & !0xff })
            .collect()
    }

    #[test]
    fn the_samples_tell_three_bytes_from_four_whatever_the_header_says() {
        let mut claims_four = wav_format(1, 2, 44_100, 24);
        claims_four[12] = 8;
        claims_four[8..12].copy_from_slice(&(44_100_u32 * 8).to_le_bytes());
        let expected: Vec<[f32; 2]> =
            tone().chunks(2).map(|pair| [0, 1].map(|n| (f64::from(pair[n]) / 2_147_483_648.0) as f32)).collect();
        let of_three: Vec<u8> = tone().iter().flat_map(|value| value.to_le_bytes()[1..].to_vec()).collect();
        let of_four: Vec<u8> = tone().iter().flat_map(|value| value.to_le_bytes()).collect();
        // Real samples of 32 bits under a header of 24.
        let full: Vec<u8> = tone().iter().flat_map(|value| (value | 0x5a).to_le_bytes()).collect();
        let tail = chunk(b"LIST", &[0x7f; 120_000]);
        for (data, warnings) in [(of_three, vec![Warning::FrameSize]), (of_four, vec![]), (full, vec![])] {
            let file = riff(&[chunk(b"fmt ", &claims_four), chunk(b"data", &data), tail.clone()]);
            let (_, frames, found) = decode(&file).expect("a WAV");
            assert_eq!((frames.len(), found), (expected.len(), warnings));
            let differences = frames.as_flattened().iter().zip(expected.as_flattened()).map(|(a, b)| (a - b).abs());
            assert!(differences.fold(0.0, f32::max) < 1e-6);
        }
    }

    #[test]
    fn samples_that_lie_in_the_lower_bits_are_named() {
        let header = extensible(32, 24);
        // A quiet sound where it should be, and one without any bits below the upper sixteen, say nothing.
        let quiet: Vec<i32> = tone().iter().map(|value| (value >> 16) << 8).collect();
        let lower: Vec<i32> = tone().iter().map(|value| value >> 8).collect();
        for (values, expected) in [(tone(), vec![]), (quiet, vec![]), (lower, vec![Warning::RightJustified])] {
            let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            let (_, frames, warnings) = decode(&wav(&header, &data)).expect("a WAV");
            assert_eq!((frames.len(), warnings), (values.len() / 2, expected));
        }
    }

    #[test]
    fn telephone_codes_are_read() {
        for (tag, code, sample) in
            [(super::TAG_A_LAW, 0xaa_u8, 4032.0 / 4096.0), (super::TAG_MU_LAW, 0x80, 8031.0 / 8192.0)]
        {
            let (info, frames, _) = decode(&wav(&wav_format(tag, 1, 8_000, 8), &[code; 10])).expect("a WAV");
            assert_eq!((info.lossy, info.bit_depth, frames), (true, None, vec![[sample; 2]; 10]));
        }
    }

    #[test]
    fn a_header_without_sound_is_empty() {
        let format = wav_format(1, 2, 48_000, 16);
        assert!(matches!(decode(&wav(&format, &[])), Err(Error::Empty { .. })));
        assert!(matches!(decode(&riff(&[chunk(b"fmt ", &format)])), Err(Error::Empty { .. })));
        let tagged = riff(&[chunk(b"fmt ", &format), chunk(b"data", &[]), chunk(b"LIST", b"INFO")]);
        assert!(matches!(decode(&tagged), Err(Error::Empty { .. })));
    }

    #[test]
    fn further_sound_in_a_file_is_mentioned() {
        let format = wav_format(1, 2, 48_000, 16);
        let file = riff(&[chunk(b"fmt ", &format), chunk(b"data", &[0; 8]), chunk(b"data", &[0; 8])]);
        let (_, frames, warnings) = decode(&file).expect("a WAV");
        assert_eq!((frames.len(), warnings), (2, vec![Warning::OtherTracks { count: 1 }]));
    }

    /// Creates a WAV of integer samples between other chunks.
    fn between(samples: &(u16, Vec<i32>), others: &[(usize, Vec<u8>)], sound_at: usize) -> Vec<u8> {
        const NAMES: [&[u8; 4]; 5] = [b"LIST", b"JUNK", b"bext", b"cue ", b"\xffab "];
        let (bits, values) = samples;
        let bytes = usize::from(*bits / 8);
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()[..bytes].to_vec()).collect();
        let mut chunks: Vec<Vec<u8>> =
            others.iter().map(|(name, body)| chunk(NAMES[name % NAMES.len()], body)).collect();
        let at = sound_at.min(chunks.len());
        chunks.splice(at..at, [chunk(b"fmt ", &wav_format(1, 2, 48_000, *bits)), chunk(b"data", &data)]);
        riff(&chunks)
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn any_sound_is_read_exactly_whatever_lies_around_it_and_damage_is_no_panic(
            samples in samples(),
            others in prop::collection::vec((any::<usize>(), prop::collection::vec(any::<u8>(), 0..40)), 0..5),
            sound_at in 0..5_usize,
            damage in damage(),
        ) {
            let file = between(&samples, &others, sound_at);
            let (info, frames, warnings) = decode(&file).expect("a WAV");
            prop_assert_eq!((info.bit_depth, warnings), (Some(u32::from(samples.0)), vec![]));
            prop_assert_eq!(frames, frames_of(&samples));
            assert_survives(file, &damage);
        }
    }
}
