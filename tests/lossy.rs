//! MP3 and Opus: the promises hold for the decoded file.
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod common;

use std::path::Path;
use std::process::Command;

use analyzer::stream::Frame;
use analyzer::synth::demo_mix;
use common::{DEFAULT_DBTP, DEFAULT_LUFS, Folder, MIX, RATE_HZ, SECONDS, Sound, USAGE, job, mastered, read, with};
use goldmaster::io::output_spec::Format;
use goldmaster::render::promises::{PromiseKind, Verdict};
use goldmaster::report::actions::Action;
use goldmaster::request::delivery::{DeliveryRequest, LoudnessTarget};
use goldmaster::request::job::MasterJob;
use goldmaster::request::settings::Effort;
use lofty::file::TaggedFileExt as _;
use lofty::tag::{Accessor as _, ItemKey};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::formats::TrackType;
use symphonia::core::formats::probe::Hint;
use symphonia::core::io::MediaSourceStream;

const LOSSY: [Format; 2] = [Format::Mp3, Format::Opus];

/// Tolerance between decoders, which round differently, dB; the ceiling is kept with the program's own.
const DECODERS_DB: f64 = 0.02;

/// Decodes an MP3 with symphonia alone, with its own trimming.
fn mp3_by_symphonia(path: &Path) -> Sound {
    let file = std::fs::File::open(path).expect("the master");
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(Hint::new().with_extension("mp3"), stream, Default::default(), Default::default())
        .expect("an MP3");
    let track = format.default_track(TrackType::Audio).expect("a track").clone();
    let Some(CodecParameters::Audio(params)) = &track.codec_params else { panic!("no sound") };
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(params, &AudioDecoderOptions::default())
        .expect("a decoder");
    let (mut frames, mut samples): (Vec<Frame>, Vec<f32>) = (Vec::new(), Vec::new());
    let (mut channels, mut sample_rate_hz) = (0, 0);
    while let Some(packet) = format.next_packet().expect("readable") {
        let buffer = decoder.decode(&packet).expect("decodable");
        (channels, sample_rate_hz) = (buffer.num_planes(), buffer.spec().rate());
        buffer.copy_to_vec_interleaved(&mut samples);
        frames.extend(samples.chunks(channels).map(|frame| [frame[0], frame[channels - 1]]));
    }
    Sound { sample_rate_hz, channels: channels as u32, bits: 0, is_float: false, frames }
}

/// Decodes a file with ffmpeg, if it is installed.
fn by_ffmpeg(path: &Path, rate_hz: u32, channels: u32) -> Option<Sound> {
    let arguments = ["-v", "error", "-nostdin", "-i", path.to_str()?, "-f", "f32le", "-"];
    let run = Command::new("ffmpeg").args(arguments).output().ok().filter(|run| run.status.success());
    let Some(run) = run else {
        eprintln!("SKIPPED: no ffmpeg that decodes {}", path.display());
        return None;
    };
    let samples: Vec<f32> = run.stdout.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let frames = samples.chunks(channels as usize).map(|frame| [frame[0], frame[frame.len() - 1]]).collect();
    Some(Sound { sample_rate_hz: rate_hz, channels, bits: 0, is_float: false, frames })
}

fn assert_keeps(sound: &Sound, lufs: f64, dbtp: f64) {
    let (loudness, peak) = (sound.loudness_lufs(), sound.true_peak_dbtp());
    assert!((loudness - lufs).abs() <= common::LOUDNESS_TOLERANCE_LU, "{loudness} LUFS, not {lufs}");
    assert!(peak <= dbtp + DECODERS_DB, "{peak} dBTP over {dbtp}");
}

/// A delivery so loud that the codec raises peaks over the ceiling.
fn loud(lufs: f64) -> DeliveryRequest {
    DeliveryRequest {
        loudness: Some(LoudnessTarget::Lufs(lufs)),
        max_limiting_db: Some(20.0),
        ..DeliveryRequest::default()
    }
}

fn loud_job(input: &Path, output: &Path, bitrate_kbps: Option<u32>) -> MasterJob {
    with(job(input, output), |settings| {
        settings.delivery = DeliveryRequest { bitrate_kbps, ..loud(-9.0) };
        settings.effort = Effort::Off;
    })
}

