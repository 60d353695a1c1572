//! The list of the music that the network was trained on: read, checked, told as Croissant. Never audio.
//!
//! `schema.json` describes the columns; everything here that walks over columns reads it.

pub mod artist;
pub mod audio;
pub mod check;
pub mod croissant;
pub mod error;
pub mod finding;
pub mod import;
pub mod json;
pub mod licence;
pub mod schema;
pub mod source;
pub mod table;

pub use error::Error;
