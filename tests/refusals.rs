//! Refusals of the program, in words that name the file, the cause and the remedy, without leaving anything behind.

mod common;

use std::fs;

use analyzer::synth::silence;
use common::{FAILED, Folder, RATE_HZ, USAGE, assert_all_refused, assert_refused, louder, read, short_mix};
use goldmaster::io::output_spec::Format;
use renderer::recipe::Recipe;

#[test]
fn what_is_no_song_is_refused() {
    let folder = Folder::new();
    let mix = short_mix();
    folder.file("empty.wav", b"");
    folder.file("text.wav", b"Dear musician,\nthis is a letter and not a song.\n");
    folder.file("page.mp3", b"<!DOCTYPE html><html><body>404</body></html>");
    folder.wav("nan.wav", 2, &vec![[f32::NAN; 2]; RATE_HZ as usize]);
    folder.wav("silence.wav", 2, &silence(RATE_HZ, 2.0));
    folder.wav("one.wav", 2, &[[0.5, 0.5]]);
    folder.wav("none.wav", 2, &[]);
    folder.wav("six.wav", 6, &mix);
    let good = fs::read(folder.integers("good.wav", Format::Wav, &mix)).expect("the mix");
    folder.file("header.wav", &good[..30]);
    fs::create_dir(folder.path("folder.wav")).expect("a folder");
    assert_all_refused(
        &folder,
        &[
            (&["missing.wav"], &["missing.wav", "no such file"]),
            (&["empty.wav"], &["empty.wav", "empty", "FLAC"]),
            (&["text.wav"], &["text.wav", "not an audio file", "FLAC"]),
            (&["page.mp3"], &["page.mp3", "web page"]),
            (&["nan.wav"], &["nan.wav", "not numbers", "export or download it again"]),
            (&["silence.wav"], &["silence.wav", "silent"]),
            (&["one.wav"], &["one.wav", "shorter than 0.4 s"]),
            (&["none.wav"], &["none.wav", "no sound"]),
            (&["six.wav"], &["six.wav", "6 channels", "mix it down"]),
            (&["header.wav"], &["header.wav", "damaged"]),
            (&["good.wav", "--reference", "missing.wav"], &["missing.wav", "no such file"]),
            (&["good.wav", "--reference", "silence.wav"], &["silence.wav", "silent"]),
            (&["render", "good.wav", "--recipe", "missing.json"], &["missing.json", "no such file"]),
            (
                &["render", "good.wav", "--recipe", "text.wav"],
                &["text.wav", "not a recipe", "goldmaster SONG --save-recipe FILE"],
            ),
            (&["analyze", "missing.wav"], &["missing.wav", "no such file"]),
            (&["analyze", "text.wav"], &["text.wav", "not an audio file"]),
        ],
    );
}

#[test]
fn a_constant_is_no_song() {
    let folder = Folder::new();
    folder.wav("dc.wav", 2, &vec![[0.25; 2]; 2 * RATE_HZ as usize]);
    assert_all_refused(&folder, &[(&["dc.wav"], &["dc.wav"])]);
}

#[test]
fn an_output_that_is_an_input_is_refused_under_every_name() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    folder.wav("record.wav", 2, &louder(&short_mix(), 3.0));
    fs::hard_link(folder.path("mix.wav"), folder.path("hard.wav")).expect("a link");
    let mut cases: Vec<(&[&str], &[&str])> = vec![
        (&["mix.wav", "-o", "mix.wav", "--force"], &["mix.wav", "replace its own input", "another name"]),
        (&["mix.wav", "-o", "./mix.wav", "--force"], &["mix.wav", "replace its own input"]),
        (&["mix.wav", "-o", "hard.wav", "--force"], &["hard.wav", "replace its own input"]),
        (&["hard.wav", "-o", "mix.wav", "--force"], &["mix.wav", "replace its own input"]),
        (&["mix.wav", "--reference", "record.wav", "-o", "record.wav", "--force"], &["record.wav", "replace"]),
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("mix.wav", folder.path("soft.wav")).expect("a link");
        cases.push((&["mix.wav", "-o", "soft.wav", "--force"], &["soft.wav", "replace its own input"]));
        cases.push((&["soft.wav", "-o", "mix.wav", "--force"], &["mix.wav", "replace its own input"]));
    }
    assert_all_refused(&folder, &cases);
}

