//! Dynamics per band: Linkwitz-Riley split, feed-forward compressors, sum.
//!
//! Levels are relative to the band's own mean power, so that the same parameters have the same effect on any song at
//! any gain. The gain is normalised to 0 dB at that mean, so that dynamics change and tone does not.

use std::collections::VecDeque;

use analyzer::crossover::{BANDS, Crossover};
use analyzer::stream::Frame;

use crate::envelope::{BlockGains, CONTROL_FRAMES, Compressor, ControlClock, Dynamics, GainComputer, UNITY};
use crate::params::{Param, Params, params};
use crate::stage::Stage;

params! {
    /// One band's compressor (ratio over 1) or expander (under 1).
    pub struct BandParams {
        /// Level over the band's mean from which the ratio applies, dB.
        threshold_db: Param::linear(-20.0, 12.0, 0.0, 0.1),
        /// Change of input level for one dB of change in output level above the threshold.
        ratio: Param::log(0.5, 4.0, 1.0, 0.01),
        /// Width of the soft transition around the threshold, dB.
        knee_db: Param::linear(0.0, 24.0, 6.0, 0.1),
        /// Time to cover 63 % of a change towards less gain, on top of the detector's 20 ms (low) to 2 ms (high), ms.
        attack_ms: Param::log(1.0, 200.0, 20.0, 0.1),
        /// The same towards more gain, ms.
        release_ms: Param::log(20.0, 1000.0, 200.0, 1.0),
        /// Share of the processed signal, %.
        mix_pct: Param::linear(0.0, 100.0, 100.0, 1.0),
        /// Time by which the detector is ahead of the sound, so that the gain is down when a hit starts, ms.
        look_ahead_ms: Param::linear(0.0, MAX_LOOK_AHEAD_MS, 0.0, 0.1),
        /// Makeup gain behind the compressor, dB; without effect if the ratio is 1.
        makeup_db: Param::linear(-12.0, 12.0, 0.0, 0.01),
    }
}

/// Longest look-ahead of a band, ms.
const MAX_LOOK_AHEAD_MS: f64 = 20.0;

impl BandParams {
    /// Returns the settings of the band's compressor.
    pub fn dynamics(&self) -> Dynamics {
        let Self { threshold_db, ratio, knee_db, attack_ms, release_ms, mix_pct, look_ahead_ms: _, makeup_db } = *self;
        let computer = GainComputer { threshold_db, ratio, knee_db };
        Dynamics { computer, attack_ms, release_ms, mix: mix_pct / 100.0, makeup_db }
    }

    /// Returns the look-ahead in control blocks; 0 for a band that passes unchanged.
    pub fn look_ahead_blocks(&self, sample_rate_hz: u32) -> usize {
        let frames = self.look_ahead_ms * 1e-3 * f64::from(sample_rate_hz);
        if self.dynamics().is_neutral() { 0 } else { libm::round(frames / CONTROL_FRAMES as f64) as usize }
    }
}

/// The bands of [`analyzer::crossover`].
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MultibandParams {
    /// Below 120 Hz.
    pub low: BandParams,
    /// 120 Hz to 1 kHz.
    pub low_mid: BandParams,
    /// 1 to 6 kHz.
    pub high_mid: BandParams,
    /// Above 6 kHz.
    pub high: BandParams,
}

impl MultibandParams {
    /// Returns the bands, low to high.
    pub fn bands(&self) -> [&BandParams; BANDS] {
        let Self { low, low_mid, high_mid, high } = self;
        [low, low_mid, high_mid, high]
    }

    /// Returns the bands, low to high.
    pub fn bands_mut(&mut self) -> [&mut BandParams; BANDS] {
        let Self { low, low_mid, high_mid, high } = self;
        [low, low_mid, high_mid, high]
    }
}

impl Params for MultibandParams {
    fn visit(&mut self, path: &str, visitor: &mut dyn FnMut(&str, &Param, &mut f64)) {
        for (band, name) in self.bands_mut().into_iter().zip(analyzer::crossover::BAND_NAMES) {
            band.visit(&format!("{path}.{name}"), visitor);
        }
    }
}

