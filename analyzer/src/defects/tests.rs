use super::*;
use crate::analyze::Analyzer;
use crate::stream::{Frame, Meter};
use crate::synth::{demo_mix, pink_noise, silence, sine};

fn found(frames: impl IntoIterator<Item = Frame>) -> Vec<Defect> {
    let frames: Vec<Frame> = frames.into_iter().collect();
    let mut analyzer = Analyzer::new(44_100, 2);
    analyzer.push(&frames);
    analyzer.finish().defects
}

/// Codes of the faults, as written in JSON.
fn codes(frames: impl IntoIterator<Item = Frame>) -> Vec<String> {
    let code = |defect: Defect| serde_json::to_value(defect).expect("plain data")["code"].as_str().map(str::to_owned);
    found(frames).into_iter().filter_map(code).collect()
}

fn has(frames: impl IntoIterator<Item = Frame>, code: &str) -> bool {
    codes(frames).iter().any(|found| found == code)
}

fn noise() -> Vec<Frame> {
    pink_noise(44_100, -20.0, 5.0, 21)
}

#[test]
fn a_clean_song_has_no_defects() {
    assert_eq!(codes(demo_mix(44_100, 12.0)), [""; 0]);
    assert_eq!(codes(noise()), [""; 0]);
}

#[test]
fn clipping_says_where_and_how_much() {
    let mut song = demo_mix(44_100, 6.0);
    song[2 * 44_100..].iter_mut().flatten().for_each(|x| *x = (*x * 12.0).clamp(-0.95, 0.95));
    let defects = found(song);
    assert!(matches!(defects[0].kind, DefectKind::Clipping { flat_tops: 10.., longest_samples: 3.. }), "{defects:?}");
    assert!((2.0..2.8).contains(&defects[0].at_s) && defects[0].severity > 0.5, "{:?}", defects[0]);
}

#[test]
fn a_square_wave_is_not_clipped() {
    let square = sine(44_100, 220.0, 0.0, 3.0).into_iter().map(|[l, r]| [0.5 * l.signum(), 0.5 * r.signum()]);
    assert!(!has(square, "clipping"));
}

#[test]
fn peaks_between_samples_are_named_when_they_pass_full_scale() {
    let tone = |gain: f32| (0..44_100).map(move |n| [gain * [0.7, 0.7, -0.7, -0.7][n % 4], 0.1 * gain]);
    assert!(has(tone(1.1), "inter_sample_overs"));
    assert!(!has(tone(0.9), "inter_sample_overs"));
}

#[test]
fn an_offset_is_named_but_music_without_one_is_not() {
    assert_eq!(codes(noise().into_iter().map(|[l, r]| [l + 0.02, r])), ["dc_offset"]);
}

#[test]
fn channel_faults_are_told_apart() {
    assert_eq!(codes(noise().into_iter().map(|[l, _]| [l, l])), ["mono"]);
    assert_eq!(codes(noise().into_iter().map(|[l, r]| [l, 0.96 * l + 0.01 * r])), ["nearly_mono"]);
    assert_eq!(codes(noise().into_iter().map(|[l, _]| [l, 0.0])), ["one_channel"]);
    assert_eq!(codes(noise().into_iter().map(|[l, r]| [l, 0.3 * r - l])), ["out_of_phase"]);
}

#[test]
fn a_mono_file_is_not_blamed_for_being_mono() {
    let mut analyzer = Analyzer::new(44_100, 1);
    analyzer.push(&noise().into_iter().map(|[l, _]| [l, l]).collect::<Vec<_>>());
    assert_eq!(analyzer.finish().defects, []);
}

#[test]
fn silence_is_one_defect() {
    assert_eq!(codes(silence(44_100, 3.0)), ["silence"]);
}

#[test]
fn samples_that_are_no_numbers_are_counted_and_spoil_nothing() {
    let mut song = noise();
    song[44_100] = [f32::NAN, 0.0];
    song[50_000] = [0.0, f32::NEG_INFINITY];
    let mut analyzer = Analyzer::new(44_100, 2);
    analyzer.push(&song);
    let profile = analyzer.finish();
    assert_eq!(profile.defects[0].kind, DefectKind::NotANumber { samples: 2 });
    assert!((profile.defects[0].at_s - 1.0).abs() < 1e-9);
    assert!(profile.loudness.integrated_lufs.unwrap().is_finite());
    // Noise has no tempo and no pauses; everything else is a number.
    assert!(serde_json::to_string(&profile).is_ok_and(|json| json.matches("null").count() == 2));
}

#[test]
fn a_gap_torn_into_the_sound_is_found_and_a_rest_is_not() {
    let mut song = demo_mix(44_100, 6.0);
    assert!(song[200_000].iter().all(|x| x.abs() > 0.01), "loud where it is torn");
    song[200_001..200_300].fill([0.0; 2]);
    let defects = found(song);
    assert_eq!(defects.len(), 1);
    assert_eq!(defects[0].kind, DefectKind::Dropouts { gaps: 1 });
    assert!((defects[0].at_s - 200_001.0 / 44_100.0).abs() < 1e-9);
    let pulses = (0..200_000).map(|n| if n % 200 < 60 { [0.5; 2] } else { [0.0, 0.0] });
    assert!(!has(pulses, "dropouts"));
}

#[test]
fn a_limited_song_is_told_from_one_with_free_peaks() {
    let song = demo_mix(44_100, 12.0);
    let levelled = |gain: f32| song.iter().map(move |frame| frame.map(|x| 0.95 * libm::tanhf(gain * x)));
    assert!(has(levelled(30.0), "limited"));
    assert!(!has(levelled(1.0), "limited"));
}

#[test]
fn hum_is_named_with_its_frequency() {
    let mut song = pink_noise(44_100, -40.0, 8.0, 3);
    for (hz, db) in [(60.0, -40.0), (120.0, -45.0)] {
        for (x, line) in song.iter_mut().zip(sine(44_100, hz, db, 8.0)) {
            *x = [x[0] + line[0], x[1] + line[1]];
        }
    }
    let defects = found(song);
    assert!(matches!(defects[0].kind, DefectKind::Hum { mains_hz: 60.0, .. }), "{defects:?}");
}

#[test]
fn noise_in_a_pause_is_named_and_in_a_quiet_one_is_not() {
    let song = || [demo_mix(44_100, 6.0), silence(44_100, 2.0), demo_mix(44_100, 6.0)].concat();
    let with_noise = |level_db: f64| -> Vec<Frame> {
        let noise = pink_noise(44_100, level_db, 14.0, 2);
        song().into_iter().zip(noise).map(|(a, b)| [a[0] + b[0], a[1] + b[1]]).collect()
    };
    let defects = found(with_noise(-55.0));
    assert!(matches!(defects[0].kind, DefectKind::Noise { .. }), "{defects:?}");
    assert!((6.0..8.0).contains(&defects[0].at_s), "{defects:?}");
    assert!(!has(with_noise(-85.0), "noise"));
}

#[test]
fn long_silence_around_the_music_is_measured() {
    let mut song = silence(44_100, 3.0);
    song.extend(noise());
    song.extend(silence(44_100, 6.0));
    let defects = found(song);
    assert_eq!(defects[0].kind, DefectKind::LongSilence { head_s: 3.0, tail_s: 6.0 });
}
