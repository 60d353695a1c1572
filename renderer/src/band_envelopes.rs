//! Predicts what the compressors of the multiband stage do to a song, without rendering it.
//!
//! A compressor takes the power of its band once per control block and multiplies the block by a gain. So power and
//! peak of every block are enough to tell how a band moves behind any compressor, at a thousandth of the work.

use analyzer::crossover::{BANDS, Crossover};
use analyzer::punch::{MOMENT_MS, Moment, Punch};
use analyzer::stream::{Frame, mid_side};
use analyzer::units::{db_from_power, gain_from_db, power_from_db};

use crate::envelope::{CONTROL_FRAMES, GainSmoother, PowerDetector};
use crate::stages::multiband::{BandParams, DETECTOR_MS};

/// Control blocks that are combined into one: level changes within them are inaudible, and half the work is saved.
const RUN: usize = 2;
/// Frames of a run of control blocks.
const RUN_FRAMES: usize = RUN * CONTROL_FRAMES;

/// One band in one run of control blocks.
#[derive(Clone, Copy)]
struct Block {
    /// Mean power of left and right.
    power: f32,
    mid: Moment,
}

/// Splits a stream into the bands of the multiband stage, and keeps their power and peaks.
#[derive(Clone)]
pub struct EnvelopeMeter {
    crossover: Crossover,
    waiting: Vec<[f64; 2]>,
    bands: [Vec<Block>; BANDS],
    sample_rate_hz: u32,
}

impl EnvelopeMeter {
    /// Creates a meter at the start of a stream.
    pub fn new(sample_rate_hz: u32) -> Self {
        Self {
            crossover: Crossover::new(sample_rate_hz),
            waiting: Vec::with_capacity(RUN_FRAMES),
            bands: Default::default(),
            sample_rate_hz,
        }
    }

    /// Takes the next frames.
    pub fn push(&mut self, frames: &[Frame]) {
        for frame in frames {
            self.waiting.push(mid_side(*frame).map(f64::from));
            if self.waiting.len() == RUN_FRAMES {
                self.end_run();
            }
        }
    }

    fn end_run(&mut self) {
        let mut split = [[[0.0; 2]; RUN_FRAMES]; BANDS];
        self.crossover.split(&self.waiting, &mut split);
        self.crossover.settle();
        self.waiting.clear();
        for (blocks, part) in self.bands.iter_mut().zip(&split) {
            let (mut mid, mut side, mut peak) = (0.0, 0.0, 0.0f64);
            for [m, s] in part {
                (mid, side, peak) = (mid + m * m, side + s * s, peak.max(m.abs()));
            }
            let count = RUN_FRAMES as f64;
            let moment = Moment { power: (mid / count) as f32, peak: peak as f32 };
            blocks.push(Block { power: ((mid + side) / count) as f32, mid: moment });
        }
    }

    /// Returns the bands of all whole runs. `mean_db` is the mean power of each band, dBFS, as the multiband stage
    /// takes it.
    pub fn finish(self, mean_db: &[f64; BANDS]) -> [BandEnvelope; BANDS] {
        let rate = self.sample_rate_hz;
        let mut bands = self.bands;
        std::array::from_fn(|band| {
            BandEnvelope::new(std::mem::take(&mut bands[band]), mean_db[band], DETECTOR_MS[band], rate)
        })
    }
}

/// One band of a song, run by run.
pub struct BandEnvelope {
    blocks: Vec<Block>,
    /// Detector level at the end of each run, relative to the mean, dB.
    levels_db: Vec<f32>,
    sample_rate_hz: u32,
}

/// A band behind its compressor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictedBand {
    /// Short-term dynamics of the mid.
    pub punch: Punch,
    /// Change of the mean power, dB.
    pub level_db: f64,
}

impl BandEnvelope {
    fn new(blocks: Vec<Block>, mean_db: f64, detector_ms: f64, sample_rate_hz: u32) -> Self {
        let mut detector = PowerDetector::new(detector_ms, power_from_db(mean_db), sample_rate_hz / RUN as u32);
        let level = |block: &Block| (db_from_power(detector.next(f64::from(block.power))) - mean_db) as f32;
        Self { levels_db: blocks.iter().map(level).collect(), blocks, sample_rate_hz }
    }

    /// Returns the short-term dynamics of the unprocessed band.
    pub fn punch(&self) -> Punch {
        self.moments(|_| 1.0).0
    }

    /// Returns the same behind the compressor that `params` describe, without its makeup gain, with the change of
    /// level.
    pub fn through(&self, params: &BandParams) -> PredictedBand {
        let dynamics = params.dynamics();
        if dynamics.is_neutral() {
            return PredictedBand { punch: self.punch(), level_db: 0.0 };
        }
        let mut smoother = GainSmoother::new(dynamics.attack_ms, dynamics.release_ms, self.sample_rate_hz / RUN as u32);
        let gain = |level_db: &f32| {
            let gain = gain_from_db(smoother.next(dynamics.gain_db(f64::from(*level_db))));
            1.0 + dynamics.mix * (gain - 1.0)
        };
        let gains: Vec<f64> = self.levels_db.iter().map(gain).collect();
        let ahead = params.look_ahead_blocks(self.sample_rate_hz) / RUN;
        // The gain reaches the value set by the detector one run later, along a line.
        let at = |run: usize| {
            let gain = |run: usize| gains.get(run).or(gains.last()).copied().unwrap_or(1.0);
            0.5 * (gain((run + ahead).saturating_sub(1)) + gain(run + ahead))
        };
        let (punch, level_db) = self.moments(at);
        PredictedBand { punch, level_db }
    }

