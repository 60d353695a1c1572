//! How far the equaliser may be moved.

/// Largest move of the mid's equaliser, dB.
pub const MID_BOUND_DB: f64 = 6.0;
/// Of the side's.
pub const SIDE_BOUND_DB: f64 = 9.0;
/// A side this far under the mid is noise, and is not lifted, dB.
pub const SIDE_NOISE_DB: f64 = -50.0;
