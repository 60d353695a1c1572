//! Renders a recipe to a file: chain, limiter, dither, and the measurements that verify the promises.

use analyzer::crossover::{BANDS, CROSSOVER_HZ};
use analyzer::loudness_history::LoudnessHistory;
use analyzer::profile::Profile;
use analyzer::spectrum::k_weights;
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};
use analyzer::stream::Frame;
use analyzer::units::{db_from_power, power_from_db};
use renderer::chain::Chain;
use renderer::recipe::{ENGINE_VERSION, Recipe, Solution};
use renderer::resample::Resampled;

use crate::error::Error;
use crate::io;
use crate::io::spool::Spool;
use crate::io::tags::Tags;
use crate::render::band_gains::{BandGainSource, BandGains};
use crate::render::master_writer::{MasterWriter, Search, Written};
use crate::render::output_meter::CaptureRequest;
use crate::render::promises::{Measured, Promise, broken, promises};
use crate::render::provenance::software_name;
use crate::render::series::Series;
use crate::render::solve::{CEILING_MARGIN_DB, EXACT, Outcome, outcome_with_history, solve};
use crate::render::trace::{Trace, TraceMeter, exact_above_dbfs};
use crate::request::job::Output;
use crate::request::settings::Strictness;
use crate::song::Song;
use crate::song::observer::{Observer, Stage};
use crate::song::read_ahead::each_block_ahead_of;

/// A finished file, with the measurements taken while it was written.
pub struct Finished {
    /// The recipe that was rendered.
    pub recipe: Recipe,
    /// The recipe's solution: solved here, or given by the caller.
    pub solution: Solution,
    /// Measurements of the file.
    pub measured: Measured,
    /// The promises, with their verdicts.
    pub promises: Vec<Promise>,
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// Warnings about metadata that could not be carried over.
    pub warnings: Vec<io::Warning>,
    /// The limiter's gain reduction over time.
    pub limiting: Series,
    /// Gain of each band's compressor over time, low to high.
    pub band_gain: Vec<Option<Series>>,
    /// Frames of the passages to listen to, if requested.
    pub passages: Vec<Vec<Frame>>,
}

/// Origin of the recipe's solution.
pub enum SolutionSource<'a> {
    /// Solved anew, for a song with this profile.
    Anew(&'a Profile),
    /// Taken from the recipe, which was solved for this input and these settings. Nothing is searched.
    Given(Solution),
    /// Taken from a recipe that was solved for another input or other settings. Drive and band levels are kept; only
    /// peaks are trimmed anew.
    AsIs(Solution),
}

/// Request to write a master.
pub struct WriteRequest<'a> {
    /// The master's file and the files written with it.
    pub output: &'a Output,
    /// Tags of the master.
    pub tags: Tags,
    /// Rule for the broken promises that make the run fail.
    pub strictness: Strictness,
    /// Parts of the master to capture for the report page.
    pub capture: CaptureRequest,
    /// True if the files get their names; otherwise they are measured and discarded.
    pub is_kept: bool,
}

