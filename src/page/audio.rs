//! Sounds for a page: the same passages of mix and master, and some of the reference, each with the gain that makes
//! them equally loud.

use std::ops::Range;
use std::path::Path;

use analyzer::loudness::LoudnessMeter;
use analyzer::stream::{Frame, Meter as _, Source};
use analyzer::timeline::{PeakMeter, Timeline};
use data_encoding::BASE64;
use rayon::prelude::*;
use renderer::recipe::SampleFormat;
use renderer::resample::Resampled;
use renderer::stages::dither::Dither;
use serde::Serialize;

use crate::error::Error;
use crate::io;
use crate::io::decode::open;
use crate::io::output_spec::{Format, OutputSpec};
use crate::report::figures::SoundFigures;
use crate::report::passage::{Passage, PassageKind};

/// Largest size of all passages of a page together, in bytes of base64 text.
const MAX_TEXT_BYTES: usize = 5_600_000;
/// Length up to which a song is put into a page as a whole, seconds.
pub const MAX_AUDIO_S: f64 = 1200.0;
/// Highest sample rate of passages: browsers play them at the device's rate anyway.
const MAX_RATE_HZ: u32 = 48_000;
/// Frames per read.
const BLOCK: usize = 4096;

/// Frames to listen to.
pub struct Clip {
    /// Id in the page: `mix`, `master` or `reference`.
    pub id: String,
    /// Name to show to a person.
    pub label: String,
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// 1 or 2.
    pub channels: u8,
    /// Parts of the clip, in order.
    pub parts: Vec<Part>,
}

/// A passage with its frames.
pub struct Part {
    /// Position in the song.
    pub passage: Passage,
    /// All frames of the passage.
    pub frames: Vec<Frame>,
}

/// Data of a sound that a page plays.
#[derive(Serialize)]
pub struct Sound {
    /// Name of the sound in the page, as in [`Clip::id`].
    pub id: String,
    /// Name for a person, as in [`Clip::label`].
    pub label: String,
    /// Length, seconds.
    pub seconds: f64,
    /// Integrated loudness, LUFS.
    pub lufs: Option<f64>,
    /// Gain that makes it as loud as the quietest sound, dB: never positive, so that nothing clips.
    pub gain_db: f64,
    /// Parts of the sound, in order.
    pub parts: Vec<SoundPart>,
    /// The sound as FLAC in base64.
    #[serde(skip)]
    pub text: String,
    /// Peaks and loudness over its length.
    #[serde(skip)]
    pub figures: SoundFigures,
}

/// A part of a sound.
#[derive(Serialize)]
pub struct SoundPart {
    /// Name to show to a person.
    pub name: &'static str,
    /// Start in the sound, seconds.
    pub from_s: f64,
    /// End in the sound, seconds.
    pub to_s: f64,
    /// Start in the song, seconds.
    pub song_s: f64,
}

/// Returns the name of a passage for the page.
fn passage_name(kind: PassageKind) -> &'static str {
    match kind {
        PassageKind::Typical => "Typical part",
        PassageKind::Loudest => "Loudest part",
        PassageKind::Whole => "All of it",
    }
}

