//! The measurements of one song, as plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::defects::Defect;
use crate::excerpt::Excerpt;
use crate::readings::{
    DynamicsReading, LoudnessReading, PeakReading, RhythmReading, SilenceReading, SpectrumReading, StereoReading,
};
use crate::short_time::Moment;
use crate::texture::Texture;

/// Version of the profile, raised when the meaning of a field changes.
pub const PROFILE_VERSION: u32 = 1;

/// Everything that was measured of one song.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// [`PROFILE_VERSION`] of the program that measured.
    pub version: u32,
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// 1 or 2, as in the file.
    pub channels: u8,
    /// Length in frames.
    pub frames: u64,
    /// Loudness to ITU-R BS.1770-5, EBU Tech 3341 and 3342.
    pub loudness: LoudnessReading,
    /// Sample peak and true peak.
    pub peak: PeakReading,
    /// Long-term spectrum of mid and side.
    pub spectrum: SpectrumReading,
    /// Level statistics per band.
    pub dynamics: DynamicsReading,
    /// Image: width, correlation, balance.
    pub stereo: StereoReading,
    /// Tempo and onsets.
    pub rhythm: RhythmReading,
    /// Silence at the head and the tail.
    pub silence: SilenceReading,
    /// Faults of the recording, worst first.
    pub defects: Vec<Defect>,
    /// Representative passages of the song.
    pub excerpts: Vec<Excerpt>,
    /// Spectra of moments all over the song, to compare it with another song; not part of the written profile.
    #[serde(skip)]
    pub moments: Vec<Moment>,
    /// Properties that an equaliser does not change; not part of the written profile.
    #[serde(skip)]
    pub texture: Texture,
}

/// Band level below which a file is silent, at most with 24-bit dither. That dither is below −140 dBFS in all; 16-bit
/// dither is above −119 dBFS in most bands.
const INAUDIBLE_DBFS: f64 = -119.0;

impl Profile {
    /// Peak to loudness ratio, LU: true peak over integrated loudness.
    pub fn plr_lu(&self) -> Option<f64> {
        Some(self.peak.true_peak_dbtp - self.loudness.integrated_lufs?)
    }

    /// Returns true if nothing is audible: digital silence, or a constant.
    pub fn is_inaudible(&self) -> bool {
        let bands = [&self.spectrum.mid, &self.spectrum.side];
        bands.iter().all(|spectrum| spectrum.p90_db.iter().all(|level| *level < INAUDIBLE_DBFS))
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.sample_rate_hz)
    }
}
