//! Loudness, ceiling and sample format of a master. The precedence of argument, preset, target and default is decided
//! here and nowhere else.

use std::fmt;

use clap::{Args, ValueEnum};
use renderer::lossy::{LossyError, LossyParams};
use renderer::params::OutOfRange;
use renderer::recipe::{DeliveryParams, OutputParams, Recipe, RecipeError, SampleFormat};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::io::output_spec::Format;
use crate::request::destination::{Destination, codec_room_db};
use crate::request::text::{as_text, list_as_text, number, number_as_text, option_as_text, value_enum_text};

/// The requested loudness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LoudnessTarget {
    /// A loudness in LUFS.
    Lufs(f64),
    /// The typical loudness of the target: that of the reference, or of the norm.
    Auto,
}

impl std::str::FromStr for LoudnessTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        number(text, "LUFS, nor `auto`").map(Self::Lufs)
    }
}

impl fmt::Display for LoudnessTarget {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Lufs(lufs) => lufs.fmt(f),
            Self::Auto => f.write_str("auto"),
        }
    }
}

/// Lowest loudness that follows from a target, LUFS.
const QUIETEST_LUFS: f64 = -50.0;
/// Highest loudness that follows from a target, LUFS.
const LOUDEST_LUFS: f64 = -3.0;

/// Requested loudness and sample format; `None` leaves a value to preset, target or default.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[command(next_help_heading = "Delivery")]
pub struct DeliveryRequest {
    /// Loudness, ceiling and format for a place; given several times, a master for each
    #[arg(long = "for", value_enum, value_delimiter = ',', value_name = "PLACE", ignore_case = true, hide_possible_values = true,
        long_help = destinations_help())]
    #[serde(rename = "for", with = "list_as_text")]
    pub destinations: Vec<Destination>,
    /// Integrated loudness in LUFS, or `auto` for what is typical of the target [default: the reference's, or -14]
    #[arg(long, value_name = "LUFS", allow_hyphen_values = true)]
    #[serde(with = "option_as_text")]
    pub loudness: Option<LoudnessTarget>,
    /// True peak that is never exceeded, in dBTP [default: -1]
    #[arg(long = "ceiling", value_name = "DBTP", allow_hyphen_values = true, value_parser = |text: &str| number(text, "dBTP"))]
    #[serde(rename = "ceiling", with = "number_as_text")]
    pub ceiling_dbtp: Option<f64>,
    /// Lowers the ceiling by as much as MP3, Vorbis and Opus raise peaks at this loudness
    #[arg(long = "codec-safe")]
    #[serde(rename = "codec_safe", with = "as_text")]
    pub is_codec_safe: bool,
    /// Gain reduction that the limiter may exceed for 5 % of the time only (single hits); a master that would need more
    /// stays quieter [default: 3]
    #[arg(long, value_name = "DB", allow_hyphen_values = true, value_parser = |text: &str| number(text, "dB"))]
    #[serde(with = "number_as_text")]
    pub max_limiting_db: Option<f64>,
    /// Sample rate of the master [default: the mix's]
    #[arg(long = "rate", value_name = "HZ", value_parser = rate_hz)]
    #[serde(rename = "rate", with = "number_as_text")]
    pub sample_rate_hz: Option<u32>,
    /// Bits per sample of the master [default: 24]
    #[arg(long = "bits", value_enum, value_name = "BITS")]
    #[serde(rename = "bits", with = "option_as_text")]
    pub word_length: Option<WordLength>,
    /// Bit rate of an MP3 or Opus, in kbit/s [default: 320 for MP3, 160 for Opus]
    #[arg(long = "bitrate", value_name = "KBPS", value_parser = bitrate_kbps)]
    #[serde(rename = "bitrate", with = "number_as_text")]
    pub bitrate_kbps: Option<u32>,
}

/// Parses a bit rate in kbit/s.
fn bitrate_kbps(text: &str) -> Result<u32, String> {
    let number = text.to_lowercase();
    let number = number.trim_end_matches("bps").trim_end_matches("bit/s").trim_end_matches('k').trim();
    match (text.parse::<u32>(), number.parse::<u32>()) {
        (Ok(bps), _) if bps >= 8000 && bps.is_multiple_of(1000) => {
            Err(format!("a bit rate is given in kbit/s; did you mean {}?", bps / 1000))
        }
        (Ok(kbps), _) => Ok(kbps),
        (_, Ok(kbps)) => Err(format!("write it as a number: {kbps}")),
        _ => Err("must be a bit rate in kbit/s, as in 320".to_owned()),
    }
}

