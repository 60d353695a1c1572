//! Helpers shared by the integration tests: synthesised songs, files, runs of the program, and independent meters.
#![allow(dead_code, reason = "every file of tests uses its own part of this")]

pub mod batch;
pub mod browser;
pub mod true_peak;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use analyzer::delivery_meters::DeliveryMeters;
use analyzer::stream::{Frame, Meter as _, Source};
use analyzer::synth::demo_mix;
use analyzer::true_peak::TruePeakMeter;
use analyzer::units::{db_from_gain, gain_from_db};
use ebur128::{Channel, EbuR128, Mode};
use goldmaster::io::decode::open;
use goldmaster::io::encode::Encoder;
use goldmaster::io::output_spec::{Format, OutputSpec, SampleFormat};
use goldmaster::report::Report;
use goldmaster::request::job::{MasterJob, Output};
use goldmaster::request::settings::MasterSettings;
use goldmaster::song::observer::Silent;
use goldmaster::workflows::master::master;
use lofty::config::WriteOptions;
use lofty::file::{AudioFile as _, TaggedFile, TaggedFileExt as _};
use lofty::tag::{ItemKey, Tag, TagType};
use renderer::resample::Resampled;
use tempfile::TempDir;

/// Sample rate of the songs, unless said otherwise.
pub const RATE_HZ: u32 = 44_100;

/// Long enough for intro, verse and chorus of the synthesised song, and for short-term loudness.
pub const SECONDS: f64 = 6.0;

/// Default loudness and ceiling.
pub const DEFAULT_LUFS: f64 = -14.0;
pub const DEFAULT_DBTP: f64 = -1.0;

/// Promise 1: largest deviation of the integrated loudness from the target.
pub const LOUDNESS_TOLERANCE_LU: f64 = 0.1;

/// Promise 2: allowance for the difference between meters.
pub const METERS_TOLERANCE_DB: f64 = 0.02;

/// Tolerance between two meters that read the same samples with the same interpolator: only the rounding of a
/// single-precision number is left.
pub const PEAK_TOLERANCE_DB: f64 = 0.001;

/// A mix of −24 LUFS with peaks at about −9 dBTP.
pub static MIX: LazyLock<Vec<Frame>> = LazyLock::new(|| demo_mix(RATE_HZ, SECONDS));

/// Another song: a later part by the same band.
pub static OTHER_MIX: LazyLock<Vec<Frame>> = LazyLock::new(|| {
    let song = demo_mix(RATE_HZ, 2.0 * SECONDS);
    song[song.len() / 2..].to_vec()
});

/// Returns the frames, louder by `by_db`.
pub fn louder(frames: &[Frame], by_db: f64) -> Vec<Frame> {
    let gain = gain_from_db(by_db) as f32;
    frames.iter().map(|frame| frame.map(|x| x * gain)).collect()
}

