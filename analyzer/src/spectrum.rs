//! Long-term spectrum of mid and side in quarter octaves, with its statistics over time.

use crate::cutoff::cutoff_hz;
use crate::excess::excesses;
use crate::hum::HumLines;
use crate::loudness::KWeight;
use crate::readings::{Spectrum, SpectrumReading};
use crate::resonance::ResonanceMeter;
use crate::spectrum_bands::{
    FINE_BANDS, FINE_PER_THIRD, SPECTRUM_BANDS, THIRD_OCTAVES, band_centre_hz, band_edge_hz, fine_band_hz,
    third_octave_hz,
};
use crate::stft::{Stft, window_frames};
use crate::stream::{Frame, Meter};
use crate::timbre::{centroid_hz, flatness_db, rolloff_hz};
use crate::units::{FLOOR_DB, db_from_power};

/// Total power below which a window is digital silence, which has no part in percentiles: −110 dBFS, under 16-bit
/// dither.
const SILENCE_POWER: f64 = 1e-11;
/// Share of the windows that are not silent that makes up the loud part.
const LOUD_SHARE: f64 = 1.0 / 3.0;
/// Range over which the tilt is fitted, Hz.
const TILT_HZ: [f64; 2] = [100.0, 10_000.0];

/// Powers of mid and side in one window.
type Bands = [[f32; SPECTRUM_BANDS]; 2];

/// Measures the spectrum. Memory: 420 bytes per window, about 25 MB for three hours, at any rate.
pub struct SpectrumMeter {
    stft: Stft,
    windows: Windows,
}

impl SpectrumMeter {
    /// A meter for one rate, 8 to 192 kHz.
    pub fn new(sample_rate_hz: u32) -> Self {
        let stft = Stft::new(sample_rate_hz);
        let windows = Windows {
            sample_rate_hz,
            map: BandMap::new(sample_rate_hz, window_frames(sample_rate_hz)),
            bands: Vec::new(),
            bin_sums: [vec![0.0; stft.bins()], vec![0.0; stft.bins()]],
            hum: HumLines::new(sample_rate_hz),
            resonances: ResonanceMeter::new(sample_rate_hz),
        };
        Self { stft, windows }
    }

    /// Ends the stream and returns the spectrum and the hum in it.
    pub(crate) fn finish_with_hum(self) -> (SpectrumReading, HumLines) {
        let Self { stft, mut windows } = self;
        stft.finish(|powers| windows.note(powers));
        windows.reading()
    }
}

impl Meter for SpectrumMeter {
    type Reading = SpectrumReading;

    fn push(&mut self, frames: &[Frame]) {
        self.stft.push(frames, |powers| self.windows.note(powers));
    }

    fn finish(self) -> SpectrumReading {
        self.finish_with_hum().0
    }
}

/// Data kept of the windows.
struct Windows {
    sample_rate_hz: u32,
    map: BandMap,
    bands: Vec<Bands>,
    /// Power of mid and of side per bin, summed over the windows.
    bin_sums: [Vec<f64>; 2],
    hum: HumLines,
    resonances: ResonanceMeter,
}

impl Windows {
    fn note(&mut self, powers: [&[f32]; 2]) {
        let bands = powers.map(|bins| self.map.fold(bins));
        for (sums, bins) in self.bin_sums.iter_mut().zip(powers) {
            sums.iter_mut().zip(bins).for_each(|(sum, &power)| *sum += f64::from(power));
        }
        if !is_silent(&bands) {
            self.hum.note(powers);
            self.resonances.note(powers[0]);
        }
        self.bands.push(bands);
    }

