//! Limits, writes and measures a rendered song, as often as its promises require.

use std::path::Path;

use analyzer::loudness::LoudnessMeter;
use analyzer::stream::{Frame, Meter, Source};
use renderer::recipe::{DeliveryParams, OutputParams, Recipe, SampleFormat, Solution};
use renderer::resample::Resampled;
use renderer::stages::limiter::LimiterGain;

use crate::error::Error;
use crate::io;
use crate::io::decode::open;
use crate::io::encode::Encoder;
use crate::io::output_spec::{Format, OutputSpec};
use crate::io::spool::Spool;
use crate::render::ceiling_meter::CeilingMeter;
use crate::render::codec_room::{self, CodecRoom, MAX_OFFSET_LU};
use crate::render::difference::write_difference;
use crate::render::limited_source::{LimitedSource, limited_source};
use crate::render::output_meter::{CaptureRequest, OutputMeter};
use crate::render::promises::Measured;
use crate::render::series::Series;
use crate::render::solve::{CEILING_MARGIN_DB, EXACT, Outcome, outcome, solve};
use crate::render::trace::{Blocks, Trace, TraceMeter, exact_above_dbfs};
use crate::render::trims::{CeilingExcess, correct, merged};
use crate::request::job::Output;
use crate::song::Song;
use crate::song::blocks::each_block;
use crate::song::observer::{Observer, Stage};
use crate::song::read_ahead::{ObservedSource, each_block_ahead};

/// A file this close to the requested loudness is not rendered again, LU.
const CLOSE_ENOUGH_LU: f64 = 0.03;
/// Maximum number of renders until a file keeps its promises.
const MAX_ROUNDS: usize = 6;
/// Maximum number of rehearsals.
const MAX_REHEARSALS: usize = 3;
/// A drive this close to a rehearsed one needs no further rehearsal, dB.
const FAMILIAR_DB: f64 = 0.1;
/// Trims that change the predicted loudness by less than this do not change the drive, LU.
const SETTLED_LU: f64 = 0.01;

/// Parts of the solution that a render may still change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Search {
    DriveAndTrims,
    Trims,
    Nothing,
}

/// A written file that does not have its name yet.
pub(super) struct Written {
    pub encoder: Encoder,
    pub measured: Measured,
    /// Frames of the requested passages.
    pub passages: Vec<Vec<Frame>>,
    pub limiting: Series,
}

/// A drive that was solved, and what it was solved for.
#[derive(Clone, Copy)]
pub(super) struct Solved {
    outcome: Outcome,
    offset_lu: f64,
    ceiling_dbtp: f64,
}

/// Everything needed to limit and write a rendered song, as often as necessary.
pub(super) struct MasterWriter<'a> {
    pub recipe: &'a Recipe,
    pub rendered: &'a Spool<Frame>,
    pub trace: Trace,
    pub trace_bytes: usize,
    pub channels: u8,
    pub output: &'a Output,
    pub capture: CaptureRequest,
    /// The last drive that was solved.
    pub solved: Option<Solved>,
    pub observer: &'a dyn Observer,
}

