//! Spectrum of a song from a few of its moments: enough to compare two versions of it, at a twentieth of the cost of
//! measuring all of it.
//!
//! The difference between two versions is roughly the same at every moment, so a sample determines it far better than
//! it determines either spectrum. Compare only spectra that were measured at the same places.

use std::f64::consts::TAU;
use std::ops::Range;

use crate::fft::{Complex, RealFft};
use crate::lanes::Quad;
use crate::spectrum::BandMap;
use crate::spectrum_bands::SPECTRUM_BANDS;
use crate::stft::window_frames;
use crate::stream::{Frame, mid_side};
use crate::units::db_from_power;

/// Largest number of moments that are measured.
const MOMENTS: u64 = 64;

/// Returns the frames to measure: evenly spread over the song, or all of it if it is short.
pub fn moments(frames: u64, sample_rate_hz: u32) -> Vec<Range<u64>> {
    let size = window_frames(sample_rate_hz) as u64;
    if frames <= size {
        return std::iter::once(0..frames).collect();
    }
    let count = (frames / size).clamp(2, MOMENTS);
    let start = |n: u64| (frames - size) * n / (count - 1);
    (0..count).map(|n| start(n)..start(n) + size).collect()
}

/// Measures the [`Tone`] of a song from its moments.
pub struct ToneMeter {
    /// Transform of mid and side, with two empty lanes, since a vector has four.
    fft: RealFft<Quad>,
    map: BandMap,
    /// Hann window, as long as the last moment.
    hann: Vec<f32>,
    time: Vec<Quad>,
    bins: Vec<Complex<Quad>>,
    tone: Tone,
}

/// Sums over the moments, per spectrum band, of mid² and side².
#[derive(Clone, Debug, PartialEq)]
pub struct Tone([[f64; 2]; SPECTRUM_BANDS]);

impl ToneMeter {
    /// Creates a meter for songs at this sample rate.
    pub fn new(sample_rate_hz: u32) -> Self {
        let fft = RealFft::<Quad>::new(window_frames(sample_rate_hz));
        Self {
            time: fft.silence(),
            hann: Vec::new(),
            map: BandMap::new(sample_rate_hz, window_frames(sample_rate_hz)),
            bins: fft.empty_spectrum(),
            tone: Tone([[0.0; 2]; SPECTRUM_BANDS]),
            fft,
        }
    }

    /// Takes the frames of one moment.
    pub fn add(&mut self, moment: &[Frame]) {
        let count = moment.len().min(self.time.len());
        if self.hann.len() != count {
            let hann = |n: usize| (0.5 - 0.5 * libm::cos(TAU * (n as f64 + 0.5) / count as f64)) as f32;
            self.hann = (0..count).map(hann).collect();
        }
        for ((x, frame), &hann) in self.time.iter_mut().zip(moment).zip(&self.hann) {
            let [mid, side] = mid_side(*frame);
            *x = Quad::new([hann * mid, hann * side, 0.0, 0.0]);
        }
        self.time[count..].fill(Quad::splat(0.0));
        self.fft.forward(&mut self.time, &mut self.bins);
        let folded = |lane: usize| {
            let powers =
                self.bins.iter().map(|bin| Complex::new(bin.re.lanes()[lane], bin.im.lanes()[lane]).norm_sqr());
            self.map.fold(&powers.collect::<Vec<f32>>())
        };
        let sums = [folded(0), folded(1)];
        for (band, total) in self.tone.0.iter_mut().enumerate() {
            total.iter_mut().zip(&sums).for_each(|(total, sums)| *total += f64::from(sums[band]));
        }
    }

    /// Returns the sums over all moments.
    pub fn finish(self) -> Tone {
        self.tone
    }
}

/// An inaudible power that keeps the logarithm of silence finite.
const TINY: f64 = 1e-12;

fn ratio_db(a: f64, b: f64) -> f64 {
    db_from_power((a + TINY) / (b + TINY))
}

impl Tone {
    /// Level of each band of the mid over that of `other`, dB.
    pub fn mid_over_db(&self, other: &Self) -> [f64; SPECTRUM_BANDS] {
        std::array::from_fn(|band| ratio_db(self.0[band][0], other.0[band][0]))
    }

    /// The same for the side.
    pub fn side_over_db(&self, other: &Self) -> [f64; SPECTRUM_BANDS] {
        std::array::from_fn(|band| ratio_db(self.0[band][1], other.0[band][1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::Analyzer;
    use crate::stream::Meter as _;
    use crate::synth::demo_mix;

    const RATE: u32 = 44_100;

    fn tone(song: &[Frame]) -> Tone {
        let mut meter = ToneMeter::new(RATE);
        for moment in moments(song.len() as u64, RATE) {
            meter.add(&song[moment.start as usize..moment.end as usize]);
        }
        meter.finish()
    }

    #[test]
    fn moments_are_spread_over_the_song_and_lie_inside() {
        for frames in [1, 16_384, 16_385, 40_000, 400_000, 100_000_000] {
            let moments = moments(frames, RATE);
            assert_eq!((moments[0].start, moments[moments.len() - 1].end), (0, frames), "{frames}");
            assert!(moments.len() as u64 <= MOMENTS && moments.is_sorted_by_key(|moment| moment.start), "{frames}");
        }
    }

    #[test]
    fn a_gain_is_read_exactly_and_silence_reads_no_change() {
        let song = demo_mix(RATE, 30.0);
        let louder: Vec<Frame> = song.iter().map(|[l, r]| [l * 2.0, r * 2.0]).collect();
        let over = tone(&louder).mid_over_db(&tone(&song));
        assert!(over[4..36].iter().all(|db| (db - 6.0206).abs() < 0.01), "{over:?}");
        let silence = tone(&vec![[0.0; 2]; 100_000]);
        assert_eq!(silence.side_over_db(&silence), [0.0; SPECTRUM_BANDS]);
    }

    /// Compares the effect of a shelf on mid and side, as read from moments, with that from measuring both versions
    /// whole.
    #[test]
    fn a_difference_from_moments_is_that_of_the_whole_songs() {
        let song = demo_mix(RATE, 60.0);
        let mut low = [0.0f32; 2];
        let changed: Vec<Frame> = song
            .iter()
            .map(|frame| {
                let [mid, side] = mid_side(*frame);
                low = [low[0] + 0.05 * (mid - low[0]), low[1] + 0.2 * (side - low[1])];
                crate::stream::left_right([mid - 0.4 * low[0], 1.5 * side - 0.3 * low[1]])
            })
            .collect();
        let profile = |song: &[Frame]| {
            let mut analyzer = Analyzer::new(RATE, 2);
            analyzer.push(song);
            analyzer.finish()
        };
        let (before, after) = (profile(&song), profile(&changed));
        let over = tone(&changed).mid_over_db(&tone(&song));
        for (band, over) in over.iter().enumerate().take(37).skip(4) {
            let whole = after.spectrum.mid.mean_db[band] - before.spectrum.mid.mean_db[band];
            assert!((over - whole).abs() < 0.1, "band {band}: {over}, not {whole}");
        }
    }
}