    fn reading(mut self) -> (SpectrumReading, HumLines) {
        let count = self.bands.len().max(1) as f64;
        self.bin_sums.iter_mut().flatten().for_each(|sum| *sum /= count);
        let rate = self.sample_rate_hz;
        let narrow = self.bin_sums.each_ref().map(|bins| Narrow::of(bins, rate));
        let bins: &Vec<f64> = &self.bin_sums[0].iter().zip(&self.bin_sums[1]).map(|(mid, side)| mid + side).collect();
        let loud = loudest(&self.bands, rate);
        let [mid_narrow, side_narrow] = narrow;
        let mid = spectrum(&self.bands, &loud, 0, mid_narrow);
        let step_s = window_frames(rate) as f64 / 2.0 / f64::from(rate);
        let [sibilance, boom] = excesses(self.bands.iter().map(|[mid, _]| mid), step_s);
        let reading = SpectrumReading {
            sibilance,
            boom,
            cutoff_hz: cutoff_hz(bins, rate),
            tilt_db_per_octave: tilt(&mid.mean_db),
            centroid_hz: centroid_hz(bins, rate),
            rolloff_hz: rolloff_hz(bins, rate),
            flatness_db: flatness_db(bins, rate),
            resonances: self.resonances.finish(),
            side: spectrum(&self.bands, &loud, 1, side_narrow),
            mid,
        };
        (reading, self.hum)
    }
}

/// Assignment of bins to bands; bins on an edge are shared in proportion.
pub(crate) struct BandMap {
    /// Per band: first whole bin, one past the last, and the shares of the bins just outside.
    bands: [(usize, usize, f32, f32); SPECTRUM_BANDS],
}

impl BandMap {
    /// Creates the map for transforms of `size` frames.
    pub(crate) fn new(sample_rate_hz: u32, size: usize) -> Self {
        let bins_per_hz = size as f64 / f64::from(sample_rate_hz);
        // Bin k reaches from k − ½ to k + ½.
        let place = |band| (band_edge_hz(band) * bins_per_hz + 0.5).min(size as f64 / 2.0 + 1.0);
        let bands = std::array::from_fn(|band| {
            let (from, to) = (place(band), place(band + 1));
            let (first, end) = (libm::ceil(from), libm::floor(to));
            // A band inside one bin takes its share of that bin from below.
            let below = first.min(to) - from;
            let above = if end >= first { to - end } else { 0.0 };
            (first as usize, (end as usize).max(first as usize), below as f32, above as f32)
        });
        Self { bands }
    }

    /// Power in every band.
    pub(crate) fn fold(&self, bins: &[f32]) -> [f32; SPECTRUM_BANDS] {
        self.bands.map(|(first, end, below, above)| {
            let share = |bin: usize, share: f32| if share > 0.0 { bins[bin] * share } else { 0.0 };
            let whole: f64 = bins[first.min(bins.len())..end.min(bins.len())].iter().map(|&p| f64::from(p)).sum();
            whole as f32 + share(first.saturating_sub(1), below) + share(end, above)
        })
    }
}

/// Spectra that are computed from the bins, because the quarter-octave bands are too coarse for them.
struct Narrow {
    third_octave_db: Vec<f64>,
    fine: Vec<f64>,
}

impl Narrow {
    /// Computes them from mean bin powers.
    fn of(bins: &[f64], sample_rate_hz: u32) -> Self {
        let size = 2 * (bins.len() - 1);
        let bins_per_hz = size as f64 / f64::from(sample_rate_hz);
        let mut sums = vec![0.0];
        sums.extend(bins.iter().scan(0.0, |sum, power| {
            *sum += power;
            Some(*sum)
        }));
        // The sum of all bins under `hz`; bin k reaches from k − ½ to k + ½.
        let below = |hz: f64| {
            let place = (hz * bins_per_hz + 0.5).min(bins.len() as f64);
            let whole = place as usize;
            sums[whole] + bins.get(whole).map_or(0.0, |power| power * (place - whole as f64))
        };
        let power = |centre_hz: f64, width: f64| {
            let half_band = libm::exp2(0.5 * width);
            (below(centre_hz * half_band) - below(centre_hz / half_band)).max(0.0)
        };
        let third = 1.0 / 3.0;
        Self {
            third_octave_db: (0..THIRD_OCTAVES)
                .map(|band| db_from_power(power(third_octave_hz(band), third)))
                .collect(),
            fine: (0..FINE_BANDS).map(|band| power(fine_band_hz(band), third / FINE_PER_THIRD as f64)).collect(),
        }
    }
}

