//! Finds the flat tops that clipping leaves, and distinguishes them from intentional square waves.

use crate::stream::Frame;

/// Shortest run of equal samples.
const RUN_SAMPLES: u32 = 3;
/// Lowest level that counts as clipping: −20 dBFS.
const QUIETEST: f32 = 0.1;
/// Share of the channel's peak from which on runs count: 0.18 dB below it.
const NEAR_PEAK: f32 = 0.98;
/// Smallest step at the edges of a clipped crest, which is entered and left on a slope. The crest of a slow wave has
/// equal samples as well, but the steps around it are a few quantisation steps of 16 bits.
const SMALLEST_STEP: f32 = 3e-4;
/// Resolution of levels: steps per unit of natural logarithm.
const LEVELS_PER_E: f32 = 200.0;

/// Flat tops at one level.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct FlatTops {
    /// Number of runs of equal samples.
    pub runs: u64,
    /// Number of samples in the runs.
    pub samples: u64,
    /// Number of samples in the longest run.
    pub longest: u32,
    /// First frame of the first run.
    pub first_frame: u64,
}

impl FlatTops {
    fn add(&mut self, other: Self) {
        if other.runs == 0 {
            return;
        }
        self.first_frame = if self.runs == 0 { other.first_frame } else { self.first_frame.min(other.first_frame) };
        self.runs += other.runs;
        self.samples += other.samples;
        self.longest = self.longest.max(other.longest);
    }
}

/// Finds the flat tops of one channel.
#[derive(Default)]
struct Watch {
    /// The two samples before the run, older first.
    before: [f32; 2],
    value: f32,
    length: u32,
    /// A run that has ended one sample ago: level, length, first frame, and the sample that ended it.
    ended: Option<(f32, u32, u64, f32)>,
    /// Flat tops found, by level.
    found: Vec<FlatTops>,
    peak: f32,
}

impl Watch {
    /// Level below which a run counts neither now nor later.
    fn quietest(&self) -> f32 {
        QUIETEST.max(NEAR_PEAK * self.peak)
    }

    /// Skips samples that are too quiet to count, given the last three of them.
    fn skip(&mut self, [older, newer, last]: [f32; 3], peak: f32) {
        (self.before, self.value, self.length) = ([older, newer], last, 1);
        self.peak = self.peak.max(peak);
    }

    fn next(&mut self, x: f32, frame: u64) {
        if let Some((level, length, first_frame, after)) = self.ended.take()
            && (after - x).abs() > SMALLEST_STEP
        {
            self.note(level, FlatTops { runs: 1, samples: u64::from(length), longest: length, first_frame });
        }
        if x == self.value {
            self.length = self.length.saturating_add(1);
            return;
        }
        if self.is_clipped_until(x) {
            self.ended = Some((self.value.abs(), self.length, frame - u64::from(self.length), x));
        }
        let older = if self.length > 1 { self.value } else { self.before[1] };
        self.before = [older, self.value];
        (self.value, self.length) = (x, 1);
        self.peak = self.peak.max(x.abs());
    }

    /// Returns true if the run that `x` ends is long, loud and an extreme, and was entered and is left on a slope.
    fn is_clipped_until(&self, x: f32) -> bool {
        let level = self.value.abs();
        let [older, newer] = self.before;
        self.length >= RUN_SAMPLES
            && level >= self.quietest()
            && (self.value - newer) * self.value.signum() > SMALLEST_STEP
            && (self.value - x) * self.value.signum() > SMALLEST_STEP
            && (newer - older).abs() > SMALLEST_STEP
    }

    fn note(&mut self, level: f32, tops: FlatTops) {
        let slot = level_slot(level);
        if self.found.len() <= slot {
            self.found.resize(slot + 1, FlatTops::default());
        }
        self.found[slot].add(tops);
    }

    fn finish(&self) -> FlatTops {
        let mut all = FlatTops::default();
        self.found.iter().skip(level_slot(NEAR_PEAK * self.peak)).for_each(|&tops| all.add(tops));
        all
    }
}

