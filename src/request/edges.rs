//! Requested edits to the head and tail of a song.

use std::fmt;
use std::str::FromStr;

use clap::Args;
use renderer::edges::{EdgeParams, FadeShape};
use renderer::params::OutOfRange;
use renderer::recipe::{Recipe, RecipeError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::request::text::{number, number_as_text, option_as_text};

/// Edits to the head and tail of a song, made before all other processing.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[command(next_help_heading = "Head and tail")]
pub struct EdgeSettings {
    /// Cuts silence and noise before the first sound, but for so many milliseconds, and after the last sound
    #[arg(long = "trim", value_name = "LEAD_IN_MS", allow_hyphen_values = true, value_parser = |text: &str| number(text, "milliseconds, as in 20"))]
    #[serde(rename = "trim", with = "number_as_text")]
    pub trim_lead_in_ms: Option<f64>,
    /// Fades the head in over so many seconds; shapes are smooth, linear and exponential
    #[arg(long, value_name = "SECONDS[:SHAPE]", allow_hyphen_values = true)]
    #[serde(with = "option_as_text")]
    pub fade_in: Option<Fade>,
    /// Fades the tail out, as in 8:exponential
    #[arg(long, value_name = "SECONDS[:SHAPE]", allow_hyphen_values = true)]
    #[serde(with = "option_as_text")]
    pub fade_out: Option<Fade>,
}

impl EdgeSettings {
    /// Returns the parameters for a recipe.
    ///
    /// # Errors
    /// A length that no recipe accepts.
    pub fn params(&self) -> Result<EdgeParams, Error> {
        let default = EdgeParams::default();
        let fade =
            |fade: Option<Fade>| fade.map_or((0.0, FadeShape::default()), |Fade { length_s, shape }| (length_s, shape));
        let ((fade_in_s, fade_in_shape), (fade_out_s, fade_out_shape)) = (fade(self.fade_in), fade(self.fade_out));
        let edges = EdgeParams {
            is_trimmed: self.trim_lead_in_ms.is_some(),
            lead_in_ms: self.trim_lead_in_ms.unwrap_or(default.lead_in_ms),
            fade_in_s,
            fade_in_shape,
            fade_out_s,
            fade_out_shape,
        };
        Ok(Recipe::checked(Recipe { edges, ..Recipe::default() }).map_err(by_flag)?.edges)
    }
}

/// Reports a value out of range under the name of its option.
fn by_flag(error: RecipeError) -> Error {
    let RecipeError::OutOfRange(OutOfRange { path, value, min, max }) = &error else { return error.into() };
    let (flag, unit) = match path.as_str() {
        "edges.lead_in_ms" => ("--trim", "ms"),
        "edges.fade_in_s" => ("--fade-in", "seconds"),
        "edges.fade_out_s" => ("--fade-out", "seconds"),
        _ => return error.into(),
    };
    Error::Usage(format!("{flag} {value} is not between {min} and {max} {unit}"))
}

/// A fade at an end of a song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fade {
    /// Length, s.
    pub length_s: f64,
    /// Shape of the curve.
    pub shape: FadeShape,
}

impl FromStr for Fade {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (length, shape) = text.split_once(':').unwrap_or((text, FadeShape::default().name()));
        let length_s = length.trim().parse().ok().filter(|seconds| (0.0..=f64::MAX).contains(seconds));
        let length_s = length_s
            .ok_or_else(|| format!("{text:?} is no fade: write SECONDS or SECONDS:SHAPE, as in 8:exponential"))?;
        let shape = FadeShape::ALL.into_iter().find(|known| shape.trim().eq_ignore_ascii_case(known.name()));
        let names = || FadeShape::ALL.map(FadeShape::name).join(", ");
        Ok(Self { length_s, shape: shape.ok_or_else(|| format!("the shape of a fade is one of {}", names()))? })
    }
}

impl fmt::Display for Fade {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}", self.length_s, self.shape.name())
    }
}

/// A fade that is longer than its song, so that all of the song fades.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LongFade {
    /// The end of the song that is faded.
    pub end: SongEnd,
    /// Length that was asked for, seconds.
    pub fade_s: f64,
    /// Length of the song, seconds.
    pub song_s: f64,
}

/// An end of a song.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SongEnd {
    /// The start, which fades in.
    Head,
    /// The last part, which fades out.
    Tail,
}

/// Difference up to which a fade is as long as its song, seconds: the step of fades in a recipe.
const SAME_LENGTH_S: f64 = 0.01;

impl LongFade {
    /// Returns the fades that are longer than a song of `song_s` seconds.
    pub fn all(edges: &EdgeParams, song_s: f64) -> Vec<Self> {
        let fades = [(SongEnd::Head, edges.fade_in_s), (SongEnd::Tail, edges.fade_out_s)];
        let long = fades.into_iter().filter(|(_, fade_s)| *fade_s > song_s + SAME_LENGTH_S);
        long.map(|(end, fade_s)| Self { end, fade_s, song_s }).collect()
    }
}

impl fmt::Display for LongFade {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { end, fade_s, song_s } = self;
        let fade = match end {
            SongEnd::Head => "fade-in",
            SongEnd::Tail => "fade-out",
        };
        write!(f, "{fade} of {fade_s:.2} s is longer than the song of {song_s:.2} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fade_is_too_long_if_it_is_longer_than_the_song() {
        let edges = EdgeParams { fade_in_s: 2.0, fade_out_s: 8.0, ..EdgeParams::default() };
        let words = |song_s| LongFade::all(&edges, song_s).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(words(7.995), [""; 0]);
        assert_eq!(words(4.0), ["fade-out of 8.00 s is longer than the song of 4.00 s"]);
        assert_eq!(words(1.5).len(), 2);
    }

    #[test]
    fn a_fade_is_a_length_and_a_shape() {
        assert_eq!("8".parse(), Ok(Fade { length_s: 8.0, shape: FadeShape::Smooth }));
        let fade = Fade { length_s: 2.5, shape: FadeShape::Exponential };
        assert_eq!(fade.to_string().parse(), Ok(fade));
        for wrong in ["", "-1", "nan", "x", "2:square", ":linear"] {
            assert!(wrong.parse::<Fade>().is_err(), "{wrong}");
        }
        let long = EdgeSettings { fade_in: Some(Fade { length_s: 1e6, ..fade }), ..EdgeSettings::default() };
        assert!(
            long.params()
                .is_err_and(|error| error.to_string().contains("--fade-in 1000000 is not between 0 and 120 seconds"))
        );
    }
}