impl Clip {
    /// Reads passages of a file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(id: &str, label: String, path: &Path, passages: &[Passage]) -> Result<Self, io::Error> {
        let mut decoder = open(path)?;
        let (sample_rate_hz, channels) = (decoder.info().sample_rate_hz, decoder.info().channels);
        let mut parts: Vec<Part> =
            passages.iter().map(|passage| Part { passage: *passage, frames: Vec::new() }).collect();
        let end = passages.iter().map(|passage| passage.frames(sample_rate_hz).end).max().unwrap_or(0);
        let mut block = vec![[0.0; 2]; BLOCK];
        let mut at = 0;
        while at < end {
            let count = decoder.read(&mut block)? as u64;
            if count == 0 {
                break;
            }
            let inside = |edge: u64| edge.saturating_sub(at).min(count) as usize;
            for Part { passage, frames } in &mut parts {
                let Range { start, end } = passage.frames(sample_rate_hz);
                frames.extend_from_slice(&block[inside(start)..inside(end)]);
            }
            at += count;
        }
        Ok(Self { id: id.to_owned(), label, sample_rate_hz, channels, parts })
    }

    fn frames(&self) -> usize {
        self.parts.iter().map(|part| part.frames.len()).sum()
    }

    fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.sample_rate_hz)
    }

    /// Returns the clip at a sample rate that every browser plays.
    fn at_common_rate(mut self) -> Self {
        let from = self.sample_rate_hz;
        if from > MAX_RATE_HZ {
            self.sample_rate_hz = if from.is_multiple_of(44_100) { 44_100 } else { MAX_RATE_HZ };
            for part in &mut self.parts {
                part.frames = resampled(&part.frames, from, self.sample_rate_hz);
            }
        }
        self
    }

    /// Keeps only the middle of every part: the `share` of its length.
    fn shortened(&mut self, share: f64) {
        for Part { passage, frames } in &mut self.parts {
            let length = ((frames.len() as f64 * share) as usize).min(frames.len());
            let start = (frames.len() - length) / 2;
            passage.start_s += start as f64 / f64::from(self.sample_rate_hz);
            *frames = frames[start..start + length].to_vec();
        }
    }

    /// Returns all parts in a row.
    fn joined(&self) -> Vec<Frame> {
        self.parts.iter().flat_map(|part| &part.frames).copied().collect()
    }

    fn flac(&self) -> std::io::Result<Vec<u8>> {
        self.file(Format::Flac, io::flac_in_memory)
    }

    /// Returns the clip as a 16-bit file, encoded by `write`.
    fn file(
        &self,
        format: Format,
        write: impl FnOnce(OutputSpec, &[Frame]) -> std::io::Result<Vec<u8>>,
    ) -> std::io::Result<Vec<u8>> {
        let mut frames = self.joined();
        let spec = OutputSpec {
            sample_rate_hz: self.sample_rate_hz,
            channels: self.channels,
            format,
            sample_format: SampleFormat::Int16,
            bitrate_kbps: None,
            frames: frames.len() as u64,
        };
        Dither::new(16, 0).process(&mut frames, self.channels == 2);
        write(spec, &frames)
    }

    /// Returns the clip as a WAV file, which is large but quick to make and plays in every browser, and its loudness,
    /// LUFS.
    ///
    /// # Errors
    /// If the clip cannot be encoded.
    pub fn encoded(self) -> Result<(Vec<u8>, Option<f64>), Error> {
        let clip = self.at_common_rate();
        let (wav, lufs) = rayon::join(
            || clip.file(Format::Wav, io::wav_in_memory),
            || {
                let mut loudness = LoudnessMeter::new(clip.sample_rate_hz);
                loudness.push(&clip.joined());
                loudness.history().integrated()
            },
        );
        Ok((wav.map_err(unencoded)?, lufs))
    }

    fn sound(self, flac: &[u8]) -> Sound {
        let frames = self.joined();
        let mut loudness = LoudnessMeter::new(self.sample_rate_hz);
        let mut peaks = PeakMeter::new(self.sample_rate_hz);
        loudness.push(&frames);
        peaks.push(&frames);
        let history = loudness.history();
        let timeline = Timeline::new(peaks.finish(), &history);
        let (seconds, lufs) = (self.seconds(), history.integrated());
        let mut from_s = 0.0;
        let parts = self.parts.iter().map(|Part { passage, frames }| {
            let to_s = from_s + frames.len() as f64 / f64::from(self.sample_rate_hz);
            let name = passage_name(passage.kind);
            SoundPart { name, from_s: std::mem::replace(&mut from_s, to_s), to_s, song_s: passage.start_s }
        });
        Sound {
            parts: parts.collect(),
            seconds,
            lufs,
            gain_db: 0.0,
            text: BASE64.encode(flac),
            figures: SoundFigures::of_timeline(seconds, &history.reading(), &timeline),
            id: self.id,
            label: self.label,
        }
    }
}

