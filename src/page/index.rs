//! The page of a batch: every song with a link to its own page, failures first, and the figures of every album.

use askama::Template;
use models::norm::UNIVERSAL;

use super::plot::{clock, number, typeset};
use super::write;
use crate::error::Error;
use crate::render::promises::Verdict;
use crate::report::Report;
use crate::report::album::{AlbumReport, AlbumSong};
use crate::request::page::Page;

/// Outcome of a song, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SongStatus {
    /// The song has no master.
    Failed,
    /// The song was not processed.
    Left,
    /// The master was written, but falls short of what was requested.
    Short,
    /// The master was written.
    Mastered,
    /// The master already existed.
    Unchanged,
}

/// A song of the batch.
pub struct Song {
    name: String,
    /// Link to its page, relative to the index.
    page: Option<String>,
    status: &'static str,
    class: &'static str,
    rank: u8,
    /// Reason why it has no master.
    cause: Option<String>,
    seconds: String,
    length: String,
    genre: String,
    /// Loudness of the mix, loudness, true peak and limiting of the master.
    figures: [String; 4],
    notes: usize,
}

#[derive(Template)]
#[template(path = "index.html")]
struct Index {
    program: &'static str,
    songs: Vec<Song>,
    counts: String,
    has_genre: bool,
    albums: Vec<Album>,
}

/// The album as a whole.
struct Album {
    title: String,
    sentences: Vec<String>,
    rows: Vec<[String; 7]>,
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| number(value, 1))
}

impl Song {
    /// Creates the entry of a song. `page` is the link to its page, `cause` the reason why it has no master.
    pub fn new(
        name: String,
        page: Option<String>,
        status: SongStatus,
        cause: Option<&str>,
        report: Option<&Report>,
    ) -> Self {
        let is_short = report.is_some_and(|report| report.promises.iter().any(|p| p.verdict == Verdict::Short));
        let status = if status == SongStatus::Mastered && is_short { SongStatus::Short } else { status };
        let (class, word) = match status {
            SongStatus::Failed => ("failed", "failed"),
            SongStatus::Left => ("left-out", "left"),
            SongStatus::Short => ("short", "quieter than asked"),
            SongStatus::Mastered => ("mastered", "mastered"),
            SongStatus::Unchanged => ("unchanged", "unchanged"),
        };
        let seconds = report.map(|report| report.output.frames as f64 / f64::from(report.output.sample_rate_hz));
        let genre = report.and_then(|report| report.decision.as_ref()?.genre.as_ref());
        let genre = genre.filter(|genre| genre.name != UNIVERSAL);
        Self {
            name,
            page,
            status: word,
            class,
            rank: status as u8,
            cause: cause.map(typeset),
            seconds: seconds.map_or_else(String::new, |seconds| format!("{seconds:.1}")),
            length: seconds.map_or_else(|| "–".to_owned(), clock),
            genre: genre.map_or_else(|| "–".to_owned(), |genre| genre.name.clone()),
            figures: [
                figure(report.and_then(|report| report.before?.integrated_lufs)),
                figure(report.and_then(|report| report.after.integrated_lufs)),
                figure(report.map(|report| report.after.true_peak_dbtp)),
                figure(report.map(|report| report.limiting_db)),
            ],
            notes: report.map_or(0, |report| report.warnings.len()),
        }
    }
}

impl Album {
    fn of(album: &AlbumReport) -> Self {
        let row = |song: &AlbumSong| {
            let name = song.file_name().to_owned();
            let moved = song.moved_lu.map_or_else(|| "–".to_owned(), super::figures::signed);
            let [before, after] = [song.before_lufs, song.after_lufs].map(figure);
            let [peak, mix, master] =
                [song.true_peak_dbtp, song.tone_before_db, song.tone_after_db].map(|value| number(value, 1));
            [name, before, after, moved, peak, mix, master]
        };
        let title = album.name.clone().unwrap_or_else(|| "The album as a whole".to_owned());
        let mut sentences: Vec<String> = album.sentences().iter().map(|sentence| typeset(sentence)).collect();
        // The other sentences may begin with the name of a file.
        if let Some(letter) = sentences.first_mut().and_then(|first| first.get_mut(..1)) {
            letter.make_ascii_uppercase();
        }
        Self { title, sentences, rows: album.songs.iter().map(row).collect() }
    }
}

/// Writes the page of all songs, failures first.
///
/// # Errors
/// If it cannot be written.
pub fn write_index(page: &Page, mut songs: Vec<Song>, counts: String, albums: &[AlbumReport]) -> Result<(), Error> {
    songs.sort_by_key(|song| song.rank.min(SongStatus::Mastered as u8));
    let has_genre = songs.iter().any(|song| song.genre != "–");
    write(
        page,
        &Index {
            program: super::view::PROGRAM,
            songs,
            counts,
            has_genre,
            albums: albums.iter().map(Album::of).collect(),
        },
    )
}
