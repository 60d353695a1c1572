//! Settings of the limiter.

use crate::params::{Param, params};

params! {
    /// Timing of the limiter. Its ceiling and drive are not parameters: the one is given, the other is solved.
    pub struct LimiterParams {
        /// Time over which the gain falls before a peak, ms.
        look_ahead_ms: Param::log(0.5, 20.0, 4.0, 0.1),
        /// Time over which the gain recovers after a peak, ms.
        release_ms: Param::log(0.5, 200.0, 4.0, 0.1),
        /// Longest gap between peaks that is bridged, ms, so that tones whose crests are at most this far apart are not
        /// modulated.
        bridge_ms: Param::log(1.0, 200.0, 30.0, 0.1),
        /// Shortest bridged reduction, ms: a shorter one is a hit, which is left to its own peaks.
        hit_ms: Param::log(1.0, 500.0, 60.0, 0.1),
        /// Gain reduction up to which gaps are bridged, dB; a song that is driven further becomes louder instead of
        /// cleaner.
        bridge_db: Param::linear(0.0, 40.0, 12.0, 0.1),
    }
}
