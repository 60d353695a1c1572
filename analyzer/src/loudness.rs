//! Loudness to ITU-R BS.1770-5 Annex 1, EBU Tech 3341 (momentary, short-term, integrated) and Tech 3342 (range).
//!
//! Both channels weigh 1. A mono song that is carried as two equal channels reads what it measures on two
//! loudspeakers, 3.01 LU above its single channel.

use crate::biquad::{Biquad, BiquadCoefs};
use crate::blocks::{Blocks, block_start};
use crate::profile::LoudnessReading;
use crate::stream::{Frame, Meter};
use crate::units::{FLOOR_DB, db_from_power, power_from_db};

/// BS.1770-5 Annex 1, equation 2: makes a 997 Hz sine of 0 dBFS in one channel read −3.01 LUFS.
const OFFSET_LU: f64 = -0.691;
/// Absolute gate, BS.1770-5 Annex 1, equation 6, and Tech 3342.
const ABSOLUTE_GATE_LUFS: f64 = -70.0;
/// Relative gate of the integrated loudness, BS.1770-5 Annex 1, equation 7.
const RELATIVE_GATE_LU: f64 = -10.0;
/// Relative gate of the loudness range, Tech 3342.
const RANGE_GATE_LU: f64 = -20.0;
/// Momentary loudness: 400 ms in blocks of 10 ms.
const MOMENTARY_BLOCKS: usize = 40;
/// Short-term loudness: 3 s.
const SHORT_TERM_BLOCKS: usize = 300;
/// Gating blocks start every 100 ms: three quarters of 400 ms overlap.
const STEP_BLOCKS: usize = 10;

/// K-weighting's high shelf at 48 kHz, BS.1770-5 Annex 1, table 1.
const SHELF_48K: BiquadCoefs = BiquadCoefs {
    b: [1.535_124_859_586_97, -2.691_696_189_406_38, 1.198_392_810_852_85],
    a: [-1.690_659_293_182_41, 0.732_480_774_215_85],
};
/// K-weighting's high-pass at 48 kHz, BS.1770-5 Annex 1, table 2.
const HIGH_PASS_48K: BiquadCoefs =
    BiquadCoefs { b: [1.0, -2.0, 1.0], a: [-1.990_047_454_833_98, 0.990_072_250_366_21] };

/// Loudness of a mean K-weighted power (summed over the channels), LUFS, at least [`FLOOR_DB`].
pub fn lufs_from_power(power: f64) -> f64 {
    (OFFSET_LU + db_from_power(power)).max(FLOOR_DB)
}

/// Inverse of [`lufs_from_power`].
pub fn power_from_lufs(lufs: f64) -> f64 {
    power_from_db(lufs - OFFSET_LU)
}

/// The K-weighting filter: a high shelf of 4 dB, then a high-pass at 38 Hz.
///
/// The standard gives coefficients at 48 kHz. Other rates get the same analogue prototypes, found by the inverse
/// bilinear transform and mapped back with the corner kept in place.
#[derive(Clone)]
pub struct KWeight {
    shelf: Biquad,
    high_pass: Biquad,
}

impl KWeight {
    /// A filter at rest.
    pub fn new(sample_rate_hz: u32) -> Self {
        let [shelf, high_pass] = Self::coefs(sample_rate_hz).map(Biquad::new);
        Self { shelf, high_pass }
    }

    /// Shelf and high-pass at a rate.
    pub fn coefs(sample_rate_hz: u32) -> [BiquadCoefs; 2] {
        [SHELF_48K, HIGH_PASS_48K].map(|coefs| at_rate(coefs, sample_rate_hz))
    }

    /// The next weighted frame.
    #[inline(always)]
    pub fn next(&mut self, x: [f64; 2]) -> [f64; 2] {
        self.high_pass.next(self.shelf.next(x))
    }
}

/// Maps a 48 kHz filter to another rate.
fn at_rate(coefs: BiquadCoefs, sample_rate_hz: u32) -> BiquadCoefs {
    use std::f64::consts::PI;
    // With s = (1 − z⁻¹) / (1 + z⁻¹): the prototype's coefficients of s², s and 1.
    let prototype = |c: [f64; 3]| [c[0] - c[1] + c[2], 2.0 * (c[0] - c[2]), c[0] + c[1] + c[2]];
    let (above, below) = (prototype(coefs.b), prototype([1.0, coefs.a[0], coefs.a[1]]));
    let corner_48k = libm::sqrt(below[2] / below[0]);
    let corner_hz = libm::atan(corner_48k) * 48_000.0 / PI;
    let stretch = corner_48k / libm::tan(PI * corner_hz / f64::from(sample_rate_hz));
    let digital = |p: [f64; 3]| {
        let (p2, p1, p0) = (p[0] * stretch * stretch, p[1] * stretch, p[2]);
        [p2 + p1 + p0, 2.0 * (p0 - p2), p2 - p1 + p0]
    };
    let (b, a) = (digital(above), digital(below));
    BiquadCoefs { b: b.map(|v| v / a[0]), a: [a[1] / a[0], a[2] / a[0]] }
}

