//! Writes Opus in Ogg (RFC 7845), always coded as music.

use std::io::{self, Write};

use analyzer::stream::Frame;
use opus_rs::{Application, OpusEncoder};
use renderer::lossy::{Codec, LossyParams};

use super::catch_panic::catch_panic;
use super::ogg_pages::{MAX_SEGMENTS, Pages, segments};
use super::opus::SAMPLE_RATE_HZ;
use super::output_spec::{OutputSpec, interleaved};

/// Frames of a packet: 20 ms.
const PACKET_FRAMES: usize = 960;

/// Frames that the decoder outputs before the sound: 2.5 ms, as the encoder looks ahead no further than its transform
/// does.
const PRE_SKIP_FRAMES: u16 = 120;

/// Bytes of the longest packet (RFC 6716, section 3.4).
const MAX_PACKET_BYTES: usize = 1_275;

/// Packets of a page: one second (RFC 7845, section 6), because players seek from page to page.
const MAX_PAGE_PACKETS: usize = 50;

/// Stack for making the encoder, bytes: it is placed on the stack before it is boxed.
const STACK_BYTES: usize = 4 << 20;

/// Name of the encoder in the comments of every stream.
const VENDOR: &str = "opus-rs";

/// Flag of the last page, whose position marks the end of the sound.
const LAST: u8 = 4;

pub(super) struct OpusWriter<W> {
    pages: Pages<W>,
    encoder: Box<OpusEncoder>,
    spec: OutputSpec,
    samples: Vec<f32>,
    /// Samples that do not fill a packet yet.
    waiting: Vec<f32>,
    /// Packets that do not fill a page yet.
    packets: Vec<Vec<u8>>,
    /// Number of frames in all packets, including those before the sound.
    encoded_frames: u64,
}

impl<W: Write> OpusWriter<W> {
    /// Writes the headers, with comments that only name the encoder.
    pub fn new(writer: W, spec: OutputSpec) -> io::Result<Self> {
        let LossyParams { bitrate_kbps, .. } = LossyParams::new(Codec::Opus, spec.bitrate_kbps);
        let mut encoder = encoder(spec.channels)?;
        encoder.bitrate_bps = (bitrate_kbps * 1000) as i32;
        encoder.complexity = 10;
        let mut pages = Pages::new(writer);
        pages.header(&head(spec.channels))?;
        pages.header(&comments(&[]))?;
        let (samples, waiting, packets) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { pages, encoder, spec, samples, waiting, packets, encoded_frames: 0 })
    }

    pub fn write(&mut self, frames: &[Frame]) -> io::Result<()> {
        interleaved(frames, self.spec.channels, &mut self.samples);
        self.waiting.extend_from_slice(&self.samples);
        let packet_samples = PACKET_FRAMES * usize::from(self.spec.channels);
        let whole = self.waiting.len() / packet_samples * packet_samples;
        for start in (0..whole).step_by(packet_samples) {
            self.encode(start..start + packet_samples)?;
        }
        self.waiting.drain(..whole);
        Ok(())
    }

    /// Writes the last packets, and marks the end of the sound in them. Returns the checksum of all packets.
    pub fn finish(mut self) -> io::Result<u32> {
        let end = self.spec.frames + u64::from(PRE_SKIP_FRAMES);
        let packet_samples = PACKET_FRAMES * usize::from(self.spec.channels);
        while self.encoded_frames < end {
            self.waiting.resize(packet_samples, 0.0);
            self.encode(0..packet_samples)?;
            self.waiting.clear();
        }
        self.pages.packets(&self.packets, end, LAST)?;
        self.pages.finish()
    }

    /// Encodes a range of the waiting samples as a packet. A full page is written before the packet is added, so that
    /// at least one packet is left for the last page.
    fn encode(&mut self, range: std::ops::Range<usize>) -> io::Result<()> {
        let mut packet = vec![0; MAX_PACKET_BYTES];
        let encoded = catch_panic(|| self.encoder.encode(&self.waiting[range], PACKET_FRAMES, &mut packet));
        let length = encoded.ok_or_else(failure)?.map_err(io::Error::other)?;
        packet.truncate(length);
        let page_segments: usize = self.packets.iter().chain([&packet]).map(|packet| segments(packet.len())).sum();
        if self.packets.len() == MAX_PAGE_PACKETS || page_segments > MAX_SEGMENTS {
            self.pages.packets(&self.packets, self.encoded_frames, 0)?;
            self.packets.clear();
        }
        self.packets.push(packet);
        self.encoded_frames += PACKET_FRAMES as u64;
        Ok(())
    }
}

/// Creates an encoder that never uses the speech mode: it is not needed, and the decoder cannot switch between the
/// modes.
fn encoder(channels: u8) -> io::Result<Box<OpusEncoder>> {
    let make = move || {
        let rate_hz = SAMPLE_RATE_HZ as i32;
        OpusEncoder::new(rate_hz, channels.into(), Application::RestrictedLowDelay).map(Box::new)
    };
    let made = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(make)?.join();
    made.map_err(|_| failure())?.map_err(io::Error::other)
}

/// Returns the identification header (RFC 7845, section 5.1).
fn head(channels: u8) -> Vec<u8> {
    let version_and_channels = [1, channels];
    let gain_and_mapping = [0; 3];
    let rate = SAMPLE_RATE_HZ.to_le_bytes();
    [&b"OpusHead"[..], &version_and_channels, &PRE_SKIP_FRAMES.to_le_bytes(), &rate, &gain_and_mapping].concat()
}

/// Returns the comment header (RFC 7845, section 5.2) with these texts of the form `NAME=text`.
pub(super) fn comments(texts: &[String]) -> Vec<u8> {
    let mut packet = b"OpusTags".to_vec();
    append_text(VENDOR, &mut packet);
    packet.extend((texts.len() as u32).to_le_bytes());
    texts.iter().for_each(|text| append_text(text, &mut packet));
    packet
}

fn append_text(text: &str, packet: &mut Vec<u8>) {
    packet.extend((text.len() as u32).to_le_bytes());
    packet.extend(text.as_bytes());
}

fn failure() -> io::Error {
    io::Error::other("the Opus encoder failed")
}
