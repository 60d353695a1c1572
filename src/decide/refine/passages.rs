//! Passages of a song on which recipes are tested.

use std::sync::OnceLock;

use analyzer::profile::Profile;

use super::excerpts::RefinementExcerpts;
use super::test_render::LoudPassages;
use crate::error::Error;
use crate::song::Song;

/// Passages of one song, read and measured on first use. They do not depend on the settings of the master. All calls
/// must be for the same song.
#[derive(Default)]
pub struct TestPassages {
    halves: OnceLock<Option<[RefinementExcerpts; 2]>>,
    whole: OnceLock<Option<RefinementExcerpts>>,
    loud: OnceLock<Option<LoudPassages>>,
}

impl TestPassages {
    /// See [`RefinementExcerpts::halves`].
    pub(super) fn halves(&self, song: &Song, profile: &Profile) -> Result<Option<&[RefinementExcerpts; 2]>, Error> {
        known(&self.halves, || RefinementExcerpts::halves(song, profile))
    }

    /// See [`RefinementExcerpts::whole`].
    pub(super) fn whole(&self, song: &Song, profile: &Profile) -> Result<Option<&RefinementExcerpts>, Error> {
        known(&self.whole, || RefinementExcerpts::whole(song, profile))
    }

    /// See [`LoudPassages::of`].
    pub(super) fn loud(&self, song: &Song, profile: &Profile) -> Result<Option<&LoudPassages>, Error> {
        known(&self.loud, || LoudPassages::of(song, profile))
    }
}

fn known<T>(cell: &OnceLock<Option<T>>, find: impl FnOnce() -> Result<Option<T>, Error>) -> Result<Option<&T>, Error> {
    if let Some(known) = cell.get() {
        return Ok(known.as_ref());
    }
    let found = find()?;
    Ok(cell.get_or_init(|| found).as_ref())
}
