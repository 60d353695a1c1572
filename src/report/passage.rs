//! Passages of a song to listen to: typically a verse, and the loudest moment.

use analyzer::excerpt::ExcerptKind;
use analyzer::profile::Profile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Length of a passage if the song is long enough, seconds.
const PASSAGE_S: f64 = 8.0;
/// Window length of the short-term loudness, seconds.
const SHORT_TERM_S: f64 = 3.0;
/// Interval of the short-term loudness values, seconds.
const STEP_S: f64 = 0.1;
/// Moments further below the loudest one count as a fade or a pause, LU.
const QUIETEST_LU: f64 = 20.0;

/// A part of a song.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Passage {
    /// Kind of passage.
    pub kind: PassageKind,
    /// Start in the song, seconds.
    pub start_s: f64,
    /// End in the song, seconds.
    pub end_s: f64,
}

/// Kind of a passage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PassageKind {
    /// A passage of typical loudness: a verse, most of the time.
    Typical,
    /// The passage around the loudest moment: a chorus, most of the time.
    Loudest,
    /// The whole song.
    Whole,
}

impl Passage {
    fn around(kind: PassageKind, song_s: f64, middle_s: f64) -> Self {
        let start_s = (middle_s - PASSAGE_S / 2.0).clamp(0.0, (song_s - PASSAGE_S).max(0.0));
        Self { kind, start_s, end_s: (start_s + PASSAGE_S).min(song_s) }
    }

    /// Returns the range of frames.
    pub fn frames(&self, sample_rate_hz: u32) -> std::ops::Range<u64> {
        let at = |seconds: f64| (seconds * f64::from(sample_rate_hz)).round() as u64;
        at(self.start_s)..at(self.end_s)
    }
}

/// Length of the excerpt that represents a song, seconds.
const EXCERPT_S: f64 = 30.0;
/// Length of the part before its loudest moment, seconds, so that the build-up is heard as well.
const LEAD_IN_S: f64 = 18.0;

/// Returns the half minute that represents a song: its loudest moment and the build-up to it. `short_term_lufs` has a
/// value for every tenth of a second.
pub fn excerpt(song_s: f64, short_term_lufs: &[f32]) -> Passage {
    let mut loudest = 0;
    for (n, lufs) in short_term_lufs.iter().enumerate() {
        if *lufs > short_term_lufs[loudest] {
            loudest = n;
        }
    }
    let start_s = (loudest as f64 * STEP_S - LEAD_IN_S).clamp(0.0, (song_s - EXCERPT_S).max(0.0));
    Passage { kind: PassageKind::Loudest, start_s, end_s: (start_s + EXCERPT_S).min(song_s) }
}

/// Returns the passages to listen to, the typical one first. `short_term_lufs` has a value for every tenth of a second.
/// A song hardly longer than one passage is returned in full.
pub fn passages(song_s: f64, short_term_lufs: &[f32]) -> Vec<Passage> {
    if song_s <= 2.0 * PASSAGE_S {
        return vec![Passage { kind: PassageKind::Whole, start_s: 0.0, end_s: song_s.min(2.0 * PASSAGE_S) }];
    }
    let middle_s = |n: usize| n as f64 * STEP_S + SHORT_TERM_S / 2.0;
    let mut order: Vec<usize> = (0..short_term_lufs.len()).collect();
    order.sort_by(|a, b| short_term_lufs[*b].total_cmp(&short_term_lufs[*a]).then(a.cmp(b)));
    let Some(&loudest) = order.first() else {
        return vec![Passage::around(PassageKind::Loudest, song_s, song_s / 2.0)];
    };
    let chorus = Passage::around(PassageKind::Loudest, song_s, middle_s(loudest));
    let floor_lufs = f64::from(short_term_lufs[loudest]) - QUIETEST_LU;
    let sounding: Vec<usize> = order.into_iter().filter(|n| f64::from(short_term_lufs[*n]) > floor_lufs).collect();
    let median_lufs = short_term_lufs[sounding[sounding.len() / 2]];
    let apart = |passage: &Passage| passage.end_s <= chorus.start_s || passage.start_s >= chorus.end_s;
    let verse = sounding
        .iter()
        .map(|n| (Passage::around(PassageKind::Typical, song_s, middle_s(*n)), *n))
        .filter(|(passage, _)| apart(passage))
        .min_by(|(_, a), (_, b)| {
            let off = |n: usize| (short_term_lufs[n] - median_lufs).abs();
            off(*a).total_cmp(&off(*b)).then(a.cmp(b))
        });
    verse.map(|(passage, _)| passage).into_iter().chain([chorus]).collect()
}

/// Returns the passages to listen to of a song of which only the profile is known.
pub fn passages_of(profile: &Profile) -> Vec<Passage> {
    let (song_s, rate) = (profile.seconds(), f64::from(profile.sample_rate_hz));
    if song_s <= 2.0 * PASSAGE_S {
        return passages(song_s, &[]);
    }
    let find = |wanted: ExcerptKind, kind: PassageKind| {
        let excerpt = profile.excerpts.iter().find(|excerpt| excerpt.kind == wanted)?;
        let middle_s = (excerpt.start_frame as f64 + excerpt.frames as f64 / 2.0) / rate;
        Some(Passage::around(kind, song_s, middle_s))
    };
    let found = [find(ExcerptKind::Typical, PassageKind::Typical), find(ExcerptKind::Loud, PassageKind::Loudest)];
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A minute of a verse at −20, half a minute of a chorus at −12 with one louder moment, a fade.
    fn short_term() -> Vec<f32> {
        let mut lufs = vec![-20.0; 600];
        lufs.extend(vec![-12.0; 300]);
        lufs[700] = -11.5;
        lufs.extend((0..100).map(|n| -20.0 - n as f32));
        lufs
    }

    #[test]
    fn a_verse_and_the_loudest_moment_are_listened_to() {
        let passages = passages(103.0, &short_term());
        let [verse, chorus] = passages[..] else { panic!("{passages:?}") };
        assert_eq!((verse.kind, chorus.kind), (PassageKind::Typical, PassageKind::Loudest));
        assert!(verse.end_s <= 60.0 && (chorus.start_s..chorus.end_s).contains(&71.5), "{passages:?}");
        assert!(passages.iter().all(|passage| passage.end_s - passage.start_s == PASSAGE_S));
    }

    #[test]
    fn passages_lie_inside_the_song_and_a_short_song_is_one() {
        let all = passages(12.0, &[-10.0; 90]);
        assert_eq!(all, [Passage { kind: PassageKind::Whole, start_s: 0.0, end_s: 12.0 }]);
        for loudest in [0, 969] {
            let mut lufs = vec![-20.0; 970];
            lufs[loudest] = -10.0;
            for Passage { start_s, end_s, .. } in passages(100.0, &lufs) {
                assert!(start_s >= 0.0 && end_s <= 100.0 && end_s > start_s);
            }
        }
        assert_eq!(passages(100.0, &[]).len(), 1);
    }
}
