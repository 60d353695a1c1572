//! Prints the profile of raw stereo audio (little-endian 32-bit floats) as JSON, or its features as a table.
//!
//! `ffmpeg -i song.flac -ac 2 -f f32le - | cargo run --release --example measure -- 44100 [features]`

use std::io::{Read, Write};

use analyzer::analyze::Analyzer;
use analyzer::stream::{Frame, Meter};

fn main() -> std::io::Result<()> {
    let rate = std::env::args().nth(1).and_then(|rate| rate.parse().ok()).unwrap_or(44_100);
    let mut analyzer = Analyzer::new(rate, 2);
    let mut input = std::io::stdin().lock();
    let mut bytes = vec![0; 8 * 16_384];
    loop {
        let mut filled = 0;
        while filled < bytes.len() {
            match input.read(&mut bytes[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        let sample = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        let frames: Vec<Frame> = bytes[..filled].chunks_exact(8).map(|b| [sample(&b[..4]), sample(&b[4..])]).collect();
        analyzer.push(&frames);
        if filled < bytes.len() {
            break;
        }
    }
    let (profile, mut output) = (analyzer.finish(), std::io::stdout().lock());
    if std::env::args().nth(2).as_deref() == Some("features") {
        return profile
            .features()
            .into_iter()
            .flatten()
            .try_for_each(|(name, value)| writeln!(output, "{name}\t{value}"));
    }
    writeln!(output, "{}", serde_json::to_string_pretty(&profile).map_err(std::io::Error::other)?)
}