/// Detector times of the bands, ms: power is smoothed over about one period of a band's lowest tones.
pub const DETECTOR_MS: [f64; BANDS] = [20.0, 8.0, 4.0, 2.0];

/// A band's compressor, with its gains delayed if its look-ahead is shorter than the longest of all bands.
#[derive(Clone)]
struct Band {
    compressor: Compressor,
    /// Gains of the control blocks by which the detector is too early, oldest first.
    early: VecDeque<BlockGains>,
}

impl Band {
    fn gains(&self) -> &BlockGains {
        self.early.front().unwrap_or(self.compressor.gains())
    }

    fn end_block(&mut self) {
        if self.early.pop_front().is_some() {
            self.early.push_back(*self.compressor.gains());
        }
        self.compressor.end_block();
    }
}

/// Delays a stream by whole control blocks.
#[derive(Clone)]
struct Delay {
    frames: Vec<[f64; 2]>,
    at: usize,
}

impl Delay {
    fn new(blocks: usize) -> Self {
        Self { frames: vec![[0.0; 2]; (blocks + 1) * CONTROL_FRAMES], at: 0 }
    }

    /// Takes frames that lie within one control block and returns as many delayed ones.
    fn next(&mut self, part: &[[f64; 2]]) -> &[[f64; 2]] {
        // The oldest block follows the newest.
        let (length, oldest) = (self.frames.len(), (self.at + CONTROL_FRAMES) % self.frames.len());
        self.frames[self.at..self.at + part.len()].copy_from_slice(part);
        self.at = (self.at + part.len()) % length;
        &self.frames[oldest..oldest + part.len()]
    }
}

/// See [`MultibandParams`].
pub struct Multiband {
    crossover: Crossover,
    /// `None` for a band that passes unchanged.
    bands: [Option<Band>; BANDS],
    delays: [Delay; BANDS],
    at_rest: [Option<Band>; BANDS],
    clock: ControlClock,
    latency_blocks: usize,
}

impl Multiband {
    /// Creates the stage. `mean_db` is the mean power of each band of the stream to come, dBFS. `None` if every band is
    /// neutral, since the split would still add an all-pass.
    pub fn new(params: &MultibandParams, mean_db: &[f64; BANDS], sample_rate_hz: u32) -> Option<Self> {
        let params = params.bands();
        let latency_blocks = params.iter().map(|band| band.look_ahead_blocks(sample_rate_hz)).max().unwrap_or(0);
        let bands: [_; BANDS] = std::array::from_fn(|b| {
            let dynamics = params[b].dynamics();
            (!dynamics.is_neutral()).then(|| {
                let compressor = Compressor::new(dynamics, mean_db[b], DETECTOR_MS[b], sample_rate_hz);
                let early = latency_blocks - params[b].look_ahead_blocks(sample_rate_hz);
                Band { early: std::iter::repeat_n(*compressor.gains(), early).collect(), compressor }
            })
        });
        bands.iter().any(Option::is_some).then(|| Self {
            crossover: Crossover::new(sample_rate_hz),
            bands: bands.clone(),
            delays: std::array::from_fn(|_| Delay::new(latency_blocks)),
            at_rest: bands,
            clock: ControlClock::default(),
            latency_blocks,
        })
    }
}

