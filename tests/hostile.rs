//! Damaged and malicious input for every parser: audio files, tags, recipes, plans and profiles. Whatever the bytes
//! are, there is a result or an error, and never more sound than the bytes can hold.
//!
//! `GOLDMASTER_HOSTILE_RUNS` sets the number of changed inputs that are tried; `fuzz/` has the same targets for a
//! coverage-guided fuzzer.
#![allow(clippy::print_stderr, reason = "a long run says how far it came")]

mod common;

use std::path::Path;

use analyzer::random::Random;
use analyzer::stream::Source as _;
use goldmaster::batch::settings::Settings;
use goldmaster::batch::table;
use goldmaster::io::decode::open;
use goldmaster::io::output_spec::Format;
use goldmaster::io::tags::Tags;
use goldmaster::request::settings::MasterSettings;
use models::norm::NormProfile;
use renderer::recipe::Recipe;

use crate::common::{Folder, MIX};

/// Default number of changed inputs.
const RUNS: u64 = 1_500;

/// Largest number of frames in a byte of any codec: the longest block of FLAC, if it is a constant, has 12 bytes.
const MAX_FRAMES_PER_BYTE: u64 = 65_535 / 12;

/// Formats of uncompressed sound, which has at least a byte per frame.
const UNCOMPRESSED: [&str; 4] = ["WAV", "AIFF", "CAF", "PCM"];

/// Length up to which a gap in a stream of unknown length is filled with silence.
const MAX_GAP_S: u64 = 60;

/// Longest time for any input, seconds: 5 on an idle machine, more on a busy one.
const MAX_SECONDS: u64 = 20;

/// Largest number of claimed frames up to which a file is read to its end.
const MAX_FRAMES: u64 = 20_000_000;

/// Numbers that headers do not expect.
const EXTREMES: [u64; 10] = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 0xffff_ffff_ffff_ffff];

/// A small file of every format that the tests can make, with its usual extension.
fn seeds(folder: &Folder) -> Vec<(&'static str, Vec<u8>)> {
    let frames = &MIX[44_100..46_000];
    let read = |path: &Path| std::fs::read(path).expect("the file");
    let wav = read(&folder.wav("seed.wav", 2, frames));
    let flac = read(&folder.flac("seed.flac", frames));
    let mut mp3 = vec![0; 417];
    mp3[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0]);
    let mut adts = [0x21; 100];
    adts[..7].copy_from_slice(&[0xff, 0xf1, 0x50, 0x80, 0x0c, 0x9f, 0xfc]);
    let samples: Vec<u8> = (0..4000_u32).map(|n| (n * 7) as u8).collect();
    let seeds = [
        ("id3.mp3", [id3(), mp3.repeat(8)].concat()),
        ("plain.mp3", mp3.repeat(8)),
        ("sound.aac", adts.repeat(8)),
        ("id3.wav", [&wav[..], &chunk(b"id3 ", &id3()), &chunk(b"LIST", b"INFOINAM\x04\0\0\0abc\0")].concat()),
        ("sound.wav", wav),
        ("sound.flac", flac),
        ("sound.aiff", aiff(&samples)),
        ("sound.caf", caf(b"lpcm", [0, 4, 1, 2, 16], &samples)),
        ("ima.caf", caf(b"ima4", [0, 68, 64, 2, 0], &samples[..3400])),
        ("sound.mov", mov(&samples)),
        ("sound.ogg", ogg()),
        ("sound.mka", matroska()),
    ];
    seeds.into_iter().collect()
}

fn big(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [name, &(body.len() as u32).to_le_bytes()[..], body].concat()
}

fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(8 + body.len() as u32).to_be_bytes()[..], name, body].concat()
}

