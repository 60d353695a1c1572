//! Amounts by which the parts of a decision are applied.

use serde::{Deserialize, Serialize};

/// Shares of a decision that are applied, 0 to 1 each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// Share of the equalisation that mid and side have in common.
    pub tone: f64,
    /// Share of compression and expansion.
    pub dynamics: f64,
    /// Share of the equalisation of the side beyond that of the mid.
    pub width: f64,
}

impl Default for Amounts {
    fn default() -> Self {
        Self { tone: 1.0, dynamics: 1.0, width: 1.0 }
    }
}

impl Amounts {
    /// Amounts that apply nothing.
    pub const NONE: Self = Self { tone: 0.0, dynamics: 0.0, width: 0.0 };

    /// Returns these amounts plus `share` times the other.
    pub fn plus(&self, other: &Self, share: f64) -> Self {
        Self {
            tone: self.tone + share * other.tone,
            dynamics: self.dynamics + share * other.dynamics,
            width: self.width + share * other.width,
        }
    }

    /// Returns these amounts, each multiplied by the other's.
    pub fn times(&self, other: &Self) -> Self {
        let Self { tone, dynamics, width } = *self;
        Self { tone: tone * other.tone, dynamics: dynamics * other.dynamics, width: width * other.width }
    }

    /// Applies the amounts to gains of mid and side: the part of the side beyond the mid is width.
    pub fn of<const N: usize>(&self, [mid, side]: &[[f64; N]; 2]) -> [[f64; N]; 2] {
        let toned = mid.map(|db| self.tone * db);
        [toned, std::array::from_fn(|n| toned[n] + self.width * (side[n] - mid[n]))]
    }
}
