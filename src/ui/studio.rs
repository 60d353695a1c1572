//! State of the program while its page is open: songs, records, sounds and masters.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use analyzer::profile::Profile;
use clap::ValueEnum as _;
use models::character::Character;
use tokio::sync::watch;

use crate::batch::plan::Plan;
use crate::error::Error;
use crate::io;
use crate::report::reference_name;
use crate::request::destination::Destination;
use crate::request::job::MasterJob;
use crate::request::reference::Reference;
use crate::request::settings::MasterSettings;
use crate::ui::history::{self, Detail};
use crate::ui::view::{Choice, ExportView, Id, Progress, ReferenceView, SongView, SoundView, StudioView};

/// Largest number of songs and records together.
const MAX_FILES: usize = 2000;
/// Largest number of records for a song: more say nothing about a sound.
const MAX_REFERENCES: usize = 16;
/// Number of previews that are kept: a page has long loaded older ones.
const KEPT_PREVIEWS: usize = 24;

/// A mix.
pub struct SongEntry {
    /// Data for the page.
    pub view: SongView,
    /// Path of the file.
    pub path: PathBuf,
    /// Loudness of its balanced master, LUFS, once it is known.
    pub balanced_lufs: Option<f64>,
}

/// A record to sound like.
pub struct ReferenceEntry {
    /// Data for the page.
    pub view: ReferenceView,
    /// The file, and the part of it that is used.
    pub reference: Reference,
    /// Its measurements, and the warnings about the file.
    pub measured: Option<Arc<(Profile, Vec<io::Warning>)>>,
}

/// A master, or an album of them.
pub struct ExportEntry {
    /// Data for the page.
    pub view: ExportView,
    /// The job; `None` for a master from an earlier run.
    pub job: Option<ExportJob>,
    /// Id of the first of the files of this master, which have one decision.
    master: Id,
    /// True if it was cancelled.
    pub is_cancelled: bool,
}

/// A master or an album to write.
#[derive(Clone)]
pub enum ExportJob {
    /// The master of a song.
    Song(Box<MasterJob>),
    /// The masters of an album.
    Album(AlbumJob),
}

impl ExportJob {
    /// Returns true if the job reads the file at `path`.
    fn reads(&self, path: &Path) -> bool {
        let is_reference = |settings: &MasterSettings| settings.references.iter().any(|r| r.path == path);
        match self {
            Self::Song(job) => job.input == path || is_reference(&job.settings),
            Self::Album(AlbumJob { plan, .. }) => {
                plan.items.iter().any(|item| item.input == path || is_reference(&item.settings.master))
            }
        }
    }
}

/// An export that is being written.
pub struct BegunExport {
    /// Id of the export.
    pub id: Id,
    /// Id of the first of the files of this master.
    pub master: Id,
    /// The job.
    pub job: ExportJob,
}

/// The songs of an album.
#[derive(Clone)]
pub struct AlbumJob {
    /// Plan for the songs.
    pub plan: Plan,
    /// Folder for the masters.
    pub folder: PathBuf,
}

/// The part of the state that changes while the page is open.
#[derive(Default)]
pub struct Contents {
    /// The mixes.
    pub songs: Vec<SongEntry>,
    /// The records.
    pub references: Vec<ReferenceEntry>,
    /// The masters, the oldest first.
    pub exports: Vec<ExportEntry>,
    /// Previews that can be played, the oldest first.
    previews: VecDeque<Id>,
    last_id: Id,
    is_closing: bool,
}

/// The whole state, shared by all threads.
pub struct Studio {
    contents: Mutex<Contents>,
    /// Number of changes so far.
    changes: watch::Sender<u64>,
    /// Wakes threads that wait for work.
    work: Condvar,
    /// Folder for uploads and sounds; removed at the end.
    pub scratch: PathBuf,
    /// Folder for masters.
    pub folder: PathBuf,
}

impl Studio {
    /// Creates a state that is empty except for the masters that already exist in `folder`.
    pub fn new(scratch: PathBuf, folder: PathBuf) -> Self {
        let mut contents = Contents::default();
        for view in history::earlier(&folder) {
            contents.last_id += 1;
            let view = ExportView { id: contents.last_id, ..view };
            contents.exports.push(ExportEntry { master: view.id, view, job: None, is_cancelled: false });
        }
        let (changes, work) = (watch::Sender::new(0), Condvar::new());
        Self { contents: Mutex::new(contents), changes, work, scratch, folder }
    }

    /// Locks and returns the contents.
    pub fn contents(&self) -> MutexGuard<'_, Contents> {
        // The data of a thread that panicked is still a valid list of files.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the contents, and notifies the page and the threads that wait for work.
    pub fn change<T>(&self, change: impl FnOnce(&mut Contents) -> T) -> T {
        let result = change(&mut self.contents());
        self.changes.send_modify(|count| *count += 1);
        self.work.notify_all();
        result
    }

