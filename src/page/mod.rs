//! The page that shows a master and plays it: one HTML file with everything in it.

pub mod audio;
mod base64;
mod figures;
pub mod index;
mod plot;
mod view;
pub(crate) mod words;

use std::io::Read as _;
use std::path::Path;

use analyzer::stream::Frame;
use renderer::recipe::Recipe;

use self::audio::{Clip, LONGEST_S, sounds};
use self::view::View;
use crate::error::Error;
use crate::io;
use crate::io::regular::open_regular;
use crate::render::output_meter::CaptureRequest;
use crate::report::Report;
use crate::report::comparison::Comparison;
use crate::report::passage::passage;
use crate::report::reference_name;
use crate::request::job::Output;
use crate::request::page::Page;
use crate::request::page::PageAudio;
use crate::song::Song;

/// Where to listen to a song of some length, seconds.
fn heard_s(audio: PageAudio, seconds: f64, loudest_at_s: Option<f64>) -> Option<[f64; 2]> {
    match audio {
        PageAudio::None => None,
        PageAudio::Full if seconds <= LONGEST_S => Some([0.0, seconds]),
        PageAudio::Full | PageAudio::Excerpt => Some(passage(seconds, loudest_at_s)),
    }
}

fn seconds(song: &Song) -> f64 {
    song.frames.len() as f64 / f64::from(song.info.sample_rate_hz)
}

fn loudest_at_s(song: &Song) -> Option<f64> {
    crate::report::figures::loudest_at(&song.timeline.as_ref()?.short_term_lufs)
}

/// What the page of `song` needs of the master that `recipe` makes of it.
pub(crate) fn capture(page: Option<&Page>, song: &Song, recipe: &Recipe) -> CaptureRequest {
    let Some(page) = page else { return CaptureRequest::default() };
    let sample_rate_hz = recipe.output.sample_rate_hz.unwrap_or(song.info.sample_rate_hz);
    let passage = heard_s(page.audio, seconds(song), loudest_at_s(song)).unwrap_or_default();
    let [start, end] = passage.map(|s| (s * f64::from(sample_rate_hz)).round() as u64);
    let frames = (song.frames.len() * u64::from(sample_rate_hz)).div_ceil(u64::from(song.info.sample_rate_hz));
    CaptureRequest { tone_of_frames: Some(frames), passage: start..end }
}

/// Writes the page of a master if it is asked for. `heard` is what was [captured](capture).
///
/// # Errors
/// The page cannot be written, or the reference not be read again.
pub(crate) fn of_master(output: &Output, report: &Report, song: &Song, heard: Vec<Frame>) -> Result<(), Error> {
    let Some(page) = &output.page else { return Ok(()) };
    let mut clips = Vec::new();
    if let Some([start_s, end_s]) = heard_s(page.audio, seconds(song), loudest_at_s(song)) {
        let rate = song.info.sample_rate_hz;
        let [start, end] = [start_s, end_s].map(|s| (s * f64::from(rate)).round() as u64);
        let mut before = vec![[0.0; 2]; (end - start) as usize];
        let count = song.frames.reader_at(start).read(&mut before)?;
        before.truncate(count);
        let channels = song.info.channels;
        let clip = |id, sample_rate_hz, frames| {
            let label = if id == "before" { "before" } else { "after" }.to_owned();
            Clip { id, label, sample_rate_hz, channels, start_s, frames }
        };
        clips.push(clip("before", rate, before));
        clips.push(clip("after", report.output.sample_rate_hz, heard));
        let reference = report.decision.iter().flat_map(|decision| &decision.references).next();
        if let Some(reference) = reference {
            let path = Path::new(&reference.path);
            let label = format!("reference: {}", reference_name(path));
            clips.push(Clip::read("reference", label, path, reference.passage_s)?);
        }
    }
    let sounds = sounds(clips, page.audio == PageAudio::Excerpt)?;
    write(page, &View::of_report(report, sounds))
}

/// Writes the page of two files.
///
/// # Errors
/// The page cannot be written, or the files not be read again.
pub fn of_comparison(page: &Page, comparison: &Comparison) -> Result<(), Error> {
    let mut clips = Vec::new();
    let seconds = |file: &crate::report::FileReport| file.frames as f64 / f64::from(file.sample_rate_hz);
    let common_s = seconds(&comparison.before.file).min(seconds(&comparison.after.file));
    let loudest_at_s = comparison.figures.before.as_ref().and_then(|before| before.loudest_at_s);
    if let Some(passage) = heard_s(page.audio, common_s, loudest_at_s) {
        for (id, file) in [("before", &comparison.before), ("after", &comparison.after)] {
            clips.push(Clip::read(id, id.to_owned(), Path::new(&file.file.path), passage)?);
        }
    }
    let sounds = sounds(clips, page.audio == PageAudio::Excerpt)?;
    write(page, &View::of_comparison(comparison, sounds))
}

/// The page of a master without anything to play.
pub fn silent_html(report: &Report) -> String {
    // A template fails only when what it writes into does.
    askama::Template::render(&View::of_report(report, Vec::new())).unwrap_or_default()
}

fn write(page: &Page, view: &impl askama::Template) -> Result<(), Error> {
    // A template fails only when the file does.
    let fill = |mut file: &mut dyn std::io::Write| askama::Template::write_into(view, &mut file);
    Ok(io::text::write_with(&page.path, page.force, fill)?)
}

/// How much of a page has to be read to know it.
const HEAD_BYTES: u64 = 1024;

/// Whether a file is a page of this program, which it may replace.
pub fn is_ours(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = open_regular(path).map(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    matches!(read, Ok(Ok(_))) && String::from_utf8_lossy(&head).contains(r#"name="generator" content="goldmaster "#)
}
