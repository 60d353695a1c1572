//! Density: the mixture of glue, soft clipping and limiting that reaches a loudness with the least audible side
//! effects.
//!
//! Mixtures are rendered on the loudest passage at the requested loudness, and compared by their noise-to-mask ratio:
//! added noise relative to what the music masks.

use analyzer::noise_to_mask::Mask;
use analyzer::profile::Profile;
use analyzer::stream::{Frame, mid_side};
use rayon::prelude::*;
use renderer::recipe::Recipe;
use renderer::stages::clipper::ClipperParams;
use renderer::stages::glue::GlueParams;

use super::excerpts::delivery_of;
use super::test_render::{CLOSE_LU, TestRender};
use crate::error::Error;
use crate::io::spool::Spool;
use crate::song::blocks::each_block;
use crate::song::read_ahead::each_block_ahead;

/// Reduction of the highest peaks by the clipper, in the order in which it is tried, dB.
const CLIPPED_DB: [f64; 4] = [1.0, 2.0, 3.0, 4.5];
/// Knee: distance below its ceiling at which the clipper starts to bend, dB.
pub const CLIPPER_KNEE_DB: f64 = 2.0;
/// Ratios of the glue compressor, in the order in which they are tried: one to two decibels in loud moments.
const GLUE_RATIOS: [f64; 2] = [1.5, 2.0];
/// Improvement in noise-to-mask ratio that a step has to bring, dB.
const WORTH_NOISE_DB: f64 = 0.1;
/// Cost of a missing LU of loudness, in dB of noise-to-mask ratio.
const SHORT_COST_DB: f64 = 30.0;
/// A passage that needs less limiting than this is left to the limiter alone, dB.
const LITTLE_LIMITING_DB: f64 = 1.0;

/// The loud passage behind the compressors, on which mixtures are compared.
pub struct Passage<'a> {
    test_render: &'a TestRender,
    frames: Spool<Frame>,
    /// Mask of the passage's mid without glue, saturator, clipper and limiter.
    mask: Mask,
    /// Highest peak of the passage over the song's mean power, dB.
    headroom_db: f64,
    profile: &'a Profile,
}

/// Cost of a mixture.
#[derive(Clone, Copy)]
struct Cost {
    /// Noise-to-mask ratio, dB.
    noise_db: f64,
    /// Missing loudness, LU.
    short_lu: f64,
    /// Gain reduction of the limiter that is exceeded 5 % of the time, dB.
    limiting_db: f64,
    /// Drive that was found, dB.
    drive_db: f64,
}

/// A recipe with the mixture of the lowest cost.
pub struct Dense {
    /// The recipe.
    pub recipe: Recipe,
    /// True if it reaches its loudness with no more limiting than it allows.
    pub is_within_limits: bool,
    /// Drive of the loud passage, dB.
    pub drive_db: f64,
}

impl Cost {
    fn total_db(&self) -> f64 {
        self.noise_db + SHORT_COST_DB * self.short_lu
    }
}

impl<'a> Passage<'a> {
    /// Prepares the loud passage of a song; `compressed` holds all passages behind the compressors of `recipe`.
    ///
    /// # Errors
    /// Temporary data cannot be kept.
    pub fn of(
        test_render: &'a TestRender,
        compressed: &Spool<Frame>,
        recipe: &Recipe,
        profile: &'a Profile,
    ) -> Result<Self, Error> {
        let first = |frames: &Spool<Frame>| -> Result<Spool<Frame>, Error> {
            let (mut kept, mut left) = (Spool::new(usize::MAX), test_render.loud_frames);
            each_block(&mut frames.reader(), |frames| {
                let count = left.min(frames.len());
                left -= count;
                kept.push(&frames[..count])
            })?;
            Ok(kept)
        };
        // Neither the compressors nor the phase shift of the band split should count as noise.
        let (frames, mut input) = (first(compressed)?, Vec::with_capacity(test_render.loud_frames));
        let wide = Recipe { width: recipe.width, ..Recipe::default() };
        each_block(&mut test_render.finished(&wide, &frames), |frames| {
            input.extend(frames.iter().map(|frame| mid_side(*frame)[0]));
            Ok(())
        })?;
        let (mask, headroom_db) = (Mask::new(&input, test_render.sample_rate_hz), test_render.headroom_db(&frames)?);
        Ok(Self { test_render, frames, mask, headroom_db, profile })
    }

