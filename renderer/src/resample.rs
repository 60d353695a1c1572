//! Changes the sample rate by a rational factor: polyphase windowed sinc.
//!
//! Flat to 0.92 of the lower Nyquist frequency, images and aliases under −140 dB.

use std::borrow::Cow;
use std::f64::consts::PI;

use analyzer::stream::{Frame, Source};

/// Input frames that contribute to one output frame when the rate goes up: with [`BETA`], enough for a transition from
/// 0.92 to 1.
const TAPS: usize = 256;
/// Shape of the Kaiser window for a stop band at −150 dB: 0.1102 (150 − 8.7).
const BETA: f64 = 15.57;
/// Centre of the transition band, relative to the lower Nyquist frequency, at which the band ends.
const CUTOFF: f64 = 0.96;
/// Largest number of a ratio whose phases are tabulated exactly, as for usual rates (44.1 and 192 kHz: 147 to 640). The
/// phases of larger ratios are interpolated.
const MAX_TABULATED_RATIO: u64 = 640;
/// Tabulated phases per input frame for interpolation, when the rate goes up. A cubic through a sine of π/128 per step
/// has an error of at most 3/128 · (π/128)⁴: −161 dB.
const INTERPOLATED_PHASES: f64 = 128.0;
/// Products summed side by side, so that no sum waits for the one before it.
const LANES: usize = 4;

/// A source converted to another sample rate. It is neither early nor late, and `frames · to / from` frames long,
/// rounded up.
pub struct Resampled<S> {
    source: S,
    /// Output frames per `down` input frames.
    up: u64,
    down: u64,
    kernel: Kernel,
    /// Left and right input from frame `first` on, half a kernel of silence before the start.
    buffer: [Vec<f64>; 2],
    first: i64,
    next: u64,
    read: u64,
    ended: bool,
    incoming: Vec<Frame>,
}

/// Frames read from the source at a time.
const BLOCK_FRAMES: usize = 4096;

impl<S: Source> Resampled<S> {
    /// Converts `source` from `from_hz` to `to_hz`.
    pub fn new(source: S, from_hz: u32, to_hz: u32) -> Self {
        let divisor = gcd(from_hz, to_hz);
        let (up, down) = (u64::from(to_hz / divisor), u64::from(from_hz / divisor));
        let kernel = Kernel::new(up, down);
        let before = kernel.taps / 2;
        Self {
            source,
            up,
            down,
            kernel,
            buffer: [vec![0.0; before], vec![0.0; before]],
            first: -(before as i64),
            next: 0,
            read: 0,
            ended: false,
            incoming: vec![[0.0; 2]; BLOCK_FRAMES],
        }
    }

    /// Makes input up to frame `end` available; past the stream's end it is silence.
    fn fill(&mut self, end: i64) -> Result<(), S::Error> {
        while self.first + (self.buffer[0].len() as i64) < end {
            let mut count = if self.ended { 0 } else { self.source.read(&mut self.incoming)? };
            self.read += count as u64;
            if count == 0 {
                self.ended = true;
                self.incoming.fill([0.0; 2]);
                count = BLOCK_FRAMES;
            }
            for (channel, buffer) in self.buffer.iter_mut().enumerate() {
                buffer.extend(self.incoming[..count].iter().map(|frame| f64::from(frame[channel])));
            }
        }
        Ok(())
    }
}

/// Coefficients for outputs at any position between two input frames.
struct Kernel {
    taps: usize,
    /// Steps from one input frame to the next.
    steps: u64,
    /// Coefficients from one step before an input frame to one step after the next.
    rows: Vec<Vec<f64>>,
}

impl Kernel {
    /// Creates the kernel for `up` outputs per `down` input frames, at multiples of `1 / up` frames.
    fn new(up: u64, down: u64) -> Self {
        // The further the rate goes down, the longer the filter.
        let shrink = (up as f64 / down as f64).min(1.0);
        let taps = (libm::ceil(TAPS as f64 / shrink) as usize).next_multiple_of(LANES);
        let steps =
            if up.max(down) <= MAX_TABULATED_RATIO { up } else { libm::ceil(INTERPOLATED_PHASES * shrink) as u64 };
        let offset = |row: u64| (row as f64 - 1.0) / steps as f64;
        let rows = (0..steps + 3).map(|row| sinc_row(offset(row), taps, shrink * CUTOFF)).collect();
        Self { taps, steps, rows }
    }

