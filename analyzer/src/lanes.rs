//! Number types that hold several numbers side by side, so that one pass of an algorithm processes several signals.
//!
//! They are as wide as the vector registers that every processor of an architecture has. Each operation is one
//! instruction, rounded in every lane as for a single number, so a signal gets the same bits in any lane, beside any
//! other signals, on every processor.

use std::array::from_fn;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use realfft::num_traits::{FromPrimitive, Num, One, Signed, Zero};

/// Four numbers of single precision.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(transparent)]
pub struct Quad(wide::f32x4);

/// Two numbers of double precision.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(transparent)]
pub struct Pair(wide::f64x2);

/// Steps per turn: every angle of a transform whose length is a power of two, or three times a power of two, is a
/// multiple of one step.
const ANGLES: f64 = (3 << 24) as f64;
/// Largest error of a system's sine or cosine of a rounded angle.
const SYSTEM_ERROR: f64 = 4e-15;

/// Returns a transform's factor as `libm` computes it, which is the same everywhere. The factors are sines and cosines
/// from the system's library, whose last bit depends on system and processor. Any other number is returned unchanged.
fn portable_factor(factor: f64) -> f64 {
    // `realfft` asks for one half in every bin of every transform.
    if factor.abs() > 1.0 || [0.5, -0.5, 0.0, 1.0, -1.0].contains(&factor) {
        return factor + 0.0;
    }
    let turn = core::f64::consts::TAU;
    let angle = libm::round(libm::acos(factor) / turn * ANGLES);
    let cosine = libm::cos(angle / ANGLES * turn);
    // Adding 0.0 turns −0 into 0.
    let half = libm::round(2.0 * cosine) / 2.0 + 0.0;
    let right = if (cosine - half).abs() < SYSTEM_ERROR { half } else { cosine };
    if (right - factor).abs() < SYSTEM_ERROR { right } else { factor }
}

macro_rules! operators {
    ($name:ident: $($operator:ident $function:ident),*) => {$(
        impl $operator for $name {
            type Output = Self;

            #[inline]
            fn $function(self, other: Self) -> Self {
                Self(self.0.$function(other.0))
            }
        }
    )*};
}

/// Implements everything that a transform requires of a number. Predicates (`is_zero`, `is_positive`, ...) are true if
/// they are true for every lane.
macro_rules! number {
    ($name:ident, $vector:ty, [$scalar:ty; $lanes:literal]) => {
        impl $name {
            /// Creates a value from one number per lane.
            #[inline]
            pub fn new(lanes: [$scalar; $lanes]) -> Self {
                Self(<$vector>::new(lanes))
            }

            /// Creates a value with the same number in every lane.
            #[inline]
            pub fn splat(value: $scalar) -> Self {
                Self(<$vector>::splat(value))
            }

            /// Returns the number of each lane.
            #[inline]
            pub fn lanes(self) -> [$scalar; $lanes] {
                self.0.to_array()
            }

            fn map(self, of: impl Fn($scalar) -> $scalar) -> Self {
                Self::new(self.lanes().map(of))
            }

            fn with(self, other: Self, of: impl Fn($scalar, $scalar) -> $scalar) -> Self {
                let (a, b) = (self.lanes(), other.lanes());
                Self::new(from_fn(|lane| of(a[lane], b[lane])))
            }
        }

        operators!($name: Add add, Sub sub, Mul mul, Div div);

        impl Rem for $name {
            type Output = Self;

            fn rem(self, other: Self) -> Self {
                self.with(other, |a, b| a % b)
            }
        }

        impl Neg for $name {
            type Output = Self;

            #[inline]
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl Zero for $name {
            #[inline]
            fn zero() -> Self {
                Self::splat(0.0)
            }

            fn is_zero(&self) -> bool {
                self.lanes().iter().all(|x| *x == 0.0)
            }
        }

        impl One for $name {
            #[inline]
            fn one() -> Self {
                Self::splat(1.0)
            }
        }

        impl Num for $name {
            type FromStrRadixErr = <$scalar as Num>::FromStrRadixErr;

            fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
                <$scalar>::from_str_radix(text, radix).map(Self::splat)
            }
        }

        impl Signed for $name {
            fn abs(&self) -> Self {
                self.map(<$scalar>::abs)
            }

            fn abs_sub(&self, other: &Self) -> Self {
                self.with(*other, |a, b| (a - b).max(0.0))
            }

            fn signum(&self) -> Self {
                self.map(<$scalar>::signum)
            }

            fn is_positive(&self) -> bool {
                self.lanes().iter().all(|x| x.is_sign_positive())
            }

            fn is_negative(&self) -> bool {
                self.lanes().iter().all(|x| x.is_sign_negative())
            }
        }

        impl FromPrimitive for $name {
            fn from_i64(n: i64) -> Option<Self> {
                <$scalar>::from_i64(n).map(Self::splat)
            }

            fn from_u64(n: u64) -> Option<Self> {
                <$scalar>::from_u64(n).map(Self::splat)
            }

            fn from_f64(n: f64) -> Option<Self> {
                <$scalar>::from_f64(portable_factor(n)).map(Self::splat)
            }
        }
    };
}

number!(Quad, wide::f32x4, [f32; 4]);
number!(Pair, wide::f64x2, [f64; 2]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_do_not_depend_on_the_last_bit_of_a_system() {
        for length in [8192_u32, 98_304, 131_072, 1_572_864] {
            for place in (0..length).step_by(37) {
                let angle = core::f64::consts::TAU * f64::from(place) / f64::from(length);
                for factor in [libm::cos(angle), libm::sin(angle)] {
                    let right = portable_factor(factor);
                    assert!((right - factor).abs() < SYSTEM_ERROR);
                    for other in [factor.next_down(), factor.next_up()] {
                        let other = other.clamp(-1.0, 1.0);
                        assert_eq!(portable_factor(other).to_bits(), right.to_bits(), "{place} of {length}: {factor}");
                    }
                }
            }
        }
    }

    #[test]
    fn other_numbers_stay() {
        for number in [0.0, 0.5, -0.5, 1.0, -1.0, 2.0, 1.0 / 98_304.0, 0.123_456_789] {
            assert_eq!(portable_factor(number), number);
        }
    }
}
