//! The same input and the same recipe give the same bytes.

mod common;

use std::path::Path;

use analyzer::crossover::BANDS;
use analyzer::stream::Meter as _;
use common::{Folder, MIX, OTHER_MIX, job, louder, mastered, read, with};
use goldmaster::io::hash::FrameHash;
use goldmaster::io::output_spec::Format;
use goldmaster::report::Report;
use goldmaster::request::delivery::DeliveryRequest;
use goldmaster::request::job::{MasterJob, RenderJob};
use goldmaster::request::reference::Reference;
use goldmaster::song::observer::Silent;
use goldmaster::workflows::render::render;
use renderer::lossy::{Codec, LossyParams};
use renderer::params::Params as _;
use renderer::recipe::{ENGINE_VERSION, OutputParams, Recipe, SampleFormat, Solution};
use renderer::stages::match_eq::Phase;
use serde_json::Value;

/// Number of times that the same master is made; rare races need more than two.
const RUNS: usize = 10;

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("the master")
}

/// A master towards a louder record, so that equaliser, dynamics and limiter all have something to do.
fn demanding(folder: &Folder, output: &str) -> MasterJob {
    let record = folder.path("record.wav");
    if !record.exists() {
        folder.wav("record.wav", 2, &louder(&OTHER_MIX, 12.0));
        folder.wav("mix.wav", 2, &MIX);
    }
    let references = vec![Reference::whole(record)];
    // As much limiting as the record's loudness needs.
    let wanted = DeliveryRequest { max_limiting_db: Some(20.0), ..DeliveryRequest::default() };
    with(job(&folder.path("mix.wav"), &folder.path(output)), |settings| {
        settings.references = references;
        settings.delivery = wanted
    })
}

fn render_job(recipe: &Recipe, input: &Path, output: &Path) -> RenderJob {
    let MasterJob { input, output, settings, .. } = job(input, output);
    RenderJob {
        input,
        output,
        recipe: recipe.clone(),
        settings: settings.values.clone(),
        as_is: false,
        strictness: settings.strictness(),
    }
}

fn rendered(job: &RenderJob) -> Report {
    render(job, &Silent).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn ten_runs_give_the_same_bytes_and_the_same_recipe() {
    let folder = Folder::new();
    let runs: Vec<_> = (0..RUNS)
        .map(|run| {
            let job = demanding(&folder, &format!("{run}.wav"));
            let report = mastered(&job);
            (bytes(&job.output.path), report.recipe.to_json(), report.after)
        })
        .collect();
    assert!(runs.iter().all(|run| *run == runs[0]));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let folder = Folder::new();
    demanding(&folder, "out.wav");
    folder.wav("second.wav", 2, &OTHER_MIX);
    let references = ["mix.wav", "--reference", "record.wav", "--reference", "second.wav:0.5"];
    for (threads, output, recipe) in [("1", "1.flac", "1.json"), ("2", "2.flac", "2.json")] {
        let arguments = [&references[..], &["-o", output, "--recipe", recipe]].concat();
        folder.run(folder.command(&arguments).env("RAYON_NUM_THREADS", threads)).succeeded();
    }
    assert!(bytes(&folder.path("1.flac")) == bytes(&folder.path("2.flac")));
    assert!(bytes(&folder.path("1.json")) == bytes(&folder.path("2.json")));
}

#[test]
fn a_process_of_its_own_changes_nothing() {
    let folder = Folder::new();
    let job = demanding(&folder, "here.wav");
    mastered(&job);
    let arguments = ["mix.wav", "--reference", "record.wav", "--max-limiting-db", "20", "-o", "there.wav"];
    folder.goldmaster(&arguments).succeeded();
    assert!(bytes(&job.output.path) == bytes(&folder.path("there.wav")));
}

#[test]
fn the_file_format_of_the_mix_changes_nothing() {
    let folder = Folder::new();
    let inputs = [folder.integers("a.wav", Format::Wav, &MIX), folder.flac("b.flac", &MIX)];
    let masters = inputs.map(|input| {
        let output = input.with_extension("master.wav");
        mastered(&job(&input, &output));
        bytes(&output)
    });
    assert!(masters[0] == masters[1]);
}

#[test]
fn a_recipe_replayed_on_its_own_mix_searches_nothing_and_gives_the_same_bytes() {
    let folder = Folder::new();
    demanding(&folder, "out.wav");
    for (first, again) in [("first.wav", "again.wav"), ("first.flac", "again.flac")] {
        let arguments =
            ["mix.wav", "--reference", "record.wav", "-o", first, "--save-recipe", "recipe.json", "--force", "--quiet"];
        folder.goldmaster(&arguments).succeeded();
        let arguments = ["render", "mix.wav", "--recipe", "recipe.json", "-o", again, "--json"];
        let report = folder.goldmaster(&arguments).succeeded().json();
        assert!(bytes(&folder.path(first)) == bytes(&folder.path(again)), "{again}");
        assert_eq!(report["before"], Value::Null, "nothing is measured but the result");
    }
}

#[test]
fn a_written_recipe_is_the_recipe_that_ran() {
    let folder = Folder::new();
    demanding(&folder, "out.wav");
    let arguments = ["mix.wav", "-o", "out.wav", "--save-recipe", "recipe.json", "--json"];
    let report = folder.goldmaster(&arguments).succeeded().json();
    let text = std::fs::read_to_string(folder.path("recipe.json")).expect("the recipe");
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), report["recipe"]);
    assert_eq!(Recipe::from_json(&text).expect("a recipe").to_json(), text);
}

