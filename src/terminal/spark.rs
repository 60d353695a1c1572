//! A curve in one line of text.

/// Bars from the lowest to the highest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Returns values as bars between `low` and `high`, at most `columns` of them; each bar shows the highest of its
/// values.
pub fn spark(values: &[f64], [low, high]: [f64; 2], columns: usize) -> String {
    let columns = columns.min(values.len());
    let bar = |column: usize| {
        let share = &values[column * values.len() / columns..(column + 1) * values.len() / columns];
        let highest = share.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let at = ((highest - low) / (high - low).max(1e-9)).clamp(0.0, 1.0);
        if highest <= low { ' ' } else { BARS[((at * 8.0) as usize).min(7)] }
    };
    (0..columns).map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_keep_the_highest_of_their_share() {
        let values: Vec<f64> = (0..64).map(f64::from).collect();
        assert_eq!(spark(&values, [0.0, 63.0], 8), "▁▂▃▄▅▆▇█");
        assert_eq!(spark(&[0.0, 9.0, 0.0, 0.0], [0.0, 9.0], 2), "█ ");
    }

    #[test]
    fn no_values_and_no_range_are_no_fault() {
        assert_eq!(spark(&[], [0.0, 1.0], 10), "");
        assert_eq!(spark(&[1.0, 1.0], [1.0, 1.0], 10), "  ");
        assert_eq!(spark(&[2.0; 3], [1.0, 2.0], 10), "███");
    }
}
