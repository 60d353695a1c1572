//! Properties of any recipe and of anything that is limited, tested on random examples that are the same in every run.

use analyzer::crossover::BANDS;
use analyzer::oversample::BLOCK_FRAMES;
use analyzer::random::Random;
use analyzer::stream::Frame;
use analyzer::units::{db_from_gain, gain_from_db};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use renderer::lossy::{Codec, LossyParams};
use renderer::params::Params;
use renderer::recipe::{OUTPUT_RATES_HZ, OutputParams, Recipe, SampleFormat, Solution, Trim};
use renderer::stages::limiter::{BlockPeaks, LimiterApply, LimiterGain, LimiterParams, LimiterStep, PeakTrace};
use renderer::stages::match_eq::Phase;

const RATE_HZ: u32 = 48_000;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(13), failure_persistence: None, ..ProptestConfig::default() }
}

fn output() -> impl Strategy<Value = OutputParams> {
    let format = prop_oneof![Just(SampleFormat::Int16), Just(SampleFormat::Int24), Just(SampleFormat::Float32)];
    let codec = prop_oneof![Just(None), Just(Some(Codec::Mp3)), Just(Some(Codec::Opus))];
    (proptest::option::of(OUTPUT_RATES_HZ), format, any::<u32>(), codec).prop_map(
        |(sample_rate_hz, sample_format, dither_seed, codec)| OutputParams {
            sample_rate_hz: sample_rate_hz.map(|hz| codec.map_or(hz, |codec| codec.rate_hz(hz))),
            sample_format,
            dither_seed,
            lossy: codec.map(|codec| LossyParams::new(codec, None)),
        },
    )
}

fn solution() -> impl Strategy<Value = Solution> {
    let db = || -300.0..=300.0f64;
    let trims = vec((1..1_000_000u64, db()), 0..20);
    (any::<u32>(), any::<bool>(), [(); BANDS].map(|()| db()), db(), db(), db(), trims).prop_map(
        |(engine, is_aimed, band_levels_dbfs, exact_above_dbfs, drive_db, codec_room_db, steps)| {
            let trims = steps.iter().scan(0, |block, (step, peak_db)| {
                *block += step;
                Some(Trim { block: *block, peak_db: *peak_db })
            });
            let (input_hash, settings_hash) = ("0f".repeat(32), "\u{e9}\"\n".to_owned());
            let trims = trims.collect();
            Solution {
                engine,
                input_hash,
                settings_hash,
                is_aimed,
                band_levels_dbfs,
                exact_above_dbfs,
                drive_db,
                codec_room_db,
                trims,
            }
        },
    )
}

/// Any valid recipe.
fn recipe() -> impl Strategy<Value = Recipe> {
    let mut count = 0;
    Recipe::default().visit("", &mut |_, _, _| count += 1);
    (vec(0.0..=1.0f64, count), any::<bool>(), output(), proptest::option::of(solution())).prop_map(
        |(positions, is_linear, output, solution)| {
            let mut recipe = Recipe { output, solution, ..Recipe::default() };
            recipe.match_eq.phase = if is_linear { Phase::Linear } else { Phase::Minimum };
            let mut positions = positions.into_iter();
            recipe.visit("", &mut |_, param, value| *value = param.denormalized(positions.next().unwrap_or_default()));
            recipe.quantized()
        },
    )
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn any_recipe_reads_back_as_itself(recipe in recipe()) {
        let json = recipe.to_json();
        let back = Recipe::from_json(&json);
        prop_assert_eq!(back.as_ref().ok(), Some(&recipe), "{:?}", back);
        prop_assert_eq!(back.map(|recipe| recipe.to_json()).ok(), Some(json));
    }

    #[test]
    fn a_value_out_of_range_is_named_wherever_it_is(recipe in recipe(), which in any::<prop::sample::Index>(), up in any::<bool>()) {
        let (mut recipe, mut known) = (recipe, Vec::new());
        recipe.visit("", &mut |path, param, _| known.push((path.to_owned(), param.min, param.max)));
        let (wrong, min, max) = which.get(&known).clone();
        recipe.visit("", &mut |path, _, value| {
            if path == wrong {
                *value = if up { max + 1.0 } else { min - 1.0 };
            }
        });
        let words = recipe.checked().map(|_| ()).map_err(|error| error.to_string());
        prop_assert!(words.as_ref().is_err_and(|words| words.starts_with(&format!("{wrong} is "))), "{:?}", words);
    }

    #[test]
    fn a_damaged_recipe_is_refused_or_is_another_recipe(
        recipe in recipe(),
        damage in vec((any::<prop::sample::Index>(), any::<char>()), 1..4),
    ) {
        let mut text: Vec<char> = recipe.to_json().chars().collect();
        for (place, letter) in damage {
            text[place.index(recipe.to_json().len() / 2)] = letter;
        }
        if let Ok(other) = Recipe::from_json(&text.into_iter().collect::<String>()) {
            prop_assert_eq!(Recipe::from_json(&other.to_json()).ok(), Some(other));
        }
    }
}

