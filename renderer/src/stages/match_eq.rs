//! Equalises mid and side by two curves, each as an FIR filter of minimum or of linear phase.
//!
//! The filter is computed from the curve alone: the logarithm of the magnitude determines the minimum phase through the
//! real cepstrum (Oppenheim & Schafer, "Discrete-Time Signal Processing", 3rd ed., section 13.5). Without phase, the
//! magnitude gives a symmetric response, and mid and side stay in time at every frequency. Convolution is by
//! overlap-save in double precision.

use analyzer::fft::{Complex, RealFft};
use analyzer::lanes::Pair;
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};
use analyzer::stream::{Frame, left_right, mid_side};
use serde::{Deserialize, Serialize};

use crate::params::{Curve, Param, Params};
use crate::stage::Stage;

/// Range of a band's gain, whatever it is decided by.
const GAIN: Param = Param::linear(-24.0, 24.0, 0.0, 0.01);
const LIMIT_HZ: Param = Param::linear(1000.0, 24_000.0, 24_000.0, 1.0);

/// Frequency below which the curve is tapered to nothing within an octave.
const TAPER_BELOW_HZ: f64 = 30.0;
/// Width of the taper above `limit_hz`, octaves.
const TAPER_ABOVE_OCTAVES: f64 = 1.0 / 3.0;

/// Phase response of the equaliser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The phase of an analogue equaliser: there is no pre-ringing.
    #[default]
    Minimum,
    /// Linear phase: sharp features of the curve ring before the sound as well as after it.
    Linear,
}

/// Two curves in quarter octaves from 20 Hz.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatchEqParams {
    /// Gain of half the sum of left and right.
    pub mid_db: Curve,
    /// Gain of half the difference.
    pub side_db: Curve,
    /// Frequency above which the curves are tapered to 0 dB, Hz: there is nothing to equalise beyond a codec's cutoff.
    pub limit_hz: f64,
    /// Phase response of both curves.
    pub phase: Phase,
}

impl Default for MatchEqParams {
    fn default() -> Self {
        Self { mid_db: Curve::FLAT, side_db: Curve::FLAT, limit_hz: LIMIT_HZ.default, phase: Phase::Minimum }
    }
}

impl Params for MatchEqParams {
    fn visit(&mut self, path: &str, visitor: &mut dyn FnMut(&str, &Param, &mut f64)) {
        let Self { mid_db, side_db, limit_hz, phase: _ } = self;
        for (name, curve) in [("mid_db", mid_db), ("side_db", side_db)] {
            for (band, value) in curve.0.iter_mut().enumerate() {
                visitor(&format!("{path}.{name}.{band}"), &GAIN, value);
            }
        }
        visitor(&format!("{path}.limit_hz"), &LIMIT_HZ, limit_hz);
    }
}

impl MatchEqParams {
    /// Returns true if nothing is changed.
    pub fn is_neutral(&self) -> bool {
        self.mid_db.is_flat() && self.side_db.is_flat()
    }

    /// Returns the gain of `curve` at `hz` in dB, tapers included.
    pub fn gain_db_at(&self, curve: &Curve, hz: f64) -> f64 {
        self.place_of(hz).map_or(0.0, |place| place.gain_db(curve))
    }

    /// Returns the position of `hz` on the curves; `None` at 0 Hz.
    fn place_of(&self, hz: f64) -> Option<Place> {
        (hz > 0.0).then(|| Place {
            position: (4.0 * libm::log2(hz / band_centre_hz(0))).clamp(0.0, LAST_BAND as f64),
            low: (libm::log2(hz / TAPER_BELOW_HZ) + 1.0).clamp(0.0, 1.0),
            high: (1.0 - libm::log2(hz / self.limit_hz) / TAPER_ABOVE_OCTAVES).clamp(0.0, 1.0),
        })
    }
}

const LAST_BAND: usize = SPECTRUM_BANDS - 1;

/// A frequency on the curves.
struct Place {
    /// Position in bands from the centre of the first band.
    position: f64,
    /// Factors of the tapers.
    low: f64,
    high: f64,
}

impl Place {
    fn gain_db(&self, curve: &Curve) -> f64 {
        interpolated(&curve.0, self.position) * self.low * self.high
    }
}