fn id3() -> Vec<u8> {
    let frame = |id: &str, body: &[u8]| [id.as_bytes(), &(body.len() as u32).to_be_bytes(), &[0, 0], body].concat();
    let frames = [
        frame("TIT2", b"\x03title"),
        frame("COMM", b"\x01eng\xff\xfe\0\0\xff\xfea\0"),
        frame("APIC", b"\0image/png\0\x03\0data"),
        frame("TXXX", b"\0name\0text"),
    ];
    let body = frames.concat();
    [b"ID3\x03\0\0\0\0\0", &[body.len() as u8][..], &body].concat()
}

fn aiff(samples: &[u8]) -> Vec<u8> {
    let part = |name: &[u8; 4], body: &[u8]| [name, &(body.len() as u32).to_be_bytes()[..], body].concat();
    let rate = [0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0];
    let common = [&[0, 2][..], &big(&[samples.len() as u32 / 4]), &[0, 16], &rate].concat();
    let body = [part(b"COMM", &common), part(b"NAME", b"name"), part(b"SSND", &[&[0; 8], samples].concat())].concat();
    part(b"FORM", &[b"AIFF", &body[..]].concat())
}

fn caf(format: &[u8; 4], numbers: [u32; 5], samples: &[u8]) -> Vec<u8> {
    let part = |name: &[u8; 4], body: &[u8]| [name, &(body.len() as u64).to_be_bytes()[..], body].concat();
    let description = [&44_100_f64.to_be_bytes()[..], format, &big(&numbers)].concat();
    let parts = [
        part(b"desc", &description),
        part(b"info", b"\0\0\0\x01title\0name\0"),
        part(b"data", &[&[0; 4], samples].concat()),
    ];
    [&b"caff\0\x01\0\0"[..], &parts.concat()].concat()
}

fn mov(samples: &[u8]) -> Vec<u8> {
    let header = |name: &[u8; 4]| {
        let mut body = vec![0; 100];
        body[12..16].copy_from_slice(&44_100_u32.to_be_bytes());
        boxed(name, &body)
    };
    let entry: Vec<u8> =
        [0, 0, 0, 1, 0, 0, 0, 0, 2, 16, 0, 0, 44_100, 0].into_iter().flat_map(u16::to_be_bytes).collect();
    let count = samples.len() as u32 / 4;
    let table = [
        boxed(b"stsd", &[big(&[0, 1]), boxed(b"twos", &entry)].concat()),
        boxed(b"stts", &big(&[0, 1, count, 1])),
        boxed(b"stsc", &big(&[0, 1, 1, count, 1])),
        boxed(b"stsz", &big(&[0, 4, count])),
        boxed(b"stco", &big(&[0, 1, 24])),
    ];
    let handler = boxed(b"hdlr", &[&[0; 8][..], b"soun", &[0; 12]].concat());
    let media = [header(b"mdhd"), handler, boxed(b"minf", &boxed(b"stbl", &table.concat()))].concat();
    let edits = boxed(b"edts", &boxed(b"elst", &big(&[0, 1, count, 10, 1 << 16])));
    let track = [header(b"tkhd"), edits, boxed(b"mdia", &media)].concat();
    let item = boxed(b"\xa9nam", &boxed(b"data", b"\0\0\0\x01\0\0\0\0title"));
    let meta = boxed(b"meta", &[&[0; 4][..], &boxed(b"hdlr", &[0; 25]), &boxed(b"ilst", &item)].concat());
    let movie = [header(b"mvhd"), boxed(b"trak", &track), boxed(b"udta", &meta)].concat();
    [boxed(b"ftyp", b"qt  \0\0\0\0"), boxed(b"mdat", samples), boxed(b"moov", &movie)].concat()
}

