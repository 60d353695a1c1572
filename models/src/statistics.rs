//! Statistics of small samples.

/// The value in the middle, or the mean of the two that are; `None` of nothing.
pub fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    Some(if values.len().is_multiple_of(2) { 0.5 * (values[values.len() / 2 - 1] + upper) } else { upper })
}
