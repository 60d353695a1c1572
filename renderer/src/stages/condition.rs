//! Removes DC and infrasound.

use analyzer::biquad::{Biquad, BiquadCoefs};
use analyzer::stream::Frame;

use crate::envelope::ControlClock;
use crate::params::{Param, params};
use crate::stage::Stage;

params! {
    /// A second-order Butterworth high-pass.
    pub struct ConditionParams {
        /// Corner frequency (−3 dB), Hz; 0 changes nothing.
        high_pass_hz: Param::linear(0.0, 60.0, 0.0, 0.1),
    }
}

/// See [`ConditionParams`].
pub struct Condition {
    filter: Biquad,
    clock: ControlClock,
}

impl Condition {
    /// Creates the stage at rest; `None` if it changes nothing.
    pub fn new(params: &ConditionParams, sample_rate_hz: u32) -> Option<Self> {
        (params.high_pass_hz > 0.0).then(|| Self {
            filter: Biquad::new(BiquadCoefs::high_pass(params.high_pass_hz, sample_rate_hz)),
            clock: ControlClock::default(),
        })
    }
}

impl Stage for Condition {
    fn process(&mut self, frames: &mut [Frame]) {
        let Self { filter, clock } = self;
        clock.each_part(frames, |frames, _, is_end| {
            for frame in frames {
                *frame = filter.next(frame.map(f64::from)).map(|v| v as f32);
            }
            if is_end {
                filter.settle();
            }
        });
    }

    fn reset(&mut self) {
        self.filter.reset();
        self.clock = ControlClock::default();
    }
}
