//! The limiter's gain reduction over time, recorded while a master is written.

use analyzer::oversample::BLOCK_FRAMES;
use analyzer::units::db_from_gain;
use renderer::stages::limiter::LimiterStep;

use crate::render::limiting::limiting_gain;
use crate::render::series::Series;

/// Minimum number of values per second.
const RUNS_PER_SECOND: u32 = 10;

/// Lowest gain in every tenth of a second.
pub struct LimiterTimeline {
    /// Number of blocks in a run.
    run: u64,
    step_s: f64,
    blocks: u64,
    lowest: Vec<f32>,
}

impl LimiterTimeline {
    /// Starts at the beginning of a song.
    pub fn new(sample_rate_hz: u32) -> Self {
        let run = (u64::from(sample_rate_hz / RUNS_PER_SECOND) / BLOCK_FRAMES as u64).max(1);
        let step_s = (run * BLOCK_FRAMES as u64) as f64 / f64::from(sample_rate_hz);
        Self { run, step_s, blocks: 0, lowest: Vec::new() }
    }

    /// Takes the next block's step.
    pub fn note(&mut self, step: &LimiterStep) {
        let gain = limiting_gain(step);
        match self.lowest.last_mut() {
            Some(last) if !self.blocks.is_multiple_of(self.run) => *last = last.min(gain),
            _ => self.lowest.push(gain),
        }
        self.blocks += 1;
    }

    /// Returns the largest gain reduction in each part of the song, dB.
    pub fn series(&self) -> Series {
        let lowest = |run: &[f32]| run.iter().fold(1.0f64, |lowest, gain| lowest.min(f64::from(*gain)));
        let reduction_db = |run: &[f32]| (-db_from_gain(lowest(run))).max(0.0);
        Series::folded(&self.lowest, self.step_s / 2.0, self.step_s, 2, reduction_db)
    }
}
