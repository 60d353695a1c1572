//! Balance of left and right.

use analyzer::stream::Frame;
use analyzer::units::gain_from_db;

use crate::params::{Param, params};
use crate::stage::Stage;

params! {
    /// Moves the image by gain alone.
    pub struct BalanceParams {
        /// Level of left over right, dB: half of it is added to the left, half is taken from the right.
        left_over_right_db: Param::linear(-6.0, 6.0, 0.0, 0.01),
    }
}

/// See [`BalanceParams`].
pub struct Balance {
    gains: [f32; 2],
}

impl Balance {
    /// Creates the stage; `None` if it changes nothing.
    pub fn new(params: &BalanceParams) -> Option<Self> {
        let half_db = params.left_over_right_db / 2.0;
        (half_db != 0.0).then(|| Self { gains: [half_db, -half_db].map(|db| gain_from_db(db) as f32) })
    }
}

impl Stage for Balance {
    fn process(&mut self, frames: &mut [Frame]) {
        for [left, right] in frames {
            *left *= self.gains[0];
            *right *= self.gains[1];
        }
    }

    fn reset(&mut self) {}
}