    /// Returns a receiver that is notified of every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Waits until `find` returns work; `None` when the program ends.
    pub fn next<T>(&self, mut find: impl FnMut(&mut Contents) -> Option<T>) -> Option<T> {
        let mut contents = self.contents();
        loop {
            if contents.is_closing {
                return None;
            }
            if let Some(found) = find(&mut contents) {
                self.changes.send_modify(|count| *count += 1);
                return Some(found);
            }
            contents = self.work.wait(contents).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the threads that wait for work.
    pub fn close(&self) {
        self.change(|contents| contents.is_closing = true);
    }

    /// Returns true if the program is ending.
    pub fn is_closing(&self) -> bool {
        self.contents().is_closing
    }

    /// Returns the path of a sound.
    pub fn sound_path(&self, id: Id) -> PathBuf {
        self.scratch.join(format!("sound-{id}.wav"))
    }

    /// Stores a sound for playback.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn keep_sound(&self, (bytes, lufs): (Vec<u8>, Option<f64>)) -> Result<(Id, SoundView), Error> {
        let id = self.change(Contents::next_id);
        std::fs::write(self.sound_path(id), bytes).map_err(|e| io::Error::spooling(&e))?;
        Ok((id, SoundView { url: format!("sounds/{id}"), lufs }))
    }

    /// Stores the sound of a preview, and removes the oldest if there are too many.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn keep_preview(&self, encoded: (Vec<u8>, Option<f64>)) -> Result<SoundView, Error> {
        let (id, view) = self.keep_sound(encoded)?;
        let old = self.change(|contents| {
            contents.previews.push_back(id);
            if contents.previews.len() > KEPT_PREVIEWS { contents.previews.pop_front() } else { None }
        });
        if let Some(old) = old {
            // A file that cannot be removed now is removed with the folder.
            let _ = std::fs::remove_file(self.sound_path(old));
        }
        Ok(view)
    }

    /// Adds a mix.
    ///
    /// # Errors
    /// If there are too many files.
    pub fn add_song(&self, path: PathBuf) -> Result<Id, Error> {
        self.add(|contents, id| {
            let view = SongView {
                id,
                name: reference_name(&path),
                progress: Progress::Waiting,
                error: None,
                seconds: 0.0,
                format: String::new(),
                lufs: None,
                true_peak_dbtp: None,
                notes: Vec::new(),
                start_s: 0.0,
                sound: None,
            };
            contents.songs.push(SongEntry { view, path, balanced_lufs: None });
        })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If there are too many files.
    pub fn add_reference(&self, reference: Reference) -> Result<Id, Error> {
        self.add(|contents, id| {
            let (name, progress) = (reference.name(), Progress::Waiting);
            let view = ReferenceView { id, name, progress, error: None, lufs: None, sound: None };
            contents.references.push(ReferenceEntry { view, reference, measured: None });
        })
    }

    /// Checks that there is room for one more file.
    ///
    /// # Errors
    /// If there are too many files.
    pub fn check_room(&self) -> Result<(), Error> {
        let contents = self.contents();
        if contents.songs.len() + contents.references.len() < MAX_FILES {
            return Ok(());
        }
        let words = format!("no more than {MAX_FILES} files at once; `goldmaster batch` takes any number");
        Err(Error::Usage(words))
    }

    fn add(&self, add: impl FnOnce(&mut Contents, Id)) -> Result<Id, Error> {
        self.check_room()?;
        Ok(self.change(|contents| {
            let id = contents.next_id();
            add(contents, id);
            id
        }))
    }

    /// Removes the file of a dropped song or record, unless a planned master still needs it. Files that were named on
    /// the command line are kept.
    pub fn discard(&self, path: &Path) {
        let is_needed = self.contents().exports.iter().any(|export| {
            let is_ahead = matches!(export.view.progress, Progress::Waiting | Progress::Working);
            is_ahead && export.job.as_ref().is_some_and(|job| job.reads(path))
        });
        if let Some(folder) = path.parent().filter(|_| path.starts_with(&self.scratch) && !is_needed) {
            // A folder that cannot be removed now is removed at the end.
            let _ = std::fs::remove_dir_all(folder);
        }
    }

    /// Plans masters, each with all of its files, and returns the ids of the files. If a path is taken, a number is
    /// added to it.
    pub fn add_exports(&self, masters: Vec<Vec<ExportJob>>) -> Vec<Id> {
        self.change(|contents| {
            let mut plan = |mut job: ExportJob, first: Option<Id>| {
                let id = contents.next_id();
                let is_taken = |path: &Path| {
                    let is_there = |path: &Path| path.symlink_metadata().is_ok();
                    let is_planned = |export: &ExportEntry| Path::new(&export.view.path) == path;
                    is_there(path)
                        || Detail::ALL.iter().any(|detail| is_there(&detail.path(path)))
                        || contents.exports.iter().any(is_planned)
                };
                let (song, path, command) = match &mut job {
                    ExportJob::Song(job) => {
                        job.output.path = free_path(&job.output.path, is_taken);
                        (reference_name(&job.input), job.output.path.clone(), command(job, &self.scratch))
                    }
                    ExportJob::Album(album) => {
                        album.folder = free_path(&album.folder, is_taken);
                        (format!("{} songs", album.plan.songs), album.folder.clone(), String::new())
                    }
                };
                let is_album = matches!(job, ExportJob::Album(_));
                let (name, path) = (reference_name(&path), path.display().to_string());
                let view = ExportView { id, song, name, path, is_album, command, ..ExportView::waiting() };
                let master = first.unwrap_or(id);
                contents.exports.push(ExportEntry { view, job: Some(job), master, is_cancelled: false });
                id
            };
            let mut ids = Vec::new();
            for files in masters {
                let mut first = None;
                for job in files {
                    let id = plan(job, first);
                    first.get_or_insert(id);
                    ids.push(id);
                }
            }
            ids
        })
    }

    /// Returns everything that the page shows.
    pub fn view(&self) -> StudioView {
        let contents = self.contents();
        let destination = |place: &Destination| {
            let words = place.to_possible_value()?.get_help()?.to_string();
            Some(Choice { value: place.to_string(), name: place.name(), words })
        };
        let character =
            |c: Character| Choice { value: c.name().to_owned(), name: c.name(), words: c.words().to_owned() };
        StudioView {
            program: concat!("goldmaster ", env!("CARGO_PKG_VERSION")),
            folder: self.folder.display().to_string(),
            destinations: Destination::value_variants().iter().filter_map(destination).collect(),
            characters: Character::ALL.map(character).to_vec(),
            songs: contents.songs.iter().map(|song| song.view.clone()).collect(),
            references: contents.references.iter().map(|reference| reference.view.clone()).collect(),
            exports: contents.exports.iter().rev().map(|export| export.view.clone()).collect(),
        }
    }
}

impl Contents {
    /// Returns an unused id.
    pub fn next_id(&mut self) -> Id {
        self.last_id += 1;
        self.last_id
    }