impl MasterWriter<'_> {
    /// Solves, rehearses, writes and measures, until ceiling and loudness are kept or the rounds are used up.
    pub fn write_until_promises_kept(&mut self, solution: &mut Solution, mut search: Search) -> Result<Written, Error> {
        let is_lossy = self.recipe.output.lossy.is_some();
        let (most_rounds, most_lu) =
            if is_lossy { (codec_room::MAX_ROUNDS, MAX_OFFSET_LU) } else { (MAX_ROUNDS, f64::INFINITY) };
        let mut room = CodecRoom::default();
        let mut offset_lu: f64 = 0.0;
        if !is_lossy && search == Search::DriveAndTrims {
            offset_lu = self.rehearse_until_kept(solution)?;
        }
        for round in 1.. {
            let solved = self.solve_exactly(solution, search, offset_lu)?;
            let (written, excesses) = self.write(solution)?;
            let measured = &written.measured;
            let missed_lu = self.missed_lu(solved, measured.loudness.integrated_lufs);
            if search == Search::Nothing || round == most_rounds || (excesses.is_empty() && missed_lu == 0.0) {
                return Ok(written);
            }
            let before_lu = offset_lu;
            offset_lu = (offset_lu - missed_lu).clamp(-most_lu, most_lu);
            if is_lossy {
                if excesses.is_empty() && offset_lu == before_lu {
                    return Ok(written);
                }
                let over_db = measured.true_peak_dbtp - self.recipe.delivery.ceiling_dbtp;
                // A song that was turned down as a whole is not brought back to its loudness.
                if !excesses.is_empty() && !room.adjust(solution, over_db) {
                    search = Search::Trims;
                }
            } else {
                let limiter = self.limiter(solution);
                correct(&mut solution.trims, &excesses, &self.trace, limiter)?;
            }
        }
        unreachable!("the last round returns")
    }

    /// Limits without writing where much of the song is limited, so that peaks are trimmed and the loudness is known
    /// before the first file is written. Returns the amount by which the traces read too high, LU.
    fn rehearse_until_kept(&mut self, solution: &mut Solution) -> Result<f64, Error> {
        let (mut offset_lu, mut rehearsed_db) = (self.recipe.forecast.offset_lu, f64::INFINITY);
        for _ in 0..MAX_REHEARSALS {
            let solved = self.solve_exactly(solution, Search::DriveAndTrims, offset_lu)?;
            let is_familiar = (solution.drive_db - rehearsed_db).abs() < FAMILIAR_DB;
            let is_limited = solved.is_some_and(|solved| solved.outcome.limiting_db > 0.0);
            if is_familiar || !is_limited {
                return Ok(if is_limited { offset_lu } else { 0.0 });
            }
            rehearsed_db = solution.drive_db;
            let (lufs, excesses) = self.rehearse(solution)?;
            offset_lu -= self.missed_lu(solved, lufs);
            let limiter = self.limiter(solution);
            correct(&mut solution.trims, &excesses, &self.trace, limiter)?;
        }
        Ok(offset_lu)
    }

    /// Limits the song and measures its loudness, LUFS, and the blocks over the ceiling. Nothing is written.
    fn rehearse(&self, solution: &Solution) -> Result<(Option<f64>, Vec<CeilingExcess>), Error> {
        let rate = self.trace.sample_rate_hz;
        self.observer.stage(Stage::Limiting, Some(self.rendered.len()));
        let undithered = OutputParams { sample_format: SampleFormat::Float32, ..self.recipe.output };
        let mut limited = self.limited(solution, &undithered)?;
        let mut loudness = LoudnessMeter::new(rate);
        let mut peaks = CeilingMeter::new(rate, self.recipe.delivery.ceiling_dbtp);
        let watch = |frames: &[Frame]| loudness.push(frames);
        each_block_ahead(&mut ObservedSource { source: &mut limited, watch }, |frames| {
            peaks.push(frames);
            self.observer.advance(frames.len() as u64)
        })?;
        Ok((loudness.history().integrated(), peaks.finish().1))
    }

    /// Returns the amount by which a loudness misses the requested one, LU; 0 if it is close enough, or if the drive was
    /// solved for something else.
    fn missed_lu(&self, solved: Option<Solved>, lufs: Option<f64>) -> f64 {
        let wanted = self.recipe.delivery.loudness_lufs;
        let is_aimed = solved.is_some_and(|Solved { outcome, offset_lu, .. }| {
            outcome.loudness_lufs.is_some_and(|lufs| (lufs - wanted - offset_lu).abs() < CLOSE_ENOUGH_LU)
        });
        let miss_lu = lufs.map_or(0.0, |lufs| lufs - wanted);
        if is_aimed && miss_lu.abs() > CLOSE_ENOUGH_LU { miss_lu } else { 0.0 }
    }

    /// Finds the drive, and makes sure that the peaks that matter at it are known exactly; `None` if the drive is not
    /// searched.
    fn solve_exactly(
        &mut self,
        solution: &mut Solution,
        search: Search,
        offset_lu: f64,
    ) -> Result<Option<Solved>, Error> {
        if search == Search::Nothing {
            return Ok(None);
        }
        loop {
            if search == Search::DriveAndTrims {
                self.solve(solution, offset_lu)?;
            }
            if self.ceiling_dbtp(solution) - solution.drive_db >= solution.exact_above_dbfs {
                return Ok(self.solved.filter(|_| search == Search::DriveAndTrims));
            }
            self.retrace_peaks(solution)?;
        }
    }

    /// Finds the drive. If nothing but trims has changed, and they change the loudness by next to nothing, it stays.
    fn solve(&mut self, solution: &mut Solution, offset_lu: f64) -> Result<(), Error> {
        let ceiling_dbtp = self.ceiling_dbtp(solution);
        let (trace, recipe) = (&self.trace, self.recipe);
        let delivery = DeliveryParams { ceiling_dbtp, ..recipe.delivery };
        let mut found = None;
        if let Some(before) = self.solved
            && (before.offset_lu, before.ceiling_dbtp) == (offset_lu, ceiling_dbtp)
            && before.outcome.drive_db == solution.drive_db
        {
            let now = outcome(trace, &recipe.limiter, ceiling_dbtp, &solution.trims, solution.drive_db)?;
            let change_lu = before.outcome.loudness_lufs.zip(now.loudness_lufs).map(|(before, now)| now - before);
            found = change_lu.is_some_and(|lu| lu.abs() < SETTLED_LU).then_some(now);
        }
        let outcome = match found {
            Some(found) => found,
            None => {
                let start = (solution.drive_db, EXACT);
                solve(trace, &recipe.limiter, &delivery, &solution.trims, offset_lu, start)?
            }
        };
        solution.drive_db = outcome.drive_db;
        self.solved = Some(Solved { outcome, offset_lu, ceiling_dbtp });
        Ok(())
    }

    /// Traces the peaks again, exactly for the drive that was found.
    fn retrace_peaks(&mut self, solution: &mut Solution) -> Result<(), Error> {
        let ceiling_dbtp = self.recipe.delivery.ceiling_dbtp - solution.codec_room_db;
        solution.exact_above_dbfs = exact_above_dbfs(ceiling_dbtp, solution.drive_db);
        solution.trims.clear();
        let mut meter = TraceMeter::of_solution(solution, self.trace.sample_rate_hz, self.trace_bytes);
        each_block(&mut self.rendered.reader(), |frames| meter.push(frames))?;
        self.trace = meter.finish()?;
        Ok(())
    }

    fn limiter(&self, solution: &Solution) -> LimiterGain {
        let rate = self.trace.sample_rate_hz;
        LimiterGain::new(&self.recipe.limiter, solution.drive_db, self.ceiling_dbtp(solution), rate)
    }

    /// Returns the ceiling that the limiter keeps, dBTP.
    fn ceiling_dbtp(&self, solution: &Solution) -> f64 {
        self.recipe.delivery.ceiling_dbtp - CEILING_MARGIN_DB - solution.codec_room_db
    }

    fn limited(
        &self,
        solution: &Solution,
        output: &OutputParams,
    ) -> Result<LimitedSource<'_, impl Blocks + Send>, Error> {
        let limiter = self.limiter(solution);
        Ok(limited_source(self.rendered, &self.trace, limiter, solution, output, self.channels)?)
    }

    /// Writes master minus mix in 32-bit floating point. The file does not have its name yet.
    pub fn difference(&self, song: &Song, solution: &Solution, path: &Path) -> Result<Encoder, Error> {
        let (source_rate, rate) = (song.info.sample_rate_hz, self.trace.sample_rate_hz);
        let spec = OutputSpec {
            sample_rate_hz: rate,
            channels: self.channels,
            format: Format::Wav,
            sample_format: SampleFormat::Float32,
            bitrate_kbps: None,
            frames: self.rendered.len(),
        };
        self.observer.stage(Stage::Difference, Some(spec.frames));
        let mut encoder = Encoder::create(path, spec, self.output.force)?;
        let mut master = self.limited(solution, &self.recipe.output)?;
        let mut mix = song.frames.reader();
        if rate == source_rate {
            write_difference(&mut mix, &mut master, solution.drive_db, &mut encoder, self.observer)?;
        } else {
            let mut mix = Resampled::new(mix, source_rate, rate);
            write_difference(&mut mix, &mut master, solution.drive_db, &mut encoder, self.observer)?;
        }
        Ok(encoder)
    }

    /// Limits, dithers, writes and measures the master; a lossy file is measured after decoding it again. Also returns
    /// the blocks over the ceiling.
    fn write(&self, solution: &Solution) -> Result<(Written, Vec<CeilingExcess>), Error> {
        let rate = self.trace.sample_rate_hz;
        let lossy = self.recipe.output.lossy;
        let spec = OutputSpec {
            sample_rate_hz: rate,
            channels: self.channels,
            format: self.output.format,
            sample_format: self.recipe.output.sample_format,
            bitrate_kbps: lossy.map(|lossy| lossy.bitrate_kbps),
            frames: self.rendered.len(),
        };
        self.observer.stage(Stage::Limiting, Some(self.rendered.len()));
        let mut encoder = Encoder::create(&self.output.path, spec, self.output.force)?;
        let mut meter = OutputMeter::new(rate, self.recipe.delivery.ceiling_dbtp, &self.capture);
        let mut limited = self.limited(solution, &self.recipe.output)?;
        let frames = if lossy.is_some() {
            each_block_ahead(&mut limited, |frames| {
                encoder.write(frames)?;
                self.observer.advance(frames.len() as u64)
            })?;
            let mut decoder = open(encoder.seal()?)?;
            self.observer.stage(Stage::Measuring, Some(self.rendered.len()));
            self.measure(&mut decoder, &mut meter, |_| Ok(()))?
        } else {
            self.measure(&mut limited, &mut meter, |frames| encoder.write(frames))?
        };
        let limiting = limited.timeline.series();
        let (measured, passages, excesses) = meter.finish(frames, &limited.limiting);
        let ceiling_dbtp = self.ceiling_dbtp(solution);
        let clipped =
            limited.clipped.iter().map(|excess| CeilingExcess { by_db: excess.by_db - ceiling_dbtp, ..*excess });
        let excesses = merged(excesses, clipped);
        Ok((Written { encoder, measured, passages, limiting }, excesses))
    }

    /// Measures a whole source, passes its frames to `sink`, and returns its length in frames.
    fn measure<S: Source<Error = io::Error> + Send>(
        &self,
        source: &mut S,
        OutputMeter { peaks, sound }: &mut OutputMeter,
        mut sink: impl FnMut(&[Frame]) -> Result<(), io::Error>,
    ) -> Result<u64, Error> {
        let mut measured = 0;
        let mut metered = ObservedSource { source, watch: |frames: &[Frame]| sound.push(frames) };
        each_block_ahead(&mut metered, |frames| {
            peaks.push(frames);
            measured += frames.len() as u64;
            sink(frames)?;
            self.observer.advance(frames.len() as u64)
        })?;
        Ok(measured)
    }
}
