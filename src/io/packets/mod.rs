//! Decodes compressed sound: packets become frames, trimmed to the music. No loss goes unreported.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use analyzer::stream::Frame;
use symphonia::core::codecs::audio::well_known as id;
use symphonia::core::errors::Error as Fault;
use symphonia::core::packet::Packet;

use super::catch_panic::catch_panic;
use super::demux::{self, Demuxed};
use super::error::{Error, Warning};
use super::he_aac::Detector;
use super::mpeg::{is_layer_1_or_2, mpeg_sample_rate_hz};
use super::regular::open_regular;
use super::sniff::Kind;
use super::source_info::SourceInfo;
use super::window::Window;
use super::{ogg, opus};

/// Most packets in a row that give no frame.
const MAX_EMPTY_PACKETS: u32 = 20_000;

/// Frames of the longest packet of any codec: a FLAC block.
const MAX_PACKET_FRAMES: u64 = 65_535;

/// Frames of the longest MPEG audio frame.
const MPEG_FRAME: u64 = 1152;

/// Frames of the longest packet in use in CAF: Apple Lossless.
const CAF_PACKET: u64 = 4096;

/// Longest gap that is filled with silence, if the length of the stream is not known, seconds.
const MAX_GAP_S: u64 = 60;

/// Longest gap in frames: the silence is held in memory, and a file may claim any sample rate.
const MAX_GAP_FRAMES: u64 = 1 << 23;

/// Bytes by which packets may exceed the file: containers can strip what all packets have in common.
const SLACK_BYTES: u64 = 4096;

/// Decodes a compressed stream.
pub(super) struct PacketReader {
    path: PathBuf,
    kind: Kind,
    source: Demuxed,
    sample_rate_hz: u32,
    channels: u32,
    /// Decoded frames. Those from `at` on are still to be read; the last ones may be padding.
    block: Vec<Frame>,
    at: usize,
    scratch: Vec<f32>,
    /// Number of frames decoded so far, before trimming.
    decoded_frames: u64,
    /// Number of these that are silence in place of sound that could not be decoded.
    silenced_frames: u64,
    /// Expected position of the next packet, in streams that state positions.
    next_position: Option<i64>,
    /// Bytes that further packets may have: sound that the file does not contain cannot be decoded.
    bytes_left: u64,
    he_aac: Detector,
    opus_support: opus::SupportCheck,
    /// Message about the last packet that could not be decoded.
    last_fault: String,
    barren_packets: u32,
    has_ended: bool,
    was_cut_off: bool,
}

impl PacketReader {
    /// Opens the stream and decodes its first frames.
    pub fn open(window: Window, kind: Kind, path: &Path) -> Result<(Self, SourceInfo), Error> {
        let bytes_left = window.range().end - window.range().start + SLACK_BYTES;
        let source = demux::open(window, kind, path)?;
        // A FLAC that does not state its length may have been cut out of a longer one.
        let is_whole = kind == Kind::Flac && source.trim.promised_frames.is_some();
        let mut reader = Self {
            path: path.to_owned(),
            kind,
            source,
            sample_rate_hz: 0,
            channels: 0,
            block: Vec::new(),
            at: 0,
            scratch: Vec::new(),
            decoded_frames: 0,
            silenced_frames: 0,
            next_position: is_whole.then_some(0),
            bytes_left,
            he_aac: Detector::default(),
            opus_support: opus::SupportCheck::default(),
            last_fault: String::new(),
            barren_packets: 0,
            has_ended: false,
            was_cut_off: false,
        };
        reader.fill()?;
        if reader.sample_rate_hz == 0 {
            return Err(match reader.decoded_frames {
                0 => Error::Empty { path: path.to_owned() },
                _ => reader.damaged(&format!("none of its sound can be decoded: {}", reader.last_fault)),
            });
        }
        let info = reader.describe();
        Ok((reader, info))
    }

