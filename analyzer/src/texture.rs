//! Texture of a song, in numbers that an equaliser does not change: how tonal each octave is, how fast levels rise,
//! which parts of the spectrum move together, and the spectrum of onsets.
//!
//! Every level is relative to the mean of its own band, so that a gain that is constant over time cancels out. Only the
//! mid is measured: the width of a mix is one of the things that are still to be decided.

use crate::spectrum::BandMap;
use crate::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};
use crate::stft::{Stft, window_frames};
use crate::stream::Frame;
use crate::units::db_from_power;

/// Octaves from 20 Hz to 20.48 kHz.
pub const OCTAVES: usize = SPECTRUM_BANDS / 4;
/// Half octaves whose levels are compared with one another.
const HALF_OCTAVES: usize = SPECTRUM_BANDS / 2;
/// Number of pairs of half octaves.
const PAIRS: usize = HALF_OCTAVES * (HALF_OCTAVES - 1) / 2;
/// Distances in windows over which rises are read. Windows start 46 ms apart at 44.1 kHz.
const LAGS: [usize; 4] = [1, 2, 4, 16];
/// The lag at which rises are also read in every band, not only in octaves.
const SHORTEST_LAG: usize = LAGS[0];
/// Length of [`Texture::values`].
pub const TEXTURE_VALUES: usize = 2 * OCTAVES + LAGS.len() * OCTAVES + SPECTRUM_BANDS + PAIRS + SPECTRUM_BANDS;

/// Windows in a row that are kept or dropped together: about six seconds.
const BLOCK_WINDOWS: usize = 128;
/// Largest number of windows kept, about 25 minutes. In longer songs every second block is dropped, so that memory does
/// not grow with them.
const MAX_WINDOWS: usize = 256 * BLOCK_WINDOWS;
/// Power relative to the mean of all windows up to which a window is a pause: −40 dB.
const PAUSE: f64 = 1e-4;
/// Lower limit of levels relative to the mean of their band, dB.
const FLOOR_DB: f32 = -30.0;
/// Share of the windows that count as onsets: those with the largest rise over all bands together.
const ONSET_SHARE: f64 = 0.1;
/// Added to every rise so that its logarithm is finite, dB.
const MIN_RISE_DB: f64 = 0.05;
/// Added to every standard deviation used as a divisor, dB.
const MIN_SPREAD_DB: f64 = 0.1;
/// A power below any that is audible.
const SILENCE_POWER: f64 = 1e-14;

/// Texture of a song; empty before anything was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texture {
    /// Values in the order of [`texture_names`]; empty if nothing is audible.
    pub values: Vec<f64>,
}

/// Names of [`Texture::values`].
pub fn texture_names() -> Vec<String> {
    let octave = |n: usize| format!("{:.0}hz", centre_hz(n, 4));
    let half_octave = |n: usize| format!("{:.0}hz", centre_hz(n, 2));
    let mut names = Vec::with_capacity(TEXTURE_VALUES);
    for kind in ["moment", "mean"] {
        names.extend((0..OCTAVES).map(|n| format!("flatness_{kind}_{}", octave(n))));
    }
    names.extend((0..OCTAVES).map(|n| format!("rise_{}_{}", LAGS[LAGS.len() - 1], octave(n))));
    for lag in &LAGS[..LAGS.len() - 1] {
        names.extend((0..OCTAVES).map(|n| format!("rise_{lag}_of_{}_{}", LAGS[LAGS.len() - 1], octave(n))));
    }
    names.extend((0..SPECTRUM_BANDS).map(|band| format!("rise_{SHORTEST_LAG}_band_{:.0}hz", band_centre_hz(band))));
    for a in 0..HALF_OCTAVES {
        names.extend((a + 1..HALF_OCTAVES).map(|b| format!("together_{}_{}", half_octave(a), half_octave(b))));
    }
    names.extend((0..SPECTRUM_BANDS).map(|band| format!("onset_{:.0}hz", band_centre_hz(band))));
    names
}

/// Centre of the `n`-th of parts of `bands` spectrum bands each.
fn centre_hz(n: usize, bands: usize) -> f64 {
    20.0 * libm::exp2((n as f64 + 0.5) * bands as f64 / 4.0)
}

/// Measures a [`Texture`]. Memory: at most 5.5 MB.
pub(crate) struct TextureMeter {
    stft: Stft,
    windows: Windows,
}

/// Data kept of the windows.
struct Windows {
    map: BandMap,
    /// Power of every band, one block after the other.
    powers: Vec<[f32; SPECTRUM_BANDS]>,
    /// One block in `stride` is kept.
    stride: usize,
    window_count: usize,
    flatness: Flatness,
}

