//! The page that shows and plays a master: a single HTML file with everything in it.

pub(crate) mod audio;
mod figures;
pub(crate) mod index;
mod player;
mod plot;
pub(crate) mod variations;
mod view;
pub(crate) mod words;

use std::io::Read as _;
use std::path::Path;

use analyzer::stream::Frame;
use renderer::recipe::Recipe;

use self::audio::{Clip, MAX_AUDIO_S, Part, sounds};
use self::view::View;
use crate::error::Error;
use crate::io;
use crate::io::regular::open_regular;
use crate::render::output_meter::CaptureRequest;
use crate::report::Report;
use crate::report::comparison::Comparison;
use crate::report::passage::{Passage, PassageKind, passages};
use crate::report::reference_name;
use crate::request::job::Output;
use crate::request::page::Page;
use crate::request::page::PageAudio;
use crate::song::Song;

/// Returns the passages to play of a song of this length.
fn passages_to_play(audio: PageAudio, seconds: f64, short_term_lufs: &[f32]) -> Vec<Passage> {
    match audio {
        PageAudio::None => Vec::new(),
        PageAudio::Full if seconds <= MAX_AUDIO_S => {
            vec![Passage { kind: PassageKind::Whole, start_s: 0.0, end_s: seconds }]
        }
        PageAudio::Full | PageAudio::Excerpt => passages(seconds, short_term_lufs),
    }
}

fn passages_of_song(audio: PageAudio, song: &Song) -> Vec<Passage> {
    let seconds = song.seconds();
    passages_to_play(audio, seconds, song.timeline.as_ref().map_or(&[], |timeline| &timeline.short_term_lufs))
}

/// Returns the request to capture the passages that the page of `song` plays, from the master that `recipe` gives.
pub(crate) fn capture(page: Option<&Page>, song: &Song, recipe: &Recipe) -> CaptureRequest {
    let passages = page.map(|page| passages_of_song(page.audio, song)).unwrap_or_default();
    let passages: Vec<_> = passages.iter().map(|passage| passage.start_s..passage.end_s).collect();
    CaptureRequest::new(song, recipe, &passages)
}

/// Writes the page of a master if it is requested. `master` holds the [captured](capture) passages.
///
/// # Errors
/// If the page cannot be written, or the reference cannot be read again.
pub(crate) fn of_master(output: &Output, report: &Report, song: &Song, master: Vec<Vec<Frame>>) -> Result<(), Error> {
    let Some(page) = &output.page else { return Ok(()) };
    let passages = passages_of_song(page.audio, song);
    let mut clips = Vec::new();
    if !passages.is_empty() {
        let (rate, channels) = (song.info.sample_rate_hz, song.info.channels);
        let clip = |id: &str, sample_rate_hz, all: Vec<Vec<Frame>>| {
            let parts = passages.iter().zip(all).map(|(passage, frames)| Part { passage: *passage, frames });
            Clip { id: id.to_owned(), label: id.to_owned(), sample_rate_hz, channels, parts: parts.collect() }
        };
        clips.push(clip("mix", rate, frames_of(song, &passages)?));
        clips.push(clip("master", report.output.sample_rate_hz, master));
        let reference = report.decision.iter().flat_map(|decision| &decision.references).next();
        if let Some(reference) = reference {
            let path = Path::new(&reference.path);
            let label = format!("reference: {}", reference_name(path));
            clips.push(Clip::read("reference", label, path, &reference.passages)?);
        }
    }
    let sounds = sounds(clips, page.audio == PageAudio::Excerpt)?;
    write(page, &View::of_report(report, sounds))
}

/// Returns the frames of passages of a song.
fn frames_of(song: &Song, passages: &[Passage]) -> Result<Vec<Vec<Frame>>, io::Error> {
    let read = |passage: &Passage| {
        let range = passage.frames(song.info.sample_rate_hz);
        let mut frames = vec![[0.0; 2]; (range.end - range.start) as usize];
        let count = song.frames.reader_at(range.start).read(&mut frames)?;
        frames.truncate(count);
        Ok(frames)
    };
    passages.iter().map(read).collect()
}

/// Writes the page of two files.
///
/// # Errors
/// If the page cannot be written, or the files cannot be read again.
pub(crate) fn of_comparison(page: &Page, comparison: &Comparison) -> Result<(), Error> {
    let mut clips = Vec::new();
    let seconds = |file: &crate::report::FileReport| file.frames as f64 / f64::from(file.sample_rate_hz);
    let common_s = seconds(&comparison.before.file).min(seconds(&comparison.after.file));
    let passages = passages_to_play(page.audio, common_s, &comparison.short_term_lufs);
    if !passages.is_empty() {
        for (id, file) in [("mix", &comparison.before), ("master", &comparison.after)] {
            let path = Path::new(&file.file.path);
            clips.push(Clip::read(id, reference_name(path), path, &passages)?);
        }
    }
    let sounds = sounds(clips, page.audio == PageAudio::Excerpt)?;
    write(page, &View::of_comparison(comparison, sounds))
}

/// Returns the page of a master without anything to play.
pub fn silent_html(report: &Report) -> String {
    // A template fails only if writing its output fails.
    askama::Template::render(&View::of_report(report, Vec::new())).unwrap_or_default()
}

fn write(page: &Page, view: &impl askama::Template) -> Result<(), Error> {
    // A template fails only if writing the file fails.
    let fill = |mut file: &mut dyn std::io::Write| askama::Template::write_into(view, &mut file);
    Ok(io::text::write_with(&page.path, page.force, fill)?)
}

/// Number of bytes that identify a page.
const HEAD_BYTES: u64 = 1024;

/// Returns true if a file is a page of this program, which it may replace.
pub(crate) fn is_goldmaster_page(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = open_regular(path).map(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    matches!(read, Ok(Ok(_))) && String::from_utf8_lossy(&head).contains(r#"name="generator" content="goldmaster "#)
}
