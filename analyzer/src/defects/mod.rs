//! Faults of a recording, each with its position and severity.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crossover::BANDS;
use crate::hum::Hum;
use crate::readings::{Excess, LoudnessReading, NoiseFloor};
use crate::samples::SampleReading;
use crate::units::{db_from_gain, gain_from_db};

/// A kind of fault, with the figures that describe it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", content = "values", rename_all = "snake_case")]
pub enum DefectKind {
    /// Several samples in a row at the same extreme value.
    Clipping {
        /// Number of places.
        flat_tops: u64,
        /// Length of the longest place, samples.
        longest_samples: u32,
    },
    /// Peaks between samples above full scale.
    InterSampleOvers {
        /// The highest peak, dBTP.
        true_peak_dbtp: f64,
    },
    /// A constant offset.
    DcOffset {
        /// Offset of the channel that has more, % of full scale.
        offset_pct: f64,
    },
    /// Almost no sound above a cutoff frequency, as left by a lossy codec.
    LossySource {
        /// Cutoff frequency, Hz.
        cutoff_hz: f64,
    },
    /// Almost no sound above a cutoff frequency, as left by a lower sample rate.
    LowRateSource {
        /// Cutoff frequency, Hz.
        cutoff_hz: f64,
    },
    /// The whole file is digital silence.
    Silence,
    /// Left and right mostly cancel in mono.
    OutOfPhase {
        /// K-weighted correlation of left and right, −1 to 1.
        correlation: f64,
    },
    /// Left and right are equal except for dither.
    Mono,
    /// Left and right are nearly equal.
    NearlyMono {
        /// Level of the side under the mid in the widest band, dB.
        side_under_mid_db: f64,
    },
    /// One channel is silent.
    OneChannel {
        /// The silent channel.
        silent: Channel,
    },
    /// Samples that are not numbers; they were read as silence.
    NotANumber {
        /// Number of such samples.
        samples: u64,
    },
    /// Gaps of digital silence inside the sound.
    Dropouts {
        /// Number of gaps.
        gaps: u64,
    },
    /// Steady lines at the mains frequency and its multiples.
    Hum {
        /// The mains frequency, Hz.
        mains_hz: f64,
        /// Level of the lines, dBFS.
        level_dbfs: f64,
    },
    /// A limiter has already levelled the peaks.
    Limited {
        /// Share of the time in which the peaks reach the same level, %.
        share_pct: f64,
    },
    /// Noise that can be heard in the pauses.
    Noise {
        /// Loudness of the noise under that of the music, LU.
        under_music_lu: f64,
    },
    /// Consonants or cymbals that hiss.
    Sibilance {
        /// Frequency, Hz.
        hz: f64,
        /// Level over the neighbouring bands, dB.
        excess_db: f64,
    },
    /// A bass note that is far louder than the others.
    Boom {
        /// Frequency, Hz.
        hz: f64,
        /// Level over the other bass notes, dB.
        excess_db: f64,
    },
    /// Long silence before or after the music.
    LongSilence {
        /// Silence before the music, seconds.
        head_s: f64,
        /// Silence after the music, seconds.
        tail_s: f64,
    },
}

impl DefectKind {
    /// Returns true if left and right are the same, or nearly.
    pub fn is_mono(&self) -> bool {
        matches!(self, Self::Mono | Self::NearlyMono { .. })
    }
}

/// One of two channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The first channel.
    Left,
    /// The second channel.
    Right,
}

/// A fault of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Defect {
    /// Kind of the fault, with its figures.
    #[serde(flatten)]
    pub kind: DefectKind,
    /// Severity, 0 (cosmetic) to 1 (the master will suffer).
    pub severity: f64,
    /// Time of the first occurrence, seconds.
    pub at_s: f64,
}

