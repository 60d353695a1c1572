//! Effects on dynamics, measured on the written files.

mod common;

use std::f64::consts::TAU;

use analyzer::analyze::Analyzer;
use analyzer::fft::spectrum_of;
use analyzer::punch::Punch;
use analyzer::random::Random;
use analyzer::stream::{Frame, Meter as _};
use analyzer::synth::{demo_mix, pink_noise, sine};
use analyzer::units::{db_from_gain, gain_from_db};
use common::{Folder, OTHER_MIX, RATE_HZ, job, mastered, read, with};
use goldmaster::render::promises::Verdict;
use goldmaster::request::delivery::LoudnessTarget;
use goldmaster::request::destination::Destination;
use goldmaster::request::job::MasterJob;
use goldmaster::request::reference::Reference;
use goldmaster::request::settings::{MasterSettings, Percent};
use renderer::recipe::Recipe;

fn towards(folder: &Folder, output: &str, change: impl FnOnce(&mut MasterSettings)) -> MasterJob {
    with(job(&folder.path("mix.wav"), &folder.path(output)), |settings| {
        settings.references = vec![Reference { path: folder.path("record.wav"), weight: 1.0, section: None }];
        settings.delivery.loudness = Some(LoudnessTarget::Lufs(-16.0));
        change(settings);
    })
}

fn punch(frames: &[Frame]) -> Vec<Punch> {
    let mut analyzer = Analyzer::new(RATE_HZ, 2);
    analyzer.push(frames);
    analyzer.finish().dynamics.bands.iter().map(|band| band.mid).collect()
}

/// A part of a song whose level rises and falls by `swing_db` four times a second, in steps.
fn swinging(part: &[Frame], swing_db: f64) -> Vec<Frame> {
    let mut song = part.to_vec();
    for (n, part) in song.chunks_mut(RATE_HZ as usize / 8).enumerate() {
        let gain = gain_from_db(if n % 2 == 0 { swing_db } else { -swing_db }) as f32;
        part.iter_mut().for_each(|frame| *frame = frame.map(|x| x * gain));
    }
    song
}

#[test]
fn a_song_that_swings_more_than_its_reference_comes_closer_to_it_as_far_as_is_asked() {
    let folder = Folder::new();
    // The record is another song: a difference from another part of the same song would be attributed to the song.
    let (song, record) = (swinging(&demo_mix(RATE_HZ, 20.0), 6.0), OTHER_MIX.to_vec());
    folder.wav("mix.wav", 2, &song);
    folder.wav("record.wav", 2, &record);
    let wanted = punch(&record);
    let away_db = |frames: &[Frame]| {
        punch(frames).iter().zip(&wanted).map(|(a, b)| (a.swing_db - b.swing_db).abs()).sum::<f64>() / 4.0
    };
    let untouched_db = away_db(&song);
    let of = |pct: f64| {
        let name = format!("{pct}.wav");
        let report = mastered(&towards(&folder, &name, |settings| settings.amounts.dynamics = Percent(pct)));
        assert!(report.recipe.multiband.bands().iter().all(|band| (0.7..=3.0).contains(&band.ratio)));
        (away_db(&read(&folder.path(&name)).frames), report.recipe)
    };
    let ((none_db, none), (half_db, _), (all_db, _)) = (of(0.0), of(50.0), of(100.0));
    let Recipe { multiband, glue, saturator, clipper, .. } = Recipe::default();
    assert_eq!((none.multiband, none.glue, none.saturator, none.clipper), (multiband, glue, saturator, clipper));
    assert!(all_db < 0.85 * untouched_db, "{all_db} dB away, {untouched_db} before");
    assert!(all_db < half_db && half_db < none_db, "{all_db} {half_db} {none_db}");
}