/// Logarithmic step of a level above [`QUIETEST`].
fn level_slot(level: f32) -> usize {
    // Levels far over full scale share a slot; music does not reach them.
    (libm::logf((level / QUIETEST).clamp(1.0, 1e4)) * LEVELS_PER_E) as usize
}

/// Finds the flat tops of both channels. Memory: bounded by the number of levels.
#[derive(Default)]
pub(crate) struct FlatTopMeter {
    channels: [Watch; 2],
    frames: u64,
}

impl FlatTopMeter {
    /// Takes the next frames, whose largest magnitudes are `peaks`.
    pub fn push(&mut self, block: &[Frame], peaks: [f32; 2]) {
        for (c, watch) in self.channels.iter_mut().enumerate() {
            // A run from the previous block, if it counts, ends within the first two samples.
            let is_quiet = peaks[c] < watch.quietest() && block.len() > 4;
            let (head, tail) = if is_quiet { (2, block.len() - 3) } else { (block.len(), block.len()) };
            for (frame, x) in (self.frames..).zip(&block[..head]) {
                watch.next(x[c], frame);
            }
            if let [older, newer, last] = block[tail..] {
                watch.skip([older[c], newer[c], last[c]], peaks[c]);
            }
        }
        self.frames += block.len() as u64;
    }

    /// Returns the flat tops of both channels; those of a mono song are counted once.
    pub fn finish(&self, is_mono: bool) -> FlatTops {
        let mut all = self.channels[0].finish();
        if !is_mono {
            all.add(self.channels[1].finish());
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::f64::consts::TAU;

    fn flat_tops(wave: impl Fn(f64) -> f64) -> FlatTops {
        let mut meter = FlatTopMeter::default();
        let frames: Vec<Frame> = (0..44_100)
            .map(|n| [(libm::round(wave(f64::from(n) / 44_100.0) * 32_767.0) / 32_768.0) as f32; 2])
            .collect();
        frames.chunks(441).for_each(|block| {
            let peak = block.iter().fold(0.0, |peak, frame| frame[0].abs().max(peak));
            meter.push(block, [peak; 2]);
        });
        meter.finish(true)
    }

    fn sine(hz: f64, seconds: f64) -> f64 {
        libm::sin(TAU * hz * seconds)
    }

    #[test]
    fn every_clipped_crest_of_a_sine_is_found() {
        let found = flat_tops(|t| (1.6 * sine(441.0, t + 0.000_01)).clamp(-0.9, 0.9));
        assert!((880..=882).contains(&found.runs), "{found:?}");
        assert!(found.longest > 10);
        assert!(found.first_frame < 60);
    }

    #[test]
    fn clean_and_slow_waves_have_no_flat_tops() {
        for hz in [20.0, 35.0, 50.0, 110.0, 1000.0, 7000.0] {
            assert_eq!(flat_tops(|t| 0.999 * sine(hz, t)).runs, 0, "{hz} Hz");
        }
    }

    #[test]
    fn square_and_stepped_waves_are_not_clipping() {
        assert_eq!(flat_tops(|t| 0.5 * sine(220.0, t).signum()).runs, 0);
        assert_eq!(flat_tops(|t| 0.3 * sine(220.0, t).signum() + 0.2 * sine(331.0, t).signum()).runs, 0);
        assert_eq!(flat_tops(|t| libm::round(7.0 * sine(110.0, t)) / 8.0).runs, 0);
    }

    #[test]
    fn noise_has_no_flat_tops_until_it_is_clipped() {
        let noise: Vec<f64> = {
            let mut random = Random::new(1);
            (0..44_101).map(|_| random.bipolar()).collect()
        };
        // Band-limited, as music is: three samples in a row can then lie above a ceiling.
        let smooth = |t: f64| {
            let n = (t * 44_100.0) as usize;
            noise[n.saturating_sub(16)..=n].iter().sum::<f64>() / 6.0
        };
        assert_eq!(flat_tops(|t| 0.4 * smooth(t)).runs, 0);
        assert!(flat_tops(|t| smooth(t).clamp(-0.8, 0.8)).runs > 50);
    }
}
