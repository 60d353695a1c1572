//! Density: the mixture of glue, soft clipping and limiting that reaches a loudness with the least that can be heard of it.
//!
//! Mixtures are rendered on the loudest passage, brought to their loudness, and compared by the noise that they add to what hides it.

use analyzer::noise_to_mask::noise_to_mask_db;
use analyzer::profile::Profile;
use analyzer::stream::{Frame, mid_side};
use analyzer::units::db_from_gain;
use renderer::chain::Chain;
use renderer::recipe::{DeliveryParams, Recipe, Solution};
use renderer::shaper::mean_dbfs;
use renderer::stages::clipper::ClipperParams;
use renderer::stages::glue::GlueParams;
use renderer::stages::multiband::{BandParams, MultibandParams};
use renderer::stages::width::WidthParams;

use super::excerpts::{Limiting, RefinementExcerpts};
use crate::error::Error;
use crate::io::spool::Spool;
use crate::song::{Song, each_block};

/// By how much the clipper brings the highest peaks down, each step the next that is tried, dB.
const CLIPPED_DB: [f64; 4] = [1.0, 2.0, 3.0, 4.5];
/// Below its ceiling it bends over so much, dB.
const CLIPPER_KNEE_DB: f64 = 2.0;
/// Ratios of the glue compressor: one to two decibels in loud moments.
const GLUE_RATIOS: [f64; 2] = [1.5, 2.0];
/// What a step has to bring, dB.
const WORTH_NOISE_DB: f64 = 0.1;
/// What a missing LU weighs against noise, dB.
const SHORT_COST_DB: f64 = 30.0;
/// A loudness this close is reached, LU.
const CLOSE_LU: f64 = 0.05;
/// A passage that needs less limiting than this is left to the limiter, dB.
const LITTLE_LIMITING_DB: f64 = 1.0;
/// A compressor that does next to nothing: the bands are split and added.
const SPLIT_ONLY: BandParams = BandParams {
    threshold_db: 12.0,
    ratio: 1.01,
    knee_db: 0.0,
    attack_ms: 20.0,
    release_ms: 200.0,
    mix_pct: 100.0,
    look_ahead_ms: 0.0,
    makeup_db: 0.0,
};

/// A loud passage behind the equaliser, in which the ways to loudness are compared.
pub struct Passage {
    frames: Spool<Frame>,
    /// The mid of it, behind what is no noise.
    input: Vec<f32>,
    solution: Solution,
    delivery: DeliveryParams,
    sample_rate_hz: u32,
    channels: u8,
}

/// What a way to loudness costs.
#[derive(Clone, Copy)]
struct Cost {
    /// Noise to mask, dB.
    noise_db: f64,
    /// Loudness that is missing, LU.
    short_lu: f64,
    /// Gain reduction of the limiter that a twentieth of the time exceeds, dB.
    limiting_db: f64,
}

impl Cost {
    fn total_db(&self) -> f64 {
        self.noise_db + SHORT_COST_DB * self.short_lu
    }
}

impl Passage {
    /// Of a song behind what `recipe` has in front of its compressors; `None` in silence.
    ///
    /// # Errors
    /// Temporary data cannot be kept.
    pub fn loud(song: &Song, profile: &Profile, recipe: &Recipe, solution: &Solution) -> Result<Option<Self>, Error> {
        let Some(excerpt) = RefinementExcerpts::loud(song, profile)? else { return Ok(None) };
        let in_front =
            Recipe { multiband: MultibandParams::default(), width: WidthParams::default(), ..recipe.clone() };
        let mut delivery = excerpt.delivery(recipe, profile);
        // A loud passage may be limited for longer than the song.
        delivery.max_limiting_db = delivery.max_peak_limiting_db;
        let (frames, solution) = (excerpt.rendered(&in_front, solution)?, solution.clone());
        let (sample_rate_hz, channels) = (song.info.sample_rate_hz, song.info.channels);
        let mut passage = Self { frames, input: Vec::new(), solution, delivery, sample_rate_hz, channels };
        // The split of the bands turns phases, which is no noise.
        let mut split = recipe.clone();
        split.multiband.bands_mut().into_iter().filter(|band| band.ratio != 1.0).for_each(|band| *band = SPLIT_ONLY);
        each_block(&mut passage.behind(&split)?.reader(), |frames| {
            passage.input.extend(frames.iter().map(|frame| mid_side(*frame)[0]));
            Ok(())
        })?;
        Ok(Some(passage))
    }

