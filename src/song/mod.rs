//! A decoded song: its frames, their hash, and its measurements.

pub mod blocks;
pub mod observer;
pub(crate) mod read_ahead;
pub mod section;

use std::path::Path;
use std::sync::OnceLock;

use analyzer::analyze::Analyzer;
use analyzer::profile::Profile;
use analyzer::stream::{Frame, Meter};
use analyzer::timeline::Timeline;
use analyzer::tone::{Tone, ToneMeter, moments};
use renderer::edges::{EdgeFinder, EdgeParams};

pub use self::read_ahead::multi_threaded;
use crate::io;
use crate::io::decode::open;
use crate::io::hash::FrameHash;
use crate::io::source_info::SourceInfo;
use crate::io::spool::Spool;
use crate::song::blocks::{BLOCK, each_block};
use crate::song::observer::{Observer, Silent, Stage};
use crate::song::read_ahead::{ObservedSource, each_block_ahead};
use crate::song::section::Section;

/// Memory for the frames of each spool, bytes; the frames of a longer song go to a temporary file.
pub const SPOOL_BYTES: usize = 128 << 20;

/// A decoded song.
pub struct Song {
    /// Sample rate, channels and codec of the file.
    pub info: SourceInfo,
    /// All frames of the song.
    pub frames: Spool<Frame>,
    /// Hash of sample rate, channels and frames.
    pub hash: String,
    /// Warnings of the decoder.
    pub warnings: Vec<io::Warning>,
    /// Memory for each spool, bytes, here and while the song is rendered.
    pub spool_bytes: usize,
    /// Loudness and peaks over time, once the song is measured.
    pub timeline: Option<Timeline>,
    /// The trim and fades that were applied.
    pub edges: EdgeParams,
    /// Number of frames cut from the start and from the end.
    pub cut_frames: [u64; 2],
    /// Spectrum and stereo image at selected moments, measured on first use.
    tone: OnceLock<Tone>,
}

impl Song {
    /// Decodes a file and measures it on the way.
    ///
    /// # Errors
    /// The file cannot be read or holds no sound.
    pub fn load_measured(path: &Path, observer: &dyn Observer) -> Result<(Self, Profile), io::Error> {
        Self::load_measured_within(path, SPOOL_BYTES, observer)
    }

    /// Decodes and measures a file, with `spool_bytes` of memory per spool. No result depends on that size.
    ///
    /// # Errors
    /// As [`load_measured`](Self::load_measured).
    pub fn load_measured_within(
        path: &Path,
        spool_bytes: usize,
        observer: &dyn Observer,
    ) -> Result<(Self, Profile), io::Error> {
        let mut analyzer = None;
        let mut song = Self::load_each(path, spool_bytes, observer, |info, block| {
            analyzer.get_or_insert_with(|| Analyzer::new(info.sample_rate_hz, info.channels)).push(block);
        })?;
        let analyzer = analyzer.unwrap_or_else(|| Analyzer::new(song.info.sample_rate_hz, song.info.channels));
        let (profile, timeline) = analyzer.finish_with_timeline();
        song.timeline = Some(timeline);
        Ok((song, profile))
    }

    /// Decodes a file, trims and fades its ends, and measures the result.
    ///
    /// # Errors
    /// As [`load_measured`](Self::load_measured).
    pub fn load_edited(
        path: &Path,
        edges: &EdgeParams,
        spool_bytes: usize,
        observer: &dyn Observer,
    ) -> Result<(Self, Profile), io::Error> {
        if edges.is_neutral() {
            return Self::load_measured_within(path, spool_bytes, observer);
        }
        let mut song = Self::load_within(path, spool_bytes, observer)?.edited(edges)?;
        let profile = song.profile(observer)?;
        Ok((song, profile))
    }

