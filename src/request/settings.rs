//! Settings for mastering a song: one set for the command line, a row of a plan, the defaults of a batch and a job.
//! A new setting is one field here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use models::amounts::Amounts;
use models::character::Character;
use renderer::recipe::{Recipe, RecipeError, SampleFormat};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::io::output_spec::Format;
use crate::request::delivery::DeliveryRequest;
use crate::request::edges::EdgeSettings;
use crate::request::reference::{Genre, MatchKind, Reference};
use crate::request::text::{as_text, list_as_text, number, option_as_text, value_enum_text};

/// All settings that determine a master.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MasterSettings {
    /// A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in
    /// hit.flac@1:05-1:35
    #[arg(short, long = "reference", alias = "ref", value_name = "FILE[@START-END][:WEIGHT]")]
    #[serde(rename = "reference", with = "list_as_text")]
    pub references: Vec<Reference>,
    /// A profile of records to sound like, as `goldmaster profile` writes it
    #[arg(short, long, value_name = "FILE", conflicts_with = "references")]
    pub profile: Option<PathBuf>,
    /// A genre to sound like, or `auto` for the one that a song's tags name or that it sounds like; `list` shows all
    /// [default: auto]
    #[arg(short, long, value_name = "NAME", conflicts_with_all = ["references", "profile"])]
    #[serde(with = "option_as_text")]
    pub genre: Option<Genre>,
    /// Character of the master, next to its target
    #[arg(long, value_name = "WORD", default_value_t,
        value_parser = PossibleValuesParser::new(Character::ALL.map(Character::name)).try_map(|word| word.parse::<Character>()))]
    #[serde(with = "as_text")]
    pub character: Character,
    /// Method of following a reference
    #[arg(long = "match", value_enum, value_name = "HOW", default_value_t)]
    #[serde(rename = "match", with = "as_text")]
    pub matching: MatchKind,
    /// How thoroughly to fine-tune by test renders
    #[arg(long = "refine", value_enum, value_name = "EFFORT", default_value_t)]
    #[serde(rename = "refine", with = "as_text")]
    pub effort: Effort,
    /// What decides: the network, simple rules, or nothing (loudness and ceiling only)
    #[arg(long, value_enum, default_value_t)]
    #[serde(with = "as_text")]
    pub decider: DeciderKind,
    /// Changes one value of the recipe, as in multiband.low.ratio=1.5
    #[arg(long = "set", value_name = "PATH=VALUE")]
    #[serde(rename = "set", with = "list_as_text")]
    pub values: Vec<RecipeSetting>,
    /// Fails and writes nothing when the loudness cannot be reached, the mix is cut off or damaged, or a fade is longer
    /// than the song
    #[arg(long)]
    #[serde(with = "as_text")]
    pub strict: bool,
    #[allow(missing_docs, reason = "clap would take it for the help of the program")]
    #[command(flatten)]
    #[serde(flatten)]
    pub delivery: DeliveryRequest,
    #[allow(missing_docs, reason = "clap would take it for the help of the program")]
    #[command(flatten)]
    #[serde(flatten)]
    pub amounts: AmountSettings,
    #[allow(missing_docs, reason = "clap would take it for the help of the program")]
    #[command(flatten)]
    #[serde(flatten)]
    pub edges: EdgeSettings,
}

/// Rejects a sample format that files of a format cannot hold.
///
/// # Errors
/// The combination is not supported; the message says what to write instead.
pub fn check_format(format: Format, sample_format: SampleFormat) -> Result<(), Error> {
    if format == Format::Flac && sample_format == SampleFormat::Float32 {
        return Err(Error::Usage("FLAC holds no floating point: write .wav, or 24 bits".to_owned()));
    }
    Ok(())
}

/// Shares of the decided changes that are applied.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[command(next_help_heading = "Amounts")]
pub struct AmountSettings {
    /// How much of all changes to apply, %
    #[arg(long, value_name = "0..100", allow_negative_numbers = true, default_value_t)]
    #[serde(with = "as_text")]
    pub intensity: Percent,
    /// How much equalisation to apply, %
    #[arg(long, value_name = "0..100", allow_negative_numbers = true, default_value_t)]
    #[serde(with = "as_text")]
    pub tone: Percent,
    /// How much compression and expansion to apply, %
    #[arg(long, value_name = "0..100", allow_negative_numbers = true, default_value_t)]
    #[serde(with = "as_text")]
    pub dynamics: Percent,
    /// How much of the change in stereo width to apply, %
    #[arg(long, value_name = "0..100", allow_negative_numbers = true, default_value_t)]
    #[serde(with = "as_text")]
    pub width: Percent,
}

/// The settings that choose a target; a row of a plan has at most one of them.
pub const DIRECTIONS: [&str; 3] = ["reference", "profile", "genre"];

