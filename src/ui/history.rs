//! Masters from earlier runs, read from the reports beside them.

use std::path::{Path, PathBuf};

use crate::io::text;
use crate::report::{Report, reference_name};
use crate::ui::view::{ExportView, NoteView, Progress};

/// Name of the folder of reports, recipes and pages beside masters.
const DETAILS: &str = "details";
/// Largest number of reports that are read, the newest.
const MAX_REPORTS: usize = 200;

/// A file that is written beside a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The page that shows and plays the master.
    Page,
    /// The recipe that reproduces the master.
    Recipe,
    /// The report with all figures.
    Report,
}

impl Detail {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Page, Self::Recipe, Self::Report];

    /// Returns the path of this file for a master.
    pub fn path(self, master: &Path) -> PathBuf {
        let mut name = master.file_name().unwrap_or_default().to_owned();
        name.push(match self {
            Self::Page => ".html",
            Self::Recipe => ".recipe.json",
            Self::Report => ".report.json",
        });
        details(master.parent().unwrap_or(Path::new(""))).join(name)
    }
}

/// Returns the folder of the details of masters in `folder`.
pub fn details(folder: &Path) -> PathBuf {
    folder.join(DETAILS)
}

/// Returns the masters in `folder` that have a report, the oldest first.
pub fn earlier(folder: &Path) -> Vec<ExportView> {
    let Ok(entries) = std::fs::read_dir(details(folder)) else { return Vec::new() };
    let mut reports: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".report.json"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    reports.sort();
    let newest = reports.split_off(reports.len().saturating_sub(MAX_REPORTS));
    newest.into_iter().filter_map(|(_, path)| of_report(folder, &path)).collect()
}

/// Returns the master that a report describes, if the file still exists.
fn of_report(folder: &Path, path: &Path) -> Option<ExportView> {
    let report: Report = serde_json::from_str(&text::read(path).ok()?).ok()?;
    let name = reference_name(path).strip_suffix(".report.json")?.to_owned();
    let master = folder.join(&name);
    let made = of_finished(&report);
    master.is_file().then(|| ExportView { name, path: master.display().to_string(), ..made })
}

/// Returns the view of a finished master, without its id and its command.
pub fn of_finished(report: &Report) -> ExportView {
    let path = Path::new(&report.output.path);
    ExportView {
        song: reference_name(Path::new(&report.input.path)),
        name: reference_name(path),
        path: report.output.path.clone(),
        progress: Progress::Ready,
        words: report.qualities.change_words().unwrap_or_default(),
        lufs: report.after.integrated_lufs,
        true_peak_dbtp: Some(report.after.true_peak_dbtp),
        notes: NoteView::of_report(report),
        ..ExportView::waiting()
    }
}