    /// Returns the recipe with the clipper and glue settings (scaled by `amount`, 0 to 1) of the lowest cost. Drives are
    /// searched from `drive_db` on.
    ///
    /// # Errors
    /// Temporary data cannot be kept.
    pub fn dense(&self, recipe: Recipe, amount: f64, drive_db: f64) -> Result<Dense, Error> {
        let alone = self.cost(&recipe, drive_db)?;
        if alone.limiting_db < LITTLE_LIMITING_DB && alone.short_lu <= 0.0 {
            return Ok(Dense { recipe, is_within_limits: true, drive_db: alone.drive_db });
        }
        let headroom_db = self.headroom_db;
        let clipped = |recipe: &Recipe, step: usize| {
            let drive_db = amount * CLIPPED_DB.get(step)?;
            let clipper = ClipperParams { drive_db, headroom_db, knee_db: CLIPPER_KNEE_DB };
            Some(Recipe { clipper, ..recipe.clone() })
        };
        let glued = |recipe: &Recipe, step: usize| {
            let ratio = libm::pow(*GLUE_RATIOS.get(step)?, amount);
            Some(Recipe { glue: GlueParams { ratio, ..GlueParams::default() }, ..recipe.clone() })
        };
        let clipped = self.best_step((alone, recipe), clipped)?;
        let (cost, recipe) = self.best_step(clipped, glued)?;
        let is_within_limits = cost.short_lu <= 0.0 && cost.limiting_db <= recipe.delivery.max_limiting_db;
        Ok(Dense { recipe, is_within_limits, drive_db: cost.drive_db })
    }

    /// Tries one step after another, as long as each costs less than the one before, and returns the best. As many
    /// steps are tried at the same time as there are threads.
    fn best_step(
        &self,
        start: (Cost, Recipe),
        step: impl Fn(&Recipe, usize) -> Option<Recipe>,
    ) -> Result<(Cost, Recipe), Error> {
        let drive_db = start.0.drive_db;
        let recipes: Vec<Recipe> = (0..).map_while(|n| step(&start.1, n)).map(Recipe::quantized).collect();
        let mut best = start;
        for recipes in recipes.chunks(rayon::current_num_threads()) {
            let costs: Vec<_> = recipes.par_iter().map(|recipe| self.cost(recipe, drive_db)).collect();
            for (cost, recipe) in costs.into_iter().zip(recipes) {
                let cost = cost?;
                if cost.total_db() > best.0.total_db() - WORTH_NOISE_DB {
                    return Ok(best);
                }
                best = (cost, recipe.clone());
            }
        }
        Ok(best)
    }

    fn cost(&self, recipe: &Recipe, drive_db: f64) -> Result<Cost, Error> {
        let Self { test_render, frames, mask, profile, .. } = self;
        let mut delivery = delivery_of(recipe, test_render.lufs[0], profile);
        // The loud passage alone may be limited more of the time than the whole song.
        delivery.max_limiting_db = delivery.max_peak_limiting_db;
        let mut rendered_mid = Vec::with_capacity(test_render.loud_frames);
        let limiting = test_render.limiting(recipe, delivery, drive_db);
        let outcome = limiting.of(
            |sink| Ok(each_block_ahead(&mut test_render.finished(recipe, frames), sink)?),
            |frames| rendered_mid.extend(frames.iter().map(|frame| mid_side(*frame)[0])),
        )?;
        let noise_db = mask.noise_db(&rendered_mid);
        let missing_lu = |lufs: f64| (delivery.loudness_lufs - lufs - CLOSE_LU).max(0.0);
        let short_lu = outcome.loudness_lufs.map_or(0.0, missing_lu);
        Ok(Cost { noise_db, short_lu, limiting_db: outcome.limiting_db, drive_db: outcome.drive_db })
    }
}
