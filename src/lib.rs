//! Orchestration: files in, masters out. The command line is a thin layer over this.

pub mod delivery;
pub mod finish;
pub mod io;
pub mod job;
pub mod progress;
pub mod solve;
pub mod song;
