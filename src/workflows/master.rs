//! Masters a song, from file to file, as a straight line of steps.

use std::ops::Range;
use std::path::Path;

use analyzer::profile::Profile;
use analyzer::stream::Frame;
use analyzer::tone::Tone;
use models::Decider;
use renderer::lossy::LossyParams;
use renderer::recipe::Recipe;
use renderer::stages::match_eq::MatchEq;

use crate::decide::genres::{Genres, with_genre_of_tags};
use crate::decide::refine::TestPassages;
use crate::decide::target::{MeasuredReference, load_decider, measure_references, read_profile};
use crate::error::Error;
use crate::io::tags::Tags;
use crate::page;
use crate::render::finish::{Finished, SolutionSource, WriteRequest, finish, starting_solution};
use crate::render::output_meter::CaptureRequest;
use crate::render::promises::{broken_fade, broken_mix};
use crate::report::actions::{Action, actions};
use crate::report::figures::{Equalizer, Figures, SoundFigures};
use crate::report::qualities::{Qualities, Sound};
use crate::report::warning::{Subject, Warning, WarningKind};
use crate::report::with_sentence::with_sentences;
use crate::report::{DecisionReport, FileReport, Levels, REPORT_VERSION, Report};
use crate::request::delivery::fitted_to;
use crate::request::edges::LongFade;
use crate::request::job::{MasterJob, Output};
use crate::request::paths::{check_distinct, check_other_path, check_paths};
use crate::song::observer::Observer;
use crate::song::{SPOOL_BYTES, Song};
use crate::workflows::mix::{Decided, Mix};

/// Masters one song.
///
/// # Errors
/// See [`Error`]; on an error, nothing is written.
pub fn master(job: &MasterJob, observer: &dyn Observer) -> Result<Report, Error> {
    check(job)?;
    let Loaded { mut decider, song, profile, references } = loaded(job, observer)?;
    from_measured(job, (&song, &profile), references, (&mut decider, &mut Genres::default()), observer)
}

/// Masters one song for several destinations or to several files, each with the same result as alone: the song is
/// measured once, and decisions are made once per destination. Every item contains the files of one master. All jobs
/// have the input, the decider and the references of the first.
///
/// # Errors
/// See [`Error`]; masters written before an error are kept, and `reports` contains their reports.
pub fn master_each(
    masters: &[Vec<MasterJob>],
    observer: &dyn Observer,
    reports: &mut Vec<Report>,
) -> Result<(), Error> {
    let Some(first) = masters.iter().flatten().next() else { return Ok(()) };
    masters.iter().flatten().try_for_each(check)?;
    let files = masters.iter().flatten().flat_map(|job| job.output.files().chain(job.recipe.as_deref()));
    check_distinct(&files.collect::<Vec<_>>())?;
    let Loaded { mut decider, song, profile, references } = loaded(first, observer)?;
    let mut genres = Genres::default();
    for files in masters {
        let Some(first) = files.first() else { continue };
        let networks = (&mut decider, &mut genres);
        let decided = decided_from(first, (&song, &profile), references.clone(), networks, observer)?;
        for job in files {
            reports.push(deliver(job, decided.clone().written_as(job)?, observer)?);
        }
    }
    Ok(())
}

/// Reads, measures and decides the song of `job`, and passes the decision to `write`, which may deliver several files of
/// this master.
///
/// # Errors
/// As [`master`], up to the decision; `write` is not called then.
pub(crate) fn with_decision<T>(
    job: &MasterJob,
    observer: &dyn Observer,
    write: impl FnOnce(&Decided) -> T,
) -> Result<T, Error> {
    check(job)?;
    let Loaded { mut decider, song, profile, references } = loaded(job, observer)?;
    let networks = (&mut decider, &mut Genres::default());
    let decided = decided_from(job, (&song, &profile), references, networks, observer)?;
    Ok(write(&decided))
}

/// Everything that a job reads.
struct Loaded {
    decider: Decider,
    song: Song,
    profile: Profile,
    references: Vec<MeasuredReference>,
}

/// Loads the network of a job, its song and its references, the last two side by side.
fn loaded(job: &MasterJob, observer: &dyn Observer) -> Result<Loaded, Error> {
    let settings = &job.settings;
    let decider = load_decider(settings.decider)?;
    let edges = settings.edges.params()?;
    let song = || Song::load_edited(&job.input, &edges, SPOOL_BYTES, observer);
    let references = || measure_references(&settings.references, observer);
    let ((song, ()), references) = rayon::join(|| rayon::join(song, MatchEq::plan), references);
    let ((song, profile), references) = (song?, references?);
    Ok(Loaded { decider, song, profile, references })
}

