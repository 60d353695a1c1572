//! Checks of finished files against the requirements of destinations.

mod common;

use analyzer::synth::{demo_mix, silence};
use common::{FAILED, Folder, MIX, RATE_HZ, USAGE, louder};
use goldmaster::io::output_spec::Format;
use serde_json::Value;

/// Exit code for a file that is not ready.
const NOT_READY: i32 = 5;

/// Outcome of one check.
fn outcome<'a>(check: &'a Value, code: &str) -> &'a str {
    let results = check["results"].as_array().expect("a list");
    let result = results.iter().find(|result| result["code"] == code);
    result.and_then(|result| result["outcome"].as_str()).unwrap_or_else(|| panic!("{code} in {check:#}"))
}

#[test]
fn a_master_of_this_program_is_ready_for_where_it_was_made_for() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    let places =
        [("spotify", "Spotify"), ("amazon", "Amazon Music"), ("cd", "CD"), ("club", "Club"), ("podcast", "Podcast")];
    for (place, name) in places {
        let master = format!("{place}.wav");
        folder.goldmaster(&["mix.wav", "--for", place, "-o", &master]).succeeded();
        let run = folder.goldmaster(&["check", &master, "--for", place]).succeeded();
        assert!(run.stdout.contains(&format!("ready for {name}\n")), "{run:?}");
    }
}

#[test]
fn what_does_not_fit_is_named_and_ends_with_5() {
    let folder = Folder::new();
    folder.integers("hot.wav", Format::Wav, &louder(&MIX, 30.0));
    folder.wav_at("low.wav", 22_050, 2, &MIX);
    let run = folder.goldmaster(&["check", "hot.wav", "low.wav", "--for", "spotify", "--json"]);
    assert_eq!(run.code, Some(NOT_READY), "{run:?}");
    let json = run.json();
    let [hot, low] = [0, 1].map(|n| &json[n]);
    assert_eq!([outcome(hot, "true_peak"), outcome(hot, "clipping"), outcome(hot, "format")], ["fail", "fail", "ok"]);
    assert_eq!([outcome(low, "true_peak"), outcome(low, "format"), outcome(low, "tags")], ["ok", "fail", "note"]);
    assert_eq!((&hot["is_ready"], &low["is_ready"]), (&Value::Bool(false), &Value::Bool(false)));
    let run = folder.goldmaster(&["check", "hot.wav", "--for", "cd"]);
    assert!(run.stdout.contains("16 bits are asked for") && run.stdout.contains("NOT READY"), "{run:?}");
}

#[test]
fn broadcast_has_a_loudness_and_a_service_plays_everything() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    folder.goldmaster(&["mix.wav", "--loudness", "-20", "--rate", "48000", "-o", "loud.wav"]).succeeded();
    folder.goldmaster(&["mix.wav", "--for", "broadcast", "--rate", "48000", "-o", "right.wav"]).succeeded();
    let run = folder.goldmaster(&["check", "loud.wav", "right.wav", "--for", "broadcast", "--json"]);
    let json = run.json();
    assert_eq!([0, 1].map(|n| outcome(&json[n], "loudness")), ["fail", "ok"], "{json:#}");
    let run = folder.goldmaster(&["check", "loud.wav", "--for", "spotify", "--json"]).succeeded();
    assert_eq!(outcome(&run.json()[0], "loudness"), "note", "it is quieter than other songs there");
}

#[test]
fn a_cd_has_no_loudness_to_compare_with() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    let run = folder.goldmaster(&["check", "mix.wav", "--for", "cd"]);
    let row = run.stdout.lines().find(|line| line.contains("LUFS")).unwrap_or_else(|| panic!("{run:?}"));
    assert!(row.starts_with("-      loudness    -24.0 LUFS; no loudness target, any loudness is accepted"), "{run:?}");
    let json = folder.goldmaster(&["check", "mix.wav", "--for", "cd", "--json"]).json();
    assert_eq!(outcome(&json[0], "loudness"), "unrated");
}

#[test]
fn a_file_that_cannot_be_read_does_not_stop_the_others() {
    let folder = Folder::new();
    folder.wav_at("mix.wav", RATE_HZ, 2, &MIX);
    folder.file("broken.wav", b"no song");
    let run = folder.goldmaster(&["check", "broken.wav", "mix.wav", "--for", "spotify"]);
    assert!(run.stdout.contains("mix.wav") && run.stderr.contains("broken.wav"), "{run:?}");
    assert_eq!(run.code, Some(4), "{run:?}");
    assert_eq!(folder.goldmaster(&["check", "broken.wav", "--for", "spotify"]).code, Some(FAILED));
    assert_eq!(folder.goldmaster(&["check", "mix.wav"]).code, Some(USAGE), "a destination has to be named");
}

#[test]
fn a_song_that_is_cut_off_while_it_sounds_is_named_by_every_command() {
    let folder = Folder::new();
    folder.wav("cut.wav", 2, &demo_mix(RATE_HZ, 5.0)[..4 * RATE_HZ as usize]);
    folder.wav("whole.wav", 2, &[&MIX[..], &silence(RATE_HZ, 0.1)].concat());
    for (name, is_cut_off) in [("cut", true), ("whole", false)] {
        let (song, recipe) = (format!("{name}.wav"), format!("{name}.json"));
        let commands: [&[&str]; 5] = [
            &["analyze", &song],
            &["check", &song, "--for", "spotify"],
            &["master", &song, "-o", "master.wav", "--force", "--refine", "off", "--save-recipe", &recipe],
            &["render", &song, "-o", "again.wav", "--force", "--recipe", &recipe],
            &["report", &song, "master.wav", "--force"],
        ];
        for arguments in commands {
            let run = folder.goldmaster(arguments).succeeded();
            assert_eq!(run.stdout.contains("cut off while it still sounds"), is_cut_off, "{run:?}");
        }
        let page = std::fs::read_to_string(folder.path("master.html")).expect("the page of `report`");
        for file in ["first", "second"] {
            let note = format!("{file}: The song is cut off while it still sounds");
            assert_eq!(page.contains(&note), is_cut_off, "{note}");
        }
        let checked = folder.goldmaster(&["check", &song, "--for", "spotify", "--json"]).succeeded().json();
        assert_eq!(outcome(&checked[0], "integrity"), if is_cut_off { "note" } else { "ok" });
    }
}
