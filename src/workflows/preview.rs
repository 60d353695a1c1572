//! Previews of a master: decided for the whole song, rendered for a representative excerpt.

use std::path::Path;
use std::sync::OnceLock;

use analyzer::profile::Profile;
use analyzer::stream::Frame;
use models::Decider;

use crate::decide::genres::{Genres, with_genre_of_tags};
use crate::decide::refine::TestPassages;
use crate::decide::target::{MeasuredReference, load_decider};
use crate::error::Error;
use crate::io;
use crate::io::output_spec::Format;
use crate::report::Report;
use crate::report::passage::{Passage, excerpt};
use crate::report::qualities::Quality;
use crate::report::warning::{Subject, Warning, WarningKind};
use crate::request::edges::EdgeSettings;
use crate::request::settings::{DeciderKind, MasterSettings};
use crate::song::observer::Observer;
use crate::song::{SPOOL_BYTES, Song};
use crate::workflows::master::excerpt_of;
use crate::workflows::mix::{Decided, Mix};
use crate::workflows::variations::VariationKind;

/// Length rendered before the excerpt, in which compressors settle, seconds.
const SETTLING_S: f64 = 2.0;

/// Format of the rendered file.
const FORMAT: Format = Format::Wav;

/// A song and its excerpt. Everything that does not depend on the settings is computed once.
pub struct PreviewSong {
    /// Measurements of the whole song.
    pub profile: Profile,
    /// Position of the excerpt.
    pub passage: Passage,
    song: Song,
    passages: TestPassages,
    /// The excerpt with its lead-in, and its measurements, once they are needed.
    part: OnceLock<(Song, Profile)>,
    /// Start of the excerpt in that part, seconds.
    lead_in_s: f64,
}

impl PreviewSong {
    /// Reads and measures a song.
    ///
    /// # Errors
    /// If it cannot be read, contains no sound, or the run is interrupted.
    pub fn load(path: &Path, observer: &dyn Observer) -> Result<Self, io::Error> {
        let (song, profile) = Song::load_measured_within(path, SPOOL_BYTES, observer)?;
        let short_term_lufs = song.timeline.as_ref().map_or(&[][..], |timeline| &timeline.short_term_lufs);
        let passage = excerpt(profile.seconds(), short_term_lufs);
        let lead_in_s = passage.start_s.min(SETTLING_S);
        let (passages, part) = (TestPassages::default(), OnceLock::new());
        Ok(Self { profile, passage, song, passages, part, lead_in_s })
    }

    fn part(&self) -> Result<&(Song, Profile), io::Error> {
        if let Some(part) = self.part.get() {
            return Ok(part);
        }
        let with_lead_in = Passage { start_s: self.passage.start_s - self.lead_in_s, ..self.passage };
        let part = self.song.part(with_lead_in.frames(self.song.info.sample_rate_hz))?;
        Ok(self.part.get_or_init(|| part))
    }

    /// Returns the warnings about the file and the recording in it.
    pub fn warnings(&self) -> Vec<Warning> {
        let Self { profile, song: Song { warnings, timeline, .. }, .. } = self;
        Warning::of_measured(&Subject::Mix, warnings, profile, timeline.as_ref())
    }

    /// Returns the container, codec, sample rate and channels of the file.
    pub fn info(&self) -> &io::source_info::SourceInfo {
        &self.song.info
    }

    /// Returns the frames of the excerpt in the mix.
    ///
    /// # Errors
    /// If temporary data cannot be read.
    pub fn frames(&self) -> Result<Vec<Frame>, io::Error> {
        let range = self.passage.frames(self.song.info.sample_rate_hz);
        let mut frames = vec![[0.0; 2]; (range.end - range.start) as usize];
        let count = self.song.frames.reader_at(range.start).read(&mut frames)?;
        frames.truncate(count);
        Ok(frames)
    }
}

/// The excerpt of a master.
pub struct Preview {
    /// Frames of the excerpt.
    pub frames: Vec<Frame>,
    /// Sample rate of these frames, Hz.
    pub sample_rate_hz: u32,
    /// Expected loudness of the whole master, LUFS.
    pub expected_lufs: f64,
    /// The variation whose character suits the song.
    pub suited: VariationKind,
    /// Report on the excerpt. Its figures are those of the excerpt, except for the loudness among its qualities, which
    /// is converted to the whole.
    pub report: Report,
}

/// Networks shared by all previews, which use them one at a time.
pub struct Previewer {
    decider: Decider,
    genres: Genres,
}

impl Previewer {
    /// Loads the network.
    ///
    /// # Errors
    /// If the compiled-in network cannot be run.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { decider: load_decider(DeciderKind::Model)?, genres: Genres::default() })
    }

    /// Masters the excerpt of a song as decided for the whole song, with a temporary file in `folder`. The song keeps
    /// its head and tail, whatever `settings` contain. In the whole master, the excerpt sounds the same except for its
    /// level, which is known exactly only after the whole song is rendered: the difference is some tenths of a dB.
    ///
    /// # Errors
    /// As [`master`](crate::workflows::master::master).
    pub fn preview(
        &mut self,
        song: &PreviewSong,
        (input, folder): (&Path, &Path),
        settings: &MasterSettings,
        references: Vec<MeasuredReference>,
        observer: &dyn Observer,
    ) -> Result<Preview, Error> {
        let PreviewSong { profile, song: whole, passages, .. } = song;
        let settings = MasterSettings { edges: EdgeSettings::default(), ..with_genre_of_tags(settings, &[input]) };
        settings.check(FORMAT)?;
        let mix = Mix { input, settings: &settings, format: FORMAT, song: whole, profile, passages };
        let networks = (&mut self.decider, &mut self.genres);
        let (decided, part) = rayon::join(|| mix.decided_alone(references, networks, observer), || song.part());
        let (mut decided, (part, part_profile)) = (decided?, part?);
        let wanted_lufs = decided.recipe.delivery.loudness_lufs;
        let lufs = |profile: &Profile| profile.loudness.integrated_lufs;
        let louder_lu = lufs(part_profile).zip(lufs(profile)).map_or(0.0, |(part, whole)| part - whole);
        decided.recipe.delivery.loudness_lufs += louder_lu;
        let decided = Decided { song: part, profile: part_profile, ..decided };
        let start_s = song.lead_in_s;
        let range_s = start_s..start_s + song.passage.end_s - song.passage.start_s;
        let (mut report, frames) = excerpt_of(mix, decided, range_s, folder, observer)?;
        if song.passage.end_s < profile.seconds() {
            // The song goes on where the excerpt ends.
            report.warnings.retain(|warning| !matches!(warning.kind, WarningKind::CutOff { .. }));
        }
        let after_lufs = report.after.integrated_lufs.unwrap_or(report.wanted.loudness_lufs);
        let expected_lufs = wanted_lufs + (after_lufs - report.wanted.loudness_lufs);
        let target = report.decision.as_ref().and_then(|decision| decision.target_sound.as_ref());
        let suited = VariationKind::suited(profile, target);
        // The wanted loudness was shifted for the excerpt; the report is about the whole.
        report.wanted.loudness_lufs = wanted_lufs;
        for row in report.qualities.rows.iter_mut().filter(|row| row.quality == Quality::Loudness) {
            let of_whole = |lufs: f64| lufs - louder_lu;
            (row.mix, row.target, row.master) =
                (row.mix.map(of_whole), row.target.map(of_whole), row.master.map(of_whole));
        }
        Ok(Preview { frames, sample_rate_hz: report.output.sample_rate_hz, expected_lufs, suited, report })
    }
}
