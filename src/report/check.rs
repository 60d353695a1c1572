//! Checks whether a file is ready for a destination. There is one result for each item checked.

use std::fmt::{Display, Formatter, Result};

use analyzer::defects::DefectKind;
use analyzer::profile::Profile;
use analyzer::timeline::Timeline;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::io;
use crate::io::source_info::SourceInfo;
use crate::io::tags::TagFacts;
use crate::report::warning::{Subject, Warning, WarningKind};
use crate::report::with_sentence::{WithSentence, with_sentences};
use crate::request::destination::{Destination, LoudnessRule, Specification};

/// Result of checking a file for a destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileCheck {
    /// Path of the file.
    pub path: String,
    /// The destination that it was checked for.
    pub destination: Destination,
    /// True if no check failed.
    pub is_ready: bool,
    /// One result for each item checked.
    pub results: Vec<WithSentence<CheckResult>>,
}

/// Result of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// The item checked, with its figures.
    #[serde(flatten)]
    pub item: CheckItem,
    /// Outcome of the check.
    pub outcome: CheckOutcome,
}

/// Outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// The destination has no requirement to compare with.
    Unrated,
    /// Meets the requirements of the destination.
    Ok,
    /// Accepted, but not ideal.
    Note,
    /// Does not meet the requirements of the destination.
    Fail,
}

/// An item that is checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", content = "values", rename_all = "snake_case")]
pub enum CheckItem {
    /// Integrated loudness.
    Loudness {
        /// The measured loudness, LUFS; null if nothing is loud enough.
        measured_lufs: Option<f64>,
        /// Loudness that the destination asks for or plays at, LUFS; null if it has no rule.
        wanted_lufs: Option<f64>,
        /// True if the destination plays everything at that loudness.
        is_normalised: bool,
    },
    /// True peak by two meters.
    TruePeak {
        /// The peak at 16 points per sample, dBTP.
        measured_dbtp: f64,
        /// The peak at 4 points per sample, as BS.1770 specifies, by another implementation, dBTP.
        second_dbtp: f64,
        /// The limit of the destination, dBTP.
        limit_dbtp: f64,
    },
    /// Flat tops of the waveform.
    Clipping {
        /// Number of flat tops.
        flat_tops: u64,
        /// Length of the longest one, samples.
        longest_samples: u32,
    },
    /// Codec, sample rate, word length and channels.
    Format {
        /// Format and codec.
        codec: String,
        /// Frames per second.
        sample_rate_hz: u32,
        /// Bits per sample of a lossless file.
        bits: Option<u32>,
        /// 1 or 2.
        channels: u8,
        /// Requirements of the destination that the format does not meet.
        problems: Vec<FormatProblem>,
    },
    /// Silence before and after the music.
    Silence {
        /// Silence before the music, seconds.
        head_s: f64,
        /// Silence after the music, seconds.
        tail_s: f64,
    },
    /// Mono compatibility.
    Phase {
        /// Loudness lost in mono, LU.
        mono_loss_lu: f64,
        /// True if left and right mostly cancel.
        is_out_of_phase: bool,
    },
    /// Damage to the file or the sound.
    Integrity {
        /// The faults that were found.
        faults: Vec<String>,
    },
    /// Title, artist, album, cover.
    Tags {
        /// Names of the missing tags.
        missing: Vec<String>,
    },
    /// The International Standard Recording Code (ISO 3901).
    Isrc {
        /// The code as written in the file.
        isrc: Option<String>,
    },
}

/// A requirement of a destination that a format does not meet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", content = "values", rename_all = "snake_case")]
pub enum FormatProblem {
    /// The file is lossy.
    Lossy,
    /// The sample rate is below the minimum.
    RateBelow {
        /// Lowest sample rate accepted, Hz.
        least_hz: u32,
    },
    /// The sample rate differs from the only one accepted.
    RateIsNot {
        /// The sample rate accepted, Hz.
        wanted_hz: u32,
    },
    /// The word length is below the minimum.
    BitsBelow {
        /// Lowest word length accepted, bits.
        least: u32,
    },
    /// The word length differs from the only one accepted.
    BitsAreNot {
        /// The word length accepted, bits.
        wanted: u32,
    },
    /// The file is mono.
    Mono,
}

/// Tolerance for the difference between true-peak meters, dB.
const PEAK_TOLERANCE_DB: f64 = 0.05;
/// A difference in loudness from other songs that is noticeable, LU.
const LOUDNESS_NOTICED_LU: f64 = 1.0;
/// Severity from which clipping is audible.
const AUDIBLE_CLIPPING: f64 = 0.5;
/// Longest silence at the head that is normal for an export, seconds.
const HEAD_S: f64 = 1.0;
/// Longest silence at the tail that is normal for an export, seconds.
const TAIL_S: f64 = 5.0;
/// Largest loss in mono that occurs without cancellation between the channels, LU.
const MONO_LOSS_LU: f64 = 4.0;

