//! Masters one song of a batch, from checking its state to writing its record.

use std::path::Path;

use analyzer::profile::Profile;

use crate::batch::arriving::{is_whole, load_when_complete};
use crate::batch::budget::Budget;
use crate::batch::pages;
use crate::batch::plan::Item;
use crate::batch::record::{MadeFrom, MasterState, Record};
use crate::batch::shared::{Deciders, Shared};
use crate::decide::refine::TestPassages;
use crate::decide::target::MasteringTarget;
use crate::error::{Cause, Error};
use crate::io;
use crate::io::claim::Claim;
use crate::io::decode::stamp;
use crate::io::encode::{ensure_writable, scratch};
use crate::io::hash::file_hash;
use crate::report::Report;
use crate::report::warning::{Subject, Warning, WarningKind};
use crate::request::job::MasterJob;
use crate::request::page::{Page, PageAudio};
use crate::song::Song;
use crate::song::observer::Observer;
use crate::workflows::master::deliver;
use crate::workflows::mix::{Decided, Mix};

/// The result of mastering one song of a batch.
#[derive(Debug)]
pub enum Done {
    /// Its master was written.
    Mastered {
        /// Report of the master.
        report: Box<Report>,
        /// True if there was no master before.
        is_new: bool,
    },
    /// The master already exists.
    Unchanged,
    /// Another batch works on the song.
    Busy,
    /// The file changed while it was read; holds a message that says so.
    Changing(Cause),
    /// The output could not be written, which is not the song's fault; holds the reason.
    OutputFailed(Cause),
}