/// Renders `song` with `recipe`, writes the master and measures it. The files get their names only if the request says
/// so.
///
/// # Errors
/// Master or difference cannot be written, or a promise is broken. No file gets its name then.
pub fn finish(
    song: &Song,
    recipe: &Recipe,
    solve: SolutionSource,
    request: WriteRequest,
    observer: &dyn Observer,
) -> Result<Finished, Error> {
    let WriteRequest { output, tags, strictness, capture, is_kept } = request;
    let source_rate = song.info.sample_rate_hz;
    let rate = recipe.output.rate_hz(source_rate);
    let (mut solution, search) = match solve {
        SolutionSource::Anew(profile) => (starting_solution(recipe, profile), Search::DriveAndTrims),
        SolutionSource::Given(solution) => (solution, Search::Nothing),
        SolutionSource::AsIs(solution) => {
            (Solution { is_aimed: false, codec_room_db: 0.0, trims: Vec::new(), ..solution }, Search::Trims)
        }
    };
    solution.engine = ENGINE_VERSION;
    solution.input_hash.clone_from(&song.hash);
    solution.settings_hash = settings_hash(recipe);
    observer.stage(Stage::Rendering, Some(song.frames.len()));
    let trace_bytes = song.spool_bytes / 4;
    let (rendered, trace, band_gains) = render(song, recipe, &solution, rate, trace_bytes, observer)?;
    let channels = song.info.channels;
    let mut writer = MasterWriter {
        recipe,
        rendered: &rendered,
        trace,
        trace_bytes,
        channels,
        output,
        capture,
        solved: None,
        observer,
    };
    let Written { encoder, measured, passages, limiting } = writer.write_until_promises_kept(&mut solution, search)?;
    let expected = (song.frames.len() * u64::from(rate)).div_ceil(u64::from(source_rate));
    let promises = promises(&recipe.delivery, &measured, expected, solution.is_aimed);
    if let Some(broken) = broken(&promises, strictness) {
        let broken = broken.to_string();
        return Err(Error::Promise { path: output.path.clone(), broken });
    }
    let difference = output.delta.as_deref().map(|path| writer.difference(song, &solution, path)).transpose()?;
    let mut warnings = Vec::new();
    if is_kept {
        // Both files are completed before either gets its name, so that a full disk leaves neither.
        let master = encoder.complete(Some(&tags.with_software(recipe.towards.as_deref().map(software_name))))?;
        let difference = difference.map(|difference| difference.complete(None)).transpose()?;
        warnings = master.persist()?;
        if let Some(difference) = difference {
            difference.persist()?;
        }
    }
    let (recipe, band_gain) = (recipe.clone(), band_gains.series(source_rate));
    Ok(Finished { recipe, solution, measured, promises, sample_rate_hz: rate, warnings, limiting, band_gain, passages })
}

/// Returns the hash of a recipe's portable settings. A solution is valid for no others.
///
/// # Panics
/// Never: every recipe has a JSON form.
pub fn settings_hash(recipe: &Recipe) -> String {
    let settings = Recipe { solution: None, ..recipe.clone() };
    blake3::hash(settings.to_json().as_bytes()).to_hex().to_string()
}

/// Renders `song` through the chain of `recipe` and returns the trace, which is kept in a temporary file.
///
/// # Errors
/// Temporary data cannot be kept, or the run is interrupted.
pub fn trace(song: &Song, recipe: &Recipe, profile: &Profile, observer: &dyn Observer) -> Result<Trace, Error> {
    let rate = recipe.output.rate_hz(song.info.sample_rate_hz);
    observer.stage(Stage::Rendering, Some(song.frames.len()));
    Ok(render(song, recipe, &starting_solution(recipe, profile), rate, 0, observer)?.1)
}

/// Returns the loudness that `recipe` reaches on the song of `trace`, as close to the requested one as the limits on
/// limiting allow, and the loudness over time. The search for the drive starts at `start_db`.
///
/// # Errors
/// Temporary data cannot be read.
pub fn predict_loudness(trace: &Trace, recipe: &Recipe, start_db: f64) -> Result<(Outcome, LoudnessHistory), Error> {
    let mut delivery = recipe.delivery;
    delivery.ceiling_dbtp -= CEILING_MARGIN_DB;
    let outcome = solve(trace, &recipe.limiter, &delivery, &[], 0.0, (start_db, EXACT))?;
    Ok(outcome_with_history(trace, &recipe.limiter, delivery.ceiling_dbtp, &[], outcome.drive_db)?)
}

/// Returns the solution as far as it is known before rendering.
pub(crate) fn starting_solution(recipe: &Recipe, profile: &Profile) -> Solution {
    let delivery = &recipe.delivery;
    let wanted_lufs = delivery.loudness_lufs;
    let drive_db =
        profile.loudness.integrated_lufs.map_or(0.0, |lufs| wanted_lufs - lufs - equalized_lu(recipe, profile))
            + recipe.forecast.loss_db;
    Solution {
        engine: ENGINE_VERSION,
        input_hash: String::new(),
        settings_hash: String::new(),
        is_aimed: true,
        band_levels_dbfs: band_levels(recipe, profile).map(|v| (v * 100.0).round() / 100.0),
        exact_above_dbfs: exact_above_dbfs(recipe.delivery.ceiling_dbtp, drive_db),
        drive_db,
        codec_room_db: 0.0,
        trims: Vec::new(),
    }
}

