//! Several masters of one song to choose from: an excerpt of each on one page, with the command that renders it whole.

use std::path::Path;

use analyzer::profile::Profile;
use analyzer::stream::Frame;
use models::Decider;
use models::character::Character;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::genres::{Genres, with_genre_of_tags};
use crate::decide::refine::TestPassages;
use crate::decide::target::{MeasuredReference, load_decider, measure_references, read_profile};
use crate::error::Error;
use crate::io;
use crate::io::output_spec::Format;
use crate::page::variations::{VariationView, write_page};
use crate::report::Report;
use crate::report::passage::{Passage, excerpt};
use crate::report::qualities::{Qualities, Quality, Sound};
use crate::request::delivery::LoudnessTarget;
use crate::request::job::MasterJob;
use crate::request::page::Page;
use crate::request::paths::check_other_path;
use crate::request::settings::{MasterSettings, Percent};
use crate::song::observer::{InterruptOnly, Observer};
use crate::song::{SPOOL_BYTES, Song};
use crate::workflows::master::excerpt_of;
use crate::workflows::mix::Mix;

/// A way to master a song.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VariationKind {
    /// Half of the decided moves.
    Gentle,
    /// The same as `goldmaster SONG`.
    Balanced,
    /// Louder and denser.
    Loud,
    /// With a warm character: for a mix that is brighter than its target.
    Warm,
    /// With an open character: for a mix that is not.
    Open,
}

/// All variations, in the order of the page.
const KINDS: [VariationKind; 5] =
    [VariationKind::Gentle, VariationKind::Balanced, VariationKind::Loud, VariationKind::Warm, VariationKind::Open];

/// Format of the masters that excerpts are cut from.
const FORMAT: Format = Format::Wav;

/// Share of the decided moves in a gentle master.
const GENTLE: f64 = 0.5;
/// Loudness of a loud master over that of a balanced one, LU.
const LOUDER_LU: f64 = 4.0;
/// Largest loudness of a loud master, LUFS.
const LOUDEST_LUFS: f64 = -8.0;
/// Gain reduction that a loud master may have for most of the time, dB.
const LOUD_LIMITING_DB: f64 = 8.0;
/// Smallest difference in loudness between a loud master and a balanced one, LU.
const MIN_STEP_LU: f64 = 1.0;

/// One of the masters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Variation {
    /// Kind of the variation.
    pub kind: VariationKind,
    /// Command-line options that make it.
    pub options: Vec<String>,
    /// Its qualities, compared with mix and target.
    pub qualities: Qualities,
}

impl VariationKind {
    /// Returns the name on the page and in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gentle => "gentle",
            Self::Balanced => "balanced",
            Self::Loud => "loud",
            Self::Warm => "warm",
            Self::Open => "open",
        }
    }

    /// Returns the variation whose character suits a mix: warm for a mix that is brighter than its target, open
    /// otherwise.
    pub fn suited(mix: &Profile, target: Option<&Sound>) -> Self {
        let brightness = |sound: &Sound| sound.value(Quality::Brightness);
        let mix = Sound::of_profile(mix).as_ref().and_then(brightness);
        let is_brighter = mix.zip(target.and_then(brightness)).is_some_and(|(mix, target)| mix > target);
        if is_brighter { Self::Warm } else { Self::Open }
    }

    /// Returns the settings of the variation; `None` if it would hardly differ from a master of `balanced_lufs`.
    pub fn settings(self, common: &MasterSettings, balanced_lufs: f64) -> Option<MasterSettings> {
        let mut settings = common.clone();
        match self {
            Self::Gentle => {
                let Percent(intensity) = &mut settings.amounts.intensity;
                *intensity *= GENTLE;
            }
            Self::Balanced => {}
            Self::Loud => {
                let lufs = (balanced_lufs + LOUDER_LU).min(LOUDEST_LUFS);
                if lufs < balanced_lufs + MIN_STEP_LU {
                    return None;
                }
                settings.delivery.loudness = Some(LoudnessTarget::Lufs((10.0 * lufs).round() / 10.0));
                settings.delivery.max_limiting_db = Some(LOUD_LIMITING_DB);
            }
            Self::Warm | Self::Open => {
                settings.character = if self == Self::Warm { Character::Warm } else { Character::Open };
            }
        }
        Some(settings)
    }
}

