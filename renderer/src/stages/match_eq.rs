//! Equalises mid and side by two curves, each as a minimum-phase FIR filter.
//!
//! The filter follows from the curve alone: the logarithm of the magnitude determines the minimum phase through the
//! real cepstrum (Oppenheim & Schafer, "Discrete-Time Signal Processing", 3rd ed., section 13.5). Convolution is by
//! overlap-save in double precision.

use analyzer::fft::{Complex, RealFft};
use analyzer::profile::{SPECTRUM_BANDS, band_centre_hz};
use analyzer::stream::{Frame, left_right, mid_side};
use analyzer::units::gain_from_db;
use serde::{Deserialize, Serialize};

use crate::params::{Curve, Param, Params};
use crate::stage::Stage;

/// No band is moved by more, whoever asks.
const GAIN: Param = Param::linear(-15.0, 15.0, 0.0, 0.01);
const LIMIT_HZ: Param = Param::linear(1000.0, 24_000.0, 24_000.0, 1.0);

/// Below this the curve is tapered to nothing within an octave.
const TAPER_BELOW_HZ: f64 = 30.0;
/// Width of the taper above `limit_hz`, octaves.
const TAPER_ABOVE_OCTAVES: f64 = 1.0 / 3.0;

/// Two curves in quarter octaves from 20 Hz.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatchEqParams {
    /// Gain of half the sum of left and right.
    pub mid_db: Curve,
    /// Gain of half the difference.
    pub side_db: Curve,
    /// Above this the curves are tapered to 0 dB: there is nothing to equalise beyond a codec's cutoff.
    pub limit_hz: f64,
}

impl Default for MatchEqParams {
    fn default() -> Self {
        Self { mid_db: Curve::FLAT, side_db: Curve::FLAT, limit_hz: LIMIT_HZ.default }
    }
}

impl Params for MatchEqParams {
    fn visit(&mut self, path: &str, visitor: &mut dyn FnMut(&str, &Param, &mut f64)) {
        let Self { mid_db, side_db, limit_hz } = self;
        for (name, curve) in [("mid_db", mid_db), ("side_db", side_db)] {
            for (band, value) in curve.0.iter_mut().enumerate() {
                visitor(&format!("{path}.{name}.{band}"), &GAIN, value);
            }
        }
        visitor(&format!("{path}.limit_hz"), &LIMIT_HZ, limit_hz);
    }
}

impl MatchEqParams {
    /// Nothing is changed.
    pub fn is_neutral(&self) -> bool {
        self.mid_db.is_flat() && self.side_db.is_flat()
    }

    /// Gain in dB of `curve` at `hz`, tapers included.
    pub fn gain_db_at(&self, curve: &Curve, hz: f64) -> f64 {
        if hz <= 0.0 {
            return 0.0;
        }
        let low = (libm::log2(hz / TAPER_BELOW_HZ) + 1.0).clamp(0.0, 1.0);
        let high = (1.0 - libm::log2(hz / self.limit_hz) / TAPER_ABOVE_OCTAVES).clamp(0.0, 1.0);
        interpolated(&curve.0, hz) * low * high
    }
}

/// The curve at `hz` by a Catmull-Rom spline over the logarithm of frequency; constant beyond the outer bands.
fn interpolated(curve: &[f64; SPECTRUM_BANDS], hz: f64) -> f64 {
    let last = SPECTRUM_BANDS - 1;
    let position = (4.0 * libm::log2(hz / band_centre_hz(0))).clamp(0.0, last as f64);
    let band = (position as usize).min(last - 1);
    let t = position - band as f64;
    let at = |offset: usize| curve[(band + offset).saturating_sub(1).min(last)];
    let [a, b, c, d] = [at(0), at(1), at(2), at(3)];
    b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
}

/// Taps at 44.1 and 48 kHz: long enough for the curve to hold within 0.5 dB at 25 Hz.
const TAPS: usize = 8192;

/// Impulse response of `taps` frames with minimum phase and the given magnitude.
fn minimum_phase(taps: usize, sample_rate_hz: u32, gain_db_at: impl Fn(f64) -> f64) -> Vec<f64> {
    let size = 8 * taps;
    let mut fft = RealFft::<f64>::new(size);
    let bin_hz = f64::from(sample_rate_hz) / size as f64;
    let log_gain = |bin: usize| libm::log(gain_from_db(gain_db_at(bin as f64 * bin_hz)));
    let mut spectrum: Vec<_> = (0..=size / 2).map(|bin| Complex::new(log_gain(bin), 0.0)).collect();
    let mut cepstrum = vec![0.0; size];
    fft.inverse(&spectrum, &mut cepstrum);
    let scale = 1.0 / size as f64;
    for (n, c) in cepstrum.iter_mut().enumerate() {
        let fold = if n == 0 || n == size / 2 {
            1.0
        } else if n < size / 2 {
            2.0
        } else {
            0.0
        };
        *c *= fold * scale;
    }
    fft.forward(&cepstrum, &mut spectrum);
    for bin in &mut spectrum {
        let magnitude = libm::exp(bin.re);
        *bin = Complex::new(magnitude * libm::cos(bin.im), magnitude * libm::sin(bin.im));
    }
    let mut response = cepstrum;
    fft.inverse(&spectrum, &mut response);
    let fade_from = taps * 3 / 4;
    response.truncate(taps);
    for (n, h) in response.iter_mut().enumerate() {
        let t = n.saturating_sub(fade_from) as f64 / (taps - fade_from) as f64;
        *h *= scale * (0.5 + 0.5 * libm::cos(std::f64::consts::PI * t));
    }
    response
}

