//! Measurements of single samples: peaks, sums, flat tops and invalid values.

use std::borrow::Cow;

use crate::dropouts::{DropoutMeter, Dropouts};
use crate::flat_tops::{FlatTopMeter, FlatTops};
use crate::readings::SilenceReading;
use crate::stream::Frame;

/// Peak below which a block is silent: −90 dBFS, one step of 16 bits.
const SILENT_PEAK: f32 = 3.2e-5;
/// Magnitudes over this (+120 dBFS) are damage, not sound.
const LIMIT: f32 = 1e6;

/// Frames with every unreadable sample (NaN, infinite, absurdly large) replaced by silence, as all measures expect.
pub fn readable(frames: &[Frame]) -> Cow<'_, [Frame]> {
    if frames.as_flattened().iter().all(|&x| is_readable(x)) {
        return Cow::Borrowed(frames);
    }
    Cow::Owned(frames.iter().map(|frame| frame.map(|x| if is_readable(x) { x } else { 0.0 })).collect())
}

fn is_readable(x: f32) -> bool {
    x.abs() <= LIMIT
}

/// Facts about the samples of a song.
#[derive(Clone, Debug, Default)]
pub(crate) struct SampleReading {
    pub frames: u64,
    /// Sample peak per channel.
    pub peaks: [f32; 2],
    pub sums: [f64; 2],
    pub squares: [f64; 2],
    /// Largest difference between the channels.
    pub side_peak: f32,
    pub first_sound: Option<u64>,
    /// First block with a sample at or over full scale.
    pub first_full_scale: Option<u64>,
    pub unreadable: u64,
    pub first_unreadable: u64,
    pub flat_tops: FlatTops,
    pub dropouts: Dropouts,
    pub silence: SilenceReading,
}

/// Collects a [`SampleReading`] block by block.
pub(crate) struct SampleMeter {
    reading: SampleReading,
    flat_tops: FlatTopMeter,
    dropouts: DropoutMeter,
    /// Start of the first block that is not silent, and end of the last.
    sound: Option<(u64, u64)>,
}

impl SampleMeter {
    pub fn new(sample_rate_hz: u32) -> Self {
        Self {
            reading: SampleReading::default(),
            flat_tops: FlatTopMeter::default(),
            dropouts: DropoutMeter::new(sample_rate_hz),
            sound: None,
        }
    }

    /// Counts unreadable samples, before they are replaced.
    pub fn note_unreadable(&mut self, block: &[Frame]) {
        let r = &mut self.reading;
        for (at, frame) in (r.frames..).zip(block) {
            let count = frame.iter().filter(|sample| !is_readable(**sample)).count() as u64;
            if count > 0 && r.unreadable == 0 {
                r.first_unreadable = at;
            }
            r.unreadable += count;
        }
    }

    /// Takes the next block; returns its peak.
    pub fn push(&mut self, block: &[Frame]) -> f32 {
        let (mut peaks, mut side_peak, mut sums, mut squares) = ([0.0_f32; 2], 0.0_f32, [0.0; 2], [0.0; 2]);
        for frame in block {
            side_peak = side_peak.max((frame[0] - frame[1]).abs());
            for c in 0..2 {
                peaks[c] = peaks[c].max(frame[c].abs());
                let x = f64::from(frame[c]);
                sums[c] += x;
                squares[c] += x * x;
            }
        }
        self.flat_tops.push(block, peaks);
        self.dropouts.push(block);
        let (r, peak) = (&mut self.reading, peaks[0].max(peaks[1]));
        if peak >= SILENT_PEAK {
            let start = self.sound.map_or(r.frames, |(start, _)| start);
            self.sound = Some((start, r.frames + block.len() as u64));
        }
        if peak > 0.0 && r.first_sound.is_none() {
            r.first_sound = Some(r.frames);
        }
        if peak >= 1.0 && r.first_full_scale.is_none() {
            r.first_full_scale = Some(r.frames);
        }
        for c in 0..2 {
            r.peaks[c] = r.peaks[c].max(peaks[c]);
            r.sums[c] += sums[c];
            r.squares[c] += squares[c];
        }
        r.side_peak = r.side_peak.max(side_peak);
        r.frames += block.len() as u64;
        peak
    }

    pub fn finish(self, is_mono: bool) -> SampleReading {
        let frames = self.reading.frames;
        let (start, end) = self.sound.unwrap_or((frames, frames));
        SampleReading {
            flat_tops: self.flat_tops.finish(is_mono),
            dropouts: self.dropouts.finish(),
            silence: SilenceReading { head_frames: start, tail_frames: frames - end },
            // Each sample of a mono song was counted in both channels.
            unreadable: self.reading.unreadable / if is_mono { 2 } else { 1 },
            ..self.reading
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_that_are_no_numbers_are_counted_one_by_one() {
        let damaged = [[0.1, 0.2], [f32::NAN, f32::INFINITY], [0.5, f32::NAN], [f32::NAN, f32::NAN]];
        for (is_mono, counted) in [(false, 5), (true, 2)] {
            let mut meter = SampleMeter::new(44_100);
            meter.note_unreadable(&damaged);
            let reading = meter.finish(is_mono);
            assert_eq!((reading.unreadable, reading.first_unreadable), (counted, 1));
        }
    }

    #[test]
    fn what_is_no_number_becomes_silence_and_the_rest_stays() {
        let damaged = [[0.5, f32::NAN], [f32::INFINITY, -0.25], [1e30, 2.0]];
        assert_eq!(readable(&damaged).as_ref(), [[0.5, 0.0], [0.0, -0.25], [0.0, 2.0]]);
        assert!(matches!(readable(&damaged[..0]), Cow::Borrowed(_)));
        assert!(matches!(readable(&[[0.1, 0.2]]), Cow::Borrowed(_)));
    }
}
