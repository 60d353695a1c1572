//! The steps of an album, for programs that spread its songs over several processes.

use std::path::Path;

use crate::decide::genres::{genre_of_file, with_genre};
use crate::decide::target::MasteringTarget;
use crate::error::{Cause, Error};
use crate::io;
use crate::io::output_spec::Format;
use crate::report::Report;
use crate::request::job::{AlbumSettings, MasterJob, Output};
use crate::request::settings::Strictness;
use crate::song::observer::{Observer, Silent};
use crate::song::{SPOOL_BYTES, Song};
use crate::workflows::album::decided::{BalancedSong, DecidedAlbum, PreparedSong};
use crate::workflows::album::measured::{MeasuredSong, in_order, measure_edited};
use crate::workflows::master::{check, deliver};
use crate::workflows::mastering::Master;

/// Masters the songs of an album together, in steps that may be done in different processes. The masters have the same
/// bytes as those of `goldmaster batch --album` with the same settings.
///
/// [`measure`](Self::measure), [`prepare`](Self::prepare) and [`master`](Self::master) are done for every song, in any
/// order and anywhere; [`decide`](Self::decide) and [`balance`](Self::balance) once for the album. The order of the songs
/// has no influence. A song that fails in a step is left out of those that follow, as a batch does.
///
/// ```no_run
/// use goldmaster::workflows::album::{Album, MeasuredSong, PreparedSong};
/// use goldmaster::{Master, error::Error};
///
/// let (album, mixes) = (Album::from(Master::new().loudness(-12.0)), ["one.wav", "two.wav"]);
/// let measured = mixes.iter().map(|mix| album.measure(mix)).collect::<Result<Vec<MeasuredSong>, Error>>()?;
/// let decided = album.decide(&measured)?;
/// let prepared = mixes.iter().zip(&measured).map(|(mix, song)| album.prepare(mix, song, &decided));
/// let balanced = album.balance(&decided, prepared.collect::<Result<Vec<PreparedSong>, Error>>()?)?;
/// for (mix, song) in mixes.iter().zip(&balanced) {
///     album.master(mix, song, format!("masters/{mix}"))?;
/// }
/// # Ok::<(), Error>(())
/// ```
///
/// Every step also exists with an observer, which follows the progress and may cancel the step.
#[derive(Default)]
pub struct Album {
    /// Settings of each song; its networks and measured references serve all steps.
    pub master: Master,
    /// Settings of the album.
    pub settings: AlbumSettings,
    /// Format of the masters. A master may be written in another; its bytes are then not those of a batch.
    pub format: Format,
}

impl From<Master> for Album {
    fn from(master: Master) -> Self {
        Self { master, ..Self::default() }
    }
}

impl Album {
    /// Refuses settings with which no album could be mastered, as every step does.
    ///
    /// # Errors
    /// A value that no recipe accepts, several destinations, or an album that is its own reference beside another target
    /// ([`Error::Usage`] or [`Error::Recipe`]).
    pub fn check(&self) -> Result<(), Error> {
        let settings = self.master.settings();
        let has_target = !settings.references.is_empty() || settings.profile.is_some() || settings.genre.is_some();
        if self.settings.is_own_reference && has_target {
            return Err(Error::Usage(
                "an album that is its own reference has no reference, profile or genre".to_owned(),
            ));
        }
        if settings.delivery.destinations.len() > 1 {
            return Err(Error::Usage("an album goes to one place; master it once for each".to_owned()));
        }
        settings.check(self.format)
    }

