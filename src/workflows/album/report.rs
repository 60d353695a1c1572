//! The report of a finished album, measured on its masters.

use std::path::{Path, PathBuf};

use analyzer::analyze::Analyzer;
use analyzer::loudness::LoudnessMeter;
use analyzer::loudness_history::LoudnessHistory;
use analyzer::profile::Profile;
use analyzer::spectrum_bands::SPECTRUM_BANDS;
use analyzer::stream::Meter as _;
use models::features::{Features, MID, features};
use models::target::{Target, bands_below};

use crate::io;
use crate::report::album::{AlbumReport, AlbumSong};
use crate::request::job::{AlbumBalance, AlbumLoudness};
use crate::song::blocks::each_block;
use crate::song::observer::{Observer, Stage};
use crate::workflows::album::level::{Offset, PROMISED_LU, album_lufs};
use crate::workflows::album::tone::RECORD;

/// A song before and after mastering.
pub struct Pair {
    /// The mix.
    pub input: PathBuf,
    /// Measurements of the mix.
    pub before: Profile,
    /// Measurements of the master.
    pub after: Profile,
    /// Loudness of the master over time.
    pub history: LoudnessHistory,
}

/// Returns the report of all songs that have a master, with the causes why others could not be read.
pub fn album_report(
    context: String,
    pairs: Vec<Pair>,
    unreadable: Vec<String>,
    (by, balance): (AlbumLoudness, AlbumBalance),
    wanted_lufs: f64,
    offset: Offset,
) -> AlbumReport {
    let offset_lu = offset.offset_lu;
    let tone = |pick: fn(&Pair) -> &Profile| {
        let profiles: Vec<&Profile> = pairs.iter().map(pick).collect();
        let middle = Target::middle(RECORD, &profiles);
        let distance = |profile: &&Profile| {
            let (Some(middle), Some(vector)) = (&middle, features(profile)) else { return 0.0 };
            tone_distance_db(&vector, middle, bands_below(profile.spectrum.cutoff_hz))
        };
        profiles.iter().map(distance).collect::<Vec<f64>>()
    };
    let (before, after) = (tone(|pair| &pair.before), tone(|pair| &pair.after));
    let songs = pairs.iter().zip(before.into_iter().zip(after)).map(|(pair, (tone_before_db, tone_after_db))| {
        let [before_lufs, after_lufs] = [&pair.before, &pair.after].map(|p| p.loudness.integrated_lufs);
        AlbumSong {
            input: pair.input.display().to_string(),
            before_lufs,
            after_lufs,
            moved_lu: before_lufs.zip(after_lufs).map(|(before, after)| after - before - offset_lu),
            true_peak_dbtp: pair.after.peak.true_peak_dbtp,
            tone_before_db,
            tone_after_db,
        }
    });
    let songs: Vec<AlbumSong> = songs.collect();
    let loudnesses = || songs.iter().filter_map(|song| song.after_lufs);
    let spread_lu = loudnesses().reduce(f64::max).zip(loudnesses().reduce(f64::min)).map(|(most, least)| most - least);
    let histories: Vec<LoudnessHistory> = pairs.into_iter().map(|pair| pair.history).collect();
    let loudness_lufs = album_lufs(&histories, by);
    let missed_by_lu = loudness_lufs
        .map(|lufs| wanted_lufs - lufs)
        .filter(|miss_lu| unreadable.is_empty() && offset.held_back_by.is_none() && miss_lu.abs() > PROMISED_LU);
    AlbumReport {
        context,
        name: None,
        references: Vec::new(),
        by,
        balance,
        wanted_lufs,
        loudness_lufs,
        spread_lu,
        offset_lu,
        held_back_by: None,
        missed_by_lu,
        unreadable,
        missing: Vec::new(),
        songs,
    }
}

/// Standard deviation, over the bands of the mid, of the difference between a song and the middle, dB: it measures tone
/// independently of level.
fn tone_distance_db(song: &Features, middle: &Target, bands: usize) -> f64 {
    let bands = bands.clamp(1, SPECTRUM_BANDS);
    let distance = |band: usize| song[MID + band] - middle.features[MID + band];
    let mean = (0..bands).map(distance).sum::<f64>() / bands as f64;
    ((0..bands).map(|band| (distance(band) - mean) * (distance(band) - mean)).sum::<f64>() / bands as f64).sqrt()
}

/// Measures the profile and the loudness over time of a master.
///
/// # Errors
/// If it cannot be read.
pub fn measure_master(path: &Path, observer: &dyn Observer) -> Result<(Profile, LoudnessHistory), io::Error> {
    let mut decoder = io::decode::open(path)?;
    let info = decoder.info().clone();
    observer.stage(Stage::Measuring, info.frames_hint);
    let mut analyzer = Analyzer::new(info.sample_rate_hz, info.channels);
    let mut loudness = LoudnessMeter::new(info.sample_rate_hz);
    each_block(&mut decoder, |block| {
        analyzer.push(block);
        loudness.push(block);
        observer.advance(block.len() as u64)
    })?;
    Ok((analyzer.finish(), loudness.history()))
}
