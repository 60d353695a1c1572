//! All that was measured, decided and verified in one run, as plain data.

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
pub mod stated;
pub mod warning;

use std::path::Path;

use analyzer::profile::Profile;
use models::character::Character;
use models::decision::Confidence;
use models::target::TargetKind;
use renderer::recipe::{DeliveryParams, Recipe};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::render::promises::{Measured, Promise};
use crate::report::actions::Action;
use crate::report::figures::{Figures, TargetSpectrum};
use crate::report::passage::{Passage, passages_of};
use crate::report::qualities::{Qualities, Sound};
use crate::report::stated::Stated;
use crate::report::warning::Warning;
use crate::request::reference::Reference;
use crate::request::settings::DeciderKind;

/// Raised when the meaning of a field changes.
pub const REPORT_VERSION: u32 = 2;

/// One song's run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// What was read.
    pub input: FileReport,
    /// What was written.
    pub output: FileReport,
    /// Hash of the input's frames.
    pub input_hash: String,
    /// Who decided and towards what; absent when a recipe was replayed.
    pub decision: Option<DecisionReport>,
    /// The mix; absent when a recipe was replayed without measuring.
    pub before: Option<Levels>,
    /// What was asked for.
    #[schemars(with = "DeliverySchema")]
    pub wanted: DeliveryParams,
    /// The master, measured as it was written.
    pub after: Levels,
    /// Gain in front of the limiter, dB.
    pub drive_db: f64,
    /// The limiter's gain reduction that was exceeded a twentieth of the time, dB.
    pub limiting_db: f64,
    /// Its largest gain reduction, dB.
    pub peak_limiting_db: f64,
    /// What the chain did.
    pub actions: Vec<Stated<Action>>,
    /// What was promised, and kept or not.
    pub promises: Vec<Stated<Promise>>,
    /// What the user should know.
    pub warnings: Vec<Stated<Warning>>,
    /// How mix, target and master compare.
    pub qualities: Qualities,
    /// What is drawn of it.
    pub figures: Figures,
    /// What replays this run: `goldmaster render --recipe` reads it.
    #[schemars(with = "RecipeSchema")]
    pub recipe: Recipe,
}

/// What the schema says of a recipe: its stages are described by the program.
#[derive(JsonSchema)]
#[schemars(rename = "Recipe")]
#[expect(dead_code, reason = "describes a type of another crate")]
struct RecipeSchema {
    /// Of the recipe.
    version: u32,
    /// Holds for this input and these settings alone.
    solution: Option<serde_json::Map<String, serde_json::Value>>,
}

/// What the schema says of the delivery.
#[derive(JsonSchema)]
#[schemars(rename = "Delivery")]
#[expect(dead_code, reason = "describes a type of another crate")]
struct DeliverySchema {
    /// Integrated loudness, LUFS.
    loudness_lufs: f64,
    /// True peak that is never exceeded, dBTP.
    ceiling_dbtp: f64,
    /// What the limiter may take for more than a twentieth of the time, dB.
    max_limiting_db: f64,
    /// What it may take from single hits, dB.
    max_peak_limiting_db: f64,
}

impl Report {
    /// Readable JSON.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data has a JSON form") + "\n"
    }
}

/// A file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FileReport {
    /// Where.
    pub path: String,
    /// Codec and word length.
    pub codec: String,
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// 1 or 2.
    pub channels: u8,
    /// Length.
    pub frames: u64,
}

/// Who decided, and towards what.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DecisionReport {
    /// Network or rules.
    pub decider: DeciderKind,
    /// Name of the target.
    pub target: String,
    /// Reference or norm.
    pub target_kind: TargetKind,
    /// Typical loudness of the target, LUFS.
    pub target_lufs: f64,
    /// What kind of music the song is; absent where that decided nothing.
    pub genre: Option<GenreReport>,
    /// How the master is to differ from the target.
    pub character: Character,
    /// How sure the decider was, 0 to 1.
    pub confidence: Confidence,
    /// What a test render led to; absent where there was none.
    pub refinement: Option<Refinement>,
    /// The target's spectrum.
    pub spectrum: TargetSpectrum,
    /// The target, for its qualities; absent where nothing goes towards it.
    #[serde(skip)]
    pub target_sound: Option<Sound>,
    /// What the target was made of, where the user chose it.
    pub references: Vec<ReferenceReport>,
}

/// What a test render led to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Refinement {
    /// Mean distance of the chain's output from the decision, in excerpts that nothing was learnt from, dB; where the
    /// spectrum of a reference is copied, in the excerpts that were learnt from.
    pub miss_before_db: f64,
    /// The same after the correction; that before it where none was made.
    pub miss_after_db: f64,
    /// Largest correction of the mid's curve, dB.
    pub mid_db: f64,
    /// Of the side's.
    pub side_db: f64,
}

impl Refinement {
    /// What was corrected, if anything was.
    pub fn action(&self) -> Option<Action> {
        let Self { miss_before_db, miss_after_db, mid_db, side_db } = *self;
        let largest_db = mid_db.max(side_db);
        (largest_db > 0.0).then_some(Action::FineTuning { miss_before_db, miss_after_db, largest_db })
    }
}

/// What a reference is called in reports.
pub fn reference_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A reference track.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReferenceReport {
    /// Where.
    pub path: String,
    /// Its integrated loudness, LUFS.
    pub integrated_lufs: Option<f64>,
    /// Where to listen to it.
    pub passages: Vec<Passage>,
}

impl ReferenceReport {
    /// The report entry of a reference.
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

/// What kind of music a song, or a record, is taken for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GenreReport {
    /// Its name; `universal` for none of those that can be told.
    pub name: String,
    /// How probable that is, 0 to 1; absent where it was given, by hand or by the song's tags.
    pub probability: Option<f64>,
}

impl std::fmt::Display for GenreReport {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.name)?;
        self.probability.map_or(Ok(()), |share| write!(f, " {:.0} %", 100.0 * share))
    }
}

/// The figures that people compare.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Levels {
    /// Integrated loudness, LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudest 3 s, LUFS.
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
