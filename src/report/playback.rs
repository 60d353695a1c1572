//! Playback on streaming services: the gain that each one applies to a song.

use serde::Serialize;

use crate::report::Levels;
use crate::request::destination::codec_room_db;

/// Policy of a service for songs that are quieter than its target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QuietSongPolicy {
    /// Leaves quiet songs as they are.
    Leave,
    /// Turns quiet songs up, but keeps their true peak under this, dBTP.
    UpTo(f64),
    /// Turns all quiet songs up, with a limiter or by an engineer.
    TurnUp,
}

/// A service and its playback rules.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Service {
    /// Its name.
    pub name: &'static str,
    /// Loudness at which songs are played, LUFS; not a number if the service changes no level.
    pub plays_at_lufs: f64,
    /// Policy for quieter songs.
    pub turns_up: QuietSongPolicy,
    /// Highest true peak that the service asks for, dBTP.
    pub asks_for_dbtp: f64,
    /// True if the service encodes songs with a lossy codec, which raises peaks.
    pub is_lossy: bool,
    /// Source of the figures.
    pub source: &'static str,
}

/// The services, with loudness normalisation at its usual setting, as published by them or measured from outside.
pub const SERVICES: [Service; 8] = [
    Service {
        name: "Spotify",
        plays_at_lufs: -14.0,
        turns_up: QuietSongPolicy::UpTo(-1.0),
        asks_for_dbtp: -1.0,
        is_lossy: true,
        source: "Spotify, support page “Loudness normalization”",
    },
    Service {
        name: "Apple Music",
        plays_at_lufs: -16.0,
        turns_up: QuietSongPolicy::UpTo(-1.0),
        asks_for_dbtp: -1.0,
        is_lossy: true,
        source: "Sound Check as commonly measured; AES TD1008 (2021)",
    },
    Service {
        name: "YouTube",
        plays_at_lufs: -14.0,
        turns_up: QuietSongPolicy::Leave,
        asks_for_dbtp: -1.0,
        is_lossy: true,
        source: "player’s “Stats for nerds”, as commonly measured",
    },
    Service {
        name: "Tidal",
        plays_at_lufs: -14.0,
        turns_up: QuietSongPolicy::Leave,
        asks_for_dbtp: -1.0,
        is_lossy: false,
        source: "as commonly measured; AES TD1008 (2021)",
    },
    Service {
        name: "Amazon Music",
        plays_at_lufs: -14.0,
        turns_up: QuietSongPolicy::Leave,
        asks_for_dbtp: -2.0,
        is_lossy: true,
        source: "as commonly measured",
    },
    Service {
        name: "Deezer",
        plays_at_lufs: -15.0,
        turns_up: QuietSongPolicy::Leave,
        asks_for_dbtp: -1.0,
        is_lossy: true,
        source: "as commonly measured",
    },
    Service {
        name: "Radio and television (EBU)",
        plays_at_lufs: -23.0,
        turns_up: QuietSongPolicy::TurnUp,
        asks_for_dbtp: -1.0,
        is_lossy: false,
        source: "EBU R 128 (2023)",
    },
    Service {
        name: "CD, download, club",
        plays_at_lufs: f64::NAN,
        turns_up: QuietSongPolicy::Leave,
        asks_for_dbtp: 0.0,
        is_lossy: false,
        source: "nothing is turned up or down",
    },
];

/// Playback of one song at one service.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Playback {
    /// Name of the service.
    pub service: &'static str,
    /// Gain that the service applies, dB.
    pub gain_db: f64,
    /// Loudness after the gain, LUFS.
    pub lufs: f64,
    /// True peak after the gain and before any lossy encoding, dBTP.
    pub true_peak_dbtp: f64,
    /// Loudness below that of other songs there, LU; 0 where it is as loud as they are.
    pub quieter_lu: f64,
    /// Height above full scale to which an encoder may raise the file's peaks, dB; 0 if they stay below.
    pub encoder_over_db: f64,
    /// Excess of the file's true peak over the service's limit, dB; 0 if there is none.
    pub over_limit_db: f64,
    /// Source of the figures.
    pub source: &'static str,
}

impl Service {
    /// Returns the playback of a song at this service; `None` if the song has no loudness.
    pub fn plays(&self, song: &Levels) -> Option<Playback> {
        let (lufs, peak) = (song.integrated_lufs?, song.true_peak_dbtp);
        let wanted_db = if self.plays_at_lufs.is_nan() { 0.0 } else { self.plays_at_lufs - lufs };
        let gain_db = match self.turns_up {
            _ if wanted_db <= 0.0 => wanted_db,
            QuietSongPolicy::Leave => 0.0,
            QuietSongPolicy::UpTo(ceiling_dbtp) => wanted_db.min(ceiling_dbtp - peak).max(0.0),
            QuietSongPolicy::TurnUp => wanted_db,
        };
        let room_db = if self.is_lossy { codec_room_db(lufs) } else { 0.0 };
        Some(Playback {
            service: self.name,
            gain_db,
            lufs: lufs + gain_db,
            quieter_lu: (wanted_db - gain_db).max(0.0),
            true_peak_dbtp: peak + gain_db,
            encoder_over_db: (peak + room_db).max(0.0),
            // True-peak meters differ slightly.
            over_limit_db: if peak > self.asks_for_dbtp + 0.05 { peak - self.asks_for_dbtp } else { 0.0 },
            source: self.source,
        })
    }
}

/// Returns the playback of a song at all services.
pub fn playback(song: &Levels) -> Vec<Playback> {
    SERVICES.iter().filter_map(|service| service.plays(song)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain(service: &str, lufs: f64, true_peak_dbtp: f64) -> f64 {
        let song = Levels {
            integrated_lufs: Some(lufs),
            max_short_term_lufs: None,
            range_lu: 0.0,
            true_peak_dbtp,
            plr_lu: None,
        };
        playback(&song).into_iter().find(|p| p.service == service).expect("known").gain_db
    }

    #[test]
    fn loud_songs_are_turned_down_and_quiet_ones_up_as_far_as_their_peaks_allow() {
        assert_eq!(gain("Spotify", -8.0, -1.0), -6.0);
        // Spotify's own example: −20 LUFS with peaks at −5 dB comes up to −16.
        assert_eq!(gain("Spotify", -20.0, -5.0), 4.0);
        assert_eq!(gain("Spotify", -20.0, 0.5), 0.0);
        assert_eq!(gain("YouTube", -20.0, -10.0), 0.0);
        assert_eq!(gain("Radio and television (EBU)", -25.0, -10.0), 2.0);
        assert_eq!(gain("CD, download, club", -8.0, -0.3), 0.0);
    }
}