/// Readings in which the detectors find faults.
pub(crate) struct Evidence<'a> {
    pub sample_rate_hz: u32,
    pub channels: u8,
    pub samples: &'a SampleReading,
    pub true_peak: f64,
    pub cutoff_hz: f64,
    /// K-weighted sums of L², R² and L·R.
    pub weighted: [f64; 3],
    /// Level of side over mid in every band, dB.
    pub width_db: [f64; BANDS],
    pub loudness: &'a LoudnessReading,
    pub hum: Option<Hum>,
    pub sibilance: Option<Excess>,
    pub boom: Option<Excess>,
    /// Sample peak of every tenth of a second.
    pub peaks: &'a [f32],
    /// Median peak to short-term loudness ratio.
    pub psr_lu: f64,
}

/// Lowest inter-sample peak that is reported, dBTP: anything lower is within the difference between meters.
const OVERS_FROM_DBTP: f64 = 0.05;
/// Offset above which it is reported (−54 dBFS), if it also exceeds this share of the channel's RMS: less can be deep
/// bass.
const MIN_DC_OFFSET: f64 = 2e-3;
const MIN_DC_OFFSET_SHARE: f64 = 0.03;
/// Share of Nyquist above which a cutoff is normal, 18.96 kHz at 44.1 kHz: every converter and good encoder stops
/// somewhere above it.
const CUTOFF_SHARE: f64 = 0.86;
/// A cutoff from this frequency on is attributed to a lower sample rate, one below it to a lossy codec.
const LOSSY_UP_TO_HZ: f64 = 20_500.0;
/// Correlation below which mono loses most of the song.
const OUT_OF_PHASE_CORRELATION: f64 = -0.3;
/// Largest difference between channels that are equal except for dither; at most 1 % of the peak.
const MAX_MONO_SIDE_PEAK: f32 = 1e-4;
/// Highest peak of a silent channel; at most 1/1000 of the other channel's peak.
const MAX_SILENT_PEAK: f32 = 1e-4;

/// Largest number of gaps per second that counts as dropouts. More are part of the music: pulse waves have them.
const DROPOUTS_PER_SECOND: f64 = 0.5;
/// Distance from the highest peak within which the peaks of a limited song lie, dB.
const LIMITED_WITHIN_DB: f64 = 1.0;
/// Share of the tenths of a second that have such peaks in a limited song, more than this.
const LIMITED_SHARE: f64 = 0.5;
/// Lowest peak of a limited song, and the median PSR that it stays below.
const LIMITED_FROM_DBFS: f64 = -3.0;
const LIMITED_PSR_LU: f64 = 9.0;
/// Level of side over mid below which the side is hardly audible, dB, if it lies below it in every band.
const NARROW_DB: f64 = -30.0;
/// Largest distance from the noise up to the music at which the noise is reported, LU.
const NOISE_LU: f64 = 45.0;
/// Lengths from which silence at the head and at the tail is reported, seconds.
const HEAD_S: f64 = 2.0;
const TAIL_S: f64 = 5.0;

/// Returns every fault that the evidence shows, worst first.
pub(crate) fn defects(evidence: &Evidence) -> Vec<Defect> {
    let mut found: Vec<Defect> = [
        not_a_number(evidence),
        silence(evidence),
        clipping(evidence),
        overs(evidence),
        offset(evidence),
        lossy(evidence),
        phase(evidence),
        channels(evidence),
        dropouts(evidence),
        hum(evidence),
        noise(evidence),
        sibilance(evidence),
        boom(evidence),
        limited(evidence),
        long_silence(evidence),
    ]
    .into_iter()
    .flatten()
    .collect();
    found.sort_by(|a, b| b.severity.total_cmp(&a.severity));
    found
}

impl Evidence<'_> {
    fn defect(&self, kind: DefectKind, severity: f64, frame: u64) -> Option<Defect> {
        let at_s = frame as f64 / f64::from(self.sample_rate_hz);
        // A severity is meaningful to hundredths at most.
        let severity = libm::round(severity.clamp(0.0, 1.0) * 100.0) / 100.0;
        Some(Defect { kind, severity, at_s })
    }

    fn frame(&self, at_s: f64) -> u64 {
        (at_s * f64::from(self.sample_rate_hz)) as u64
    }

    fn seconds(&self) -> f64 {
        self.samples.frames as f64 / f64::from(self.sample_rate_hz)
    }

    fn peak(&self) -> f32 {
        self.samples.peaks[0].max(self.samples.peaks[1])
    }
}

