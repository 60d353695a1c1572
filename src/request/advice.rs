//! Advice on what to request instead: as options of the command line or, in the alternate form (`{:#}`), as controls on
//! the page of `goldmaster ui`.

use std::fmt::{Display, Formatter, Result};

/// Advice on what to request instead, appended to the description of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Set another loudness than the reference's.
    SetLoudness,
    /// Be as loud as the reference.
    AsLoudAsReference,
    /// Be about as loud as the mix.
    StayAsLoud {
        /// Loudness of the mix, LUFS.
        lufs: i32,
    },
    /// Be as loud as streaming services play.
    StreamingLoudness,
    /// Apply all of the difference to the reference.
    FollowAsItIs,
    /// Fade the song out.
    FadeOut,
    /// Limit further.
    MoreLimiting,
    /// Lower single hits further.
    LowerHits,
    /// Make all songs of an album equally loud.
    EquallyLoud,
    /// Try another loudness for an album.
    OtherLoudness,
}

impl Display for Advice {
    fn fmt(&self, f: &mut Formatter) -> Result {
        let [command_line, page] = match self {
            Self::SetLoudness => ["set the loudness with --loudness", "set the loudness"],
            Self::AsLoudAsReference => {
                ["--loudness auto makes it as loud as the reference", "Set the loudness of the reference to get it"]
            }
            Self::StayAsLoud { lufs } if f.alternate() => {
                return write!(f, "set the loudness to {lufs}, or choose Club under “Made for”");
            }
            Self::StayAsLoud { lufs } => return write!(f, "--loudness {lufs} or --for club"),
            Self::StreamingLoudness => [
                "choose --for spotify, or --loudness -14",
                "choose one of them under “Made for”, or set the loudness to −14",
            ],
            Self::FollowAsItIs => [
                "apply all of it with --match literal",
                "apply all of it: “Follow the record”, “its spectrum as it is”",
            ],
            Self::FadeOut => ["fade it out with --fade-out", "with a fade"],
            Self::MoreLimiting => {
                ["allow more with --max-limiting-db", "start from “loud”, which allows more, or set it quieter"]
            }
            Self::LowerHits => ["allow more with --set delivery.max_peak_limiting_db=..", "set it quieter"],
            Self::EquallyLoud => {
                ["--album-balance even makes all songs equally loud", "exported each by itself they are equally loud"]
            }
            Self::OtherLoudness => ["try another --loudness", "try another loudness"],
        };
        f.write_str(if f.alternate() { page } else { command_line })
    }
}
