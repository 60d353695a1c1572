use super::*;
use analyzer::random::Random;
use analyzer::stream::Meter;
use analyzer::true_peak::TruePeakMeter;
use std::f64::consts::PI;

use analyzer::units::db_from_gain;

const RATE: u32 = 48_000;
const SECOND: usize = RATE as usize;
const CEILING_DBTP: f64 = -1.0;

fn peaks_of(frames: &[Frame]) -> Vec<BlockPeaks> {
    let mut peaks = Vec::new();
    let mut trace = PeakTrace::new(0.0, RATE);
    trace.push(frames, |block| peaks.push(block));
    trace.finish(|block| peaks.push(block));
    peaks
}

/// The steps of every block, and of one more at the end; `trims` if there are any.
fn trimmed_steps(peaks: &[BlockPeaks], trims: &[f64], drive_db: f64) -> Vec<LimiterStep> {
    let mut gain = LimiterGain::new(&LimiterParams::default(), drive_db, CEILING_DBTP, RATE);
    let delay = gain.delay_blocks();
    let padded = peaks.iter().copied().chain(std::iter::repeat_n(BlockPeaks::default(), delay + 1));
    let trims = trims.iter().copied().chain(std::iter::repeat(1.0));
    padded.zip(trims).map(|(block, trim)| gain.next(block, trim)).skip(delay).collect()
}

/// The gain at the start of every block for peaks without bass, and one more at the end.
fn gains_of(levels: &[f32]) -> Vec<f32> {
    let peaks: Vec<BlockPeaks> =
        levels.iter().map(|x| BlockPeaks { extremes: [*x, 0.0, 0.0, 0.0], ..Default::default() }).collect();
    trimmed_steps(&peaks, &[], 0.0).iter().map(|step| step.gain).collect()
}

fn applied(frames: &[Frame], steps: &[LimiterStep], drive_db: f64) -> Vec<Frame> {
    let apply = LimiterApply::new(drive_db);
    let mut out = frames.to_vec();
    for (block, steps) in out.chunks_mut(BLOCK_FRAMES).zip(steps.windows(2)) {
        apply.process_block(block, &steps[0], &steps[1]);
    }
    out
}

/// The frames after trace, gain and multiplication.
fn limited(frames: &[Frame], drive_db: f64) -> Vec<Frame> {
    applied(frames, &trimmed_steps(&peaks_of(frames), &[], drive_db), drive_db)
}

fn true_peak_dbtp(frames: &[Frame]) -> f64 {
    let mut meter = TruePeakMeter::new();
    meter.push(frames);
    db_from_gain(meter.finish())
}

/// A sum of sines, given as (frequency, level in dBFS), at a phase whose crests fall between samples.
fn tones(parts: &[(f64, f64)], frames: usize) -> Vec<Frame> {
    let part = |n: usize, (hz, level_db): &(f64, f64)| {
        gain_from_db(*level_db) * libm::sin(2.0 * PI * hz * n as f64 / f64::from(RATE) + 0.7)
    };
    (0..frames).map(|n| [parts.iter().map(|p| part(n, p)).sum::<f64>() as f32; 2]).collect()
}

/// Amplitude of a spectral line with a whole number of periods.
fn line(frames: &[Frame], hz: f64) -> f64 {
    let step = 2.0 * PI * hz / f64::from(RATE);
    let (s, c) = frames.iter().enumerate().fold((0.0, 0.0), |(s, c), (n, [x, _])| {
        (s + f64::from(*x) * libm::sin(step * n as f64), c + f64::from(*x) * libm::cos(step * n as f64))
    });
    libm::hypot(s, c) * 2.0 / frames.len() as f64
}

/// Level of everything except a tone, relative to it.
fn distortion_db(frames: &[Frame], hz: f64) -> f64 {
    let power = frames.iter().map(|[x, _]| f64::from(*x).powi(2)).sum::<f64>() / frames.len() as f64;
    let tone = line(frames, hz).powi(2) / 2.0;
    10.0 * libm::log10(((power - tone) / tone).max(1e-15))
}

