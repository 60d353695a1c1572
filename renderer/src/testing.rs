//! Signals and measurements that the tests of several stages share.

use std::f64::consts::TAU;

use analyzer::fft::{Complex, spectrum_of};
use analyzer::stream::Frame;
use analyzer::units::{db_from_gain, db_from_power};

/// Sample rate of the tests, Hz.
pub const RATE: u32 = 48_000;

/// Mean power of both channels, dBFS.
pub fn power_db(frames: &[Frame]) -> f64 {
    let sum: f64 = frames.as_flattened().iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    db_from_power(sum / (2 * frames.len()) as f64)
}

/// The sum of streams of one length.
pub fn mixed(parts: &[&[Frame]]) -> Vec<Frame> {
    (0..parts[0].len()).map(|n| parts.iter().fold([0.0; 2], |s, p| [s[0] + p[n][0], s[1] + p[n][1]])).collect()
}

/// A drum of 55 Hz that beats twice a second and dies away by 63 % in 150 ms.
pub fn kick(peak: f64, frames: usize) -> Vec<Frame> {
    let turn = 55.0 * TAU / f64::from(RATE);
    (0..frames)
        .map(|n| {
            let t = (n % 24_000) as f64;
            [(peak * (t / 240.0).min(1.0) * libm::exp(-t / 7200.0) * libm::sin(turn * t)) as f32; 2]
        })
        .collect()
}

/// Fourier transform of a response at one frequency.
pub fn transform(response: impl Iterator<Item = f64>, hz: f64, sample_rate_hz: u32) -> Complex<f64> {
    response.enumerate().fold(Complex::default(), |sum, (n, h)| {
        let (s, c) = libm::sincos(TAU * hz * n as f64 / f64::from(sample_rate_hz));
        sum + Complex::new(h * c, -h * s)
    })
}

/// Range of the level of a tone at `hz` over windows of 20 ms, dB. The Hann windows suppress sound more than 100 Hz
/// away.
pub fn swing_db(frames: &[Frame], hz: f64) -> f64 {
    let (mut low, mut high) = (f64::MAX, f64::MIN);
    for part in frames.chunks_exact(960) {
        let hann = |n: usize| 0.5 - 0.5 * libm::cos(TAU * n as f64 / 960.0);
        let windowed = part.iter().enumerate().map(|(n, f)| f64::from(f[0]) * hann(n));
        let level_db = db_from_gain(transform(windowed, hz, RATE).norm());
        (low, high) = (low.min(level_db), high.max(level_db));
    }
    high - low
}

/// Power further than 200 Hz from every tone, relative to the total power, dB, over the last 65536 frames.
pub fn stray_db(frames: &[Frame], tones_hz: &[f64]) -> f64 {
    let size = 65_536;
    let last = &frames[frames.len() - size..];
    // Blackman-Harris (Harris, "On the use of windows", 1978): side lobes of −92 dB.
    let window = |n: usize| {
        let turn = TAU * n as f64 / size as f64;
        0.358_75 - 0.488_29 * libm::cos(turn) + 0.141_28 * libm::cos(2.0 * turn) - 0.011_68 * libm::cos(3.0 * turn)
    };
    let time: Vec<f64> = last.iter().enumerate().map(|(n, f)| f64::from(f[0]) * window(n)).collect();
    let bins = spectrum_of(&time);
    let (mut all, mut stray) = (0.0, 0.0);
    for (bin, x) in bins.iter().enumerate() {
        let hz = bin as f64 * f64::from(RATE) / size as f64;
        all += x.norm_sqr();
        stray += if tones_hz.iter().all(|tone| (hz - tone).abs() > 200.0) { x.norm_sqr() } else { 0.0 };
    }
    10.0 * libm::log10(stray / all)
}
