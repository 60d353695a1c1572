//! Reports: everything that was measured, decided and verified in one run, as plain data.

pub mod actions;
pub mod album;
pub mod analysis;
pub mod check;
pub mod comparison;
mod defect_sentence;
pub mod figures;
pub mod passage;
pub mod playback;
pub mod qualities;
pub mod warning;
pub mod with_sentence;

use std::path::Path;

use analyzer::profile::Profile;
use models::character::Character;
use models::decision::Confidence;
use models::norm::UNIVERSAL;
use models::target::TargetKind;
use renderer::recipe::{DeliveryParams, Recipe};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::render::promises::{Measured, Promise};
use crate::report::actions::Action;
use crate::report::figures::{Figures, TargetSpectrum};
use crate::report::passage::{Passage, passages_of};
use crate::report::qualities::{Qualities, Sound};
use crate::report::warning::{Subject, Warning, WarningKind};
use crate::report::with_sentence::WithSentence;
use crate::request::reference::Reference;
use crate::request::settings::DeciderKind;

/// Version of the report. Raised when the meaning of a field changes.
pub const REPORT_VERSION: u32 = 2;

/// Report of one song's run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// The file that was read.
    pub input: FileReport,
    /// The file that was written.
    pub output: FileReport,
    /// Hash of the input's frames.
    pub input_hash: String,
    /// The decision and its target; absent if a recipe was replayed.
    pub decision: Option<DecisionReport>,
    /// Levels of the mix; absent if a recipe was replayed without measuring.
    pub before: Option<Levels>,
    /// The requested loudness and limits.
    #[schemars(with = "DeliverySchema")]
    pub wanted: DeliveryParams,
    /// Levels of the master, measured on the written file.
    pub after: Levels,
    /// Gain in front of the limiter, dB.
    pub drive_db: f64,
    /// The limiter's gain reduction that is exceeded 5 % of the time, dB.
    pub limiting_db: f64,
    /// Its largest gain reduction, dB.
    pub peak_limiting_db: f64,
    /// Processing steps of the chain.
    pub actions: Vec<WithSentence<Action>>,
    /// The promises, and whether they were kept.
    pub promises: Vec<WithSentence<Promise>>,
    /// Warnings for the user.
    pub warnings: Vec<WithSentence<Warning>>,
    /// Comparison of mix, target and master.
    pub qualities: Qualities,
    /// Data of the drawings.
    pub figures: Figures,
    /// The recipe that replays this run with `goldmaster render --recipe`.
    #[schemars(with = "RecipeSchema")]
    pub recipe: Recipe,
}

/// Schema of a recipe. Its stages are described by the program.
#[derive(JsonSchema)]
#[schemars(rename = "Recipe")]
#[expect(dead_code, reason = "describes a type of another crate")]
struct RecipeSchema {
    /// Version of the recipe.
    version: u32,
    /// The solution, which is valid for this input and these settings only.
    solution: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Schema of the requested loudness and limits.
#[derive(JsonSchema)]
#[schemars(rename = "Delivery")]
#[expect(dead_code, reason = "describes a type of another crate")]
struct DeliverySchema {
    /// Integrated loudness, LUFS.
    loudness_lufs: f64,
    /// True peak that is never exceeded, dBTP.
    ceiling_dbtp: f64,
    /// Largest gain reduction of the limiter that may be exceeded 5 % of the time, dB.
    max_limiting_db: f64,
    /// Largest gain reduction of single hits, dB.
    max_peak_limiting_db: f64,
}

impl Report {
    /// Returns readable JSON.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data has a JSON form") + "\n"
    }

    /// Returns the fault of the mix's file, in one line, if the file is damaged or cut off.
    pub fn damage_of_mix(&self) -> Option<&str> {
        let is_damage = |warning: &&WithSentence<Warning>| {
            warning.about == Subject::Mix && matches!(&warning.kind, WarningKind::File(fault) if fault.is_damage())
        };
        self.warnings.iter().find(is_damage).map(|warning| warning.sentence.as_str())
    }
}

/// A file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FileReport {
    /// Path of the file.
    pub path: String,
    /// Codec and word length.
    pub codec: String,
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// 1 or 2.
    pub channels: u8,
    /// Length, frames.
    pub frames: u64,
}

