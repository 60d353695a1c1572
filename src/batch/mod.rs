//! Many songs: from arguments to a plan, from the plan to masters and a report.
//!
//! [`inputs`] finds songs and leaves out what [`exclude`] covers, `arriving` waits for files on their way, [`table`] reads a plan with its [`settings`], [`plan`] gives every song its
//! place, [`albums`] says which of them belong together, [`budget`] divides the memory, [`prospect`] says what a run would do, [`run`] masters the songs in several threads, [`song`] masters one, [`shared`] holds what they
//! share, [`references`] are read once for all songs, [`analysis`] measures the songs of an album together, [`record`] remembers what is
//! finished, [`outcome`] and [`watch`] say how each song ended, [`report`] and [`pages`] write it down, [`summary`] says it in short, [`cue`] lists the tracks
//! of an album, [`merge`] joins the reports of several machines. [`aggregate`] makes one profile of many songs.
//! A song's bytes are those of mastering it alone: nothing passes from one song to another but what the user asks for.

pub mod aggregate;
pub mod albums;
pub mod analysis;
mod arriving;
pub mod budget;
pub mod cue;
pub mod exclude;
pub mod inputs;
pub mod merge;
pub mod outcome;
pub mod pages;
pub mod plan;
pub mod prospect;
pub mod record;
pub mod references;
pub mod report;
pub mod run;
pub mod settings;
pub mod shared;
pub mod song;
pub mod summary;
pub mod table;
pub mod watch;
