//! State that the songs of a batch share: records, references, deciders, and the analysis of all songs together.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use analyzer::profile::Profile;
use models::Decider;
use models::target::Target;

use crate::batch::plan::Item;
use crate::batch::record::{MadeFrom, MasterState, Records};
use crate::batch::references::References;
use crate::batch::settings::Settings;
use crate::decide::genres::{Genres, with_genre_of_tags};
use crate::decide::reference::most_alike;
use crate::decide::target::{MasteringTarget, load_decider};
use crate::error::{Cause, Error};
use crate::io::hash::file_hash;
use crate::io::name;
use crate::report::album::AlbumReport;
use crate::request::job::MasterJob;
use crate::request::page::PageAudio;
use crate::request::settings::DeciderKind;
use crate::song::Song;
use crate::song::observer::Observer;
use crate::workflows::album::BalancedSong;
use crate::workflows::album::level::Offset;

/// Everything that is the same for all songs of a batch.
pub struct Shared<'a> {
    /// Folder of the masters.
    pub output: &'a Path,
    /// Records of finished songs and failures in that folder.
    pub records: Records,
    /// The references measured so far.
    pub references: References,
    /// True if files that no batch has written may be replaced.
    pub force: bool,
    /// True if finished songs are left as they are.
    pub resume: bool,
    /// The sound on every song's page; `None` writes no pages.
    pub pages: Option<PageAudio>,
    /// Memory for each spool of a song, bytes.
    pub spool_bytes: usize,
    /// Memory for the sound on a song's page, bytes.
    pub page_bytes: u64,
    /// The analysis of the songs that are currently mastered together.
    pub analysis: BatchAnalysis,
}

/// Runs `work` on the song in the file `input`. A panic fails that song alone.
///
/// # Errors
/// The error of `work`, or a message about the panic.
pub fn catch_panics<T>(input: &Path, work: impl FnOnce() -> Result<T, Cause>) -> Result<T, Cause> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Cause::new("fault", format!("{}: a fault of this program: please report it", name(input))))
    })
}

/// The results of analysing the songs of a batch or an album together.
#[derive(Default)]
pub struct BatchAnalysis {
    /// Hash of everything that a song's master depends on besides the song and its settings.
    pub context: String,
    /// The middle of the songs, if every song is mastered towards it separately.
    pub middle: Option<Target>,
    /// The songs of an album with their recipes, by their position in the plan.
    pub album: BTreeMap<usize, Result<BalancedSong, Cause>>,
    /// The loudness wanted for the album, LUFS, and the offset that reaches it.
    pub(super) loudness: Option<(f64, Offset)>,
    pub(super) held_back_by: Option<String>,
    /// Names of the references that an album is mastered towards.
    pub(super) references: Vec<String>,
    /// True if nothing was analysed because all songs were finished. No song can be mastered then.
    pub is_unknown: bool,
    /// The report of this same album, if it is finished.
    pub(super) known: Option<AlbumReport>,
}

/// The deciders of one thread. Each is loaded when it is first needed.
#[derive(Default)]
pub struct Deciders {
    /// Hash, frames and profile of the song that was read last, for further masters of the same mix.
    pub(super) read: Option<(String, Song, Profile)>,
    deciders: Vec<(DeciderKind, Decider)>,
    genres: Genres,
}

impl Deciders {
    /// Returns the decider of this kind.
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
    /// Returns the hashes of everything that the master of `item` would be made from now.
    ///
    /// # Errors
    /// The song, a reference or the profile cannot be read.
    pub fn made_from(&self, item: &Item) -> Result<MadeFrom, Cause> {
        self.made_from_in(item, &self.analysis.context)
    }

    /// As [`made_from`](Self::made_from), with another context.
    ///
    /// # Errors
    /// As [`made_from`](Self::made_from).
    pub fn made_from_in(&self, item: &Item, context: &str) -> Result<MadeFrom, Cause> {
        if let Some(problem) = &item.problem {
            return Err(Cause::new("plan", problem.as_str()));
        }
        let input_hash = file_hash(&item.input)?;
        let references = item.settings.possible_references();
        let references = match item.settings.picks_most_similar_reference() {
            // A record of a folder that cannot be read is left out.
            true => references.iter().map(|record| self.references.hash(&record.path).unwrap_or_default()).collect(),
            false => self.references.hashes(&references)?,
        };
        let profile = item.settings.master.profile.as_deref().map(|path| self.references.hash(path)).transpose()?;
        Ok(MadeFrom { input_hash, settings_hash: item.settings.hash(&references, profile.as_deref(), context) })
    }

    /// Returns the state of the song's master.
    ///
    /// # Errors
    /// The master exists and cannot be read.
    pub fn master_state(&self, item: &Item, made_from: &MadeFrom) -> Result<MasterState, Cause> {
        Ok(self.records.master_state(&item.output, made_from)?)
    }

    /// Finds the target of a song, or of all `songs` of an album, which were read from the files `inputs`. The
    /// returned job contains the references of their genre, or the most similar one of a folder.
    ///
    /// # Errors
    /// A reference or a profile cannot be used, or the network fails.
    pub fn find_target(
        &self,
        settings: &Settings,
        mut job: MasterJob,
        (inputs, songs): (&[&Path], &[&Profile]),
        deciders: &mut Deciders,
        observer: &dyn Observer,
    ) -> Result<(MasterJob, MasteringTarget), Error> {
        if !settings.picks_most_similar_reference() {
            job.settings = with_genre_of_tags(&job.settings, inputs);
        }
        let (decider, genres) = deciders.both(job.settings.decider)?;
        let mut matched_genre = None;
        if settings.picks_reference_by_genre() {
            let (genre, _) = genres.find(&job.settings.genre(), decider.norm(), songs).map_err(Error::Network)?;
            job.settings.references = settings.references_of(&genre.name);
            matched_genre = Some(genre);
        }
        if settings.picks_most_similar_reference() {
            let (records, _) = self.references.usable(&settings.folder_references, observer);
            let profiles: Vec<&Profile> = records.iter().map(|(_, profile)| profile).collect();
            let place = most_alike(songs, &profiles, decider.norm());
            job.settings.references = place.map(|place| records[place].0.clone()).into_iter().collect();
        }
        let references = self.references.measured(&job.settings.references, observer).map_err(Error::Reference)?;
        let aim = MasteringTarget::towards(decider, genres, references, &job.settings, songs)?;
        Ok((job, MasteringTarget { genre: aim.genre.or(matched_genre), ..aim }))
    }
}
