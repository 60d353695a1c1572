//! Measures how far the noise that a processor adds to a sound lies below the masking threshold of the sound.
//!
//! Noise-to-mask ratio after Brandenburg, "Evaluation of quality for audio encoding at low bit rates" (AES 82nd
//! Convention, 1987, preprint 2433), in half-Bark bands (Traunmüller, "Analytical expressions for the tonotopic sensory
//! scale", JASA 88(1), 1990). In every window and band, the part of the output that equals the input times a gain
//! counts as music, however large the gain; the rest is noise. So slow level changes cost nothing, but distortion and
//! fast modulation do. A band masks itself and its neighbours; the masking falls by 27 dB per Bark downwards and by 15
//! dB upwards.

use std::f64::consts::TAU;

use crate::fft::{Complex, RealFft};
use crate::lanes::Quad;
use crate::units::{db_from_power, power_from_db};

/// Frames of a window: 46 ms at 44.1 kHz.
const WINDOW: usize = 2048;
/// Windows that are transformed at once.
const LANES: usize = 4;
/// Bands per Bark.
const PER_BARK: f64 = 2.0;
/// Distance of the masking threshold below a band's own level, dB, and its slopes towards other bands.
const MASKED_DB: f64 = 12.0;
const DOWNWARDS_DB_PER_BARK: f64 = 27.0;
const UPWARDS_DB_PER_BARK: f64 = 15.0;
/// Level relative to the loudest band of the loudest window up to which nothing is audible, dB.
const SILENT_DB: f64 = -90.0;

/// Critical-band rate, Bark.
fn bark(hz: f64) -> f64 {
    26.81 * hz / (1960.0 + hz) - 0.53
}

/// A sound as a masker of noise.
pub struct Mask {
    fft: RealFft<Quad>,
    window: Vec<f32>,
    bands: Bands,
    /// Spectra of the sound, window by window.
    spectra: Vec<Vec<Complex<f32>>>,
}

impl Mask {
    /// Creates the mask of one channel.
    pub fn new(sound: &[f32], sample_rate_hz: u32) -> Self {
        let fft = RealFft::<Quad>::new(WINDOW);
        let hann = |n: usize| 0.5 - 0.5 * libm::cos(TAU * n as f64 / WINDOW as f64);
        let bands = Bands::new(fft.bins(), sample_rate_hz);
        let mut mask = Self { fft, window: (0..WINDOW).map(|n| hann(n) as f32).collect(), bands, spectra: Vec::new() };
        mask.spectra = mask.transformed(sound);
        mask
    }

    fn transformed(&self, sound: &[f32]) -> Vec<Vec<Complex<f32>>> {
        let mut fft = self.fft.clone();
        let (mut time, mut spectrum) = (fft.silence(), fft.empty_spectrum());
        let starts: Vec<usize> = (0..(sound.len() + 1).saturating_sub(WINDOW)).step_by(WINDOW / 2).collect();
        let mut spectra = Vec::with_capacity(starts.len());
        // One window per lane; unused lanes repeat the last window.
        for starts in starts.chunks(LANES) {
            for (n, frame) in time.iter_mut().enumerate() {
                let at = |lane: usize| starts[lane.min(starts.len() - 1)] + n;
                *frame = Quad::new(std::array::from_fn(|lane| sound[at(lane)] * self.window[n]));
            }
            fft.forward(&mut time, &mut spectrum);
            let of_lane = |lane: usize| {
                spectrum.iter().map(|bin| Complex::new(bin.re.lanes()[lane], bin.im.lanes()[lane])).collect()
            };
            spectra.extend((0..starts.len()).map(of_lane));
        }
        spectra
    }

    /// Returns the mean over time and bands of noise over masking threshold, dB; negative if most of the noise is
    /// masked. `output` is the processed sound, aligned with the original in time.
    pub fn noise_db(&self, output: &[f32]) -> f64 {
        let output = self.transformed(output);
        let windows: Vec<Compared> = self.spectra.iter().zip(&output).map(|(x, y)| self.bands.compare(x, y)).collect();
        self.bands.mean_db(&windows)
    }
}

/// Assignment of the bins to bands, and the masking between bands.
struct Bands {
    of_bin: Vec<usize>,
    count: usize,
    /// Masking of one band by another, as a power ratio, by the distance from the masking band to the masked one, from
    /// `-count` on.
    spread: Vec<f64>,
}

/// Powers of the bands of one window: of the input, and of the noise added to it, scaled to the input's level.
type Compared = Vec<[f64; 2]>;

impl Bands {
    fn new(bins: usize, sample_rate_hz: u32) -> Self {
        let hz = |bin: usize| bin as f64 * f64::from(sample_rate_hz) / WINDOW as f64;
        let of_bin: Vec<usize> = (0..bins).map(|bin| (bark(hz(bin)).max(0.0) * PER_BARK) as usize).collect();
        let count = of_bin.last().map_or(0, |band| band + 1);
        let spread = (0..2 * count).map(|n| {
            let barks = (n as f64 - count as f64) / PER_BARK;
            let slope = if barks < 0.0 { DOWNWARDS_DB_PER_BARK } else { UPWARDS_DB_PER_BARK };
            power_from_db(-MASKED_DB - slope * barks.abs())
        });
        Self { of_bin, count, spread: spread.collect() }
    }

