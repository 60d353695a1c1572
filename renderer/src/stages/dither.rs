//! Rounds to a whole number of steps, with triangular dither.
//!
//! Two uniform random numbers of one step each, summed, make mean and variance of the rounding error independent of the
//! signal (Lipshitz, Wannamaker & Vanderkooy, "Quantization and Dither", JAES 40(5), 1992).

use analyzer::random::Random;
use analyzer::stream::Frame;
use analyzer::units::nearest;

/// Step of the uniform numbers, each of which is one half of 64 random bits.
const UNIFORM_STEP: f64 = 1.0 / (1u64 << 32) as f64;

/// Rounds to the grid of a word length. Digital silence stays silent.
pub struct Dither {
    steps: f64,
    /// 1 / `steps`, a power of two and thus exact.
    step: f64,
    random: Random,
}

impl Dither {
    /// Creates a dither for `bits` per sample, 2 to 24. The same seed gives the same bits.
    pub fn new(bits: u32, seed: u64) -> Self {
        assert!((2..=24).contains(&bits), "word length {bits} is outside 2 to 24 bits");
        let steps = f64::from(1u32 << (bits - 1));
        Self { steps, step: 1.0 / steps, random: Random::new(seed) }
    }

    /// Rounds `x`, full scale ±1, to the nearest legal sample after adding dither.
    fn rounded(&mut self, x: f64) -> f32 {
        if x == 0.0 {
            return 0.0;
        }
        let bits = self.random.bits();
        let noise = ((bits >> 32) + (bits & 0xFFFF_FFFF)) as f64 * UNIFORM_STEP - 1.0;
        (nearest(x * self.steps + noise).clamp(-self.steps, self.steps - 1.0) * self.step) as f32
    }

    /// Rounds the next frames. Without `stereo`, both channels take the rounded left one, and stay equal.
    pub fn process(&mut self, frames: &mut [Frame], stereo: bool) {
        for frame in frames {
            let left = self.rounded(f64::from(frame[0]));
            *frame = [left, if stereo { self.rounded(f64::from(frame[1])) } else { left }];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_under_one_step_survives_as_a_mean() {
        let mut dither = Dither::new(16, 1);
        let level = 0.3 / 32_768.0;
        let mut frames = vec![[level as f32; 2]; 200_000];
        dither.process(&mut frames, true);
        let mean = frames.iter().map(|f| f64::from(f[0])).sum::<f64>() / frames.len() as f64;
        assert!((mean / level - 1.0).abs() < 0.03, "{}", mean / level);
    }

    /// TPDF noise of two steps peak to peak: variance 1/6 + 1/12 of a step squared (Lipshitz et al., table 1).
    #[test]
    fn error_has_the_power_of_triangular_dither() {
        let mut dither = Dither::new(16, 7);
        let signal: Vec<f64> = (0..200_000).map(|n| 0.4 * libm::sin(n as f64 * 0.01)).collect();
        let mut frames: Vec<Frame> = signal.iter().map(|x| [*x as f32; 2]).collect();
        dither.process(&mut frames, false);
        let power = frames.iter().zip(&signal).map(|(f, x)| (f64::from(f[0]) - x).powi(2)).sum::<f64>();
        let steps_squared = power / signal.len() as f64 * 32_768.0 * 32_768.0;
        assert!((steps_squared - 0.25).abs() < 0.01, "{steps_squared}");
    }

    #[test]
    fn silence_stays_silent_and_samples_stay_legal() {
        let mut frames = [[0.0, -0.0], [1.5, -1.5]];
        Dither::new(16, 3).process(&mut frames, true);
        assert_eq!(frames, [[0.0, 0.0], [32_767.0 / 32_768.0, -1.0]]);
    }
}
