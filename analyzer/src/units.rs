//! Conversions between units. Nothing else in the workspace turns decibels into numbers or back.
//!
//! All go through `libm`, so that the bits are the same on every platform.

/// Lowest level that is reported, in dB. Digital silence reads as this.
pub const FLOOR_DB: f64 = -120.0;

/// Amplitude ratio of a level difference in dB.
pub fn gain_from_db(db: f64) -> f64 {
    libm::exp2(db * (std::f64::consts::LOG2_10 / 20.0))
}

/// Level in dB of an amplitude ratio, at least [`FLOOR_DB`].
pub fn db_from_gain(gain: f64) -> f64 {
    if gain > 1e-6 { 20.0 * libm::log10(gain) } else { FLOOR_DB }
}

/// Power ratio of a level difference in dB.
pub fn power_from_db(db: f64) -> f64 {
    libm::exp2(db * (std::f64::consts::LOG2_10 / 10.0))
}

/// Level in dB of a power ratio, at least [`FLOOR_DB`].
pub fn db_from_power(power: f64) -> f64 {
    if power > 1e-12 { 10.0 * libm::log10(power) } else { FLOOR_DB }
}

/// Feedback coefficient of a one-pole smoother that covers 63 % of a step in `ms`.
pub fn one_pole_coef(ms: f64, rate_hz: f64) -> f64 {
    if ms > 0.0 { libm::exp(-1000.0 / (ms * rate_hz)) } else { 0.0 }
}

/// Returns the nearest whole number, ties to even; `x` must lie within ±2⁵¹. It works because doubles beyond 2⁵² have
/// no fractional part.
#[inline]
pub fn nearest(x: f64) -> f64 {
    const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
    (x + WHOLE) - WHOLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_are_inverse_to_each_other() {
        for db in [-100.0, -6.0, 0.0, 3.5, 40.0] {
            assert!((db_from_gain(gain_from_db(db)) - db).abs() < 1e-9);
            assert!((db_from_power(power_from_db(db)) - db).abs() < 1e-9);
        }
        assert_eq!(db_from_gain(0.0), FLOOR_DB);
        assert_eq!(db_from_power(f64::NAN), FLOOR_DB);
    }
}
