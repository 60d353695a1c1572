//! A song's way from file to file, as a straight line.

use std::path::Path;

use analyzer::profile::Profile;
use analyzer::stream::Frame;
use analyzer::tone::Tone;
use models::Decider;
use models::amounts::Amounts;
use models::decision::{Confidence, MasteringDecision};
use models::target::{Target, TargetKind};
use renderer::lossy::LossyParams;
use renderer::recipe::Recipe;

use crate::decide::genres::{Genres, with_genre_of_tags};
use crate::decide::refine::{refined, with_dynamics};
use crate::decide::target::load_decider;
use crate::decide::target::measure_references;
use crate::decide::target::read_profile;
use crate::decide::target::{MasteringTarget, MeasuredReference};
use crate::decide::vinyl;
use crate::error::Error;
use crate::io::output_spec::Format;
use crate::io::tags::Tags;
use crate::page;
use crate::render::finish::{Finished, Solve, WriteRequest, finish, starting_solution};
use crate::render::output_meter::CaptureRequest;
use crate::render::provenance::origin;
use crate::report::actions::{Action, actions};
use crate::report::figures::{Equalizer, Figures, SoundFigures, TargetSpectrum};
use crate::report::qualities::{Qualities, Sound};
use crate::report::stated::stated;
use crate::report::warning::{Subject, Warning, WarningKind};
use crate::report::{DecisionReport, FileReport, Levels, REPORT_VERSION, Report};
use crate::request::delivery::fitted_to;
use crate::request::job::{MasterJob, Output};
use crate::request::paths::{check_apart, check_other_path, check_paths};
use crate::request::settings::{DeciderKind, MasterSettings, Strictness, with_values};
use crate::song::observer::Observer;
use crate::song::{SPOOL_BYTES, Song};

/// Masters one song.
///
/// # Errors
/// See [`Error`]; nothing is written.
pub fn master(job: &MasterJob, observer: &dyn Observer) -> Result<Report, Error> {
    check(job)?;
    let settings = &job.settings;
    let mut decider = load_decider(settings.decider)?;
    let edges = settings.edges.params()?;
    let (song, references) = rayon::join(
        || Song::load_edited(&job.input, &edges, SPOOL_BYTES, observer),
        || measure_references(&settings.references, observer),
    );
    let (song, profile) = song?;
    from_measured(job, (&song, &profile), references?, (&mut decider, &mut Genres::default()), observer)
}

/// Masters one song, for several places or in several files, each as it comes out alone: what is measured is measured
/// once, and what is decided is decided once for each place. Every item has the files of one master. All jobs have the
/// input, the decider and the references of the first.
///
/// # Errors
/// See [`Error`]; what was written before stays, and `reports` has the reports of it.
pub fn master_each(
    masters: &[Vec<MasterJob>],
    observer: &dyn Observer,
    reports: &mut Vec<Report>,
) -> Result<(), Error> {
    let Some(MasterJob { input, settings, .. }) = masters.iter().flatten().next() else { return Ok(()) };
    masters.iter().flatten().try_for_each(check)?;
    let files = masters.iter().flatten().flat_map(|job| job.output.files().chain(job.recipe.as_deref()));
    check_apart(&files.collect::<Vec<_>>())?;
    let mut decider = load_decider(settings.decider)?;
    let edges = settings.edges.params()?;
    let (song, references) = rayon::join(
        || Song::load_edited(input, &edges, SPOOL_BYTES, observer),
        || measure_references(&settings.references, observer),
    );
    let ((song, profile), references) = (song?, references?);
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

/// Masters a song that is read and measured, with references that are measured and networks that are loaded.
pub(crate) fn from_measured(
    job: &MasterJob,
    measured: (&Song, &Profile),
    references: Vec<MeasuredReference>,
    networks: (&mut Decider, &mut Genres),
    observer: &dyn Observer,
) -> Result<Report, Error> {
    deliver(job, decided_from(job, measured, references, networks, observer)?, observer)
}

/// What is decided for a song that is read and measured.
fn decided_from<'s>(
    job: &MasterJob,
    (song, profile): (&'s Song, &'s Profile),
    references: Vec<MeasuredReference>,
    (decider, genres): (&mut Decider, &mut Genres),
    observer: &dyn Observer,
) -> Result<Decided<'s>, Error> {
    let settings = &with_genre_of_tags(&job.settings, &[&job.input]);
    let target = MasteringTarget::towards(decider, genres, references, settings, &[profile])?;
    let mix = Mix { input: &job.input, settings, format: job.output.format, song, profile };
    mix.decided(target, None, |target| decider.decide(profile, target), observer)
}

