//! Peaks as read by the meters that check deliveries.
//!
//! An ideal interpolator reads the peaks that a converter will put out, here up to 0.95 of Nyquist
//! ([`crate::oversample`]). The meters in use interpolate with 12 to 32 taps and read sound close to Nyquist up to 0.6
//! dB higher. Three of them are modelled here: the filter of ITU-R BS.1770-5 Annex 2, that of libebur128, and the
//! resampler that ffmpeg runs in front of its own meter. A ceiling that has to hold on these meters is checked with
//! them.

mod interpolator;

use std::f64::consts::PI;

use crate::oversample::{BLOCK_FRAMES, bessel_i0};
use crate::stream::Frame;

use interpolator::{BROKEN_TAPS, Interpolator, MARGIN, Reach, highest_of_blocks, larger};

/// BS.1770-5 Annex 2, table 1: the first two of four phases; the other two are their reversals.
const ITU_PHASES: [[f32; 12]; 2] = [
    [
        0.001_708_984_4,
        0.010_986_328,
        -0.019_653_32,
        0.033_203_125,
        -0.059_448_242,
        0.137_329_1,
        0.972_167_97,
        -0.102_294_92,
        0.047_607_42,
        -0.026_611_328,
        0.014_892_578,
        -0.008_300_781,
    ],
    [
        -0.029_174_805,
        0.029_296_875,
        -0.051_757_812,
        0.089_111_33,
        -0.166_503_9,
        0.465_087_9,
        0.779_785_16,
        -0.200_317_38,
        0.101_562_5,
        -0.058_227_54,
        0.033_081_055,
        -0.018_920_898,
    ],
];

/// Taps of the whole libebur128 filter, all phases together.
const EBUR128_TAPS: usize = 49;

/// The resampler of ffmpeg, which converts all sound to one rate: taps per phase, shape of its Kaiser window, and that
/// rate.
const FFMPEG_TAPS: usize = BROKEN_TAPS;
const FFMPEG_BETA: f64 = 9.0;
const FFMPEG_RATE_HZ: u32 = 192_000;
/// Largest number of phases that ffmpeg keeps.
const FFMPEG_PHASES: usize = 1024;
/// Longest period that is modelled: the number of ffmpeg's points until they coincide with the samples again, as for
/// 11,025 Hz. Rates with a longer period are left out.
const MAX_PERIOD: usize = 2560;

impl Interpolator {
    fn itu() -> Self {
        let backwards = |phase: &[f32; 12]| phase.iter().rev().copied().collect::<Vec<f32>>();
        let [a, b] = &ITU_PHASES;
        // The first coefficient of a filter belongs to the newest sample.
        let phases = vec![backwards(a), backwards(b), b.to_vec(), a.to_vec()];
        Self::new((4, 1), 5, &phases)
    }

    /// 4 points per sample below 96 kHz, 2 below 192 kHz; from there on libebur128 reads the samples alone.
    fn ebur128(sample_rate_hz: u32) -> Option<Self> {
        let up = match sample_rate_hz {
            ..96_000 => 4,
            96_000..192_000 => 2,
            _ => return None,
        };
        let taps = EBUR128_TAPS / up + 1;
        let coefficient = |n: usize| {
            let m = n as f64 - (EBUR128_TAPS - 1) as f64 / 2.0;
            let x = PI * m / up as f64;
            let sinc = if m == 0.0 { 1.0 } else { libm::sin(x) / x };
            sinc * 0.5 * (1.0 - libm::cos(2.0 * PI * n as f64 / (EBUR128_TAPS - 1) as f64))
        };
        let phase = |phase: usize| {
            let newest_first = (0..taps).map(|tap| up * tap + phase);
            newest_first.rev().map(|n| if n < EBUR128_TAPS { coefficient(n) as f32 } else { 0.0 }).collect()
        };
        Some(Self::new((up, 1), taps / 2, &(0..up).map(phase).collect::<Vec<_>>()))
    }

