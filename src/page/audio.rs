//! What a page plays: the same passage before and after, and one of the reference, each with the gain that makes them equally
//! loud.

use std::path::Path;

use analyzer::loudness::LoudnessMeter;
use analyzer::stream::{Frame, Meter as _, Source};
use analyzer::timeline::{PeakMeter, Timeline};
use rayon::prelude::*;
use renderer::recipe::SampleFormat;
use renderer::resample::Resampled;
use renderer::stages::dither::Dither;
use serde::Serialize;

use super::base64::base64;
use crate::error::Error;
use crate::io;
use crate::io::decode::open;
use crate::io::output_spec::{Format, OutputSpec};
use crate::report::figures::{SoundFigures, loudest_at};

/// All excerpts of a page together have no more bytes as text.
const MAX_TEXT_BYTES: usize = 5_600_000;
/// Songs longer than this are not put into a page as a whole, seconds.
pub const LONGEST_S: f64 = 1200.0;
/// Excerpts have no higher sample rate: browsers play them at the device's anyway.
const MAX_RATE_HZ: u32 = 48_000;
/// Frames per read.
const BLOCK: usize = 4096;

/// Frames to listen to.
pub struct Clip {
    /// Names it in the page: `before`, `after`, `reference`.
    pub id: &'static str,
    /// What a person calls it.
    pub label: String,
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// 1 or 2.
    pub channels: u8,
    /// Where it starts in its song, seconds.
    pub start_s: f64,
    /// All of it.
    pub frames: Vec<Frame>,
}

/// What a page knows of a sound that it plays.
#[derive(Serialize)]
pub struct Sound {
    /// See [`Clip`].
    pub id: &'static str,
    /// See [`Clip`].
    pub label: String,
    /// See [`Clip`].
    pub start_s: f64,
    /// Length.
    pub seconds: f64,
    /// Its integrated loudness, LUFS.
    pub lufs: Option<f64>,
    /// Makes it as loud as the quietest of them, dB: never up, so that nothing clips.
    pub gain_db: f64,
    /// Where its loudest 3 s start, in itself, seconds.
    pub loudest_s: f64,
    /// FLAC.
    #[serde(skip)]
    pub text: String,
    /// Peaks over its length.
    #[serde(skip)]
    pub figures: SoundFigures,
}

impl Sound {
    /// What plays before anybody chooses.
    pub fn is_first_heard(&self) -> bool {
        self.id == "after"
    }
}

impl Clip {
    /// Reads a passage of a file, or all of it that is not too long.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(id: &'static str, label: String, path: &Path, seconds: [f64; 2]) -> Result<Self, io::Error> {
        let mut decoder = open(path)?;
        let (rate, channels) = (decoder.info().sample_rate_hz, decoder.info().channels);
        let [start, end] = seconds.map(|s| (s * f64::from(rate)).round() as u64);
        let mut frames = Vec::new();
        let mut block = vec![[0.0; 2]; BLOCK];
        let mut at = 0;
        while at < end {
            let count = decoder.read(&mut block)? as u64;
            if count == 0 {
                break;
            }
            let inside = |edge: u64| edge.saturating_sub(at).min(count) as usize;
            frames.extend_from_slice(&block[inside(start)..inside(end)]);
            at += count;
        }
        Ok(Self { id, label, sample_rate_hz: rate, channels, start_s: seconds[0], frames })
    }

    fn seconds(&self) -> f64 {
        self.frames.len() as f64 / f64::from(self.sample_rate_hz)
    }

    /// At a rate that browsers play without more ado.
    fn at_common_rate(self) -> Self {
        let from = self.sample_rate_hz;
        if from <= MAX_RATE_HZ {
            return self;
        }
        let to = if from.is_multiple_of(44_100) { 44_100 } else { MAX_RATE_HZ };
        let mut source = Resampled::new(self.frames.as_slice(), from, to);
        let (mut frames, mut block) = (Vec::new(), vec![[0.0; 2]; BLOCK]);
        loop {
            let Ok(count) = source.read(&mut block);
            if count == 0 {
                break;
            }
            frames.extend_from_slice(&block[..count]);
        }
        drop(source);
        Self { sample_rate_hz: to, frames, ..self }
    }

    /// The middle part of it.
    fn shortened(&mut self, to_s: f64) {
        let length = ((to_s * f64::from(self.sample_rate_hz)) as usize).min(self.frames.len());
        let start = (self.frames.len() - length) / 2;
        self.start_s += start as f64 / f64::from(self.sample_rate_hz);
        self.frames = self.frames[start..start + length].to_vec();
    }

    fn flac(&self) -> std::io::Result<Vec<u8>> {
        let spec = OutputSpec {
            sample_rate_hz: self.sample_rate_hz,
            channels: self.channels,
            format: Format::Flac,
            sample_format: SampleFormat::Int16,
            frames: self.frames.len() as u64,
        };
        let mut frames = self.frames.clone();
        Dither::new(16, 0).process(&mut frames, self.channels == 2);
        io::flac_in_memory(spec, &frames)
    }

    fn sound(self, flac: &[u8]) -> Sound {
        let mut loudness = LoudnessMeter::new(self.sample_rate_hz);
        let mut peaks = PeakMeter::new(self.sample_rate_hz);
        loudness.push(&self.frames);
        peaks.push(&self.frames);
        let history = loudness.history();
        let timeline = Timeline { peaks: peaks.finish(), short_term_lufs: history.short_term_lufs() };
        let (seconds, lufs) = (self.seconds(), history.integrated());
        Sound {
            id: self.id,
            start_s: self.start_s,
            seconds,
            lufs,
            gain_db: 0.0,
            loudest_s: loudest_at(&timeline.short_term_lufs).unwrap_or(0.0),
            text: base64(flac),
            figures: SoundFigures::of_timeline(seconds, &history.reading(), &timeline),
            label: self.label,
        }
    }
}

