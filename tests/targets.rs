//! Targets other than references: profiles of songs, and genres.

mod common;

use std::fs;

use analyzer::stream::Frame;
use common::{Folder, MIX, RATE_HZ, SOME_FAILED, assert_all_refused, assert_refused, louder, read, short_mix};

#[test]
fn several_songs_become_a_profile_that_a_mix_is_mastered_towards() {
    let folder = Folder::new();
    let dark = |[l, r]: Frame| [0.5 * (l + r) + 0.1 * (l - r), 0.5 * (l + r) - 0.1 * (l - r)];
    folder.wav("mix.wav", 2, &MIX);
    folder.wav("one.wav", 2, &MIX.iter().copied().map(dark).collect::<Vec<_>>());
    folder.wav("two.wav", 2, &MIX[RATE_HZ as usize..].iter().copied().map(dark).collect::<Vec<_>>());
    folder.file("text.wav", b"Dear musician,\nthis is a letter and not a song.\n");
    let run = folder.goldmaster(&["profile", "one.wav", "text.wav", "two.wav", "-o", "narrow.profile.json"]);
    assert_eq!(run.code, Some(SOME_FAILED), "{run:?}");
    assert!(run.stdout.contains("narrow, 2 songs") && run.stderr.contains("text.wav"), "{run:?}");
    let side = |arguments: &[&str], output: &str| {
        folder.goldmaster(&[&["mix.wav", "-o", output, "--force"], arguments].concat()).succeeded();
        let frames = read(&folder.path(output)).frames;
        let energy = |sign: f32| frames.iter().map(|[l, r]| f64::from((l + sign * r) * (l + sign * r))).sum::<f64>();
        10.0 * (energy(-1.0) / energy(1.0)).log10()
    };
    let (universal, narrow) = (side(&[], "a.wav"), side(&["--profile", "narrow.profile.json"], "b.wav"));
    assert!(narrow < universal - 1.0, "{narrow} dB of side, without the profile {universal}");
    folder.file("other.json", b"{}");
    assert_all_refused(
        &folder,
        &[
            (&["mix.wav", "-o", "c.wav", "--profile", "other.json"], &["other.json", "not a profile of songs"]),
            (&["mix.wav", "-o", "c.wav", "--profile", "none.json"], &["none.json", "no such file"]),
            (&["profile", "one.wav", "-o", "narrow.profile.json"], &["narrow.profile.json", "--force"]),
            (&["profile", "text.wav", "-o", "new.json"], &["text.wav"]),
        ],
    );
}

#[test]
fn a_profile_is_made_of_whole_folders() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("songs/deeper")).expect("folders");
    folder.wav("songs/one.wav", 2, &short_mix());
    folder.wav("songs/deeper/two.wav", 2, &louder(&short_mix(), 3.0));
    folder.file("songs/cover.jpg", b"\xff\xd8\xff\xe0 a picture");
    folder.goldmaster(&["profile", "songs/", "-o", "mine.profile.json"]).succeeded();
    folder.goldmaster(&["profile", "songs/one.wav", "songs/deeper/two.wav", "-o", "mine.json"]).succeeded();
    let [folders, files] =
        ["mine.profile.json", "mine.json"].map(|name| fs::read(folder.path(name)).expect("a profile"));
    assert!(folders == files);
    folder.file("songs/bad.wav", b"Dear musician,\nthis is a letter and not a song.\n");
    let run = folder.goldmaster(&["profile", "songs", "-o", "mine.json", "--force"]);
    assert_eq!(run.code, Some(SOME_FAILED), "{run:?}");
    assert!(run.stderr.contains("songs/bad.wav") && run.stderr.contains("1 of 3 files"), "{run:?}");
    fs::create_dir(folder.path("nothing")).expect("a folder");
    assert_refused(&folder.goldmaster(&["profile", "nothing", "-o", "new.json"]), &["no song"]);
}

#[test]
fn genres_are_listed_with_the_songs_that_they_rest_on() {
    let folder = Folder::new();
    for arguments in [&["--genre", "list"][..], &["master", "--genre", "list"], &["batch", "--genre", "list"]] {
        let run = folder.goldmaster(arguments).succeeded();
        let listed: Vec<Vec<&str>> = run.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
        let names: Vec<&str> = listed.iter().map(|words| words[0]).collect();
        assert_eq!(names, ["ambient", "electronic", "folk", "orchestral", "rock", "world", "universal", "auto"]);
        for words in &listed[..7] {
            assert!(words[1].parse::<u32>().is_ok_and(|songs| songs > 0) && words[2] == "songs", "{words:?}");
        }
    }
    assert!(folder.contents().is_empty());
}

#[test]
fn a_genre_is_told_or_named_and_reported() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    let towards = |genre: &[&str]| {
        let report = folder.goldmaster(&[&["mix.wav", "--force", "--json"], genre].concat()).succeeded().json();
        assert_eq!(report["decision"]["target_kind"], "norm");
        let curve = report["recipe"]["match_eq"]["mid_db"].clone();
        (report["decision"]["target"].as_str().expect("a name").to_owned(), curve)
    };
    let universal = towards(&["--genre", "universal"]);
    assert_eq!(universal.0, "universal");
    let (name, rock) = towards(&["--genre", "rock"]);
    assert!(name == "rock" && rock != universal.1);
    let (name, curve) = towards(&[]);
    assert_eq!(towards(&["--genre", "auto"]), (name.clone(), curve));
    let share = |part: &str| -> u32 {
        let words: Vec<&str> = part.split(' ').collect();
        assert!(["electronic", "orchestral", "universal"].contains(&words[0]) && words[2] == "%", "{name}");
        words[1].parse().expect("whole percent")
    };
    assert_eq!(name.split(", ").map(share).sum::<u32>(), 100, "{name}");
    let shown = |genre: &[&str]| {
        let printed = folder.goldmaster(&[&["mix.wav", "--force"], genre].concat()).succeeded().stdout;
        printed.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let auto = shown(&["--genre", "auto"]);
    assert!(auto.contains("towards what finished ") && auto.contains("have in common: the song sounds "), "{auto}");
    assert!(!auto.contains("universal") && !auto.contains(&name), "{auto}");
    let rock = shown(&["--genre", "rock"]);
    assert!(rock.contains("towards what finished rock records have in common "), "{rock}");
}