/// Measures loudness. Memory: 8 bytes per 10 ms, 9 MB for three hours.
pub struct LoudnessMeter {
    blocks: Blocks,
    energies: KEnergies,
}

impl LoudnessMeter {
    /// A meter for one rate, 8 to 192 kHz.
    pub fn new(sample_rate_hz: u32) -> Self {
        Self { blocks: Blocks::new(sample_rate_hz), energies: KEnergies::new(sample_rate_hz) }
    }
}

impl Meter for LoudnessMeter {
    type Reading = LoudnessReading;

    fn push(&mut self, frames: &[Frame]) {
        self.blocks.push(frames, |block| self.energies.push(block));
    }

    fn finish(self) -> LoudnessReading {
        self.energies.finish().reading()
    }
}

/// K-weighted energy of every 10 ms.
pub(crate) struct KEnergies {
    sample_rate_hz: u32,
    weight: KWeight,
    sums: Vec<f64>,
    /// Sums over the song of L², R² and L·R, weighted.
    pub totals: [f64; 3],
}

impl KEnergies {
    pub fn new(sample_rate_hz: u32) -> Self {
        Self { sample_rate_hz, weight: KWeight::new(sample_rate_hz), sums: Vec::new(), totals: [0.0; 3] }
    }

    /// Takes the next block of the 10 ms grid.
    pub fn push(&mut self, block: &[Frame]) {
        let (mut squares, mut product) = ([0.0; 2], 0.0);
        for frame in block {
            let [l, r] = self.weight.next(frame.map(f64::from));
            squares[0] += l * l;
            squares[1] += r * r;
            product += l * r;
        }
        self.sums.push(squares[0] + squares[1]);
        for (total, sum) in self.totals.iter_mut().zip([squares[0], squares[1], product]) {
            *total += sum;
        }
    }

    pub fn finish(self) -> LoudnessHistory {
        let mut total = 0.0;
        let mut cumulated = Vec::with_capacity(self.sums.len() + 1);
        cumulated.push(0.0);
        cumulated.extend(self.sums.iter().map(|sum| {
            total += sum;
            total
        }));
        LoudnessHistory { sample_rate_hz: self.sample_rate_hz, cumulated }
    }
}

/// K-weighted energy from the start to every block of the 10 ms grid.
pub(crate) struct LoudnessHistory {
    sample_rate_hz: u32,
    cumulated: Vec<f64>,
}

impl LoudnessHistory {
    /// Number of whole blocks.
    pub fn blocks(&self) -> usize {
        self.cumulated.len() - 1
    }

    /// Mean power of `blocks` blocks from `start`.
    pub fn power(&self, start: usize, blocks: usize) -> f64 {
        let end = start + blocks;
        let frames = block_start(end, self.sample_rate_hz) - block_start(start, self.sample_rate_hz);
        // Rounding can leave a trace of the energy before a pause, but nothing negative.
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

    pub fn reading(&self) -> LoudnessReading {
        let loudest = |blocks| self.powers(blocks, 1).reduce(f64::max).map(lufs_from_power);
        LoudnessReading {
            integrated_lufs: self.integrated(),
            max_momentary_lufs: loudest(MOMENTARY_BLOCKS),
            max_short_term_lufs: loudest(SHORT_TERM_BLOCKS),
            range_lu: self.range(),
        }
    }

    /// BS.1770-5 Annex 1, equations 3 to 7.
    fn integrated(&self) -> Option<f64> {
        let absolute = power_from_lufs(ABSOLUTE_GATE_LUFS);
        let above = |gate: f64| mean(self.powers(MOMENTARY_BLOCKS, STEP_BLOCKS).filter(|&power| power > gate));
        let relative = above(absolute)? * power_from_db(RELATIVE_GATE_LU);
        above(relative.max(absolute)).map(lufs_from_power)
    }

    /// Tech 3342: 3 s windows, both gates, from the 10th to the 95th percentile.
    fn range(&self) -> f64 {
        let absolute = power_from_lufs(ABSOLUTE_GATE_LUFS);
        let mut powers: Vec<f64> =
            self.powers(SHORT_TERM_BLOCKS, STEP_BLOCKS).filter(|&power| power > absolute).collect();
        let Some(mean) = mean(powers.iter().copied()) else { return 0.0 };
        powers.retain(|&power| power >= mean * power_from_db(RANGE_GATE_LU));
        powers.sort_unstable_by(f64::total_cmp);
        let rank = |share: f64| lufs_from_power(powers[((powers.len() - 1) as f64 * share).round_ties_even() as usize]);
        if powers.is_empty() { 0.0 } else { rank(0.95) - rank(0.10) }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / count as f64)
}
