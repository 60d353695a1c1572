//! The chain up to the limiter.

use analyzer::crossover::BANDS;
use analyzer::stream::{Frame, Source};

use crate::recipe::Recipe;
use crate::stage::Stage;
use crate::stages::balance::Balance;
use crate::stages::condition::Condition;
use crate::stages::dynamic_eq::DynamicEq;
use crate::stages::glue::Glue;
use crate::stages::match_eq::MatchEq;
use crate::stages::multiband::Multiband;
use crate::stages::width::Width;

/// The stages of a recipe in signal order; neutral ones are left out, so that a neutral recipe changes no bit.
pub struct Chain {
    stages: Vec<Link>,
    /// Number of stages up to the equaliser, which does about as much work as all stages behind it.
    head: usize,
}

/// A stage, with the delay of its first frame.
struct Link {
    stage: Box<dyn Stage>,
    /// Latency of the stages before it, in frames: their output up to then is not the song, and must not move a
    /// compressor.
    delay_frames: usize,
    /// Frames of it that are still to come.
    remaining_frames: usize,
}

impl Chain {
    /// Creates the chain at rest. `band_levels_dbfs` is the field of [`crate::recipe::Solution`]; thresholds relative
    /// to the song's level are relative to it.
    pub fn new(recipe: &Recipe, band_levels_dbfs: &[f64; BANDS], sample_rate_hz: u32) -> Self {
        let rate = sample_rate_hz;
        // Exhaustive, so that a new stage cannot be forgotten here.
        let Recipe {
            version: _,
            towards: _,
            edges: _,
            delivery: _,
            condition,
            balance,
            match_eq,
            dynamic_eq,
            multiband,
            glue,
            saturator,
            width,
            clipper,
            limiter: _,
            forecast: _,
            output: _,
            solution: _,
        } = recipe;
        fn boxed(stage: Option<impl Stage + 'static>) -> Option<Box<dyn Stage>> {
            stage.map(|s| Box::new(s) as Box<dyn Stage>)
        }
        let stages = [
            boxed(Condition::new(condition, rate)),
            boxed(Balance::new(balance)),
            boxed(MatchEq::new(match_eq, rate)),
            boxed(DynamicEq::new(dynamic_eq, rate)),
            boxed(Multiband::new(multiband, band_levels_dbfs, rate)),
            boxed(Glue::new(glue, band_levels_dbfs, rate)),
            boxed(saturator.stage(band_levels_dbfs)),
            boxed(Width::new(width, rate)),
            boxed(clipper.stage(band_levels_dbfs)),
        ];
        let head = stages[..3].iter().flatten().count();
        let mut latency = 0;
        let linked = stages.into_iter().flatten().map(|stage| {
            let delay_frames = latency;
            latency += stage.latency_frames();
            Link { stage, delay_frames, remaining_frames: delay_frames }
        });
        Self { stages: linked.collect(), head }
    }

    /// Returns the chain's output for a whole stream: as many frames as `source` has, aligned with it in time.
    pub fn applied_to<S: Source>(self, source: S) -> Rendered<S> {
        let latency = self.latency_frames();
        Rendered { chain: self, source, ahead: latency, tail: latency }
    }

    /// Returns the same output as [`applied_to`](Self::applied_to), made by two sources that may run in two threads:
    /// the first one, and a function of it that returns the second.
    pub fn in_two<S: Source, T: Source>(mut self, source: S) -> (Rendered<S>, impl FnOnce(T) -> Rendered<T>) {
        let latency = self.latency_frames();
        let behind = Self { stages: self.stages.split_off(self.head), head: 0 };
        let second = move |first| Rendered { chain: behind, source: first, ahead: latency, tail: 0 };
        (Rendered { chain: self, source, ahead: 0, tail: latency }, second)
    }
}

impl Stage for Chain {
    fn process(&mut self, frames: &mut [Frame]) {
        for link in &mut self.stages {
            let early = link.remaining_frames.min(frames.len());
            link.remaining_frames -= early;
            link.stage.process(&mut frames[early..]);
        }
    }

    fn reset(&mut self) {
        for link in &mut self.stages {
            link.remaining_frames = link.delay_frames;
            link.stage.reset();
        }
    }

    fn latency_frames(&self) -> usize {
        self.stages.iter().map(|link| link.stage.latency_frames()).sum()
    }

    fn band_gains_db(&self) -> [Option<f64>; BANDS] {
        let mut gains = self.stages.iter().map(|link| link.stage.band_gains_db());
        gains.find(|gains| gains.iter().any(Option::is_some)).unwrap_or_default()
    }
}

