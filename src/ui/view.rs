//! Plain data for the page.

use serde::Serialize;

use crate::render::promises::Verdict;
use crate::report::Report;
use crate::report::qualities::QualityRow;
use crate::report::warning::{Severity, Warning};

/// Id of a song, a reference, a sound or a master, valid for as long as the program runs.
pub type Id = u64;

/// Progress of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Waiting for others.
    Waiting,
    /// In progress.
    Working,
    /// Done.
    Ready,
    /// Failed; the error is given separately.
    Failed,
}

/// A note on a file.
#[derive(Clone, Debug, Serialize)]
pub struct NoteView {
    /// Severity of the note.
    pub severity: Severity,
    /// Text of the note, one sentence.
    pub text: String,
}

impl NoteView {
    /// Creates notes from warnings.
    pub fn of(warnings: &[Warning]) -> Vec<Self> {
        warnings.iter().map(|warning| Self { severity: warning.severity, text: format!("{warning:#}") }).collect()
    }
}

impl NoteView {
    /// Creates notes from a report: promises that fell short, then warnings.
    pub fn of_report(report: &Report) -> Vec<Self> {
        let short = report.promises.iter().filter(|promise| promise.verdict != Verdict::Kept);
        let short = short.map(|promise| (Severity::Caution, format!("{:#}", promise.fact)));
        let warnings = report.warnings.iter().map(|warning| (warning.severity, format!("{:#}", warning.fact)));
        short.chain(warnings).map(|(severity, text)| Self { severity, text }).collect()
    }
}

/// A sound to play.
#[derive(Clone, Debug, Serialize)]
pub struct SoundView {
    /// Address of the sound.
    pub url: String,
    /// Integrated loudness, LUFS.
    pub lufs: Option<f64>,
}

/// A mix.
#[derive(Clone, Debug, Serialize)]
pub struct SongView {
    /// Id.
    pub id: Id,
    /// Name of the file.
    pub name: String,
    /// Progress of its measurement.
    pub progress: Progress,
    /// Reason why it cannot be used.
    pub error: Option<String>,
    /// Length, seconds.
    pub seconds: f64,
    /// Container, codec and rate.
    pub format: String,
    /// Integrated loudness, LUFS.
    pub lufs: Option<f64>,
    /// True peak, dBTP.
    pub true_peak_dbtp: Option<f64>,
    /// Notes on the mix.
    pub notes: Vec<NoteView>,
    /// Start of its excerpt, seconds.
    pub start_s: f64,
    /// Excerpt of the mix.
    pub sound: Option<SoundView>,
}

/// A finished record to sound like.
#[derive(Clone, Debug, Serialize)]
pub struct ReferenceView {
    /// Id.
    pub id: Id,
    /// Name of the file.
    pub name: String,
    /// Progress of its measurement.
    pub progress: Progress,
    /// Reason why it cannot be used.
    pub error: Option<String>,
    /// Integrated loudness, LUFS.
    pub lufs: Option<f64>,
    /// Loudest part of the record.
    pub sound: Option<SoundView>,
}

/// A master that is planned, in progress or finished.
#[derive(Clone, Debug, Serialize)]
pub struct ExportView {
    /// Id.
    pub id: Id,
    /// Name of the mix.
    pub song: String,
    /// Name of the master's file.
    pub name: String,
    /// Full path.
    pub path: String,
    /// True if it is a folder with the masters of an album.
    pub is_album: bool,
    /// Progress of the master.
    pub progress: Progress,
    /// Current stage of the work.
    pub stage: String,
    /// Share of that stage that is done, 0 to 1.
    pub share: f64,
    /// Reason why there is no master.
    pub error: Option<String>,
    /// Differences from the mix, in words.
    pub words: String,
    /// Integrated loudness, LUFS.
    pub lufs: Option<f64>,
    /// True peak, dBTP.
    pub true_peak_dbtp: Option<f64>,
    /// Promises that fell short, and warnings.
    pub notes: Vec<NoteView>,
    /// Command line that makes the same file.
    pub command: String,
}

impl ExportView {
    /// Creates the view of a master that is still to be written, without its names.
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
    /// Differences from the mix, in words.
    pub words: String,
    /// Expected loudness of the whole master, LUFS.
    pub expected_lufs: f64,
    /// Mix, target and master in numbers.
    pub rows: Vec<RowView>,
    /// The settings that differ from the defaults, by their name, without references.
    pub settings: Vec<(String, String)>,
    /// The character that suits the song.
    pub suited: &'static str,
    /// Promises that fall short, and warnings.
    pub notes: Vec<NoteView>,
}

/// One quality of mix, target and master.
#[derive(Clone, Debug, Serialize)]
pub struct RowView {
    /// Name of the quality, with its unit.
    pub name: String,
    /// Value of the mix's excerpt.
    pub mix: Option<f64>,
    /// Value of the target.
    pub target: Option<f64>,
    /// Value of the master's excerpt.
    pub master: Option<f64>,
}

impl RowView {
    /// Returns the qualities of a report.
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

/// A value to choose, and its description.
#[derive(Clone, Debug, Serialize)]
pub struct Choice {
    /// Value in the settings.
    pub value: String,
    /// Name for a person.
    pub name: &'static str,
    /// Description for a person.
    pub words: String,
}

/// Everything that the page shows.
#[derive(Clone, Debug, Serialize)]
pub struct StudioView {
    /// Program and version.
    pub program: &'static str,
    /// Folder for masters.
    pub folder: String,
    /// Destinations to choose from.
    pub destinations: Vec<Choice>,
    /// Characters to choose from.
    pub characters: Vec<Choice>,
    /// The mixes.
    pub songs: Vec<SongView>,
    /// The records.
    pub references: Vec<ReferenceView>,
    /// The masters, the newest first.
    pub exports: Vec<ExportView>,
}
