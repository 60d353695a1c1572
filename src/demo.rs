//! A mix that needs no file: synthesised, faulty on purpose, and mastered.

use std::path::{Path, PathBuf};

use analyzer::synth::demo_mix;

use crate::error::Error;
use crate::io;
use crate::io::encode::{Encoder, Format, OutputSpec, ensure_writable};
use crate::job::{DeciderKind, Genre, MasterJob, MatchKind, Output, Wanted};
use crate::master::master;
use crate::page::{Page, PageAudio};
use crate::progress::Observer;
use crate::refine::Effort;
use crate::report::Report;
use crate::verify::Strictness;
use models::decision::Amounts;
use renderer::recipe::SampleFormat;

const SAMPLE_RATE_HZ: u32 = 44_100;
const SECONDS: f64 = 24.0;

/// What the mix was given and the master should have mended.
pub const LISTEN_FOR: &str = "\
Listen for (report.html plays both at the same loudness; a louder one would seem better):
  - the mix is boomy: how far do bass and kick cover the chords, before and after?
  - the mix is dull: do hats and snare come forward?
  - the mix is narrow: do the chords reach further to the sides?
  - the mix is quiet: the master is as loud as a streaming service plays it, and no peak exceeds -1 dBTP";

/// A demo's result.
pub struct Written {
    /// Of the master.
    pub report: Report,
    /// Mix, master, recipe, report as JSON and as a page.
    pub files: Vec<PathBuf>,
}

/// Writes mix, master, recipe and report into `folder`.
///
/// # Errors
/// The folder cannot be made or written, or holds one of the files and `force` is not given.
pub fn demo(folder: &Path, force: bool, observer: &dyn Observer) -> Result<Written, Error> {
    io::text::create_folder(folder)?;
    let [mix, output, recipe, json, page] =
        ["mix.wav", "master.wav", "recipe.json", "report.json", "report.html"].map(|name| folder.join(name));
    for path in [&mix, &output, &recipe, &json, &page] {
        ensure_writable(path, force)?;
    }
    let frames = demo_mix(SAMPLE_RATE_HZ, SECONDS);
    let spec = OutputSpec {
        sample_rate_hz: SAMPLE_RATE_HZ,
        channels: 2,
        format: Format::Wav,
        sample_format: SampleFormat::Float32,
        frames: frames.len() as u64,
    };
    let mut encoder = Encoder::create(&mix, spec, force)?;
    encoder.write(&frames)?;
    encoder.finish(None)?;
    let job = MasterJob {
        input: mix.clone(),
        output: Output {
            path: output.clone(),
            format: Format::Wav,
            force,
            delta: None,
            page: Some(Page { path: page.clone(), audio: PageAudio::Full, force }),
        },
        references: Vec::new(),
        profile: None,
        genre: Genre::Universal,
        wanted: Wanted::default(),
        decider: DeciderKind::Model,
        matching: MatchKind::default(),
        effort: Effort::default(),
        amounts: Amounts::default(),
        recipe: None,
        settings: Vec::new(),
        strictness: Strictness::Promises,
    };
    let report = master(&job, observer)?;
    io::text::write(&recipe, &report.recipe.to_json(), force)?;
    io::text::write(&json, &report.to_json(), force)?;
    Ok(Written { report, files: vec![mix, output, recipe, json, page] })
}
