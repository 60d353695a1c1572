//! Input and output of files: decoding, temporary storage, hashing, encoding and tags.
//!
//! [`open`](decode::open) decodes any supported file to frames, [`Spool`](spool::Spool) keeps them for later passes,
//! [`FrameHash`](hash::FrameHash) identifies them, [`Encoder`](encode::Encoder) writes a master that gets its name
//! only when it is complete, and [`Tags`](tags::Tags) carries over title, artist and cover.

mod aiff;
mod bytes;
mod caf;
mod catch_panic;
pub mod claim;
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
mod sample_width;
mod sniff;
pub mod source_info;
pub mod spool;
mod tag_places;
pub mod tags;
#[cfg(test)]
mod testing;
pub(crate) mod text;
mod wav;
mod window;

pub use error::{Error, Warning, name};
pub(crate) use error::{is_command, plain};
pub(crate) use flac::in_memory as flac_in_memory;
pub(crate) use wav::in_memory as wav_in_memory;
