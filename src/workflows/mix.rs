//! Turns a mix into a recipe: target, decision, fine-tuning.

use std::path::Path;

use analyzer::profile::Profile;
use models::Decider;
use models::amounts::Amounts;
use models::decision::{Confidence, MasteringDecision};
use models::target::{Target, TargetKind};
use renderer::recipe::Recipe;

use crate::decide::genres::Genres;
use crate::decide::refine::{DynamicsTarget, TestPassages, refined, with_dynamics, with_loudness};
use crate::decide::target::{MasteringTarget, MeasuredReference};
use crate::decide::vinyl;
use crate::error::Error;
use crate::io::output_spec::Format;
use crate::render::provenance::origin;
use crate::report::DecisionReport;
use crate::report::figures::TargetSpectrum;
use crate::report::qualities::Sound;
use crate::report::warning::{Warning, WarningKind};
use crate::request::destination::Destination;
use crate::request::job::MasterJob;
use crate::request::settings::{DeciderKind, MasterSettings, with_values};
use crate::song::Song;
use crate::song::observer::{Observer, Stage};

/// A mix that is to be mastered.
#[derive(Clone, Copy)]
pub struct Mix<'s, 'j> {
    /// Path of the mix.
    pub input: &'j Path,
    /// Settings of the master.
    pub settings: &'j MasterSettings,
    /// Format of the master.
    pub format: Format,
    /// Frames of the mix.
    pub song: &'s Song,
    /// Measurements of the mix.
    pub profile: &'s Profile,
    /// Passages of the mix on which recipes are tested.
    pub passages: &'j TestPassages,
}

impl<'s> Mix<'s, '_> {
    /// Decides the mix, as [`decided`](Self::decided) does, towards the references or the genre of the settings.
    ///
    /// # Errors
    /// As [`decided`](Self::decided), or if a reference is silent, or the given profile cannot be read.
    pub fn decided_alone(
        self,
        references: Vec<MeasuredReference>,
        (decider, genres): (&mut Decider, &mut Genres),
        observer: &dyn Observer,
    ) -> Result<Decided<'s>, Error> {
        let target = MasteringTarget::towards(decider, genres, references, self.settings, &[self.profile])?;
        self.decided(target, None, |target| decider.decide(self.profile, target), observer)
    }

    /// Turns a target into a recipe, in the same way for a single song, a song of a batch and a song of an album: the
    /// decision is written as a recipe, fine-tuned by test renders, and completed by the values that are set by hand.
    /// `decide` decides for the target. Test renders are compared with `refine_towards` if it is given, and with the
    /// target otherwise.
    ///
    /// # Errors
    /// If the song is silent, the network fails, a value is out of range, or the run is interrupted.
    pub fn decided(
        self,
        target: MasteringTarget,
        refine_towards: Option<&Target>,
        decide: impl FnOnce(&Target) -> Result<MasteringDecision, models::error::Error>,
        observer: &dyn Observer,
    ) -> Result<Decided<'s>, Error> {
        let Self { input, settings, format, song, profile, passages } = self;
        let song_data = (song, profile, passages);
        let MasteringTarget { target, genre, mut warnings, references } = target.for_song(input, settings);
        let decision = decide(&target).map_err(|source| Error::Decide { path: input.to_owned(), source })?;
        let (recipe, report) = decided_by((settings, format), profile, &target, &decision)?;
        let effort = (&settings.amounts(), settings.effort);
        // On an album, the loudness is decided once all of its songs are known, and density depends on it.
        let dynamics = match refine_towards {
            None => DynamicsTarget::of(&target, decision.same_song, effort),
            Some(_) => None,
        };
        let recipe = match &dynamics {
            Some(dynamics) => {
                observer.stage(Stage::Refining, None);
                with_dynamics(song_data, dynamics, recipe)?
            }
            None => recipe,
        };
        let recipe = vinyl::prepared(recipe, &settings.delivery);
        let goal = refine_towards.unwrap_or(&target);
        let (recipe, refinement) = refined(song_data, goal, recipe, effort, observer)?;
        // Vinyl has no clipper that could make room for its loudness.
        let is_vinyl = settings.delivery.destination() == Some(Destination::Vinyl);
        let recipe = match dynamics.filter(|_| !is_vinyl) {
            Some(dynamics) => with_loudness(song_data, &dynamics, recipe)?,
            None => recipe,
        };
        let recipe = with_values(recipe, &settings.values)?;
        let decision = DecisionReport { genre, references, refinement, ..report };
        warnings.extend(notes_on_reference(settings, &target, &recipe));
        // The loudness of an album's song is decided later.
        if refine_towards.is_none() {
            warnings.extend(note_on_mix(settings, profile, &recipe));
        }
        warnings.extend(vinyl::side_warning(profile, &settings.delivery));
        Ok(Decided { song, profile, recipe, decision, warnings })
    }
}

