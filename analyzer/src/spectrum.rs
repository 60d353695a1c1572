//! Long-term spectrum of mid and side in quarter octaves, with its statistics over time.

use crate::loudness::KWeight;
use crate::profile::{SPECTRUM_BANDS, Spectrum, SpectrumReading, band_centre_hz};
use crate::stft::{Stft, window_frames};
use crate::stream::{Frame, Meter};
use crate::units::{FLOOR_DB, db_from_power};

/// A window below this total power is digital silence and has no part in percentiles: −110 dBFS, under 16-bit dither.
const SILENCE_POWER: f64 = 1e-11;
/// The loud part is this share of the windows that are not silent.
const LOUD_SHARE: f64 = 1.0 / 3.0;
/// Between these the tilt is fitted, Hz.
const TILT_HZ: [f64; 2] = [100.0, 10_000.0];

/// Powers of mid and side in one window.
type Bands = [[f32; SPECTRUM_BANDS]; 2];

/// Lower edge of band `band`, Hz: 20 · 2^(band / 4).
pub fn band_edge_hz(band: usize) -> f64 {
    20.0 * libm::exp2(band as f64 / 4.0)
}

/// Measures the spectrum. Memory: 320 bytes per window, about 19 MB for three hours, at any rate.
pub struct SpectrumMeter {
    sample_rate_hz: u32,
    stft: Stft,
    map: BandMap,
    windows: Vec<Bands>,
    /// Power of mid and side together per bin, summed over the windows.
    bin_sums: Vec<f64>,
}

impl SpectrumMeter {
    /// A meter for one rate, 8 to 192 kHz.
    pub fn new(sample_rate_hz: u32) -> Self {
        let stft = Stft::new(sample_rate_hz);
        Self {
            sample_rate_hz,
            map: BandMap::new(sample_rate_hz),
            windows: Vec::new(),
            bin_sums: vec![0.0; stft.bins()],
            stft,
        }
    }
}

/// Adds one window to the statistics.
fn note(powers: [&[f32]; 2], map: &BandMap, windows: &mut Vec<Bands>, bin_sums: &mut [f64]) {
    windows.push(powers.map(|bins| map.fold(bins)));
    for ((sum, &mid), &side) in bin_sums.iter_mut().zip(powers[0]).zip(powers[1]) {
        *sum += f64::from(mid + side);
    }
}

impl Meter for SpectrumMeter {
    type Reading = SpectrumReading;

    fn push(&mut self, frames: &[Frame]) {
        self.stft.push(frames, |powers| note(powers, &self.map, &mut self.windows, &mut self.bin_sums));
    }

    fn finish(self) -> SpectrumReading {
        let Self { sample_rate_hz, stft, map, mut windows, mut bin_sums } = self;
        stft.finish(|powers| note(powers, &map, &mut windows, &mut bin_sums));
        let count = windows.len().max(1) as f64;
        bin_sums.iter_mut().for_each(|sum| *sum /= count);

        let loud = loudest(&windows, sample_rate_hz);
        let mid = spectrum(&windows, &loud, 0);
        SpectrumReading {
            cutoff_hz: cutoff_hz(&bin_sums, sample_rate_hz),
            tilt_db_per_octave: tilt(&mid.mean_db),
            side: spectrum(&windows, &loud, 1),
            mid,
        }
    }
}

/// Which bins a band is made of; bins on an edge are shared in proportion.
struct BandMap {
    /// Per band: first whole bin, one past the last, and the shares of the bins just outside.
    bands: [(usize, usize, f32, f32); SPECTRUM_BANDS],
}