/// The decider, its target and its decision.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DecisionReport {
    /// The decider: network or rules.
    pub decider: DeciderKind,
    /// Name of the target.
    pub target: String,
    /// Kind of the target: references or a norm.
    pub target_kind: TargetKind,
    /// Typical loudness of the target, LUFS.
    pub target_lufs: f64,
    /// Genre of the song; absent if it played no part in the decision.
    pub genre: Option<GenreReport>,
    /// Intended difference between the master and the target.
    pub character: Character,
    /// Confidence of the decider, 0 to 1.
    pub confidence: Confidence,
    /// Result of the test renders; absent if there were none.
    pub refinement: Option<Refinement>,
    /// The target's spectrum.
    pub spectrum: TargetSpectrum,
    /// The target as a sound, for the comparison of qualities; absent if nothing is moved towards it.
    #[serde(skip)]
    pub target_sound: Option<Sound>,
    /// The references that make up the target, if the user chose any.
    pub references: Vec<ReferenceReport>,
}

/// Result of the test renders.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Refinement {
    /// Mean distance of the chain's output from the decision before the correction, dB. It is measured on excerpts that
    /// the correction was not learnt from, except where the spectrum of a reference is followed.
    pub miss_before_db: f64,
    /// The same distance after the correction; equal to the first if no correction was made.
    pub miss_after_db: f64,
    /// Largest correction of the mid's curve, dB.
    pub mid_db: f64,
    /// Largest correction of the side's curve, dB.
    pub side_db: f64,
}

impl Refinement {
    /// Returns the correction as an action; `None` if nothing was corrected.
    pub fn action(&self) -> Option<Action> {
        let Self { miss_before_db, miss_after_db, mid_db, side_db } = *self;
        let largest_db = mid_db.max(side_db);
        (largest_db > 0.0).then_some(Action::FineTuning { miss_before_db, miss_after_db, largest_db })
    }
}

/// Returns the name of a reference in reports.
pub fn reference_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A reference track.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReferenceReport {
    /// Path of the file.
    pub path: String,
    /// Its integrated loudness, LUFS.
    pub integrated_lufs: Option<f64>,
    /// Passages to listen to.
    pub passages: Vec<Passage>,
}

impl ReferenceReport {
    /// Creates the report entry of a reference.
    pub fn of(reference: &Reference, profile: &Profile) -> Self {
        let start_s = reference.section.map_or(0.0, |section| section.start_s);
        Self {
            path: reference.path.display().to_string(),
            integrated_lufs: profile.loudness.integrated_lufs,
            passages: passages_of(profile)
                .into_iter()
                .map(|p| Passage { start_s: start_s + p.start_s, end_s: start_s + p.end_s, ..p })
                .collect(),
        }
    }
}

/// Genre that a song, or a whole record, is treated as.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GenreReport {
    /// Name of the genre; `universal` if none was recognised.
    pub name: String,
    /// Probability of the genre, 0 to 1; absent if it was set by the user or by the song's tags.
    pub probability: Option<f64>,
}

/// Probability from which on a song sounds like a genre.
const CLEARLY: f64 = 0.8;
/// Probability from which on a song sounds mostly like a genre.
pub(crate) const MOSTLY: f64 = 0.5;

/// The genre in words: how the song sounds if it was recognised, as in "sounds mostly like rock music", and its name if
/// it was set.
impl std::fmt::Display for GenreReport {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { name, probability } = self;
        match probability {
            _ if name == UNIVERSAL => f.write_str("sounds like no single genre"),
            None => f.write_str(name),
            Some(share) if *share >= CLEARLY => write!(f, "sounds like {name} music"),
            Some(share) if *share >= MOSTLY => write!(f, "sounds mostly like {name} music"),
            Some(_) => write!(f, "sounds a little like {name} music"),
        }
    }
}

/// The levels that people compare.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Levels {
    /// Integrated loudness, LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness of the loudest 3 s, LUFS.
    pub max_short_term_lufs: Option<f64>,
    /// Loudness range, LU.
    pub range_lu: f64,
    /// True peak, dBTP.
    pub true_peak_dbtp: f64,
    /// True peak over loudness, LU.
    pub plr_lu: Option<f64>,
}

impl Levels {
    /// Levels of a mix.
    pub fn of_profile(profile: &Profile) -> Self {
        Self {
            integrated_lufs: profile.loudness.integrated_lufs,
            max_short_term_lufs: profile.loudness.max_short_term_lufs,
            range_lu: profile.loudness.range_lu,
            true_peak_dbtp: profile.peak.true_peak_dbtp,
            plr_lu: profile.plr_lu(),
        }
    }

    /// Levels of a master.
    pub fn of_master(measured: &Measured) -> Self {
        let Measured { loudness, true_peak_dbtp, .. } = measured;
        Self {
            integrated_lufs: loudness.integrated_lufs,
            max_short_term_lufs: loudness.max_short_term_lufs,
            range_lu: loudness.range_lu,
            true_peak_dbtp: *true_peak_dbtp,
            plr_lu: loudness.integrated_lufs.map(|lufs| true_peak_dbtp - lufs),
        }
    }
}
