//! Energy and peaks of every crossover band: one pass that dynamics and stereo share.
//!
//! The crossover splits mid and side instead of left and right. Since it is linear, no information is lost: the energy
//! of the side stays exact however small it is, and the larger magnitude of left and right is |mid| + |side|.

use crate::crossover::{BANDS, Crossover};
use crate::punch::Moment;
use crate::stream::Frame;

/// Blocks of the 10 ms grid in a frame of 50 ms.
pub(crate) const PEAK_BLOCKS: usize = 5;
/// Frames split at a time before they are summed, few enough for their bands to stay in the cache.
const CHUNK: usize = 64;

/// Splits the stream into bands and sums their energy. Memory: 26 bytes per 10 ms, 28 MB for three hours.
pub(crate) struct BandMeter {
    crossover: Crossover,
    /// Mid and side of every band for one chunk.
    split: Box<[[[f64; 2]; CHUNK]; BANDS]>,
    history: BandHistory,
}

/// Levels of the bands over time.
#[derive(Default)]
pub(crate) struct BandHistory {
    /// Mean power of left and right in every block of 10 ms.
    pub powers: Vec<[f32; BANDS]>,
    /// Largest magnitude of either channel in every five blocks.
    pub peaks: Vec<[f32; BANDS]>,
    /// Power and peak of the mid in every five blocks; the last group may be shorter.
    pub mid: Vec<[Moment; BANDS]>,
    /// Sums over the song of mid², side² and mid·side per band.
    pub totals: [[f64; 3]; BANDS],
    /// Number of frames measured.
    pub frames: u64,
    /// Number of frames in the last entry of `mid`.
    moment_frames: usize,
}

/// Sums of one band over one block.
#[derive(Clone, Copy, Default)]
struct Sums {
    mid: f64,
    side: f64,
    product: f64,
    peak: f64,
    mid_peak: f64,
}

impl BandMeter {
    pub fn new(sample_rate_hz: u32) -> Self {
        Self {
            crossover: Crossover::new(sample_rate_hz),
            split: Box::new([[[0.0; 2]; CHUNK]; BANDS]),
            history: BandHistory::default(),
        }
    }

    /// Takes the next block of the 10 ms grid; the last one may be short.
    pub fn push(&mut self, block: &[Frame]) {
        if block.is_empty() {
            return;
        }
        let mut sums = [Sums::default(); BANDS];
        for chunk in block.chunks(CHUNK) {
            let mut mid_side = [[0.0; 2]; CHUNK];
            for (mid_side, frame) in mid_side.iter_mut().zip(chunk) {
                let [l, r] = frame.map(f64::from);
                *mid_side = [0.5 * (l + r), 0.5 * (l - r)];
            }
            self.crossover.split(&mid_side[..chunk.len()], &mut self.split);
            for (sums, split) in sums.iter_mut().zip(self.split.iter()) {
                sums.add(&split[..chunk.len()]);
            }
        }
        self.crossover.settle();
        self.history.note(block.len(), &sums);
    }

    pub fn finish(self) -> BandHistory {
        self.history
    }
}

impl Sums {
    /// Adds a chunk, two frames at a time, with separate sums for even and odd frames.
    fn add(&mut self, frames: &[[f64; 2]]) {
        let (mut mid, mut side, mut product) = ([0.0; 2], [0.0; 2], [0.0; 2]);
        let (mut peak, mut mid_peak) = ([0.0; 2], [0.0; 2]);
        let mut note = |m: f64, s: f64, lane: usize| {
            mid[lane] += m * m;
            side[lane] += s * s;
            product[lane] += m * s;
            let sum = m.abs() + s.abs();
            peak[lane] = if sum > peak[lane] { sum } else { peak[lane] };
            mid_peak[lane] = if m.abs() > mid_peak[lane] { m.abs() } else { mid_peak[lane] };
        };
        let (pairs, rest) = frames.as_chunks::<2>();
        for [[m0, s0], [m1, s1]] in pairs {
            note(*m0, *s0, 0);
            note(*m1, *s1, 1);
        }
        rest.iter().for_each(|&[m, s]| note(m, s, 0));
        self.mid += mid[0] + mid[1];
        self.side += side[0] + side[1];
        self.product += product[0] + product[1];
        self.peak = self.peak.max(peak[0]).max(peak[1]);
        self.mid_peak = self.mid_peak.max(mid_peak[0]).max(mid_peak[1]);
    }
}

impl BandHistory {
    fn note(&mut self, frames: usize, sums: &[Sums; BANDS]) {
        if self.powers.len().is_multiple_of(PEAK_BLOCKS) {
            self.peaks.push([0.0; BANDS]);
            self.mid.push([Moment::default(); BANDS]);
            self.moment_frames = 0;
        }
        let (before, now) = (self.moment_frames as f64, frames as f64);
        self.moment_frames += frames;
        if let Some(last) = self.mid.last_mut() {
            for (last, sums) in last.iter_mut().zip(sums) {
                last.power = ((f64::from(last.power) * before + sums.mid) / (before + now)) as f32;
                last.peak = last.peak.max(sums.mid_peak as f32);
            }
        }
        // (L² + R²) / 2 = M² + S².
        self.powers.push(sums.map(|s| ((s.mid + s.side) / frames as f64) as f32));
        if let Some(last) = self.peaks.last_mut() {
            for (last, sums) in last.iter_mut().zip(sums) {
                *last = last.max(sums.peak as f32);
            }
        }
        for (total, sums) in self.totals.iter_mut().zip(sums) {
            for (total, sum) in total.iter_mut().zip([sums.mid, sums.side, sums.product]) {
                *total += sum;
            }
        }
        self.frames += frames as u64;
    }
}
