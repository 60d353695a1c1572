//! Measures the [`Profile`] of a song in one pass.

use std::borrow::Cow;

use crate::bands::BandMeter;
use crate::blocks::Blocks;
use crate::defects::{Evidence, defects};
use crate::dynamics::dynamics;
use crate::excerpt::excerpts;
use crate::loudness::KEnergies;
use crate::profile::{PROFILE_VERSION, Profile};
use crate::readings::PeakReading;
use crate::rhythm::rhythm;
use crate::samples::{SampleMeter, readable};
use crate::short_time::ShortTimeMeter;
use crate::spectrum::SpectrumMeter;
use crate::stereo::stereo;
use crate::stream::{Frame, Meter};
use crate::texture::TextureMeter;
use crate::timeline::Timeline;
use crate::true_peak::TruePeakMeter;
use crate::units::db_from_gain;

/// Length of the steps whose peaks serve defects and dynamics: a tenth of a second, in blocks of 10 ms.
const PEAK_STEP_BLOCKS: usize = 10;

/// Measures a whole [`Profile`], in two threads of the rayon pool that it is called from. Memory: about 70 MB for three
/// hours, at any rate.
///
/// Samples that are NaN, infinite or absurdly large are measured as silence and reported as a defect.
pub struct Analyzer {
    sample_rate_hz: u32,
    channels: u8,
    levels: InBlocks<LevelMeters>,
    spectra: InBlocks<SpectralMeters>,
}

impl Analyzer {
    /// Creates an analyzer for a stream at 8 to 768 kHz. A mono file is measured as two equal channels; `channels` is
    /// the channel count of the file, so that a mono file is not reported as a defect.
    pub fn new(sample_rate_hz: u32, channels: u8) -> Self {
        assert!((8000..=768_000).contains(&sample_rate_hz), "8 to 768 kHz, not {sample_rate_hz} Hz");
        assert!(channels == 1 || channels == 2, "one or two channels, not {channels}");
        let levels = InBlocks { blocks: Blocks::new(sample_rate_hz), meters: LevelMeters::new(sample_rate_hz) };
        let spectra = InBlocks { blocks: Blocks::new(sample_rate_hz), meters: SpectralMeters::new(sample_rate_hz) };
        Self { sample_rate_hz, channels, levels, spectra }
    }

    /// Ends the stream and returns the profile and the song's timeline.
    pub fn finish_with_timeline(self) -> (Profile, Timeline) {
        let Self { sample_rate_hz, channels, levels, spectra } = self;
        let (levels, spectra) = rayon::join(|| levels.ended(), || spectra.ended());
        profile(levels, spectra, sample_rate_hz, channels)
    }
}

impl Meter for Analyzer {
    type Reading = Profile;

    fn push(&mut self, frames: &[Frame]) {
        let Self { levels, spectra, .. } = self;
        rayon::join(|| levels.push(frames), || spectra.push(frames));
    }

    fn finish(self) -> Profile {
        self.finish_with_timeline().0
    }
}

/// Meters that take blocks of 10 ms.
trait BlockMeters {
    /// Takes the next block; `is_whole` is false only for the partial block at the end of a song.
    fn push(&mut self, block: &[Frame], is_whole: bool);
}

/// Meters, and the frames that do not fill a block yet.
struct InBlocks<M> {
    blocks: Blocks,
    meters: M,
}

impl<M: BlockMeters> InBlocks<M> {
    fn push(&mut self, frames: &[Frame]) {
        self.blocks.push(frames, |block| self.meters.push(block, true));
    }

    /// Pushes the partial last block and returns the meters.
    fn ended(mut self) -> M {
        self.meters.push(self.blocks.rest(), false);
        self.meters
    }
}

/// Meters of levels.
struct LevelMeters {
    samples: SampleMeter,
    energies: KEnergies,
    bands: BandMeter,
    /// Sample peak of every block.
    peaks: Vec<f32>,
}

impl LevelMeters {
    fn new(sample_rate_hz: u32) -> Self {
        Self {
            samples: SampleMeter::new(sample_rate_hz),
            energies: KEnergies::new(sample_rate_hz),
            bands: BandMeter::new(sample_rate_hz),
            peaks: Vec::new(),
        }
    }
}

impl BlockMeters for LevelMeters {
    /// Every measure except loudness includes the partial last block: loudness windows consist of whole blocks.
    fn push(&mut self, block: &[Frame], is_whole: bool) {
        let sound = readable(block);
        if matches!(sound, Cow::Owned(_)) {
            self.samples.note_unreadable(block);
        }
        self.peaks.push(self.samples.push(&sound));
        if is_whole {
            self.energies.push(&sound);
        }
        self.bands.push(&sound);
    }
}

/// Meters of spectra and true peaks. They take about as long as the level meters, which run in the other thread.
struct SpectralMeters {
    spectrum: SpectrumMeter,
    short_time: ShortTimeMeter,
    texture: TextureMeter,
    true_peak: TruePeakMeter,
}

impl SpectralMeters {
    fn new(sample_rate_hz: u32) -> Self {
        Self {
            spectrum: SpectrumMeter::new(sample_rate_hz),
            short_time: ShortTimeMeter::new(sample_rate_hz),
            texture: TextureMeter::new(sample_rate_hz),
            true_peak: TruePeakMeter::new(),
        }
    }
}

impl BlockMeters for SpectralMeters {
    fn push(&mut self, block: &[Frame], _: bool) {
        let sound = readable(block);
        self.spectrum.push(&sound);
        self.short_time.push(&sound);
        self.texture.push(&sound);
        self.true_peak.push(&sound);
    }
}

