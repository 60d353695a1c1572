//! Masters the songs of a plan, several at a time.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use models::target::Target;

use crate::batch::budget::Budget;
use crate::batch::outcome::{Outcome, Summary};
use crate::batch::plan::{Item, Part, Plan};
use crate::batch::record::{Failure, Records};
use crate::batch::references::{References, UnusableRecord};
use crate::batch::report::Findings;
use crate::batch::shared::{BatchAnalysis, Deciders, Shared, catch_panics};
use crate::batch::song::Done;
use crate::batch::summary::RunSummary;
use crate::batch::watch::{Ended, SongProgress, Stopping, Watch};
use crate::batch::{analysis, cue, pages, report};
use crate::decide::target::read_profile;
use crate::error::{Cause, Error};
use crate::io;
use crate::render::promises::Verdict;
use crate::report::Report;
use crate::report::album::{AlbumReport, StaleCueSheets, WithoutCueSheet, some_names};
use crate::request::page::PageAudio;
use crate::song::read_ahead::side_by_side;

/// Options of a batch run; none of them changes a master.
#[derive(Clone, Debug)]
pub struct Options {
    /// Number of songs at a time; by default as many as cores and memory allow.
    pub jobs: Option<NonZeroUsize>,
    /// Memory for all songs together, bytes; by default half of what is free.
    pub memory_bytes: Option<u64>,
    /// True if files that no batch has written may be replaced.
    pub force: bool,
    /// True if finished songs are left as they are.
    pub resume: bool,
    /// The sound on every song's page; `None` writes no pages. With pages, an index page is written as well.
    pub pages: Option<PageAudio>,
    /// Silence between the songs of an album, seconds, if every album gets a cue sheet and a track list.
    pub cue_gap_s: Option<f64>,
    /// Date of the summary, if one is to be written.
    pub summary_date: Option<String>,
}

/// The results of a batch.
pub struct Finished {
    /// Counts of the songs by outcome.
    pub summary: Summary,
    /// Reports of the albums that the songs make up.
    pub albums: Vec<AlbumReport>,
    /// Albums without the cue sheet that was asked for.
    pub without_cue_sheet: Vec<WithoutCueSheet>,
    /// Cue sheets of earlier runs that are no longer written.
    pub stale_cue_sheets: Vec<StaleCueSheets>,
    /// Records of the reference folder that were left out.
    pub unusable_records: Vec<UnusableRecord>,
}

