//! Representative passages of a song.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blocks::block_start;
use crate::loudness_history::{LoudnessHistory, lufs_from_power};

/// Kind of a passage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExcerptKind {
    /// One of the loudest passages.
    Loud,
    /// A passage near the median loudness.
    Typical,
    /// One of the quietest passages that are not silence.
    Quiet,
}

/// A passage of the song.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    /// Kind of the passage.
    pub kind: ExcerptKind,
    /// First frame.
    pub start_frame: u64,
    /// Length in frames.
    pub frames: u64,
    /// Loudness of the passage, LUFS.
    pub loudness_lufs: f64,
}

/// Length of a passage where the song allows it, in blocks of 10 ms.
const PASSAGE_BLOCKS: usize = 1000;
/// Shortest passage, in blocks; anything shorter is not representative.
const SHORTEST_BLOCKS: usize = 300;
/// Grid on which passages start, in blocks.
const STEP_BLOCKS: usize = 50;
/// Songs shorter than this number of passages are cut into adjacent passages instead: on the grid, two passages could
/// leave no room for a third.
const MIN_PASSAGES_FOR_GRID: usize = 5;
/// Loudness up to which a passage is silent: the absolute gate of BS.1770.
const SILENCE_LUFS: f64 = -70.0;
/// Rank of the quiet passage among all, as a share from the quietest.
const QUIET_SHARE: f64 = 0.1;
/// Distance below the loudest passage from which on a passage is a fade or a pause, not music.
const QUIETEST_LU: f64 = 30.0;

/// Length from which on songs get a second passage of each kind, in blocks: it allows checks on passages that were not
/// listened to.
const TWO_OF_EACH_BLOCKS: usize = 9000;

/// Returns a loud, a typical and a quiet passage, in this order, that do not overlap; from 90 s on, three more. There
/// are fewer if there is less than 9 s of sound, and none in silence.
pub(crate) fn excerpts(history: &LoudnessHistory, sample_rate_hz: u32) -> Vec<Excerpt> {
    let whole = history.blocks();
    let blocks = PASSAGE_BLOCKS.min(whole / 3).max(SHORTEST_BLOCKS.min(whole));
    if blocks == 0 {
        return Vec::new();
    }
    let passages = passages(history, blocks);
    let mut chosen: Vec<(ExcerptKind, Passage)> = Vec::new();
    for _ in 0..if whole >= TWO_OF_EACH_BLOCKS { 2 } else { 1 } {
        for (kind, share) in [(ExcerptKind::Loud, 1.0), (ExcerptKind::Typical, 0.5), (ExcerptKind::Quiet, QUIET_SHARE)]
        {
            let Some(last) = passages.len().checked_sub(1) else { continue };
            let wanted = passages[(last as f64 * share) as usize].1;
            let is_free = |start: usize| chosen.iter().all(|(_, (other, _))| start.abs_diff(*other) >= blocks);
            let nearest = passages
                .iter()
                .filter(|(start, _)| is_free(*start))
                .min_by(|a, b| (a.1 - wanted).abs().total_cmp(&(b.1 - wanted).abs()).then(a.0.cmp(&b.0)));
            chosen.extend(nearest.map(|&passage| (kind, passage)));
        }
    }
    let excerpt = |(kind, (start, loudness_lufs))| {
        let start_frame = block_start(start, sample_rate_hz);
        let frames = block_start(start + blocks, sample_rate_hz) - start_frame;
        Excerpt { kind, start_frame, frames, loudness_lufs }
    };
    chosen.into_iter().map(excerpt).collect()
}

/// First block and loudness in LUFS.
type Passage = (usize, f64);

/// Returns all passages with music, from the quietest to the loudest; equally loud ones in reverse order of time.
fn passages(history: &LoudnessHistory, blocks: usize) -> Vec<Passage> {
    let whole = history.blocks();
    let step = if whole >= MIN_PASSAGES_FOR_GRID * blocks { STEP_BLOCKS } else { blocks };
    let mut passages: Vec<Passage> = (0..=whole - blocks)
        .step_by(step)
        .map(|start| (start, lufs_from_power(history.power(start, blocks))))
        .filter(|&(_, lufs)| lufs > SILENCE_LUFS)
        .collect();
    passages.sort_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    let loudest = passages.last().map_or(SILENCE_LUFS, |passage| passage.1);
    passages.retain(|&(_, lufs)| lufs > loudest - QUIETEST_LU);
    passages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::Analyzer;
    use crate::stream::{Frame, Meter};
    use crate::synth::{pink_noise, silence};

    const RATE: u32 = 8000;

    /// Noise in parts of the given lengths, in seconds, and levels, roughly in LUFS.
    fn song(parts: &[(f64, f64)]) -> Vec<Frame> {
        parts.iter().flat_map(|&(seconds, db)| pink_noise(RATE, db, seconds, 5)).collect()
    }

    fn found(frames: &[Frame]) -> Vec<Excerpt> {
        let mut analyzer = Analyzer::new(RATE, 2);
        analyzer.push(frames);
        analyzer.finish().excerpts
    }

    fn seconds(excerpt: &Excerpt) -> (f64, f64) {
        let at = |frame| frame as f64 / f64::from(RATE);
        (at(excerpt.start_frame), at(excerpt.start_frame + excerpt.frames))
    }

    #[test]
    fn each_kind_lies_where_the_song_is_so() {
        let got = found(&song(&[(30.0, -30.0), (60.0, -20.0), (30.0, -10.0), (10.0, -70.0)]));
        let kinds: Vec<ExcerptKind> = got.iter().map(|e| e.kind).collect();
        assert_eq!(kinds, [ExcerptKind::Loud, ExcerptKind::Typical, ExcerptKind::Quiet].repeat(2));
        for (excerpt, (from, to)) in got.iter().zip([(90.0, 120.0), (30.0, 90.0), (0.0, 30.0)].repeat(2)) {
            let (start, end) = seconds(excerpt);
            assert!(start >= from && end <= to && end - start == 10.0, "{excerpt:?}");
        }
        assert!(got[0].loudness_lufs > got[1].loudness_lufs && got[1].loudness_lufs > got[2].loudness_lufs);
    }

    #[test]
    fn passages_of_a_short_song_do_not_overlap() {
        for length in [9.0, 15.0, 29.0, 31.0, 91.0] {
            let got = found(&song(&[(length / 2.0, -20.0), (length / 2.0, -14.0)]));
            assert_eq!(got.len(), if length < 90.0 { 3 } else { 6 }, "{length} s");
            for (i, a) in got.iter().enumerate() {
                for b in &got[i + 1..] {
                    let ((a0, a1), (b0, b1)) = (seconds(a), seconds(b));
                    assert!(a1 <= b0 || b1 <= a0, "{length} s: {a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn a_moment_is_one_passage_and_silence_is_none() {
        let got = found(&song(&[(1.0, -20.0)]));
        assert_eq!(got.len(), 1);
        assert_eq!((got[0].start_frame, got[0].frames), (0, 8000));
        assert!(found(&silence(RATE, 20.0)).is_empty());
        assert!(found(&[]).is_empty());
    }
}
