//! What is done while the page is open: files are measured, excerpts are mastered, masters are written.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::io;
use crate::io::text;
use crate::page::audio::{Clip, Part};
use crate::report::passage::{Passage, PassageKind, passages_of};
use crate::report::reference_name;
use crate::report::warning::{Subject, Warning};
use crate::request::destination::Destination;
use crate::request::job::{MasterJob, Output};
use crate::request::page::{Page, PageAudio};
use crate::request::settings::MasterSettings;
use crate::song::observer::{Observer, Stage};
use crate::song::{measure, multi_threaded};
use crate::terminal::progress_bar::interrupts;
use crate::ui::history::{Detail, details, of_finished};
use crate::ui::studio::{Contents, Studio, master_path};
use crate::ui::view::{ExportView, Id, NoteView, PreviewView, Progress, RowView, SoundView};
use crate::ui::wish::{ExportWish, Wish};
use crate::workflows::master::master;
use crate::workflows::preview::{Preview, PreviewSong, Previewer};
use crate::workflows::variations::VariationKind;

/// What previews need; one at a time.
pub struct Rehearsal {
    previewer: Mutex<Previewer>,
    /// The song that was heard last: the frames of one are kept.
    loaded: Mutex<Option<(Id, Arc<PreviewSong>)>>,
    /// Counts previews: a newer one ends those before it.
    newest: AtomicU64,
}

/// Waits for a thread that may have panicked.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends what is at work when the program ends, or when `is_over` says so.
struct Until<'a, F> {
    studio: &'a Studio,
    is_over: F,
}

impl<F: Fn() -> bool + Sync> Observer for Until<'_, F> {
    fn stage(&self, _: Stage, _: Option<u64>) {}

    fn advance(&self, _: u64) -> Result<(), io::Error> {
        let is_over = interrupts() > 0 || self.studio.is_closing() || (self.is_over)();
        if is_over { Err(io::Error::Interrupted) } else { Ok(()) }
    }
}

/// The loudest part of a record.
fn loudest(passages: Vec<Passage>) -> Vec<Passage> {
    passages.into_iter().filter(|passage| passage.kind != PassageKind::Typical).collect()
}

/// What is waiting to be measured.
enum Unmeasured {
    Song(Id, PathBuf),
    Reference(Id, PathBuf),
}

/// Measures songs and records as they come, until the program ends.
pub fn measure_all(studio: &Studio, rehearsal: &Rehearsal) {
    let find = |contents: &mut Contents| {
        let song = contents.songs.iter_mut().find(|song| song.view.progress == Progress::Waiting);
        if let Some(song) = song {
            song.view.progress = Progress::Working;
            return Some(Unmeasured::Song(song.view.id, song.path.clone()));
        }
        let reference = contents.references.iter_mut().find(|entry| entry.view.progress == Progress::Waiting)?;
        reference.view.progress = Progress::Working;
        Some(Unmeasured::Reference(reference.view.id, reference.path.clone()))
    };
    while let Some(found) = studio.next(find) {
        match found {
            Unmeasured::Song(id, path) => {
                let measured = multi_threaded(|| measure_song(studio, rehearsal, id, &path));
                studio.change(|contents| {
                    if let (Err(error), Some(song)) = (measured, contents.song(id)) {
                        (song.view.progress, song.view.error) = (Progress::Failed, Some(error.to_string()));
                    }
                });
            }
            Unmeasured::Reference(id, path) => {
                let measured = multi_threaded(|| measure_reference(studio, id, &path));
                studio.change(|contents| {
                    if let (Err(error), Some(entry)) = (measured, contents.reference(id)) {
                        (entry.view.progress, entry.view.error) = (Progress::Failed, Some(error.to_string()));
                    }
                });
            }
        }
    }
}

fn measure_song(studio: &Studio, rehearsal: &Rehearsal, id: Id, path: &Path) -> Result<(), Error> {
    let is_gone = || studio.contents().song(id).is_none();
    let song = Arc::new(PreviewSong::load(path, &Until { studio, is_over: is_gone })?);
    let (_, sound) = studio.keep_sound(clip(&song, song.frames()?, song.info().sample_rate_hz).encoded()?)?;
    let warnings = Warning::of_measured(&Subject::Mix, song.warnings(), &song.profile);
    let info = song.info();
    let khz = f64::from(info.sample_rate_hz) / 1000.0;
    let channels = if info.channels == 1 { "mono" } else { "stereo" };
    let format = format!("{}, {khz} kHz, {channels}", info.codec);
    let is_silent = song.profile.loudness.integrated_lufs.is_none();
    studio.change(|contents| {
        let Some(entry) = contents.song(id) else { return };
        let view = &mut entry.view;
        view.progress = if is_silent { Progress::Failed } else { Progress::Ready };
        view.error = is_silent.then(|| models::error::Error::SilentSource.to_string());
        (view.seconds, view.format) = (song.profile.seconds(), format);
        view.lufs = song.profile.loudness.integrated_lufs;
        view.true_peak_dbtp = Some(song.profile.peak.true_peak_dbtp);
        (view.notes, view.start_s, view.sound) = (NoteView::of(&warnings), song.passage.start_s, Some(sound));
    });
    *locked(&rehearsal.loaded) = Some((id, song));
    Ok(())
}

