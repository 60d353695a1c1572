//! What was measured of two files, as plain data.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::figures::Figures;
use crate::report::qualities::Qualities;
use crate::report::stated::Stated;
use crate::report::warning::Warning;
use crate::report::{FileReport, Levels};

/// Two files, compared.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Comparison {
    /// [`REPORT_VERSION`](crate::report::REPORT_VERSION).
    pub version: u32,
    /// The first, as a rule the mix.
    pub before: Compared,
    /// The second, as a rule a master of it.
    pub after: Compared,
    /// How they compare, the first as the mix and the second as the master.
    pub qualities: Qualities,
    /// What is drawn of them.
    pub figures: Figures,
    /// Short-term loudness of the first, every tenth of a second.
    #[serde(skip)]
    pub short_term_lufs: Vec<f32>,
}

/// One of the two.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Compared {
    /// The file.
    pub file: FileReport,
    /// Loudness and peaks.
    pub levels: Levels,
    /// What is wrong with it.
    pub warnings: Vec<Stated<Warning>>,
}

impl Comparison {
    /// Readable JSON.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data has a JSON form") + "\n"
    }
}
