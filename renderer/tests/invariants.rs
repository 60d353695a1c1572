//! Properties of every stage, at every rate, with parameters at their limits and anywhere between.
//!
//! The stages are taken from the recipe: a new stage is tested without a change here.

// A global allocator needs unsafe code.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use analyzer::crossover::BANDS;
use analyzer::random::Random;
use analyzer::stream::Frame;
use renderer::chain::Chain;
use renderer::params::{Param, Params};
use renderer::recipe::Recipe;
use renderer::stage::Stage;

const RATES_HZ: [u32; 5] = [44_100, 48_000, 88_200, 96_000, 192_000];
const BAND_LEVELS_DBFS: [f64; BANDS] = [-16.0, -18.0, -20.0, -22.0];
/// Groups of the recipe that are not stages of the chain.
const ELSEWHERE: [&str; 4] = ["edges", "delivery", "limiter", "forecast"];
/// Frames beyond the latency.
const FRAMES: usize = 3000;

/// Counts the allocations of a thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller guarantees what the system's allocator requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Clone, Copy, Debug)]
enum Setting {
    Least,
    Most,
    /// A tenth of the way from the default to the farther end.
    Mild,
    Drawn(u64),
}

/// A recipe with one stage's parameters set, the others at their defaults; "" sets all.
fn recipe_with(stage: &str, setting: Setting) -> Recipe {
    let mut recipe = Recipe::default();
    let mut random = Random::new(if let Setting::Drawn(seed) = setting { seed } else { 0 });
    recipe.visit("", &mut |path, param, value| {
        if path.starts_with(stage) {
            let default = param.normalized(param.default);
            *value = match setting {
                Setting::Least => param.min,
                Setting::Most => param.max,
                Setting::Mild if default <= 0.5 => param.denormalized(0.9 * default + 0.1),
                Setting::Mild => param.denormalized(0.9 * default),
                Setting::Drawn(_) => param.denormalized(random.uniform()),
            };
        }
    });
    recipe.quantized()
}

/// The recipe's own list of stages.
fn stages() -> Vec<String> {
    let mut stages: Vec<String> = Vec::new();
    Recipe::default().visit("", &mut |path, _, _| {
        let stage = path.split('.').next().unwrap_or_default();
        if !ELSEWHERE.contains(&stage) && stages.last().is_none_or(|last| last != stage) {
            stages.push(stage.into());
        }
    });
    stages
}

/// Every stage by itself.
fn recipes(setting: Setting) -> Vec<(String, Recipe)> {
    stages().into_iter().map(|stage| (stage.clone(), recipe_with(&stage, setting))).collect()
}

/// Every stage by itself, the linear phase of the equaliser as well, and all stages together.
fn drawn_recipes(seed: u64) -> Vec<(String, Recipe)> {
    let linear = recipe_with("match_eq", Setting::Drawn(seed)).with("match_eq.phase", "linear").expect("legal");
    let all = recipe_with("", Setting::Drawn(seed));
    recipes(Setting::Drawn(seed)).into_iter().chain([("linear".into(), linear), ("all".into(), all)]).collect()
}

fn chain(recipe: &Recipe, rate: u32) -> Chain {
    Chain::new(recipe, &BAND_LEVELS_DBFS, rate)
}

/// Noise well over the reference levels of the thresholds, with clicks.
fn noise(frames: usize, seed: u64) -> Vec<Frame> {
    let mut random = Random::new(seed);
    let mut noise: Vec<Frame> = (0..frames).map(|_| [random.bipolar() as f32, random.bipolar() as f32]).collect();
    noise.iter_mut().step_by(997).for_each(|frame| frame[1] = 4.0);
    noise
}

/// The frames after processing in blocks of `block`.
fn processed(chain: &mut Chain, frames: &[Frame], block: usize) -> Vec<Frame> {
    let mut out = frames.to_vec();
    out.chunks_mut(block).for_each(|block| chain.process(block));
    out
}

fn bits(frames: &[Frame]) -> Vec<[u32; 2]> {
    frames.iter().map(|frame| frame.map(f32::to_bits)).collect()
}

#[test]
fn every_stage_keeps_the_promises_of_a_stage() {
    for rate in RATES_HZ {
        let extremes = [Setting::Least, Setting::Most].into_iter().flat_map(recipes);
        for (name, recipe) in extremes.chain(drawn_recipes(1)) {
            let mut chain = chain(&recipe, rate);
            let context = format!("{name} at {rate}");
            blocks_and_resets_leave_no_trace_in_the_bits(&mut chain, &context);
            silence_stays_silent_and_loud_noise_finite(&mut chain, &context);
            swapped_channels_come_out_swapped(chain, &recipe, rate, &context);
        }
    }
}

