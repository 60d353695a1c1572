//! Every container and codec that is read, compared with an independent decoder: ffmpeg, if it is installed.
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod common;

use std::path::Path;
use std::process::Command;

use analyzer::random::Random;
use analyzer::stream::{Frame, Source as _};
use goldmaster::io::decode::open;
use goldmaster::io::encode::Encoder;
use goldmaster::io::output_spec::{Format, OutputSpec, SampleFormat};
use goldmaster::io::tags::Tags;

use crate::common::Folder;

/// Number of formats that every ffmpeg writes, whatever libraries it was built with: all except MP3, Vorbis and Opus,
/// and those newer than the oldest version in use.
const MIN_COMPARED: usize = 45;
const MIN_TAGGED: usize = 6;

/// Length of the test sound: tones and noise that differ between the channels, so that swapped channels are noticed.
const SECONDS: f64 = 2.0;

/// Limits of the difference, dB relative to the sound: lossless formats differ only by rounding, lossy ones by the
/// arithmetic of two decoders.
const LOSSLESS_DB: f64 = -90.0;
const LOSSY_DB: f64 = -60.0;

/// Largest difference in length.
const TOLERANCE_FRAMES: usize = 1;

/// File names, and ffmpeg's arguments to make them; the bit depth of lossless ones is that of the codec.
const LOSSLESS: &[(&str, &str)] = &[
    ("u8.wav", "-c:a pcm_u8"),
    ("s16.wav", "-c:a pcm_s16le"),
    ("s24.wav", "-c:a pcm_s24le"),
    ("s32.wav", "-c:a pcm_s32le"),
    ("f32.wav", "-c:a pcm_f32le"),
    ("f64.wav", "-c:a pcm_f64le"),
    ("alaw.wav", "-c:a pcm_alaw"),
    ("mulaw.wav", "-c:a pcm_mulaw"),
    ("rf64.wav", "-c:a pcm_s24le -rf64 always"),
    ("ms.wav", "-c:a adpcm_ms"),
    ("ima.wav", "-c:a adpcm_ima_wav"),
    ("s16.aiff", "-c:a pcm_s16be"),
    ("s24.aiff", "-c:a pcm_s24be"),
    ("s32.aiff", "-c:a pcm_s32be"),
    ("sowt.aifc", "-c:a pcm_s16le -f aiff"),
    ("f32.aifc", "-c:a pcm_f32be -f aiff"),
    ("f64.aifc", "-c:a pcm_f64be -f aiff"),
    ("alaw.aifc", "-c:a pcm_alaw -f aiff"),
    ("mulaw.aifc", "-c:a pcm_mulaw -f aiff"),
    ("s16be.caf", "-c:a pcm_s16be"),
    ("s16le.caf", "-c:a pcm_s16le"),
    ("s24be.caf", "-c:a pcm_s24be"),
    ("s32le.caf", "-c:a pcm_s32le"),
    ("f32be.caf", "-c:a pcm_f32be"),
    ("f64be.caf", "-c:a pcm_f64be"),
    ("f64le.caf", "-c:a pcm_f64le"),
    ("alaw.caf", "-c:a pcm_alaw"),
    ("mulaw.caf", "-c:a pcm_mulaw"),
    ("alac.caf", "-c:a alac"),
    ("16.flac", "-c:a flac -sample_fmt s16"),
    ("24.flac", "-c:a flac -sample_fmt s32"),
    ("variable.flac", "-c:a flac -sample_fmt s16 -frame_size 1152"),
    ("flac.oga", "-c:a flac -sample_fmt s16 -f ogg"),
    ("alac.m4a", "-c:a alac"),
    ("s16be.mov", "-c:a pcm_s16be"),
    ("s16le.mov", "-c:a pcm_s16le"),
    ("s24be.mov", "-c:a pcm_s24be"),
    ("s24le.mov", "-c:a pcm_s24le"),
    ("s32be.mov", "-c:a pcm_s32be"),
    ("s32le.mov", "-c:a pcm_s32le"),
    ("f32be.mov", "-c:a pcm_f32be"),
    ("f32le.mov", "-c:a pcm_f32le"),
    ("f64be.mov", "-c:a pcm_f64be"),
    ("f64le.mov", "-c:a pcm_f64le"),
    ("u8.mov", "-c:a pcm_u8"),
    ("alaw.mov", "-c:a pcm_alaw"),
    ("mulaw.mov", "-c:a pcm_mulaw"),
    ("high.mov", "-c:a pcm_s24be -ar 96000"),
    ("flac.mp4", "-c:a flac -sample_fmt s16 -strict -2"),
    ("s16.mka", "-c:a pcm_s16le"),
    ("s16be.mka", "-c:a pcm_s16be"),
    ("s24.mka", "-c:a pcm_s24le"),
    ("f32.mka", "-c:a pcm_f32le"),
    ("flac.mka", "-c:a flac -sample_fmt s16"),
    ("alac.mka", "-c:a alac"),
];

