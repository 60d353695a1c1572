//! A decided album, and its songs on their way to their masters. A batch and [`Album`](crate::Album) both decide here.

use std::path::Path;

use analyzer::profile::Profile;
use models::Decider;
use models::features::features;
use models::target::Target;
use renderer::recipe::Recipe;
use serde::{Deserialize, Serialize};

use crate::decide::refine::TestPassages;
use crate::decide::target::MasteringTarget;
use crate::error::{Cause, Error};
use crate::io;
use crate::io::output_spec::Format;
use crate::io::spool::{Record as _, Spool, Store};
use crate::render::finish::trace;
use crate::render::provenance::was_mastered_towards;
use crate::render::trace::{Trace, TraceBlock};
use crate::report::warning::{Warning, WarningKind};
use crate::report::{DecisionReport, GenreReport};
use crate::request::job::AlbumSettings;
use crate::request::settings::MasterSettings;
use crate::song::Song;
use crate::song::observer::Observer;
use crate::workflows::album::level::{Offset, Part, balance, same_limiter};
use crate::workflows::album::tone::Tone;
use crate::workflows::album::transfer::{Transfer, packed, refused, unpacked};
use crate::workflows::mix::{Decided, Mix, untouched};

/// Cause of failure for every song of an album on which all songs are silent.
const ALL_SILENT: &str = "there is nothing to master on this record";

/// The decisions that all songs of an album share: target, tone and loudness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecidedAlbum {
    settings: AlbumSettings,
    tone: Tone,
    /// Target of the references, the profile or the genre; an album that is its own reference takes its loudness only.
    target: Target,
    genre: Option<GenreReport>,
    /// Warnings about the references.
    warnings: Vec<Warning>,
    /// The loudness of the album, LUFS.
    pub(crate) wanted_lufs: f64,
}

impl DecidedAlbum {
    /// Decides an album from the measurements of its songs, which are in order. `settings` are those of each song.
    ///
    /// # Errors
    /// All songs are silent ([`Error::Album`]), a value is out of range, or the network fails.
    pub(crate) fn new(
        decider: &mut Decider,
        songs: &[&Profile],
        aim: MasteringTarget,
        (settings, album): (&MasterSettings, AlbumSettings),
    ) -> Result<Self, Error> {
        let MasteringTarget { target, genre, warnings, .. } = aim;
        let has_reference = !settings.references.is_empty();
        let louder_lu = settings.character.loudness_lu();
        let delivery = settings.delivery.delivery(target.loudness_lufs, has_reference, None, louder_lu)?;
        let towards = (!album.is_own_reference).then_some(&target);
        let tone = Tone::new(decider, songs, towards).map_err(Error::Network)?;
        let tone = tone.ok_or_else(|| Error::Album(Cause::new("silent", ALL_SILENT)))?;
        Ok(Self { settings: album, tone, target, genre, warnings, wanted_lufs: delivery.loudness_lufs })
    }

    /// Prepares a song: the trace that the limiter works on, and a recipe that is complete but for the loudness. A silent
    /// song is left as it is.
    ///
    /// # Errors
    /// A value is out of range, the network fails, temporary data cannot be kept, or the run is interrupted.
    pub(crate) fn prepare(
        &self,
        (input, song, profile): (&Path, &Song, &Profile),
        (settings, format): (&MasterSettings, Format),
        decider: &mut Decider,
        observer: &dyn Observer,
    ) -> Result<PreparedSong, Error> {
        let input_hash = song.hash.clone();
        if features(profile).is_none() {
            let (recipe, decision) = untouched(settings, format, &self.target)?;
            return Ok(PreparedSong { decision, input_hash, content: Content::Silent(recipe) });
        }
        let passages = &TestPassages::default();
        let mix = Mix { input, settings, format, song, profile, passages };
        let target = if self.settings.is_own_reference { &self.tone.middle } else { &self.target };
        let target = MasteringTarget { genre: self.genre.clone(), ..MasteringTarget::at(target.clone()) };
        // The refinement goal is the album's middle even when the album is mastered towards a reference. With a target of
        // this kind, test renders aim for the curve decided for the song, which already contains the move that all songs
        // share.
        let decide = |_: &Target| self.tone.decide(decider, profile);
        let Decided { recipe, decision, .. } = mix.decided(target, Some(&self.tone.middle), decide, observer)?;
        let trace = trace(song, &recipe, profile, observer)?;
        let silent = || Error::Decide { path: input.to_owned(), source: models::error::Error::SilentSource };
        let before_lufs = profile.loudness.integrated_lufs.ok_or_else(silent)?;
        Ok(PreparedSong { decision, input_hash, content: Content::Audible(Part { trace, recipe, before_lufs }) })
    }