    /// Returns the short-term dynamics of the band with a gain per run, and the change of its mean power, dB.
    fn moments(&self, gain: impl Fn(usize) -> f64) -> (Punch, f64) {
        let length = MOMENT_MS * 1e-3 * f64::from(self.sample_rate_hz) / RUN_FRAMES as f64;
        let (mut before, mut after) = (0.0, 0.0);
        let mut moments: Vec<Moment> = Vec::with_capacity((self.blocks.len() as f64 / length) as usize + 1);
        let (mut sum, mut peak, mut count) = (0.0, 0.0f64, 0.0);
        for (n, block) in self.blocks.iter().enumerate() {
            let gain = gain(n);
            before += f64::from(block.power);
            after += f64::from(block.power) * gain * gain;
            sum += f64::from(block.mid.power) * gain * gain;
            peak = peak.max(f64::from(block.mid.peak) * gain);
            count += 1.0;
            if (n + 1) as f64 >= (moments.len() + 1) as f64 * length {
                moments.push(Moment { power: (sum / count) as f32, peak: peak as f32 });
                (sum, peak, count) = (0.0, 0.0, 0.0);
            }
        }
        let level_db = if before > 0.0 { db_from_power(after / before) } else { 0.0 };
        (Punch::of(&moments), level_db)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Stage as _;
    use crate::stages::multiband::{Multiband, MultibandParams};
    use analyzer::analyze::Analyzer;
    use analyzer::stream::Meter as _;
    use analyzer::synth::demo_mix;

    const RATE: u32 = 44_100;

    fn envelopes(song: &[Frame], mean_db: &[f64; BANDS]) -> [BandEnvelope; BANDS] {
        let mut meter = EnvelopeMeter::new(RATE);
        meter.push(song);
        meter.finish(mean_db)
    }

    /// A tone in the middle of each band that swells and fades at a rate of its own: no band leaks into another.
    fn bursts(seconds: f64) -> Vec<Frame> {
        let frame = |n: usize| {
            let t = n as f64 / f64::from(RATE);
            let tone = |(hz, rate): (f64, f64)| {
                let phase = (t * rate).fract();
                let level = 0.02 + 0.18 * libm::exp(-phase * 6.0) * (phase * 30.0).min(1.0);
                level * libm::sin(std::f64::consts::TAU * hz * t)
            };
            [[(60.0, 1.9), (350.0, 2.3), (2500.0, 3.1), (11_000.0, 3.7)].map(tone).iter().sum::<f64>() as f32; 2]
        };
        (0..(seconds * f64::from(RATE)) as usize).map(frame).collect()
    }

    #[test]
    fn what_is_predicted_is_what_the_stage_makes_of_the_song() {
        let song = bursts(20.0);
        let mut analyzer = Analyzer::new(RATE, 2);
        analyzer.push(&song);
        let mean_db = analyzer.finish().dynamics.bands.map(|band| band.sounding_db);
        let bands = envelopes(&song, &mean_db);
        for (ratio, look_ahead_ms, release_ms) in [(2.0, 6.0, 80.0), (3.0, 0.0, 200.0), (0.8, 10.0, 120.0)] {
            let band = BandParams {
                threshold_db: -9.0,
                ratio,
                knee_db: 12.0,
                attack_ms: 5.0,
                release_ms,
                look_ahead_ms,
                ..BandParams::default()
            };
            let params = MultibandParams { low: band, low_mid: band, high_mid: band, high: band };
            let mut stage = Multiband::new(&params, &mean_db, RATE).expect("not neutral");
            let mut rendered = song.clone();
            rendered.resize(song.len() + stage.latency_frames(), [0.0; 2]);
            stage.process(&mut rendered);
            let after = envelopes(&rendered[stage.latency_frames()..], &mean_db);
            for (b, (band_before, band_after)) in bands.iter().zip(&after).enumerate() {
                let (predicted, found) = (band_before.through(&band).punch, band_after.punch());
                assert!((predicted.swing_db - found.swing_db).abs() < 0.4, "band {b}: {predicted:?}, {found:?}");
                assert!((predicted.crest_db - found.crest_db).abs() < 0.8, "band {b}: {predicted:?}, {found:?}");
            }
        }
    }

    #[test]
    fn envelopes_read_what_the_analyzer_reads() {
        let song = demo_mix(RATE, 20.0);
        let mut analyzer = Analyzer::new(RATE, 2);
        analyzer.push(&song);
        let dynamics = analyzer.finish().dynamics;
        for (band, reading) in envelopes(&song, &[-20.0; BANDS]).iter().zip(&dynamics.bands) {
            let punch = band.punch();
            // The moments start at other frames.
            assert!((punch.crest_db - reading.mid.crest_db).abs() < 0.4, "{punch:?}, {:?}", reading.mid);
            assert!((punch.swing_db - reading.mid.swing_db).abs() < 0.3, "{punch:?}, {:?}", reading.mid);
        }
    }
}
