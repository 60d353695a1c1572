//! Sounds for tests and demonstrations: the same bits for the same arguments, everywhere.

mod demo;
mod instruments;

use std::f64::consts::TAU;

pub use demo::{demo_mix, demo_record};

use self::instruments::frames;
use crate::random::Random;
use crate::stream::Frame;
use crate::units::gain_from_db;

/// A sine in both channels; `peak_dbfs` is its crest, as the EBU's test signals state it.
pub fn sine(sample_rate_hz: u32, hz: f64, peak_dbfs: f64, seconds: f64) -> Vec<Frame> {
    let (gain, turn) = (gain_from_db(peak_dbfs), TAU * hz / f64::from(sample_rate_hz));
    (0..frames(sample_rate_hz, seconds)).map(|n| [(gain * libm::sin(turn * n as f64)) as f32; 2]).collect()
}

/// Digital silence.
pub fn silence(sample_rate_hz: u32, seconds: f64) -> Vec<Frame> {
    vec![[0.0; 2]; frames(sample_rate_hz, seconds)]
}

/// Pink noise, independent in both channels: −3 dB per octave within 0.5 dB from 20 Hz to 20 kHz.
pub fn pink_noise(sample_rate_hz: u32, rms_dbfs: f64, seconds: f64, seed: u64) -> Vec<Frame> {
    // Each section falls by 6 dB between its pole and its zero and is flat over the next octave.
    let poles_hz = [10.0, 40.0, 160.0, 640.0, 2560.0, 10_240.0];
    let place = |hz: f64| libm::exp(-TAU * hz / f64::from(sample_rate_hz));
    let sections = poles_hz.map(|hz| (place(hz), place(2.0 * hz)));
    let mut random = Random::new(seed);
    let mut memory = [[[0.0; 2]; 6]; 2];
    let noise: Vec<[f64; 2]> = (0..frames(sample_rate_hz, seconds))
        .map(|_| {
            std::array::from_fn(|channel| {
                let mut x = random.bipolar();
                for ((pole, zero), [x1, y1]) in sections.into_iter().zip(&mut memory[channel]) {
                    let y = x - zero * *x1 + pole * *y1;
                    (*x1, *y1) = (x, y);
                    x = y;
                }
                x
            })
        })
        .collect();
    let power = noise.iter().flatten().map(|x| x * x).sum::<f64>() / (2 * noise.len()).max(1) as f64;
    let gain = gain_from_db(rms_dbfs) / libm::sqrt(power).max(1e-12);
    noise.into_iter().map(|frame| frame.map(|x| (x * gain) as f32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::Analyzer;
    use crate::profile::Profile;
    use crate::spectrum_bands::band_centre_hz;
    use crate::stream::Meter;

    fn profile(frames: &[Frame]) -> Profile {
        let mut analyzer = Analyzer::new(44_100, 2);
        analyzer.push(frames);
        analyzer.finish()
    }

    #[test]
    fn pink_noise_has_equal_power_per_octave() {
        let spectrum = profile(&pink_noise(44_100, -20.0, 20.0, 3)).spectrum.mid;
        let levels: Vec<f64> = (4..39).filter(|&b| band_centre_hz(b) < 16_000.0).map(|b| spectrum.mean_db[b]).collect();
        let mean = levels.iter().sum::<f64>() / levels.len() as f64;
        assert!(levels.iter().all(|level| (level - mean).abs() < 1.0), "{levels:?}");
    }

    #[test]
    fn demo_mix_has_the_faults_it_claims() {
        let song = demo_mix(44_100, 24.0);
        assert_eq!(song.len(), 24 * 44_100);
        let song = profile(&song);
        let loudness = song.loudness.integrated_lufs.unwrap();
        assert!((loudness + 24.0).abs() < 0.05, "{loudness} LUFS");
        assert!(song.peak.true_peak_dbtp < -3.0);
        assert!(song.spectrum.tilt_db_per_octave < -4.0, "dull: {}", song.spectrum.tilt_db_per_octave);
        assert!(song.stereo.width_db[1] < -15.0, "narrow: {:?}", song.stereo.width_db);
        assert!(song.loudness.range_lu > 2.0, "an arrangement: {} LU", song.loudness.range_lu);
        assert!(song.defects.is_empty(), "{:?}", song.defects);
    }

    #[test]
    fn demo_mix_is_the_same_every_time_and_at_any_length() {
        assert_eq!(demo_mix(44_100, 3.0), demo_mix(44_100, 3.0));
        for (rate, seconds) in [(8000, 0.0), (8000, 0.1), (192_000, 0.5), (48_000, 7.3)] {
            assert_eq!(demo_mix(rate, seconds).len(), frames(rate, seconds));
        }
    }
}
