//! Assessment of references: problems with a reference become warnings, and limit how far it is followed.

use analyzer::defects::{Defect, DefectKind};
use analyzer::profile::Profile;
use analyzer::spectrum_bands::SPECTRUM_BANDS;
use models::amounts::Amounts;
use models::features::{DYNAMICS_START, FEATURES, Features, MID, SIDE, WIDTH_START, features};
use models::norm::NormProfile;
use models::target::bands_below;

use crate::report::warning::{WarningKind, WidthCause};
use crate::request::reference::MatchKind;

/// Result of assessing a reference: how far to follow it, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceAssessment {
    /// Share of the move towards the reference that is applied.
    pub trust: Amounts,
    /// Problems found, including the reasons for reduced trust.
    pub warnings: Vec<WarningKind>,
}

/// References shorter than this are unreliable, seconds.
const SHORT_S: f64 = 5.0;
/// Share applied from a short reference, and from the dynamics of a clipped one.
const REDUCED_TRUST: f64 = 0.5;
/// Severity from which clipping counts as audible.
const CLIPPING_SEVERITY: f64 = 0.5;

impl ReferenceAssessment {
    /// Assesses one reference for several songs. `norm` supplies the usual spread between songs, as the unit of
    /// distance. With [`MatchKind::Literal`], only a missing stereo image or the song itself limits trust: length,
    /// sound and distance are not judged.
    pub fn of(reference: &Profile, songs: &[&Profile], norm: &NormProfile, matching: MatchKind) -> Self {
        let mut assessment = Self { trust: Amounts::default(), warnings: Vec::new() };
        let same = songs.iter().filter(|song| is_same(song, reference)).count();
        if same > 0 && same == songs.len() {
            return Self { trust: Amounts::NONE, warnings: vec![WarningKind::ReferenceIsTheSong] };
        }
        if same > 0 {
            assessment.warnings.push(WarningKind::ReferenceIsOnTheAlbum);
        }
        assessment.note_image(reference);
        assessment.note_defects(reference, matching);
        if matching == MatchKind::Literal {
            return assessment;
        }
        if reference.seconds() < SHORT_S {
            let kind =
                WarningKind::ReferenceIsShort { length_s: reference.seconds(), applied_pct: 100.0 * REDUCED_TRUST };
            assessment.limit(Amounts { tone: REDUCED_TRUST, dynamics: REDUCED_TRUST, width: REDUCED_TRUST }, kind);
        }
        assessment.note_sound(reference);
        if matching == MatchKind::Cautious {
            assessment.note_distance(reference, songs, norm);
        }
        assessment
    }

    fn limit(&mut self, trust: Amounts, kind: WarningKind) {
        self.trust = self.trust.times(&trust);
        self.warnings.push(kind);
    }

    fn note_image(&mut self, reference: &Profile) {
        let cause = |defect: &Defect| match defect.kind {
            DefectKind::Mono | DefectKind::NearlyMono { .. } => Some(WidthCause::Mono),
            DefectKind::OneChannel { .. } => Some(WidthCause::OneChannel),
            DefectKind::OutOfPhase { .. } => Some(WidthCause::OutOfPhase),
            _ => None,
        };
        let mono = (reference.channels == 1).then_some(WidthCause::Mono);
        if let Some(cause) = mono.or_else(|| reference.defects.iter().find_map(cause)) {
            self.limit(Amounts { width: 0.0, ..Amounts::default() }, WarningKind::ReferenceHasNoWidth { cause });
        }
    }

    fn note_defects(&mut self, reference: &Profile, matching: MatchKind) {
        for Defect { kind, severity, .. } in &reference.defects {
            match *kind {
                DefectKind::Clipping { .. } if *severity >= CLIPPING_SEVERITY && matching == MatchKind::Literal => {
                    self.warnings.push(WarningKind::ReferenceClips { applied_pct: 100.0 });
                }
                DefectKind::Clipping { .. } if *severity >= CLIPPING_SEVERITY => {
                    let kind = WarningKind::ReferenceClips { applied_pct: 100.0 * REDUCED_TRUST };
                    self.limit(Amounts { dynamics: REDUCED_TRUST, ..Amounts::default() }, kind);
                }
                DefectKind::LossySource { cutoff_hz } | DefectKind::LowRateSource { cutoff_hz } => {
                    self.warnings.push(WarningKind::ReferenceIsLossy { cutoff_hz });
                }
                DefectKind::NotANumber { .. } | DefectKind::Dropouts { .. } => {
                    self.warnings.push(WarningKind::ReferenceIsDamaged);
                }
                _ => {}
            }
        }
    }

    fn note_sound(&mut self, reference: &Profile) {
        let kind = if is_speech(reference) {
            WarningKind::ReferenceIsSpeech
        } else if is_noise(reference) {
            WarningKind::ReferenceIsNoise
        } else {
            return;
        };
        self.limit(Amounts { tone: MIN_TRUST, dynamics: 0.0, width: 0.0 }, kind);
    }