#[test]
fn a_recipe_on_another_mix_is_solved_anew() {
    let folder = Folder::new();
    let recipe = mastered(&demanding(&folder, "out.wav")).recipe;
    let other = folder.wav("other.wav", 2, &louder(&OTHER_MIX, -5.0));
    let output = folder.path("other.master.wav");
    let report = rendered(&render_job(&recipe, &other, &output));
    let (old, new) = (recipe.solution.expect("it was solved"), report.recipe.solution.expect("it was solved"));
    assert_ne!(old.input_hash, new.input_hash);
    // The other mix is 5 dB quieter, and a different part of the song.
    assert!((new.drive_db - old.drive_db).abs() > 1.0, "{} dB after {} dB", new.drive_db, old.drive_db);
    assert_ne!(old.band_levels_dbfs, new.band_levels_dbfs);
    assert!(report.before.is_some());
    assert_eq!(Recipe { solution: None, ..report.recipe }, Recipe { solution: None, ..recipe });
    read(&output).assert_keeps(report.wanted.loudness_lufs, report.wanted.ceiling_dbtp);
}

/// The engine version, and hashes of the files that it makes of fixed recipes. If a hash changes, recipes that users
/// have kept no longer give the same bytes: if that is intended, raise `ENGINE_VERSION` by one and write it and the new
/// hashes here.
const ENGINE: (u32, [(&str, &str); 4]) = (
    3,
    [
        ("wav", "2cf156318f375796"),
        ("flac", "cd6b619c069e1dbd"),
        ("mp3", "029b6809ed18c86b"),
        ("opus", "9df6072b7c67b6e8"),
    ],
);

/// A recipe in which every stage has an effect, with a gain that is not searched.
fn every_stage(extension: &str) -> Recipe {
    let solution = Solution {
        engine: ENGINE_VERSION,
        input_hash: String::new(),
        settings_hash: String::new(),
        is_aimed: false,
        band_levels_dbfs: [-28.0; BANDS],
        exact_above_dbfs: -20.0,
        drive_db: 9.0,
        codec_room_db: 0.0,
        trims: Vec::new(),
    };
    let mut recipe = Recipe { solution: Some(solution), ..Recipe::default() };
    recipe.visit("", &mut |_, param, value| *value = param.denormalized(0.37));
    let lossy = |codec| Some(LossyParams::new(codec, None));
    let default = OutputParams { dither_seed: 7, ..OutputParams::default() };
    recipe.output = match extension {
        "flac" => {
            recipe.match_eq.phase = Phase::Linear;
            OutputParams { sample_rate_hz: Some(48_000), sample_format: SampleFormat::Int16, ..default }
        }
        "mp3" => OutputParams { lossy: lossy(Codec::Mp3), sample_format: SampleFormat::Float32, ..default },
        "opus" => OutputParams { lossy: lossy(Codec::Opus), sample_format: SampleFormat::Float32, ..default },
        _ => default,
    };
    recipe.quantized()
}

#[test]
fn the_bytes_of_a_recipe_change_with_the_version_of_the_engine_alone() {
    let folder = Folder::new();
    let mix = folder.wav("mix.wav", 2, &louder(&MIX, 6.0));
    let (version, known) = ENGINE;
    let made = known.map(|(extension, _)| {
        let output = folder.path(&format!("master.{extension}"));
        rendered(&RenderJob { as_is: true, ..render_job(&every_stage(extension), &mix, &output) });
        let sound = read(&output);
        let mut hash = FrameHash::new(sound.sample_rate_hz, 2);
        hash.push(&sound.frames);
        (extension, hash.finish()[..16].to_owned())
    });
    // The lossy codecs use the system's sines, which other systems round differently.
    let compared = if cfg!(all(target_os = "linux", target_arch = "x86_64")) { known.len() } else { 2 };
    let known = known.map(|(extension, hash)| (extension, hash.to_owned()));
    assert_eq!((ENGINE_VERSION, &made[..compared]), (version, &known[..compared]), "see the comment on ENGINE");
}

