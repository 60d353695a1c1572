//! Mains hum: steady lines at 50 or 60 Hz and their multiples.

use crate::stft::window_frames;
use crate::units::db_from_power;

/// Frequencies of the mains, Hz.
const MAINS_HZ: [f64; 2] = [50.0, 60.0];
/// Number of multiples that are measured.
const HARMONICS: usize = 6;
/// Smallest level of a line over its surroundings in nine windows out of ten, dB.
const PROMINENCE_DB: f64 = 8.0;
/// Largest level difference between the 25th and the 75th percentile of a line, dB; notes vary more.
const STEADY_DB: f64 = 2.0;
/// Smallest number of lines that counts as hum: a single line can be a drone.
const LINES: usize = 2;
/// Smallest number of windows for a detection, about 4 s.
const WINDOWS: usize = 20;

/// Power of a line, and the mean power per bin around it.
type Line = [f32; 2];

/// The lines of every window.
pub(crate) struct HumLines {
    bins_per_hz: f64,
    windows: Vec<[[Line; HARMONICS]; 2]>,
}

/// Detected hum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hum {
    /// Mains frequency, 50 or 60 Hz.
    pub mains_hz: f64,
    /// Level of all its lines together.
    pub level_dbfs: f64,
}

impl HumLines {
    pub fn new(sample_rate_hz: u32) -> Self {
        let bins_per_hz = window_frames(sample_rate_hz) as f64 / f64::from(sample_rate_hz);
        Self { bins_per_hz, windows: Vec::new() }
    }

    /// Takes the bin powers of mid and side of a window that is not silent.
    pub fn note(&mut self, [mid, side]: [&[f32]; 2]) {
        let sum = |bins: std::ops::RangeInclusive<usize>| -> f32 { bins.map(|bin| mid[bin] + side[bin]).sum() };
        self.windows.push(MAINS_HZ.map(|mains| {
            std::array::from_fn(|harmonic| {
                let bin = libm::round(mains * (harmonic + 1) as f64 * self.bins_per_hz) as usize;
                // A Hann window's main lobe covers two bins to either side.
                [sum(bin - 1..=bin + 1), (sum(bin - 7..=bin - 4) + sum(bin + 4..=bin + 7)) / 8.0]
            })
        }));
    }

    /// The stronger hum, if there is any.
    pub fn finish(&self) -> Option<Hum> {
        if self.windows.len() < WINDOWS {
            return None;
        }
        (0..MAINS_HZ.len())
            .filter_map(|mains| {
                let levels: Vec<f64> = (0..HARMONICS).filter_map(|h| self.steady_power(mains, h)).collect();
                let level_dbfs = db_from_power(levels.iter().sum());
                (levels.len() >= LINES).then_some(Hum { mains_hz: MAINS_HZ[mains], level_dbfs })
            })
            .max_by(|a, b| a.level_dbfs.total_cmp(&b.level_dbfs))
    }

    /// Median power of a line, if it is steady over the whole song.
    fn steady_power(&self, mains: usize, harmonic: usize) -> Option<f64> {
        let lines = || self.windows.iter().map(|window| window[mains][harmonic].map(f64::from));
        let sorted = |values: &mut dyn Iterator<Item = f64>| {
            let mut values: Vec<f64> = values.collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let prominence = sorted(&mut lines().map(|[line, around]| db_from_power(line / around.max(1e-20))));
        let levels = sorted(&mut lines().map(|[line, _]| line));
        let at = |values: &[f64], share: f64| values[(values.len() as f64 * share) as usize];
        let spread_db = db_from_power(at(&levels, 0.75)) - db_from_power(at(&levels, 0.25));
        (at(&prominence, 0.1) > PROMINENCE_DB && spread_db < STEADY_DB).then(|| at(&levels, 0.5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spectrum::SpectrumMeter;
    use crate::stream::{Frame, Meter};
    use crate::synth::{demo_mix, pink_noise, sine};

    fn hum(frames: &[Frame], rate: u32) -> Option<Hum> {
        let mut meter = SpectrumMeter::new(rate);
        meter.push(frames);
        meter.finish_with_hum().1.finish()
    }

    #[test]
    fn hum_under_noise_is_found_with_its_level() {
        for (rate, mains) in [(44_100, 50.0), (96_000, 60.0)] {
            let mut song = pink_noise(rate, -40.0, 8.0, 3);
            for (harmonic, db) in [(1.0, -40.0), (2.0, -50.0), (3.0, -46.0)] {
                for (x, line) in song.iter_mut().zip(sine(rate, mains * harmonic, db, 8.0)) {
                    *x = [x[0] + line[0], x[1] + line[1]];
                }
            }
            let found = hum(&song, rate).unwrap();
            assert_eq!(found.mains_hz, mains);
            assert!((found.level_dbfs + 41.7).abs() < 1.0, "{found:?}");
        }
    }

    #[test]
    fn music_and_noise_do_not_hum() {
        assert_eq!(hum(&pink_noise(44_100, -20.0, 8.0, 4), 44_100), None);
        assert_eq!(hum(&demo_mix(44_100, 12.0), 44_100), None);
        assert_eq!(hum(&sine(44_100, 50.0, -20.0, 8.0), 44_100), None);
    }
}
