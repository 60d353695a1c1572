//! Excerpts of a song, joined one after another, and the measurement of their sound behind the chain.

use analyzer::excerpt::Excerpt;
use analyzer::loudness::LoudnessMeter;
use analyzer::profile::Profile;
use analyzer::spectrum::SpectrumMeter;
use analyzer::spectrum_bands::THIRD_OCTAVES;
use analyzer::stream::{Frame, Meter as _, Source};
use models::third_octaves::ThirdOctaveLevels;
use renderer::chain::Chain;
use renderer::recipe::{DeliveryParams, ForecastParams, OutputParams, Recipe, SampleFormat, Solution};
use renderer::stages::limiter::LimiterGain;

use crate::error::Error;
use crate::io::spool::Spool;
use crate::render::finish::starting_solution;
use crate::render::limited_source::limited_source;
use crate::render::solve::{CEILING_MARGIN_DB, Outcome, ROUGH, solve};
use crate::render::trace::TraceMeter;
use crate::song::Song;
use crate::song::read_ahead::{each_block_ahead, each_block_ahead_of};

/// Songs up to this long are used in full, in pieces that alternate between the two halves, seconds.
const WHOLE_S: f64 = 30.0;
/// Approximate length of such a piece, seconds.
const PIECE_S: f64 = 2.5;
/// Length used from the middle of each passage of a longer song, seconds.
const PASSAGE_MIDDLE_S: f64 = 6.0;
/// Number of passages that are divided between the halves; if there are fewer, each passage is cut in two.
const PASSAGES: usize = 6;
/// Fade at both ends of a piece, seconds.
const FADE_S: f64 = 0.005;

/// Passages of a song, joined one after another.
pub struct RefinementExcerpts {
    frames: Spool<Frame>,
    sample_rate_hz: u32,
    channels: u8,
    /// Measurement of the unprocessed passages.
    pub before: Reading,
}

/// Loudness and spectrum of some passages.
pub struct Reading {
    /// Loudness, LUFS.
    lufs: f64,
    /// Spectrum relative to the loudness, LU.
    pub levels: ThirdOctaveLevels,
}

impl RefinementExcerpts {
    /// Returns two sets of excerpts of a song that have no moment in common, or `None` if there is too little sound.
    ///
    /// # Errors
    /// The song lies in a temporary file that cannot be read.
    pub fn halves(song: &Song, profile: &Profile) -> Result<Option<[Self; 2]>, Error> {
        let [one, other] = pieces(song, profile);
        let (one, other) = (Self::of(song, &one)?, Self::of(song, &other)?);
        Ok(one.zip(other).map(|(one, other)| [one, other]))
    }

    /// Returns all passages as one set of excerpts, in order of time.
    ///
    /// # Errors
    /// As [`halves`](Self::halves).
    pub fn whole(song: &Song, profile: &Profile) -> Result<Option<Self>, Error> {
        let mut pieces = pieces(song, profile).concat();
        pieces.sort_unstable();
        Self::of(song, &joined(&pieces))
    }

    fn of(song: &Song, pieces: &[Piece]) -> Result<Option<Self>, Error> {
        let rate = song.info.sample_rate_hz;
        let frames = gathered(song, pieces)?;
        let Some(before) = measured(&mut frames.reader(), rate)? else { return Ok(None) };
        Ok(Some(Self { frames, sample_rate_hz: rate, channels: song.info.channels, before }))
    }

    /// Number of frames.
    pub fn len(&self) -> u64 {
        self.frames.len()
    }

    /// Renders the passages through the chain and returns their spectrum relative to their loudness, LU. `profile` is
    /// that of the whole song.
    ///
    /// # Errors
    /// Temporary data cannot be kept.
    pub fn through(&self, recipe: &Recipe, profile: &Profile) -> Result<Option<ThirdOctaveLevels>, Error> {
        let solution = starting_solution(recipe, profile);
        let mut meters = Meters::new(self.sample_rate_hz);
        self.rendered(recipe, &solution, |frames| {
            meters.push(frames);
            Ok(())
        })?;
        Ok(meters.finish().map(|reading| reading.levels))
    }