    fn note_distance(&mut self, reference: &Profile, songs: &[&Profile], norm: &NormProfile) {
        let distances = songs.iter().filter_map(|song| distance(&features(song)?, reference, norm));
        let (sum, count) = distances.fold((0.0, 0usize), |(sum, count), distance| (sum + distance, count + 1));
        let distance = sum / count.max(1) as f64;
        if distance > DISTANT_FROM {
            let share = ((MIN_TRUST_AT - distance) / (MIN_TRUST_AT - DISTANT_FROM)).clamp(MIN_TRUST, 1.0);
            let kind = WarningKind::ReferenceIsUnlike { applied_pct: (100.0 * share).round() };
            self.limit(Amounts { tone: share, dynamics: share, width: share }, kind);
        }
    }
}

/// Returns the index of the record most similar to some songs. The songs themselves are chosen only if there is no
/// other record.
pub fn most_alike(songs: &[&Profile], records: &[&Profile], norm: &NormProfile) -> Option<usize> {
    let songs: Vec<(&Profile, Features)> = songs.iter().filter_map(|song| Some((*song, features(song)?))).collect();
    let distance_to_songs = |record: &Profile| {
        let is_song = songs.iter().any(|(song, _)| is_same(song, record));
        let distances: Option<f64> = songs.iter().map(|(_, song)| distance(song, record, norm)).sum();
        (is_song, distances.unwrap_or(f64::INFINITY))
    };
    let distances = records.iter().map(|record| distance_to_songs(record)).enumerate();
    distances.min_by(|(_, a), (_, b)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))).map(|(place, _)| place)
}

/// Distance from which on less of a reference is applied: the root mean square of the feature differences, in units of
/// the spread between songs. Finished songs of one artist or genre are up to 1.9 apart; songs of any two kinds are 1.3
/// apart in the median and 2.05 in one case out of twenty.
const DISTANT_FROM: f64 = 2.1;
/// Smallest share applied, of very distant references and of the tone of speech and noise.
const MIN_TRUST: f64 = 0.25;
/// Distance at which the share has fallen to [`MIN_TRUST`].
const MIN_TRUST_AT: f64 = 3.2;
/// Limit on the contribution of any single feature, in spreads.
const MAX_FEATURE_DISTANCE: f64 = 6.0;

/// Level below the loudest band at which a band of mid or side counts as inaudible, dB.
const INAUDIBLE_DB: f64 = 50.0;

fn audible(song: &Features) -> [[bool; SPECTRUM_BANDS]; 2] {
    let loudest = song[MID..MID + SPECTRUM_BANDS].iter().fold(f64::NEG_INFINITY, |max, level| max.max(*level));
    [MID, SIDE].map(|start| std::array::from_fn(|band| song[start + band] > loudest - INAUDIBLE_DB))
}

/// Returns the distance between a record and a song, over the features on which both carry information.
fn distance(song: &Features, reference: &Profile, norm: &NormProfile) -> Option<f64> {
    let record = features(reference)?;
    let [mid, mut side] = audible(&record);
    // A mono song says nothing about the width of another.
    let [_, own_side] = audible(song);
    side.iter_mut().zip(own_side).for_each(|(side, own)| *side &= own);
    let known = bands_below(reference.spectrum.cutoff_hz);
    let counts = |n: usize| match n {
        n if n < SIDE => n - MID < known && mid[n - MID],
        n if n < SIDE + SPECTRUM_BANDS => n - SIDE < known && side[n - SIDE],
        n => n < WIDTH_START || side.contains(&true),
    };
    let squares: Vec<f64> = (0..FEATURES)
        .filter(|n| counts(*n) && norm.spread[*n] > 0.0)
        .map(|n| ((record[n] - song[n]) / norm.spread[n]).clamp(-MAX_FEATURE_DISTANCE, MAX_FEATURE_DISTANCE))
        .map(|z| z * z)
        .collect();
    Some((squares.iter().sum::<f64>() / squares.len().max(1) as f64).sqrt())
}

/// Largest band difference between two files of the same song, at any level and through any codec, dB.
const SAME_WORST_DB: f64 = 1.0;
/// Largest mean difference between such files, dB.
const SAME_MEAN_DB: f64 = 0.15;
/// Largest difference in any feature of their dynamics, dB.
const SAME_DYNAMICS_DB: f64 = 0.4;
/// Largest difference in length, seconds.
const SAME_LENGTH_S: f64 = 0.5;

