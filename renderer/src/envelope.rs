//! Parts of every dynamics stage: a level detector, a static curve, a smoothed gain that follows it, and a ramp between
//! two gains.
//!
//! Giannoulis, Massberg & Reiss, "Digital Dynamic Range Compressor Design" (JAES 60(6), 2012). Levels and gains are
//! computed once per control block of [`CONTROL_FRAMES`]. Blocks are counted from the start of the stream, so that no
//! result depends on how it is cut.

use analyzer::units::{FLOOR_DB, db_from_gain, db_from_power, gain_from_db, one_pole_coef, power_from_db};

/// Frames of a control block: gains are computed once per block, with ramps between them.
pub const CONTROL_FRAMES: usize = 32;

/// Mean power under this is silence: [`FLOOR_DB`].
pub const SILENCE_POWER: f64 = 1e-12;

/// Cuts a stream at the ends of its control blocks.
#[derive(Clone, Default)]
pub struct ControlClock {
    phase: usize,
}

impl ControlClock {
    /// Calls `part` with runs of frames that lie within one block each, with the position of the run in its block, and
    /// true if the run completes the block.
    pub fn each_part<T>(&mut self, mut frames: &mut [T], mut part: impl FnMut(&mut [T], usize, bool)) {
        while !frames.is_empty() {
            let (now, later) = frames.split_at_mut(frames.len().min(CONTROL_FRAMES - self.phase));
            let end = self.phase + now.len();
            part(now, self.phase, end == CONTROL_FRAMES);
            self.phase = end % CONTROL_FRAMES;
            frames = later;
        }
    }
}

/// Mean power over the recent past, left and right together.
///
/// Two one-poles in series, each with half the time: they pass far less of the ripple that a tone's own period leaves
/// in its power than one one-pole with the whole time.
#[derive(Clone)]
pub struct PowerDetector {
    coef: f64,
    /// Left² and right² so far in this block.
    sums: [f64; 2],
    stages: [f64; 2],
}

impl PowerDetector {
    /// Creates a detector in the state after a long time at the mean power `start`.
    pub fn new(ms: f64, start: f64, sample_rate_hz: u32) -> Self {
        let rate = f64::from(sample_rate_hz) / CONTROL_FRAMES as f64;
        Self { coef: one_pole_coef(ms / 2.0, rate), sums: [0.0; 2], stages: [start; 2] }
    }

    /// Takes the next frames of the current block.
    #[inline(always)]
    pub fn listen(&mut self, frames: &[[f64; 2]]) {
        let mut sums = self.sums;
        for frame in frames {
            sums = [sums[0] + frame[0] * frame[0], sums[1] + frame[1] * frame[1]];
        }
        self.sums = sums;
    }

    /// Ends the block and returns the mean power, never less than [`SILENCE_POWER`].
    pub fn end_block(&mut self) -> f64 {
        let power = (self.sums[0] + self.sums[1]) / (2 * CONTROL_FRAMES) as f64;
        self.sums = [0.0; 2];
        self.next(power)
    }

    /// The same for a block whose mean power is known.
    pub fn next(&mut self, power: f64) -> f64 {
        let mut power = power.max(SILENCE_POWER);
        for stage in &mut self.stages {
            *stage = power + self.coef * (*stage - power);
            power = *stage;
        }
        power
    }
}

/// A static curve with a soft knee: equation 4 of the paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GainComputer {
    /// Level from which the ratio applies, dB.
    pub threshold_db: f64,
    /// Change of input level for one dB of change in output level above the threshold; infinity limits.
    pub ratio: f64,
    /// Width of the transition around the threshold, dB.
    pub knee_db: f64,
}

impl GainComputer {
    /// Level at the output over that at the input, dB.
    pub fn gain_db(&self, level_db: f64) -> f64 {
        let over = level_db - self.threshold_db;
        let half_knee = self.knee_db / 2.0;
        let bent = if over <= -half_knee {
            0.0
        } else if over >= half_knee {
            over
        } else {
            (over + half_knee) * (over + half_knee) / (2.0 * self.knee_db)
        };
        (1.0 / self.ratio - 1.0) * bent
    }
}

/// Distance at which a gain counts as arrived at its target: the remaining change is 118 dB under the signal.
const ARRIVED_DB: f64 = 1e-5;

/// Smooths a gain over time: the branching one-pole of equation 16, on the gain in dB.
#[derive(Clone)]
pub struct GainSmoother {
    attack_coef: f64,
    release_coef: f64,
    gain_db: f64,
}

