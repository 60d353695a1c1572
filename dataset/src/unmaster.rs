//! Makes mixes that a finished song might have come from.
//!
//! The actual mastering is unknown and is not undone. Instead, dynamics, tone and width are changed at random, in
//! several ways, each as likely up as down, and each is left alone in a quarter of the cases; transients are changed in
//! half of the cases with changed dynamics.

use analyzer::biquad::{Biquad, BiquadCoefs};
use analyzer::crossover::BANDS;
use analyzer::profile::Profile;
use analyzer::random::Random;
use analyzer::spectrum_bands::SPECTRUM_BANDS;
use analyzer::stream::Frame;
use analyzer::units::{db_from_power, gain_from_db, one_pole_coef};
use models::decision::two_sided;
use renderer::params::Curve;
use renderer::stage::Stage;
use renderer::stages::match_eq::{MatchEq, MatchEqParams};
use renderer::stages::multiband::{Multiband, MultibandParams};
use renderer::stages::width::{Width, WidthParams};

/// Makes a mix of a song, in place. Returns the logarithms of the ratios that were applied.
pub fn unmaster(frames: &mut [Frame], rate: u32, profile: &Profile, seed: u64) -> [f64; BANDS] {
    let mut random = Random::new(seed);
    let mut severity = |low: f64, high: f64| {
        let amount = low + (high - low) * random.uniform();
        if random.uniform() < 0.25 { 0.0 } else { amount }
    };
    let (tone, dynamics, width) = (severity(0.6, 1.8), severity(0.5, 1.5), severity(0.5, 1.5));
    let log_ratios = compress(frames, rate, profile, dynamics, &mut random);
    if random.uniform() < 0.5 {
        lift_transients(frames, rate, 0.6 * dynamics * random.bipolar());
    }
    match (4.0 * random.uniform()) as usize {
        0 => tilt(frames, rate, tone, &mut random),
        1 => draw(frames, rate, tone, &mut random),
        _ => equalize(frames, rate, tone, &mut random),
    }
    let side_db = 4.0 * width * random.bipolar();
    let params = WidthParams {
        low_db: side_db,
        low_mid_db: side_db,
        high_mid_db: side_db + 1.5 * width * random.bipolar(),
        high_db: side_db + 3.0 * width * random.bipolar(),
        ..WidthParams::default()
    };
    if let Some(mut stage) = Width::new(&params, rate) {
        stage.process(frames);
    }
    log_ratios
}

/// Compresses or expands four bands around their means, with the usual times or with random ones over the range that
/// anyone might use.
fn compress(frames: &mut [Frame], rate: u32, profile: &Profile, amount: f64, random: &mut Random) -> [f64; BANDS] {
    let log_ratios: [f64; BANDS] = std::array::from_fn(|_| 0.4 * amount * random.bipolar());
    let is_usual = random.uniform() < 0.5;
    let mut params = MultibandParams::default();
    for (band, log_ratio) in params.bands_mut().into_iter().zip(log_ratios) {
        *band = two_sided(log_ratio);
        let (attack_ms, release_ms) = (between(5.0, 80.0, random), between(50.0, 500.0, random));
        if !is_usual {
            (band.attack_ms, band.release_ms) = (attack_ms, release_ms);
        }
    }
    let levels = profile.dynamics.bands.map(|band| band.sounding_db);
    if let Some(mut multiband) = Multiband::new(&params, &levels, rate) {
        multiband.process(frames);
    }
    log_ratios
}

/// Attack times of two level followers, ms, and the release time that they share.
const ATTACKS_MS: [f64; 2] = [1.0, 30.0];
const FALL_MS: f64 = 40.0;
/// Frames per step of the gain.
const BLOCK_FRAMES: usize = 32;
const MAX_LIFT_DB: f64 = 6.0;
const SILENCE_POWER: f64 = 1e-10;

