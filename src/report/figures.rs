//! Data of the drawings: measurements over time and over frequency, reduced to as many values as a drawing can show.

use analyzer::crossover::BANDS;
use analyzer::profile::Profile;
use analyzer::readings::{LoudnessReading, SpectrumReading};
use analyzer::spectrum::k_weights;
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};
use analyzer::timeline::Timeline;
use analyzer::tone::Tone;
use analyzer::units::{db_from_power, gain_from_db, power_from_db};
use models::features::{MID, SIDE};
use models::target::Target;
use renderer::recipe::Recipe;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::render::promises::Measured;
use crate::render::series::{Series, rounded};

/// Interval of the peak values, seconds.
const PEAK_STEP_S: f64 = 0.01;
/// Interval of the short-term loudness values, seconds.
const SHORT_TERM_STEP_S: f64 = 0.1;
/// Window length of the short-term loudness, seconds.
const SHORT_TERM_S: f64 = 3.0;
/// Lowest loudness that is drawn, LUFS.
const QUIETEST_LUFS: f64 = -70.0;
/// Number of points of the equaliser's curves.
const EQUALIZER_POINTS: usize = 121;

/// All drawings of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// The mix; absent when a recipe was replayed without measuring.
    pub before: Option<SoundFigures>,
    /// The master.
    pub after: SoundFigures,
    /// The limiter's gain reduction; absent where nothing was mastered.
    pub limiting: Option<Series>,
    /// Gain of each band's compressor, low to high; absent for a band that passes unchanged.
    pub band_gain: Vec<Option<Series>>,
    /// The equaliser's curves.
    pub equalizer: Option<Equalizer>,
}

/// Drawings of one sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SoundFigures {
    /// Length, seconds.
    pub seconds: f64,
    /// Sample peaks over time, linear.
    pub peaks: Series,
    /// K-weighted root mean square of a channel over time, linear.
    pub rms: Series,
    /// Short-term loudness over time, LUFS; empty under 3 s.
    pub short_term_lufs: Series,
    /// Start of the loudest 3 s, seconds.
    pub loudest_at_s: Option<f64>,
    /// See [`LoudnessReading::histogram`].
    pub histogram: Vec<f64>,
    /// Mean level of mid and side per quarter octave, dBFS; null of a master whose mix was not measured.
    pub spectrum: Option<SpectrumFigure>,
    /// Side over mid, and correlation, per band; null for mono.
    pub image: Option<ImageFigure>,
}

/// Mean level per quarter octave from 20 Hz, dBFS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpectrumFigure {
    /// Half the sum of left and right.
    pub mid_db: Vec<f64>,
    /// Half the difference.
    pub side_db: Vec<f64>,
    /// Frequency above which there is next to no sound, Hz.
    pub cutoff_hz: f64,
}

impl SpectrumFigure {
    /// Returns the levels of mid and side over the loudness that they have together, LU.
    pub fn over_own_loudness(&self) -> [Vec<f64>; 2] {
        over_own_loudness([self.mid_db.clone(), self.side_db.clone()])
    }
}

/// The stereo image per band of the crossover.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImageFigure {
    /// Level of side over mid, dB.
    pub width_db: [f64; BANDS],
    /// Correlation of left and right, −1 to 1.
    pub correlation: [f64; BANDS],
}

/// Curves of the equaliser, at frequencies evenly spaced in octaves from 20 Hz to 20 kHz.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Equalizer {
    /// The frequencies, Hz.
    pub hz: Vec<f64>,
    /// Gain of half the sum of left and right, dB.
    pub mid_db: Vec<f64>,
    /// Gain of half the difference, dB; absent for mono.
    pub side_db: Option<Vec<f64>>,
}

/// Spectrum of the target, relative to its loudness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetSpectrum {
    /// Mean level of the mid per quarter octave over the K-weighted power of the whole spectrum, LU.
    pub mid_lu: Vec<f64>,
    /// The same for the side, LU.
    pub side_lu: Vec<f64>,
    /// Spread of similar songs around it, as a standard deviation, LU; 0 for chosen records.
    pub mid_spread_lu: Vec<f64>,
    /// Frequency above which the target is undefined, Hz.
    pub cutoff_hz: f64,
}