/// Masters all songs of `plan` into `output`, and writes the report there.
///
/// # Errors
/// The output folder is not writable, the memory does not suffice, or settings or a common reference cannot be used. A song
/// that fails is not an error.
pub fn run(plan: &Plan, output: &Path, options: &Options, watch: &dyn Watch) -> Result<Finished, Error> {
    let budget = Budget::new(options.jobs, options.memory_bytes).map_err(Error::Usage)?;
    let budget = if options.pages == Some(PageAudio::Full) { budget.for_whole_songs() } else { budget };
    analysis::check(plan)?;
    check_inputs(plan)?;
    if !options.force {
        report::paths(output, plan.shard).iter().try_for_each(|path| report::check(path))?;
    }
    if let Some(audio) = options.pages {
        pages::check(&pages::new_page(pages::index_path(output, plan.shard), audio, options.force))?;
    }
    let mut shared = shared(output, options, (budget.spool_bytes, budget.page_bytes));
    let unusable_records = measure_common_references(plan, &shared, watch)?;
    io::text::create_folder(output)?;
    shared.records.create()?;
    shared.records.sweep();
    let folders: std::collections::BTreeSet<_> = plan.items.iter().filter_map(|item| item.output.parent()).collect();
    folders.into_iter().for_each(|folder| io::claim::sweep(&output.join(folder)));
    watch.begins(plan.items.iter().map(bytes).sum::<u64>() * (1 + plan.relation.analysis_passes()));
    let (mut by_index, mut albums) = (BTreeMap::new(), Vec::new());
    let mut without_cue_sheet: Vec<WithoutCueSheet> = Vec::new();
    let mut stale_cue_sheets: Vec<StaleCueSheets> = Vec::new();
    for Part { plan: part, name } in plan.parts() {
        let (outcomes, album) = match run_part(&part, &mut shared, budget.jobs, watch) {
            Ok(done) => done,
            Err(Error::Io(error @ io::Error::Changed { .. })) => {
                (end_all(&part, &shared, watch, |item| waiting_for_file(item, &error)), None)
            }
            // The error concerns this album only: the other albums are still mastered.
            Err(error) if name.is_some() => {
                (end_all(&part, &shared, watch, |item| Outcome::Failed(cause_of_album(item, &error))), None)
            }
            Err(error) => return Err(error),
        };
        if let Some(gap_s) = options.cue_gap_s.filter(|_| part.relation.album.is_some()) {
            let notes = cue::write(&part, name.as_deref(), output, (&shared.records, &outcomes), gap_s)?;
            without_cue_sheet.extend(notes.without);
            stale_cue_sheets.extend(notes.stale);
        }
        by_index.extend(part.items.iter().map(|item| item.index).zip(outcomes));
        albums.extend(album.map(|album| AlbumReport { name, ..album }));
    }
    let outcomes: Vec<Outcome> = by_index.into_values().collect();
    let findings = Findings {
        albums: &albums,
        without_cue_sheet: &without_cue_sheet,
        stale_cue_sheets: &stale_cue_sheets,
        unusable_records: &unusable_records,
    };
    report::write(plan, output, &shared.records, &outcomes, findings)?;
    if let Some(date) = &options.summary_date {
        let orphans = shared.records.orphans(plan.items.iter().map(|item| item.output.as_path()));
        RunSummary::new(date.clone(), plan, &outcomes, findings, orphans).write(output)?;
    }
    if options.pages.is_some() {
        pages::write(plan, output, options.force, &shared.records, &outcomes, &albums)?;
    }
    let summary = plan.summary(&outcomes);
    Ok(Finished { summary, albums, without_cue_sheet, stale_cue_sheets, unusable_records })
}

/// Masters a group of related songs. Returns the outcome of each, and the report of their album.
fn run_part(
    plan: &Plan,
    shared: &mut Shared,
    jobs: usize,
    watch: &dyn Watch,
) -> Result<(Vec<Outcome>, Option<AlbumReport>), Error> {
    shared.analysis = match BatchAnalysis::find(plan, shared, jobs, watch) {
        Err(Error::Io(io::Error::Interrupted)) => return Ok((vec![Outcome::Left; plan.items.len()], None)),
        analysis => analysis?,
    };
    let outcomes = Workers::new(plan, shared, watch).run(jobs);
    let album = match shared.analysis.album_report(plan, shared, &outcomes, jobs, watch) {
        Err(Error::Io(io::Error::Interrupted)) => None,
        album => album?,
    };
    Ok((outcomes, album))
}

/// Ends all songs of an album that cannot be mastered as one, with the outcome `end` for each.
fn end_all(plan: &Plan, shared: &Shared, watch: &dyn Watch, end: impl Fn(&Item) -> Outcome) -> Vec<Outcome> {
    let outcomes: Vec<Outcome> = plan.items.iter().map(end).collect();
    for (item, outcome) in plan.items.iter().zip(&outcomes) {
        let output = shared.output.join(&item.output);
        watch.ended(&Ended {
            input: &item.input,
            output: &output,
            outcome,
            after: None,
            decision: None,
            shortfalls: Vec::new(),
            notes: &[],
        });
    }
    outcomes
}

/// Returns the outcome of a song whose album waits for a file that is still being written.
fn waiting_for_file(item: &Item, error: &io::Error) -> Outcome {
    let sentence = match error {
        io::Error::Changed { path } if *path != item.input => format!("its album waits for {}", io::name(path)),
        error => error.to_string(),
    };
    Outcome::Changing(Cause::new(error.code(), sentence))
}

