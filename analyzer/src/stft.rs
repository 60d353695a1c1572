//! Short-time Fourier transform of mid and side, in single precision and without run-time CPU dispatch.

use std::f64::consts::TAU;

use crate::fft::{Complex, RealFft};
use crate::stream::{Frame, mid_side};

/// Frames per transform: about a third of a second, a power of two (16384 at 44.1 and 48 kHz).
pub fn window_frames(sample_rate_hz: u32) -> usize {
    let scale = f64::from(sample_rate_hz) / 48_000.0;
    let octaves = libm::round(libm::log2(scale)).clamp(-2.0, 3.0);
    (16_384.0 * libm::exp2(octaves)) as usize
}

/// Hann windows, each half over the one before. A full-scale sine reads ½ when its bins are summed.
pub struct Stft {
    fft: RealFft<f32>,
    window: Vec<f32>,
    /// Makes one-sided bin powers of a whole window sum to the mean power of the sound.
    scale: f64,
    history: [Vec<f32>; 2],
    filled: usize,
    windows_done: usize,
    input: Vec<f32>,
    bins: Vec<Complex<f32>>,
    powers: [Vec<f32>; 2],
}

impl Stft {
    /// At the start of a stream.
    pub fn new(sample_rate_hz: u32) -> Self {
        Self::of_size(window_frames(sample_rate_hz))
    }

    /// The same with windows of `size` frames, an even number.
    pub fn of_size(size: usize) -> Self {
        let fft = RealFft::new(size);
        let bins = vec![Complex::default(); fft.bins()];
        let (window, scale) = hann(size);
        Self {
            window,
            scale,
            history: [vec![0.0; size], vec![0.0; size]],
            filled: 0,
            windows_done: 0,
            input: vec![0.0; size],
            powers: [vec![0.0; bins.len()], vec![0.0; bins.len()]],
            bins,
            fft,
        }
    }

    /// Number of bins, from 0 Hz to Nyquist.
    pub fn bins(&self) -> usize {
        self.bins.len()
    }

    /// Takes frames; calls `each` with the bin powers of mid and side for every window that is full.
    pub fn push(&mut self, frames: &[Frame], each: impl FnMut([&[f32]; 2])) {
        self.push_where(frames, 0, |_| true, each);
    }

    /// The same for those windows alone whose number is wanted; the next window is number `next`. Gives the number of the
    /// window after these frames.
    pub fn push_where(
        &mut self,
        mut frames: &[Frame],
        mut next: usize,
        is_wanted: impl Fn(usize) -> bool,
        mut each: impl FnMut([&[f32]; 2]),
    ) -> usize {
        let size = self.window.len();
        while !frames.is_empty() {
            let (head, tail) = frames.split_at(frames.len().min(size - self.filled));
            let [mid, side] = &mut self.history;
            let places = mid[self.filled..].iter_mut().zip(&mut side[self.filled..]);
            for ((m, s), &frame) in places.zip(head) {
                [*m, *s] = mid_side(frame);
            }
            self.filled += head.len();
            if self.filled == size {
                self.windows_done += 1;
                if is_wanted(next) {
                    self.transform();
                    each([&self.powers[0], &self.powers[1]]);
                }
                next += 1;
                self.history.iter_mut().for_each(|half| half.copy_within(size / 2.., 0));
                self.filled = size / 2;
            }
            frames = tail;
        }
        next
    }

    /// Ends the stream. What is shorter than one window is measured under a window of its own length.
    pub fn finish(mut self, mut each: impl FnMut([&[f32]; 2])) {
        if self.windows_done > 0 || self.filled == 0 {
            return;
        }
        let (window, scale) = hann(self.filled);
        self.window.fill(0.0);
        self.window[..window.len()].copy_from_slice(&window);
        self.scale = scale * self.filled as f64 / self.window.len() as f64;
        self.transform();
        each([&self.powers[0], &self.powers[1]]);
    }

    fn transform(&mut self) {
        let scale = self.scale as f32;
        for (channel, powers) in self.history.iter().zip(&mut self.powers) {
            for ((x, &h), &w) in self.input.iter_mut().zip(channel).zip(&self.window) {
                *x = h * w;
            }
            self.fft.forward(&self.input, &mut self.bins);
            for (power, bin) in powers.iter_mut().zip(&self.bins) {
                *power = bin.norm_sqr() * scale;
            }
            // Nothing mirrors the first and the last bin.
            for edge in [0, powers.len() - 1] {
                powers[edge] *= 0.5;
            }
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