/// A folder that is removed when the test is over.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes 32-bit floating point with an independent writer.
    pub fn wav(&self, name: &str, channels: u16, frames: &[Frame]) -> PathBuf {
        self.wav_at(name, RATE_HZ, channels, frames)
    }

    pub fn wav_at(&self, name: &str, sample_rate: u32, channels: u16, frames: &[Frame]) -> PathBuf {
        let path = self.path(name);
        let spec =
            hound::WavSpec { channels, sample_rate, bits_per_sample: 32, sample_format: hound::SampleFormat::Float };
        let mut writer = hound::WavWriter::create(&path, spec).expect("a new file");
        for frame in frames {
            for channel in 0..usize::from(channels) {
                writer.write_sample(frame[channel % 2]).expect("space");
            }
        }
        writer.finalize().expect("space");
        path
    }

    /// Writes 24-bit integers.
    pub fn flac(&self, name: &str, frames: &[Frame]) -> PathBuf {
        self.integers(name, Format::Flac, frames)
    }

    pub fn integers(&self, name: &str, format: Format, frames: &[Frame]) -> PathBuf {
        let path = self.path(name);
        let spec = OutputSpec {
            sample_rate_hz: RATE_HZ,
            channels: 2,
            format,
            sample_format: SampleFormat::Int24,
            bitrate_kbps: None,
            frames: frames.len() as u64,
        };
        let mut encoder = Encoder::create(&path, spec, false).expect("a new file");
        encoder.write(frames).expect("space");
        encoder.finish(None).expect("space");
        path
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("space");
        path
    }

    /// Makes a file an hour old, so that it is not taken for one that is still being written.
    pub fn age(&self, name: &str) {
        let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
        let file = std::fs::File::options().write(true).open(self.path(name)).expect("a file");
        file.set_modified(hour_ago).expect("ours");
    }

    /// Dates a file some minutes ahead, as a machine with another clock does: until then, the file counts as just
    /// written.
    pub fn make_new(&self, name: &str) {
        let ahead = std::time::SystemTime::now() + std::time::Duration::from_secs(500);
        let file = std::fs::File::options().write(true).open(self.path(name)).expect("a file");
        file.set_modified(ahead).expect("ours");
    }

    /// Returns all files in the folder, hidden files too, with their bytes.
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.0.path()).expect("the folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.map(|path| (name(&path), std::fs::read(&path).unwrap_or_default())).collect()
    }

    /// Runs the program inside the folder.
    pub fn goldmaster(&self, arguments: &[&str]) -> Run {
        self.run(&mut self.command(arguments))
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_goldmaster"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, command: &mut Command) -> Run {
        let output = command.output().expect("the program starts");
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Writes a FLAC with tags.
pub fn tagged(folder: &Folder, name: &str, frames: &[Frame], texts: &[(ItemKey, &str)]) {
    let path = folder.flac(name, frames);
    let mut tag = Tag::new(TagType::VorbisComments);
    for (key, text) in texts {
        tag.insert_text(*key, (*text).to_owned());
    }
    let mut file: TaggedFile = lofty::read_from_path(&path).expect("a FLAC");
    file.insert_tag(tag);
    file.save_to_path(&path, WriteOptions::default()).expect("space");
}

/// The last part of a path.
pub fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Result of a run of the program.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Fails the test unless the run succeeded.
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Parses the output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// A job with everything at its default.
pub fn job(input: &Path, output: &Path) -> MasterJob {
    let format = Format::of_path(output).unwrap_or(Format::Wav);
    MasterJob {
        input: input.to_owned(),
        output: Output { path: output.to_owned(), format, force: false, delta: None, page: None },
        settings: MasterSettings::default(),
        recipe: None,
    }
}

/// Returns the job with other settings.
pub fn with(mut job: MasterJob, change: impl FnOnce(&mut MasterSettings)) -> MasterJob {
    change(&mut job.settings);
    job
}

/// Runs a job that has to succeed.
pub fn mastered(job: &MasterJob) -> Report {
    master(job, &Silent).unwrap_or_else(|e| panic!("{e}"))
}

/// A file that was read back.
pub struct Sound {
    pub sample_rate_hz: u32,
    pub channels: u32,
    pub bits: u32,
    pub is_float: bool,
    /// Frames of the file; mono is repeated in both channels.
    pub frames: Vec<Frame>,
}

/// Reads a WAV with an independent reader, anything else with the program's decoder.
pub fn read(path: &Path) -> Sound {
    if path.extension().is_some_and(|extension| extension == "wav") { read_wav(path) } else { decode(path) }
}

fn read_wav(path: &Path) -> Sound {
    let mut reader = hound::WavReader::open(path).expect("a WAV");
    let spec = reader.spec();
    let is_float = spec.sample_format == hound::SampleFormat::Float;
    let samples: Vec<f32> = if is_float {
        reader.samples::<f32>().map(|x| x.expect("a sample")).collect()
    } else {
        let scale = f64::from(1_u32 << (spec.bits_per_sample - 1));
        reader.samples::<i32>().map(|x| (f64::from(x.expect("a sample")) / scale) as f32).collect()
    };
    let channels = usize::from(spec.channels);
    Sound {
        sample_rate_hz: spec.sample_rate,
        channels: u32::from(spec.channels),
        bits: u32::from(spec.bits_per_sample),
        is_float,
        frames: samples.chunks(channels).map(|frame| [frame[0], frame[channels - 1]]).collect(),
    }
}

fn decode(path: &Path) -> Sound {
    let mut decoder = open(path).expect("a sound file");
    let frames = all(&mut decoder);
    assert_eq!(decoder.warnings(), []);
    let info = decoder.info();
    Sound {
        sample_rate_hz: info.sample_rate_hz,
        channels: u32::from(info.channels),
        // A lossy file has no bit depth.
        bits: info.bit_depth.unwrap_or(0),
        is_float: false,
        frames,
    }
}

/// Returns all frames of a source.
fn all<S: Source<Error: std::fmt::Debug>>(source: &mut S) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut block = vec![[0.0; 2]; 4096];
    loop {
        match source.read(&mut block).expect("readable") {
            0 => return frames,
            count => frames.extend_from_slice(&block[..count]),
        }
    }
}