    /// Returns the song with its ends trimmed and faded. The timeline is dropped.
    ///
    /// # Errors
    /// Temporary data cannot be read or written.
    pub fn edited(self, params: &EdgeParams) -> Result<Self, io::Error> {
        if params.is_neutral() {
            return Ok(self);
        }
        let SourceInfo { sample_rate_hz, channels, .. } = self.info;
        let mut finder = EdgeFinder::new(sample_rate_hz);
        each_block(&mut self.frames.reader(), |block| {
            finder.push(block);
            Ok(())
        })?;
        let edges = finder.finish(params, sample_rate_hz);
        let mut frames = Spool::new(self.spool_bytes);
        let mut hasher = FrameHash::new(sample_rate_hz, channels);
        let mut source = self.frames.reader_at(edges.start);
        let mut block = vec![[0.0; 2]; BLOCK];
        let mut at = 0;
        while at < edges.end - edges.start {
            let left = usize::try_from(edges.end - edges.start - at).unwrap_or(usize::MAX).min(BLOCK);
            let count = source.read(&mut block[..left])?;
            if count == 0 {
                break;
            }
            edges.fade(at, &mut block[..count]);
            hasher.push(&block[..count]);
            frames.push(&block[..count])?;
            at += count as u64;
        }
        let cut_frames = [edges.start, self.frames.len() - edges.end];
        let hash = hasher.finish();
        Ok(Self { frames, hash, edges: *params, cut_frames, timeline: None, tone: OnceLock::new(), ..self })
    }

    /// Returns the length of the song, seconds.
    pub fn seconds(&self) -> f64 {
        self.frames.len() as f64 / f64::from(self.info.sample_rate_hz)
    }

    /// Returns a range of frames as a song of its own, measured.
    ///
    /// # Errors
    /// Temporary data cannot be read or written.
    pub fn part(&self, range: std::ops::Range<u64>) -> Result<(Self, Profile), io::Error> {
        let SourceInfo { sample_rate_hz, channels, .. } = self.info;
        let (mut frames, mut hasher) = (Spool::new(self.spool_bytes), FrameHash::new(sample_rate_hz, channels));
        let mut source = self.frames.reader_at(range.start);
        let mut block = vec![[0.0; 2]; BLOCK];
        let mut left = range.end.min(self.frames.len()).saturating_sub(range.start);
        while left > 0 {
            let count = source.read(&mut block[..usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK)])?;
            if count == 0 {
                break;
            }
            hasher.push(&block[..count]);
            frames.push(&block[..count])?;
            left -= count as u64;
        }
        let (hash, edges, cut_frames) = (hasher.finish(), EdgeParams::default(), [0; 2]);
        let (info, spool_bytes, tone) = (self.info.clone(), self.spool_bytes, OnceLock::new());
        let mut part =
            Self { info, frames, hash, warnings: Vec::new(), spool_bytes, timeline: None, edges, cut_frames, tone };
        let profile = part.profile(&Silent)?;
        Ok((part, profile))
    }

    /// Decodes a file.
    ///
    /// # Errors
    /// As [`load_measured`](Self::load_measured).
    pub fn load(path: &Path, observer: &dyn Observer) -> Result<Self, io::Error> {
        Self::load_within(path, SPOOL_BYTES, observer)
    }

    /// Decodes a file, with `spool_bytes` of memory per spool. No result depends on that size.
    ///
    /// # Errors
    /// As [`load_measured`](Self::load_measured).
    pub fn load_within(path: &Path, spool_bytes: usize, observer: &dyn Observer) -> Result<Self, io::Error> {
        Self::load_each(path, spool_bytes, observer, |_, _| {})
    }

    /// Measures the frames of the song.
    ///
    /// # Errors
    /// The frames are in a temporary file that cannot be read.
    pub fn profile(&mut self, observer: &dyn Observer) -> Result<Profile, io::Error> {
        observer.stage(Stage::Measuring, Some(self.frames.len()));
        let mut analyzer = Analyzer::new(self.info.sample_rate_hz, self.info.channels);
        each_block(&mut self.frames.reader(), |block| {
            analyzer.push(block);
            observer.advance(block.len() as u64)
        })?;
        let (profile, timeline) = analyzer.finish_with_timeline();
        self.timeline = Some(timeline);
        Ok(profile)
    }

    /// Returns spectrum and stereo image at selected moments, for comparison with those of the master.
    ///
    /// # Errors
    /// The frames are in a temporary file that cannot be read.
    pub fn tone(&self) -> Result<Tone, io::Error> {
        if let Some(tone) = self.tone.get() {
            return Ok(tone.clone());
        }
        let mut meter = ToneMeter::new(self.info.sample_rate_hz);
        for moment in moments(self.frames.len(), self.info.sample_rate_hz) {
            let mut frames = vec![[0.0; 2]; (moment.end - moment.start) as usize];
            let count = self.frames.reader_at(moment.start).read(&mut frames)?;
            meter.add(&frames[..count]);
        }
        Ok(self.tone.get_or_init(|| meter.finish()).clone())
    }

    fn load_each(
        path: &Path,
        spool_bytes: usize,
        observer: &dyn Observer,
        mut also: impl FnMut(&SourceInfo, &[Frame]),
    ) -> Result<Self, io::Error> {
        let mut decoder = open(path)?;
        let info = decoder.info().clone();
        observer.stage(Stage::Reading, info.frames_hint);
        let mut hasher = FrameHash::new(info.sample_rate_hz, info.channels);
        let mut frames = Spool::new(spool_bytes);
        // Hash on the reading thread: the other one has more to do.
        let mut hashed = ObservedSource { source: &mut decoder, watch: |frames: &[Frame]| hasher.push(frames) };
        each_block_ahead(&mut hashed, |block| {
            also(&info, block);
            observer.advance(block.len() as u64)?;
            frames.push(block)
        })?;
        let warnings = decoder.warnings().to_vec();
        let (hash, edges, cut_frames) = (hasher.finish(), EdgeParams::default(), [0; 2]);
        let tone = OnceLock::new();
        Ok(Self { info, frames, hash, warnings, spool_bytes, timeline: None, edges, cut_frames, tone })
    }
}