impl MasterSettings {
    /// Returns all settings by the name of their column in a plan, as text or as a list of texts.
    fn columns(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(columns)) => columns,
            _ => unreachable!("settings without names of files are text"),
        }
    }

    /// Returns the names of all settings, which are those of their columns in a plan.
    pub fn names() -> Vec<String> {
        Self::default().columns().into_iter().map(|(name, _)| name).collect()
    }

    /// Returns the settings that differ from `others`, by the name of their column in a plan, as text.
    pub fn changed(&self, others: &Self) -> Vec<(String, String)> {
        let mut changed: Vec<(String, String)> = Vec::new();
        if self.references != others.references {
            changed.extend(self.references.iter().map(|reference| ("reference".to_owned(), reference.to_string())));
        }
        if self.profile != others.profile {
            changed.extend(self.profile.iter().map(|path| ("profile".to_owned(), path.display().to_string())));
        }
        // File names need not be valid Unicode.
        let texts = |settings: &Self| Self { references: Vec::new(), profile: None, ..settings.clone() }.columns();
        let known = texts(others);
        for (name, value) in texts(self).into_iter().filter(|(name, value)| known.get(name) != Some(value)) {
            let values = if let Value::Array(values) = value { values } else { vec![value] };
            changed.extend(values.iter().filter_map(Value::as_str).map(|text| (name.clone(), text.to_owned())));
        }
        changed
    }

    /// Returns the command line options that turn `others` into these settings.
    pub fn options(&self, others: &Self) -> Vec<String> {
        let words = self.changed(others).into_iter().flat_map(|(name, value)| {
            let option = format!("--{}", name.replace('_', "-"));
            match value.as_str() {
                "true" => vec![option],
                "false" => vec![],
                _ => vec![option, value],
            }
        });
        words.collect()
    }

    /// Returns the command line that masters a song with these settings, quoted for a shell.
    pub fn command_line(&self, input: &Path, output: &Path) -> String {
        // A name that begins with a hyphen would be taken for an option.
        let file = |path: &Path| {
            let name = path.display().to_string();
            if name.starts_with('-') { format!("./{name}") } else { name }
        };
        let mut words = vec!["goldmaster".to_owned(), file(input)];
        words.extend(self.options(&Self::default()));
        words.extend(["-o".to_owned(), file(output)]);
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }

    /// Returns true if a loudness is requested: as a figure, as that of a place, or as a value of the recipe.
    pub fn asks_for_loudness(&self) -> bool {
        let is_loudness = |setting: &RecipeSetting| setting.path == "delivery.loudness_lufs";
        let DeliveryRequest { loudness, destinations, .. } = &self.delivery;
        loudness.is_some() || !destinations.is_empty() || self.values.iter().any(is_loudness)
    }

    /// Rejects settings with which no song could be mastered, before any song is read.
    ///
    /// # Errors
    /// A value that no recipe accepts, or a sample format that files of this format cannot hold.
    pub fn check(&self, format: Format) -> Result<(), Error> {
        self.delivery.delivery(0.0, false, None, 0.0)?;
        self.edges.params()?;
        let output = self.delivery.output(format)?;
        check_format(format, output.sample_format)?;
        with_values(Recipe { output, ..Recipe::default() }, &self.values)?;
        Ok(())
    }

    /// Returns true if a column of a plan takes several values.
    pub fn takes_several(column: &str) -> bool {
        Self::default().columns().get(column).is_some_and(Value::is_array)
    }

    /// Sets the values of one column of a plan. Paths are relative to `base`.
    ///
    /// # Errors
    /// The column is unknown or cannot hold these values. The message says why.
    pub fn set(&mut self, column: &str, values: &[String], base: &Path) -> Result<(), String> {
        // File names need not be valid Unicode.
        let (references, profile) = (std::mem::take(&mut self.references), self.profile.take());
        match self.with(column, values) {
            Ok(changed) if DIRECTIONS.contains(&column) => {
                *self = changed;
                self.references.iter_mut().for_each(|reference| reference.path = base.join(&reference.path));
                self.profile = self.profile.take().map(|path| base.join(path));
                Ok(())
            }
            Ok(changed) => {
                *self = Self { references, profile, ..changed };
                Ok(())
            }
            Err(error) => {
                (self.references, self.profile) = (references, profile);
                Err(error)
            }
        }
    }

    fn with(&self, column: &str, values: &[String]) -> Result<Self, String> {
        let mut columns = self.columns();
        let known: Vec<String> = columns.keys().cloned().collect();
        let Some(slot) = columns.get_mut(column) else {
            return Err(format!("unknown; known are input, output, format, {}", known.join(", ")));
        };
        *slot = match (slot.is_array(), values) {
            (true, values) => values.into(),
            (false, [value]) => value.clone().into(),
            (false, _) => return Err("takes one value".to_owned()),
        };
        serde_json::from_value(Value::Object(columns)).map_err(|e| e.to_string())
    }

    /// Returns one set of settings for each destination.
    pub fn each_destination(&self) -> Vec<Self> {
        self.delivery.each().into_iter().map(|delivery| Self { delivery, ..self.clone() }).collect()
    }

    /// Returns the genre, which applies if there are neither references nor a profile.
    pub fn genre(&self) -> Genre {
        self.genre.clone().unwrap_or_default()
    }

    /// Returns the shares of the decided changes that are applied.
    pub fn amounts(&self) -> Amounts {
        let AmountSettings { intensity, tone, dynamics, width } = self.amounts;
        let share = |of: Percent| of.0 / 100.0 * (intensity.0 / 100.0);
        match self.decider {
            DeciderKind::None => Amounts::NONE,
            _ => Amounts { tone: share(tone), dynamics: share(dynamics), width: share(width) }
                .times(&self.character.amounts()),
        }
    }

    /// Returns the rule for the outcomes that make the run fail.
    pub fn strictness(&self) -> Strictness {
        if self.strict { Strictness::Shortfalls } else { Strictness::Promises }
    }
}

