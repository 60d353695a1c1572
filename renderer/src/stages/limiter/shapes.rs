//! Turns the reduction that peaks need into a smooth curve for the gain.

use std::collections::VecDeque;
use std::f64::consts::PI;

use analyzer::oversample::BLOCK_FRAMES;
use analyzer::units::gain_from_db;

use super::params::LimiterParams;

/// The largest of the last `length` values, by a queue of the values that can still become the largest (Lemire 2006).
struct SlidingMaximum {
    /// The queue, as a ring whose length is a power of two: falling values, each with its position in the stream.
    ring: Vec<(u64, f64)>,
    /// Positions in the ring of the first candidate and of the one after the last, counted on without wrapping.
    first: usize,
    end: usize,
    length: u64,
    next: u64,
}

impl SlidingMaximum {
    fn new(length: usize) -> Self {
        let ring = vec![(0, 0.0); (length + 1).next_power_of_two()];
        Self { ring, first: 0, end: 0, length: length as u64, next: 0 }
    }

    fn next(&mut self, value: f64) -> f64 {
        let Self { ring, first, end, length, next } = self;
        let mask = ring.len() - 1;
        while *first < *end && ring[(*end - 1) & mask].1 <= value {
            *end -= 1;
        }
        ring[*end & mask] = (*next, value);
        *end += 1;
        *next += 1;
        if ring[*first & mask].0 + *length < *next {
            *first += 1;
        }
        ring[*first & mask].1
    }
}

/// Reduction that does not fall between peaks less than a bridge apart.
struct Bridge {
    dilation: SlidingMaximum,
    /// Maximum of the negated values, hence their minimum.
    erosion: SlidingMaximum,
    /// Minimum, and maximum of those minima, over the time that a bridge has to last.
    lasting: [SlidingMaximum; 2],
    /// Needed reductions, delayed until the erosions have caught up.
    needed: VecDeque<f64>,
    deepest: f64,
}

impl Bridge {
    /// Creates a bridge over gaps under `length` values, where the result lasts for at least `lasting` values.
    fn new(length: usize, lasting: usize, deepest: f64) -> Self {
        Self {
            dilation: SlidingMaximum::new(length),
            erosion: SlidingMaximum::new(length),
            lasting: [lasting; 2].map(SlidingMaximum::new),
            needed: std::iter::repeat_n(0.0, length + lasting - 2).collect(),
            deepest,
        }
    }

    fn delay(&self) -> usize {
        self.needed.len()
    }

    fn next(&mut self, needed: f64) -> f64 {
        let closed = -self.erosion.next(-self.dilation.next(needed));
        let [smallest, largest] = &mut self.lasting;
        let opened = largest.next(-smallest.next(-closed));
        self.needed.push_back(needed);
        let needed = self.needed.pop_front().unwrap_or(needed);
        needed.max(opened.min(self.deepest))
    }
}

/// The deepest of the dips that the values draw around themselves, delayed by `ahead` values.
///
/// Beside an equal or a larger value, the side of a dip that faces it is never the deepest. Hence only a value larger than
/// the one before draws its fall, and only one larger than the next draws its rise.
struct Dips {
    /// The dip of a value of 1 up to the value itself, rising to 1.
    fall: Vec<f64>,
    /// The same behind the value.
    rise: Vec<f64>,
    /// The curve as far as it is known, from index `from` on, which is `ahead` values before the next one.
    curve: Vec<f64>,
    from: usize,
    before: f64,
}

/// Number of values after which the curve is moved back.
const CURVE_STEP: usize = 4096;

impl Dips {
    fn new(ahead: usize, behind: usize) -> Self {
        let dip = |at: f64| 0.5 - 0.5 * libm::cos(PI * at);
        let fall: Vec<f64> = (1..=ahead + 1).map(|n| dip(n as f64 / (ahead + 1) as f64)).collect();
        let rise: Vec<f64> = (1..=behind).map(|n| dip(1.0 - n as f64 / (behind + 1) as f64)).collect();
        Self { curve: vec![0.0; fall.len() + rise.len() + CURVE_STEP], fall, rise, from: 0, before: 0.0 }
    }

    fn ahead(&self) -> usize {
        self.fall.len() - 1
    }

    /// Number of values that a dip reaches over.
    fn reach(&self) -> usize {
        self.fall.len() + self.rise.len()
    }

    fn next(&mut self, value: f64) -> f64 {
        let (ahead, reach) = (self.ahead(), self.reach());
        if self.from == CURVE_STEP {
            self.curve.copy_within(CURVE_STEP.., 0);
            self.curve[reach..].fill(0.0);
            self.from = 0;
        }
        let deepen = |curve: &mut [f64], value: f64, shape: &[f64]| {
            curve.iter_mut().zip(shape).for_each(|(deepest, shape)| *deepest = deepest.max(value * shape));
        };
        let reached = &mut self.curve[self.from..];
        if value > self.before {
            deepen(reached, value, &self.fall);
        } else {
            reached[ahead] = reached[ahead].max(value);
            if value < self.before {
                deepen(&mut reached[ahead..], self.before, &self.rise);
            }
        }
        self.before = value;
        self.from += 1;
        reached[0]
    }
}