impl TextureMeter {
    pub fn new(sample_rate_hz: u32) -> Self {
        let size = window_frames(sample_rate_hz) / 4;
        let (map, flatness) = (BandMap::new(sample_rate_hz, size), Flatness::new(sample_rate_hz, size));
        let windows = Windows { map, powers: Vec::new(), stride: 1, window_count: 0, flatness };
        Self { stft: Stft::complete(size), windows }
    }

    pub fn push(&mut self, frames: &[Frame]) {
        self.stft.push(frames, |[mid, _]| self.windows.note(mid));
    }

    pub fn finish(self) -> Texture {
        let Self { stft, mut windows } = self;
        stft.finish(|[mid, _]| windows.note(mid));
        let Some(motion) = Motion::of(&windows.powers) else { return Texture::default() };
        let mut values = windows.flatness.reading(windows.window_count).concat();
        motion.write(&mut values);
        Texture { values }
    }
}

impl Windows {
    fn note(&mut self, bins: &[f32]) {
        self.flatness.note(bins);
        let block = self.window_count / BLOCK_WINDOWS;
        self.window_count += 1;
        if block.is_multiple_of(self.stride) {
            self.powers.push(self.map.fold(bins));
        }
        if self.powers.len() > MAX_WINDOWS {
            self.stride *= 2;
            let mut at = 0;
            self.powers.retain(|_| {
                at += 1;
                ((at - 1) / BLOCK_WINDOWS).is_multiple_of(2)
            });
        }
    }
}

/// Band powers of a song over time, the mean of every band, and a flag for every window that is not a pause.
struct Motion<'a> {
    powers: &'a [[f32; SPECTRUM_BANDS]],
    is_audible: Vec<bool>,
    mean: [f64; SPECTRUM_BANDS],
}

impl<'a> Motion<'a> {
    /// Returns `None` if nothing is audible.
    fn of(powers: &'a [[f32; SPECTRUM_BANDS]]) -> Option<Self> {
        let total = |bands: &[f32; SPECTRUM_BANDS]| bands.iter().map(|&power| f64::from(power)).sum::<f64>();
        let pause = PAUSE * powers.iter().map(total).sum::<f64>() / powers.len().max(1) as f64;
        let is_audible: Vec<bool> = powers.iter().map(|bands| total(bands) > pause && pause > 0.0).collect();
        let audible_count = is_audible.iter().filter(|is| **is).count();
        let mut mean = [0.0; SPECTRUM_BANDS];
        for (bands, _) in powers.iter().zip(&is_audible).filter(|(_, is)| **is) {
            mean.iter_mut().zip(bands).for_each(|(mean, power)| *mean += f64::from(*power) / audible_count as f64);
        }
        (audible_count > 0).then_some(Self { powers, is_audible, mean })
    }

    /// Level over the mean of groups of `width` bands in every window, no less than the floor; dB.
    fn levels<const N: usize>(&self, width: usize) -> Vec<[f32; N]> {
        let group = |n: usize| width * n..width * (n + 1);
        let means: [f64; N] = std::array::from_fn(|n| self.mean[group(n)].iter().sum::<f64>() + SILENCE_POWER);
        let level = |bands: &[f32; SPECTRUM_BANDS], n: usize| {
            let power = bands[group(n)].iter().map(|&power| f64::from(power)).sum::<f64>();
            (db_from_power((power + SILENCE_POWER) / means[n]) as f32).max(FLOOR_DB)
        };
        self.powers.iter().map(|bands| std::array::from_fn(|n| level(bands, n))).collect()
    }

    /// Returns pairs of windows of one block that lie `lag` apart and are both audible.
    fn pairs(&self, lag: usize) -> impl Iterator<Item = (usize, usize)> {
        let count = self.powers.len();
        (0..count.saturating_sub(lag)).map(move |n| (n, n + lag)).filter(|(from, to)| {
            from / BLOCK_WINDOWS == to / BLOCK_WINDOWS && self.is_audible[*from] && self.is_audible[*to]
        })
    }

    /// Mean rise of every level over `lag` windows, falls counting as none; dB.
    fn rises<const N: usize>(&self, levels: &[[f32; N]], lag: usize) -> [f64; N] {
        let (mut sums, mut count) = ([0.0; N], 0_usize);
        for (from, to) in self.pairs(lag) {
            count += 1;
            for (n, sum) in sums.iter_mut().enumerate() {
                *sum += f64::from((levels[to][n] - levels[from][n]).max(0.0));
            }
        }
        sums.map(|sum| sum / count.max(1) as f64)
    }

