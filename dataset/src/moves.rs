//! Curves of the moves by which mixes deviate, so that the trainer knows what a correction may look like: the program's
//! own filters, read at the centres of the spectrum's bands.

use std::collections::BTreeMap;

use analyzer::biquad::BiquadCoefs;
use analyzer::random::Random;
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};
use analyzer::units::db_from_gain;

use crate::unmaster::between;

/// Sample rate at which curves are read, with the same warping as in a song, Hz.
const RATE_HZ: u32 = 48_000;
/// Number of curves of each kind.
const DRAWN: usize = 1000;
/// Gain with which moves are drawn; they are stored per dB of it.
const GAIN_DB: f64 = 6.0;

/// Gain per band, dB.
type Curve = Vec<f64>;

fn curve(filters: &[BiquadCoefs]) -> Curve {
    let gain_db = |hz: f64| filters.iter().map(|filter| db_from_gain(filter.gain_at(hz, RATE_HZ))).sum();
    (0..SPECTRUM_BANDS).map(|band| gain_db(band_centre_hz(band))).collect()
}

/// Broad moves of every kind, each of one dB.
pub fn moves() -> BTreeMap<&'static str, Vec<Curve>> {
    let mut random = Random::new(1);
    let mut draw = |filter: &dyn Fn(&mut Random) -> BiquadCoefs| -> Vec<Curve> {
        let mut one = || curve(&[filter(&mut random)]).into_iter().map(|db| db / GAIN_DB).collect();
        (0..DRAWN).map(|_| one()).collect()
    };
    BTreeMap::from([
        ("low_shelf", draw(&|random| BiquadCoefs::low_shelf(between(60.0, 300.0, random), GAIN_DB, RATE_HZ))),
        ("high_shelf", draw(&|random| BiquadCoefs::high_shelf(between(2000.0, 9000.0, random), GAIN_DB, RATE_HZ))),
        (
            "bell",
            draw(&|random| {
                let (hz, q) = (between(120.0, 9000.0, random), 0.5 + 0.7 * random.uniform());
                BiquadCoefs::bell(hz, GAIN_DB, q, RATE_HZ)
            }),
        ),
        ("gain", vec![vec![1.0; SPECTRUM_BANDS]]),
    ])
}

/// Plain faults for which the trainer prints figures; those of width are gains of the side.
pub fn faults() -> BTreeMap<&'static str, Curve> {
    let high = |hz, gain_db| BiquadCoefs::high_shelf(hz, gain_db, RATE_HZ);
    let low = |hz, gain_db| BiquadCoefs::low_shelf(hz, gain_db, RATE_HZ);
    let bell = |hz, gain_db| BiquadCoefs::bell(hz, gain_db, 0.8, RATE_HZ);
    BTreeMap::from([
        ("dull 6", curve(&[high(4000.0, -6.0)])),
        ("dull 10", curve(&[high(3500.0, -10.0)])),
        ("bright 6", curve(&[high(4000.0, 6.0)])),
        ("boomy 6", curve(&[low(120.0, 6.0)])),
        ("boomy 10", curve(&[low(120.0, 10.0)])),
        ("thin 6", curve(&[low(150.0, -6.0)])),
        ("muddy 5", curve(&[bell(300.0, 5.0)])),
        ("harsh 5", curve(&[bell(3200.0, 5.0)])),
        ("dull 8, boomy 6", curve(&[high(4000.0, -8.0), low(120.0, 6.0)])),
        ("narrow 8", vec![-8.0; SPECTRUM_BANDS]),
        ("wide 6", vec![6.0; SPECTRUM_BANDS]),
    ])
}
