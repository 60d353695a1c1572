//! A measured song of an album.

use std::path::Path;

use analyzer::profile::Profile;
use analyzer::spectrum_bands::SPECTRUM_BANDS;
use analyzer::texture::Texture;
use renderer::edges::EdgeParams;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::io;
use crate::io::source_info::SourceInfo;
use crate::song::observer::Observer;
use crate::song::{Song, measure};
use crate::workflows::album::transfer::{Transfer, packed, refused, unpacked};

/// Measurements of a song of an album: all that decisions about the album take from it.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredSong {
    /// Measurements of the mix, with its ends trimmed and faded.
    pub(super) profile: Profile,
    /// The genre that its tags name, out of those that have a profile.
    pub(super) genre: Option<String>,
}

const KIND: &str = "measured song";

/// A song as it is written: the texture, which a written profile leaves out, stands beside it.
#[derive(Serialize, Deserialize)]
struct Written {
    profile: Profile,
    texture: Vec<f64>,
    genre: Option<String>,
}

impl Transfer for MeasuredSong {
    fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let Self { profile, genre } = self.clone();
        let levels = profile.moments.as_flattened().as_flattened();
        let tail: Vec<u8> = levels.iter().flat_map(|level| level.to_le_bytes()).collect();
        let texture = profile.texture.values.clone();
        Ok(packed(KIND, &Written { profile, texture, genre }, &tail))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let (Written { profile, texture, genre }, tail) = unpacked(KIND, bytes)?;
        let levels: Vec<f32> = tail.as_chunks().0.iter().map(|level| f32::from_le_bytes(*level)).collect();
        let (moments, rest) = levels.as_chunks::<SPECTRUM_BANDS>().0.as_chunks::<2>();
        if size_of_val(moments) != tail.len() || !rest.is_empty() {
            return Err(refused(KIND));
        }
        let profile = Profile { moments: moments.to_vec(), texture: Texture { values: texture }, ..profile };
        Ok(Self { profile, genre })
    }
}

/// Measures a song with its ends trimmed and faded, with `spool_bytes` of memory per spool.
///
/// # Errors
/// The file cannot be read or holds no sound.
pub fn measure_edited(
    path: &Path,
    edges: &EdgeParams,
    spool_bytes: usize,
    observer: &dyn Observer,
) -> Result<(SourceInfo, Profile, Vec<io::Warning>), io::Error> {
    if edges.is_neutral() {
        return measure(path, observer);
    }
    let (song, profile) = Song::load_edited(path, edges, spool_bytes, observer)?;
    Ok((song.info, profile, song.warnings))
}

/// Puts the songs of an album in an order of its own, so that no sum over them depends on the order in which they are
/// listed.
pub fn in_order<'a>(songs: impl IntoIterator<Item = &'a Profile>) -> Vec<&'a Profile> {
    let mut songs: Vec<&Profile> = songs.into_iter().collect();
    let lufs = |song: &Profile| song.loudness.integrated_lufs.unwrap_or(f64::NEG_INFINITY);
    songs.sort_by(|a, b| {
        let by_peak = a.peak.true_peak_dbtp.total_cmp(&b.peak.true_peak_dbtp);
        a.frames.cmp(&b.frames).then(lufs(a).total_cmp(&lufs(b))).then(by_peak)
    });
    songs
}
