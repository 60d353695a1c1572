//! Rendering of a recipe to a file, and the measurements that verify its promises.

pub(crate) mod band_gains;
mod ceiling_meter;
pub(crate) mod codec_room;
mod difference;
pub(crate) mod finish;
pub(crate) mod limited_source;
pub(crate) mod limiter_timeline;
mod limiting;
mod master_writer;
pub(crate) mod output_meter;
pub mod promises;
pub(crate) mod provenance;
pub mod series;
pub(crate) mod solve;
pub(crate) mod trace;
pub(crate) mod trims;