/// Masters a song that was read and measured, with measured references and loaded networks.
pub(crate) fn from_measured(
    job: &MasterJob,
    measured: (&Song, &Profile),
    references: Vec<MeasuredReference>,
    networks: (&mut Decider, &mut Genres),
    observer: &dyn Observer,
) -> Result<Report, Error> {
    deliver(job, decided_from(job, measured, references, networks, observer)?, observer)
}

/// Returns the decision for a song that was read and measured.
fn decided_from<'s>(
    job: &MasterJob,
    (song, profile): (&'s Song, &'s Profile),
    references: Vec<MeasuredReference>,
    networks: (&mut Decider, &mut Genres),
    observer: &dyn Observer,
) -> Result<Decided<'s>, Error> {
    let settings = &with_genre_of_tags(&job.settings, &[&job.input]);
    let passages = &TestPassages::default();
    let mix = Mix { input: &job.input, settings, format: job.output.format, song, profile, passages };
    mix.decided_alone(references, networks, observer)
}

/// Checks for every error that can be found before any work is done.
pub(crate) fn check(job: &MasterJob) -> Result<(), Error> {
    let settings = &job.settings;
    settings.check(job.output.format)?;
    let references = settings.references.iter().map(|r| r.path.as_path());
    check_paths(&job.input, references.clone(), &job.output)?;
    if let Some(recipe) = &job.recipe {
        let profile = settings.profile.as_deref();
        let taken = references.chain([job.input.as_path()]).chain(job.output.files()).chain(profile);
        check_other_path("recipe", recipe, taken, job.output.force)?;
    }
    if let Some(path) = &settings.profile {
        read_profile(path)?;
    }
    Ok(())
}

/// Renders and writes a decided master.
///
/// # Errors
/// As [`finish`]; nothing is written.
pub(crate) fn deliver(job: &MasterJob, mut decided: Decided, observer: &dyn Observer) -> Result<Report, Error> {
    let song = decided.song;
    // The songs of an album are decided together, whatever the format of each file.
    decided.recipe.output = fitted_to(decided.recipe.output, job.output.format, job.settings.delivery.bitrate_kbps);
    let capture = page::capture(job.output.page.as_ref(), song, &decided.recipe);
    let (mut report, captured) = write_master(job, decided, (capture, true), observer)?;
    note_page(page::of_master(&job.output, &report, song, captured), &mut report);
    Ok(report)
}

/// Renders and measures a decided master, as a temporary file in `folder`, and returns the frames from `range_s.start`
/// to `range_s.end` seconds.
///
/// # Errors
/// As [`finish`].
pub(crate) fn excerpt_of(
    mix: Mix,
    decided: Decided,
    range_s: Range<f64>,
    folder: &Path,
    observer: &dyn Observer,
) -> Result<(Report, Vec<Frame>), Error> {
    let path = folder.join("excerpt").with_extension(mix.format.extension());
    let output = Output { path, format: mix.format, force: false, delta: None, page: None };
    let job = MasterJob { input: mix.input.to_owned(), output, settings: mix.settings.clone(), recipe: None };
    let capture = CaptureRequest::new(decided.song, &decided.recipe, &[range_s]);
    let (report, mut passages) = write_master(&job, decided, (capture, false), observer)?;
    Ok((report, passages.pop().unwrap_or_default()))
}

/// Renders and writes a decided master without a page, keeps the file if `is_kept`, and also returns the captured
/// passages.
///
/// # Errors
/// As [`finish`]; nothing is written.
fn write_master(
    job: &MasterJob,
    decided: Decided,
    (capture, is_kept): (CaptureRequest, bool),
    observer: &dyn Observer,
) -> Result<(Report, Vec<Vec<Frame>>), Error> {
    let Decided { song, profile, recipe, decision, warnings } = decided;
    let (fades, strictness) = (LongFade::all(&song.edges, song.seconds()), job.settings.strictness());
    if let Some(broken) = broken_mix(&song.warnings, strictness).or_else(|| broken_fade(&fades, strictness)) {
        return Err(Error::Promise { path: job.output.path.clone(), broken });
    }
    let tags = Tags::read(&job.input);
    let request = WriteRequest { output: &job.output, tags, strictness, capture, is_kept };
    // A song without a loudness cannot be brought to one.
    let solve = match profile.loudness.integrated_lufs {
        Some(_) => SolutionSource::Anew(profile),
        None => SolutionSource::AsIs(starting_solution(&recipe, profile)),
    };
    let mut finished = finish(song, &recipe, solve, request, observer)?;
    let warnings = [
        Warning::of_file(&Subject::Mix, &song.warnings),
        warnings,
        Warning::of_fades(&fades),
        Warning::of_defects(&Subject::Mix, &profile.defects),
    ]
    .concat();
    let captured = std::mem::take(&mut finished.passages);
    let tone = Some(song.tone()?);
    let report_inputs =
        ReportInputs { input: &job.input, song, profile: Some(profile), tone, decision: Some(decision), warnings };
    Ok((report(report_inputs, finished, &job.output), captured))
}

