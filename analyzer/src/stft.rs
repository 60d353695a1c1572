//! Short-time Fourier transform of mid and side, in single precision.

use std::f64::consts::TAU;

use crate::fft::{Complex, RealFft};
use crate::lanes::Quad;
use crate::stream::{Frame, mid_side};

/// Frames per transform: about a third of a second, a power of two (16384 at 44.1 and 48 kHz).
pub fn window_frames(sample_rate_hz: u32) -> usize {
    let scale = f64::from(sample_rate_hz) / 48_000.0;
    let octaves = libm::round(libm::log2(scale)).clamp(-2.0, 3.0);
    (16_384.0 * libm::exp2(octaves)) as usize
}

/// Short-time Fourier transform with Hann windows that overlap by half. A full-scale sine reads ½ when its bins are
/// summed.
pub struct Stft {
    fft: RealFft<Quad>,
    window: Vec<f32>,
    /// Factor that makes the one-sided bin powers of a whole window sum to the mean power of the sound.
    scale: f64,
    /// Number of windows that are transformed at once, one or two.
    windows_at_once: usize,
    /// Mid and side of the frames that these windows span.
    history: Vec<[f32; 2]>,
    filled: usize,
    /// Number of windows that were transformed or skipped.
    windows_done: usize,
    /// Mid and side of both windows.
    input: Vec<Quad>,
    bins: Vec<Complex<Quad>>,
    powers: [Vec<f32>; 4],
}

impl Stft {
    /// Creates a transform at the start of a stream, for callers that want every window.
    pub fn new(sample_rate_hz: u32) -> Self {
        Self::complete(window_frames(sample_rate_hz))
    }

    /// Creates the same with windows of `size` frames, an even number.
    pub fn complete(size: usize) -> Self {
        Self::of_size(size, 2)
    }

    /// Creates the same for callers that skip some windows.
    pub fn selective(size: usize) -> Self {
        Self::of_size(size, 1)
    }

    fn of_size(size: usize, windows_at_once: usize) -> Self {
        let fft = RealFft::<Quad>::new(size);
        let (window, scale) = hann(size);
        Self {
            window,
            scale,
            windows_at_once,
            history: vec![[0.0; 2]; size / 2 * (windows_at_once + 1)],
            filled: 0,
            windows_done: 0,
            input: fft.silence(),
            bins: fft.empty_spectrum(),
            powers: std::array::from_fn(|_| vec![0.0; fft.bins()]),
            fft,
        }
    }

    /// Number of bins, from 0 Hz to Nyquist.
    pub fn bins(&self) -> usize {
        self.bins.len()
    }

    /// Takes the next frames and calls `each` with the bin powers of mid and side of every full window, in order. The
    /// last windows may be delivered only by [`finish`](Self::finish).
    pub fn push(&mut self, frames: &[Frame], each: impl FnMut([&[f32]; 2])) {
        self.push_where(frames, |_| true, each);
    }

    /// The same, only for the windows whose number is wanted. With [`selective`](Self::selective), each window is asked
    /// for individually.
    pub fn push_where(
        &mut self,
        mut frames: &[Frame],
        is_wanted: impl Fn(usize) -> bool,
        mut each: impl FnMut([&[f32]; 2]),
    ) {
        let hop = self.window.len() / 2;
        while !frames.is_empty() {
            let (head, tail) = frames.split_at(frames.len().min(self.history.len() - self.filled));
            for (halves, &frame) in self.history[self.filled..].iter_mut().zip(head) {
                *halves = mid_side(frame);
            }
            self.filled += head.len();
            if self.filled == self.history.len() {
                if is_wanted(self.windows_done) {
                    self.transform(self.windows_at_once, &mut each);
                }
                self.windows_done += self.windows_at_once;
                self.history.copy_within(self.windows_at_once * hop.., 0);
                self.filled = hop;
            }
            frames = tail;
        }
    }

