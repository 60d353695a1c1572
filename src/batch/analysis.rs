//! Analyses a batch as a whole: the relations between its songs, and everything that must be measured across all of
//! them before the first is mastered.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use analyzer::profile::Profile;
use models::target::Target;

use crate::batch::arriving::{is_whole, load_when_complete};
use crate::batch::outcome::Outcome;
use crate::batch::plan::{Item, Plan, Relation};
use crate::batch::record::{MadeFrom, MasterState};
use crate::batch::report;
use crate::batch::shared::{BatchAnalysis, Deciders, Shared, catch_panics};
use crate::batch::watch::{SongProgress, Stopping, Watch};
use crate::error::{Cause, Error};
use crate::io;
use crate::io::spool::Store;
use crate::report::album::AlbumReport;
use crate::request::job::{AlbumLoudness, AlbumSettings};
use crate::request::reference::Reference;
use crate::request::settings::{MasterSettings, Strictness};
use crate::song::Song;
use crate::song::observer::Observer;
use crate::song::read_ahead::side_by_side;
use crate::workflows::album::measured::{in_order, measure_edited};
use crate::workflows::album::report::{Pair, album_report, measure_master};
use crate::workflows::album::tone::RECORD;
use crate::workflows::album::{DecidedAlbum, PreparedSong};

impl BatchAnalysis {
    /// Returns an analysis that holds only the context: the hash of everything that the songs depend on together.
    pub fn context_only(plan: &Plan, shared: &Shared) -> Self {
        if plan.relation == Relation::default() {
            return Self::default();
        }
        let made_from: Vec<_> = plan.items.iter().map(|item| shared.made_from_in(item, NO_CONTEXT)).collect();
        Self { context: context(&made_from, &plan.relation), ..Self::default() }
    }

    /// Measures all songs, unless they are unrelated or all finished.
    ///
    /// # Errors
    /// A song of an album is still being written, a reference or profile cannot be used, the album misses its loudness
    /// although the settings are strict, temporary data cannot be kept, the network fails, or the run is interrupted.
    pub fn find(plan: &Plan, shared: &Shared, jobs: usize, watch: &dyn Watch) -> Result<Self, Error> {
        let Relation { album, is_own_reference, .. } = plan.relation;
        if album.is_none() && !is_own_reference {
            return Ok(Self::default());
        }
        let made_from =
            each(plan, jobs, watch, |_, item, _| catch_panics(&item.input, || shared.made_from_in(item, NO_CONTEXT)))?;
        let context = context(&made_from, &plan.relation);
        // A song that cannot be read now will fail again when its turn comes.
        let is_finished = |item: &Item| match shared.made_from_in(item, &context) {
            Ok(made) => shared.master_state(item, &made).is_ok_and(|state| state == MasterState::Finished),
            Err(_) => true,
        };
        let are_finished = shared.resume && plan.items.iter().all(is_finished);
        let known = report::albums(shared.output).into_iter().find(|known| are_finished && known.context == context);
        let unknown = Self { context, ..Self::default() };
        if are_finished && known.is_some() == album.is_some() {
            return Ok(Self { known, is_unknown: true, ..unknown });
        }
        let measured = each(plan, jobs, watch, |_, item, _| {
            let progress = SongProgress::measuring_only(watch, bytes_of_a_pass(&item.input));
            let measured = catch_panics(&item.input, || Ok(measured(item, shared, &progress)));
            progress.finish();
            measured
        })?;
        let mut profiles = Vec::with_capacity(measured.len());
        for song in measured {
            profiles.push(match song {
                // Stop here: the next run masters the album once all its files are complete.
                Ok(Err(Error::Io(error @ io::Error::Changed { .. }))) if album.is_some() => return Err(error.into()),
                song => song.and_then(|measured| Ok(measured?)),
            });
        }
        match album {
            Some(by) => unknown.solved(plan, shared, jobs, watch, &profiles, by),
            None => {
                let measured: Vec<&Profile> = profiles.iter().flatten().collect();
                Ok(Self { middle: Target::middle(RECORD, &measured), ..unknown })
            }
        }
    }