/// Adds a warning if the page could not be written: since the master exists, this is not an error.
pub(super) fn note_page(written: Result<(), Error>, report: &mut Report) {
    if let Err(error) = written {
        let kind = WarningKind::NoPage { cause: error.to_string() };
        report.warnings.push(Warning::new(Subject::Page, kind).into());
    }
}

/// Input of a report besides the master itself.
pub(super) struct ReportInputs<'a> {
    pub input: &'a Path,
    pub song: &'a Song,
    pub profile: Option<&'a Profile>,
    /// Tone of the mix at some moments, if it was measured.
    pub tone: Option<Tone>,
    pub decision: Option<DecisionReport>,
    pub warnings: Vec<Warning>,
}

/// Returns the report of a written master.
pub(super) fn report(report_inputs: ReportInputs, finished: Finished, output: &Output) -> Report {
    let ReportInputs { input, song, profile, tone, decision, mut warnings } = report_inputs;
    let Finished { recipe, solution, measured, promises, sample_rate_hz, limiting, band_gain, .. } = finished;
    let channels = song.info.channels;
    let measured_mix = profile.zip(song.timeline.as_ref());
    let before = measured_mix.map(|(profile, timeline)| SoundFigures::of_profile(profile, timeline));
    let mut after = SoundFigures::of_master(&measured, channels, sample_rate_hz);
    if let (Some(before), Some(song_tone)) = (&before, &tone) {
        after = after.with_tone_like(before, [&measured.tone, song_tone]);
    }
    let mut done = actions(&recipe, channels, song.info.sample_rate_hz);
    if song.cut_frames != [0; 2] {
        let [head_s, tail_s] = song.cut_frames.map(|frames| frames as f64 / f64::from(song.info.sample_rate_hz));
        done.insert(0, Action::Trim { head_s, tail_s });
    }
    done.push(Action::Level {
        gain_db: solution.drive_db,
        limiting_db: measured.limiting_db,
        peak_limiting_db: measured.peak_limiting_db,
    });
    if let Some(LossyParams { codec, bitrate_kbps }) = recipe.output.lossy {
        let resampled_from_hz = Some(song.info.sample_rate_hz).filter(|hz| *hz != sample_rate_hz);
        let room_db = solution.codec_room_db;
        done.push(Action::Encode {
            codec: codec.to_string(),
            bitrate_kbps,
            sample_rate_hz,
            resampled_from_hz,
            room_db,
        });
    }
    done.extend(decision.as_ref().and_then(|decision| decision.refinement?.action()));
    let target = decision.as_ref().and_then(|decision| decision.target_sound.clone());
    let target = target.map(|sound| sound.delivered(&recipe.delivery));
    let qualities = Qualities::new(
        profile.and_then(Sound::of_profile).as_ref(),
        target.as_ref(),
        &Sound::of_master(&measured, after.spectrum.as_ref(), channels),
    );
    let figures = Figures {
        before,
        after,
        limiting: Some(limiting),
        band_gain,
        equalizer: Some(Equalizer::of(&recipe, channels, sample_rate_hz)),
    };
    warnings.extend(match measured_mix {
        Some((profile, timeline)) => Warning::of_ending(&Subject::Mix, timeline, profile.loudness.integrated_lufs),
        None => Warning::of_ending(&Subject::Mix, &measured.timeline, measured.loudness.integrated_lufs),
    });
    warnings.extend(Warning::of_file(&Subject::Master, &finished.warnings));
    Report {
        version: REPORT_VERSION,
        input: FileReport {
            path: input.display().to_string(),
            codec: song.info.codec.clone(),
            sample_rate_hz: song.info.sample_rate_hz,
            channels: song.info.channels,
            frames: song.frames.len(),
        },
        output: FileReport {
            path: output.path.display().to_string(),
            codec: match recipe.output.lossy {
                Some(LossyParams { bitrate_kbps, .. }) => format!("{:?} {bitrate_kbps} kbit/s", output.format),
                None => format!("{:?} {:?}", output.format, recipe.output.sample_format),
            }
            .to_lowercase(),
            sample_rate_hz,
            channels: song.info.channels,
            frames: measured.frames,
        },
        input_hash: song.hash.clone(),
        decision,
        before: profile.map(Levels::of_profile),
        wanted: recipe.delivery,
        after: Levels::of_master(&measured),
        drive_db: solution.drive_db,
        limiting_db: measured.limiting_db,
        peak_limiting_db: measured.peak_limiting_db,
        actions: with_sentences(done),
        promises: with_sentences(promises),
        warnings: with_sentences(warnings),
        qualities,
        figures,
        recipe: Recipe { solution: Some(solution), ..recipe },
    }
}
