//! Decodes FLAC of 32 bits, whose side channel has 33 bits: more than symphonia's decoder supports.

use flac_codec::decode::FlacStreamReader;
use symphonia::core::audio::{AsGenericAudioBufferRef, AudioBuffer, AudioMut, AudioSpec, GenericAudioBufferRef};
use symphonia::core::checksum::Md5;
use symphonia::core::codecs::CodecInfo;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, FinalizeResult};
use symphonia::core::errors::{Error as Fault, Result};
use symphonia::core::io::Monitor as _;
use symphonia::core::packet::PacketRef;

/// Offset of the checksum of all samples in STREAMINFO.
const MD5_AT: usize = 18;

/// True if a FLAC with this STREAMINFO has 32 bits.
pub(super) fn is_needed(params: &AudioCodecParameters) -> bool {
    bits_per_sample(params) == Some(32)
}

/// Returns the bits per sample: a field of 5 bits that holds the number minus one, after 20 bits of sample rate and 3
/// of channels (RFC 9639, section 8.2).
fn bits_per_sample(params: &AudioCodecParameters) -> Option<u32> {
    let &[a, b] = params.extra_data.as_deref()?.get(12..14)?.first_chunk()?;
    Some(u32::from(a & 1) << 4 | u32::from(b >> 4)).map(|bits| bits + 1)
}

pub(super) struct Flac32Decoder {
    params: AudioCodecParameters,
    channels: usize,
    buffer: AudioBuffer<i32>,
    md5: Md5,
    expected: Option<[u8; 16]>,
}

impl Flac32Decoder {
    /// Creates a decoder for mono or stereo.
    pub fn new(params: &AudioCodecParameters) -> Result<Self> {
        let (Some(rate_hz), Some(channels)) = (params.sample_rate, params.channels.clone()) else {
            return Err(Fault::DecodeError("flac: no stream info"));
        };
        let count = channels.count();
        let buffer = AudioBuffer::new(AudioSpec::new(rate_hz, channels), usize::from(u16::MAX));
        let checksum = params.extra_data.as_deref().and_then(|info| info.get(MD5_AT..)?.first_chunk().copied());
        let expected = checksum.filter(|sum| *sum != [0; 16]);
        let mut params = params.clone();
        params.with_bits_per_sample(32);
        Ok(Self { params, channels: count, buffer, md5: Md5::default(), expected })
    }

    fn decode_packet(&mut self, packet: &PacketRef<'_>) -> Result<()> {
        self.buffer.clear();
        let mut reader = FlacStreamReader::new(packet.data);
        let frame = reader.read().map_err(|_| Fault::DecodeError("flac: a frame is damaged"))?;
        if usize::from(frame.channels) != self.channels || frame.bits_per_sample != 32 {
            return Err(Fault::DecodeError("flac: a frame is unlike the stream"));
        }
        let frames = frame.samples.len() / self.channels;
        self.buffer.render_uninit(Some(frames));
        for channel in 0..self.channels {
            let plane = self.buffer.plane_mut(channel).ok_or(Fault::DecodeError("flac: channels"))?;
            for (to, from) in plane.iter_mut().zip(frame.samples.chunks_exact(self.channels)) {
                *to = from[channel];
            }
        }
        let bytes: Vec<u8> = frame.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        self.md5.process_buf_bytes(&bytes);
        Ok(())
    }
}

impl AudioDecoder for Flac32Decoder {
    fn reset(&mut self) {}

    fn codec_info(&self) -> &CodecInfo {
        &CodecInfo { short_name: "flac", long_name: "FLAC of 32 bits", profiles: &[] }
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.params
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        self.decode_packet(packet)?;
        Ok(self.buffer.as_generic_audio_buffer_ref())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult { verify_ok: self.expected.map(|expected| self.md5.md5() == expected) }
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        self.buffer.as_generic_audio_buffer_ref()
    }
}

#[cfg(test)]
mod tests {
    use flac_codec::encode::{FlacSampleWriter, Options};

    use super::super::testing::decode;

    #[test]
    fn a_stereo_coded_side_of_33_bits_is_decoded_exactly() {
        let scale = 2_147_483_647.0;
        let samples: Vec<i32> = (0..40_000)
            .flat_map(|n| {
                let left = (n as f64 * 0.05).sin() * 0.99 * scale;
                // First nearly equal channels, then opposite ones: both ways to code a difference, and its full range.
                let right = if n < 20_000 { left * 0.98 } else { -left };
                [left as i32, right as i32]
            })
            .collect();
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut writer =
            FlacSampleWriter::new(&mut bytes, Options::default().mid_side(true), 44_100, 32, 2, Some(80_000))
                .expect("a FLAC of 32 bits");
        writer.write(&samples).expect("memory");
        writer.finalize().expect("memory");
        let (info, frames, warnings) = decode(bytes.get_ref()).expect("a FLAC");
        assert_eq!((info.bit_depth, frames.len(), warnings), (Some(32), 40_000, vec![]));
        let expected = samples.iter().map(|&sample| (f64::from(sample) / 2_147_483_648.0) as f32);
        assert!(frames.as_flattened().iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-7));
    }
}
