#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! [`Master`] is the way in. The modules are what it and the command line are made of; from the top, no module imports
//! one above it.

mod cli;
mod commands;
pub use self::commands::program;

pub mod ui;

pub mod batch;
pub mod workflows;
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
