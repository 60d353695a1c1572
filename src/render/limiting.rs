//! Statistics of the limiter's gain reduction.

use analyzer::units::db_from_gain;
use renderer::stages::limiter::LimiterStep;

/// Resolution of the limiting statistics, dB.
const LIMITING_STEP_DB: f64 = 0.05;
/// Share of blocks whose gain reduction exceeds the reported one.
const LIMITING_SHARE: f64 = 0.05;

/// Returns the gain by which a block is limited.
pub fn limiting_gain(step: &LimiterStep) -> f32 {
    // Reduction of the low band alone counts half, since the rest of the song is unaffected.
    step.gain * (1.0 - step.low_cut).sqrt()
}

/// Statistics of the limiter's gain reduction, block by block.
pub struct LimitingHistogram {
    blocks: u64,
    lowest: f32,
    /// Number of blocks per step of gain reduction; blocks without reduction are left out.
    histogram: Vec<u64>,
}

impl Default for LimitingHistogram {
    /// No blocks yet.
    fn default() -> Self {
        Self { blocks: 0, lowest: 1.0, histogram: Vec::new() }
    }
}

impl LimitingHistogram {
    /// Takes the next block's step.
    pub fn note(&mut self, step: &LimiterStep) {
        self.blocks += 1;
        let gain = limiting_gain(step);
        self.lowest = self.lowest.min(gain);
        if gain < 1.0 {
            let step = (-db_from_gain(f64::from(gain)) / LIMITING_STEP_DB) as usize;
            self.histogram.resize(self.histogram.len().max(step + 1), 0u64);
            self.histogram[step] += 1;
        }
    }

    /// Takes all steps that another histogram took.
    pub fn add(&mut self, other: &Self) {
        self.blocks += other.blocks;
        self.lowest = self.lowest.min(other.lowest);
        self.histogram.resize(self.histogram.len().max(other.histogram.len()), 0);
        self.histogram.iter_mut().zip(&other.histogram).for_each(|(count, other)| *count += other);
    }

    /// Returns the gain reduction that is exceeded in 5 % of the blocks, and the largest, dB.
    pub fn reading_db(&self) -> [f64; 2] {
        let mut above = 0;
        let exceeded = self.histogram.iter().rposition(|blocks| {
            above += blocks;
            above as f64 > LIMITING_SHARE * self.blocks as f64
        });
        let exceeded_db = exceeded.map_or(0.0, |step| (step + 1) as f64 * LIMITING_STEP_DB);
        [exceeded_db, -db_from_gain(f64::from(self.lowest))]
    }
}