/// Highest number that is taken for a sample rate in kHz.
const MAX_RATE_KHZ: f64 = 768.0;

/// Parses a sample rate in Hz.
fn rate_hz(text: &str) -> Result<u32, String> {
    let number = text.to_lowercase();
    let number = number.trim_end_matches("hz").trim_end_matches('k').trim();
    match (text.parse(), number.parse::<f64>()) {
        (Ok(hz), _) if f64::from(hz) > MAX_RATE_KHZ => Ok(hz),
        (_, Ok(khz)) if khz > 1.0 && khz <= MAX_RATE_KHZ => {
            Err(format!("a sample rate is given in Hz; did you mean {:.0}?", khz * 1000.0))
        }
        (_, Ok(hz)) if hz > MAX_RATE_KHZ && hz.fract() == 0.0 => Err(format!("write it as a number: {hz:.0}")),
        (Ok(hz), _) => Ok(hz),
        _ => Err("must be a sample rate in Hz, as in 48000".to_owned()),
    }
}

fn destinations_help() -> String {
    let lines = Destination::value_variants().iter().filter_map(|d| {
        let value = d.to_possible_value()?;
        Some(format!("\n  {:12} {}", value.get_name(), value.get_help()?))
    });
    format!(
        "Loudness, ceiling and format for a place; given several times, a master for each:{}",
        lines.collect::<String>()
    )
}

/// Word length of a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WordLength {
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

value_enum_text!(WordLength);

impl WordLength {
    /// Returns the sample format for a recipe.
    fn sample_format(self) -> SampleFormat {
        match self {
            Self::Int16 => SampleFormat::Int16,
            Self::Int24 => SampleFormat::Int24,
            Self::Float32 => SampleFormat::Float32,
        }
    }
}

impl DeliveryRequest {
    /// Returns the destination; of several, the first.
    pub fn destination(&self) -> Option<Destination> {
        self.destinations.first().copied()
    }

    /// Returns one request for each destination.
    pub fn each(&self) -> Vec<Self> {
        match self.destinations.as_slice() {
            [] | [_] => vec![self.clone()],
            several => several.iter().map(|place| Self { destinations: vec![*place], ..self.clone() }).collect(),
        }
    }

    /// Returns the part of this request that applies to one of the files of a master: bits per sample for a lossless
    /// file, a bit rate for a lossy one. `formats` are those of all its files; a setting that applies to none of them
    /// is kept, so that it is rejected later.
    #[must_use]
    pub fn for_one_of(&self, format: Format, formats: &[Format]) -> Self {
        let is_lossy = |format: Format| format.codec().is_some();
        let takes_bits = !is_lossy(format) || formats.iter().all(|one| is_lossy(*one));
        let takes_bitrate = is_lossy(format) || !formats.iter().any(|one| is_lossy(*one));
        Self {
            word_length: self.word_length.filter(|_| takes_bits),
            bitrate_kbps: self.bitrate_kbps.filter(|_| takes_bitrate),
            ..self.clone()
        }
    }

    /// Returns the delivery part of a recipe. `target_lufs` is the typical loudness of the target; `has_reference` is
    /// true if the user chose the target. If neither a loudness nor a destination is requested, a master with a
    /// reference is as loud as the target, but no denser than `least_plr_lu` allows, if that is given; any other master
    /// has the default loudness. `louder_lu` is added in both cases.
    ///
    /// # Errors
    /// A value that no recipe accepts.
    pub fn delivery(
        &self,
        target_lufs: f64,
        has_reference: bool,
        least_plr_lu: Option<f64>,
        louder_lu: f64,
    ) -> Result<DeliveryParams, Error> {
        let preset = self.destination().map(Destination::requirements);
        // A reference may be quieter or louder than any master should be.
        let typical = target_lufs.clamp(QUIETEST_LUFS, LOUDEST_LUFS);
        let default = DeliveryParams::default();
        let ceiling_dbtp =
            self.ceiling_dbtp.or(preset.as_ref().map(|p| p.ceiling_dbtp)).unwrap_or(default.ceiling_dbtp);
        let loudness_lufs = match (self.loudness, &preset) {
            (Some(LoudnessTarget::Lufs(lufs)), _) => lufs,
            (Some(LoudnessTarget::Auto), _) => typical,
            (None, Some(preset)) => preset.loudness_lufs,
            (None, None) => {
                let as_dense = least_plr_lu.map_or(typical, |plr| typical.min(ceiling_dbtp - plr));
                let usual_lufs = if has_reference { as_dense } else { default.loudness_lufs };
                (usual_lufs + louder_lu).clamp(QUIETEST_LUFS, LOUDEST_LUFS)
            }
        };
        let room_db = if self.is_codec_safe { codec_room_db(loudness_lufs) } else { 0.0 };
        let ceiling_dbtp = ceiling_dbtp - room_db;
        let louder_lu = (loudness_lufs - default.loudness_lufs).max(0.0);
        let usual_db = [default.max_limiting_db + louder_lu, default.max_peak_limiting_db];
        let [most_db, most_peak_db] = preset.and_then(|p| p.max_limiting_db).unwrap_or(usual_db);
        let max_limiting_db = self.max_limiting_db.unwrap_or(most_db);
        let max_peak_limiting_db = most_peak_db.max(max_limiting_db);
        let delivery = DeliveryParams { loudness_lufs, ceiling_dbtp, max_limiting_db, max_peak_limiting_db };
        let recipe = Recipe { delivery, ..Recipe::default() };
        Ok(Recipe::checked(recipe).map_err(by_flag)?.delivery)
    }

