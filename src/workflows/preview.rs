//! What a master will sound like, soon: decided for the whole song, rendered for the excerpt that stands for it.

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
use crate::report::warning::WarningKind;
use crate::request::edges::EdgeSettings;
use crate::request::settings::{DeciderKind, MasterSettings};
use crate::song::observer::Observer;
use crate::song::{SPOOL_BYTES, Song};
use crate::workflows::master::excerpt_of;
use crate::workflows::mix::{Decided, Mix};
use crate::workflows::variations::VariationKind;

/// So much of the song is rendered before its excerpt, in which compressors settle, seconds.
const SETTLING_S: f64 = 2.0;

/// What is rendered.
const FORMAT: Format = Format::Wav;

/// A song and its excerpt. What does not depend on how it is mastered is found once.
pub struct PreviewSong {
    /// What was measured of the whole.
    pub profile: Profile,
    /// Where the excerpt is.
    pub passage: Passage,
    song: Song,
    passages: TestPassages,
    /// The excerpt with what leads in to it, measured, once it is needed.
    part: OnceLock<(Song, Profile)>,
    /// Where the excerpt begins in that part, seconds.
    lead_in_s: f64,
}

impl PreviewSong {
    /// Reads and measures a song.
    ///
    /// # Errors
    /// It cannot be read, holds no sound, or the run is interrupted.
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

    /// What is known of the file.
    pub fn warnings(&self) -> &[io::Warning] {
        &self.song.warnings
    }

    /// Its container, codec, rate and channels.
    pub fn info(&self) -> &io::source_info::SourceInfo {
        &self.song.info
    }

    /// The excerpt as it is in the mix.
    ///
    /// # Errors
    /// Temporary data cannot be read.
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
    /// Its frames.
    pub frames: Vec<Frame>,
    /// Their rate.
    pub sample_rate_hz: u32,
    /// How loud the whole master will be, LUFS.
    pub expected_lufs: f64,
    /// The variation whose character suits the song.
    pub suited: VariationKind,
    /// What was done and measured; figures are those of the excerpt, but for the loudness of its qualities.
    pub report: Report,
}

/// What all previews have in common; each takes it for itself.
pub struct Previewer {
    decider: Decider,
    genres: Genres,
}

impl Previewer {
    /// With the network loaded.
    ///
    /// # Errors
    /// The compiled-in network cannot be run.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { decider: load_decider(DeciderKind::Model)?, genres: Genres::default() })
    }

    /// Masters the excerpt of a song by what is decided for the whole; a temporary file is written into `folder`. The song
    /// keeps its head and tail, whatever `settings` say of them. In the whole master the excerpt sounds like this but for
    /// its level, which is known exactly only when all of the song is rendered: the difference is some tenths of a dB.
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
        let heard = start_s..start_s + song.passage.end_s - song.passage.start_s;
        let (mut report, frames) = excerpt_of(mix, decided, heard, folder, observer)?;
        if song.passage.end_s < profile.seconds() {
            // Where the excerpt ends, the song goes on.
            report.warnings.retain(|warning| !matches!(warning.kind, WarningKind::CutOff { .. }));
        }
        let after_lufs = report.after.integrated_lufs.unwrap_or(report.wanted.loudness_lufs);
        let expected_lufs = wanted_lufs + (after_lufs - report.wanted.loudness_lufs);
        let target = report.decision.as_ref().and_then(|decision| decision.target_sound.as_ref());
        let suited = VariationKind::suited(profile, target);
        // The wish was shifted for the excerpt's sake; what is told is about the whole.
        report.wanted.loudness_lufs = wanted_lufs;
        for row in report.qualities.rows.iter_mut().filter(|row| row.quality == Quality::Loudness) {
            let of_whole = |lufs: f64| lufs - louder_lu;
            (row.mix, row.target, row.master) =
                (row.mix.map(of_whole), row.target.map(of_whole), row.master.map(of_whole));
        }
        Ok(Preview { frames, sample_rate_hz: report.output.sample_rate_hz, expected_lufs, suited, report })
    }
}