impl GainSmoother {
    /// Creates a smoother at 0 dB. Each time covers 63 % of a change: `attack_ms` towards less gain, `release_ms`
    /// towards more.
    pub fn new(attack_ms: f64, release_ms: f64, sample_rate_hz: u32) -> Self {
        let rate = f64::from(sample_rate_hz) / CONTROL_FRAMES as f64;
        let [attack_coef, release_coef] = [attack_ms, release_ms].map(|ms| one_pole_coef(ms, rate));
        Self { attack_coef, release_coef, gain_db: 0.0 }
    }

    /// Returns the gain after one more block whose target is `wanted_db`.
    pub fn next(&mut self, wanted_db: f64) -> f64 {
        let coef = if wanted_db < self.gain_db { self.attack_coef } else { self.release_coef };
        let left_db = coef * (self.gain_db - wanted_db);
        self.gain_db = if left_db.abs() > ARRIVED_DB { wanted_db + left_db } else { wanted_db };
        self.gain_db
    }
}

/// A linear gain for every frame of a control block, stored once per channel: two multiplications are then one
/// instruction.
pub type BlockGains = [[f64; 2]; CONTROL_FRAMES];

/// Gains that change nothing.
pub const UNITY: BlockGains = [[1.0; 2]; CONTROL_FRAMES];

/// A linear gain that is ramped from one control block to the next.
#[derive(Clone)]
pub struct GainRamp {
    /// Gain at the end of the current block.
    to: f64,
    gains: BlockGains,
}

impl GainRamp {
    /// Creates a ramp that holds a gain.
    pub fn at(gain: f64) -> Self {
        Self { to: gain, gains: [[gain; 2]; CONTROL_FRAMES] }
    }

    /// Ends the block; `to` is the gain at the end of the next one.
    pub fn end_block(&mut self, to: f64) {
        let (from, slope) = (self.to, (to - self.to) / CONTROL_FRAMES as f64);
        self.gains = std::array::from_fn(|n| [from + slope * n as f64; 2]);
        self.to = to;
    }

    /// Returns the gains of the frames of the current block.
    pub fn gains(&self) -> &BlockGains {
        &self.gains
    }
}

/// Largest gain change of any compressor, dB.
const MAX_GAIN_DB: f64 = 12.0;

/// Settings of a [`Compressor`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dynamics {
    /// Static curve, for levels relative to the reference.
    pub computer: GainComputer,
    /// See [`GainSmoother::new`].
    pub attack_ms: f64,
    /// See [`GainSmoother::new`].
    pub release_ms: f64,
    /// Share of the processed signal, 0 to 1.
    pub mix: f64,
    /// Makeup gain behind the compressor, dry share included, dB.
    pub makeup_db: f64,
}

impl Dynamics {
    /// Returns true if the compressor changes nothing.
    pub fn is_neutral(&self) -> bool {
        self.computer.ratio == 1.0 || self.mix == 0.0
    }

    /// Returns the static gain at `level_db` over the reference, bounded. It is 0 dB at the reference, so that dynamics
    /// change and the level does not.
    pub fn gain_db(&self, level_db: f64) -> f64 {
        (self.computer.gain_db(level_db) - self.computer.gain_db(0.0)).clamp(-MAX_GAIN_DB, MAX_GAIN_DB)
    }
}

/// A feed-forward, stereo-linked compressor: detector, static curve, smoothing in dB, ramp.
#[derive(Clone)]
pub struct Compressor {
    dynamics: Dynamics,
    reference_db: f64,
    detector: PowerDetector,
    smoother: GainSmoother,
    makeup: f64,
    ramp: GainRamp,
}

impl Compressor {
    /// Creates a compressor in the state after a long time at `reference_db`, the mean power (dBFS) that levels are
    /// relative to.
    pub fn new(dynamics: Dynamics, reference_db: f64, detector_ms: f64, sample_rate_hz: u32) -> Self {
        let reference_db = reference_db.max(FLOOR_DB);
        Self {
            dynamics,
            reference_db,
            detector: PowerDetector::new(detector_ms, power_from_db(reference_db), sample_rate_hz),
            smoother: GainSmoother::new(dynamics.attack_ms, dynamics.release_ms, sample_rate_hz),
            makeup: gain_from_db(dynamics.makeup_db),
            ramp: GainRamp::at(gain_from_db(dynamics.makeup_db)),
        }
    }