/// The smallest reduction, made of bridges and dips, that reaches what every block needs; delayed by
/// [`delay`](Self::delay) values.
pub(super) struct Reduction {
    bridge: Bridge,
    dips: Dips,
    /// Number of values in a row at which no reduction was needed.
    idle: usize,
    /// Number of such values after which nothing is remembered.
    memory: usize,
}

impl Reduction {
    /// Creates the curve; `lasting_ms` is the shortest time that a bridge has to last.
    pub fn new(params: &LimiterParams, lasting_ms: f64, sample_rate_hz: u32) -> Self {
        let rate = f64::from(sample_rate_hz) / BLOCK_FRAMES as f64;
        let blocks = |ms: f64| libm::ceil(ms * 1e-3 * rate).max(1.0) as usize;
        let deepest = 1.0 - gain_from_db(-params.bridge_db);
        let (bridge, lasting) = (blocks(params.bridge_ms) + 1, blocks(lasting_ms));
        let dips = Dips::new(blocks(params.look_ahead_ms), blocks(params.release_ms));
        let memory = 2 * (bridge + lasting) + dips.reach() + 2;
        Self { bridge: Bridge::new(bridge, lasting, deepest), dips, idle: 0, memory }
    }

    /// Delay of the curve behind the peaks that need it, in blocks.
    pub fn delay(&self) -> usize {
        self.bridge.delay() + self.dips.ahead()
    }

    /// Number of values that the curve depends on.
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Takes the next needed reduction and returns the bridged one, still without dips.
    pub fn bridged(&mut self, needed: f64) -> f64 {
        self.idle = if needed > 0.0 { 0 } else { self.idle + 1 };
        if self.is_idle() { 0.0 } else { self.bridge.next(needed) }
    }

    /// Takes the next bridged reduction and returns the curve that reaches all of them.
    pub fn rounded(&mut self, bridged: f64) -> f64 {
        if self.is_idle() { 0.0 } else { self.dips.next(bridged) }
    }

    /// Returns true if everything remembered is zero, so that one more zero changes nothing.
    fn is_idle(&self) -> bool {
        self.idle > self.memory
    }
}

#[cfg(test)]
mod tests {
    use analyzer::random::Random;

    use super::*;

    /// Needed reductions: silence, single hits, plateaus and noise.
    fn needed() -> Vec<f64> {
        let mut random = Random::new(5);
        let mut values = vec![0.0; 300];
        for run in 0..400 {
            let value = 0.5 + 0.5 * random.bipolar();
            let length = 1 + (20.0 * (0.5 + 0.5 * random.bipolar())) as usize;
            match run % 4 {
                0 => values.extend(std::iter::repeat_n(0.0, length)),
                1 => values.extend(std::iter::repeat_n(value, length)),
                2 => values.push(value),
                _ => values.extend((0..length).map(|_| 0.5 + 0.5 * random.bipolar())),
            }
        }
        values.extend(vec![0.0; 300]);
        values
    }

    #[test]
    fn the_curve_is_the_deepest_of_the_dips_of_all_values() {
        let values = needed();
        for (ahead, behind) in [(1, 1), (3, 40), (14, 275)] {
            let mut dips = Dips::new(ahead, behind);
            let shape: Vec<f64> = dips.fall.iter().chain(&dips.rise).copied().collect();
            let curve: Vec<f64> = values.iter().map(|value| dips.next(*value)).collect();
            for (at, reading) in curve.iter().enumerate().skip(ahead) {
                // The value at index `from + n` has its dip from `from + n - ahead` on.
                let centre = at - ahead;
                let reached = centre.saturating_sub(behind)..=(centre + ahead).min(values.len() - 1);
                let deepest = reached.map(|from| values[from] * shape[centre + ahead - from]).fold(0.0, f64::max);
                assert_eq!(*reading, deepest, "{ahead} ahead, {behind} behind, value {at}");
            }
        }
    }

    #[test]
    fn the_sliding_maximum_is_the_largest_of_the_last_values() {
        let values = needed();
        for length in [1, 2, 7, 64, 500] {
            let mut maximum = SlidingMaximum::new(length);
            for (at, value) in values.iter().enumerate() {
                let last = &values[(at + 1).saturating_sub(length)..=at];
                let largest = last.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                assert_eq!(maximum.next(*value), largest, "{length} values up to {at}");
            }
        }
    }
}
