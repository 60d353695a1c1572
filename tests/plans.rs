//! The target of each song in a batch: plans, records for genres, and folders of records.

mod common;

use std::fs;

use analyzer::synth::silence;
use common::batch::{failed, folder_of, masters, report, songs, summary};
use common::{RATE_HZ, SOME_FAILED, USAGE, louder};
use goldmaster::report::GenreReport;
use serde_json::Value;

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
fn a_row_that_fails_names_its_song() {
    let folder = folder_of(1);
    folder.file("plan.csv", b"input,output,reference\nin/0.wav,a.wav,missing.wav\nin/0.wav,b.wav,\n");
    let run = failed(folder.goldmaster(&["batch", "--plan", "plan.csv", "-o", "out"]), SOME_FAILED);
    assert!(run.stderr.contains("failed: in/0.wav: missing.wav: there is no such file\n"), "{run:?}");
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
    let rows = || -> Vec<(String, String)> {
        let report = report(&folder.path("out/report.json"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let songs = report["songs"].as_array().expect("a list").iter();
        songs.map(|song| (text(&song["report"]["decision"]["target"]), text(&song["status"]))).collect()
    };
    plan("rock");
    batch(0);
    let targets: Vec<String> = rows().into_iter().map(|(target, _)| target).collect();
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
    // Another genre, or another profile with the same name, leads to another master; the others are left alone.
    plan("orchestral");
    folder.goldmaster(&["profile", "in/0.wav", "-o", "in/mine.profile.json", "--name", "other", "--force"]).succeeded();
    batch(0);
    let statuses: Vec<(String, String)> = rows();
    let status: Vec<&str> = statuses.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!(status, ["mastered", "mastered", "unchanged", "unchanged"]);
    assert_eq!((statuses[0].0.as_str(), statuses[1].0.as_str()), ("orchestral", "other"));
    plan("polka");
    let run = batch(USAGE);
    assert!(
        ["line 2", "genre", "polka", "electronic, folk, orchestral, rock"].iter().all(|w| run.stderr.contains(w)),
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
    let (plain, printed) = made(&["in"]);
    let genres: Vec<(String, f64)> = {
        let report = report(&folder.path("out/report.json"));
        let genres =
            report["songs"].as_array().expect("a list").iter().map(|song| &song["report"]["decision"]["genre"]);
        let name = |genre: &Value| genre["name"].as_str().expect("a name").to_owned();
        genres.map(|genre| (name(genre), genre["probability"].as_f64().expect("a number"))).collect()
    };
    let table = fs::read_to_string(folder.path("out/report.csv")).expect("the table");
    for ((genre, share), row) in genres.iter().zip(table.lines().skip(1)) {
        assert!((0.3..=1.0).contains(share), "{genre} {share}");
        assert!(row.contains(&format!(",{genre},{share:.2},")), "{row}");
        let words = GenreReport { name: genre.clone(), probability: Some(*share) }.to_string();
        assert!(printed.contains(&format!(", {words}\n")) && !printed.contains("universal"), "{printed}");
    }
    let alone = |song: &str, arguments: &[&str]| {
        let song = format!("in/{song}");
        folder.goldmaster(&[&[&*song, "-o", "alone.wav", "--force"], arguments].concat()).succeeded();
        fs::read(folder.path("alone.wav")).expect("a master")
    };
    // Every genre that can be recognised, in turn: its songs go to the record, all others where they went before.
    for genre in ["electronic", "orchestral", "universal"] {
        let (masters, printed) = made(&["in", "--genre-reference", &format!("{genre}={loud}")]);
        for ((name, master), (song_genre, _)) in masters.iter().zip(&genres) {
            let expected = if song_genre == genre { alone(name, &["--reference", loud]) } else { plain[name].clone() };
            assert!(*master == expected, "{name} is {song_genre}, the record is {genre}");
            let line =
                printed.lines().find(|line| line.starts_with(&format!("out/{name}: "))).expect("a line per song");
            assert_eq!(line.ends_with(&format!(": towards {loud}")), song_genre == genre, "{line}");
        }
    }
    // A given genre, two records with weights, and a song with another target.
    folder.file("plan.csv", b"input,genre,reference\nin/0.wav,rock,\nin/disc/1.wav,,soft.wav\n");
    let of = [format!("rock={loud}"), format!("rock={soft}:0.5")];
    let references = ["--genre-reference", &of[0], "--genre-reference", &of[1]];
    let (masters, _) = made(&[&["--plan", "plan.csv"], &references[..]].concat());
    let both = ["--reference", loud, "--reference", &format!("{soft}:0.5")];
    assert!(masters["in/0.wav"] == alone("0.wav", &both));
    assert!(masters["in/disc/1.wav"] == alone("disc/1.wav", &["--reference", soft]));
    // A changed record leads to other masters wherever it is the target.
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
fn a_record_of_a_folder_that_cannot_be_used_is_left_out_and_named() {
    let folder = folder_of(2);
    fs::create_dir(folder.path("records")).expect("a folder");
    folder.wav("records/hit.wav", 2, &louder(&songs(3)[2], 9.0));
    folder.file("records/letter.wav", b"no record");
    folder.wav("records/silence.wav", 2, &silence(RATE_HZ, 1.0));
    let batch = |more: &[&str]| {
        folder.goldmaster(&[&["batch", "in", "-o", "out", "--reference-folder", "records"], more].concat())
    };
    let dry = batch(&["--dry-run"]).succeeded();
    assert_eq!(dry.stdout.matches("left out   records/letter.wav: this is not an audio file").count(), 1, "{dry:?}");
    let album = batch(&["--album", "--loudness", "-18", "--summary"]).succeeded();
    assert!(album.stdout.contains("\nmastered towards hit.wav\n"), "{album:?}");
    let (json, text) = summary(&folder);
    for words in ["records/letter.wav: this is not an audio file", "records/silence.wav: it is silent"] {
        assert!(album.stderr.contains(&format!("warning: left out of --reference-folder: {words}")), "{album:?}");
        assert!(text.contains(&format!("\n  {words}")), "{text}");
    }
    let report = report(&folder.path("out/report.json"));
    assert_eq!(report["unusable_records"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["unusable_records"], json["unusable_records"]);
    assert_eq!(report["albums"][0]["references"], serde_json::json!(["hit.wav"]));
    fs::remove_file(folder.path("records/hit.wav")).expect("ours");
    let none = failed(batch(&[]), 1);
    assert!(none.stderr.contains("no record of --reference-folder can be used: records/letter.wav: "), "{none:?}");
}