    /// Returns the coefficients for an output `phase / up` of a frame after an input frame.
    fn row(&self, phase: u64, up: u64) -> Cow<'_, [f64]> {
        let (step, rest) = (phase * self.steps / up, phase * self.steps % up);
        let rows = &self.rows[step as usize..];
        if rest == 0 {
            return Cow::Borrowed(&rows[1]);
        }
        // Lagrange's cubic through four rows.
        let t = rest as f64 / up as f64;
        let (after, before, beyond) = (t + 1.0, t - 1.0, t - 2.0);
        let weights = [
            -t * before * beyond / 6.0,
            after * before * beyond / 2.0,
            -after * t * beyond / 2.0,
            after * t * before / 6.0,
        ];
        let weighted = |tap: usize| weights.iter().zip(rows).map(|(weight, row)| weight * row[tap]).sum();
        Cow::Owned((0..self.taps).map(weighted).collect())
    }
}

/// Coefficients for an output `offset` of a frame after an input frame; unity gain at 0 Hz.
fn sinc_row(offset: f64, taps: usize, cutoff: f64) -> Vec<f64> {
    let half = taps as f64 / 2.0;
    let value = |tap: usize| {
        let t = tap as f64 - (half - 1.0) - offset;
        let x = PI * t * cutoff;
        let sinc = if x.abs() < 1e-12 { 1.0 } else { libm::sin(x) / x };
        let edge = (t / half).clamp(-1.0, 1.0);
        sinc * analyzer::oversample::bessel_i0(BETA * libm::sqrt(1.0 - edge * edge))
    };
    let raw: Vec<f64> = (0..taps).map(value).collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|v| v / sum).collect()
}