/// Refuses what can be found wrong before any work is done.
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

/// A mix on its way to a master.
#[derive(Clone, Copy)]
pub struct Mix<'s, 'j> {
    /// Its file.
    pub input: &'j Path,
    /// How it is mastered.
    pub settings: &'j MasterSettings,
    /// What the master is written as.
    pub format: Format,
    /// Its frames.
    pub song: &'s Song,
    /// What was measured of them.
    pub profile: &'s Profile,
}

impl<'s> Mix<'s, '_> {
    /// From a target to a recipe, for a single song, a song of a batch and a song of an album alike: the decision, written as a
    /// recipe, is fine-tuned by test renders and completed by the values that are set by hand. `decide` decides for the target;
    /// test renders are compared with `refine_towards` where that is another one.
    ///
    /// # Errors
    /// The song is silent, the network failed, a value is out of range, or the run is interrupted.
    pub fn decided(
        self,
        target: MasteringTarget,
        refine_towards: Option<&Target>,
        decide: impl FnOnce(&Target) -> Result<MasteringDecision, models::error::Error>,
        observer: &dyn Observer,
    ) -> Result<Decided<'s>, Error> {
        let Self { input, settings, format, song, profile } = self;
        let MasteringTarget { target, genre, mut warnings, references } = target.for_song(input, settings);
        let decision = decide(&target).map_err(|source| Error::Decide { path: input.to_owned(), source })?;
        let (recipe, report) = decided_by((settings, format), profile, &target, &decision)?;
        let effort = (&settings.amounts(), settings.effort);
        // On an album, loudness is decided when all of its songs are known, and density depends on it.
        let recipe = match refine_towards {
            None => with_dynamics(song, profile, &target, decision.same_song, recipe, effort, observer)?,
            Some(_) => recipe,
        };
        let recipe = vinyl::prepared(recipe, &settings.delivery);
        let goal = refine_towards.unwrap_or(&target);
        let (recipe, refinement) = refined(song, profile, goal, recipe, effort, observer)?;
        let recipe = with_values(recipe, &settings.values)?;
        let decision = DecisionReport { genre, references, refinement, ..report };
        warnings.extend(notes_on_reference(settings, &target, &recipe));
        warnings.extend(vinyl::side_warning(profile, &settings.delivery));
        Ok(Decided { song, profile, recipe, decision, warnings })
    }
}

/// A decision as a recipe, and what is reported of it.
///
/// # Errors
/// The job sets a value that no recipe accepts.
fn decided_by(
    (settings, format): (&MasterSettings, Format),
    profile: &Profile,
    target: &Target,
    wish: &MasteringDecision,
) -> Result<(Recipe, DecisionReport), Error> {
    let wish = &settings.character.decision(target, wish.clone());
    let recipe = write_recipe((settings, format), profile, target, wish)?;
    Ok((recipe, decision_report(settings, settings.decider, target, wish.confidence)))
}

fn decision_report(
    settings: &MasterSettings,
    decider: DeciderKind,
    target: &Target,
    confidence: Confidence,
) -> DecisionReport {
    DecisionReport {
        decider,
        target: target.name.clone(),
        target_kind: target.kind,
        target_lufs: target.loudness_lufs,
        genre: None,
        confidence,
        refinement: None,
        character: settings.character,
        spectrum: TargetSpectrum::of(&settings.character.shown(target)),
        target_sound: (decider != DeciderKind::None)
            .then(|| Sound::of_features(&settings.character.shown(target).features, None)),
        references: Vec::new(),
    }
}

