//! The stereo image: width and correlation per band, balance, loss in mono.

use crate::bands::BandHistory;
use crate::crossover::BANDS;
use crate::readings::StereoReading;

/// Limits of the reported level of side over mid, dB.
const WIDTH_DB: [f64; 2] = [-60.0, 20.0];
/// Limit of the balance, dB: beyond it, one channel is alone.
const BALANCE_LIMIT_DB: f64 = 60.0;
/// Mean power below which a band is silent: −120 dBFS.
const SILENCE_POWER: f64 = 1e-12;

/// Measures the stereo image. `squares` holds the sums of L² and R², `weighted` the K-weighted sums of L², R² and L·R.
pub(crate) fn stereo(history: &BandHistory, squares: [f64; 2], weighted: [f64; 3]) -> StereoReading {
    let silence = silence(history);
    StereoReading {
        width_db: band_width_db(history),
        correlation: band_correlation(history),
        balance_db: balance_db(squares, silence),
        band_balance_db: history.totals.map(|sums| balance_db(channels(sums), silence)),
        mono_loss_lu: {
            let [left, right, product] = weighted;
            let mid = (left + right + 2.0 * product) / 4.0;
            if left + right > silence { ratio_db(left + right, 2.0 * mid).clamp(0.0, BALANCE_LIMIT_DB) } else { 0.0 }
        },
    }
}

/// Energy under which a band is silent.
fn silence(history: &BandHistory) -> f64 {
    SILENCE_POWER * history.frames.max(1) as f64
}

/// Level of side over mid per band, dB.
pub(crate) fn band_width_db(history: &BandHistory) -> [f64; BANDS] {
    history.totals.map(|sums| width_db(sums, silence(history)))
}

/// Correlation of left and right per band.
pub(crate) fn band_correlation(history: &BandHistory) -> [f64; BANDS] {
    history.totals.map(|sums| correlation(sums, silence(history)))
}

/// Level of left over right, dB; 0 for silence.
fn balance_db([left, right]: [f64; 2], silence: f64) -> f64 {
    if left + right > silence { ratio_db(left, right).clamp(-BALANCE_LIMIT_DB, BALANCE_LIMIT_DB) } else { 0.0 }
}

/// Energies of left and right: L = M + S, R = M − S.
fn channels([mid, side, product]: [f64; 3]) -> [f64; 2] {
    [1.0, -1.0].map(|sign| (mid + side + 2.0 * sign * product).max(0.0))
}

/// 10·log10(a / b), large but finite where either is 0.
fn ratio_db(a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-30;
    10.0 * libm::log10((a + TINY) / (b.max(0.0) + TINY))
}

/// Level of side over mid, dB; the lower limit for silence.
fn width_db([mid, side, _]: [f64; 3], silence: f64) -> f64 {
    if mid + side <= silence {
        return WIDTH_DB[0];
    }
    ratio_db(side, mid).clamp(WIDTH_DB[0], WIDTH_DB[1])
}

fn correlation(sums: [f64; 3], silence: f64) -> f64 {
    let [mid, side, _] = sums;
    if mid + side <= silence {
        return 1.0;
    }
    let [left, right] = channels(sums);
    if left.min(right) <= silence {
        return 0.0;
    }
    ((mid - side) / libm::sqrt(left * right)).clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use crate::analyze::Analyzer;
    use crate::readings::StereoReading;
    use crate::stream::{Frame, Meter};
    use crate::synth::{pink_noise, silence};
    use crate::units::gain_from_db;

    fn reading(frames: impl IntoIterator<Item = Frame>) -> StereoReading {
        let frames: Vec<Frame> = frames.into_iter().collect();
        let mut analyzer = Analyzer::new(44_100, 2);
        analyzer.push(&frames);
        analyzer.finish().stereo
    }

    fn noise() -> Vec<Frame> {
        pink_noise(44_100, -20.0, 8.0, 12)
    }

    #[test]
    fn equal_channels_have_no_width_and_lose_nothing_in_mono() {
        let got = reading(noise().into_iter().map(|[l, _]| [l, l]));
        assert_eq!(got.width_db, [-60.0; 4]);
        assert!(got.correlation.iter().all(|c| (c - 1.0).abs() < 1e-9));
        assert!(got.balance_db.abs() < 1e-9 && got.mono_loss_lu.abs() < 1e-9);
    }

    #[test]
    fn independent_channels_are_as_wide_as_they_are_deep() {
        let got = reading(noise());
        // Narrow bands hold few independent samples.
        assert!(got.width_db.iter().all(|w| w.abs() < 1.5), "{got:?}");
        assert!(got.correlation[1..].iter().all(|c| c.abs() < 0.1), "{got:?}");
        assert!((got.mono_loss_lu - 3.01).abs() < 0.2, "{got:?}");
    }

    #[test]
    fn opposite_channels_vanish_in_mono() {
        let got = reading(noise().into_iter().map(|[l, _]| [l, -l]));
        assert_eq!(got.width_db, [20.0; 4]);
        assert!(got.correlation.iter().all(|c| (c + 1.0).abs() < 1e-9));
        assert_eq!(got.mono_loss_lu, 60.0);
    }

    #[test]
    fn balance_is_left_over_right() {
        let quieter = gain_from_db(-3.0) as f32;
        let got = reading(noise().into_iter().map(|[l, _]| [l, quieter * l]));
        assert!((got.balance_db - 3.0).abs() < 1e-3);
        assert!(got.band_balance_db.iter().all(|balance| (balance - 3.0).abs() < 1e-3), "{got:?}");
        let right = reading(noise().into_iter().map(|[l, _]| [0.0, l]));
        assert_eq!((right.balance_db, right.band_balance_db), (-60.0, [-60.0; 4]));
    }

    #[test]
    fn silence_is_mono_and_in_balance() {
        let got = reading(silence(44_100, 2.0));
        assert_eq!((got.correlation, got.width_db), ([1.0; 4], [-60.0; 4]));
        assert_eq!((got.balance_db, got.band_balance_db, got.mono_loss_lu), (0.0, [0.0; 4], 0.0));
    }
}