    /// Takes the next frames of the signal that controls the gain.
    #[inline(always)]
    pub fn listen(&mut self, frames: &[[f64; 2]]) {
        self.detector.listen(frames);
    }

    /// Returns the gains of the frames of the current block.
    pub fn gains(&self) -> &BlockGains {
        self.ramp.gains()
    }

    /// Returns the current gain, dB.
    pub fn gain_db(&self) -> f64 {
        db_from_gain(self.ramp.to)
    }

    /// Ends the block and computes the gain of the next one.
    pub fn end_block(&mut self) {
        let level_db = db_from_power(self.detector.end_block()) - self.reference_db;
        let gain = gain_from_db(self.smoother.next(self.dynamics.gain_db(level_db)));
        self.ramp.end_block(self.makeup * (1.0 + self.dynamics.mix * (gain - 1.0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;

    #[test]
    fn static_curve_is_that_of_equation_4() {
        let hard = GainComputer { threshold_db: -10.0, ratio: 4.0, knee_db: 0.0 };
        let soft = GainComputer { knee_db: 8.0, ..hard };
        for level_db in [-40.0, -14.0, -10.0, -6.0, 0.0, 12.0] {
            let output_db = if level_db > -10.0 { -10.0 + (level_db + 10.0) / 4.0 } else { level_db };
            assert!((level_db + hard.gain_db(level_db) - output_db).abs() < 1e-12);
            if (level_db + 10.0f64).abs() >= 4.0 {
                assert!((soft.gain_db(level_db) - hard.gain_db(level_db)).abs() < 1e-12);
            }
        }
        // In the knee, the slope changes linearly: −(3/4)·(x − T + W/2)² / (2W).
        assert!((soft.gain_db(-10.0) + 0.75 * 16.0 / 16.0).abs() < 1e-12);
        assert!((soft.gain_db(-8.0) + 0.75 * 36.0 / 16.0).abs() < 1e-12);
    }

    #[test]
    fn times_cover_63_percent_of_a_change() {
        let blocks = |ms: f64| (ms * 1e-3 * f64::from(RATE)) as usize / CONTROL_FRAMES;
        let covered = 1.0 - libm::exp(-1.0);
        let mut smoother = GainSmoother::new(10.0, 300.0, RATE);
        (0..blocks(10.0)).for_each(|_| assert!(smoother.next(-8.0) <= 0.0));
        assert!((smoother.gain_db + 8.0 * covered).abs() < 1e-9);
        (0..blocks(500.0)).for_each(|_| assert!(smoother.next(-8.0) >= -8.0));
        assert_eq!(smoother.gain_db, -8.0, "arrived");
        (0..blocks(300.0)).for_each(|_| assert!(smoother.next(0.0) <= 0.0));
        assert!((smoother.gain_db + 8.0 * (1.0 - covered)).abs() < 1e-9);
    }

    #[test]
    fn detector_reads_mean_power_and_knows_silence() {
        let mut detector = PowerDetector::new(20.0, 1.0, RATE);
        let mut power = 0.0;
        for _ in 0..2000 {
            detector.listen(&[[0.5, 0.1]; CONTROL_FRAMES]);
            power = detector.end_block();
        }
        assert!((power - 0.13).abs() < 1e-12);
        for _ in 0..20_000 {
            detector.listen(&[[0.0; 2]; CONTROL_FRAMES]);
            power = detector.end_block();
        }
        assert!((power / SILENCE_POWER - 1.0).abs() < 1e-9);
    }

    #[test]
    fn ramps_meet_and_blocks_do_not_depend_on_the_cut() {
        let mut ramp = GainRamp::at(1.0);
        ramp.end_block(0.5);
        assert_eq!((ramp.gains()[0], ramp.gains()[CONTROL_FRAMES / 2]), ([1.0; 2], [0.75; 2]));
        ramp.end_block(0.5);
        assert_eq!(*ramp.gains(), [[0.5; 2]; CONTROL_FRAMES]);

        let (mut clock, mut seen, mut ends) = (ControlClock::default(), Vec::new(), 0);
        for length in [1, 0, CONTROL_FRAMES + 8, CONTROL_FRAMES - 9] {
            clock.each_part(&mut vec![(); length], |part, phase, is_end| {
                seen.extend(phase..phase + part.len());
                ends += usize::from(is_end);
            });
        }
        assert_eq!(seen, (0..2 * CONTROL_FRAMES).map(|n| n % CONTROL_FRAMES).collect::<Vec<_>>());
        assert_eq!(ends, 2);
    }
}