    /// Returns the output part of a recipe for a file of this format.
    ///
    /// # Errors
    /// A sample rate or a bit rate that cannot be written, or a setting that does not apply to the format.
    pub fn output(&self, format: Format) -> Result<OutputParams, Error> {
        let cd = self.destination() == Some(Destination::Cd);
        let lossy = format.codec().map(|codec| LossyParams::new(codec, self.bitrate_kbps));
        if cd && lossy.is_some() {
            return Err(Error::Usage(format!(
                "--for cd asks for 16 bits, which {format} has not: write .wav or .flac"
            )));
        }
        if self.word_length.is_some() && lossy.is_some() {
            return Err(Error::Usage(format!(
                "--bits: {format} has no bits per sample; --bitrate sets how exact it is"
            )));
        }
        if self.bitrate_kbps.is_some() && lossy.is_none() {
            return Err(Error::Usage(format!(
                "--bitrate is for MP3 and Opus, and this master is a {format}: name it .mp3 or .opus"
            )));
        }
        let sample_rate_hz = self.sample_rate_hz.or(cd.then_some(44_100));
        let default = if cd { SampleFormat::Int16 } else { usual_samples(lossy) };
        let sample_format = self.word_length.map_or(default, WordLength::sample_format);
        let output = OutputParams { sample_rate_hz, sample_format, lossy, ..OutputParams::default() };
        Ok(Recipe::checked(Recipe { output, ..Recipe::default() }).map_err(by_flag)?.output)
    }
}

/// Returns the default sample format. Lossy codecs take floating-point samples.
fn usual_samples(lossy: Option<LossyParams>) -> SampleFormat {
    lossy.map_or(SampleFormat::default(), |_| SampleFormat::Float32)
}

/// Adapts the output part of a recipe to a file of another format: sets its codec at this or its usual bit rate, and
/// drops a sample rate that the codec does not support.
pub fn fitted_to(output: OutputParams, format: Format, bitrate_kbps: Option<u32>) -> OutputParams {
    if output.lossy.map(|lossy| lossy.codec) == format.codec() {
        return output;
    }
    let lossy = format.codec().map(|codec| LossyParams::new(codec, bitrate_kbps));
    let is_held = |hz: &u32| lossy.is_none_or(|lossy| lossy.codec.rates_hz().contains(hz));
    let sample_rate_hz = output.sample_rate_hz.filter(is_held);
    OutputParams { sample_rate_hz, sample_format: usual_samples(lossy), lossy, ..output }
}