/// Rounds to tenths: the figures of a defect are no more exact than that.
fn tenths(value: f64) -> f64 {
    libm::round(value * 10.0) / 10.0
}

fn not_a_number(e: &Evidence) -> Option<Defect> {
    let (samples, first) = (e.samples.unreadable, e.samples.first_unreadable);
    if samples == 0 {
        return None;
    }
    e.defect(DefectKind::NotANumber { samples }, 0.8, first)
}

fn silence(e: &Evidence) -> Option<Defect> {
    if e.peak() > 0.0 { None } else { e.defect(DefectKind::Silence, 1.0, 0) }
}

fn clipping(e: &Evidence) -> Option<Defect> {
    let tops = e.samples.flat_tops;
    if tops.runs == 0 {
        return None;
    }
    // A handful of flat tops in a song is cosmetic; ten per second are audible.
    let per_second = tops.runs as f64 / e.seconds().max(1.0);
    let severity = 0.5 + 0.25 * libm::log10(per_second.max(1e-3)) + 0.002 * f64::from(tops.longest.min(100));
    let kind = DefectKind::Clipping { flat_tops: tops.runs, longest_samples: tops.longest };
    e.defect(kind, severity.max(0.05), tops.first_frame)
}

fn overs(e: &Evidence) -> Option<Defect> {
    let true_peak_dbtp = db_from_gain(e.true_peak);
    if true_peak_dbtp < OVERS_FROM_DBTP {
        return None;
    }
    let kind = DefectKind::InterSampleOvers { true_peak_dbtp: tenths(true_peak_dbtp) };
    e.defect(kind, 0.1 + 0.1 * true_peak_dbtp, e.samples.first_full_scale.unwrap_or(0))
}

fn offset(e: &Evidence) -> Option<Defect> {
    let frames = e.samples.frames.max(1) as f64;
    let worst = (0..2)
        .map(|c| (e.samples.sums[c] / frames, libm::sqrt(e.samples.squares[c] / frames)))
        .filter(|(mean, rms)| mean.abs() > MIN_DC_OFFSET && mean.abs() > MIN_DC_OFFSET_SHARE * rms)
        .map(|(mean, _)| mean.abs())
        .reduce(f64::max)?;
    e.defect(DefectKind::DcOffset { offset_pct: tenths(100.0 * worst) }, 0.1 + 4.0 * worst, 0)
}

fn lossy(e: &Evidence) -> Option<Defect> {
    let (nyquist, cutoff_hz) = (f64::from(e.sample_rate_hz) / 2.0, e.cutoff_hz);
    if cutoff_hz > CUTOFF_SHARE * nyquist {
        return None;
    }
    if cutoff_hz < LOSSY_UP_TO_HZ {
        // MP3 at 128 kbit/s cuts off at 16 kHz.
        let severity = 0.2 + 0.1 * (19.0 - cutoff_hz / 1000.0).max(0.0);
        e.defect(DefectKind::LossySource { cutoff_hz }, severity, 0)
    } else {
        e.defect(DefectKind::LowRateSource { cutoff_hz }, 0.05, 0)
    }
}

fn phase(e: &Evidence) -> Option<Defect> {
    let [left, right, product] = e.weighted;
    let power = libm::sqrt(left * right);
    if e.channels < 2 || power <= 0.0 || product / power > OUT_OF_PHASE_CORRELATION {
        return None;
    }
    let correlation = libm::round(100.0 * product / power) / 100.0;
    let first = e.samples.first_sound.unwrap_or(0);
    e.defect(DefectKind::OutOfPhase { correlation }, 0.3 - 0.7 * product / power, first)
}