/// Returns the cause of failure of a song whose album cannot be mastered. A song's failure is shown with its name, so
/// that the song to blame is not named once more.
fn cause_of_album(item: &Item, error: &Error) -> Cause {
    let sentence = match error {
        Error::HeldBack { wanted_lufs, song, .. } if *song == item.input => format!(
            "nothing was written: its album is not as loud as {wanted_lufs:.2} LUFS, because this song comes no higher"
        ),
        error => error.to_string(),
    };
    Cause::new(error.code(), sentence)
}

/// Refuses a batch of which no song exists, before anything is written.
fn check_inputs(plan: &Plan) -> Result<(), Error> {
    let metadata = |item: &Item| std::fs::metadata(&item.input).map_err(|e| io::Error::reading(&item.input, &e));
    match plan.items.first() {
        Some(first) if plan.shard.is_none() && plan.items.iter().all(|item| metadata(item).is_err()) => {
            Ok(metadata(first).map(drop)?)
        }
        _ => Ok(()),
    }
}

/// Measures the references and the profile that all songs share, and those of genres. If one of them cannot be used, or
/// no record of the reference folder, no song is to blame: the batch ends before it begins. Returns the records of the
/// folder that are left out.
fn measure_common_references(plan: &Plan, shared: &Shared, watch: &dyn Watch) -> Result<Vec<UnusableRecord>, Error> {
    let Some(first) = plan.items.first() else { return Ok(Vec::new()) };
    let mut common: Vec<_> = first.settings.genre_references.iter().map(|of| of.reference.clone()).collect();
    if plan.items.iter().all(|item| Arc::ptr_eq(&item.settings, &first.settings)) {
        if let Some(path) = &first.settings.master.profile {
            read_profile(path)?;
        }
        common.extend_from_slice(&first.settings.master.references);
    }
    let measured = shared.references.measured(&common, &Stopping(watch));
    let (usable, unusable) = shared.references.usable(&first.settings.folder_references, &Stopping(watch));
    if (measured.is_err() || !unusable.is_empty()) && watch.is_stopping() {
        return Err(io::Error::Interrupted.into());
    }
    let measured = measured.map_err(Error::Reference)?.into_iter();
    let measured: Vec<_> = measured.map(|(name, weight, profile, _)| (name, weight, profile)).collect();
    if !measured.is_empty() {
        Target::references(&measured).map_err(Error::of_target)?;
    }
    if usable.is_empty() && !unusable.is_empty() {
        let causes: Vec<String> = unusable.iter().map(ToString::to_string).collect();
        let words = format!("no record of --reference-folder can be used: {}", some_names(&causes));
        return Err(Error::Reference(Cause::new("reference", words)));
    }
    Ok(unusable)
}

pub(super) fn shared<'a>(output: &'a Path, options: &Options, (spool_bytes, page_bytes): (usize, u64)) -> Shared<'a> {
    Shared {
        output,
        records: Records::of(output),
        references: References::default(),
        force: options.force,
        resume: options.resume,
        pages: options.pages,
        spool_bytes,
        page_bytes,
        analysis: BatchAnalysis::default(),
    }
}

/// Time between two checks of a song that another batch works on.
const BUSY_WAIT: Duration = Duration::from_millis(50);

struct Workers<'a> {
    plan: &'a Plan,
    shared: &'a Shared<'a>,
    watch: &'a dyn Watch,
    queue: Mutex<VecDeque<Vec<Queued>>>,
    outcomes: Mutex<Vec<Outcome>>,
}

/// A song in the queue. `was_busy` is true if another batch worked on it at the last attempt.
struct Queued {
    at: usize,
    was_busy: bool,
}

