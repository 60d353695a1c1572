//! Opus decoder (RFC 6716) for use with symphonia's demuxers; symphonia itself has none.

use symphonia::core::audio::{
    AsGenericAudioBufferRef, AudioBuffer, AudioMut, AudioSpec, GenericAudioBufferRef, layouts,
};
use symphonia::core::codecs::CodecInfo;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, FinalizeResult};
use symphonia::core::errors::{Error as Fault, Result};
use symphonia::core::packet::PacketRef;

/// Sample rate of all decoded Opus, whatever the rate of the source was.
pub(super) const SAMPLE_RATE_HZ: u32 = 48_000;

/// Frames of the longest packet: 120 ms.
const MAX_PACKET_FRAMES: usize = 5_760;

/// Returns the number of frames that the decoder needs to settle, from the identification header (RFC 7845, section
/// 5.1).
pub(super) fn pre_skip_frames(params: &AudioCodecParameters) -> Option<u64> {
    let head = params.extra_data.as_deref()?;
    Some(u64::from(u16::from_le_bytes([*head.get(10)?, *head.get(11)?])))
}

/// Coding of an Opus packet, according to its first byte (RFC 6716, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Speech,
    Both,
    Music,
}

impl Coding {
    fn of(packet: &[u8]) -> Option<Self> {
        Some(match packet.first()? >> 3 {
            0..=11 => Self::Speech,
            12..=15 => Self::Both,
            _ => Self::Music,
        })
    }
}

/// True if the frames of a packet last 2.5 ms.
fn is_shortest(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first >> 3 >= 16 && first >> 3 & 3 == 0)
}

/// Detects streams that the decoder does not decode well enough: there, its output has clicks, and agrees with the
/// reference decoder only to 27 to 37 dB.
#[derive(Debug, Default)]
pub(super) struct SupportCheck {
    coding: Option<Coding>,
}

impl SupportCheck {
    /// Examines the next packet. Returns a description of what cannot be decoded well enough, if anything.
    pub fn unsupported_reason(&mut self, packet: &[u8]) -> Option<&'static str> {
        let coding = Coding::of(packet)?;
        if is_shortest(packet) {
            return Some("Opus with packets of 2.5 ms");
        }
        let before = self.coding.replace(coding);
        before.is_some_and(|before| before != coding).then_some("Opus that switches between speech and music coding")
    }

    /// Starts a new stream.
    pub fn reset(&mut self) {
        self.coding = None;
    }
}

pub(super) struct OpusDecoder {
    decoder: opus_rs::OpusDecoder,
    channels: usize,
    gain: f32,
    params: AudioCodecParameters,
    samples: Vec<f32>,
    buffer: AudioBuffer<f32>,
}

impl OpusDecoder {
    /// Creates a decoder for mono or stereo.
    pub fn new(params: &AudioCodecParameters) -> Result<Self> {
        let head = params.extra_data.as_deref().unwrap_or_default();
        let (Some(&count), Some(&[low, high])) = (head.get(9), head.get(16..18).and_then(|g| g.first_chunk())) else {
            return Err(Fault::DecodeError("opus: no identification header"));
        };
        let channels = usize::from(count);
        let decoder = opus_rs::OpusDecoder::new(SAMPLE_RATE_HZ as i32, channels).map_err(Fault::Unsupported)?;
        let layout = if channels == 1 { layouts::CHANNEL_LAYOUT_MONO } else { layouts::CHANNEL_LAYOUT_STEREO };
        let buffer = AudioBuffer::new(AudioSpec::new(SAMPLE_RATE_HZ, layout), MAX_PACKET_FRAMES);
        // The gain is stored in steps of 1/256 dB.
        let gain_db = f64::from(i16::from_le_bytes([low, high])) / 256.0;
        let gain = analyzer::units::gain_from_db(gain_db) as f32;
        let samples = vec![0.0; MAX_PACKET_FRAMES * channels];
        Ok(Self { decoder, channels, gain, params: params.clone(), samples, buffer })
    }

    fn decode_packet(&mut self, packet: &PacketRef<'_>) -> Result<()> {
        self.buffer.clear();
        let decoded = self.decoder.decode(packet.data, MAX_PACKET_FRAMES, &mut self.samples);
        let frames = decoded.map_err(Fault::DecodeError)?.min(MAX_PACKET_FRAMES);
        self.buffer.render_uninit(Some(frames));
        for channel in 0..self.channels {
            let plane = self.buffer.plane_mut(channel).ok_or(Fault::DecodeError("opus: channels"))?;
            for (to, from) in plane.iter_mut().zip(self.samples.chunks_exact(self.channels)) {
                *to = from[channel] * self.gain;
            }
        }
        let end = usize::try_from(packet.trim_end.get()).unwrap_or(usize::MAX).min(frames);
        self.buffer.truncate(frames - end);
        Ok(())
    }
}

impl AudioDecoder for OpusDecoder {
    fn reset(&mut self) {}

    fn codec_info(&self) -> &CodecInfo {
        &CodecInfo { short_name: "opus", long_name: "Opus", profiles: &[] }
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.params
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        self.decode_packet(packet)?;
        Ok(self.buffer.as_generic_audio_buffer_ref())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        self.buffer.as_generic_audio_buffer_ref()
    }
}

