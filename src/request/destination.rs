//! Destinations of a master, and their requirements.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A place that masters are delivered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Destination {
    /// −14 LUFS, −1 dBTP
    Spotify,
    /// −16 LUFS, −1 dBTP
    AppleMusic,
    /// −14 LUFS, −1 dBTP
    Youtube,
    /// −14 LUFS, −1 dBTP
    Tidal,
    /// −14 LUFS, −2 dBTP
    Amazon,
    /// −15 LUFS, −1 dBTP
    Deezer,
    /// −10 LUFS, −0.3 dBTP, 44.1 kHz, 16 bit
    Cd,
    /// −8 LUFS, −1 dBTP
    Club,
    /// −23 LUFS, −1 dBTP (EBU R 128)
    Broadcast,
    /// −16 LUFS, −1 dBTP
    Podcast,
    /// −16 LUFS, −3 dBTP: mono bass, gentle highs, next to no limiting
    Vinyl,
}

/// Loudness and limits that a destination asks for.
pub struct Requirements {
    /// Integrated loudness, LUFS.
    pub loudness_lufs: f64,
    /// Highest true peak, dBTP.
    pub ceiling_dbtp: f64,
    /// Limits on gain reduction if they are lower than usual, dB: the reduction exceeded 5 % of the time, and that of
    /// single peaks.
    pub max_limiting_db: Option<[f64; 2]>,
}

/// Requirements of a destination for a finished file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Specification {
    /// Integrated loudness.
    pub loudness: LoudnessRule,
    /// Highest true peak, dBTP.
    pub ceiling_dbtp: f64,
    /// The only sample rate accepted, Hz; `None` if several are.
    pub rate_hz: Option<u32>,
    /// Lowest sample rate accepted, Hz.
    pub least_rate_hz: u32,
    /// The only word length accepted, bits; `None` if several are.
    pub bits: Option<u32>,
    /// Shortest word length accepted, bits.
    pub least_bits: u32,
    /// True if lossy files are accepted.
    pub takes_lossy: bool,
    /// True if title, artist, album, cover and ISRC are expected.
    pub wants_tags: bool,
}

/// Loudness rule of a destination.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LoudnessRule {
    /// Everything is played at this loudness.
    Normalised {
        /// The playback loudness, LUFS.
        lufs: f64,
    },
    /// The loudness must be within a tolerance.
    Within {
        /// Required loudness, LUFS.
        lufs: f64,
        /// Tolerance, LU.
        tolerance_lu: f64,
    },
    /// Any loudness is accepted.
    Free,
}

crate::request::text::value_enum_text!(Destination);

impl Destination {
    /// Returns the name under which people know the place; its text form is that of the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spotify => "Spotify",
            Self::AppleMusic => "Apple Music",
            Self::Youtube => "YouTube",
            Self::Tidal => "Tidal",
            Self::Amazon => "Amazon Music",
            Self::Deezer => "Deezer",
            Self::Cd => "CD",
            Self::Club => "Club",
            Self::Broadcast => "Broadcast",
            Self::Podcast => "Podcast",
            Self::Vinyl => "Vinyl",
        }
    }

    /// Returns the requirements for a finished file. Services: lossless, at 44.1 kHz or more and 16 bits or more,
    /// according to their delivery guides. CD: IEC 60908. Broadcast: EBU R 128 (2023), ±0.5 LU, at 48 kHz. Podcasts:
    /// −16 ±1 LUFS (Apple).
    pub fn specification(self) -> Specification {
        let Requirements { loudness_lufs: lufs, ceiling_dbtp, .. } = self.requirements();
        let service = Specification {
            loudness: LoudnessRule::Normalised { lufs },
            ceiling_dbtp,
            rate_hz: None,
            least_rate_hz: 44_100,
            bits: None,
            least_bits: 16,
            takes_lossy: false,
            wants_tags: true,
        };
        match self {
            Self::Spotify | Self::AppleMusic | Self::Youtube | Self::Tidal | Self::Amazon | Self::Deezer => service,
            Self::Cd => {
                Specification { loudness: LoudnessRule::Free, rate_hz: Some(44_100), bits: Some(16), ..service }
            }
            Self::Club | Self::Vinyl => Specification { loudness: LoudnessRule::Free, wants_tags: false, ..service },
            Self::Broadcast => Specification {
                loudness: LoudnessRule::Within { lufs, tolerance_lu: 0.5 },
                rate_hz: Some(48_000),
                wants_tags: false,
                ..service
            },
            Self::Podcast => Specification {
                loudness: LoudnessRule::Within { lufs, tolerance_lu: 1.0 },
                takes_lossy: true,
                wants_tags: false,
                ..service
            },
        }
    }

    /// Returns loudness and limits. Spotify: its own support pages. Broadcast: EBU R 128 (2023). AES TD1008 (2021)
    /// gives −16 LUFS for music and podcasts. Apple Music's Sound Check, Tidal, Deezer, Amazon and YouTube publish
    /// little; their figures are the ones commonly measured. CD and club have no standard: their figures lie within the
    /// usual ranges, −10 to −8 and −9 to −6 LUFS. A vinyl record is cut at the level that its engineer chooses; what
    /// counts there is that hits are left alone.
    pub fn requirements(self) -> Requirements {
        let (loudness_lufs, ceiling_dbtp) = match self {
            Self::Spotify | Self::Youtube | Self::Tidal => (-14.0, -1.0),
            Self::AppleMusic | Self::Podcast => (-16.0, -1.0),
            Self::Amazon => (-14.0, -2.0),
            Self::Deezer => (-15.0, -1.0),
            Self::Cd => (-10.0, -0.3),
            Self::Club => (-8.0, -1.0),
            Self::Broadcast => (-23.0, -1.0),
            Self::Vinyl => (-16.0, -3.0),
        };
        let max_limiting_db = (self == Self::Vinyl).then_some(VINYL_LIMITING_DB);
        Requirements { loudness_lufs, ceiling_dbtp, max_limiting_db }
    }
}

/// Limits on gain reduction for vinyl, dB: the reduction exceeded 5 % of the time, and that of single hits.
const VINYL_LIMITING_DB: [f64; 2] = [1.0, 3.0];

/// Loudness of a master, LUFS, and rise of its true peak in a lossy encode, dB: the 95th percentile measured for MP3 at
/// 128 kbit/s, Vorbis at quality 5 and Opus at 128 kbit/s (`renderer/BENCH.md`). AAC encoders differ more: ffmpeg's own
/// raises peaks by up to 2.7 dB more than this at −9 LUFS.
const CODEC_ROOM: [(f64, f64); 3] = [(-14.0, 0.5), (-11.5, 0.9), (-9.0, 1.3)];

/// Returns the room under the ceiling that a lossy encode of a master needs, dB.
pub fn codec_room_db(loudness_lufs: f64) -> f64 {
    let [(quiet, least), .., (_, most)] = CODEC_ROOM;
    if loudness_lufs <= quiet {
        return least;
    }
    let between = CODEC_ROOM.windows(2).find(|pair| loudness_lufs <= pair[1].0);
    between.map_or(most, |pair| {
        let share = (loudness_lufs - pair[0].0) / (pair[1].0 - pair[0].0);
        pair[0].1 + share * (pair[1].1 - pair[0].1)
    })
}
