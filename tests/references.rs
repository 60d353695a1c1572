//! Use of references: taken as they are, bad ones, or the song itself.

mod common;

use analyzer::analyze::Analyzer;
use analyzer::profile::Profile;
use analyzer::random::Random;
use analyzer::spectrum_bands::{THIRD_OCTAVES, third_octave_hz};
use analyzer::stream::{Frame, Meter as _};
use analyzer::synth::{demo_mix, pink_noise};
use common::{Folder, MIX, OTHER_MIX, RATE_HZ, job, louder, mastered, read, with};
use goldmaster::decide::refine::{TestPassages, refined};
use goldmaster::report::Report;
use goldmaster::report::warning::{Subject, WarningKind, WidthCause};
use goldmaster::request::delivery::{DeliveryRequest, LoudnessTarget};
use goldmaster::request::job::{MasterJob, RenderJob};
use goldmaster::request::reference::{MatchKind, Reference};
use goldmaster::request::settings::Effort;
use goldmaster::song::Song;
use goldmaster::song::observer::Silent;
use goldmaster::workflows::render::render;
use models::amounts::Amounts;
use models::features::{DYNAMICS_START, features};
use models::target::Target;
use models::third_octaves::{audible, difference, levels};
use renderer::recipe::Recipe;
use renderer::stages::multiband::BandParams;

fn profile(frames: &[Frame]) -> Profile {
    let mut analyzer = Analyzer::new(RATE_HZ, 2);
    analyzer.push(frames);
    analyzer.finish()
}

/// Mean and largest difference of two sounds over the audible bands, independent of level, dB.
fn apart(one: &[Frame], other: &[Frame]) -> (f64, f64) {
    let [one, other] = [one, other].map(|frames| levels(&profile(frames)).expect("it can be heard"));
    let (audible_bands, curves) = (audible(&other), difference(&one, &other));
    let differences: Vec<f64> = (0..2)
        .flat_map(|c| (0..THIRD_OCTAVES).filter(move |b| audible_bands[c][*b]).map(move |b| curves[c][b].abs()))
        .collect();
    (differences.iter().sum::<f64>() / differences.len() as f64, differences.into_iter().fold(0.0, f64::max))
}

/// A record by the same band, a later part, with another tone and wider.
fn record() -> Vec<Frame> {
    let (mut low, mut mean) = ([0.0f32; 2], Vec::new());
    for [l, r] in OTHER_MIX.iter() {
        let (mid, side) = (0.5 * (l + r), 0.5 * (l - r));
        low[0] += 0.05 * (mid - low[0]);
        low[1] += 0.05 * (side - low[1]);
        let (mid, side) = (mid - 0.35 * low[0], 1.5 * (side - 0.2 * low[1]));
        mean.push([mid + side, mid - side]);
    }
    mean
}

fn towards(folder: &Folder, record: &str, output: &str) -> MasterJob {
    let references = vec![Reference::whole(folder.path(record))];
    let wanted = DeliveryRequest { max_limiting_db: Some(1.0), ..DeliveryRequest::default() };
    with(job(&folder.path("mix.wav"), &folder.path(output)), |settings| {
        settings.references = references;
        settings.delivery = wanted
    })
}

#[test]
fn a_record_that_is_taken_as_it_is_gives_the_mix_its_spectrum() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    folder.wav("record.wav", 2, &record());
    let distance = |matching, effort, output: &str| {
        mastered(&with(towards(&folder, "record.wav", output), |settings| {
            settings.matching = matching;
            settings.effort = effort
        }));
        apart(&read(&folder.path(output)).frames, &record()).0
    };
    let untouched = apart(&MIX, &record()).0;
    let cautious = distance(MatchKind::Cautious, Effort::Fast, "a.wav");
    let literal = distance(MatchKind::Literal, Effort::Off, "b.wav");
    let refined = distance(MatchKind::Literal, Effort::Best, "c.wav");
    assert!(untouched > 1.5 && cautious < untouched, "{untouched} {cautious}");
    assert!(literal < 0.3 * cautious && refined <= literal, "{cautious} {literal} {refined}");
}

