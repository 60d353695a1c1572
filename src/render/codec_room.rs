//! Brings a lossy master under its ceiling. A codec raises peaks, and never by the same amount twice.
//!
//! At first only the limiter's ceiling is lowered, and the gain in front of it keeps the loudness. If the codec raises
//! the peaks by just as much again, the whole song is turned down, starting from the closest round; it then misses its
//! loudness.

use renderer::recipe::Solution;

/// Maximum number of rounds in which the loudness is kept.
const KEEPING_ROUNDS: i32 = 5;

/// Largest room between limiter and ceiling, dB. Beyond it, limiting does more harm than turning the song down.
const MAX_ROOM_DB: f64 = 3.0;

/// Maximum number of rounds in total.
pub const MAX_ROUNDS: usize = 12;

/// Largest change of loudness by the codec that is compensated, LU. A codec that changes it by more has lost part of
/// the song.
pub const MAX_OFFSET_LU: f64 = 1.0;

/// Margin added to the measured excess in the first round, dB. It doubles with every further round.
const FIRST_MARGIN_DB: f64 = 0.01;

/// Resolution of the room, steps per dB.
const STEPS_PER_DB: f64 = 100.0;
/// Resolution of the drive, steps per dB.
const DRIVE_STEPS_PER_DB: f64 = 2000.0;

/// The round with the smallest excess over the ceiling.
#[derive(Clone, Copy)]
struct Closest {
    over_db: f64,
    drive_db: f64,
    room_db: f64,
}

/// Search for the room under the ceiling that the codec needs: the state after the rounds so far.
#[derive(Default)]
pub struct CodecRoom {
    rounds: i32,
    closest: Option<Closest>,
    /// Number of rounds in which the whole song was turned down.
    turned_down: i32,
}

impl CodecRoom {
    /// Updates the solution of a master that is `over_db` over its ceiling after decoding. Returns true if its loudness
    /// is still kept.
    pub fn adjust(&mut self, solution: &mut Solution, over_db: f64) -> bool {
        self.rounds += 1;
        let this = Closest { over_db, drive_db: solution.drive_db, room_db: solution.codec_room_db };
        let closest = *self.closest.get_or_insert(this);
        if over_db < closest.over_db {
            self.closest = Some(this);
        }
        let room_db = rounded(this.room_db + over_db + margin_db(self.rounds));
        if self.turned_down == 0 && self.rounds <= KEEPING_ROUNDS && room_db <= MAX_ROOM_DB {
            solution.codec_room_db = room_db;
            return true;
        }
        let from = if self.turned_down == 0 { self.closest.unwrap_or(this) } else { this };
        self.turned_down += 1;
        let by_db = rounded(from.over_db + margin_db(self.turned_down));
        solution.codec_room_db = rounded(from.room_db + by_db);
        solution.drive_db = ((from.drive_db - by_db) * DRIVE_STEPS_PER_DB).round() / DRIVE_STEPS_PER_DB;
        false
    }
}

fn margin_db(round: i32) -> f64 {
    FIRST_MARGIN_DB * f64::from(1 << (round - 1))
}

/// Rounds up to the next step, ignoring floating-point error.
fn rounded(room_db: f64) -> f64 {
    (room_db * STEPS_PER_DB - 1e-6).ceil() / STEPS_PER_DB
}

#[cfg(test)]
mod tests {
    use renderer::recipe::ENGINE_VERSION;

    use super::*;

    fn solution() -> Solution {
        Solution {
            engine: ENGINE_VERSION,
            input_hash: String::new(),
            settings_hash: String::new(),
            is_aimed: true,
            band_levels_dbfs: Default::default(),
            exact_above_dbfs: 0.0,
            drive_db: 6.0,
            codec_room_db: 0.0,
            trims: Vec::new(),
        }
    }

    #[test]
    fn the_room_grows_by_what_was_too_much_and_a_little_more() {
        let (mut solution, mut room) = (solution(), CodecRoom::default());
        assert!(room.adjust(&mut solution, 0.503) && room.adjust(&mut solution, 0.1));
        assert_eq!((solution.codec_room_db, solution.drive_db), (0.64, 6.0));
    }

    #[test]
    fn a_codec_that_ruins_a_song_does_not_make_the_limiter_crush_it() {
        let (mut solution, mut room) = (solution(), CodecRoom::default());
        assert!(!room.adjust(&mut solution, 3.5) && !room.adjust(&mut solution, 0.2));
        assert_eq!((solution.codec_room_db, solution.drive_db), (3.73, 2.27));
    }

    #[test]
    fn what_a_codec_raises_again_and_again_is_turned_down_as_a_whole_from_where_it_was_closest() {
        let (mut solution, mut room) = (solution(), CodecRoom::default());
        let excesses_db = [0.4, 0.2, 0.3, 0.4, 0.5, 0.6];
        let mut kept = Vec::new();
        let mut after_first = 0.0;
        for (n, over_db) in excesses_db.into_iter().enumerate() {
            kept.push(room.adjust(&mut solution, over_db));
            if n == 0 {
                after_first = solution.codec_room_db;
            }
        }
        assert_eq!(kept, [true, true, true, true, true, false]);
        // The second round was closest: the song is turned down from there, by its excess of 0.2 dB and the margin.
        assert_eq!((solution.codec_room_db, solution.drive_db), (rounded(after_first + 0.21), 5.79));
    }
}
