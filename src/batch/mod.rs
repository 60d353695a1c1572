//! Many songs: from arguments to a plan, from the plan to masters and a report.
//!
//! [`inputs`] finds songs but for what [`exclude`] covers, [`table`] reads a plan, [`plan`] gives every song its place, [`run`] masters them in several
//! threads, [`references`] are read once for all, [`relation`] lets songs of one record know of each other, [`record`]
//! remembers what is finished, [`report`] and [`pages`] tell all of it, [`merge`] joins the reports of several machines.
//! A song's bytes are those of mastering it alone: nothing passes from one song to another but what the user asks for.

pub mod aggregate;
pub mod analysis;
pub mod budget;
pub mod exclude;
pub mod inputs;
pub mod merge;
pub mod outcome;
pub mod pages;
pub mod plan;
pub mod record;
pub mod references;
pub mod report;
pub mod run;
pub mod settings;
pub mod shared;
pub mod song;
pub mod table;
pub mod watch;
