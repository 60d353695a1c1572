//! Fourier transforms of real signals, the same bits on every processor of a kind.
//!
//! rustfft's usual planner picks vector instructions at run time, and another crate of a program may switch that on for all. Its scalar planner
//! always computes the same. A real signal of even length is transformed as a complex one of half the length
//! (Press et al., "Numerical Recipes", section 12.3).

use std::sync::Arc;

use rustfft::{Fft, FftNum, FftPlannerScalar};

pub use rustfft::num_complex::Complex;

/// Transforms signals of one length to `length / 2 + 1` bins and back.
#[derive(Clone)]
pub struct RealFft<T> {
    forward: Arc<dyn Fft<T>>,
    inverse: Arc<dyn Fft<T>>,
    /// e^(−2πik/length).
    twiddles: Vec<Complex<T>>,
    packed: Vec<Complex<T>>,
    scratch: Vec<Complex<T>>,
}

impl<T: FftNum> RealFft<T> {
    /// For signals of `length` samples.
    ///
    /// # Panics
    /// `length` is odd or 0.
    pub fn new(length: usize) -> Self {
        assert!(length > 0 && length.is_multiple_of(2), "length {length} is not even");
        let half = length / 2;
        let mut planner = FftPlannerScalar::new();
        let (forward, inverse) = (planner.plan_fft_forward(half), planner.plan_fft_inverse(half));
        let number = |x: f64| T::from_f64(x).unwrap_or_else(T::zero);
        let twiddle = |k: usize| {
            let angle = -2.0 * std::f64::consts::PI * k as f64 / length as f64;
            Complex::new(number(libm::cos(angle)), number(libm::sin(angle)))
        };
        let scratch = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        Self {
            forward,
            inverse,
            twiddles: (0..=half).map(twiddle).collect(),
            packed: vec![Complex::new(T::zero(), T::zero()); half],
            scratch: vec![Complex::new(T::zero(), T::zero()); scratch],
        }
    }

    /// Bins of a transform: `length / 2 + 1`, from 0 Hz to half the sample rate.
    pub fn bins(&self) -> usize {
        self.packed.len() + 1
    }

    /// X\[k\] = Σ x\[n\] e^(−2πikn/length).
    ///
    /// # Panics
    /// `time` or `spectrum` has another length than planned.
    pub fn forward(&mut self, time: &[T], spectrum: &mut [Complex<T>]) {
        let half = self.packed.len();
        assert_eq!((time.len(), spectrum.len()), (2 * half, half + 1), "lengths of signal and spectrum");
        for (z, x) in self.packed.iter_mut().zip(time.chunks_exact(2)) {
            *z = Complex::new(x[0], x[1]);
        }
        self.forward.process_with_scratch(&mut self.packed, &mut self.scratch);
        let (first, rest) = (self.packed[0], &self.packed[1..]);
        spectrum[0] = Complex::new(first.re + first.im, T::zero());
        spectrum[half] = Complex::new(first.re - first.im, T::zero());
        let share = T::one() / (T::one() + T::one());
        let pairs = rest.iter().zip(rest.iter().rev()).zip(&self.twiddles[1..half]);
        for (bin, ((z, mirrored), twiddle)) in spectrum[1..half].iter_mut().zip(pairs) {
            let (even, odd) = (z + mirrored.conj(), (z - mirrored.conj()) * twiddle);
            // The odd part is divided by i.
            *bin = Complex::new((even.re + odd.im) * share, (even.im - odd.re) * share);
        }
    }

    /// `length` times the signal whose transform is `spectrum`; imaginary parts of the first and last bin do not count.
    ///
    /// # Panics
    /// `spectrum` or `time` has another length than planned.
    pub fn inverse(&mut self, spectrum: &[Complex<T>], time: &mut [T]) {
        let half = self.packed.len();
        assert_eq!((time.len(), spectrum.len()), (2 * half, half + 1), "lengths of signal and spectrum");
        let (first, last) = (spectrum[0].re, spectrum[half].re);
        self.packed[0] = Complex::new(first + last, first - last);
        let inner = &spectrum[1..half];
        let pairs = inner.iter().zip(inner.iter().rev()).zip(&self.twiddles[1..half]);
        for (z, ((x, mirrored), twiddle)) in self.packed[1..].iter_mut().zip(pairs) {
            let mirrored = mirrored.conj();
            let (even, odd) = (x + mirrored, (x - mirrored) * twiddle.conj());
            *z = Complex::new(even.re - odd.im, even.im + odd.re);
        }
        self.inverse.process_with_scratch(&mut self.packed, &mut self.scratch);
        for (x, z) in time.chunks_exact_mut(2).zip(&self.packed) {
            (x[0], x[1]) = (z.re, z.im);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transform_is_the_sum_that_defines_it() {
        let time: Vec<f64> = (0..24).map(|n| libm::sin(n as f64 * n as f64)).collect();
        let mut fft = RealFft::new(24);
        let mut spectrum = vec![Complex::new(0.0, 0.0); fft.bins()];
        fft.forward(&time, &mut spectrum);
        for (k, bin) in spectrum.iter().enumerate() {
            let sum: Complex<f64> = time
                .iter()
                .enumerate()
                .map(|(n, x)| Complex::from_polar(*x, -std::f64::consts::TAU * (k * n) as f64 / 24.0))
                .sum();
            assert!((bin - sum).norm() < 1e-12, "bin {k}: {bin} instead of {sum}");
        }
    }

    #[test]
    fn inverse_gives_the_signal_back() {
        let time: Vec<f32> = (0..4096).map(|n| (n as f32 * 0.37).sin()).collect();
        let mut fft = RealFft::new(4096);
        let mut spectrum = vec![Complex::new(0.0, 0.0); fft.bins()];
        fft.forward(&time, &mut spectrum);
        let mut back = vec![0.0; 4096];
        fft.inverse(&spectrum, &mut back);
        assert!(time.iter().zip(&back).all(|(a, b)| (a - b / 4096.0).abs() < 1e-6));
    }
}
