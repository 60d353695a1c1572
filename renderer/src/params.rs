//! Parameters are described once, beside the stage that uses them. Validation, quantisation, the model's output vector,
//! documentation and random recipes are derived by walking over these descriptions.

use serde::{Deserialize, Serialize};

/// Spacing of a parameter's values when they are searched, drawn or predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Linear.
    Linear,
    /// Logarithmic; the range is positive.
    Log,
}

/// Description of one parameter. Its name is the path of the field that holds it; its unit is the last word of that
/// name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Param {
    /// Smallest legal value.
    pub min: f64,
    /// Largest legal value.
    pub max: f64,
    /// The value at which the stage changes nothing, or its usual value where the stage has another switch.
    pub default: f64,
    /// Grid of the values in a recipe, so that a recipe that is read back is the one that ran.
    pub step: f64,
    /// Spacing of the values.
    pub scale: Scale,
}

impl Param {
    /// Creates a linearly spaced parameter.
    pub const fn linear(min: f64, max: f64, default: f64, step: f64) -> Self {
        Self { min, max, default, step, scale: Scale::Linear }
    }

    /// Creates a logarithmically spaced parameter.
    pub const fn log(min: f64, max: f64, default: f64, step: f64) -> Self {
        Self { min, max, default, step, scale: Scale::Log }
    }

    /// Returns the nearest legal value; the default for NaN.
    pub fn quantized(&self, value: f64) -> f64 {
        // Dividing by a whole number is exact, multiplying by 0.01 is not: the result is 0.07, not
        // 0.070000000000000007.
        let per_unit = libm::round(1.0 / self.step);
        let stepped = if per_unit >= 1.0 {
            libm::round(value * per_unit) / per_unit
        } else {
            libm::round(value / self.step) * self.step
        };
        if stepped.is_nan() { self.default } else { stepped.clamp(self.min, self.max) }
    }

    /// Returns the position of `value` in the range, 0 to 1.
    pub fn normalized(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => (value - self.min) / (self.max - self.min),
            Scale::Log => libm::log(value / self.min) / libm::log(self.max / self.min),
        }
    }

    /// The inverse of [`normalized`](Self::normalized).
    pub fn denormalized(&self, position: f64) -> f64 {
        match self.scale {
            Scale::Linear => self.min + position * (self.max - self.min),
            Scale::Log => self.min * libm::pow(self.max / self.min, position),
        }
    }
}

/// A group of parameters that can be visited one by one.
pub trait Params {
    /// Visits every parameter with its path below `path`.
    fn visit(&mut self, path: &str, visitor: &mut dyn FnMut(&str, &Param, &mut f64));
}

/// A value outside its parameter's range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{path} is {value}, but must lie between {min} and {max}")]
pub struct OutOfRange {
    /// Path of the field in the recipe.
    pub path: String,
    /// The given value.
    pub value: f64,
    /// Smallest legal value.
    pub min: f64,
    /// Largest legal value.
    pub max: f64,
}

/// Declares a struct of `f64` parameters together with their descriptions.
macro_rules! params {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$doc:meta])* $field:ident: $param:expr,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name { $($(#[$doc])* pub $field: f64,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: ($param).default,)* }
            }
        }

        impl $crate::params::Params for $name {
            fn visit(&mut self, path: &str, visitor: &mut dyn FnMut(&str, &$crate::params::Param, &mut f64)) {
                let Self { $($field,)* } = self;
                $(visitor(&format!(concat!("{}.", stringify!($field)), path), &$param, $field);)*
            }
        }
    };
}
pub(crate) use params;

/// One level per spectrum band, dB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct Curve(pub [f64; analyzer::spectrum_bands::SPECTRUM_BANDS]);

impl Curve {
    /// The curve that changes nothing.
    pub const FLAT: Self = Self([0.0; analyzer::spectrum_bands::SPECTRUM_BANDS]);

    /// Returns true if every band is at 0 dB.
    pub fn is_flat(&self) -> bool {
        self.0.iter().all(|v| *v == 0.0)
    }
}

impl Default for Curve {
    fn default() -> Self {
        Self::FLAT
    }
}

impl TryFrom<Vec<f64>> for Curve {
    type Error = String;

    fn try_from(values: Vec<f64>) -> Result<Self, String> {
        let count = values.len();
        Ok(Self(values.try_into().map_err(|_| {
            format!("a curve has {} values, one per quarter octave from 20 Hz, not {count}", Self::FLAT.0.len())
        })?))
    }
}

impl From<Curve> for Vec<f64> {
    fn from(curve: Curve) -> Self {
        curve.0.into()
    }
}
