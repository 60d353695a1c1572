//! The passage of a song to listen to.

use analyzer::excerpt::ExcerptKind;
use analyzer::profile::Profile;

/// An excerpt is this long where the song allows it, seconds.
pub const EXCERPT_S: f64 = 10.0;
/// Short-term loudness looks at this much, seconds.
const SHORT_TERM_S: f64 = 3.0;

/// Where to listen, in seconds from the start: around the loudest 3 s.
pub fn passage(song_s: f64, loudest_at_s: Option<f64>) -> [f64; 2] {
    let length_s = EXCERPT_S.min(song_s);
    let middle_s = loudest_at_s.map_or(song_s / 2.0, |at_s| at_s + SHORT_TERM_S / 2.0);
    let start_s = (middle_s - length_s / 2.0).clamp(0.0, song_s - length_s);
    [start_s, start_s + length_s]
}

/// Where to listen to a song of which only the profile is known.
pub fn passage_of(profile: &Profile) -> [f64; 2] {
    let rate = f64::from(profile.sample_rate_hz);
    let loud = profile.excerpts.iter().find(|excerpt| excerpt.kind == ExcerptKind::Loud);
    let middle = loud.map(|loud| (loud.start_frame as f64 + loud.frames as f64 / 2.0) / rate - SHORT_TERM_S / 2.0);
    passage(profile.seconds(), middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passage_lies_around_the_loudest_moment_and_inside_the_song() {
        assert_eq!(passage(200.0, Some(100.0)), [96.5, 106.5]);
        assert_eq!(passage(200.0, Some(0.0)), [0.0, 10.0]);
        assert_eq!(passage(200.0, Some(197.0)), [190.0, 200.0]);
        assert_eq!(passage(5.0, None), [0.0, 5.0]);
    }
}
