//! Arguments that several commands have.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use goldmaster::error::Error;
use goldmaster::io::output_spec::Format;
use goldmaster::request::destination::Destination;
use goldmaster::request::paths::beside;
use goldmaster::request::job::{DeliveryRequest, Effort, Genre, LoudnessTarget, MatchKind, Output, Strictness};
use models::amounts::Amounts;
use renderer::recipe::SampleFormat;

use super::report::PageArgs;

/// How a reference is taken, and how closely.
#[derive(Args, Clone, Copy, Debug)]
pub struct ClosenessArgs {
    /// How a reference is taken
    #[arg(long = "match", value_enum, value_name = "HOW", default_value_t)]
    pub matching: MatchKind,
    /// How closely the chain's own output is made to be what was decided
    #[arg(long = "refine", value_enum, value_name = "EFFORT", default_value_t)]
    pub effort: Effort,
}

/// A genre, or the wish to see all.
#[derive(Clone, Debug)]
pub enum GenreArg {
    /// `list`
    List,
    /// Any other
    Towards(Genre),
}

impl std::str::FromStr for GenreArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "list" { Ok(Self::List) } else { text.parse().map(Self::Towards) }
    }
}

/// The genre to go towards, if one is named.
pub fn genre(arg: Option<&GenreArg>) -> Option<Genre> {
    match arg {
        Some(GenreArg::Towards(genre)) => Some(genre.clone()),
        Some(GenreArg::List) | None => None,
    }
}

/// How much of what is decided is done.
#[derive(Args, Debug)]
pub struct AmountArgs {
    /// How much of everything is done, %
    #[arg(long, value_name = "0..100", allow_negative_numbers = true, default_value_t = 100.0, value_parser = percent, help_heading = "Amounts")]
    pub intensity: f64,
    /// How much of the equalisation, %
    #[arg(long, value_name = "0..100", allow_negative_numbers = true, default_value_t = 100.0, value_parser = percent, help_heading = "Amounts")]
    pub tone: f64,
    /// How much of the compression and expansion, %
    #[arg(long, value_name = "0..100", allow_negative_numbers = true, default_value_t = 100.0, value_parser = percent, help_heading = "Amounts")]
    pub dynamics: f64,
    /// How much of the change of the stereo image, %
    #[arg(long, value_name = "0..100", allow_negative_numbers = true, default_value_t = 100.0, value_parser = percent, help_heading = "Amounts")]
    pub width: f64,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Delivery")]
pub struct DeliveryArgs {
    /// Loudness, ceiling and format of a destination
    #[arg(long = "for", value_enum, value_name = "PLACE", ignore_case = true, hide_possible_values = true,
        long_help = destinations_help())]
    pub destination: Option<Destination>,
    /// Integrated loudness in LUFS, or `auto` for the target's own [default: the reference's, or -14]
    #[arg(long, value_name = "LUFS", allow_hyphen_values = true)]
    pub loudness: Option<LoudnessTarget>,
    /// True peak that is never exceeded, in dBTP [default: -1]
    #[arg(long, value_name = "DBTP", allow_hyphen_values = true)]
    pub ceiling: Option<f64>,
    /// Lowers the ceiling by what MP3, Vorbis and Opus raise peaks at this loudness
    #[arg(long)]
    pub codec_safe: bool,
    /// What the limiter may take for more than 5 % of the time (single peaks may go down further); past it the loudness
    /// falls short [default: 3]
    #[arg(long, value_name = "DB", allow_negative_numbers = true)]
    pub max_limiting_db: Option<f64>,
    /// Sample rate of the master [default: the mix's]
    #[arg(long, value_name = "HZ")]
    pub rate: Option<u32>,
    /// Word length of the master [default: 24]
    #[arg(long, value_enum)]
    pub bits: Option<Bits>,
}

fn destinations_help() -> String {
    let lines = Destination::value_variants().iter().filter_map(|d| {
        let value = d.to_possible_value()?;
        Some(format!("\n  {:12} {}", value.get_name(), value.get_help()?))
    });
    format!("Loudness, ceiling and format of a destination:{}", lines.collect::<String>())
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Bits {
    /// 16-bit integers, dithered
    #[value(name = "16")]
    Int16,
    /// 24-bit integers, dithered
    #[value(name = "24")]
    Int24,
    /// 32-bit floating point
    #[value(name = "32f")]
    Float32,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Where the master goes, .wav or .flac [default: SONG.master.wav beside the mix]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replaces existing files
    #[arg(short, long)]
    pub force: bool,
    /// Writes what was taken away or added: master less mix, at the same gain
    #[arg(long, value_name = "FILE")]
    pub delta: Option<PathBuf>,
    #[command(flatten)]
    pub page: PageArgs,
    /// Changes one value of the recipe, as in multiband.low.ratio=1.5
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// Fails, and writes nothing, when the loudness falls short
    #[arg(long)]
    pub strict: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Display")]
pub struct ShowArgs {
    /// Prints the report as JSON
    #[arg(long, conflicts_with = "quiet")]
    pub json: bool,
    /// Prints errors only
    #[arg(short, long)]
    pub quiet: bool,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=100.0).contains(&value) => Ok(value),
        _ => Err("must be a number from 0 to 100".into()),
    }
}

pub fn setting(text: &str) -> Result<(String, String), String> {
    let (path, value) = text.split_once('=').ok_or("must be PATH=VALUE, as in multiband.low.ratio=1.5")?;
    Ok((path.trim().into(), value.trim().into()))
}

impl OutputArgs {
    pub fn output(&self, input: &Path) -> Result<Output, Error> {
        let path = self.output.clone().unwrap_or_else(|| beside(input));
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let format = match extension.as_str() {
            "wav" => Format::Wav,
            "flac" => Format::Flac,
            _ => {
                let path = path.display();
                return Err(Error::Usage(format!(
                    "{path}: a master is written as .wav or .flac; choose one by its name"
                )));
            }
        };
        Ok(Output { path, format, force: self.force, delta: self.delta.clone(), page: self.page.page(self.force)? })
    }

    pub fn strictness(&self) -> Strictness {
        if self.strict { Strictness::Shortfalls } else { Strictness::Promises }
    }
}

impl DeliveryArgs {
    pub fn wanted(&self) -> DeliveryRequest {
        let Self { destination, loudness, ceiling, codec_safe, max_limiting_db, rate, bits } = self;
        DeliveryRequest {
            destination: *destination,
            loudness: *loudness,
            ceiling_dbtp: *ceiling,
            is_codec_safe: *codec_safe,
            max_limiting_db: *max_limiting_db,
            sample_rate_hz: *rate,
            sample_format: bits.map(|bits| match bits {
                Bits::Int16 => SampleFormat::Int16,
                Bits::Int24 => SampleFormat::Int24,
                Bits::Float32 => SampleFormat::Float32,
            }),
        }
    }
}

impl AmountArgs {
    pub fn amounts(&self) -> Amounts {
        let share = |percent: f64| percent / 100.0 * (self.intensity / 100.0);
        Amounts { tone: share(self.tone), dynamics: share(self.dynamics), width: share(self.width) }
    }
}
