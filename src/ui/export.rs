//! Writes masters of whole songs and albums, in the order in which they were requested.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::batch::albums::{Division, Order, arranged};
use crate::batch::inputs::{Found, tree_path};
use crate::batch::outcome::Outcome;
use crate::batch::pages::index_path;
use crate::batch::plan::{Plan, Relation};
use crate::batch::run::{self, Options};
use crate::batch::settings::Settings;
use crate::batch::shared::catch_panics;
use crate::batch::watch::{Ended, Watch};
use crate::error::{Cause, Error};
use crate::io;
use crate::io::output_spec::Format;
use crate::io::text;
use crate::report::reference_name;
use crate::report::warning::Severity;
use crate::request::destination::Destination;
use crate::request::job::{AlbumBalance, AlbumLoudness, MasterJob, Output};
use crate::request::page::{Page, PageAudio};
use crate::request::paths::without_extension;
use crate::song::multi_threaded;
use crate::song::observer::{Observer, Stage};
use crate::terminal::progress_bar::interrupts;
use crate::ui::history::{Detail, details, of_finished};
use crate::ui::requests::{AlbumRequest, ExportRequest};
use crate::ui::studio::{AlbumJob, BegunExport, ExportJob, Studio, song_is_gone};
use crate::ui::view::{ExportView, Id, NoteView, Progress};
use crate::workflows::master::{check, deliver, with_decision};
use crate::workflows::mix::Decided;

/// Plans the masters of a song: one for each format and destination.
///
/// # Errors
/// If the song or a record is gone, a setting is invalid, or the folder cannot be created.
pub fn plan(studio: &Studio, id: Id, request: &ExportRequest) -> Result<Vec<Id>, Error> {
    let (input, references) = {
        let mut contents = studio.contents();
        let references = contents.named_references(&request.master.references)?;
        (contents.song(id).ok_or_else(song_is_gone)?.path.clone(), references)
    };
    let settings = request.master.settings(references).map_err(Error::Usage)?;
    let mut places: Vec<Option<Destination>> = distinct(&request.destinations).into_iter().map(Some).collect();
    if places.is_empty() {
        places.push(None);
    }
    if request.formats.is_empty() {
        return Err(Error::Usage("choose a kind of file".to_owned()));
    }
    text::create_folder(&details(&studio.folder))?;
    let mut masters = Vec::new();
    for place in places {
        let mut settings = settings.clone();
        if let Some(place) = place {
            settings.delivery.destinations = vec![place];
        }
        let mut files = Vec::new();
        for format in distinct(&request.formats) {
            settings.check(format)?;
            let path = master_path(&studio.folder, &input, place, format);
            let output = Output { path, format, force: false, delta: None, page: None };
            let job = MasterJob { input: input.clone(), output, settings: settings.clone(), recipe: None };
            files.push(ExportJob::Song(Box::new(job)));
        }
        masters.push(files);
    }
    Ok(studio.add_exports(masters))
}

/// Returns the path of a song's master.
fn master_path(folder: &Path, song: &Path, place: Option<Destination>, format: Format) -> PathBuf {
    let name = PathBuf::from(song.file_name().unwrap_or_default());
    let stem = without_extension(&name).display().to_string();
    let place = place.map_or_else(String::new, |place| format!(" [{place}]"));
    folder.join(format!("{stem}{place}.master.{}", format.extension()))
}

/// Returns the items without duplicates, in their order.
fn distinct<T: Copy + PartialEq>(items: &[T]) -> Vec<T> {
    let mut kept = Vec::new();
    for item in items {
        if !kept.contains(item) {
            kept.push(*item);
        }
    }
    kept
}

