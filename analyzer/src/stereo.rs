//! The stereo image: width and correlation per band, balance, loss in mono.

use crate::bands::BandHistory;
use crate::profile::StereoReading;

/// Side over mid is reported within these, dB.
const WIDTH_DB: [f64; 2] = [-60.0, 20.0];
/// A balance beyond this is one channel alone, dB.
const BALANCE_LIMIT_DB: f64 = 60.0;
/// Mean power below which a band is silent: −120 dBFS.
const SILENCE_POWER: f64 = 1e-12;

/// Reads the image. `weighted` holds the K-weighted sums of L², R² and L·R.
pub(crate) fn stereo(history: &BandHistory, weighted: [f64; 3]) -> StereoReading {
    let silence = SILENCE_POWER * history.frames.max(1) as f64;
    let [left, right] = history.squares;
    StereoReading {
        width_db: history.totals.map(|sums| width_db(sums, silence)),
        correlation: history.totals.map(|sums| correlation(sums, silence)),
        balance_db: if left + right > silence {
            ratio_db(left, right).clamp(-BALANCE_LIMIT_DB, BALANCE_LIMIT_DB)
        } else {
            0.0
        },
        mono_loss_lu: {
            let [left, right, product] = weighted;
            let mid = (left + right + 2.0 * product) / 4.0;
            if left + right > silence { ratio_db(left + right, 2.0 * mid).clamp(0.0, BALANCE_LIMIT_DB) } else { 0.0 }
        },
    }
}

/// 10·log10(a / b), large but finite where either is 0.
fn ratio_db(a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-30;
    10.0 * libm::log10((a + TINY) / (b.max(0.0) + TINY))
}

/// Side over mid; silence has no width.
fn width_db([left, right, product]: [f64; 3], silence: f64) -> f64 {
    if left + right <= silence {
        return WIDTH_DB[0];
    }
    let (mid, side) = (left + right + 2.0 * product, left + right - 2.0 * product);
    ratio_db(side.max(0.0), mid).clamp(WIDTH_DB[0], WIDTH_DB[1])
}

fn correlation([left, right, product]: [f64; 3], silence: f64) -> f64 {
    if left + right <= silence {
        return 1.0;
    }
    if left.min(right) <= silence {
        return 0.0;
    }
    (product / libm::sqrt(left * right)).clamp(-1.0, 1.0)
}
