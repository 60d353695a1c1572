//! A comparison of two files, as plain data.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::figures::Figures;
use crate::report::qualities::Qualities;
use crate::report::warning::Warning;
use crate::report::with_sentence::WithSentence;
use crate::report::{FileReport, Levels};

/// Two files, compared.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Comparison {
    /// [`REPORT_VERSION`](crate::report::REPORT_VERSION).
    pub version: u32,
    /// The first file, usually the mix.
    pub before: Compared,
    /// The second file, usually a master of it.
    pub after: Compared,
    /// Comparison of their qualities, with the first file as the mix and the second as the master.
    pub qualities: Qualities,
    /// Data of the drawings.
    pub figures: Figures,
    /// Short-term loudness of the first file in steps of 0.1 s, LUFS.
    #[serde(skip)]
    pub short_term_lufs: Vec<f32>,
}

/// One of the two files.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Compared {
    /// The file.
    pub file: FileReport,
    /// Loudness and peaks.
    pub levels: Levels,
    /// Warnings about the file.
    pub warnings: Vec<WithSentence<Warning>>,
}

impl Comparison {
    /// Returns readable JSON.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data has a JSON form") + "\n"
    }
}
