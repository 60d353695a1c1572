//! The entry point for programs: the settings are given once, then songs are mastered one after another.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use models::Decider;
use models::character::Character;

use crate::decide::genres::Genres;
use crate::decide::target::{MeasuredReference, load_decider, measure_references};
use crate::error::Error;
use crate::report::Report;
use crate::request::delivery::LoudnessTarget;
use crate::request::destination::Destination;
use crate::request::job::{MasterJob, Output};
use crate::request::reference::Reference;
use crate::request::settings::{MasterSettings, Percent};
use crate::song::observer::{Observer, Silent};
use crate::song::{SPOOL_BYTES, Song};
use crate::workflows::master::{check, from_measured};

/// Masters songs, one after another or several at once. The masters have the same bytes as those of the command line.
///
/// Networks are loaded and references are measured once, when the first song needs them. Mastering a song takes two
/// threads of the current [`rayon`] pool; the bytes do not depend on their number.
///
/// ```no_run
/// use goldmaster::Master;
///
/// let master = Master::new().reference("hit.flac").loudness(-12.0);
/// for song in ["one", "two"] {
///     let report = master.master(format!("{song}.wav"), format!("{song}.master.flac"))?;
///     println!("{song}: {:?} LUFS", report.after.integrated_lufs);
/// }
/// # Ok::<(), goldmaster::error::Error>(())
/// ```
///
/// Settings without a method of their own are set by their name in a plan:
///
/// ```
/// use goldmaster::Master;
/// use goldmaster::request::destination::Destination;
///
/// let master = Master::new().destination(Destination::Spotify).set("genre", ["rock"])?.set("width", ["50"])?;
/// assert!(master.set("colour", ["red"]).is_err());
/// # Ok::<(), goldmaster::error::Error>(())
/// ```
#[derive(Default)]
pub struct Master {
    settings: MasterSettings,
    /// Networks that no song is using at the moment.
    networks: Mutex<Vec<(Decider, Genres)>>,
    references: OnceLock<Vec<MeasuredReference>>,
}

impl From<MasterSettings> for Master {
    fn from(settings: MasterSettings) -> Self {
        Self { settings, ..Self::default() }
    }
}

impl Master {
    /// Creates a `Master` with default settings: towards finished records of the song's own kind, at −14 LUFS and −1
    /// dBTP.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a reference record to sound like.
    pub fn reference(self, path: impl AsRef<Path>) -> Self {
        self.with(|settings| settings.references.push(Reference::whole(path.as_ref().to_owned())))
    }

    /// Sets loudness, ceiling and format to those of a destination.
    pub fn destination(self, destination: Destination) -> Self {
        self.with(|settings| settings.delivery.destinations = vec![destination])
    }

    /// Sets the integrated loudness, LUFS. The default is that of the references, or −14.
    pub fn loudness(self, lufs: f64) -> Self {
        self.with(|settings| settings.delivery.loudness = Some(LoudnessTarget::Lufs(lufs)))
    }

    /// Sets the intended difference between the master and its target.
    pub fn character(self, character: Character) -> Self {
        self.with(|settings| settings.character = character)
    }

    /// Sets the share of all changes that is applied, from 0 to 100 %. Values outside that range are clamped.
    pub fn intensity(self, percent: f64) -> Self {
        self.with(|settings| settings.amounts.intensity = Percent(percent.clamp(0.0, 100.0)))
    }

    /// Sets any setting, by the name of its column in a plan (`docs/batch.md`) and as text.
    ///
    /// # Errors
    /// The setting does not exist or does not accept these values. The message says which it accepts.
    pub fn set<V: Into<String>>(self, name: &str, values: impl IntoIterator<Item = V>) -> Result<Self, Error> {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        let mut set = Ok(());
        let changed = self.with(|settings| set = settings.set(name, &values, Path::new("")));
        set.map(|()| changed).map_err(|cause| Error::Usage(format!("{name}: {cause}")))
    }

    /// Returns a `Master` with changed settings. Measurements and networks of the old one are dropped.
    fn with(self, change: impl FnOnce(&mut MasterSettings)) -> Self {
        let mut settings = self.settings;
        change(&mut settings);
        settings.into()
    }

    /// Returns the settings.
    pub fn settings(&self) -> &MasterSettings {
        &self.settings
    }

    /// Masters one song. The extension of the output gives its format: `.wav`, `.flac`, `.mp3` or `.opus`.
    ///
    /// # Errors
    /// See [`Error`]; nothing is written.
    pub fn master(&self, input: impl AsRef<Path>, output: impl AsRef<Path>) -> Result<Report, Error> {
        self.master_to(input, Output::at(output.as_ref().to_owned())?, &Silent)
    }

    /// Masters one song to an output that may replace a file or have a page beside it. The observer follows the
    /// progress, and may cancel the run.
    ///
    /// # Errors
    /// See [`Error`]; nothing is written.
    pub fn master_to(&self, input: impl AsRef<Path>, output: Output, observer: &dyn Observer) -> Result<Report, Error> {
        let settings = self.settings.clone();
        if settings.delivery.destinations.len() > 1 {
            return Err(Error::Usage("a master goes to one place; master once for each".to_owned()));
        }
        let job = MasterJob { input: input.as_ref().to_owned(), output, settings, recipe: None };
        check(&job)?;
        let edges = job.settings.edges.params()?;
        self.with_networks(|decider, genres| {
            let load = || Song::load_edited(&job.input, &edges, SPOOL_BYTES, observer);
            let (song, references) = rayon::join(load, || self.references(observer));
            let (song, profile) = song?;
            from_measured(&job, (&song, &profile), references?, (decider, genres), observer)
        })
    }

    /// Works with networks that nothing else uses meanwhile.
    ///
    /// # Errors
    /// The networks cannot be loaded, or those of `work`.
    pub(crate) fn with_networks<T>(
        &self,
        work: impl FnOnce(&mut Decider, &mut Genres) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let idle = self.idle().pop();
        let (mut decider, mut genres) = match idle {
            Some(networks) => networks,
            None => (load_decider(self.settings.decider)?, Genres::default()),
        };
        let done = work(&mut decider, &mut genres);
        self.idle().push((decider, genres));
        done
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Decider, Genres)>> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the references, measured now or for an earlier song. Two songs that begin together may both measure
    /// them: a lock held during work in the thread pool could deadlock.
    ///
    /// # Errors
    /// A reference cannot be read.
    pub(crate) fn references(&self, observer: &dyn Observer) -> Result<Vec<MeasuredReference>, Error> {
        if let Some(measured) = self.references.get() {
            return Ok(measured.clone());
        }
        let measured = measure_references(&self.settings.references, observer)?;
        Ok(self.references.get_or_init(|| measured).clone())
    }
}
