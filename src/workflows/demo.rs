//! A demonstration without any file: a synthesised mix with intentional faults, and its master.

use std::path::{Path, PathBuf};

use analyzer::stream::Frame;
use analyzer::synth::{demo_mix, demo_record};

use crate::error::Error;
use crate::io;
use crate::io::encode::{Encoder, ensure_writable};
use crate::io::output_spec::{Format, OutputSpec};
use crate::report::Report;
use crate::request::delivery::{DeliveryRequest, LoudnessTarget};
use crate::request::job::{MasterJob, Output};
use crate::request::page::{Page, PageAudio};
use crate::request::reference::Reference;
use crate::request::settings::MasterSettings;
use crate::song::observer::Observer;
use crate::workflows::master::master;
use renderer::edges::{EdgeFinder, EdgeParams};
use renderer::recipe::SampleFormat;

const SAMPLE_RATE_HZ: u32 = 44_100;
const SECONDS: f64 = 24.0;
/// Length of the record, a longer song with other parts, seconds.
const RECORD_SECONDS: f64 = 40.0;
const FADE_S: f64 = 1.5;
const LOUDNESS_LUFS: f64 = -14.0;

/// The faults of the mix that the master should correct.
pub const LISTEN_FOR: &str = "\
Listen for (report.html plays mix, master and record at the same loudness; a louder one would seem better):
  - the mix is boomy: how far do bass and kick cover the chords, before and after?
  - the mix is dull: do hats and snare come forward?
  - the mix is narrow: do the chords reach further to the sides?
  - the mix is quiet: the master is as loud as a streaming service plays it, and no peak exceeds -1 dBTP";

/// Result of a demo.
pub struct Written {
    /// The report of the master.
    pub report: Report,
    /// The files: mix, record used as the reference, master, recipe, report as JSON and as a page.
    pub files: Vec<PathBuf>,
}

/// Writes mix, master, recipe and report into `folder`.
///
/// # Errors
/// If the folder cannot be created or written, or contains one of the files and `force` is not given.
pub fn demo(folder: &Path, force: bool, observer: &dyn Observer) -> Result<Written, Error> {
    io::text::create_folder(folder)?;
    let [mix, record, output, recipe, json, page] =
        ["mix.wav", "record.wav", "master.wav", "recipe.json", "report.json", "report.html"]
            .map(|name| folder.join(name));
    for path in [&mix, &record, &output, &recipe, &json, &page] {
        ensure_writable(path, force)?;
    }
    write(&mix, &faded(demo_mix(SAMPLE_RATE_HZ, SECONDS)), force)?;
    write(&record, &faded(demo_record(SAMPLE_RATE_HZ, RECORD_SECONDS)), force)?;
    let job = MasterJob {
        input: mix.clone(),
        output: Output {
            path: output.clone(),
            format: Format::Wav,
            force,
            delta: None,
            page: Some(Page { path: page.clone(), audio: PageAudio::Full, force }),
        },
        settings: MasterSettings {
            references: vec![Reference::whole(record.clone())],
            delivery: DeliveryRequest {
                loudness: Some(LoudnessTarget::Lufs(LOUDNESS_LUFS)),
                ..DeliveryRequest::default()
            },
            ..MasterSettings::default()
        },
        recipe: None,
    };
    let report = master(&job, observer)?;
    io::text::write(&recipe, &report.recipe.to_json(), force)?;
    io::text::write(&json, &report.to_json(), force)?;
    Ok(Written { report, files: vec![mix, record, output, recipe, json, page] })
}

/// Fades the song out: the band would play on.
fn faded(mut frames: Vec<Frame>) -> Vec<Frame> {
    let mut finder = EdgeFinder::new(SAMPLE_RATE_HZ);
    finder.push(&frames);
    let params = EdgeParams { fade_out_s: FADE_S, ..EdgeParams::default() };
    finder.finish(&params, SAMPLE_RATE_HZ).fade(0, &mut frames);
    frames
}

fn write(path: &Path, frames: &[Frame], force: bool) -> Result<(), Error> {
    let spec = OutputSpec {
        sample_rate_hz: SAMPLE_RATE_HZ,
        channels: 2,
        format: Format::Wav,
        sample_format: SampleFormat::Float32,
        bitrate_kbps: None,
        frames: frames.len() as u64,
    };
    let mut encoder = Encoder::create(path, spec, force)?;
    encoder.write(frames)?;
    encoder.finish(None)?;
    Ok(())
}