/// What is done to a song of a record on which nothing can be heard: nothing.
///
/// # Errors
/// The job asks for a value that no recipe accepts.
pub fn untouched(
    settings: &MasterSettings,
    format: Format,
    target: &Target,
) -> Result<(Recipe, DecisionReport), Error> {
    let has_reference = !settings.references.is_empty();
    let delivery =
        settings.delivery.delivery(target.loudness_lufs, has_reference, None, settings.character.loudness_lu())?;
    let (output, edges) = (settings.delivery.output(format)?, settings.edges.params()?);
    let recipe = Recipe { delivery, output, edges, ..Recipe::default() }.quantized();
    let unsure = Confidence { tone: 0.0, width: 0.0, dynamics: 0.0 };
    Ok((recipe, decision_report(settings, DeciderKind::None, target, unsure)))
}

/// A song and what was decided for it.
#[derive(Clone)]
pub struct Decided<'a> {
    /// Its frames.
    pub song: &'a Song,
    /// What was measured of them.
    pub profile: &'a Profile,
    /// The recipe to render.
    pub recipe: Recipe,
    /// Who decided, and towards what.
    pub decision: DecisionReport,
    /// What was noticed on the way there.
    pub warnings: Vec<Warning>,
}

impl Decided<'_> {
    /// The same, for another file of the same master: its samples are those that this job asks for.
    fn written_as(mut self, job: &MasterJob) -> Result<Self, Error> {
        let output = job.settings.delivery.output(job.output.format)?;
        self.recipe = with_values(Recipe { output, ..self.recipe }, &job.settings.values)?;
        Ok(self)
    }
}

/// Renders and writes what was decided.
///
/// # Errors
/// As [`finish`]; nothing is written.
pub fn deliver(job: &MasterJob, mut decided: Decided, observer: &dyn Observer) -> Result<Report, Error> {
    let song = decided.song;
    // The songs of an album are decided together, whatever each of them is written as.
    decided.recipe.output = fitted_to(decided.recipe.output, job.output.format, job.settings.delivery.bitrate_kbps);
    let capture = page::capture(job.output.page.as_ref(), song, &decided.recipe);
    let (mut report, heard) = write_master(job, decided, capture, observer)?;
    note_page(page::of_master(&job.output, &report, song, heard), &mut report);
    Ok(report)
}

/// Renders and writes what was decided, without a page; gives the passages that were to be captured as well.
///
/// # Errors
/// As [`finish`]; nothing is written.
pub(crate) fn write_master(
    job: &MasterJob,
    decided: Decided,
    capture: CaptureRequest,
    observer: &dyn Observer,
) -> Result<(Report, Vec<Vec<Frame>>), Error> {
    let Decided { song, profile, recipe, decision, warnings } = decided;
    if job.settings.strictness() == Strictness::Shortfalls
        && let Some(damage) = song.warnings.iter().find(|warning| warning.is_damage())
    {
        let broken = format!("the mix is damaged: {damage}");
        return Err(Error::Promise { path: job.output.path.clone(), broken });
    }
    let tags = Tags::read(&job.input);
    let request = WriteRequest { output: &job.output, tags, strictness: job.settings.strictness(), capture };
    // What has no loudness cannot be brought to one.
    let solve = match profile.loudness.integrated_lufs {
        Some(_) => Solve::Anew(profile),
        None => Solve::AsIs(starting_solution(&recipe, profile)),
    };
    let mut finished = finish(song, &recipe, solve, request, observer)?;
    let warnings = [
        Warning::of_file(&Subject::Mix, &song.warnings),
        warnings,
        cut_off(song, profile)?,
        Warning::of_defects(&Subject::Mix, &profile.defects),
    ]
    .concat();
    let heard = std::mem::take(&mut finished.passages);
    let tone = Some(song.tone()?);
    let seen =
        ReportInputs { input: &job.input, song, profile: Some(profile), tone, decision: Some(decision), warnings };
    Ok((report(seen, finished, &job.output), heard))
}

/// A song that is cut off while it sounds.
fn cut_off(song: &Song, profile: &Profile) -> Result<Vec<Warning>, Error> {
    let ending_lu = song.ending_lu(profile)?.filter(|ending_lu| *ending_lu > CUT_OFF_LU);
    Ok(ending_lu.map(|under_lu| Warning::of_mix(WarningKind::CutOff { under_lu: -under_lu })).into_iter().collect())
}

/// A song whose last moment is louder than this against the whole is cut off, LU.
const CUT_OFF_LU: f64 = -20.0;

