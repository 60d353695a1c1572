//! Levels of a song over time, for drawing; decisions are made on the profile.

use crate::blocks::Blocks;
use crate::loudness_history::{LoudnessHistory, lufs_from_power};
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

    /// Returns the loudness of the last whole 10 ms over that of the song, LU; `None` for a song without a loudness.
    pub fn ending_lu(&self, integrated_lufs: Option<f64>) -> Option<f64> {
        let power_of_channel = f64::from(*self.powers.last()?);
        Some(lufs_from_power(2.0 * power_of_channel) - integrated_lufs?)
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
    use crate::synth::{demo_mix, silence, sine};

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

    #[test]
    fn an_ending_is_as_loud_as_the_song_where_that_is_steady_and_far_below_after_it_has_died_away() {
        let ending_lu = |frames: &[Frame]| {
            let mut analyzer = Analyzer::new(48_000, 2);
            analyzer.push(frames);
            let (profile, timeline) = analyzer.finish_with_timeline();
            timeline.ending_lu(profile.loudness.integrated_lufs)
        };
        let steady = sine(48_000, 1000.0, -20.0, 2.0);
        assert!(ending_lu(&steady).is_some_and(|lu| lu.abs() < 0.1), "{:?}", ending_lu(&steady));
        let died_away = [steady, silence(48_000, 0.5)].concat();
        assert!(ending_lu(&died_away).is_some_and(|lu| lu < -40.0), "{:?}", ending_lu(&died_away));
        assert_eq!((ending_lu(&silence(48_000, 2.0)), ending_lu(&[])), (None, None));
    }
}