impl Sound {
    /// Integrated loudness by the crate `ebur128`, for the channels of the file.
    ///
    /// At low rates, the bilinear transform warps that meter's filters (0.2 LU at 8 kHz, as with ffmpeg's). So the
    /// sound is resampled to the rate for which the standard gives its coefficients.
    pub fn loudness_lufs(&self) -> f64 {
        const STANDARD_RATE_HZ: u32 = 48_000;
        if self.sample_rate_hz < RATE_HZ {
            let mut source = Resampled::new(&self.frames[..], self.sample_rate_hz, STANDARD_RATE_HZ);
            let frames = all(&mut source);
            return Self { sample_rate_hz: STANDARD_RATE_HZ, frames, ..*self }.loudness_lufs();
        }
        let mut meter = EbuR128::new(self.channels, self.sample_rate_hz, Mode::I).expect("a meter");
        // A mono file plays on both loudspeakers.
        if self.channels == 1 {
            meter.set_channel(0, Channel::DualMono).expect("its only channel");
        }
        let samples: Vec<f32> =
            self.frames.iter().flat_map(|frame| frame.iter().take(self.channels as usize)).copied().collect();
        meter.add_frames_f32(&samples).expect("whole frames");
        meter.loudness_global().expect("a loudness")
    }

    pub fn true_peak_dbtp(&self) -> f64 {
        let mut ideal = TruePeakMeter::new();
        ideal.push(&self.frames);
        let mut highest = ideal.finish();
        // The meters that check deliveries may read more.
        let mut note = |_, peak: f32| highest = highest.max(f64::from(peak));
        let mut meters = DeliveryMeters::new(self.sample_rate_hz);
        meters.push(&self.frames, 0.0, &mut note);
        meters.finish(0.0, &mut note);
        db_from_gain(highest)
    }

    /// Fails the test unless the promises about loudness and peak are kept.
    pub fn assert_keeps(&self, loudness_lufs: f64, ceiling_dbtp: f64) {
        let loudness = self.loudness_lufs();
        assert!((loudness - loudness_lufs).abs() <= LOUDNESS_TOLERANCE_LU, "{loudness} LUFS, not {loudness_lufs}");
        let peak = self.true_peak_dbtp();
        assert!(peak <= ceiling_dbtp + PEAK_TOLERANCE_DB, "{peak} dBTP is over {ceiling_dbtp}");
        let independent = db_from_gain(true_peak::true_peak(&self.frames));
        let least = peak - METERS_TOLERANCE_DB;
        assert!(
            (least..=ceiling_dbtp + METERS_TOLERANCE_DB).contains(&independent),
            "an independent meter reads {independent} dBTP, where the ceiling is {ceiling_dbtp} and our own reads {peak}"
        );
        assert!(self.frames.as_flattened().iter().all(|x| x.is_finite()));
    }
}

/// Exit codes, as in the README.
pub const FAILED: i32 = 1;
pub const USAGE: i32 = 2;
pub const SOME_FAILED: i32 = 4;

/// A mix that is just long enough for a loudness; most of these songs are never mastered.
pub fn short_mix() -> Vec<Frame> {
    demo_mix(RATE_HZ, 1.0)
}

/// Asserts that the program refused in one line that names the file, the cause and the remedy.
pub fn assert_refused(run: &Run, words: &[&str]) {
    assert_eq!((run.code, run.stdout.as_str()), (Some(FAILED), ""), "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    assert!(run.stderr.starts_with("goldmaster: "), "{run:?}");
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} is missing: {run:?}");
    }
}

/// Asserts that these runs are refused with these words and leave the folder unchanged, to the last byte.
pub fn assert_all_refused(folder: &Folder, cases: &[(&[&str], &[&str])]) {
    let before = folder.contents();
    for (arguments, words) in cases {
        assert_refused(&folder.goldmaster(arguments), words);
        let after = folder.contents();
        let names: Vec<_> = after.keys().collect();
        assert!(after == before, "{arguments:?} has changed the folder, which holds {names:?}");
    }
}