    /// Power of every band in the onsets, over the mean power of the band; dB.
    fn onsets(&self, levels: &[[f32; SPECTRUM_BANDS]]) -> [f64; SPECTRUM_BANDS] {
        let rise = |(from, to): (usize, usize)| -> (f32, usize) {
            (levels[to].iter().zip(&levels[from]).map(|(to, from)| (to - from).max(0.0)).sum(), to)
        };
        let mut rises: Vec<(f32, usize)> = self.pairs(SHORTEST_LAG).map(rise).collect();
        rises.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        rises.truncate(libm::ceil(ONSET_SHARE * rises.len() as f64) as usize);
        std::array::from_fn(|band| {
            let power = rises.iter().map(|(_, at)| f64::from(self.powers[*at][band])).sum::<f64>();
            let mean = power / rises.len().max(1) as f64 + SILENCE_POWER;
            if rises.is_empty() { 0.0 } else { db_from_power(mean / (self.mean[band] + SILENCE_POWER)) }
        })
    }

    /// Correlation over time of every two levels.
    fn together(&self, levels: &[[f32; HALF_OCTAVES]]) -> Vec<f64> {
        let audible: Vec<&[f32; HALF_OCTAVES]> =
            levels.iter().zip(&self.is_audible).filter(|(_, is)| **is).map(|(levels, _)| levels).collect();
        let count = audible.len().max(1) as f64;
        let mean: [f64; HALF_OCTAVES] =
            std::array::from_fn(|n| audible.iter().map(|levels| f64::from(levels[n])).sum::<f64>() / count);
        let mut products = [[0.0; HALF_OCTAVES]; HALF_OCTAVES];
        for levels in audible {
            let off: [f64; HALF_OCTAVES] = std::array::from_fn(|n| f64::from(levels[n]) - mean[n]);
            for (a, row) in products.iter_mut().enumerate() {
                row[a..].iter_mut().zip(&off[a..]).for_each(|(sum, off_b)| *sum += off[a] * off_b / count);
            }
        }
        let spread: [f64; HALF_OCTAVES] = std::array::from_fn(|n| libm::sqrt(products[n][n]) + MIN_SPREAD_DB);
        let pairs = (0..HALF_OCTAVES).flat_map(|a| (a + 1..HALF_OCTAVES).map(move |b| (a, b)));
        pairs.map(|(a, b)| products[a][b] / (spread[a] * spread[b])).collect()
    }

    fn write(&self, values: &mut Vec<f64>) {
        let log = |rise: f64| libm::log(rise + MIN_RISE_DB);
        let octaves: Vec<[f32; OCTAVES]> = self.levels(SPECTRUM_BANDS / OCTAVES);
        let [shorter @ .., longest] = LAGS.map(|lag| self.rises(&octaves, lag).map(log));
        values.extend(longest);
        values
            .extend(shorter.iter().flat_map(|rises| rises.iter().zip(&longest).map(|(rise, longest)| rise - longest)));
        let bands: Vec<[f32; SPECTRUM_BANDS]> = self.levels(1);
        values.extend(self.rises(&bands, SHORTEST_LAG).map(log));
        values.extend(self.together(&self.levels(SPECTRUM_BANDS / HALF_OCTAVES)));
        values.extend(self.onsets(&bands));
    }
}

/// Spectral flatness of the mid in each octave: geometric over arithmetic mean of its bins, 0 dB for noise and far
/// below for tones.
struct Flatness {
    /// First bin of every octave, and the one past the last.
    edges: [usize; OCTAVES + 1],
    /// Sums of flatness times power, and of power, per octave.
    sums: [[f64; 2]; OCTAVES],
    /// Power of every bin.
    bin_sums: Vec<f64>,
}

/// Number of powers that are multiplied before a logarithm is taken.
const FACTORS: usize = 8;
/// A power far below the smallest audible one, so that empty bins do not decide alone.
const BIN_FLOOR: f64 = 1e-18;

impl Flatness {
    /// Creates the meter for transforms of `size` frames.
    fn new(sample_rate_hz: u32, size: usize) -> Self {
        let (bins, bins_per_hz) = (size / 2 + 1, size as f64 / f64::from(sample_rate_hz));
        let edge = |n: usize| libm::ceil(20.0 * libm::exp2(n as f64) * bins_per_hz) as usize;
        Self { edges: std::array::from_fn(|n| edge(n).min(bins)), sums: [[0.0; 2]; OCTAVES], bin_sums: vec![0.0; bins] }
    }

    /// Takes the bin powers of a window.
    fn note(&mut self, bins: &[f32]) {
        self.bin_sums.iter_mut().zip(bins).for_each(|(sum, &power)| *sum += f64::from(power));
        for (n, [weighted, weight]) in self.sums.iter_mut().enumerate() {
            let part = &bins[self.edges[n]..self.edges[n + 1]];
            let power = part.iter().map(|&power| f64::from(power)).sum::<f64>();
            *weighted += power * flatness_db(part.iter().map(|&power| f64::from(power)));
            *weight += power;
        }
    }

