//! Measurement of a master while it is written.

use std::collections::VecDeque;
use std::ops::Range;

use analyzer::band_statistics::BandStatisticsMeter;
use analyzer::loudness::LoudnessMeter;
use analyzer::stream::{Frame, Meter};
use analyzer::timeline::{PeakMeter, Timeline};
use analyzer::tone::{ToneMeter, moments};
use renderer::recipe::Recipe;

use crate::render::ceiling_meter::CeilingMeter;
use crate::render::limiting::LimitingHistogram;
use crate::render::promises::Measured;
use crate::render::trims::CeilingExcess;
use crate::song::Song;

/// Parts of a master that are captured while it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureRequest {
    /// Length of the master, frames. The moments at which its spectrum is measured depend on it.
    pub frames: u64,
    /// Ranges of frames to listen to, one per passage.
    pub passages: Vec<Range<u64>>,
}

impl CaptureRequest {
    /// Creates a request for passages, in seconds, of the master that `recipe` makes of `song`.
    pub fn new(song: &Song, recipe: &Recipe, passages: &[Range<f64>]) -> Self {
        let source_hz = song.info.sample_rate_hz;
        let rate_hz = recipe.output.rate_hz(source_hz);
        let at = |seconds: f64| (seconds * f64::from(rate_hz)).round() as u64;
        Self {
            frames: (song.frames.len() * u64::from(rate_hz)).div_ceil(u64::from(source_hz)),
            passages: passages.iter().map(|passage| at(passage.start)..at(passage.end)).collect(),
        }
    }
}

/// Meters for a master, in two halves that may run side by side.
pub struct OutputMeter {
    /// Its true peaks.
    pub peaks: CeilingMeter,
    /// Everything else.
    pub sound: SoundMeter,
}

/// Measures a master, except for its true peaks.
pub struct SoundMeter {
    loudness: LoudnessMeter,
    timeline: PeakMeter,
    bands: BandStatisticsMeter,
    tone: Moments,
    passages: Vec<Passage>,
    unreadable: u64,
}

/// Measures the spectrum at some moments of a stream.
struct Moments {
    meter: ToneMeter,
    to_come: VecDeque<Passage>,
}

impl Moments {
    fn push(&mut self, frames: &[Frame]) {
        self.to_come.iter_mut().for_each(|moment| moment.push(frames));
        while self.to_come.front().is_some_and(|moment| moment.position >= moment.wanted.end)
            && let Some(moment) = self.to_come.pop_front()
        {
            self.meter.add(&moment.kept);
        }
    }
}

/// Keeps the frames of one range of a stream.
struct Passage {
    wanted: Range<u64>,
    position: u64,
    kept: Vec<Frame>,
}

impl Passage {
    fn new(wanted: Range<u64>) -> Self {
        Self { wanted, position: 0, kept: Vec::new() }
    }

    fn push(&mut self, frames: &[Frame]) {
        let length = frames.len() as u64;
        let at = |frame: u64| frame.saturating_sub(self.position).min(length) as usize;
        let (start, end) = (at(self.wanted.start), at(self.wanted.end));
        self.kept.extend_from_slice(&frames[start..end.max(start)]);
        self.position += length;
    }
}

impl OutputMeter {
    /// Starts measuring. `ceiling_dbtp` is the requested ceiling, without margin.
    pub fn new(sample_rate_hz: u32, ceiling_dbtp: f64, keep: &CaptureRequest) -> Self {
        let sound = SoundMeter {
            loudness: LoudnessMeter::new(sample_rate_hz),
            timeline: PeakMeter::new(sample_rate_hz),
            bands: BandStatisticsMeter::new(sample_rate_hz),
            tone: Moments {
                meter: ToneMeter::new(sample_rate_hz),
                to_come: moments(keep.frames, sample_rate_hz).into_iter().map(Passage::new).collect(),
            },
            passages: keep.passages.iter().cloned().map(Passage::new).collect(),
            unreadable: 0,
        };
        Self { peaks: CeilingMeter::new(sample_rate_hz, ceiling_dbtp), sound }
    }

    /// Returns all measurements, including those of `limiting`, the requested passages, and every block over the
    /// ceiling.
    pub fn finish(self, frames: u64, limiting: &LimitingHistogram) -> (Measured, Vec<Vec<Frame>>, Vec<CeilingExcess>) {
        let Self { peaks, sound } = self;
        let SoundMeter { loudness, timeline, bands, tone, passages, unreadable } = sound;
        let (true_peak_dbtp, excesses) = peaks.finish();
        let [limiting_db, peak_limiting_db] = limiting.reading_db();
        let history = loudness.history();
        let measured = Measured {
            loudness: history.reading(),
            true_peak_dbtp,
            limiting_db,
            peak_limiting_db,
            frames,
            unreadable,
            timeline: Timeline::new(timeline.finish(), &history),
            bands: bands.finish(),
            tone: tone.meter.finish(),
        };
        let passages = passages.into_iter().map(|passage| passage.kept).collect();
        (measured, passages, excesses)
    }
}

impl SoundMeter {
    /// Takes the next frames.
    pub fn push(&mut self, frames: &[Frame]) {
        self.loudness.push(frames);
        self.timeline.push(frames);
        self.bands.push(frames);
        self.tone.push(frames);
        self.passages.iter_mut().for_each(|passage| passage.push(frames));
        self.unreadable += frames.as_flattened().iter().filter(|x| !x.is_finite()).count() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_is_kept_however_the_frames_arrive() {
        let frames: Vec<Frame> = (0..1000).map(|n| [n as f32; 2]).collect();
        for (wanted, block) in [(250..750, 64), (0..1000, 1000), (990..2000, 7), (500..500, 10), (2000..3000, 100)] {
            let mut passage = Passage::new(wanted.clone());
            frames.chunks(block).for_each(|chunk| passage.push(chunk));
            let (start, end) = (wanted.start.min(1000) as usize, wanted.end.min(1000) as usize);
            assert_eq!(passage.kept, frames[start..end], "{wanted:?}");
        }
    }
}