#[test]
fn a_recipe_never_replaces_a_sound() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    folder.wav("record.wav", 2, &louder(&short_mix(), 3.0));
    fs::hard_link(folder.path("record.wav"), folder.path("hard.wav")).expect("a link");
    let before = folder.contents();
    for recipe in ["mix.wav", "./mix.wav", "record.wav", "hard.wav", "out.wav", "./out.wav"] {
        for force in [&["--force"][..], &[]] {
            let arguments = ["mix.wav", "--reference", "record.wav", "-o", "out.wav", "--save-recipe", recipe];
            let run = folder.goldmaster(&[&arguments, force].concat());
            assert!(matches!(run.code, Some(FAILED | USAGE)), "{recipe}: {run:?}");
            assert_eq!(run.stderr.lines().count(), 1, "{recipe}: {run:?}");
            assert!(folder.contents() == before, "{recipe} with {force:?} has changed the folder");
        }
    }
}

#[test]
fn what_exists_is_replaced_only_when_it_is_allowed() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    folder.file("mix.master.wav", b"an earlier master");
    folder.file("old.json", b"an earlier recipe");
    assert_all_refused(
        &folder,
        &[
            (&["mix.wav"], &["mix.master.wav", "exists already", "another name"]),
            (&["mix.wav", "-o", "new.wav", "--save-recipe", "old.json"], &["old.json", "exists already"]),
        ],
    );
    folder.goldmaster(&["mix.wav", "--save-recipe", "old.json", "--force"]).succeeded();
    assert!(!read(&folder.path("mix.master.wav")).frames.is_empty());
    let recipe = fs::read_to_string(folder.path("old.json")).expect("the recipe");
    Recipe::from_json(&recipe).expect("a recipe");
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_any_work() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    assert_all_refused(
        &folder,
        &[
            (&["mix.wav", "-o", "no/such/folder/out.wav"], &["no/such/folder/out.wav", "folder does not exist"]),
            (&["mix.wav", "--save-recipe", "no/such/recipe.json"], &["no/such/recipe.json", "folder does not exist"]),
        ],
    );
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    let locked = folder.path("locked");
    fs::create_dir(&locked).expect("a folder");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).expect("it is ours");
    // Root can write everywhere; then there is nothing to test.
    if fs::write(locked.join("probe"), "").is_ok() {
        return;
    }
    assert_refused(&folder.goldmaster(&["mix.wav", "-o", "locked/out.wav"]), &["locked/out.wav", "permission denied"]);
    assert_eq!(fs::read_dir(&locked).expect("the folder").count(), 0);
}

#[test]
fn wrong_arguments_are_usage_errors_that_name_them() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    let before = folder.contents();
    let cases: [(&[&str], &str); 27] = [
        (&["mix.wav", "--loud"], "--loud"),
        (&["mix.wav", "--json", "--quiet"], "--quiet"),
        (&["mix.wav", "second.wav"], "one song at a time; for several: goldmaster batch \"mix.wav\" \"second.wav\""),
        (&["mix.wav", "--loudness", "14"], "--loudness 14 is not between -50 and -1 LUFS; did you mean -14?"),
        (&["mix.wav", "--loudness", "loud"], "loud"),
        (&["mix.wav", "--loudness", "-2000"], "-2000"),
        (&["mix.wav", "--loudness", "nan"], "NaN"),
        (&["mix.wav", "--ceiling", "3"], "3"),
        (&["mix.wav", "--max-limiting-db", "-1"], "-1"),
        (&["mix.wav", "--intensity", "101"], "101"),
        (&["mix.wav", "--tone", "-1"], "-1"),
        (&["mix.wav", "--width", "nan"], "nan"),
        (&["mix.wav", "--rate", "5"], "5"),
        (&["mix.wav", "--bits", "12"], "12"),
        (&["mix.wav", "--for", "mars"], "spotify"),
        (&["mix.wav", "--reference", "mix.wav:0"], "positive"),
        (&["mix.wav", "--set", "limiter"], "limiter"),
        (&["mix.wav", "-o", "master.m4a"], ".flac"),
        (&["mix.wav", "-o", "master.flac", "--bits", "32f"], "FLAC holds no floating point"),
        (&["mix.wav", "--genre", "polka"], "auto, ambient, electronic, folk, orchestral, rock, world, universal"),
        (&["mix.wav", "--genre", "rock", "--reference", "mix.wav"], "--reference"),
        (&["mix.wav", "--genre", "rock", "--profile", "mix.wav"], "--profile"),
        (&["--genre", "rock"], "INPUT"),
        (&["analyze"], "INPUT"),
        (&["profile", "mix.wav"], "--output"),
        (&["profile", "mix.wav", "-o", "mix.wav", "--force"], "mix.wav"),
        (&["render", "mix.wav"], "--recipe"),
    ];
    for (arguments, word) in cases {
        let run = folder.goldmaster(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (Some(USAGE), ""), "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(word), "{word:?} is missing: {run:?}");
        assert!(folder.contents() == before, "{arguments:?} has changed the folder");
    }
}