/// The master is there: a page that cannot be written is no reason to call it failed.
pub(super) fn note_page(written: Result<(), Error>, report: &mut Report) {
    if let Err(error) = written {
        let kind = WarningKind::NoPage { cause: error.to_string() };
        report.warnings.push(Warning::new(Subject::Page, kind).into());
    }
}

/// What is to be known of the way towards a finished record: that the master is quieter, or that both are uncommonly quiet,
/// where nobody asked for another loudness.
fn notes_on_reference(settings: &MasterSettings, target: &Target, recipe: &Recipe) -> Vec<Warning> {
    if settings.references.is_empty() || target.kind == TargetKind::Norm || target.trust == Amounts::NONE {
        return Vec::new();
    }
    let mut notes = Vec::new();
    let is_unasked = settings.delivery.loudness.is_none() && settings.delivery.destinations.is_empty();
    let (loudness_lufs, reference_lufs) = (recipe.delivery.loudness_lufs, target.loudness_lufs);
    if is_unasked && loudness_lufs < reference_lufs - AS_LOUD_LU {
        notes.push(Warning::of_master(WarningKind::QuieterThanReference { reference_lufs, loudness_lufs }));
    } else if is_unasked && loudness_lufs < QUIET_LUFS {
        notes.push(Warning::of_master(WarningKind::QuietReference { loudness_lufs }));
    }
    notes
}

/// Hardly any record is quieter, LUFS.
const QUIET_LUFS: f64 = -20.0;
/// A difference of loudness that is not worth a word, LU.
const AS_LOUD_LU: f64 = 0.2;

/// How dense a reference makes a master: as dense as its loudness asks for where it is followed, else only as far as a song like this
/// bears it; no denser where nothing of it is taken.
fn least_plr_lu(profile: &Profile, target: &Target, wish: &MasteringDecision) -> Option<f64> {
    let plr_lu = profile.peak.true_peak_dbtp - profile.loudness.integrated_lufs?;
    let denser_lu = if target.trust == Amounts::NONE { 0.0 } else { wish.plr_lu.min(0.0) };
    let is_held = target.kind == TargetKind::Reference || target.kind.is_followed() && target.trust == Amounts::NONE;
    is_held.then_some(plr_lu + denser_lu)
}

fn write_recipe(
    (settings, format): (&MasterSettings, Format),
    profile: &Profile,
    target: &Target,
    wish: &MasteringDecision,
) -> Result<Recipe, Error> {
    let mut recipe = Recipe {
        delivery: settings.delivery.delivery(
            target.loudness_lufs,
            !settings.references.is_empty(),
            least_plr_lu(profile, target, wish),
            settings.character.loudness_lu(),
        )?,
        output: settings.delivery.output(format)?,
        edges: settings.edges.params()?,
        ..Recipe::default()
    };
    let amounts = settings.amounts();
    if amounts != Amounts::NONE {
        recipe.towards = Some(origin(target, settings.profile.is_none(), settings.character));
    }
    wish.apply(profile, target, &amounts, &mut recipe);
    // What is set by hand is set when all else is decided; that it can be is known before any more is done.
    let recipe = recipe.quantized();
    with_values(recipe.clone(), &settings.values)?;
    Ok(recipe)
}

/// What a report needs besides the master itself.
pub(super) struct ReportInputs<'a> {
    pub input: &'a Path,
    pub song: &'a Song,
    pub profile: Option<&'a Profile>,
    /// Of the mix, at some moments, where it was measured.
    pub tone: Option<Tone>,
    pub decision: Option<DecisionReport>,
    pub warnings: Vec<Warning>,
}

/// The report of what was written.
pub(super) fn report(seen: ReportInputs, finished: Finished, output: &Output) -> Report {
    let ReportInputs { input, song, profile, tone, decision, mut warnings } = seen;
    let Finished { recipe, solution, measured, promises, sample_rate_hz, limiting, band_gain, .. } = finished;
    let channels = song.info.channels;
    let before =
        profile.zip(song.timeline.as_ref()).map(|(profile, timeline)| SoundFigures::of_profile(profile, timeline));
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
        actions: stated(done),
        promises: stated(promises),
        warnings: stated(warnings),
        qualities,
        figures,
        recipe: Recipe { solution: Some(solution), ..recipe },
    }
}
