//! Reads the headers of AIFF and uncompressed AIFF-C (Apple, *Audio Interchange File Format* 1.3 and AIFF-C draft).

use std::fs::File;
use std::path::Path;

use super::bytes::ReadAt as _;
use super::error::{Error, Warning};
use super::pcm::{Encoding, Layout};
use super::riff_chunk::Chunk;

/// More chunks than any tool writes.
const MAX_CHUNKS: usize = 1 << 16;

struct Common {
    channels: u32,
    frames: u32,
    bits: u16,
    sample_rate_hz: u32,
    compression: [u8; 4],
}

/// Reads the header of `file`, whose first bytes are known to be AIFF or AIFC. Returns `None` if the sound is
/// compressed.
pub(super) fn read(file: &mut File, path: &Path) -> Result<Option<Layout>, Error> {
    let unreadable = |e: std::io::Error| Error::reading(path, &e);
    let damaged = |cause: &str| Error::Damaged { path: path.to_owned(), cause: cause.to_owned() };
    let file_bytes = file.metadata().map_err(unreadable)?.len();
    let mut common = None;
    let mut data = None;
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        if common.is_some() && data.is_some() {
            break;
        }
        let Some(chunk) = Chunk::at(file, at, u32::from_be_bytes).map_err(unreadable)? else { break };
        let Chunk { id, body, size } = chunk;
        let there = size.min(file_bytes.saturating_sub(body));
        match &id {
            b"COMM" => {
                let read = read_common(file, body, there).map_err(unreadable)?;
                common = Some(read.ok_or_else(|| damaged("its format header is incomplete"))?);
            }
            b"SSND" if there >= 8 => {
                let mut offset = [0; 4];
                file.fill(body, &mut offset).map_err(unreadable)?;
                let offset = u64::from(u32::from_be_bytes(offset));
                data = Some((body + 8 + offset, size.saturating_sub(8 + offset), there.saturating_sub(8 + offset)));
            }
            _ => {}
        }
        at = chunk.next();
    }
    let common = common.ok_or_else(|| damaged("it has no format header"))?;
    let (data_start, claimed_bytes, data_bytes) = data.ok_or_else(|| Error::Empty { path: path.to_owned() })?;
    let Some(mut layout) = layout(&common, path)? else { return Ok(None) };
    let promised_bytes = u64::from(common.frames) * layout.frame_bytes();
    layout.data_start = data_start;
    layout.data_bytes = data_bytes.min(promised_bytes);
    layout.claimed_bytes = Some(promised_bytes);
    if common.frames == 0 && claimed_bytes > 0 {
        layout.data_bytes = data_bytes;
        layout.claimed_bytes = None;
        layout.warnings.push(Warning::NoLength);
    }
    Ok(Some(layout))
}

fn read_common(file: &mut File, body: u64, there: u64) -> std::io::Result<Option<Common>> {
    if there < 18 {
        return Ok(None);
    }
    let mut header = [0; 22];
    let length = there.min(22) as usize;
    file.fill(body, &mut header[..length])?;
    let short = |i: usize| u16::from_be_bytes([header[i], header[i + 1]]);
    let rate: [u8; 10] = std::array::from_fn(|k| header[8 + k]);
    Ok(Some(Common {
        channels: u32::from(short(0)),
        frames: u32::from_be_bytes(std::array::from_fn(|k| header[2 + k])),
        bits: short(6),
        sample_rate_hz: from_extended(rate),
        compression: if length == 22 { [header[18], header[19], header[20], header[21]] } else { *b"NONE" },
    }))
}

/// Returns the integer part of an 80-bit IEEE 754 extended float; 0 if it does not fit 32 bits.
fn from_extended(bytes: [u8; 10]) -> u32 {
    let exponent = i32::from(u16::from_be_bytes([bytes[0], bytes[1]])) - 16_383;
    let mantissa = u64::from_be_bytes(std::array::from_fn(|k| bytes[2 + k]));
    if (0..32).contains(&exponent) { (mantissa >> (63 - exponent)) as u32 } else { 0 }
}

