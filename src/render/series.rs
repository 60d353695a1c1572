//! Values over time, reduced to as many as a drawing can show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Maximum number of values in a series.
const MAX_VALUES: usize = 400;

/// Values that are evenly spaced in time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// Time of the first value, seconds: the middle of the span that it covers.
    pub start_s: f64,
    /// Time between two values, seconds.
    pub step_s: f64,
    /// The values, rounded.
    pub values: Vec<f64>,
}

impl Series {
    /// Divides `values`, which start at `start_s` and are `step_s` apart, into equal runs and applies `fold` to each.
    /// The runs are as short as the maximum number of values allows.
    pub fn folded<T: Copy>(values: &[T], start_s: f64, step_s: f64, digits: i32, fold: impl Fn(&[T]) -> f64) -> Self {
        let run = values.len().div_ceil(MAX_VALUES).max(1);
        let start_s = rounded(start_s + step_s * (run as f64 - 1.0) / 2.0, 3);
        let values = values.chunks(run).map(|run| rounded(fold(run), digits)).collect();
        Self { start_s, step_s: rounded(step_s * run as f64, 6), values }
    }

    /// Returns time in seconds and value of every point.
    pub fn points(&self) -> impl Iterator<Item = [f64; 2]> {
        self.values.iter().enumerate().map(|(n, value)| [self.start_s + n as f64 * self.step_s, *value])
    }
}

/// Rounds to this many decimal digits.
pub fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_of_any_length_is_short_and_keeps_its_place_in_time() {
        for count in [0_usize, 1, 399, 400, 401, 24_000] {
            let values: Vec<f32> = (0..count).map(|n| n as f32).collect();
            let last = |run: &[f32]| f64::from(run[run.len() - 1]);
            let series = Series::folded(&values, 1.5, 0.1, 1, last);
            assert!(series.values.len() <= MAX_VALUES, "{count}");
            assert_eq!(series.values.last().copied(), count.checked_sub(1).map(|n| n as f64));
            let end_s = series.start_s + (series.values.len() as f64 - 0.5) * series.step_s;
            let wanted_s = 1.5 - 0.05 + count as f64 * 0.1;
            assert!(count == 0 || (end_s - wanted_s).abs() < series.step_s + 1e-6, "{count}: {end_s}, not {wanted_s}");
        }
    }
}