/// Quotes a word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A percentage from 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(pub f64);

impl Default for Percent {
    fn default() -> Self {
        Self(100.0)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let value = number(text, "percent, from 0 to 100")?;
        if value > 0.0 && value < 1.0 {
            return Err(format!("it is given in percent; did you mean {}?", (1000.0 * value).round() / 10.0));
        }
        if (0.0..=100.0).contains(&value) { Ok(Self(value)) } else { Err("must be a number from 0 to 100".to_owned()) }
    }
}

/// A value of a recipe that is set by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipeSetting {
    /// Path of the value, as in `multiband.low.ratio`.
    pub path: String,
    /// New value, as text.
    pub value: String,
}

impl fmt::Display for RecipeSetting {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}={}", self.path, self.value)
    }
}

impl FromStr for RecipeSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, value) = text.split_once('=').ok_or("must be PATH=VALUE, as in multiband.low.ratio=1.5")?;
        Ok(Self { path: path.trim().into(), value: value.trim().into() })
    }
}

/// Returns the recipe with the values that are set by hand.
///
/// # Errors
/// A value that no recipe accepts.
pub fn with_values(recipe: Recipe, values: &[RecipeSetting]) -> Result<Recipe, RecipeError> {
    values.iter().try_fold(recipe, |recipe, RecipeSetting { path, value }| recipe.with(path, value))
}

/// The decider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeciderKind {
    /// The ONNX network.
    #[default]
    Model,
    /// Hand-written rules.
    Rules,
    /// Nothing decides: only loudness and ceiling are applied.
    None,
}

value_enum_text!(DeciderKind);

/// How thoroughly to fine-tune by test renders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Effort {
    /// No test renders
    Off,
    /// Two corrections, on up to a minute of the song
    #[default]
    Fast,
    /// Corrections until nothing improves
    Best,
}

value_enum_text!(Effort);

/// Rule for the outcomes that make a run fail, with nothing written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// Broken promises.
    #[default]
    Promises,
    /// Broken promises, shortfalls, and damage to the mix.
    Shortfalls,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::delivery::LoudnessTarget;

    #[test]
    fn a_command_says_all_settings_that_are_not_the_default() {
        let line =
            |settings: &MasterSettings| settings.command_line(Path::new("-my song.wav"), Path::new("my song.loud.wav"));
        assert_eq!(line(&MasterSettings::default()), "goldmaster './-my song.wav' -o 'my song.loud.wav'");
        let mut settings = MasterSettings { strict: true, character: Character::Warm, ..MasterSettings::default() };
        settings.references = vec!["it's.flac:0.5".parse().expect("a reference")];
        settings.values = vec!["multiband.low.ratio=1.5".parse().expect("a setting")];
        settings.delivery.loudness = Some(LoudnessTarget::Lufs(-8.0));
        settings.amounts.intensity = Percent(50.0);
        let line = line(&settings);
        let mut words: Vec<&str> = line.split(" --").collect();
        words.sort_unstable();
        let expected = [
            "character warm",
            "goldmaster './-my song.wav'",
            "intensity 50",
            "loudness -8",
            r"reference 'it'\''s.flac:0.5'",
            "set multiband.low.ratio=1.5",
            "strict -o 'my song.loud.wav'",
        ];
        // The last option precedes the name of the output, whichever option it is.
        assert_eq!(words, expected, "{line}");
    }
}