/// Lowest level over the loudness, LU. Anything below is only noise.
const FLOOR_LU: f64 = -70.0;
/// Sample rate for the K-weights of the bands, Hz.
const WEIGHTED_AT_HZ: u32 = 48_000;
/// Loudness of a K-weighted power of 1 (BS.1770-5), LU.
const BS1770_OFFSET_LU: f64 = -0.691;

/// Returns levels of mid and side over the loudness that they have together, LU. The expectation of many records is a mean
/// of levels, which has less power than any one record of that loudness: compared at its nominal loudness, every song would
/// seem to have too much of everything.
pub(crate) fn over_own_loudness(levels_db: [Vec<f64>; 2]) -> [Vec<f64>; 2] {
    let weights = k_weights(WEIGHTED_AT_HZ);
    let weighted =
        |levels: &Vec<f64>| -> f64 { levels.iter().zip(weights).map(|(db, weight)| weight * power_from_db(*db)).sum() };
    // Left and right together have twice the power of mid and side.
    let lufs = BS1770_OFFSET_LU + db_from_power(2.0 * levels_db.iter().map(weighted).sum::<f64>());
    levels_db.map(|levels| levels.into_iter().map(|db| (db - lufs).max(FLOOR_LU)).collect())
}

fn levels(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    values.into_iter().map(|db| rounded(db, 2)).collect()
}

impl SoundFigures {
    /// Creates the figures of a sound measured from start to end.
    pub fn of_profile(profile: &Profile, timeline: &Timeline) -> Self {
        Self {
            spectrum: Some(SpectrumFigure::of(&profile.spectrum)),
            image: ImageFigure::of(profile.channels, profile.stereo.width_db, profile.stereo.correlation),
            ..Self::of_timeline(profile.seconds(), &profile.loudness, timeline)
        }
    }

    /// Creates the figures of a master, without its spectrum.
    pub fn of_master(measured: &Measured, channels: u8, sample_rate_hz: u32) -> Self {
        let seconds = measured.frames as f64 / f64::from(sample_rate_hz);
        let image = ImageFigure::of(channels, measured.bands.width_db, measured.bands.correlation);
        Self { image, ..Self::of_timeline(seconds, &measured.loudness, &measured.timeline) }
    }

    /// Adds a spectrum, estimated from another version of the song: that version's spectrum over the whole song,
    /// changed by the difference between the two at some moments.
    pub fn with_tone_like(self, song: &Self, [tone, song_tone]: [&Tone; 2]) -> Self {
        let spectrum = song.spectrum.as_ref().map(|spectrum| SpectrumFigure {
            mid_db: levels(spectrum.mid_db.iter().zip(tone.mid_over_db(song_tone)).map(|(db, over)| db + over)),
            side_db: levels(spectrum.side_db.iter().zip(tone.side_over_db(song_tone)).map(|(db, over)| db + over)),
            cutoff_hz: spectrum.cutoff_hz,
        });
        Self { spectrum, ..self }
    }

    /// Creates the figures that are drawn over time, without spectrum and image.
    pub fn of_timeline(seconds: f64, loudness: &LoudnessReading, timeline: &Timeline) -> Self {
        let highest = |run: &[f32]| run.iter().fold(0.0f64, |highest, peak| highest.max(f64::from(*peak)));
        let loudest = |run: &[f32]| run.iter().fold(QUIETEST_LUFS, |loudest, lufs| loudest.max(f64::from(*lufs)));
        let root_mean =
            |run: &[f32]| (run.iter().map(|power| f64::from(*power)).sum::<f64>() / run.len().max(1) as f64).sqrt();
        let short_term = &timeline.short_term_lufs;
        let start_s = SHORT_TERM_S / 2.0;
        Self {
            seconds: rounded(seconds, 3),
            peaks: Series::folded(&timeline.peaks, PEAK_STEP_S / 2.0, PEAK_STEP_S, 4, highest),
            rms: Series::folded(&timeline.powers, PEAK_STEP_S / 2.0, PEAK_STEP_S, 4, root_mean),
            short_term_lufs: Series::folded(short_term, start_s, SHORT_TERM_STEP_S, 1, loudest),
            loudest_at_s: loudest_at(short_term),
            histogram: loudness.histogram.iter().map(|share| rounded(*share, 5)).collect(),
            spectrum: None,
            image: None,
        }
    }
}

