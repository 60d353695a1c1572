//! Fourier transforms of real signals, several at once, with the same bits on every processor.
//!
//! `realfft` plans with the vector instructions of the processor it runs on as soon as any crate of a program enables
//! them in rustfft. Those planners handle only `f32` and `f64`. Our own number types, [`Quad`] and [`Pair`], always get
//! the scalar algorithms, which then transform four or two signals at once.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use realfft::{ComplexToReal, FftNum, RealFftPlanner, RealToComplex};

pub use realfft::num_complex::Complex;

use crate::lanes::{Pair, Quad};

/// Transforms signals of one length to `length / 2 + 1` bins each, and back: one signal per lane of `T`.
#[derive(Clone)]
pub struct RealFft<T: FftNum> {
    forward: Arc<dyn RealToComplex<T>>,
    inverse: Arc<dyn ComplexToReal<T>>,
    scratch: Vec<Complex<T>>,
}

/// Planners for both number types. They cache their plans: planning a transform of 131,072 samples takes longer than
/// running it.
static QUADS: LazyLock<Mutex<RealFftPlanner<Quad>>> = LazyLock::new(|| Mutex::new(RealFftPlanner::new()));
static PAIRS: LazyLock<Mutex<RealFftPlanner<Pair>>> = LazyLock::new(|| Mutex::new(RealFftPlanner::new()));

// These constructors are not generic, so that all of rustfft is compiled once for each number type, and not in every
// crate that uses it.
impl RealFft<Quad> {
    /// Creates a transform of signals of `length` samples.
    ///
    /// # Panics
    /// If `length` is odd or 0.
    pub fn new(length: usize) -> Self {
        Self::planned(&QUADS, length)
    }
}

impl RealFft<Pair> {
    /// Creates a transform of signals of `length` samples.
    ///
    /// # Panics
    /// If `length` is odd or 0.
    pub fn new(length: usize) -> Self {
        Self::planned(&PAIRS, length)
    }
}

impl<T: FftNum> RealFft<T> {
    fn planned(planner: &Mutex<RealFftPlanner<T>>, length: usize) -> Self {
        assert!(length > 0 && length.is_multiple_of(2), "length {length} is not even");
        let mut planner = planner.lock().unwrap_or_else(PoisonError::into_inner);
        let (forward, inverse) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
        drop(planner);
        let scratch = vec![zero(); forward.get_scratch_len().max(inverse.get_scratch_len())];
        Self { forward, inverse, scratch }
    }

    /// Number of samples of a signal.
    pub fn length(&self) -> usize {
        self.forward.len()
    }

    /// Number of bins of a transform: `length / 2 + 1`, from 0 Hz to half the sample rate.
    pub fn bins(&self) -> usize {
        self.forward.complex_len()
    }

    /// Silence, one signal per lane.
    pub fn silence(&self) -> Vec<T> {
        vec![T::zero(); self.length()]
    }

    /// The spectra of silence.
    pub fn empty_spectrum(&self) -> Vec<Complex<T>> {
        vec![zero(); self.bins()]
    }

    /// Computes X\[k\] = Σ x\[n\] e^(−2πikn/length). The contents of `time` are undefined afterwards.
    ///
    /// # Panics
    /// If `time` or `spectrum` has another length than planned.
    pub fn forward(&mut self, time: &mut [T], spectrum: &mut [Complex<T>]) {
        let done = self.forward.process_with_scratch(time, spectrum, &mut self.scratch);
        done.expect("lengths of signal and spectrum");
    }

    /// Computes `length` times the signals whose transforms are `spectrum`; imaginary parts of the first and last bin
    /// are ignored. The contents of `spectrum` are undefined afterwards.
    ///
    /// # Panics
    /// If `spectrum` or `time` has another length than planned.
    pub fn inverse(&mut self, spectrum: &mut [Complex<T>], time: &mut [T]) {
        if let [first, .., last] = spectrum {
            (first.im, last.im) = (T::zero(), T::zero());
        }
        let done = self.inverse.process_with_scratch(spectrum, time, &mut self.scratch);
        done.expect("lengths of spectrum and signal");
    }
}

fn zero<T: FftNum>() -> Complex<T> {
    Complex::new(T::zero(), T::zero())
}

/// Returns the transform of one signal, `signal.len() / 2 + 1` bins.
///
/// # Panics
/// If the signal's length is odd or 0.
pub fn spectrum_of(signal: &[f64]) -> Vec<Complex<f64>> {
    let mut fft = RealFft::<Pair>::new(signal.len());
    let mut time: Vec<_> = signal.iter().map(|x| Pair::new([*x, 0.0])).collect();
    let mut spectrum = fft.empty_spectrum();
    fft.forward(&mut time, &mut spectrum);
    spectrum.iter().map(|bin| Complex::new(bin.re.lanes()[0], bin.im.lanes()[0])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn transform_is_the_sum_that_defines_it() {
        let time: Vec<f64> = (0..24).map(|n| libm::sin(n as f64 * n as f64)).collect();
        for (k, bin) in spectrum_of(&time).iter().enumerate() {
            let sum: Complex<f64> = time
                .iter()
                .enumerate()
                .map(|(n, x)| Complex::from_polar(*x, -std::f64::consts::TAU * (k * n) as f64 / 24.0))
                .sum();
            assert!((bin - sum).norm() < 1e-12, "bin {k}: {bin} instead of {sum}");
        }
    }

    #[test]
    fn inverse_gives_the_signals_back() {
        let signals: Vec<Quad> =
            (0..4096).map(|n| Quad::new([0.37, 0.5, 2.0, 3.1].map(|turn| (n as f32 * turn).sin()))).collect();
        let mut fft = RealFft::<Quad>::new(4096);
        let (mut time, mut spectrum) = (signals.clone(), fft.empty_spectrum());
        fft.forward(&mut time, &mut spectrum);
        fft.inverse(&mut spectrum, &mut time);
        for (signal, back) in signals.iter().zip(&time) {
            assert!(signal.lanes().iter().zip(back.lanes()).all(|(a, b)| (a - b / 4096.0).abs() < 1e-6));
        }
    }

    #[test]
    fn a_signal_has_the_same_bits_in_any_lane_beside_any_other() {
        // Lengths like those in use: a power of two, and three times a power of two.
        for length in [1 << 10, 3 << 10] {
            let mut random = Random::new(length as u64);
            let [a, b]: [Vec<f64>; 2] = [(); 2].map(|()| (0..length).map(|_| random.bipolar()).collect());
            let mut fft = RealFft::<Pair>::new(length);
            let mut spectra = |first: &[f64], second: &[f64]| {
                let mut time: Vec<_> = first.iter().zip(second).map(|(x, y)| Pair::new([*x, *y])).collect();
                let mut spectrum = fft.empty_spectrum();
                fft.forward(&mut time, &mut spectrum);
                [0, 1].map(|lane| {
                    let bits = |bin: &Complex<Pair>| [bin.re.lanes()[lane].to_bits(), bin.im.lanes()[lane].to_bits()];
                    spectrum.iter().map(bits).collect::<Vec<_>>()
                })
            };
            let [a_beside_b, b_beside_a] = spectra(&a, &b);
            assert_eq!(spectra(&b, &a), [b_beside_a, a_beside_b.clone()]);
            let bits = |bin: &Complex<f64>| [bin.re.to_bits(), bin.im.to_bits()];
            assert_eq!(spectrum_of(&a).iter().map(bits).collect::<Vec<_>>(), a_beside_b);
        }
    }
}