/// See [`MatchEqParams`].
pub struct MatchEq {
    fft: RealFft<f64>,
    /// Spectra of the two filters, scaled for the inverse transform.
    responses: [Vec<Complex<f64>>; 2],
    /// Mid and side, each `size` long: the last of the former block, then the present one.
    history: [Vec<f64>; 2],
    /// What the former block became.
    ready: [Vec<f64>; 2],
    taps: usize,
    filled: usize,
    time: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
}

impl MatchEq {
    /// At rest; `None` when the curves are flat.
    pub fn new(params: &MatchEqParams, sample_rate_hz: u32) -> Option<Self> {
        if params.is_neutral() {
            return None;
        }
        let taps = TAPS * (sample_rate_hz as usize).div_ceil(48_000).next_power_of_two();
        let size = 4 * taps;
        let mut fft = RealFft::<f64>::new(size);
        let mut response = |curve: &Curve| {
            let mut time = minimum_phase(taps, sample_rate_hz, |hz| params.gain_db_at(curve, hz));
            time.iter_mut().for_each(|h| *h /= size as f64);
            time.resize(size, 0.0);
            let mut spectrum = vec![Complex::default(); fft.bins()];
            fft.forward(&time, &mut spectrum);
            spectrum
        };
        let responses = [response(&params.mid_db), response(&params.side_db)];
        let hop = size - taps;
        Some(Self {
            responses,
            history: [vec![0.0; size], vec![0.0; size]],
            ready: [vec![0.0; hop], vec![0.0; hop]],
            taps,
            filled: 0,
            time: vec![0.0; size],
            spectrum: vec![Complex::default(); fft.bins()],
            fft,
        })
    }

    /// A whole block has come in: filters it.
    fn convolve(&mut self) {
        let hop = self.ready[0].len();
        for channel in 0..2 {
            self.fft.forward(&self.history[channel], &mut self.spectrum);
            for (x, h) in self.spectrum.iter_mut().zip(&self.responses[channel]) {
                *x *= h;
            }
            self.fft.inverse(&self.spectrum, &mut self.time);
            self.ready[channel].copy_from_slice(&self.time[self.taps..]);
            self.history[channel].copy_within(hop.., 0);
        }
        self.filled = 0;
    }
}

impl Stage for MatchEq {
    fn process(&mut self, mut frames: &mut [Frame]) {
        let hop = self.ready[0].len();
        while !frames.is_empty() {
            let count = frames.len().min(hop - self.filled);
            let (now, later) = frames.split_at_mut(count);
            for (n, frame) in now.iter_mut().enumerate() {
                let at = self.filled + n;
                let [mid, side] = mid_side(*frame);
                self.history[0][self.taps + at] = f64::from(mid);
                self.history[1][self.taps + at] = f64::from(side);
                *frame = left_right([self.ready[0][at] as f32, self.ready[1][at] as f32]);
            }
            self.filled += count;
            if self.filled == hop {
                self.convolve();
            }
            frames = later;
        }
    }

    fn reset(&mut self) {
        self.history.iter_mut().chain(&mut self.ready).for_each(|v| v.fill(0.0));
        self.filled = 0;
    }

    fn latency_frames(&self) -> usize {
        self.ready[0].len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use analyzer::units::db_from_gain;

    /// A curve with everything in it: shelves, bumps, steps of 3 dB between neighbours.
    fn busy_curve() -> Curve {
        Curve(std::array::from_fn(|b| 4.0 * libm::sin(b as f64 * 0.7) + if b > 30 { -3.0 } else { 1.0 }))
    }

    fn level_at(response: &[Frame], channel: usize, hz: f64, rate: u32) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, frame) in response.iter().enumerate() {
            let w = 2.0 * std::f64::consts::PI * hz * n as f64 / f64::from(rate);
            re += f64::from(frame[channel]) * w.cos();
            im -= f64::from(frame[channel]) * w.sin();
        }
        db_from_gain(re.hypot(im))
    }

    #[test]
    fn response_follows_the_curve_from_25_hz_to_nearly_nyquist() {
        for rate in [44_100u32, 48_000, 96_000, 192_000] {
            let params = MatchEqParams { mid_db: busy_curve(), ..Default::default() };
            let mut eq = MatchEq::new(&params, rate).expect("not flat");
            let mut frames = vec![[0.0; 2]; eq.latency_frames() * 2];
            frames[0] = [1.0, 1.0];
            eq.process(&mut frames);
            let top = (0.45 * f64::from(rate)).min(22_000.0);
            let mut hz = 25.0;
            while hz < top {
                let wanted = params.gain_db_at(&params.mid_db, hz);
                let got = level_at(&frames, 0, hz, rate);
                assert!((got - wanted).abs() < 0.5, "{rate}: {got:.2} instead of {wanted:.2} dB at {hz:.0} Hz");
                hz *= 1.09;
            }
        }
    }

    #[test]
    fn impulse_comes_out_after_the_latency_and_not_before() {
        let params = MatchEqParams { mid_db: busy_curve(), side_db: busy_curve(), ..Default::default() };
        let mut eq = MatchEq::new(&params, 48_000).expect("not flat");
        let mut frames = vec![[0.0; 2]; eq.latency_frames() + 100];
        frames[0] = [1.0, 0.0];
        eq.process(&mut frames);
        let before = frames[..eq.latency_frames()].iter().flatten().fold(0.0f32, |m, v| m.max(v.abs()));
        assert!(before < 1e-6, "{before}");
        let loudest = (0..frames.len()).max_by(|a, b| frames[*a][0].abs().total_cmp(&frames[*b][0].abs()));
        assert_eq!(loudest, Some(eq.latency_frames()));
    }
}
