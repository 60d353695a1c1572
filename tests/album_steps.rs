//! An album whose songs are mastered in steps, with bytes from each step to the next, has the masters of a batch.

mod common;

use std::fs;
use std::path::PathBuf;

use analyzer::stream::Frame;
use analyzer::synth::demo_mix;
use common::{Folder, OTHER_MIX, RATE_HZ, louder, tagged};
use goldmaster::error::Error;
use goldmaster::io::output_spec::Format;
use goldmaster::request::job::{AlbumBalance, AlbumLoudness, AlbumSettings};
use goldmaster::workflows::album::{BalancedSong, DecidedAlbum, MeasuredSong, PreparedSong, Transfer};
use goldmaster::{Album, Master};
use lofty::tag::ItemKey;

/// Names of the songs of a record: two that differ in loudness, and one that is silent.
const SONGS: [&str; 3] = ["a.flac", "b.flac", "silent.wav"];

/// A record, with a file beside its songs that is none.
fn record(folder: &Folder) {
    fs::create_dir(folder.path("in")).expect("a folder");
    let song = demo_mix(RATE_HZ, 8.0);
    let halves: Vec<&[Frame]> = song.chunks_exact(song.len() / 2).collect();
    for (name, frames, by_db) in [("in/a.flac", halves[0], 0.0), ("in/b.flac", halves[1], -3.0)] {
        tagged(folder, name, &louder(frames, by_db), &[(ItemKey::Genre, "Rock")]);
        folder.age(name);
    }
    folder.wav("in/silent.wav", 2, &[[0.0; 2]; 44_100]);
    folder.file("in/bad.wav", b"words");
}

/// Sends data to another process and back.
fn sent<T: Transfer>(data: T) -> T {
    T::from_bytes(&data.to_bytes().expect("memory")).expect("just written")
}

/// Takes all steps, each song with an album of its own, as another process has it. Returns the masters, in the order of
/// `songs`.
fn in_steps(folder: &Folder, songs: &[&str], album: impl Fn() -> Album) -> Vec<Vec<u8>> {
    let mixes: Vec<PathBuf> = songs.iter().map(|song| folder.path("in").join(song)).collect();
    let measured: Vec<MeasuredSong> = mixes.iter().map(|mix| sent(album().measure(mix).expect("a song"))).collect();
    let decided = sent(album().decide(&measured).expect("songs"));
    let prepare = |(mix, song)| sent(album().prepare(mix, song, &decided).expect("a song"));
    let prepared: Vec<PreparedSong> = mixes.iter().zip(&measured).map(prepare).collect();
    let balanced = album().balance(&decided, prepared).expect("memory").into_iter().map(sent);
    let master = |(mix, song): (&PathBuf, BalancedSong)| {
        let output = folder.path(&format!("master.{}", album().format.extension()));
        album().master(mix, &song, &output).expect("a master");
        let bytes = fs::read(&output).expect("a master");
        fs::remove_file(output).expect("ours");
        bytes
    };
    mixes.iter().zip(balanced).map(master).collect()
}

fn check(arguments: &[&str], album: impl Fn(&Folder) -> Album) {
    let folder = Folder::new();
    record(&folder);
    folder.wav("record.wav", 2, &louder(&OTHER_MIX, 12.0));
    let run = folder.goldmaster(&[&["batch", "in", "-o", "out"], arguments].concat());
    assert_eq!(run.code, Some(4), "{run:?}");
    let extension = album(&folder).format.extension();
    let by_batch = |song: &&str| {
        fs::read(folder.path("out").join(song).with_extension(extension)).unwrap_or_else(|e| panic!("{song}: {e}"))
    };
    let mut songs = SONGS;
    for _ in 0..2 {
        let masters = in_steps(&folder, &songs, || album(&folder));
        for (song, (master, by_batch)) in songs.iter().zip(masters.into_iter().zip(songs.iter().map(by_batch))) {
            assert!(master == by_batch, "{song} of {songs:?} with {arguments:?}");
        }
        // The order of the songs has no influence.
        songs.reverse();
    }
}

#[test]
fn an_album_in_steps_has_the_bytes_of_a_batch() {
    check(&["--album", "--loudness", "-18"], |_| Album::from(Master::new().loudness(-18.0)));
}

#[test]
fn an_album_in_steps_towards_a_record_has_the_bytes_of_a_batch() {
    let words = ["--album=loudest", "--album-balance", "even", "-r", "record.wav", "--format", "mp3", "--trim", "20"];
    check(&words, |folder| Album {
        master: Master::new().reference(folder.path("record.wav")).set("trim", ["20"]).expect("a setting"),
        settings: AlbumSettings {
            loudness: AlbumLoudness::Loudest,
            balance: AlbumBalance::Even,
            is_own_reference: false,
        },
        format: Format::Mp3,
    });
}

#[test]
fn an_album_in_steps_may_be_its_own_reference() {
    check(&["--album", "--reference-from-album", "--format", "flac"], |_| Album {
        settings: AlbumSettings { is_own_reference: true, ..AlbumSettings::default() },
        format: Format::Flac,
        ..Album::default()
    });
}

#[test]
fn steps_take_what_the_step_before_returned() {
    let folder = Folder::new();
    record(&folder);
    let [a, b, silent] = SONGS.map(|song| folder.path("in").join(song));
    let album = Album::from(
        Master::new()
            .loudness(-6.0)
            .set("strict", ["true"])
            .and_then(|master| master.set("max_limiting_db", ["1"]))
            .expect("a setting"),
    );
    let measured = album.measure(&a).expect("a song");
    let bytes = measured.to_bytes().expect("memory");
    let refused = |error: Option<Error>, words: &str| {
        let error = error.expect("an error");
        assert!(error.to_string().contains(words), "{error}");
        error.exit_code()
    };
    let cut = MeasuredSong::from_bytes(&bytes[..bytes.len() - 1]);
    assert_eq!(refused(cut.err(), "no measured song of goldmaster"), 2);
    assert_eq!(refused(DecidedAlbum::from_bytes(&bytes).err(), "no decided album of goldmaster"), 2);
    assert_eq!(refused(PreparedSong::from_bytes(b"").err(), "no prepared song of goldmaster"), 2);
    let decided = album.decide(std::slice::from_ref(&measured)).expect("a song");
    assert_eq!(refused(album.prepare(&silent, &measured, &decided).err(), "not the song of the steps before"), 2);
    let prepared = album.prepare(&a, &measured, &decided).expect("a song");
    // A loudness that cannot be reached is an error where the settings are strict.
    assert_eq!(refused(album.balance(&decided, vec![sent(prepared)]).err(), "song 1 comes no higher"), 3);
    let album = Album::default();
    let decided = album.decide(std::slice::from_ref(&measured)).expect("a song");
    let prepared = album.prepare(&a, &measured, &decided).expect("a song");
    let balanced = album.balance(&decided, vec![prepared]).expect("memory");
    let output = folder.path("x.wav");
    assert_eq!(refused(album.master(&b, &balanced[0], &output).err(), "not the song of the steps before"), 2);
    assert!(!output.exists());
    let silent = album.measure(&silent).expect("a song");
    assert_eq!(refused(album.decide(&[silent]).err(), "nothing to master"), 1);
    let own = AlbumSettings { is_own_reference: true, ..AlbumSettings::default() };
    let both = Album { settings: own, ..Album::from(Master::new().reference("record.wav")) };
    assert_eq!(refused(both.check().err(), "its own reference"), 2);
}