#[test]
fn a_recipe_of_another_engine_is_solved_anew_and_says_so() {
    let folder = Folder::new();
    demanding(&folder, "out.wav");
    folder.goldmaster(&["mix.wav", "-o", "out.wav", "--save-recipe", "recipe.json"]).succeeded();
    let text = std::fs::read_to_string(folder.path("recipe.json")).expect("the recipe");
    let engine = format!("\"engine\": {ENGINE_VERSION},");
    assert!(text.contains(&engine), "{text}");
    // A recipe from before engines were counted; its solution need not fit.
    let old: Value = serde_json::from_str(&text.replace(&engine, "")).expect("JSON");
    let mut off = old.clone();
    off["solution"]["drive_db"] = Value::from(-3.0);
    folder.file("old.json", off.to_string().as_bytes());
    let render = |recipe: &str, output: &str, more: &[&str]| {
        folder.goldmaster(&[&["render", "mix.wav", "--recipe", recipe, "-o", output], more].concat()).succeeded()
    };
    let report = render("old.json", "new.wav", &["--json"]).json();
    let warning = &report["warnings"][0];
    assert_eq!(
        (&warning["code"], &warning["values"]["solved_by"], &warning["values"]["rendered_by"]),
        (&Value::from("other_engine"), &Value::from(0), &Value::from(ENGINE_VERSION))
    );
    assert_eq!(report["recipe"]["solution"]["engine"], ENGINE_VERSION);
    assert!(bytes(&folder.path("new.wav")) == bytes(&folder.path("out.wav")), "it is solved anew");
    let kept = render("old.json", "kept.wav", &["--as-is", "--json"]).json();
    assert_eq!((&kept["drive_db"], &kept["warnings"][0]["code"]), (&Value::from(-3.0), &Value::from("other_engine")));
    let same = render("recipe.json", "same.wav", &[]);
    assert!(!same.stdout.contains("engine"), "{same:?}");
}

#[test]
fn a_recipe_without_a_solution_is_solved_to_the_same_bytes() {
    let folder = Folder::new();
    let job = demanding(&folder, "out.wav");
    let recipe = Recipe { solution: None, ..mastered(&job).recipe };
    let output = folder.path("again.wav");
    rendered(&render_job(&recipe, &job.input, &output));
    assert!(bytes(&job.output.path) == bytes(&output));
}

#[test]
fn as_is_keeps_the_gain_on_another_mix_louder_or_quieter() {
    let folder = Folder::new();
    let recipe = mastered(&demanding(&folder, "out.wav")).recipe;
    let old = recipe.solution.clone().expect("it was solved");
    for by_db in [-2.0, 0.5, 2.0] {
        let other = folder.wav(&format!("{by_db}.wav"), 2, &louder(&MIX, by_db));
        let output = folder.path(&format!("{by_db}.master.wav"));
        let report = rendered(&RenderJob { as_is: true, ..render_job(&recipe, &other, &output) });
        let new = report.recipe.solution.expect("it has one");
        assert_eq!((new.drive_db, new.band_levels_dbfs), (old.drive_db, old.band_levels_dbfs));
        assert_ne!(new.input_hash, old.input_hash);
        let (loudness, wanted) = (report.after.integrated_lufs.expect("a loudness"), report.wanted.loudness_lufs);
        assert_eq!(loudness > wanted, by_db > 0.0, "{loudness} LUFS at {by_db} dB");
        read(&output).assert_keeps(loudness, report.wanted.ceiling_dbtp);
    }
}

#[test]
fn what_was_rendered_as_is_can_be_replayed() {
    let folder = Folder::new();
    demanding(&folder, "out.wav");
    let other = folder.wav("other.wav", 2, &louder(&OTHER_MIX, 1.0));
    let recipe = mastered(&demanding(&folder, "out.wav")).recipe;
    let (first, again) = (folder.path("first.wav"), folder.path("again.wav"));
    let report = rendered(&RenderJob { as_is: true, ..render_job(&recipe, &other, &first) });
    rendered(&RenderJob { as_is: true, ..render_job(&report.recipe, &other, &again) });
    assert!(bytes(&first) == bytes(&again));
}

