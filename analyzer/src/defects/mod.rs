//! Faults of a recording, each with where and how bad.

use serde::{Deserialize, Serialize};

use crate::crossover::BANDS;
use crate::hum::Hum;
use crate::readings::{Excess, LoudnessReading, NoiseFloor};
use crate::samples::SampleReading;
use crate::units::{db_from_gain, gain_from_db};

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefectKind {
    /// Flat tops: several samples in a row at the same extreme value.
    Clipping,
    /// Peaks between samples above full scale.
    InterSampleOvers,
    /// A constant offset.
    DcOffset,
    /// Next to nothing above a frequency: the song was once lossy.
    LossySource,
    /// The whole file is digital silence.
    Silence,
    /// Left and right mostly cancel in mono.
    OutOfPhase,
    /// Left and right are equal, or all but.
    Mono,
    /// One channel is silent.
    OneChannel,
    /// Samples that are not numbers; they were read as silence.
    NotANumber,
    /// Gaps of digital silence, torn into the sound.
    Dropouts,
    /// Steady lines at the mains' frequency and its multiples.
    Hum,
    /// A limiter has already levelled the peaks.
    LimitedSource,
    /// Noise that can be heard in the pauses.
    Noise,
    /// Consonants or cymbals that hiss.
    Sibilance,
    /// A bass note that is far louder than the others.
    Boom,
    /// Long silence before or after the music.
    LongSilence,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defect {
    /// What.
    pub kind: DefectKind,
    /// 0 (cosmetic) to 1 (the master will suffer).
    pub severity: f64,
    /// Where it is first found, seconds.
    pub at_s: f64,
    /// For a person: what was found, and what to do about it.
    pub sentence: String,
}

/// What the detectors go by.
pub(crate) struct Evidence<'a> {
    pub sample_rate_hz: u32,
    pub channels: u8,
    pub samples: &'a SampleReading,
    pub true_peak: f64,
    pub cutoff_hz: f64,
    /// K-weighted sums of L², R² and L·R.
    pub weighted: [f64; 3],
    /// Side over mid of every band, dB.
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

/// Inter-sample peaks are named from here, dBTP: less is within the difference between meters.
const OVERS_FROM_DBTP: f64 = 0.05;
/// An offset is named above this (−54 dBFS) when it is also this share of the channel's RMS: less can be deep bass.
const OFFSET: f64 = 2e-3;
const OFFSET_SHARE: f64 = 0.03;
/// Every converter and good encoder stops somewhere above this share of Nyquist, 18.96 kHz at 44.1 kHz.
const CUTOFF_SHARE: f64 = 0.86;
/// Correlation under which mono loses most of the song.
const CORRELATION: f64 = -0.3;
/// Channels whose difference never exceeds this are equal but for dither.
const SAME: f32 = 1e-4;
/// A channel this far under the other, and under this, is silent.
const SILENT: f32 = 1e-4;

/// More gaps than so many per second are music: pulse waves have them.
const DROPOUTS_PER_SECOND: f64 = 0.5;
/// A limited song's peaks lie within this of the highest...
const LIMITED_WITHIN_DB: f64 = 1.0;
/// ...for more than this share of the tenths of a second, ...
const LIMITED_SHARE: f64 = 0.5;
/// ...near full scale, and little over its loudness.
const LIMITED_FROM_DBFS: f64 = -3.0;
const LIMITED_PSR_LU: f64 = 9.0;
/// A side this far under the mid in every band is hardly heard, dB.
const NARROW_DB: f64 = -30.0;
/// Noise closer to the music than this is named, LU.
const NOISE_LU: f64 = 45.0;
/// Longer silence at the head and the tail is named, seconds.
const HEAD_S: f64 = 2.0;
const TAIL_S: f64 = 5.0;

/// Every fault the evidence shows, worst first.
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
    fn defect(&self, kind: DefectKind, severity: f64, frame: u64, sentence: String) -> Option<Defect> {
        let at_s = frame as f64 / f64::from(self.sample_rate_hz);
        // Hundredths are as much as a severity means.
        let severity = libm::round(severity.clamp(0.0, 1.0) * 100.0) / 100.0;
        Some(Defect { kind, severity, at_s, sentence })
    }

    fn clock(&self, frame: u64) -> String {
        let tenths = frame * 10 / u64::from(self.sample_rate_hz);
        format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
    }

    fn seconds(&self) -> f64 {
        self.samples.frames as f64 / f64::from(self.sample_rate_hz)
    }

    fn peak(&self) -> f32 {
        self.samples.peaks[0].max(self.samples.peaks[1])
    }
}

fn not_a_number(e: &Evidence) -> Option<Defect> {
    let (count, first) = (e.samples.unreadable, e.samples.first_unreadable);
    if count == 0 {
        return None;
    }
    let sentence = format!(
        "{count} {} not numbers, the first at {}, and were read as silence. The export is damaged: make it again.",
        if count == 1 { "sample is" } else { "samples are" },
        e.clock(first)
    );
    e.defect(DefectKind::NotANumber, 0.8, first, sentence)
}