    fn describe(&self) -> SourceInfo {
        let (codec, params) = (self.source.codec, self.source.decoder.codec_params());
        let trim = &self.source.trim;
        let promised = match trim.promised_frames {
            Some(frames) => Some(frames.saturating_sub(trim.start_frames + trim.padding_frames)),
            None => self.source.track.num_frames.map(|n| n.saturating_sub(trim.start_frames)),
        };
        SourceInfo {
            sample_rate_hz: self.sample_rate_hz,
            channels: self.channels as u8,
            frames_hint: promised.filter(|_| self.is_certain_of_length()),
            codec: demux::codec_name(codec).to_owned(),
            bit_depth: demux::bit_depth(codec, params),
            lossy: demux::is_lossy(codec),
        }
    }

    /// True if the length is reliable, and not guessed from the bit rate or taken from a stream that is not complete.
    fn is_certain_of_length(&self) -> bool {
        match self.kind {
            Kind::Mpeg | Kind::Adts => self.source.trim.promised_frames.is_some(),
            Kind::Ogg => open_regular(&self.path).is_ok_and(|mut file| ogg::has_ended(&mut file)),
            _ => true,
        }
    }

    pub fn read(&mut self, frames: &mut [Frame]) -> Result<usize, Error> {
        if frames.is_empty() {
            return Ok(0);
        }
        if self.ready() == 0 {
            self.fill()?;
        }
        let count = frames.len().min(self.ready());
        frames[..count].copy_from_slice(&self.block[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }

    /// Returns the warnings about the stream; complete once it has ended.
    pub fn warnings(&self) -> &[Warning] {
        &self.source.warnings
    }

    /// Returns the number of frames that can be read: all but those that may turn out to be padding.
    fn ready(&self) -> usize {
        let held = if self.has_ended { 0 } else { self.source.trim.padding_frames as usize };
        (self.block.len() - self.at).saturating_sub(held)
    }

    /// Decodes until frames are ready or the stream ends.
    fn fill(&mut self) -> Result<(), Error> {
        self.block.drain(..self.at);
        self.at = 0;
        while self.ready() == 0 && !self.has_ended {
            let before = self.decoded_frames;
            let next = catch_panic(|| self.source.format.next_packet()).unwrap_or(Err(demux::DECODER_PANICKED));
            if let Some(error) = self.source.failure.get() {
                return Err(Error::reading(&self.path, error));
            }
            match next {
                Ok(Some(packet)) if packet.track_id == self.source.track.id => self.take(&packet)?,
                Ok(Some(_)) => continue,
                Ok(None) => self.end()?,
                Err(Fault::ResetRequired) => self.next_part()?,
                Err(Fault::IoError(e)) if demux::is_end(&e) => {
                    self.was_cut_off = true;
                    self.end()?;
                }
                Err(Fault::IoError(e)) => return Err(Error::reading(&self.path, &e)),
                Err(fault) => {
                    self.source.warnings.push(Warning::Stopped { cause: demux::cause(&fault) });
                    self.end()?;
                }
            }
            self.barren_packets = if self.decoded_frames > before { 0 } else { self.barren_packets + 1 };
            if self.barren_packets > MAX_EMPTY_PACKETS {
                return Err(self.damaged("it goes on without any sound"));
            }
        }
        Ok(())
    }

    /// Decodes one packet. If that fails, silence of the same length takes its place.
    fn take(&mut self, packet: &Packet) -> Result<(), Error> {
        let Some(left) = self.bytes_left.checked_sub(packet.data.len().max(1) as u64) else {
            self.source.warnings.push(Warning::Stopped { cause: "it claims more sound than it holds".to_owned() });
            return self.end();
        };
        self.bytes_left = left;
        if self.source.codec == id::CODEC_ID_AAC && self.he_aac.finds(&packet.data) {
            return Err(demux::unsupported(&self.path, "HE-AAC"));
        }
        if self.source.codec == id::CODEC_ID_OPUS
            && let Some(what) = self.opus_support.unsupported_reason(&packet.data)
        {
            return Err(demux::unsupported(&self.path, what));
        }
        self.fill_gap(packet);
        let start = self.block.len();
        match catch_panic(|| self.source.decoder.decode(packet)).unwrap_or(Err(demux::DECODER_PANICKED)) {
            Ok(buffer) => {
                let (rate_hz, channels) = (buffer.spec().rate(), buffer.num_planes() as u32);
                if buffer.frames() > 0 {
                    buffer.copy_to_vec_interleaved(&mut self.scratch);
                    self.check_spec(rate_hz, channels)?;
                    append(&self.scratch, channels, &mut self.block);
                }
            }
            Err(Fault::ResetRequired) => return Err(self.damaged("its sound changes in form on the way")),
            Err(fault) => {
                if self.kind == Kind::Mpeg
                    && self.sample_rate_hz > 0
                    && let Some(rate_hz) = mpeg_sample_rate_hz(&packet.data)
                {
                    self.check_spec(rate_hz, self.channels)?;
                }
                // MP4 has one name for all MPEG layers, and its demuxer assumes layer III.
                if (self.kind, self.source.codec) == (Kind::IsoMp4, id::CODEC_ID_MP3) && is_layer_1_or_2(&packet.data) {
                    return Err(demux::unsupported(&self.path, "MPEG layer I or II in MP4"));
                }
                self.last_fault = demux::cause(&fault);
                self.silence(packet.dur.get().min(MAX_PACKET_FRAMES));
            }
        }
        self.trim_from(start);
        if self.silenced_frames > MAX_GAP_S * u64::from(self.sample_rate_hz)
            && self.silenced_frames * 2 > self.decoded_frames
        {
            return Err(self.damaged("most of its sound cannot be decoded"));
        }
        Ok(())
    }

    /// Appends silence in place of lost frames.
    fn silence(&mut self, frames: u64) {
        self.silenced_frames += frames;
        self.block.resize(self.block.len() + frames as usize, [0.0; 2]);
    }

    /// Removes frames before or after the music from the part of the block that begins at `start`.
    fn trim_from(&mut self, start: usize) {
        let trim = &self.source.trim;
        let first = self.decoded_frames;
        let count = (self.block.len() - start) as u64;
        self.decoded_frames += count;
        if trim.end_frame.is_some_and(|end| first >= end) {
            self.block.truncate(start);
        } else {
            let leading = trim.start_frames.saturating_sub(first).min(count);
            self.block.drain(start..start + leading as usize);
        }
    }

    /// Fills gaps between packets with silence, to keep later packets in their place. Only FLAC and Ogg state
    /// positions.
    fn fill_gap(&mut self, packet: &Packet) {
        if !matches!(self.kind, Kind::Flac | Kind::Ogg) {
            return;
        }
        let position = packet.pts.get();
        let gap = self.next_position.map_or(0, |next| u64::try_from(position.saturating_sub(next)).unwrap_or(0));
        let decoded = packet.dur.saturating_add(packet.trim_start).saturating_add(packet.trim_end);
        self.next_position = position.checked_add_unsigned(decoded.get());
        // Encoders that use the time stamps of other streams let the positions of Opus pages drift from the frames in
        // their packets. Packets that are really missing leave a multiple of the shortest frame, 2.5 ms (RFC 6716
        // section 2.1.4).
        let is_drift =
            self.source.codec == id::CODEC_ID_OPUS && !gap.is_multiple_of(u64::from(self.sample_rate_hz) / 400);
        if is_drift {
            return;
        }
        let promised = self.source.trim.promised_frames.unwrap_or(u64::MAX);
        let room = promised.saturating_sub(self.decoded_frames).min(MAX_GAP_FRAMES);
        if gap > 0 && gap <= room.min(MAX_GAP_S * u64::from(self.sample_rate_hz)) {
            self.silence(gap);
            self.decoded_frames += gap;
        }
    }

    /// Checks that rate and channels are the same as in the first frames.
    fn check_spec(&mut self, rate_hz: u32, channels: u32) -> Result<(), Error> {
        let path = || self.path.clone();
        if !(1..=2).contains(&channels) {
            return Err(Error::Channels { path: path(), count: channels });
        }
        if self.sample_rate_hz == 0 {
            (self.sample_rate_hz, self.channels) = (rate_hz, channels);
        }
        if rate_hz != self.sample_rate_hz {
            let (what, from) = ("sample rate", self.sample_rate_hz);
            return Err(Error::Changes { path: path(), what, from, to: rate_hz });
        }
        if channels != self.channels {
            let (what, from) = ("number of channels", self.channels);
            return Err(Error::Changes { path: path(), what, from, to: channels });
        }
        Ok(())
    }

    /// Continues with the next link of a chained stream.
    fn next_part(&mut self) -> Result<(), Error> {
        self.verify();
        let (track, params) = demux::choose_track(&*self.source.format, &self.path)?;
        self.source.decoder = demux::make_decoder(&params, self.kind, &self.path)?;
        let promised = track.num_frames.map(|frames| frames + self.decoded_frames);
        self.source.trim.promised_frames = promised.filter(|_| self.source.trim.promised_frames.is_some());
        // Every link of a chain has a pre-skip of its own.
        if params.codec == id::CODEC_ID_OPUS {
            self.opus_support.reset();
            self.source.trim.start_frames = self.decoded_frames + opus::pre_skip_frames(&params).unwrap_or(0);
        }
        self.next_position = None;
        self.source.track = track;
        self.source.codec = params.codec;
        Ok(())
    }

    /// Ends the stream: drops padding and reports missing frames.
    fn end(&mut self) -> Result<(), Error> {
        self.has_ended = true;
        self.verify();
        let (got, trim) = (self.decoded_frames, self.source.trim);
        if self.silenced_frames * 2 > got {
            return Err(self.damaged("most of its sound cannot be decoded"));
        }
        if let Some(promised) = trim.promised_frames {
            // A stream longer than stated was joined from several: the padding is not at its end.
            let beyond = (got + trim.padding_frames).saturating_sub(promised).min(trim.padding_frames);
            let padding = if got > promised { 0 } else { beyond as usize };
            self.block.truncate(self.block.len().saturating_sub(padding).max(self.at));
        } else if !self.was_cut_off {
            self.block.truncate(self.block.len().saturating_sub(trim.padding_frames as usize).max(self.at));
        }
        self.explain_length(got, trim.promised_frames);
        if self.silenced_frames > 0 {
            self.source.warnings.push(Warning::Silenced { frames: self.silenced_frames });
        }
        Ok(())
    }

    fn explain_length(&mut self, got: u64, promised: Option<u64>) {
        let tolerance = match self.kind {
            // Encoders disagree on whether the frame with the length counts.
            Kind::Mpeg => MPEG_FRAME,
            // Some files count whole packets.
            Kind::Caf => CAF_PACKET,
            _ => 0,
        };
        let promised = promised.map(|p| if p.abs_diff(got) <= tolerance { got } else { p });
        let warnings = &mut self.source.warnings;
        match promised {
            Some(promised) if promised > got => warnings.push(Warning::missing(promised, got, self.was_cut_off)),
            Some(promised) if promised < got => warnings.push(Warning::Long { extra_frames: got - promised }),
            _ if self.was_cut_off => warnings.push(Warning::Truncated { missing_frames: None }),
            _ => {}
        }
    }

    /// Checks the checksum of a lossless stream, unless another problem explains a mismatch.
    fn verify(&mut self) {
        let matches = self.source.decoder.finalize().verify_ok.unwrap_or(true);
        let is_explained = self.was_cut_off || self.silenced_frames > 0;
        if !matches && !is_explained {
            self.source.warnings.push(Warning::Checksum);
        }
    }

    fn damaged(&self, cause: &str) -> Error {
        Error::Damaged { path: self.path.clone(), cause: cause.to_owned() }
    }
}

/// Appends interleaved samples as frames; mono becomes two equal channels.
fn append(samples: &[f32], channels: u32, block: &mut Vec<Frame>) {
    if channels == 1 {
        block.extend(samples.iter().map(|&s| [s; 2]));
    } else {
        block.extend_from_slice(samples.as_chunks::<2>().0);
    }
}