/// Passages of a tone or of noise: cycles per frame, or none for noise; level in dBFS; share of the right channel;
/// length in frames.
fn song() -> impl Strategy<Value = Vec<Frame>> {
    let passage = (proptest::option::of(0.0005..0.4f64), -50.0..15.0f64, -1.0..=1.0f64, 1..4000usize, any::<u64>());
    vec(passage, 1..10).prop_map(|passages| {
        let passage = |(tone, level_db, right, frames, seed): (Option<f64>, f64, f64, usize, u64)| {
            let (mut random, gain) = (Random::new(seed), gain_from_db(level_db));
            let sample = move |n: usize| match tone {
                Some(cycles) => gain * libm::sin(std::f64::consts::TAU * cycles * n as f64 + 0.3),
                None => gain * random.bipolar(),
            };
            (0..frames).map(sample).map(|x| [x as f32, (right * x) as f32]).collect::<Vec<Frame>>()
        };
        passages.into_iter().flat_map(passage).collect()
    })
}

fn limiter() -> impl Strategy<Value = LimiterParams> {
    vec(0.0..=1.0f64, 5).prop_map(|positions| {
        let (mut params, mut positions) = (LimiterParams::default(), positions.into_iter());
        params.visit("", &mut |_, param, value| *value = param.denormalized(positions.next().unwrap_or_default()));
        params
    })
}

/// Parameters of a limiter, its drive in dB and its ceiling in dBTP.
type Setting = (LimiterParams, f64, f64);

fn setting() -> impl Strategy<Value = Setting> {
    (limiter(), -6.0..15.0f64, -6.0..=0.0f64)
}

fn steps(song: &[Frame], (params, drive_db, ceiling_dbtp): &Setting) -> Vec<LimiterStep> {
    let mut peaks = Vec::new();
    let mut trace = PeakTrace::new(0.0, RATE_HZ);
    trace.push(song, |block| peaks.push(block));
    trace.finish(|block| peaks.push(block));
    let mut gain = LimiterGain::new(params, *drive_db, *ceiling_dbtp, RATE_HZ);
    let delay = gain.delay_blocks();
    peaks.extend(std::iter::repeat_n(BlockPeaks::default(), delay + 1));
    peaks.into_iter().map(|block| gain.next(block, 1.0)).skip(delay).collect()
}

fn limited(song: &[Frame], setting: &Setting) -> Vec<Frame> {
    let apply = LimiterApply::new(setting.1);
    let mut out = song.to_vec();
    for (block, steps) in out.chunks_mut(BLOCK_FRAMES).zip(steps(song, setting).windows(2)) {
        apply.process_block(block, &steps[0], &steps[1]);
    }
    out
}

fn changed(song: &[Frame], change: impl Fn(Frame) -> Frame) -> Vec<Frame> {
    song.iter().map(|frame| change(*frame)).collect()
}

fn peak_db(song: &[Frame]) -> f64 {
    db_from_gain(f64::from(song.as_flattened().iter().fold(0.0, |max: f32, x| max.max(x.abs()))))
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn a_limiter_only_turns_down_and_only_what_passes_its_ceiling(song in song(), setting in setting()) {
        let steps = steps(&song, &setting);
        prop_assert!(steps.iter().all(|step| step.gain > 0.0 && step.gain <= 1.0), "gain");
        prop_assert!(steps.iter().all(|step| (0.0..=1.0).contains(&step.low_cut)), "share of the low band");
        let (_, drive_db, ceiling_dbtp) = setting;
        // Interpolated points of this song are at most 3 dB over its samples, except for ringing at its seams.
        let quiet = changed(&song, |frame| frame.map(|x| (f64::from(x) * gain_from_db(ceiling_dbtp - drive_db - peak_db(&song) - 12.0)) as f32));
        let driven = changed(&quiet, |frame| frame.map(|x| (f64::from(x) * gain_from_db(drive_db)) as f32));
        prop_assert!(limited(&quiet, &setting) == driven, "what stays under the ceiling is only driven");
    }

    #[test]
    fn no_sample_passes_the_ceiling_and_none_by_0_3_db_where_the_low_band_is_cut(song in song(), setting in setting()) {
        let is_cut = steps(&song, &setting).iter().any(|step| step.low_cut > 0.0);
        let over_db = peak_db(&limited(&song, &setting)) - setting.2;
        prop_assert!(over_db < if is_cut { CUT_OVER_DB } else { ROUNDING_DB }, "{} dB over", over_db);
    }

    #[test]
    fn a_limiter_treats_channels_and_polarities_alike(song in song(), setting in setting()) {
        let out = limited(&song, &setting);
        let swap = |[left, right]: Frame| [right, left];
        let invert = |[left, right]: Frame| [-left, -right];
        prop_assert!(limited(&changed(&song, swap), &setting) == changed(&out, swap), "channels");
        prop_assert!(limited(&changed(&song, invert), &setting) == changed(&out, invert), "polarity");
    }
}

/// The cut of the low band is computed for the peak of each block, and also moves the samples around it a little; the
/// pass that verifies a master trims the rest.
const CUT_OVER_DB: f64 = 0.3;

/// Gains and samples are rounded to single precision.
const ROUNDING_DB: f64 = 0.001;