/// Returns the power gain of K-weighting (BS.1770) at the centre of each spectrum band.
pub fn k_weights(sample_rate_hz: u32) -> [f64; SPECTRUM_BANDS] {
    let coefs = KWeight::coefs(sample_rate_hz);
    std::array::from_fn(|band| {
        let hz = band_centre_hz(band).min(0.49 * f64::from(sample_rate_hz));
        coefs.iter().map(|c| c.gain_at(hz, sample_rate_hz)).map(|gain| gain * gain).product()
    })
}

/// Returns the indices of the loudest third of the windows that are not silent, by K-weighted power of mid and side, in
/// order of time.
fn loudest(windows: &[Bands], sample_rate_hz: u32) -> Vec<usize> {
    let weights = k_weights(sample_rate_hz);
    let power = |bands: &Bands| -> f64 {
        (0..SPECTRUM_BANDS).map(|b| weights[b] * (f64::from(bands[0][b]) + f64::from(bands[1][b]))).sum()
    };
    let powers: Vec<f64> = windows.iter().map(power).collect();
    let mut order: Vec<usize> = (0..windows.len()).filter(|&i| !is_silent(&windows[i])).collect();
    order.sort_by(|&a, &b| powers[b].total_cmp(&powers[a]));
    order.truncate((order.len() as f64 * LOUD_SHARE).ceil() as usize);
    order.sort_unstable();
    order
}

fn is_silent(bands: &Bands) -> bool {
    bands.iter().flatten().map(|&p| f64::from(p)).sum::<f64>() < SILENCE_POWER
}

/// Statistics of mid (0) or side (1).
fn spectrum(windows: &[Bands], loud: &[usize], channel: usize, narrow: Narrow) -> Spectrum {
    let Narrow { third_octave_db, fine } = narrow;
    let mut reading = Spectrum {
        mean_db: Vec::with_capacity(SPECTRUM_BANDS),
        third_octave_db,
        fine,
        loud_db: Vec::with_capacity(SPECTRUM_BANDS),
        p10_db: Vec::with_capacity(SPECTRUM_BANDS),
        p50_db: Vec::with_capacity(SPECTRUM_BANDS),
        p90_db: Vec::with_capacity(SPECTRUM_BANDS),
    };
    for band in 0..SPECTRUM_BANDS {
        let power = |window: &Bands| f64::from(window[channel][band]);
        reading.mean_db.push(mean_db(windows.iter().map(power)));
        reading.loud_db.push(mean_db(loud.iter().map(|&i| power(&windows[i]))));
        let mut sounding: Vec<f64> = windows.iter().filter(|w| !is_silent(w)).map(power).collect();
        sounding.sort_unstable_by(f64::total_cmp);
        let rank = |share: f64| match sounding.len() {
            0 => FLOOR_DB,
            n => db_from_power(sounding[libm::round((n - 1) as f64 * share) as usize]),
        };
        reading.p10_db.push(rank(0.1));
        reading.p50_db.push(rank(0.5));
        reading.p90_db.push(rank(0.9));
    }
    reading
}

fn mean_db(powers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = powers.len().max(1) as f64;
    db_from_power(powers.sum::<f64>() / count)
}