/// Returns Σ `h[k]` · `x[k]`, with [`LANES`] partial sums.
fn dot(h: &[f64], x: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    for (h, x) in h.as_chunks::<LANES>().0.iter().zip(x.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] += h[lane] * x[lane];
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3])
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl<S: Source> Source for Resampled<S> {
    type Error = S::Error;

    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, S::Error> {
        let taps = self.kernel.taps;
        for (written, frame) in frames.iter_mut().enumerate() {
            let at = (self.next * self.down / self.up) as i64;
            let start = at - (taps as i64 / 2 - 1);
            self.fill(start + taps as i64)?;
            if self.ended && at >= self.read as i64 {
                return Ok(written);
            }
            let from = (start - self.first) as usize;
            let row = self.kernel.row(self.next * self.down % self.up, self.up);
            *frame = self.buffer.each_ref().map(|buffer| dot(&row, &buffer[from..from + taps]) as f32);
            self.next += 1;
            if from > 2 * BLOCK_FRAMES {
                self.buffer.iter_mut().for_each(|buffer| drop(buffer.drain(..from)));
                self.first = start;
            }
        }
        Ok(frames.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use analyzer::fft::spectrum_of;

    fn resampled(frames: &[Frame], from: u32, to: u32) -> Vec<Frame> {
        let mut source = Resampled::new(frames, from, to);
        let mut out = vec![[0.0; 2]; frames.len() * to as usize / from as usize + 10];
        let mut filled = 0;
        loop {
            let end = (filled + 1000).min(out.len());
            match source.read(&mut out[filled..end]).expect("memory does not fail") {
                0 => break,
                count => filled += count,
            }
        }
        out.truncate(filled);
        out
    }

    fn sine(hz: f64, rate: u32, frames: usize) -> Vec<Frame> {
        let w = 2.0 * PI * hz / f64::from(rate);
        (0..frames).map(|n| [(0.5 * (w * n as f64).sin()) as f32, 0.0]).collect()
    }

    /// Resamples a sine of `hz` and returns the power of the left channel in the tone and beside it, in dB relative to
    /// an unchanged sine.
    fn tone_and_rest_db(hz: f64, from: u32, to: u32) -> [f64; 2] {
        const SIZE: usize = 1 << 15;
        let frames = (SIZE + 4096) * from as usize / to as usize + 4096;
        let out = resampled(&sine(hz, from, frames), from, to);
        // Side lobes under −190 dB; the main lobe is nine bins to either side.
        let window = |n: usize| {
            let edge = 2.0 * (n as f64 + 0.5) / SIZE as f64 - 1.0;
            analyzer::oversample::bessel_i0(24.0 * libm::sqrt(1.0 - edge * edge))
        };
        let time: Vec<f64> = (0..SIZE).map(|n| f64::from(out[n + 2048][0]) * window(n)).collect();
        let whole = 0.5 * 0.25 * (SIZE / 2) as f64 * (0..SIZE).map(|n| window(n) * window(n)).sum::<f64>();
        let mut powers = [0.0; 2];
        for (bin, x) in spectrum_of(&time).iter().enumerate() {
            let is_beside = (bin as f64 - hz * SIZE as f64 / f64::from(to)).abs() > 12.0;
            powers[usize::from(is_beside)] += x.norm_sqr();
        }
        powers.map(|power| 10.0 * libm::log10(power / whole))
    }

    const ALIASES_DB: f64 = -140.0;

    /// Usual ratios, and two with more phases than a table could hold.
    const RATIOS: [(u32, u32); 6] =
        [(44_100, 48_000), (48_000, 44_100), (96_000, 44_100), (44_100, 96_000), (192_000, 44_101), (44_101, 191_999)];

    #[test]
    fn a_tone_stays_where_it_was_and_as_loud() {
        for (from, to, hz) in [
            (44_100, 48_000, 19_000.0),
            (96_000, 44_100, 1000.0),
            (48_000, 44_100, 20_000.0),
            (192_000, 44_101, 20_000.0),
        ] {
            let out = resampled(&sine(hz, from, 20_000), from, to);
            let wanted = sine(hz, to, out.len());
            let middle = 1000..out.len() - 1000;
            let worst = middle.map(|n| (out[n][0] - wanted[n][0]).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-7, "{from} to {to}: {worst}");
        }
    }

    #[test]
    fn images_of_a_tone_stay_under_minus_140_decibels() {
        for (from, to) in RATIOS {
            for hz in [997.3, 19_876.5] {
                let [tone_db, images_db] = tone_and_rest_db(hz, from, to);
                assert!(
                    tone_db.abs() < 1e-4 && images_db < ALIASES_DB,
                    "{hz} Hz, {from} to {to}: {tone_db}, {images_db} dB"
                );
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone() {
        for (from, to) in RATIOS.into_iter().filter(|(from, to)| to < from) {
            for of_range in [0.005, 0.05, 0.5, 0.95] {
                let (lowest, highest) = (f64::from(to) / 2.0, f64::from(from) / 2.0);
                let hz = lowest + of_range * (highest - lowest);
                let aliases_db = tone_and_rest_db(hz, from, to).into_iter().fold(f64::MIN, f64::max);
                assert!(aliases_db < ALIASES_DB, "{hz} Hz, {from} to {to}: {aliases_db} dB");
            }
        }
    }

    #[test]
    fn no_ratio_takes_more_than_two_megabytes_of_coefficients() {
        for (from, to) in
            RATIOS.into_iter().chain([(11_025, 48_000), (44_100, 192_000), (768_000, 8001), (8000, 191_999)])
        {
            let kernel = Resampled::new([].as_slice(), from, to).kernel;
            let bytes = kernel.rows.len() * kernel.taps * size_of::<f64>();
            assert!(bytes <= 2 << 20, "{from} to {to}: {bytes} bytes");
        }
    }

    #[test]
    fn length_follows_the_ratio() {
        assert_eq!(resampled(&sine(100.0, 44_100, 44_100), 44_100, 48_000).len(), 48_000);
        assert_eq!(resampled(&sine(100.0, 48_000, 1), 48_000, 44_100).len(), 1);
    }
}
