//! The songs of a record keep their relation in loudness, and come closer together in tone.

mod common;

use std::fs;

use analyzer::loudness::LoudnessMeter;
use analyzer::loudness_history::{LoudnessHistory, gated};
use analyzer::stream::{Frame, Meter as _};
use analyzer::synth::demo_mix;
use common::{Folder, RATE_HZ, louder, read};
use serde_json::Value;

/// Tolerance of an album's loudness, the same as for a song.
const ALBUM_TOLERANCE_LU: f64 = 0.1;
/// Tolerance of the differences in loudness between songs.
const DIFFERENCE_TOLERANCE_LU: f64 = 0.3;

/// Output of a first-order high-pass at about 1.4 kHz: y[n] = 0.9 (x[n] - x[n-1]) + 0.8 y[n-1].
fn treble(frames: &[Frame]) -> Vec<Frame> {
    let (mut x1, mut y1) = ([0.0; 2], [0.0; 2]);
    let next = |x: &Frame| {
        y1 = [0, 1].map(|c| 0.9 * (x[c] - x1[c]) + 0.8 * y1[c]);
        x1 = *x;
        y1
    };
    frames.iter().map(next).collect()
}

/// The song with more of its treble, or less.
fn brighter(frames: &[Frame], share: f32) -> Vec<Frame> {
    frames.iter().zip(treble(frames)).map(|(x, t)| [x[0] + share * t[0], x[1] + share * t[1]]).collect()
}

/// Songs of one band that differ in loudness and tone.
fn record(folder: &Folder) -> Vec<Vec<Frame>> {
    fs::create_dir(folder.path("in")).expect("a folder");
    let song = demo_mix(RATE_HZ, 18.0);
    let parts: Vec<&[Frame]> = song.chunks_exact(song.len() / 3).collect();
    let songs = [(0.0, 0.0), (-4.0, 1.5), (2.5, -0.6)].iter().zip(parts);
    let songs: Vec<_> = songs.map(|((by_db, share), part)| louder(&brighter(part, *share), *by_db)).collect();
    for (n, song) in songs.iter().enumerate() {
        folder.wav(&format!("in/{n}.wav"), 2, song);
    }
    songs
}

fn history(frames: &[Frame]) -> LoudnessHistory {
    let mut meter = LoudnessMeter::new(RATE_HZ);
    meter.push(frames);
    meter.history()
}

fn integrated(frames: &[Frame]) -> f64 {
    history(frames).integrated().expect("it can be heard")
}

fn album_lufs(songs: &[Vec<Frame>]) -> f64 {
    let histories: Vec<_> = songs.iter().map(|song| history(song)).collect();
    gated(|| histories.iter().flat_map(LoudnessHistory::gating_powers)).expect("it can be heard")
}

fn mastered(folder: &Folder, arguments: &[&str]) -> (Vec<Vec<Frame>>, Value) {
    folder.goldmaster(&[&["batch", "in", "-o", "out"], arguments].concat()).succeeded();
    let songs = (0..3).map(|n| read(&folder.path(&format!("out/{n}.wav"))).frames).collect();
    let report = fs::read_to_string(folder.path("out/report.json")).expect("the report");
    (songs, serde_json::from_str(&report).expect("JSON"))
}

/// Largest difference between the moves of two songs.
fn spread_of_moves(before: &[Vec<Frame>], after: &[Vec<Frame>]) -> f64 {
    let moves: Vec<f64> = before.iter().zip(after).map(|(b, a)| integrated(a) - integrated(b)).collect();
    moves.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v)) - moves.iter().fold(f64::INFINITY, |m, v| m.min(*v))
}