    fn compare(&self, x: &[Complex<f32>], y: &[Complex<f32>]) -> Compared {
        let mut sums = vec![(0.0, 0.0, Complex::new(0.0, 0.0)); self.count];
        for ((x, y), band) in x.iter().zip(y).zip(&self.of_bin) {
            let (input, output, product) = &mut sums[*band];
            // In double precision, because the explained power is subtracted from the total.
            let [x, y] = [x, y].map(|bin| Complex::new(f64::from(bin.re), f64::from(bin.im)));
            *input += x.norm_sqr();
            *output += y.norm_sqr();
            *product += y * x.conj();
        }
        // The noise is scaled as if the output had the level of the input.
        let (inputs, outputs) = sums.iter().fold((0.0, 0.0), |(x, y), (input, output, _)| (x + input, y + output));
        let gain = if inputs > 0.0 && outputs > 0.0 { outputs / inputs } else { 1.0 };
        let added = |(input, output, product): (f64, f64, Complex<f64>)| {
            let explained = if input > 0.0 { product.norm_sqr() / input } else { 0.0 };
            [input, (output - explained).max(0.0) / gain]
        };
        sums.into_iter().map(added).collect()
    }

    fn mean_db(&self, windows: &[Compared]) -> f64 {
        let loudest = windows.iter().flatten().map(|[input, _]| *input).fold(0.0, f64::max);
        if loudest <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let floor = loudest * power_from_db(SILENT_DB);
        let (mut sum, mut count) = (0.0, 0u32);
        for window in windows {
            for band in 0..self.count {
                let hidden: f64 = window
                    .iter()
                    .enumerate()
                    .map(|(other, [input, _])| input * self.spread[band + self.count - other])
                    .sum();
                if window[band][0].max(window[band][1]) > floor {
                    sum += window[band][1] / hidden.max(floor);
                    count += 1;
                }
            }
        }
        db_from_power(sum / f64::from(count.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::{pink_noise, sine};

    const RATE: u32 = 44_100;

    fn noise_to_mask_db(input: &[f32], output: &[f32]) -> f64 {
        Mask::new(input, RATE).noise_db(output)
    }

    fn noise(level_db: f64, seed: u64) -> Vec<f32> {
        pink_noise(RATE, level_db, 3.0, seed).iter().map(|frame| frame[0]).collect()
    }

    #[test]
    fn a_gain_costs_nothing_and_more_noise_costs_more() {
        let song = noise(-20.0, 1);
        let with =
            |db: f64| -> Vec<f32> { song.iter().zip(noise(-20.0 + db, 2)).map(|(a, b)| 0.3 * (a + b)).collect() };
        let quieter: Vec<f32> = song.iter().map(|x| 0.3 * x).collect();
        assert!(noise_to_mask_db(&song, &quieter) < -80.0);
        let at = [-60.0, -40.0, -20.0].map(|db| noise_to_mask_db(&song, &with(db)));
        assert!((at[1] - at[0] - 20.0).abs() < 1.0 && (at[2] - at[1] - 20.0).abs() < 1.5, "{at:?}");
    }

    #[test]
    fn harmonics_of_a_low_tone_are_heard_and_those_under_noise_are_not() {
        let tone: Vec<f32> = sine(RATE, 200.0, -12.0, 3.0).iter().map(|frame| frame[0]).collect();
        let harmonic = sine(RATE, 2000.0, -52.0, 3.0);
        let cover = noise(-20.0, 3);
        let added = |song: &[f32]| -> Vec<f32> { song.iter().zip(&harmonic).map(|(a, b)| a + b[0]).collect() };
        let covered: Vec<f32> = tone.iter().zip(&cover).map(|(a, b)| a + b).collect();
        let (alone, under) = (noise_to_mask_db(&tone, &added(&tone)), noise_to_mask_db(&covered, &added(&covered)));
        assert!(alone > under + 10.0, "{alone}, {under}");
    }

    #[test]
    fn a_tremolo_costs_more_than_a_fade() {
        let song = noise(-20.0, 4);
        let moved = |hz: f64| -> Vec<f32> {
            let gain = |n: usize| 1.0 + 0.3 * libm::sin(TAU * hz * n as f64 / f64::from(RATE));
            song.iter().enumerate().map(|(n, x)| (f64::from(*x) * gain(n)) as f32).collect()
        };
        let (fade, tremolo) = (noise_to_mask_db(&song, &moved(0.5)), noise_to_mask_db(&song, &moved(25.0)));
        assert!(tremolo > fade + 20.0, "{fade}, {tremolo}");
    }
}
