//! The nightly run of a label: several destinations at once, names, heads and tails, cue sheets, known failures,
//! summaries.

mod common;

use std::fs;

use analyzer::stream::Frame;
use analyzer::synth::{demo_mix, silence};
use common::batch::{failed, folder_of, masters, report, statuses, summary};
use common::{Folder, RATE_HZ, SOME_FAILED, USAGE, louder, read, tagged};
use lofty::tag::ItemKey;
use serde_json::Value;

/// Exit code of a promise that is not kept.
const BROKEN: i32 = 3;

#[test]
fn masters_for_several_places_are_those_for_each_alone() {
    let folder = folder_of(2);
    let places = ["spotify", "cd", "vinyl"];
    let all: Vec<&str> = places.iter().flat_map(|place| ["--for", place]).collect();
    let run = folder.goldmaster(&[&["batch", "in", "-o", "out"], &all[..]].concat()).succeeded();
    assert!(run.stdout.contains("6 mastered"), "{run:?}");
    folder.goldmaster(&[&["in/0.wav", "-o", "one.wav", "--genre", "auto"], &all[..]].concat()).succeeded();
    let bytes = |path: &str| fs::read(folder.path(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    for place in places {
        folder.goldmaster(&["batch", "in", "-o", place, "--for", place]).succeeded();
        for name in ["0", "disc/1"] {
            assert!(
                bytes(&format!("out/{name} [{place}].wav")) == bytes(&format!("{place}/{name}.wav")),
                "{name} {place}"
            );
        }
        assert!(bytes(&format!("one [{place}].wav")) == bytes(&format!("{place}/0.wav")), "{place}");
    }
    let again = folder.goldmaster(&["batch", "in", "-o", "out", "--for", "spotify,cd,vinyl"]).succeeded();
    assert!(again.stdout.contains("6 unchanged"), "{again:?}");
    let plan = "input,for\nin/0.wav,cd;spotify\nin/disc/1.wav,vinyl\n";
    folder.file("plan.csv", plan.as_bytes());
    folder.goldmaster(&["batch", "--plan", "plan.csv", "-o", "planned"]).succeeded();
    let made = masters(&folder.path("planned"));
    assert_eq!(made.keys().collect::<Vec<_>>(), ["in/0 [cd].wav", "in/0 [spotify].wav", "in/disc/1.wav"]);
}

#[test]
fn a_change_on_one_album_leaves_the_albums_after_it_alone() {
    let folder = Folder::new();
    for (name, start) in [("in/a/1.wav", 0), ("in/a/2.wav", 1), ("in/b/1.wav", 2), ("in/b/2.wav", 3)] {
        fs::create_dir_all(folder.path(name).parent().expect("a folder")).expect("space");
        let song = demo_mix(RATE_HZ, 12.0);
        folder.wav(name, 2, &song[start * 3 * RATE_HZ as usize..][..3 * RATE_HZ as usize]);
    }
    folder.file("in/b/3.wav", b"no sound");
    // This file is still being copied, and is not a song of this night.
    fs::copy(folder.path("in/a/1.wav"), folder.path("in/a/4.wav.part")).expect("space");
    let night = ["batch", "in", "-o", "out", "--album=folders", "--known-failures", "ok"];
    let first = failed(folder.goldmaster(&night), SOME_FAILED);
    assert!(first.stdout.contains("4 mastered, 0 unchanged, 1 failed"), "{first:?}");
    let before = masters(&folder.path("out"));
    fs::copy(folder.path("in/a/1.wav"), folder.path("in/a/3.wav")).expect("space");
    let planned = folder.goldmaster(&[&night[..], &["--dry-run"]].concat());
    let lines = |text: &str, word: &str| text.lines().filter(|line| line.starts_with(word)).count();
    assert_eq!(lines(&planned.stdout, "unchanged"), 2, "{planned:?}");
    let second = folder.goldmaster(&night).succeeded();
    assert!(second.stdout.contains("3 mastered, 2 unchanged, 0 failed, 1 failed as before"), "{second:?}");
    let after = masters(&folder.path("out"));
    assert!(after["b/1.wav"] == before["b/1.wav"] && after["b/2.wav"] == before["b/2.wav"]);
}

#[test]
fn masters_are_named_by_a_pattern() {
    let folder = folder_of(2);
    let name = |pattern: &str| ["batch", "in", "-o", "out", "--for", "cd", "--name", pattern].map(str::to_owned);
    let run = |words: &[String]| folder.goldmaster(&words.iter().map(String::as_str).collect::<Vec<_>>());
    run(&name("{destination}/{title}")).succeeded();
    assert_eq!(masters(&folder.path("out")).keys().collect::<Vec<_>>(), ["cd/0.wav", "disc/cd/1.wav"]);
    // No song has a track number, so there is nothing to do.
    let refused = failed(run(&name("{track:02} {title}")), USAGE);
    let words = "none of the 2 songs has all tags that --name '{track:02} {title}' asks for: in/0.wav has no track, \
                 in/disc/1.wav has no track; tag them, or use {name}";
    assert!(refused.stderr.contains(words), "{refused:?}");
    let nowhere = failed(folder.goldmaster(&["batch", "in", "-o", "out", "--name", "{destination}"]), USAGE);
    assert!(nowhere.stderr.ends_with("goldmaster: --name has {destination}: say which with --for\n"), "{nowhere:?}");
    let wrong = folder.goldmaster(&["batch", "in", "-o", "out", "--for", "cd,vinyl", "--name", "{title}"]);
    assert!(failed(wrong, USAGE).stderr.contains("has no {destination}"));
    folder
        .goldmaster(&["in/0.wav", "--for", "cd", "--name", "{name} - {destination}.flac", "-o", "single"])
        .succeeded();
    assert!(folder.path("single/0 - cd.flac").exists());
}

#[test]
fn ends_are_cut_and_faded_and_the_recipe_knows_how() {
    let folder = Folder::new();
    let second = silence(RATE_HZ, 1.0);
    let frames: Vec<Frame> = [&second[..], &demo_mix(RATE_HZ, 6.0), &second, &second].concat();
    folder.wav("mix.wav", 2, &frames);
    let edges = ["--trim", "50", "--fade-out", "1.5:linear"];
    let run = folder.goldmaster(&[&["mix.wav", "-o", "cut.wav", "--save-recipe", "recipe.json"], &edges[..]].concat());
    let printed = run.succeeded().stdout;
    assert!(printed.contains("from the head") && printed.contains("Fade-out of 1.50 s"), "{printed}");
    let cut = read(&folder.path("cut.wav")).frames;
    let seconds = cut.len() as f64 / f64::from(RATE_HZ);
    assert!((5.5..6.3).contains(&seconds), "{seconds}");
    assert!(cut[cut.len() - 5..].iter().all(|frame| frame.iter().all(|x| x.abs() < 1e-3)));
    folder.goldmaster(&["render", "mix.wav", "--recipe", "recipe.json", "-o", "again.wav"]).succeeded();
    let bytes = |path: &str| fs::read(folder.path(path)).expect("a master");
    assert!(bytes("cut.wav") == bytes("again.wav"));
    folder.file("plan.csv", b"input,output,trim,fade_out\nmix.wav,a.wav,50,1.5:linear\nmix.wav,b.wav,,\n");
    folder.goldmaster(&["batch", "--plan", "plan.csv", "-o", "out"]).succeeded();
    assert!(bytes("out/a.wav") == bytes("cut.wav"));
    assert_eq!(read(&folder.path("out/b.wav")).frames.len(), frames.len());
    folder.wav("broken.wav", 2, &demo_mix(RATE_HZ, 5.0)[..4 * RATE_HZ as usize]);
    let codes = |more: &[&str]| -> Vec<String> {
        let report = folder.goldmaster(&[&["broken.wav", "-o", "b.wav", "--force", "--json"], more].concat()).json();
        let warnings = report["warnings"].as_array().expect("a list").iter();
        warnings.map(|warning| warning["code"].as_str().expect("a code").to_owned()).collect()
    };
    assert!(codes(&[]).contains(&"cut_off".to_owned()));
    assert!(!codes(&["--fade-out", "1"]).iter().any(|code| code == "cut_off" || code == "long_fade"));
    assert!(codes(&["--fade-out", "60"]).contains(&"long_fade".to_owned()));
    let strict = ["broken.wav", "-o", "strict.wav", "--strict", "--fade-in", "60"];
    let strict = failed(folder.goldmaster(&strict), BROKEN);
    let words = "strict.wav: nothing was written: the fade-in of 60.00 s is longer than the song of 4.00 s";
    assert!(strict.stderr.contains(words) && !folder.path("strict.wav").exists(), "{strict:?}");
}

#[test]
fn a_dry_run_names_the_fades_that_a_run_names() {
    let folder = folder_of(2);
    folder.file("plan.csv", b"input,output,fade_out\nin/0.wav,a.wav,8\nin/disc/1.wav,b.wav,0.5\n");
    let batch = |more: &[&str]| folder.goldmaster(&[&["batch", "--plan", "plan.csv", "-o", "out"], more].concat());
    let note = "\n  please note: The fade-out of 8.00 s is longer than the song of 1.00 s, so all of it fades.";
    let dry = batch(&["--dry-run"]).succeeded().stdout;
    assert!(dry.starts_with(&format!("master     in/0.wav -> out/a.wav{note}")), "{dry}");
    assert_eq!(dry.matches("please note").count(), 1, "{dry}");
    let strict = batch(&["--dry-run", "--strict"]).succeeded().stdout;
    let broken = "nothing was written: the fade-out of 8.00 s is longer than the song of 1.00 s";
    assert!(strict.starts_with("fails      in/0.wav: ") && strict.contains(broken), "{strict}");
    assert!(!folder.path("out").exists());
    let run = batch(&[]).succeeded().stdout;
    assert_eq!(run.matches(note).count(), 1, "{run}");
    let finished = batch(&["--dry-run"]).succeeded().stdout;
    assert!(!finished.contains("please note"), "a finished master is not made: {finished}");
}

#[test]
fn a_known_failure_is_told_as_such_and_need_not_decide() {
    let folder = folder_of(1);
    folder.file("in/bad.wav", b"no song");
    let batch = |more: &[&str]| folder.goldmaster(&[&["batch", "in", "-o", "out", "--summary"], more].concat());
    let first = failed(batch(&["--known-failures", "ok"]), SOME_FAILED);
    assert!(first.stderr.contains("failed: in/bad.wav"), "{first:?}");
    let second = failed(batch(&["--known-failures", "ok"]), 0);
    assert!(second.stderr.contains("failed as before: in/bad.wav") && second.stdout.contains("1 failed as before"));
    let batch_report = report(&folder.path("out/report.json"));
    assert_eq!(statuses(&batch_report), [("in/0.wav", "unchanged"), ("in/bad.wav", "failed_again")]);
    failed(batch(&[]), SOME_FAILED);
    folder.file("in/bad.wav", b"no song, but another");
    failed(batch(&["--known-failures", "ok"]), SOME_FAILED);
    let summaries: Vec<_> = fs::read_dir(folder.path("out"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| common::name(path).starts_with("summary-2"))
        .collect();
    assert_eq!(summaries.len(), 2, "{summaries:?}");
    for path in summaries {
        let text = fs::read_to_string(&path).expect("text");
        assert!(text.contains("bad.wav"), "{text}");
        if path.extension().is_some_and(|extension| extension == "json") {
            let summary: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(summary["without_master"][0]["is_known"], false);
        }
    }
}

#[test]
fn a_file_that_is_cut_off_fails_where_it_is_strict() {
    let folder = Folder::new();
    let path = folder.wav("mix.wav", 2, &demo_mix(RATE_HZ, 3.0));
    let bytes = fs::read(&path).expect("a file");
    folder.file("short.wav", &bytes[..bytes.len() / 2]);
    folder.goldmaster(&["short.wav", "-o", "a.wav"]).succeeded();
    // A file that was written to just now might still grow.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    let file = fs::File::options().write(true).open(folder.path("short.wav")).expect("ours");
    file.set_modified(old).expect("ours");
    folder.goldmaster(&["batch", "short.wav", "-o", "out", "--for", "spotify,cd", "--summary"]).succeeded();
    let (json, text) = summary(&folder);
    assert_eq!(json["damaged"].as_array().map(Vec::len), Some(1), "{text}");
    assert!(
        text.contains("\nMastered from files that are damaged or cut off:\n  short.wav: the file is cut off"),
        "{text}"
    );
    let run = failed(folder.goldmaster(&["short.wav", "-o", "b.wav", "--strict"]), BROKEN);
    assert!(run.stderr.contains("the mix is damaged"), "{run:?}");
    assert!(!folder.path("b.wav").exists());
}

#[test]
fn an_album_has_a_cue_sheet_and_a_track_list() {
    let folder = folder_of(3);
    folder.goldmaster(&["batch", "in", "-o", "out", "--album", "--cue=2"]).succeeded();
    let sheet = fs::read_to_string(folder.path("out/in.cue")).expect("a sheet");
    assert_eq!((sheet.matches("TRACK").count(), sheet.matches("PREGAP 00:02:00").count()), (3, 2), "{sheet}");
    let list = fs::read_to_string(folder.path("out/in.tracks.csv")).expect("a list");
    assert!(list.lines().nth(3).is_some_and(|line| line.contains("0:01.000,0:02.000,0:06.000")), "{list}");
    folder.file("out/in.cue", b"by somebody else");
    let run = folder.goldmaster(&["batch", "in", "-o", "out", "--album", "--cue=2"]);
    assert!(run.code != Some(0) && run.stderr.contains("in.cue"), "{run:?}");
}

#[test]
fn every_song_goes_to_the_record_that_is_most_like_it() {
    let folder = folder_of(2);
    fs::create_dir(folder.path("records")).expect("a folder");
    let both = demo_mix(RATE_HZ, 2.0);
    let steps = |frames: &[Frame]| -> Vec<Frame> {
        frames.windows(2).map(|pair| [0, 1].map(|channel| pair[1][channel] - pair[0][channel])).collect()
    };
    let other = steps(&steps(&both));
    folder.wav("records/thin.wav", 2, &other);
    folder.wav("records/alike.wav", 2, &louder(&both, 8.0));
    folder.goldmaster(&["batch", "in", "-o", "out", "--reference-folder", "records"]).succeeded();
    let report = report(&folder.path("out/report.json"));
    for song in report["songs"].as_array().expect("a list") {
        assert_eq!(song["report"]["decision"]["target"], "alike.wav", "{}", song["input"]);
    }
    folder.goldmaster(&["in/0.wav", "-r", "records/alike.wav", "-o", "alone.wav"]).succeeded();
    let bytes = |path: &str| fs::read(folder.path(path)).expect("a master");
    assert!(bytes("out/0.wav") == bytes("alone.wav"));
    fs::remove_file(folder.path("records/alike.wav")).expect("ours");
    let dry =
        folder.goldmaster(&["batch", "in", "-o", "out", "--reference-folder", "records", "--dry-run"]).succeeded();
    assert_eq!(dry.stdout.matches("again ").count(), 2, "{dry:?}");
}

#[test]
fn the_genre_that_tags_name_goes_before_the_one_that_a_song_sounds_like() {
    let folder = Folder::new();
    let song = demo_mix(RATE_HZ, 2.0);
    let genres = |genre: [&str; 2], options: &[&str]| -> Vec<(String, bool)> {
        let _ = fs::remove_dir_all(folder.path("in"));
        fs::create_dir(folder.path("in")).expect("a folder");
        for (name, genre) in ["in/a.flac", "in/b.flac"].iter().zip(genre) {
            tagged(&folder, name, &song, &[(ItemKey::Genre, genre)]);
        }
        folder.goldmaster(&[&["batch", "in", "-o", "out", "--force"], options].concat()).succeeded();
        let report = report(&folder.path("out/report.json"));
        let of_song = |song: &Value| {
            let genre = &song["report"]["decision"]["genre"];
            (genre["name"].as_str().expect("a name").to_owned(), genre["probability"].is_number())
        };
        report["songs"].as_array().expect("a list").iter().map(of_song).collect()
    };
    let [metal, unknown] = genres(["Thrash Metal", "Dub"], &[]).try_into().expect("two songs");
    assert_eq!(metal, ("rock".to_owned(), false));
    assert!(unknown.1, "{unknown:?}");
    let given = genres(["Thrash Metal", "Dub"], &["--genre", "folk"]);
    assert!(given.iter().all(|(name, is_told)| name == "folk" && !is_told), "{given:?}");
    let record = genres(["Techno", "House"], &["--album"]);
    assert!(record.iter().all(|(name, is_told)| name == "electronic" && !is_told), "{record:?}");
    let mixed = genres(["Techno", "Rock"], &["--album"]);
    assert!(mixed.iter().all(|(_, is_told)| *is_told), "{mixed:?}");
}

#[test]
fn the_songs_of_an_album_are_in_the_order_of_their_tags_and_named_by_them() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("in/CD2")).expect("a folder");
    fs::create_dir_all(folder.path("in/CD1")).expect("a folder");
    let song = demo_mix(RATE_HZ, 3.0);
    let parts: Vec<&[Frame]> = song.chunks_exact(song.len() / 3).collect();
    let texts = |title, track, disc| {
        let album = (ItemKey::AlbumTitle, "Night");
        [album, (ItemKey::TrackTitle, title), (ItemKey::TrackNumber, track), (ItemKey::DiscNumber, disc)]
    };
    tagged(&folder, "in/CD1/a.flac", parts[0], &texts("Later", "2", "1"));
    tagged(&folder, "in/CD1/b.flac", parts[1], &texts("First", "1", "1"));
    tagged(&folder, "in/CD2/a.flac", parts[2], &texts("Last", "1", "2"));
    let name = ["--name", "{album} {disc}-{track:02} {title}", "--format", "flac"];
    folder.goldmaster(&[&["batch", "in", "-o", "out", "--album=folders", "--cue"], &name[..]].concat()).succeeded();
    let batch_report = report(&folder.path("out/report.json"));
    let outputs: Vec<_> =
        batch_report["songs"].as_array().expect("a list").iter().map(|song| song["output"].as_str()).collect();
    let expected = ["CD1/Night 1-01 First", "CD1/Night 1-02 Later", "CD2/Night 2-01 Last"];
    assert_eq!(outputs, expected.map(|name| format!("out/{name}.flac")).each_ref().map(|name| Some(name.as_str())));
    assert_eq!(batch_report["albums"].as_array().map(Vec::len), Some(1));
    let text = fs::read_to_string(folder.path("out/CD2/Night (disc 2).cue")).expect("a sheet");
    assert!(text.contains("TITLE \"Night\"") && text.contains("FILE \"Night 2-01 Last.flac\" WAVE"), "{text}");
    // Folders in the names of the masters name neither the album nor its sheets.
    let name = ["--name", "{album}/{title}", "--format", "flac"];
    folder.goldmaster(&[&["batch", "in", "-o", "tree", "--album=folders", "--cue"], &name[..]].concat()).succeeded();
    let text = fs::read_to_string(folder.path("tree/CD2/Night/Night (disc 2).cue")).expect("a sheet");
    assert!(text.contains("FILE \"Last.flac\" WAVE"), "{text}");
    assert_eq!(report(&folder.path("tree/report.json"))["albums"][0]["name"], "in");
}

#[test]
fn singles_stay_singles_and_the_rule_is_said_in_a_line() {
    let folder = Folder::new();
    let song = demo_mix(RATE_HZ, 8.0);
    let mut parts = song.chunks_exact(song.len() / 8);
    let mut next = || parts.next().expect("there are enough");
    for name in ["numbered", "loose", "tagged", "singles"] {
        fs::create_dir_all(folder.path(&format!("in/{name}"))).expect("a folder");
    }
    folder.flac("in/numbered/01 One.flac", next());
    folder.flac("in/numbered/02 Two.flac", next());
    folder.flac("in/loose/A song.flac", next());
    folder.flac("in/loose/99 Nights.flac", next());
    let album = |title| [(ItemKey::AlbumTitle, title)];
    tagged(&folder, "in/tagged/b.flac", next(), &album("Night"));
    tagged(&folder, "in/tagged/a.flac", next(), &album("night"));
    tagged(&folder, "in/singles/a.flac", next(), &album("A - Single"));
    tagged(&folder, "in/singles/b.flac", next(), &album("B - Single"));
    let run = folder.goldmaster(&["batch", "in", "-o", "out", "--album=folders"]).succeeded();
    for words in [
        "loose: 2 singles (no album in their tags, no track numbers; --album on this folder makes them one)",
        "numbered: an album of 2 songs (they have track numbers)",
        "singles: 2 singles (their tags name 2 albums)",
        "tagged: an album of 2 songs (their tags name one)",
    ] {
        assert!(run.stdout.lines().any(|line| line == words), "{words}: {run:?}");
    }
    let report = report(&folder.path("out/report.json"));
    let names: Vec<_> = report["albums"].as_array().expect("a list").iter().map(|album| &album["name"]).collect();
    assert_eq!(names, ["numbered", "tagged"]);
    folder.goldmaster(&["in/loose/A song.flac", "--genre", "auto", "-o", "alone.wav"]).succeeded();
    let bytes = |path: &str| fs::read(folder.path(path)).expect("a master");
    assert!(bytes("out/loose/A song.wav") == bytes("alone.wav"), "a single is mastered by itself");
}

#[test]
fn every_disc_of_an_album_has_a_cue_sheet() {
    let folder = Folder::new();
    let song = demo_mix(RATE_HZ, 4.0);
    for (name, part) in
        ["CD1/1.wav", "CD1/2.wav", "CD2/1.wav", "CD2/2 \"live\".wav"].iter().zip(song.chunks(RATE_HZ as usize))
    {
        // Windows does not allow such a name.
        let name = if cfg!(windows) { name.replace('"', "'") } else { (*name).to_owned() };
        let path = format!("in/Night/{name}");
        fs::create_dir_all(folder.path(&path).parent().expect("a folder")).expect("space");
        folder.wav(&path, 2, part);
    }
    folder.goldmaster(&["batch", "in", "-o", "out", "--album=folders", "--cue"]).succeeded();
    let sheet = |disc: u32| {
        let path = folder.path(&format!("out/Night/CD{disc}/Night (disc {disc}).cue"));
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    for disc in [1, 2] {
        let text = sheet(disc);
        assert!(text.contains(&format!("REM DISCNUMBER {disc}\nREM TOTALDISCS 2\n")), "{text}");
        assert_eq!((text.matches("TRACK").count(), text.matches("TRACK 01").count()), (2, 1), "{text}");
        assert!(text.contains("FILE \"1.wav\" WAVE"), "{text}");
    }
    assert!(cfg!(windows) || sheet(2).contains("FILE '2 \"live\".wav' WAVE"), "{}", sheet(2));
    assert!(folder.path("out/Night/CD2/Night (disc 2).tracks.csv").exists());
    // Of one disc, the album has one sheet; those of the earlier run are named and left.
    fs::remove_dir_all(folder.path("in/Night/CD2")).expect("ours");
    let run = folder.goldmaster(&["batch", "in", "-o", "out", "--album=folders", "--cue", "--summary"]).succeeded();
    assert!(folder.path("out/Night/CD1/Night.cue").exists(), "{run:?}");
    let words = "warning: cue sheets of an earlier run are no longer written for Night: ";
    assert!(run.stderr.contains(words) && [1, 2].map(sheet).iter().all(|sheet| !sheet.is_empty()), "{run:?}");
    let stale = report(&folder.path("out/report.json"))["stale_cue_sheets"].clone();
    assert_eq!(stale[0]["sheets"].as_array().map(Vec::len), Some(2), "{stale}");
    assert_eq!(summary(&folder).0["stale_cue_sheets"], stale);
}

#[test]
fn an_album_that_is_not_complete_says_that_it_has_no_cue_sheet() {
    let folder = folder_of(2);
    folder.file("in/bad.wav", b"no song");
    let night = || folder.goldmaster(&["batch", "in", "-o", "out", "--album", "--cue", "--summary"]);
    let cause = "no cue sheet was written for the album: 1 of its 3 songs is not finished (in/bad.wav)";
    let first = failed(night(), SOME_FAILED);
    assert!(first.stderr.contains(&format!("warning: {cause}")), "{first:?}");
    assert!(!folder.path("out/in.cue").exists());
    let (json, text) = summary(&folder);
    assert!(text.contains(cause), "{text}");
    let expected = serde_json::json!([{ "album": null, "songs": 3, "unfinished": ["in/bad.wav"] }]);
    assert_eq!(json["without_cue_sheet"], expected);
    assert_eq!(report(&folder.path("out/report.json"))["without_cue_sheet"], expected);
    fs::remove_file(folder.path("in/bad.wav")).expect("ours");
    let second = night().succeeded();
    assert!(!second.stderr.contains("cue sheet") && folder.path("out/in.cue").exists(), "{second:?}");
    assert!(report(&folder.path("out/report.json"))["without_cue_sheet"].is_null());
    folder.file("in/bad.wav", b"no song");
    let third = failed(night(), SOME_FAILED);
    let earlier = format!("warning: {cause}; that of an earlier run was left as it is: ");
    assert!(third.stderr.contains(&earlier), "{third:?}");
    let figures = "1 of its 3 songs failed (in/bad.wav), so its loudness is that of the others; a song that cannot be \
                   read is left out of the levelling, and all songs are levelled anew once it can be read; until then, a \
                   master of an earlier run may have another level";
    let words = |run: &common::Run| run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!([&first, &third].into_iter().all(|run| words(run).contains(figures)), "{third:?}");
}

#[test]
fn the_summary_names_what_is_new_made_again_silent_failed_or_left_without_a_mix() {
    let folder = folder_of(3);
    folder.file("in/bad.wav", b"no song");
    let night = || folder.goldmaster(&["batch", "in", "-o", "out", "--summary", "--for", "spotify,cd,vinyl"]);
    let first = failed(night(), SOME_FAILED);
    assert!(first.stdout.contains("9 mastered, 0 unchanged, 1 failed"), "{first:?}");
    assert_eq!(first.stderr.matches("failed: in/bad.wav").count(), 1, "{first:?}");
    assert!(first.stderr.contains("1 of 4 songs failed"), "{first:?}");
    let (json, text) = summary(&folder);
    assert_eq!((json["songs"]["songs"].as_u64(), json["songs"]["failed"].as_u64()), (Some(4), Some(1)));
    assert_eq!(json["new"].as_array().map(Vec::len), Some(9));
    assert_eq!(json["without_master"].as_array().map(Vec::len), Some(1), "{text}");
    fs::rename(folder.path("in/2.wav"), folder.path("in/0.wav")).expect("ours");
    fs::remove_file(folder.path("in/bad.wav")).expect("ours");
    night().succeeded();
    let (json, text) = summary(&folder);
    assert_eq!(json["again"], serde_json::json!(["0 [spotify].wav", "0 [cd].wav", "0 [vinyl].wav"]));
    let orphans: Vec<_> = json["orphaned"].as_array().expect("a list").iter().map(|one| &one["master"]).collect();
    assert_eq!(orphans, ["2 [cd].wav", "2 [spotify].wav", "2 [vinyl].wav"]);
    assert!(
        text.contains("\nMastered again:\n  0 [spotify].wav")
            && text.contains("Masters whose mix is gone:\n  2 [cd].wav (its mix was ")
    );
    let shards = ["1/2", "2/2"].map(|shard| {
        let more = ["--for", "spotify,cd", "--shard", shard];
        folder.goldmaster(&[&["batch", "in", "-o", "parts"], &more[..]].concat()).succeeded()
    });
    assert!(
        shards.iter().all(|run| run.stdout.contains("2 mastered")),
        "the masters of a mix stay together: {shards:?}"
    );
    folder.goldmaster(&["merge-reports", "parts/report.1-of-2.json", "parts/report.2-of-2.json"]).succeeded();
    assert_eq!(report(&folder.path("parts/report.json"))["summary"]["songs"], 2);
    let whole = fs::read(folder.path("parts/report.1-of-2.json")).expect("a report");
    let head = whole.iter().position(|byte| *byte == b'\n').expect("a head");
    folder.file("cut.json", &whole[..head + 100]);
    let cut = failed(folder.goldmaster(&["merge-reports", "cut.json", "-o", "joint.json"]), 1);
    assert_eq!(cut.stderr, "goldmaster: cut.json: cannot be read (it ends too early)\n");
}

#[test]
fn a_silent_song_of_an_album_is_no_master() {
    let folder = folder_of(2);
    folder.wav("in/quiet.wav", 2, &louder(&demo_mix(RATE_HZ, 1.0), -80.0));
    folder.wav("in/silence.wav", 2, &silence(RATE_HZ, 1.0));
    let run = folder.goldmaster(&["batch", "in", "-o", "out", "--album", "--summary"]).succeeded();
    assert!(run.stdout.contains("2 mastered, 0 unchanged, 0 failed, 2 silent"), "{run:?}");
    assert_eq!(run.stdout.matches(": silent, or shorter than 0.4 s: written as it is\n").count(), 2, "{run:?}");
    let (json, text) = summary(&folder);
    assert_eq!(json["silent"], serde_json::json!(["quiet.wav", "silence.wav"]));
    assert_eq!(json["new"].as_array().map(Vec::len), Some(2));
    assert!(text.contains("Silent, and written as they are:\n  quiet.wav\n  silence.wav\n"), "{text}");
}

#[test]
fn an_album_of_which_a_song_is_still_being_written_waits_for_the_next_run() {
    let folder = folder_of(2);
    let whole = fs::read(folder.path("in/0.wav")).expect("a song");
    folder.file("in/0.wav", &whole[..whole.len() / 2]);
    let path = folder.path("in/0.wav");
    let writer = std::thread::spawn(move || {
        for _ in 0..20 {
            std::thread::sleep(std::time::Duration::from_millis(500));
            let file = fs::OpenOptions::new().append(true).open(&path);
            file.and_then(|mut file| std::io::Write::write_all(&mut file, &[0; 8])).expect("ours");
        }
    });
    let run = folder.goldmaster(&["batch", "in", "-o", "out", "--album"]).succeeded();
    assert!(
        run.stdout.contains("left for the next run: in/0.wav") && run.stdout.contains("2 still being written"),
        "{run:?}"
    );
    assert!(run.stdout.contains("left for the next run: in/disc/1.wav: its album waits for in/0.wav"), "{run:?}");
    writer.join().expect("it ends");
    assert!(masters(&folder.path("out")).is_empty());
}