fn unencoded(error: std::io::Error) -> Error {
    Error::Page(format!("a passage cannot be encoded ({error})"))
}

fn resampled(frames: &[Frame], from_hz: u32, to_hz: u32) -> Vec<Frame> {
    let mut source = Resampled::new(frames, from_hz, to_hz);
    let (mut out, mut block) = (Vec::new(), vec![[0.0; 2]; BLOCK]);
    loop {
        let Ok(count) = source.read(&mut block);
        if count == 0 {
            return out;
        }
        out.extend_from_slice(&block[..count]);
    }
}

/// Makes clips small enough for a page, and equally loud.
///
/// # Errors
/// If one of them cannot be encoded.
pub fn sounds(clips: Vec<Clip>, is_bounded: bool) -> Result<Vec<Sound>, Error> {
    let mut clips: Vec<Clip> = clips.into_iter().filter(|clip| clip.frames() > 0).map(Clip::at_common_rate).collect();
    let encode = |clips: &[Clip]| clips.par_iter().map(Clip::flac).collect::<std::io::Result<Vec<_>>>();
    let mut encoded = encode(&clips).map_err(unencoded)?;
    let text_bytes = encoded.iter().map(|flac| flac.len().div_ceil(3) * 4).sum::<usize>();
    if is_bounded && text_bytes > MAX_TEXT_BYTES {
        // The parts of a clip compress differently well, so some room is left.
        let share = 0.95 * MAX_TEXT_BYTES as f64 / text_bytes as f64;
        clips.iter_mut().for_each(|clip| clip.shortened(share));
        encoded = encode(&clips).map_err(unencoded)?;
    }
    let mut sounds: Vec<Sound> = clips.into_iter().zip(&encoded).map(|(clip, flac)| clip.sound(flac)).collect();
    let quietest = sounds.iter().filter_map(|sound| sound.lufs).reduce(f64::min);
    for sound in &mut sounds {
        let gain_db = quietest.zip(sound.lufs).map_or(0.0, |(quietest, lufs)| quietest - lufs);
        sound.gain_db = (gain_db * 100.0).round() / 100.0;
    }
    Ok(sounds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use analyzer::synth::{demo_mix, pink_noise};

    fn clip(id: &str, sample_rate_hz: u32, frames: Vec<Frame>) -> Clip {
        let end_s = 10.0 + frames.len() as f64 / f64::from(sample_rate_hz);
        let passage = Passage { kind: PassageKind::Loudest, start_s: 10.0, end_s };
        let parts = vec![Part { passage, frames }];
        Clip { id: id.to_owned(), label: id.to_owned(), sample_rate_hz, channels: 2, parts }
    }

    #[test]
    fn sounds_are_as_loud_as_the_quietest() {
        let song = demo_mix(44_100, 4.0);
        let louder = song.iter().map(|frame| frame.map(|x| x * 2.0)).collect();
        let sounds = sounds(vec![clip("mix", 44_100, song), clip("master", 44_100, louder)], true).expect("encodable");
        assert_eq!(sounds[0].gain_db, 0.0);
        assert!((sounds[1].gain_db + 6.02).abs() < 0.02, "{}", sounds[1].gain_db);
        assert!(sounds[0].text.starts_with("ZkxhQ"), "FLAC");
    }

    #[test]
    fn passages_are_cut_to_what_a_page_may_hold() {
        let noise = |rate, seed| pink_noise(rate, -12.0, 12.0, seed);
        let clips = vec![
            clip("mix", 96_000, noise(96_000, 1)),
            clip("master", 48_000, noise(48_000, 2)),
            clip("reference", 48_000, noise(48_000, 3)),
        ];
        let sounds = sounds(clips, true).expect("encodable");
        assert!(sounds.iter().map(|sound| sound.text.len()).sum::<usize>() <= MAX_TEXT_BYTES);
        assert!(sounds.iter().all(|sound| sound.seconds > 6.0 && sound.seconds < 12.0 && sound.parts[0].song_s > 10.0));
        assert!((sounds[0].seconds - sounds[1].seconds).abs() < 1e-3, "mix and master are the same passage");
    }
}