impl Stage for Multiband {
    fn process(&mut self, frames: &mut [Frame]) {
        let Self { crossover, bands, delays, clock, .. } = self;
        let (mut input, mut split) = ([[0.0; 2]; CONTROL_FRAMES], [[[0.0; 2]; CONTROL_FRAMES]; BANDS]);
        clock.each_part(frames, |frames, phase, is_end| {
            let mut sum = [[0.0; 2]; CONTROL_FRAMES];
            let count = frames.len();
            for (input, frame) in input.iter_mut().zip(frames.iter()) {
                *input = frame.map(f64::from);
            }
            crossover.split(&input[..count], &mut split);
            for ((band, delay), part) in bands.iter_mut().zip(delays.iter_mut()).zip(&split) {
                let part = &part[..count];
                let gains = match band {
                    Some(band) => {
                        band.compressor.listen(part);
                        band.gains()
                    }
                    None => &UNITY,
                };
                for ((sum, x), gain) in sum.iter_mut().zip(delay.next(part)).zip(&gains[phase..]) {
                    sum[0] += x[0] * gain[0];
                    sum[1] += x[1] * gain[1];
                }
            }
            for (frame, sum) in frames.iter_mut().zip(sum) {
                *frame = sum.map(|x| x as f32);
            }
            if is_end {
                bands.iter_mut().flatten().for_each(Band::end_block);
                crossover.settle();
            }
        });
    }

    fn reset(&mut self) {
        self.crossover.reset();
        self.bands.clone_from(&self.at_rest);
        self.delays = std::array::from_fn(|_| Delay::new(self.latency_blocks));
        self.clock = ControlClock::default();
    }

    fn latency_frames(&self) -> usize {
        self.latency_blocks * CONTROL_FRAMES
    }

