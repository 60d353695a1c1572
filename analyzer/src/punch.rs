//! Short-term dynamics of a band: how far its hits stand out, and how much its level swings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{db_from_gain, db_from_power, power_from_db};

/// Length of a moment, ms.
pub const MOMENT_MS: f64 = 50.0;
/// Level relative to the band's mean up to which a moment is a pause, dB.
const PAUSE_DB: f64 = -20.0;
/// Rank of the hits: the share of the moments whose peaks are lower.
const HIT_RANK: f64 = 0.95;

/// Mean power and peak of one band in one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moment {
    /// Mean square.
    pub power: f32,
    /// Largest magnitude.
    pub peak: f32,
}

/// Short-term dynamics of one band, measured on the mid alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Punch {
    /// Peak that one loud moment in twenty exceeds, over the mean level, dB.
    pub crest_db: f64,
    /// Standard deviation of the level of the loud moments, dB.
    pub swing_db: f64,
}

impl Punch {
    /// Measures all moments of a song, including pauses, which count in the mean and nowhere else. Both values are 0 in
    /// silence.
    pub fn of(moments: &[Moment]) -> Self {
        let mean = moments.iter().map(|moment| f64::from(moment.power)).sum::<f64>() / moments.len().max(1) as f64;
        let gate = mean * power_from_db(PAUSE_DB);
        let loud = moments.iter().filter(|moment| f64::from(moment.power) > gate);
        let (mut peaks, mut levels_db) = (Vec::new(), Vec::new());
        for moment in loud {
            peaks.push(moment.peak);
            levels_db.push(db_from_power(f64::from(moment.power)));
        }
        let Some(last) = peaks.len().checked_sub(1) else { return Self::default() };
        let rank = libm::round(last as f64 * HIT_RANK) as usize;
        let (_, peak, _) = peaks.select_nth_unstable_by(rank, f32::total_cmp);
        let count = levels_db.len() as f64;
        let middle = levels_db.iter().sum::<f64>() / count;
        let variance = levels_db.iter().map(|db| (db - middle) * (db - middle)).sum::<f64>() / count;
        Self { crest_db: db_from_gain(f64::from(*peak)) - db_from_power(mean), swing_db: libm::sqrt(variance) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::gain_from_db;

    fn moments(levels_db: impl Iterator<Item = f64>, crest_db: f64) -> Vec<Moment> {
        levels_db
            .map(|db| Moment { power: power_from_db(db) as f32, peak: gain_from_db(db + crest_db) as f32 })
            .collect()
    }

    #[test]
    fn levels_that_alternate_swing_by_half_their_distance() {
        let song = moments((0..400).map(|n| if n % 2 == 0 { -20.0 } else { -26.0 }), 5.0);
        let punch = Punch::of(&song);
        assert!((punch.swing_db - 3.0).abs() < 1e-3, "{punch:?}");
        // The mean lies 2.04 dB under the louder half.
        assert!((punch.crest_db - 7.04).abs() < 0.01, "{punch:?}");
    }

    #[test]
    fn pauses_count_in_the_mean_alone() {
        let song = moments((0..400).map(|n| if n % 2 == 0 { -20.0 } else { -60.0 }), 5.0);
        let punch = Punch::of(&song);
        assert!(punch.swing_db < 1e-3 && (punch.crest_db - 8.01).abs() < 0.01, "{punch:?}");
        assert_eq!(Punch::of(&[]), Punch::default());
        assert_eq!(Punch::of(&[Moment::default(); 9]).swing_db, 0.0);
    }

    #[test]
    fn a_louder_song_moves_alike() {
        let song = moments((0..300).map(|n| -30.0 + f64::from(n % 7)), 9.0);
        let louder: Vec<Moment> = song.iter().map(|m| Moment { power: 4.0 * m.power, peak: 2.0 * m.peak }).collect();
        let (a, b) = (Punch::of(&song), Punch::of(&louder));
        assert!((a.crest_db - b.crest_db).abs() < 1e-4 && (a.swing_db - b.swing_db).abs() < 1e-4);
    }
}