/// Returns the curve at `position`, constant beyond the outer bands: cubics over the logarithm of frequency that never
/// leave the range between two neighbours (Fritsch & Butland, "A method for constructing local monotone piecewise cubic
/// interpolants", SIAM J. Sci. Stat. Comput. 5(2), 1984).
fn interpolated(curve: &[f64; SPECTRUM_BANDS], position: f64) -> f64 {
    let band = (position as usize).min(LAST_BAND - 1);
    let t = position - band as f64;
    let rise = |from: usize| curve.get(from + 1).map_or(0.0, |end| end - curve[from]);
    let slope = |before: f64, after: f64| {
        if before * after > 0.0 { 2.0 * before * after / (before + after) } else { 0.0 }
    };
    let here = rise(band);
    let [start, end] = [slope(band.checked_sub(1).map_or(0.0, rise), here), slope(here, rise(band + 1))];
    curve[band] + t * (start + t * (3.0 * here - 2.0 * start - end + t * (start + end - 2.0 * here)))
}

/// Taps at 44.1 and 48 kHz: long enough for a rough curve to hold within 0.5 dB at 25 Hz.
const TAPS: usize = 32_768;

/// Returns impulse responses of `taps` frames for mid and side; with linear phase they are centred on frame `taps / 2`.
/// `fft` is three times as long.
fn impulse_responses(params: &MatchEqParams, fft: &mut RealFft<Pair>, sample_rate_hz: u32) -> Vec<Pair> {
    let size = fft.length();
    let taps = size / 3;
    let bin_hz = f64::from(sample_rate_hz) / size as f64;
    let curves = [&params.mid_db, &params.side_db];
    let nepers = |bin: usize| {
        let place = params.place_of(bin as f64 * bin_hz);
        Pair::new(curves.map(|curve| place.as_ref().map_or(0.0, |place| place.gain_db(curve)) * NEPERS_PER_DB))
    };
    let mut spectrum: Vec<_> = (0..fft.bins()).map(|bin| Complex::new(nepers(bin), Pair::splat(0.0))).collect();
    let mut response = fft.silence();
    match params.phase {
        Phase::Minimum => turn_to_minimum_phase(fft, &mut spectrum, &mut response),
        Phase::Linear => spectrum.iter_mut().for_each(|bin| bin.re = Pair::new(bin.re.lanes().map(libm::exp))),
    }
    fft.inverse(&mut spectrum, &mut response);
    let (centre, reach) = match params.phase {
        Phase::Minimum => (0, taps),
        Phase::Linear => (taps / 2, taps / 2),
    };
    response.rotate_right(centre);
    response.truncate(taps);
    let fade_from = reach * 3 / 4;
    for (n, h) in response.iter_mut().enumerate() {
        let t = n.abs_diff(centre).saturating_sub(fade_from) as f64 / (reach - fade_from) as f64;
        *h = *h * Pair::splat((0.5 + 0.5 * libm::cos(std::f64::consts::PI * t)) / size as f64);
    }
    response
}

/// Logarithm of the gain of 1 dB.
const NEPERS_PER_DB: f64 = std::f64::consts::LN_10 / 20.0;

/// Gives minimum phase to spectra that hold the logarithms of their magnitudes. `cepstrum` is scratch space.
fn turn_to_minimum_phase(fft: &mut RealFft<Pair>, spectrum: &mut [Complex<Pair>], cepstrum: &mut [Pair]) {
    let size = cepstrum.len();
    fft.inverse(spectrum, cepstrum);
    // The part before time 0 is folded onto the part after it.
    let scale = |c: &mut Pair, factor: f64| *c = *c * Pair::splat(factor / size as f64);
    cepstrum[1..size / 2].iter_mut().for_each(|c| scale(c, 2.0));
    [0, size / 2].into_iter().for_each(|n| scale(&mut cepstrum[n], 1.0));
    cepstrum[size / 2 + 1..].fill(Pair::splat(0.0));
    fft.forward(cepstrum, spectrum);
    for Complex { re, im } in spectrum {
        let (magnitude, turn) = (re.lanes().map(libm::exp), im.lanes().map(libm::sincos));
        *re = Pair::new(std::array::from_fn(|half| magnitude[half] * turn[half].1));
        *im = Pair::new(std::array::from_fn(|half| magnitude[half] * turn[half].0));
    }
}

