//! Many songs: masters as if made alone, reports that tell of each, runs that are killed, doubled, divided.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use analyzer::stream::Frame;
use analyzer::synth::{demo_mix, silence};
use common::{Folder, RATE_HZ, Run, louder, name, read};
use goldmaster::io::encode::Format;
use serde_json::Value;

/// Exit codes, as the README has them.
const USAGE: i32 = 2;
const SOME_FAILED: i32 = 4;
const INTERRUPTED: i32 = 130;

/// Long enough for a loudness.
const SECONDS: f64 = 1.0;

/// Songs of a second that differ: consecutive parts of one.
fn songs(count: usize) -> Vec<Vec<Frame>> {
    let frames = demo_mix(RATE_HZ, SECONDS * count as f64);
    frames.chunks_exact(frames.len() / count).map(<[Frame]>::to_vec).collect()
}

/// A folder with an `in` of so many songs, `in/disc/` among them.
fn folder_of(count: usize) -> Folder {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("in/disc")).expect("a folder");
    for (n, song) in songs(count).iter().enumerate() {
        let place = if n % 2 == 0 { "in" } else { "in/disc" };
        folder.wav(&format!("{place}/{n}.wav"), 2, song);
    }
    folder
}

/// Every file below `path`, by its path in it; hidden folders left out.
fn tree(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(path).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        let own = name(&path);
        match path.is_dir() {
            true if own == ".goldmaster" => {}
            true => files.extend(tree(&path).into_iter().map(|(name, bytes)| (format!("{own}/{name}"), bytes))),
            false => drop(files.insert(own, fs::read(&path).expect("readable"))),
        }
    }
    files
}

/// The masters below `path`.
fn masters(path: &Path) -> BTreeMap<String, Vec<u8>> {
    tree(path).into_iter().filter(|(name, _)| name.ends_with(".wav") || name.ends_with(".flac")).collect()
}

/// Nothing is left of work that was not finished.
fn assert_tidy(path: &Path) {
    for folder in [path.to_owned(), path.join("disc"), path.join(".goldmaster")] {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let name = name(&entry.expect("an entry").path());
            assert!(!name.ends_with(".tmp") && !name.ends_with(".claim"), "{name} was left behind");
        }
    }
}