    /// Solves tone and loudness of an album from the profiles of its songs.
    fn solved(
        self,
        plan: &Plan,
        shared: &Shared,
        jobs: usize,
        watch: &dyn Watch,
        profiles: &[Result<Profile, Cause>],
        by: AlbumLoudness,
    ) -> Result<Self, Error> {
        let Some(first) = plan.items.first() else { return Ok(self) };
        let job = first.settings.job(first.input.clone(), first.output.clone(), false);
        let mut deciders = Deciders::default();
        let measured = in_order(profiles.iter().flatten());
        let read = plan.items.iter().zip(profiles).filter(|(_, profile)| profile.is_ok());
        let inputs: Vec<&Path> = read.map(|(item, _)| item.input.as_path()).collect();
        let (job, aim) =
            shared.find_target(&first.settings, job, (&inputs, &measured), &mut deciders, &Stopping(watch))?;
        let Relation { balance, is_own_reference, .. } = plan.relation;
        let references = job.settings.references.iter().filter(|_| !is_own_reference).map(Reference::name).collect();
        let (settings, format) = (&job.settings, job.output.format);
        let wanted = (settings, AlbumSettings { loudness: by, balance, is_own_reference });
        let decided = match DecidedAlbum::new(deciders.get(settings.decider)?, &measured, aim, wanted) {
            Err(Error::Album(cause)) => {
                let album = plan.items.iter().map(|item| (item.index, Err(cause.clone()))).collect();
                return Ok(Self { album, ..self });
            }
            decided => decided?,
        };
        let store = Store::new()?;
        let prepared = each(plan, jobs, watch, |at, item, deciders| {
            let profile = profiles[at].as_ref().map_err(Cause::clone)?;
            catch_panics(&item.input, || {
                let decider = deciders.get(settings.decider)?;
                let progress = SongProgress::measuring_only(watch, bytes_of_a_pass(&item.input));
                let mix = Song::load_within(&item.input, shared.spool_bytes, &progress)?;
                let mix = mix.edited(&settings.edges.params()?)?;
                let mut song = decided.prepare((&item.input, &mix, profile), (settings, format), decider, &progress)?;
                progress.finish();
                // All songs are kept until the last one is prepared: move their traces out of memory.
                song.store(&store)?;
                Ok(song)
            })
        })?;
        Self { references, ..self }.balanced(plan, shared, prepared, &decided, settings.strictness())
    }

    /// Solves the loudness of an album whose songs are prepared.
    fn balanced(
        self,
        plan: &Plan,
        shared: &Shared,
        prepared: Vec<Result<PreparedSong, Cause>>,
        decided: &DecidedAlbum,
        strictness: Strictness,
    ) -> Result<Self, Error> {
        let (mut ready, mut songs, mut album) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (item, prepared) in plan.items.iter().zip(prepared) {
            match prepared {
                Ok(song) => {
                    ready.push(item);
                    songs.push(song);
                }
                Err(cause) => drop(album.insert(item.index, Err(cause))),
            }
        }
        let (songs, offset) = decided.balance(songs)?;
        let name = |song: usize| ready[song].input.display().to_string();
        let wanted_lufs = decided.wanted_lufs;
        let is_strict = strictness == Strictness::Shortfalls;
        if let Some(song) = offset.held_back_by.filter(|_| is_strict) {
            let (output, song) = (shared.output.to_owned(), ready[song].input.clone());
            return Err(Error::HeldBack { output, wanted_lufs, song });
        }
        let shortfall = offset.shortfall(wanted_lufs, name).filter(|_| is_strict);
        if let Some(broken) = shortfall {
            return Err(Error::Promise { path: shared.output.to_owned(), broken });
        }
        let held_back_by = offset.held_back_by.map(name);
        album.extend(ready.iter().map(|item| item.index).zip(songs.into_iter().map(Ok)));
        Ok(Self { album, loudness: Some((wanted_lufs, offset)), held_back_by, ..self })
    }

