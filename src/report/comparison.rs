//! What was measured of two files, as plain data.

use serde::Serialize;

use crate::report::figures::Figures;
use crate::report::{FileReport, Levels};

/// Two files, compared.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// [`REPORT_VERSION`](crate::report::REPORT_VERSION).
    pub version: u32,
    /// The first, as a rule the mix.
    pub before: Compared,
    /// The second, as a rule a master of it.
    pub after: Compared,
    /// What is drawn of them.
    pub figures: Figures,
}

/// One of the two.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// The file.
    pub file: FileReport,
    /// Loudness and peaks.
    pub levels: Levels,
    /// What is wrong with it.
    pub warnings: Vec<String>,
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