fn layout(common: &Common, path: &Path) -> Result<Option<Layout>, Error> {
    if !(1..=2).contains(&common.channels) {
        return Err(Error::Channels { path: path.to_owned(), count: common.channels });
    }
    let bytes = common.bits.div_ceil(8) as u8;
    let (encoding, big_endian) = match (&common.compression, bytes) {
        (b"NONE" | b"twos", 1..=4) => (Encoding::Signed { bytes }, true),
        (b"sowt", 1..=4) => (Encoding::Signed { bytes }, false),
        (b"raw ", 1) => (Encoding::Unsigned8, true),
        (b"ulaw" | b"ULAW", _) => (Encoding::MuLaw, true),
        (b"alaw" | b"ALAW", _) => (Encoding::ALaw, true),
        (b"in24", _) => (Encoding::Signed { bytes: 3 }, true),
        (b"in32", _) => (Encoding::Signed { bytes: 4 }, true),
        (b"fl32" | b"FL32", _) => (Encoding::Float32, true),
        (b"fl64" | b"FL64", _) => (Encoding::Float64, true),
        (b"NONE" | b"twos" | b"sowt" | b"raw ", _) => {
            let cause = format!("samples of {} bits do not exist", common.bits);
            return Err(Error::Damaged { path: path.to_owned(), cause });
        }
        _ => return Ok(None),
    };
    let kind = if matches!(encoding, Encoding::Float32 | Encoding::Float64) { " float" } else { "" };
    let valid_bits = if kind.is_empty() { u32::from(common.bits) } else { encoding.bytes() as u32 * 8 };
    Ok(Some(Layout {
        encoding,
        big_endian,
        channels: common.channels,
        sample_rate_hz: common.sample_rate_hz,
        valid_bits,
        data_start: 0,
        data_bytes: 0,
        pieces: Vec::new(),
        claimed_bytes: None,
        codec: encoding
            .law_name()
            .map_or_else(|| format!("AIFF {valid_bits} bit{kind}"), |name| format!("AIFF {name}")),
        warnings: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{assert_survives, config, damage, decode, frames_of, samples};
    use super::super::{Error, Warning};

    /// 44 100 as an 80-bit float.
    const RATE: [u8; 10] = [0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0];

    fn aiff(frames: u32, bits: u16, compression: Option<&[u8; 4]>, data: &[u8]) -> Vec<u8> {
        let chunk = |name: &[u8; 4], body: &[u8]| [name, &(body.len() as u32).to_be_bytes()[..], body].concat();
        let mut common = [&2_u16.to_be_bytes()[..], &frames.to_be_bytes(), &bits.to_be_bytes(), &RATE].concat();
        common.extend(compression.map(|c| [&c[..], &[0, 0]].concat()).unwrap_or_default());
        let kind: &[u8; 4] = if compression.is_some() { b"AIFC" } else { b"AIFF" };
        let sound = chunk(b"SSND", &[&[0; 8], data].concat());
        chunk(b"FORM", &[&kind[..], &chunk(b"COMM", &common), &sound].concat())
    }

    #[test]
    fn both_byte_orders_and_floats_are_read_exactly() {
        let cases = [
            (aiff(1, 16, None, &[0x40, 0, 0xc0, 0]), 16),
            (aiff(1, 24, None, &[0x40, 0, 0, 0xc0, 0, 0]), 24),
            (aiff(1, 16, Some(b"sowt"), &[0, 0x40, 0, 0xc0]), 16),
            (aiff(1, 32, Some(b"fl32"), &[0x3f, 0, 0, 0, 0xbf, 0, 0, 0]), 32),
        ];
        for (file, bits) in cases {
            let (info, frames, warnings) = decode(&file).expect("an AIFF");
            assert_eq!((info.sample_rate_hz, info.bit_depth), (44_100, Some(bits)));
            assert_eq!((frames, warnings), (vec![[0.5, -0.5]], vec![]));
        }
    }

    #[test]
    fn a_truncated_file_gives_what_is_there() {
        let (_, frames, warnings) = decode(&aiff(3, 16, None, &[0; 9])).expect("an AIFF");
        assert_eq!((frames.len(), warnings), (2, vec![Warning::Truncated { missing_frames: Some(1) }]));
    }

    #[test]
    fn impossible_headers_are_refused() {
        assert!(matches!(decode(&aiff(1, 77, None, &[0; 8])), Err(Error::Damaged { .. })));
        assert!(matches!(decode(&aiff(0, 16, None, &[])), Err(Error::Empty { .. })));
        assert!(matches!(decode(b"FORM\0\0\0\x04AIFF"), Err(Error::Damaged { .. })));
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn any_sound_is_read_exactly_and_damage_is_no_panic(
            samples in samples(),
            is_little in any::<bool>(),
            damage in damage(),
        ) {
            let (bits, values) = &samples;
            let bytes = usize::from(*bits / 8);
            let is_little = is_little && *bits == 16;
            let word = |value: &i32| match is_little {
                true => value.to_le_bytes()[..bytes].to_vec(),
                false => value.to_be_bytes()[4 - bytes..].to_vec(),
            };
            let data: Vec<u8> = values.iter().flat_map(word).collect();
            let file = aiff(values.len() as u32 / 2, *bits, is_little.then_some(b"sowt"), &data);
            let (info, frames, warnings) = decode(&file).expect("an AIFF");
            prop_assert_eq!((info.bit_depth, warnings), (Some(u32::from(*bits)), vec![]));
            prop_assert_eq!(frames, frames_of(&samples));
            assert_survives(file, &damage);
        }
    }
}