/// Returns the mean power of each band at the input of the multiband stage, without pauses, dBFS: that of the song,
/// changed by the equaliser.
fn band_levels(recipe: &Recipe, profile: &Profile) -> [f64; BANDS] {
    let [low, mid, high] = CROSSOVER_HZ;
    let edges = [0.0, low, mid, high, f64::INFINITY];
    std::array::from_fn(|band| {
        let is_inside = |n: usize| f64::from(u8::from((edges[band]..edges[band + 1]).contains(&band_centre_hz(n))));
        profile.dynamics.bands[band].sounding_db + equalized_db(recipe, profile, is_inside)
    })
}

/// Returns the change of the loudness by the equaliser, LU.
fn equalized_lu(recipe: &Recipe, profile: &Profile) -> f64 {
    let weights = k_weights(profile.sample_rate_hz);
    equalized_db(recipe, profile, |n| weights[n])
}

/// Returns the change of the mean power by the equaliser, dB. `weight` gives the weight of a band of the spectrum.
fn equalized_db(recipe: &Recipe, profile: &Profile, weight: impl Fn(usize) -> f64) -> f64 {
    let (eq, spectrum) = (&recipe.match_eq, &profile.spectrum);
    let (mut before, mut after) = (0.0, 0.0);
    for n in 0..SPECTRUM_BANDS {
        for (spectrum, curve) in [(&spectrum.mid, &eq.mid_db), (&spectrum.side, &eq.side_db)] {
            let power = weight(n) * power_from_db(spectrum.mean_db[n]);
            before += power;
            after += power * power_from_db(eq.gain_db_at(curve, band_centre_hz(n)));
        }
    }
    if before > 0.0 { db_from_power(after / before) } else { 0.0 }
}

/// Renders the chain up to the limiter. Returns its output, the trace of it, and the gains of the bands over time.
fn render(
    song: &Song,
    recipe: &Recipe,
    solution: &Solution,
    rate: u32,
    trace_bytes: usize,
    observer: &dyn Observer,
) -> Result<(Spool<Frame>, Trace, BandGains), Error> {
    let source_rate = song.info.sample_rate_hz;
    let chain = Chain::new(recipe, &solution.band_levels_dbfs, source_rate);
    let mut rendered = Spool::new(song.spool_bytes);
    let mut meter = TraceMeter::of_solution(solution, rate, trace_bytes);
    let mut gains = BandGains::default();
    let (mut first, second) = chain.in_two(song.frames.reader());
    let second = |first| BandGainSource::new(second(first), &mut gains);
    let is_mono = song.info.channels == 1;
    let mut mono = Vec::new();
    let mut sink = |frames: &[Frame]| {
        let frames = if is_mono { left_on_both_channels(frames, &mut mono) } else { frames };
        observer.advance(frames.len() as u64 * u64::from(source_rate) / u64::from(rate))?;
        meter.push(frames)?;
        rendered.push(frames)
    };
    if rate == source_rate {
        each_block_ahead_of(&mut first, second, &mut sink)?;
    } else {
        each_block_ahead_of(&mut first, |first| Resampled::new(second(first), source_rate, rate), &mut sink)?;
    }
    Ok((rendered, meter.finish()?, gains))
}

/// Copies the left channel to the right: a mono song is written from one channel, whatever the stages did to its two
/// copies.
fn left_on_both_channels<'a>(frames: &[Frame], buffer: &'a mut Vec<Frame>) -> &'a [Frame] {
    buffer.clear();
    buffer.extend(frames.iter().map(|frame| [frame[0]; 2]));
    buffer
}