    fn band_gains_db(&self) -> [Option<f64>; BANDS] {
        std::array::from_fn(|band| self.bands[band].as_ref().map(|band| band.compressor.gain_db()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{RATE, kick, mixed, power_db, stray_db, swing_db, transform};
    use analyzer::synth::sine;
    use analyzer::units::{db_from_gain, gain_from_db};
    use std::f64::consts::TAU;

    /// A tone well inside each band.
    const INSIDE_HZ: [f64; BANDS] = [60.0, 350.0, 2500.0, 12_000.0];

    fn only(band: usize, params: BandParams) -> MultibandParams {
        let mut all = MultibandParams::default();
        *all.bands_mut()[band] = params;
        all
    }

    fn stage(params: &MultibandParams, mean_db: f64) -> Multiband {
        Multiband::new(params, &[mean_db; BANDS], RATE).expect("not neutral")
    }

    /// A band that never compresses, for the split and its sum alone.
    const IDLE: BandParams = BandParams {
        threshold_db: 12.0,
        ratio: 2.0,
        knee_db: 0.0,
        attack_ms: 20.0,
        release_ms: 200.0,
        mix_pct: 100.0,
        look_ahead_ms: 0.0,
        makeup_db: 0.0,
    };

    /// A sine on the left and a cosine on the right, so that the level can be read from every single frame.
    fn circle(hz: f64, level_db: f64, frames: usize) -> Vec<Frame> {
        let amplitude = gain_from_db(level_db);
        let at = |n: usize| libm::sincos(TAU * hz * n as f64 / f64::from(RATE));
        (0..frames).map(|n| [(amplitude * at(n).0) as f32, (amplitude * at(n).1) as f32]).collect()
    }

    #[test]
    fn split_sums_flat_within_a_hundredth_of_a_decibel() {
        for rate in [44_100, 96_000] {
            let mut frames = vec![[0.0; 2]; rate as usize / 2];
            frames[0] = [1.0, 0.5];
            Multiband::new(&only(1, IDLE), &[0.0; BANDS], rate).expect("not neutral").process(&mut frames);
            for step in 0..40 {
                let hz = 20.0 * libm::exp2(f64::from(step) / 4.0);
                let sum = transform(frames.iter().map(|f| f64::from(f[0])), hz, rate);
                assert!(db_from_gain(sum.norm()).abs() < 0.01, "{hz} Hz at {rate}: {}", db_from_gain(sum.norm()));
            }
        }
    }

    #[test]
    fn steady_tones_follow_the_static_curve_within_a_twentieth_of_a_decibel() {
        let mean_db = -40.0;
        for (b, hz) in INSIDE_HZ.into_iter().enumerate() {
            // The tone's share in the band, and in the sum, from the impulse response of the split.
            let mut crossover = Crossover::new(RATE);
            let response: Vec<_> =
                (0..RATE).map(|n| crossover.next([f64::from(u8::from(n == 0)), 0.0]).map(|band| band[0])).collect();
            let whole = transform(response.iter().map(|bands| bands.iter().sum()), hz, RATE);
            let part = transform(response.iter().map(|bands| bands[b]), hz, RATE);
            for (ratio, threshold_db, over_db) in
                [(2.0, 0.0, 10.0), (2.0, -12.0, -6.0), (4.0, 3.0, 8.0), (0.5, -6.0, 5.0), (1.3, -3.0, -20.0)]
            {
                let params = BandParams { threshold_db, ratio, knee_db: 0.0, ..Default::default() };
                let level_db = mean_db + over_db - db_from_gain(part.norm());
                let mut frames = sine(RATE, hz, level_db + 10.0 * libm::log10(2.0), 3.0);
                stage(&only(b, params), mean_db).process(&mut frames);
                let curve_db = |x: f64| (1.0 / ratio - 1.0) * (x - threshold_db).max(0.0);
                let gain = gain_from_db(curve_db(over_db) - curve_db(0.0));
                let wanted_db = level_db + db_from_gain((whole + part * (gain - 1.0)).norm());
                let got_db = power_db(&frames[2 * RATE as usize..]);
                assert!((got_db - wanted_db).abs() < 0.05, "band {b}, {ratio}:1: {got_db}, not {wanted_db}");
            }
        }
    }

    #[test]
    fn times_cover_63_percent_of_a_step_beyond_the_detector() {
        let params =
            BandParams { threshold_db: -20.0, ratio: 4.0, knee_db: 0.0, attack_ms: 80.0, release_ms: 300.0, ..IDLE };
        for (b, hz) in INSIDE_HZ.into_iter().enumerate() {
            let input = [circle(hz, -40.0, 96_000), circle(hz, -37.0, 96_000), circle(hz, -40.0, 192_000)].concat();
            let mut frames = input.clone();
            stage(&only(b, params), -40.0).process(&mut frames);
            let magnitude = |f: Frame| libm::hypot(f64::from(f[0]), f64::from(f[1]));
            let gain_db = |n: usize| db_from_gain(magnitude(frames[n]) / magnitude(input[n]));
            for (start, ms) in [(96_000, params.attack_ms), (192_000, params.release_ms)] {
                let (from, to) = (gain_db(start - 1), gain_db(start + 95_000));
                // The first 30 ms belong to the ringing of the split, which itself is late.
                let reached = (start + 1440..start + 95_000)
                    .find(|n| (gain_db(*n) - from) / (to - from) >= 1.0 - libm::exp(-1.0))
                    .expect("the gain gets there");
                let took_ms = (reached - start) as f64 / 48.0;
                let allowed = 0.98 * ms..ms + 1.5 * DETECTOR_MS[b] + 1.5;
                assert!(allowed.contains(&took_ms), "band {b}: {took_ms} ms, not {ms}");
            }
        }
    }

    #[test]
    fn moving_gain_leaves_no_images_of_its_control_rate() {
        let params = BandParams { threshold_db: -20.0, ratio: 4.0, attack_ms: 5.0, release_ms: 20.0, ..IDLE };
        for hz in [2700.0, 3000.0] {
            let mut frames: Vec<Frame> = circle(hz, -30.0, 96_000)
                .into_iter()
                .enumerate()
                .map(|(n, frame)| {
                    let swing = gain_from_db(6.0 * libm::sin(TAU * 4.0 * n as f64 / f64::from(RATE)));
                    [frame[0] * swing as f32; 2]
                })
                .collect();
            stage(&only(2, params), -30.0).process(&mut frames);
            let images_db = stray_db(&frames, &[hz]);
            assert!(images_db < -80.0, "{hz} Hz: {images_db} dB");
        }
    }

    #[test]
    fn kick_drum_does_not_pump_what_lies_in_another_band() {
        // Every band has sound, as in a song: leakage from other bands would move an empty band.
        let [low_mid, tone, high] = [350.0, 3000.0, 12_000.0].map(|hz| sine(RATE, hz, -30.0, 4.0));
        let mut frames = mixed(&[&kick(0.7, tone.len()), &low_mid, &tone, &high]);
        let band = BandParams { threshold_db: -12.0, ratio: 4.0, ..Default::default() };
        let params = MultibandParams { low: band, low_mid: band, high_mid: band, high: band };
        let kick_before_db = power_db(&frames);
        stage(&params, -33.0).process(&mut frames);
        assert!(power_db(&frames) < kick_before_db - 6.0, "the kick is compressed");
        let swing_db = swing_db(&frames[48_000..], 3000.0);
        assert!(swing_db < 0.1, "{swing_db} dB");
    }

    #[test]
    fn a_compressor_that_looks_ahead_meets_a_hit_and_delays_every_band_alike() {
        let hit: Vec<Frame> = circle(3000.0, -40.0, 24_000).into_iter().chain(circle(3000.0, -20.0, 2400)).collect();
        let band = BandParams { threshold_db: -6.0, ratio: 3.0, attack_ms: 3.0, ..IDLE };
        let largest = |look_ahead_ms: f64| {
            let params = only(2, BandParams { look_ahead_ms, ..band });
            let mut stage = stage(&params, -40.0);
            let mut frames = hit.clone();
            stage.process(&mut frames);
            // The first 2 ms of the hit.
            let start = 24_000 + stage.latency_frames();
            frames[start..start + 96].iter().map(|frame| f64::from(frame[0].abs())).fold(0.0, f64::max)
        };
        let (follows, meets) = (largest(0.0), largest(8.0));
        assert!(db_from_gain(meets / follows) < -6.0, "{}", db_from_gain(meets / follows));
        // The look-ahead of one band delays all bands.
        let params = only(2, BandParams { look_ahead_ms: 8.0, ..IDLE });
        let mut stage = Multiband::new(&params, &[0.0; BANDS], RATE).expect("not neutral");
        let mut impulse = vec![[0.0; 2]; 4800];
        impulse[0] = [1.0; 2];
        stage.process(&mut impulse);
        for hz in [60.0, 350.0, 2500.0, 12_000.0] {
            let sum = transform(impulse.iter().map(|f| f64::from(f[0])), hz, RATE);
            assert!(db_from_gain(sum.norm()).abs() < 0.01, "{hz} Hz");
        }
        assert!(impulse[..stage.latency_frames()].iter().all(|frame| *frame == [0.0; 2]));
    }

    #[test]
    fn makeup_lifts_its_band_alone() {
        let params = only(2, BandParams { makeup_db: 4.0, ..IDLE });
        for (hz, wanted_db) in [(60.0, 0.0), (2500.0, 4.0), (14_000.0, 0.0)] {
            let mut frames = circle(hz, -30.0, 96_000);
            stage(&params, -20.0).process(&mut frames);
            let change_db = power_db(&frames[48_000..]) - power_db(&circle(hz, -30.0, 96_000)[48_000..]);
            assert!((change_db - wanted_db).abs() < 0.5, "{hz} Hz: {change_db} dB");
        }
    }

    #[test]
    fn mix_adds_the_unprocessed_band() {
        let wet = BandParams { threshold_db: -20.0, ratio: 4.0, ..IDLE };
        let song = circle(2500.0, -20.0, 48_000);
        let through = |params: BandParams| {
            let mut frames = song.clone();
            stage(&only(2, params), -30.0).process(&mut frames);
            frames
        };
        let (dry, wet, half) = (through(IDLE), through(wet), through(BandParams { mix_pct: 50.0, ..wet }));
        assert!(power_db(&wet) < power_db(&dry) - 3.0);
        for ((dry, wet), half) in dry.iter().zip(&wet).zip(&half) {
            assert!((0.5 * (dry[0] + wet[0]) - half[0]).abs() < 1e-6);
        }
    }
}