#[test]
fn what_is_decoded_again_is_as_long_loud_and_high_as_was_promised() {
    let folder = Folder::new();
    let inputs = [(2, folder.wav("stereo.wav", 2, &MIX)), (1, folder.wav("mono.wav", 1, &MIX))];
    let cases = [(Format::Mp3, None), (Format::Mp3, Some(192)), (Format::Opus, None)];
    let mut rooms_db = Vec::new();
    for (format, kbps) in cases {
        // Mono at the usual bit rates is enough.
        for (channels, input) in inputs.iter().filter(|(channels, _)| *channels == 2 || kbps.is_none()) {
            let output = folder.path(&format!("{channels}.{kbps:?}.{}", format.extension()));
            let report = mastered(&loud_job(input, &output, kbps));
            let rate_hz = if format == Format::Opus { 48_000 } else { RATE_HZ };
            let frames = (MIX.len() * rate_hz as usize).div_ceil(RATE_HZ as usize);
            let own = read(&output);
            assert_eq!((own.sample_rate_hz, own.channels, own.frames.len()), (rate_hz, *channels, frames));
            // The reported peak is that measured on the file, to the last bit.
            assert_eq!(report.after.true_peak_dbtp, own.true_peak_dbtp());
            assert!(report.after.true_peak_dbtp <= DEFAULT_DBTP, "{:?}", report.after);
            assert!(report.promises.iter().all(|promise| promise.verdict == Verdict::Kept), "{:?}", report.promises);
            assert_keeps(&own, -9.0, DEFAULT_DBTP);
            let others =
                [(format == Format::Mp3).then(|| mp3_by_symphonia(&output)), by_ffmpeg(&output, rate_hz, *channels)];
            for other in others.into_iter().flatten() {
                assert_eq!(other.frames.len(), frames, "{}", output.display());
                assert_keeps(&other, -9.0, DEFAULT_DBTP);
            }
            let room_db = report.recipe.solution.as_ref().expect("it was solved").codec_room_db;
            rooms_db.push(room_db);
            let encode = report.actions.iter().find_map(|action| match &action.fact {
                Action::Encode { codec, bitrate_kbps, room_db, .. } => Some((codec.clone(), *bitrate_kbps, *room_db)),
                _ => None,
            });
            let usual = if format == Format::Mp3 { 320 } else { 160 };
            assert_eq!(encode, Some((format.to_string(), kbps.unwrap_or(usual), room_db)));
        }
    }
    assert!(rooms_db.iter().any(|room_db| *room_db > 0.05), "so loud, codecs raise peaks: {rooms_db:?}");
}

#[test]
fn a_quiet_master_needs_no_room() {
    let folder = Folder::new();
    let input = folder.wav("mix.wav", 2, &MIX);
    for format in LOSSY {
        let output = folder.path("out").with_extension(format.extension());
        let report = mastered(&with(job(&input, &output), |settings| settings.delivery = loud(-24.0)));
        assert_keeps(&read(&output), -24.0, DEFAULT_DBTP);
        let recipe = report.recipe.to_json();
        assert!(!recipe.contains("codec_room_db"), "{recipe}");
    }
}

#[test]
fn every_run_and_the_recipe_give_the_same_bytes() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    for format in LOSSY {
        let [first, second, again] = ["first", "second", "again"].map(|name| format!("{name}.{}", format.extension()));
        let asked = [
            "mix.wav",
            "--loudness",
            "-9",
            "--max-limiting-db",
            "20",
            "--save-recipe",
            "r.json",
            "-f",
            "-q",
            "--refine",
            "off",
        ];
        for (threads, output) in [("2", &first), ("1", &second)] {
            let mut command = folder.command(&[&asked[..], &["-o", output]].concat());
            folder.run(command.env("RAYON_NUM_THREADS", threads)).succeeded();
        }
        folder.goldmaster(&["render", "mix.wav", "--recipe", "r.json", "-o", &again, "-q"]).succeeded();
        let bytes = |name: &str| std::fs::read(folder.path(name)).expect("the master");
        assert!(bytes(&first) == bytes(&second) && bytes(&first) == bytes(&again), "{format}");
    }
}

