//! Arguments, and from them jobs.

pub mod batch;
pub mod report;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use models::amounts::Amounts;
use renderer::recipe::{Recipe, SampleFormat};

use goldmaster::batch::aggregate::ProfileJob;
use goldmaster::decide::refine::Effort;
use goldmaster::error::Error;
use goldmaster::io::output_spec::Format;
use goldmaster::render::promises::Strictness;
use goldmaster::request::destination::Destination;
use goldmaster::request::job::{
    DeciderKind, DeliveryRequest, Genre, LoudnessTarget, MasterJob, MatchKind, Output, Reference, RenderJob,
};

use self::batch::{BatchArgs, MergeArgs};
use self::report::{CompletionsArgs, PageArgs, ReportArgs};

/// Masters music, and proves it.
///
/// Measures a mix, decides how to treat it (towards reference tracks, or towards what finished records have in
/// common), renders, and checks loudness and true peak of what it wrote.
#[derive(Parser, Debug)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub master: Option<MasterArgs>,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Masters one song (the same as without a command)
    Master(MasterArgs),
    /// Measures files and shows what was found
    Analyze(AnalyzeArgs),
    /// Aggregates several songs to a profile that `--profile` masters towards
    Profile(ProfileArgs),
    /// Renders a song from a recipe: on the song it was made for, the same bytes
    Render(RenderArgs),
    /// Masters many songs, and goes on where it was interrupted
    Batch(Box<BatchArgs>),
    /// Joins the reports of the parts of a batch
    MergeReports(MergeArgs),
    /// Shows two files beside each other, as a mix and its master, on one page
    Report(ReportArgs),
    /// Synthesises a mix with typical faults and masters it
    Demo(DemoArgs),
    /// Prints the completions of a shell
    Completions(CompletionsArgs),
    /// Prints the manual page
    Man,
}

#[derive(Args, Debug)]
pub struct MasterArgs {
    /// The mix: WAV, AIFF, FLAC, MP3, AAC, ALAC, Vorbis...
    #[arg(required_unless_present = "genre")]
    pub input: Option<PathBuf>,
    /// Is refused: `batch` masters several
    #[arg(hide = true)]
    pub others: Vec<PathBuf>,
    /// A finished record to come close to; several are weighted, as in hit.flac:0.5
    #[arg(short, long = "reference", value_name = "FILE[:WEIGHT]")]
    pub references: Vec<Reference>,
    /// Median and spread of many songs to go towards, as `goldmaster profile` writes them
    #[arg(short, long, value_name = "FILE", conflicts_with = "references")]
    pub profile: Option<PathBuf>,
    /// Goes towards a genre, or `auto` for what it sounds like; `list` shows all
    #[arg(short, long, value_name = "NAME", conflicts_with_all = ["references", "profile"])]
    pub genre: Option<GenreArg>,
    #[command(flatten)]
    pub wanted: DeliveryArgs,
    #[command(flatten)]
    pub amounts: AmountArgs,
    /// Who decides
    #[arg(long, value_enum, default_value_t)]
    pub decider: DeciderKind,
    #[command(flatten)]
    pub closeness: ClosenessArgs,
    /// Writes all that was decided as JSON, for `goldmaster render`
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub show: ShowArgs,
}

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
fn genre(arg: Option<&GenreArg>) -> Option<Genre> {
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

#[derive(Args, Debug)]
pub struct AnalyzeArgs {
    /// Files to measure
    #[arg(required = true)]
    pub inputs: Vec<PathBuf>,
    /// Prints the profiles as JSON, one line per file
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct ProfileArgs {
    /// Finished records that have something in common: files, folders (searched to their depth) and globs
    #[arg(required = true)]
    pub inputs: Vec<PathBuf>,
    /// Where the profile goes
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// What it is called [default: the file's name]
    #[arg(long)]
    pub name: Option<String>,
    /// Replaces an existing file
    #[arg(short, long)]
    pub force: bool,
}

#[derive(Args, Debug)]
pub struct RenderArgs {
    /// The mix
    pub input: PathBuf,
    /// What to do
    #[arg(long, value_name = "FILE")]
    pub recipe: PathBuf,
    /// Keeps gain and trims as they were solved, even for another mix
    #[arg(long)]
    pub as_is: bool,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub show: ShowArgs,
}

#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Folder for mix, master, recipe, report and page
    #[arg(default_value = "goldmaster-demo")]
    pub folder: PathBuf,
    /// Replaces existing files
    #[arg(short, long)]
    pub force: bool,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=100.0).contains(&value) => Ok(value),
        _ => Err("must be a number from 0 to 100".into()),
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (path, value) = text.split_once('=').ok_or("must be PATH=VALUE, as in multiband.low.ratio=1.5")?;
    Ok((path.trim().into(), value.trim().into()))
}