/// Reports a value out of range under the name of its option.
fn by_flag(error: RecipeError) -> Error {
    match &error {
        RecipeError::Lossy(cause @ LossyError::Bitrate { .. }) => return Error::Usage(format!("--bitrate: {cause}")),
        RecipeError::Lossy(cause @ LossyError::SampleRate { .. }) => {
            return Error::Usage(format!("--rate: {cause}; without --rate the next of them is taken"));
        }
        _ => {}
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_beats_a_preset_beats_a_reference_beats_the_default() {
        let lufs = |wanted: &DeliveryRequest, has_reference| {
            wanted.delivery(-9.5, has_reference, None, 0.0).expect("legal").loudness_lufs
        };
        let mut wanted = DeliveryRequest::default();
        assert_eq!(lufs(&wanted, false), -14.0);
        assert_eq!(lufs(&wanted, true), -9.5);
        wanted.destinations = vec![Destination::AppleMusic];
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
            wanted.delivery(0.0, false, None, 0.0).expect("legal").ceiling_dbtp
        };
        assert_eq!([-20.0, -14.0, -11.5, -9.0, -6.0].map(ceiling), [-1.5, -1.5, -1.9, -2.3, -2.3]);
        assert!(ceiling(-12.0) < ceiling(-13.0) && ceiling(-10.0) < ceiling(-11.0));
    }

    #[test]
    fn a_cd_is_44_1_khz_and_16_bit_unless_said_otherwise() {
        let mut wanted = DeliveryRequest { destinations: vec![Destination::Cd], ..DeliveryRequest::default() };
        let output = wanted.output(Format::Wav).expect("legal");
        assert_eq!((output.sample_rate_hz, output.sample_format), (Some(44_100), SampleFormat::Int16));
        wanted.word_length = Some(WordLength::Int24);
        assert_eq!(wanted.output(Format::Flac).expect("legal").sample_format, SampleFormat::Int24);
        wanted.word_length = None;
        assert!(wanted.output(Format::Mp3).is_err());
    }

    #[test]
    fn what_a_format_has_no_use_for_is_refused_with_what_it_holds() {
        let refused = |format, change: fn(&mut DeliveryRequest)| {
            let mut wanted = DeliveryRequest::default();
            change(&mut wanted);
            wanted.output(format).expect_err("of no use").to_string()
        };
        let cases = [
            (refused(Format::Wav, |d| d.bitrate_kbps = Some(320)), "--bitrate is for MP3 and Opus"),
            (refused(Format::Mp3, |d| d.bitrate_kbps = Some(300)), "--bitrate: MP3 has no bit rate of 300"),
            (refused(Format::Opus, |d| d.bitrate_kbps = Some(511)), "64 to 510"),
            (refused(Format::Mp3, |d| d.sample_rate_hz = Some(96_000)), "--rate: MP3 cannot hold 96000 Hz"),
            (refused(Format::Opus, |d| d.sample_rate_hz = Some(44_100)), "choose 48000 Hz"),
            (refused(Format::Opus, |d| d.word_length = Some(WordLength::Int16)), "--bits: Opus"),
        ];
        for (sentence, words) in cases {
            assert!(sentence.contains(words), "{sentence}");
        }
        assert_eq!(bitrate_kbps("320"), Ok(320));
        assert_eq!(bitrate_kbps("320000"), Err("a bit rate is given in kbit/s; did you mean 320?".to_owned()));
        assert_eq!(bitrate_kbps("320k"), Err("write it as a number: 320".to_owned()));
        assert!(["", "-1", "nan", "99999999999", "v0"].iter().all(|text| bitrate_kbps(text).is_err()));
    }

    #[test]
    fn an_output_for_another_format_is_made_for_this_one() {
        let lossless = DeliveryRequest { sample_rate_hz: Some(96_000), ..DeliveryRequest::default() };
        let lossless = lossless.output(Format::Wav).expect("legal");
        let mp3 = fitted_to(lossless, Format::Mp3, None);
        assert_eq!((mp3.sample_rate_hz, mp3.sample_format, mp3.rate_hz(96_000)), (None, SampleFormat::Float32, 48_000));
        assert_eq!(mp3.lossy.map(|lossy| lossy.bitrate_kbps), Some(320));
        assert_eq!(fitted_to(mp3, Format::Opus, Some(96)).lossy.map(|lossy| lossy.bitrate_kbps), Some(96));
        let back = fitted_to(mp3, Format::Flac, None);
        assert_eq!((back.lossy, back.sample_format), (None, SampleFormat::Int24));
        assert_eq!(fitted_to(lossless, Format::Flac, None), lossless);
    }

    #[test]
    fn a_rate_in_khz_is_answered_in_hz() {
        assert_eq!((rate_hz("44100"), rate_hz("192000")), (Ok(44_100), Ok(192_000)));
        for (text, meant) in [("44.1", "44100"), ("48", "48000"), ("88.2k", "88200"), ("96kHz", "96000")] {
            assert_eq!(rate_hz(text), Err(format!("a sample rate is given in Hz; did you mean {meant}?")), "{text}");
        }
        assert_eq!(rate_hz("44100 Hz"), Err("write it as a number: 44100".to_owned()));
        assert!(rate_hz("fast").is_err() && rate_hz("-44100").is_err() && rate_hz("nan").is_err());
    }
}
