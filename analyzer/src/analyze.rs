//! One pass over a song fills its [`Profile`].

use crate::bands::BandMeter;
use crate::blocks::Blocks;
use crate::defects::{Evidence, defects};
use crate::dynamics::dynamics;
use crate::excerpt::excerpts;
use crate::loudness::KEnergies;
use crate::profile::{PROFILE_VERSION, PeakReading, Profile};
use crate::samples::{SampleMeter, readable};
use crate::spectrum::SpectrumMeter;
use crate::stereo::stereo;
use crate::stream::{Frame, Meter};
use crate::true_peak::TruePeakMeter;
use crate::units::db_from_gain;

/// Peaks are kept for every tenth of a second, in blocks of 10 ms.
const PEAK_STEP_BLOCKS: usize = 10;

/// Measures everything. Memory: about 50 MB for three hours, at any rate.
///
/// A sample that is no number is measured as silence, and reported.
pub struct Analyzer {
    sample_rate_hz: u32,
    channels: u8,
    blocks: Blocks,
    meters: Meters,
}

impl Analyzer {
    /// For a stream of 8 to 192 kHz. A mono file is measured as the two equal channels that carry it; `channels` is
    /// what the file had, and keeps mono from being called a fault.
    pub fn new(sample_rate_hz: u32, channels: u8) -> Self {
        assert!((8000..=192_000).contains(&sample_rate_hz), "8 to 192 kHz, not {sample_rate_hz} Hz");
        assert!(channels == 1 || channels == 2, "one or two channels, not {channels}");
        Self { sample_rate_hz, channels, blocks: Blocks::new(sample_rate_hz), meters: Meters::new(sample_rate_hz) }
    }
}

impl Meter for Analyzer {
    type Reading = Profile;

    fn push(&mut self, frames: &[Frame]) {
        self.blocks.push(frames, |block| self.meters.push(block, true));
    }

    fn finish(mut self) -> Profile {
        self.meters.push(self.blocks.rest(), false);
        self.meters.finish(self.sample_rate_hz, self.channels)
    }
}

/// All that listen to every block.
struct Meters {
    samples: SampleMeter,
    energies: KEnergies,
    true_peak: TruePeakMeter,
    spectrum: SpectrumMeter,
    bands: BandMeter,
    /// Sample peak of every tenth of a second.
    peaks: Vec<f32>,
    blocks_done: usize,
}

impl Meters {
    fn new(sample_rate_hz: u32) -> Self {
        Self {
            samples: SampleMeter::default(),
            energies: KEnergies::new(sample_rate_hz),
            true_peak: TruePeakMeter::new(),
            spectrum: SpectrumMeter::new(sample_rate_hz),
            bands: BandMeter::new(sample_rate_hz),
            peaks: Vec::new(),
            blocks_done: 0,
        }
    }

    /// Loudness windows are made of whole blocks; all else counts to the last frame.
    fn push(&mut self, block: &[Frame], is_whole: bool) {
        self.samples.note_unreadable(block);
        let block = &*readable(block);
        let peak = self.samples.push(block);
        if self.blocks_done.is_multiple_of(PEAK_STEP_BLOCKS) {
            self.peaks.push(0.0);
        }
        if let Some(last) = self.peaks.last_mut() {
            *last = last.max(peak);
        }
        self.blocks_done += 1;
        if is_whole {
            self.energies.push(block);
        }
        self.true_peak.push(block);
        self.spectrum.push(block);
        self.bands.push(block);
    }

    fn finish(self, sample_rate_hz: u32, channels: u8) -> Profile {
        let weighted = self.energies.totals;
        let history = self.energies.finish();
        let (samples, bands) = (self.samples.finish(channels == 1), self.bands.finish());
        let (true_peak, spectrum) = (self.true_peak.finish(), self.spectrum.finish());
        let sample_peak = f64::from(samples.peaks[0].max(samples.peaks[1]));
        let cutoff_hz = spectrum.cutoff_hz;
        Profile {
            version: PROFILE_VERSION,
            sample_rate_hz,
            channels,
            frames: samples.frames,
            loudness: history.reading(),
            peak: PeakReading {
                true_peak_dbtp: db_from_gain(true_peak),
                sample_peak_dbfs: db_from_gain(sample_peak),
            },
            spectrum,
            dynamics: dynamics(&bands, &history.short_term_lufs(), &self.peaks),
            stereo: stereo(&bands, weighted),
            defects: defects(&Evidence { sample_rate_hz, channels, samples: &samples, true_peak, cutoff_hz, weighted }),
            excerpts: excerpts(&history, sample_rate_hz),
        }
    }
}
