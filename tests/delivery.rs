//! Masters have the loudness, the peak and the format that were requested.

mod common;

use analyzer::synth::demo_mix;
use common::{DEFAULT_DBTP, DEFAULT_LUFS, Folder, MIX, OTHER_MIX, SECONDS, job, louder, mastered, read, with};
use goldmaster::render::promises::{PromiseKind, Shortfall, Verdict};
use goldmaster::request::delivery::{DeliveryRequest, LoudnessTarget, WordLength};
use goldmaster::request::destination::Destination;
use goldmaster::song::observer::Silent;
use goldmaster::workflows::master::master;

#[test]
fn the_sample_rate_of_the_mix_is_kept() {
    let folder = Folder::new();
    for rate in [8_000, 44_100, 48_000, 96_000] {
        let mix = demo_mix(rate, SECONDS);
        let input = folder.wav_at(&format!("{rate}.wav"), rate, 2, &mix);
        let output = folder.path(&format!("{rate}.master.wav"));
        mastered(&job(&input, &output));
        let sound = read(&output);
        assert_eq!((sound.sample_rate_hz, sound.frames.len()), (rate, mix.len()));
        sound.assert_keeps(DEFAULT_LUFS, DEFAULT_DBTP);
    }
}

#[test]
fn another_sample_rate_is_made_when_it_is_asked_for() {
    let folder = Folder::new();
    let mix = demo_mix(48_000, SECONDS);
    let input = folder.wav_at("48.wav", 48_000, 2, &mix);
    let output = folder.path("44.wav");
    let wanted = DeliveryRequest { sample_rate_hz: Some(44_100), ..DeliveryRequest::default() };
    mastered(&with(job(&input, &output), |settings| settings.delivery = wanted));
    let sound = read(&output);
    assert_eq!((sound.sample_rate_hz, sound.bits), (44_100, 24));
    assert_eq!(sound.frames.len(), (mix.len() * 44_100).div_ceil(48_000));
    sound.assert_keeps(DEFAULT_LUFS, DEFAULT_DBTP);
}

#[test]
fn a_cd_is_16_bit_at_44_1_khz() {
    let folder = Folder::new();
    let input = folder.wav_at("48.wav", 48_000, 2, &demo_mix(48_000, SECONDS));
    let output = folder.path("cd.wav");
    // Enough limiting for the loudness of a CD, whatever the decision.
    let wanted = DeliveryRequest {
        destinations: vec![Destination::Cd],
        max_limiting_db: Some(20.0),
        ..DeliveryRequest::default()
    };
    mastered(&with(job(&input, &output), |settings| settings.delivery = wanted));
    let sound = read(&output);
    assert_eq!((sound.sample_rate_hz, sound.bits, sound.is_float), (44_100, 16, false));
    sound.assert_keeps(-10.0, -0.3);
}

/// The samples that are measured and trimmed are the ones that are written: rounded and dithered.
#[test]
fn the_ceiling_holds_after_rounding_to_16_bits() {
    let folder = Folder::new();
    let (input, output) = (folder.wav("mix.wav", 2, &MIX), folder.path("out.wav"));
    for (loudness, ceiling) in [(-9.0, -1.0), (-28.0, -20.0)] {
        let wanted = DeliveryRequest {
            loudness: Some(LoudnessTarget::Lufs(loudness)),
            ceiling_dbtp: Some(ceiling),
            max_limiting_db: Some(20.0),
            word_length: Some(WordLength::Int16),
            ..DeliveryRequest::default()
        };
        let mut wanted_job = with(job(&input, &output), |settings| settings.delivery = wanted);
        wanted_job.output.force = true;
        let report = mastered(&wanted_job);
        let sound = read(&output);
        assert_eq!(sound.bits, 16);
        let peak = sound.true_peak_dbtp();
        // Equal to the last bit: before rounding it would differ.
        assert_eq!(report.after.true_peak_dbtp, peak);
        assert!(peak <= ceiling && peak > ceiling - 0.1, "{peak} under {ceiling} dBTP");
    }
}

#[test]
fn a_master_as_loud_as_can_be_keeps_a_ceiling_at_full_scale() {
    let folder = Folder::new();
    let (input, output) = (folder.wav("mix.wav", 2, &demo_mix(44_100, 24.0)), folder.path("out.wav"));
    for (loudness, ceiling) in [(-8.0, 0.0), (-6.0, 0.0), (-6.0, -0.1)] {
        let wanted = DeliveryRequest {
            loudness: Some(LoudnessTarget::Lufs(loudness)),
            ceiling_dbtp: Some(ceiling),
            max_limiting_db: Some(25.0),
            ..DeliveryRequest::default()
        };
        let mut hot = with(job(&input, &output), |settings| settings.delivery = wanted);
        hot.output.force = true;
        mastered(&hot);
        let peak = read(&output).true_peak_dbtp();
        assert!(peak <= ceiling && peak > ceiling - 0.1, "{peak} under {ceiling} dBTP");
    }
}

#[test]
fn floating_point_is_written_when_it_is_asked_for() {
    let folder = Folder::new();
    let output = folder.path("out.wav");
    let wanted = DeliveryRequest { word_length: Some(WordLength::Float32), ..DeliveryRequest::default() };
    mastered(&with(job(&folder.wav("mix.wav", 2, &MIX), &output), |settings| settings.delivery = wanted));
    let sound = read(&output);
    assert_eq!((sound.bits, sound.is_float), (32, true));
    sound.assert_keeps(DEFAULT_LUFS, DEFAULT_DBTP);
}

