//! Faults of a recording, each with where and how bad.

use serde::{Deserialize, Serialize};

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefectKind {
    /// Flat tops: several samples in a row at the same extreme value.
    Clipping,
    /// Peaks between samples above full scale.
    InterSampleOvers,
    /// A constant offset.
    DcOffset,
    /// Next to nothing above a frequency: the song was once lossy.
    LossySource,
    /// The whole file is digital silence.
    Silence,
    /// Left and right mostly cancel in mono.
    OutOfPhase,
    /// Left and right are equal.
    Mono,
    /// One channel is silent.
    OneChannel,
    /// Samples that are not numbers; they were read as silence.
    NotANumber,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defect {
    /// What.
    pub kind: DefectKind,
    /// 0 (cosmetic) to 1 (the master will suffer).
    pub severity: f64,
    /// Where it is first found, seconds.
    pub at_s: f64,
    /// For a person: what was found, and what to do about it.
    pub sentence: String,
}