/// See [`MatchEqParams`].
pub struct MatchEq {
    fft: RealFft<Pair>,
    /// Spectra of the filters, scaled for the inverse transform.
    response: Vec<Complex<Pair>>,
    taps: usize,
    /// Frame on which the responses are centred.
    centre: usize,
    /// The last frames of the previous block, as many as the filters are long, followed by the block that is being
    /// filled.
    input: Vec<Pair>,
    /// Copy of the end of `input`, which the transform overwrites.
    tail: Vec<Pair>,
    spectrum: Vec<Complex<Pair>>,
    /// Output of the previous block, preceded by invalid frames.
    output: Vec<Pair>,
    filled: usize,
}

impl MatchEq {
    /// Plans the transform that songs of up to 48 kHz need. A plan takes longer than its first use, and can be made
    /// while a song is read.
    pub fn plan() {
        RealFft::<Pair>::new(3 * TAPS);
    }

    /// Creates the stage at rest; `None` if the curves are flat.
    pub fn new(params: &MatchEqParams, sample_rate_hz: u32) -> Option<Self> {
        if params.is_neutral() {
            return None;
        }
        let taps = TAPS * (sample_rate_hz as usize).div_ceil(48_000).next_power_of_two();
        let centre = match params.phase {
            Phase::Minimum => 0,
            Phase::Linear => taps / 2,
        };
        // The longer the block, the less of it overlaps: a factor of three is cheaper than two or four.
        let mut fft = RealFft::<Pair>::new(3 * taps);
        let (size, mut response) = (fft.length(), fft.empty_spectrum());
        let mut impulse = impulse_responses(params, &mut fft, sample_rate_hz);
        impulse.iter_mut().for_each(|h| *h = *h / Pair::splat(size as f64));
        impulse.resize(size, Pair::splat(0.0));
        fft.forward(&mut impulse, &mut response);
        Some(Self {
            response,
            taps,
            centre,
            input: fft.silence(),
            tail: vec![Pair::splat(0.0); taps],
            spectrum: fft.empty_spectrum(),
            output: fft.silence(),
            filled: 0,
            fft,
        })
    }

    /// Filters a block once it is complete.
    fn filter(&mut self) {
        let Self { fft, response, taps, input, tail, spectrum, output, .. } = self;
        tail.copy_from_slice(&input[input.len() - *taps..]);
        fft.forward(input, spectrum);
        for (x, h) in spectrum.iter_mut().zip(response) {
            *x = *x * *h;
        }
        fft.inverse(spectrum, output);
        input[..*taps].copy_from_slice(tail);
    }
}

impl Stage for MatchEq {
    fn process(&mut self, mut frames: &mut [Frame]) {
        while !frames.is_empty() {
            let at = self.taps + self.filled;
            let (now, later) = frames.split_at_mut(frames.len().min(self.input.len() - at));
            for ((frame, input), ready) in now.iter_mut().zip(&mut self.input[at..]).zip(&self.output[at..]) {
                *input = Pair::new(mid_side(*frame).map(f64::from));
                *frame = left_right(ready.lanes().map(|x| x as f32));
            }
            self.filled += now.len();
            if self.taps + self.filled == self.input.len() {
                self.filter();
                self.filled = 0;
            }
            frames = later;
        }
    }

    fn reset(&mut self) {
        [&mut self.input, &mut self.output].into_iter().for_each(|v| v.fill(Pair::splat(0.0)));
        self.filled = 0;
    }