#[test]
fn a_recipe_is_made_for_the_file_that_is_asked_for() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    folder.goldmaster(&["mix.wav", "-o", "out.wav", "--save-recipe", "r.json"]).succeeded();
    for (recipe, output) in [("r.json", "out.mp3"), ("r.json", "out.opus"), ("mp3.json", "out.flac")] {
        let report =
            folder.goldmaster(&["render", "mix.wav", "--recipe", recipe, "-o", output, "--json"]).succeeded().json();
        assert_keeps(&read(&folder.path(output)), DEFAULT_LUFS, DEFAULT_DBTP);
        if output == "out.mp3" {
            assert_eq!(report["recipe"]["output"]["lossy"]["bitrate_kbps"], 320);
            std::fs::write(folder.path("mp3.json"), report["recipe"].to_string()).expect("space");
        }
    }
    let rate = ["--set", "output.lossy.bitrate_kbps=192", "--json"];
    let run = folder.goldmaster(&[&["render", "mix.wav", "--recipe", "r.json", "-o", "192.mp3"], &rate[..]].concat());
    assert_eq!(run.succeeded().json()["output"]["codec"], "mp3 192 kbit/s");
}

#[test]
fn a_rate_that_the_codec_does_not_hold_is_resampled_and_said() {
    let folder = Folder::new();
    let mix = demo_mix(96_000, SECONDS);
    folder.wav_at("mix.wav", 96_000, 2, &mix);
    for output in ["out.mp3", "out.opus"] {
        let run = folder.goldmaster(&["mix.wav", "-o", output, "--refine", "off"]).succeeded();
        assert!(run.stdout.contains("resampled from 96.0 kHz to 48.0 kHz"), "{run:?}");
        let sound = read(&folder.path(output));
        assert_eq!((sound.sample_rate_hz, sound.frames.len()), (48_000, mix.len().div_ceil(2)));
        assert_keeps(&sound, DEFAULT_LUFS, DEFAULT_DBTP);
    }
}

#[test]
fn loudness_that_the_limiter_may_not_reach_falls_short_as_in_any_file() {
    let folder = Folder::new();
    let (input, output) = (folder.wav("mix.wav", 2, &MIX), folder.path("out.mp3"));
    let delivery = DeliveryRequest { max_limiting_db: Some(1.0), ..loud(-6.0) };
    let report = mastered(&with(job(&input, &output), |settings| settings.delivery = delivery));
    let PromiseKind::Loudness { shortfall, .. } = report.promises[0].kind else { panic!("{:?}", report.promises) };
    assert!(report.promises[0].verdict == Verdict::Short && shortfall.is_some(), "{:?}", report.promises);
    assert!(read(&output).true_peak_dbtp() <= DEFAULT_DBTP);
}

#[test]
fn what_a_codec_cannot_do_is_refused_before_any_work() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &common::short_mix());
    folder.file("plan.csv", b"input,output,format\nmix.wav,a.mp3,opus\n");
    folder.file("rate.csv", b"input,format,bitrate\nmix.wav,mp3,321\n");
    folder.file("kind.csv", b"input,format\nmix.wav,aac\n");
    let before = folder.contents();
    let cases: [(&[&str], &[&str]); 15] = [
        (&["mix.wav", "-o", "a.mp3", "--bitrate", "300"], &["--bitrate", "MP3", "300", "320"]),
        (&["mix.wav", "-o", "a.mp3", "--bitrate", "0"], &["--bitrate", "MP3"]),
        (&["mix.wav", "-o", "a.opus", "--bitrate", "4294967295"], &["--bitrate", "Opus", "510"]),
        (&["mix.wav", "-o", "a.mp3", "--rate", "96000"], &["--rate", "MP3", "48000"]),
        (&["mix.wav", "-o", "a.opus", "--rate", "44100"], &["--rate", "Opus", "48000"]),
        (&["mix.wav", "-o", "a.mp3", "--bits", "16"], &["--bits", "MP3", "--bitrate"]),
        (&["mix.wav", "-o", "a.opus", "--for", "cd"], &["--for cd", "Opus", ".flac"]),
        (&["mix.wav", "-o", "a.wav", "--bitrate", "320"], &["--bitrate", "WAV"]),
        (&["mix.wav", "-o", "a.wav", "--format", "mp3"], &["a.wav", "MP3"]),
        (&["mix.wav", "-o", "a.m4a"], &[".mp3 or .opus"]),
        (&["batch", "mix.wav", "--bitrate", "320"], &["--bitrate", "WAV"]),
        (&["batch", "mix.wav", "--format", "mp3", "--bitrate", "1"], &["--bitrate", "MP3"]),
        (&["batch", "--plan", "plan.csv"], &["line 2", "MP3", "Opus"]),
        (&["batch", "--plan", "rate.csv"], &["line 2", "--bitrate", "321"]),
        (&["batch", "--plan", "kind.csv"], &["line 2", "format", "aac", "opus"]),
    ];
    for (arguments, words) in cases {
        let run = folder.goldmaster(arguments);
        assert_eq!((run.code, run.stdout.as_str(), run.stderr.lines().count()), (Some(USAGE), "", 1), "{run:?}");
        assert!(words.iter().all(|word| run.stderr.contains(word)), "{words:?} {run:?}");
        assert!(folder.contents() == before, "{arguments:?}");
    }
}

