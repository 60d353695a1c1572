//! Measures music. Pure: no files, no printing, no global state, no result that depends on the machine.
//!
//! [`Analyzer`](analyze::Analyzer) fills a [`Profile`](profile::Profile) in one pass; each meter also stands alone.

pub mod biquad;
pub mod crossover;
pub mod defects;
pub mod excerpt;
pub mod oversample;
pub mod profile;
pub mod stream;
pub mod true_peak;
pub mod units;
