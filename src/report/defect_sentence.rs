//! Sentences about defects of a recording.

use std::fmt::{Display, Formatter, Result};

use analyzer::defects::{Channel, DefectKind};

/// A defect of a recording, to be described in a sentence that also says what to do about it.
pub(super) struct DefectSentence<'a> {
    pub kind: &'a DefectKind,
    /// True if the defect is in the mix rather than in another file.
    pub is_in_mix: bool,
    /// Time of the first occurrence, seconds.
    pub at_s: Option<f64>,
}

/// Formats a time as minutes, seconds and tenths.
fn clock(seconds: f64) -> String {
    let tenths = (seconds.max(0.0) * 10.0 + 1e-6) as u64;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

/// Formats a count with its noun: "1 gap" or "3 gaps".
fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

impl Display for DefectSentence<'_> {
    fn fmt(&self, f: &mut Formatter) -> Result {
        let first = self.at_s.map_or_else(String::new, |at_s| format!(", first at {}", clock(at_s)));
        let (it, its) = if self.is_in_mix { ("The mix", "the mix") } else { ("The file", "the file") };
        match *self.kind {
            DefectKind::Clipping { flat_tops, longest_samples } => write!(
                f,
                "{it} clips: {} of up to {longest_samples} samples{first}. Mastering cannot undo clipping: export the mix \
                 again with the master fader lower.",
                counted(flat_tops, "flat top", "flat tops"),
            ),
            DefectKind::InterSampleOvers { true_peak_dbtp } => write!(
                f,
                "Peaks between the samples reach {true_peak_dbtp:+.1} dBTP, which players and encoders clip. A master \
                 stays under its ceiling."
            ),
            DefectKind::DcOffset { offset_pct } => write!(
                f,
                "The waveform is {offset_pct:.1} % of full scale off centre (DC offset), which costs headroom. Mastering \
                 removes it."
            ),
            DefectKind::LossySource { cutoff_hz } => write!(
                f,
                "There is no sound above {:.1} kHz: {its} was probably an MP3 or another lossy file. Use the original \
                 export if there is one.",
                cutoff_hz / 1000.0
            ),
            DefectKind::LowRateSource { cutoff_hz } => write!(
                f,
                "There is no sound above {:.1} kHz: {its} was probably made at a lower sample rate. That does no harm.",
                cutoff_hz / 1000.0
            ),
            DefectKind::Silence => f.write_str("The file is silent from start to end."),
            DefectKind::OutOfPhase { correlation } => write!(
                f,
                "Left and right mostly cancel each other in mono (correlation {correlation:.2}). Check the polarity of a \
                 channel or of a stereo effect."
            ),
            DefectKind::Mono => f.write_str("Left and right are identical: this is a mono song in a stereo file."),
            DefectKind::NearlyMono { side_under_mid_db } => write!(
                f,
                "The song is nearly mono: the side is at least {side_under_mid_db:.0} dB below the mid everywhere."
            ),
            DefectKind::OneChannel { silent } => {
                let silent = match silent {
                    Channel::Left => "left",
                    Channel::Right => "right",
                };
                write!(f, "The {silent} channel is silent. If that is not intended, export the mix again.")
            }
            DefectKind::NotANumber { samples } => write!(
                f,
                "{} not valid numbers{first}; they are replaced by silence. The file is damaged: export the mix again.",
                counted(samples, "sample is", "samples are"),
            ),
            DefectKind::Dropouts { gaps } => write!(
                f,
                "The sound has {} of digital silence in it{first}. Listen there, and export the mix again.",
                counted(gaps, "gap", "gaps"),
            ),
            DefectKind::Hum { mains_hz, level_dbfs } => write!(
                f,
                "There is mains hum at {mains_hz:.0} Hz and its multiples ({level_dbfs:.0} dBFS). Mastering makes it \
                 louder: remove it in the mix."
            ),
            DefectKind::Limited { share_pct } => write!(
                f,
                "The song is already limited: its peaks reach the same level {share_pct:.0} % of the time. Use a mix \
                 without a limiter if there is one."
            ),
            DefectKind::Noise { under_music_lu } => write!(
                f,
                "There is noise in the pauses, {under_music_lu:.0} LU below the music{first}. Mastering makes it louder: mute \
                 or clean the pauses in the mix."
            ),
            DefectKind::Sibilance { hz, excess_db } => write!(
                f,
                "S sounds or cymbals are harsh around {:.0} kHz, {excess_db:.0} dB above the neighbouring bands{first}. A \
                 de-esser on the track itself helps most.",
                hz / 1000.0
            ),
            DefectKind::Boom { hz, excess_db } => write!(
                f,
                "A bass note around {hz:.0} Hz booms: it is {excess_db:.0} dB louder than the others{first}. Even out the \
                 bass in the mix."
            ),
            DefectKind::LongSilence { head_s, tail_s } => match (head_s > 0.5, tail_s > 0.5) {
                (true, true) => {
                    write!(f, "The song starts with {head_s:.1} s and ends with {tail_s:.1} s of silence.")
                }
                (true, false) => write!(f, "The song starts with {head_s:.1} s of silence."),
                _ => write!(f, "The song ends with {tail_s:.1} s of silence."),
            },
        }
    }
}
