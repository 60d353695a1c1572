//! Files in and out: decode, keep, hash, encode, carry tags over.
//!
//! [`open`](decode::open) decodes any supported file as frames, [`Spool`](spool::Spool) keeps them for later
//! passes, [`FrameHash`](hash::FrameHash) names them, [`Encoder`](encode::Encoder) writes the result under its name
//! only when it is complete, [`Tags`](tags::Tags) carries title, artist and cover over.

mod aiff;
mod bytes;
mod caf;
pub mod claim;
mod contain;
pub mod decode;
mod demux;
pub mod encode;
mod error;
mod error_parts;
mod flac;
mod flac32;
mod flac_head;
mod guard;
pub mod hash;
mod he_aac;
mod limits;
mod matroska;
mod mp3;
mod mp4;
mod mpeg;
mod ogg;
mod ogg_head;
mod ogg_pages;
mod opus;
mod opus_writer;
pub mod output_spec;
mod packets;
mod pcm;
pub(crate) mod regular;
mod riff;
mod riff_chunk;
mod sniff;
pub mod source_info;
pub mod spool;
mod tag_places;
pub mod tags;
#[cfg(test)]
mod testing;
pub mod text;
mod wav;
mod window;

pub use error::{Error, Warning, name};
pub(crate) use error::{is_command, plain};
pub(crate) use flac::in_memory as flac_in_memory;
