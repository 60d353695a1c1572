//! Report of a finished album, as plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::io;
use crate::request::advice::Advice;
use crate::request::job::{AlbumBalance, AlbumLoudness};

/// A finished record, measured on its masters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlbumReport {
    /// Identifier of the songs and settings that the album was made from.
    pub context: String,
    /// Name of the album if there are several: its folder in the output.
    pub name: Option<String>,
    /// Names of the references that it was mastered towards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// The loudness that was brought to the requested value: that of the whole album, or of its loudest song.
    pub by: AlbumLoudness,
    /// Treatment of the loudness differences between its songs.
    pub balance: AlbumBalance,
    /// The requested loudness, LUFS.
    pub wanted_lufs: f64,
    /// The measured loudness of the masters, LUFS.
    pub loudness_lufs: Option<f64>,
    /// Difference between the loudest and the quietest master, LU.
    pub spread_lu: Option<f64>,
    /// The solved gain, LU: that of every song, or of the loudest if all songs are made equally loud.
    pub offset_lu: f64,
    /// The song that keeps the album quieter than requested.
    pub held_back_by: Option<String>,
    /// Difference between the requested and the reached loudness if no song holds the album back, LU; positive if it is
    /// too quiet.
    pub missed_by_lu: Option<f64>,
    /// Masters that could not be measured, each with the reason. The album's figures do not include them.
    pub unreadable: Vec<String>,
    /// Mixes of the album that failed in this run. The album's figures do not include them.
    #[serde(default)]
    pub missing: Vec<String>,
    /// All songs that have a master.
    pub songs: Vec<AlbumSong>,
}

/// A song of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlbumSong {
    /// Path of the mix.
    pub input: String,
    /// Loudness of the mix, LUFS.
    pub before_lufs: Option<f64>,
    /// Loudness of the master, LUFS.
    pub after_lufs: Option<f64>,
    /// Change of the song's loudness relative to the album, LU.
    pub moved_lu: Option<f64>,
    /// True peak of the master, dBTP.
    pub true_peak_dbtp: f64,
    /// Distance of the mix's tone from the median of the mixes, dB.
    pub tone_before_db: f64,
    /// Distance of the master's tone from the median of the masters, dB.
    pub tone_after_db: f64,
}

/// Songs further apart than this make listeners reach for the volume control, LU: 10 LU are heard as twice as loud.
const BEARABLE_SPREAD_LU: f64 = 10.0;

impl AlbumReport {
    /// Describes the loudness of the album and anything that limited it, in sentences without a full stop.
    pub fn sentences(&self) -> Vec<String> {
        self.describe(|advice| advice.to_string())
    }

    /// Returns the same sentences, with advice for the page of `goldmaster ui`.
    pub fn sentences_of_page(&self) -> Vec<String> {
        self.describe(|advice| format!("{advice:#}"))
    }