/// Measurements of a file to check.
pub struct CheckInputs<'a> {
    /// Codec, rate and channels.
    pub info: &'a SourceInfo,
    /// All measurements of the sound.
    pub profile: &'a Profile,
    /// Its loudness over time.
    pub timeline: &'a Timeline,
    /// True peak by a second meter, dBTP.
    pub second_dbtp: f64,
    /// Faults of the file.
    pub faults: &'a [io::Warning],
    /// Its tags.
    pub tags: &'a TagFacts,
}

impl FileCheck {
    /// Checks a file for a destination.
    pub fn new(path: String, destination: Destination, inputs: &CheckInputs) -> Self {
        let specification = destination.specification();
        let results = vec![
            loudness(inputs, &specification),
            true_peak(inputs, &specification),
            clipping(inputs),
            format(inputs, &specification),
            silence(inputs),
            phase(inputs),
            integrity(inputs),
            tags(inputs, &specification),
            isrc(inputs, &specification),
        ];
        let is_ready = results.iter().all(|result| result.outcome != CheckOutcome::Fail);
        Self { path, destination, is_ready, results: with_sentences(results) }
    }
}

fn result(item: CheckItem, outcome: CheckOutcome) -> CheckResult {
    CheckResult { item, outcome }
}

fn loudness(inputs: &CheckInputs, specification: &Specification) -> CheckResult {
    let measured_lufs = inputs.profile.loudness.integrated_lufs;
    let off_lu = |wanted: f64| measured_lufs.map(|lufs| (lufs - wanted).abs());
    let (wanted_lufs, is_normalised, outcome) = match specification.loudness {
        LoudnessRule::Normalised { lufs } => {
            let is_noticed = off_lu(lufs).is_none_or(|off| off > LOUDNESS_NOTICED_LU);
            (Some(lufs), true, if is_noticed { CheckOutcome::Note } else { CheckOutcome::Ok })
        }
        LoudnessRule::Within { lufs, tolerance_lu } => {
            let fits = off_lu(lufs).is_some_and(|off| off <= tolerance_lu + 1e-9);
            (Some(lufs), false, if fits { CheckOutcome::Ok } else { CheckOutcome::Fail })
        }
        LoudnessRule::Free => (None, false, CheckOutcome::Unrated),
    };
    let outcome = if measured_lufs.is_none() { CheckOutcome::Fail } else { outcome };
    result(CheckItem::Loudness { measured_lufs, wanted_lufs, is_normalised }, outcome)
}

fn true_peak(inputs: &CheckInputs, specification: &Specification) -> CheckResult {
    let (measured_dbtp, second_dbtp) = (inputs.profile.peak.true_peak_dbtp, inputs.second_dbtp);
    let limit_dbtp = specification.ceiling_dbtp;
    let is_over = measured_dbtp.max(second_dbtp) > limit_dbtp + PEAK_TOLERANCE_DB;
    let outcome = if is_over { CheckOutcome::Fail } else { CheckOutcome::Ok };
    result(CheckItem::TruePeak { measured_dbtp, second_dbtp, limit_dbtp }, outcome)
}

fn clipping(inputs: &CheckInputs) -> CheckResult {
    for defect in &inputs.profile.defects {
        if let DefectKind::Clipping { flat_tops, longest_samples } = defect.kind {
            let outcome = if defect.severity >= AUDIBLE_CLIPPING { CheckOutcome::Fail } else { CheckOutcome::Note };
            return result(CheckItem::Clipping { flat_tops, longest_samples }, outcome);
        }
    }
    result(CheckItem::Clipping { flat_tops: 0, longest_samples: 0 }, CheckOutcome::Ok)
}

fn format(inputs: &CheckInputs, specification: &Specification) -> CheckResult {
    let SourceInfo { sample_rate_hz, channels, bit_depth, lossy, .. } = *inputs.info;
    let Specification { rate_hz, least_rate_hz, bits, least_bits, takes_lossy, .. } = *specification;
    let found = [
        (lossy && !takes_lossy).then_some(FormatProblem::Lossy),
        (sample_rate_hz < least_rate_hz).then_some(FormatProblem::RateBelow { least_hz: least_rate_hz }),
        rate_hz.filter(|hz| *hz != sample_rate_hz).map(|wanted_hz| FormatProblem::RateIsNot { wanted_hz }),
        bit_depth.filter(|bits| *bits < least_bits).map(|_| FormatProblem::BitsBelow { least: least_bits }),
        bits.filter(|wanted| bit_depth.is_some_and(|bits| bits != *wanted))
            .map(|wanted| FormatProblem::BitsAreNot { wanted }),
    ];
    let mut problems: Vec<FormatProblem> = found.into_iter().flatten().collect();
    let outcome = match (problems.is_empty(), channels) {
        (false, _) => CheckOutcome::Fail,
        (true, 1) => {
            problems.push(FormatProblem::Mono);
            CheckOutcome::Note
        }
        (true, _) => CheckOutcome::Ok,
    };
    let codec = inputs.info.codec.clone();
    result(CheckItem::Format { codec, sample_rate_hz, bits: bit_depth, channels, problems }, outcome)
}