/// Lifts or softens transients: the level of a fast follower over that of a slow one, times `amount`.
fn lift_transients(frames: &mut [Frame], rate: u32, amount: f64) {
    let blocks_per_s = f64::from(rate) / BLOCK_FRAMES as f64;
    let (rise, fall) = (ATTACKS_MS.map(|ms| one_pole_coef(ms, blocks_per_s)), one_pole_coef(FALL_MS, blocks_per_s));
    let (mut levels, mut from) = ([SILENCE_POWER; 2], 1.0);
    for block in frames.chunks_mut(BLOCK_FRAMES) {
        let power = block.iter().flatten().map(|x| f64::from(*x).powi(2)).sum::<f64>() / (2 * block.len()) as f64;
        for (level, rise) in levels.iter_mut().zip(rise) {
            *level = power + if power > *level { rise } else { fall } * (*level - power);
        }
        let [fast, slow] = levels.map(|level| db_from_power(level + SILENCE_POWER));
        let to = gain_from_db(((fast - slow) * amount).clamp(-MAX_LIFT_DB, MAX_LIFT_DB));
        let step = (to - from) / block.len() as f64;
        for frame in block {
            from += step;
            *frame = frame.map(|x| (f64::from(x) * from) as f32);
        }
    }
}

/// Applies two shelves and two to four bells.
fn equalize(frames: &mut [Frame], rate: u32, amount: f64, random: &mut Random) {
    let (low_hz, high_hz) = (between(50.0, 250.0, random), between(2500.0, 10_000.0, random));
    let bells: Vec<(f64, f64)> =
        (0..4).map(|_| (between(100.0, 10_000.0, random), between(0.5, 2.0, random))).collect();
    let mut filters = vec![
        BiquadCoefs::low_shelf(low_hz, 5.0 * amount * random.bipolar(), rate),
        BiquadCoefs::high_shelf(high_hz, 5.0 * amount * random.bipolar(), rate),
    ];
    let count = 2 + (3.0 * random.uniform()) as usize;
    for (hz, q) in bells.into_iter().take(count) {
        filters.push(BiquadCoefs::bell(hz, 4.5 * amount * random.bipolar(), q, rate));
    }
    filter(frames, &filters);
}

/// Makes the whole darker or brighter: two shelves that share a middle, one up and one down.
fn tilt(frames: &mut [Frame], rate: u32, amount: f64, random: &mut Random) {
    let (hz, gain_db) = (between(300.0, 2500.0, random), 3.5 * amount * random.bipolar());
    filter(frames, &[BiquadCoefs::low_shelf(hz, -gain_db, rate), BiquadCoefs::high_shelf(hz, gain_db, rate)]);
}

fn filter(frames: &mut [Frame], coefs: &[BiquadCoefs]) {
    let mut filters: Vec<Biquad> = coefs.iter().map(|coefs| Biquad::new(*coefs)).collect();
    for frame in frames {
        let y = filters.iter_mut().fold(frame.map(f64::from), |x, filter| filter.next(x));
        *frame = y.map(|v| v as f32);
    }
}

/// Bands per random point of a drawn curve.
const POINT_BANDS: usize = 5;
/// Share by which the side's curve deviates from the mid's.
const OWN_SIDE: f64 = 0.4;

/// Applies a curve as if drawn by hand, smooth through random points; that of the side is similar.
fn draw(frames: &mut [Frame], rate: u32, amount: f64, random: &mut Random) {
    let mut curve = |gain_db: f64| {
        let points: Vec<f64> = (0..SPECTRUM_BANDS / POINT_BANDS + 2).map(|_| gain_db * random.bipolar()).collect();
        Curve(std::array::from_fn(|band| {
            let (point, place) = (band / POINT_BANDS, (band % POINT_BANDS) as f64 / POINT_BANDS as f64);
            let ease = place * place * (3.0 - 2.0 * place);
            points[point] + ease * (points[point + 1] - points[point])
        }))
    };
    let (mid_db, own) = (curve(4.0 * amount), curve(4.0 * OWN_SIDE * amount));
    let side_db = Curve(std::array::from_fn(|band| mid_db.0[band] + own.0[band]));
    if let Some(mut stage) = MatchEq::new(&MatchEqParams { mid_db, side_db, ..MatchEqParams::default() }, rate) {
        stage.process(frames);
    }
}

/// Returns a random number between two, uniform on a logarithmic scale.
pub(crate) fn between(low: f64, high: f64, random: &mut Random) -> f64 {
    low * libm::pow(high / low, random.uniform())
}