/// Short bursts of noise, 3 s apart, over almost nothing.
fn sparse_hits() -> Vec<Frame> {
    let mut song = pink_noise(RATE_HZ, -75.0, 24.0, 3);
    let mut random = Random::new(5);
    for start in (0..song.len()).step_by(3 * RATE_HZ as usize) {
        for n in 0..RATE_HZ as usize / 50 {
            let x = (0.5 * random.bipolar() * libm::exp(-(n as f64) / 200.0)) as f32;
            song[start + n] = [x; 2];
        }
    }
    song
}

#[test]
fn sparse_hits_over_a_quiet_floor_are_not_flattened_for_loudness_and_the_shortfall_is_named() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &sparse_hits());
    let report = mastered(&job(&folder.path("mix.wav"), &folder.path("out.wav")));
    let loudness = &report.promises[0];
    assert_eq!(loudness.verdict, Verdict::Short, "{loudness:?}");
    assert!(loudness.sentence.contains("single hits"), "{loudness:?}");
    assert!((10.0..=12.2).contains(&report.peak_limiting_db), "{} dB", report.peak_limiting_db);
    let strict = folder.goldmaster(&["mix.wav", "-o", "strict.wav", "--strict"]);
    assert_eq!(strict.code, Some(3), "{strict:?}");
    assert!(!folder.path("strict.wav").exists());
}

/// A tone of 55 Hz and one of 3 kHz, held, under a kick drum that beats twice a second.
fn pair_under_kick(seconds: f64) -> Vec<Frame> {
    let (low, high) = (sine(RATE_HZ, 55.0, -12.0, seconds), sine(RATE_HZ, 3000.0, -20.0, seconds));
    let beat = RATE_HZ as usize / 2;
    let kick = |n: usize| {
        let t = (n % beat) as f64 / f64::from(RATE_HZ);
        0.5 * libm::exp(-t / 0.072) * libm::sin(TAU * 50.0 * t)
    };
    low.iter().zip(&high).enumerate().map(|(n, (low, high))| [low[0] + high[0] + kick(n) as f32; 2]).collect()
}

/// The highest line within 400 Hz of 3 kHz relative to that of the tone, dB, over the last four seconds.
fn sideband_db(frames: &[Frame]) -> f64 {
    let size = 4 * RATE_HZ as usize;
    // Blackman-Harris: side lobes of -92 dB, four bins wide.
    let window = |n: usize| {
        let turn = TAU * n as f64 / size as f64;
        0.358_75 - 0.488_29 * libm::cos(turn) + 0.141_28 * libm::cos(2.0 * turn) - 0.011_68 * libm::cos(3.0 * turn)
    };
    let last = &frames[frames.len() - size..];
    let time: Vec<f64> = last.iter().enumerate().map(|(n, frame)| f64::from(frame[0]) * window(n)).collect();
    let bins = spectrum_of(&time);
    let tone = 3000 * 4;
    let highest = (tone - 1600..=tone + 1600)
        .filter(|bin: &usize| bin.abs_diff(tone) > 4)
        .map(|bin| bins[bin].norm())
        .fold(0.0, f64::max);
    db_from_gain(highest / bins[tone].norm())
}

#[test]
fn a_kick_drum_pumps_nothing_above_it_whatever_was_decided() {
    let folder = Folder::new();
    let song = pair_under_kick(12.0);
    folder.wav("mix.wav", 2, &song);
    folder.wav("record.wav", 2, &pink_noise(RATE_HZ, -14.0, 12.0, 7));
    assert!(sideband_db(&song) < -80.0);
    for (name, is_club) in [("record.out.wav", false), ("club.out.wav", true)] {
        mastered(&towards(&folder, name, |settings| {
            if is_club {
                settings.references.clear();
                settings.delivery.loudness = Some(LoudnessTarget::Lufs(-12.0));
                settings.delivery.destinations = vec![Destination::Club];
            }
        }));
        let highest_db = sideband_db(&read(&folder.path(name)).frames);
        assert!(highest_db < -40.0, "{name}: {highest_db} dB");
    }
}