    fn ffmpeg(sample_rate_hz: u32) -> Option<Self> {
        let divisor = gcd(sample_rate_hz, FFMPEG_RATE_HZ);
        let (up, down) = ((FFMPEG_RATE_HZ / divisor) as usize, (sample_rate_hz / divisor) as usize);
        // Rates without a short period are rare, and close to one that has a short period.
        if up > MAX_PERIOD || up <= down {
            return None;
        }
        let before = (FFMPEG_TAPS - 1) / 2;
        // Where there are more phases than ffmpeg keeps, it takes the last one before the point.
        let kept = up.min(FFMPEG_PHASES);
        let raw = |phase: usize| {
            let phase = (phase * kept / up) as f64 / kept as f64;
            (0..FFMPEG_TAPS).map(move |tap| {
                let at = tap as f64 - before as f64 - phase;
                let sinc = if at == 0.0 { 1.0 } else { libm::sin(PI * at) / (PI * at) };
                let edge = 2.0 * at / FFMPEG_TAPS as f64;
                sinc * bessel_i0(FFMPEG_BETA * libm::sqrt((1.0 - edge * edge).max(0.0)))
            })
        };
        let norm: f64 = raw(0).sum();
        let phases: Vec<_> = (0..up).map(|phase| raw(phase).map(|c| (c / norm) as f32).collect()).collect();
        Some(Self::new((up, down), before, &phases))
    }
}

