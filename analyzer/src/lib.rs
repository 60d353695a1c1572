//! Measures music. Pure: no files, no printing, no global state, no result that depends on the machine.
//!
//! [`Analyzer`](analyze::Analyzer) measures a [`Profile`](profile::Profile) in one pass; each meter can also be used
//! alone.
//!
//! ```
//! use analyzer::analyze::Analyzer;
//! use analyzer::stream::Meter as _;
//! use analyzer::synth::demo_mix;
//!
//! let song = demo_mix(44_100, 2.0);
//! let mut analyzer = Analyzer::new(44_100, 2);
//! analyzer.push(&song);
//! let profile = analyzer.finish();
//! assert_eq!(profile.frames, 88_200);
//! assert!(profile.loudness.integrated_lufs.is_some_and(|lufs| lufs > -40.0));
//! ```

pub mod analyze;
pub mod band_statistics;
mod bands;
pub mod biquad;
mod blocks;
pub mod crossover;
mod cutoff;
pub mod defects;
pub mod delivery_meters;
mod dropouts;
mod dynamics;
pub mod excerpt;
mod excess;
mod features;
pub mod fft;
mod flat_tops;
mod hum;
pub mod lanes;
pub mod loudness;
pub mod loudness_history;
mod noise_floor;
pub mod noise_to_mask;
pub mod oversample;
pub mod profile;
pub mod punch;
pub mod random;
pub mod readings;
mod resonance;
mod rhythm;
pub mod samples;
pub mod short_time;
pub mod spectrum;
pub mod spectrum_bands;
mod stereo;
pub mod stft;
pub mod stream;
pub mod synth;
pub mod texture;
mod timbre;
pub mod timeline;
pub mod tone;
pub mod true_peak;
pub mod units;