/// Least-squares slope of band levels over octaves; 0 if fewer than two bands have sound.
fn tilt(levels_db: &[f64]) -> f64 {
    let points: Vec<(f64, f64)> = (0..SPECTRUM_BANDS)
        .filter(|&band| (TILT_HZ[0]..=TILT_HZ[1]).contains(&band_centre_hz(band)) && levels_db[band] > FLOOR_DB)
        .map(|band| (band as f64 / 4.0, levels_db[band]))
        .collect();
    if points.len() < 2 {
        return 0.0;
    }
    let n = points.len() as f64;
    let (mean_x, mean_y) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let (products, squares) = points.iter().fold((0.0, 0.0), |(products, squares), (x, y)| {
        (products + (x - mean_x) * (y - mean_y), squares + (x - mean_x) * (x - mean_x))
    });
    products / squares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::{pink_noise, silence, sine};
    use crate::units::gain_from_db;

    fn reading(frames: &[Frame], rate: u32) -> SpectrumReading {
        let mut meter = SpectrumMeter::new(rate);
        meter.push(frames);
        meter.finish()
    }

    fn band_of(hz: f64) -> usize {
        (4.0 * libm::log2(hz / 20.0)) as usize
    }

    #[test]
    fn a_full_scale_sine_reads_three_under_zero_in_its_band_at_every_rate() {
        for rate in [8000, 11_025, 44_100, 96_000, 192_000] {
            let got = reading(&sine(rate, 1000.0, 0.0, 3.0), rate);
            let band = band_of(1000.0);
            for levels in [&got.mid.mean_db, &got.mid.loud_db, &got.mid.p50_db] {
                assert!((levels[band] + 3.01).abs() < 0.02, "{} at {rate}", levels[band]);
                assert!(levels[band - 3] < -70.0);
            }
            assert!(got.side.mean_db.iter().all(|&level| level == FLOOR_DB));
        }
    }

    #[test]
    fn bands_share_all_power_between_them() {
        for rate in [44_100, 48_000, 88_200, 192_000] {
            // On edges and in the middle of bands alike.
            for hz in [47.57, 100.0, 113.14, 640.0, 1234.5, 10_240.0, 15_000.0] {
                let got = reading(&sine(rate, hz, -10.0, 2.0), rate).mid.mean_db;
                let sum: f64 = got.iter().map(|&level| crate::units::power_from_db(level)).sum();
                let off = db_from_power(sum) + 13.0103;
                assert!(off.abs() < 0.01, "{off} dB at {hz} Hz and {rate}");
            }
        }
    }

    #[test]
    fn bands_above_nyquist_are_empty() {
        let got = reading(&pink_noise(8000, -20.0, 3.0, 2), 8000);
        assert!(got.mid.mean_db[band_of(3000.0)] > -60.0);
        assert!(got.mid.mean_db[band_of(4000.0) + 1..].iter().all(|&level| level == FLOOR_DB));
    }

    #[test]
    fn loud_part_and_percentiles_follow_the_arrangement() {
        let mut song = pink_noise(44_100, -20.0, 30.0, 9);
        song[..15 * 44_100].iter_mut().flatten().for_each(|x| *x *= gain_from_db(-20.0) as f32);
        song.extend(silence(44_100, 30.0));
        let mid = reading(&song, 44_100).mid;
        let band = band_of(1000.0);
        assert!((mid.loud_db[band] - mid.mean_db[band] - 6.0).abs() < 1.0, "{mid:?}");
        assert!((mid.p90_db[band] - mid.p10_db[band] - 20.0).abs() < 3.0, "silence is left out");
    }

    #[test]
    fn tilt_of_pink_noise_is_flat() {
        let tilt = reading(&pink_noise(44_100, -20.0, 10.0, 2), 44_100).tilt_db_per_octave;
        assert!(tilt.abs() < 0.15, "{tilt}");
    }

    #[test]
    fn an_empty_song_reads_the_floor() {
        let got = reading(&[], 44_100);
        assert!(got.mid.mean_db.iter().chain(&got.side.p90_db).all(|&level| level == FLOOR_DB));
        assert_eq!(got.tilt_db_per_octave, 0.0);
    }
}
