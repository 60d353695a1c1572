//! Passages that stand for the song.

use serde::{Deserialize, Serialize};

use crate::blocks::block_start;
use crate::loudness::{LoudnessHistory, lufs_from_power};

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

/// Passages are this long where the song allows it, in blocks of 10 ms.
const PASSAGE_BLOCKS: usize = 1000;
/// Shorter passages say little; songs under three of these overlap.
const SHORTEST_BLOCKS: usize = 300;
/// Passages start on this grid, in blocks.
const STEP_BLOCKS: usize = 50;
/// Under this nothing sounds: the absolute gate of BS.1770.
const SILENCE_LUFS: f64 = -70.0;
/// The quiet passage is at this share of all, from the quietest.
const QUIET_SHARE: f64 = 0.1;
/// What is further under the loudest passage is a fade or a pause, not music.
const QUIETEST_LU: f64 = 30.0;

/// A loud, a typical and a quiet passage, in this order; they do not overlap when the song lasts 9 s or more.
/// Fewer where there is less than 3 s of sound; none in silence.
pub(crate) fn excerpts(history: &LoudnessHistory, sample_rate_hz: u32) -> Vec<Excerpt> {
    let whole = history.blocks();
    let blocks = PASSAGE_BLOCKS.min(whole / 3).max(SHORTEST_BLOCKS.min(whole));
    if blocks == 0 {
        return Vec::new();
    }
    let step = STEP_BLOCKS.min(blocks);
    let mut passages: Vec<(usize, f64)> = (0..=whole - blocks)
        .step_by(step)
        .map(|start| (start, lufs_from_power(history.power(start, blocks))))
        .filter(|&(_, lufs)| lufs > SILENCE_LUFS)
        .collect();
    // Ties go to the earlier passage.
    passages.sort_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    let Some(&loudest) = passages.last() else { return Vec::new() };
    passages.retain(|&(_, lufs)| lufs > loudest.1 - QUIETEST_LU);

    let mut chosen: Vec<(ExcerptKind, (usize, f64))> = vec![(ExcerptKind::Loud, loudest)];
    for (kind, share) in [(ExcerptKind::Typical, 0.5), (ExcerptKind::Quiet, QUIET_SHARE)] {
        let wanted = passages[((passages.len() - 1) as f64 * share) as usize].1;
        let is_free = |start: usize| chosen.iter().all(|(_, (other, _))| start.abs_diff(*other) >= blocks);
        let nearest = passages
            .iter()
            .filter(|(start, _)| is_free(*start))
            .min_by(|a, b| (a.1 - wanted).abs().total_cmp(&(b.1 - wanted).abs()).then(a.0.cmp(&b.0)));
        if let Some(&passage) = nearest {
            chosen.push((kind, passage));
        }
    }
    chosen
        .into_iter()
        .map(|(kind, (start, loudness_lufs))| {
            let start_frame = block_start(start, sample_rate_hz);
            let frames = block_start(start + blocks, sample_rate_hz) - start_frame;
            Excerpt { kind, start_frame, frames, loudness_lufs }
        })
        .collect()
}
