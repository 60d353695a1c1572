//! Passages of a song at the input of the compressors, rendered through the stages that follow.

use analyzer::crossover::BANDS;
use analyzer::loudness::LoudnessMeter;
use analyzer::profile::Profile;
use analyzer::punch::Punch;
use analyzer::stream::{Frame, Meter as _};
use analyzer::units::db_from_gain;
use renderer::band_envelopes::{BandEnvelope, EnvelopeMeter};
use renderer::chain::{Chain, Rendered};
use renderer::recipe::{DeliveryParams, Recipe, Solution};
use renderer::shaper::mean_dbfs;
use renderer::stages::multiband::{BandParams, MultibandParams};
use renderer::stages::width::WidthParams;

use super::excerpts::{Limiting, delivery_of, loud_first, offset_lu};
use crate::error::Error;
use crate::io::spool::{Spool, SpoolReader};
use crate::render::finish::starting_solution;
use crate::song::Song;
use crate::song::blocks::each_block;
use crate::song::read_ahead::{each_block_ahead, each_block_ahead_of};

/// Longest part of the loud passage that is rendered to compare mixtures of glue, clipping and limiting, seconds.
const MAX_LOUD_S: usize = 6;
/// Ratios this close to 1 count as 1.
const MIN_RATIO_DISTANCE: f64 = 0.03;
/// A band this close to its aim is left unchanged, dB.
pub const CLOSE_DB: f64 = 0.3;
/// Tolerance within which a loudness counts as reached, LU.
pub const CLOSE_LU: f64 = 0.05;

/// A loud, a typical and a quiet passage of a song, with their measurements.
pub struct LoudPassages {
    /// Frames of all passages, the loud one first.
    frames: Spool<Frame>,
    /// Number of frames at the start that belong to the loud passage.
    loud_frames: usize,
    /// Loudness of the loud passage and of all passages, LUFS.
    lufs: [f64; 2],
    /// Band envelopes of all passages.
    envelopes: EnvelopeMeter,
    sample_rate_hz: u32,
    channels: u8,
}

impl LoudPassages {
    /// Reads and measures the passages; returns `None` if they are silent.
    ///
    /// # Errors
    /// The song lies in a temporary file that cannot be read.
    pub fn of(song: &Song, profile: &Profile) -> Result<Option<Self>, Error> {
        let (sample_rate_hz, channels) = (song.info.sample_rate_hz, song.info.channels);
        let (frames, loud_frames) = loud_first(song, profile)?;
        let loud_frames = (loud_frames as usize).min(MAX_LOUD_S * sample_rate_hz as usize);
        let loudness = || -> Result<_, Error> {
            let mut meters = [(); 2].map(|()| LoudnessMeter::new(sample_rate_hz));
            let mut left = loud_frames;
            each_block(&mut frames.reader(), |frames| {
                let count = left.min(frames.len());
                left -= count;
                meters[0].push(&frames[..count]);
                meters[1].push(frames);
                Ok(())
            })?;
            Ok(meters.map(|meter| meter.history().integrated()))
        };
        let envelopes = || -> Result<_, Error> {
            let mut meter = EnvelopeMeter::new(sample_rate_hz);
            each_block(&mut frames.reader(), |frames| {
                meter.push(frames);
                Ok(())
            })?;
            Ok(meter)
        };
        let (lufs, envelopes) = rayon::join(loudness, envelopes);
        let ([Some(loud_lufs), Some(lufs)], envelopes) = (lufs?, envelopes?) else { return Ok(None) };
        Ok(Some(Self { frames, loud_frames, lufs: [loud_lufs, lufs], envelopes, sample_rate_hz, channels }))
    }
}

/// Passages of a song, before and behind the equaliser.
pub struct TestRender {
    /// Frames of the passages at the input of the compressors.
    equalized: Spool<Frame>,
    /// Number of frames at the start that belong to the loud passage.
    pub loud_frames: usize,
    /// Loudness of the loud passage and of all passages in the mix, LUFS.
    pub lufs: [f64; 2],
    /// Solution with the band levels that thresholds are relative to.
    pub solution: Solution,
    pub sample_rate_hz: u32,
    pub channels: u8,
    /// Dynamics of the bands in the mix.
    pub before: [Punch; BANDS],
    /// Envelopes of the bands in front of the compressors.
    pub bands: [BandEnvelope; BANDS],
}

impl TestRender {
    /// Renders passages through `recipe`, which has no dynamics yet.
    pub fn new(passages: &LoudPassages, profile: &Profile, recipe: &Recipe) -> Result<Self, Error> {
        let LoudPassages { frames, loud_frames, lufs, envelopes, sample_rate_hz, channels } = passages;
        let solution = starting_solution(recipe, profile);
        let before = envelopes.clone().finish(&solution.band_levels_dbfs).map(|band| band.punch());
        let in_front = Recipe { width: WidthParams::default(), ..recipe.clone() };
        let chain = Chain::new(&in_front, &solution.band_levels_dbfs, *sample_rate_hz);
        let (mut first, second) = chain.in_two(frames.reader());
        let (mut equalized, mut meter) = (Spool::new(usize::MAX), EnvelopeMeter::new(*sample_rate_hz));
        each_block_ahead_of(&mut first, second, |frames| {
            meter.push(frames);
            equalized.push(frames)
        })?;
        let bands = meter.finish(&solution.band_levels_dbfs);
        let (loud_frames, lufs) = (*loud_frames, *lufs);
        let (sample_rate_hz, channels) = (*sample_rate_hz, *channels);
        Ok(Self { equalized, loud_frames, lufs, solution, sample_rate_hz, channels, before, bands })
    }

