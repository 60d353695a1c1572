#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! Orchestration: files in, masters out. The command line is a thin layer over this. From the top, no module imports one
//! above it.

pub mod ui;

pub mod batch;
pub mod workflows;

pub mod page;
pub mod terminal;

pub mod decide;
pub mod report;

pub mod render;
pub mod request;
pub mod song;

pub mod io;

pub mod error;