impl BandMap {
    fn new(sample_rate_hz: u32) -> Self {
        let size = window_frames(sample_rate_hz);
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

    fn fold(&self, bins: &[f32]) -> [f32; SPECTRUM_BANDS] {
        self.bands.map(|(first, end, below, above)| {
            let share = |bin: usize, share: f32| if share > 0.0 { bins[bin] * share } else { 0.0 };
            let whole: f64 = bins[first.min(bins.len())..end.min(bins.len())].iter().map(|&p| f64::from(p)).sum();
            whole as f32 + share(first.saturating_sub(1), below) + share(end, above)
        })
    }
}

/// The loudest third of the windows that are not silent, by K-weighted power of mid and side; in order of time.
fn loudest(windows: &[Bands], sample_rate_hz: u32) -> Vec<usize> {
    let coefs = KWeight::coefs(sample_rate_hz);
    let weights: [f64; SPECTRUM_BANDS] = std::array::from_fn(|band| {
        let hz = band_centre_hz(band).min(0.49 * f64::from(sample_rate_hz));
        coefs.iter().map(|c| c.gain_at(hz, sample_rate_hz)).map(|gain| gain * gain).product()
    });
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
fn spectrum(windows: &[Bands], loud: &[usize], channel: usize) -> Spectrum {
    let mut reading = Spectrum {
        mean_db: Vec::with_capacity(SPECTRUM_BANDS),
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

/// Least-squares slope of band levels over octaves; 0 where there are fewer than two bands with sound.
fn tilt(levels_db: &[f64]) -> f64 {
    let points: Vec<(f64, f64)> = (0..SPECTRUM_BANDS)
        .filter(|&band| (TILT_HZ[0]..=TILT_HZ[1]).contains(&band_centre_hz(band)) && levels_db[band] > FLOOR_DB)
        .map(|band| (band as f64 / 4.0, levels_db[band]))
        .collect();
    if points.len() < 2 {
        return 0.0;
    }
    let n = points.len() as f64;
    let (mean_x, mean_y) =
        (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let (products, squares) = points.iter().fold((0.0, 0.0), |(products, squares), (x, y)| {
        (products + (x - mean_x) * (y - mean_y), squares + (x - mean_x) * (x - mean_x))
    });
    products / squares
}

/// Width of the steps in which a cutoff is looked for, Hz.
const CUTOFF_STEP_HZ: f64 = 100.0;
/// Cutoffs are looked for above this, or above 0.6 of Nyquist at low rates.
const CUTOFF_FROM_HZ: f64 = 10_000.0;
/// A cutoff falls by at least this much...
const CUTOFF_DROP_DB: f64 = 18.0;
/// ...within this width. Analogue filters of 24 dB per octave fall by 2 dB in it.
const CUTOFF_EDGE_STEPS: usize = 6;
/// Sound on either side of the edge is judged over this many steps.
const CUTOFF_SIDE_STEPS: usize = 8;
/// What is under this below an edge, dBFS per step, is too quiet to tell a cutoff from a filter that nears Nyquist.
const CUTOFF_QUIETEST_DB: f64 = -110.0;
/// Above a cutoff nothing comes within this of the level below it.
const CUTOFF_RETURN_DB: f64 = 12.0;

/// Frequency of the steepest fall after which nothing returns; Nyquist when there is none.
///
/// Levels are medians over bins, so that single tones neither make nor hide an edge.
fn cutoff_hz(bin_powers: &[f64], sample_rate_hz: u32) -> f64 {
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
        // The lower quartile, so that the edge itself is no part of what is below it.
        let below_db = rank(below, 0.25);
        let near_db = rank(&above[..above.len().min(CUTOFF_SIDE_STEPS)], 0.5);
        let drop_db = below_db - near_db;
        let returns = above.iter().any(|&level| level > below_db - CUTOFF_RETURN_DB);
        if drop_db > best.0 && below_db > CUTOFF_QUIETEST_DB && !returns {
            // The edge itself: where the level first leaves what was below.
            let fallen = levels[edge..].iter().position(|&level| level < below_db - CUTOFF_RETURN_DB).unwrap_or(0);
            best = (drop_db, first_hz + (edge + fallen) as f64 * CUTOFF_STEP_HZ);
        }
    }
    best.1.min(nyquist)
}

/// Value at a rank; 0 of nothing.
fn rank(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or(0.0)
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

    /// Everything above `hz` taken away, as steeply as an encoder does.
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

    #[test]
    fn an_empty_song_reads_the_floor() {
        let got = reading(&[], 44_100);
        assert!(got.mid.mean_db.iter().chain(&got.side.p90_db).all(|&level| level == FLOOR_DB));
        assert_eq!(got.tilt_db_per_octave, 0.0);
    }
}
