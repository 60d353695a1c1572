//! Readings of the meters, as plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crossover::BANDS;
use crate::punch::Punch;

/// Loudness of the whole song.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoudnessReading {
    /// Gated loudness of the whole; `None` when no block passes the gate (silence, or under 400 ms).
    pub integrated_lufs: Option<f64>,
    /// Loudest 400 ms; `None` under 400 ms.
    pub max_momentary_lufs: Option<f64>,
    /// Loudest 3 s; `None` under 3 s.
    pub max_short_term_lufs: Option<f64>,
    /// Loudness range (LRA); 0 if there is too little sound to measure it.
    pub range_lu: f64,
    /// Share of the time, 0 to 1, whose momentary loudness lies from −70 to −69 LUFS, from −69 to −68, and so on to the
    /// loudest. Quieter moments count in the total time but have no bin.
    pub histogram: Vec<f64>,
    /// Steady noise in the pauses, if there is any.
    pub noise_floor: Option<NoiseFloor>,
}

/// Steady noise that is left when the music pauses.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoiseFloor {
    /// Loudness of the noise, LUFS.
    pub lufs: f64,
    /// Time at which it can be heard alone, seconds.
    pub at_s: f64,
}

/// Peaks of the louder channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeakReading {
    /// Largest interpolated magnitude, dBTP.
    pub true_peak_dbtp: f64,
    /// Largest sample magnitude, dBFS.
    pub sample_peak_dbfs: f64,
}

/// Long-term spectrum of mid and side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpectrumReading {
    /// Half the sum of left and right.
    pub mid: Spectrum,
    /// Half the difference of left and right.
    pub side: Spectrum,
    /// Frequency above which there is almost no sound, as left by a lossy codec; Nyquist if nothing is cut off.
    pub cutoff_hz: f64,
    /// Slope of the mid's band levels from 100 Hz to 10 kHz, dB per octave.
    pub tilt_db_per_octave: f64,
    /// Mean frequency, weighted by amplitude; 0 for silence.
    pub centroid_hz: f64,
    /// Frequency below which 95 % of the power lies; 0 for silence.
    pub rolloff_hz: f64,
    /// Geometric over arithmetic mean of the power per bin in the bands of [`crate::crossover`]: 0 for noise, far
    /// below for tones, dB.
    pub flatness_db: [f64; BANDS],
    /// Narrow peaks that stick out most of the time, lowest first.
    pub resonances: Vec<Resonance>,
    /// Consonants or cymbals that hiss now and then, far more than the song does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sibilance: Option<Excess>,
    /// A bass note that is far louder than the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boom: Option<Excess>,
}

/// A part of the spectrum that sticks out now and then.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Excess {
    /// Frequency, Hz.
    pub hz: f64,
    /// Level over the neighbouring bands while it sticks out, dB.
    pub excess_db: f64,
    /// Median of that level over all windows, dB; 0 for a boom.
    pub usual_db: f64,
    /// Share of the time during which it sticks out, 0 to 1.
    pub share: f64,
    /// Time of the first occurrence, seconds.
    pub at_s: f64,
}

/// A narrow peak of the spectrum that does not move with the music.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resonance {
    /// Frequency, within a 24th of an octave.
    pub hz: f64,
    /// Mean level over the third of an octave on either side, dB.
    pub prominence_db: f64,
    /// Share of the time during which it sticks out, 0 to 1.
    pub share: f64,
}

/// Band levels over time, dBFS (a full-scale sine reads −3.01), one value per spectrum band unless said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spectrum {
    /// Mean power over the whole song.
    pub mean_db: Vec<f64>,
    /// Mean power in the [`THIRD_OCTAVES`](crate::spectrum_bands::THIRD_OCTAVES), which are wide enough that a single
    /// note does not decide a band.
    pub third_octave_db: Vec<f64>,
    /// Mean power, linear (a full-scale sine reads ½), in the [`FINE_BANDS`](crate::spectrum_bands::FINE_BANDS); not
    /// part of the written profile.
    #[serde(skip)]
    pub fine: Vec<f64>,
    /// Mean power over the loudest third of the time.
    pub loud_db: Vec<f64>,
    /// 10th percentile of the level over time; as in the other percentiles, digital silence is left out.
    pub p10_db: Vec<f64>,
    /// Median level.
    pub p50_db: Vec<f64>,
    /// Level that is exceeded a tenth of the time.
    pub p90_db: Vec<f64>,
}

/// Dynamics per band and of the whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DynamicsReading {
    /// The four bands of [`crate::crossover`].
    pub bands: [BandDynamics; BANDS],
    /// Peak to short-term loudness ratio (PSR) exceeded 90, 50 and 5 % of the time, LU, from sample peaks.
    pub psr_p10_p50_p95_lu: [f64; 3],
}

/// Level statistics of one band; levels are mean power of left and right. Frames more than 20 dB under the band's mean
/// are pauses and do not count, except in `level_db`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BandDynamics {
    /// Mean power over the whole song, dBFS.
    pub level_db: f64,
    /// Mean power while the band sounds: pauses do not count, dBFS.
    pub sounding_db: f64,
    /// Peak that is exceeded in one frame of 50 ms out of twenty, over the mean level, dB.
    pub crest_db: f64,
    /// Standard deviation of the level in frames of 10 ms, dB.
    pub spread_10ms_db: f64,
    /// The same for 100 ms.
    pub spread_100ms_db: f64,
    /// The same for a second.
    pub spread_1s_db: f64,
    /// Short-term dynamics of the mid in frames of 50 ms.
    #[serde(default)]
    pub mid: Punch,
}

/// The stereo image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StereoReading {
    /// Level of side over mid per band of [`crate::crossover`], −60 to +20 dB.
    pub width_db: [f64; BANDS],
    /// Correlation of left and right per band, −1 to 1; 1 for silence.
    pub correlation: [f64; BANDS],
    /// Level of left over right, dB; 0 for silence.
    pub balance_db: f64,
    /// The same per band.
    pub band_balance_db: [f64; BANDS],
    /// Power lost by summing to mono, K-weighted: 0 for mono, 3 for uncorrelated channels, LU: 10·log10((L²+R²)/(2·M²)).
    pub mono_loss_lu: f64,
}

/// Tempo and rhythm of the song.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RhythmReading {
    /// Beats per minute, 60 to 180 and right up to a factor of two; `None` without a pulse.
    pub tempo_bpm: Option<f64>,
    /// Regularity of the pulse: autocorrelation of the onsets one beat apart, 0 to 1.
    pub confidence: f64,
    /// Sudden rises of level (notes, drum hits) per second.
    pub onsets_per_s: f64,
    /// Share of the energy that lasts for less than a tenth of a second (hits, not notes), 0 to 1; mean over the
    /// bands that are not empty.
    pub percussive_share: f64,
}

/// Silence at the head and the tail: peaks under −90 dBFS, in steps of 10 ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceReading {
    /// Silent frames before the first sound; the whole length if there is none.
    pub head_frames: u64,
    /// Silent frames after the last sound.
    pub tail_frames: u64,
}