/// An Opus file: a head, comments, and packets of silence.
fn ogg() -> Vec<u8> {
    let page = |sequence: u32, flags: u8, packet: &[u8]| {
        let head = [b"OggS\0", &[flags][..], &(u64::from(sequence) * 960).to_le_bytes(), &1_u32.to_le_bytes()].concat();
        let mut page = [&head[..], &sequence.to_le_bytes(), &[0; 4], &[1, packet.len() as u8], packet].concat();
        let crc = page.iter().fold(0_u32, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte) << 24, |c, _| c << 1 ^ if c >> 31 == 1 { 0x04c1_1db7 } else { 0 })
        });
        page[22..26].copy_from_slice(&crc.to_le_bytes());
        page
    };
    let head = [&b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0"[..]].concat();
    let tags = b"OpusTags\x02\0\0\0me\x01\0\0\0\x07\0\0\0TITLE=a";
    let pages = [page(0, 2, &head), page(1, 0, tags), page(2, 0, &[0xfc, 0xff, 0xfe]), page(3, 4, &[0xfc, 0xff, 0xfe])];
    pages.concat()
}

fn matroska() -> Vec<u8> {
    let element = |id: &[u8], body: &[u8]| [id, &[0x40 | (body.len() >> 8) as u8, body.len() as u8], body].concat();
    let audio =
        [element(&[0xb5], &44_100_f32.to_be_bytes()), element(&[0x9f], &[2]), element(&[0x62, 0x64], &[16])].concat();
    let track = [
        element(&[0xd7], &[1]),
        element(&[0x73, 0xc5], &[1]),
        element(&[0x83], &[2]),
        element(&[0x86], b"A_PCM/INT/LIT"),
        element(&[0xe1], &audio),
    ];
    let tag = [element(&[0x45, 0xa3], b"TITLE"), element(&[0x44, 0x87], b"a")].concat();
    let info = [
        element(&[0x2a, 0xd7, 0xb1], &[0x0f, 0x42, 0x40]),
        element(&[0x4d, 0x80], b"muxer"),
        element(&[0x57, 0x41], b"writer"),
    ];
    let segment = [
        element(&[0x15, 0x49, 0xa9, 0x66], &info.concat()),
        element(&[0x16, 0x54, 0xae, 0x6b], &element(&[0xae], &track.concat())),
        element(&[0x12, 0x54, 0xc3, 0x67], &element(&[0x73, 0x73], &element(&[0x67, 0xc8], &tag))),
        element(
            &[0x1f, 0x43, 0xb6, 0x75],
            &[element(&[0xe7], &[0]), element(&[0xa3], &[&[0x81, 0, 0, 0x80][..], &[7; 400]].concat())].concat(),
        ),
    ];
    let head = element(&[0x1a, 0x45, 0xdf, 0xa3], &element(&[0x42, 0x82], b"matroska"));
    [head, element(&[0x18, 0x53, 0x80, 0x67], &segment.concat())].concat()
}

/// The bytes, damaged in a few ways at once.
fn changed(random: &mut Random, seeds: &[(&'static str, Vec<u8>)], bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let below = |random: &mut Random, limit: usize| (random.bits() % limit.max(1) as u64) as usize;
    for _ in 0..=below(random, 4) {
        // Headers matter most.
        let reach = if random.bits().is_multiple_of(2) { bytes.len().min(300) } else { bytes.len() };
        let at = below(random, reach);
        match random.bits() % 7 {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..at, std::iter::repeat_n(random.bits() as u8, below(random, 64)))),
            2 => drop(bytes.drain(at..(at + below(random, 64)).min(bytes.len()))),
            3 => {
                let value = EXTREMES[below(random, EXTREMES.len())].to_be_bytes();
                let width = [1, 2, 4, 8][below(random, 4)];
                let value: Vec<u8> = match random.bits() % 2 {
                    0 => value[8 - width..].to_vec(),
                    _ => value[8 - width..].iter().rev().copied().collect(),
                };
                let end = (at + width).min(bytes.len());
                bytes[at..end].copy_from_slice(&value[..end - at]);
            }
            4 => {
                let part = bytes[at..(at + below(random, 400)).min(bytes.len())].to_vec();
                drop(bytes.splice(at..at, part));
            }
            5 => {
                let (_, other) = &seeds[below(random, seeds.len())];
                let from = below(random, other.len());
                drop(bytes.splice(at.., other[from..].iter().copied()));
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (random.bits() % 8);
                }
            }
        }
    }
    bytes
}