fn blocks_and_resets_leave_no_trace_in_the_bits(chain: &mut Chain, context: &str) {
    let frames = noise(chain.latency_frames() + FRAMES, 5);
    let wanted = bits(&processed(chain, &frames, frames.len()));
    for block in [1, 7, 64, 1000] {
        let mut out = frames.clone();
        chain.reset();
        let before = ALLOCATIONS.get();
        out.chunks_mut(block).for_each(|block| chain.process(block));
        assert_eq!(ALLOCATIONS.get(), before, "{context} allocates");
        assert!(bits(&out) == wanted, "{context}: blocks of {block}");
    }
}

fn silence_stays_silent_and_loud_noise_finite(chain: &mut Chain, context: &str) {
    let length = chain.latency_frames() + FRAMES;
    chain.reset();
    let silence = processed(chain, &vec![[0.0; 2]; length], 1024);
    assert!(silence.iter().flatten().all(|x| *x == 0.0), "{context}");
    let mut loud = noise(length, 8);
    loud.iter_mut().flatten().for_each(|x| *x *= 100.0);
    loud[FRAMES / 2] = [1e20, -1e20];
    assert!(processed(chain, &loud, 1024).iter().flatten().all(|x| x.is_finite()), "{context}");
}

/// The balance, which distinguishes left from right, is inverted for the swapped channels.
fn swapped_channels_come_out_swapped(mut straight: Chain, recipe: &Recipe, rate: u32, context: &str) {
    let swapped = |frames: &[Frame]| -> Vec<Frame> { frames.iter().map(|[l, r]| [*r, *l]).collect() };
    let frames = noise(straight.latency_frames() + FRAMES, 9);
    straight.reset();
    let wanted = swapped(&processed(&mut straight, &frames, 4096));
    let crossed = if recipe.balance.left_over_right_db == 0.0 {
        straight.reset();
        processed(&mut straight, &swapped(&frames), 4096)
    } else {
        let mut mirrored = recipe.clone();
        mirrored.balance.left_over_right_db *= -1.0;
        processed(&mut chain(&mirrored, rate), &swapped(&frames), 4096)
    };
    assert!(crossed == wanted, "{context}: channels");
}

#[test]
fn every_stage_is_reached_by_the_walk_and_left_out_by_default() {
    // A dynamic stage may find nothing to do at one setting, but not at every one.
    for stage in stages() {
        let frames = noise(FRAMES, 1);
        let changes =
            |seed| processed(&mut chain(&recipe_with(&stage, Setting::Drawn(seed)), 48_000), &frames, 100) != frames;
        assert!((0..20).any(changes), "{stage}");
    }
    for rate in RATES_HZ {
        let frames = noise(FRAMES, 2);
        let out = processed(&mut chain(&Recipe::default(), rate), &frames, 100);
        assert!(bits(&out) == bits(&frames), "{rate}");
    }
}

#[test]
fn the_counter_counts() {
    let before = ALLOCATIONS.get();
    drop(vec![0u8; 100]);
    assert_eq!(ALLOCATIONS.get() - before, 1);
}

/// Looks for the first frame with a tenth of the largest magnitude: filters may ring on, and pre-ring a little.
#[test]
fn an_impulse_comes_out_after_the_latency() {
    for rate in RATES_HZ {
        for (name, recipe) in recipes(Setting::Mild) {
            let mut chain = chain(&recipe, rate);
            let mut frames = vec![[0.0; 2]; chain.latency_frames() + FRAMES];
            frames[0] = [1.0, 0.5];
            chain.process(&mut frames);
            let largest = frames.iter().map(|f| f[0].abs()).fold(0.0, f32::max);
            let first = frames.iter().position(|f| f[0].abs() > 0.1 * largest);
            assert_eq!(first, Some(chain.latency_frames()), "{name} at {rate}");
        }
    }
}

#[test]
fn parameters_go_to_their_position_and_back() {
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs().max(1.0);
    let check = |path: &str, param: &Param| {
        assert!(param.min < param.max && (param.min..=param.max).contains(&param.default), "{path}");
        assert!(same(param.normalized(param.min), 0.0) && same(param.normalized(param.max), 1.0), "{path}");
        for position in [0.0, 0.013, 0.5, 0.77, 1.0, param.normalized(param.default)] {
            let value = param.denormalized(position);
            assert!(same(param.normalized(value), position), "{path} at {position}");
            assert!(same(param.denormalized(param.normalized(value)), value), "{path} at {value}");
            let quantized = param.quantized(value);
            assert!((quantized - value).abs() <= 0.5001 * param.step, "{path} at {value}");
            assert_eq!(param.quantized(quantized), quantized, "{path}");
        }
        assert_eq!(param.quantized(param.default), param.default, "{path}");
    };
    Recipe::default().visit("", &mut |path, param, value| {
        assert_eq!(*value, param.default, "{path}");
        check(path, param);
    });
}