#[test]
fn an_album_is_at_its_loudness_and_its_songs_keep_theirs() {
    let folder = Folder::new();
    let songs = record(&folder);
    let (masters, report) = mastered(&folder, &["--album", "--loudness", "-18", "--jobs", "2"]);
    let lufs = album_lufs(&masters);
    assert!((lufs + 18.0).abs() < ALBUM_TOLERANCE_LU, "{lufs}");
    // A meter over the songs in a row reads the same, except for blocks that span two of them.
    let in_a_row = integrated(&masters.concat());
    assert!((in_a_row - lufs).abs() < ALBUM_TOLERANCE_LU, "{in_a_row}, not {lufs}");
    let spread = spread_of_moves(&songs, &masters);
    assert!(spread < DIFFERENCE_TOLERANCE_LU, "{spread} LU");
    assert!(songs.iter().zip(&masters).all(|(song, master)| song.len() == master.len()));
    let album = &report["albums"][0];
    assert!((album["loudness_lufs"].as_f64().expect("a number") - lufs).abs() < 0.01, "{album}");
    assert_eq!(album["held_back_by"], Value::Null);
    for song in album["songs"].as_array().expect("a list") {
        let figure = |name: &str| song[name].as_f64().expect("a number");
        assert!(figure("tone_after_db") < figure("tone_before_db"), "{song}");
    }
}

#[test]
fn a_record_has_one_genre() {
    let folder = Folder::new();
    record(&folder);
    let targets = |genre: &[&str]| -> Vec<String> {
        let (_, report) = mastered(&folder, &[&["--album", "--loudness", "-18"], genre].concat());
        let songs = report["songs"].as_array().expect("a list").iter();
        songs.map(|song| song["report"]["decision"]["target"].as_str().expect("a name").to_owned()).collect()
    };
    let found = targets(&[]);
    assert!(found[0].contains("universal") && found.iter().all(|target| *target == found[0]), "{found:?}");
    assert_eq!(targets(&["--genre", "rock"]), ["rock"; 3]);
}

#[test]
fn the_loudest_song_may_be_what_is_brought_to_the_target() {
    let folder = Folder::new();
    let songs = record(&folder);
    let (masters, _) = mastered(&folder, &["--album=loudest", "--loudness", "-16"]);
    let loudest = masters.iter().map(|song| integrated(song)).fold(f64::NEG_INFINITY, f64::max);
    assert!((loudest + 16.0).abs() < ALBUM_TOLERANCE_LU, "{loudest}");
    assert!(spread_of_moves(&songs, &masters) < DIFFERENCE_TOLERANCE_LU);
}

#[test]
fn a_song_that_comes_no_higher_holds_the_album_back() {
    let folder = Folder::new();
    let songs = record(&folder);
    let (masters, report) = mastered(&folder, &["--album", "--loudness", "-6", "--max-limiting-db", "1"]);
    let lufs = album_lufs(&masters);
    assert!(lufs < -7.0, "{lufs}");
    let held_back_by = report["albums"][0]["held_back_by"].as_str().expect("a song");
    assert!(held_back_by.starts_with("in/"), "{held_back_by}");
    let spread = spread_of_moves(&songs, &masters);
    assert!(spread < DIFFERENCE_TOLERANCE_LU, "{spread} LU");
    // With `--strict`, nothing is written instead.
    let strict = ["--strict", "--loudness", "-6", "--max-limiting-db", "1"];
    let run = folder.goldmaster(&[&["batch", "in", "-o", "strict", "--album"][..], &strict].concat());
    assert!(run.code == Some(3) && run.stderr.contains(held_back_by), "{run:?}");
    assert!(!folder.path("strict/0.wav").exists());
    // Of several albums, only this one fails, and each line names the song once.
    let run = folder.goldmaster(&[&["batch", "in", "-o", "folders", "--album=folders"][..], &strict].concat());
    assert_eq!(run.code, Some(4), "{run:?}");
    let lines: Vec<&str> = run.stderr.lines().filter(|line| line.contains("failed: in/")).collect();
    assert_eq!(lines.len(), 3, "{run:?}");
    assert!(lines.iter().all(|line| line.matches(held_back_by).count() == 1), "{run:?}");
}

#[test]
fn a_finished_album_is_left_alone_and_a_changed_song_changes_all() {
    let folder = Folder::new();
    record(&folder);
    folder.file("in/bad.wav", b"no song");
    let batch = || folder.goldmaster(&["batch", "in", "-o", "out", "--album", "--loudness", "-18"]);
    let count = |status: &str| {
        let report = fs::read_to_string(folder.path("out/report.json")).expect("the report");
        let report: Value = serde_json::from_str(&report).expect("JSON");
        (report["summary"][status].as_u64().expect("a count"), report["albums"][0].clone())
    };
    batch();
    let (mastered, album) = count("mastered");
    assert_eq!((mastered, album["songs"].as_array().expect("a list").len()), (3, 3));
    batch();
    assert_eq!(count("unchanged"), (3, album.clone()));
    let dry = folder.goldmaster(&["batch", "in", "-o", "out", "--album", "--loudness", "-18", "--dry-run"]);
    assert_eq!(dry.stdout.lines().filter(|line| line.starts_with("unchanged ")).count(), 3, "{dry:?}");
    folder.wav("in/0.wav", 2, &demo_mix(RATE_HZ, 3.0));
    batch();
    let (mastered, changed) = count("mastered");
    assert!(mastered == 3 && changed != album);
}

