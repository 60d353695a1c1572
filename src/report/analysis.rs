//! The measurements of one file, as plain data.

use analyzer::profile::Profile;
use analyzer::timeline::Timeline;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::io;
use crate::report::warning::{Subject, Warning};
use crate::report::with_sentence::{WithSentence, with_sentences};

/// Output of `goldmaster analyze --json` for one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// Path of the file.
    pub path: String,
    /// Codec and word length.
    pub codec: String,
    /// Warnings for the user.
    pub warnings: Vec<WithSentence<Warning>>,
    /// All measurements.
    pub profile: Profile,
}

impl Analysis {
    /// Creates the analysis of a file from its measurements and its `faults`.
    pub fn new(path: String, codec: String, faults: &[io::Warning], (profile, timeline): (Profile, &Timeline)) -> Self {
        let warnings = Warning::of_measured(&Subject::Mix, faults, &profile, Some(timeline));
        Self { path, codec, warnings: with_sentences(warnings), profile }
    }

    /// Returns one line of JSON.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain data has a JSON form")
    }
}