    /// Returns the compressors scaled by `amount`, from 0 (none) to 1 (as given). Makeup gain keeps the level of every
    /// band.
    pub fn multiband(&self, whole: &[BandParams; BANDS], amount: f64) -> MultibandParams {
        let mut params = MultibandParams::default();
        for (b, band) in params.bands_mut().into_iter().enumerate() {
            let ratio = libm::round(100.0 * libm::pow(whole[b].ratio, amount)) / 100.0;
            if (ratio - 1.0).abs() < MIN_RATIO_DISTANCE {
                continue;
            }
            let scaled = BandParams { ratio, ..whole[b] };
            *band = BandParams { makeup_db: -self.bands[b].through(&scaled).level_db, ..scaled };
        }
        params
    }

    /// Renders the passages through the compressors of a recipe.
    pub fn compressed(&self, recipe: &Recipe) -> Result<Spool<Frame>, Error> {
        let recipe = Recipe { multiband: recipe.multiband, ..Recipe::default() };
        let mut compressed = Spool::new(usize::MAX);
        each_block(&mut self.behind(&recipe, &self.equalized), |frames| compressed.push(frames))?;
        Ok(compressed)
    }

    /// Renders frames through the stages behind the compressors of a recipe.
    pub fn finished<'a>(&self, recipe: &Recipe, compressed: &'a Spool<Frame>) -> Rendered<SpoolReader<'a, Frame>> {
        let Recipe { glue, saturator, width, clipper, .. } = *recipe;
        self.behind(&Recipe { glue, saturator, width, clipper, ..Recipe::default() }, compressed)
    }

    fn behind<'a>(&self, recipe: &Recipe, frames: &'a Spool<Frame>) -> Rendered<SpoolReader<'a, Frame>> {
        Chain::new(recipe, &self.solution.band_levels_dbfs, self.sample_rate_hz).applied_to(frames.reader())
    }

    /// Returns the highest peak of frames over the song's mean power, limited to 6 to 24 dB.
    pub fn headroom_db(&self, frames: &Spool<Frame>) -> Result<f64, Error> {
        let mut highest = 0.0f32;
        each_block(&mut frames.reader(), |frames| {
            highest = frames.as_flattened().iter().fold(highest, |highest, x| highest.max(x.abs()));
            Ok(())
        })?;
        Ok((db_from_gain(f64::from(highest)) - mean_dbfs(&self.solution.band_levels_dbfs)).clamp(6.0, 24.0))
    }

    /// Renders the passages through the stages behind the compressors and the limiter, whose drive is searched from
    /// `drive_db` on, and measures them.
    pub fn limited(
        &self,
        compressed: &Spool<Frame>,
        recipe: &Recipe,
        (profile, drive_db): (&Profile, f64),
    ) -> Result<LimitedResult, Error> {
        let mut bands = EnvelopeMeter::new(self.sample_rate_hz);
        let mut loudness = LoudnessMeter::new(self.sample_rate_hz);
        let delivery = delivery_of(recipe, self.lufs[1], profile);
        let limiting = self.limiting(recipe, delivery, drive_db);
        let outcome = limiting.of(
            |sink| Ok(each_block_ahead(&mut self.finished(recipe, compressed), sink)?),
            |frames| {
                bands.push(frames);
                loudness.push(frames);
            },
        )?;
        let is_peak = outcome.peak_limiting_db > delivery.max_peak_limiting_db - CLOSE_DB;
        // A request for less limiting than by default is a request for less density, so no other stage may make up for
        // it.
        let may_be_dense = delivery.max_limiting_db >= DeliveryParams::default().max_limiting_db;
        let short_lu = outcome.loudness_lufs.map_or(0.0, |lufs| delivery.loudness_lufs - lufs - CLOSE_LU);
        let punch = bands.finish(&self.solution.band_levels_dbfs).map(|band| band.punch());
        let short_lu = if is_peak || may_be_dense { short_lu } else { 0.0 };
        let room_db = (delivery.max_peak_limiting_db - outcome.peak_limiting_db)
            .min(delivery.max_limiting_db - outcome.limiting_db);
        Ok(LimitedResult {
            punch,
            short_lu,
            room_db,
            drive_db: outcome.drive_db,
            offset_lu: offset_lu(&outcome, loudness.history().integrated()),
        })
    }

    /// Returns the limiter behind a recipe, whose drive is searched from `drive_db` on.
    pub fn limiting<'r>(&self, recipe: &'r Recipe, delivery: DeliveryParams, drive_db: f64) -> Limiting<'r> {
        let Self { solution, sample_rate_hz, channels, .. } = self;
        let solution = Solution { drive_db, ..solution.clone() };
        Limiting { recipe, delivery, solution, sample_rate_hz: *sample_rate_hz, channels: *channels }
    }
}

/// Dynamics and missing loudness of the passages behind the limiter.
pub struct LimitedResult {
    /// Dynamics of the bands.
    pub punch: [Punch; BANDS],
    /// Missing loudness that clipper and compressors may make up for, LU.
    pub short_lu: f64,
    /// Limiting that is left until no more is allowed, dB.
    pub room_db: f64,
    /// Drive that was found, dB.
    pub drive_db: f64,
    /// Amount by which the loudness predicted for it reads too high, LU.
    pub offset_lu: f64,
}