#[test]
fn a_master_that_is_gone_from_an_album_comes_back_as_it_was() {
    let folder = Folder::new();
    record(&folder);
    let masters = |out: &str| {
        let read = |n| fs::read(folder.path(&format!("{out}/{n}.wav"))).expect("a master");
        [0, 1, 2].map(read)
    };
    folder.goldmaster(&["batch", "in", "-o", "whole", "--album"]).succeeded();
    folder.goldmaster(&["batch", "in", "-o", "out", "--album", "--jobs", "1"]).succeeded();
    fs::remove_file(folder.path("out/1.wav")).expect("ours");
    folder.goldmaster(&["batch", "in", "-o", "out", "--album"]).succeeded();
    assert!(masters("whole") == masters("out"));
}

#[test]
fn a_record_can_be_its_own_reference() {
    let folder = Folder::new();
    let songs = record(&folder);
    folder.goldmaster(&["batch", "in", "-o", "out", "--reference-from-album"]).succeeded();
    for n in 0..3 {
        read(&folder.path(&format!("out/{n}.wav"))).assert_keeps(-14.0, -1.0);
    }
    // The bright song becomes darker, the dull one brighter, towards the plain song.
    let brightness = |frames: &[Frame]| integrated(&treble(frames)) - integrated(frames);
    let change = |n: usize| brightness(&read(&folder.path(&format!("out/{n}.wav"))).frames) - brightness(&songs[n]);
    assert!(change(1) < 0.0 && change(2) > 0.0, "{} {}", change(1), change(2));
}

#[test]
fn a_record_may_go_to_one_of_its_songs_and_its_masters_stay_as_they_are() {
    let folder = Folder::new();
    let songs = record(&folder);
    let album = |input: &str, output: &str, reference: &str| {
        let fixed = ["--album", "--loudness", "-18", "--reference"];
        let run = folder.goldmaster(&[&["batch", input, "-o", output], &fixed[..], &[reference]].concat()).succeeded();
        let masters: Vec<_> = (0..3).map(|n| read(&folder.path(&format!("{output}/{n}.wav"))).frames).collect();
        (masters, run.stdout)
    };
    let brightness = |frames: &[Frame]| integrated(&treble(frames)) - integrated(frames);
    let apart = |songs: &[Vec<Frame>]| (brightness(&songs[0]) - brightness(&songs[1])).abs();
    // The other songs move towards the bright one.
    let (once, printed) = album("in", "out", "in/1.wav");
    assert!(printed.contains("one of the songs of this album"), "{printed}");
    assert!(brightness(&once[0]) > brightness(&songs[0]) + 0.2 && apart(&once) < apart(&songs), "{}", apart(&once));
    let (twice, printed) = album("out", "again", "in/1.wav");
    assert_eq!(printed.matches("made towards the same target").count(), 3, "{printed}");
    for (one, two) in once.iter().zip(&twice) {
        let moved = (brightness(one) - brightness(two)).abs();
        assert!(moved < 0.05, "{moved} LU");
    }
}

#[test]
fn an_album_is_one_piece() {
    let folder = Folder::new();
    record(&folder);
    folder.file("plan.csv", b"input,loudness\nin/0.wav,-14\nin/1.wav,-12\n");
    for arguments in [&["in", "--shard", "1/2"][..], &["--plan", "plan.csv"]] {
        let run = folder.goldmaster(&[&["batch", "-o", "out", "--album"], arguments].concat());
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(!folder.path("out").exists());
    }
}

/// Loudness of a master, by name.
fn loudness(folder: &Folder, name: &str) -> f64 {
    integrated(&read(&folder.path(&format!("out/{name}.wav"))).frames)
}

