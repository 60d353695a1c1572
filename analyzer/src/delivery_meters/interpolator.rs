//! Points between samples, computed no further than a threshold asks for.

use std::ops::Range;

use crate::oversample::BLOCK_FRAMES;

/// Frames on either side of a block that contribute to its points.
pub(super) const MARGIN: usize = 32;
/// Taps of an interpolator whose points differ from sample to sample.
pub(super) const BROKEN_TAPS: usize = 32;
/// Index of the tap in front of its points.
const BROKEN_BEFORE: usize = (BROKEN_TAPS - 1) / 2;
/// Taps on either side of a point that are computed first. The others are left out where they cannot matter.
const INNER: usize = 4;
/// Sums side by side: as many as a vector register holds.
const LANES: usize = 4;

/// Interpolates points between samples.
pub(super) struct Interpolator {
    /// Index, counted from the first tap, of the sample before the first point.
    before: usize,
    taps: usize,
    kernel: Kernel,
    /// Largest sum, over all points, of the magnitudes of the coefficients that are not next to a point.
    outer: f32,
    /// The same sum of the coefficients that are.
    inner: f32,
}

/// Coefficients of an interpolator.
enum Kernel {
    /// Every sample is followed by the same points. Indexed by chunk of points, tap and point; every coefficient is
    /// repeated for each lane.
    WholeSteps(Vec<Vec<[[f32; LANES]; LANES]>>),
    /// `up` points in the time of `down` samples: the coefficients of every phase, in the order of the samples.
    BrokenSteps { up: usize, down: usize, phases: Vec<[f32; BROKEN_TAPS]> },
}

impl Interpolator {
    /// Creates it from the coefficients of every phase, in the order of the samples.
    pub fn new((up, down): (usize, usize), before: usize, phases: &[Vec<f32>]) -> Self {
        let inner = taps_beside(before);
        let largest = |is_counted: &dyn Fn(usize) -> bool| {
            let sum = |phase: &Vec<f32>| {
                let counted = phase.iter().enumerate().filter(|(tap, _)| is_counted(*tap));
                counted.map(|(_, coefficient)| coefficient.abs()).sum::<f32>()
            };
            ROUNDED_UP * phases.iter().map(sum).fold(0.0, f32::max)
        };
        let (outer, inner) = (largest(&|tap| !inner.contains(&tap)), largest(&|tap| inner.contains(&tap)));
        let taps = phases[0].len();
        let coefficient = |phase: Option<&Vec<f32>>, tap: usize| phase.map_or(0.0, |phase| phase[tap]);
        let kernel = match down {
            1 => Kernel::WholeSteps(
                phases
                    .chunks(LANES)
                    .map(|chunk| {
                        let tap = |tap| std::array::from_fn(|point| [coefficient(chunk.get(point), tap); LANES]);
                        (0..taps).map(tap).collect()
                    })
                    .collect(),
            ),
            _ => {
                let phases = phases.iter().map(|phase| std::array::from_fn(|tap| coefficient(Some(phase), tap)));
                Kernel::BrokenSteps { up, down, phases: phases.collect() }
            }
        };
        Self { before, taps, kernel, outer, inner }
    }

    /// Returns the largest factor by which a point may exceed all samples.
    pub fn norm(&self) -> f32 {
        self.inner + self.outer
    }

    /// Returns the largest magnitude of the block's points, leaving out those that cannot exceed `threshold`. The block
    /// starts at frame `from` of the stream; `around` holds its frames and [`MARGIN`] frames on either side, and `reach`
    /// their magnitudes.
    pub fn peak(&self, around: &[f32], reach: &Reach, from: u64, threshold: f32) -> f32 {
        let bounds = reach.near.map(|near| self.inner * near + self.outer * reach.highest);
        if bounds.iter().all(|bound| *bound <= threshold) {
            return 0.0;
        }
        let outer = self.outer * reach.highest;
        match &self.kernel {
            Kernel::WholeSteps(chunks) => self.peak_of_whole_steps(chunks, around, (&bounds, outer), threshold),
            Kernel::BrokenSteps { up, down, phases } => {
                let phase = (*down as u64 - from * *up as u64 % *down as u64) % *down as u64;
                peak_of_broken_steps((*up, *down), phases, around, (&bounds, outer), phase as usize, threshold)
            }
        }
    }

    /// Peak of a block, [`LANES`] frames at once. `bounds` are upper bounds for the points behind every frame, and
    /// `outer` one for the part of the taps that are not next to a point.
    fn peak_of_whole_steps(
        &self,
        chunks: &[Vec<[[f32; LANES]; LANES]>],
        around: &[f32],
        (bounds, outer): (&[f32; BLOCK_FRAMES], f32),
        threshold: f32,
    ) -> f32 {
        let (taps, inner) = (self.taps, taps_beside(self.before));
        let mut peak = 0.0_f32;
        for (group, bounds) in bounds.as_chunks::<LANES>().0.iter().enumerate() {
            if bounds.iter().all(|bound| *bound <= threshold.max(peak)) {
                continue;
            }
            let x = &around[MARGIN - self.before + group * LANES..][..taps + LANES - 1];
            for chunk in chunks {
                let of = |points, taps: Range<usize>| accumulate(points, &chunk[taps.clone()], &x[taps.start..]);
                let near = of([[0.0; LANES]; LANES], inner.clone());
                if ROUNDED_UP * highest_of(&near) + outer > threshold.max(peak) {
                    let points = of(of(near, 0..inner.start), inner.end..taps);
                    peak = peak.max(highest_of(&points));
                }
            }
        }
        peak
    }
}

