//! Measures music. Pure: no files, no printing, no global state, no result that depends on the machine.
//!
//! [`Analyzer`](analyze::Analyzer) fills a [`Profile`](profile::Profile) in one pass; each meter also stands alone.

pub mod analyze;
mod bands;
pub mod biquad;
mod blocks;
pub mod crossover;
pub mod defects;
mod dynamics;
pub mod excerpt;
pub mod fft;
mod flat_tops;
pub mod loudness;
pub mod oversample;
pub mod profile;
pub mod random;
pub mod samples;
pub mod spectrum;
mod stereo;
pub mod stft;
pub mod stream;
pub mod synth;
pub mod true_peak;
pub mod units;