/// The highest of the lines `spacing_hz` apart within `reach_hz` of `centre_hz`, relative to the line there.
fn sidebands_db(frames: &[Frame], centre_hz: f64, spacing_hz: f64, reach_hz: f64) -> f64 {
    let count = (reach_hz / spacing_hz) as usize;
    let lines = (1..=count).flat_map(|n| [-1.0, 1.0].map(|side| centre_hz + side * n as f64 * spacing_hz));
    let highest = lines.map(|hz| line(frames, hz)).fold(0.0, f64::max);
    db_from_gain(highest / line(frames, centre_hz))
}

/// A low drum every half second (50 Hz, falling by 12 dB in 100 ms) over a held pair of 55 Hz and 3 kHz.
fn drum_over_held_pair(drum_db: f64, seconds: usize) -> Vec<Frame> {
    let mut frames = tones(&[(55.0, -12.0), (3000.0, -20.0)], seconds * SECOND);
    let drum: Vec<f32> = (0..SECOND * 2 / 5)
        .map(|n| n as f64 / f64::from(RATE))
        .map(|s| (gain_from_db(drum_db) * libm::sin(2.0 * PI * 50.0 * s) * libm::exp(-14.0 * s)) as f32)
        .collect();
    for start in (0..frames.len()).step_by(SECOND / 2) {
        for (frame, drum) in frames[start..].iter_mut().zip(&drum) {
            *frame = frame.map(|x| x + drum);
        }
    }
    frames
}

#[test]
fn no_peak_passes_the_ceiling_by_more_than_a_verifying_pass_can_trim() {
    let mut bursts = Vec::new();
    for level_db in [-20.0, 6.0, -20.0, 12.0, -30.0, 0.0] {
        bursts.extend(tones(&[(f64::from(RATE) / 4.0, level_db)], 3000));
        bursts.extend(tones(&[(700.0, level_db)], 3001));
    }
    let peak = true_peak_dbtp(&limited(&bursts, 3.0));
    assert!((-1.2..-0.8).contains(&peak), "{peak} dBTP");
}

/// Noise up to Nyquist is the hardest case: the detector misreads it, and its peaks are next to each other.
#[test]
fn a_trim_takes_the_gain_down_whichever_peak_holds_it() {
    let mut random = Random::new(5);
    let noise: Vec<Frame> = (0..SECOND).map(|_| [0, 1].map(|_| 2.0 * random.bipolar() as f32)).collect();
    let peaks = peaks_of(&noise);
    let mut trims = vec![1.0; peaks.len()];
    let threshold = LimiterGain::new(&LimiterParams::default(), 0.0, CEILING_DBTP, RATE).threshold();
    let ceiling = gain_from_db(CEILING_DBTP) as f32;
    let mut overs = Vec::new();
    for _ in 0..4 {
        let steps = trimmed_steps(&peaks, &trims, 0.0);
        let mut found = Vec::new();
        let mut scanner = BlockScanner::exact();
        scanner.push(&applied(&noise, &steps, 0.0), |block| found.push(block.fine_peak()));
        scanner.finish(|block| found.push(block.fine_peak()));
        overs.push(found.iter().filter(|peak| **peak > ceiling).count());
        for ((trim, found), steps) in trims.iter_mut().zip(&found).zip(steps.windows(2)) {
            if *found > ceiling {
                let gain = steps[0].gain.min(steps[1].gain) * ceiling / found * 0.999;
                *trim = threshold / f64::from(gain * steps[0].peak);
            }
        }
    }
    assert!(overs[0] > 10 && overs[3] == 0, "{overs:?}");
}

#[test]
fn what_stays_under_the_ceiling_is_only_driven() {
    let quiet = tones(&[(440.0, -12.0)], 20_000);
    let out = limited(&quiet, 6.0);
    let gain = gain_from_db(6.0);
    assert!(out.iter().zip(&quiet).all(|(y, x)| y[0] == (f64::from(x[0]) * gain) as f32));
}

#[test]
fn a_single_peak_is_limited_for_look_ahead_and_release_alone() {
    let mut peaks = vec![0.1; 400];
    peaks[200] = 2.0;
    let gains = gains_of(&peaks);
    let needed = gain_from_db(CEILING_DBTP) as f32 / 2.0;
    assert!((gains[200] - needed).abs() < 1e-6 && (gains[201] - needed).abs() < 1e-6);
    // 4 ms are 12 blocks of a third of a millisecond.
    assert!(gains[..=187].iter().chain(&gains[214..]).all(|gain| *gain == 1.0));
    assert!(gains[188..201].is_sorted_by(|a, b| a >= b) && gains[201..214].is_sorted());
}

