//! Checks the claims of codec headers before a decoder allocates memory for them.

use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known as id;

/// Most frames of a packet; no codec has longer ones.
const MAX_PACKET_FRAMES: u64 = 1 << 16;

/// Most values in all codebooks of a Vorbis stream together; the reference encoder uses less than a tenth of it.
const MAX_VORBIS_VALUES: u64 = 1 << 22;

/// Refuses parameters that cannot be true, with the reason.
pub(super) fn check(params: &AudioCodecParameters) -> Result<(), &'static str> {
    if params.max_frames_per_packet.is_some_and(|frames| frames > MAX_PACKET_FRAMES) {
        return Err("its header claims packets of more frames than any codec has");
    }
    if params.codec == id::CODEC_ID_VORBIS
        && let Some(header) = params.extra_data.as_deref()
        && vorbis_values(header).is_some_and(|values| values > MAX_VORBIS_VALUES)
    {
        return Err("its codebooks are larger than those of any encoder");
    }
    Ok(())
}

/// Returns the number of values that the codebooks in the headers of a Vorbis stream unpack to (*Vorbis I
/// specification*, 3.2.1), as far as they can be read.
fn vorbis_values(headers: &[u8]) -> Option<u64> {
    let start = headers.windows(7).position(|window| window == b"\x05vorbis")?;
    let mut bits = Bits { bytes: headers.get(start + 7..)?, at: 0 };
    let (count, mut values) = (bits.read(8)? + 1, 0);
    for _ in 0..count {
        if bits.read(24)? != 0x56_4342 {
            break;
        }
        let (dimensions, entries) = (u64::from(bits.read(16)?), u64::from(bits.read(24)?));
        values += entries * dimensions;
        if values > MAX_VORBIS_VALUES {
            break;
        }
        if bits.read(1)? == 1 {
            bits.read(5)?;
            let mut left = entries as u32;
            while left > 0 {
                left = left.checked_sub(bits.read(32 - left.leading_zeros())?)?;
            }
        } else {
            let is_sparse = bits.read(1)? == 1;
            for _ in 0..entries {
                if !is_sparse || bits.read(1)? == 1 {
                    bits.read(5)?;
                }
            }
        }
        let kind = bits.read(4)?;
        if kind == 1 || kind == 2 {
            bits.read(32)?;
            bits.read(32)?;
            let value_bits = u64::from(bits.read(4)? + 1);
            bits.read(1)?;
            let stored = if kind == 1 { largest_root(entries, dimensions) } else { entries * dimensions };
            bits.at += (stored * value_bits) as usize;
        }
    }
    Some(values)
}

/// Returns the largest integer whose power is not above `entries`.
fn largest_root(entries: u64, power: u64) -> u64 {
    if power < 2 {
        return entries;
    }
    let power = u32::try_from(power).unwrap_or(u32::MAX);
    let fits = |root: &u64| root.checked_pow(power).is_some_and(|product| product <= entries);
    (1..=entries).take_while(fits).last().unwrap_or(0)
}

/// Reads bits from the lowest bit of the first byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn read(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for n in 0..count {
            let bit = self.bytes.get(self.at / 8)? >> (self.at % 8) & 1;
            value |= u32::from(bit) << n;
            self.at += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a setup header with codebooks of these dimensions and entries. They are stored in order of length, with
    /// a lookup table of 1-bit values.
    fn setup(codebooks: &[(u32, u32)]) -> Vec<u8> {
        let mut bits: Vec<bool> = Vec::new();
        let mut push = |value: u32, count: u32| bits.extend((0..count).map(|n| value >> n & 1 == 1));
        push(codebooks.len() as u32 - 1, 8);
        for &(dimensions, entries) in codebooks {
            push(0x56_4342, 24);
            push(dimensions, 16);
            push(entries, 24);
            push(1, 1);
            push(16, 5);
            push(entries, 32 - entries.leading_zeros());
            push(1, 4);
            push(0, 32);
            push(0, 32);
            push(0, 4);
            push(0, 1);
            push(0, largest_root(entries.into(), dimensions.into()) as u32);
        }
        let bytes = bits.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |b, (n, &bit)| b | u8::from(bit) << n));
        b"\x05vorbis".iter().copied().chain(bytes).collect()
    }

    #[test]
    fn values_of_all_codebooks_count() {
        assert_eq!(vorbis_values(&setup(&[(2, 81), (4, 625)])), Some(2 * 81 + 4 * 625));
        let bomb = vec![(32, 131_072); 200];
        assert!(vorbis_values(&setup(&bomb)).is_some_and(|values| values > MAX_VORBIS_VALUES));
    }

    #[test]
    fn headers_without_codebooks_say_nothing() {
        assert_eq!(vorbis_values(b"no header"), None);
        assert_eq!(vorbis_values(b"\x05vorbis"), None);
    }
}
