//! Corrections of single peaks that the limiter has to treat as higher than its detector read them.
//!
//! A detector with half the taps misreads content next to Nyquist, and a moving gain changes the values between two
//! samples. Both errors are found by measuring the written samples.

use std::collections::BTreeMap;

use analyzer::units::db_from_gain;
use renderer::recipe::Trim;
use renderer::stages::limiter::LimiterGain;

use crate::io;
use crate::render::trace::{Trace, steps_from};

/// A block of the written samples that exceeds the ceiling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CeilingExcess {
    /// Index of the block of [`analyzer::oversample::BLOCK_FRAMES`] frames.
    pub block: u64,
    /// Required reduction of its gain, dB.
    pub by_db: f64,
}

/// Factor on the required reduction for a block that stayed over the ceiling despite a trim, and for its neighbours.
const REPEAT_FACTOR: f64 = 2.0;
/// Trim steps per dB.
const TRIMS_PER_DB: f64 = 10_000.0;

/// Updates `trims` so that the gain in the blocks of `excesses` comes down by the required reductions, even where the
/// peak of another block determines the gain. `excesses` are the blocks that `limiter` left over the ceiling with the
/// given `trims`. Both lists must be in order.
///
/// # Errors
/// The trace lies in a temporary file that cannot be read.
pub fn correct(
    trims: &mut Vec<Trim>,
    excesses: &[CeilingExcess],
    trace: &Trace,
    limiter: LimiterGain,
) -> Result<(), io::Error> {
    let threshold = limiter.threshold();
    let before = std::mem::take(trims);
    let excesses = with_neighbours(excesses, &before);
    let mut steps = steps_from(trace, 0, limiter, &before);
    let mut kept = before.into_iter().peekable();
    let mut next = steps.next_step()?;
    let mut at = 0;
    for excess in &excesses {
        while at <= excess.block {
            let (step, block) = (next, at);
            next = steps.next_step()?;
            at += 1;
            if block == excess.block {
                let gain = step.gain.min(next.gain);
                let excess_db = excess.by_db + db_from_gain(threshold / f64::from(step.peak * gain));
                // Silence has no peak that could come down.
                if !excess_db.is_finite() {
                    continue;
                }
                trims.extend(std::iter::from_fn(|| kept.next_if(|trim| trim.block < block)));
                kept.next_if(|trim| trim.block == block);
                trims.push(Trim { block, peak_db: (excess_db * TRIMS_PER_DB).ceil() / TRIMS_PER_DB });
            }
        }
    }
    trims.extend(kept);
    Ok(())
}

/// Merges `excesses` and `others` in order; where both contain a block, the larger reduction counts.
pub fn merged(excesses: Vec<CeilingExcess>, others: impl Iterator<Item = CeilingExcess>) -> Vec<CeilingExcess> {
    let mut required: BTreeMap<u64, f64> = BTreeMap::new();
    for CeilingExcess { block, by_db } in excesses.into_iter().chain(others) {
        let known = required.entry(block).or_insert(by_db);
        *known = known.max(by_db);
    }
    required.into_iter().map(|(block, by_db)| CeilingExcess { block, by_db }).collect()
}

/// Adds the neighbours of the blocks that are still over the ceiling although they were trimmed before. Next to
/// Nyquist, the value between two samples depends on many more samples, so these blocks and their neighbours come down
/// together, and further than required.
fn with_neighbours(excesses: &[CeilingExcess], before: &[Trim]) -> Vec<CeilingExcess> {
    let is_trimmed = |block: u64| before.binary_search_by_key(&block, |trim| trim.block).is_ok();
    let repeated = excesses.iter().filter(|excess| is_trimmed(excess.block));
    let around = repeated.flat_map(|&CeilingExcess { block, by_db }| {
        (block.saturating_sub(1)..=block + 1).map(move |block| CeilingExcess { block, by_db: REPEAT_FACTOR * by_db })
    });
    merged(excesses.to_vec(), around)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_stays_over_the_ceiling_takes_its_neighbours_down() {
        let before = [Trim { block: 7, peak_db: 0.1 }, Trim { block: 20, peak_db: 0.1 }];
        let excess = |block, by_db| CeilingExcess { block, by_db };
        let required = with_neighbours(&[excess(3, 0.5), excess(7, 0.01), excess(8, 0.2)], &before);
        assert_eq!(required, [excess(3, 0.5), excess(6, 0.02), excess(7, 0.02), excess(8, 0.2)]);
    }
}