/// Profile and timeline of a song, from all of its meters.
fn profile(levels: LevelMeters, spectra: SpectralMeters, sample_rate_hz: u32, channels: u8) -> (Profile, Timeline) {
    let weighted = levels.energies.totals;
    let history = levels.energies.finish();
    let (samples, bands) = (levels.samples.finish(channels == 1), levels.bands.finish());
    let (true_peak, (spectrum, hum)) = (spectra.true_peak.finish(), spectra.spectrum.finish_with_hum());
    let sample_peak = f64::from(samples.peaks[0].max(samples.peaks[1]));
    let stereo = stereo(&bands, samples.squares, weighted);
    let loudness = history.reading();
    let timeline = Timeline::new(levels.peaks, &history);
    let highest = |blocks: &[f32]| blocks.iter().copied().fold(0.0, f32::max);
    let peaks: Vec<f32> = timeline.peaks.chunks(PEAK_STEP_BLOCKS).map(highest).collect();
    let dynamics = dynamics(&bands, &timeline.short_term_lufs, &peaks);
    let defects = defects(&Evidence {
        sample_rate_hz,
        channels,
        samples: &samples,
        true_peak,
        cutoff_hz: spectrum.cutoff_hz,
        weighted,
        width_db: stereo.width_db,
        loudness: &loudness,
        hum: hum.finish(),
        sibilance: spectrum.sibilance,
        boom: spectrum.boom,
        peaks: &peaks,
        psr_lu: dynamics.psr_p10_p50_p95_lu[1],
    });
    let profile = Profile {
        version: PROFILE_VERSION,
        sample_rate_hz,
        channels,
        frames: samples.frames,
        loudness,
        peak: PeakReading { true_peak_dbtp: db_from_gain(true_peak), sample_peak_dbfs: db_from_gain(sample_peak) },
        spectrum,
        dynamics,
        stereo,
        rhythm: rhythm(&bands),
        silence: samples.silence,
        defects,
        excerpts: excerpts(&history, sample_rate_hz),
        moments: spectra.short_time.finish(),
        texture: spectra.texture.finish(),
    };
    (profile, timeline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spectrum_bands::FINE_BANDS;
    use crate::synth::{demo_mix, pink_noise};

    fn profile(frames: &[Frame], rate: u32, block: usize) -> Profile {
        let mut analyzer = Analyzer::new(rate, 2);
        frames.chunks(block).for_each(|chunk| analyzer.push(chunk));
        analyzer.finish()
    }

    #[test]
    fn a_profile_does_not_depend_on_how_the_song_is_cut() {
        for rate in [11_025, 44_100] {
            let song = demo_mix(rate, 2.3);
            let json = |block| serde_json::to_string(&profile(&song, rate, block)).unwrap();
            let whole = json(song.len());
            for block in [1, 440, 441, 442, 4096, 65_536] {
                assert_eq!(json(block), whole, "blocks of {block} at {rate}");
            }
        }
    }

    #[test]
    fn a_profile_survives_json_but_for_its_moments_and_fine_bands() {
        let mut before = profile(&demo_mix(48_000, 4.0), 48_000, 4096);
        let after: Profile = serde_json::from_str(&serde_json::to_string(&before).unwrap()).unwrap();
        assert!(!before.moments.is_empty() && before.spectrum.mid.fine.len() == FINE_BANDS);
        before.moments.clear();
        before.texture.values.clear();
        before.spectrum.mid.fine.clear();
        before.spectrum.side.fine.clear();
        assert_eq!(after, before);
    }

    #[test]
    fn any_length_and_rate_reads_finite_numbers() {
        for rate in [8000, 44_100, 192_000] {
            for frames in [0, 1, 2, 79, 81, 441, 3000, 20_000] {
                let noise = pink_noise(rate, -20.0, 1.0, 3);
                let got = profile(&noise[..frames.min(noise.len())], rate, 1000);
                let json = serde_json::to_value(&got).unwrap();
                for part in ["peak", "spectrum", "dynamics", "stereo"] {
                    assert!(!json[part].to_string().contains("null"), "{part} of {frames} frames at {rate}");
                }
            }
        }
    }

    #[test]
    fn louder_by_six_decibels_reads_so_everywhere() {
        let song = demo_mix(44_100, 6.0);
        let louder: Vec<Frame> = song.iter().map(|frame| frame.map(|x| 2.0 * x)).collect();
        let (a, b) = (profile(&song, 44_100, 4096), profile(&louder, 44_100, 4096));
        let step = 6.0206;
        let is_step = |a: f64, b: f64| (b - a - step).abs() < 1e-3;
        assert!(is_step(a.loudness.integrated_lufs.unwrap(), b.loudness.integrated_lufs.unwrap()));
        assert!(is_step(a.peak.true_peak_dbtp, b.peak.true_peak_dbtp));
        assert!(is_step(a.spectrum.mid.loud_db[20], b.spectrum.mid.loud_db[20]));
        assert!(is_step(a.dynamics.bands[1].level_db, b.dynamics.bands[1].level_db));
        assert!((a.dynamics.bands[1].crest_db - b.dynamics.bands[1].crest_db).abs() < 1e-3);
        assert!((a.stereo.width_db[2] - b.stereo.width_db[2]).abs() < 1e-3);
        assert!((a.loudness.range_lu - b.loudness.range_lu).abs() < 1e-3);
    }
}
