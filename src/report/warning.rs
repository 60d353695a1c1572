//! Warnings about a run. Each has a code with values, a severity, a place in a file, and a sentence.

use std::fmt::{Display, Formatter, Result};

use analyzer::defects::{Defect, DefectKind};
use analyzer::profile::Profile;
use analyzer::timeline::Timeline;
use renderer::recipe::{ENGINE_VERSION, Recipe};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::defect_sentence::DefectSentence;
use crate::request::advice::Advice;
use crate::request::edges::LongFade;

/// A warning for the user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Code and values.
    #[serde(flatten)]
    pub kind: WarningKind,
    /// Severity of the warning.
    pub severity: Severity,
    /// The file that it is about.
    pub about: Subject,
    /// Time of the first occurrence in that file, seconds; null if it has none.
    pub at_s: Option<f64>,
}

/// Severity of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// The master could be better.
    Caution,
    /// The master suffers.
    Serious,
}

/// The file that a warning is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The song that was read.
    Mix,
    /// The master that was written.
    Master,
    /// A reference track, by its name.
    Reference(String),
    /// The HTML report.
    Page,
}

/// Code and values of a warning. To add one, add a variant with its values here, its severity in
/// `WarningKind::severity`, and its sentence in [`Display`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", content = "values", rename_all = "snake_case")]
pub enum WarningKind {
    /// The mix is a master of this program, made towards the same target.
    AlreadyMastered,
    /// A reference is the song itself.
    ReferenceIsTheSong,
    /// A reference is one of the songs of the album.
    ReferenceIsOnTheAlbum,
    /// The stereo width of a reference cannot be followed.
    ReferenceHasNoWidth {
        /// The reason.
        cause: WidthCause,
    },
    /// A reference clips.
    ReferenceClips {
        /// Share of its dynamics that is applied, %.
        applied_pct: f64,
    },
    /// A reference has no sound above a frequency.
    ReferenceIsLossy {
        /// The frequency, Hz.
        cutoff_hz: f64,
    },
    /// The sound of a reference is damaged.
    ReferenceIsDamaged,
    /// A reference is too short to be a good example.
    ReferenceIsShort {
        /// Its length, seconds.
        length_s: f64,
        /// Share of the difference that is applied, %.
        applied_pct: f64,
    },
    /// A reference sounds like speech.
    ReferenceIsSpeech,
    /// A reference is another kind of music.
    ReferenceIsUnlike {
        /// Share of the difference that is applied, %.
        applied_pct: f64,
    },
    /// A reference sounds like noise.
    ReferenceIsNoise,
    /// The master is quieter than its reference, because it would have to be denser.
    QuieterThanReference {
        /// Loudness of the reference, LUFS.
        reference_lufs: f64,
        /// Loudness of the master, LUFS.
        loudness_lufs: f64,
    },
    /// The master is quieter than its mix, although no loudness was requested.
    QuieterThanMix {
        /// Loudness of the mix, LUFS.
        mix_lufs: f64,
        /// Loudness of the master, LUFS.
        loudness_lufs: f64,
    },
    /// The master is as quiet as its reference.
    QuietReference {
        /// Loudness of the master, LUFS.
        loudness_lufs: f64,
    },
    /// The song is longer than a side of a 12-inch record.
    LongerThanASide {
        /// Its length, minutes.
        length_min: f64,
        /// Longest side at full level at 33⅓ rpm, minutes.
        at_33_min: f64,
        /// The same at 45 rpm, minutes.
        at_45_min: f64,
    },
    /// The song breaks off before its sound has died away.
    CutOff {
        /// Level of its last moment under the loudness of the whole, LU; negative where it is louder.
        under_lu: f64,
    },
    /// A fade is longer than the song.
    LongFade(LongFade),
    /// The recipe was solved by another version of the engine, so that the master is not the same bytes.
    OtherEngine {
        /// The version that solved it; 0 if the recipe is older than the version numbers.
        solved_by: u32,
        /// The version that renders it now.
        rendered_by: u32,
    },
    /// The HTML report plays less than was asked for.
    PageIsAnExcerpt,
    /// The HTML report could not be written.
    NoPage {
        /// The reason.
        cause: String,
    },
    /// A defect of the recording.
    #[serde(untagged)]
    Defect(DefectKind),
    /// A fault of the file.
    #[serde(untagged)]
    File(crate::io::Warning),
}

/// Reason why the width of a reference cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WidthCause {
    /// The reference is mono.
    Mono,
    /// One channel of the reference is silent.
    OneChannel,
    /// The channels of the reference cancel each other.
    OutOfPhase,
}

