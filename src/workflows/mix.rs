//! From a mix to a recipe: target, decision, fine-tuning.

use std::path::Path;

use analyzer::profile::Profile;
use models::Decider;
use models::amounts::Amounts;
use models::decision::{Confidence, MasteringDecision};
use models::target::{Target, TargetKind};
use renderer::recipe::Recipe;

use crate::decide::genres::Genres;
use crate::decide::refine::{TestPassages, refined, with_dynamics};
use crate::decide::target::{MasteringTarget, MeasuredReference};
use crate::decide::vinyl;
use crate::error::Error;
use crate::io::output_spec::Format;
use crate::render::provenance::origin;
use crate::report::DecisionReport;
use crate::report::figures::TargetSpectrum;
use crate::report::qualities::Sound;
use crate::report::warning::{Warning, WarningKind};
use crate::request::job::MasterJob;
use crate::request::settings::{DeciderKind, MasterSettings, with_values};
use crate::song::Song;
use crate::song::observer::Observer;

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
    /// Passages of it that recipes are tried on.
    pub passages: &'j TestPassages,
}

impl<'s> Mix<'s, '_> {
    /// [Decided](Self::decided) towards the references or the genre that the settings name.
    ///
    /// # Errors
    /// As [`decided`](Self::decided), or a reference is silent, or the profile that is named cannot be read.
    pub fn decided_alone(
        self,
        references: Vec<MeasuredReference>,
        (decider, genres): (&mut Decider, &mut Genres),
        observer: &dyn Observer,
    ) -> Result<Decided<'s>, Error> {
        let target = MasteringTarget::towards(decider, genres, references, self.settings, &[self.profile])?;
        self.decided(target, None, |target| decider.decide(self.profile, target), observer)
    }

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
        let Self { input, settings, format, song, profile, passages } = self;
        let tried = (song, profile, passages);
        let MasteringTarget { target, genre, mut warnings, references } = target.for_song(input, settings);
        let decision = decide(&target).map_err(|source| Error::Decide { path: input.to_owned(), source })?;
        let (recipe, report) = decided_by((settings, format), profile, &target, &decision)?;
        let effort = (&settings.amounts(), settings.effort);
        // On an album, loudness is decided when all of its songs are known, and density depends on it.
        let recipe = match refine_towards {
            None => with_dynamics(tried, &target, decision.same_song, recipe, effort, observer)?,
            Some(_) => recipe,
        };
        let recipe = vinyl::prepared(recipe, &settings.delivery);
        let goal = refine_towards.unwrap_or(&target);
        let (recipe, refinement) = refined(tried, goal, recipe, effort, observer)?;
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
    ///
    /// # Errors
    /// The job asks for a value that no recipe accepts.
    pub fn written_as(mut self, job: &MasterJob) -> Result<Self, Error> {
        let output = job.settings.delivery.output(job.output.format)?;
        self.recipe = with_values(Recipe { output, ..self.recipe }, &job.settings.values)?;
        Ok(self)
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
