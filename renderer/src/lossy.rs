//! Lossy codecs that a master can be made for, with the rates that each of them supports.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A codec that keeps the audible content of a song, but not its exact samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// MPEG-1 layer III (ISO/IEC 11172-3).
    Mp3,
    /// Opus (RFC 6716).
    Opus,
}

/// Bit rates of MPEG-1 layer III that are useful for music, kbit/s.
const MP3_KBPS: [u32; 9] = [64, 96, 112, 128, 160, 192, 224, 256, 320];

/// Bit rates at which Opus encodes full-band music, kbit/s; the highest is that of its longest packet.
const OPUS_KBPS: std::ops::RangeInclusive<u32> = 64..=510;

impl Codec {
    /// Sample rates that the codec supports, low to high, Hz.
    pub fn rates_hz(self) -> &'static [u32] {
        match self {
            Self::Mp3 => &[32_000, 44_100, 48_000],
            Self::Opus => &[48_000],
        }
    }

    /// Returns the sample rate for a source: the source's own if the codec supports it; otherwise the lowest supported
    /// multiple of it, else the highest supported rate that divides it, else the highest.
    pub fn rate_hz(self, source_hz: u32) -> u32 {
        let rates = self.rates_hz();
        let above = rates.iter().find(|rate| rate.is_multiple_of(source_hz.max(1)));
        let below = rates.iter().rev().find(|rate| source_hz.is_multiple_of(**rate));
        *above.or(below).unwrap_or(&rates[rates.len() - 1])
    }

    /// Default bit rate, kbit/s.
    pub fn usual_kbps(self) -> u32 {
        match self {
            Self::Mp3 => 320,
            Self::Opus => 160,
        }
    }

    fn holds_kbps(self, kbps: u32) -> bool {
        match self {
            Self::Mp3 => MP3_KBPS.contains(&kbps),
            Self::Opus => OPUS_KBPS.contains(&kbps),
        }
    }

    /// Returns the bit rates in words.
    fn bitrates(self) -> String {
        match self {
            Self::Mp3 => listed(&MP3_KBPS),
            Self::Opus => format!("{} to {}", OPUS_KBPS.start(), OPUS_KBPS.end()),
        }
    }
}

/// Returns the numbers as a list in words: "1, 2 or 3".
fn listed(numbers: &[u32]) -> String {
    let words: Vec<String> = numbers.iter().map(u32::to_string).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Mp3 => "MP3",
            Self::Opus => "Opus",
        })
    }
}

/// Codec and bit rate of a lossy file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossyParams {
    /// Codec of the file.
    pub codec: Codec,
    /// Bits per second, in thousands: constant in MP3, the mean in Opus.
    pub bitrate_kbps: u32,
}

/// A bit rate or sample rate that a codec does not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LossyError {
    /// The bit rate is not supported.
    #[error("{codec} has no bit rate of {kbps} kbit/s: choose {}", codec.bitrates())]
    Bitrate {
        /// The codec.
        codec: Codec,
        /// The refused bit rate, kbit/s.
        kbps: u32,
    },
    /// The sample rate is not supported.
    #[error("{codec} cannot hold {hz} Hz: choose {} Hz", listed(codec.rates_hz()))]
    SampleRate {
        /// The codec.
        codec: Codec,
        /// The refused sample rate, Hz.
        hz: u32,
    },
}

impl LossyParams {
    /// Creates the parameters for a codec at a bit rate, or at its default bit rate.
    pub fn new(codec: Codec, bitrate_kbps: Option<u32>) -> Self {
        Self { codec, bitrate_kbps: bitrate_kbps.unwrap_or(codec.usual_kbps()) }
    }

    /// Checks that the codec supports its bit rate, and the sample rate if one is given.
    ///
    /// # Errors
    /// If it does not; the error lists the supported values.
    pub fn check(&self, sample_rate_hz: Option<u32>) -> Result<(), LossyError> {
        let Self { codec, bitrate_kbps: kbps } = *self;
        if !codec.holds_kbps(kbps) {
            return Err(LossyError::Bitrate { codec, kbps });
        }
        match sample_rate_hz.filter(|hz| !codec.rates_hz().contains(hz)) {
            Some(hz) => Err(LossyError::SampleRate { codec, hz }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_a_codec_does_not_hold_becomes_the_nearest_in_a_whole_ratio() {
        let cases = [
            (44_100, 44_100),
            (32_000, 32_000),
            (96_000, 48_000),
            (88_200, 44_100),
            (176_400, 44_100),
            (192_000, 48_000),
            (22_050, 44_100),
            (8_000, 32_000),
            (24_000, 48_000),
            (37_800, 48_000),
            (0, 32_000),
        ];
        for (source, rate) in cases {
            assert_eq!(Codec::Mp3.rate_hz(source), rate, "{source}");
            assert_eq!(Codec::Opus.rate_hz(source), 48_000);
        }
    }

    #[test]
    fn what_a_codec_does_not_hold_is_named_with_what_it_holds() {
        let words = |codec, kbps, hz| LossyParams::new(codec, kbps).check(hz).map_err(|e| e.to_string());
        assert_eq!(words(Codec::Mp3, None, Some(44_100)), Ok(()));
        assert_eq!(words(Codec::Opus, Some(510), None), Ok(()));
        assert_eq!(
            words(Codec::Mp3, Some(300), None),
            Err("MP3 has no bit rate of 300 kbit/s: choose 64, 96, 112, 128, 160, 192, 224, 256 or 320".to_owned())
        );
        assert_eq!(
            words(Codec::Opus, Some(0), None),
            Err("Opus has no bit rate of 0 kbit/s: choose 64 to 510".to_owned())
        );
        assert_eq!(
            words(Codec::Mp3, None, Some(96_000)),
            Err("MP3 cannot hold 96000 Hz: choose 32000, 44100 or 48000 Hz".to_owned())
        );
        assert_eq!(
            words(Codec::Opus, None, Some(44_100)),
            Err("Opus cannot hold 44100 Hz: choose 48000 Hz".to_owned())
        );
    }
}
