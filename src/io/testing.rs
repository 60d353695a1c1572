//! Test files for the tests of `io`, made byte by byte.

use std::io::Write;
use std::path::Path;

use analyzer::stream::{Frame, Source};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use tempfile::NamedTempFile;

use super::decode::open;
use super::encode::Encoder;
use super::error::{Error, Warning};
use super::output_spec::{Format, OutputSpec, SampleFormat};
use super::source_info::SourceInfo;

/// Creates a file with these bytes; its name says nothing about its format.
pub fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("space");
    file
}

/// Decodes a whole file.
pub fn read_all(path: &Path) -> Result<(SourceInfo, Vec<Frame>, Vec<Warning>), Error> {
    let mut decoder = open(path)?;
    let mut frames = Vec::new();
    // An odd size, so that blocks never match.
    let mut block = vec![[0.0; 2]; 997];
    loop {
        match decoder.read(&mut block)? {
            0 => break,
            count => frames.extend_from_slice(&block[..count]),
        }
    }
    Ok((decoder.info().clone(), frames, decoder.warnings().to_vec()))
}

/// Decodes a file with these bytes.
pub fn decode(bytes: &[u8]) -> Result<(SourceInfo, Vec<Frame>, Vec<Warning>), Error> {
    read_all(file(bytes).path())
}

/// Creates a RIFF chunk.
pub fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let padding = vec![0; body.len() % 2];
    [name, &(body.len() as u32).to_le_bytes()[..], body, &padding].concat()
}

/// Creates a WAV format header.
pub fn wav_format(tag: u16, channels: u16, rate_hz: u32, bits: u16) -> Vec<u8> {
    let frame_bytes = channels.wrapping_mul(bits.div_ceil(8));
    let byte_rate = rate_hz.wrapping_mul(u32::from(frame_bytes));
    let (tag, channels, bits) = (tag.to_le_bytes(), channels.to_le_bytes(), bits.to_le_bytes());
    let (rate, byte_rate) = (rate_hz.to_le_bytes(), byte_rate.to_le_bytes());
    [&tag[..], &channels, &rate, &byte_rate, &frame_bytes.to_le_bytes(), &bits].concat()
}

/// Creates a WAV with these chunks.
pub fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [b"WAVE".to_vec(), chunks.concat()].concat();
    chunk(b"RIFF", &body)
}

/// Creates a WAV with this format header and sound.
pub fn wav(format: &[u8], data: &[u8]) -> Vec<u8> {
    riff(&[chunk(b"fmt ", format), chunk(b"data", data)])
}

/// Creates frames on the grid of this many bits, different in both channels.
pub fn on_grid(count: usize, bits: u32) -> Vec<Frame> {
    let scale = (1_u64 << (bits - 1)) as f64;
    let sample = |i: usize, k: f64| ((0.6 * (i as f64 * k).sin() * scale).round() / scale) as f32;
    (0..count).map(|i| [sample(i, 0.031), sample(i, 0.047)]).collect()
}

/// Writes frames as a file and returns its bytes.
pub fn encoded(format: Format, sample_format: SampleFormat, frames: &[Frame]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("out");
    let (sample_rate_hz, channels, bitrate_kbps) = (44_100, 2, None);
    let spec =
        OutputSpec { sample_rate_hz, channels, format, sample_format, bitrate_kbps, frames: frames.len() as u64 };
    let mut encoder = Encoder::create(&path, spec, false).expect("a new file");
    encoder.write(frames).expect("space");
    encoder.finish(None).expect("space");
    std::fs::read(&path).expect("the file")
}

/// Creates an MP4 box.
pub fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(8 + body.len() as u32).to_be_bytes()[..], name, body].concat()
}

/// Creates an Ogg page with one packet of less than 255 * 255 bytes.
pub fn page(serial: u32, sequence: u32, flags: u8, position: u64, packet: &[u8]) -> Vec<u8> {
    let mut page = [b"OggS\0", &[flags][..], &position.to_le_bytes(), &serial.to_le_bytes()].concat();
    page.extend([&sequence.to_le_bytes()[..], &[0; 4], &[(packet.len() / 255 + 1) as u8]].concat());
    page.extend(std::iter::repeat_n(255, packet.len() / 255));
    page.push((packet.len() % 255) as u8);
    page.extend(packet);
    // RFC 3533, section 6: polynomial 0x04c11db7, no reflection.
    let crc = page.iter().fold(0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |c, _| c << 1 ^ if c >> 31 == 1 { 0x04c1_1db7 } else { 0 })
    });
    page[22..26].copy_from_slice(&crc.to_le_bytes());
    page
}

/// Returns the settings of property tests, which are the same in every run.
pub fn config() -> ProptestConfig {
    ProptestConfig { cases: 48, rng_seed: RngSeed::Fixed(13), failure_persistence: None, ..ProptestConfig::default() }
}

/// Generates changes of some bytes, and a position at which the file is cut.
pub fn damage() -> impl Strategy<Value = (Vec<(Index, u8)>, Option<Index>)> {
    (proptest::collection::vec(any::<(Index, u8)>(), 0..6), proptest::option::of(any::<Index>()))
}

/// Asserts that a damaged file is an error, or is decoded to finite samples.
pub fn assert_survives(mut bytes: Vec<u8>, (changed, end): &(Vec<(Index, u8)>, Option<Index>)) {
    for (at, byte) in changed {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    end.iter().for_each(|end| bytes.truncate(end.index(bytes.len())));
    if let Ok((_, frames, _)) = decode(&bytes) {
        assert!(frames.as_flattened().iter().all(|sample| sample.is_finite()));
    }
}

/// Generates integer samples, and their number of bits.
pub fn samples() -> impl Strategy<Value = (u16, Vec<i32>)> {
    let bits = prop_oneof![Just(16_u16), Just(24), Just(32)];
    (bits, proptest::collection::vec(any::<i32>(), 2..200)).prop_map(|(bits, values)| {
        let even = values.len() / 2 * 2;
        (bits, values[..even].iter().map(|value| value >> (32 - u32::from(bits))).collect())
    })
}

/// Converts such samples to stereo frames.
pub fn frames_of((bits, values): &(u16, Vec<i32>)) -> Vec<Frame> {
    let scale = 2f64.powi(i32::from(*bits) - 1);
    values.chunks_exact(2).map(|pair| [pair[0], pair[1]].map(|value| (f64::from(value) / scale) as f32)).collect()
}
