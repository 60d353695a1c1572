//! The trace of a song, block by block: the peaks that the limiter reacts to, and the K-weighted energies that make up
//! its loudness.

use std::collections::VecDeque;

use analyzer::biquad::Biquad;
use analyzer::loudness::KWeight;
use analyzer::oversample::BLOCK_FRAMES;
use analyzer::stream::Frame;
use analyzer::units::gain_from_db;
use renderer::recipe::{Solution, Trim};
use renderer::stages::limiter::{BlockPeaks, LimiterGain, LimiterStep, PeakTrace};

use crate::io;
use crate::io::spool::{Record, Spool};

/// Peaks and K-weighted energies of one block of [`BLOCK_FRAMES`] frames.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TraceBlock {
    /// Peaks that the limiter reacts to.
    pub peaks: BlockPeaks,
    /// K-weighted sums over the block: energy of the whole signal, product of whole signal and low band, energy of the
    /// low band.
    pub energies: [f32; 3],
}

impl TraceBlock {
    /// Returns the energy after a share `low_cut` of the low band is removed.
    pub(super) fn energy(&self, low_cut: f32) -> f64 {
        let ([whole, both, low], cut) = (self.energies.map(f64::from), f64::from(low_cut));
        (whole - cut * (2.0 * both - cut * low)).max(0.0)
    }
}

impl Record for TraceBlock {
    const BYTES: usize = 40;

    fn encode(self, bytes: &mut [u8]) {
        let Self { peaks: BlockPeaks { extremes: [a, b, c, d], frames, low: [e, f] }, energies: [g, h, i] } = self;
        let (head, tail) = bytes.split_at_mut(4);
        head.copy_from_slice(&frames);
        for (bytes, value) in tail.as_chunks_mut::<4>().0.iter_mut().zip([a, b, c, d, e, f, g, h, i]) {
            *bytes = value.to_le_bytes();
        }
    }

    fn decode(bytes: &[u8]) -> Self {
        let mut quads = bytes.as_chunks::<4>().0.iter().copied();
        let frames = quads.next().unwrap_or_default();
        let mut next = |_| quads.next().map(f32::from_le_bytes).unwrap_or_default();
        let extremes = std::array::from_fn(&mut next);
        let peaks = BlockPeaks { extremes, frames, low: std::array::from_fn(&mut next) };
        Self { peaks, energies: std::array::from_fn(next) }
    }
}

/// The trace of a song: all that limiter and loudness meter need to know of it.
pub struct Trace {
    /// All blocks.
    pub blocks: Spool<TraceBlock>,
    /// Frames per second.
    pub sample_rate_hz: u32,
}

/// Peaks further than this under the ceiling are not interpolated exactly, dB.
const DETECTOR_MARGIN_DB: f64 = 3.0;

/// Returns the level in front of the drive from which on peaks matter, dBFS. A margin allows for a slightly higher
/// drive.
pub(crate) fn exact_above_dbfs(ceiling_dbtp: f64, drive_db: f64) -> f64 {
    ((ceiling_dbtp - drive_db - DETECTOR_MARGIN_DB) * 100.0).round() / 100.0
}

/// Records the trace of a stream of frames.
pub struct TraceMeter {
    peaks: PeakTrace,
    weight: KWeight,
    /// K-weighted sums of this block so far: energy, left, right.
    sums: [f64; 3],
    frames_in_block: usize,
    /// Sums of the blocks whose peaks are not known yet.
    waiting: VecDeque<[f64; 3]>,
    /// K-weighting of the low band, which has one value per block.
    low_weight: Biquad,
    trace: Trace,
}

impl TraceMeter {
    /// Starts a trace. For `exact_above`, see [`PeakTrace::new`]. Up to `memory_bytes` are kept in memory.
    pub fn new(sample_rate_hz: u32, exact_above: f64, memory_bytes: usize) -> Self {
        Self {
            peaks: PeakTrace::new(exact_above, sample_rate_hz),
            weight: KWeight::new(sample_rate_hz),
            sums: [0.0; 3],
            frames_in_block: 0,
            waiting: VecDeque::new(),
            // At frequencies this low, the shelf of the K-weighting has no effect.
            low_weight: Biquad::new(KWeight::high_pass(f64::from(sample_rate_hz) / BLOCK_FRAMES as f64)),
            trace: Trace { blocks: Spool::new(memory_bytes), sample_rate_hz },
        }
    }

    /// Starts a trace in which the peaks that matter at the drive of `solution` are exact.
    pub fn of_solution(solution: &Solution, sample_rate_hz: u32, memory_bytes: usize) -> Self {
        Self::new(sample_rate_hz, gain_from_db(solution.exact_above_dbfs), memory_bytes)
    }

