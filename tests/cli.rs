//! The output of the program, and the files that it leaves behind.

mod common;

use std::fs;
use std::path::Path;

use analyzer::profile::Profile;
use analyzer::synth::silence;
use common::{Folder, MIX, RATE_HZ, SOME_FAILED, USAGE, assert_refused, louder, name, read, short_mix};
use goldmaster::io::output_spec::Format;
use renderer::recipe::Recipe;
use serde::Deserialize as _;
use serde_json::Value;

#[test]
fn a_recording_that_was_cut_off_is_mastered_and_says_how_much_is_missing() {
    let folder = Folder::new();
    let whole = fs::read(folder.integers("whole.wav", Format::Wav, &MIX)).expect("the mix");
    // There are 44 bytes of header and 6 bytes per frame; the last frame is incomplete.
    let cut = 44 + 6 * (MIX.len() / 2) + 3;
    folder.file("cut.wav", &whole[..cut]);
    let report = folder.goldmaster(&["cut.wav", "--json"]).succeeded().json();
    let warning = report["warnings"][0]["sentence"].as_str().expect("a sentence");
    let missing = (MIX.len() - MIX.len() / 2).to_string();
    assert!(warning.contains("cut off") && warning.contains(&missing), "{warning}");
    assert_eq!(read(&folder.path("cut.master.wav")).frames.len(), MIX.len() / 2);
}

#[cfg(unix)]
#[test]
fn what_a_killed_run_left_is_gone_after_the_next() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    for left in [".goldmaster-abc.tmp", ".goldmaster-notes.txt"] {
        folder.file(left, b"left behind");
    }
    folder.goldmaster(&["mix.wav"]).succeeded();
    let names: Vec<String> = folder.contents().into_keys().collect();
    assert_eq!(names, [".goldmaster-notes.txt", "mix.master.wav", "mix.wav"]);
}

#[cfg(unix)]
#[test]
fn a_second_ctrl_c_leaves_no_temporary_file() {
    let folder = Folder::new();
    folder.wav("long.wav", 2, &analyzer::synth::demo_mix(RATE_HZ, 40.0));
    let mut child = folder.command(&["long.wav"]).stderr(std::process::Stdio::null()).spawn().expect("it starts");
    let is_temporary = |name: &String| name.ends_with(".tmp");
    let names = || {
        let entries = fs::read_dir(folder.path("")).expect("the folder");
        entries.map(|entry| name(&entry.expect("an entry").path())).collect::<Vec<_>>()
    };
    let began = std::time::Instant::now();
    while !names().iter().any(is_temporary) {
        let has_ended = child.try_wait().expect("ours").is_some();
        assert!(!has_ended && began.elapsed().as_secs() < 120, "it writes into a temporary file: {:?}", names());
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    for _ in 0..2 {
        let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(killed.expect("a shell").success());
    }
    assert_eq!(child.wait().expect("ours").code(), Some(130));
    assert_eq!(names(), ["long.wav"]);
}

#[test]
fn without_arguments_the_program_says_how_it_is_used() {
    let run = Folder::new().goldmaster(&[]);
    assert_eq!(run.code, Some(USAGE));
    assert!(run.stderr.contains("Usage: goldmaster"), "{run:?}");
}

#[test]
fn help_and_version_are_printed() {
    let folder = Folder::new();
    let version = folder.goldmaster(&["--version"]).succeeded();
    assert_eq!(version.stdout, format!("goldmaster {}\n", env!("CARGO_PKG_VERSION")));
    for arguments in [&["--help"][..], &["master", "--help"], &["analyze", "--help"], &["render", "--help"]] {
        assert!(folder.goldmaster(arguments).succeeded().stdout.contains("Usage: goldmaster"));
    }
}

#[test]
fn a_master_is_all_that_appears_and_the_mix_is_untouched() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    let before = folder.contents();
    let run = folder.goldmaster(&["mix.wav"]).succeeded();
    assert!(run.stdout.contains("loudness range") && run.stdout.contains("kept"), "{run:?}");
    assert_eq!(run.stderr, "", "a progress bar is for terminals");
    let after = folder.contents();
    assert_eq!(after.keys().collect::<Vec<_>>(), ["mix.master.wav", "mix.wav"]);
    assert!(after["mix.wav"] == before["mix.wav"]);
}

#[test]
fn the_command_master_is_what_happens_without_a_command() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    folder.goldmaster(&["mix.wav", "-o", "a.wav"]).succeeded();
    folder.goldmaster(&["master", "mix.wav", "-o", "b.wav"]).succeeded();
    let written = folder.contents();
    assert!(written["a.wav"] == written["b.wav"]);
}