    /// Measures the masters of the finished album, unless its report is known. Returns `None` if the songs are no
    /// album or the run did not reach all of them.
    ///
    /// # Errors
    /// The run is interrupted.
    pub fn album_report(
        &self,
        plan: &Plan,
        shared: &Shared,
        outcomes: &[Outcome],
        jobs: usize,
        watch: &dyn Watch,
    ) -> Result<Option<AlbumReport>, Error> {
        let Some(by) = plan.relation.album else { return Ok(None) };
        if self.known.is_some() || outcomes.contains(&Outcome::Left) {
            return Ok(self.known.clone());
        }
        let pairs = each(plan, jobs, watch, |at, item, _| {
            if !outcomes[at].has_master() {
                return None;
            }
            let path = shared.output.join(&item.output);
            let record = shared.records.read(&item.output);
            let Some(before) = record.and_then(|record| record.profile()) else {
                return Some(Err(format!("{}: its record in .goldmaster is missing or damaged", path.display())));
            };
            let pair = |(after, history)| Pair { input: item.input.clone(), before, after, history };
            Some(measure_master(&path, &Stopping(watch)).map(pair).map_err(|e| e.to_string()))
        })?;
        let missing = plan.items.iter().zip(&pairs).filter(|(_, pair)| pair.is_none());
        let missing: Vec<String> = missing.map(|(item, _)| item.input.display().to_string()).collect();
        let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
        for pair in pairs.into_iter().flatten() {
            match pair {
                Ok(pair) => readable.push(pair),
                Err(cause) => unreadable.push(cause),
            }
        }
        let Some((wanted_lufs, offset)) = self.loudness else { return Ok(None) };
        if readable.is_empty() && unreadable.is_empty() {
            return Ok(None);
        }
        let report =
            album_report(self.context.clone(), readable, unreadable, (by, plan.relation.balance), wanted_lufs, offset);
        // The loudness was set for the whole album, so a miss counts only if every song has a master.
        let missed_by_lu = report.missed_by_lu.filter(|_| missing.is_empty());
        let (references, held_back_by) = (self.references.clone(), self.held_back_by.clone());
        Ok(Some(AlbumReport { references, held_back_by, missed_by_lu, missing, ..report }))
    }
}

/// Empty context, for songs that are looked at by themselves: the context of the previous album must not enter the
/// hash.
const NO_CONTEXT: &str = "";

/// Checks that an album is mastered with one set of settings, and not in shards.
///
/// # Errors
/// The plan breaks one of these rules.
pub fn check(plan: &Plan) -> Result<(), Error> {
    if plan.relation == Relation::default() {
        return Ok(());
    }
    if plan.shard.is_some() {
        return Err(Error::Usage("the songs of a record belong together: --shard cannot divide them".to_owned()));
    }
    plan.parts().iter().try_for_each(|part| have_one_set_of_settings(&part.plan))
}

fn have_one_set_of_settings(plan: &Plan) -> Result<(), Error> {
    if plan.relation == Relation::default() {
        return Ok(());
    }
    let common = |item: &Item| {
        let MasterSettings { references, profile, .. } = item.settings.master.clone();
        (item.settings.hash(&[], None, ""), references, profile)
    };
    let mut items = plan.items.iter();
    let first = items.next().map(common);
    match items.find(|item| Some(common(item)) != first) {
        Some(item) => {
            let words = format!("{}: a song of a record cannot have settings of its own", item.input.display());
            Err(Error::Usage(words))
        }
        None => Ok(()),
    }
}

fn context(made_from: &[Result<MadeFrom, Cause>], relation: &Relation) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(serde_json::to_string(relation).expect("plain data has a JSON form").as_bytes());
    for made in made_from {
        let MadeFrom { input_hash, settings_hash } = made.clone().unwrap_or_default();
        hasher.update(format!("\n{input_hash} {settings_hash}").as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Measures a song with its edges (trim and fades) applied.
fn measured(item: &Item, shared: &Shared, observer: &dyn Observer) -> Result<Profile, Error> {
    let edges = item.settings.master.edges.params()?;
    let load = || measure_edited(&item.input, &edges, shared.spool_bytes, observer);
    let (_, profile, _) =
        load_when_complete(&item.input, observer, load, |(info, _, warnings)| is_whole(info, warnings))?;
    Ok(profile)
}

/// Estimated work of measuring or preparing a song before it is mastered, in bytes of its file: about half the work of
/// mastering it.
fn bytes_of_a_pass(input: &Path) -> u64 {
    std::fs::metadata(input).map_or(0, |metadata| metadata.len()) / 2
}

/// Runs `work` on every item from several threads, and returns the results in the order of the plan.
fn each<T: Send>(
    plan: &Plan,
    jobs: usize,
    watch: &dyn Watch,
    work: impl Fn(usize, &Item, &mut Deciders) -> T + Sync,
) -> Result<Vec<T>, Error> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(plan.items.len()));
    side_by_side(jobs.min(plan.items.len()), || {
        let mut deciders = Deciders::default();
        while !watch.is_stopping() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = plan.items.get(at) else { return };
            let result = work(at, item, &mut deciders);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
    });
    if watch.is_stopping() {
        return Err(io::Error::Interrupted.into());
    }
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(at, _)| *at);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}
