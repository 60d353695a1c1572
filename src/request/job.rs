//! What is to be done, checked. Which of argument, preset, target and default wins is decided here and nowhere else.

use std::path::PathBuf;

use models::amounts::Amounts;
use models::genre;
use models::norm::UNIVERSAL;
use renderer::params::OutOfRange;
use renderer::recipe::{DeliveryParams, OutputParams, Recipe, RecipeError, SampleFormat};

use crate::error::Error;
use crate::io::output_spec::Format;
use crate::request::destination::{Destination, codec_room_db};
use crate::request::page::Page;

/// Who decides.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    clap::ValueEnum,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DeciderKind {
    /// The ONNX network.
    #[default]
    Model,
    /// Hand-written rules.
    Rules,
    /// Nobody: loudness and ceiling alone are brought about.
    None,
}

/// How a reference is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchKind {
    /// Its master, not its song: what the decider makes of the difference.
    #[default]
    Style,
    /// Its spectrum as it is, within ±6 dB (mid) and ±9 dB (side), and nothing else.
    Literal,
}

/// The loudness that was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LoudnessTarget {
    /// So many LUFS.
    Lufs(f64),
    /// What is typical of the target: the reference's own, or the norm's.
    Auto,
}

impl std::str::FromStr for LoudnessTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        text.parse().map(Self::Lufs).map_err(|_| format!("{text:?} is neither a number of LUFS nor `auto`"))
    }
}

/// What a song without references or profile goes towards.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Genre {
    /// What finished records of all kinds have in common.
    #[default]
    Universal,
    /// What the genres that it sounds like have in common, as far as they can be told.
    Auto,
    /// What a genre has in common.
    Named(String),
}

impl std::str::FromStr for Genre {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = genre_names()?;
        match text {
            "auto" => Ok(Self::Auto),
            UNIVERSAL => Ok(Self::Universal),
            _ if names.iter().any(|name| name == text) => Ok(Self::Named(text.to_owned())),
            _ => Err(format!("{text:?} is no genre that is known: choose auto, {}", names.join(", "))),
        }
    }
}

/// The names that a song can be given or told: those of the profiles.
fn genre_names() -> Result<Vec<String>, String> {
    let profiles = genre::profiles().map_err(|e| e.to_string())?;
    Ok(profiles.into_iter().map(|profile| profile.name).chain([UNIVERSAL.to_owned()]).collect())
}

/// Weights are relative: nobody needs larger ones.
const MAX_WEIGHT: f64 = 1e6;

/// A finished record to learn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Its file.
    pub path: PathBuf,
    /// Its share against the other references.
    pub weight: f64,
}

impl std::str::FromStr for Reference {
    type Err = String;

    /// `FILE` or `FILE:WEIGHT`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((path, weight)) = text.rsplit_once(':')
            && let Ok(weight) = weight.parse::<f64>()
            && !path.is_empty()
        {
            return if weight > 0.0 && weight <= MAX_WEIGHT {
                Ok(Self { path: path.into(), weight })
            } else {
                Err(format!("the weight of a reference must be a positive number up to {MAX_WEIGHT}, not {weight}"))
            };
        }
        Ok(Self { path: text.into(), weight: 1.0 })
    }
}

/// A finished record that songs of one genre come close to.
#[derive(Clone, Debug, PartialEq)]
pub struct GenreReference {
    /// The genre's name.
    pub genre: String,
    /// The record.
    pub reference: Reference,
}

impl std::str::FromStr for GenreReference {
    type Err = String;

    /// `GENRE=FILE` or `GENRE=FILE:WEIGHT`: no genre has an equals sign in its name, a file may.
    fn from_str(text: &str) -> Result<Self, String> {
        let (genre, file) = text.split_once('=').ok_or("must be GENRE=FILE, as in rock=hit.flac")?;
        let names = genre_names()?;
        if !names.iter().any(|name| name == genre) {
            return Err(format!("{genre:?} is no genre that is known: choose {}", names.join(", ")));
        }
        if file.is_empty() {
            return Err(format!("the record for {genre} is missing: name its file, as in {genre}=hit.flac"));
        }
        Ok(Self { genre: genre.to_owned(), reference: file.parse()? })
    }
}

/// A master is not asked to be quieter or louder than this for a reference's sake, LUFS.
const QUIETEST_LUFS: f64 = -50.0;
const LOUDEST_LUFS: f64 = -3.0;

/// What was asked for about loudness and samples; `None` leaves it to preset, target or default.
#[derive(Clone, Debug, Default)]
pub struct DeliveryRequest {
    /// `--for`.
    pub destination: Option<Destination>,
    /// `--loudness`.
    pub loudness: Option<LoudnessTarget>,
    /// `--ceiling`.
    pub ceiling_dbtp: Option<f64>,
    /// `--max-limiting-db`.
    pub max_limiting_db: Option<f64>,
    /// `--codec-safe`.
    pub is_codec_safe: bool,
    /// `--rate`.
    pub sample_rate_hz: Option<u32>,
    /// `--bits`.
    pub sample_format: Option<SampleFormat>,
}