impl<'a> Workers<'a> {
    fn new(plan: &'a Plan, shared: &'a Shared, watch: &'a dyn Watch) -> Self {
        let songs = plan.items.len();
        // One worker makes all masters of a mix, and so reads it only once.
        let mut queue: VecDeque<Vec<Queued>> = VecDeque::new();
        for (at, item) in plan.items.iter().enumerate() {
            let next = Queued { at, was_busy: false };
            match queue.back_mut().filter(|of| of.first().is_some_and(|of| plan.items[of.at].input == item.input)) {
                Some(of_one_mix) => of_one_mix.push(next),
                None => queue.push_back(vec![next]),
            }
        }
        Self { plan, shared, watch, queue: Mutex::new(queue), outcomes: Mutex::new(vec![Outcome::Left; songs]) }
    }

    /// Masters all songs. Returns their outcomes in the plan's order.
    fn run(self, jobs: usize) -> Vec<Outcome> {
        side_by_side(jobs.min(self.plan.items.len()), || self.work());
        self.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Vec<Queued>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Masters songs until the queue is empty.
    fn work(&self) {
        let mut deciders = Deciders::default();
        let next = || self.queue().pop_front();
        while let Some(of_one_mix) = next() {
            for queued in of_one_mix {
                if self.watch.is_stopping() {
                    return;
                }
                self.work_on(queued, &mut deciders);
            }
            deciders.read = None;
        }
    }

    fn work_on(&self, Queued { at, was_busy }: Queued, deciders: &mut Deciders) {
        let item = &self.plan.items[at];
        if was_busy && self.shared.records.is_busy(&item.output) {
            self.queue().push_back(vec![Queued { at, was_busy }]);
            std::thread::sleep(BUSY_WAIT);
            return;
        }
        let progress = SongProgress::new(self.watch, bytes(item));
        let done = catch_panics(&item.input, || self.shared.run(item, deciders, &progress));
        let (outcome, report) = match done {
            Ok(Done::Busy) => {
                self.queue().push_back(vec![Queued { at, was_busy: true }]);
                return;
            }
            Ok(Done::Mastered { report, is_new }) => {
                let is_silent = report.before.is_some_and(|levels| levels.integrated_lufs.is_none());
                let damage = report.damage_of_mix().map(str::to_owned);
                (Outcome::Mastered { is_new, is_silent, damage }, Some(report))
            }
            Ok(Done::Unchanged) => (Outcome::Unchanged, None),
            Err(_) if self.watch.is_aborting() => (Outcome::Left, None),
            Ok(Done::Changing(cause)) => (Outcome::Changing(cause), None),
            Ok(Done::OutputFailed(cause)) => (Outcome::Failed(cause), None),
            Err(cause) => (self.failed(item, cause), None),
        };
        if outcome.has_master() {
            self.shared.records.forget_failure(&item.output);
        }
        progress.finish();
        self.finish_song(at, outcome, report.as_deref());
    }

    /// Records a failure, so that the next run recognises it. Returns the outcome.
    fn failed(&self, item: &Item, cause: Cause) -> Outcome {
        let made_from = self.shared.made_from(item).unwrap_or_default();
        match self.shared.records.fail(&item.output, &Failure::new(made_from, cause.clone())) {
            Ok(true) => Outcome::FailedAgain(cause),
            Ok(false) | Err(_) => Outcome::Failed(cause),
        }
    }

    fn finish_song(&self, at: usize, outcome: Outcome, report: Option<&Report>) {
        let item = &self.plan.items[at];
        let short = report.into_iter().flat_map(|report| &report.promises).filter(|p| p.verdict == Verdict::Short);
        let output = self.shared.output.join(&item.output);
        self.watch.ended(&Ended {
            input: &item.input,
            output: &output,
            outcome: &outcome,
            after: report.map(|report| report.after),
            decision: report.and_then(|report| report.decision.as_ref()),
            shortfalls: short.map(|promise| promise.sentence.clone()).collect(),
            notes: report.map_or(&[], |report| &report.warnings),
        });
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)[at] = outcome;
    }
}

/// Returns the size of a song's file, which measures the work on it.
fn bytes(item: &Item) -> u64 {
    std::fs::metadata(&item.input).map_or(0, |metadata| metadata.len())
}
