//! A followed record: its balance arrives octave by octave, its notes do not, in the amount that is requested.

mod common;

use analyzer::analyze::Analyzer;
use analyzer::profile::Profile;
use analyzer::spectrum_bands::THIRD_OCTAVES;
use analyzer::stream::{Frame, Meter as _};
use analyzer::synth::demo_mix;
use common::{Folder, MIX, RATE_HZ, job, mastered, read, with};
use goldmaster::request::job::MasterJob;
use goldmaster::request::reference::{MatchKind, Reference};
use goldmaster::request::settings::{AmountSettings, Effort, Percent};
use models::balance::octave_wide;
use models::third_octaves::{ThirdOctaveLevels, difference, levels};

/// Third octaves over which balance is compared: 40 Hz to 10 kHz.
const COMPARED: std::ops::RangeInclusive<usize> = 2..=26;
const ALL: [bool; THIRD_OCTAVES] = [true; THIRD_OCTAVES];

fn spectrum(frames: &[Frame]) -> ThirdOctaveLevels {
    let mut analyzer = Analyzer::new(RATE_HZ, 2);
    analyzer.push(frames);
    let profile: Profile = analyzer.finish();
    levels(&profile).expect("it can be heard")
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().sum::<f64>() / values.count() as f64
}

/// Octave-wide gains of the mid from one sound to another, without their mean, dB.
fn balance(from: &[Frame], to: &[Frame]) -> Vec<f64> {
    let wide = octave_wide(&difference(&spectrum(from), &spectrum(to))[0], &ALL);
    let middle = mean(COMPARED.map(|band| wide[band]));
    COMPARED.map(|band| wide[band] - middle).collect()
}

/// Mean magnitude of [`balance`], dB.
fn apart(from: &[Frame], to: &[Frame]) -> f64 {
    mean(balance(from, to).iter().map(|db| db.abs()))
}

/// A one-pole shelf that lowers everything above `hz` to `gain`.
fn dull(frames: &[Frame], hz: f64, gain: f32) -> Vec<Frame> {
    let share = (std::f64::consts::TAU * hz / f64::from(RATE_HZ)) as f32;
    let mut low = [0.0f32; 2];
    let lowered = |frame: &Frame| {
        std::array::from_fn(|c| {
            low[c] += share * (frame[c] - low[c]);
            low[c] + gain * (frame[c] - low[c])
        })
    };
    frames.iter().map(lowered).collect()
}

/// Another song: faster and a fourth higher, thin, with half the side level.
fn other_song() -> Vec<Frame> {
    let song = demo_mix(RATE_HZ, 18.0);
    let places = (0..).map(|n| song.len() / 3 + (f64::from(n) * 1.335) as usize);
    let faster: Vec<Frame> = places.map_while(|at| song.get(at).copied()).collect();
    let low = dull(&faster, 300.0, 0.0);
    let thin = faster.iter().zip(&low).map(|(all, low)| [all[0] - 0.7 * low[0], all[1] - 0.7 * low[1]]);
    thin.map(|[l, r]| [0.75 * l + 0.25 * r, 0.25 * l + 0.75 * r]).collect()
}

fn towards(folder: &Folder, output: &str) -> MasterJob {
    let references = vec![Reference::whole(folder.path("record.wav"))];
    with(job(&folder.path("mix.wav"), &folder.path(output)), |settings| settings.references = references)
}

#[test]
fn a_dull_mix_becomes_as_bright_as_its_original() {
    let folder = Folder::new();
    let mix = dull(&MIX, 2000.0, 0.32);
    folder.wav("mix.wav", 2, &mix);
    folder.wav("record.wav", 2, &MIX);
    mastered(&towards(&folder, "a.wav"));
    let fault = balance(&mix, &MIX);
    let left = balance(&read(&folder.path("a.wav")).frames, &MIX);
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mended = 1.0 - product(&left, &fault) / product(&fault, &fault);
    assert!(mended > 0.8, "{mended}: {fault:?}, {left:?}");
}

