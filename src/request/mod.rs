//! Requests to a run: the job, its settings, destination and paths.

pub(crate) mod advice;
pub mod delivery;
pub mod destination;
pub mod edges;
pub mod job;
pub(crate) mod naming;
pub mod page;
pub(crate) mod paths;
pub mod reference;
pub mod settings;
mod text;

pub(crate) use self::paths::{default_master_path, is_audio_file_name};