#[test]
fn what_the_chain_disturbs_is_corrected_and_told() {
    let folder = Folder::new();
    // Long enough that both halves contain a bit of everything.
    folder.wav("mix.wav", 2, &demo_mix(RATE_HZ, 20.0));
    folder.wav("record.wav", 2, &record());
    let (song, before) = Song::load_measured(&folder.path("mix.wav"), &Silent).expect("readable");
    let target = Target::references(&[("record".to_owned(), 1.0, profile(&record()))]).expect("it can be heard");
    let mut recipe = Recipe::default();
    recipe.match_eq.mid_db.0 = std::array::from_fn(|band| 2.0 - 0.1 * band as f64);
    recipe.match_eq.side_db = recipe.match_eq.mid_db.clone();
    // Compressors that make the loud bands quieter, whatever the equaliser is set to.
    for (band, threshold_db) in [(&mut recipe.multiband.low, -6.0), (&mut recipe.multiband.high, 0.0)] {
        *band = BandParams { ratio: 2.0, threshold_db, attack_ms: 1.0, release_ms: 40.0, ..BandParams::default() };
    }
    let wanted = |band| recipe.match_eq.gain_db_at(&recipe.match_eq.mid_db, third_octave_hz(band));
    // From 50 Hz to 8 kHz, without the mean.
    let miss_db = |recipe: &Recipe, output: &str| {
        let MasterJob { input, output, settings, .. } = job(&folder.path("mix.wav"), &folder.path(output));
        let job = RenderJob {
            input,
            output,
            recipe: recipe.clone(),
            settings: settings.values.clone(),
            as_is: false,
            strictness: settings.strictness(),
        };
        render(&job, &Silent).unwrap_or_else(|e| panic!("{e}"));
        let [before, after] =
            [before.clone(), profile(&read(&job.output.path).frames)].map(|p| levels(&p).expect("heard"));
        let missing: Vec<f64> = (3..26).map(|band| wanted(band) - difference(&before, &after)[0][band]).collect();
        let mean = missing.iter().sum::<f64>() / missing.len() as f64;
        missing.iter().map(|db| (db - mean).abs()).sum::<f64>() / missing.len() as f64
    };
    let refine = |effort| {
        let song_data = (&song, &before, &TestPassages::default());
        refined(song_data, &target, recipe.clone(), (&Amounts::default(), effort), &Silent).expect("it can be rendered")
    };
    assert_eq!(refine(Effort::Off), (recipe.clone(), None));
    let without_db = miss_db(&recipe, "off.wav");
    for (effort, share) in [(Effort::Fast, 0.6), (Effort::Best, 0.5)] {
        let (corrected, refinement) = refine(effort);
        let refinement = refinement.expect("listened");
        assert!(
            refinement.miss_after_db < share * refinement.miss_before_db && refinement.mid_db > 0.0,
            "{refinement:?}"
        );
        let with_db = miss_db(&corrected, &format!("{effort:?}.wav"));
        assert!(with_db < share * without_db, "{effort:?}: {with_db} {without_db}");
        assert_eq!(refine(effort).0, corrected);
    }
}

#[test]
fn a_song_that_is_its_own_reference_stays_as_it_is() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    let finished = mastered(&job(&folder.path("mix.wav"), &folder.path("finished.wav")));
    let frames = read(&folder.path("finished.wav")).frames;
    let (lufs, peak) = (finished.after.integrated_lufs.expect("it can be heard"), finished.after.true_peak_dbtp);
    for matching in [MatchKind::Balance, MatchKind::Literal, MatchKind::Cautious] {
        let wanted = DeliveryRequest {
            loudness: Some(LoudnessTarget::Lufs(lufs)),
            ceiling_dbtp: Some((100.0 * peak).round() / 100.0),
            ..DeliveryRequest::default()
        };
        let again = MasterJob {
            input: folder.path("finished.wav"),
            ..with(towards(&folder, "finished.wav", &format!("{matching:?}.wav")), |settings| {
                settings.delivery = wanted;
                settings.matching = matching
            })
        };
        let report = mastered(&again);
        assert!(has(&report, &WarningKind::ReferenceIsTheSong), "{:?}", report.warnings);
        let after = read(&again.output.path).frames;
        let (_, worst) = apart(&frames, &after);
        let [a, b] = [&frames, &after].map(|frames| features(&profile(frames)).expect("it can be heard"));
        let dynamics = (DYNAMICS_START..a.len()).map(|n| (a[n] - b[n]).abs()).fold(0.0, f64::max);
        assert!(worst < 0.1 && dynamics < 0.1, "{worst} dB, {dynamics} dB");
    }
}

#[test]
fn a_bad_reference_is_named_and_followed_no_further_than_it_can_be() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    let mono: Vec<Frame> = record().iter().map(|[l, r]| [0.5 * (l + r); 2]).collect();
    folder.wav("mono.wav", 2, &mono);
    let loudest = record().as_flattened().iter().fold(0.0f32, |max, x| max.max(x.abs()));
    let clipped: Vec<Frame> = record().iter().map(|f| f.map(|x| (8.0 * x / loudest).clamp(-1.0, 1.0))).collect();
    folder.wav("clipped.wav", 2, &clipped);
    folder.wav("short.wav", 2, &record()[..3 * RATE_HZ as usize]);
    folder.wav("voice.wav", 2, &voice());
    let followed = |name: &str| {
        let report = mastered(&with(towards(&folder, name, &format!("{name}.out.wav")), |settings| {
            settings.effort = Effort::Off
        }));
        let about = Subject::Reference(name.to_owned());
        let warnings = report.warnings.into_iter().filter(|warning| warning.about == about);
        (warnings.map(|warning| warning.fact.kind).collect::<Vec<_>>(), report.recipe)
    };
    let (warnings, recipe) = followed("mono.wav");
    assert!(warnings.contains(&WarningKind::ReferenceHasNoWidth { cause: WidthCause::Mono }), "{warnings:?}");
    // A side that is only noise is not lifted with the mid.
    let is_alike = |band: usize| recipe.match_eq.side_db.0[band] == recipe.match_eq.mid_db.0[band];
    assert!((8..40).all(is_alike), "{recipe:?}");
    assert!(followed("clipped.wav").0.contains(&WarningKind::ReferenceClips { applied_pct: 50.0 }));
    assert!(followed("short.wav").0.contains(&WarningKind::ReferenceIsShort { length_s: 3.0, applied_pct: 50.0 }));
    folder.wav("noise.wav", 2, &pink_noise(RATE_HZ, -20.0, 8.0, 3));
    assert!(followed("noise.wav").0.contains(&WarningKind::ReferenceIsNoise));
    let (warnings, recipe) = followed("voice.wav");
    let voice = profile(&voice());
    assert!(
        warnings.contains(&WarningKind::ReferenceIsSpeech),
        "{warnings:?} {:?} {:?}",
        voice.dynamics.bands,
        voice.rhythm
    );
    assert!(recipe.multiband.bands().iter().all(|band| band.ratio == 1.0));
}

