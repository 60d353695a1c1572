//! Frequencies of the bands of the long-term spectrum: quarter octaves, third octaves and fine bands.

/// Bands of the long-term spectrum: quarter octaves from 20 Hz to 20.48 kHz.
pub const SPECTRUM_BANDS: usize = 40;

/// Centre of spectrum band `band`, Hz: 20 · 2^((band + ½) / 4).
pub fn band_centre_hz(band: usize) -> f64 {
    20.0 * libm::exp2((band as f64 + 0.5) / 4.0)
}

/// Lower edge of band `band`, Hz: 20 · 2^(band / 4).
pub fn band_edge_hz(band: usize) -> f64 {
    20.0 * libm::exp2(band as f64 / 4.0)
}

/// Third octaves in which the mean spectrum is kept as well: 25 Hz to 16 kHz.
pub const THIRD_OCTAVES: usize = 29;

/// Centre of third octave `band`, Hz: 1000 · 2^((band − 16) / 3).
pub fn third_octave_hz(band: usize) -> f64 {
    1000.0 * libm::exp2((band as f64 - 16.0) / 3.0)
}

/// Fine bands per third octave, which make the effect of a curve on a third octave known.
pub const FINE_PER_THIRD: usize = 8;
/// Number of fine bands in all.
pub const FINE_BANDS: usize = FINE_PER_THIRD * THIRD_OCTAVES;

/// Centre of fine band `band`, Hz.
pub fn fine_band_hz(band: usize) -> f64 {
    let within = (band as f64 + 0.5) / FINE_PER_THIRD as f64 - 0.5;
    third_octave_hz(0) * libm::exp2(within / 3.0)
}