    /// Sets the loudness of all songs so that the album is at its own. Returns the songs in the order in which they were
    /// given, which has no influence, and the offset of the album.
    ///
    /// # Errors
    /// Temporary data cannot be read.
    pub(crate) fn balance(&self, mut songs: Vec<PreparedSong>) -> Result<(Vec<BalancedSong>, Offset), Error> {
        let parts = songs.iter_mut().enumerate().filter_map(|(place, song)| Some((place, song.part()?)));
        let mut parts: Vec<(usize, &mut Part)> = parts.collect();
        parts.sort_by(|(_, a), (_, b)| {
            a.trace.blocks.len().cmp(&b.trace.blocks.len()).then(a.before_lufs.total_cmp(&b.before_lufs))
        });
        let (places, mut parts): (Vec<usize>, Vec<&mut Part>) = parts.into_iter().unzip();
        same_limiter(&mut parts);
        let offset = balance(&mut parts, self.wanted_lufs, self.settings.loudness, self.settings.balance)?;
        let held_back_by = offset.held_back_by.map(|part| places[part]);
        let balanced = |PreparedSong { decision, input_hash, content }: PreparedSong| {
            let (Content::Audible(Part { recipe, .. }) | Content::Silent(recipe)) = content;
            BalancedSong { recipe, decision, warnings: self.warnings.clone(), input_hash }
        };
        Ok((songs.into_iter().map(balanced).collect(), Offset { held_back_by, ..offset }))
    }
}

/// A song of an album whose recipe is complete but for the loudness.
pub struct PreparedSong {
    decision: DecisionReport,
    /// Hash of the frames of the mix, with its ends trimmed and faded.
    input_hash: String,
    content: Content,
}

enum Content {
    Audible(Part),
    Silent(Recipe),
}

impl PreparedSong {
    fn part(&mut self) -> Option<&mut Part> {
        match &mut self.content {
            Content::Audible(part) => Some(part),
            Content::Silent(_) => None,
        }
    }

    /// Moves the trace out of memory, into a store that the songs of an album share.
    ///
    /// # Errors
    /// Temporary data cannot be moved.
    pub fn store(&mut self, store: &Store) -> Result<(), io::Error> {
        self.part().map_or(Ok(()), |part| part.trace.blocks.store(store))
    }
}

/// A song of an album with its complete recipe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BalancedSong {
    recipe: Recipe,
    decision: DecisionReport,
    warnings: Vec<Warning>,
    /// Hash of the frames that were prepared.
    pub(super) input_hash: String,
}

impl BalancedSong {
    /// Returns the song in the file `input`, which was read and measured, with its decision.
    pub(crate) fn decided<'a>(self, input: &Path, song: &'a Song, profile: &'a Profile) -> Decided<'a> {
        let Self { recipe, decision, mut warnings, .. } = self;
        if recipe.towards.as_ref().is_some_and(|origin| was_mastered_towards(input, origin)) {
            warnings.push(Warning::of_mix(WarningKind::AlreadyMastered));
        }
        Decided { song, profile, recipe, decision, warnings }
    }
}

const DECIDED: &str = "decided album";
const PREPARED: &str = "prepared song";
const BALANCED: &str = "balanced song";

impl Transfer for DecidedAlbum {
    fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        Ok(packed(DECIDED, self, &[]))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Ok(unpacked(DECIDED, bytes)?.0)
    }
}

impl Transfer for BalancedSong {
    fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        Ok(packed(BALANCED, self, &[]))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Ok(unpacked(BALANCED, bytes)?.0)
    }
}

/// A prepared song without the blocks of its trace, which follow as they are.
#[derive(Serialize, Deserialize)]
struct Written {
    decision: DecisionReport,
    input_hash: String,
    recipe: Recipe,
    /// Loudness of the mix, LUFS, and frames per second of the trace; `None` if nothing is audible.
    audible: Option<(f64, u32)>,
}

impl Transfer for PreparedSong {
    fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let (recipe, audible, blocks) = match &self.content {
            Content::Silent(recipe) => (recipe, None, Vec::new()),
            Content::Audible(Part { trace, recipe, before_lufs }) => {
                (recipe, Some((*before_lufs, trace.sample_rate_hz)), trace.blocks.to_bytes()?)
            }
        };
        let (decision, input_hash) = (self.decision.clone(), self.input_hash.clone());
        Ok(packed(PREPARED, &Written { decision, input_hash, recipe: recipe.clone(), audible }, &blocks))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let (Written { decision, input_hash, recipe, audible }, tail) = unpacked(PREPARED, bytes)?;
        if !tail.len().is_multiple_of(TraceBlock::BYTES) {
            return Err(refused(PREPARED));
        }
        let content = match audible {
            None => Content::Silent(recipe),
            Some((before_lufs, sample_rate_hz)) => {
                let trace = Trace { blocks: Spool::from_bytes(tail, usize::MAX)?, sample_rate_hz };
                Content::Audible(Part { trace, recipe, before_lufs })
            }
        };
        Ok(Self { decision, input_hash, content })
    }
}
