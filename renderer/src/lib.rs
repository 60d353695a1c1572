//! Changes music: applies a mastering chain from the numbers of a recipe alone, the same bits every time.
//!
//! [`chain::Chain`] is the chain up to the limiter; [`stages::limiter`] and [`stages::dither`] finish the master.

pub mod band_envelopes;
pub mod chain;
pub mod edges;
pub mod envelope;
mod fir;
pub mod image;
pub mod params;
pub mod recipe;
pub mod resample;
pub mod shaper;
pub mod stage;
pub mod stages;
#[cfg(test)]
mod testing;