/// Measures a file without keeping its frames.
///
/// # Errors
/// As [`Song::load`].
pub fn measure(path: &Path, observer: &dyn Observer) -> Result<(SourceInfo, Profile, Vec<io::Warning>), io::Error> {
    measure_with_timeline(path, observer).map(|(info, profile, _, warnings)| (info, profile, warnings))
}

/// Measures a section of a file, or the whole file.
///
/// # Errors
/// As [`Song::load`], or the file ends before the section starts.
pub fn measure_part(
    path: &Path,
    section: Option<Section>,
    observer: &dyn Observer,
) -> Result<(Profile, Vec<io::Warning>), io::Error> {
    let Some(section) = section else {
        return measure(path, observer).map(|(_, profile, warnings)| (profile, warnings));
    };
    let decoder = open(path)?;
    let info = decoder.info().clone();
    observer.stage(Stage::Measuring, info.frames_hint);
    let mut analyzer = Analyzer::new(info.sample_rate_hz, info.channels);
    let mut frames = 0;
    let mut part = section.of(decoder, info.sample_rate_hz);
    each_block(&mut part, |block| {
        frames += block.len();
        analyzer.push(block);
        observer.advance(block.len() as u64)
    })?;
    if frames == 0 {
        return Err(io::Error::NoSuchSection { path: path.into(), section: section.to_string() });
    }
    let mut warnings = part.source().warnings().to_vec();
    let seconds = frames as f64 / f64::from(info.sample_rate_hz);
    if seconds < section.end_s - section.start_s - SHORT_BY_S {
        warnings.push(io::Warning::EndsInSection { at_ms: (1000.0 * (section.start_s + seconds)) as u64 });
    }
    Ok((analyzer.finish(), warnings))
}

/// A file that ends this much before the end of the section is not worth a warning, seconds.
const SHORT_BY_S: f64 = 0.1;

/// Measures a file like [`measure`], and also returns its loudness and peaks over time.
///
/// # Errors
/// As [`Song::load`].
pub fn measure_with_timeline(
    path: &Path,
    observer: &dyn Observer,
) -> Result<(SourceInfo, Profile, Timeline, Vec<io::Warning>), io::Error> {
    let mut decoder = open(path)?;
    let info = decoder.info().clone();
    observer.stage(Stage::Measuring, info.frames_hint);
    let mut analyzer = Analyzer::new(info.sample_rate_hz, info.channels);
    each_block_ahead(&mut decoder, |block| {
        analyzer.push(block);
        observer.advance(block.len() as u64)
    })?;
    let warnings = decoder.warnings().to_vec();
    let (profile, timeline) = analyzer.finish_with_timeline();
    Ok((info, profile, timeline, warnings))
}