fn measure_reference(studio: &Studio, id: Id, path: &Path) -> Result<(), Error> {
    let is_gone = || studio.contents().reference(id).is_none();
    let (_, profile, warnings) = measure(path, &Until { studio, is_over: is_gone })?;
    let clip = Clip::read("reference", reference_name(path), path, &loudest(passages_of(&profile)))?;
    let (_, sound) = studio.keep_sound(clip.encoded()?)?;
    let lufs = profile.loudness.integrated_lufs;
    studio.change(|contents| {
        let Some(entry) = contents.reference(id) else { return };
        (entry.view.lufs, entry.view.sound) = (lufs, Some(sound));
        entry.view.progress = if lufs.is_some() { Progress::Ready } else { Progress::Failed };
        entry.view.error = lufs.is_none().then(|| "nothing can be heard in it".to_owned());
        entry.measured = Some(Arc::new((profile, warnings)));
    });
    Ok(())
}

/// The excerpt of a song, as a page plays it.
fn clip(song: &PreviewSong, frames: Vec<analyzer::stream::Frame>, sample_rate_hz: u32) -> Clip {
    let parts = vec![Part { passage: song.passage, frames }];
    Clip { id: String::new(), label: String::new(), sample_rate_hz, channels: song.info().channels, parts }
}

impl Rehearsal {
    /// With the network loaded.
    ///
    /// # Errors
    /// The compiled-in network cannot be run.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { previewer: Mutex::new(Previewer::new()?), loaded: Mutex::new(None), newest: AtomicU64::new(0) })
    }

    /// Masters the excerpt of a song; `None` where a variation would be hardly different from the balanced one. A newer
    /// preview ends this one.
    ///
    /// # Errors
    /// The song or a record is gone or not measured yet, a setting cannot be, or the run is interrupted.
    pub fn preview(&self, studio: &Studio, id: Id, wish: &Wish) -> Result<Option<PreviewView>, Error> {
        let number = self.newest.fetch_add(1, Ordering::Relaxed) + 1;
        let (path, balanced_lufs, references) = {
            let mut contents = studio.contents();
            let references = contents.named_references(&wish.references)?;
            let song = contents.song(id).ok_or_else(gone)?;
            (song.path.clone(), song.balanced_lufs, references)
        };
        let mut measured = Vec::new();
        for (reference, id) in references.iter().zip(&wish.references) {
            let mut contents = studio.contents();
            let known = contents.reference(*id).and_then(|entry| entry.measured.clone()).ok_or_else(unmeasured)?;
            measured.push((reference.name(), reference.weight, known.0.clone(), known.1.clone()));
        }
        let common = wish.settings(references).map_err(Error::Usage)?;
        let is_balanced = wish.variation == Some(VariationKind::Balanced);
        let settings = match wish.variation {
            Some(kind) if !is_balanced => {
                let balanced_lufs = balanced_lufs.ok_or_else(unmeasured)?;
                kind.settings(&common, balanced_lufs)
            }
            _ => Some(common),
        };
        let Some(settings) = settings else { return Ok(None) };
        let is_over = || self.newest.load(Ordering::Relaxed) != number;
        let observer = Until { studio, is_over };
        let mut previewer = locked(&self.previewer);
        observer.advance(0)?;
        let song = self.song(id, &path, &observer)?;
        let place = (path.as_path(), studio.scratch.as_path());
        let preview = previewer.preview(&song, place, &settings, measured, &observer)?;
        drop(previewer);
        if is_balanced {
            let lufs = preview.expected_lufs;
            studio.change(|contents| contents.song(id).map(|song| song.balanced_lufs = Some(lufs)));
        }
        let Preview { frames, sample_rate_hz, expected_lufs, report } = preview;
        let sound = studio.keep_preview(clip(&song, frames, sample_rate_hz).encoded()?)?;
        Ok(Some(view(&report, sound, expected_lufs, &settings)))
    }

    /// The frames of a song, read again where another was heard since.
    fn song(&self, id: Id, path: &Path, observer: &dyn Observer) -> Result<Arc<PreviewSong>, io::Error> {
        let known = locked(&self.loaded).as_ref().filter(|(loaded, _)| *loaded == id).map(|(_, song)| song.clone());
        if let Some(song) = known {
            return Ok(song);
        }
        let song = Arc::new(PreviewSong::load(path, observer)?);
        *locked(&self.loaded) = Some((id, song.clone()));
        Ok(song)
    }
}

fn gone() -> Error {
    Error::Usage("the song is gone".to_owned())
}

fn unmeasured() -> Error {
    Error::Usage("still being measured: try again in a moment".to_owned())
}

