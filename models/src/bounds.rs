//! Bounds of the equaliser, which a curve approaches but never reaches.
//!
//! A clipped curve is flat wherever more is wanted than is allowed, and a slope becomes a shelf with an edge. A curve
//! that is compressed towards its bound keeps its shape.

use crate::target::TargetKind;

/// Largest move of the mid's equaliser, dB.
pub const MID_BOUND_DB: f64 = 6.0;
/// Largest move of the side's equaliser, dB.
pub const SIDE_BOUND_DB: f64 = 9.0;
/// Level of side over mid below which the side is noise, and is not lifted, dB.
pub const SIDE_NOISE_DB: f64 = -50.0;

/// The largest lift and the largest cut of an equaliser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Largest lift, dB.
    pub up_db: f64,
    /// Largest cut as a positive number, dB.
    pub down_db: f64,
}

impl Bound {
    /// Creates a bound that is the same for lift and cut.
    pub const fn both(bound_db: f64) -> Self {
        Self { up_db: bound_db, down_db: bound_db }
    }

    /// Returns the gain clipped at the bound.
    pub fn clamped(self, db: f64) -> f64 {
        db.clamp(-self.down_db, self.up_db)
    }

    fn of(self, db: f64) -> f64 {
        if db < 0.0 { self.down_db } else { self.up_db }
    }
}

/// Returns the largest moves of mid and side on the way to a target.
pub fn bounds(kind: TargetKind) -> [Bound; 2] {
    match kind {
        TargetKind::Balance => BALANCE_BOUNDS,
        TargetKind::Reference | TargetKind::Literal | TargetKind::Norm => {
            [Bound::both(MID_BOUND_DB), Bound::both(SIDE_BOUND_DB)]
        }
    }
}

/// Bounds for following a record's balance: octave-wide moves do no harm to a song, and mixes are up to this far from
/// records. The side may be cut further, since a narrower bass does no harm either, and mixes have wide ones.
const BALANCE_BOUNDS: [Bound; 2] = [Bound::both(12.0), Bound { up_db: 16.0, down_db: 24.0 }];

/// Share of a bound up to which nothing is compressed, and hardness of the knee beyond it.
const LINEAR_SHARE: f64 = 0.6;
const HARDNESS: f64 = 1.5;

/// Returns a gain compressed towards its bound: unchanged up to 60 % of it, then compressed more and more. The bound is
/// never reached.
pub fn softened(db: f64, bound: Bound) -> f64 {
    let bound_db = bound.of(db);
    let linear_db = LINEAR_SHARE * bound_db;
    let room_db = bound_db - linear_db;
    let beyond = (db.abs() - linear_db) / room_db;
    if beyond <= 0.0 {
        return db;
    }
    let given = beyond / libm::pow(1.0 + libm::pow(beyond, HARDNESS), 1.0 / HARDNESS);
    (linear_db + room_db * given).copysign(db)
}

/// Returns the gain that [`softened`] compresses to `db`, its inverse; gains on the bound or beyond count as almost on
/// it.
pub fn unsoftened(db: f64, bound: Bound) -> f64 {
    let bound_db = bound.of(db);
    let linear_db = LINEAR_SHARE * bound_db;
    let room_db = bound_db - linear_db;
    let given = ((db.abs() - linear_db) / room_db).min(MAX_INVERTED_SHARE);
    if given <= 0.0 {
        return db;
    }
    let beyond = given / libm::pow(1.0 - libm::pow(given, HARDNESS), 1.0 / HARDNESS);
    (linear_db + room_db * beyond).copysign(db)
}

/// Share of the compressed range up to which [`unsoftened`] inverts; beyond it, gains count as this close to the bound.
const MAX_INVERTED_SHARE: f64 = 0.99;

/// Wanted gains, and the bound that they are compressed towards.
pub struct BoundedGains<'a> {
    /// Weight of a loss relative to that of other gains.
    pub weight: f64,
    /// The gains, dB.
    pub gains_db: &'a [f64],
    /// The bound of the gains.
    pub bound: Bound,
}

/// Returns the gains of mid and side for the search; a loss in the mid is the most audible.
pub fn of_mid_and_side<'a>([mid, side]: [&'a [f64]; 2], [mid_bound, side_bound]: [Bound; 2]) -> [BoundedGains<'a>; 2] {
    [
        BoundedGains { weight: 1.0, gains_db: mid, bound: mid_bound },
        BoundedGains { weight: SIDE_WEIGHT, gains_db: side, bound: side_bound },
    ]
}