/// Keys of a report that scripts may rely on.
const REPORT_KEYS: [&str; 17] = [
    "actions",
    "after",
    "before",
    "decision",
    "drive_db",
    "figures",
    "input",
    "input_hash",
    "limiting_db",
    "output",
    "peak_limiting_db",
    "promises",
    "qualities",
    "recipe",
    "version",
    "wanted",
    "warnings",
];

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn the_report_is_json_with_the_keys_that_are_documented() {
    let folder = Folder::new();
    folder.wav("mix.wav", 1, &short_mix());
    let run = folder.goldmaster(&["mix.wav", "--save-recipe", "recipe.json", "--json"]).succeeded();
    assert_eq!(run.stderr, "");
    let report = run.json();
    assert_eq!(keys(&report), REPORT_KEYS);
    assert_eq!((&report["version"], &report["input"]["channels"]), (&Value::from(2), &Value::from(1)));
    let verdicts: Vec<_> = report["promises"].as_array().expect("a list").iter().map(|p| &p["verdict"]).collect();
    assert!(verdicts.len() >= 4 && verdicts.iter().all(|verdict| *verdict == "kept"), "{verdicts:?}");
    let replay = ["render", "mix.wav", "--recipe", "recipe.json", "-o", "again.wav", "--json"];
    assert_eq!(keys(&folder.goldmaster(&replay).succeeded().json()), REPORT_KEYS);
}

#[test]
fn quiet_prints_nothing() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    let run = folder.goldmaster(&["mix.wav", "--quiet", "--save-recipe", "recipe.json"]).succeeded();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let run = folder.goldmaster(&["render", "mix.wav", "--recipe", "recipe.json", "-o", "b.wav", "-q"]).succeeded();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert_refused(&folder.goldmaster(&["missing.wav", "--quiet"]), &["missing.wav"]);
}

#[test]
fn a_measurement_reads_back_as_the_profile_it_was() {
    let folder = Folder::new();
    let inputs = [
        ("mix.wav", 2, MIX.clone()),
        ("mono.wav", 1, short_mix()),
        ("silence.wav", 2, silence(RATE_HZ, 1.0)),
        ("one.wav", 2, vec![[0.5, -0.5]]),
    ];
    for (name, channels, frames) in &inputs {
        folder.wav(name, *channels, frames);
    }
    let before = folder.contents();
    let names: Vec<&str> = inputs.iter().map(|(name, ..)| *name).collect();
    let run = folder.goldmaster(&[&["analyze", "--json"], &names[..]].concat()).succeeded();
    assert_eq!((run.stdout.lines().count(), run.stderr.as_str()), (inputs.len(), ""), "one line per file");
    for (line, (name, channels, frames)) in run.stdout.lines().zip(&inputs) {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{name}: {e}: {line}"));
        assert_eq!(line["path"], *name);
        let measured = &line["profile"];
        let profile = Profile::deserialize(measured).unwrap_or_else(|e| panic!("{name}: {e}: {line}"));
        assert_eq!((u16::from(profile.channels), profile.frames), (*channels, frames.len() as u64), "{name}");
        assert_eq!(&serde_json::to_value(&profile).expect("JSON"), measured, "{name}");
    }
    let run = folder.goldmaster(&["analyze", "mix.wav", "mono.wav"]).succeeded();
    assert!(run.stdout.contains("mix.wav") && run.stdout.contains("mono.wav"), "{run:?}");
    assert!(folder.contents() == before);
}

#[test]
fn one_bad_file_does_not_stop_the_measurement_of_the_others() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    folder.file("text.wav", b"Dear musician,\nthis is a letter and not a song.\n");
    let run = folder.goldmaster(&["analyze", "text.wav", "mix.wav"]);
    assert_eq!(run.code, Some(SOME_FAILED), "{run:?}");
    assert!(run.stdout.starts_with("mix.wav") && run.stderr.contains("text.wav"), "{run:?}");
    assert!(run.stderr.contains("1 of 2 files failed"), "{run:?}");
}