    fn latency_frames(&self) -> usize {
        self.input.len() - self.taps + self.centre
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use analyzer::fft::spectrum_of;
    use analyzer::random::Random;
    use analyzer::units::db_from_gain;

    const ROUNDING_DB: f64 = 1e-9;

    /// Creates curves whose neighbouring bands are independent.
    fn rough_params(seed: u64, phase: Phase) -> MatchEqParams {
        let mut random = Random::new(seed);
        let mut curve = |bound_db: f64| Curve(std::array::from_fn(|_| bound_db * random.bipolar()));
        MatchEqParams { mid_db: curve(6.0), side_db: curve(9.0), limit_hz: 16_000.0 + 1000.0 * seed as f64, phase }
    }

    /// Spectrum of the response to an impulse in mid (left and right alike) or side, without the latency.
    fn response(params: &MatchEqParams, channel: usize, rate: u32) -> Vec<Complex<f64>> {
        let mut eq = MatchEq::new(params, rate).expect("not flat");
        let latency = eq.latency_frames();
        let size = (4 * latency).next_power_of_two();
        let mut frames = vec![[0.0; 2]; latency + size];
        frames[0] = [1.0, [1.0, -1.0][channel]];
        eq.process(&mut frames);
        // The end wraps around to the start, so that output before the latency has a place there.
        let mut time: Vec<f64> = frames[latency..].iter().map(|f| f64::from(f[0])).collect();
        for (n, frame) in frames[..latency].iter().enumerate() {
            time[size - latency + n] += f64::from(frame[0]);
        }
        spectrum_of(&time)
    }

    #[test]
    fn response_follows_rough_curves_from_25_hz_to_nearly_nyquist() {
        for (rate, seed) in [(44_100, 11), (48_000, 4), (96_000, 12), (192_000, 13)] {
            for phase in [Phase::Minimum, Phase::Linear] {
                let params = rough_params(seed, phase);
                for (channel, curve) in [&params.mid_db, &params.side_db].into_iter().enumerate() {
                    let spectrum = response(&params, channel, rate);
                    let bin_hz = f64::from(rate) / (2 * (spectrum.len() - 1)) as f64;
                    let mut bin = (25.0 / bin_hz) as usize + 1;
                    while bin < (0.45 * f64::from(rate) / bin_hz) as usize {
                        let (hz, got) = (bin as f64 * bin_hz, spectrum[bin]);
                        let wanted_db = params.gain_db_at(curve, hz);
                        let error_db = db_from_gain(got.norm()) - wanted_db;
                        assert!(error_db.abs() < 0.5, "{rate}, {phase:?}: {error_db:.2} dB at {hz:.1} Hz");
                        // Aligned with the latency, and so mid with side.
                        assert!(phase == Phase::Minimum || got.arg().abs() < 1e-4, "{rate}: {} at {hz}", got.arg());
                        bin += 1 + bin / 1000;
                    }
                }
            }
        }
    }

    #[test]
    fn gain_stays_in_the_bounds_of_its_curve_and_ends_at_the_limits() {
        for seed in 0..20 {
            let params = rough_params(seed, Phase::Minimum);
            let highest = params.side_db.0.iter().fold(0.0f64, |m, v| m.max(*v));
            let lowest = params.side_db.0.iter().fold(0.0f64, |m, v| m.min(*v));
            let at = |hz: f64| params.gain_db_at(&params.side_db, hz);
            let mut hz = 5.0;
            while hz < 40_000.0 {
                assert!((lowest - ROUNDING_DB..=highest + ROUNDING_DB).contains(&at(hz)), "{} dB at {hz} Hz", at(hz));
                hz *= 1.003;
            }
            assert_eq!([at(0.0), at(15.0), at(params.limit_hz * 1.26)], [0.0; 3]);
            assert!((0..SPECTRUM_BANDS).map(band_centre_hz).enumerate().all(|(band, hz)| {
                !(30.0..params.limit_hz).contains(&hz) || (at(hz) - params.side_db.0[band]).abs() < ROUNDING_DB
            }));
        }
    }

    #[test]
    fn impulse_comes_out_after_the_latency_and_before_it_only_with_linear_phase() {
        for phase in [Phase::Minimum, Phase::Linear] {
            let params = rough_params(1, phase);
            let mut eq = MatchEq::new(&params, 48_000).expect("not flat");
            let latency = eq.latency_frames();
            let mut frames = vec![[0.0; 2]; 2 * latency];
            frames[0] = [1.0, 0.0];
            eq.process(&mut frames);
            let loudest = (0..frames.len()).max_by(|a, b| frames[*a][0].abs().total_cmp(&frames[*b][0].abs()));
            assert_eq!(loudest, Some(latency));
            for ago in 1..latency {
                let [before, after] = [frames[latency - ago], frames[latency + ago]];
                let mirrored = if phase == Phase::Linear { after } else { [0.0; 2] };
                assert!((0..2).all(|c| (before[c] - mirrored[c]).abs() < 1e-6), "{phase:?}: {before:?} {after:?}");
            }
        }
    }
}
