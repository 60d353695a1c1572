//! Compressed sound as frames: packets are decoded and trimmed, and nothing is lost silently.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use analyzer::stream::Frame;
use symphonia::core::codecs::audio::well_known as id;
use symphonia::core::errors::Error as Fault;
use symphonia::core::packet::Packet;

use super::contain::contain;
use super::demux::{self, Demuxed};
use super::error::{Error, Warning};
use super::he_aac::Detector;
use super::mpeg::{is_layer_1_or_2, mpeg_sample_rate_hz};
use super::opus;
use super::sniff::Kind;
use super::source_info::SourceInfo;
use super::window::Window;

/// So many packets in a row without a frame are no music.
const MAX_BARREN_PACKETS: u32 = 20_000;

/// The longest packet of any codec: a FLAC block.
const MAX_PACKET_FRAMES: u64 = 65_535;

/// The longest frame of MPEG audio.
const MPEG_FRAME: u64 = 1152;

/// The longest packet in CAF in use: of Apple Lossless.
const CAF_PACKET: u64 = 4096;

/// The longest gap that is filled with silence where the length of the stream is not known.
const MAX_GAP_S: u64 = 60;

/// The same in frames: what fills a gap is held in memory, and a file may claim any sample rate.
const MAX_GAP_FRAMES: u64 = 1 << 23;

/// Containers may leave out of packets what all of them have in common.
const SLACK_BYTES: u64 = 4096;

/// Decodes a compressed stream.
pub(super) struct PacketReader {
    path: PathBuf,
    kind: Kind,
    source: Demuxed,
    sample_rate_hz: u32,
    channels: u32,
    /// Decoded frames that wait to be read, from `at` on. The last may be padding.
    block: Vec<Frame>,
    at: usize,
    scratch: Vec<f32>,
    /// Frames out of the decoder, before trimming.
    decoded_frames: u64,
    /// Frames of silence among them that stand for what could not be decoded.
    silenced_frames: u64,
    /// Where the next packet starts if none is missing, in streams that say where packets start.
    next_position: Option<i64>,
    /// Bytes that packets may still have: what a file does not hold cannot be decoded.
    bytes_left: u64,
    he_aac: Detector,
    opus: opus::Trust,
    /// Why the last packet could not be decoded.
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
        // A FLAC that does not say how long it is may have been cut out of a longer one.
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
            opus: opus::Trust::default(),
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
            frames_hint: promised.filter(|_| self.kind != Kind::Mpeg || trim.promised_frames.is_some()),
            codec: demux::codec_name(codec).to_owned(),
            bit_depth: demux::bit_depth(codec, params),
            lossy: demux::is_lossy(codec),
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

    /// What is to be said about the stream, complete once it has ended.
    pub fn warnings(&self) -> &[Warning] {
        &self.source.warnings
    }

    /// Frames that can be handed out: all but those that may turn out to be padding.
    fn ready(&self) -> usize {
        let held = if self.has_ended { 0 } else { self.source.trim.padding_frames as usize };
        (self.block.len() - self.at).saturating_sub(held)
    }

    /// Decodes until frames are ready or the stream has ended.
    fn fill(&mut self) -> Result<(), Error> {
        self.block.drain(..self.at);
        self.at = 0;
        while self.ready() == 0 && !self.has_ended {
            let before = self.decoded_frames;
            let next = contain(|| self.source.format.next_packet()).unwrap_or(Err(demux::NONSENSE));
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
            if self.barren_packets > MAX_BARREN_PACKETS {
                return Err(self.damaged("it goes on without any sound"));
            }
        }
        Ok(())
    }

    /// Decodes one packet; what cannot be decoded becomes silence of the same length.
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
            && let Some(what) = self.opus.refuses(&packet.data)
        {
            return Err(demux::unsupported(&self.path, what));
        }
        self.fill_gap(packet);
        let start = self.block.len();
        match contain(|| self.source.decoder.decode(packet)).unwrap_or(Err(demux::NONSENSE)) {
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
                // MP4 has one name for all layers, and its demuxer takes them for the third.
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

    /// Stands for frames that are lost.
    fn silence(&mut self, frames: u64) {
        self.silenced_frames += frames;
        self.block.resize(self.block.len() + frames as usize, [0.0; 2]);
    }

    /// Leaves out what of the frames from `start` of the block on lies before or after the music.
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

    /// FLAC and Ogg say where packets start: where some are missing, silence keeps the others in their place.
    fn fill_gap(&mut self, packet: &Packet) {
        if !matches!(self.kind, Kind::Flac | Kind::Ogg) {
            return;
        }
        let position = packet.pts.get();
        let gap = self.next_position.map_or(0, |next| u64::try_from(position.saturating_sub(next)).unwrap_or(0));
        let decoded = packet.dur.saturating_add(packet.trim_start).saturating_add(packet.trim_end);
        self.next_position = position.checked_add_unsigned(decoded.get());
        // Encoders that are fed by time stamps of other streams let Opus pages drift from what their packets hold;
        // packets that are truly missing leave a multiple of the shortest, 2.5 ms (RFC 6716 section 2.1.4).
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

    /// The first frames say rate and channels; later ones must agree.
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

    /// Goes on with the next link of a chained stream.
    fn next_part(&mut self) -> Result<(), Error> {
        self.verify();
        let (track, params) = demux::choose_track(&*self.source.format, &self.path)?;
        self.source.decoder = demux::make_decoder(&params, self.kind, &self.path)?;
        let promised = track.num_frames.map(|frames| frames + self.decoded_frames);
        self.source.trim.promised_frames = promised.filter(|_| self.source.trim.promised_frames.is_some());
        // Every link of a chain has a start of its own that is no music.
        if params.codec == id::CODEC_ID_OPUS {
            self.opus.reset();
            self.source.trim.start_frames = self.decoded_frames + opus::pre_skip_frames(&params).unwrap_or(0);
        }
        self.next_position = None;
        self.source.track = track;
        self.source.codec = params.codec;
        Ok(())
    }

    /// The end of the stream: drops padding and says what is missing.
    fn end(&mut self) -> Result<(), Error> {
        self.has_ended = true;
        self.verify();
        let (got, trim) = (self.decoded_frames, self.source.trim);
        if self.silenced_frames * 2 > got {
            return Err(self.damaged("most of its sound cannot be decoded"));
        }
        if let Some(promised) = trim.promised_frames {
            // A stream that is longer than it says was joined from several: its end is not the padding.
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
            // Encoders disagree whether the frame with the length counts.
            Kind::Mpeg => MPEG_FRAME,
            // Some count whole packets.
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

    /// Compares the checksum of a lossless stream, where nothing else is known to be wrong.
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

/// Interleaved samples as frames; mono becomes two equal channels.
fn append(samples: &[f32], channels: u32, block: &mut Vec<Frame>) {
    if channels == 1 {
        block.extend(samples.iter().map(|&s| [s; 2]));
    } else {
        block.extend_from_slice(samples.as_chunks::<2>().0);
    }
}