fn has(report: &Report, kind: &WarningKind) -> bool {
    report.warnings.iter().any(|warning| warning.kind == *kind)
}

/// Something like a voice: a buzz in formants, syllable by syllable, with pauses.
fn voice() -> Vec<Frame> {
    let rate = f64::from(RATE_HZ);
    let mut random = Random::new(4);
    let (mut frames, mut phase) = (Vec::new(), 0.0f64);
    let (mut formants, mut last_hiss) = ([[0.0f64; 2]; 3], 0.0);
    while frames.len() < 10 * RATE_HZ as usize {
        let (pitch, length) = (110.0 + 40.0 * random.uniform(), 0.12 + 0.15 * random.uniform());
        let places = [400.0 + 400.0 * random.uniform(), 1200.0 + 900.0 * random.uniform(), 2600.0];
        let pause = if random.uniform() < 0.25 { 0.5 } else { 0.06 };
        for n in 0..((length + pause) * rate) as usize {
            let time = n as f64 / rate;
            phase = (phase + pitch / rate).fract();
            // A quick start and a slow end, with an occasional hiss in between.
            let gate = if time < length { (time / 0.008).min(1.0) * (1.0 - time / length).powi(2) } else { 0.0 };
            let hiss = if pause < 0.1 && time > length { 0.15 * random.bipolar() } else { 0.0 };
            let buzz = gate * (if phase < 0.1 { 1.0 } else { 0.0 } - 0.1 + 0.05 * random.bipolar());
            let mut sum = 0.0;
            for (hz, memory) in places.into_iter().zip(&mut formants) {
                let (radius, turn) = (0.985, std::f64::consts::TAU * hz / rate);
                let y = buzz + 2.0 * radius * turn.cos() * memory[0] - radius * radius * memory[1];
                *memory = [y, memory[0]];
                sum += y * turn.sin();
            }
            let breath = hiss - last_hiss;
            last_hiss = hiss;
            frames.push([(0.02 * sum + breath) as f32; 2]);
        }
    }
    // No rumble: frequencies below the voice are filtered out.
    let mut low = 0.0f32;
    frames
        .iter()
        .map(|[x, _]| {
            low += 0.02 * (x - low);
            [x - low; 2]
        })
        .collect()
}

#[test]
fn a_master_is_mastered_towards_the_same_only_once() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    // Louder than the song can be mastered well.
    folder.wav("record.wav", 2, &louder(&record(), 20.0));
    for (references, output) in
        [(Vec::new(), "a.wav"), (towards(&folder, "record.wav", "").settings.references, "b.flac")]
    {
        let once = with(job(&folder.path("mix.wav"), &folder.path(output)), |settings| {
            settings.references = references.clone()
        });
        mastered(&once);
        let twice = with(job(&folder.path(output), &folder.path(&format!("again.{output}"))), |settings| {
            settings.references = references
        });
        let report = mastered(&twice);
        assert!(has(&report, &WarningKind::AlreadyMastered), "{:?}", report.warnings);
        // It is not limited any further, either.
        let louder_lu = report.after.integrated_lufs.zip(report.before.and_then(|before| before.integrated_lufs));
        assert!(louder_lu.is_some_and(|(after, before)| (after - before).abs() < 0.1), "{output}: {louder_lu:?}");
        let [first, second] = [&once, &twice].map(|job| read(&job.output.path).frames);
        let (changed, again) = (apart(&MIX, &first).0, apart(&first, &second).0);
        assert!(changed > 0.1 && again < 0.1 * changed, "{output}: {changed} dB, then {again} dB");
        // The third master has the same information as the second, and a recipe writes the same bytes.
        let third = MasterJob {
            output: goldmaster::request::job::Output {
                path: folder.path(&format!("third.{output}")),
                ..twice.output.clone()
            },
            input: twice.output.path.clone(),
            ..twice.clone()
        };
        assert!(has(&mastered(&third), &WarningKind::AlreadyMastered));
    }
    // Towards another target, there is something to do.
    let other = MasterJob { input: folder.path("a.wav"), ..towards(&folder, "record.wav", "c.wav") };
    assert!(!has(&mastered(&other), &WarningKind::AlreadyMastered));
}
