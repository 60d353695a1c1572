//! Corrections of single peaks that the limiter has to treat as higher than its detector read them.
//!
//! A detector with half the taps misreads content next to Nyquist, and a moving gain changes the values between two
//! samples. Both errors are found by measuring the written samples.

use std::collections::BTreeMap;

use analyzer::units::db_from_gain;
use renderer::recipe::Trim;
use renderer::stages::limiter::LimiterGain;

use crate::io;
use crate::render::trace::{Steps, Trace, blocks_of};

/// A block of the written samples that exceeds the ceiling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Over {
    /// Index of the block of [`analyzer::oversample::BLOCK_FRAMES`] frames.
    pub block: u64,
    /// Required reduction of its gain, dB.
    pub by_db: f64,
}

/// Factor on the required reduction for a block that stayed over the ceiling despite a trim, and for its neighbours.
const PERSISTENT: f64 = 2.0;
/// Trim steps per dB.
const TRIMS_PER_DB: f64 = 10_000.0;

/// Updates `trims` so that the gain in the blocks of `overs` comes down by the required reductions, even where the peak
/// of another block determines the gain. `overs` are the blocks that `limiter` left over the ceiling with the given
/// `trims`. Both lists must be in order.
///
/// # Errors
/// The trace lies in a temporary file that cannot be read.
pub fn correct(trims: &mut Vec<Trim>, overs: &[Over], trace: &Trace, limiter: LimiterGain) -> Result<(), io::Error> {
    let threshold = limiter.threshold();
    let before = std::mem::take(trims);
    let overs = with_neighbours(overs, &before);
    let mut steps = Steps::new(blocks_of(trace), limiter, &before);
    let mut kept = before.into_iter().peekable();
    let mut next = steps.next_step()?;
    let mut at = 0;
    for over in &overs {
        while at <= over.block {
            let (step, block) = (next, at);
            next = steps.next_step()?;
            at += 1;
            if block == over.block {
                let gain = step.gain.min(next.gain);
                let excess_db = over.by_db + db_from_gain(threshold / f64::from(step.peak * gain));
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

/// Merges `overs` and `others` in order; where both contain a block, the larger reduction counts.
pub fn both(overs: Vec<Over>, others: impl Iterator<Item = Over>) -> Vec<Over> {
    let mut wanted: BTreeMap<u64, f64> = BTreeMap::new();
    for Over { block, by_db } in overs.into_iter().chain(others) {
        let known = wanted.entry(block).or_insert(by_db);
        *known = known.max(by_db);
    }
    wanted.into_iter().map(|(block, by_db)| Over { block, by_db }).collect()
}

/// Adds the neighbours of the blocks that are still over the ceiling although they were trimmed before. Next to
/// Nyquist, the value between two samples depends on many more samples, so these blocks and their neighbours come down
/// together, and further than required.
fn with_neighbours(overs: &[Over], before: &[Trim]) -> Vec<Over> {
    let is_trimmed = |block: u64| before.binary_search_by_key(&block, |trim| trim.block).is_ok();
    let persistent = overs.iter().filter(|over| is_trimmed(over.block));
    let around = persistent.flat_map(|&Over { block, by_db }| {
        (block.saturating_sub(1)..=block + 1).map(move |block| Over { block, by_db: PERSISTENT * by_db })
    });
    both(overs.to_vec(), around)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_stays_over_the_ceiling_takes_its_neighbours_down() {
        let before = [Trim { block: 7, peak_db: 0.1 }, Trim { block: 20, peak_db: 0.1 }];
        let over = |block, by_db| Over { block, by_db };
        let wanted = with_neighbours(&[over(3, 0.5), over(7, 0.01), over(8, 0.2)], &before);
        assert_eq!(wanted, [over(3, 0.5), over(6, 0.02), over(7, 0.02), over(8, 0.2)]);
    }
}