#[test]
fn every_folder_may_be_an_album_of_its_own() {
    let folder = Folder::new();
    record(&folder);
    for (album, songs) in [("one", &[0, 1][..]), ("two/CD1", &[0]), ("two/Disc 2", &[2]), ("single", &[1])] {
        fs::create_dir_all(folder.path(&format!("label/{album}"))).expect("a folder");
        for n in songs {
            fs::copy(folder.path(&format!("in/{n}.wav")), folder.path(&format!("label/{album}/{n}.wav")))
                .expect("space");
        }
    }
    folder.file("label/one/2 letter.wav", b"no song");
    let note = folder.goldmaster(&["batch", "label", "--album", "-o", "out", "--dry-run"]).succeeded();
    assert!(note.stdout.contains("3 folders") && note.stdout.contains("--album=folders"), "{note:?}");
    let run =
        folder.goldmaster(&["batch", "label", "--album=folders", "-o", "out", "--loudness", "-18", "--jobs", "2"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(!run.stdout.contains("please note: the songs are from"), "{run:?}");
    let report: Value =
        serde_json::from_slice(&fs::read(folder.path("out/report.json")).expect("the report")).expect("JSON");
    let albums = report["albums"].as_array().expect("a list");
    let names: Vec<_> = albums.iter().map(|album| album["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["one", "two"]);
    assert!(albums.iter().all(|album| album["songs"].as_array().is_some_and(|songs| songs.len() == 2)), "{report}");
    let inputs: Vec<_> = report["songs"].as_array().expect("a list").iter().map(|s| s["input"].as_str()).collect();
    assert_eq!(inputs.len(), 6);
    // An album comes out as it does alone, a single song like any other song.
    let alone = folder.goldmaster(&["batch", "label/two", "--album", "-o", "alone", "--loudness", "-18"]).succeeded();
    assert!(!alone.stdout.contains("please note: the songs"), "discs are no albums: {alone:?}");
    folder.goldmaster(&["label/single/1.wav", "-o", "single.wav", "--loudness", "-18", "--genre", "auto"]).succeeded();
    let bytes = |path: &str| fs::read(folder.path(path)).expect("a master");
    for name in ["CD1/0.wav", "Disc 2/2.wav"] {
        assert!(bytes(&format!("out/two/{name}")) == bytes(&format!("alone/{name}")), "{name}");
    }
    assert!(bytes("out/single/1.wav") == bytes("single.wav"));
    let again = folder.goldmaster(&["batch", "label", "--album=folders", "-o", "out", "--loudness", "-18"]);
    assert_eq!(again.stdout.matches(": unchanged").count(), 5, "{again:?}");
}

#[test]
fn songs_may_be_made_equally_loud_and_a_spread_that_is_not_bearable_is_named() {
    let folder = Folder::new();
    let songs = record(&folder);
    folder.wav("in/2.wav", 2, &louder(&songs[2], -24.0));
    let (_, report) = mastered(&folder, &["--album", "--loudness", "-18"]);
    let spread = report["albums"][0]["spread_lu"].as_f64().expect("a number");
    let all = ["0", "1", "2"].map(|name| loudness(&folder, name));
    let apart =
        all.into_iter().reduce(f64::max).zip(all.into_iter().reduce(f64::min)).map(|(most, least)| most - least);
    assert!((spread - apart.expect("songs")).abs() < 0.1 && spread > 10.0, "{spread} {all:?}");
    let run = folder.goldmaster(&["batch", "in", "-o", "out", "--album", "--loudness", "-18"]).succeeded();
    assert!(run.stdout.contains("LU apart in loudness") && run.stdout.contains("--album-balance"), "{run:?}");
    let (masters, report) = mastered(&folder, &["--album", "--album-balance", "even", "--loudness", "-18"]);
    let each: Vec<f64> = masters.iter().map(|song| integrated(song)).collect();
    assert!(each.iter().all(|lufs| (lufs - each[0]).abs() < DIFFERENCE_TOLERANCE_LU), "{each:?}");
    assert!((album_lufs(&masters) + 18.0).abs() < ALBUM_TOLERANCE_LU);
    assert_eq!(report["albums"][0]["balance"], "even");
}
