//! What the program holds while its page is open: songs, records, sounds and masters.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use analyzer::profile::Profile;
use clap::ValueEnum as _;
use models::character::Character;
use tokio::sync::watch;

use crate::error::Error;
use crate::io;
use crate::io::output_spec::Format;
use crate::report::reference_name;
use crate::request::destination::Destination;
use crate::request::job::MasterJob;
use crate::request::paths::without_extension;
use crate::request::reference::Reference;
use crate::ui::history;
use crate::ui::view::{Choice, ExportView, Id, Progress, ReferenceView, SongView, SoundView, StudioView};

/// Songs and records together that a page may hold.
const MOST_FILES: usize = 2000;
/// Previews that are kept; older ones are made again.
const KEPT_PREVIEWS: usize = 48;

/// A mix.
pub struct SongEntry {
    /// As the page shows it.
    pub view: SongView,
    /// Its file.
    pub path: PathBuf,
    /// How loud its balanced master is, LUFS, once that is known.
    pub balanced_lufs: Option<f64>,
}

/// A record to sound like.
pub struct ReferenceEntry {
    /// As the page shows it.
    pub view: ReferenceView,
    /// Its file.
    pub path: PathBuf,
    /// What was measured of it, and noticed.
    pub measured: Option<Arc<(Profile, Vec<io::Warning>)>>,
}

/// A master.
pub struct ExportEntry {
    /// As the page shows it.
    pub view: ExportView,
    /// What is to be done; `None` for one that an earlier run made.
    pub job: Option<MasterJob>,
    /// Nobody wants it any more.
    pub is_cancelled: bool,
}

/// What changes while the page is open.
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

/// All of it, for all threads.
pub struct Studio {
    contents: Mutex<Contents>,
    /// Counts changes.
    changes: watch::Sender<u64>,
    /// Wakes whoever waits for work.
    work: Condvar,
    /// Where uploads and sounds lie; removed at the end.
    pub scratch: PathBuf,
    /// Where masters go.
    pub folder: PathBuf,
}

impl Studio {
    /// An empty one, but for the masters that lie in `folder` already.
    pub fn new(scratch: PathBuf, folder: PathBuf) -> Self {
        let mut contents = Contents::default();
        for view in history::earlier(&folder) {
            contents.last_id += 1;
            let view = ExportView { id: contents.last_id, ..view };
            contents.exports.push(ExportEntry { view, job: None, is_cancelled: false });
        }
        let (changes, work) = (watch::Sender::new(0), Condvar::new());
        Self { contents: Mutex::new(contents), changes, work, scratch, folder }
    }

    /// Looks at the contents.
    pub fn contents(&self) -> MutexGuard<'_, Contents> {
        // What a thread that panicked has left is still a list of files.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the contents, and tells the page and whoever waits for work.
    pub fn change<T>(&self, change: impl FnOnce(&mut Contents) -> T) -> T {
        let result = change(&mut self.contents());
        self.changes.send_modify(|count| *count += 1);
        self.work.notify_all();
        result
    }

    /// Is told of every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Waits for something to do, as `find` finds it; `None` when the program ends.
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

    /// Whoever waits for work goes home.
    pub fn close(&self) {
        self.change(|contents| contents.is_closing = true);
    }

    /// Whether the program ends.
    pub fn is_closing(&self) -> bool {
        self.contents().is_closing
    }

    /// Where a sound lies.
    pub fn sound_path(&self, id: Id) -> PathBuf {
        self.scratch.join(format!("sound-{id}.flac"))
    }

    /// Keeps a sound to play.
    ///
    /// # Errors
    /// The disk is full.
    pub fn keep_sound(&self, (bytes, lufs): (Vec<u8>, Option<f64>)) -> Result<(Id, SoundView), Error> {
        let id = self.change(Contents::next_id);
        std::fs::write(self.sound_path(id), bytes).map_err(|e| io::Error::spooling(&e))?;
        Ok((id, SoundView { url: format!("sounds/{id}"), lufs }))
    }

    /// Keeps the sound of a preview, in the place of the oldest where there are many.
    ///
    /// # Errors
    /// The disk is full.
    pub fn keep_preview(&self, encoded: (Vec<u8>, Option<f64>)) -> Result<SoundView, Error> {
        let (id, view) = self.keep_sound(encoded)?;
        let old = self.change(|contents| {
            contents.previews.push_back(id);
            if contents.previews.len() > KEPT_PREVIEWS { contents.previews.pop_front() } else { None }
        });
        if let Some(old) = old {
            // What cannot be removed goes with the folder.
            let _ = std::fs::remove_file(self.sound_path(old));
        }
        Ok(view)
    }

