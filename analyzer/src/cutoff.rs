//! Finds the frequency above which a lossy codec or a lower sample rate has cut off the highs.

/// Resolution of the search for a cutoff, Hz.
const CUTOFF_STEP_HZ: f64 = 100.0;
/// Lowest cutoff that is searched for, Hz; at low sample rates 0.6 of Nyquist.
const CUTOFF_FROM_HZ: f64 = 10_000.0;
/// Smallest drop of the level at a cutoff, dB.
const CUTOFF_DROP_DB: f64 = 18.0;
/// Width of the drop, in steps. Analogue filters of 24 dB per octave fall by 2 dB within it.
const CUTOFF_EDGE_STEPS: usize = 6;
/// Steps on either side of an edge over which levels are compared.
const CUTOFF_SIDE_STEPS: usize = 8;
/// Level of the sound below an edge, dBFS per step, under which a cutoff cannot be distinguished from a filter close to
/// Nyquist.
const CUTOFF_QUIETEST_DB: f64 = -110.0;
/// Above a cutoff, no level comes within this distance of the level below it, dB.
const CUTOFF_RETURN_DB: f64 = 12.0;

/// Returns the frequency of the steepest drop above which no sound returns; Nyquist if there is none.
///
/// Levels are medians over bins, so that single tones neither make nor hide an edge.
pub(crate) fn cutoff_hz(bin_powers: &[f64], sample_rate_hz: u32) -> f64 {
    let nyquist = f64::from(sample_rate_hz) / 2.0;
    let hz_per_bin = nyquist / (bin_powers.len() - 1) as f64;
    let first_hz = CUTOFF_FROM_HZ.min(0.6 * nyquist) - CUTOFF_STEP_HZ * CUTOFF_SIDE_STEPS as f64;
    let steps = ((nyquist - first_hz) / CUTOFF_STEP_HZ) as usize;
    let levels: Vec<f64> = (0..steps)
        .map(|step| {
            let from = first_hz + step as f64 * CUTOFF_STEP_HZ;
            let bins = (from / hz_per_bin) as usize..((from + CUTOFF_STEP_HZ) / hz_per_bin) as usize;
            10.0 * libm::log10(rank(&bin_powers[bins], 0.5).max(1e-18) * CUTOFF_STEP_HZ / hz_per_bin)
        })
        .collect();
    let mut best = (CUTOFF_DROP_DB, nyquist);
    for edge in CUTOFF_SIDE_STEPS..levels.len().saturating_sub(CUTOFF_EDGE_STEPS) {
        let (below, above) = (&levels[edge - CUTOFF_SIDE_STEPS..edge], &levels[edge + CUTOFF_EDGE_STEPS..]);
        // The lower quartile, so that the edge itself does not count as the sound below it.
        let below_db = rank(below, 0.25);
        let near_db = rank(&above[..above.len().min(CUTOFF_SIDE_STEPS)], 0.5);
        let drop_db = below_db - near_db;
        let returns = above.iter().any(|&level| level > below_db - CUTOFF_RETURN_DB);
        if drop_db > best.0 && below_db > CUTOFF_QUIETEST_DB && !returns {
            // The edge lies where the level first leaves that of the sound below.
            let fallen = levels[edge..].iter().position(|&level| level < below_db - CUTOFF_RETURN_DB).unwrap_or(0);
            best = (drop_db, first_hz + (edge + fallen) as f64 * CUTOFF_STEP_HZ);
        }
    }
    best.1.min(nyquist)
}

/// Returns the value at the rank `share`, 0 to 1; 0 if there are no values.
fn rank(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use crate::readings::SpectrumReading;
    use crate::spectrum::SpectrumMeter;
    use crate::stream::{Frame, Meter};
    use crate::synth::{pink_noise, silence, sine};

    fn reading(frames: &[Frame], rate: u32) -> SpectrumReading {
        let mut meter = SpectrumMeter::new(rate);
        meter.push(frames);
        meter.finish()
    }

    /// Removes everything above `hz`, as steeply as an encoder does.
    fn without_highs(frames: &[Frame], rate: u32, hz: f64) -> Vec<Frame> {
        let (taps, turn) = (511, 2.0 * hz / f64::from(rate));
        let h: Vec<f64> = (0..taps)
            .map(|n| {
                let t = n as f64 - (taps / 2) as f64;
                let x = std::f64::consts::PI * t * turn;
                let window = 0.5 + 0.5 * libm::cos(std::f64::consts::TAU * t / taps as f64);
                window * turn * if x == 0.0 { 1.0 } else { libm::sin(x) / x }
            })
            .collect();
        let at = |n: usize, c| h.iter().zip(&frames[n..]).map(|(h, x)| h * f64::from(x[c])).sum::<f64>() as f32;
        (0..frames.len() - taps).map(|n| [at(n, 0), at(n, 1)]).collect()
    }

    #[test]
    fn a_codec_cutoff_is_found_and_dull_music_has_none() {
        let rate = 44_100;
        let noise = pink_noise(rate, -20.0, 2.0, 6);
        for hz in [11_000.0, 16_000.0, 19_000.0] {
            let got = reading(&without_highs(&noise, rate, hz), rate).cutoff_hz;
            assert!((got - hz).abs() < 300.0, "{got}, not {hz}");
        }
        assert_eq!(reading(&noise, rate).cutoff_hz, 22_050.0);
        let mut dull = noise.clone();
        for hz in [3000.0, 6000.0] {
            let mut filter = crate::biquad::Biquad::new(crate::biquad::BiquadCoefs::low_pass(hz, rate));
            dull.iter_mut().for_each(|x| *x = filter.next(x.map(f64::from)).map(|v| v as f32));
        }
        assert_eq!(reading(&dull, rate).cutoff_hz, 22_050.0);
        assert_eq!(reading(&sine(rate, 12_000.0, -6.0, 2.0), rate).cutoff_hz, 22_050.0);
        assert_eq!(reading(&silence(rate, 2.0), rate).cutoff_hz, 22_050.0);
    }
}