const LOSSY: &[(&str, &str)] = &[
    ("cbr.mp3", "-c:a libmp3lame -b:a 192k"),
    ("vbr.mp3", "-c:a libmp3lame -q:a 2"),
    ("low.mp3", "-c:a libmp3lame -b:a 64k -ar 22050"),
    ("layer2.mp2", "-c:a mp2 -b:a 192k"),
    ("adts.aac", "-c:a aac -b:a 192k"),
    ("aac.m4a", "-c:a aac -b:a 192k"),
    ("fragmented.m4a", "-c:a aac -b:a 192k -movflags +frag_keyframe+empty_moov -frag_duration 500000"),
    ("aac.mka", "-c:a aac -b:a 192k"),
    ("mp3.mka", "-c:a libmp3lame -b:a 192k"),
    ("vorbis.ogg", "-c:a libvorbis -q:a 6"),
    ("vorbis.mka", "-c:a libvorbis -q:a 6"),
    ("opus.opus", "-c:a libopus -b:a 160k"),
    ("opus.webm", "-c:a libopus -b:a 160k"),
    ("short.opus", "-c:a libopus -b:a 160k -frame_duration 5 -application lowdelay"),
    ("long.opus", "-c:a libopus -b:a 128k -frame_duration 60"),
];

/// Formats that are also read in mono.
const MONO: &[(&str, &str)] = &[
    ("mono.wav", "-c:a pcm_s24le"),
    ("mono.flac", "-c:a flac"),
    ("mono.mov", "-c:a pcm_s24be"),
    ("mono.m4a", "-c:a aac -b:a 96k"),
    ("mono.mp3", "-c:a libmp3lame -b:a 96k"),
    ("mono.opus", "-c:a libopus -b:a 96k"),
];

fn has_ffmpeg() -> bool {
    let is_there = Command::new("ffmpeg").arg("-version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("SKIPPED: ffmpeg is not installed, so that nothing is compared with it");
    }
    is_there
}

fn ffmpeg(arguments: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(arguments).output().ok()?;
    output.status.success().then_some(output.stdout)
}

/// Tones over noise, 12 dB under full scale.
fn sound() -> Vec<Frame> {
    let mut random = Random::new(3);
    let tone = |n: usize, hz: f64| (n as f64 * std::f64::consts::TAU * hz / 44_100.0).sin();
    (0..(SECONDS * 44_100.0) as usize)
        .map(|n| {
            let swell = 0.6 + 0.4 * tone(n, 2.0);
            let mut noise = || 0.03 * random.bipolar();
            [swell * 0.2 * tone(n, 331.0) + noise(), swell * 0.15 * tone(n, 1250.0) + noise()].map(|x| x as f32)
        })
        .collect()
}

fn decoded(path: &Path) -> Result<(usize, Vec<Frame>), String> {
    let mut decoder = open(path).map_err(|e| e.to_string())?;
    let channels = usize::from(decoder.info().channels);
    let (mut frames, mut block) = (Vec::new(), vec![[0.0; 2]; 4096]);
    loop {
        match decoder.read(&mut block).map_err(|e| e.to_string())? {
            0 => break,
            count => frames.extend_from_slice(&block[..count]),
        }
    }
    match decoder.warnings() {
        [] => Ok((channels, frames)),
        warnings => Err(format!("{warnings:?}")),
    }
}

