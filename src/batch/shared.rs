//! What the songs of a batch share: records, references, deciders, and what was found out about all of them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use analyzer::profile::Profile;
use models::Decider;
use models::target::Target;
use renderer::recipe::Recipe;

use crate::batch::plan::Item;
use crate::batch::record::{MadeFrom, MasterState, Records};
use crate::batch::references::References;
use crate::batch::settings::Settings;
use crate::decide::genres::{Genres, with_genre_of_tags};
use crate::decide::reference::most_alike;
use crate::decide::target::{MasteringTarget, load_decider};
use crate::error::{Cause, Error};
use crate::io::hash::file_hash;
use crate::report::DecisionReport;
use crate::report::album::AlbumReport;
use crate::report::warning::Warning;
use crate::request::job::MasterJob;
use crate::request::page::PageAudio;
use crate::request::settings::DeciderKind;
use crate::song::Song;
use crate::song::observer::Observer;
use crate::workflows::album::Offset;

/// What is the same for all songs of a batch.
pub struct Shared<'a> {
    /// Where masters go.
    pub output: &'a Path,
    /// What is remembered there.
    pub records: Records,
    /// Measured references.
    pub references: References,
    /// Files that no batch has written may be replaced.
    pub force: bool,
    /// Finished songs are left as they are.
    pub resume: bool,
    /// Every song gets a page that plays this.
    pub pages: Option<PageAudio>,
    /// Frames in memory per spool of a song.
    pub spool_bytes: usize,
    /// Memory for the sound on a song's page.
    pub page_bytes: u64,
    /// What was found out about all songs together.
    pub direction: BatchAnalysis,
}

/// The result of `work` on the song in a file. A panic in it fails that song alone.
///
/// # Errors
/// What `work` says, or that there was a fault.
pub fn guarded<T>(input: &Path, work: impl FnOnce() -> Result<T, Cause>) -> Result<T, Cause> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Cause::new("fault", format!("{}: a fault of this program: please report it", input.display())))
    })
}

/// What was found out about all songs.
#[derive(Default)]
pub struct BatchAnalysis {
    /// Names all that a song's master depends on besides itself and its settings.
    pub context: String,
    /// The middle of the songs, when every song is mastered towards it by itself.
    pub middle: Option<Target>,
    /// What is done to each song of an album, by its place in the plan.
    pub album: BTreeMap<usize, Result<(Recipe, DecisionReport), Cause>>,
    /// What the loudness of the album was set to, LUFS, and how it gets there.
    pub(super) loudness: Option<(f64, Offset)>,
    pub(super) held_back_by: Option<String>,
    /// What was noticed about the references of an album.
    pub warnings: Vec<Warning>,
    /// All songs were finished, so that nothing was found out: none can be mastered.
    pub is_unknown: bool,
    /// The report of this very album, when it is finished.
    pub(super) known: Option<AlbumReport>,
}

/// The deciders of one thread, each loaded when it is first needed.
#[derive(Default)]
pub struct Deciders {
    /// The song that was read last, by the hash of its file, when further masters are made of it.
    pub(super) read: Option<(String, Song, Profile)>,
    deciders: Vec<(DeciderKind, Decider)>,
    genres: Genres,
}

impl Deciders {
    /// The decider of a kind.
    ///
    /// # Errors
    /// The network cannot be run.
    pub fn get(&mut self, kind: DeciderKind) -> Result<&mut Decider, Error> {
        Ok(self.both(kind)?.0)
    }

    fn both(&mut self, kind: DeciderKind) -> Result<(&mut Decider, &mut Genres), Error> {
        let at = match self.deciders.iter().position(|(known, _)| *known == kind) {
            Some(at) => at,
            None => {
                self.deciders.push((kind, load_decider(kind)?));
                self.deciders.len() - 1
            }
        };
        Ok((&mut self.deciders[at].1, &mut self.genres))
    }
}

impl Shared<'_> {
    /// What the master of `item` would be made from now.
    ///
    /// # Errors
    /// The song, a reference or the profile cannot be read.
    pub fn made_from(&self, item: &Item) -> Result<MadeFrom, Cause> {
        self.made_from_in(item, &self.direction.context)
    }

    /// The same in another company of songs.
    ///
    /// # Errors
    /// As [`made_from`](Self::made_from).
    pub fn made_from_in(&self, item: &Item, context: &str) -> Result<MadeFrom, Cause> {
        if let Some(problem) = &item.problem {
            return Err(Cause::new("plan", problem.as_str()));
        }
        let input_hash = file_hash(&item.input)?;
        let references = self.references.hashes(&item.settings.possible_references())?;
        let profile = item.settings.master.profile.as_deref().map(|path| self.references.hash(path)).transpose()?;
        Ok(MadeFrom { input_hash, settings_hash: item.settings.hash(&references, profile.as_deref(), context) })
    }

    /// How the song stands.
    ///
    /// # Errors
    /// Its master is there and cannot be read.
    pub fn standing(&self, item: &Item, made_from: &MadeFrom) -> Result<MasterState, Cause> {
        Ok(self.records.standing(&item.output, made_from)?)
    }

    /// The target of a song, or of all `songs` of a record, from the files `inputs`; the job gets the references of their genre.
    ///
    /// # Errors
    /// A reference or a profile cannot be used, or the network failed.
    pub fn aimed(
        &self,
        settings: &Settings,
        mut job: MasterJob,
        (inputs, songs): (&[&Path], &[&Profile]),
        deciders: &mut Deciders,
        observer: &dyn Observer,
    ) -> Result<(MasterJob, MasteringTarget), Error> {
        if !settings.goes_by_likeness() {
            job.settings = with_genre_of_tags(&job.settings, inputs);
        }
        let (decider, genres) = deciders.both(job.settings.decider)?;
        let mut told = None;
        if settings.goes_by_genre() {
            let (genre, _) = genres.find(&job.settings.genre(), decider.norm(), songs).map_err(Error::Network)?;
            job.settings.references = settings.references_of(&genre.name);
            told = Some(genre);
        }
        if settings.goes_by_likeness() {
            let records = self.references.measured(&settings.folder_references, observer).map_err(Error::Reference)?;
            let profiles: Vec<&Profile> = records.iter().map(|(_, _, profile, _)| profile).collect();
            let place = most_alike(songs, &profiles, decider.norm());
            job.settings.references =
                place.map(|place| settings.folder_references[place].clone()).into_iter().collect();
        }
        let references = self.references.measured(&job.settings.references, observer).map_err(Error::Reference)?;
        let aim = MasteringTarget::towards(decider, genres, references, &job.settings, songs)?;
        Ok((job, MasteringTarget { genre: aim.genre.or(told), ..aim }))
    }
}