/// Returns true if two files contain the same recording.
fn is_same(song: &Profile, other: &Profile) -> bool {
    let (Some(a), Some(b)) = (features(song), features(other)) else { return false };
    let known = bands_below(song.spectrum.cutoff_hz.min(other.spectrum.cutoff_hz));
    let audible_bands = audible(&a);
    let differences: Vec<f64> = [MID, SIDE]
        .into_iter()
        .enumerate()
        .flat_map(|(c, start)| {
            (0..known)
                .filter(move |band| audible_bands[c][*band])
                .map(move |band| (a[start + band] - b[start + band]).abs())
        })
        .collect();
    let worst = differences.iter().fold(0.0, |worst: f64, difference| worst.max(*difference));
    let mean = differences.iter().sum::<f64>() / differences.len().max(1) as f64;
    let dynamics = (DYNAMICS_START..FEATURES).map(|n| (a[n] - b[n]).abs()).fold(0.0, f64::max);
    let is_as_long = (song.seconds() - other.seconds()).abs() < SAME_LENGTH_S;
    is_as_long && worst < SAME_WORST_DB && mean < SAME_MEAN_DB && dynamics < SAME_DYNAMICS_DB
}

/// Speech without music comes in syllables: the level of the low-mid and high-mid band varies by more than this, dB...
const SPEECH_SPREAD_DB: [f64; 2] = [4.5, 5.5];
/// ...more than this share of it is percussive...
const SPEECH_PERCUSSIVE_SHARE: f64 = 0.5;
/// ...it has no bass: the low band stays below this level relative to the low mids, dB...
const SPEECH_BASS_DB: f64 = -12.0;
/// ...it has next to no side signal: at most this width in every band, dB...
const SPEECH_WIDTH_DB: f64 = -15.0;
/// ...and it has no pulse: the confidence in a tempo stays below this.
const SPEECH_PULSE: f64 = 0.35;

/// Steady noise: above the bass, the level in 100 ms windows varies by no more than chance explains, dB.
const NOISE_SPREAD_DB: f64 = 1.0;

fn is_noise(profile: &Profile) -> bool {
    profile.dynamics.bands[1..].iter().all(|band| band.spread_100ms_db < NOISE_SPREAD_DB)
}

/// Returns true if this is probably speech without music.
fn is_speech(profile: &Profile) -> bool {
    let [low, low_mid, high_mid, _] = profile.dynamics.bands;
    let [least_low, least_high] = SPEECH_SPREAD_DB;
    let moves = low_mid.spread_100ms_db > least_low && high_mid.spread_100ms_db > least_high;
    let has_bass = low.level_db - low_mid.level_db > SPEECH_BASS_DB;
    let is_wide = profile.channels == 2 && profile.stereo.width_db.iter().any(|db| *db > SPEECH_WIDTH_DB);
    let rhythm = &profile.rhythm;
    let is_sudden = rhythm.percussive_share > SPEECH_PERCUSSIVE_SHARE && rhythm.confidence < SPEECH_PULSE;
    moves && !has_bass && !is_wide && is_sudden
}

#[cfg(test)]
mod tests {
    use analyzer::analyze::Analyzer;
    use analyzer::stream::{Frame, Meter as _};
    use analyzer::synth::demo_mix;

    use super::*;

    const RATE_HZ: u32 = 44_100;

    fn profile(channels: u8, frames: &[Frame]) -> Profile {
        let mut analyzer = Analyzer::new(RATE_HZ, channels);
        analyzer.push(frames);
        analyzer.finish()
    }

    fn judged(reference: &Profile, songs: &[&Profile]) -> ReferenceAssessment {
        let norm = NormProfile::universal().expect("it is compiled in");
        ReferenceAssessment::of(reference, songs, &norm, MatchKind::Cautious)
    }

    /// Two parts of one song, each long enough to serve as a reference.
    fn parts() -> [Vec<Frame>; 2] {
        let song = demo_mix(RATE_HZ, 12.0);
        let (one, other) = song.split_at(song.len() / 2);
        [one.to_vec(), other.to_vec()]
    }

    #[test]
    fn a_mono_mix_beside_a_stereo_reference_or_the_reverse_is_not_thereby_of_another_kind() {
        let [one, other] = parts();
        let mono: Vec<Frame> = one.iter().map(|[l, r]| [0.5 * (l + r); 2]).collect();
        let (stereo, [one_channel, two_alike]) = (profile(2, &other), [1, 2].map(|channels| profile(channels, &mono)));
        for mono in [&one_channel, &two_alike] {
            assert_eq!(
                judged(&stereo, &[mono]),
                ReferenceAssessment { trust: Amounts::default(), warnings: Vec::new() }
            );
            let ReferenceAssessment { trust, warnings } = judged(mono, &[&stereo]);
            assert_eq!(trust, Amounts { width: 0.0, ..Amounts::default() });
            assert_eq!(warnings, [WarningKind::ReferenceHasNoWidth { cause: WidthCause::Mono }]);
        }
    }

    #[test]
    fn a_song_of_the_record_is_a_reference_for_the_others() {
        let songs = parts().map(|frames| profile(2, &frames));
        let [one, other] = &songs;
        assert_eq!(judged(one, &[one]).trust, Amounts::NONE);
        assert_eq!(judged(one, &[one, one]).trust, Amounts::NONE);
        let ReferenceAssessment { trust, warnings } = judged(one, &[other, one]);
        assert_eq!((trust, warnings), (Amounts::default(), vec![WarningKind::ReferenceIsOnTheAlbum]));
    }
}
