//! The page of several masters of one song: an excerpt of each, their differences, and the command that renders the
//! whole master.

use std::path::Path;

use analyzer::stream::Frame;
use askama::Template;

use super::audio::{Clip, Part, sounds};
use super::player::Player;
use super::plot::{number, typeset};
use super::view::PROGRAM;
use super::{frames_of, write};
use crate::error::Error;
use crate::report::passage::{Passage, PassageKind};
use crate::report::qualities::{QUALITIES, Quality};
use crate::report::{ReferenceReport, Report, reference_name};
use crate::request::page::Page;
use crate::song::Song;

/// A master on the page.
pub struct VariationView {
    /// Name of the variation.
    pub name: &'static str,
    sample_rate_hz: u32,
    frames: Vec<Frame>,
    change: String,
    values: Vec<String>,
    command: String,
    target: Vec<String>,
    mix: Vec<String>,
    title: String,
}

/// Returns the qualities that the page compares.
fn shown_qualities() -> impl Iterator<Item = Quality> {
    QUALITIES.into_iter().filter(|quality| !matches!(quality, Quality::Mids))
}

impl VariationView {
    /// Creates the view of a master, with its excerpt and the command that renders it whole.
    pub fn new(name: &'static str, report: &Report, frames: Vec<Frame>, command: String) -> Self {
        let cell = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| number(value, 1));
        let column = |pick: fn(&crate::report::qualities::QualityRow) -> Option<f64>| {
            let row = |quality| report.qualities.rows.iter().find(|row| row.quality == quality);
            shown_qualities().map(|quality| cell(row(quality).and_then(pick))).collect::<Vec<String>>()
        };
        Self {
            name,
            sample_rate_hz: report.output.sample_rate_hz,
            frames,
            change: typeset(&report.qualities.change_words().unwrap_or_default()),
            values: column(|row| row.master),
            target: column(|row| row.target),
            mix: column(|row| row.mix),
            command,
            title: reference_name(Path::new(&report.input.path)),
        }
    }
}

#[derive(Template)]
#[template(path = "variations.html")]
struct Variations {
    program: &'static str,
    title: String,
    heads: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
    variations: Vec<(&'static str, String, String)>,
    player: Option<Player>,
}

/// Writes the page; `reference` is played as well.
///
/// # Errors
/// If the page cannot be written, or the reference cannot be read again.
pub fn write_page(
    page: &Page,
    song: &Song,
    passage: &Passage,
    views: Vec<VariationView>,
    reference: Option<&ReferenceReport>,
) -> Result<(), Error> {
    let channels = song.info.channels;
    let clip = |id: &str, sample_rate_hz: u32, frames: Vec<Frame>| {
        let parts = vec![Part { passage: *passage, frames }];
        Clip { id: id.to_owned(), label: id.to_owned(), sample_rate_hz, channels, parts }
    };
    let mix = frames_of(song, std::slice::from_ref(passage))?.pop().unwrap_or_default();
    let title = views.first().map(|view| view.title.clone()).unwrap_or_default();
    let mut rows = vec![("mix".to_owned(), views.first().map(|view| view.mix.clone()).unwrap_or_default())];
    rows.extend(views.iter().map(|view| (view.name.to_owned(), view.values.clone())));
    rows.push(("target".to_owned(), views.first().map(|view| view.target.clone()).unwrap_or_default()));
    let mut clips = vec![clip("mix", song.info.sample_rate_hz, mix)];
    let mut variations = Vec::new();
    for view in views {
        variations.push((view.name, view.change, view.command));
        clips.push(clip(view.name, view.sample_rate_hz, view.frames));
    }
    if let Some(ReferenceReport { path, passages, .. }) = reference {
        let path = Path::new(path);
        let loudest = passages.iter().copied().filter(|passage| passage.kind != PassageKind::Typical);
        let label = format!("reference: {}", reference_name(path));
        clips.push(Clip::read("reference", label, path, &loudest.collect::<Vec<_>>())?);
    }
    let unit = |quality: Quality| format!("{quality}, {}", quality.unit());
    let player = Player::new(sounds(clips, false)?, "balanced");
    let heads = shown_qualities().map(unit).collect();
    write(page, &Variations { program: PROGRAM, title, heads, rows, variations, player })
}