    /// What dynamics and width of `recipe` make of the passage.
    fn behind(&self, recipe: &Recipe) -> Result<Spool<Frame>, Error> {
        let Recipe { multiband, glue, saturator, width, clipper, .. } = recipe.clone();
        let dynamics = Recipe { multiband, glue, saturator, width, clipper, ..Recipe::default() };
        let chain = Chain::new(&dynamics, &self.solution.band_levels_dbfs, self.sample_rate_hz);
        let mut rendered = Spool::new(usize::MAX);
        each_block(&mut chain.applied_to(self.frames.reader()), |frames| rendered.push(frames))?;
        Ok(rendered)
    }

    /// The recipe with as much of clipper and glue, `amount` (0 to 1) of which is done, as makes its loudness cost least.
    ///
    /// # Errors
    /// Temporary data cannot be kept.
    pub fn dense(&self, recipe: Recipe, amount: f64) -> Result<Recipe, Error> {
        let alone = self.cost(&recipe)?;
        if alone.limiting_db < LITTLE_LIMITING_DB && alone.short_lu <= 0.0 {
            return Ok(recipe);
        }
        let headroom_db = self.headroom_db();
        let clipped = |recipe: &Recipe, step: usize| {
            let drive_db = amount * CLIPPED_DB.get(step)?;
            let clipper = ClipperParams { drive_db, headroom_db, knee_db: CLIPPER_KNEE_DB };
            Some(Recipe { clipper, ..recipe.clone() })
        };
        let glued = |recipe: &Recipe, step: usize| {
            let ratio = libm::pow(*GLUE_RATIOS.get(step)?, amount);
            Some(Recipe { glue: GlueParams { ratio, ..GlueParams::default() }, ..recipe.clone() })
        };
        let start = (alone.total_db(), recipe);
        let clipped = self.best_step(start, clipped)?;
        Ok(self.best_step(clipped, glued)?.1)
    }

    /// Goes on as long as every step costs less than the one before.
    fn best_step(
        &self,
        start: (f64, Recipe),
        step: impl Fn(&Recipe, usize) -> Option<Recipe>,
    ) -> Result<(f64, Recipe), Error> {
        let mut best = start.clone();
        for n in 0.. {
            let Some(recipe) = step(&start.1, n).map(Recipe::quantized) else { break };
            let cost = self.cost(&recipe)?.total_db();
            if cost > best.0 - WORTH_NOISE_DB {
                break;
            }
            best = (cost, recipe);
        }
        Ok(best)
    }

    /// Highest peak over the song's mean power, dB.
    fn headroom_db(&self) -> f64 {
        let highest = self.input.iter().fold(0.0f32, |highest, x| highest.max(x.abs()));
        (db_from_gain(f64::from(highest)) - mean_dbfs(&self.solution.band_levels_dbfs)).clamp(6.0, 24.0)
    }

    fn cost(&self, recipe: &Recipe) -> Result<Cost, Error> {
        let Self { input, solution, delivery, sample_rate_hz, channels, .. } = self;
        let (delivery, sample_rate_hz, channels) = (*delivery, *sample_rate_hz, *channels);
        let mut made = Vec::with_capacity(input.len());
        let limiting = Limiting { recipe, delivery, solution: solution.clone(), sample_rate_hz, channels };
        let outcome = limiting.of(&self.behind(recipe)?, |frames| {
            made.extend(frames.iter().map(|frame| mid_side(*frame)[0]));
        })?;
        let noise_db = noise_to_mask_db(input, &made, sample_rate_hz);
        let missing_lu = |lufs: f64| (delivery.loudness_lufs - lufs - CLOSE_LU).max(0.0);
        let short_lu = outcome.loudness_lufs.map_or(0.0, missing_lu);
        if std::env::var("GM_DEBUG").is_ok() {
            eprintln!("clip {:.1} glue {:.2}: nmr {noise_db:.2} short {short_lu:.2} lim {:.1} {:.1}", recipe.clipper.drive_db, recipe.glue.ratio, outcome.limiting_db, outcome.peak_limiting_db);
        }
        Ok(Cost { noise_db, short_lu, limiting_db: outcome.limiting_db })
    }
}