#[test]
fn gaps_are_bridged_by_the_smaller_peak_and_only_so_deep() {
    let mut peaks = vec![0.1; 1200];
    let level = |db: f64| gain_from_db(CEILING_DBTP + db) as f32;
    for (start, [loud, quiet]) in [(100, [6.0, 3.0]), (700, [20.0, 16.0])] {
        (0..4).for_each(|n| peaks[start + 80 * n] = level(if n % 2 == 0 { loud } else { quiet }));
    }
    let gains = gains_of(&peaks);
    let at = |block: usize| db_from_gain(f64::from(gains[block]));
    assert!((at(140) + 3.0).abs() < 1e-4, "{}", at(140));
    assert!((at(740) + 12.0).abs() < 1e-4, "{}", at(740));
    assert_eq!(gains[520], 1.0);
}

#[test]
fn what_lasts_for_a_moment_is_a_hit_and_is_not_bridged() {
    let level = |db: f64| gain_from_db(CEILING_DBTP + db) as f32;
    let mut peaks = vec![0.1; 1200];
    // Five crests that are 13 ms apart: 53 ms; then nine: 107 ms.
    (0..5).for_each(|crest| peaks[100 + 40 * crest] = level(6.0));
    (0..9).for_each(|crest| peaks[460 + 40 * crest] = level(6.0));
    let gains = gains_of(&peaks);
    assert_eq!(gains[120], 1.0);
    assert!((db_from_gain(f64::from(gains[480])) + 6.0).abs() < 1e-4, "{}", gains[480]);
}

#[test]
fn a_steady_tone_comes_out_clean() {
    // Whole periods of both tones fit into the measured second.
    for hz in [997.0, 100.0, 83.0, 41.0] {
        let out = limited(&tones(&[(hz, 2.0)], 3 * SECOND), 0.0);
        let found = distortion_db(&out[SECOND..2 * SECOND], hz);
        assert!(found < -110.0, "{hz} Hz: {found} dB");
    }
}

/// Without bridges, there would be 7 dB of reduction forty times a second.
#[test]
fn the_lowest_bass_does_not_modulate_the_treble() {
    let out = limited(&tones(&[(20.0, 0.0), (15_000.0, 0.0)], 3 * SECOND), 0.0);
    let found = sidebands_db(&out[SECOND..2 * SECOND], 15_000.0, 20.0, 80.0);
    assert!(found < -80.0, "{found} dB");
}

/// A single-band limiter turns the tone down with the drum, which leaves sidebands of −33 dB at best for a drum 7 dB
/// over the ceiling.
#[test]
fn a_drum_does_not_make_a_held_tone_pump() {
    for drum_db in [2.0, 6.0] {
        let mix = drum_over_held_pair(drum_db, 3);
        let out = limited(&mix, 0.0);
        assert!(true_peak_dbtp(&mix) > CEILING_DBTP + drum_db, "{}", true_peak_dbtp(&mix));
        let found = sidebands_db(&out[SECOND..2 * SECOND], 3000.0, 2.0, 400.0);
        assert!(found < -44.0, "{drum_db} dB: {found} dB");
        assert!((-1.1..-0.9).contains(&true_peak_dbtp(&out)), "{}", true_peak_dbtp(&out));
    }
}

/// The low band does not pay for peaks that it has no share in.
#[test]
fn treble_that_peaks_leaves_the_bass_alone_but_for_the_gain_of_all() {
    let frames = tones(&[(60.0, -30.0), (5000.0, 2.0)], 2 * SECOND);
    let steps = trimmed_steps(&peaks_of(&frames), &[], 0.0);
    assert!(steps.iter().all(|step| step.low_cut < 0.01 && step.gain < 1.001));
    assert!(steps[steps.len() / 2].gain < 0.75);
}

/// The crests of a held bass note become a constant reduction, also within the low band.
#[test]
fn a_held_bass_note_comes_out_clean() {
    let out = limited(&tones(&[(55.0, 3.0)], 3 * SECOND), 0.0);
    let found = distortion_db(&out[SECOND..2 * SECOND], 55.0);
    assert!(found < -90.0, "{found} dB");
}
