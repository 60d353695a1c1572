//! Writes MP3: frames of constant bit rate after a first frame that states the length of the song.
//!
//! This first frame is the Info tag of LAME (gabriel.mp3-tech.org, *Mp3 Info Tag rev 1*). Decoders that know it leave
//! out the frames that the encoder adds before and after the song.

use std::io::{self, Seek, Write};

use analyzer::stream::Frame;
use renderer::lossy::{Codec, LossyParams};
use rusty_mp3::{Mp3Encoder, Mp3EncoderConfig};

use super::catch_panic::catch_panic;
use super::output_spec::{OutputSpec, interleaved};

/// Encodes frames as they arrive. At bit rates up to 256 kbit/s, the encoder holds the file in memory until it ends.
pub(super) struct Mp3Writer<W> {
    writer: W,
    encoder: Mp3Encoder,
    spec: OutputSpec,
    samples: Vec<f32>,
}

impl<W: Write + Seek> Mp3Writer<W> {
    pub fn new(writer: W, spec: OutputSpec) -> Self {
        let LossyParams { bitrate_kbps, .. } = LossyParams::new(Codec::Mp3, spec.bitrate_kbps);
        let encoder = Mp3Encoder::new(Mp3EncoderConfig { bitrate_kbps, vbr_quality: None });
        Self { writer, encoder, spec, samples: Vec::new() }
    }

    pub fn write(&mut self, frames: &[Frame]) -> io::Result<()> {
        interleaved(frames, self.spec.channels, &mut self.samples);
        let (channels, rate_hz) = (u16::from(self.spec.channels), self.spec.sample_rate_hz);
        let pushed = catch_panic(|| self.encoder.push_pcm_f32(&self.samples, channels, rate_hz)).ok_or_else(failure)?;
        pushed.map_err(|error| io::Error::other(error.to_string()))?;
        self.drain()
    }

    /// Writes the last frames, and rewrites the first one with the final length.
    pub fn finish(mut self) -> io::Result<()> {
        catch_panic(|| self.encoder.finish()).ok_or_else(failure)?;
        self.drain()?;
        let first = self.encoder.lame_tag_frame().ok_or_else(failure)?;
        self.writer.rewind()?;
        self.writer.write_all(first)?;
        self.writer.flush()
    }

    fn drain(&mut self) -> io::Result<()> {
        while let Ok(packet) = self.encoder.next_packet() {
            self.writer.write_all(&packet)?;
        }
        Ok(())
    }
}

fn failure() -> io::Error {
    io::Error::other("the MP3 encoder failed")
}
