//! Writes the demo mix to standard output, as raw stereo audio in little-endian 32-bit floats.
//!
//! `cargo run --release --example demo -- 44100 24 | ffmpeg -f f32le -ar 44100 -ac 2 -i - demo.wav`

use std::io::Write;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rate = arguments.next().and_then(|v| v.parse().ok()).unwrap_or(44_100);
    let seconds = arguments.next().and_then(|v| v.parse().ok()).unwrap_or(24.0);
    let song = analyzer::synth::demo_mix(rate, seconds);
    let bytes: Vec<u8> = song.as_flattened().iter().flat_map(|x| x.to_le_bytes()).collect();
    std::io::stdout().write_all(&bytes)
}
