//! Passages that stand for the song.

use serde::{Deserialize, Serialize};

/// What a passage stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExcerptKind {
    /// Among the loudest.
    Loud,
    /// Near the median.
    Typical,
    /// Among the quietest that are not silence.
    Quiet,
}

/// A passage of the song.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    /// What it stands for.
    pub kind: ExcerptKind,
    /// First frame.
    pub start_frame: u64,
    /// Length.
    pub frames: u64,
    /// Its loudness, LUFS.
    pub loudness_lufs: f64,
}
