//! A number that is several numbers side by side, so that one pass of an algorithm serves several signals.
//!
//! Arithmetic is done lane by lane in an order that the source fixes. The compiler makes single vector instructions of it, which
//! change no bit: a signal gets the same result in any lane, beside any others, on every processor.

use std::array::from_fn;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use realfft::num_traits::{FromPrimitive, Num, One, Signed, Zero};

/// `N` numbers; what is asked of all of them (`is_zero`, `is_positive`, ...) is true if it is true of each.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(transparent)]
pub struct Lanes<T, const N: usize>(pub [T; N]);

impl<T: Copy, const N: usize> Lanes<T, N> {
    /// The same number in every lane.
    #[inline(always)]
    pub fn splat(value: T) -> Self {
        Self([value; N])
    }
}

macro_rules! lane_by_lane {
    ($($operator:ident $function:ident),*) => {$(
        impl<T: Copy + $operator<Output = T>, const N: usize> $operator for Lanes<T, N> {
            type Output = Self;

            #[inline(always)]
            fn $function(self, other: Self) -> Self {
                Self(from_fn(|lane| self.0[lane].$function(other.0[lane])))
            }
        }
    )*};
}

lane_by_lane!(Add add, Sub sub, Mul mul, Div div, Rem rem);

impl<T: Copy + Neg<Output = T>, const N: usize> Neg for Lanes<T, N> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self(self.0.map(|x| -x))
    }
}

impl<T: Copy + Zero, const N: usize> Zero for Lanes<T, N> {
    fn zero() -> Self {
        Self::splat(T::zero())
    }

    fn is_zero(&self) -> bool {
        self.0.iter().all(T::is_zero)
    }
}

impl<T: Copy + One, const N: usize> One for Lanes<T, N> {
    fn one() -> Self {
        Self::splat(T::one())
    }
}

impl<T: Copy + Num, const N: usize> Num for Lanes<T, N> {
    type FromStrRadixErr = T::FromStrRadixErr;

    fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
        T::from_str_radix(text, radix).map(Self::splat)
    }
}

impl<T: Copy + Signed, const N: usize> Signed for Lanes<T, N> {
    fn abs(&self) -> Self {
        Self(self.0.map(|x| x.abs()))
    }

    fn abs_sub(&self, other: &Self) -> Self {
        Self(from_fn(|lane| self.0[lane].abs_sub(&other.0[lane])))
    }

    fn signum(&self) -> Self {
        Self(self.0.map(|x| x.signum()))
    }

    fn is_positive(&self) -> bool {
        self.0.iter().all(T::is_positive)
    }

    fn is_negative(&self) -> bool {
        self.0.iter().all(T::is_negative)
    }
}

impl<T: Copy + FromPrimitive, const N: usize> FromPrimitive for Lanes<T, N> {
    fn from_i64(n: i64) -> Option<Self> {
        T::from_i64(n).map(Self::splat)
    }

    fn from_u64(n: u64) -> Option<Self> {
        T::from_u64(n).map(Self::splat)
    }

    fn from_f64(n: f64) -> Option<Self> {
        T::from_f64(n).map(Self::splat)
    }
}
