//! Properties that hold for any sound, tested on random examples that are the same in every run.

use analyzer::fft::{Complex, RealFft};
use analyzer::lanes::Pair;
use analyzer::loudness::LoudnessMeter;
use analyzer::random::Random;
use analyzer::readings::LoudnessReading;
use analyzer::stream::{Frame, Meter};
use analyzer::true_peak::TruePeakMeter;
use analyzer::units::{db_from_gain, gain_from_db};
use ebur128::{EbuR128, Mode};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const RATE_HZ: u32 = 48_000;

/// Rounding of single-precision samples, LU.
const ROUNDING_LU: f64 = 1e-4;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(13), failure_persistence: None, ..ProptestConfig::default() }
}

/// Passages of noise, each of its own level in either channel and length in tenths of a second.
fn song() -> impl Strategy<Value = Vec<Frame>> {
    let passage = (-60.0..0.0f64, -60.0..0.0f64, 1..15usize, any::<u64>());
    proptest::collection::vec(passage, 1..8).prop_map(|passages| {
        let noise = |(left_db, right_db, tenths, seed): (f64, f64, usize, u64)| {
            let (mut random, gains) = (Random::new(seed), [left_db, right_db].map(gain_from_db));
            let frame = move |_| gains.map(|gain| (gain * random.bipolar()) as f32);
            (0..tenths * RATE_HZ as usize / 10).map(frame).collect::<Vec<Frame>>()
        };
        passages.into_iter().flat_map(noise).collect()
    })
}

fn loudness(song: &[Frame]) -> LoudnessReading {
    let mut meter = LoudnessMeter::new(RATE_HZ);
    meter.push(song);
    meter.finish()
}

fn true_peak_dbtp(song: &[Frame]) -> f64 {
    let mut meter = TruePeakMeter::new();
    meter.push(song);
    db_from_gain(meter.finish())
}

fn changed(song: &[Frame], change: impl Fn(Frame) -> Frame) -> Vec<Frame> {
    song.iter().map(|frame| change(*frame)).collect()
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn loudness_and_peak_do_not_depend_on_blocks_channel_order_or_polarity(song in song(), block in 1..5000usize) {
        let (whole, peak) = (loudness(&song), true_peak_dbtp(&song));
        let mut meters = (LoudnessMeter::new(RATE_HZ), TruePeakMeter::new());
        song.chunks(block).for_each(|block| {
            meters.0.push(block);
            meters.1.push(block);
        });
        prop_assert_eq!(&meters.0.finish(), &whole);
        prop_assert_eq!(db_from_gain(meters.1.finish()), peak);
        let inverted = changed(&song, |[left, right]| [-left, -right]);
        prop_assert_eq!(&loudness(&inverted), &whole);
        prop_assert_eq!(true_peak_dbtp(&inverted), peak);
        let swapped = changed(&song, |[left, right]| [right, left]);
        prop_assert_eq!(&loudness(&swapped), &whole);
        prop_assert_eq!(true_peak_dbtp(&swapped), peak);
    }

    #[test]
    fn a_gain_moves_loudness_and_peak_by_itself_and_the_range_not_at_all(song in song(), gain_db in 0.0..20.0f64) {
        // The song is first raised by 60 dB: a quiet passage could otherwise lie under the absolute gate before the
        // gain and above it afterwards.
        let loud = changed(&song, |frame| frame.map(|x| 1000.0 * x));
        let louder = changed(&loud, |frame| frame.map(|x| (gain_from_db(gain_db) * f64::from(x)) as f32));
        let (before, after) = (loudness(&loud), loudness(&louder));
        for (before, after) in [
            (before.integrated_lufs, after.integrated_lufs),
            (before.max_momentary_lufs, after.max_momentary_lufs),
            (before.max_short_term_lufs, after.max_short_term_lufs),
            (Some(true_peak_dbtp(&loud)), Some(true_peak_dbtp(&louder))),
        ] {
            prop_assert_eq!(before.is_some(), after.is_some());
            if let (Some(before), Some(after)) = (before, after) {
                prop_assert!((after - before - gain_db).abs() < ROUNDING_LU, "{} to {}", before, after);
            }
        }
        prop_assert!((after.range_lu - before.range_lu).abs() < ROUNDING_LU);
    }

    #[test]
    fn no_mean_is_over_its_largest_part(song in song()) {
        let reading = loudness(&song);
        if let (Some(integrated), Some(momentary)) = (reading.integrated_lufs, reading.max_momentary_lufs) {
            prop_assert!(integrated <= momentary + 1e-9, "{} over {}", integrated, momentary);
        }
        let sample_peak = song.as_flattened().iter().fold(0.0, |max: f32, x| max.max(x.abs()));
        prop_assert!(true_peak_dbtp(&song) >= db_from_gain(f64::from(sample_peak)) - 1e-9);
        prop_assert!(reading.range_lu >= 0.0);
    }

    #[test]
    fn another_meter_agrees_on_the_loudness(song in song()) {
        let mut other = EbuR128::new(2, RATE_HZ, Mode::I).expect("a meter");
        other.add_frames_f32(song.as_flattened()).expect("whole frames");
        let (ours, theirs) = (loudness(&song).integrated_lufs, other.loudness_global().expect("a loudness"));
        match ours {
            Some(ours) => prop_assert!((ours - theirs).abs() < 0.001, "{} instead of {}", ours, theirs),
            None => prop_assert!(theirs == f64::NEG_INFINITY, "nothing instead of {}", theirs),
        }
    }

    /// Periodic tones have a peak that their Fourier series gives exactly.
    #[test]
    fn true_peak_is_that_of_the_fourier_series(
        tones in proptest::collection::vec((1..CYCLES, 0.01..1.0f64, 0.0..std::f64::consts::TAU), 1..12),
    ) {
        let mut fft = RealFft::<Pair>::new(POINTS * PERIOD);
        let (mut series, mut fine) = (fft.empty_spectrum(), fft.silence());
        for &(cycles, level, phase) in &tones {
            let tone = Complex::from_polar(0.05 * level, phase);
            let bin = &mut series[cycles];
            *bin = Complex::new(Pair::new([bin.re.lanes()[0] + tone.re, 0.0]), Pair::new([bin.im.lanes()[0] + tone.im, 0.0]));
        }
        fft.inverse(&mut series, &mut fine);
        let ideal = fine.iter().fold(0.0, |max: f64, x| max.max(x.lanes()[0].abs()));
        // The signal fades in and out over two periods each, with four periods in between.
        let fade = |n: usize| {
            let from_end = n.min(8 * PERIOD - 1 - n) as f64 / (2 * PERIOD) as f64;
            0.5 - 0.5 * libm::cos(std::f64::consts::PI * from_end.min(1.0))
        };
        let frames: Vec<Frame> =
            (0..8 * PERIOD).map(|n| [(fade(n) * fine[n % PERIOD * POINTS].lanes()[0]) as f32, 0.0]).collect();
        let off_db = true_peak_dbtp(&frames) - db_from_gain(ideal);
        prop_assert!(off_db.abs() < 0.02, "{} dB off", off_db);
    }
}

/// Samples until the tones repeat, and points between two.
const PERIOD: usize = 1 << 10;
const POINTS: usize = 32;
/// Up to 0.9 of Nyquist, where the interpolation is flat.
const CYCLES: usize = PERIOD * 45 / 100;