#[test]
fn the_balance_of_another_song_arrives_and_its_notes_do_not() {
    let folder = Folder::new();
    let record = other_song();
    folder.wav("mix.wav", 2, &MIX);
    folder.wav("record.wav", 2, &record);
    let report = mastered(&towards(&folder, "a.wav"));
    let master = read(&folder.path("a.wav")).frames;
    let (before, after) = (apart(&MIX, &record), apart(&master, &record));
    assert!(before > 2.0 && after < 0.35 * before, "{before} {after}");
    let change = difference(&spectrum(&MIX), &spectrum(&master))[0];
    let wide = octave_wide(&change, &ALL);
    let rough = mean(COMPARED.map(|band| (change[band] - wide[band]).powi(2))).sqrt();
    assert!(rough < 0.6, "{rough} dB of what is narrower than an octave");
    // No octave is at a bound.
    let curve = &report.recipe.match_eq.mid_db.0;
    assert!(curve.windows(4).all(|octave| octave.iter().any(|db| db.abs() < 11.95)), "{curve:?}");
}

#[test]
fn as_much_is_done_as_is_asked_for() {
    let folder = Folder::new();
    let record = other_song();
    folder.wav("mix.wav", 2, &MIX);
    folder.wav("record.wav", 2, &record);
    for matching in [MatchKind::Balance, MatchKind::Literal] {
        let mut last = f64::INFINITY;
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let job = with(towards(&folder, &format!("{matching:?}{share}.wav")), |settings| {
                settings.matching = matching;
                settings.amounts = AmountSettings { tone: Percent(100.0 * share), ..AmountSettings::default() };
            });
            let recipe = mastered(&job).recipe;
            assert!(share > 0.0 || recipe.match_eq.mid_db.0.iter().all(|db| *db == 0.0), "{matching:?}: {recipe:?}");
            let distance = apart(&read(&job.output.path).frames, &record);
            assert!(distance < last - 0.05, "{matching:?} at {share}: {distance} after {last}");
            last = distance;
        }
        let job = with(towards(&folder, &format!("{matching:?}.wav")), |settings| {
            (settings.matching, settings.effort) = (matching, Effort::Off);
            settings.amounts = AmountSettings { width: Percent(0.0), ..AmountSettings::default() };
        });
        let eq = mastered(&job).recipe.match_eq;
        // A side that is only noise is not lifted with the mid.
        let alike = eq.mid_db.0.iter().zip(&eq.side_db.0).all(|(mid, side)| (mid - side).abs() < 0.02 || *side == 0.0);
        assert!(alike, "{matching:?} changes the width: {eq:?}");
    }
}

#[test]
fn a_section_of_a_record_can_be_chosen() {
    let folder = Folder::new();
    let bright = other_song();
    let seconds = bright.len() as f64 / f64::from(RATE_HZ);
    let both = [dull(&bright, 500.0, 0.1), bright.clone()].concat();
    folder.wav("mix.wav", 2, &MIX);
    folder.wav("record.wav", 2, &bright);
    folder.wav("b@th.wav", 2, &both);
    let section: Reference = format!("{}@{seconds:.4}-{:.4}", folder.path("b@th.wav").display(), 2.0 * seconds)
        .parse()
        .expect("it is written as sections are");
    let (alone, part) = (towards(&folder, "alone.wav"), towards(&folder, "part.wav"));
    let part = with(part, |settings| settings.references = vec![section.clone()]);
    let curves = [mastered(&alone), mastered(&part)].map(|report| report.recipe.match_eq);
    // The section is written to a tenth of a millisecond, which may be a frame more or less.
    let gains = curves.each_ref().map(|curves| [curves.mid_db.0, curves.side_db.0].concat());
    let largest_db = gains[0].iter().zip(&gains[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(largest_db < 0.05, "{largest_db} dB: {curves:?}");
    let beyond = Reference { section: "50-60".parse().ok(), ..section };
    let part = towards(&folder, "beyond.wav");
    let refused = goldmaster::workflows::master::master(
        &with(part, |settings| settings.references = vec![beyond]),
        &goldmaster::song::observer::Silent,
    );
    let words = refused.expect_err("there is nothing").to_string();
    assert!(words.contains("b@th.wav") && words.contains("0:50-1:00"), "{words}");
}
