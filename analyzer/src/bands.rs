//! Energy and peaks of every crossover band: one pass that dynamics and stereo share.
//!
//! Mid and side go through the crossover instead of left and right: it is linear, the energy of side stays exact
//! however small it is, and the larger magnitude of left and right is |mid| + |side|.

use crate::crossover::{BANDS, Crossover};
use crate::stream::Frame;

/// Blocks of the 10 ms grid in a frame of 50 ms.
pub(crate) const PEAK_BLOCKS: usize = 5;
/// Frames that are split before they are summed: the bands of so many stay in the cache.
const CHUNK: usize = 64;

/// Splits the stream and sums. Memory: 20 bytes per 10 ms, 22 MB for three hours.
pub(crate) struct BandMeter {
    crossover: Crossover,
    /// Mid and side of every band for one chunk.
    split: Box<[[[f32; 2]; CHUNK]; BANDS]>,
    history: BandHistory,
}

/// What the bands did over time.
#[derive(Default)]
pub(crate) struct BandHistory {
    /// Mean power of left and right in every block of 10 ms.
    pub powers: Vec<[f32; BANDS]>,
    /// Largest magnitude of either channel in every five blocks.
    pub peaks: Vec<[f32; BANDS]>,
    /// Sums over the song of mid², side² and mid·side per band.
    pub totals: [[f64; 3]; BANDS],
    /// Frames in all of these.
    pub frames: u64,
}

/// Sums of one band over one block.
#[derive(Clone, Copy, Default)]
struct Sums {
    mid: f64,
    side: f64,
    product: f64,
    peak: f32,
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
            for (n, frame) in chunk.iter().enumerate() {
                let [l, r] = frame.map(f64::from);
                let bands = self.crossover.next([0.5 * (l + r), 0.5 * (l - r)]);
                for (split, band) in self.split.iter_mut().zip(bands) {
                    split[n] = band.map(|x| x as f32);
                }
            }
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
    /// Adds a chunk, two frames at a time.
    fn add(&mut self, frames: &[[f32; 2]]) {
        let (mut squares, mut products, mut peaks) = ([0.0_f32; 4], [0.0_f32; 4], [0.0_f32; 4]);
        let (pairs, rest) = frames.as_chunks::<2>();
        let odd = rest.first().map(|&frame| [frame, [0.0; 2]]);
        for [[m0, s0], [m1, s1]] in pairs.iter().copied().chain(odd) {
            let (x, swapped) = ([m0, s0, m1, s1], [s0, m0, s1, m1]);
            for lane in 0..4 {
                squares[lane] += x[lane] * x[lane];
                products[lane] += x[lane] * swapped[lane];
                let peak = x[lane].abs() + swapped[lane].abs();
                peaks[lane] = if peak > peaks[lane] { peak } else { peaks[lane] };
            }
        }
        self.mid += f64::from(squares[0] + squares[2]);
        self.side += f64::from(squares[1] + squares[3]);
        self.product += f64::from(products[0] + products[2]);
        self.peak = self.peak.max(peaks[0]).max(peaks[2]);
    }
}

impl BandHistory {
    fn note(&mut self, frames: usize, sums: &[Sums; BANDS]) {
        if self.powers.len().is_multiple_of(PEAK_BLOCKS) {
            self.peaks.push([0.0; BANDS]);
        }
        // (L² + R²) / 2 = M² + S².
        self.powers.push(sums.map(|s| ((s.mid + s.side) / frames as f64) as f32));
        if let Some(last) = self.peaks.last_mut() {
            for (last, sums) in last.iter_mut().zip(sums) {
                *last = last.max(sums.peak);
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