    /// As [`through`](Self::through), and through the limiter as well. Also returns the forecast that follows for the
    /// whole song.
    ///
    /// The limiter changes a long-term spectrum through single moments. An equaliser curve meant for the whole song
    /// should not make up for that; a target spectrum that is to be met as it is has to include it.
    ///
    /// # Errors
    /// As [`through`](Self::through).
    pub fn limited(
        &self,
        recipe: &Recipe,
        profile: &Profile,
    ) -> Result<Option<(ThirdOctaveLevels, ForecastParams)>, Error> {
        let solution = starting_solution(recipe, profile);
        let mut meters = Meters::new(self.sample_rate_hz);
        let limiting = Limiting {
            recipe,
            delivery: delivery_of(recipe, self.before.lufs, profile),
            solution: solution.clone(),
            sample_rate_hz: self.sample_rate_hz,
            channels: self.channels,
        };
        let outcome = limiting.of(|sink| self.rendered(recipe, &solution, sink), |frames| meters.push(frames))?;
        let loss_db = recipe.forecast.loss_db + outcome.drive_db - solution.drive_db;
        Ok(meters.finish().map(|Reading { lufs, levels }| {
            (levels, ForecastParams { loss_db, offset_lu: offset_lu(&outcome, Some(lufs)) })
        }))
    }

    /// Passes the passages behind the chain to `sink`.
    fn rendered(&self, recipe: &Recipe, solution: &Solution, sink: impl FnMut(&[Frame]) -> Sunk) -> Result<(), Error> {
        let chain = Chain::new(recipe, &solution.band_levels_dbfs, self.sample_rate_hz);
        let (mut first, second) = chain.in_two(self.frames.reader());
        Ok(each_block_ahead_of(&mut first, second, sink)?)
    }
}

/// Returns the delivery parameters for passages of `lufs` LUFS: they stay as much louder than the song as they are in
/// the mix, and the ceiling includes the limiter's margin.
pub fn delivery_of(recipe: &Recipe, lufs: f64, profile: &Profile) -> DeliveryParams {
    let mut delivery = recipe.delivery;
    delivery.ceiling_dbtp -= CEILING_MARGIN_DB;
    delivery.loudness_lufs += lufs - profile.loudness.integrated_lufs.unwrap_or(lufs);
    delivery
}

/// Outcome of passing frames on.
pub type Sunk = Result<(), crate::io::Error>;

/// The limiter behind the chain of a recipe, for passages of a song.
pub struct Limiting<'a> {
    pub recipe: &'a Recipe,
    /// Loudness and limits for the passage.
    pub delivery: DeliveryParams,
    pub solution: Solution,
    pub sample_rate_hz: u32,
    pub channels: u8,
}

impl Limiting<'_> {
    /// Solves the drive for the frames that `feed` passes on, limits them and passes them to `sink`, without dither. The
    /// search starts at the drive of the solution.
    ///
    /// # Errors
    /// Temporary data cannot be read.
    pub fn of(
        self,
        feed: impl FnOnce(&mut dyn FnMut(&[Frame]) -> Sunk) -> Result<(), Error>,
        mut sink: impl FnMut(&[Frame]),
    ) -> Result<Outcome, Error> {
        let Self { recipe, delivery, mut solution, sample_rate_hz, channels } = self;
        let mut meter = TraceMeter::of_solution(&solution, sample_rate_hz, usize::MAX);
        let mut rendered = Spool::new(usize::MAX);
        feed(&mut |frames| {
            meter.push(frames)?;
            rendered.push(frames)
        })?;
        let trace = meter.finish()?;
        let outcome = solve(&trace, &recipe.limiter, &delivery, &[], 0.0, (solution.drive_db, ROUGH))?;
        solution.drive_db = outcome.drive_db;
        let limiter = LimiterGain::new(&recipe.limiter, outcome.drive_db, delivery.ceiling_dbtp, sample_rate_hz);
        let undithered = OutputParams { sample_format: SampleFormat::Float32, ..recipe.output };
        let mut source = limited_source(&rendered, &trace, limiter, &solution, &undithered, channels)?;
        each_block_ahead(&mut source, |frames| {
            sink(frames);
            Ok(())
        })?;
        Ok(outcome)
    }
}

/// Returns the amount by which the loudness of `outcome`, which is predicted, exceeds the measured one, LU.
pub fn offset_lu(outcome: &Outcome, measured_lufs: Option<f64>) -> f64 {
    outcome.loudness_lufs.zip(measured_lufs).map_or(0.0, |(predicted, measured)| predicted - measured)
}

/// Returns a loud, a typical and a quiet passage, joined with the loud one first, and the number of frames of the loud
/// one. A short song is returned in full.
///
/// # Errors
/// The song lies in a temporary file that cannot be read.
pub fn loud_first(song: &Song, profile: &Profile) -> Result<(Spool<Frame>, u64), Error> {
    let (frames, rate) = (song.frames.len(), f64::from(song.info.sample_rate_hz));
    let loud = profile.excerpts.first().map_or((0, frames), |loud| (loud.start_frame, loud.frames));
    let pieces = if frames as f64 <= WHOLE_S * rate {
        let end = loud.0 + loud.1;
        vec![loud, (0, loud.0), (end, frames - end)]
    } else {
        profile.excerpts.iter().take(PASSAGES / 2).map(|excerpt| (excerpt.start_frame, excerpt.frames)).collect()
    };
    Ok((gathered(song, &pieces)?, loud.1))
}

