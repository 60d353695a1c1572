//! How levels move: crest and spread per band, peak to short-term loudness of the whole.

use crate::bands::{BandHistory, PEAK_BLOCKS};
use crate::profile::{BandDynamics, DynamicsReading};
use crate::units::{db_from_gain, db_from_power, power_from_db};

/// Frames this far under the band's mean are pauses.
const PAUSE_DB: f64 = -20.0;
/// Blocks of the 10 ms grid in a frame of 400 ms.
const SLOW_BLOCKS: usize = 40;
/// Peaks and loudness of the same 3 s are compared every 100 ms.
const SHORT_TERM_STEPS: usize = 30;
/// Short-term loudness below this has no ratio: the absolute gate of BS.1770.
const PSR_GATE_LUFS: f64 = -70.0;

/// Reads the dynamics of all bands and the whole.
///
/// `short_term_lufs` and `peaks` hold one value per 100 ms; a loudness covers the 3 s that start with its peak.
pub(crate) fn dynamics(history: &BandHistory, short_term_lufs: &[f32], peaks: &[f32]) -> DynamicsReading {
    DynamicsReading {
        bands: std::array::from_fn(|band| band_dynamics(history, band)),
        psr_p10_p50_p95_lu: psr(short_term_lufs, peaks),
    }
}

fn band_dynamics(history: &BandHistory, band: usize) -> BandDynamics {
    let [left, right, _] = history.totals[band];
    let mean = (left + right) / (2.0 * history.frames.max(1) as f64);
    let gate = mean * power_from_db(PAUSE_DB);
    let frames = |blocks: usize| -> Vec<f64> {
        // A remainder is left out, unless it is all there is.
        let whole = (history.powers.len() / blocks * blocks).max(history.powers.len().min(blocks));
        history.powers[..whole]
            .chunks(blocks)
            .map(|chunk| chunk.iter().map(|powers| f64::from(powers[band])).sum::<f64>() / chunk.len() as f64)
            .collect()
    };
    let level_db = db_from_power(mean);
    let mut peaks: Vec<f32> = frames(PEAK_BLOCKS)
        .into_iter()
        .zip(&history.peaks)
        .filter(|&(power, _)| power > gate)
        .map(|(_, peaks)| peaks[band])
        .collect();
    peaks.sort_unstable_by(f32::total_cmp);
    let spread = |blocks| standard_deviation(frames(blocks).into_iter().filter(|&p| p > gate).map(db_from_power));
    BandDynamics {
        level_db,
        crest_db: percentile(&peaks, 0.95).map_or(0.0, |peak| db_from_gain(f64::from(peak)) - level_db),
        spread_10ms_db: spread(1),
        spread_50ms_db: spread(PEAK_BLOCKS),
        spread_400ms_db: spread(SLOW_BLOCKS),
    }
}

fn psr(short_term_lufs: &[f32], peaks: &[f32]) -> [f64; 3] {
    let mut ratios: Vec<f32> = short_term_lufs
        .iter()
        .zip(peaks.windows(SHORT_TERM_STEPS))
        .filter(|&(&loudness, _)| f64::from(loudness) > PSR_GATE_LUFS)
        .map(|(&loudness, peaks)| {
            let peak = peaks.iter().copied().fold(0.0, f32::max);
            db_from_gain(f64::from(peak)) as f32 - loudness
        })
        .collect();
    ratios.sort_unstable_by(f32::total_cmp);
    [0.10, 0.50, 0.95].map(|share| percentile(&ratios, share).map_or(0.0, f64::from))
}

/// Value at a rank of sorted values.
fn percentile(sorted: &[f32], share: f64) -> Option<f32> {
    let last = sorted.len().checked_sub(1)?;
    Some(sorted[libm::round(last as f64 * share) as usize])
}

fn standard_deviation(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        sum += value;
        squares += value * value;
    }
    if count < 2.0 { 0.0 } else { libm::sqrt((squares / count - (sum / count) * (sum / count)).max(0.0)) }
}
