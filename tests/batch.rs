//! Batches: masters as if made alone, reports that cover each song, runs that are killed, run twice at once, or
//! divided.

mod common;

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use analyzer::synth::{demo_mix, silence};
use common::batch::{assert_tidy, failed, folder_of, masters, report, songs, statuses, tree};
use common::{Folder, RATE_HZ, Run, SOME_FAILED, USAGE, louder, read};
use goldmaster::io::output_spec::Format;

/// Exit code of a run that was interrupted, as in the README.
const INTERRUPTED: i32 = 130;

#[test]
fn every_song_comes_out_as_if_it_were_alone_and_every_bad_one_is_named() {
    let folder = folder_of(3);
    folder.file("in/letter.wav", b"Dear musician,\nthis is a letter.\n");
    folder.file("in/disc/empty.flac", b"");
    folder.age("in/disc/empty.flac");
    folder.wav("in/silence.wav", 2, &silence(RATE_HZ, 1.0));
    folder.wav("in/six.wav", 6, &songs(1)[0]);
    folder.file("in/cover.jpg", b"\xff\xd8\xff\xe0 a picture");
    let run = failed(folder.goldmaster(&["batch", "in", "-o", "out", "--jobs", "2"]), SOME_FAILED);
    assert!(run.stderr.ends_with("goldmaster: 4 of 7 songs failed: out/report.json\n"), "{run:?}");
    let good = ["0.wav", "2.wav", "disc/1.wav"];
    let made = masters(&folder.path("out"));
    assert_eq!(made.keys().collect::<Vec<_>>(), good);
    for name in good {
        folder.goldmaster(&[&format!("in/{name}"), "--genre", "auto", "-o", "alone.wav", "--force"]).succeeded();
        assert!(made[name] == fs::read(folder.path("alone.wav")).expect("a master"), "{name}");
    }
    let report = report(&folder.path("out/report.json"));
    let expected = [
        ("in/0.wav", "mastered"),
        ("in/2.wav", "mastered"),
        ("in/disc/1.wav", "mastered"),
        ("in/disc/empty.flac", "failed"),
        ("in/letter.wav", "failed"),
        ("in/silence.wav", "failed"),
        ("in/six.wav", "failed"),
    ];
    assert_eq!(statuses(&report), expected);
    for (song, cause) in [(3, "empty"), (4, "not an audio file"), (5, "silent"), (6, "6 channels")] {
        let message = report["songs"][song]["cause"].as_str().expect("a cause");
        assert!(message.contains(cause) && run.stderr.contains(message), "{message}");
    }
    for song in &report["songs"].as_array().expect("a list")[..3] {
        let parts = [&song["profile"]["loudness"], &song["report"]["promises"], &song["report"]["recipe"]["solution"]];
        assert!(parts.iter().all(|part| !part.is_null()), "{song}");
    }
    let table = fs::read_to_string(folder.path("out/report.csv")).expect("the table");
    assert_eq!(table.lines().count(), 1 + expected.len());
    assert_tidy(&folder.path("out"));
}

#[test]
fn the_number_of_jobs_changes_nothing() {
    let folder = folder_of(4);
    folder.file("in/bad.wav", b"no song");
    let trees = ["1", "2", "3"].map(|jobs| {
        failed(folder.goldmaster(&["batch", "in", "-o", "out", "--jobs", jobs, "--memory", "1G"]), SOME_FAILED);
        let tree = tree(&folder.path("out"));
        fs::remove_dir_all(folder.path("out")).expect("ours");
        tree
    });
    assert_eq!(trees[0].len(), 6);
    assert!(trees[0] == trees[1] && trees[0] == trees[2], "masters and reports are the same");
}