    /// Returns the flatness of single windows, their mean weighted by power, and that of the mean of `windows` spectra;
    /// dB.
    fn reading(&self, windows: usize) -> [[f64; OCTAVES]; 2] {
        let part = |n: usize| self.bin_sums[self.edges[n]..self.edges[n + 1]].iter();
        [
            self.sums.map(|[weighted, weight]| if weight > BIN_FLOOR { weighted / weight } else { 0.0 }),
            std::array::from_fn(|n| flatness_db(part(n).map(|sum| sum / windows.max(1) as f64))),
        ]
    }
}

fn flatness_db(powers: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut logs, mut product, mut count) = (0.0, 0.0, 1.0, 0);
    for power in powers {
        let power = power + BIN_FLOOR;
        sum += power;
        product *= power;
        count += 1;
        if count % FACTORS == 0 {
            logs += libm::log10(product);
            product = 1.0;
        }
    }
    if count == 0 {
        return 0.0;
    }
    logs += libm::log10(product);
    let count = count as f64;
    10.0 * (logs / count - libm::log10(sum / count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::Analyzer;
    use crate::biquad::{Biquad, BiquadCoefs};
    use crate::stream::Meter as _;
    use crate::synth::{demo_mix, pink_noise, silence, sine};

    fn texture(frames: &[Frame]) -> Texture {
        let mut analyzer = Analyzer::new(44_100, 2);
        analyzer.push(frames);
        analyzer.finish().texture
    }

    fn value(texture: &Texture, name: &str) -> f64 {
        let at = texture_names().iter().position(|known| known == name).expect(name);
        texture.values[at]
    }

    #[test]
    fn every_value_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<String> = texture_names().into_iter().collect();
        assert_eq!((names.len(), texture(&demo_mix(44_100, 4.0)).values.len()), (TEXTURE_VALUES, TEXTURE_VALUES));
    }

    #[test]
    fn an_equaliser_and_a_gain_change_next_to_nothing() {
        let song = demo_mix(44_100, 12.0);
        let moves = [BiquadCoefs::high_shelf(4000.0, -10.0, 44_100), BiquadCoefs::low_shelf(120.0, 6.0, 44_100)];
        let mut filters: Vec<Biquad> = moves.iter().map(|coefs| Biquad::new(*coefs)).collect();
        let dull: Vec<Frame> = song
            .iter()
            .map(|frame| filters.iter_mut().fold(frame.map(|x| 0.3 * f64::from(x)), |x, f| f.next(x)).map(|x| x as f32))
            .collect();
        let (before, after) = (texture(&song), texture(&dull));
        let noise = texture(&pink_noise(44_100, -20.0, 12.0, 5));
        let distance = |a: &Texture, b: &Texture| {
            a.values.iter().zip(&b.values).map(|(a, b)| (a - b).abs()).sum::<f64>() / TEXTURE_VALUES as f64
        };
        assert!(distance(&before, &after) < 0.1 * distance(&before, &noise));
    }

    #[test]
    fn noise_is_flat_a_tone_is_not_and_hits_rise_faster_than_pads() {
        let noise = texture(&pink_noise(44_100, -20.0, 10.0, 2));
        let tone = texture(&sine(44_100, 1000.0, -10.0, 10.0));
        let name = "flatness_moment_905hz";
        assert!(value(&noise, name) > -4.0 && value(&tone, name) < -20.0);
        let mut hits = silence(44_100, 10.0);
        let hit = pink_noise(44_100, -10.0, 0.03, 1);
        for beat in 0..19 {
            hits[beat * 22_050..][..hit.len()].copy_from_slice(&hit);
        }
        let swell: Vec<Frame> = pink_noise(44_100, -20.0, 10.0, 2)
            .into_iter()
            .enumerate()
            .map(|(n, frame)| frame.map(|x| x * (0.55 + 0.45 * libm::sin(n as f64 / 22_050.0 * 3.0)) as f32))
            .collect();
        let rise = "rise_1_of_16_905hz";
        assert!(value(&texture(&hits), rise) > value(&texture(&swell), rise) + 0.5);
    }

    #[test]
    fn silence_has_no_texture_and_a_short_sound_a_finite_one() {
        assert_eq!(texture(&silence(44_100, 2.0)), Texture::default());
        for frames in [1, 500, 3000, 20_000] {
            let values = texture(&pink_noise(44_100, -20.0, 1.0, 3)[..frames]).values;
            assert!(values.iter().all(|value| value.is_finite()), "{frames}");
        }
    }

    #[test]
    fn a_long_song_is_kept_in_blocks_of_which_none_is_torn() {
        let mut windows = TextureMeter::new(44_100).windows;
        let bins = vec![1e-6; 2049];
        for _ in 0..3 * MAX_WINDOWS {
            windows.note(&bins);
        }
        assert!(windows.powers.len() <= MAX_WINDOWS && windows.powers.len() > MAX_WINDOWS / 4);
        assert_eq!(windows.stride, 4);
    }
}
