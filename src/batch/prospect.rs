//! Previews a run from a single look at every file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::batch::arriving::may_grow;
use crate::batch::plan::{Item, Part, Plan};
use crate::batch::record::MasterState;
use crate::batch::run::{Options, shared};
use crate::batch::shared::{BatchAnalysis, Shared};
use crate::error::{Cause, Error};
use crate::io;
use crate::io::source_info::SourceInfo;
use crate::render::promises::{broken_fade, broken_mix};
use crate::request::edges::LongFade;
use crate::request::settings::MasterSettings;

/// The expected outcome of a song.
#[derive(Clone, Debug, PartialEq)]
pub enum Prospect {
    /// The file can be read.
    Ready {
        /// The state of the master.
        state: MasterState,
        /// Fades that are longer than the song, if a master is to be written and the file states its length.
        long_fades: Vec<LongFade>,
    },
    /// This file was modified just now and may be incomplete: the song's own file, or that of another song of its
    /// album.
    Growing(PathBuf),
    /// The song would fail; holds the reason in one line.
    Fails(Cause),
}

/// Returns the prospect of every song, in order. Every file is opened; nothing is written or waited for.
pub fn preview_run<'a>(
    plan: &'a Plan,
    output: &'a Path,
    options: &Options,
) -> impl Iterator<Item = (&'a Item, Prospect)> {
    let shared = shared(output, options, (0, 0));
    let mut contexts = BTreeMap::new();
    for Part { plan: part, .. } in plan.parts() {
        let context = BatchAnalysis::context_only(&part, &shared).context;
        let growing = part.relation.album.and_then(|_| growing(&part, &shared, &context));
        contexts.extend(part.items.iter().map(|item| (item.index, (context.clone(), growing.clone()))));
    }
    plan.items.iter().map(move |item| {
        let (context, growing) = contexts.remove(&item.index).unwrap_or_default();
        (item, prospect(item, &shared, &context, growing).unwrap_or_else(Prospect::Fails))
    })
}

/// Returns a file of an album that may still grow, unless the whole album is finished.
fn growing(album: &Plan, shared: &Shared, context: &str) -> Option<PathBuf> {
    let growing = album.items.iter().find(|item| may_grow(&item.input))?;
    let is_finished = |item| shared.resume && is_finished(item, shared, context).unwrap_or(false);
    (!album.items.iter().all(is_finished)).then(|| growing.input.clone())
}

fn is_finished(item: &Item, shared: &Shared, context: &str) -> Result<bool, Cause> {
    Ok(shared.master_state(item, &shared.made_from_in(item, context)?)? == MasterState::Finished)
}

fn prospect(item: &Item, shared: &Shared, context: &str, of_album: Option<PathBuf>) -> Result<Prospect, Cause> {
    let state = shared.master_state(item, &shared.made_from_in(item, context)?)?;
    let is_kept = match state {
        MasterState::Finished => shared.resume,
        MasterState::Foreign | MasterState::Edited => !shared.force,
        MasterState::New | MasterState::Outdated => false,
    };
    // The songs of an album wait for one another.
    if let Some(growing) = of_album {
        return Ok(Prospect::Growing(growing));
    }
    if is_kept {
        return Ok(Prospect::Ready { state, long_fades: Vec::new() });
    }
    if may_grow(&item.input) {
        return Ok(Prospect::Growing(item.input.clone()));
    }
    let decoder = io::decode::open(&item.input)?;
    let settings = &item.settings.master;
    let (long_fades, strictness) = (long_fades(settings, decoder.info())?, settings.strictness());
    if let Some(broken) = broken_mix(decoder.warnings(), strictness).or_else(|| broken_fade(&long_fades, strictness)) {
        return Err(Error::Promise { path: shared.output.join(&item.output), broken }.into());
    }
    Ok(Prospect::Ready { state, long_fades })
}

/// Returns the fades that are longer than a song as its file states it. Trimming, which makes a song shorter, is not
/// foreseen.
fn long_fades(settings: &MasterSettings, info: &SourceInfo) -> Result<Vec<LongFade>, Error> {
    let edges = settings.edges.params()?;
    let song_s = info.frames_hint.map(|frames| frames as f64 / f64::from(info.sample_rate_hz));
    Ok(song_s.map_or_else(Vec::new, |song_s| LongFade::all(&edges, song_s)))
}