fn report(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("the report");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn statuses(report: &Value) -> Vec<(&str, &str)> {
    fn text(value: &Value) -> &str {
        value.as_str().expect("a text")
    }
    let songs = report["songs"].as_array().expect("a list").iter();
    songs.map(|song| (text(&song["input"]), text(&song["status"]))).collect()
}

fn failed(run: Run, code: i32) -> Run {
    assert_eq!(run.code, Some(code), "{run:?}");
    run
}

#[test]
fn every_song_comes_out_as_if_it_were_alone_and_every_bad_one_is_named() {
    let folder = folder_of(3);
    folder.file("in/letter.wav", b"Dear musician,\nthis is a letter.\n");
    folder.file("in/disc/empty.flac", b"");
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
    for (song, cause) in [(3, "empty"), (4, "no sound"), (5, "silent"), (6, "6 channels")] {
        let said = report["songs"][song]["cause"].as_str().expect("a cause");
        assert!(said.contains(cause) && run.stderr.contains(said), "{said}");
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
    let seen = |run: &Run| {
        let report = report(&folder.path("out/report.json"));
        assert_eq!(run.code, Some(if report["summary"]["failed"] == 0 { 0 } else { SOME_FAILED }), "{run:?}");
        statuses(&report).iter().map(|(_, status)| (*status).to_owned()).collect::<Vec<_>>().join(" ")
    };
    let times = || ["0.wav", "2.wav"].map(|n| fs::metadata(folder.path("out").join(n)).and_then(|m| m.modified()).ok());
    assert_eq!(seen(&batch(&[])), "mastered mastered mastered");
    let (first, before) = (masters(&folder.path("out")), times());
    assert_eq!(seen(&batch(&[])), "unchanged unchanged unchanged");
    assert_eq!(times(), before);
    // Another mix, a master that is gone: these songs and no others.
    fs::copy(folder.path("in/disc/1.wav"), folder.path("in/0.wav")).expect("space");
    fs::remove_file(folder.path("out/disc/1.wav")).expect("ours");
    assert_eq!(seen(&batch(&[])), "mastered unchanged mastered");
    assert!(masters(&folder.path("out"))["disc/1.wav"] == first["disc/1.wav"]);
    // Other settings; and all of them once more.
    assert_eq!(seen(&batch(&["--loudness", "-16"])), "mastered mastered mastered");
    read(&folder.path("out/2.wav")).assert_keeps(-16.0, -1.0);
    assert_eq!(seen(&batch(&["--loudness", "-16", "--no-resume"])), "mastered mastered mastered");
    // What somebody else wrote is not ours to replace.
    folder.file("out/2.wav", b"edited by hand");
    let run = batch(&["--loudness", "-16"]);
    assert_eq!(seen(&run), "unchanged failed unchanged");
    assert!(run.stderr.contains("out/2.wav: exists already"), "{run:?}");
    assert_eq!(fs::read(folder.path("out/2.wav")).expect("it is there"), b"edited by hand");
    assert_eq!(seen(&batch(&["--loudness", "-16", "--force"])), "unchanged mastered unchanged");
}

#[test]
fn a_dry_run_says_what_would_be_done_and_writes_nothing() {
    let folder = folder_of(2);
    folder.file("in/bad.wav", b"no song");
    let dry = folder.goldmaster(&["batch", "in", "-o", "out", "--dry-run"]).succeeded();
    assert_eq!(dry.stdout.lines().filter(|line| line.starts_with("master ")).count(), 3, "{dry:?}");
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
        fs::remove_file(&record).expect("ours");
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
    assert_tidy(&folder.path("out"));
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
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(INTERRUPTED), "{said}");
    assert!(said.contains("interrupted") && said.contains("of 40 songs are left"), "{said}");
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
    // A part that is missing is not passed over.
    let run = failed(folder.goldmaster(&[&["merge-reports"], &reports[..3]].concat()), USAGE);
    assert!(run.stderr.contains("4/4"), "{run:?}");
    let twice = [&["merge-reports"], &reports[..], &reports[..1]].concat();
    failed(folder.goldmaster(&twice), USAGE);
    assert!(!folder.path("out/report.json").exists());
    // In any order.
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
fn a_plan_gives_every_song_its_own_settings() {
    let folder = folder_of(3);
    folder.wav("in/record.wav", 2, &louder(&songs(1)[0], 12.0));
    folder.file(
        "in/plan.csv",
        b"input,output,loudness,reference,bits\n0.wav,,-16,,\n2.wav,loud/two.flac,-9,,16\ndisc/1.wav,,,record.wav,\n",
    );
    folder.goldmaster(&["batch", "--plan", "in/plan.csv", "-o", "out", "--loudness", "-20"]).succeeded();
    assert_eq!(masters(&folder.path("out")).keys().collect::<Vec<_>>(), ["0.wav", "disc/1.wav", "loud/two.flac"]);
    for (output, arguments) in [
        ("0.wav", &["in/0.wav", "--loudness", "-16", "--genre", "auto"][..]),
        ("loud/two.flac", &["in/2.wav", "--loudness", "-9", "--bits", "16", "--genre", "auto"]),
        ("disc/1.wav", &["in/disc/1.wav", "--loudness", "-20", "--reference", "in/record.wav"]),
    ] {
        let alone = format!("alone.{}", output.rsplit('.').next().unwrap_or_default());
        folder.goldmaster(&[arguments, &["-o", &alone, "--force"]].concat()).succeeded();
        let bytes = |path: &str| fs::read(folder.path(path)).expect("a master");
        assert!(bytes(&format!("out/{output}")) == bytes(&alone), "{output}");
    }
}

#[test]
fn a_plan_gives_every_song_its_own_direction() {
    let folder = folder_of(4);
    folder.goldmaster(&["profile", "in/disc", "-o", "in/mine.profile.json"]).succeeded();
    let plan = |genre: &str| {
        let rows = format!("0.wav,{genre},\n2.wav,,mine.profile.json\ndisc/1.wav,,\ndisc/3.wav,universal,\n");
        folder.file("in/plan.csv", format!("input,genre,profile\n{rows}").as_bytes());
    };
    let batch = |code: i32| failed(folder.goldmaster(&["batch", "--plan", "in/plan.csv", "-o", "out"]), code);
    let seen = || -> Vec<(String, String)> {
        let report = report(&folder.path("out/report.json"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let songs = report["songs"].as_array().expect("a list").iter();
        songs.map(|song| (text(&song["report"]["decision"]["target"]), text(&song["status"]))).collect()
    };
    plan("rock");
    batch(0);
    let targets: Vec<String> = seen().into_iter().map(|(target, _)| target).collect();
    assert_eq!([&targets[0], &targets[1], &targets[3]], ["rock", "mine", "universal"]);
    let masters = masters(&folder.path("out"));
    for (name, direction, value) in [
        ("0.wav", "--genre", "rock"),
        ("2.wav", "--profile", "in/mine.profile.json"),
        ("disc/1.wav", "--genre", "auto"),
        ("disc/3.wav", "--genre", "universal"),
    ] {
        folder.goldmaster(&[&format!("in/{name}"), direction, value, "-o", "alone.wav", "--force"]).succeeded();
        assert!(masters[name] == fs::read(folder.path("alone.wav")).expect("a master"), "{name}");
    }
    // Another genre, or another profile under the same name, is another master; the others are left alone.
    plan("orchestral");
    folder.goldmaster(&["profile", "in/0.wav", "-o", "in/mine.profile.json", "--name", "other", "--force"]).succeeded();
    batch(0);
    let statuses: Vec<(String, String)> = seen();
    let status: Vec<&str> = statuses.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!(status, ["mastered", "mastered", "unchanged", "unchanged"]);
    assert_eq!((statuses[0].0.as_str(), statuses[1].0.as_str()), ("orchestral", "other"));
    plan("polka");
    let run = batch(USAGE);
    assert!(
        ["line 2", "genre", "polka", "electronic, orchestral, rock"].iter().all(|w| run.stderr.contains(w)),
        "{run:?}"
    );
    folder.file("in/plan.csv", b"input,genre,profile\n0.wav,rock,mine.profile.json\n");
    assert!(batch(USAGE).stderr.contains("only one of them"));
}

#[test]
fn a_song_goes_to_the_record_of_the_genre_that_it_sounds_like_or_is_given() {
    let folder = folder_of(2);
    let [loud, soft] = [("a=b.wav", 9.0), ("soft.wav", -9.0)].map(|(name, by_db)| {
        folder.wav(name, 2, &louder(&songs(3)[2], by_db));
        name
    });
    let made = |arguments: &[&str]| {
        let run = folder.goldmaster(&[&["batch", "-o", "out", "--no-resume"], arguments].concat()).succeeded();
        (masters(&folder.path("out")), run.stdout)
    };
    let (plain, said) = made(&["in"]);
    let told: Vec<(String, f64)> = {
        let report = report(&folder.path("out/report.json"));
        let genres =
            report["songs"].as_array().expect("a list").iter().map(|song| &song["report"]["decision"]["genre"]);
        let name = |genre: &Value| genre["name"].as_str().expect("a name").to_owned();
        genres.map(|genre| (name(genre), genre["probability"].as_f64().expect("a number"))).collect()
    };
    let table = fs::read_to_string(folder.path("out/report.csv")).expect("the table");
    for ((genre, share), row) in told.iter().zip(table.lines().skip(1)) {
        assert!((0.3..=1.0).contains(share), "{genre} {share}");
        assert!(row.contains(&format!(",{genre},{share:.2},")), "{row}");
        assert!(said.contains(&format!(", {genre} {:.0} %", 100.0 * share)), "{said}");
    }
    let alone = |song: &str, arguments: &[&str]| {
        let song = format!("in/{song}");
        folder.goldmaster(&[&[&*song, "-o", "alone.wav", "--force"], arguments].concat()).succeeded();
        fs::read(folder.path("alone.wav")).expect("a master")
    };
    // Every genre that can be told, in turn: its songs go to the record, all others where they went.
    for genre in ["electronic", "orchestral", "universal"] {
        let (masters, said) = made(&["in", "--genre-reference", &format!("{genre}={loud}")]);
        for ((name, master), (told, _)) in masters.iter().zip(&told) {
            let expected = if told == genre { alone(name, &["--reference", loud]) } else { plain[name].clone() };
            assert!(*master == expected, "{name} is {told}, the record is {genre}");
            let line = said.lines().find(|line| line.starts_with(&format!("out/{name}: "))).expect("a line per song");
            assert_eq!(line.ends_with(&format!(": towards {loud}")), told == genre, "{line}");
        }
    }
    // A genre that is given, two records with weights, and a song that goes elsewhere.
    folder.file("plan.csv", b"input,genre,reference\nin/0.wav,rock,\nin/disc/1.wav,,soft.wav\n");
    let of = [format!("rock={loud}"), format!("rock={soft}:0.5")];
    let references = ["--genre-reference", &of[0], "--genre-reference", &of[1]];
    let (masters, _) = made(&[&["--plan", "plan.csv"], &references[..]].concat());
    let both = ["--reference", loud, "--reference", &format!("{soft}:0.5")];
    assert!(masters["in/0.wav"] == alone("0.wav", &both));
    assert!(masters["in/disc/1.wav"] == alone("disc/1.wav", &["--reference", soft]));
    // A record that is another now makes other masters, where it is gone towards.
    folder.wav(soft, 2, &songs(3)[1]);
    let again = ["batch", "--plan", "plan.csv", "-o", "out", "--dry-run"];
    let dry = folder.goldmaster(&[&again, &references[..]].concat()).succeeded();
    assert_eq!(dry.stdout.lines().filter(|line| line.starts_with("again ")).count(), 2, "{dry:?}");
}

#[test]
fn a_record_goes_to_the_record_of_its_genre() {
    let folder = folder_of(2);
    folder.wav("hit.wav", 2, &louder(&songs(3)[2], 9.0));
    let made = |direction: &[&str]| {
        let album = ["batch", "in", "-o", "out", "--album", "--no-resume", "--loudness", "-18"];
        folder.goldmaster(&[&album, direction].concat()).succeeded();
        masters(&folder.path("out"))
    };
    let towards_hit = made(&["--reference", "hit.wav"]);
    assert!(made(&["--genre", "rock", "--genre-reference", "rock=hit.wav"]) == towards_hit);
    assert!(made(&["--genre", "rock"]) != towards_hit);
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
    let cases: [(&[&str], i32, &str); 22] = [
        (&["batch"], USAGE, "INPUTS"),
        (&["batch", "nothing/*.wav"], USAGE, "nothing/*.wav"),
        (&["batch", "in", "-o", "in"], USAGE, "would replace in/0.wav"),
        (&["batch", "in", "-o", "in", "--force"], USAGE, "would replace in/0.wav"),
        (&["batch", "in/0.wav", "in/../in/disc/1.wav", "--shard", "3/2"], USAGE, "3/2"),
        (&["batch", "in", "--jobs", "64", "--memory", "500M"], USAGE, "64 at once need"),
        (&["batch", "in", "--ceiling", "3"], USAGE, "ceiling"),
        (&["batch", "in", "--format", "flac", "--bits", "32f"], USAGE, "FLAC"),
        (&["batch", "in", "--reference", "missing.wav"], 1, "missing.wav: there is no such file"),
        (&["batch", "in", "--profile", "missing.json"], 1, "missing.json: there is no such file"),
        (&["batch", "in", "--genre", "polka"], USAGE, "electronic, orchestral, rock"),
        (&["batch", "in", "--genre", "rock", "--reference-from-album"], USAGE, "--reference-from-album"),
        (&["batch", "--genre", "rock"], USAGE, "no song"),
        (&["batch", "in", "--genre-reference", "in/0.wav"], USAGE, "must be GENRE=FILE"),
        (&["batch", "in", "--genre-reference", "polka=in/0.wav"], USAGE, "electronic, orchestral, rock, universal"),
        (&["batch", "in", "--genre-reference", "rock=in/0.wav"], USAGE, "cannot be told from the sound"),
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