fn silence(inputs: &CheckInputs) -> CheckResult {
    let seconds = |frames: u64| (frames as f64 / f64::from(inputs.profile.sample_rate_hz) * 100.0).round() / 100.0;
    let silence = inputs.profile.silence;
    let (head_s, tail_s) = (seconds(silence.head_frames), seconds(silence.tail_frames));
    let outcome = if head_s > HEAD_S || tail_s > TAIL_S { CheckOutcome::Note } else { CheckOutcome::Ok };
    result(CheckItem::Silence { head_s, tail_s }, outcome)
}

fn phase(inputs: &CheckInputs) -> CheckResult {
    let defects = &inputs.profile.defects;
    let is_out_of_phase = defects.iter().any(|defect| matches!(defect.kind, DefectKind::OutOfPhase { .. }));
    let mono_loss_lu = inputs.profile.stereo.mono_loss_lu;
    let outcome = match () {
        () if is_out_of_phase => CheckOutcome::Fail,
        () if mono_loss_lu > MONO_LOSS_LU => CheckOutcome::Note,
        () => CheckOutcome::Ok,
    };
    result(CheckItem::Phase { mono_loss_lu, is_out_of_phase }, outcome)
}

fn integrity(inputs: &CheckInputs) -> CheckResult {
    // A store may trust a header that this program reads around.
    let is_fault = |fault: &&io::Warning| {
        let is_of_header =
            matches!(fault, io::Warning::FrameSize | io::Warning::NoLength | io::Warning::RightJustified);
        fault.is_damage() || is_of_header
    };
    let damaged = inputs.faults.iter().filter(is_fault).map(ToString::to_string);
    let is_broken = |kind: &DefectKind| {
        matches!(
            kind,
            DefectKind::NotANumber { .. }
                | DefectKind::Dropouts { .. }
                | DefectKind::OneChannel { .. }
                | DefectKind::DcOffset { .. }
                | DefectKind::Silence
        )
    };
    let broken = inputs.profile.defects.iter().map(|defect| defect.kind).filter(is_broken);
    let sentences = broken.map(|kind| WarningKind::Defect(kind).to_string());
    let mut faults: Vec<String> = damaged.chain(sentences).collect();
    let is_damaged = !faults.is_empty();
    // A song may end like this on purpose.
    let cut_off = Warning::of_ending(&Subject::Mix, inputs.timeline, inputs.profile.loudness.integrated_lufs);
    faults.extend(cut_off.map(|warning| warning.to_string()));
    let outcome = match faults.is_empty() {
        true => CheckOutcome::Ok,
        false if is_damaged => CheckOutcome::Fail,
        false => CheckOutcome::Note,
    };
    result(CheckItem::Integrity { faults }, outcome)
}

fn tags(inputs: &CheckInputs, specification: &Specification) -> CheckResult {
    let TagFacts { title, artist, album, has_cover, .. } = inputs.tags;
    let all =
        [("title", title.is_some()), ("artist", artist.is_some()), ("album", album.is_some()), ("cover", *has_cover)];
    let missing: Vec<String> = all.iter().filter(|(_, has)| !has).map(|(name, _)| (*name).to_owned()).collect();
    let is_noted = specification.wants_tags && !missing.is_empty();
    result(CheckItem::Tags { missing }, if is_noted { CheckOutcome::Note } else { CheckOutcome::Ok })
}

fn isrc(inputs: &CheckInputs, specification: &Specification) -> CheckResult {
    let isrc = inputs.tags.isrc.clone();
    let outcome = match &isrc {
        Some(code) if is_isrc(code) => CheckOutcome::Ok,
        Some(_) => CheckOutcome::Fail,
        None if specification.wants_tags => CheckOutcome::Note,
        None => CheckOutcome::Ok,
    };
    result(CheckItem::Isrc { isrc }, outcome)
}

