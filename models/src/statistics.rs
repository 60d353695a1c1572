//! Statistics of small samples.

/// Returns the median, the mean of the two middle values for an even number; `None` if there are no values.
pub fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    Some(if values.len().is_multiple_of(2) { 0.5 * (values[values.len() / 2 - 1] + upper) } else { upper })
}
