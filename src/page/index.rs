//! The page of a record: every song of a batch, with the way to its own page.

use askama::Template;
use serde_json::Value;

use super::plot::number;
use super::write;
use crate::error::Error;
use crate::report::album::AlbumReport;
use crate::request::page::Page;

/// A song of the record.
pub struct Song {
    /// What it is called.
    pub name: String,
    /// The way to its page, relative to the index.
    pub page: Option<String>,
    /// What became of it.
    pub status: String,
    /// Figures of its report: before, after, true peak, limiting, promises.
    pub figures: [String; 5],
    /// How many things the musician should know.
    pub notes: usize,
}

#[derive(Template)]
#[template(path = "index.html")]
struct Index<'a> {
    program: &'static str,
    songs: &'a [Song],
    counts: String,
    album: Option<&'a AlbumReport>,
    album_words: String,
}

impl Song {
    /// From the song's report as JSON; `Null` where there is none.
    pub fn new(name: String, page: Option<String>, status: String, report: &Value) -> Self {
        let figure = |path: &str, unit: &str| {
            let value = report.pointer(path).and_then(Value::as_f64);
            value.map_or_else(|| "–".to_owned(), |value| format!("{} {unit}", number(value, 1)))
        };
        let list = |path: &str| report.pointer(path).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let promises = list("/promises");
        let kept = promises.iter().filter(|promise| promise["verdict"] == "kept").count();
        let promises =
            if promises.is_empty() { "–".to_owned() } else { format!("{kept} of {} kept", promises.len()) };
        Self {
            name,
            page,
            status,
            figures: [
                figure("/before/integrated_lufs", "LUFS"),
                figure("/after/integrated_lufs", "LUFS"),
                figure("/after/true_peak_dbtp", "dBTP"),
                figure("/limiting_db", "dB"),
                promises,
            ],
            notes: list("/warnings").len(),
        }
    }
}

/// Writes the page of all songs.
///
/// # Errors
/// It cannot be written.
pub fn write_index(page: &Page, songs: &[Song], counts: String, album: Option<&AlbumReport>) -> Result<(), Error> {
    let album_words = album.map_or_else(String::new, |album| {
        let reached = album.loudness_lufs.map_or_else(|| "–".to_owned(), |lufs| number(lufs, 1));
        format!("The record is at {reached} LUFS; {} LUFS was asked for.", number(album.wanted_lufs, 1))
    });
    write(page, &Index { program: super::view::PROGRAM, songs, counts, album, album_words })
}
