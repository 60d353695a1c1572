//! Previews: excerpts of masters with the current settings of the page.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use analyzer::stream::Frame;

use crate::error::Error;
use crate::io;
use crate::page::audio::{Clip, Part};
use crate::request::settings::MasterSettings;
use crate::song::multi_threaded;
use crate::song::observer::{Observer, Stage};
use crate::terminal::progress_bar::interrupts;
use crate::ui::requests::MasterRequest;
use crate::ui::studio::{Studio, song_is_gone};
use crate::ui::view::{Id, NoteView, PreviewView, RowView};
use crate::workflows::preview::{Preview, PreviewSong, Previewer};
use crate::workflows::variations::VariationKind;

/// Largest number of pages that are tracked; beyond it, previews may be cancelled by those of other pages.
const MAX_PAGES: usize = 64;

/// Makes previews, one at a time.
pub struct PreviewService {
    previewer: Mutex<Previewer>,
    /// The song whose frames are kept in memory; only one.
    loaded: Mutex<Option<(Id, Arc<PreviewSong>)>>,
    /// Number of the newest preview of every open page: it cancels the earlier ones.
    newest: Mutex<BTreeMap<u64, u64>>,
    /// Number of previews so far.
    count: AtomicU64,
}

/// Locks a mutex, even if another thread has panicked while holding it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Cancels work when the program ends, or when `is_over` returns true.
pub struct CancelWhen<'a, F> {
    /// State that knows when the program ends.
    pub studio: &'a Studio,
    /// Returns true if the result is no longer needed.
    pub is_over: F,
}

impl<F: Fn() -> bool + Sync> Observer for CancelWhen<'_, F> {
    fn stage(&self, _: Stage, _: Option<u64>) {}

    fn advance(&self, _: u64) -> Result<(), io::Error> {
        let is_over = interrupts() > 0 || self.studio.is_closing() || (self.is_over)();
        if is_over { Err(io::Error::Interrupted) } else { Ok(()) }
    }
}

/// Returns the excerpt of a song as a clip for the page.
pub fn clip(song: &PreviewSong, frames: Vec<Frame>, sample_rate_hz: u32) -> Clip {
    let parts = vec![Part { passage: song.passage, frames }];
    Clip { id: String::new(), label: String::new(), sample_rate_hz, channels: song.info().channels, parts }
}

impl PreviewService {
    /// Loads the network.
    ///
    /// # Errors
    /// If the compiled-in network cannot be run.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            previewer: Mutex::new(Previewer::new()?),
            loaded: Mutex::new(None),
            newest: Mutex::default(),
            count: AtomicU64::new(0),
        })
    }

    /// Masters the excerpt of a song; `None` if a variation would hardly differ from the balanced one. A newer preview
    /// of the same page cancels this one.
    ///
    /// # Errors
    /// If the song or a record is gone or not measured yet, a setting is invalid, or the run is interrupted.
    pub fn preview(&self, studio: &Studio, id: Id, request: &MasterRequest) -> Result<Option<PreviewView>, Error> {
        let (path, balanced_lufs, references) = {
            let mut contents = studio.contents();
            let references = contents.named_references(&request.references)?;
            let song = contents.song(id).ok_or_else(song_is_gone)?;
            (song.path.clone(), song.balanced_lufs, references)
        };
        let mut measured = Vec::new();
        for (reference, id) in references.iter().zip(&request.references) {
            let mut contents = studio.contents();
            let known = contents.reference(*id).and_then(|entry| entry.measured.clone()).ok_or_else(unmeasured)?;
            measured.push((reference.name(), reference.weight, known.0.clone(), known.1.clone()));
        }
        let common = request.settings(references).map_err(Error::Usage)?;
        let is_balanced = request.variation == Some(VariationKind::Balanced);
        let settings = match request.variation {
            Some(kind) if !is_balanced => {
                let balanced_lufs = balanced_lufs.ok_or_else(unmeasured)?;
                kind.settings(&common, balanced_lufs)
            }
            _ => Some(common),
        };
        let Some(settings) = settings else { return Ok(None) };
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        {
            let mut newest = locked(&self.newest);
            if newest.len() >= MAX_PAGES {
                newest.clear();
            }
            newest.insert(request.page, number);
        }
        let is_over = || locked(&self.newest).get(&request.page) != Some(&number);
        let observer = CancelWhen { studio, is_over };
        let (song, preview) = {
            let mut previewer = locked(&self.previewer);
            observer.advance(0)?;
            let previewer = &mut *previewer;
            multi_threaded(|| {
                let song = self.song(id, &path, &observer)?;
                let place = (path.as_path(), studio.scratch.as_path());
                let preview = previewer.preview(&song, place, &settings, measured, &observer)?;
                Ok::<_, Error>((song, preview))
            })?
        };
        if is_balanced {
            let lufs = preview.expected_lufs;
            studio.change(|contents| contents.song(id).map(|song| song.balanced_lufs = Some(lufs)));
        }
        let Preview { frames, sample_rate_hz, expected_lufs, suited, report } = preview;
        let sound = studio.keep_preview(clip(&song, frames, sample_rate_hz).encoded()?)?;
        let changed = settings.changed(&MasterSettings::default());
        Ok(Some(PreviewView {
            sound,
            words: report.qualities.change_words().unwrap_or_default(),
            expected_lufs,
            rows: RowView::of_report(&report),
            settings: changed.into_iter().filter(|(name, _)| name != "reference").collect(),
            suited: suited.name(),
            notes: NoteView::of_report(&report),
        }))
    }

    /// Keeps the frames of a song that was just measured, unless the frames of another song that still exists are kept.
    pub fn keep(&self, studio: &Studio, id: Id, song: Arc<PreviewSong>) {
        let mut loaded = locked(&self.loaded);
        if loaded.as_ref().is_none_or(|(known, _)| studio.contents().song(*known).is_none()) {
            *loaded = Some((id, song));
        }
    }

    /// Drops the frames of a song.
    pub fn forget(&self, id: Id) {
        let mut loaded = locked(&self.loaded);
        if loaded.as_ref().is_some_and(|(known, _)| *known == id) {
            *loaded = None;
        }
    }

    /// Returns the frames of a song, read again if those of another song are kept.
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

fn unmeasured() -> Error {
    Error::Usage("still being measured: try again in a moment".to_owned())
}
