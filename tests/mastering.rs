//! `Master`, the interface for other programs.

mod common;

use common::{Folder, MIX, OTHER_MIX};
use goldmaster::Master;
use goldmaster::error::Error;
use goldmaster::request::destination::Destination;
use goldmaster::request::job::Output;
use goldmaster::song::observer::Silent;

#[test]
fn songs_have_the_bytes_of_the_command_line_one_after_another_and_at_once() {
    let folder = Folder::new();
    let (mix, record) = (folder.wav("mix.wav", 2, &MIX), folder.flac("record.flac", &OTHER_MIX));
    let texts = ["mix.wav", "record.flac", "cli.wav"].map(|name| folder.path(name).display().to_string());
    let [song, reference, by_command] = texts.each_ref().map(String::as_str);
    let words = [song, "-r", reference, "--for", "spotify", "--intensity", "60", "--width", "50", "-o", by_command];
    folder.goldmaster(&words).succeeded();
    let expected = std::fs::read(by_command).expect("a master");
    let master = Master::new().reference(record).destination(Destination::Spotify).intensity(60.0);
    let master = master.set("width", ["50"]).expect("a setting");
    std::thread::scope(|scope| {
        for n in 0..2 {
            let (master, mix, folder, expected) = (&master, &mix, &folder, &expected);
            scope.spawn(move || {
                for m in 0..2 {
                    let output = folder.path(&format!("{n}.{m}.wav"));
                    let report = master.master(mix, &output).expect("a master");
                    assert!(report.after.integrated_lufs.is_some());
                    assert!(std::fs::read(output).expect("a master") == *expected);
                }
            });
        }
    });
}

#[test]
fn what_is_wrong_has_a_code_a_file_and_advice() {
    let folder = Folder::new();
    let mix = folder.wav("mix.wav", 2, &MIX);
    let taken = folder.file("taken.wav", b"mine");
    let parts = |error: Error| {
        let file = error.path().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
        (error.code().to_owned(), file, error.advice())
    };
    let failed = |input: &std::path::Path, output: &str| {
        let output = Output::at(folder.path(output)).expect("a format");
        parts(Master::new().master_to(input, output, &Silent).expect_err("it cannot be done"))
    };
    let advice = Some("replace it with --force, or choose another name".to_owned());
    assert_eq!(failed(&mix, "taken.wav"), ("exists".to_owned(), Some("taken.wav".to_owned()), advice));
    assert_eq!(failed(&folder.path("no.wav"), "new.wav"), ("not_found".to_owned(), Some("no.wav".to_owned()), None));
    let (code, file, advice) = failed(&folder.file("words.wav", b"words"), "new.wav");
    assert!((code.as_str(), file.as_deref()) == ("not_audio", Some("words.wav")) && advice.is_some());
    let two = Master::new().set("for", ["cd", "club"]).expect("places").master(&mix, folder.path("new.wav"));
    assert_eq!(
        parts(two.expect_err("two places")),
        ("usage".to_owned(), None, Some("master once for each".to_owned()))
    );
    assert_eq!(std::fs::read(taken).expect("it is kept"), b"mine");
    assert!(!folder.path("new.wav").exists());
}
