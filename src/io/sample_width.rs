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
    let (mut is_low_empty, mut is_high_empty) = (true, true);
    let (mut of_four, mut of_three) = (Steps::default(), Steps::default());
    each_probe(file, data_start, data_bytes, channels, |bytes| {
        for [low, _, upper, high] in bytes.as_chunks::<4>().0 {
            is_low_empty &= *low == 0;
            is_high_empty &= *high == if upper & 0x80 == 0 { 0 } else { 0xff };
        }
        of_four.add(bytes.as_chunks::<4>().0.iter().map(|sample| i32::from_le_bytes(*sample)), channels);
        of_three.add(bytes.as_chunks::<3>().0.iter().map(|[a, b, c]| i32::from_le_bytes([0, *a, *b, *c])), channels);
    })?;
    Ok(is_low_empty || is_high_empty || of_four.roughness() < of_three.roughness())
}

/// Returns true if samples of 4 bytes whose upper three should be used lie in the lower three: everywhere the highest
/// byte repeats the sign, and the lowest is not empty. Looks at places all over the sound.
pub(super) fn is_right_justified(
    file: &mut File,
    data_start: u64,
    data_bytes: u64,
    channels: usize,
) -> std::io::Result<bool> {
    let (mut is_low_empty, mut is_high_empty) = (true, true);
    each_probe(file, data_start, data_bytes, channels, |bytes| {
        for [low, _, upper, high] in bytes.as_chunks::<4>().0 {
            is_low_empty &= *low == 0;
            is_high_empty &= *high == if upper & 0x80 == 0 { 0 } else { 0xff };
        }
    })?;
    Ok(is_high_empty && !is_low_empty)
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
