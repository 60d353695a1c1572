//! The promises, each checked by measuring the written file.

use std::fmt::{Display, Formatter, Result};

use analyzer::band_statistics::BandStatistics;
use analyzer::readings::LoudnessReading;
use analyzer::timeline::Timeline;
use analyzer::tone::Tone;
use renderer::recipe::DeliveryParams;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::io;
use crate::request::advice::Advice;
use crate::request::edges::LongFade;
use crate::request::settings::Strictness;

/// Tolerance for the promised loudness, LU.
pub const LOUDNESS_TOLERANCE_LU: f64 = 0.1;

/// Outcome of a promise, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Kept.
    Kept,
    /// Quieter than requested, because a limit was reached or more gain makes it no louder.
    Short,
    /// Not kept: a fault of this program or of the request.
    Broken,
}

impl Verdict {
    /// Returns the name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Short => "short",
            Self::Broken => "broken",
        }
    }
}

/// A promise, its outcome, and the measured figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Promise {
    /// The promise, with its figures.
    #[serde(flatten)]
    pub kind: PromiseKind,
    /// Its outcome.
    pub verdict: Verdict,
}

/// The promises made for every master.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", content = "values", rename_all = "snake_case")]
pub enum PromiseKind {
    /// The requested loudness.
    Loudness {
        /// The requested loudness, LUFS.
        wanted_lufs: f64,
        /// The measured loudness, LUFS; null if nothing is loud enough.
        measured_lufs: Option<f64>,
        /// The reason, if it is quieter than requested.
        shortfall: Option<Shortfall>,
    },
    /// The gain of a recipe, whatever loudness it leads to.
    RecipeGain {
        /// The measured loudness, LUFS; null if nothing is loud enough.
        measured_lufs: Option<f64>,
    },
    /// A true peak at or under the ceiling.
    TruePeak {
        /// The ceiling, dBTP.
        ceiling_dbtp: f64,
        /// The measured peak, dBTP.
        measured_dbtp: f64,
    },
    /// The length of the mix.
    Length {
        /// Length of the mix at the sample rate of the master, frames.
        expected_frames: u64,
        /// Length of the master, frames.
        written_frames: u64,
    },
    /// Valid numbers only.
    ValidSamples {
        /// Number of invalid samples.
        invalid: u64,
    },
}

/// Reason why a master is quieter than requested.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", content = "values", rename_all = "snake_case")]
pub enum Shortfall {
    /// The limiter reduces the gain by as much as allowed.
    LimitingAllowed {
        /// Largest gain reduction that may be exceeded 5 % of the time, dB.
        max_limiting_db: f64,
    },
    /// Single hits are lowered by as much as allowed.
    HitsAllowed {
        /// Largest allowed reduction of a single hit, dB.
        max_peak_limiting_db: f64,
    },
    /// No gain in front of the limiter comes closer.
    NoGain,
}

impl Shortfall {
    fn of(delivery: &DeliveryParams, [limiting_db, peak_limiting_db]: [f64; 2]) -> Self {
        let DeliveryParams { max_limiting_db, max_peak_limiting_db, .. } = *delivery;
        let is_near = |db: f64, limit: f64| db > limit - NEAR_LIMIT_DB;
        if is_near(limiting_db, max_limiting_db) {
            Self::LimitingAllowed { max_limiting_db }
        } else if is_near(peak_limiting_db, max_peak_limiting_db) {
            Self::HitsAllowed { max_peak_limiting_db }
        } else {
            Self::NoGain
        }
    }
}

/// The alternate form `{:#}` phrases advice for the page of `goldmaster ui`.
impl Display for Promise {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match &self.kind {
            PromiseKind::Loudness { measured_lufs: None, .. } => {
                f.write_str("Loudness: nothing is loud enough to measure")
            }
            PromiseKind::Loudness { wanted_lufs, measured_lufs: Some(lufs), shortfall } => {
                write!(f, "Loudness {lufs:.2} LUFS")?;
                match shortfall {
                    Some(shortfall) => {
                        write!(f, ", {:.1} LU quieter than asked: ", wanted_lufs - lufs)?;
                        shortfall.fmt(f)
                    }
                    None => write!(f, " (target {wanted_lufs:.2})"),
                }
            }
            PromiseKind::RecipeGain { measured_lufs } => {
                f.write_str("Gain as in the recipe")?;
                measured_lufs.map_or(Ok(()), |lufs| write!(f, ", which gives {lufs:.2} LUFS"))
            }
            PromiseKind::TruePeak { ceiling_dbtp, measured_dbtp } => {
                write!(f, "True peak {measured_dbtp:.2} dBTP (ceiling {ceiling_dbtp:.2})")
            }
            PromiseKind::Length { expected_frames, written_frames } if expected_frames == written_frames => {
                f.write_str("Same length as the mix")
            }
            PromiseKind::Length { expected_frames, written_frames } => {
                write!(f, "Length {written_frames} samples, the mix has {expected_frames}")
            }
            PromiseKind::ValidSamples { invalid: 0 } => f.write_str("No invalid samples"),
            PromiseKind::ValidSamples { invalid } => write!(f, "{invalid} invalid samples"),
        }
    }
}

impl Display for Shortfall {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Self::LimitingAllowed { max_limiting_db } => {
                write!(f, "the limiter may take {max_limiting_db:.1} dB at most; ")?;
                Advice::MoreLimiting.fmt(f)
            }
            Self::HitsAllowed { max_peak_limiting_db } => {
                write!(
                    f,
                    "single hits may be lowered by {max_peak_limiting_db:.1} dB at most; lower the loudest hits in the \
                     mix, or "
                )?;
                Advice::LowerHits.fmt(f)
            }
            Self::NoGain => f.write_str("more gain makes it no louder"),
        }
    }
}

