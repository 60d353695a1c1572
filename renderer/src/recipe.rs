//! The recipe: everything that determines how a master sounds, as a JSON file that a person can read and change.

use analyzer::crossover::BANDS;
use serde::{Deserialize, Serialize};

use crate::edges::EdgeParams;
use crate::lossy::{LossyError, LossyParams};
use crate::params::{OutOfRange, Param, Params, params};
use crate::stages::balance::BalanceParams;
use crate::stages::clipper::ClipperParams;
use crate::stages::condition::ConditionParams;
use crate::stages::dynamic_eq::DynamicEqParams;
use crate::stages::glue::GlueParams;
use crate::stages::limiter::LimiterParams;
use crate::stages::match_eq::MatchEqParams;
use crate::stages::multiband::MultibandParams;
use crate::stages::saturator::SaturatorParams;
use crate::stages::width::WidthParams;

/// Sample rates that a master can be written at.
pub const OUTPUT_RATES_HZ: std::ops::RangeInclusive<u32> = 8000..=192_000;

/// Version of the recipe format, raised when a recipe of an older program would be misread.
pub const RECIPE_VERSION: u32 = 1;

/// Version of the processing, raised whenever a recipe produces other bytes than before: a solution reproduces the same
/// bytes with this version only.
pub const ENGINE_VERSION: u32 = 3;

params! {
    /// Loudness, true peak and limiting that the master has to meet.
    pub struct DeliveryParams {
        /// Integrated loudness, LUFS.
        loudness_lufs: Param::linear(-50.0, -1.0, -14.0, 0.01),
        /// True peak that is never exceeded, dBTP.
        ceiling_dbtp: Param::linear(-20.0, 0.0, -1.0, 0.01),
        /// Gain reduction that the limiter exceeds for at most a twentieth of the song, dB; a loudness that would need
        /// more is not reached.
        max_limiting_db: Param::linear(0.0, 40.0, 3.0, 0.1),
        /// Largest gain reduction of any single peak, dB; a loudness that would need more is not reached.
        max_peak_limiting_db: Param::linear(0.0, 80.0, 12.0, 0.1),
    }
}

params! {
    /// Findings of test renders, from which the search for the drive starts. With others the search takes longer, and ends
    /// at the same loudness within its tolerance.
    pub struct ForecastParams {
        /// Drive that makes up for the loudness lost to the stages behind the equaliser, dB.
        loss_db: Param::linear(-20.0, 40.0, 0.0, 0.01),
        /// Amount by which the loudness predicted without rendering reads too high where the song is limited, LU.
        offset_lu: Param::linear(-1.0, 1.0, 0.0, 0.001),
    }
}

/// Word length of the written samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleFormat {
    /// 16-bit integers, dithered.
    Int16,
    /// 24-bit integers, dithered.
    #[default]
    Int24,
    /// 32-bit floating point.
    Float32,
}

impl SampleFormat {
    /// Bits per sample of the integer formats.
    pub fn integer_bits(self) -> Option<u32> {
        match self {
            Self::Int16 => Some(16),
            Self::Int24 => Some(24),
            Self::Float32 => None,
        }
    }
}

/// Format of the written master.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputParams {
    /// Frames per second; `null` keeps that of the input, or takes the nearest that a lossy codec supports.
    pub sample_rate_hz: Option<u32>,
    /// Word length.
    pub sample_format: SampleFormat,
    /// Seed of the dither.
    pub dither_seed: u32,
    /// Codec and bit rate of a lossy file; absent for a lossless one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lossy: Option<LossyParams>,
}

impl OutputParams {
    /// Returns the sample rate of the master for a source, Hz.
    pub fn rate_hz(&self, source_hz: u32) -> u32 {
        let kept = self.lossy.map_or(source_hz, |lossy| lossy.codec.rate_hz(source_hz));
        self.sample_rate_hz.unwrap_or(kept)
    }
}

/// The values solved for one input; they are valid for no other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Solution {
    /// The [`ENGINE_VERSION`] that solved it; 0 for versions before they were counted.
    #[serde(default)]
    pub engine: u32,
    /// Hash of the input's frames.
    pub input_hash: String,
    /// Hash of the settings that were solved for.
    pub settings_hash: String,
    /// True if the drive was solved for the loudness of the settings, and not just kept from another input.
    pub is_aimed: bool,
    /// Mean power of each band at the input of the multiband stage, dBFS; glue uses it as its reference as well.
    pub band_levels_dbfs: [f64; BANDS],
    /// Level above which the limiter's detector interpolated exactly, dBFS before the drive.
    pub exact_above_dbfs: f64,
    /// Gain between the chain and the limiter, dB.
    pub drive_db: f64,
    /// Additional distance of the limiter from the ceiling, dB, because a lossy codec raises peaks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub codec_room_db: f64,
    /// Corrections of peaks that are higher than the limiter's detector read them.
    pub trims: Vec<Trim>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A correction of one peak.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trim {
    /// Number of the block of [`analyzer::oversample::BLOCK_FRAMES`] frames.
    pub block: u64,
    /// Correction of the peak, dB.
    pub peak_db: f64,
}