    /// Returns a song by its id.
    pub fn song(&mut self, id: Id) -> Option<&mut SongEntry> {
        self.songs.iter_mut().find(|song| song.view.id == id)
    }

    /// Returns a record by its id.
    pub fn reference(&mut self, id: Id) -> Option<&mut ReferenceEntry> {
        self.references.iter_mut().find(|reference| reference.view.id == id)
    }

    /// Returns a master by its id.
    pub fn export(&mut self, id: Id) -> Option<&mut ExportEntry> {
        self.exports.iter_mut().find(|export| export.view.id == id)
    }

    /// Begins the next export that waits, or the next one that is a file of `master`.
    pub fn begin_export(&mut self, master: Option<Id>) -> Option<BegunExport> {
        if self.is_closing {
            return None;
        }
        let mut waiting = self.exports.iter_mut().filter(|export| export.view.progress == Progress::Waiting);
        let export = waiting.find(|export| master.is_none_or(|master| export.master == master))?;
        export.view.progress = Progress::Working;
        Some(BegunExport { id: export.view.id, master: export.master, job: export.job.clone()? })
    }

    /// Returns records by their ids, as the settings need them.
    ///
    /// # Errors
    /// If one of them does not exist, or there are too many.
    pub fn named_references(&self, ids: &[Id]) -> Result<Vec<Reference>, Error> {
        if ids.len() > MAX_REFERENCES {
            return Err(Error::Usage(format!("no more than {MAX_REFERENCES} records at once")));
        }
        let find = |id: &Id| {
            let entry = self.references.iter().find(|reference| reference.view.id == *id);
            let gone = || Error::Usage("a record that was chosen is gone: choose again".to_owned());
            entry.map(|entry| entry.reference.clone()).ok_or_else(gone)
        };
        ids.iter().map(find).collect()
    }
}

/// Returns the command line of a job. Dropped files appear by name only, since their location on the user's disk is
/// unknown.
fn command(job: &MasterJob, scratch: &Path) -> String {
    let displayed_path = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        if path.starts_with(scratch) { PathBuf::from(name) } else { path.to_owned() }
    };
    let mut settings = job.settings.clone();
    for reference in &mut settings.references {
        reference.path = displayed_path(&reference.path);
    }
    settings.command_line(&displayed_path(&job.input), &job.output.path)
}

/// Returns the path, or the first one with a number that is not taken.
fn free_path(path: &Path, is_taken: impl Fn(&Path) -> bool) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (stem, end) =
        name.split_once(".master.").map_or((&*name, String::new()), |(stem, end)| (stem, format!(".master.{end}")));
    let numbered = |number: u32| path.with_file_name(format!("{stem} {number}{end}"));
    std::iter::once(path.to_owned()).chain((2..).map(numbered)).find(|path| !is_taken(path)).unwrap_or_default()
}

/// Returns the error for a song that no longer exists.
pub fn song_is_gone() -> Error {
    Error::Usage("the song is gone".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_never_takes_the_place_of_another_file() {
        let taken = ["a.master.wav", "a 2.master.wav"].map(PathBuf::from);
        let is_taken = |path: &Path| taken.iter().any(|taken| taken == path);
        assert_eq!(free_path(Path::new("a.master.wav"), is_taken), Path::new("a 3.master.wav"));
        assert_eq!(free_path(Path::new("b.master.wav"), is_taken), Path::new("b.master.wav"));
        assert_eq!(free_path(Path::new("album"), |path| path == Path::new("album")), Path::new("album 2"));
    }
}