impl Warning {
    /// Creates a warning about a file as a whole.
    pub fn new(about: Subject, kind: WarningKind) -> Self {
        Self { severity: kind.severity(), about, at_s: None, kind }
    }

    /// Creates a warning about the mix.
    pub fn of_mix(kind: WarningKind) -> Self {
        Self::new(Subject::Mix, kind)
    }

    /// Creates a warning about the master.
    pub fn of_master(kind: WarningKind) -> Self {
        Self::new(Subject::Master, kind)
    }

    /// Creates a warning about a reference.
    pub fn of_reference(name: &str, kind: WarningKind) -> Self {
        Self::new(Subject::Reference(name.to_owned()), kind)
    }

    /// Returns a warning if the recipe was solved by another version of the engine.
    pub fn of_recipe(recipe: &Recipe) -> Vec<Self> {
        let engines = recipe.solution.iter().map(|solution| solution.engine);
        let others = engines.filter(|engine| *engine != ENGINE_VERSION);
        let kind = |solved_by| WarningKind::OtherEngine { solved_by, rendered_by: ENGINE_VERSION };
        others.map(|engine| Self::of_master(kind(engine))).collect()
    }

    /// Returns a warning if a song is cut off while it sounds. `timeline` and loudness are those of the song, or of its
    /// master, which ends as the song does.
    pub fn of_ending(about: &Subject, timeline: &Timeline, integrated_lufs: Option<f64>) -> Option<Self> {
        let ending_lu = timeline.ending_lu(integrated_lufs).filter(|ending_lu| *ending_lu > CUT_OFF_LU)?;
        Some(Self::new(about.clone(), WarningKind::CutOff { under_lu: -ending_lu }))
    }

    /// Returns warnings about the defects of a recording.
    pub fn of_defects(about: &Subject, defects: &[Defect]) -> Vec<Self> {
        let warning = |defect: &Defect| Self {
            kind: WarningKind::Defect(defect.kind),
            severity: Severity::of_defect(defect.severity),
            about: about.clone(),
            at_s: Some(defect.at_s),
        };
        defects.iter().map(warning).collect()
    }

    /// Returns warnings about the faults of a file, the defects of the recording in it, and its end.
    pub fn of_measured(
        about: &Subject,
        faults: &[crate::io::Warning],
        profile: &Profile,
        timeline: Option<&Timeline>,
    ) -> Vec<Self> {
        let lufs = profile.loudness.integrated_lufs;
        let ending = timeline.and_then(|timeline| Self::of_ending(about, timeline, lufs));
        let all = [Self::of_file(about, faults), Self::of_defects(about, &profile.defects), Vec::from_iter(ending)];
        all.concat()
    }

    /// Returns warnings about fades that are longer than the song.
    pub fn of_fades(fades: &[LongFade]) -> Vec<Self> {
        fades.iter().map(|fade| Self::of_mix(WarningKind::LongFade(*fade))).collect()
    }

    /// Returns warnings about the faults of a file.
    pub fn of_file(about: &Subject, faults: &[crate::io::Warning]) -> Vec<Self> {
        faults.iter().map(|fault| Self::new(about.clone(), WarningKind::File(fault.clone()))).collect()
    }
}

/// Loudness of the last moment of a song over that of the whole above which the song is cut off, LU.
const CUT_OFF_LU: f64 = -20.0;

impl Severity {
    /// Converts the severity of a defect, 0 to 1.
    fn of_defect(severity: f64) -> Self {
        match severity {
            s if s >= 0.6 => Self::Serious,
            s if s >= 0.3 => Self::Caution,
            _ => Self::Note,
        }
    }
}

impl WarningKind {
    /// Returns the severity of the warning.
    fn severity(&self) -> Severity {
        match self {
            Self::AlreadyMastered
            | Self::ReferenceIsOnTheAlbum
            | Self::QuieterThanReference { .. }
            | Self::QuieterThanMix { .. }
            | Self::QuietReference { .. }
            | Self::OtherEngine { .. }
            | Self::PageIsAnExcerpt
            | Self::NoPage { .. }
            | Self::Defect(_) => Severity::Note,
            Self::ReferenceIsTheSong
            | Self::LongerThanASide { .. }
            | Self::CutOff { .. }
            | Self::LongFade(_)
            | Self::File(crate::io::Warning::RightJustified)
            | Self::ReferenceHasNoWidth { .. }
            | Self::ReferenceClips { .. }
            | Self::ReferenceIsLossy { .. }
            | Self::ReferenceIsDamaged
            | Self::ReferenceIsShort { .. }
            | Self::ReferenceIsSpeech
            | Self::ReferenceIsNoise
            | Self::ReferenceIsUnlike { .. } => Severity::Caution,
            Self::File(fault) if fault.is_damage() => Severity::Serious,
            Self::File(_) => Severity::Note,
        }
    }
}

