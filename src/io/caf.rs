//! Reads the headers of CAF (Apple, *Core Audio Format Specification 1.0*). Uncompressed sound is located here; the
//! header of compressed sound is checked for impossible claims before a decoder sees it.

use std::fs::File;
use std::path::Path;

use super::bytes::ReadAt;
use super::error::{Error, Warning};
use super::pcm::{Encoding, Layout};

/// More chunks than any tool writes.
const MAX_CHUNKS: usize = 1 << 12;

/// A size of unknown value: the sound extends to the end of the file.
const UNKNOWN_SIZE: u64 = u64::MAX;

/// Flags of linear PCM.
const IS_FLOAT: u32 = 1;
const IS_LITTLE_ENDIAN: u32 = 2;

/// Frames of an IMA ADPCM packet, and its bytes per channel.
const IMA_FRAMES: u32 = 64;
const IMA_BYTES: u32 = 34;

/// Most frames of a packet; no codec has longer ones.
const MAX_PACKET_FRAMES: u32 = 1 << 16;

/// The header of a chunk.
pub(super) struct Chunk {
    pub id: [u8; 4],
    /// Offset of its content.
    pub body: u64,
    /// Size of its content as stated in the header, bytes.
    pub size: u64,
}

impl Chunk {
    /// Reads the chunk at `at`, or returns `None` at the end of the file.
    pub fn at(file: &mut impl ReadAt, at: u64) -> std::io::Result<Option<Self>> {
        let header = file.try_array::<12>(at)?;
        Ok(header.map(|[a, b, c, d, size @ ..]| Self {
            id: [a, b, c, d],
            body: at + 12,
            size: u64::from_be_bytes(size),
        }))
    }
}

struct Description {
    rate_hz: f64,
    format: [u8; 4],
    flags: u32,
    packet_bytes: u32,
    packet_frames: u32,
    channels: u32,
    bits: u32,
}

/// Reads the header of `file`, whose first bytes are known to be CAF. Returns `None` if the sound is compressed.
pub(super) fn read(file: &mut File, path: &Path) -> Result<Option<Layout>, Error> {
    let unreadable = |e: std::io::Error| Error::reading(path, &e);
    let damaged = |cause: &str| Error::Damaged { path: path.to_owned(), cause: cause.to_owned() };
    let file_bytes = file.metadata().map_err(unreadable)?.len();
    let (mut description, mut data, mut at) = (None, None, 8);
    for _ in 0..MAX_CHUNKS {
        let Some(Chunk { id, body, size }) = Chunk::at(file, at).map_err(unreadable)? else { break };
        match &id {
            b"desc" => {
                let bytes = file.try_array(body).map_err(unreadable)?;
                description = Some(describe(&bytes.ok_or_else(|| damaged("its format header is incomplete"))?));
            }
            // The sound follows a 32-bit edit count.
            b"data" if body + 4 <= file_bytes => data = Some((body + 4, size)),
            b"pakt" if size != UNKNOWN_SIZE => {
                let packets = file.try_array(body).map_err(unreadable)?;
                let packets = packets.ok_or_else(|| damaged("its packet table is incomplete"))?;
                // Every packet takes at least a byte: of the table or, if all packets are equal, of the sound.
                if u64::from_be_bytes(packets) > file_bytes {
                    return Err(damaged("it claims more packets than it has bytes"));
                }
            }
            _ => {}
        }
        let Some(next) = body.checked_add(size) else { break };
        at = next;
    }
    let description = description.ok_or_else(|| damaged("it has no format header"))?;
    let (start, size) = data.ok_or_else(|| Error::Empty { path: path.to_owned() })?;
    check_claims(&description, path)?;
    let Some(mut layout) = layout(&description, path)? else { return Ok(None) };
    let there = file_bytes - start;
    layout.data_start = start;
    layout.claimed_bytes = (size != UNKNOWN_SIZE).then(|| size.saturating_sub(4));
    layout.data_bytes = layout.claimed_bytes.unwrap_or(there).min(there);
    if layout.claimed_bytes == Some(0) && there > 0 {
        (layout.claimed_bytes, layout.data_bytes) = (None, there);
        layout.warnings.push(Warning::NoLength);
    }
    Ok(Some(layout))
}

fn describe(bytes: &[u8; 32]) -> Description {
    let long = |at: usize| u32::from_be_bytes(std::array::from_fn(|k| bytes[at + k]));
    Description {
        rate_hz: f64::from_be_bytes(std::array::from_fn(|k| bytes[k])),
        format: [bytes[8], bytes[9], bytes[10], bytes[11]],
        flags: long(12),
        packet_bytes: long(16),
        packet_frames: long(20),
        channels: long(24),
        bits: long(28),
    }
}

fn check_claims(description: &Description, path: &Path) -> Result<(), Error> {
    let Description { format, packet_bytes, packet_frames, channels, .. } = *description;
    let damaged = |cause: String| Err(Error::Damaged { path: path.to_owned(), cause });
    if !(1..=2).contains(&channels) {
        return Err(Error::Channels { path: path.to_owned(), count: channels });
    }
    match &format {
        b"lpcm" | b"ulaw" | b"alaw" if packet_frames != 1 => {
            damaged(format!("it claims {packet_frames} frames per packet of uncompressed sound"))
        }
        b"ima4" if (packet_frames, packet_bytes) != (IMA_FRAMES, IMA_BYTES * channels) => {
            damaged(format!("it claims {packet_frames} frames in {packet_bytes} bytes of ADPCM"))
        }
        b"lpcm" | b"ulaw" | b"alaw" | b"ima4" => Ok(()),
        b"alac" | b"aac " if packet_frames > MAX_PACKET_FRAMES => {
            damaged(format!("it claims {packet_frames} frames per packet"))
        }
        b"alac" | b"aac " => Ok(()),
        format => {
            let codec = match format {
                b"opus" => "Opus in CAF".to_owned(),
                b"flac" => "FLAC in CAF".to_owned(),
                b".mp1" | b".mp2" | b".mp3" => "MPEG audio in CAF".to_owned(),
                b"aach" | b"aacp" => "HE-AAC".to_owned(),
                b"aacl" | b"aace" => "low-delay AAC".to_owned(),
                other => format!("{:?} in CAF", String::from_utf8_lossy(other)),
            };
            Err(Error::UnsupportedCodec { path: path.to_owned(), codec })
        }
    }
}