impl DeliveryRequest {
    /// The delivery part of a recipe. `target_lufs` is what is typical of the target, `has_reference` whether the user chose it;
    /// the master is as loud as a reference then, but for its sake no denser than `least_plr_lu`, if that is given.
    ///
    /// # Errors
    /// A value that no recipe accepts.
    pub fn delivery(
        &self,
        target_lufs: f64,
        has_reference: bool,
        least_plr_lu: Option<f64>,
    ) -> Result<DeliveryParams, Error> {
        let preset = self.destination.map(Destination::requirements);
        // A reference may be quieter or louder than any master is asked to be.
        let typical = target_lufs.clamp(QUIETEST_LUFS, LOUDEST_LUFS);
        let default = DeliveryParams::default();
        let ceiling_dbtp =
            self.ceiling_dbtp.or(preset.as_ref().map(|p| p.ceiling_dbtp)).unwrap_or(default.ceiling_dbtp);
        let loudness_lufs = match (self.loudness, &preset) {
            (Some(LoudnessTarget::Lufs(lufs)), _) => lufs,
            (Some(LoudnessTarget::Auto), _) => typical,
            (None, Some(preset)) => preset.loudness_lufs,
            (None, None) if has_reference => least_plr_lu.map_or(typical, |plr| typical.min(ceiling_dbtp - plr)),
            (None, None) => default.loudness_lufs,
        };
        let room_db = if self.is_codec_safe { codec_room_db(loudness_lufs) } else { 0.0 };
        let ceiling_dbtp = ceiling_dbtp - room_db;
        let max_limiting_db = self.max_limiting_db.unwrap_or(default.max_limiting_db);
        let recipe =
            Recipe { delivery: DeliveryParams { loudness_lufs, ceiling_dbtp, max_limiting_db }, ..Recipe::default() };
        Ok(Recipe::checked(recipe).map_err(by_flag)?.delivery)
    }

    /// The output part of a recipe.
    ///
    /// # Errors
    /// A sample rate that cannot be written.
    pub fn output(&self) -> Result<OutputParams, Error> {
        let cd = self.destination == Some(Destination::Cd);
        let sample_rate_hz = self.sample_rate_hz.or(cd.then_some(44_100));
        let sample_format =
            self.sample_format.unwrap_or(if cd { SampleFormat::Int16 } else { SampleFormat::default() });
        let output = OutputParams { sample_rate_hz, sample_format, ..OutputParams::default() };
        Ok(Recipe::checked(Recipe { output, ..Recipe::default() }).map_err(by_flag)?.output)
    }
}

/// A value out of range, by the name that the user gave it.
fn by_flag(error: RecipeError) -> Error {
    let RecipeError::OutOfRange(OutOfRange { path, value, min, max }) = &error else { return error.into() };
    let (flag, unit) = match path.as_str() {
        "delivery.loudness_lufs" => ("--loudness", "LUFS"),
        "delivery.ceiling_dbtp" => ("--ceiling", "dBTP"),
        "delivery.max_limiting_db" => ("--max-limiting-db", "dB"),
        "output.sample_rate_hz" => ("--rate", "Hz"),
        _ => return error.into(),
    };
    let is_sign_lost = (*min..=*max).contains(&-value);
    let meant = if is_sign_lost { format!("; did you mean {}?", -value) } else { String::new() };
    Error::Usage(format!("{flag} {value} is not between {min} and {max} {unit}{meant}"))
}

/// What makes a run fail, with nothing written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// A promise that is not kept.
    #[default]
    Promises,
    /// Less than was asked for, as well.
    Shortfalls,
}

/// How closely the chain is made to do what was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// Nobody listens to what the chain makes of it
    Off,
    /// Twice, to a minute of the song
    #[default]
    Fast,
    /// Until it comes no closer
    Best,
}

/// What of an album is brought to the loudness that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlbumLoudness {
    /// All songs together, played through (BS.1770 over the album)
    #[default]
    Whole,
    /// The loudest song, as AES TD1008 wants albums for streaming
    Loudest,
}

/// Where the master goes.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its file.
    pub path: PathBuf,
    /// Its container.
    pub format: Format,
    /// An existing file may be replaced.
    pub force: bool,
    /// Where the difference of master and mix goes, if it is wanted.
    pub delta: Option<PathBuf>,
    /// The page that shows the master, if it is wanted.
    pub page: Option<Page>,
}

/// One song to master from scratch.
#[derive(Clone, Debug)]
pub struct MasterJob {
    /// The mix.
    pub input: PathBuf,
    /// The master.
    pub output: Output,
    /// What to go towards; empty means a profile.
    pub references: Vec<Reference>,
    /// The profile; `None` means that of the genre.
    pub profile: Option<PathBuf>,
    /// The genre, where there are neither references nor a profile.
    pub genre: Genre,
    /// Loudness and samples.
    pub wanted: DeliveryRequest,
    /// Who decides.
    pub decider: DeciderKind,
    /// How references are taken.
    pub matching: MatchKind,
    /// How closely the chain is made to do what was decided.
    pub effort: Effort,
    /// How much of it is done.
    pub amounts: Amounts,
    /// Where the recipe goes, if it is wanted.
    pub recipe: Option<PathBuf>,
    /// Single values of the recipe that are set by hand, path and value.
    pub settings: Vec<(String, String)>,
    /// What makes the run fail.
    pub strictness: Strictness,
}

