//! A song in short: passages of it in a row, and what they sound like behind the chain.

use analyzer::loudness::LoudnessMeter;
use analyzer::profile::Profile;
use analyzer::spectrum::SpectrumMeter;
use analyzer::spectrum_bands::THIRD_OCTAVES;
use analyzer::stream::{Frame, Meter as _, Source};
use analyzer::units::gain_from_db;
use models::third_octaves::{FineBandPowers, ThirdOctaveLevels, over_loudness};
use renderer::chain::Chain;
use renderer::recipe::{OutputParams, Recipe, SampleFormat, Solution};
use renderer::stages::limiter::LimiterGain;

use crate::error::Error;
use crate::io::spool::Spool;
use crate::render::finish::starting_solution;
use crate::render::limited_source::limited_source;
use crate::render::solve::CEILING_MARGIN_DB;
use crate::render::solve::{TraceMeter, solve};
use crate::song::Song;
use crate::song::blocks::each_block;

/// Songs up to this long are listened to as a whole, in pieces that go to one half and the other in turn...
const WHOLE_S: f64 = 30.0;
/// ...of about this length, seconds.
const PIECE_S: f64 = 2.5;
/// So many passages are divided between the halves; fewer are cut in two each.
const PASSAGES: usize = 6;
/// Pieces that are cut off begin and end within this, seconds.
const FADE_S: f64 = 0.005;
/// A limiter that takes less for most of the time does not change a spectrum, dB.
const LIMITING_DB: f64 = 0.1;

/// Passages of a song in a row.
pub struct RefinementExcerpts {
    frames: Spool<Frame>,
    sample_rate_hz: u32,
    channels: u8,
    /// What the passages sound like.
    pub before: Reading,
}

/// What was heard.
pub struct Reading {
    /// Loudness, LUFS.
    lufs: f64,
    /// Spectrum over the loudness, LU.
    pub levels: ThirdOctaveLevels,
    /// The same, finer.
    pub fine: FineBandPowers,
}

impl RefinementExcerpts {
    /// Two sets of excerpts of a song that have no moment in common; `None` where there is too little to hear.
    ///
    /// # Errors
    /// The song lies in a temporary file that cannot be read.
    pub fn halves(song: &Song, profile: &Profile) -> Result<Option<[Self; 2]>, Error> {
        let [one, other] = pieces(song, profile);
        let (one, other) = (Self::of(song, &one)?, Self::of(song, &other)?);
        Ok(one.zip(other).map(|(one, other)| [one, other]))
    }

    /// All passages in one.
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
        let mut frames = Spool::new(song.spool_bytes);
        for &(start, count) in pieces {
            let mut piece = vec![[0.0; 2]; usize::try_from(count).unwrap_or(0)];
            let read = song.frames.reader_at(start).read(&mut piece)?;
            piece.truncate(read);
            fade(&mut piece, (FADE_S * f64::from(rate)) as usize);
            frames.push(&piece)?;
        }
        let Some(before) = measured(&mut frames.reader(), rate)? else { return Ok(None) };
        Ok(Some(Self { frames, sample_rate_hz: rate, channels: song.info.channels, before }))
    }

    /// How many frames there are.
    pub fn len(&self) -> u64 {
        self.frames.len()
    }

    /// The spectrum over the loudness of what the chain makes of the passages, and the limiter if it counts, LU; `profile` is
    /// that of the song.
    ///
    /// What a limiter does to a long-term spectrum is a matter of single moments: it is no fault of a tone that was meant for
    /// all of the song, but has a part in a spectrum that is wanted as it is.
    ///
    /// # Errors
    /// Temporary data cannot be kept.
    pub fn through(
        &self,
        recipe: &Recipe,
        profile: &Profile,
        with_limiter: bool,
    ) -> Result<Option<ThirdOctaveLevels>, Error> {
        let (rate, solution) = (self.sample_rate_hz, starting_solution(recipe, profile));
        let chain = Chain::new(recipe, &solution.band_levels_dbfs, rate);
        let mut source = chain.applied_to(self.frames.reader());
        let heard = match with_limiter {
            true => self.through_limiter(&mut source, recipe, profile, solution)?,
            false => measured(&mut source, rate)?,
        };
        Ok(heard.map(|heard| heard.levels))
    }

    fn through_limiter(
        &self,
        source: &mut impl Source<Error = crate::io::Error>,
        recipe: &Recipe,
        profile: &Profile,
        mut solution: Solution,
    ) -> Result<Option<Reading>, Error> {
        let rate = self.sample_rate_hz;
        let mut rendered = Spool::new(usize::MAX);
        let mut meter = TraceMeter::new(rate, gain_from_db(solution.exact_above_dbfs), usize::MAX);
        each_block(source, |frames| {
            meter.push(frames)?;
            rendered.push(frames)
        })?;
        let trace = meter.finish()?;
        // The passages are as much louder than the song as they were.
        let mut delivery = recipe.delivery;
        delivery.ceiling_dbtp -= CEILING_MARGIN_DB;
        delivery.loudness_lufs += self.before.lufs - profile.loudness.integrated_lufs.unwrap_or(self.before.lufs);
        let outcome = solve(&trace, &recipe.limiter, &delivery, &[], 0.0, solution.drive_db)?;
        if outcome.limiting_db < LIMITING_DB {
            return measured(&mut rendered.reader(), rate);
        }
        solution.drive_db = outcome.drive_db;
        let limiter = LimiterGain::new(&recipe.limiter, outcome.drive_db, delivery.ceiling_dbtp, rate);
        let undithered = OutputParams { sample_format: SampleFormat::Float32, ..recipe.output };
        let mut source = limited_source(&rendered, &trace, limiter, &solution, &undithered, self.channels)?;
        measured(&mut source, rate)
    }
}