const SIDE_WEIGHT: f64 = 0.5;

/// Step size and number of steps on either side in the search for the best constant, dB.
const SHIFT_STEP_DB: f64 = 0.05;
const SHIFT_STEPS: i32 = 600;
/// Loss up to which losses count by their square, dB; larger losses pull no harder for being larger.
const LARGE_LOSS_DB: f64 = 1.0;
/// Cost of squared gains relative to losses: if nothing is lost, the curve is placed around 0 dB.
const GAIN_COST: f64 = 1e-3;

/// Returns the constant to lower all gains by so that the least is lost at their bounds, dB. A constant does not change
/// the tone, and is undone when loudness is solved.
pub fn least_lost_shift_db(wanted: &[BoundedGains]) -> f64 {
    let cost = |shift_db: f64| -> f64 {
        let of = |BoundedGains { weight, gains_db, bound }: &BoundedGains| {
            let costs = gains_db.iter().map(|db| {
                let (wanted, given) = (db - shift_db, softened(db - shift_db, *bound));
                let lost = (wanted - given) / LARGE_LOSS_DB;
                libm::sqrt(1.0 + lost * lost) - 1.0 + GAIN_COST * given * given
            });
            weight * costs.sum::<f64>() / gains_db.len().max(1) as f64
        };
        wanted.iter().map(of).sum()
    };
    let shifts = (-SHIFT_STEPS..=SHIFT_STEPS).map(|step| f64::from(step) * SHIFT_STEP_DB);
    shifts.map(|shift_db| (cost(shift_db), shift_db)).min_by(|a, b| a.0.total_cmp(&b.0)).map_or(0.0, |(_, db)| db)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Bound = Bound::both(9.0);

    #[test]
    fn small_gains_stay_and_large_ones_end_under_the_bound_in_their_order() {
        assert_eq!(softened(-5.3, BOUND), -5.3);
        let given: Vec<f64> = (1..=40).map(|db| softened(f64::from(db), BOUND)).collect();
        assert!(given.windows(2).all(|pair| pair[1] > pair[0]) && given[39] < 9.0, "{given:?}");
        assert!(given[8] > 7.5, "nine of nine: {}", given[8]);
    }

    #[test]
    fn a_cut_may_go_further_than_a_lift() {
        let bound = Bound { up_db: 6.0, down_db: 20.0 };
        assert_eq!(softened(-11.0, bound), -11.0);
        assert!(softened(11.0, bound) < 6.0 && (-20.0..-18.0).contains(&softened(-40.0, bound)));
        assert_eq!([-30.0, -3.0, 30.0].map(|db| bound.clamped(db)), [-20.0, -3.0, 6.0]);
    }

    #[test]
    fn what_was_softened_can_be_unsoftened() {
        for db in [-30.0, -9.0, -2.0, 0.0, 4.5, 7.0, 20.0] {
            assert!((unsoftened(softened(db, BOUND), BOUND) - db).abs() < 1e-9, "{db}");
        }
        assert!(unsoftened(9.0, BOUND).is_finite() && unsoftened(-12.0, BOUND).is_finite());
    }

    #[test]
    fn the_constant_is_where_least_is_lost() {
        // There is no room far up, and only there.
        let mid = [-2.0, 0.0, 3.0, 10.0];
        let shift_db = least_lost_shift_db(&[BoundedGains { weight: 1.0, gains_db: &mid, bound: BOUND }]);
        assert!((3.0..4.5).contains(&shift_db), "{shift_db}");
        // A band that is out of reach in any case takes no more than a third of a decibel from the others.
        let mut mid = [-2.0, 0.0, 2.0].repeat(9);
        mid[20] = -60.0;
        let shift_db = least_lost_shift_db(&[BoundedGains { weight: 1.0, gains_db: &mid, bound: BOUND }]);
        let lost = mid.iter().filter(|db| **db > -60.0).map(|db| db - shift_db - softened(db - shift_db, BOUND));
        assert!(lost.fold(0.0, |most: f64, db| most.max(db.abs())) < 1.0 / 3.0, "{shift_db}");
        let all_within = [1.0, 2.0, 3.0];
        let shift_db = least_lost_shift_db(&[BoundedGains { weight: 1.0, gains_db: &all_within, bound: BOUND }]);
        assert!((shift_db - 2.0).abs() < 0.1, "{shift_db}");
    }
}