#[test]
fn what_is_finished_and_unchanged_is_left_alone() {
    let folder = folder_of(3);
    let batch = |more: &[&str]| folder.goldmaster(&[&["batch", "in", "-o", "out"], more].concat());
    let statuses = |run: &Run| {
        let report = report(&folder.path("out/report.json"));
        assert_eq!(run.code, Some(if report["summary"]["failed"] == 0 { 0 } else { SOME_FAILED }), "{run:?}");
        statuses(&report).iter().map(|(_, status)| (*status).to_owned()).collect::<Vec<_>>().join(" ")
    };
    let times = || ["0.wav", "2.wav"].map(|n| fs::metadata(folder.path("out").join(n)).and_then(|m| m.modified()).ok());
    assert_eq!(statuses(&batch(&[])), "mastered mastered mastered");
    let (first, before) = (masters(&folder.path("out")), times());
    assert_eq!(statuses(&batch(&[])), "unchanged unchanged unchanged");
    assert_eq!(times(), before);
    // Another mix, and a master that is gone: only these songs are mastered.
    fs::copy(folder.path("in/disc/1.wav"), folder.path("in/0.wav")).expect("space");
    fs::remove_file(folder.path("out/disc/1.wav")).expect("ours");
    assert_eq!(statuses(&batch(&[])), "mastered unchanged mastered");
    assert!(masters(&folder.path("out"))["disc/1.wav"] == first["disc/1.wav"]);
    // Other settings; then all songs once more.
    assert_eq!(statuses(&batch(&["--loudness", "-16"])), "mastered mastered mastered");
    read(&folder.path("out/2.wav")).assert_keeps(-16.0, -1.0);
    assert_eq!(statuses(&batch(&["--loudness", "-16", "--no-resume"])), "mastered mastered mastered");
    // A file written by somebody else must not be replaced.
    folder.file("out/2.wav", b"edited by hand");
    let run = batch(&["--loudness", "-16"]);
    assert_eq!(statuses(&run), "unchanged failed unchanged");
    assert!(run.stderr.contains("out/2.wav: was changed since goldmaster wrote it"), "{run:?}");
    let dry = folder.goldmaster(&["batch", "in", "-o", "out", "--loudness", "-16", "--dry-run"]).succeeded();
    assert!(dry.stdout.contains("edited     in/2.wav -> out/2.wav"), "{dry:?}");
    assert_eq!(fs::read(folder.path("out/2.wav")).expect("it is there"), b"edited by hand");
    assert_eq!(statuses(&batch(&["--loudness", "-16", "--force"])), "unchanged mastered unchanged");
}

#[test]
fn a_dry_run_says_what_would_be_done_and_writes_nothing() {
    let folder = folder_of(2);
    folder.file("in/bad.wav", b"no song");
    let dry = folder.goldmaster(&["batch", "in", "-o", "out", "--dry-run"]).succeeded();
    assert_eq!(dry.stdout.lines().filter(|line| line.starts_with("master ")).count(), 2, "{dry:?}");
    assert!(dry.stdout.contains("fails      in/bad.wav: "), "{dry:?}");
    assert!(!folder.path("out").exists());
    failed(folder.goldmaster(&["batch", "in", "-o", "out"]), SOME_FAILED);
    let before = tree(&folder.path("out"));
    folder.wav("in/new.wav", 2, &songs(1)[0]);
    let dry = folder.goldmaster(&["batch", "in", "-o", "out", "--dry-run"]).succeeded();
    assert_eq!(dry.stdout.lines().filter(|line| line.starts_with("unchanged ")).count(), 2, "{dry:?}");
    assert!(dry.stdout.contains("master     in/new.wav -> out/new.wav"), "{dry:?}");
    assert!(tree(&folder.path("out")) == before);
}