    /// Takes the next frames.
    pub fn push(&mut self, frames: &[Frame]) -> Result<(), io::Error> {
        let mut left = frames;
        while !left.is_empty() {
            let (now, later) = left.split_at(left.len().min(BLOCK_FRAMES - self.frames_in_block));
            let mut sums = self.sums;
            for frame in now {
                let [left, right] = self.weight.next(frame.map(f64::from));
                sums = [sums[0] + (left * left + right * right), sums[1] + left, sums[2] + right];
            }
            self.sums = sums;
            self.frames_in_block += now.len();
            if self.frames_in_block == BLOCK_FRAMES {
                self.waiting.push_back(sums);
                (self.sums, self.frames_in_block) = ([0.0; 3], 0);
                self.weight.settle();
            }
            left = later;
        }
        let mut peaks = Vec::with_capacity(frames.len() / BLOCK_FRAMES + 1);
        self.peaks.push(frames, |block| peaks.push(block));
        let Self { low_weight, waiting, trace, .. } = self;
        keep(trace, low_weight, waiting, &peaks)
    }

    /// Returns the whole trace.
    pub fn finish(self) -> Result<Trace, io::Error> {
        let Self { peaks, sums, frames_in_block, mut waiting, mut low_weight, mut trace, .. } = self;
        if frames_in_block > 0 {
            waiting.push_back(sums);
        }
        let mut last = Vec::new();
        peaks.finish(|block| last.push(block));
        keep(&mut trace, &mut low_weight, &mut waiting, &last)?;
        Ok(trace)
    }
}

/// Appends blocks to the trace: their peaks, joined with their sums.
fn keep(
    trace: &mut Trace,
    low_weight: &mut Biquad,
    sums: &mut VecDeque<[f64; 3]>,
    peaks: &[BlockPeaks],
) -> Result<(), io::Error> {
    let joined = peaks.iter().zip(sums.drain(..peaks.len())).map(|(peaks, [energy, left, right])| {
        let low = low_weight.next(peaks.low.map(f64::from));
        low_weight.settle();
        let both = low[0] * left + low[1] * right;
        let alone = BLOCK_FRAMES as f64 * (low[0] * low[0] + low[1] * low[1]);
        TraceBlock { peaks: *peaks, energies: [energy, both, alone].map(|energy| energy as f32) }
    });
    trace.blocks.push(&joined.collect::<Vec<_>>())
}

/// A function that returns the blocks of a trace one by one, and `None` at the end.
pub trait Blocks: FnMut() -> Result<Option<TraceBlock>, io::Error> {}

impl<T: FnMut() -> Result<Option<TraceBlock>, io::Error>> Blocks for T {}

/// The limiter's step for each block of a trace, and for one more at the end.
pub struct Steps<S> {
    blocks: S,
    gain: LimiterGain,
    trims: VecDeque<Trim>,
    block: u64,
    /// Number of outputs still to be skipped, since they belong to the time before the start.
    ahead: usize,
}

impl<S: Blocks> Steps<S> {
    /// Returns the step of the next block; past the end, that of silence.
    pub fn next_step(&mut self) -> Result<LimiterStep, io::Error> {
        loop {
            let TraceBlock { peaks, .. } = (self.blocks)()?.unwrap_or_default();
            let mut trim = 1.0;
            if let Some(first) = self.trims.front()
                && first.block == self.block
            {
                trim = gain_from_db(first.peak_db);
                self.trims.pop_front();
            }
            self.block += 1;
            let step = self.gain.next(peaks, trim);
            match self.ahead {
                0 => return Ok(step),
                _ => self.ahead -= 1,
            }
        }
    }
}

/// Returns the steps of a trace from `block` on. Peaks are corrected by `trims`, which must be in order. The steps of a block
/// are the same wherever they start.
pub fn steps_from<'t>(trace: &'t Trace, block: u64, gain: LimiterGain, trims: &[Trim]) -> Steps<impl Blocks + use<'t>> {
    let start = block.saturating_sub(gain.memory_blocks() as u64);
    let trims = trims.iter().copied().skip_while(|trim| trim.block < start).collect();
    let ahead = gain.delay_blocks() + (block - start) as usize;
    Steps { blocks: blocks_from(trace, start), ahead, gain, trims, block: start }
}

/// Returns the blocks of a trace one by one, from `block` on.
pub fn blocks_from(trace: &Trace, block: u64) -> impl Blocks {
    let mut reader = trace.blocks.reader_at(block);
    let mut buffer = vec![TraceBlock::default(); 4096];
    let (mut filled, mut next) = (0, 0);
    move || {
        if next == filled {
            (filled, next) = (reader.read(&mut buffer)?, 0);
        }
        let block = (next < filled).then(|| buffer[next]);
        next += usize::from(block.is_some());
        Ok(block)
    }
}