/// Range of levels and gains in a solution, dB: wider than any valid sound needs.
const SOLUTION_DB: std::ops::RangeInclusive<f64> = -300.0..=300.0;

impl Solution {
    /// Checks that every level is in range, and that the trims are in order.
    fn check(&self) -> Result<(), RecipeError> {
        let Self {
            engine: _,
            input_hash: _,
            settings_hash: _,
            is_aimed: _,
            band_levels_dbfs,
            exact_above_dbfs,
            drive_db,
            codec_room_db,
            trims,
        } = self;
        let bands = band_levels_dbfs.iter().enumerate().map(|(band, db)| (format!("band_levels_dbfs.{band}"), *db));
        let peaks = trims.iter().enumerate().map(|(n, trim)| (format!("trims.{n}.peak_db"), trim.peak_db));
        let single = [("exact_above_dbfs", exact_above_dbfs), ("drive_db", drive_db), ("codec_room_db", codec_room_db)]
            .map(|(name, db)| (name.to_owned(), *db));
        let wrong = bands.chain(single).chain(peaks).find(|(_, db)| !SOLUTION_DB.contains(db));
        if let Some((name, value)) = wrong {
            let (path, (min, max)) = (format!("solution.{name}"), SOLUTION_DB.into_inner());
            return Err(OutOfRange { path, value, min, max }.into());
        }
        match trims.windows(2).position(|pair| pair[0].block >= pair[1].block) {
            Some(n) => Err(RecipeError::TrimOrder { index: n + 1, block: trims[n + 1].block, before: trims[n].block }),
            None => Ok(()),
        }
    }
}

/// Settings that fit any song, and the solution for one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// [`RECIPE_VERSION`].
    pub version: u32,
    /// Name of the reference or profile that the settings were decided towards; the master's file is tagged with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub towards: Option<String>,
    /// Trimming and fades of head and tail, before everything else.
    #[serde(default, skip_serializing_if = "is_default")]
    pub edges: EdgeParams,
    /// Loudness and ceiling.
    #[serde(default)]
    pub delivery: DeliveryParams,
    /// Subsonic high-pass.
    #[serde(default)]
    pub condition: ConditionParams,
    /// Balance of left and right.
    #[serde(default)]
    pub balance: BalanceParams,
    /// Tone of mid and side.
    #[serde(default)]
    pub match_eq: MatchEqParams,
    /// Bells that cut while something sticks out.
    #[serde(default)]
    pub dynamic_eq: DynamicEqParams,
    /// Dynamics per band.
    #[serde(default)]
    pub multiband: MultibandParams,
    /// Dynamics of the whole.
    #[serde(default)]
    pub glue: GlueParams,
    /// Soft saturation.
    #[serde(default)]
    pub saturator: SaturatorParams,
    /// Width per band, mono bass.
    #[serde(default)]
    pub width: WidthParams,
    /// Soft clip of peaks.
    #[serde(default)]
    pub clipper: ClipperParams,
    /// Limiter.
    #[serde(default)]
    pub limiter: LimiterParams,
    /// Start of the search for the drive.
    #[serde(default, skip_serializing_if = "is_default")]
    pub forecast: ForecastParams,
    /// Word length, sample rate, dither.
    #[serde(default)]
    pub output: OutputParams,
    /// The solution for one input; present once the recipe was rendered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solution: Option<Solution>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            version: RECIPE_VERSION,
            towards: None,
            edges: Default::default(),
            delivery: Default::default(),
            condition: Default::default(),
            balance: Default::default(),
            match_eq: Default::default(),
            dynamic_eq: Default::default(),
            multiband: Default::default(),
            glue: Default::default(),
            saturator: Default::default(),
            width: Default::default(),
            clipper: Default::default(),
            limiter: Default::default(),
            forecast: Default::default(),
            output: Default::default(),
            solution: None,
        }
    }
}