/// See [`Chain::applied_to`].
pub struct Rendered<S> {
    chain: Chain,
    source: S,
    /// Output frames to skip, because they lie before the start of the source.
    ahead: usize,
    /// Frames of silence to append after the source's end.
    tail: usize,
}

impl<S> Rendered<S> {
    /// Returns the gains of the bands after the last frames read; see [`Stage::band_gains_db`].
    pub fn band_gains_db(&self) -> [Option<f64>; BANDS] {
        self.chain.band_gains_db()
    }
}

impl<S: Source> Source for Rendered<S> {
    type Error = S::Error;

    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, S::Error> {
        loop {
            let mut count = self.source.read(frames)?;
            if count == 0 {
                count = self.tail.min(frames.len());
                self.tail -= count;
                frames[..count].fill([0.0; 2]);
            }
            self.chain.process(&mut frames[..count]);
            let skipped = self.ahead.min(count);
            self.ahead -= skipped;
            frames.copy_within(skipped..count, 0);
            if count == 0 || skipped < count {
                return Ok(count - skipped);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(frames: usize) -> Vec<Frame> {
        let mut state = 1u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        };
        (0..frames).map(|_| [next(), next()]).collect()
    }

    fn rendered(recipe: &Recipe, frames: &[Frame]) -> Vec<Frame> {
        read(Chain::new(recipe, &[-20.0; BANDS], 48_000).applied_to(frames), frames.len())
    }

    fn read<S: Source<Error: std::fmt::Debug>>(mut rendered: Rendered<S>, frames: usize) -> Vec<Frame> {
        let mut out = vec![[0.0; 2]; frames + 1];
        let mut filled = 0;
        loop {
            let end = (filled + 1000).min(out.len());
            match rendered.read(&mut out[filled..end]).expect("memory does not fail") {
                0 => break,
                count => filled += count,
            }
        }
        out.truncate(filled);
        out
    }

    #[test]
    fn a_divided_chain_gives_the_same_bits() {
        let mut recipe = Recipe::default().with("multiband.high_mid.ratio", "2").expect("legal");
        recipe = recipe.with("multiband.high_mid.look_ahead_ms", "5").expect("legal");
        let equalized = {
            let mut recipe = recipe.clone();
            recipe.match_eq.mid_db.0 = [1.0; 40];
            recipe
        };
        let frames = noise(50_000);
        for recipe in [Recipe::default(), recipe, equalized] {
            let (first, second) = Chain::new(&recipe, &[-20.0; BANDS], 48_000).in_two(frames.as_slice());
            assert_eq!(read(second(first), frames.len()), rendered(&recipe, &frames));
        }
    }

    #[test]
    fn a_neutral_recipe_changes_no_bit() {
        let frames = noise(10_000);
        assert_eq!(rendered(&Recipe::default(), &frames), frames);
    }

    #[test]
    fn dynamics_start_alike_with_and_without_the_latency_of_an_equaliser() {
        let frames: Vec<Frame> = (0..20_000).map(|n| [0.14 * libm::sin(n as f64 * 0.3) as f32; 2]).collect();
        let plain = Recipe::default().with("multiband.high_mid.ratio", "2").expect("legal");
        let plain = plain.with("multiband.high_mid.threshold_db", "-12").expect("legal");
        // Flat but for an inaudible difference.
        let mut with_eq = plain.clone();
        with_eq.match_eq.mid_db.0 = [0.01; 40];
        with_eq.match_eq.side_db.0 = [0.01; 40];
        let (a, b) = (rendered(&plain, &frames), rendered(&with_eq, &frames));
        let difference = a.iter().zip(&b).map(|(a, b)| (a[0] - b[0]).abs()).fold(0.0, f32::max);
        assert!(difference < 0.002, "{difference}");
    }

    #[test]
    fn output_is_as_long_as_the_input_and_in_time_with_it() {
        let mut recipe = Recipe::default();
        recipe.match_eq.mid_db.0 = [0.01; 40];
        recipe.match_eq.side_db.0 = [0.01; 40];
        for length in [1, 100, 50_000] {
            let frames = noise(length);
            let out = rendered(&recipe, &frames);
            assert_eq!(out.len(), length);
            let difference = out.iter().zip(&frames).map(|(a, b)| (a[0] - b[0]).abs()).fold(0.0, f32::max);
            assert!(difference < 0.01, "{length}: {difference}");
        }
    }
}