#[test]
fn a_recipe_that_was_changed_by_hand_is_solved_anew() {
    let folder = Folder::new();
    let job = demanding(&folder, "out.wav");
    let mut recipe = mastered(&job).recipe;
    recipe.delivery.loudness_lufs -= 3.0;
    let output = folder.path("changed.wav");
    rendered(&render_job(&recipe, &job.input, &output));
    read(&output).assert_keeps(recipe.delivery.loudness_lufs, recipe.delivery.ceiling_dbtp);
}

#[test]
fn one_value_that_is_set_changes_alone_and_the_rest_is_solved_again() {
    let folder = Folder::new();
    demanding(&folder, "out.wav");
    // With refinement, the chain would be corrected for the value that is set.
    let settings = ["mix.wav", "--reference", "record.wav", "--max-limiting-db", "20", "--refine", "off"];
    let arguments = [&settings[..], &["-o", "out.wav"]].concat();
    let first =
        folder.goldmaster(&[&arguments[..], &["--recipe", "recipe.json", "--json"]].concat()).succeeded().json();
    let set = "multiband.low.ratio=1.5";
    let arguments = ["render", "mix.wav", "--recipe", "recipe.json", "-o", "set.wav", "--set", set, "--json"];
    let second = folder.goldmaster(&arguments).succeeded().json();
    assert_eq!(second["recipe"]["multiband"]["low"]["ratio"], 1.5);
    let without = |report: &Value| {
        let mut recipe = report["recipe"].clone();
        recipe["multiband"]["low"]["ratio"].take();
        recipe["solution"].take();
        recipe
    };
    assert_eq!(without(&first), without(&second));
    assert!(second["before"].is_object(), "it is measured, to be solved");
    let wanted = first["wanted"]["loudness_lufs"].as_f64().expect("a target");
    read(&folder.path("set.wav")).assert_keeps(wanted, -1.0);
    // The same value set while mastering gives the same master.
    folder.goldmaster(&[&settings[..], &["-o", "both.wav", "--set", set]].concat()).succeeded();
    assert!(bytes(&folder.path("set.wav")) == bytes(&folder.path("both.wav")));
}

#[test]
fn a_key_or_a_value_that_no_recipe_has_is_named() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    folder.file("good.json", Recipe::default().to_json().as_bytes());
    folder.file("unknown.json", br#"{"version": 1, "reverb": {"room_m": 20}}"#);
    folder.file("range.json", br#"{"version": 1, "multiband": {"low": {"ratio": 99}}}"#);
    folder.file("future.json", br#"{"version": 2}"#);
    folder.file("kind.json", br#"{"version": 1, "delivery": {"ceiling_dbtp": "loud"}}"#);
    let before = folder.contents();
    let render: [(&[&str], &[&str]); 9] = [
        (&["--recipe", "unknown.json"], &["unknown.json", "reverb"]),
        (&["--recipe", "range.json"], &["range.json", "multiband.low.ratio is 99", "between 0.5 and 4"]),
        (&["--recipe", "future.json"], &["future.json", "version 2"]),
        (&["--recipe", "kind.json"], &["kind.json", "loud"]),
        (&["--recipe", "mix.wav"], &["mix.wav"]),
        (&["--recipe", "good.json", "--set", "multiband.bass.ratio=1"], &["multiband.bass.ratio", "low_mid"]),
        (&["--recipe", "good.json", "--set", "multiband.low.ratio=99"], &["multiband.low.ratio is 99"]),
        (&["--recipe", "good.json", "--set", "multiband.low.ratio=high"], &["high"]),
        (&["--recipe", "good.json", "--set", "match_eq.mid_db.40=1"], &["match_eq.mid_db.40", "0 to 39"]),
    ];
    for (arguments, named) in render {
        let run = folder.goldmaster(&[&["render", "mix.wav", "-o", "out.wav"], arguments].concat());
        let is_usage = ["--set", "mix.wav"].iter().any(|word| arguments.contains(word));
        assert_eq!(run.code, Some(if is_usage { 2 } else { 1 }), "{run:?}");
        assert_eq!((run.stdout.as_str(), run.stderr.lines().count()), ("", 1), "{run:?}");
        assert!(named.iter().all(|name| run.stderr.contains(name)), "{named:?}: {run:?}");
    }
    let run = folder.goldmaster(&["mix.wav", "--set", "limiter.reverb=1"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("limiter.reverb"), "{run:?}");
    assert!(folder.contents() == before);
}
