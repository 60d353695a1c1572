//! K-weighted energy over time, and the loudness of any part of it (ITU-R BS.1770-5 Annex 1).

use crate::blocks::block_start;
use crate::units::{FLOOR_DB, db_from_power, power_from_db};

/// BS.1770-5 Annex 1, equation 2: makes a 997 Hz sine of 0 dBFS in one channel read −3.01 LUFS.
const OFFSET_LU: f64 = -0.691;
/// Absolute gate, BS.1770-5 Annex 1, equation 6, and Tech 3342.
pub(crate) const ABSOLUTE_GATE_LUFS: f64 = -70.0;
/// Relative gate of the integrated loudness, BS.1770-5 Annex 1, equation 7.
const RELATIVE_GATE_LU: f64 = -10.0;
/// Momentary loudness: 400 ms in blocks of 10 ms.
pub(crate) const MOMENTARY_BLOCKS: usize = 40;
/// Short-term loudness: 3 s.
pub(crate) const SHORT_TERM_BLOCKS: usize = 300;
/// Gating blocks start every 100 ms: three quarters of 400 ms overlap.
pub(crate) const STEP_BLOCKS: usize = 10;

/// Loudness of a mean K-weighted power (summed over the channels), LUFS, at least [`FLOOR_DB`].
pub fn lufs_from_power(power: f64) -> f64 {
    (OFFSET_LU + db_from_power(power)).max(FLOOR_DB)
}

/// Inverse of [`lufs_from_power`].
pub fn power_from_lufs(lufs: f64) -> f64 {
    power_from_db(lufs - OFFSET_LU)
}

/// Cumulative K-weighted energy, from the start to every block of the 10 ms grid.
pub struct LoudnessHistory {
    sample_rate_hz: u32,
    cumulated: Vec<f64>,
}

impl LoudnessHistory {
    /// Creates a history from the K-weighted energy of every block of the 10 ms grid, both channels summed. Block `n`
    /// starts at frame `n · rate / 100`, rounded.
    pub fn from_energies(sample_rate_hz: u32, energies: &[f64]) -> Self {
        let mut total = 0.0;
        let mut cumulated = Vec::with_capacity(energies.len() + 1);
        cumulated.push(0.0);
        cumulated.extend(energies.iter().map(|energy| {
            total += energy;
            total
        }));
        Self { sample_rate_hz, cumulated }
    }

    /// Number of whole blocks.
    pub fn blocks(&self) -> usize {
        self.cumulated.len() - 1
    }

    /// Mean power of `blocks` blocks from `start`.
    pub fn power(&self, start: usize, blocks: usize) -> f64 {
        let end = start + blocks;
        let frames = block_start(end, self.sample_rate_hz) - block_start(start, self.sample_rate_hz);
        // Rounding can leave a trace of the energy before a pause, but the power must not be negative.
        ((self.cumulated[end] - self.cumulated[start]) / frames as f64).max(0.0)
    }

    /// Powers of all whole windows of `blocks` blocks that start every `step` blocks.
    pub fn powers(&self, blocks: usize, step: usize) -> impl Iterator<Item = f64> {
        let starts = (self.blocks() + 1).saturating_sub(blocks);
        (0..starts).step_by(step).map(move |start| self.power(start, blocks))
    }

    /// Short-term loudness every 100 ms; value `i` covers the 3 s from `i` tenths of a second.
    pub fn short_term_lufs(&self) -> Vec<f32> {
        self.powers(SHORT_TERM_BLOCKS, STEP_BLOCKS).map(|power| lufs_from_power(power) as f32).collect()
    }

    /// Integrated loudness: BS.1770-5 Annex 1, equations 3 to 7.
    pub fn integrated(&self) -> Option<f64> {
        gated(|| self.gating_powers())
    }

    /// Powers of the gating blocks: 400 ms, every 100 ms.
    pub fn gating_powers(&self) -> impl Iterator<Item = f64> {
        self.powers(MOMENTARY_BLOCKS, STEP_BLOCKS)
    }
}

/// Integrated loudness of gating blocks, LUFS: BS.1770-5 Annex 1, equations 3 to 7. The blocks of several songs
/// together give the loudness of their album, as if the songs were played without a pause, except for the few blocks
/// that would span two songs.
pub fn gated<I: Iterator<Item = f64>>(powers: impl Fn() -> I) -> Option<f64> {
    let absolute = power_from_lufs(ABSOLUTE_GATE_LUFS);
    let above = |gate: f64| mean(powers().filter(|&power| power > gate));
    let relative = above(absolute)? * power_from_db(RELATIVE_GATE_LU);
    above(relative.max(absolute)).map(lufs_from_power)
}

pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / count as f64)
}