/// Difference between the program's decoder and ffmpeg's, dB relative to the sound, or the reason why they cannot be
/// compared.
fn difference_db(path: &Path) -> Result<f64, String> {
    let (channels, frames) = decoded(path)?;
    let name = path.to_string_lossy();
    let raw = ffmpeg(&["-i", &name, "-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "f32le", "-"])
        .ok_or("ffmpeg cannot read it")?;
    let samples: Vec<f32> = raw.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let expected: Vec<Frame> = match channels {
        1 => samples.iter().map(|&x| [x; 2]).collect(),
        _ => samples.as_chunks().0.to_vec(),
    };
    if frames.len().abs_diff(expected.len()) > TOLERANCE_FRAMES {
        return Err(format!("{} frames, and {} by ffmpeg", frames.len(), expected.len()));
    }
    let (mut power, mut error) = (0.0, 0.0);
    for (a, b) in frames.as_flattened().iter().zip(expected.as_flattened()) {
        power += f64::from(*b) * f64::from(*b);
        error += f64::from(a - b) * f64::from(a - b);
    }
    Ok(10.0 * (error / power + 1e-30).log10())
}

#[test]
fn every_format_is_decoded_as_ffmpeg_decodes_it() {
    if !has_ffmpeg() {
        return;
    }
    let folder = Folder::new();
    let stereo = folder.wav("stereo.wav", 2, &sound());
    let mono = folder.wav("one.wav", 1, &sound());
    let cases = LOSSLESS.iter().map(|case| (case, &stereo, LOSSLESS_DB));
    let cases = cases.chain(LOSSY.iter().map(|case| (case, &stereo, LOSSY_DB)));
    let cases = cases.chain(MONO.iter().map(|case| (case, &mono, LOSSY_DB)));
    let (mut faults, mut compared) = (Vec::new(), 0);
    for ((name, arguments), source, limit_db) in cases {
        let path = folder.path(name);
        let (source, target) = (source.to_string_lossy(), path.to_string_lossy().into_owned());
        let arguments: Vec<&str> =
            ["-i", &source].into_iter().chain(arguments.split_whitespace()).chain([target.as_str()]).collect();
        if ffmpeg(&arguments).is_none() {
            eprintln!("SKIPPED: this ffmpeg does not write {name}");
            continue;
        }
        compared += 1;
        match difference_db(&path) {
            Ok(db) if db <= limit_db => {}
            Ok(db) => faults.push(format!("{name}: {db:.1} dB")),
            Err(words) => faults.push(format!("{name}: {words}")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(compared >= MIN_COMPARED, "{compared} formats were compared");
}

/// Sources with the tags that ffmpeg writes to them, and the tags that it omits or stores differently from the format:
/// a comment of a Vorbis comment as a description, lyrics of ID3 without their language, the title of a Matroska file
/// as that of its segment, and its track as a part.
const TAGGED: &[(&str, &str, &[&str])] = &[
    ("a.wav", "-c:a pcm_s16le", &["composer", "ISRC", "lyrics"]),
    ("id3.aiff", "-c:a pcm_s16be -write_id3v2 1", &["lyrics"]),
    ("a.flac", "-c:a flac", &["comment"]),
    ("a.mp3", "-c:a libmp3lame", &["lyrics"]),
    ("v3.mp3", "-c:a libmp3lame -id3v2_version 3", &["lyrics"]),
    ("a.m4a", "-c:a aac", &["ISRC"]),
    ("a.ogg", "-c:a libvorbis", &["comment"]),
    ("a.opus", "-c:a libopus", &["comment"]),
    ("a.oga", "-c:a flac -f ogg", &["comment"]),
    ("a.mka", "-c:a flac", &["title", "track"]),
    ("a.caf", "-c:a pcm_s16le", &[]),
];

const TEXTS: &[(&str, &str)] = &[
    ("title", "T\u{ef}tle \u{97f3}"),
    ("artist", "artist"),
    ("album", "album"),
    ("date", "2026"),
    ("composer", "composer"),
    ("genre", "Dub"),
    ("track", "3/12"),
    ("comment", "comment"),
    ("lyrics", "la la"),
    ("ISRC", "DEA123456789"),
];

#[test]
fn tags_of_every_format_reach_every_format() {
    if !has_ffmpeg() {
        return;
    }
    let folder = Folder::new();
    let frames = sound();
    let source = folder.wav("stereo.wav", 2, &frames);
    let (mut faults, mut compared) = (Vec::new(), 0);
    for (name, arguments, unwritten) in TAGGED {
        let tags: Vec<String> = TEXTS.iter().map(|(name, text)| format!("{name}={text}")).collect();
        let path = folder.path(name);
        let (source, target) = (source.to_string_lossy(), path.to_string_lossy().into_owned());
        let tags = tags.iter().flat_map(|tag| ["-metadata", tag]);
        let arguments: Vec<&str> =
            ["-i", &source].into_iter().chain(arguments.split_whitespace()).chain(tags).collect();
        if ffmpeg(&[&arguments[..], &[&target]].concat()).is_none() {
            eprintln!("SKIPPED: this ffmpeg does not write {name}");
            continue;
        }
        compared += 1;
        for format in [Format::Wav, Format::Flac, Format::Mp3] {
            let output = folder.path(&format!("{name}.{format:?}"));
            let spec = OutputSpec {
                sample_rate_hz: 44_100,
                channels: 2,
                format,
                sample_format: SampleFormat::Int16,
                bitrate_kbps: None,
                frames: frames.len() as u64,
            };
            let mut encoder = Encoder::create(&output, spec, false).expect("a new file");
            encoder.write(&frames).expect("space");
            encoder.finish(Some(&Tags::read(&path).with_software(Some("program".to_owned())))).expect("space");
            let read = Tags::read(&output);
            if read.software() != Some("program") {
                faults.push(format!("{name} to {format:?}: the mark is {:?}", read.software()));
            }
            for (text_name, text) in TEXTS.iter().filter(|(name, _)| !unwritten.contains(name)) {
                let key = if *text_name == "track" { "TRACKNUMBER".to_owned() } else { text_name.to_uppercase() };
                let text = if *text_name == "track" { "3" } else { text };
                if read.text(&key) != Some(text) {
                    faults.push(format!("{name} to {format:?}: {key} is {:?}", read.text(&key)));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(compared >= MIN_TAGGED, "{compared} formats were compared");
}