    fn describe(&self, advice: impl Fn(Advice) -> String) -> Vec<String> {
        let what = match self.by {
            AlbumLoudness::Whole => "the album",
            AlbumLoudness::Loudest => "its loudest song",
        };
        let reached = self.loudness_lufs.map_or_else(|| "-".to_owned(), |lufs| format!("{lufs:.1}"));
        let (wanted_lufs, offset_lu) = (self.wanted_lufs, self.offset_lu);
        let all = match self.balance {
            AlbumBalance::Keep => format!("every song {offset_lu:+.1} LU"),
            AlbumBalance::Even => "every song is equally loud".to_owned(),
        };
        let mut sentences = vec![format!("{what}: {reached} LUFS, wanted {wanted_lufs:.1}; {all}")];
        if !self.references.is_empty() {
            sentences.push(format!("mastered towards {}", self.references.join(", ")));
        }
        sentences.extend(self.spread_lu.filter(|spread_lu| *spread_lu >= BEARABLE_SPREAD_LU).map(|spread_lu| {
            let remedy = match self.balance {
                AlbumBalance::Keep => format!(": {}", advice(Advice::EquallyLoud)),
                AlbumBalance::Even => String::new(),
            };
            format!("warning: its songs are up to {spread_lu:.1} LU apart in loudness, more than listeners put up with{remedy}")
        }));
        sentences.extend(
            self.held_back_by
                .iter()
                .map(|song| format!("{song} comes no higher without more limiting: {}", advice(Advice::MoreLimiting))),
        );
        sentences.extend(self.missed_by_lu.map(|missed_lu| {
            let side = if missed_lu > 0.0 { "quieter" } else { "louder" };
            let missed_lu = missed_lu.abs();
            format!(
                "warning: levelling the album did not end: it is {missed_lu:.1} LU {side} than asked; {}",
                advice(Advice::OtherLoudness)
            )
        }));
        if !self.missing.is_empty() {
            let (missing, songs) = (self.missing.len(), self.missing.len() + self.unreadable.len() + self.songs.len());
            let named = some_names(&self.missing);
            sentences.push(format!(
                "warning: {missing} of its {songs} songs failed ({named}), so its loudness is that of the others; a song \
                 that cannot be read is left out of the levelling, and all songs are levelled anew once it can be read; \
                 until then, a master of an earlier run may have another level"
            ));
        }
        sentences.extend(
            self.unreadable.iter().map(|cause| {
                format!("warning: a master could not be measured, so the figures are without it: {cause}")
            }),
        );
        sentences
    }
}

impl AlbumSong {
    /// Returns the name of the mix without its folders.
    pub fn file_name(&self) -> &str {
        self.input.rsplit(['/', '\\']).next().unwrap_or_default()
    }
}

/// An album whose cue sheet and track list were requested, but not written in this run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithoutCueSheet {
    /// Name of the album if there are several: its folder in the output.
    pub album: Option<String>,
    /// Number of its songs.
    pub songs: usize,
    /// Mixes of the album without a master, or with a master that was edited since.
    pub unfinished: Vec<String>,
    /// Cue sheets of an earlier run that were left as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
}

/// Maximum number of songs that a sentence names.
const MAX_NAMED: usize = 3;

/// Cue sheets of earlier runs that are no longer written for an album, and are left as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaleCueSheets {
    /// Name of the album if there are several: its folder in the output.
    pub album: Option<String>,
    /// The cue sheets.
    pub sheets: Vec<String>,
}

impl std::fmt::Display for StaleCueSheets {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let (album, sheets) = (shown_name(self.album.as_deref()), some_names(&self.sheets));
        match self.sheets.len() {
            1 => write!(f, "a cue sheet of an earlier run is no longer written for {album}: {sheets}; delete it"),
            _ => write!(f, "cue sheets of an earlier run are no longer written for {album}: {sheets}; delete them"),
        }
    }
}

/// Returns the name of an album, fit for a terminal.
fn shown_name(album: Option<&str>) -> String {
    album.map_or_else(|| "the album".to_owned(), |album| io::name(album.as_ref()))
}

impl std::fmt::Display for WithoutCueSheet {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { album, songs, unfinished, earlier } = self;
        let album = shown_name(album.as_deref());
        let are = if unfinished.len() == 1 { "is" } else { "are" };
        write!(
            f,
            "no cue sheet was written for {album}: {} of its {songs} songs {are} not finished ({})",
            unfinished.len(),
            some_names(unfinished)
        )?;
        match earlier.is_empty() {
            true => Ok(()),
            false => write!(f, "; that of an earlier run was left as it is: {}", some_names(earlier)),
        }
    }
}

/// Returns the first of these names, fit for a terminal.
pub fn some_names(names: &[String]) -> String {
    let named: Vec<_> = names.iter().take(MAX_NAMED).map(|name| io::name(name.as_ref())).collect();
    let more = if names.len() > MAX_NAMED { ", ..." } else { "" };
    format!("{}{more}", named.join(", "))
}