/// Makes clips small enough for a page, and equally loud.
///
/// # Errors
/// One of them cannot be encoded.
pub fn sounds(clips: Vec<Clip>, is_bounded: bool) -> Result<Vec<Sound>, Error> {
    let mut clips: Vec<Clip> =
        clips.into_iter().filter(|clip| !clip.frames.is_empty()).map(Clip::at_common_rate).collect();
    let encode = |clips: &[Clip]| clips.par_iter().map(Clip::flac).collect::<std::io::Result<Vec<_>>>();
    let failed = |e: std::io::Error| Error::Usage(format!("an excerpt cannot be encoded: {e}"));
    let mut encoded = encode(&clips).map_err(failed)?;
    let text_bytes = encoded.iter().map(|flac| flac.len().div_ceil(3) * 4).sum::<usize>();
    if is_bounded && text_bytes > MAX_TEXT_BYTES {
        let longest_s = clips.iter().map(Clip::seconds).fold(0.0, f64::max);
        // Parts of a clip differ in how well they are compressed.
        let to_s = longest_s * 0.95 * MAX_TEXT_BYTES as f64 / text_bytes as f64;
        clips.iter_mut().for_each(|clip| clip.shortened(to_s));
        encoded = encode(&clips).map_err(failed)?;
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

    fn clip(id: &'static str, sample_rate_hz: u32, frames: Vec<Frame>) -> Clip {
        Clip { id, label: id.to_owned(), sample_rate_hz, channels: 2, start_s: 10.0, frames }
    }

    #[test]
    fn sounds_are_as_loud_as_the_quietest() {
        let song = demo_mix(44_100, 4.0);
        let louder = song.iter().map(|frame| frame.map(|x| x * 2.0)).collect();
        let sounds =
            sounds(vec![clip("before", 44_100, song), clip("after", 44_100, louder)], true).expect("encodable");
        assert_eq!(sounds[0].gain_db, 0.0);
        assert!((sounds[1].gain_db + 6.02).abs() < 0.02, "{}", sounds[1].gain_db);
        assert!(sounds[0].text.starts_with("ZkxhQ"), "FLAC");
    }

    #[test]
    fn excerpts_are_cut_to_what_a_page_may_hold() {
        let noise = |rate, seed| pink_noise(rate, -12.0, 12.0, seed);
        let clips = vec![
            clip("before", 96_000, noise(96_000, 1)),
            clip("after", 48_000, noise(48_000, 2)),
            clip("reference", 48_000, noise(48_000, 3)),
        ];
        let sounds = sounds(clips, true).expect("encodable");
        assert!(sounds.iter().map(|sound| sound.text.len()).sum::<usize>() <= MAX_TEXT_BYTES);
        assert!(sounds.iter().all(|sound| sound.seconds > 6.0 && sound.seconds < 12.0 && sound.start_s > 10.0));
        assert!((sounds[0].seconds - sounds[1].seconds).abs() < 1e-3, "before and after are the same passage");
    }
}
