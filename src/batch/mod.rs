//! Masters many songs: from the arguments to a plan, and from the plan to masters and a report.
//!
//! Finding the songs:
//!
//! - `inputs` finds songs and leaves out those that `exclude` covers.
//! - `arriving` waits for files that are still being written.
//! - [`table`] reads a plan with the [`settings`] of each song.
//! - `plan` gives every song a place in the output.
//! - `albums` groups the songs into albums.
//!
//! Mastering them:
//!
//! - `budget` divides the memory among the songs.
//! - `prospect` previews a run without doing it.
//! - [`run`] masters the songs in several threads; `song` masters one.
//! - `shared` holds the state that the songs share; `references` are read once for all of them.
//! - `analysis` measures the songs of an album together.
//! - `record` remembers which songs are finished.
//!
//! Reporting:
//!
//! - `outcome` and [`watch`] tell how each song ended.
//! - [`report`] and `pages` write the results; [`summary`] is their short form.
//! - `cue` lists the tracks of an album.
//! - `merge` joins the reports of several machines.
//!
//! [`aggregate`] makes one profile of many songs.
//!
//! A song in a batch gets the same bytes as when it is mastered alone: nothing passes from one song to another unless
//! the user asks for it.

pub mod aggregate;
pub(crate) mod albums;
pub(crate) mod analysis;
mod arriving;
pub(crate) mod budget;
pub(crate) mod cue;
pub(crate) mod exclude;
pub(crate) mod inputs;
pub(crate) mod merge;
pub(crate) mod outcome;
pub(crate) mod pages;
pub(crate) mod plan;
pub(crate) mod prospect;
pub(crate) mod record;
pub(crate) mod references;
pub mod report;
pub mod run;
pub mod settings;
pub(crate) mod shared;
pub(crate) mod song;
pub mod summary;
pub mod table;
pub mod watch;