/// The alternate form `{:#}` phrases advice for the page of `goldmaster ui`.
impl Display for Warning {
    fn fmt(&self, f: &mut Formatter) -> Result {
        if let Subject::Reference(name) = &self.about {
            write!(f, "Reference {name}: ")?;
        }
        match &self.kind {
            WarningKind::Defect(kind) => {
                write!(f, "{}", DefectSentence { kind, is_in_mix: self.about == Subject::Mix, at_s: self.at_s })
            }
            kind => kind.fmt(f),
        }
    }
}

/// Writes advice as the end of a sentence.
fn ended(f: &mut Formatter, advice: Advice) -> Result {
    advice.fmt(f)?;
    f.write_str(".")
}

impl Display for WarningKind {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Self::AlreadyMastered => f.write_str(
                "This file is a master that goldmaster made towards the same target, so tone, dynamics and width stay as \
                 they are. To master it differently, start from the mix.",
            ),
            Self::ReferenceIsTheSong => f.write_str(
                "it is the song itself, so tone, dynamics and width stay as they are. Choose another record to change \
                 them.",
            ),
            Self::ReferenceIsOnTheAlbum => {
                f.write_str("it is one of the songs of this album; the other songs are brought close to it.")
            }
            Self::ReferenceHasNoWidth { cause } => {
                let cause = match cause {
                    WidthCause::Mono => "it is mono",
                    WidthCause::OneChannel => "one of its channels is silent",
                    WidthCause::OutOfPhase => "its left and right channels cancel each other",
                };
                write!(f, "{cause}, so the width of the mix stays as it is. Choose a stereo record to change it.")
            }
            Self::ReferenceClips { applied_pct } => {
                f.write_str("it clips")?;
                if *applied_pct < 100.0 {
                    write!(f, ", so only {applied_pct:.0} % of the difference in dynamics is applied")?;
                }
                f.write_str(". A cleaner copy is a better example; ")?;
                Advice::SetLoudness.fmt(f)?;
                f.write_str(" if it is too loud.")
            }
            Self::ReferenceIsLossy { cutoff_hz } => write!(
                f,
                "it has no sound above {:.1} kHz, so the mix stays as it is up there. A lossless copy is a better example.",
                cutoff_hz / 1000.0
            ),
            Self::ReferenceIsDamaged => f.write_str("its sound is damaged. Choose another copy."),
            Self::ReferenceIsShort { length_s, applied_pct } => write!(
                f,
                "it is only {length_s:.1} s long, so only {applied_pct:.0} % of the difference to it is applied."
            ),
            Self::ReferenceIsSpeech => {
                f.write_str("it sounds like speech, so it is hardly followed. Choose a piece of music.")
            }
            Self::ReferenceIsUnlike { applied_pct } => {
                write!(
                    f,
                    "it is a different kind of music, so only {applied_pct:.0} % of the difference to it is applied. Choose a \
                     more similar record, or "
                )?;
                ended(f, Advice::FollowAsItIs)
            }
            Self::ReferenceIsNoise => {
                f.write_str("it sounds like noise, so it is hardly followed. Choose a piece of music.")
            }
            Self::QuieterThanReference { reference_lufs, loudness_lufs } => {
                write!(
                    f,
                    "The master is at {loudness_lufs:.1} LUFS, its reference at {reference_lufs:.1} LUFS: louder would take \
                     more limiting than suits this song. "
                )?;
                ended(f, Advice::AsLoudAsReference)
            }
            Self::QuieterThanMix { mix_lufs, loudness_lufs } => {
                write!(
                    f,
                    "The mix is at {mix_lufs:.1} LUFS, the master at {loudness_lufs:.1} LUFS. To keep it loud: "
                )?;
                ended(f, Advice::StayAsLoud { lufs: mix_lufs.round() as i32 })
            }
            Self::QuietReference { loudness_lufs } => {
                write!(
                    f,
                    "The master is as quiet as its reference, {loudness_lufs:.1} LUFS. Streaming services play music at \
                     about -14 LUFS: "
                )?;
                ended(f, Advice::StreamingLoudness)
            }
            Self::LongerThanASide { length_min, at_33_min, at_45_min } if length_min > at_33_min => write!(
                f,
                "{length_min:.1} minutes are more than a side of a 12-inch record holds at full level ({at_33_min} at 33⅓ rpm, \
                 {at_45_min} at 45). It will be cut quieter, or has to be divided."
            ),
            Self::LongerThanASide { length_min, at_45_min, .. } => write!(
                f,
                "{length_min:.1} minutes are more than a side of a 12-inch record holds at 45 rpm ({at_45_min}). Have it cut at \
                 33⅓ rpm."
            ),
            Self::CutOff { .. } => {
                f.write_str("The song is cut off while it still sounds. Export it again with its tail, or ")?;
                ended(f, Advice::FadeOut)
            }
            Self::LongFade(fade) => write!(f, "The {fade}, so all of it fades. Choose a shorter fade."),
            Self::OtherEngine { solved_by, rendered_by } => write!(
                f,
                "The recipe was solved by version {solved_by} of the engine, and this is version {rendered_by}: the master may \
                 differ from the one that was made then. For the same bytes, render it with the goldmaster that wrote it."
            ),
            Self::PageIsAnExcerpt => f.write_str(
                "The HTML report plays excerpts: the whole song takes more memory than may be used. Allow more with --memory.",
            ),
            Self::NoPage { cause } => write!(f, "The HTML report was not written: {cause}."),
            Self::Defect(kind) => write!(f, "{}", DefectSentence { kind, is_in_mix: true, at_s: None }),
            Self::File(fault) => write!(f, "{fault}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use analyzer::defects::Channel;

    use super::*;
    use crate::request::edges::SongEnd;

    fn json(warning: Warning) -> serde_json::Value {
        serde_json::to_value(crate::report::with_sentence::WithSentence::from(warning)).expect("plain data")
    }

    #[test]
    fn json_has_code_values_severity_file_place_and_sentence() {
        let clipping =
            Defect { kind: DefectKind::Clipping { flat_tops: 1204, longest_samples: 9 }, severity: 0.7, at_s: 12.3 };
        let [warning] = <[Warning; 1]>::try_from(Warning::of_defects(&Subject::Mix, &[clipping])).expect("one");
        assert_eq!(
            json(warning),
            serde_json::json!({
                "code": "clipping",
                "values": { "flat_tops": 1204, "longest_samples": 9 },
                "severity": "serious",
                "about": "mix",
                "at_s": 12.3,
                "sentence": "The mix clips: 1204 flat tops of up to 9 samples, first at 0:12.3. Mastering cannot undo \
                             clipping: export the mix again with the master fader lower.",
            })
        );
        let damaged = json(Warning::of_reference("hit.flac", WarningKind::ReferenceIsDamaged));
        assert_eq!(damaged["about"], serde_json::json!({ "reference": "hit.flac" }));
        assert_eq!(damaged["sentence"], "Reference hit.flac: its sound is damaged. Choose another copy.");
    }

    #[test]
    fn a_page_is_not_told_of_options() {
        let kinds = [
            WarningKind::ReferenceClips { applied_pct: 50.0 },
            WarningKind::ReferenceIsUnlike { applied_pct: 50.0 },
            WarningKind::QuieterThanReference { reference_lufs: -8.0, loudness_lufs: -10.0 },
            WarningKind::QuieterThanMix { mix_lufs: -8.2, loudness_lufs: -14.0 },
            WarningKind::QuietReference { loudness_lufs: -22.0 },
            WarningKind::CutOff { under_lu: 3.0 },
        ];
        for kind in kinds {
            let warning = Warning::of_reference("hit.flac", kind);
            let (terminal, page) = (warning.to_string(), format!("{warning:#}"));
            assert!(terminal.contains(" --") && !page.contains("--"), "{terminal} {page}");
            assert!(page.ends_with('.'), "{page}");
        }
    }

    #[test]
    fn warnings_of_every_source_are_read_back_as_they_were() {
        let kinds = [
            WarningKind::AlreadyMastered,
            WarningKind::ReferenceHasNoWidth { cause: WidthCause::Mono },
            WarningKind::LongFade(LongFade { end: SongEnd::Tail, fade_s: 8.0, song_s: 3.5 }),
            WarningKind::Defect(DefectKind::Silence),
            WarningKind::Defect(DefectKind::OneChannel { silent: Channel::Left }),
            WarningKind::File(crate::io::Warning::Checksum),
            WarningKind::File(crate::io::Warning::Truncated { missing_frames: None }),
        ];
        for kind in kinds {
            let stated = crate::report::with_sentence::WithSentence::from(Warning::of_mix(kind));
            let text = serde_json::to_string(&stated).expect("plain data");
            assert_eq!(
                serde_json::from_str::<crate::report::with_sentence::WithSentence<Warning>>(&text).expect(&text),
                stated
            );
        }
    }
}
