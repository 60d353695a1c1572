//! The tone of an album: a common move of all songs, and smaller differences between them.

use analyzer::profile::Profile;
use models::Decider;
use models::decision::MasteringDecision;
use models::features::{MID, SIDE, features};
use models::target::{Target, bands_below};
use serde::{Deserialize, Serialize};

/// Name of the target of a record that is its own target.
pub const RECORD: &str = "the record itself";

/// The tone of a record: its middle, and the move from there to the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tone {
    /// Middle of the songs.
    pub middle: Target,
    /// The move that all songs share; `None` if the record is its own target.
    common: Option<MasteringDecision>,
}

impl Tone {
    /// Creates the tone of a record that is mastered towards `target`, or towards itself. `None` if nothing on it is
    /// audible.
    ///
    /// # Errors
    /// If the network fails.
    pub fn new(
        decider: &mut Decider,
        songs: &[&Profile],
        target: Option<&Target>,
    ) -> Result<Option<Self>, models::error::Error> {
        let Some(middle) = Target::middle(RECORD, songs) else { return Ok(None) };
        let decide = |target: &Target| decider.decide_between(&middle.features, middle.cutoff_hz, target);
        let common = target.map(decide).transpose()?;
        Ok(Some(Self { middle, common }))
    }

    /// Returns the decision for one song: the common move, and the song's own move towards the middle, which never goes
    /// past it.
    ///
    /// # Errors
    /// If the song is silent, or the network fails.
    pub fn decide(&self, decider: &mut Decider, song: &Profile) -> Result<MasteringDecision, models::error::Error> {
        let vector = features(song).ok_or(models::error::Error::SilentSource)?;
        let mut decision = decider.decide(song, &self.middle)?;
        let known = bands_below(song.spectrum.cutoff_hz);
        for (curve, start) in [(&mut decision.mid_db, MID), (&mut decision.side_db, SIDE)] {
            for (band, gain) in curve.iter_mut().enumerate().take(known) {
                let whole = self.middle.features[start + band] - vector[start + band];
                *gain = gain.clamp(whole.min(0.0), whole.max(0.0));
            }
        }
        let Some(common) = &self.common else { return Ok(decision) };
        let add = |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        add(&mut decision.mid_db, &common.mid_db);
        add(&mut decision.side_db, &common.side_db);
        add(&mut decision.log_ratio, &common.log_ratio);
        decision.plr_lu += common.plr_lu;
        decision.confidence = common.confidence;
        Ok(decision)
    }
}