fn layout(description: &Description, path: &Path) -> Result<Option<Layout>, Error> {
    let Description { rate_hz, format, flags, packet_bytes, channels, bits, .. } = *description;
    let is_float = flags & IS_FLOAT != 0;
    let needed = bits.div_ceil(8);
    let (encoding, valid_bits) = match (&format, is_float, packet_bytes / channels, needed) {
        (b"ulaw", ..) => (Encoding::MuLaw, 8),
        (b"alaw", ..) => (Encoding::ALaw, 8),
        (b"lpcm", true, 4, 4) => (Encoding::Float32, 32),
        (b"lpcm", true, 8, 8) => (Encoding::Float64, 64),
        (b"lpcm", false, bytes @ 1..=4, needed) if (1..=bytes).contains(&needed) && packet_bytes % channels == 0 => {
            (Encoding::Signed { bytes: bytes as u8 }, bits)
        }
        (b"lpcm", ..) => {
            let cause = format!("samples of {bits} bits in {packet_bytes} bytes for {channels} channels do not exist");
            return Err(Error::Damaged { path: path.to_owned(), cause });
        }
        _ => return Ok(None),
    };
    let kind = if is_float && &format == b"lpcm" { " float" } else { "" };
    Ok(Some(Layout {
        encoding,
        big_endian: flags & IS_LITTLE_ENDIAN == 0,
        channels,
        // A rate that is NaN, negative or too large becomes one that is refused.
        sample_rate_hz: rate_hz as u32,
        valid_bits,
        data_start: 0,
        data_bytes: 0,
        pieces: Vec::new(),
        claimed_bytes: None,
        codec: encoding.law_name().map_or_else(|| format!("CAF {valid_bits} bit{kind}"), |name| format!("CAF {name}")),
        warnings: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::decode;
    use super::super::{Error, Warning};

    fn caf(description: (&[u8; 4], [u32; 5]), size: u64, data: &[u8]) -> Vec<u8> {
        let chunk = |name: &[u8; 4], size: u64, body: &[u8]| [name, &size.to_be_bytes()[..], body].concat();
        let (format, numbers) = description;
        let numbers: Vec<u8> = numbers.into_iter().flat_map(u32::to_be_bytes).collect();
        let desc = [&44_100_f64.to_be_bytes()[..], format, &numbers].concat();
        let data = [&[0; 4], data].concat();
        [b"caff\0\x01\0\0".to_vec(), chunk(b"desc", 32, &desc), chunk(b"data", size, &data)].concat()
    }

    #[test]
    fn both_byte_orders_and_floats_are_read_exactly() {
        let cases: [(u32, u32, u32, &[u8]); 5] = [
            (0, 4, 16, &[0x40, 0, 0xc0, 0]),
            (2, 4, 16, &[0, 0x40, 0, 0xc0]),
            (2, 8, 24, &[0, 0, 0, 0x40, 0, 0, 0, 0xc0]),
            (1, 8, 32, &[0x3f, 0, 0, 0, 0xbf, 0, 0, 0]),
            (3, 16, 64, &[0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0, 0, 0, 0, 0, 0, 0xe0, 0xbf]),
        ];
        for (flags, bytes, bits, data) in cases {
            for size in [data.len() as u64 + 4, u64::MAX] {
                let file = caf((b"lpcm", [flags, bytes, 1, 2, bits]), size, data);
                let (info, frames, warnings) = decode(&file).expect("a CAF");
                assert_eq!((info.sample_rate_hz, info.bit_depth), (44_100, Some(bits)));
                assert_eq!((frames, warnings), (vec![[0.5, -0.5]], vec![]));
            }
        }
    }

    #[test]
    fn what_the_header_claims_is_checked_before_anything_is_decoded() {
        let data = [0; 136];
        for numbers in [[1, 8, u32::MAX, 2, 32], [0, 4, 0, 2, 16], [0, u32::MAX, 1, 2, 16], [0, 4, 1, 2, u32::MAX]] {
            assert!(matches!(decode(&caf((b"lpcm", numbers), 140, &data)), Err(Error::Damaged { .. })), "{numbers:?}");
        }
        for numbers in [[0, 68, 0x3ff_ffff, 2, 0], [0, 1, 64, 2, 0]] {
            assert!(matches!(decode(&caf((b"ima4", numbers), 140, &data)), Err(Error::Damaged { .. })));
        }
        assert!(matches!(decode(&caf((b"alac", [0, 0, u32::MAX, 2, 16]), 140, &data)), Err(Error::Damaged { .. })));
        assert!(matches!(decode(&caf((b"lpcm", [0, 4, 1, 0, 16]), 140, &data)), Err(Error::Channels { .. })));
        assert!(matches!(decode(&caf((b"opus", [0, 0, 960, 2, 0]), 140, &data)), Err(Error::UnsupportedCodec { .. })));
        let (_, frames, warnings) = decode(&caf((b"lpcm", [0, 4, 1, 2, 16]), 1 << 40, &data)).expect("a CAF");
        assert_eq!((frames.len(), warnings), (34, vec![Warning::NoLength]));
    }
}