    /// Takes in a mix.
    ///
    /// # Errors
    /// There are too many.
    pub fn add_song(&self, path: PathBuf) -> Result<Id, Error> {
        self.add(
            |contents, id, name| {
                let view = SongView {
                    id,
                    name,
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
                contents.songs.push(SongEntry { view, path: path.clone(), balanced_lufs: None });
            },
            &path,
        )
    }

    /// Takes in a record.
    ///
    /// # Errors
    /// There are too many.
    pub fn add_reference(&self, path: PathBuf) -> Result<Id, Error> {
        self.add(
            |contents, id, name| {
                let view =
                    ReferenceView { id, name, progress: Progress::Waiting, error: None, lufs: None, sound: None };
                contents.references.push(ReferenceEntry { view, path: path.clone(), measured: None });
            },
            &path,
        )
    }

    fn add(&self, add: impl FnOnce(&mut Contents, Id, String), path: &Path) -> Result<Id, Error> {
        self.change(|contents| {
            if contents.songs.len() + contents.references.len() >= MOST_FILES {
                let words = format!("no more than {MOST_FILES} files at once; `goldmaster batch` takes any number");
                return Err(Error::Usage(words));
            }
            let id = contents.next_id();
            add(contents, id, reference_name(path));
            Ok(id)
        })
    }

    /// Plans the masters of a song; returns their numbers.
    pub fn add_exports(&self, jobs: Vec<MasterJob>) -> Vec<Id> {
        self.change(|contents| {
            let mut plan = |mut job: MasterJob| {
                let id = contents.next_id();
                let is_taken = |path: &Path| {
                    path.exists() || contents.exports.iter().any(|export| Path::new(&export.view.path) == path)
                };
                job.output.path = free_path(&job.output.path, is_taken);
                let view = ExportView {
                    id,
                    song: reference_name(&job.input),
                    name: reference_name(&job.output.path),
                    path: job.output.path.display().to_string(),
                    progress: Progress::Waiting,
                    stage: String::new(),
                    share: 0.0,
                    error: None,
                    words: String::new(),
                    lufs: None,
                    true_peak_dbtp: None,
                    notes: Vec::new(),
                    command: command(&job),
                };
                contents.exports.push(ExportEntry { view, job: Some(job), is_cancelled: false });
                id
            };
            jobs.into_iter().map(&mut plan).collect()
        })
    }

    /// All that the page shows.
    pub fn view(&self) -> StudioView {
        let contents = self.contents();
        let choice = |name: String, words: String| Choice { name, words };
        let destination = |place: &Destination| {
            let value = place.to_possible_value()?;
            Some(choice(value.get_name().to_owned(), value.get_help()?.to_string()))
        };
        StudioView {
            program: concat!("goldmaster ", env!("CARGO_PKG_VERSION")),
            folder: self.folder.display().to_string(),
            destinations: Destination::value_variants().iter().filter_map(destination).collect(),
            characters: Character::ALL.map(|c| choice(c.name().to_owned(), c.words().to_owned())).to_vec(),
            songs: contents.songs.iter().map(|song| song.view.clone()).collect(),
            references: contents.references.iter().map(|reference| reference.view.clone()).collect(),
            exports: contents.exports.iter().rev().map(|export| export.view.clone()).collect(),
        }
    }
}

impl Contents {
    /// A number that nothing has yet.
    pub fn next_id(&mut self) -> Id {
        self.last_id += 1;
        self.last_id
    }

    /// A song by its number.
    pub fn song(&mut self, id: Id) -> Option<&mut SongEntry> {
        self.songs.iter_mut().find(|song| song.view.id == id)
    }

    /// A record by its number.
    pub fn reference(&mut self, id: Id) -> Option<&mut ReferenceEntry> {
        self.references.iter_mut().find(|reference| reference.view.id == id)
    }

    /// A master by its number.
    pub fn export(&mut self, id: Id) -> Option<&mut ExportEntry> {
        self.exports.iter_mut().find(|export| export.view.id == id)
    }

    /// Records by their numbers, as settings name them.
    ///
    /// # Errors
    /// One of them is not there.
    pub fn named_references(&self, ids: &[Id]) -> Result<Vec<Reference>, Error> {
        let find = |id: &Id| {
            let entry = self.references.iter().find(|reference| reference.view.id == *id);
            let gone = || Error::Usage("a record that was chosen is gone: choose again".to_owned());
            entry.map(|entry| Reference::whole(entry.path.clone())).ok_or_else(gone)
        };
        ids.iter().map(find).collect()
    }
}

/// The command line of a job, with the names of files alone: those that were dropped lie elsewhere for a user.
fn command(job: &MasterJob) -> String {
    let mut settings = job.settings.clone();
    for reference in &mut settings.references {
        reference.path = reference_name(&reference.path).into();
    }
    settings.command_line(reference_name(&job.input).as_ref(), reference_name(&job.output.path).as_ref())
}

/// Where the master of a song goes.
pub fn master_path(folder: &Path, song: &Path, place: Option<Destination>, format: Format) -> PathBuf {
    let name = PathBuf::from(song.file_name().unwrap_or_default());
    let stem = without_extension(&name).display().to_string();
    let place = place.map_or_else(String::new, |place| format!(" [{place}]"));
    folder.join(format!("{stem}{place}.master.{}", format.extension()))
}

/// The path, or the first one with a number that is not taken.
fn free_path(path: &Path, is_taken: impl Fn(&Path) -> bool) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (stem, end) = name.split_once(".master.").unwrap_or((&name, "wav"));
    let numbered = |number: u32| path.with_file_name(format!("{stem} {number}.master.{end}"));
    std::iter::once(path.to_owned()).chain((2..).map(numbered)).find(|path| !is_taken(path)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_never_takes_the_place_of_another_file() {
        let folder = Path::new("masters");
        let path = master_path(folder, Path::new("up/My song v1.2.flac"), Some(Destination::AppleMusic), Format::Flac);
        assert_eq!(path, Path::new("masters/My song v1.2 [apple-music].master.flac"));
        let path = master_path(folder, Path::new("No Extension 1.2"), None, Format::Wav);
        assert_eq!(path, Path::new("masters/No Extension 1.2.master.wav"));
        let taken = ["a.master.wav", "a 2.master.wav"].map(PathBuf::from);
        let is_taken = |path: &Path| taken.iter().any(|taken| taken == path);
        assert_eq!(free_path(Path::new("a.master.wav"), is_taken), Path::new("a 3.master.wav"));
        assert_eq!(free_path(Path::new("b.master.wav"), is_taken), Path::new("b.master.wav"));
    }
}
