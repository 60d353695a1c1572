//! Orchestration: files in, masters out. The command line is a thin layer over this.

pub mod aggregate;
pub mod album;
pub mod batch;
pub mod delivery;
mod delta;
pub mod demo;
pub mod error;
pub mod finish;
pub mod genres;
pub mod io;
pub mod job;
mod limited;
pub mod master;
mod origin;
mod output_meter;
mod paths;
mod pipeline;
pub mod progress;
pub mod reference;
pub mod refine;
pub mod report;
pub mod solve;
pub mod song;
pub mod terminal;
pub mod trims;
pub mod verify;
pub mod words;