/// First frame and length.
type Piece = (u64, u64);

/// What goes into one half and the other.
fn pieces(song: &Song, profile: &Profile) -> [Vec<Piece>; 2] {
    let (frames, rate) = (song.frames.len(), f64::from(song.info.sample_rate_hz));
    let cut: Vec<Piece> = if frames as f64 <= WHOLE_S * rate {
        let pairs = ((frames as f64 / (2.0 * PIECE_S * rate)) as u64).max(1);
        let start = |piece: u64| piece * frames / (2 * pairs);
        (0..2 * pairs).map(|piece| (start(piece), start(piece + 1) - start(piece))).collect()
    } else if profile.excerpts.len() >= PASSAGES {
        // The first of each kind, then the second of each.
        let (first, second) = profile.excerpts.split_at(profile.excerpts.len() / 2);
        first.iter().zip(second).flat_map(|(a, b)| [(a.start_frame, a.frames), (b.start_frame, b.frames)]).collect()
    } else {
        let halved = |start: u64, frames: u64| [(start, frames / 2), (start + frames / 2, frames - frames / 2)];
        profile.excerpts.iter().flat_map(|e| halved(e.start_frame, e.frames)).collect()
    };
    [0, 1].map(|half| cut.iter().skip(half).step_by(2).copied().collect())
}

/// Pieces in order, those that go on where others end as one.
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

/// Lets a piece come and go, so that a cut is no click.
fn fade(piece: &mut [Frame], frames: usize) {
    let frames = frames.min(piece.len() / 2);
    for n in 0..frames {
        let gain = (n as f32 + 0.5) / frames as f32;
        let last = piece.len() - 1 - n;
        piece[n] = piece[n].map(|x| x * gain);
        piece[last] = piece[last].map(|x| x * gain);
    }
}

/// Loudness and spectrum of what a source gives; `None` where nothing is heard.
fn measured<S: Source<Error = crate::io::Error>>(
    source: &mut S,
    sample_rate_hz: u32,
) -> Result<Option<Reading>, Error> {
    let mut spectrum = SpectrumMeter::new(sample_rate_hz);
    let mut loudness = LoudnessMeter::new(sample_rate_hz);
    each_block(source, |frames| {
        spectrum.push(frames);
        loudness.push(frames);
        Ok(())
    })?;
    let Some(lufs) = loudness.history().integrated() else { return Ok(None) };
    let reading = spectrum.finish();
    let over = |levels: &[f64]| -> [f64; THIRD_OCTAVES] { std::array::from_fn(|band| levels[band] - lufs) };
    let (mid, side) = (&reading.mid, &reading.side);
    Ok(Some(Reading {
        lufs,
        levels: [over(&mid.third_octave_db), over(&side.third_octave_db)],
        fine: [&mid.fine, &side.fine].map(|powers| over_loudness(powers, lufs)),
    }))
}