/// Error of a recipe that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// Not JSON, or not a recipe: an unknown key, a missing or a wrong value.
    #[error("not a recipe: {0}")]
    Json(#[from] serde_json::Error),
    /// A recipe of another version.
    #[error("recipe version {found}, but this program reads {RECIPE_VERSION}")]
    Version {
        /// Version in the file.
        found: u32,
    },
    /// A value that no stage accepts.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// A bit rate or sample rate that the output's codec does not support.
    #[error("output: {0}")]
    Lossy(#[from] LossyError),
    /// Trims that are not in order of time.
    #[error("solution.trims.{index}.block is {block}, but must come after {before}")]
    TrimOrder {
        /// Index of the trim.
        index: usize,
        /// Block of the trim.
        block: u64,
        /// The block of the trim before it.
        before: u64,
    },
    /// A value of the wrong kind.
    #[error("{path} cannot be {value}: {cause}")]
    Value {
        /// Path of the value.
        path: String,
        /// The given value.
        value: String,
        /// Error of the parser, with the expected kind.
        cause: serde_json::Error,
    },
    /// An unknown path given to `--set`.
    #[error("no parameter is called {path}; near it: {known}")]
    UnknownPath {
        /// The unknown path.
        path: String,
        /// Names that are known at the point where the path left the recipe.
        known: String,
    },
}

impl Params for Recipe {
    fn visit(&mut self, path: &str, visitor: &mut dyn FnMut(&str, &Param, &mut f64)) {
        let Self {
            version: _,
            towards: _,
            edges,
            delivery,
            condition,
            balance,
            match_eq,
            dynamic_eq,
            multiband,
            glue,
            saturator,
            width,
            clipper,
            limiter,
            forecast,
            output: _,
            solution: _,
        } = self;
        let groups: [(&str, &mut dyn Params); 13] = [
            ("edges", edges),
            ("delivery", delivery),
            ("condition", condition),
            ("balance", balance),
            ("match_eq", match_eq),
            ("dynamic_eq", dynamic_eq),
            ("multiband", multiband),
            ("glue", glue),
            ("saturator", saturator),
            ("width", width),
            ("clipper", clipper),
            ("limiter", limiter),
            ("forecast", forecast),
        ];
        for (name, group) in groups {
            group.visit(&format!("{path}{name}"), visitor);
        }
    }
}

impl Recipe {
    /// Reads and checks a recipe.
    ///
    /// # Errors
    /// If there is an unknown key, a value of the wrong kind or out of range, or another version; the error names the
    /// cause.
    pub fn from_json(text: &str) -> Result<Self, RecipeError> {
        Self::checked(serde_json::from_str(text)?)
    }

    /// Checks version, ranges and solution, and puts every setting on its grid.
    ///
    /// # Errors
    /// See [`from_json`](Self::from_json).
    pub fn checked(mut self) -> Result<Self, RecipeError> {
        if self.version != RECIPE_VERSION {
            return Err(RecipeError::Version { found: self.version });
        }
        let mut wrong = None;
        self.visit("", &mut |path, param, value| {
            if wrong.is_none() && !(param.min..=param.max).contains(value) {
                wrong = Some(OutOfRange { path: path.into(), value: *value, min: param.min, max: param.max });
            }
        });
        if let Some(rate) = self.output.sample_rate_hz
            && !OUTPUT_RATES_HZ.contains(&rate)
        {
            let (min, max) = (f64::from(*OUTPUT_RATES_HZ.start()), f64::from(*OUTPUT_RATES_HZ.end()));
            wrong.get_or_insert(OutOfRange { path: "output.sample_rate_hz".into(), value: rate.into(), min, max });
        }
        if let Some(wrong) = wrong {
            return Err(wrong.into());
        }
        self.output.lossy.map_or(Ok(()), |lossy| lossy.check(self.output.sample_rate_hz))?;
        self.solution.as_ref().map_or(Ok(()), Solution::check)?;
        Ok(self.quantized())
    }

    /// Returns the recipe with every parameter on its grid and in its range.
    pub fn quantized(mut self) -> Self {
        self.visit("", &mut |_, param, value| *value = param.quantized(*value));
        self
    }

    /// Returns readable JSON that [`from_json`](Self::from_json) reads back to the same recipe.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a recipe has a JSON form") + "\n"
    }

    /// Returns the recipe with the value at `path`, names separated by dots, replaced.
    ///
    /// # Errors
    /// If the path is unknown, or the value is not legal there.
    pub fn with(&self, path: &str, value: &str) -> Result<Self, RecipeError> {
        let mut tree = serde_json::to_value(self)?;
        // These keys are left out of recipes if they have no effect, so that older recipes stay unchanged.
        tree["edges"] = serde_json::to_value(self.edges)?;
        tree["output"]["lossy"] = serde_json::to_value(self.output.lossy)?;
        let mut place = &mut tree;
        for name in path.split('.') {
            let known = match &*place {
                serde_json::Value::Object(map) => map.keys().cloned().collect::<Vec<_>>().join(", "),
                serde_json::Value::Array(values) => format!("0 to {}", values.len().saturating_sub(1)),
                _ => String::from("nothing"),
            };
            let next = match place {
                serde_json::Value::Object(map) => map.get_mut(name),
                serde_json::Value::Array(values) => name.parse().ok().and_then(|n: usize| values.get_mut(n)),
                _ => None,
            };
            place = next.ok_or_else(|| RecipeError::UnknownPath { path: path.into(), known })?;
        }
        *place = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        let recipe = serde_json::from_value(tree);
        Self::checked(recipe.map_err(|cause| RecipeError::Value { path: path.into(), value: value.into(), cause })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_reads_back_as_itself() {
        let mut recipe = Recipe::default();
        recipe.visit("", &mut |_, param, value| *value = param.denormalized(0.37));
        let recipe = recipe.quantized();
        assert_eq!(Recipe::from_json(&recipe.to_json()).expect("valid"), recipe);
    }

    #[test]
    fn unknown_keys_and_values_out_of_range_are_named() {
        let unknown = Recipe::from_json(r#"{"version": 1, "reverb": {}}"#).expect_err("no such stage").to_string();
        assert!(unknown.contains("reverb"), "{unknown}");
        let range = Recipe::default().with("multiband.low.ratio", "99").expect_err("too much").to_string();
        assert_eq!(range, "multiband.low.ratio is 99, but must lie between 0.5 and 4");
        let path = Recipe::default().with("multiband.bass.ratio", "1").expect_err("no such band").to_string();
        assert!(path.contains("low_mid"), "{path}");
        assert!(Recipe::from_json(r#"{"version": 2}"#).is_err());
    }

    #[test]
    fn a_solution_is_checked_like_the_settings() {
        let solution = Solution {
            engine: ENGINE_VERSION,
            input_hash: String::new(),
            settings_hash: String::new(),
            is_aimed: true,
            band_levels_dbfs: [-20.0; BANDS],
            exact_above_dbfs: -8.0,
            drive_db: 4.0,
            codec_room_db: 0.0,
            trims: [3, 7].map(|block| Trim { block, peak_db: 0.1 }).to_vec(),
        };
        let recipe = Recipe { solution: Some(solution), ..Recipe::default() };
        assert_eq!(Recipe::from_json(&recipe.to_json()).expect("valid"), recipe);
        let older = recipe.to_json().replace(&format!("\"engine\": {ENGINE_VERSION},"), "");
        let older = Recipe::from_json(&older).expect("valid").solution.expect("it has one");
        assert_eq!(older.engine, 0, "recipes from before engines were counted are read");
        for (path, value, words) in [
            ("solution.drive_db", "1e300", "solution.drive_db is 1"),
            (
                "solution.band_levels_dbfs.2",
                "-301",
                "solution.band_levels_dbfs.2 is -301, but must lie between -300 and 300",
            ),
            ("output.lossy", r#"{"codec": "mp3", "bitrate_kbps": 1}"#, "output: MP3 has no bit rate of 1 kbit/s"),
            ("solution.trims.1.peak_db", "1e9", "solution.trims.1.peak_db is 1000000000"),
            ("solution.trims.1.block", "3", "solution.trims.1.block is 3, but must come after 3"),
        ] {
            let error = recipe.with(path, value).expect_err("no solution").to_string();
            assert!(error.starts_with(words), "{error}");
        }
        // NaN has no JSON form, but a recipe need not come from JSON.
        let mut unreadable = recipe;
        unreadable.solution.as_mut().expect("it has one").exact_above_dbfs = f64::NAN;
        assert!(unreadable.checked().is_err());
    }

    #[test]
    fn one_value_can_be_set() {
        let recipe = Recipe::default().with("multiband.low.ratio", "1.5").expect("legal");
        assert_eq!(recipe.multiband.low.ratio, 1.5);
        let recipe = recipe.with("output.sample_format", "int16").expect("legal");
        assert_eq!(recipe.output.sample_format, SampleFormat::Int16);
        let recipe = recipe.with("match_eq.mid_db.3", "-2.5").expect("legal");
        assert_eq!(recipe.match_eq.mid_db.0[3], -2.5);
    }
}
