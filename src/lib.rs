#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! [`Master`] is the entry point, and [`Album`] that for the songs of an album in several processes. The modules below
//! are the parts of which they and the command line are made, from top to bottom: no module imports one above it. Of
//! them, only what other crates use is public.

mod cli;
mod commands;
pub use self::commands::program;

pub(crate) mod ui;

pub mod batch;
pub mod workflows;
pub use self::workflows::album::Album;
pub use self::workflows::mastering::Master;

pub mod page;
pub mod terminal;

pub mod decide;
pub mod report;

pub mod render;
pub mod request;
pub mod song;

pub mod io;

pub mod error;