/// Command lines that make no sense, and the command that the program suggests instead.
#[test]
fn a_wrong_command_line_is_answered_with_what_to_type_instead() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    folder.wav("other.wav", 2, &short_mix());
    folder.file("mix.master.wav", b"an earlier master");
    folder.file("recipe.json", b"an earlier recipe");
    folder.wav("my last song.wav", 2, &short_mix());
    fs::create_dir(folder.path("songs")).expect("a folder");
    fs::create_dir(folder.path("full.wav")).expect("a folder");
    let before = folder.contents();
    let cases: [(&[&str], &str); 15] = [
        (&["analize", "mix.wav"], "did you mean: goldmaster analyze mix.wav"),
        (&["btach", "songs", "--album"], "Did you mean: goldmaster batch"),
        (&["songs"], "songs is a folder; to master all songs in it: goldmaster batch songs"),
        (&["songs/"], "goldmaster batch songs/"),
        (&["mix.wav", "-r", "mix.wav", "other.wav"], "every reference needs a -r of its own"),
        (&["mix.wav", "--rate", "44.1"], "did you mean 44100?"),
        (&["https://example.org/hit.mp3"], "download it first, then name the file, as in hit.mp3"),
        (&["mix.wav", "-r", "https://example.org/hit.mp3"], "download it first"),
        (&["mix.wav", "--recipe", "recipe.json"], "goldmaster render mix.wav --recipe recipe.json"),
        (&["mix.wav", "--recipe", "recipe.json", "--force"], "--save-recipe recipe.json"),
        (&["mix.wav", "--album"], "--album is an option of batch: goldmaster batch mix.wav --album"),
        // Errors in options are reported first, whatever exists already.
        (&["mix.wav", "--loudness", "14"], "did you mean -14?"),
        (&["mix.wav", "--set", "limiter.colour=1"], "colour"),
        (&["variations", "mix.wav", "--set", "limiter.colour=1", "-o", "choose.html"], "colour"),
        (&["variations", "no-song.wav", "--ceiling", "3", "-o", "choose.html"], "--ceiling"),
    ];
    for (arguments, words) in cases {
        let run = folder.goldmaster(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (Some(USAGE), ""), "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(words), "{words:?} is missing: {run:?}");
        assert!(folder.contents() == before, "{arguments:?} has changed the folder");
    }
    let more: [(&[&str], &str); 50] = [
        (&["my", "last", "song.wav"], "between quotation marks: goldmaster \"my last song.wav\""),
        (&["mix.wav", "--target", "spotify"], "goldmaster calls that --for"),
        (&["mix.wav", "--lufs", "-9"], "goldmaster calls that --loudness"),
        (&["batch", "songs", "--threads", "2"], "goldmaster calls that --jobs"),
        (&["--album", "songs"], "--album is an option of batch: goldmaster batch songs --album"),
        (&["batch", "songs"], "no song was found in songs"),
        (&["batch", "mix.wav", "--exclude", "*.wav"], "no song was found in mix.wav, and 1 is left out by --exclude"),
        (&["batch", "--jobs", "0", "songs"], "must be a number of songs from 1 on"),
        (&["batch", "--jobs", "four", "songs"], "must be a number of songs from 1 on"),
        (&["batch", "--jobs", "-2", "songs"], "must be a number of songs from 1 on"),
        (&["mix.wav", "--recipe", "mix.wav"], "--save-recipe mix.json"),
        (&["mix.wav", "--save-recipe", "new.wav", "--force"], "a recipe is JSON: --save-recipe new.json"),
        (&["render", "mix.wav", "--recipe", "other.wav"], "other.wav is a sound file, not a recipe"),
        (&["render", "recipe.json", "--recipe", "mix.wav"], "goldmaster render mix.wav --recipe recipe.json"),
        (&["render", "mix.wav", "recipe.json"], "goldmaster render mix.wav --recipe recipe.json"),
        (&["render", "recipe.json", "mix.wav"], "goldmaster render mix.wav --recipe recipe.json"),
        (&["mix.wav", "--trim", "-5"], "--trim -5 is not between 0 and"),
        (&["mix.wav", "--trim", "20ms"], "write it as a number: 20"),
        (&["mix.wav", "--fade-out", "-1"], "write SECONDS or SECONDS:SHAPE"),
        (&["mix.wav", "--loudness", "-14dB"], "write it as a number: -14"),
        (&["mix.wav", "--loudness", "-14,5"], "write it as a number: -14.5"),
        (&["mix.wav", "--ceiling", "-1dB"], "write it as a number: -1"),
        (&["mix.wav", "--ceiling", "1"], "did you mean -1?"),
        (&["mix.wav", "--intensity", "0.5"], "did you mean 50?"),
        (&["mix.wav", "--intensity", "50%"], "write it as a number: 50"),
        (&["mix.wav", "-o", "songs"], "songs is a folder: name the file in it, as in"),
        (&["mix.wav", "-o", "full.wav", "--force"], "full.wav is a folder: name the file in it, as in"),
        (&["mix.wav", "-o", "new/"], "new/ is a folder: name the file in it, as in"),
        (&["mix.wav", "-o", "loud"], "choose one by its name, as in loud.wav"),
        (&["mix.wav", "-r", ""], "the name of the record's file is missing"),
        (&["mix.wav", "-r", "songs"], "goldmaster batch SONGS --reference-folder songs"),
        (&["batch", "-r", "songs", "songs"], "goldmaster batch SONGS --reference-folder songs"),
        (&["mix.wav", "-r", "mix.wav,other.wav"], "every reference needs a -r of its own: -r mix.wav -r other.wav"),
        (&["mix.wav", "--for", "spotify cd"], "--for spotify,cd"),
        (&["mix.wav", "--profile", "other.wav"], "to sound like it: --reference other.wav"),
        (&["mix.wav", "--bitrate", "320"], "name it .mp3 or .opus"),
        (&["batch", "songs", "--album", "folders"], "--album=folders"),
        (&["batch", "songs", "--album", "--cue", "2"], "--cue=2"),
        (&["batch", "songs", "--report", "page.html"], "--report of a batch takes no name"),
        (&["batch", "songs", "--memory", "4"], "did you mean 4G?"),
        (&["batch", "songs", "--memory", "-4G"], "must not be negative"),
        (
            &["batch", "mix.wav", "--memory", "10M", "--jobs", "1"],
            "one song needs 122 MiB of memory, and 10 may be used",
        ),
        (&["batch", "songs", "-o", "mix.wav"], "mix.wav is a file: a batch writes into a folder, as in -o masters"),
        (&["batch", "--plan", "songs"], "to master it: goldmaster batch songs"),
        (&["batch", "songs", "--save-recipe", "r.json"], "--save-recipe is an option of goldmaster master"),
        (&["analyze", "mix.wav", "--for", "spotify"], "--for is an option of goldmaster check, master"),
        (&["analyze", "songs"], "songs is a folder: name the files in it"),
        (&["variations", "songs"], "goldmaster batch songs"),
        (&["profile", "mix.wav", "-o", "new.wav"], "a profile is JSON: -o new.profile.json"),
        (&["help", "batsh"], "Did you mean: goldmaster batch"),
    ];
    for (arguments, words) in more {
        let run = folder.goldmaster(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (Some(USAGE), ""), "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(words), "{words:?} is missing: {run:?}");
        assert!(folder.contents() == before, "{arguments:?} has changed the folder");
    }
    let guessed = folder.goldmaster(&["mix.wav", "--target", "spotify"]);
    assert!(!guessed.stderr.contains("similar"), "no other guess stands beside: {guessed:?}");
    // A missing file is reported before an existing one.
    for arguments in [&["mix.wav", "-r", "no.flac"][..], &["no.wav", "-o", "mix.master.wav"]] {
        assert_refused(&folder.goldmaster(arguments), &["no.", "there is no such file"]);
    }
    // These are accepted as they are.
    for arguments in
        [&["mix.wav", "--ref", "other.wav", "-o", "a.wav"][..], &["mix.wav", "--genre", "Rock", "-o", "b.wav"]]
    {
        folder.goldmaster(arguments).succeeded();
    }
    folder.goldmaster(&["analyse", "mix.wav"]).succeeded();
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_the_output_is_a_failure() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &short_mix());
    for arguments in [
        &["mix.wav", "--force", "--json"][..],
        &["mix.wav", "--force"],
        &["analyze", "mix.wav", "--json"],
        &["batch", "mix.wav", "-o", "out"],
        &["batch", "mix.wav", "-o", "out", "--dry-run"],
        &["--genre", "list"],
        &["--help"],
        &["completions", "bash"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
        let run = folder.run(folder.command(arguments).stdout(full));
        assert_eq!(run.code, Some(FAILED), "{arguments:?}: {run:?}");
        assert_eq!(
            run.stderr, "goldmaster: the standard output cannot be written (the disk is full)\n",
            "{arguments:?}"
        );
    }
    assert!(!read(&folder.path("mix.master.wav")).frames.is_empty(), "the master is made all the same");
}

#[test]
fn what_was_typed_moves_no_terminal() {
    let folder = Folder::new();
    let typed = "x\u{9b}2J\u{1b}[31m\u{202e}";
    for option in ["--genre", "--for", "--ceiling", "--rate", &format!("--{typed}")] {
        let run = folder.goldmaster(&["mix.wav", option, typed]);
        assert_eq!(run.code, Some(USAGE), "{option}: {run:?}");
        let commands = ['\u{9b}', '\u{1b}', '\u{202e}'];
        assert!(!run.stderr.contains(commands) && run.stderr.contains('x'), "{option}: {run:?}");
    }
}
