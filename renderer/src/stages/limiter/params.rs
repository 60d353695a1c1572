//! Settings of the limiter.

use crate::params::{Param, params};

params! {
    /// How the limiter moves. Its ceiling and drive are not parameters: they are asked for and solved.
    pub struct LimiterParams {
        /// Time to get down before a peak, ms.
        look_ahead_ms: Param::log(0.5, 20.0, 4.0, 0.1),
        /// Time to recover after it, ms.
        release_ms: Param::log(0.5, 200.0, 4.0, 0.1),
        /// Gaps between peaks up to this long are bridged, so that tones whose crests come no less often are not
        /// modulated, ms.
        bridge_ms: Param::log(1.0, 200.0, 30.0, 0.1),
        /// What bridges make of a moment shorter than this is a hit, which is left to its own peaks, ms.
        hit_ms: Param::log(1.0, 500.0, 60.0, 0.1),
        /// Gain reduction up to which gaps are bridged, dB; what is driven further is louder instead of clean.
        bridge_db: Param::linear(0.0, 40.0, 12.0, 0.1),
    }
}