fn channels(e: &Evidence) -> Option<Defect> {
    let [left, right] = e.samples.peaks;
    if e.channels < 2 || e.peak() <= 0.0 {
        return None;
    }
    let first = e.samples.first_sound.unwrap_or(0);
    if e.samples.side_peak <= MAX_MONO_SIDE_PEAK.min(0.01 * e.peak()) {
        return e.defect(DefectKind::Mono, 0.1, first);
    }
    if left.min(right) <= MAX_SILENT_PEAK.min(1e-3 * e.peak()) {
        let silent = if left < right { Channel::Left } else { Channel::Right };
        return e.defect(DefectKind::OneChannel { silent }, 0.7, first);
    }
    let widest_db = e.width_db.into_iter().fold(f64::NEG_INFINITY, f64::max);
    let kind = DefectKind::NearlyMono { side_under_mid_db: tenths(-widest_db) };
    if widest_db < NARROW_DB { e.defect(kind, 0.05, first) } else { None }
}

fn dropouts(e: &Evidence) -> Option<Defect> {
    let gaps = e.samples.dropouts;
    if gaps.count == 0 || gaps.count as f64 > (DROPOUTS_PER_SECOND * e.seconds()).max(1.0) {
        return None;
    }
    e.defect(DefectKind::Dropouts { gaps: gaps.count }, 0.5, gaps.first_frame)
}

fn hum(e: &Evidence) -> Option<Defect> {
    let Hum { mains_hz, level_dbfs } = e.hum?;
    let kind = DefectKind::Hum { mains_hz, level_dbfs: tenths(level_dbfs) };
    e.defect(kind, 0.2 + 0.01 * (level_dbfs + 70.0), e.samples.first_sound.unwrap_or(0))
}

fn noise(e: &Evidence) -> Option<Defect> {
    let NoiseFloor { lufs, at_s } = e.loudness.noise_floor?;
    let under = e.loudness.integrated_lufs? - lufs;
    if under > NOISE_LU {
        return None;
    }
    let kind = DefectKind::Noise { under_music_lu: tenths(under) };
    e.defect(kind, 0.1 + 0.02 * (NOISE_LU - under), e.frame(at_s))
}

fn sibilance(e: &Evidence) -> Option<Defect> {
    let Excess { hz, excess_db, at_s, .. } = e.sibilance?;
    let kind = DefectKind::Sibilance { hz, excess_db: tenths(excess_db) };
    e.defect(kind, 0.1 + 0.02 * excess_db, e.frame(at_s))
}

fn boom(e: &Evidence) -> Option<Defect> {
    let Excess { hz, excess_db, at_s, .. } = e.boom?;
    let kind = DefectKind::Boom { hz, excess_db: tenths(excess_db) };
    e.defect(kind, 0.1 + 0.02 * excess_db, e.frame(at_s))
}

fn limited(e: &Evidence) -> Option<Defect> {
    let near = e.peak() * gain_from_db(-LIMITED_WITHIN_DB) as f32;
    let share = e.peaks.iter().filter(|&&peak| peak >= near).count() as f64 / e.peaks.len().max(1) as f64;
    let is_limited = share > LIMITED_SHARE && e.psr_lu < LIMITED_PSR_LU;
    if !is_limited || db_from_gain(f64::from(e.peak())) < LIMITED_FROM_DBFS {
        return None;
    }
    e.defect(DefectKind::Limited { share_pct: tenths(100.0 * share) }, 0.1 + 0.3 * share, 0)
}

fn long_silence(e: &Evidence) -> Option<Defect> {
    let seconds = |frames: u64| tenths(frames as f64 / f64::from(e.sample_rate_hz));
    let silence = e.samples.silence;
    let (head_s, tail_s) = (seconds(silence.head_frames), seconds(silence.tail_frames));
    if e.peak() <= 0.0 || (head_s < HEAD_S && tail_s < TAIL_S) {
        return None;
    }
    let frame = if head_s >= HEAD_S { 0 } else { e.samples.frames - silence.tail_frames };
    e.defect(DefectKind::LongSilence { head_s, tail_s }, 0.05, frame)
}

#[cfg(test)]
mod tests;