fn start(folder: &Folder, arguments: &[&str]) -> Child {
    folder.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

#[test]
fn a_killed_batch_leaves_whole_masters_and_goes_on_where_it_was() {
    let folder = folder_of(4);
    let began = Instant::now();
    folder.goldmaster(&["batch", "in", "-o", "whole"]).succeeded();
    let took = began.elapsed();
    let whole = masters(&folder.path("whole"));
    for part in 1..8 {
        let mut child = start(&folder, &["batch", "in", "-o", "out"]);
        std::thread::sleep(took * part / 8);
        child.kill().expect("it is ours");
        child.wait().expect("it ends");
        let there = masters(&folder.path("out"));
        assert!(there.iter().all(|(name, bytes)| whole[name] == *bytes), "killed after {part}/8");
        folder.goldmaster(&["batch", "in", "-o", "out"]).succeeded();
        assert!(masters(&folder.path("out")) == whole, "killed after {part}/8");
        assert_tidy(&folder.path("out"));
        fs::remove_dir_all(folder.path("out")).expect("ours");
    }
}

#[test]
fn a_master_whose_batch_was_killed_before_it_could_remember_is_recognised() {
    let folder = folder_of(1);
    let batch = || folder.goldmaster(&["batch", "in", "-o", "out"]);
    batch().succeeded();
    let records: Vec<_> = fs::read_dir(folder.path("out/.goldmaster")).expect("records").collect();
    let record = records[0].as_ref().expect("an entry").path();
    let forget = || {
        drop(fs::remove_file(&record));
        fs::write(record.with_extension("claim"), "").expect("space");
    };
    forget();
    let before = masters(&folder.path("out"));
    batch().succeeded();
    assert!(masters(&folder.path("out")) == before);
    forget();
    folder.file("out/0.wav", b"by somebody else");
    assert!(failed(batch(), SOME_FAILED).stderr.contains("exists already"));
    assert_eq!(fs::read(folder.path("out/0.wav")).expect("it is there"), b"by somebody else");
    let with_page = || folder.goldmaster(&["batch", "in", "-o", "out", "--report"]);
    forget();
    failed(with_page(), SOME_FAILED);
    assert!(!folder.path("out/0.wav.html").exists(), "a page of what is not ours");
    fs::write(folder.path("out/0.wav"), &before["0.wav"]).expect("space");
    forget();
    with_page().succeeded();
    let page = fs::read_to_string(folder.path("out/0.wav.html")).expect("a page");
    assert!(page.contains("0.wav") && !page.contains(".tmp"), "it tells of the master, not of a scratch file");
    assert!(masters(&folder.path("out")) == before);
    assert_tidy(&folder.path("out"));
}

#[test]
fn what_goldmaster_has_made_is_no_song_while_there_are_others() {
    let folder = folder_of(2);
    folder.goldmaster(&["in/0.wav"]).succeeded();
    folder.goldmaster(&["in/0.wav", "-o", "in/final.flac"]).succeeded();
    folder.goldmaster(&["batch", "in", "-o", "in/masters"]).succeeded();
    let songs = |arguments: &[&str], left_out: usize| {
        let run = folder.goldmaster(&[&["batch", "-o", "out"], arguments].concat()).succeeded();
        let line = run.stdout.lines().next().filter(|line| line.starts_with("left out: masters"));
        assert_eq!(line.is_some_and(|text| text.contains(&format!("({left_out})"))), left_out > 0, "{run:?}");
        let made: Vec<String> = masters(&folder.path("out")).into_keys().collect();
        fs::remove_dir_all(folder.path("out")).expect("ours");
        made
    };
    assert_eq!(songs(&["in"], 4), ["0.wav", "disc/1.wav"]);
    // As a shell expands in/*.wav.
    assert_eq!(songs(&["in/0.master.wav", "in/0.wav"], 1), ["0.wav"]);
    assert_eq!(songs(&["in/masters"], 0), ["0.wav", "disc/1.wav"]);
}

#[test]
fn shortfalls_and_advice_are_told_as_they_are_of_a_single_song() {
    let folder = folder_of(1);
    let clipped: Vec<_> = louder(&songs(1)[0], 40.0).iter().map(|f| f.map(|x| x.clamp(-1.0, 1.0))).collect();
    folder.wav("in/clipped.wav", 2, &clipped);
    let asked = ["--loudness", "-5", "--max-limiting-db", "0.5"];
    let run = folder.goldmaster(&[&["batch", "in", "-o", "out"], &asked[..]].concat()).succeeded();
    let table = fs::read_to_string(folder.path("out/report.csv")).expect("the table");
    let [short, advice] = ["the limiter may take 0.5 dB at most", "The mix clips"];
    assert!(run.stderr.contains(short) && table.contains(short), "{run:?} {table}");
    assert!(run.stdout.contains(&format!("please note: {advice}")) && table.contains(advice), "{run:?} {table}");
}

#[test]
fn a_file_that_is_still_being_written_is_left_for_the_next_run() {
    let folder = folder_of(1);
    let growing = folder.wav("in/growing.wav", 2, &demo_mix(RATE_HZ, 20.0));
    let whole = fs::metadata(&growing).expect("a file").len();
    let mut child = start(&folder, &["batch", "in", "-o", "out", "--jobs", "1"]);
    let mut file = fs::OpenOptions::new().append(true).open(&growing).expect("ours");
    while child.try_wait().expect("ours").is_none() {
        std::io::Write::write_all(&mut file, &[0; 6]).expect("space");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(child.wait().expect("ours").code(), Some(0), "it is no failure");
    assert_eq!(masters(&folder.path("out")).keys().collect::<Vec<_>>(), ["0.wav"]);
    let first = report(&folder.path("out/report.json"));
    assert_eq!(statuses(&first), [("in/0.wav", "mastered"), ("in/growing.wav", "changing")]);
    assert!(first["songs"][1]["cause"].as_str().is_some_and(|cause| cause.contains("changed while it was read")));
    file.set_len(whole).expect("ours");
    folder.goldmaster(&["batch", "in", "-o", "out"]).succeeded();
    assert_eq!(
        statuses(&report(&folder.path("out/report.json"))),
        [("in/0.wav", "unchanged"), ("in/growing.wav", "mastered")]
    );
    assert_tidy(&folder.path("out"));
}

#[test]
fn a_file_that_grows_slowly_is_left_for_the_next_run_and_one_that_is_cut_off_is_not() {
    let folder = folder_of(1);
    let whole = fs::read(folder.wav("whole.wav", 2, &demo_mix(RATE_HZ, 4.0))).expect("a song");
    let (half, rest) = whole.split_at(whole.len() / 2);
    for name in ["in/cut.wav", "in/growing.wav", "in/old.wav"] {
        folder.file(name, half);
    }
    folder.age("in/old.wav");
    let mut child = start(&folder, &["batch", "in", "-o", "out", "--jobs", "3"]);
    let mut file = fs::OpenOptions::new().append(true).open(folder.path("in/growing.wav")).expect("ours");
    let mut pieces = rest.chunks(rest.len() / 20);
    while child.try_wait().expect("ours").is_none() {
        std::thread::sleep(Duration::from_secs(2));
        std::io::Write::write_all(&mut file, pieces.next().unwrap_or_default()).expect("space");
    }
    assert_eq!(child.wait().expect("ours").code(), Some(0), "it is no failure");
    let expected = [
        ("in/0.wav", "mastered"),
        ("in/cut.wav", "mastered"),
        ("in/growing.wav", "changing"),
        ("in/old.wav", "mastered"),
    ];
    assert_eq!(statuses(&report(&folder.path("out/report.json"))), expected);
    folder.file("in/growing.wav", &whole);
    folder.goldmaster(&["batch", "in", "-o", "out"]).succeeded();
    assert_eq!(statuses(&report(&folder.path("out/report.json")))[2], ("in/growing.wav", "mastered"));
    assert_tidy(&folder.path("out"));
}

#[test]
fn a_dry_run_names_what_may_still_grow() {
    let folder = folder_of(1);
    let whole = fs::read(folder.wav("whole.wav", 2, &demo_mix(RATE_HZ, 2.0))).expect("a song");
    for name in ["in/growing.wav", "in/old.wav"] {
        folder.file(name, &whole[..whole.len() / 2]);
    }
    folder.age("in/old.wav");
    folder.make_new("in/0.wav");
    folder.make_new("in/growing.wav");
    let dry =
        |more: &[&str]| folder.goldmaster(&[&["batch", "in", "-o", "out", "--dry-run"], more].concat()).succeeded();
    let singles = dry(&[]).stdout;
    let begins = ["master     in/0.wav ->", "growing    in/growing.wav: ", "master     in/old.wav ->"];
    let songs: Vec<&str> = singles.lines().take(begins.len()).collect();
    assert_eq!(songs.len(), begins.len(), "{singles}");
    assert!(songs.iter().zip(begins).all(|(song, begin)| song.starts_with(begin)), "{singles}");
    let strict = dry(&["--strict"]).stdout;
    assert!(strict.contains("fails      in/old.wav: ") && strict.contains("the mix is damaged"), "{strict}");
    let album = dry(&["--album"]).stdout;
    assert_eq!(album.matches(": its album waits for in/growing.wav").count(), 2, "{album}");
    assert!(!folder.path("out").exists());
    folder.age("in/growing.wav");
    let arrived = dry(&["--album"]).stdout;
    assert_eq!(arrived.lines().filter(|line| line.starts_with("master ")).count(), 3, "{arrived}");
}

/// An MPEG stream without its first frame, which holds the number of frames, and the positions at which frames begin.
fn mp3_without_length(folder: &Folder) -> (Vec<u8>, Vec<usize>) {
    const BITRATE_BPS: usize = 320_000;
    folder.wav("long.wav", 2, &demo_mix(RATE_HZ, 4.0));
    folder.goldmaster(&["long.wav", "-o", "long.mp3"]).succeeded();
    let bytes = fs::read(folder.path("long.mp3")).expect("a master");
    let tag = bytes.windows(4).position(|word| word == b"Info" || word == b"Xing").expect("a frame with the length");
    let mut at = bytes[..tag].windows(2).rposition(|word| word == [0xff, 0xfb]).expect("the head of that frame");
    let mut places = Vec::new();
    while bytes[at..].starts_with(&[0xff, 0xfb]) {
        at += 144 * BITRATE_BPS / RATE_HZ as usize + usize::from(bytes[at + 2] >> 1 & 1);
        places.push(at);
    }
    let first = places[0];
    (bytes[first..at].to_vec(), places.iter().map(|place| place - first).collect())
}

#[test]
fn a_growing_file_that_says_no_length_is_left_for_the_next_run() {
    let folder = folder_of(1);
    let (stream, places) = mp3_without_length(&folder);
    assert!(places.len() > 100, "{places:?}");
    folder.goldmaster(&["long.wav", "-o", "long.opus"]).succeeded();
    let ogg = fs::read(folder.path("long.opus")).expect("a master");
    let last_page = ogg.windows(4).rposition(|word| word == b"OggS").expect("pages");
    // Nothing in either file shows that more is to come.
    folder.file("in/1.mp3", &stream[..places[50]]);
    folder.file("in/2.opus", &ogg[..last_page]);
    folder.file("in/3.opus", &ogg);
    ["in/1.mp3", "in/2.opus", "in/3.opus"].iter().for_each(|name| folder.make_new(name));
    // Songs named on the command line are taken, whoever made them.
    let dry = ["batch", "in/0.wav", "in/1.mp3", "in/2.opus", "in/3.opus", "-o", "out", "--dry-run"];
    let dry = folder.goldmaster(&dry).succeeded().stdout;
    let labels: Vec<&str> = dry.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(labels, ["master", "growing", "growing", "master"], "{dry}");
    let batch = ["batch", "in/0.wav", "in/1.mp3", "in/3.opus", "-o", "out"];
    let mut child = start(&folder, &batch);
    let mut file = fs::OpenOptions::new().append(true).open(folder.path("in/1.mp3")).expect("ours");
    let mut frames = places[50..].windows(2);
    while child.try_wait().expect("ours").is_none() {
        std::thread::sleep(Duration::from_secs(1));
        let frame = frames.next().map_or(0..0, |ends| ends[0]..ends[1]);
        std::io::Write::write_all(&mut file, &stream[frame]).expect("space");
    }
    assert_eq!(child.wait().expect("ours").code(), Some(0), "it is no failure");
    let expected = [("in/0.wav", "mastered"), ("in/1.mp3", "changing"), ("in/3.opus", "mastered")];
    assert_eq!(statuses(&report(&folder.path("out/report.json"))), expected);
    folder.age("in/1.mp3");
    folder.goldmaster(&batch).succeeded();
    assert_eq!(statuses(&report(&folder.path("out/report.json")))[1], ("in/1.mp3", "mastered"));
}

#[test]
fn two_batches_into_one_folder_share_the_work() {
    let folder = folder_of(5);
    folder.goldmaster(&["batch", "in", "-o", "alone"]).succeeded();
    let children = [(); 2].map(|()| start(&folder, &["batch", "in", "-o", "out", "--jobs", "2"]));
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    }
    assert!(masters(&folder.path("out")) == masters(&folder.path("alone")));
    let report = report(&folder.path("out/report.json"));
    assert!(statuses(&report).iter().all(|(_, status)| ["mastered", "unchanged"].contains(status)), "{report}");
    assert_tidy(&folder.path("out"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_lets_the_song_at_work_end_and_begins_no_other() {
    let folder = folder_of(40);
    let mut child = start(&folder, &["batch", "in", "-o", "out", "--jobs", "1"]);
    let began = Instant::now();
    while masters(&folder.path("out")).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60) && child.try_wait().expect("ours").is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("a shell").success());
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(INTERRUPTED), "{stderr}");
    assert!(stderr.contains("interrupted") && stderr.contains("of 40 songs are left"), "{stderr}");
    let report = report(&folder.path("out/report.json"));
    let made = masters(&folder.path("out")).len();
    let count = |status| report["summary"][status].as_u64().expect("a count") as usize;
    assert_eq!((count("mastered"), count("failed"), count("left")), (made, 0, 40 - made));
    assert!(made < 40);
    assert_tidy(&folder.path("out"));
}

#[cfg(unix)]
#[test]
fn a_second_ctrl_c_ends_the_song_at_work_and_leaves_nothing_of_it() {
    let folder = Folder::new();
    fs::create_dir(folder.path("in")).expect("a folder");
    folder.wav("in/long.wav", 2, &demo_mix(RATE_HZ, 120.0));
    let mut child = start(&folder, &["batch", "in", "-o", "out"]);
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(300));
        let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(killed.expect("a shell").success());
    }
    let began = Instant::now();
    while child.try_wait().expect("ours").is_none() {
        assert!(began.elapsed() < Duration::from_secs(10), "it goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(child.wait().expect("ours").code(), Some(INTERRUPTED));
    assert!(masters(&folder.path("out")).is_empty());
    assert_tidy(&folder.path("out"));
    assert_eq!(report(&folder.path("out/report.json"))["summary"]["left"], 1);
}

#[test]
fn four_parts_side_by_side_are_the_whole() {
    let folder = folder_of(6);
    folder.file("in/bad.wav", b"no song");
    failed(folder.goldmaster(&["batch", "in", "-o", "out"]), SOME_FAILED);
    let whole = tree(&folder.path("out"));
    fs::remove_dir_all(folder.path("out")).expect("ours");
    let shards = ["1/4", "2/4", "3/4", "4/4"];
    let children = shards.map(|shard| start(&folder, &["batch", "in", "-o", "out", "--shard", shard]));
    let codes = children.map(|child| child.wait_with_output().expect("it ends").status.code());
    assert_eq!(codes.iter().filter(|code| **code == Some(SOME_FAILED)).count(), 1, "{codes:?}");
    let reports = [1, 2, 3, 4].map(|n| format!("out/report.{n}-of-4.json"));
    let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
    // A missing part is an error.
    let run = failed(folder.goldmaster(&[&["merge-reports"], &reports[..3]].concat()), USAGE);
    assert!(run.stderr.contains("4/4"), "{run:?}");
    let twice = [&["merge-reports"], &reports[..], &reports[..1]].concat();
    failed(folder.goldmaster(&twice), USAGE);
    assert!(!folder.path("out/report.json").exists());
    // The reports may be given in any order.
    let backwards: Vec<&str> = reports.iter().rev().copied().collect();
    failed(folder.goldmaster(&[&["merge-reports", "-o", "out/report.json"], &backwards[..]].concat()), SOME_FAILED);
    for n in 1..=4 {
        for extension in ["json", "csv"] {
            fs::remove_file(folder.path(&format!("out/report.{n}-of-4.{extension}"))).expect("it was written");
        }
    }
    assert!(tree(&folder.path("out")) == whole, "masters and report, byte for byte");
}

#[test]
fn lists_globs_and_twins_find_their_place() {
    let folder = folder_of(2);
    folder.integers("in/0.flac", Format::Flac, &songs(1)[0]);
    folder.file("list", b"in/0.wav\nin/disc/1.wav\n");
    let list = fs::File::open(folder.path("list")).expect("the list");
    let mut command = folder.command(&["batch", "-", "-o", "listed"]);
    folder.run(command.stdin(list)).succeeded();
    assert_eq!(masters(&folder.path("listed")).keys().collect::<Vec<_>>(), ["in/0.wav", "in/disc/1.wav"]);
    folder.goldmaster(&["batch", "in/**/*.wav", "in/0.flac", "-o", "found"]).succeeded();
    assert_eq!(masters(&folder.path("found")).keys().collect::<Vec<_>>(), ["0.flac.wav", "0.wav", "disc/1.wav"]);
}

#[test]
fn what_cannot_be_meant_is_refused_before_any_work() {
    let folder = folder_of(2);
    fs::create_dir(folder.path("mine")).expect("a folder");
    folder.file("mine/report.json", b"{\"my\": \"own\"}\n");
    let before = tree(&folder.path(""));
    let cases: [(&[&str], i32, &str); 23] = [
        (&["batch"], USAGE, "INPUTS"),
        (&["batch", "nothing/*.wav"], USAGE, "nothing/*.wav"),
        (&["batch", "nowhere"], 1, "nowhere: there is no such file"),
        (&["batch", "in", "-o", "in"], USAGE, "would replace in/0.wav"),
        (&["batch", "in", "-o", "in", "--force"], USAGE, "would replace in/0.wav"),
        (&["batch", "in/0.wav", "in/../in/disc/1.wav", "--shard", "3/2"], USAGE, "3/2"),
        (&["batch", "in", "--jobs", "64", "--memory", "500M"], USAGE, "64 songs at once need"),
        (&["batch", "in", "--ceiling", "3"], USAGE, "ceiling"),
        (&["batch", "in", "--format", "flac", "--bits", "32f"], USAGE, "FLAC"),
        (&["batch", "in", "--reference", "missing.wav"], 1, "missing.wav: there is no such file"),
        (&["batch", "in", "--profile", "missing.json"], 1, "missing.json: there is no such file"),
        (&["batch", "in", "--genre", "polka"], USAGE, "electronic, folk, orchestral, rock"),
        (&["batch", "in", "--genre", "rock", "--reference-from-album"], USAGE, "--reference-from-album"),
        (&["batch", "--genre", "rock"], USAGE, "INPUTS"),
        (&["batch", "in", "--genre-reference", "in/0.wav"], USAGE, "must be GENRE=FILE"),
        (
            &["batch", "in", "--genre-reference", "polka=in/0.wav"],
            USAGE,
            "electronic, folk, orchestral, rock, world, universal",
        ),
        (&["batch", "in", "--genre", "folk", "--genre-reference", "rock=in/0.wav"], USAGE, "no song is of it"),
        (&["batch", "in", "--genre", "rock", "--genre-reference", "electronic=in/0.wav"], USAGE, "no song is of it"),
        (&["batch", "in", "--genre-reference", "electronic=missing.wav"], 1, "missing.wav: there is no such file"),
        (
            &["batch", "in", "--reference", "in/0.wav", "--genre-reference", "electronic=in/0.wav"],
            USAGE,
            "cannot be used",
        ),
        (&["batch", "in", "--album", "--shard", "1/2"], USAGE, "--shard cannot divide"),
        (&["batch", "in", "-o", "mine"], 1, "mine/report.json: exists already"),
        (&["merge-reports", "mine/report.json", "-o", "joint.json"], USAGE, "not a report"),
    ];
    for (arguments, code, words) in cases {
        let run = failed(folder.goldmaster(arguments), code);
        assert!(run.stderr.contains(words), "{words:?} is missing: {run:?}");
        assert!(tree(&folder.path("")) == before, "{arguments:?} has written something");
    }
}
