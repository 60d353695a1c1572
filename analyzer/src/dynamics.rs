//! Dynamics: crest factor and level spread per band, and the peak to short-term loudness ratio of the whole.

use crate::bands::{BandHistory, PEAK_BLOCKS};
use crate::punch::Punch;
use crate::readings::{BandDynamics, DynamicsReading};
use crate::units::{db_from_gain, db_from_power, power_from_db};

/// Level relative to the band's mean below which a frame is a pause.
const PAUSE_DB: f64 = -20.0;
/// Blocks of the 10 ms grid in a frame of 100 ms, and in one of a second.
const BEAT_BLOCKS: usize = 10;
const SLOW_BLOCKS: usize = 100;
/// Steps of 100 ms in the 3 s over which peak and loudness are compared.
const SHORT_TERM_STEPS: usize = 30;
/// Short-term loudness up to which there is no ratio: the absolute gate of BS.1770.
const PSR_GATE_LUFS: f64 = -70.0;

/// Measures the dynamics of all bands and of the whole.
///
/// `short_term_lufs` and `peaks` hold one value per 100 ms; a loudness covers the 3 s that start with its peak.
pub(crate) fn dynamics(history: &BandHistory, short_term_lufs: &[f32], peaks: &[f32]) -> DynamicsReading {
    DynamicsReading {
        bands: std::array::from_fn(|band| band_dynamics(history, band)),
        psr_p10_p50_p95_lu: psr(short_term_lufs, peaks),
    }
}

/// Statistics of one band.
pub(crate) fn band_dynamics(history: &BandHistory, band: usize) -> BandDynamics {
    let [mid, side, _] = history.totals[band];
    let mean = (mid + side) / history.frames.max(1) as f64;
    let gate = mean * power_from_db(PAUSE_DB);
    let frames = |blocks: usize| -> Vec<f64> {
        // A partial frame at the end is left out, unless it is the only one.
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
    let (sounding, sum) =
        frames(PEAK_BLOCKS).into_iter().filter(|&p| p > gate).fold((0.0, 0.0), |(n, s), p| (n + 1.0, s + p));
    BandDynamics {
        level_db,
        sounding_db: if sounding > 0.0 { db_from_power(sum / sounding) } else { level_db },
        crest_db: percentile(&peaks, 0.95).map_or(0.0, |peak| db_from_gain(f64::from(peak)) - level_db),
        spread_10ms_db: spread(1),
        spread_100ms_db: spread(BEAT_BLOCKS),
        spread_1s_db: spread(SLOW_BLOCKS),
        mid: Punch::of(&history.mid.iter().map(|moments| moments[band]).collect::<Vec<_>>()),
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

/// Returns the value at the rank `share`, 0 to 1, of sorted values.
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

#[cfg(test)]
mod tests {
    use crate::analyze::Analyzer;
    use crate::readings::DynamicsReading;
    use crate::stream::{Frame, Meter};
    use crate::synth::{pink_noise, silence, sine};
    use crate::units::gain_from_db;

    fn reading(frames: &[Frame]) -> DynamicsReading {
        let mut analyzer = Analyzer::new(44_100, 2);
        analyzer.push(frames);
        analyzer.finish().dynamics
    }

    #[test]
    fn a_steady_sine_has_its_crest_and_no_spread() {
        for (band, hz) in [(0, 50.0), (1, 400.0), (2, 2500.0), (3, 14_000.0)] {
            let got = reading(&sine(44_100, hz, -12.0, 6.0)).bands[band];
            assert!((got.level_db + 15.01).abs() < 0.5, "{hz} Hz: {got:?}");
            assert!((got.crest_db - 3.01).abs() < 0.1, "{hz} Hz: {got:?}");
            assert!(got.spread_100ms_db < 0.5 && got.spread_1s_db < 0.5, "{hz} Hz: {got:?}");
        }
    }

    #[test]
    fn spread_shows_how_fast_levels_move() {
        // Steps of ±5 dB, each lasting a second: all spreads see them. At 10 Hz, a second averages them out.
        let swing = |period: usize| {
            let mut tone = sine(44_100, 2500.0, -20.0, 8.0);
            for (i, part) in tone.chunks_mut(period).enumerate() {
                let gain = gain_from_db(if i % 2 == 0 { 5.0 } else { -5.0 }) as f32;
                part.iter_mut().flatten().for_each(|x| *x *= gain);
            }
            reading(&tone).bands[2]
        };
        let (slow, fast) = (swing(44_100), swing(2205));
        assert!((slow.spread_10ms_db - 5.0).abs() < 0.3 && (slow.spread_1s_db - 5.0).abs() < 0.5, "{slow:?}");
        assert!((fast.spread_10ms_db - 5.0).abs() < 0.5 && fast.spread_1s_db < 0.5, "{fast:?}");
    }

    #[test]
    fn pauses_do_not_count() {
        let sound = pink_noise(44_100, -20.0, 8.0, 8);
        let mut with_pause = sound.clone();
        with_pause.extend(silence(44_100, 4.0));
        // A band rings on for a frame or two after the pause begins. The pauses themselves would spread by 40 dB.
        for (a, b) in reading(&sound).bands.iter().zip(reading(&with_pause).bands) {
            assert!((a.spread_10ms_db - b.spread_10ms_db).abs() < 1.5, "{a:?} {b:?}");
        }
        assert!(
            reading(&sound)
                .bands
                .iter()
                .zip(reading(&with_pause).bands)
                .all(|(a, b)| (a.sounding_db - b.sounding_db).abs() < 0.1)
        );
    }

    #[test]
    fn peak_to_short_term_ratio_of_a_sine_is_its_crest() {
        // Two channels at −18 dBFS read −18 LUFS (Tech 3341, 2.9) at 1 kHz.
        let got = reading(&sine(44_100, 1000.0, -18.0, 4.0)).psr_p10_p50_p95_lu;
        assert!(got.iter().all(|psr| psr.abs() < 0.05), "{got:?}");
        assert_eq!(reading(&silence(44_100, 5.0)).psr_p10_p50_p95_lu, [0.0; 3]);
    }
}
