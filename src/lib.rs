//! Orchestration: files in, masters out. The command line is a thin layer over this.

pub mod album;
pub mod batch;
pub mod delivery;
pub mod demo;
pub mod error;
pub mod finish;
pub mod io;
pub mod job;
pub mod master;
pub mod progress;
pub mod report;
pub mod solve;
pub mod song;
pub mod terminal;
pub mod verify;
pub mod words;
