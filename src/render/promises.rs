//! The promises, each checked on what is written.

use analyzer::readings::LoudnessReading;
use analyzer::timeline::Timeline;
use analyzer::tone::Tone;
use renderer::recipe::DeliveryParams;
use serde::Serialize;

use crate::request::settings::Strictness;

/// Loudness is kept within this, LU.
pub const LOUDNESS_TOLERANCE_LU: f64 = 0.1;

/// How a promise came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Kept.
    Kept,
    /// Less than was asked for, for a reason that was asked for as well.
    Short,
    /// Not kept: a fault of this program or of the request.
    Broken,
}

/// One promise and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Promise {
    /// What was promised.
    pub name: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// The measured figure in words.
    pub measured: String,
}

/// What was measured of a master while it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Loudness.
    pub loudness: LoudnessReading,
    /// Peak at 16 points per sample or on the meters of deliveries, whichever reads higher, dBTP.
    pub true_peak_dbtp: f64,
    /// Gain reduction of the limiter that was exceeded a twentieth of the time, dB.
    pub limiting_db: f64,
    /// Largest gain reduction of the limiter, dB.
    pub peak_limiting_db: f64,
    /// Frames.
    pub frames: u64,
    /// Samples that are no numbers.
    pub unreadable: u64,
    /// How it goes in time.
    pub timeline: Timeline,
    /// Spectrum and stereo image at some moments, where they are to be shown.
    pub tone: Option<Tone>,
}

/// Checks a master. `expected_frames` is the input's length, at the output's rate; `is_aimed` whether its loudness was
/// solved, and not left as a recipe for another song has it.
pub fn promises(delivery: &DeliveryParams, measured: &Measured, expected_frames: u64, is_aimed: bool) -> Vec<Promise> {
    let Measured { loudness, true_peak_dbtp, limiting_db, peak_limiting_db, frames, unreadable, .. } = measured;
    let kept = |kept: bool| if kept { Verdict::Kept } else { Verdict::Broken };
    let loudness = match loudness.integrated_lufs {
        lufs if is_aimed => loudness_promise(delivery, lufs, [*limiting_db, *peak_limiting_db]),
        lufs => Promise {
            name: "gain as the recipe has it",
            verdict: Verdict::Kept,
            measured: format!("{:.2} LUFS, not aimed at", lufs.unwrap_or(f64::NEG_INFINITY)),
        },
    };
    vec![
        loudness,
        Promise {
            name: "true peak at or under the ceiling",
            verdict: kept(*true_peak_dbtp <= delivery.ceiling_dbtp),
            measured: format!("{true_peak_dbtp:.2} dBTP, ceiling {:.2}", delivery.ceiling_dbtp),
        },
        Promise {
            name: "same length as the mix",
            verdict: kept(*frames == expected_frames),
            measured: format!("{frames} frames"),
        },
        Promise {
            name: "no invalid samples",
            verdict: kept(*unreadable == 0),
            measured: format!("{unreadable} found"),
        },
    ]
}

/// The first promise that makes a run of this strictness fail.
pub fn broken(promises: &[Promise], strictness: Strictness) -> Option<&Promise> {
    promises.iter().find(|promise| match promise.verdict {
        Verdict::Kept => false,
        Verdict::Short => strictness == Strictness::Shortfalls,
        Verdict::Broken => true,
    })
}

fn loudness_promise(delivery: &DeliveryParams, lufs: Option<f64>, limiting_db: [f64; 2]) -> Promise {
    let wanted = delivery.loudness_lufs;
    let (verdict, measured) = match lufs {
        None => (Verdict::Broken, "nothing loud enough to measure".to_string()),
        Some(lufs) if (lufs - wanted).abs() <= LOUDNESS_TOLERANCE_LU => {
            (Verdict::Kept, format!("{lufs:.2} LUFS, wanted {wanted:.2}"))
        }
        Some(lufs) if lufs < wanted => (
            Verdict::Short,
            format!(
                "{lufs:.2} LUFS, {:.1} LU quieter than {wanted:.2}: {}",
                wanted - lufs,
                shortfall(delivery, limiting_db)
            ),
        ),
        Some(lufs) => (Verdict::Broken, format!("{lufs:.2} LUFS, wanted {wanted:.2}")),
    };
    Promise { name: "loudness within 0.1 LU of the target", verdict, measured }
}

/// Why a master is quieter than it was asked to be. `limiting_db`: what a twentieth of the time exceeds, and the largest.
fn shortfall(delivery: &DeliveryParams, [limiting_db, peak_limiting_db]: [f64; 2]) -> String {
    let DeliveryParams { max_limiting_db, max_peak_limiting_db, .. } = delivery;
    if peak_limiting_db > max_peak_limiting_db - NEAR_LIMIT_DB && limiting_db < max_limiting_db - NEAR_LIMIT_DB {
        format!(
            "stopped where single hits are lowered by {max_peak_limiting_db:.1} dB; lower the loudest hits in the mix, or \
             allow more with --set delivery.max_peak_limiting_db=.."
        )
    } else if limiting_db > max_limiting_db - NEAR_LIMIT_DB {
        format!("stopped at {max_limiting_db:.1} dB of limiting; allow more with --max-limiting-db")
    } else {
        "no gain in front of the limiter comes closer".to_string()
    }
}

/// Limiting this close under what is allowed is why there is no more, dB.
const NEAR_LIMIT_DB: f64 = 0.5;