/// Returns the command line of a variation from its settings.
type CommandLine<'a> = &'a dyn Fn(VariationKind, &MasterSettings) -> String;

/// Masters `job`'s song in several ways and writes the page that plays an excerpt of each. `command` returns the
/// command line that renders a whole variation from its settings. Every excerpt is cut from a whole master, so that it
/// sounds the same as the result of that command.
///
/// # Errors
/// As [`master`](crate::workflows::master::master), or if there are several destinations or the page cannot be written.
pub fn variations(
    job: &MasterJob,
    page: &Page,
    command: CommandLine,
    observer: &dyn Observer,
) -> Result<Vec<Variation>, Error> {
    if job.settings.delivery.destinations.len() > 1 {
        return Err(Error::Usage("variations are for one place: give a single --for".to_owned()));
    }
    let references = job.settings.references.iter().map(|reference| reference.path.as_path());
    check_other_path("report", &page.path, references.chain([job.input.as_path()]), page.force)?;
    job.settings.check(FORMAT)?;
    if let Some(path) = &job.settings.profile {
        read_profile(path)?;
    }
    let decider = load_decider(job.settings.decider)?;
    let edges = job.settings.edges.params()?;
    let (song, references) = rayon::join(
        || Song::load_edited(&job.input, &edges, SPOOL_BYTES, observer),
        || measure_references(&job.settings.references, &InterruptOnly(observer)),
    );
    let ((song, profile), references) = (song?, references?);
    let short_term_lufs = song.timeline.as_ref().map_or(&[][..], |timeline| &timeline.short_term_lufs);
    let passage = excerpt(profile.seconds(), short_term_lufs);
    let folder = tempfile::tempdir().map_err(|e| io::Error::spooling(&e))?;
    let (references, folder) = (&references[..], folder.path());
    let (genres, passages) = (Genres::default(), &TestPassages::default());
    let mut sources =
        Sources { song: &song, profile: &profile, references, passage, folder, passages, decider, genres };
    let mut done = Vec::new();
    let mut kinds = vec![VariationKind::Balanced];
    let (mut balanced_lufs, mut reference) = (0.0, None);
    while let Some(kind) = kinds.pop() {
        let Some(settings) = kind.settings(&job.settings, balanced_lufs) else { continue };
        let options = settings.options(&job.settings);
        let command = command(kind, &settings);
        let (report, frames) = sources.mastered(&job.input, &settings, observer)?;
        if kind == VariationKind::Balanced {
            // The balanced master determines the loudness of the loud one, and the character that suits.
            balanced_lufs = report.after.integrated_lufs.unwrap_or(balanced_lufs);
            let target_sound = report.decision.as_ref().and_then(|decision| decision.target_sound.clone());
            reference = report.decision.as_ref().and_then(|decision| decision.references.first().cloned());
            kinds.extend([
                VariationKind::Gentle,
                VariationKind::Loud,
                VariationKind::suited(&profile, target_sound.as_ref()),
            ]);
        }
        let view = VariationView::new(kind.name(), &report, frames, command);
        done.push((Variation { kind, options, qualities: report.qualities }, view));
    }
    done.sort_by_key(|(variation, _)| KINDS.iter().position(|kind| *kind == variation.kind));
    let (done, views) = done.into_iter().unzip();
    write_page(page, &song, &passage, views, reference.as_ref())?;
    Ok(done)
}

/// Data shared by all variations.
struct Sources<'a> {
    song: &'a Song,
    profile: &'a Profile,
    references: &'a [MeasuredReference],
    passage: Passage,
    folder: &'a Path,
    passages: &'a TestPassages,
    decider: Decider,
    genres: Genres,
}

impl Sources<'_> {
    /// Renders a whole master and returns its report and its excerpt.
    fn mastered(
        &mut self,
        input: &Path,
        settings: &MasterSettings,
        observer: &dyn Observer,
    ) -> Result<(Report, Vec<Frame>), Error> {
        let Self { song, profile, references, passage, folder, passages, decider, genres } = self;
        let settings = &with_genre_of_tags(settings, &[input]);
        let mix = Mix { input, settings, format: FORMAT, song, profile, passages };
        let decided = mix.decided_alone(references.to_vec(), (decider, genres), observer)?;
        excerpt_of(mix, decided, passage.start_s..passage.end_s, folder, observer)
    }
}
