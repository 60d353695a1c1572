//! A true-peak meter that has nothing in common with the program's: instead of using a windowed sinc, it takes the
//! Fourier transform of long passages and its inverse at sixteen points per sample, which is the band-limited signal
//! itself.

use std::f64::consts::PI;

use analyzer::fft::{Complex, RealFft};
use analyzer::lanes::Pair;
use analyzer::stream::Frame;

/// Points per sample.
const POINTS: usize = 16;
/// Frames of a passage. Its outer quarters are faded in and out, its middle is measured.
const PASSAGE: usize = 1 << 14;
const EDGE: usize = PASSAGE / 4;

/// The largest magnitude of either channel at and between the samples.
pub fn true_peak(frames: &[Frame]) -> f64 {
    let (mut short, mut long) = (RealFft::<Pair>::new(PASSAGE), RealFft::<Pair>::new(POINTS * PASSAGE));
    let (mut time, mut spectrum) = (short.silence(), short.empty_spectrum());
    let (mut fine_time, mut fine_spectrum) = (long.silence(), long.empty_spectrum());
    let fade = |n: usize| {
        let from_end = n.min(PASSAGE - 1 - n) as f64;
        0.5 - 0.5 * (PI * (from_end / EDGE as f64).min(1.0)).cos()
    };
    let mut highest = 0.0f64;
    for start in (0..frames.len()).step_by(PASSAGE - 2 * EDGE) {
        for (n, x) in time.iter_mut().enumerate() {
            let frame = (start + n).checked_sub(EDGE).and_then(|at| frames.get(at)).unwrap_or(&[0.0; 2]);
            *x = Pair::new(frame.map(|x| f64::from(x) * fade(n)));
        }
        short.forward(&mut time, &mut spectrum);
        fine_spectrum.fill(Complex::new(Pair::splat(0.0), Pair::splat(0.0)));
        fine_spectrum[..spectrum.len()].copy_from_slice(&spectrum);
        long.inverse(&mut fine_spectrum, &mut fine_time);
        let middle = &fine_time[POINTS * EDGE..POINTS * (PASSAGE - EDGE)];
        highest =
            middle.iter().flat_map(|x| x.lanes()).fold(highest, |highest, x| highest.max(x.abs() / PASSAGE as f64));
    }
    highest
}
