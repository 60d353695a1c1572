//! Changes music: applies a mastering chain from the numbers of a recipe alone, the same bits every time.
//!
//! [`chain::Chain`] is the chain up to the limiter; [`stages::limiter`] and [`stages::dither`] finish the master.
//!
//! ```
//! use analyzer::crossover::BANDS;
//! use analyzer::stream::Source as _;
//! use analyzer::synth::demo_mix;
//! use renderer::chain::Chain;
//! use renderer::recipe::Recipe;
//!
//! let song = demo_mix(44_100, 0.5);
//! let rendered = |recipe: &Recipe| {
//!     // The mean power of each band of the song, which thresholds count from.
//!     let mut source = Chain::new(recipe, &[-30.0; BANDS], 44_100).applied_to(&song[..]);
//!     let mut frames = vec![[0.0; 2]; 4_096];
//!     let Ok(count) = source.read(&mut frames);
//!     frames[..count].to_vec()
//! };
//! let neutral = Recipe::default();
//! assert!(rendered(&neutral)[..] == song[..4_096]);
//! assert!(rendered(&neutral.with("multiband.low.ratio", "2")?)[..] != song[..4_096]);
//! # Ok::<(), renderer::recipe::RecipeError>(())
//! ```

pub mod band_envelopes;
pub mod chain;
pub mod edges;
pub mod envelope;
mod fir;
pub mod image;
pub mod lossy;
pub mod params;
pub mod recipe;
pub mod resample;
pub mod shaper;
pub mod stage;
pub mod stages;
#[cfg(test)]
mod testing;