fn runs() -> u64 {
    std::env::var("GOLDMASTER_HOSTILE_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(RUNS)
}

/// Peak memory of this process, if the system reports it.
fn peak_memory_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

fn decode(path: &Path, bytes: u64) {
    let Ok(mut decoder) = open(path) else { return };
    let info = decoder.info();
    let gap = MAX_GAP_S * u64::from(info.sample_rate_hz);
    let (is_uncompressed, codec) = (UNCOMPRESSED.iter().any(|name| info.codec.starts_with(name)), info.codec.clone());
    let most = if is_uncompressed { bytes } else { bytes * MAX_FRAMES_PER_BYTE + gap };
    let (mut frames, mut block) = (0, vec![[0.0; 2]; 4096]);
    while let Ok(count @ 1..) = decoder.read(&mut block) {
        frames += count as u64;
        if frames > MAX_FRAMES {
            break;
        }
        assert!(block[..count].as_flattened().iter().all(|x| x.is_finite()));
    }
    assert!(frames <= most, "{frames} frames of {codec} in {bytes} bytes");
}

#[test]
fn damaged_files_are_read_or_refused() {
    let folder = Folder::new();
    let seeds = seeds(&folder);
    for (name, bytes) in &seeds {
        std::fs::write(folder.path(name), bytes).expect("space");
        let opened = open(&folder.path(name));
        assert!(opened.is_ok() || *name == "sound.aac", "{name} is a seed that says nothing: {:?}", opened.err());
    }
    let mut random = Random::new(20);
    for run in 0..runs() {
        let (name, bytes) = &seeds[(run % seeds.len() as u64) as usize];
        let bytes = changed(&mut random, &seeds, bytes);
        let path = folder.path(name);
        std::fs::write(&path, &bytes).expect("space");
        let started = std::time::Instant::now();
        decode(&path, bytes.len() as u64);
        let tags = Tags::read(&path);
        let _ = (tags.facts(), tags.software());
        assert!(started.elapsed().as_secs() < MAX_SECONDS, "run {run}, {name}: {:?}", started.elapsed());
        if run % 100_000 == 99_999 {
            eprintln!("{} runs, {:?} MB", run + 1, peak_memory_mb());
        }
    }
}

#[test]
fn damaged_texts_are_read_or_refused() {
    let folder = Folder::new();
    let recipe = Recipe::default().to_json();
    let profile = NormProfile::universal().expect("compiled in").to_json();
    let csv = "input,output,loudness,reference\na.wav,b.flac,-9,r.wav:2; s.wav\nsub/b.wav,,,\n";
    let json = r#"[{"input": "a.wav", "loudness": -9, "reference": ["r.wav:2"], "set": {"limiter.release_ms": 80}}]"#;
    let seeds: Vec<(&'static str, Vec<u8>)> =
        [("r.json", &recipe[..]), ("n.json", &profile), ("p.csv", csv), ("p.json", json)]
            .into_iter()
            .map(|(name, text)| (name, text.as_bytes().to_vec()))
            .collect();
    let master = MasterSettings::default();
    let settings =
        Settings { master, genre_references: Vec::new(), folder_references: Vec::new(), format: Format::Wav };
    let mut random = Random::new(21);
    for run in 0..runs() {
        let (name, bytes) = &seeds[(run % 4) as usize];
        let bytes = changed(&mut random, &seeds, bytes);
        let text = String::from_utf8_lossy(&bytes);
        match *name {
            "r.json" => drop(Recipe::from_json(&text)),
            "n.json" => drop(NormProfile::from_json(&text)),
            name => {
                let path = folder.path(name);
                std::fs::write(&path, &bytes).expect("space");
                drop(table::read(&path, &settings, Path::new("out"), None));
            }
        }
    }
}
