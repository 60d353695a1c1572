//! Measures mixes and records as they are added.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::batch::shared::catch_panics;
use crate::error::{Cause, Error};
use crate::page::audio::Clip;
use crate::report::passage::{Passage, PassageKind};
use crate::report::{ReferenceReport, reference_name};
use crate::request::reference::Reference;
use crate::song::observer::Observer as _;
use crate::song::{measure_part, multi_threaded};
use crate::ui::previews::{CancelWhen, PreviewService, clip};
use crate::ui::studio::{Contents, Studio};
use crate::ui::view::{Id, NoteView, Progress};
use crate::workflows::preview::PreviewSong;

/// Returns the loudest part of a record.
fn loudest(passages: Vec<Passage>) -> Vec<Passage> {
    passages.into_iter().filter(|passage| passage.kind != PassageKind::Typical).collect()
}

/// A file that is waiting to be measured.
enum Unmeasured {
    Song(Id, PathBuf),
    Reference(Id, Reference),
}

/// Measures songs and records as they are added, until the program ends. Records come first: there are few of them, and
/// songs need them as targets.
pub fn measure_all(studio: &Studio, previews: &PreviewService) {
    let find = |contents: &mut Contents| {
        let reference = contents.references.iter_mut().find(|entry| entry.view.progress == Progress::Waiting);
        if let Some(entry) = reference {
            entry.view.progress = Progress::Working;
            return Some(Unmeasured::Reference(entry.view.id, entry.reference.clone()));
        }
        let song = contents.songs.iter_mut().find(|song| song.view.progress == Progress::Waiting)?;
        song.view.progress = Progress::Working;
        Some(Unmeasured::Song(song.view.id, song.path.clone()))
    };
    while let Some(found) = studio.next(find) {
        match found {
            Unmeasured::Song(id, path) => {
                let work = || measure_song(studio, previews, id, &path);
                let measured = catch_panics(&path, || multi_threaded(work).map_err(Cause::from));
                studio.change(|contents| {
                    if let (Err(error), Some(song)) = (measured, contents.song(id)) {
                        (song.view.progress, song.view.error) = (Progress::Failed, Some(by_name(&error, &path)));
                    }
                });
            }
            Unmeasured::Reference(id, reference) => {
                let work = || measure_reference(studio, id, &reference);
                let measured = catch_panics(&reference.path, || multi_threaded(work).map_err(Cause::from));
                studio.change(|contents| {
                    if let (Err(error), Some(entry)) = (measured, contents.reference(id)) {
                        (entry.view.progress, entry.view.error) =
                            (Progress::Failed, Some(by_name(&error, &reference.path)));
                    }
                });
            }
        }
    }
}

/// Returns the text of an error with the name of the file only: the temporary path of a dropped file means nothing to
/// its user.
fn by_name(error: &Cause, path: &Path) -> String {
    error.sentence.replace(&path.display().to_string(), &reference_name(path))
}

fn measure_song(studio: &Studio, previews: &PreviewService, id: Id, path: &Path) -> Result<(), Error> {
    let is_gone = || studio.contents().song(id).is_none();
    let song = Arc::new(PreviewSong::load(path, &CancelWhen { studio, is_over: is_gone })?);
    let (_, sound) = studio.keep_sound(clip(&song, song.frames()?, song.info().sample_rate_hz).encoded()?)?;
    let notes = NoteView::of(&song.warnings());
    let info = song.info();
    let khz = f64::from(info.sample_rate_hz) / 1000.0;
    let channels = if info.channels == 1 { "mono" } else { "stereo" };
    let format = format!("{}, {khz} kHz, {channels}", info.codec);
    let (lufs, true_peak_dbtp) = (song.profile.loudness.integrated_lufs, song.profile.peak.true_peak_dbtp);
    let (seconds, start_s) = (song.profile.seconds(), song.passage.start_s);
    previews.keep(studio, id, song);
    studio.change(|contents| {
        let Some(entry) = contents.song(id) else { return };
        let view = &mut entry.view;
        view.progress = if lufs.is_some() { Progress::Ready } else { Progress::Failed };
        view.error = lufs.is_none().then(|| models::error::Error::SilentSource.to_string());
        (view.seconds, view.start_s, view.format) = (seconds, start_s, format);
        (view.lufs, view.true_peak_dbtp) = (lufs, Some(true_peak_dbtp));
        (view.notes, view.sound) = (notes, Some(sound));
    });
    Ok(())
}

fn measure_reference(studio: &Studio, id: Id, reference: &Reference) -> Result<(), Error> {
    let is_gone = || studio.contents().reference(id).is_none();
    let observer = CancelWhen { studio, is_over: is_gone };
    let (profile, warnings) = measure_part(&reference.path, reference.section, &observer)?;
    let Some(lufs) = profile.loudness.integrated_lufs else {
        return Err(Error::Usage("nothing can be heard in it".to_owned()));
    };
    let ReferenceReport { passages, .. } = ReferenceReport::of(reference, &profile);
    let clip = Clip::read("reference", reference.name(), &reference.path, &loudest(passages))?;
    observer.advance(0)?;
    let (_, sound) = studio.keep_sound(clip.encoded()?)?;
    studio.change(|contents| {
        let Some(entry) = contents.reference(id) else { return };
        (entry.view.lufs, entry.view.sound, entry.view.progress) = (Some(lufs), Some(sound), Progress::Ready);
        entry.measured = Some(Arc::new((profile, warnings)));
    });
    Ok(())
}
