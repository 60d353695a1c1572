//! Single numbers for the colour of a sound, from mean powers per bin.

use crate::crossover::{BANDS, CROSSOVER_HZ};

/// Share of the power that lies below the roll-off.
const ROLLOFF_SHARE: f64 = 0.95;
/// Range over which flatness is measured, Hz.
const FLATNESS_HZ: [f64; 2] = [20.0, 20_000.0];

fn hz_per_bin(bins: &[f64], sample_rate_hz: u32) -> f64 {
    f64::from(sample_rate_hz) / (2.0 * (bins.len() - 1) as f64)
}

/// Mean frequency, weighted by amplitude.
pub(crate) fn centroid_hz(bins: &[f64], sample_rate_hz: u32) -> f64 {
    let (sum, weighted) = bins.iter().enumerate().fold((0.0, 0.0), |(sum, weighted), (bin, &power)| {
        let amplitude = libm::sqrt(power);
        (sum + amplitude, weighted + amplitude * bin as f64)
    });
    if sum > 0.0 { weighted / sum * hz_per_bin(bins, sample_rate_hz) } else { 0.0 }
}

/// Frequency below which 95 % of the power lies.
pub(crate) fn rolloff_hz(bins: &[f64], sample_rate_hz: u32) -> f64 {
    let wanted = ROLLOFF_SHARE * bins.iter().sum::<f64>();
    let mut sum = 0.0;
    let reached = bins.iter().position(|power| {
        sum += power;
        sum >= wanted
    });
    reached.unwrap_or(0) as f64 * hz_per_bin(bins, sample_rate_hz)
}

/// Geometric over arithmetic mean per band of the crossover; 0 for a band without power.
pub(crate) fn flatness_db(bins: &[f64], sample_rate_hz: u32) -> [f64; BANDS] {
    // A power far below the smallest audible one, so that empty bins do not decide alone.
    const FLOOR: f64 = 1e-18;
    let [low, middle, high] = CROSSOVER_HZ;
    let edges_hz = [FLATNESS_HZ[0], low, middle, high, FLATNESS_HZ[1]];
    let bin = |hz: f64| ((hz / hz_per_bin(bins, sample_rate_hz)) as usize).min(bins.len());
    std::array::from_fn(|band| {
        let part = &bins[bin(edges_hz[band])..bin(edges_hz[band + 1])];
        let count = part.len().max(1) as f64;
        let mean = part.iter().sum::<f64>() / count;
        let mean_log = part.iter().map(|&power| libm::log10(power.max(FLOOR))).sum::<f64>() / count;
        if mean > FLOOR { (10.0 * (mean_log - libm::log10(mean))).min(0.0) } else { 0.0 }
    })
}

#[cfg(test)]
mod tests {
    use crate::readings::SpectrumReading;
    use crate::spectrum::SpectrumMeter;
    use crate::stream::{Frame, Meter};
    use crate::synth::{pink_noise, silence, sine};

    fn reading(frames: &[Frame]) -> SpectrumReading {
        let mut meter = SpectrumMeter::new(44_100);
        meter.push(frames);
        meter.finish()
    }

    #[test]
    fn a_tone_has_its_own_frequency_as_centroid_and_roll_off() {
        let got = reading(&sine(44_100, 3000.0, -10.0, 2.0));
        assert!((got.centroid_hz - 3000.0).abs() < 30.0 && (got.rolloff_hz - 3000.0).abs() < 5.0, "{got:?}");
        assert!(got.flatness_db[2] < -30.0);
    }

    #[test]
    fn noise_is_flat_and_silence_has_no_colour() {
        let got = reading(&pink_noise(44_100, -20.0, 8.0, 3));
        assert!(got.flatness_db.iter().all(|&flatness| flatness > -2.0), "{:?}", got.flatness_db);
        let got = reading(&silence(44_100, 1.0));
        assert_eq!((got.centroid_hz, got.rolloff_hz, got.flatness_db), (0.0, 0.0, [0.0; 4]));
    }
}