/// Returns true if the text is an ISRC (ISO 3901): two letters for the country, three letters or digits for the
/// registrant, two digits for the year and five for the recording. Hyphens are optional.
fn is_isrc(text: &str) -> bool {
    let code: Vec<char> = text.chars().filter(|c| *c != '-').collect();
    let is = |range: std::ops::Range<usize>, test: fn(&char) -> bool| code[range].iter().all(test);
    code.len() == 12
        && is(0..2, char::is_ascii_uppercase)
        && is(2..5, |c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && is(5..12, char::is_ascii_digit)
}

impl CheckItem {
    /// Returns the name of the item in a table.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Loudness { .. } => "loudness",
            Self::TruePeak { .. } => "true peak",
            Self::Clipping { .. } => "clipping",
            Self::Format { .. } => "format",
            Self::Silence { .. } => "silence",
            Self::Phase { .. } => "phase",
            Self::Integrity { .. } => "integrity",
            Self::Tags { .. } => "tags",
            Self::Isrc { .. } => "ISRC",
        }
    }
}

impl Display for CheckResult {
    fn fmt(&self, f: &mut Formatter) -> Result {
        self.item.fmt(f)
    }
}

impl Display for CheckItem {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Self::Loudness { measured_lufs: None, .. } => f.write_str("nothing is loud enough to measure"),
            Self::Loudness { measured_lufs: Some(lufs), wanted_lufs, is_normalised } => {
                write!(f, "{lufs:.1} LUFS")?;
                match (wanted_lufs.map(|wanted| (wanted, lufs - wanted)), is_normalised) {
                    (None, _) => f.write_str("; no loudness target, any loudness is accepted"),
                    (Some((wanted, off)), true) if off > LOUDNESS_NOTICED_LU => {
                        write!(f, ", turned down by {off:.1} dB to {wanted:.0} LUFS")
                    }
                    (Some((wanted, off)), true) if off < -LOUDNESS_NOTICED_LU => {
                        write!(f, ", {:.1} LU quieter than other songs there ({wanted:.0} LUFS)", -off)
                    }
                    (Some((wanted, _)), true) => write!(f, ", played at about {wanted:.0} LUFS"),
                    (Some((wanted, off)), false) => write!(f, ", {off:+.1} LU from the {wanted:.0} LUFS asked for"),
                }
            }
            Self::TruePeak { measured_dbtp, second_dbtp, limit_dbtp } => {
                write!(f, "{measured_dbtp:.2} dBTP ({second_dbtp:.2} by a second meter), limit {limit_dbtp:.1} dBTP")
            }
            Self::Clipping { flat_tops: 0, .. } => f.write_str("none"),
            Self::Clipping { flat_tops, longest_samples } => {
                write!(f, "{flat_tops} flat tops of up to {longest_samples} samples")
            }
            Self::Format { codec, sample_rate_hz, bits: _, channels, problems } => {
                let channels = if *channels == 1 { "mono" } else { "stereo" };
                write!(f, "{codec}, {sample_rate_hz} Hz, {channels}")?;
                problems.iter().try_for_each(|problem| write!(f, "; {problem}"))
            }
            Self::Silence { head_s, tail_s } => write!(f, "{head_s:.2} s at the start, {tail_s:.2} s at the end"),
            Self::Phase { is_out_of_phase: true, mono_loss_lu } => {
                write!(f, "left and right cancel: {mono_loss_lu:.1} LU are lost in mono")
            }
            Self::Phase { mono_loss_lu, .. } => write!(f, "{mono_loss_lu:.1} LU are lost in mono"),
            Self::Integrity { faults } if faults.is_empty() => f.write_str("no damage found"),
            Self::Integrity { faults } => f.write_str(&faults.join("; ")),
            Self::Tags { missing } if missing.is_empty() => f.write_str("title, artist, album and cover are there"),
            Self::Tags { missing } => write!(f, "missing: {}", missing.join(", ")),
            Self::Isrc { isrc: None } => f.write_str("none"),
            Self::Isrc { isrc: Some(code) } if is_isrc(code) => f.write_str(code),
            Self::Isrc { isrc: Some(code) } => write!(f, "{code:?} is no ISRC, such as GB-ABC-26-00001"),
        }
    }
}

impl Display for FormatProblem {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Self::Lossy => f.write_str("a lossless file is asked for"),
            Self::RateBelow { least_hz } => write!(f, "at least {least_hz} Hz are asked for"),
            Self::RateIsNot { wanted_hz } => write!(f, "{wanted_hz} Hz are asked for"),
            Self::BitsBelow { least } => write!(f, "at least {least} bits are asked for"),
            Self::BitsAreNot { wanted } => write!(f, "{wanted} bits are asked for"),
            Self::Mono => f.write_str("plays as mono"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_isrc_has_its_twelve_places() {
        for code in ["GB-ABC-26-00001", "USRC17607839"] {
            assert!(is_isrc(code), "{code}");
        }
        for code in ["", "GB-ABC-26-0001", "gbabc2600001", "GBABC26O0001", "1BABC2600001"] {
            assert!(!is_isrc(code), "{code}");
        }
    }
}
