//! Spectra of single moments, spread over a whole song: they distinguish songs whose long-term means are alike.

use crate::spectrum::BandMap;
use crate::spectrum_bands::SPECTRUM_BANDS;
use crate::stft::{Stft, window_frames};
use crate::stream::{Frame, Meter};
use crate::units::db_from_power;

/// Largest number of spectra that are kept; in a longer song they lie further apart.
pub const MAX_MOMENTS: usize = 256;

/// Band levels of mid and side in one window, dBFS.
pub type Moment = [[f32; SPECTRUM_BANDS]; 2];

/// Measures windows of about 190 ms at regular intervals: 128 to 256 of them, fewer in songs under 13 s.
pub struct ShortTimeMeter {
    stft: Stft,
    map: BandMap,
    moments: Vec<Moment>,
    /// Every `stride`-th window is kept.
    stride: usize,
}

impl ShortTimeMeter {
    /// A meter for one rate, 8 to 768 kHz.
    pub fn new(sample_rate_hz: u32) -> Self {
        let size = window_frames(sample_rate_hz) / 2;
        Self { stft: Stft::selective(size), map: BandMap::new(sample_rate_hz, size), moments: Vec::new(), stride: 1 }
    }
}

impl Meter for ShortTimeMeter {
    type Reading = Vec<Moment>;

    fn push(&mut self, frames: &[Frame]) {
        let Self { stft, map, moments, stride } = self;
        let is_wanted = |window: usize| window.is_multiple_of(*stride);
        stft.push_where(frames, is_wanted, |powers| moments.push(levels(map, powers)));
        while moments.len() > MAX_MOMENTS {
            let mut is_kept = false;
            moments.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
            *stride *= 2;
        }
    }

    fn finish(self) -> Vec<Moment> {
        let Self { stft, map, mut moments, .. } = self;
        stft.finish(|powers| moments.push(levels(&map, powers)));
        moments
    }
}

fn levels(map: &BandMap, powers: [&[f32]; 2]) -> Moment {
    powers.map(|bins| map.fold(bins).map(|power| db_from_power(f64::from(power)) as f32))
}
