//! One master in several files.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{FAILED, Folder, MIX, USAGE, job, name, short_mix};
use goldmaster::io::Error;
use goldmaster::song::observer::{Observer, Stage};
use goldmaster::workflows::master::master_each;

/// The files of a folder that are masters, with their bytes.
fn masters(folder: &Folder) -> BTreeMap<String, Vec<u8>> {
    folder.contents().into_iter().filter(|(name, _)| name.starts_with("song")).collect()
}

#[test]
fn the_files_of_a_master_are_those_of_each_alone() {
    let [together, alone] = [(), ()].map(|()| {
        let folder = Folder::new();
        folder.wav("mix.wav", 2, &MIX);
        folder
    });
    let words = ["mix.wav", "--bits", "16", "--bitrate", "192", "--save-recipe", "song.json", "--report", "song.html"];
    let outputs = ["-o", "song.mp3", "-o", "song.wav", "-o", "song.flac", "-o", "song.opus", "--json"];
    let run = together.goldmaster(&[&words[..], &outputs[..]].concat()).succeeded();
    let reports: Vec<serde_json::Value> =
        serde_json::Deserializer::from_str(&run.stdout).into_iter().map(|report| report.expect("JSON")).collect();
    let named: Vec<_> = reports.iter().map(|report| report["output"]["path"].as_str().expect("a path")).collect();
    assert_eq!(named, ["song.mp3", "song.wav", "song.flac", "song.opus"]);
    for (n, report) in reports.iter().enumerate() {
        let promises = report["promises"].as_array().expect("promises");
        assert!(promises.iter().all(|promise| promise["verdict"] == "kept"), "{}: {promises:?}", named[n]);
    }
    // The recipe and the page belong to the first file.
    alone.goldmaster(&[&words[..1], &words[3..], &["-o", "song.mp3"]].concat()).succeeded();
    for (file, option, value) in
        [("song.wav", "--bits", "16"), ("song.flac", "--bits", "16"), ("song.opus", "--bitrate", "192")]
    {
        alone.goldmaster(&["mix.wav", "-o", file, option, value]).succeeded();
    }
    assert_eq!(masters(&together).keys().collect::<Vec<_>>(), masters(&alone).keys().collect::<Vec<_>>());
    assert!(masters(&together) == masters(&alone), "together they are what each is alone");

    for folder in [&together, &alone] {
        fs::remove_file(folder.path("song.mp3")).expect("a file");
        fs::remove_file(folder.path("song.flac")).expect("a file");
    }
    let render = ["render", "mix.wav", "--recipe", "song.json"];
    together.goldmaster(&[&render[..], &["-o", "song.mp3", "-o", "song.flac"]].concat()).succeeded();
    alone.goldmaster(&[&render[..], &["-o", "song.mp3"]].concat()).succeeded();
    alone.goldmaster(&[&render[..], &["-o", "song.flac"]].concat()).succeeded();
    assert!(masters(&together) == masters(&alone), "rendered together they are what each is alone");
}

#[test]
fn several_places_have_several_files_each() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    let arguments = ["mix.wav", "--for", "spotify,club", "-o", "song.master.wav", "-o", "song.mp3"];
    let run = folder.goldmaster(&arguments).succeeded();
    assert_eq!(run.stdout.matches("What was done").count(), 1, "the decision is printed once: {run:?}");
    for file in ["song [spotify].mp3: ", "song [club].master.wav: ", "song [club].mp3: "] {
        let line = run.stdout.lines().find(|line| line.starts_with(file)).unwrap_or_else(|| panic!("{file}: {run:?}"));
        assert!(line.contains(" LUFS, ") && line.ends_with(" dBTP"), "{line}");
    }
    let names: Vec<String> = masters(&folder).into_keys().collect();
    assert_eq!(names, ["song [club].master.wav", "song [club].mp3", "song [spotify].master.wav", "song [spotify].mp3"]);
}

#[test]
fn what_cannot_be_written_is_refused_before_any_of_them_is() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    folder.file("there.mp3", b"another song");
    folder.file("one.wav", b"a master");
    fs::hard_link(folder.path("one.wav"), folder.path("linked.flac")).expect("a link");
    let before = folder.contents();
    let cases: [(i32, &[&str], &str); 14] = [
        (FAILED, &["-o", "song.wav", "-o", "there.mp3"], "there.mp3: exists already"),
        (FAILED, &["-o", "song.wav", "-o", "nowhere/song.mp3"], "nowhere/song.mp3"),
        (FAILED, &["-o", "song.flac", "-o", "mix.wav", "-f"], "mix.wav"),
        (USAGE, &["-o", "song.wav", "-o", "./song.wav"], "./song.wav would be written twice"),
        (USAGE, &["-o", "one.wav", "-o", "linked.flac", "-f"], "linked.flac would be written twice"),
        (USAGE, &["-o", "song.mp3", "-o", "less.wav", "--delta", "less.wav"], "less.wav would be written twice"),
        (USAGE, &["-o", "song.wav, song.mp3"], "for several, give -o for each: -o song.wav -o song.mp3"),
        (USAGE, &["-o", "song.wav", "-o", "song.m4a"], "song.m4a: a master is written as"),
        (USAGE, &["-o", "song.wav", "-o", "song.mp3", "--format", "wav"], "song.mp3 is the name of a MP3"),
        (USAGE, &["-o", "one", "-o", "two", "--name", "{title}"], "give a single one"),
        (USAGE, &["-o", "song.mp3", "-o", "song.opus", "--bits", "16"], "--bits: MP3 has no bits per sample"),
        (USAGE, &["-o", "song.wav", "-o", "song.flac", "--bitrate", "192"], "--bitrate is for MP3 and Opus"),
        (USAGE, &["-o", "song.wav", "-o", "song.flac", "--bits", "32f"], "FLAC holds no floating point"),
        (USAGE, &["-o", "song.wav", "-o", "song.opus", "--rate", "44100"], "--rate: Opus cannot hold 44100 Hz"),
    ];
    for (code, arguments, words) in cases {
        let run = folder.goldmaster(&[&["mix.wav"], arguments].concat());
        assert!(run.code == Some(code) && run.stderr.contains(words), "{arguments:?}: {run:?}");
        assert!(folder.contents() == before, "{arguments:?} has written something");
    }
}

/// Interrupts when the second file is to be written.
#[derive(Default)]
struct OneFile {
    has_begun: AtomicBool,
    is_over: AtomicBool,
}

impl Observer for OneFile {
    fn stage(&self, stage: Stage, _: Option<u64>) {
        let is_second = stage == Stage::Rendering && self.has_begun.swap(true, Ordering::Relaxed);
        self.is_over.fetch_or(is_second, Ordering::Relaxed);
    }

    fn advance(&self, _: u64) -> Result<(), Error> {
        if self.is_over.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }
}

#[test]
fn what_was_written_before_a_failure_is_there_and_reported() {
    let folder = Folder::new();
    let mix = folder.wav("mix.wav", 2, &short_mix());
    let files = ["song.wav", "song.mp3", "song.flac"].map(|file| job(&mix, &folder.path(file)));
    let mut reports = Vec::new();
    master_each(&[files.to_vec()], &OneFile::default(), &mut reports).expect_err("an interruption");
    assert_eq!(reports.iter().map(|report| name(report.output.path.as_ref())).collect::<Vec<_>>(), ["song.wav"]);
    assert_eq!(masters(&folder).keys().collect::<Vec<_>>(), ["song.wav"]);
    assert_eq!(folder.contents().len(), 2, "nothing temporary is left");
}
