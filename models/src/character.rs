//! Ways in which a musician may want a master to differ from its target: a few numbers each, in one table.

use analyzer::spectrum_bands::{SPECTRUM_BANDS, THIRD_OCTAVES, band_centre_hz, third_octave_hz};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::amounts::Amounts;
use crate::decision::MasteringDecision;
use crate::features::{MID, SIDE};
use crate::target::Target;

/// Desired difference of a master from its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Character {
    /// As the target is.
    #[default]
    Balanced,
    /// Fuller in the low mids and softer in the treble.
    Warm,
    /// More presence and treble.
    Bright,
    /// Wider and airier, less compressed, a little quieter.
    Open,
    /// More kick and attack, more of the peaks kept.
    Punchy,
    /// Denser and louder.
    Loud,
}

/// A broad hump of the tonal balance: a Gaussian over octaves.
struct Bell {
    hz: f64,
    gain_db: f64,
    /// Distance from the crest to 0.6 of the gain, octaves.
    octaves: f64,
}

/// The changes that a character makes.
struct Bend {
    /// Slope of the tone around 1 kHz, dB per octave.
    tilt_db: f64,
    bells: [Bell; 2],
    /// Gain of the side relative to the mid, above the bass, dB.
    width_db: f64,
    /// Factor on the amount of dynamics processing.
    dynamics: f64,
    /// Change of the loudness, if the user does not set it, LU.
    loudness_lu: f64,
}

const fn bell(hz: f64, gain_db: f64, octaves: f64) -> Bell {
    Bell { hz, gain_db, octaves }
}

const NONE: Bell = bell(1000.0, 0.0, 1.0);

/// Frequency above which the width is changed, growing over an octave, Hz.
const WIDE_FROM_HZ: f64 = 200.0;
/// Limits of the slope, Hz.
const SLOPE_HZ: [f64; 2] = [50.0, 12_000.0];

impl Character {
    /// All characters, in the order in which they are listed.
    pub const ALL: [Self; 6] = [Self::Balanced, Self::Warm, Self::Bright, Self::Open, Self::Punchy, Self::Loud];

    /// Returns the name of the character.
    pub fn name(self) -> &'static str {
        match self {
            Self::Balanced => "balanced",
            Self::Warm => "warm",
            Self::Bright => "bright",
            Self::Open => "open",
            Self::Punchy => "punchy",
            Self::Loud => "loud",
        }
    }

    /// Returns a description of the sound in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Balanced => "as the target is",
            Self::Warm => "fuller in the low mids, softer in the treble",
            Self::Bright => "more presence and treble",
            Self::Open => "wider and airier, less compressed, a little quieter",
            Self::Punchy => "more kick and attack, more of the peaks kept",
            Self::Loud => "denser and louder",
        }
    }

    /// Returns the changes: tilt, two bells, width, dynamics, loudness.
    #[rustfmt::skip]
    fn bend(self) -> Bend {
        let bend = |tilt_db, bells, width_db, dynamics, loudness_lu| Bend { tilt_db, bells, width_db, dynamics, loudness_lu };
        match self {
            Self::Balanced => bend( 0.0,  [NONE,                     NONE],                        0.0, 1.0,  0.0),
            Self::Warm     => bend(-0.35, [bell(220.0, 1.0, 0.9),    NONE],                        0.0, 1.0,  0.0),
            Self::Bright   => bend( 0.35, [bell(9000.0, 1.0, 1.0),   NONE],                        0.0, 1.0,  0.0),
            Self::Open     => bend( 0.15, [bell(350.0, -0.8, 0.7),   bell(12_000.0, 1.2, 0.9)],    1.5, 0.6, -1.0),
            Self::Punchy   => bend( 0.0,  [bell(75.0, 1.2, 0.6),     bell(3200.0, 0.8, 0.8)],      0.0, 0.8,  0.0),
            Self::Loud     => bend( 0.1,  [bell(60.0, -0.5, 0.7),    bell(2800.0, 0.8, 1.0)],      0.0, 1.2,  3.0),
        }
    }

    /// Gain of mid and side at a frequency, dB.
    fn gains_db(self, hz: f64) -> [f64; 2] {
        let bend = self.bend();
        let octaves = |from: f64| libm::log2(hz / from);
        let slope = bend.tilt_db * libm::log2(hz.clamp(SLOPE_HZ[0], SLOPE_HZ[1]) / 1000.0);
        let hump = |bell: &Bell| {
            let off = octaves(bell.hz) / bell.octaves;
            bell.gain_db * libm::exp(-0.5 * off * off)
        };
        let mid = slope + bend.bells.iter().map(hump).sum::<f64>();
        [mid, mid + bend.width_db * octaves(WIDE_FROM_HZ).clamp(0.0, 1.0)]
    }

    /// Returns the amounts, with the character's factor on dynamics.
    pub fn amounts(self) -> Amounts {
        Amounts { dynamics: self.bend().dynamics, ..Amounts::default() }
    }

    /// Returns the loudness of a master relative to the usual, if the user does not set it, LU.
    pub fn loudness_lu(self) -> f64 {
        self.bend().loudness_lu
    }

    /// Adds the character's tone and width to a decision; a record that is followed already includes them in its
    /// target.
    pub fn decision(self, target: &Target, mut decision: MasteringDecision) -> MasteringDecision {
        if target.kind.is_followed() {
            return decision;
        }
        for band in 0..SPECTRUM_BANDS {
            let [mid, side] = self.gains_db(band_centre_hz(band));
            decision.mid_db[band] += mid;
            decision.side_db[band] += side;
        }
        decision
    }

    /// Returns the target for the decider: changed by the character if it is followed all the way, unchanged if only a
    /// part of the way is taken.
    pub fn followed(self, target: Target) -> Target {
        if target.kind.is_followed() { self.bent(target) } else { target }
    }

    /// Returns the target to show for the master. It always includes the character: a followed target already has it.
    pub fn displayed_target(self, target: &Target) -> Target {
        if target.kind.is_followed() { target.clone() } else { self.bent(target.clone()) }
    }

    fn bent(self, mut target: Target) -> Target {
        for band in 0..SPECTRUM_BANDS {
            let [mid, side] = self.gains_db(band_centre_hz(band));
            target.features[MID + band] += mid;
            target.features[SIDE + band] += side;
            for moment in &mut target.moments {
                moment[band] += mid;
                moment[SPECTRUM_BANDS + band] += side;
            }
        }
        for band in 0..THIRD_OCTAVES {
            let gains = self.gains_db(third_octave_hz(band));
            target.levels.iter_mut().zip(gains).for_each(|(levels, gain)| levels[band] += gain);
        }
        target
    }
}

