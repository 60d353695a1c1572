//! Cuts a stream into blocks of 10 ms, so that no result depends on how the stream was pushed.

use crate::stream::Frame;

/// Blocks per second.
pub(crate) const BLOCKS_PER_SECOND: u64 = 100;

/// First frame of block `index`: `index` hundredths of a second, rounded. The grid never drifts, whatever the rate.
pub(crate) fn block_start(index: usize, sample_rate_hz: u32) -> u64 {
    (index as u64 * u64::from(sample_rate_hz) + BLOCKS_PER_SECOND / 2) / BLOCKS_PER_SECOND
}

/// Passes on whole blocks and keeps the frames that do not fill one yet.
pub(crate) struct Blocks {
    sample_rate_hz: u32,
    done: usize,
    rest: Vec<Frame>,
}

impl Blocks {
    /// Creates a grid at the start of a stream.
    pub fn new(sample_rate_hz: u32) -> Self {
        let longest = u64::from(sample_rate_hz).div_ceil(BLOCKS_PER_SECOND) + 1;
        Self { sample_rate_hz, done: 0, rest: Vec::with_capacity(longest as usize) }
    }

    /// Takes frames and calls `each` with every block that they complete.
    pub fn push(&mut self, mut frames: &[Frame], mut each: impl FnMut(&[Frame])) {
        loop {
            let length = self.next_length();
            let wanted = length - self.rest.len();
            if frames.len() < wanted {
                self.rest.extend_from_slice(frames);
                return;
            }
            let (head, tail) = frames.split_at(wanted);
            if self.rest.is_empty() {
                each(head);
            } else {
                self.rest.extend_from_slice(head);
                each(&self.rest);
                self.rest.clear();
            }
            self.done += 1;
            frames = tail;
        }
    }

    /// Returns the frames that were pushed after the last whole block.
    pub fn rest(&self) -> &[Frame] {
        &self.rest
    }

    fn next_length(&self) -> usize {
        let start = |index| block_start(index, self.sample_rate_hz);
        (start(self.done + 1) - start(self.done)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_do_not_drift_at_odd_rates() {
        for rate in [8000, 11_025, 44_100, 44_056, 192_000] {
            assert_eq!(block_start(100 * 3600, rate), 3600 * u64::from(rate));
            let mut blocks = Blocks::new(rate);
            let (mut count, mut frames) = (0, 0);
            for _ in 0..rate {
                blocks.push(&[[0.0; 2]; 7], |block| {
                    count += 1;
                    frames += block.len();
                });
            }
            assert_eq!(count, 700);
            assert_eq!(frames, 7 * rate as usize);
            assert!(blocks.rest().is_empty());
        }
    }
}