/// Returns the first block with its own frames mirrored in front of it, as ffmpeg's resampler does: a stream that
/// begins in the middle of a sound reads up to 0.2 dB higher because of it.
fn mirrored(around: &[f32]) -> Vec<f32> {
    let before = around[MARGIN + 1..=2 * MARGIN].iter().rev();
    before.chain(&around[MARGIN..]).copied().collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Measures every block of [`BLOCK_FRAMES`] frames with all of these meters.
pub struct DeliveryMeters {
    interpolators: Vec<Interpolator>,
    /// Samples of left and right, from [`MARGIN`] frames before the next block on.
    channels: [Vec<f32>; 2],
    /// The first frame of the next block.
    start: u64,
}

impl DeliveryMeters {
    /// Creates the meters for one sample rate. The stream counts as preceded by silence.
    pub fn new(sample_rate_hz: u32) -> Self {
        let further = [Interpolator::ebur128(sample_rate_hz), Interpolator::ffmpeg(sample_rate_hz)];
        let interpolators: Vec<_> = std::iter::once(Interpolator::itu()).chain(further.into_iter().flatten()).collect();
        Self { interpolators, channels: [vec![0.0; MARGIN], vec![0.0; MARGIN]], start: 0 }
    }

    /// Takes the next frames and calls `visit` with the number and the peak of every block whose peak exceeds
    /// `threshold`.
    pub fn push(&mut self, frames: &[Frame], threshold: f32, mut visit: impl FnMut(u64, f32)) {
        for frames in frames.chunks(4096) {
            for (n, channel) in self.channels.iter_mut().enumerate() {
                channel.extend(frames.iter().map(|frame| frame[n]));
            }
            self.visit_complete(threshold, &mut visit);
        }
    }

    /// Measures the remaining blocks, as if the stream were followed by silence.
    pub fn finish(mut self, threshold: f32, mut visit: impl FnMut(u64, f32)) {
        let left = self.channels[0].len() - MARGIN;
        let padded = left.div_ceil(BLOCK_FRAMES) * BLOCK_FRAMES + 2 * MARGIN;
        self.channels.iter_mut().for_each(|channel| channel.resize(padded, 0.0));
        self.visit_complete(threshold, &mut visit);
    }

    fn visit_complete(&mut self, threshold: f32, visit: &mut impl FnMut(u64, f32)) {
        let blocks = self.channels[0].len().saturating_sub(2 * MARGIN) / BLOCK_FRAMES;
        let highest = self.channels.each_ref().map(|channel| highest_of_blocks(channel));
        let norm = self.interpolators.iter().map(Interpolator::norm).fold(0.0, f32::max);
        for block in 0..blocks {
            let at = block * BLOCK_FRAMES;
            let mut peak = 0.0_f32;
            for (channel, highest) in self.channels.iter().zip(&highest) {
                let highest = highest[block..=block + 2 * MARGIN / BLOCK_FRAMES].iter().copied().fold(0.0, larger);
                if norm * highest <= threshold {
                    continue;
                }
                let around = &channel[at..at + BLOCK_FRAMES + 2 * MARGIN];
                let (from, reach) = (self.start + at as u64, Reach::of(around, highest));
                for interpolator in &self.interpolators {
                    peak = peak.max(interpolator.peak(around, &reach, from, threshold.max(peak)));
                }
                if from == 0 {
                    let mirrored = mirrored(around);
                    let reach = Reach::of(&mirrored, highest);
                    let peaks = self
                        .interpolators
                        .iter()
                        .map(|interpolator| interpolator.peak(&mirrored, &reach, 0, threshold));
                    peak = peaks.fold(peak, f32::max);
                }
            }
            if peak > threshold {
                visit((self.start + at as u64) / BLOCK_FRAMES as u64, peak);
            }
        }
        self.channels.iter_mut().for_each(|channel| drop(channel.drain(..blocks * BLOCK_FRAMES)));
        self.start += (blocks * BLOCK_FRAMES) as u64;
    }
}

#[cfg(test)]
mod tests {
    use ebur128::{EbuR128, Mode};

    use super::*;
    use crate::random::Random;
    use crate::units::db_from_gain;

    fn peak(interpolators: Vec<Interpolator>, frames: &[Frame], block: usize) -> f32 {
        let mut meters = DeliveryMeters { interpolators, ..DeliveryMeters::new(48_000) };
        let mut peak = 0.0_f32;
        frames.chunks(block).for_each(|chunk| meters.push(chunk, 0.0, |_, p| peak = peak.max(p)));
        meters.finish(0.0, |_, p| peak = peak.max(p));
        peak
    }

    #[test]
    fn what_begins_in_the_middle_of_a_sound_is_read_as_by_a_meter_that_mirrors_it() {
        let mut random = Random::new(11);
        let frames: Vec<Frame> = (0..64).map(|_| [random.uniform() as f32 - 0.5, 0.0]).collect();
        let backwards = frames[1..=MARGIN].iter().rev();
        let mirrored: Vec<Frame> = backwards.chain(&frames).copied().collect();
        let of = |frames: &[Frame]| {
            let mut first = Vec::new();
            let mut meters = DeliveryMeters::new(48_000);
            meters.push(frames, 0.0, |block, peak| first.push((block, peak)));
            meters.finish(0.0, |block, peak| first.push((block, peak)));
            first
        };
        let (read, known) = (of(&frames)[0], of(&mirrored)[MARGIN / BLOCK_FRAMES]);
        assert_eq!((read.0, known.0), (0, (MARGIN / BLOCK_FRAMES) as u64));
        assert!(read.1 >= known.1 && known.1 > 0.0, "{read:?} {known:?}");
    }

    #[test]
    fn what_is_passed_over_is_never_higher_than_what_is_enough() {
        let mut random = Random::new(3);
        for rate in [44_100, 48_000, 96_000] {
            // Single samples and dense passages of all levels.
            let level = |n: usize| 0.2 + 0.8 * (n as f32 / 700.0).sin().powi(8);
            let noise: Vec<Frame> =
                (0..20_000).map(|n| [0; 2].map(|_| level(n) * libm::pow(random.bipolar(), 3.0) as f32)).collect();
            let visited = |threshold: f32| {
                let (mut meters, mut found) = (DeliveryMeters::new(rate), Vec::new());
                meters.push(&noise, threshold, |block, peak| found.push((block, peak)));
                meters.finish(threshold, |block, peak| found.push((block, peak)));
                found
            };
            let all = visited(0.0);
            for threshold in [0.5, 0.8, 1.0] {
                let higher: Vec<_> = all.iter().copied().filter(|(_, peak)| *peak > threshold).collect();
                assert!(higher.len() < all.len() && !higher.is_empty(), "{rate}, {threshold}");
                assert_eq!(visited(threshold), higher, "{rate}, {threshold}");
            }
        }
    }

    /// These points are within 0.003 dB of the peaks that ffmpeg 5.1 reads in noise like this.
    #[test]
    fn rates_without_a_short_period_are_read_as_those_with_one() {
        let mut random = Random::new(7);
        let mut last = 0.0;
        // Blue noise: most of it lies next to Nyquist.
        let noise: Vec<Frame> = (0..22_050)
            .map(|_| {
                let now = random.bipolar() as f32;
                [now - std::mem::replace(&mut last, now); 2]
            })
            .collect();
        let read = |rate| peak(Interpolator::ffmpeg(rate).into_iter().collect(), &noise, 1000);
        for [rate, like] in [[11_025, 8_000], [22_050, 16_000]] {
            let over_db = db_from_gain(f64::from(read(rate) / read(like)));
            assert!(over_db.abs() < 0.1, "{rate}: {over_db} dB");
        }
    }

    #[test]
    fn libebur128_reads_the_same_of_noise() {
        for rate in [44_100, 48_000, 96_000] {
            let mut random = Random::new(7);
            let noise: Vec<Frame> = (0..rate).map(|_| [0; 2].map(|_| random.bipolar() as f32)).collect();
            let mut meter = EbuR128::new(2, rate, Mode::TRUE_PEAK).expect("a meter");
            meter.add_frames_f32(noise.as_flattened()).expect("whole frames");
            let expected = meter.true_peak(0).and_then(|l| Ok(l.max(meter.true_peak(1)?))).expect("a peak");
            let got = peak(Interpolator::ebur128(rate).into_iter().collect(), &noise, 1000);
            assert!(db_from_gain(f64::from(got) / expected).abs() < 0.001, "{rate}: {got}, not {expected}");
        }
    }

    /// EBU Tech 3341 table 1, cases 15 to 18: +0.2/−0.4 dB is allowed.
    #[test]
    fn a_tone_reads_its_amplitude_on_all_of_them() {
        for (cycles, phase) in [(0.25, 0.25), (0.25, 0.0), (1.0 / 6.0, 1.0 / 3.0), (0.125, 0.375)] {
            let tone: Vec<Frame> = (0..5000)
                .map(|n| {
                    let fade = (n.min(5000 - n) as f64 / 500.0).min(1.0);
                    [(fade * (2.0 * PI * cycles * n as f64 + phase * PI).sin()) as f32; 2]
                })
                .collect();
            let all = [
                Some(Interpolator::itu()),
                Interpolator::ebur128(48_000),
                Interpolator::ffmpeg(48_000),
                Interpolator::ffmpeg(44_100),
            ];
            for (n, interpolator) in all.into_iter().flatten().enumerate() {
                let reading = db_from_gain(f64::from(peak(vec![interpolator], &tone, 64)));
                assert!((-0.4..0.2).contains(&reading), "{n}: {cycles} at {phase}: {reading}");
            }
        }
    }

    #[test]
    fn readings_do_not_depend_on_how_the_stream_is_cut_and_name_their_block() {
        let mut frames = vec![[0.0; 2]; 1000];
        frames[837] = [0.0, 0.9];
        let found = |block: usize| {
            let mut meters = DeliveryMeters::new(44_100);
            let mut found = Vec::new();
            frames.chunks(block).for_each(|chunk| meters.push(chunk, 0.8, |n, p| found.push((n, p))));
            meters.finish(0.8, |n, p| found.push((n, p)));
            found
        };
        let whole = found(1000);
        assert_eq!(whole, found(7));
        assert!(whole.iter().all(|(block, _)| (51..=53).contains(block)) && !whole.is_empty(), "{whole:?}");
    }
}
