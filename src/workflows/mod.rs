//! Whole ways through the program: one song, an album, two files to compare, the demonstration.

pub mod album;
pub mod check;
pub mod compare;
pub mod demo;
pub mod master;
pub mod variations;