/// One song to render from a recipe.
#[derive(Clone, Debug)]
pub struct RenderJob {
    /// The mix.
    pub input: PathBuf,
    /// The master.
    pub output: Output,
    /// What to do.
    pub recipe: Recipe,
    /// Single values that are set by hand.
    pub settings: Vec<(String, String)>,
    /// The solution is used even for another input.
    pub as_is: bool,
    /// What makes the run fail.
    pub strictness: Strictness,
}

/// The recipe with what is set by hand.
///
/// # Errors
/// A value that no recipe accepts.
pub fn with_settings(recipe: Recipe, settings: &[(String, String)]) -> Result<Recipe, Error> {
    settings.iter().try_fold(recipe, |recipe, (path, value)| Ok(recipe.with(path, value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_beats_a_preset_beats_a_reference_beats_the_default() {
        let lufs = |wanted: &DeliveryRequest, has_reference| {
            wanted.delivery(-9.5, has_reference, None).expect("legal").loudness_lufs
        };
        let mut wanted = DeliveryRequest::default();
        assert_eq!(lufs(&wanted, false), -14.0);
        assert_eq!(lufs(&wanted, true), -9.5);
        wanted.destination = Some(Destination::AppleMusic);
        assert_eq!(lufs(&wanted, true), -16.0);
        wanted.loudness = Some(LoudnessTarget::Auto);
        assert_eq!(lufs(&wanted, false), -9.5);
        wanted.loudness = Some(LoudnessTarget::Lufs(-11.0));
        assert_eq!(lufs(&wanted, true), -11.0);
    }

    #[test]
    fn a_louder_master_leaves_a_codec_more_room() {
        let ceiling = |lufs: f64| {
            let wanted = DeliveryRequest {
                loudness: Some(LoudnessTarget::Lufs(lufs)),
                is_codec_safe: true,
                ..DeliveryRequest::default()
            };
            wanted.delivery(0.0, false, None).expect("legal").ceiling_dbtp
        };
        assert_eq!([-20.0, -14.0, -11.5, -9.0, -6.0].map(ceiling), [-1.5, -1.5, -1.9, -2.3, -2.3]);
        assert!(ceiling(-12.0) < ceiling(-13.0) && ceiling(-10.0) < ceiling(-11.0));
    }

    #[test]
    fn a_cd_is_44_1_khz_and_16_bit_unless_said_otherwise() {
        let mut wanted = DeliveryRequest { destination: Some(Destination::Cd), ..DeliveryRequest::default() };
        let output = wanted.output().expect("legal");
        assert_eq!((output.sample_rate_hz, output.sample_format), (Some(44_100), SampleFormat::Int16));
        wanted.sample_format = Some(SampleFormat::Int24);
        assert_eq!(wanted.output().expect("legal").sample_format, SampleFormat::Int24);
    }

    #[test]
    fn a_genre_is_one_that_has_a_profile() {
        assert_eq!("auto".parse(), Ok(Genre::Auto));
        assert_eq!("universal".parse(), Ok(Genre::Universal));
        assert_eq!("rock".parse(), Ok(Genre::Named("rock".to_owned())));
        let refused = "polka".parse::<Genre>().expect_err("nobody knows it");
        assert!(["polka", "auto", "electronic", "universal"].iter().all(|name| refused.contains(name)), "{refused}");
    }

    #[test]
    fn a_genre_stands_before_the_first_equals_sign_and_the_weight_after_the_last_colon() {
        let parse = |text: &str| text.parse::<GenreReference>();
        let reference = |path: &str, weight| Reference { path: path.into(), weight };
        let of = |genre: &str, reference| Ok(GenreReference { genre: genre.to_owned(), reference });
        assert_eq!(parse("rock=a=b:c.flac:0.5"), of("rock", reference("a=b:c.flac", 0.5)));
        assert_eq!(parse("universal=a.flac"), of("universal", reference("a.flac", 1.0)));
        for (wrong, words) in [
            ("a.flac", "GENRE=FILE"),
            ("polka=a.flac", "electronic, orchestral, rock, universal"),
            ("auto=a.flac", "\"auto\" is no genre"),
            ("rock=", "the record for rock is missing"),
            ("rock=a.flac:0", "weight"),
        ] {
            let refused = parse(wrong).expect_err(wrong);
            assert!(refused.contains(words), "{wrong}: {refused}");
        }
    }

    #[test]
    fn a_weight_follows_the_last_colon() {
        let parse = |text: &str| text.parse::<Reference>();
        assert_eq!(parse("a:b.flac:0.5"), Ok(Reference { path: "a:b.flac".into(), weight: 0.5 }));
        assert_eq!(parse("a:b.flac"), Ok(Reference { path: "a:b.flac".into(), weight: 1.0 }));
        assert!(parse("a.flac:-1").is_err());
    }
}
