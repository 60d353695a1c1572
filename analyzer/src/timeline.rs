//! Levels of a song over time, for drawing; decisions are made on the profile.

use crate::blocks::Blocks;
use crate::loudness_history::LoudnessHistory;
use crate::stream::{Frame, Meter};

/// Values over the length of a song. Memory: 9 MB for three hours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Sample peak of every 10 ms, both channels.
    pub peaks: Vec<f32>,
    /// Mean K-weighted power of a channel in every whole 10 ms.
    pub powers: Vec<f32>,
    /// Short-term loudness every 100 ms, LUFS; value `i` covers the 3 s from `i` tenths of a second. Empty under 3 s.
    pub short_term_lufs: Vec<f32>,
}

impl Timeline {
    /// Creates a timeline from the sample peaks of every 10 ms and the loudness of a song.
    pub fn new(peaks: Vec<f32>, history: &LoudnessHistory) -> Self {
        let powers = history.powers(1, 1).map(|power| (power / 2.0) as f32).collect();
        Self { peaks, powers, short_term_lufs: history.short_term_lufs() }
    }
}

/// Largest magnitude of either channel; NaN counts as silence.
pub(crate) fn peak(block: &[Frame]) -> f32 {
    block.as_flattened().iter().fold(0.0, |peak, x| peak.max(x.abs()))
}

/// Measures [`Timeline::peaks`].
pub struct PeakMeter {
    blocks: Blocks,
    peaks: Vec<f32>,
}

impl PeakMeter {
    /// Creates a meter at the start of a stream.
    pub fn new(sample_rate_hz: u32) -> Self {
        Self { blocks: Blocks::new(sample_rate_hz), peaks: Vec::new() }
    }
}

impl Meter for PeakMeter {
    type Reading = Vec<f32>;

    fn push(&mut self, frames: &[Frame]) {
        let peaks = &mut self.peaks;
        self.blocks.push(frames, |block| peaks.push(peak(block)));
    }

    fn finish(mut self) -> Vec<f32> {
        self.peaks.push(peak(self.blocks.rest()));
        self.peaks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::Analyzer;
    use crate::synth::demo_mix;

    #[test]
    fn peaks_are_those_of_the_analysis_however_the_song_is_cut() {
        let song = demo_mix(44_100, 4.3);
        let mut analyzer = Analyzer::new(44_100, 2);
        analyzer.push(&song);
        let (profile, timeline) = analyzer.finish_with_timeline();
        for block in [1, 441, 5000] {
            let mut meter = PeakMeter::new(44_100);
            song.chunks(block).for_each(|chunk| meter.push(chunk));
            assert_eq!(meter.finish(), timeline.peaks, "blocks of {block}");
        }
        let highest = timeline.peaks.iter().copied().fold(0.0, f32::max);
        assert_eq!(crate::units::db_from_gain(f64::from(highest)), profile.peak.sample_peak_dbfs);
        let loudest = timeline.short_term_lufs.iter().copied().fold(f32::MIN, f32::max);
        // The reading is taken every 10 ms, the timeline every 100 ms.
        assert!((profile.loudness.max_short_term_lufs.expect("3 s") - f64::from(loudest)).abs() < 0.3);
    }
}