/// Peak of a block whose first point has this phase, for rates at which the phases differ from sample to sample.
fn peak_of_broken_steps(
    (up, down): (usize, usize),
    phases: &[[f32; BROKEN_TAPS]],
    around: &[f32],
    (bounds, outer): (&[f32; BLOCK_FRAMES], f32),
    mut phase: usize,
    threshold: f32,
) -> f32 {
    let mut peak = 0.0_f32;
    for (frame, bound) in bounds.iter().enumerate() {
        let x = &around[MARGIN - BROKEN_BEFORE + frame..][..BROKEN_TAPS].as_chunks::<LANES>().0;
        while phase < up {
            if *bound > threshold.max(peak) {
                let h = phases[phase].as_chunks::<LANES>().0;
                let near = products(products([0.0; LANES], h[3], x[3]), h[4], x[4]);
                if ROUNDED_UP * sum(near).abs() + outer > threshold.max(peak) {
                    let all = [0, 1, 2, 5, 6, 7].into_iter().fold(near, |sums, n| products(sums, h[n], x[n]));
                    peak = peak.max(sum(all).abs());
                }
            }
            phase += down;
        }
        phase -= up;
    }
    peak
}

/// Magnitudes of the samples in a block and around it.
pub(super) struct Reach {
    /// Largest magnitude next to the points behind every frame of the block.
    near: [f32; BLOCK_FRAMES],
    /// Largest magnitude of all samples in the block and around it.
    highest: f32,
}

impl Reach {
    /// Computes the magnitudes from the frames of a block and [`MARGIN`] frames on either side, of which `highest` is
    /// the largest magnitude.
    pub fn of(around: &[f32], highest: f32) -> Self {
        let from = taps_beside(MARGIN).start;
        let mut magnitudes = [0.0_f32; BLOCK_FRAMES + 2 * INNER];
        magnitudes.iter_mut().zip(&around[from..]).for_each(|(magnitude, x)| *magnitude = x.abs());
        // The largest of 2, 4 and 8 from every sample on.
        let pairs: [f32; BLOCK_FRAMES + 6] = std::array::from_fn(|n| larger(magnitudes[n], magnitudes[n + 1]));
        let fours: [f32; BLOCK_FRAMES + 4] = std::array::from_fn(|n| larger(pairs[n], pairs[n + 2]));
        Self { near: std::array::from_fn(|n| larger(fours[n], fours[n + 4])), highest }
    }
}

/// The larger of two numbers, of which neither is missing: a single instruction, unlike [`f32::max`].
pub(super) fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// Taps next to a point, which lies behind the tap `before`.
fn taps_beside(before: usize) -> Range<usize> {
    before + 1 - INNER..before + 1 + INNER
}

/// Adds the products of taps to the points of [`LANES`] frames.
///
/// Not inlined, so that the sums stay in registers: the compiler would mix them with the code that follows.
#[inline(never)]
fn accumulate(mut points: [[f32; LANES]; LANES], taps: &[[[f32; LANES]; LANES]], x: &[f32]) -> [[f32; LANES]; LANES] {
    for (tap, x) in taps.iter().zip(x.windows(LANES)) {
        let x = [x[0], x[1], x[2], x[3]];
        for (point, h) in points.iter_mut().zip(tap) {
            *point = products(*point, *h, x);
        }
    }
    points
}

/// Adds the products of `a` and `b` in fixed lanes, so that the order of summation is the same everywhere.
fn products(mut sums: [f32; LANES], a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
    for lane in 0..LANES {
        sums[lane] += a[lane] * b[lane];
    }
    sums
}

fn sum(lanes: [f32; LANES]) -> f32 {
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

/// Largest magnitude of all points.
fn highest_of(points: &[[f32; LANES]; LANES]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    for point in points {
        for (lane, x) in lanes.iter_mut().zip(point) {
            *lane = lane.max(x.abs());
        }
    }
    lanes.into_iter().fold(0.0, f32::max)
}

/// Factor that exceeds the rounding error of single-precision sums of 32 products.
const ROUNDED_UP: f32 = 1.0001;

/// Largest magnitude of every [`BLOCK_FRAMES`] samples.
pub(super) fn highest_of_blocks(samples: &[f32]) -> Vec<f32> {
    let of = |block: &[f32; BLOCK_FRAMES]| {
        let fours = block.as_chunks::<LANES>().0;
        let highest = fours
            .iter()
            .fold([0.0; LANES], |highest, four| std::array::from_fn(|lane| larger(four[lane].abs(), highest[lane])));
        highest.into_iter().fold(0.0, larger)
    };
    samples.as_chunks::<BLOCK_FRAMES>().0.iter().map(of).collect()
}