fn silence(e: &Evidence) -> Option<Defect> {
    if e.peak() > 0.0 {
        return None;
    }
    e.defect(DefectKind::Silence, 1.0, 0, "The file is silent from start to end.".into())
}

fn clipping(e: &Evidence) -> Option<Defect> {
    let tops = e.samples.flat_tops;
    if tops.runs == 0 {
        return None;
    }
    // A handful in a song is cosmetic; ten in a second is a sound.
    let per_second = tops.runs as f64 / e.seconds().max(1.0);
    let severity = 0.5 + 0.25 * libm::log10(per_second.max(1e-3)) + 0.002 * f64::from(tops.longest.min(100));
    let sentence = format!(
        "The mix clips: {} flat {} of up to {} samples, the first at {}. Mastering cannot undo that; export the mix \
         again with the master fader lower.",
        tops.runs,
        if tops.runs == 1 { "top" } else { "tops" },
        tops.longest,
        e.clock(tops.first_frame)
    );
    e.defect(DefectKind::Clipping, severity.max(0.05), tops.first_frame, sentence)
}

fn overs(e: &Evidence) -> Option<Defect> {
    let level = db_from_gain(e.true_peak);
    if level < OVERS_FROM_DBTP {
        return None;
    }
    let sentence = format!(
        "Peaks between the samples reach {level:+.1} dBTP: players and encoders clip them. The master stays \
         under its ceiling."
    );
    e.defect(DefectKind::InterSampleOvers, 0.1 + 0.1 * level, e.samples.first_full_scale.unwrap_or(0), sentence)
}

fn offset(e: &Evidence) -> Option<Defect> {
    let frames = e.samples.frames.max(1) as f64;
    let worst = (0..2)
        .map(|c| (e.samples.sums[c] / frames, libm::sqrt(e.samples.squares[c] / frames)))
        .filter(|(mean, rms)| mean.abs() > OFFSET && mean.abs() > OFFSET_SHARE * rms)
        .map(|(mean, _)| mean.abs())
        .reduce(f64::max)?;
    let sentence = format!(
        "The waveform sits {:.1} % of full scale off centre (a DC offset), which costs headroom. The chain's first \
         filter removes it.",
        100.0 * worst
    );
    e.defect(DefectKind::DcOffset, 0.1 + 4.0 * worst, 0, sentence)
}

fn lossy(e: &Evidence) -> Option<Defect> {
    let nyquist = f64::from(e.sample_rate_hz) / 2.0;
    if e.cutoff_hz > CUTOFF_SHARE * nyquist {
        return None;
    }
    let khz = e.cutoff_hz / 1000.0;
    let (severity, sentence) = if e.cutoff_hz < 20_500.0 {
        // 16 kHz is what MP3 at 128 kbit/s leaves.
        let severity = 0.2 + 0.1 * (19.0 - khz).max(0.0);
        let cause = "the song has probably been an MP3 or the like. Use the original export if there is one.";
        (severity, format!("There is next to nothing above {khz:.1} kHz: {cause}"))
    } else {
        let cause = "the file was probably made from one with a lower sample rate. That does no harm.";
        (0.05, format!("There is next to nothing above {khz:.1} kHz: {cause}"))
    };
    e.defect(DefectKind::LossySource, severity, 0, sentence)
}

fn phase(e: &Evidence) -> Option<Defect> {
    let [left, right, product] = e.weighted;
    let power = libm::sqrt(left * right);
    if e.channels < 2 || power <= 0.0 || product / power > CORRELATION {
        return None;
    }
    let correlation = product / power;
    let sentence = format!(
        "Left and right mostly cancel in mono (correlation {correlation:.2}). Check the polarity of a channel, or of a \
         stereo effect."
    );
    e.defect(DefectKind::OutOfPhase, 0.3 - 0.7 * correlation, e.samples.first_sound.unwrap_or(0), sentence)
}

fn channels(e: &Evidence) -> Option<Defect> {
    let [left, right] = e.samples.peaks;
    if e.channels < 2 || e.peak() <= 0.0 {
        return None;
    }
    let first = e.samples.first_sound.unwrap_or(0);
    if e.samples.side_peak <= SAME.min(0.01 * e.peak()) {
        let sentence = "Left and right are the same: a mono song in a stereo file. It will be mastered as it is.";
        return e.defect(DefectKind::Mono, 0.1, first, sentence.into());
    }
    if left.min(right) > SILENT.min(1e-3 * e.peak()) {
        let widest_db = e.width_db.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let sentence =
            format!("The song is all but mono: the side is at least {:.0} dB under the mid everywhere.", -widest_db);
        return if widest_db < NARROW_DB { e.defect(DefectKind::Mono, 0.05, first, sentence) } else { None };
    }
    let side = if left < right { "left" } else { "right" };
    let sentence = format!("The {side} channel is silent. If that is not meant, export the mix again.");
    e.defect(DefectKind::OneChannel, 0.7, first, sentence)
}

