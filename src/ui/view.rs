//! What the page is told: plain data.

use serde::Serialize;

use crate::render::promises::Verdict;
use crate::report::Report;
use crate::report::qualities::QualityRow;
use crate::report::warning::{Severity, Warning};

/// Names a song, a reference, a sound or a master for as long as the program runs.
pub type Id = u64;

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Others come first.
    Waiting,
    /// At work.
    Working,
    /// Done.
    Ready,
    /// Not done, and why is told.
    Failed,
}

/// Something that is to be known of a file.
#[derive(Clone, Debug, Serialize)]
pub struct NoteView {
    /// How bad it is.
    pub severity: Severity,
    /// One sentence.
    pub text: String,
}

impl NoteView {
    /// Of warnings.
    pub fn of(warnings: &[Warning]) -> Vec<Self> {
        warnings.iter().map(|warning| Self { severity: warning.severity, text: format!("{warning:#}") }).collect()
    }
}

impl NoteView {
    /// Of a report: promises that fell short, then warnings.
    pub fn of_report(report: &Report) -> Vec<Self> {
        let short = report.promises.iter().filter(|promise| promise.verdict != Verdict::Kept);
        let short = short.map(|promise| (Severity::Caution, format!("{:#}", promise.fact)));
        let warnings = report.warnings.iter().map(|warning| (warning.severity, format!("{:#}", warning.fact)));
        short.chain(warnings).map(|(severity, text)| Self { severity, text }).collect()
    }
}

/// Something to play.
#[derive(Clone, Debug, Serialize)]
pub struct SoundView {
    /// Its address.
    pub url: String,
    /// Integrated loudness, LUFS.
    pub lufs: Option<f64>,
}

/// A mix.
#[derive(Clone, Debug, Serialize)]
pub struct SongView {
    /// Its number.
    pub id: Id,
    /// Name of its file.
    pub name: String,
    /// Whether it is measured.
    pub progress: Progress,
    /// Why it cannot be used.
    pub error: Option<String>,
    /// Length, seconds.
    pub seconds: f64,
    /// Container, codec and rate.
    pub format: String,
    /// Integrated loudness, LUFS.
    pub lufs: Option<f64>,
    /// True peak, dBTP.
    pub true_peak_dbtp: Option<f64>,
    /// What is to be known before it is mastered.
    pub notes: Vec<NoteView>,
    /// Where its excerpt starts, seconds.
    pub start_s: f64,
    /// Its excerpt.
    pub sound: Option<SoundView>,
}

/// A finished record to sound like.
#[derive(Clone, Debug, Serialize)]
pub struct ReferenceView {
    /// Its number.
    pub id: Id,
    /// Name of its file.
    pub name: String,
    /// Whether it is measured.
    pub progress: Progress,
    /// Why it cannot be used.
    pub error: Option<String>,
    /// Integrated loudness, LUFS.
    pub lufs: Option<f64>,
    /// Its loudest part.
    pub sound: Option<SoundView>,
}

/// A master on its way to a file, or there.
#[derive(Clone, Debug, Serialize)]
pub struct ExportView {
    /// Its number.
    pub id: Id,
    /// Name of the mix.
    pub song: String,
    /// Name of the master's file.
    pub name: String,
    /// All of its path.
    pub path: String,
    /// It is a folder with the masters of an album.
    pub is_album: bool,
    /// How far it is.
    pub progress: Progress,
    /// What is being done.
    pub stage: String,
    /// How much of that is done, 0 to 1.
    pub share: f64,
    /// Why there is no master.
    pub error: Option<String>,
    /// What differs from the mix.
    pub words: String,
    /// Integrated loudness, LUFS.
    pub lufs: Option<f64>,
    /// True peak, dBTP.
    pub true_peak_dbtp: Option<f64>,
    /// What fell short, and other warnings.
    pub notes: Vec<NoteView>,
    /// The command line that makes the same file.
    pub command: String,
}

impl ExportView {
    /// Of a master that is still to be written, without its names.
    pub fn waiting() -> Self {
        Self {
            id: 0,
            song: String::new(),
            name: String::new(),
            path: String::new(),
            is_album: false,
            progress: Progress::Waiting,
            stage: String::new(),
            share: 0.0,
            error: None,
            words: String::new(),
            lufs: None,
            true_peak_dbtp: None,
            notes: Vec::new(),
            command: String::new(),
        }
    }
}

/// An excerpt of a master.
#[derive(Clone, Debug, Serialize)]
pub struct PreviewView {
    /// The excerpt.
    pub sound: SoundView,
    /// What differs from the mix.
    pub words: String,
    /// How loud the whole master will be, LUFS.
    pub expected_lufs: f64,
    /// Mix, target and master in numbers.
    pub rows: Vec<RowView>,
    /// The settings that differ from the defaults, by their name, without references.
    pub settings: Vec<(String, String)>,
    /// The character that suits the song.
    pub suited: &'static str,
    /// What falls short, and other warnings.
    pub notes: Vec<NoteView>,
}

/// One quality of mix, target and master.
#[derive(Clone, Debug, Serialize)]
pub struct RowView {
    /// With its unit.
    pub name: String,
    /// Of the mix's excerpt.
    pub mix: Option<f64>,
    /// Of the target.
    pub target: Option<f64>,
    /// Of the master's excerpt.
    pub master: Option<f64>,
}

impl RowView {
    /// The qualities of a report.
    pub fn of_report(report: &Report) -> Vec<Self> {
        let row = |row: &QualityRow| Self {
            name: format!("{}, {}", row.quality, row.quality.unit()),
            mix: row.mix,
            target: row.target,
            master: row.master,
        };
        report.qualities.rows.iter().map(row).collect()
    }
}

/// A word to choose, and what it means.
#[derive(Clone, Debug, Serialize)]
pub struct Choice {
    /// As the settings have it.
    pub name: String,
    /// For a person.
    pub words: String,
}

/// All that the page shows.
#[derive(Clone, Debug, Serialize)]
pub struct StudioView {
    /// Program and version.
    pub program: &'static str,
    /// Where masters go.
    pub folder: String,
    /// Places that masters are made for.
    pub destinations: Vec<Choice>,
    /// How masters may differ from their target.
    pub characters: Vec<Choice>,
    /// The mixes.
    pub songs: Vec<SongView>,
    /// The records.
    pub references: Vec<ReferenceView>,
    /// The masters, the newest first.
    pub exports: Vec<ExportView>,
}