/// Plans the masters of an album.
///
/// # Errors
/// If a song or a record is gone, there are fewer than two songs, or a setting is invalid.
pub fn plan_album(studio: &Studio, request: &AlbumRequest) -> Result<Vec<Id>, Error> {
    let (paths, references) = {
        let mut contents = studio.contents();
        let references = contents.named_references(&request.master.references)?;
        let path = |id: &Id| contents.song(*id).map(|song| song.path.clone()).ok_or_else(song_is_gone);
        (request.songs.iter().map(path).collect::<Result<Vec<PathBuf>, Error>>()?, references)
    };
    let songs = distinct(&request.songs).len();
    if songs < 2 || songs < paths.len() {
        return Err(Error::Usage("an album has two songs at least, each once".to_owned()));
    }
    let master = request.master.settings(references).map_err(Error::Usage)?;
    let settings =
        Settings { master, genre_references: Vec::new(), folder_references: Vec::new(), format: request.format };
    settings.check()?;
    let found = |path: PathBuf| {
        let relative = path.file_name().map_or_else(|| tree_path(&path), PathBuf::from);
        Found { path, relative, problem: None }
    };
    let folder = studio.folder.join("album");
    let plan = Plan::uniform(paths.into_iter().map(found).collect(), settings, &folder, None)?;
    let balance = if request.is_even { AlbumBalance::Even } else { AlbumBalance::Keep };
    let relation = Relation { album: Some(AlbumLoudness::Whole), balance, is_own_reference: false };
    let plan = arranged(plan, relation, Division::One, Order::Tags).plan;
    Ok(studio.add_exports(vec![vec![ExportJob::Album(AlbumJob { plan, folder })]]))
}

/// Reports the progress of a master, or of an album, to the page.
struct ExportProgress<'a> {
    studio: &'a Studio,
    id: Id,
    done: AtomicU64,
    all: AtomicU64,
    /// Causes of the album's songs that failed.
    failed: Mutex<Vec<String>>,
}

/// Number of progress steps that are reported to the page.
const STEPS: u64 = 100;

impl<'a> ExportProgress<'a> {
    fn new(studio: &'a Studio, id: Id) -> Self {
        Self { studio, id, done: AtomicU64::new(0), all: AtomicU64::new(0), failed: Mutex::default() }
    }

    fn begins(&self, words: String, all: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.all.store(all, Ordering::Relaxed);
        self.show(|view| (view.stage, view.share) = (words, 0.0));
    }

    fn goes_on(&self, by: u64) {
        let (before, all) = (self.done.fetch_add(by, Ordering::Relaxed), self.all.load(Ordering::Relaxed));
        let step = |done: u64| done.saturating_mul(STEPS).checked_div(all).unwrap_or(0);
        if step(before) != step(before + by) {
            self.show(|view| view.share = (step(before + by) as f64 / STEPS as f64).min(1.0));
        }
    }

    fn is_over(&self) -> bool {
        interrupts() > 0
            || self.studio.is_closing()
            || self.studio.contents().export(self.id).is_none_or(|e| e.is_cancelled)
    }

    fn show(&self, change: impl FnOnce(&mut ExportView)) {
        self.studio.change(|contents| contents.export(self.id).map(|export| change(&mut export.view)));
    }

    /// Does the work, and shows its outcome.
    fn finish(&self, input: &Path, work: impl FnOnce() -> Result<ExportView, Error>) {
        self.end(catch_panics(input, || work().map_err(Cause::from)));
    }

    /// Shows the outcome of the work.
    fn end(&self, done: Result<ExportView, Cause>) {
        self.studio.change(|contents| {
            let Some(entry) = contents.export(self.id) else { return };
            let view = &mut entry.view;
            match done {
                Ok(finished) => {
                    let command = std::mem::take(&mut view.command);
                    *view = ExportView { id: self.id, command, ..finished };
                }
                Err(error) => {
                    let words = if entry.is_cancelled { "stopped".to_owned() } else { error.sentence };
                    (view.progress, view.error) = (Progress::Failed, Some(words));
                }
            }
        });
    }
}

impl Observer for ExportProgress<'_> {
    fn stage(&self, stage: Stage, frames: Option<u64>) {
        self.begins(stage.to_string(), frames.unwrap_or(0));
    }

    fn advance(&self, frames: u64) -> Result<(), io::Error> {
        self.goes_on(frames);
        if self.is_over() { Err(io::Error::Interrupted) } else { Ok(()) }
    }
}

impl Watch for ExportProgress<'_> {
    fn begins(&self, bytes: u64) {
        self.begins("mastering the album".to_owned(), bytes);
    }

    fn worked(&self, bytes: u64) {
        self.goes_on(bytes);
    }

    fn ended(&self, song: &Ended) {
        if let Outcome::Failed(cause) | Outcome::FailedAgain(cause) | Outcome::Changing(cause) = song.outcome {
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).push(cause.sentence.clone());
        }
    }

    fn is_stopping(&self) -> bool {
        self.is_over()
    }

    fn is_aborting(&self) -> bool {
        self.is_over()
    }
}