impl std::fmt::Display for Character {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Character {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|character| character.name() == text);
        found.ok_or_else(|| format!("{text:?} is no character: choose {}", names()))
    }
}

#[cfg(test)]
mod tests {
    use crate::target::TargetKind;

    use super::*;
    use crate::norm::NormProfile;

    /// Mean gain of the mid between two frequencies, relative to its mean from 400 Hz to 1.6 kHz, and mean gain of the
    /// side over the mid.
    fn gains(character: Character, low_hz: f64, high_hz: f64) -> [f64; 2] {
        let mean = |low: f64, high: f64| {
            let bands: Vec<[f64; 2]> = (0..SPECTRUM_BANDS)
                .map(band_centre_hz)
                .filter(|hz| (low..high).contains(hz))
                .map(|hz| character.gains_db(hz))
                .collect();
            [0, 1].map(|c| bands.iter().map(|gains| gains[c]).sum::<f64>() / bands.len() as f64)
        };
        let (own, middle) = (mean(low_hz, high_hz), mean(400.0, 1600.0));
        [own[0] - middle[0], own[1] - own[0]]
    }

    #[test]
    fn each_character_does_what_its_name_says() {
        let [bass, low_mids, treble] = [(50.0, 110.0), (150.0, 350.0), (5000.0, 16_000.0)];
        let tone = |character, (low, high): (f64, f64)| gains(character, low, high)[0];
        assert!(tone(Character::Warm, low_mids) > 0.7 && tone(Character::Warm, treble) < -0.7);
        assert!(tone(Character::Bright, treble) > 1.2 && tone(Character::Bright, bass) < -0.7);
        assert!(gains(Character::Open, 1000.0, 8000.0)[1] > 1.0 && tone(Character::Open, treble) > 0.7);
        assert!(tone(Character::Punchy, bass) > 0.7 && Character::Punchy.amounts().dynamics < 1.0);
        assert!(Character::Loud.loudness_lu() > 2.0 && Character::Loud.amounts().dynamics > 1.0);
    }

    #[test]
    fn none_moves_the_tone_by_more_than_two_and_a_half_decibels_nor_the_side_by_much_more_and_balanced_moves_nothing() {
        for character in Character::ALL {
            let most = (0..SPECTRUM_BANDS)
                .map(|band| character.gains_db(band_centre_hz(band)))
                .fold([0.0; 2], |most: [f64; 2], db| [0, 1].map(|c| most[c].max(db[c].abs())));
            let [tone_db, side_db] = most;
            assert!(tone_db <= 2.6 && side_db <= 3.5, "{character:?}: {most:?}");
            let most = tone_db.max(side_db);
            assert_eq!(most == 0.0, character == Character::Balanced);
            assert_eq!(character.name().parse(), Ok(character));
        }
        assert!("mellow".parse::<Character>().is_err_and(|words| words.contains("warm")));
    }

    #[test]
    fn the_target_is_bent_as_the_decision_is() {
        let target = NormProfile::universal().expect("compiled in").target();
        let bent = Character::Warm.displayed_target(&target);
        let gains = Character::Warm.gains_db(band_centre_hz(12));
        assert!((bent.features[MID + 12] - target.features[MID + 12] - gains[0]).abs() < 1e-9);
        assert!(bent.levels[0][25] < target.levels[0][25]);
        assert_eq!(Character::Balanced.displayed_target(&target), target);
        // Towards a norm, only a part of the way is taken, and the whole character is added to that part.
        assert_eq!(Character::Warm.followed(target.clone()), target);
        let literal = Target { kind: TargetKind::Literal, ..target };
        assert_eq!(Character::Warm.followed(literal.clone()).features, bent.features);
        assert_eq!(Character::Warm.displayed_target(&literal), literal);
    }
}