impl OutputArgs {
    fn output(&self, input: &Path) -> Result<Output, Error> {
        let path = self.output.clone().unwrap_or_else(|| input.with_extension("master.wav"));
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

    fn strictness(&self) -> Strictness {
        if self.strict { Strictness::Shortfalls } else { Strictness::Promises }
    }
}

impl DeliveryArgs {
    fn wanted(&self) -> DeliveryRequest {
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
    fn amounts(&self) -> Amounts {
        let share = |percent: f64| percent / 100.0 * (self.intensity / 100.0);
        Amounts { tone: share(self.tone), dynamics: share(self.dynamics), width: share(self.width) }
    }
}

impl MasterArgs {
    /// The job that these arguments ask for.
    pub fn job(&self) -> Result<MasterJob, Error> {
        let nothing = || Error::Usage("there is no song to master: name one".to_owned());
        let input = self.input.clone().ok_or_else(nothing)?;
        if !self.others.is_empty() {
            let songs: Vec<_> = [&input].into_iter().chain(&self.others).map(|song| format!("{song:?}")).collect();
            let songs = songs.join(" ");
            return Err(Error::Usage(format!("one song at a time; for several: goldmaster batch {songs}")));
        }
        if self.closeness.matching == MatchKind::Literal && self.references.is_empty() {
            return Err(Error::Usage("--match literal takes a record as it is: name it with --reference".to_owned()));
        }
        Ok(MasterJob {
            output: self.output.output(&input)?,
            input,
            references: self.references.clone(),
            profile: self.profile.clone(),
            genre: genre(self.genre.as_ref()).unwrap_or_default(),
            wanted: self.wanted.wanted(),
            decider: self.decider,
            matching: self.closeness.matching,
            effort: self.closeness.effort,
            amounts: self.amounts.amounts(),
            recipe: self.recipe.clone(),
            settings: self.output.settings.clone(),
            strictness: self.output.strictness(),
        })
    }
}

impl ProfileArgs {
    /// The job that these arguments ask for.
    pub fn job(&self) -> ProfileJob {
        let stem = self.output.file_stem().unwrap_or_default().to_string_lossy();
        let name = self.name.clone().unwrap_or_else(|| stem.trim_end_matches(".profile").to_string());
        ProfileJob { inputs: self.inputs.clone(), output: self.output.clone(), name, force: self.force }
    }
}

impl RenderArgs {
    /// The job that these arguments ask for.
    pub fn job(&self) -> Result<RenderJob, Error> {
        let text = goldmaster::io::text::read(&self.recipe)?;
        let recipe =
            Recipe::from_json(&text).map_err(|source| Error::RecipeFile { path: self.recipe.clone(), source })?;
        Ok(RenderJob {
            input: self.input.clone(),
            output: self.output.output(&self.input)?,
            recipe,
            settings: self.output.settings.clone(),
            as_is: self.as_is,
            strictness: self.output.strictness(),
        })
    }
}