#[cfg(test)]
mod tests {
    use opus_rs::{Application, OpusEncoder};

    use super::super::testing::{decode, page};
    use super::*;

    const PACKET_FRAMES: usize = 960;
    const PRE_SKIP_FRAMES: u16 = 312;

    fn head(gain_q8_db: i16) -> Vec<u8> {
        let mut head = [&b"OpusHead\x01\x02"[..], &PRE_SKIP_FRAMES.to_le_bytes(), &48_000_u32.to_le_bytes()].concat();
        head.extend(gain_q8_db.to_le_bytes());
        head.push(0);
        head
    }

    /// Creates a stream with a 440 Hz tone, of different level in both channels.
    fn ogg_opus(packets: usize, gain_q8_db: i16) -> Vec<u8> {
        let mut encoder = OpusEncoder::new(48_000, 2, Application::Audio).expect("an encoder");
        let mut pages = [page(1, 0, 2, 0, &head(gain_q8_db)), page(1, 1, 0, 0, b"OpusTags\0\0\0\0\0\0\0\0")].concat();
        for i in 0..packets {
            let tone = |k: usize| (k as f32 * std::f32::consts::TAU * 440.0 / 48_000.0).sin();
            let first = i * PACKET_FRAMES;
            let samples: Vec<f32> =
                (first..first + PACKET_FRAMES).flat_map(|k| [0.4 * tone(k), 0.2 * tone(k)]).collect();
            let mut packet = [0; 1_275];
            let length = encoder.encode(&samples, PACKET_FRAMES, &mut packet).expect("a packet");
            let flags = if i + 1 == packets { 4 } else { 0 };
            pages.extend(page(1, 2 + i as u32, flags, (first + PACKET_FRAMES) as u64, &packet[..length]));
        }
        pages
    }

    fn rms(frames: &[[f32; 2]], channel: usize) -> f32 {
        (frames.iter().map(|f| f[channel] * f[channel]).sum::<f32>() / frames.len() as f32).sqrt()
    }

    #[test]
    fn a_tone_keeps_its_level_and_the_start_is_left_out() {
        let (info, frames, warnings) = decode(&ogg_opus(50, 0)).expect("Opus");
        assert_eq!(frames.len(), 50 * PACKET_FRAMES - usize::from(PRE_SKIP_FRAMES));
        assert_eq!((info.codec.as_str(), info.sample_rate_hz, info.lossy, warnings), ("Opus", 48_000, true, vec![]));
        // The encoder is lossy: within 5 %.
        for (channel, level) in [(0, 0.4), (1, 0.2)] {
            let expected = level / 2.0_f32.sqrt();
            assert!((rms(&frames[9_600..], channel) / expected - 1.0).abs() < 0.05);
        }
    }

    #[test]
    fn what_cannot_be_decoded_well_is_refused() {
        let mut support = SupportCheck::default();
        let packet = |configuration: u8| [configuration << 3, 0];
        assert_eq!([23, 31, 19].map(|c| support.unsupported_reason(&packet(c))), [None; 3]);
        assert!(support.unsupported_reason(&packet(16)).is_some_and(|words| words.contains("2.5 ms")));
        assert!(support.unsupported_reason(&packet(1)).is_some_and(|words| words.contains("switches")));
        support.reset();
        assert_eq!([1, 9].map(|c| support.unsupported_reason(&packet(c))), [None; 2]);
    }

    #[test]
    fn every_link_of_a_chain_has_a_start_that_is_left_out() {
        let one = ogg_opus(50, 0);
        let mut two = one.clone();
        // Give it another serial number, and correct the checksums.
        let mut at = 0;
        while at < two.len() {
            let segments = usize::from(two[at + 26]);
            let bytes = 27 + segments + two[at + 27..at + 27 + segments].iter().map(|&n| usize::from(n)).sum::<usize>();
            two[at + 14] = 2;
            two[at + 22..at + 26].fill(0);
            let crc = two[at..at + bytes].iter().fold(0_u32, |crc, &byte| {
                (0..8).fold(crc ^ u32::from(byte) << 24, |c, _| c << 1 ^ if c >> 31 == 1 { 0x04c1_1db7 } else { 0 })
            });
            two[at + 22..at + 26].copy_from_slice(&crc.to_le_bytes());
            at += bytes;
        }
        let single = decode(&one).expect("Opus").1.len();
        let (_, frames, warnings) = decode(&[one, two].concat()).expect("chained Opus");
        assert_eq!((frames.len(), warnings), (2 * single, vec![]));
    }

    #[test]
    fn the_gain_in_the_header_is_applied() {
        let louder = decode(&ogg_opus(50, 6 * 256)).expect("Opus").1;
        let plain = decode(&ogg_opus(50, 0)).expect("Opus").1;
        let ratio = rms(&louder[9_600..], 0) / rms(&plain[9_600..], 0);
        assert!((ratio - 1.995_262).abs() < 1e-4, "{ratio}");
    }
}
