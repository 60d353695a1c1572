//! Tells samples of three bytes from samples of four, and on which side they lie in four, where the header of a WAV
//! file cannot be trusted.

use std::fs::File;

use super::bytes::ReadAt as _;

/// Number and length of the places, all over the sound, that tell whether samples are padded.
const PROBES: u64 = 64;
const PROBE_BYTES: u64 = 12 << 10;

/// Returns true if the samples that say 24 bits take 4 bytes each: everywhere the lowest byte is empty, or the highest repeats
/// the sign, or read so the sound is smoother than in samples of 3 bytes. Looks at places all over the sound.
pub(super) fn has_four_bytes(
    file: &mut File,
    data_start: u64,
    data_bytes: u64,
    channels: usize,
) -> std::io::Result<bool> {
    let mut empty = EmptyBytes { is_low: true, is_high: true };
    let (mut of_four, mut of_three) = (Steps::default(), Steps::default());
    each_probe(file, data_start, data_bytes, channels, |bytes| {
        empty.look(bytes);
        of_four.add(bytes.as_chunks::<4>().0.iter().map(|sample| i32::from_le_bytes(*sample)), channels);
        of_three.add(bytes.as_chunks::<3>().0.iter().map(|[a, b, c]| i32::from_le_bytes([0, *a, *b, *c])), channels);
    })?;
    Ok(empty.is_low || empty.is_high || of_four.roughness() < of_three.roughness())
}

/// Returns true if samples of 4 bytes whose upper three should be used lie in the lower three: everywhere the highest
/// byte repeats the sign, and the lowest is not empty. Looks at places all over the sound.
pub(super) fn is_right_justified(
    file: &mut File,
    data_start: u64,
    data_bytes: u64,
    channels: usize,
) -> std::io::Result<bool> {
    let mut empty = EmptyBytes { is_low: true, is_high: true };
    each_probe(file, data_start, data_bytes, channels, |bytes| {
        empty.look(bytes);
    })?;
    Ok(empty.is_high && !empty.is_low)
}

/// Bytes that hold nothing in samples of 4 bytes, as far as these were seen.
struct EmptyBytes {
    /// The lowest is always 0.
    is_low: bool,
    /// The highest always repeats the sign.
    is_high: bool,
}

impl EmptyBytes {
    fn look(&mut self, bytes: &[u8]) {
        for [low, _, upper, high] in bytes.as_chunks::<4>().0 {
            self.is_low &= *low == 0;
            self.is_high &= *high == if upper & 0x80 == 0 { 0 } else { 0xff };
        }
    }
}

/// Reads the places all over the sound, each from the start of a frame, whether its samples have three bytes or four.
fn each_probe(
    file: &mut File,
    data_start: u64,
    data_bytes: u64,
    channels: usize,
    mut look: impl FnMut(&[u8]),
) -> std::io::Result<()> {
    let frames_bytes = 12 * channels as u64;
    for place in 0..PROBES {
        let at = data_bytes / PROBES * place / frames_bytes * frames_bytes;
        let mut bytes = vec![0; (data_bytes - at).min(PROBE_BYTES) as usize];
        file.fill(data_start + at, &mut bytes)?;
        look(&bytes);
    }
    Ok(())
}

/// Sums of samples and of their changes. Noise changes by more than it is, sound by less.
#[derive(Default)]
struct Steps {
    samples: f64,
    changes: f64,
}

impl Steps {
    fn add(&mut self, samples: impl Iterator<Item = i32>, channels: usize) {
        let samples: Vec<f64> = samples.map(f64::from).collect();
        self.samples += samples.iter().map(|sample| sample.abs()).sum::<f64>();
        self.changes += samples.iter().zip(samples.iter().skip(channels)).map(|(a, b)| (b - a).abs()).sum::<f64>();
    }

    fn roughness(&self) -> f64 {
        self.changes / self.samples.max(1.0)
    }
}