fn gathered(song: &Song, pieces: &[Piece]) -> Result<Spool<Frame>, Error> {
    let mut frames = Spool::new(song.spool_bytes);
    for &(start, count) in pieces {
        let mut piece = vec![[0.0; 2]; usize::try_from(count).unwrap_or(0)];
        let read = song.frames.reader_at(start).read(&mut piece)?;
        piece.truncate(read);
        fade(&mut piece, (FADE_S * f64::from(song.info.sample_rate_hz)) as usize);
        frames.push(&piece)?;
    }
    Ok(frames)
}

/// First frame and length in frames.
type Piece = (u64, u64);

/// Returns the pieces of the first and of the second half.
fn pieces(song: &Song, profile: &Profile) -> [Vec<Piece>; 2] {
    let (frames, rate) = (song.frames.len(), f64::from(song.info.sample_rate_hz));
    let cut: Vec<Piece> = if frames as f64 <= WHOLE_S * rate {
        let pairs = ((frames as f64 / (2.0 * PIECE_S * rate)) as u64).max(1);
        let start = |piece: u64| piece * frames / (2 * pairs);
        (0..2 * pairs).map(|piece| (start(piece), start(piece + 1) - start(piece))).collect()
    } else if profile.excerpts.len() >= PASSAGES {
        // The excerpts are the first of each kind, then the second of each kind.
        let middle = |excerpt: &Excerpt| -> Piece {
            let frames = excerpt.frames.min((PASSAGE_MIDDLE_S * rate) as u64);
            (excerpt.start_frame + (excerpt.frames - frames) / 2, frames)
        };
        let (first, second) = profile.excerpts.split_at(profile.excerpts.len() / 2);
        first.iter().zip(second).flat_map(|(a, b)| [middle(a), middle(b)]).collect()
    } else {
        let halved = |start: u64, frames: u64| [(start, frames / 2), (start + frames / 2, frames - frames / 2)];
        profile.excerpts.iter().flat_map(|e| halved(e.start_frame, e.frames)).collect()
    };
    [0, 1].map(|half| cut.iter().skip(half).step_by(2).copied().collect())
}

/// Joins adjacent pieces; `pieces` are in order of time.
fn joined(pieces: &[Piece]) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for &(start, frames) in pieces {
        match joined.last_mut() {
            Some((first, count)) if *first + *count == start => *count += frames,
            _ => joined.push((start, frames)),
        }
    }
    joined
}

/// Fades a piece in and out, so that cuts do not click.
fn fade(piece: &mut [Frame], frames: usize) {
    let frames = frames.min(piece.len() / 2);
    for n in 0..frames {
        let gain = (n as f32 + 0.5) / frames as f32;
        let last = piece.len() - 1 - n;
        piece[n] = piece[n].map(|x| x * gain);
        piece[last] = piece[last].map(|x| x * gain);
    }
}

/// Measures loudness and spectrum of a source; returns `None` if it is silent.
fn measured<S: Source<Error = crate::io::Error> + Send>(
    source: &mut S,
    sample_rate_hz: u32,
) -> Result<Option<Reading>, Error> {
    let mut meters = Meters::new(sample_rate_hz);
    each_block_ahead(source, |frames| {
        meters.push(frames);
        Ok(())
    })?;
    Ok(meters.finish())
}

/// Meters for a [`Reading`].
struct Meters {
    spectrum: SpectrumMeter,
    loudness: LoudnessMeter,
}

impl Meters {
    fn new(sample_rate_hz: u32) -> Self {
        Self { spectrum: SpectrumMeter::new(sample_rate_hz), loudness: LoudnessMeter::new(sample_rate_hz) }
    }

    fn push(&mut self, frames: &[Frame]) {
        self.spectrum.push(frames);
        self.loudness.push(frames);
    }

    fn finish(self) -> Option<Reading> {
        let lufs = self.loudness.history().integrated()?;
        let reading = self.spectrum.finish();
        let over = |levels: &[f64]| -> [f64; THIRD_OCTAVES] { std::array::from_fn(|band| levels[band] - lufs) };
        let (mid, side) = (&reading.mid, &reading.side);
        Some(Reading { lufs, levels: [over(&mid.third_octave_db), over(&side.third_octave_db)] })
    }
}
