//! Narrow peaks that stay where they are while the music moves: room modes, ringing drums, whistling filters.

use crate::readings::Resonance;
use crate::stft::window_frames;

/// Bands per octave.
const PER_OCTAVE: f64 = 24.0;
/// Range in which peaks are searched for, Hz: below it, a band is narrower than a bin.
const FROM_HZ: f64 = 150.0;
const TO_HZ: f64 = 10_000.0;
/// Bands on either side that count as the surroundings of a peak: a third of an octave.
const REACH: usize = 8;
/// Bands next to a peak that are its own flanks and not part of the surroundings.
const FLANK: usize = 1;
/// Smallest power of a peak over the mean power of its surroundings: 6 dB.
const PROMINENCE: f64 = 4.0;
/// Mean level over the surroundings from which on a peak is a held tone, not a resonance, dB.
const TONE_DB: f64 = 14.0;
/// Smallest share of the time during which a resonance sticks out; notes come and go.
const SHARE: f64 = 0.75;

/// Counts the windows in which every band sticks out. Memory: constant.
pub(crate) struct ResonanceMeter {
    /// First bin of every band, and one past the last of the last band.
    edges: Vec<usize>,
    /// Per band: number of windows in which it sticks out, and the sum of its power ratios over the surroundings in
    /// them.
    found: Vec<(u64, f64)>,
    windows: u64,
    powers: Vec<f64>,
}

impl ResonanceMeter {
    pub fn new(sample_rate_hz: u32) -> Self {
        let bins_per_hz = window_frames(sample_rate_hz) as f64 / f64::from(sample_rate_hz);
        let top_hz = TO_HZ.min(0.45 * f64::from(sample_rate_hz));
        let bands = (PER_OCTAVE * libm::log2(top_hz / FROM_HZ)) as usize;
        let edges: Vec<usize> = (0..=bands)
            .map(|band| (FROM_HZ * libm::exp2(band as f64 / PER_OCTAVE) * bins_per_hz + 0.5) as usize)
            .collect();
        Self { edges, found: vec![(0, 0.0); bands], windows: 0, powers: vec![0.0; bands] }
    }

    /// Takes the bin powers of one window that is not silent.
    pub fn note(&mut self, bins: &[f32]) {
        self.windows += 1;
        for (power, edge) in self.powers.iter_mut().zip(self.edges.windows(2)) {
            let part = &bins[edge[0]..edge[1]];
            *power = part.iter().map(|&p| f64::from(p)).sum::<f64>() / part.len().max(1) as f64;
        }
        for band in REACH..self.powers.len().saturating_sub(REACH) {
            let below: f64 = self.powers[band - REACH..band - FLANK].iter().sum();
            let above: f64 = self.powers[band + FLANK + 1..=band + REACH].iter().sum();
            let around = (below + above) / (2 * (REACH - FLANK)) as f64;
            if self.powers[band] > PROMINENCE * around {
                self.found[band].0 += 1;
                self.found[band].1 += (self.powers[band] / around.max(1e-30)).min(1e6);
            }
        }
    }

    pub fn finish(&self) -> Vec<Resonance> {
        let count = |band: usize| self.found.get(band).map_or(0, |found| found.0);
        (0..self.found.len())
            .filter(|&band| {
                let is_highest =
                    (1..=2).all(|d| count(band) > count(band + d) && count(band) >= count(band.wrapping_sub(d)));
                is_highest && count(band) as f64 > SHARE * self.windows as f64
            })
            .map(|band| {
                let (count, ratios) = self.found[band];
                Resonance {
                    hz: FROM_HZ * libm::exp2((band as f64 + 0.5) / PER_OCTAVE),
                    prominence_db: 10.0 * libm::log10(ratios / count as f64),
                    share: count as f64 / self.windows as f64,
                }
            })
            .filter(|resonance| resonance.prominence_db < TONE_DB)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::biquad::{Biquad, BiquadCoefs};
    use crate::spectrum::SpectrumMeter;
    use crate::stream::{Frame, Meter};
    use crate::synth::{demo_mix, pink_noise};

    fn found_hz(frames: &[Frame], rate: u32) -> Vec<f64> {
        let mut meter = SpectrumMeter::new(rate);
        meter.push(frames);
        meter.finish().resonances.iter().map(|resonance| resonance.hz).collect()
    }

    #[test]
    fn a_ringing_filter_is_found_where_it_rings() {
        for hz in [240.0, 900.0, 3150.0, 7000.0] {
            let mut bell = Biquad::new(BiquadCoefs::bell(hz, 14.0, 20.0, 44_100));
            let ringing: Vec<Frame> = pink_noise(44_100, -20.0, 12.0, 6)
                .into_iter()
                .map(|frame| bell.next(frame.map(f64::from)).map(|x| x as f32))
                .collect();
            let found = found_hz(&ringing, 44_100);
            assert!(found.len() == 1 && (found[0] / hz - 1.0).abs() < 0.04, "{found:?}, not {hz}");
        }
    }

    #[test]
    fn noise_and_melodies_have_none() {
        assert_eq!(found_hz(&pink_noise(48_000, -20.0, 10.0, 2), 48_000), [0.0; 0]);
        assert_eq!(found_hz(&demo_mix(44_100, 24.0), 44_100), [0.0; 0]);
    }
}