impl Promise {
    /// Creates a promise that is either kept or broken.
    fn of(kind: PromiseKind, is_kept: bool) -> Self {
        Self { kind, verdict: if is_kept { Verdict::Kept } else { Verdict::Broken } }
    }
}

/// Measurements of a master, taken while it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Loudness.
    pub loudness: LoudnessReading,
    /// True peak, dBTP: at 16 points per sample or on the meters of delivery checks, whichever reads higher.
    pub true_peak_dbtp: f64,
    /// Gain reduction of the limiter that is exceeded 5 % of the time, dB.
    pub limiting_db: f64,
    /// Largest gain reduction of the limiter, dB.
    pub peak_limiting_db: f64,
    /// Length, frames.
    pub frames: u64,
    /// Number of samples that are not valid numbers.
    pub unreadable: u64,
    /// Peaks and loudness over time.
    pub timeline: Timeline,
    /// Dynamics and stereo image per band.
    pub bands: BandStatistics,
    /// Spectrum at some moments.
    pub tone: Tone,
}

/// Checks the promises of a master. `expected_frames` is the input's length at the output's rate. `is_aimed` is true if
/// the gain was solved for the loudness, and false if it was kept from a recipe for another song.
pub fn promises(delivery: &DeliveryParams, measured: &Measured, expected_frames: u64, is_aimed: bool) -> Vec<Promise> {
    let Measured { loudness, true_peak_dbtp, limiting_db, peak_limiting_db, frames, unreadable, .. } = measured;
    let measured_lufs = loudness.integrated_lufs;
    let (ceiling_dbtp, written_frames) = (delivery.ceiling_dbtp, *frames);
    vec![
        if is_aimed {
            loudness_promise(delivery, measured_lufs, [*limiting_db, *peak_limiting_db])
        } else {
            Promise::of(PromiseKind::RecipeGain { measured_lufs }, true)
        },
        Promise::of(
            PromiseKind::TruePeak { ceiling_dbtp, measured_dbtp: *true_peak_dbtp },
            *true_peak_dbtp <= ceiling_dbtp,
        ),
        Promise::of(PromiseKind::Length { expected_frames, written_frames }, written_frames == expected_frames),
        Promise::of(PromiseKind::ValidSamples { invalid: *unreadable }, *unreadable == 0),
    ]
}

/// Returns the first promise that makes a run of this strictness fail.
pub fn broken(promises: &[Promise], strictness: Strictness) -> Option<&Promise> {
    promises.iter().find(|promise| match promise.verdict {
        Verdict::Kept => false,
        Verdict::Short => strictness == Strictness::Shortfalls,
        Verdict::Broken => true,
    })
}

/// Returns why a mix with these faults is rejected under this strictness: it is damaged. `None` if it is accepted.
pub fn broken_mix(faults: &[io::Warning], strictness: Strictness) -> Option<String> {
    let damage = faults.iter().find(|fault| fault.is_damage());
    damage.filter(|_| strictness == Strictness::Shortfalls).map(|damage| format!("the mix is damaged: {damage}"))
}

/// Returns why a song with these fades is rejected under this strictness: one is longer than the song. `None` if it is
/// accepted.
pub fn broken_fade(fades: &[LongFade], strictness: Strictness) -> Option<String> {
    fades.first().filter(|_| strictness == Strictness::Shortfalls).map(|fade| format!("the {fade}"))
}

/// Limiting this close to its limit counts as the reason for missing loudness, dB.
const NEAR_LIMIT_DB: f64 = 0.5;

/// Checks the loudness. `limiting_db` holds the gain reduction that is exceeded 5 % of the time, and the largest.
fn loudness_promise(delivery: &DeliveryParams, measured_lufs: Option<f64>, limiting_db: [f64; 2]) -> Promise {
    let wanted_lufs = delivery.loudness_lufs;
    let verdict = match measured_lufs {
        Some(lufs) if (lufs - wanted_lufs).abs() <= LOUDNESS_TOLERANCE_LU => Verdict::Kept,
        Some(lufs) if lufs < wanted_lufs => Verdict::Short,
        _ => Verdict::Broken,
    };
    let shortfall = (verdict == Verdict::Short).then(|| Shortfall::of(delivery, limiting_db));
    Promise { kind: PromiseKind::Loudness { wanted_lufs, measured_lufs, shortfall }, verdict }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortfall_says_by_how_much_and_what_to_do() {
        let delivery = DeliveryParams { loudness_lufs: -8.0, ..DeliveryParams::default() };
        let promise = loudness_promise(&delivery, Some(-8.9), [delivery.max_limiting_db, 6.0]);
        assert_eq!(promise.verdict, Verdict::Short);
        let sentence = promise.to_string();
        assert!(sentence.starts_with("Loudness -8.90 LUFS, 0.9 LU quieter than asked: "), "{sentence}");
        assert!(sentence.ends_with("allow more with --max-limiting-db"), "{sentence}");
        let hits = loudness_promise(&delivery, Some(-8.9), [0.0, delivery.max_peak_limiting_db]);
        assert!(hits.to_string().contains("single hits"), "{hits}");
        assert_eq!(
            loudness_promise(&delivery, Some(-8.05), [0.0; 2]).to_string(),
            "Loudness -8.05 LUFS (target -8.00)"
        );
        assert_eq!(loudness_promise(&delivery, None, [0.0; 2]).verdict, Verdict::Broken);
    }
}