    /// Ends the stream. A stream shorter than one window is measured under a window of its own length.
    pub fn finish(mut self, mut each: impl FnMut([&[f32]; 2])) {
        let size = self.window.len();
        if self.filled >= size {
            return self.transform(1, &mut each);
        }
        if self.windows_done > 0 || self.filled == 0 {
            return;
        }
        let (window, scale) = hann(self.filled);
        self.window.fill(0.0);
        self.window[..window.len()].copy_from_slice(&window);
        self.scale = scale * self.filled as f64 / size as f64;
        self.transform(1, &mut each);
    }

    /// Measures `windows` windows from the start of the history.
    fn transform(&mut self, windows: usize, each: &mut impl FnMut([&[f32]; 2])) {
        let (size, scale) = (self.window.len(), self.scale as f32);
        let first = &self.history[..size];
        let second = &self.history[if windows == 2 { size / 2 } else { 0 }..][..size];
        for (((x, a), b), &w) in self.input.iter_mut().zip(first).zip(second).zip(&self.window) {
            *x = Quad::new([a[0] * w, a[1] * w, b[0] * w, b[1] * w]);
        }
        self.fft.forward(&mut self.input, &mut self.bins);
        for (bin, Complex { re, im }) in self.bins.iter().enumerate() {
            let power = (*re * *re + *im * *im) * Quad::splat(scale);
            self.powers.iter_mut().zip(power.lanes()).for_each(|(powers, power)| powers[bin] = power);
        }
        // The first and the last bin have no mirror image.
        for powers in &mut self.powers {
            for edge in [0, size / 2] {
                powers[edge] *= 0.5;
            }
        }
        for [mid, side] in &self.powers.as_chunks::<2>().0[..windows] {
            each([mid, side]);
        }
    }
}

/// A Hann window and the factor from |X|² to one-sided power.
fn hann(size: usize) -> (Vec<f32>, f64) {
    let window: Vec<f32> =
        (0..size).map(|n| (0.5 - 0.5 * libm::cos(TAU * (n as f64 + 0.5) / size as f64)) as f32).collect();
    let energy: f64 = window.iter().map(|&w| f64::from(w) * f64::from(w)).sum();
    (window, 2.0 / (size as f64 * energy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::db_from_power;

    #[test]
    fn full_scale_sine_reads_half_its_square_in_mid() {
        for rate in [8000, 44_100, 192_000] {
            let tone: Vec<Frame> =
                (0..rate).map(|n| [libm::sin(TAU * 997.0 * f64::from(n) / f64::from(rate)) as f32; 2]).collect();
            let mut stft = Stft::new(rate);
            let mut levels = Vec::new();
            stft.push(&tone, |[mid, side]| {
                levels.push(db_from_power(mid.iter().map(|&p| f64::from(p)).sum()));
                assert!(side.iter().all(|&p| p == 0.0));
            });
            let whole = levels.len();
            stft.finish(|[mid, _]| levels.push(db_from_power(mid.iter().map(|&p| f64::from(p)).sum())));
            assert!(levels.len() - whole < 2, "at most one window waits for another");
            assert!(!levels.is_empty());
            assert!(levels.iter().all(|level| (level + 3.0103).abs() < 0.01), "{levels:?} at {rate}");
        }
    }

    #[test]
    fn sound_shorter_than_a_window_still_reads_its_level() {
        let tone: Vec<Frame> = (0..3000).map(|n| [libm::sin(0.2 * f64::from(n)) as f32; 2]).collect();
        let mut stft = Stft::new(44_100);
        stft.push(&tone, |_| unreachable!("shorter than a window"));
        let mut levels = Vec::new();
        stft.finish(|[mid, _]| levels.push(db_from_power(mid.iter().map(|&p| f64::from(p)).sum())));
        assert_eq!(levels.len(), 1);
        assert!((levels[0] + 3.0103).abs() < 0.05, "{levels:?}");
    }
}