    /// Measures a song.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn measure(&self, input: impl AsRef<Path>) -> Result<MeasuredSong, Error> {
        self.measure_observed(input, &Silent)
    }

    /// As [`measure`](Self::measure), with an observer.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn measure_observed(&self, input: impl AsRef<Path>, observer: &dyn Observer) -> Result<MeasuredSong, Error> {
        self.check()?;
        let edges = self.master.settings().edges.params()?;
        let (_, profile, _) = measure_edited(input.as_ref(), &edges, SPOOL_BYTES, observer)?;
        Ok(MeasuredSong { profile, genre: genre_of_file(input.as_ref()).map(str::to_owned) })
    }

    /// Decides what all songs of the album share: target, tone and loudness. References are measured here.
    ///
    /// # Errors
    /// A reference or the profile cannot be used, all songs are silent, or the network fails.
    pub fn decide(&self, songs: &[MeasuredSong]) -> Result<DecidedAlbum, Error> {
        self.decide_observed(songs, &Silent)
    }

    /// As [`decide`](Self::decide), with an observer.
    ///
    /// # Errors
    /// As [`decide`](Self::decide), or the step is interrupted.
    pub fn decide_observed(&self, songs: &[MeasuredSong], observer: &dyn Observer) -> Result<DecidedAlbum, Error> {
        self.check()?;
        let settings = &with_genre(self.master.settings(), songs.iter().map(|song| song.genre.as_deref()));
        let profiles = in_order(songs.iter().map(|song| &song.profile));
        let references = self.master.references(observer)?;
        self.master.with_networks(|decider, genres| {
            let aim = MasteringTarget::towards(decider, genres, references, settings, &profiles)?;
            DecidedAlbum::new(decider, &profiles, aim, (settings, self.settings))
        })
    }

    /// Prepares a song: decides its own part, and renders it for all that its loudness depends on.
    ///
    /// # Errors
    /// The song cannot be read or is not the one that was measured, or the network fails.
    pub fn prepare(
        &self,
        input: impl AsRef<Path>,
        song: &MeasuredSong,
        album: &DecidedAlbum,
    ) -> Result<PreparedSong, Error> {
        self.prepare_observed(input, song, album, &Silent)
    }

    /// As [`prepare`](Self::prepare), with an observer.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare), or the step is interrupted.
    pub fn prepare_observed(
        &self,
        input: impl AsRef<Path>,
        song: &MeasuredSong,
        album: &DecidedAlbum,
        observer: &dyn Observer,
    ) -> Result<PreparedSong, Error> {
        self.check()?;
        let (input, settings, profile) = (input.as_ref(), self.master.settings(), &song.profile);
        let mix = Song::load(input, observer)?.edited(&settings.edges.params()?)?;
        if (mix.frames.len(), mix.info.sample_rate_hz) != (profile.frames, profile.sample_rate_hz) {
            return Err(other_song(input));
        }
        self.master.with_networks(|decider, _| {
            album.prepare((input, &mix, profile), (settings, self.format), decider, observer)
        })
    }

    /// Sets the loudness of all songs so that the album is at its own. Returns the songs in the order in which they were
    /// given.
    ///
    /// # Errors
    /// Temporary data cannot be read; or the album misses its loudness although the settings are strict
    /// ([`Error::Album`] with the code `promise`; songs are numbered from 1).
    pub fn balance(&self, album: &DecidedAlbum, songs: Vec<PreparedSong>) -> Result<Vec<BalancedSong>, Error> {
        let (balanced, offset) = album.balance(songs)?;
        let shortfall = offset.shortfall(album.wanted_lufs, |song| format!("song {}", song + 1));
        match shortfall.filter(|_| self.master.settings().strictness() == Strictness::Shortfalls) {
            Some(broken) => Err(Error::Album(Cause::new("promise", broken))),
            None => Ok(balanced),
        }
    }

    /// Masters a song. The extension of the output gives its format.
    ///
    /// # Errors
    /// See [`Error`]; nothing is written.
    pub fn master(
        &self,
        input: impl AsRef<Path>,
        song: &BalancedSong,
        output: impl AsRef<Path>,
    ) -> Result<Report, Error> {
        self.master_to(input, song, Output::at(output.as_ref().to_owned())?, &Silent)
    }

    /// Masters a song to an output that may replace a file or have a page beside it, with an observer.
    ///
    /// # Errors
    /// See [`Error`]; nothing is written. A song that is not the one that was prepared is [`Error::Usage`].
    pub fn master_to(
        &self,
        input: impl AsRef<Path>,
        song: &BalancedSong,
        output: Output,
        observer: &dyn Observer,
    ) -> Result<Report, Error> {
        self.check()?;
        let (input, settings) = (input.as_ref(), self.master.settings().clone());
        let job = MasterJob { input: input.to_owned(), output, settings, recipe: None };
        check(&job)?;
        let (loaded, profile) = Song::load_edited(input, &job.settings.edges.params()?, SPOOL_BYTES, observer)?;
        if song.input_hash != loaded.hash {
            return Err(other_song(input));
        }
        deliver(&job, song.clone().decided(input, &loaded, &profile), observer)
    }
}

/// Returns the error for a mix that is not the one of the steps before.
fn other_song(input: &Path) -> Error {
    Error::Usage(format!("{}: is not the song of the steps before; pass the same mix to each step", io::name(input)))
}