#[test]
fn mix_and_difference_add_up_to_the_master() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    let arguments = ["mix.wav", "-o", "master.wav", "--delta", "delta.wav", "--save-recipe", "recipe.json"];
    folder.goldmaster(&arguments).succeeded();
    let recipe = fs::read_to_string(folder.path("recipe.json")).expect("the recipe");
    let drive_db = Recipe::from_json(&recipe).expect("valid").solution.expect("solved").drive_db;
    let gain = 10f32.powf(drive_db as f32 / 20.0);
    let [mix, delta, master] = ["mix.wav", "delta.wav", "master.wav"].map(|name| read(&folder.path(name)).frames);
    assert_eq!((delta.len(), master.len()), (mix.len(), mix.len()));
    let rest = |n: usize, c: usize| (gain * mix[n][c] + delta[n][c] - master[n][c]).abs();
    let worst = (0..mix.len()).flat_map(|n| [rest(n, 0), rest(n, 1)]).fold(0.0, f32::max);
    assert!(worst < 1e-6, "{worst}");
    let loudest = delta.iter().flatten().fold(0.0f32, |peak, x| peak.max(x.abs()));
    assert!(loudest > 0.01, "the chain has done something");
    let refused = folder.goldmaster(&["mix.wav", "-o", "other.wav", "--delta", "mix.wav", "--force"]);
    assert_eq!(refused.code, Some(USAGE), "{refused:?}");
}

#[test]
fn names_may_have_spaces_and_any_script() {
    let folder = Folder::new();
    let place = folder.path("Lieder für Übermüdete 音楽 🎵");
    fs::create_dir(&place).expect("a folder");
    let file = |name: &str| place.join(name).to_string_lossy().into_owned();
    fs::rename(folder.wav("mix.wav", 2, &short_mix()), file("mein Lied: das 1. ☂.wav")).expect("one disk");
    fs::rename(folder.wav("record.wav", 2, &louder(&short_mix(), 3.0)), file("a:b.wav")).expect("one disk");
    let (mix, record, recipe) = (file("mein Lied: das 1. ☂.wav"), file("a:b.wav"), file("ein Rezept.json"));
    folder
        .goldmaster(&[&mix, "--reference", &record, "--reference", &format!("{record}:2"), "--save-recipe", &recipe])
        .succeeded();
    let mut names: Vec<_> =
        fs::read_dir(&place).expect("the folder").map(|entry| name(&entry.expect("an entry").path())).collect();
    names.sort_unstable();
    let master = "mein Lied: das 1. ☂.master.wav";
    assert_eq!(names, ["a:b.wav", "ein Rezept.json", master, "mein Lied: das 1. ☂.wav"]);
    let again = file("noch einmal.flac");
    folder.goldmaster(&["render", &mix, "--recipe", &recipe, "-o", &again]).succeeded();
    assert!(read(Path::new(&again)).frames == read(&place.join(master)).frames);
}

#[test]
fn who_closes_the_output_early_does_no_harm() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    for arguments in
        [&["mix.wav", "--force"][..], &["mix.wav", "--force", "--json"], &["analyze", "mix.wav"], &["--help"]]
    {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = folder.command(arguments);
        let child = command.stdout(writer).stderr(std::process::Stdio::piped()).spawn().expect("the program starts");
        let output = child.wait_with_output().expect("the program ends");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
    assert!(!read(&folder.path("mix.master.wav")).frames.is_empty());
}

#[test]
fn the_demo_needs_no_file_and_writes_six() {
    let folder = Folder::new();
    let run = folder.goldmaster(&["demo", "heard"]).succeeded();
    assert!(run.stdout.contains("Listen for"), "{run:?}");
    let text = |name: &str| fs::read_to_string(folder.path("heard").join(name)).expect("it was written");
    let recipe = Recipe::from_json(&text("recipe.json")).expect("a recipe");
    let report: Value = serde_json::from_str(&text("report.json")).expect("JSON");
    assert_eq!(keys(&report), REPORT_KEYS);
    assert_eq!(report["input_hash"], recipe.solution.expect("it was solved").input_hash);
    let (mix, master) = (read(&folder.path("heard").join("mix.wav")), read(&folder.path("heard").join("master.wav")));
    assert_eq!(mix.frames.len(), master.frames.len());
    master.assert_keeps(-14.0, -1.0);
    // Its faults are detected: it is boomy and dull.
    let band = |mid: &[Value], hz: f64| mid[(4.0 * (hz / 20.0_f64).log2()) as usize].as_f64().expect("a gain");
    let eq = serde_json::from_str::<Value>(&text("recipe.json")).expect("JSON");
    let mid = eq["match_eq"]["mid_db"].as_array().expect("a curve");
    assert!(band(mid, 140.0) < -2.0 && band(mid, 8000.0) > 2.0, "{mid:?}");
    assert_eq!(fs::read_dir(folder.path("heard")).expect("the folder").count(), 6);
    // On a second run, nothing is replaced without being asked for.
    assert_refused(&folder.goldmaster(&["demo", "heard"]), &["heard", "exists already"]);
}