/// Returns a decision as a recipe, with its report.
///
/// # Errors
/// If the job sets a value that no recipe accepts.
fn decided_by(
    (settings, format): (&MasterSettings, Format),
    profile: &Profile,
    target: &Target,
    decision: &MasteringDecision,
) -> Result<(Recipe, DecisionReport), Error> {
    let decision = &settings.character.decision(target, decision.clone());
    let recipe = write_recipe((settings, format), profile, target, decision)?;
    Ok((recipe, decision_report(settings, settings.decider, target, decision.confidence)))
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
        spectrum: TargetSpectrum::of(&settings.character.displayed_target(target)),
        target_sound: (decider != DeciderKind::None)
            .then(|| Sound::of_features(&settings.character.displayed_target(target).features, None)),
        references: Vec::new(),
    }
}

/// Returns the recipe of a song on a record with nothing audible: it changes nothing.
///
/// # Errors
/// If the job requests a value that no recipe accepts.
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

/// A song with its decision.
#[derive(Clone)]
pub struct Decided<'a> {
    /// Frames of the mix.
    pub song: &'a Song,
    /// Measurements of the mix.
    pub profile: &'a Profile,
    /// The recipe to render.
    pub recipe: Recipe,
    /// The decider and the target.
    pub decision: DecisionReport,
    /// Warnings from the decision.
    pub warnings: Vec<Warning>,
}

impl Decided<'_> {
    /// Returns the same for another file of the same master, with the sample format that `job` requests.
    ///
    /// # Errors
    /// If the job requests a value that no recipe accepts.
    pub fn written_as(mut self, job: &MasterJob) -> Result<Self, Error> {
        let output = job.settings.delivery.output(job.output.format)?;
        self.recipe = with_values(Recipe { output, ..self.recipe }, &job.settings.values)?;
        Ok(self)
    }
}

/// Returns warnings about a finished record as the target: that the master is quieter than the record, or that both are
/// uncommonly quiet, if the user requested no other loudness.
fn notes_on_reference(settings: &MasterSettings, target: &Target, recipe: &Recipe) -> Vec<Warning> {
    if settings.references.is_empty() || target.kind == TargetKind::Norm || target.trust == Amounts::NONE {
        return Vec::new();
    }
    let mut notes = Vec::new();
    let is_unasked = !settings.asks_for_loudness();
    let (loudness_lufs, reference_lufs) = (recipe.delivery.loudness_lufs, target.loudness_lufs);
    if is_unasked && loudness_lufs < reference_lufs - AS_LOUD_LU {
        notes.push(Warning::of_master(WarningKind::QuieterThanReference { reference_lufs, loudness_lufs }));
    } else if is_unasked && loudness_lufs < QUIET_LUFS {
        notes.push(Warning::of_master(WarningKind::QuietReference { loudness_lufs }));
    }
    notes
}

/// Returns a warning if the master is clearly quieter than the mix, although neither a loudness nor a reference was
/// requested.
fn note_on_mix(settings: &MasterSettings, profile: &Profile, recipe: &Recipe) -> Option<Warning> {
    let loudness_lufs = recipe.delivery.loudness_lufs;
    let is_unasked = !settings.asks_for_loudness() && settings.references.is_empty();
    let is_louder = |mix_lufs: &f64| is_unasked && *mix_lufs > loudness_lufs + CLEARLY_LU;
    let mix_lufs = profile.loudness.integrated_lufs.filter(is_louder)?;
    Some(Warning::of_master(WarningKind::QuieterThanMix { mix_lufs, loudness_lufs }))
}

/// Difference between mix and master above which the master is clearly quieter, LU.
const CLEARLY_LU: f64 = 1.5;
/// Loudness below which there is hardly any record, LUFS.
const QUIET_LUFS: f64 = -20.0;
/// Difference of loudness up to which there is no warning, LU.
const AS_LOUD_LU: f64 = 0.2;

/// Returns the lowest peak-to-loudness ratio of the master that a reference allows, LU: only as dense as suits a song
/// like this, and no denser than the mix if nothing of the reference is used. `None` for a reference that is followed,
/// whose master becomes as dense as its loudness requires, and for the norm.
fn least_plr_lu(profile: &Profile, target: &Target, decision: &MasteringDecision) -> Option<f64> {
    let plr_lu = profile.peak.true_peak_dbtp - profile.loudness.integrated_lufs?;
    let denser_lu = if target.trust == Amounts::NONE { 0.0 } else { decision.plr_lu.min(0.0) };
    let is_held = target.kind == TargetKind::Reference || target.kind.is_followed() && target.trust == Amounts::NONE;
    is_held.then_some(plr_lu + denser_lu)
}

fn write_recipe(
    (settings, format): (&MasterSettings, Format),
    profile: &Profile,
    target: &Target,
    decision: &MasteringDecision,
) -> Result<Recipe, Error> {
    let mut recipe = Recipe {
        delivery: settings.delivery.delivery(
            target.loudness_lufs,
            !settings.references.is_empty(),
            least_plr_lu(profile, target, decision),
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
    decision.apply(profile, target, &amounts, &mut recipe);
    // Values set by hand are applied after all decisions; whether they are valid is checked here, before more work is
    // done.
    let recipe = recipe.quantized();
    with_values(recipe.clone(), &settings.values)?;
    Ok(recipe)
}
