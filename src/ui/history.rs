//! Masters that earlier runs made, as the reports beside them tell.

use std::path::{Path, PathBuf};

use crate::io::text;
use crate::report::{Report, reference_name};
use crate::ui::view::{ExportView, NoteView, Progress};

/// The folder of reports, recipes and pages beside masters.
const DETAILS: &str = "details";
/// As many reports are read, the newest.
const MOST_REPORTS: usize = 200;

/// What is written beside a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The page to look and listen.
    Page,
    /// What replays the master.
    Recipe,
    /// All figures.
    Report,
}

impl Detail {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Page, Self::Recipe, Self::Report];

    /// Where it lies.
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

/// The folder that details of masters in `folder` lie in.
pub fn details(folder: &Path) -> PathBuf {
    folder.join(DETAILS)
}

/// The masters in `folder` that have a report, the oldest first.
pub fn earlier(folder: &Path) -> Vec<ExportView> {
    let Ok(entries) = std::fs::read_dir(details(folder)) else { return Vec::new() };
    let mut reports: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".report.json"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    reports.sort();
    let newest = reports.split_off(reports.len().saturating_sub(MOST_REPORTS));
    newest.into_iter().filter_map(|(_, path)| of_report(folder, &path)).collect()
}

/// The master that a report tells of, if it is still there.
fn of_report(folder: &Path, path: &Path) -> Option<ExportView> {
    let report: Report = serde_json::from_str(&text::read(path).ok()?).ok()?;
    let name = reference_name(path).strip_suffix(".report.json")?.to_owned();
    let master = folder.join(&name);
    let made = of_finished(&report);
    master.is_file().then(|| ExportView { name, path: master.display().to_string(), ..made })
}

/// What a page shows of a finished master, without its number and its command.
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