fn view(
    report: &crate::report::Report,
    sound: SoundView,
    expected_lufs: f64,
    settings: &MasterSettings,
) -> PreviewView {
    let rows = report.qualities.rows.iter().map(|row| RowView {
        name: format!("{}, {}", row.quality, row.quality.unit()),
        mix: row.mix,
        target: row.target,
        master: row.master,
    });
    let ExportView { notes, words, .. } = of_finished(report);
    let changed = settings.changed(&MasterSettings::default());
    PreviewView {
        sound,
        words,
        expected_lufs,
        rows: rows.collect(),
        settings: changed.into_iter().filter(|(name, _)| name != "reference").collect(),
        suited: VariationKind::suited(&report.qualities).name(),
        notes,
    }
}

/// Plans the masters of a song: one for each format and place.
///
/// # Errors
/// The song or a record is gone, a setting cannot be, or the folder cannot be made.
pub fn plan(studio: &Studio, id: Id, wish: &ExportWish) -> Result<Vec<Id>, Error> {
    let (input, references) = {
        let mut contents = studio.contents();
        let references = contents.named_references(&wish.wish.references)?;
        (contents.song(id).ok_or_else(gone)?.path.clone(), references)
    };
    let settings = wish.wish.settings(references).map_err(Error::Usage)?;
    let mut places: Vec<Option<Destination>> = wish.destinations.iter().copied().map(Some).collect();
    if places.is_empty() {
        places.push(None);
    }
    text::create_folder(&details(&studio.folder))?;
    let mut jobs = Vec::new();
    for place in places {
        let mut settings = settings.clone();
        if let Some(place) = place {
            settings.delivery.destinations = vec![place];
        }
        for format in &wish.formats {
            settings.check(*format)?;
            let path = master_path(&studio.folder, &input, place, *format);
            let output = Output { path, format: *format, force: false, delta: None, page: None };
            jobs.push(MasterJob { input: input.clone(), output, settings: settings.clone(), recipe: None });
        }
    }
    Ok(studio.add_exports(jobs))
}

/// Tells the page how far a master is.
struct ExportProgress<'a> {
    studio: &'a Studio,
    id: Id,
    done: AtomicU64,
    all: AtomicU64,
}

/// The page hears of every hundredth.
const STEPS: u64 = 100;

impl Observer for ExportProgress<'_> {
    fn stage(&self, stage: Stage, frames: Option<u64>) {
        self.done.store(0, Ordering::Relaxed);
        self.all.store(frames.unwrap_or(0), Ordering::Relaxed);
        self.show(|view| (view.stage, view.share) = (stage.to_string(), 0.0));
    }

    fn advance(&self, frames: u64) -> Result<(), io::Error> {
        if interrupts() > 0 || self.studio.is_closing() {
            return Err(io::Error::Interrupted);
        }
        let (before, all) = (self.done.fetch_add(frames, Ordering::Relaxed), self.all.load(Ordering::Relaxed).max(1));
        let step = |done: u64| done.saturating_mul(STEPS) / all;
        if step(before) != step(before + frames) {
            self.show(|view| view.share = (step(before + frames) as f64 / STEPS as f64).min(1.0));
            let is_cancelled = |contents: &mut Contents| contents.export(self.id).is_none_or(|e| e.is_cancelled);
            if is_cancelled(&mut self.studio.contents()) {
                return Err(io::Error::Interrupted);
            }
        }
        Ok(())
    }
}

impl ExportProgress<'_> {
    fn show(&self, change: impl FnOnce(&mut ExportView)) {
        self.studio.change(|contents| contents.export(self.id).map(|export| change(&mut export.view)));
    }
}

/// Writes masters as they are planned, until the program ends.
pub fn export_all(studio: &Studio) {
    let find = |contents: &mut Contents| {
        let export = contents.exports.iter_mut().find(|export| export.view.progress == Progress::Waiting)?;
        export.view.progress = Progress::Working;
        Some((export.view.id, export.job.clone()?))
    };
    while let Some((id, job)) = studio.next(find) {
        let watch = ExportProgress { studio, id, done: AtomicU64::new(0), all: AtomicU64::new(0) };
        let done = multi_threaded(|| export(job, &watch));
        studio.change(|contents| {
            let Some(entry) = contents.export(id) else { return };
            let view = &mut entry.view;
            match done {
                Ok(finished) => {
                    let command = std::mem::take(&mut view.command);
                    *view = ExportView { id, command, ..finished };
                }
                Err(error) => {
                    let words = if entry.is_cancelled { "stopped".to_owned() } else { error.to_string() };
                    (view.progress, view.error) = (Progress::Failed, Some(words));
                }
            }
        });
    }
}

fn export(job: MasterJob, observer: &dyn Observer) -> Result<ExportView, Error> {
    let path = Detail::Page.path(&job.output.path);
    let page = Some(Page { path, audio: PageAudio::Excerpt, force: true });
    let job = MasterJob { output: Output { page, ..job.output }, ..job };
    let report = master(&job, observer)?;
    text::write(&Detail::Recipe.path(&job.output.path), &report.recipe.to_json(), true)?;
    text::write(&Detail::Report.path(&job.output.path), &report.to_json(), true)?;
    Ok(of_finished(&report))
}
