//! Complete workflows of the program: one song (decided in `mix`, rendered in `master`), a recipe, a preview and
//! several variations of it, an album, a check of a finished file, a comparison of two files, the demonstration.

pub mod album;
pub mod check;
pub mod compare;
pub mod demo;
pub mod master;
pub mod mastering;
pub mod mix;
pub mod preview;
pub mod render;
pub mod variations;