#[test]
fn a_batch_writes_them_leaves_them_alone_and_knows_its_own() {
    let folder = Folder::new();
    folder.wav("a.wav", 2, &MIX);
    folder.wav("b.wav", 2, &MIX);
    folder.goldmaster(&["batch", "a.wav", "b.wav", "--format", "mp3", "--bitrate", "256", "-o", "out"]).succeeded();
    let first = std::fs::read(folder.path("out/a.mp3")).expect("a master");
    assert!(first == std::fs::read(folder.path("out/b.mp3")).expect("a master"));
    let again = ["batch", "a.wav", "b.wav", "--format", "mp3", "--bitrate", "256", "-o", "out"];
    let run = folder.goldmaster(&again).succeeded();
    assert!(run.stdout.contains("out/a.mp3: unchanged") || run.stdout.contains("2 unchanged"), "{run:?}");
    assert!(first == std::fs::read(folder.path("out/a.mp3")).expect("a master"));
    folder.file("plan.csv", b"input,output,format,bitrate\na.wav,x.opus,,96\na.wav,,mp3,\nb.wav,y.wav,,\n");
    folder.goldmaster(&["batch", "--plan", "plan.csv", "-o", "planned"]).succeeded();
    for name in ["planned/x.opus", "planned/a.mp3", "planned/y.wav"] {
        assert_keeps(&read(&folder.path(name)), DEFAULT_LUFS, DEFAULT_DBTP);
    }
}

#[test]
fn a_name_without_a_format_gets_that_of_the_option() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    folder.goldmaster(&["mix.wav", "--format", "opus", "--refine", "off"]).succeeded();
    folder.goldmaster(&["mix.wav", "--format", "mp3", "--name", "{name} x"]).succeeded();
    folder.goldmaster(&["mix.wav", "-o", "out.mp3", "--for", "spotify,apple-music"]).succeeded();
    for name in ["mix.master.opus", "mix x.mp3", "out [spotify].mp3", "out [apple-music].mp3"] {
        assert!(folder.path(name).exists(), "{name}: {:?}", folder.contents().keys());
    }
}

#[test]
fn an_independent_reader_finds_tags_and_the_mark_that_makes_it_a_master() {
    let folder = Folder::new();
    let input = folder.flac("mix.flac", &MIX);
    let mut file = lofty::read_from_path(&input).expect("a FLAC");
    let mut tag = lofty::tag::Tag::new(lofty::tag::TagType::VorbisComments);
    tag.set_title("Title \u{97f3}".to_owned());
    tag.set_artist("Artist".to_owned());
    tag.insert_text(ItemKey::Isrc, "DEA123456789".to_owned());
    file.insert_tag(tag);
    lofty::file::AudioFile::save_to_path(&file, &input, lofty::config::WriteOptions::default()).expect("space");
    folder.wav("record.wav", 2, &common::louder(&common::OTHER_MIX, 6.0));
    for output in ["out.mp3", "out.opus"] {
        let asked = ["mix.flac", "-r", "record.wav", "-o", output];
        folder.goldmaster(&asked).succeeded();
        let read = lofty::read_from_path(folder.path(output)).expect("readable");
        let tag = read.primary_tag().expect("a tag");
        assert_eq!(tag.title().as_deref(), Some("Title \u{97f3}"));
        assert_eq!(tag.artist().as_deref(), Some("Artist"));
        assert_eq!(tag.get_string(ItemKey::Isrc), Some("DEA123456789"));
        // Towards the same record, a finished master stays as it is.
        let run = folder.goldmaster(&[output, "-r", "record.wav", "-o", "again.wav", "-f", "--json"]).succeeded();
        let warnings = run.json()["warnings"].to_string();
        assert!(warnings.contains("already_mastered"), "{output}: {warnings}");
    }
}