/// Writes masters as they are planned, until the program ends.
pub fn export_all(studio: &Studio) {
    while let Some(BegunExport { id, master, job }) = studio.next(|contents| contents.begin_export(None)) {
        let watch = ExportProgress::new(studio, id);
        match job {
            ExportJob::Song(job) => export_files(&with_page(*job), master, &watch),
            ExportJob::Album(job) => watch.finish(&job.folder, || multi_threaded(|| export_album(&job, &watch))),
        }
    }
}

/// Writes a file of a master, and the other files of this master that wait, with one decision.
fn export_files(job: &MasterJob, master: Id, watch: &ExportProgress) {
    let work = || multi_threaded(|| with_decision(job, watch, |decided| write_files(job, decided, master, watch)));
    // Without a decision, this file fails, or was stopped; the next one of this master begins anew.
    if let Err(cause) = catch_panics(&job.input, || work().map_err(Cause::from)) {
        watch.end(Err(cause));
    }
}

/// Writes a file of a decided master, and then the others of this master, as long as one waits.
fn write_files(job: &MasterJob, decided: &Decided, master: Id, watch: &ExportProgress) {
    watch.finish(&job.input, || export(job, decided, watch));
    let next = || watch.studio.change(|contents| contents.begin_export(Some(master)));
    while let Some(BegunExport { id, job: ExportJob::Song(job), .. }) = next() {
        let (job, watch) = (with_page(*job), ExportProgress::new(watch.studio, id));
        watch.finish(&job.input, || export(&job, decided, &watch));
    }
}

/// Returns the job with a page beside its master.
fn with_page(job: MasterJob) -> MasterJob {
    let path = Detail::Page.path(&job.output.path);
    let page = Some(Page { path, audio: PageAudio::Excerpt, force: true });
    MasterJob { output: Output { page, ..job.output }, ..job }
}

/// Writes a file of a decided master, with page, recipe and report.
fn export(job: &MasterJob, decided: &Decided, observer: &dyn Observer) -> Result<ExportView, Error> {
    check(job)?;
    let report = deliver(job, decided.clone().written_as(job)?, observer)?;
    let mut view = of_finished(&report);
    // The master exists: if a file beside it cannot be written, the master has not failed.
    for (detail, text) in [(Detail::Recipe, report.recipe.to_json()), (Detail::Report, report.to_json())] {
        if let Err(error) = text::write(&detail.path(&job.output.path), &text, true) {
            view.notes.push(NoteView { severity: Severity::Caution, text: error.to_string() });
        }
    }
    Ok(view)
}

/// Writes the masters of an album, with a page for each song and one for all.
fn export_album(job: &AlbumJob, watch: &ExportProgress) -> Result<ExportView, Error> {
    let options = Options {
        jobs: None,
        memory_bytes: None,
        force: false,
        resume: true,
        pages: Some(PageAudio::Excerpt),
        cue_gap_s: None,
        summary_date: None,
    };
    let run::Finished { summary, albums, .. } = run::run(&job.plan, &job.folder, &options, watch)?;
    if summary.left > 0 {
        return Err(io::Error::Interrupted.into());
    }
    let sentences = albums.iter().flat_map(|album| album.sentences_of_page()).collect::<Vec<_>>();
    let failed = watch.failed.lock().unwrap_or_else(PoisonError::into_inner);
    let notes = failed.iter().map(|cause| NoteView { severity: Severity::Serious, text: cause.clone() });
    Ok(ExportView {
        song: format!("{} songs", job.plan.songs),
        name: reference_name(&job.folder),
        path: job.folder.display().to_string(),
        is_album: true,
        progress: Progress::Ready,
        words: std::iter::once(summary.to_string()).chain(sentences).collect::<Vec<_>>().join("; "),
        lufs: albums.first().and_then(|album| album.loudness_lufs),
        notes: notes.collect(),
        ..ExportView::waiting()
    })
}

/// Returns the path of the page of all masters of an album.
pub fn album_page(folder: &Path) -> PathBuf {
    index_path(folder, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_is_called_like_its_song() {
        let folder = Path::new("masters");
        let path = master_path(folder, Path::new("up/My song v1.2.flac"), Some(Destination::AppleMusic), Format::Flac);
        assert_eq!(path, Path::new("masters/My song v1.2 [apple-music].master.flac"));
        let path = master_path(folder, Path::new("No Extension 1.2"), None, Format::Wav);
        assert_eq!(path, Path::new("masters/No Extension 1.2.master.wav"));
    }
}
