//! Text forms of values, as people write them: the same for the command line, the rows of a plan and the hash of all
//! settings.

use std::fmt::Display;
use std::str::FromStr;

use serde::Serializer;

fn parsed<T: FromStr<Err: Display>, E: serde::de::Error>(text: &str) -> Result<T, E> {
    text.parse().map_err(E::custom)
}

/// Parses a number in some unit as people type it.
///
/// # Errors
/// The text contains a unit or a decimal comma, or is not a number. The message says what to write.
pub fn number(text: &str, what: &str) -> Result<f64, String> {
    let bare = |c: char| c.is_alphabetic() || c.is_whitespace() || c == '%';
    match (text.trim().parse(), text.trim_end_matches(bare).replace(',', ".")) {
        (Ok(number), _) => Ok(number),
        (Err(_), number) if number.parse::<f64>().is_ok() => Err(format!("write it as a number: {number}")),
        _ => Err(format!("{text:?} is no number of {what}")),
    }
}

/// Serialises one value as text.
pub mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::request::text::parsed;

    pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        parsed(&String::deserialize(deserializer)?)
    }
}

/// Serialises one optional value as text.
pub mod option_as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::request::text::{OrNone as _, parsed};

    pub fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str_or_none(value.as_ref())
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        Option::<String>::deserialize(deserializer)?.map(|text| parsed(&text)).transpose()
    }
}

/// Serialises one optional number as text.
pub mod number_as_text {
    pub use crate::request::text::option_as_text::serialize;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer};
    use std::str::FromStr;

    pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        let number = |text: String| {
            text.parse().map_err(|_| D::Error::custom(format!("{text:?} is not a number that is possible here")))
        };
        Option::<String>::deserialize(deserializer)?.map(number).transpose()
    }
}

/// Serialises several values as texts.
pub mod list_as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::request::text::parsed;

    pub fn serialize<T: Display, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(ToString::to_string))
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        Vec::<String>::deserialize(deserializer)?.iter().map(|text| parsed(text)).collect()
    }
}

/// Serialises an optional text.
trait OrNone: Serializer {
    fn collect_str_or_none<T: Display>(self, value: Option<&T>) -> Result<Self::Ok, Self::Error> {
        match value {
            Some(value) => self.collect_str(value),
            None => self.serialize_none(),
        }
    }
}

impl<S: Serializer> OrNone for S {}

/// Implements printing and parsing for the values of a command line option, under the same names.
macro_rules! value_enum_text {
    ($kind:ty) => {
        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                use clap::ValueEnum as _;
                self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
            }
        }

        impl std::str::FromStr for $kind {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                use clap::ValueEnum;
                <Self as ValueEnum>::from_str(text, true).map_err(|_| {
                    let names: Vec<String> = Self::value_variants().iter().map(ToString::to_string).collect();
                    format!("{text:?} is none of {}", names.join(", "))
                })
            }
        }
    };
}

pub(crate) use value_enum_text;

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_with_its_unit_is_answered_with_the_number() {
        assert_eq!((number("-14", "LUFS"), number(" 1e1 ", "LUFS")), (Ok(-14.0), Ok(10.0)));
        for (text, written) in [("-14dB", "-14"), ("-14 LUFS", "-14"), ("50%", "50"), ("-9,5", "-9.5"), ("8 s", "8")] {
            assert_eq!(number(text, "x"), Err(format!("write it as a number: {written}")), "{text}");
        }
        for text in ["", "loud", "dB", "1-2", "--force"] {
            assert_eq!(number(text, "LUFS"), Err(format!("{text:?} is no number of LUFS")), "{text}");
        }
    }
}