fn dropouts(e: &Evidence) -> Option<Defect> {
    let gaps = e.samples.dropouts;
    if gaps.count == 0 || gaps.count as f64 > (DROPOUTS_PER_SECOND * e.seconds()).max(1.0) {
        return None;
    }
    let sentence = format!(
        "The sound is torn by {} {} of digital silence, the first at {}. Listen there, and export the mix again.",
        gaps.count,
        if gaps.count == 1 { "gap" } else { "gaps" },
        e.clock(gaps.first_frame)
    );
    e.defect(DefectKind::Dropouts, 0.5, gaps.first_frame, sentence)
}

fn hum(e: &Evidence) -> Option<Defect> {
    let Hum { mains_hz, level_dbfs } = e.hum?;
    let sentence = format!(
        "There is mains hum at {mains_hz:.0} Hz and its multiples, {level_dbfs:.0} dBFS. Mastering makes it louder: \
         remove it in the mix."
    );
    e.defect(DefectKind::Hum, 0.2 + 0.01 * (level_dbfs + 70.0), e.samples.first_sound.unwrap_or(0), sentence)
}

fn noise(e: &Evidence) -> Option<Defect> {
    let NoiseFloor { lufs, at_s } = e.loudness.noise_floor?;
    let under = e.loudness.integrated_lufs? - lufs;
    if under > NOISE_LU {
        return None;
    }
    let frame = (at_s * f64::from(e.sample_rate_hz)) as u64;
    let sentence = format!(
        "There is noise in the pauses, {under:.0} LU under the music, as at {}. Mastering makes it louder with the music: \
         mute or clean the pauses in the mix.",
        e.clock(frame)
    );
    e.defect(DefectKind::Noise, 0.1 + 0.02 * (NOISE_LU - under), frame, sentence)
}

fn sibilance(e: &Evidence) -> Option<Defect> {
    let Excess { hz, excess_db, at_s, .. } = e.sibilance?;
    let frame = (at_s * f64::from(e.sample_rate_hz)) as u64;
    let sentence = format!(
        "S sounds or cymbals hiss around {:.0} kHz, {excess_db:.0} dB over what lies beside them, first at {}. \
         A de-esser on the track itself helps most.",
        hz / 1000.0,
        e.clock(frame)
    );
    e.defect(DefectKind::Sibilance, 0.1 + 0.02 * excess_db, frame, sentence)
}

fn boom(e: &Evidence) -> Option<Defect> {
    let Excess { hz, excess_db, at_s, .. } = e.boom?;
    let frame = (at_s * f64::from(e.sample_rate_hz)) as u64;
    let sentence = format!(
        "A bass note around {hz:.0} Hz booms: it is {excess_db:.0} dB louder than the others, first at {}. \
         Level the bass in the mix.",
        e.clock(frame)
    );
    e.defect(DefectKind::Boom, 0.1 + 0.02 * excess_db, frame, sentence)
}

fn limited(e: &Evidence) -> Option<Defect> {
    let near = e.peak() * gain_from_db(-LIMITED_WITHIN_DB) as f32;
    let share = e.peaks.iter().filter(|&&peak| peak >= near).count() as f64 / e.peaks.len().max(1) as f64;
    let is_limited = share > LIMITED_SHARE && e.psr_lu < LIMITED_PSR_LU;
    if !is_limited || db_from_gain(f64::from(e.peak())) < LIMITED_FROM_DBFS {
        return None;
    }
    let sentence = format!(
        "The song is already limited: its peaks reach the same level {:.0} % of the time. If there is a mix without a \
         limiter, use that.",
        100.0 * share
    );
    e.defect(DefectKind::LimitedSource, 0.1 + 0.3 * share, 0, sentence)
}

fn long_silence(e: &Evidence) -> Option<Defect> {
    let seconds = |frames: u64| frames as f64 / f64::from(e.sample_rate_hz);
    let (head_s, tail_s) = (seconds(e.samples.silence.head_frames), seconds(e.samples.silence.tail_frames));
    let (at_frame, sentence) = match (head_s >= HEAD_S, tail_s >= TAIL_S) {
        _ if e.peak() <= 0.0 => return None,
        (false, false) => return None,
        (true, false) => (0, format!("The song starts with {head_s:.1} s of silence.")),
        (false, true) => {
            let start = e.samples.frames - e.samples.silence.tail_frames;
            (start, format!("The song ends with {tail_s:.1} s of silence."))
        }
        (true, true) => (0, format!("The song starts with {head_s:.1} s and ends with {tail_s:.1} s of silence.")),
    };
    e.defect(DefectKind::LongSilence, 0.05, at_frame, sentence)
}

#[cfg(test)]
mod tests;