impl Shared<'_> {
    /// Masters a song unless it is finished.
    ///
    /// # Errors
    /// The song fails: the message gives the reason in one line.
    pub fn run(&self, item: &Item, deciders: &mut Deciders, observer: &dyn Observer) -> Result<Done, Cause> {
        let made_from = self.made_from(item)?;
        let has_page = || self.pages.is_none() || pages::page_path(&self.output.join(&item.output)).exists();
        let is_finished = || {
            Ok::<_, Cause>(self.resume && self.master_state(item, &made_from)? == MasterState::Finished && has_page())
        };
        if is_finished()? {
            self.records.clear_claim(&item.output);
            return Ok(Done::Unchanged);
        }
        let claim = match self.records.claim(&item.output) {
            Ok(Some(claim)) => claim,
            Ok(None) => return Ok(Done::Busy),
            Err(error) => return Ok(Done::OutputFailed(error.into())),
        };
        // Another batch may have finished it between the check and the claim.
        if is_finished()? {
            claim.release();
            return Ok(Done::Unchanged);
        }
        self.claimed(item, made_from, claim, deciders, observer)
    }

    /// Masters a song that is claimed. The claim is released as soon as it is clear which file lies at the song's
    /// place; otherwise it stays behind for the next run.
    fn claimed(
        &self,
        item: &Item,
        made_from: MadeFrom,
        claim: Claim,
        deciders: &mut Deciders,
        observer: &dyn Observer,
    ) -> Result<Done, Cause> {
        let master_state = self.master_state(item, &made_from)?;
        let path = self.output.join(&item.output);
        let is_unclear =
            matches!(master_state, MasterState::Foreign | MasterState::Edited) && claim.was_abandoned && !self.force;
        let made = match is_unclear {
            true => self.compared(item, &made_from, deciders, observer),
            false => self.mastered(item, &made_from, master_state, deciders, observer),
        };
        let (report, profile) = match made {
            Ok(made) => made,
            Err(error) => {
                if !is_unclear || matches!(error, Error::Io(io::Error::Exists { .. }) | Error::Edited(_)) {
                    claim.release();
                }
                return match error {
                    Error::Io(io::Error::Changed { .. }) => Ok(Done::Changing(error.into())),
                    Error::Io(ref cause) if cause.is_of_disk() => Ok(Done::OutputFailed(error.into())),
                    _ => Err(error.into()),
                };
            }
        };
        let output_hash = file_hash(&path)?;
        let value = |data: Result<_, serde_json::Error>| data.expect("plain data has a JSON form");
        let (profile, plain_report) = (value(serde_json::to_value(&profile)), value(serde_json::to_value(&report)));
        let record = Record::new(made_from, output_hash, profile, plain_report).at(&item.input, &item.output);
        self.records.write(&item.output, &record)?;
        claim.release();
        let is_new = matches!(master_state, MasterState::New | MasterState::Foreign);
        Ok(Done::Mastered { report: Box::new(report), is_new })
    }

    /// Returns the page of a master, if pages are to be written.
    fn page(&self, path: &Path) -> Result<Option<Page>, Error> {
        let page = self.pages.map(|audio| pages::new_page(pages::page_path(path), audio, self.force));
        page.as_ref().map_or(Ok(()), pages::check)?;
        Ok(page)
    }

    fn mastered(
        &self,
        item: &Item,
        made_from: &MadeFrom,
        master_state: MasterState,
        deciders: &mut Deciders,
        observer: &dyn Observer,
    ) -> Result<(Report, Profile), Error> {
        let path = &self.output.join(&item.output);
        let may_replace = self.force || matches!(master_state, MasterState::Finished | MasterState::Outdated);
        match master_state {
            MasterState::Foreign if !may_replace => return Err(io::Error::Exists { path: path.to_owned() }.into()),
            MasterState::Edited if !may_replace => return Err(Error::Edited(path.to_owned())),
            _ => {}
        }
        let folder = path.parent().unwrap_or(self.output);
        io::text::create_folder(folder)?;
        let mut job = item.settings.job(item.input.clone(), path.to_owned(), may_replace);
        job.output.page = self.page(path)?;
        ensure_writable(path, may_replace)?;
        self.master(item, (&job, made_from), deciders, observer)
    }

    /// Handles a file left by a killed batch: masters the song again beside it, and keeps the file if it is the same.
    fn compared(
        &self,
        item: &Item,
        made_from: &MadeFrom,
        deciders: &mut Deciders,
        observer: &dyn Observer,
    ) -> Result<(Report, Profile), Error> {
        let path = &self.output.join(&item.output);
        let again = scratch(path)?;
        let job = item.settings.job(item.input.clone(), again.to_path_buf(), true);
        let (mut report, profile) = self.master(item, (&job, made_from), deciders, observer)?;
        if file_hash(&again)? != file_hash(path)? {
            return Err(io::Error::Exists { path: path.to_owned() }.into());
        }
        if self.pages.is_some() {
            // A page is only written together with its master.
            return self.mastered(item, made_from, MasterState::Outdated, deciders, observer);
        }
        report.output.path = path.display().to_string();
        Ok((report, profile))
    }

    fn master(
        &self,
        item: &Item,
        (job, made_from): (&MasterJob, &MadeFrom),
        deciders: &mut Deciders,
        observer: &dyn Observer,
    ) -> Result<(Report, Profile), Error> {
        let edges = job.settings.edges.params()?;
        let before = stamp(&job.input);
        // Free the memory of the previous song before reading another one.
        let (hash, song, profile) = match deciders.read.take() {
            Some(read) if read.0 == made_from.input_hash && read.1.edges == edges => read,
            _ => {
                let load = || Song::load_edited(&job.input, &edges, self.spool_bytes, observer);
                let is_whole = |(song, _): &(Song, Profile)| is_whole(&song.info, &song.warnings);
                let (song, profile) = load_when_complete(&job.input, observer, load, is_whole)?;
                (made_from.input_hash.clone(), song, profile)
            }
        };
        let mut decided = self.decided(item, job, &song, &profile, deciders, observer)?;
        let mut job = job.clone();
        if let Some(page) = job.output.page.as_mut().filter(|page| page.audio == PageAudio::Full)
            && !Budget::allows_whole_song(self.page_bytes, song.frames.len())
        {
            page.audio = PageAudio::Excerpt;
            decided.warnings.push(Warning::new(Subject::Page, WarningKind::PageIsAnExcerpt));
        }
        if stamp(&job.input) != before {
            return Err(io::Error::Changed { path: job.input }.into());
        }
        let report = deliver(&job, decided, observer)?;
        deciders.read = Some((hash, song, profile.clone()));
        Ok((report, profile))
    }

    /// Returns the decision for a song, with warnings about its references.
    fn decided<'a>(
        &self,
        item: &Item,
        job: &MasterJob,
        song: &'a Song,
        profile: &'a Profile,
        deciders: &mut Deciders,
        observer: &dyn Observer,
    ) -> Result<Decided<'a>, Error> {
        if self.analysis.is_unknown {
            return Err(Error::Album(Cause::new(
                "album",
                "a master has vanished since the batch began: begin it again",
            )));
        }
        if let Some(decided) = self.analysis.album.get(&item.index) {
            return Ok(decided.clone().map_err(Error::Album)?.decided(&job.input, song, profile));
        }
        let (job, target) = match &self.analysis.middle {
            Some(middle) => (job.clone(), MasteringTarget::at(middle.clone())),
            None => self.find_target(&item.settings, job.clone(), (&[&job.input], &[profile]), deciders, observer)?,
        };
        let decider = deciders.get(job.settings.decider)?;
        let passages = &TestPassages::default();
        let mix =
            Mix { input: &job.input, settings: &job.settings, format: job.output.format, song, profile, passages };
        mix.decided(target, None, |target| decider.decide(profile, target), observer)
    }
}