#[test]
fn an_argument_beats_a_preset_beats_a_reference() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    folder.wav("record.wav", 2, &louder(&OTHER_MIX, 6.0));
    // Amazon requires -14 LUFS and -2 dBTP.
    let cases: [(&[&str], f64, f64); 4] = [
        (&["--for", "amazon"], -14.0, -2.0),
        (&["--for", "amazon", "--reference", "record.wav"], -14.0, -2.0),
        (&["--for", "amazon", "--loudness", "-19"], -19.0, -2.0),
        (&["--ceiling", "-3", "--for", "amazon"], -14.0, -3.0),
    ];
    for (arguments, lufs, dbtp) in cases {
        folder.goldmaster(&[&["mix.wav", "-o", "out.wav", "--force"], arguments].concat()).succeeded();
        let sound = read(&folder.path("out.wav"));
        sound.assert_keeps(lufs, dbtp);
    }
}

#[test]
fn loudness_auto_is_that_of_the_target() {
    let folder = Folder::new();
    let output = folder.path("out.wav");
    let wanted = DeliveryRequest { loudness: Some(LoudnessTarget::Auto), ..DeliveryRequest::default() };
    let report = mastered(&with(job(&folder.wav("mix.wav", 2, &MIX), &output), |settings| settings.delivery = wanted));
    let target = report.decision.expect("it was decided").target_lufs;
    assert_ne!(target, DEFAULT_LUFS);
    read(&output).assert_keeps(target, DEFAULT_DBTP);
}

/// A delivery so loud that a decibel of limiting cannot reach it.
fn too_loud() -> DeliveryRequest {
    DeliveryRequest {
        loudness: Some(LoudnessTarget::Lufs(-6.0)),
        max_limiting_db: Some(1.0),
        ..DeliveryRequest::default()
    }
}

#[test]
fn loudness_that_would_take_too_much_limiting_falls_short_and_says_so() {
    let folder = Folder::new();
    let output = folder.path("out.wav");
    let report =
        mastered(&with(job(&folder.wav("mix.wav", 2, &MIX), &output), |settings| settings.delivery = too_loud()));
    let loudness = &report.promises[0];
    assert_eq!(loudness.verdict, Verdict::Short);
    let PromiseKind::Loudness { wanted_lufs, shortfall, .. } = loudness.kind else { panic!("{loudness:?}") };
    assert_eq!((wanted_lufs, shortfall), (-6.0, Some(Shortfall::LimitingAllowed { max_limiting_db: 1.0 })));
    assert!(loudness.sentence.contains("--max-limiting-db"), "{loudness:?}");
    assert!(report.promises[1..].iter().all(|promise| promise.verdict == Verdict::Kept), "{:?}", report.promises);
    let sound = read(&output);
    assert!(sound.loudness_lufs() < -7.0);
    sound.assert_keeps(report.after.integrated_lufs.expect("a loudness"), DEFAULT_DBTP);
    // 0.05 dB is the resolution of the statistics, and the search may exceed the limit by as much again.
    assert!((0.5..=1.1).contains(&report.limiting_db), "{} dB", report.limiting_db);
}

#[test]
fn a_strict_run_that_falls_short_fails_with_3_and_writes_nothing() {
    let folder = Folder::new();
    let input = folder.wav("mix.wav", 2, &MIX);
    let before = folder.contents();
    let strict = with(job(&input, &folder.path("out.wav")), |settings| {
        settings.delivery = too_loud();
        settings.strict = true
    });
    assert_eq!(master(&strict, &Silent).expect_err("it falls short").exit_code(), 3);
    let arguments =
        ["mix.wav", "--loudness", "-6", "--max-limiting-db", "1", "--strict", "--save-recipe", "recipe.json"];
    let run = folder.goldmaster(&arguments);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.lines().count()), (Some(3), "", 1), "{run:?}");
    assert!(
        ["mix.master.wav", "nothing was written", "quieter than asked"].iter().all(|word| run.stderr.contains(word)),
        "{run:?}"
    );
    assert!(folder.contents() == before);
}

#[test]
fn a_mix_that_comes_out_quieter_is_named_with_what_keeps_it_loud() {
    let folder = Folder::new();
    folder.wav("loud.wav", 2, &louder(&MIX, 14.0));
    folder.wav("usual.wav", 2, &louder(&MIX, 9.0));
    let printed = |arguments: &[&str]| {
        let run = folder.goldmaster(&[arguments, &["--refine", "off", "--force"]].concat()).succeeded();
        run.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let loud = printed(&["loud.wav", "--report", "loud.html", "--report-audio", "none"]);
    let hint = "The mix is at -10.0 LUFS, the master at -14.0 LUFS. To keep it loud: --loudness -10 or --for club.";
    assert!(loud.contains(hint), "{loud}");
    let page = std::fs::read_to_string(folder.path("loud.html")).expect("a page");
    assert!(page.contains("at −14.0 LUFS. To keep it loud: --loudness -10 or --for club."), "an option to type");
    let asked: [&[&str]; 4] = [
        &["usual.wav"],
        &["loud.wav", "--loudness", "-14"],
        &["loud.wav", "--for", "spotify"],
        &["loud.wav", "--set", "delivery.loudness_lufs=-14"],
    ];
    for arguments in asked {
        let words = printed(arguments);
        assert!(!words.contains("To keep it loud"), "{arguments:?}: {words}");
    }
}