/// Returns the start of the loudest 3 s, seconds; of several equally loud ones, the first.
fn loudest_at(short_term_lufs: &[f32]) -> Option<f64> {
    let mut loudest: Option<(usize, f32)> = None;
    for (n, lufs) in short_term_lufs.iter().enumerate() {
        if loudest.is_none_or(|(_, other)| *lufs > other) {
            loudest = Some((n, *lufs));
        }
    }
    loudest.filter(|(_, lufs)| f64::from(*lufs) > QUIETEST_LUFS).map(|(n, _)| rounded(n as f64 * SHORT_TERM_STEP_S, 1))
}

impl SpectrumFigure {
    fn of(reading: &SpectrumReading) -> Self {
        Self {
            mid_db: levels(reading.mid.mean_db.iter().copied()),
            side_db: levels(reading.side.mean_db.iter().copied()),
            cutoff_hz: reading.cutoff_hz,
        }
    }
}

impl ImageFigure {
    fn of(channels: u8, width_db: [f64; BANDS], correlation: [f64; BANDS]) -> Option<Self> {
        let round = |values: [f64; BANDS], digits| values.map(|value| rounded(value, digits));
        (channels == 2).then(|| Self { width_db: round(width_db, 2), correlation: round(correlation, 3) })
    }
}

impl Equalizer {
    /// Returns the curves of a recipe, up to half the sample rate.
    pub fn of(recipe: &Recipe, channels: u8, sample_rate_hz: u32) -> Self {
        // A ratio of 1000 corresponds to a gain of 60 dB.
        let at = |n: usize| 20.0 * gain_from_db(60.0 * n as f64 / (EQUALIZER_POINTS - 1) as f64);
        let hz = (0..EQUALIZER_POINTS).map(at).filter(|hz| *hz < f64::from(sample_rate_hz) / 2.0);
        let hz: Vec<f64> = hz.map(|hz| rounded(hz, 1)).collect();
        let eq = &recipe.match_eq;
        let gains = |curve| levels(hz.iter().map(|hz| eq.gain_db_at(curve, *hz)));
        Self { mid_db: gains(&eq.mid_db), side_db: (channels == 2).then(|| gains(&eq.side_db)), hz }
    }
}

impl TargetSpectrum {
    /// Returns the spectrum of a target.
    pub fn of(target: &Target) -> Self {
        let part = |start: usize, of: &[f64]| of[start..start + SPECTRUM_BANDS].to_vec();
        let [mid_lu, side_lu] = over_own_loudness([MID, SIDE].map(|start| part(start, &target.features)));
        Self {
            mid_lu: levels(mid_lu),
            side_lu: levels(side_lu),
            mid_spread_lu: levels(part(MID, &target.spread)),
            cutoff_hz: target.cutoff_hz.min(band_centre_hz(SPECTRUM_BANDS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spectrum_and_a_quieter_one_of_its_shape_are_the_same_at_their_own_loudness() {
        let mid: Vec<f64> = (0..SPECTRUM_BANDS).map(|band| -20.0 - (band % 7) as f64).collect();
        let side: Vec<f64> = mid.iter().map(|db| db - 12.0).collect();
        let quieter = [&mid, &side].map(|levels| levels.iter().map(|db| db - 3.0).collect());
        let [of_one, of_other] = [[mid, side], quieter].map(over_own_loudness);
        let weights = k_weights(WEIGHTED_AT_HZ);
        let levels = of_one.iter().flat_map(|levels| levels.iter().zip(weights));
        let power: f64 = levels.map(|(db, weight)| 2.0 * weight * power_from_db(*db)).sum();
        assert!((db_from_power(power) + BS1770_OFFSET_LU).abs() < 1e-9, "0 LU");
        let differences =
            of_one.iter().flatten().zip(of_other.iter().flatten()).map(|(one, other)| (one - other).abs());
        assert!(differences.fold(0.0, f64::max) < 1e-9);
    }

    #[test]
    fn the_loudest_passage_is_the_first_of_equals_and_none_in_silence() {
        assert_eq!(loudest_at(&[-30.0, -10.0, -20.0, -10.0]), Some(0.1));
        assert_eq!(loudest_at(&[-120.0, -120.0]), None);
        assert_eq!(loudest_at(&[]), None);
    }
}
