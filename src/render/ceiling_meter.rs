//! True peaks of a master: every block over the ceiling, and the highest peak.

use analyzer::delivery_meters::DeliveryMeters;
use analyzer::oversample::BlockScanner;
use analyzer::stream::Frame;
use analyzer::units::{db_from_gain, gain_from_db};

use crate::render::solve::CEILING_MARGIN_DB;
use crate::render::trims::{CeilingExcess, merged};

/// Finds the peaks over a ceiling, by an ideal interpolator and by the meters that delivery checks use.
pub struct CeilingMeter {
    scanner: BlockScanner,
    /// They read higher next to Nyquist.
    delivery: DeliveryMeters,
    peaks: PeakCheck,
    delivery_peaks: PeakCheck,
}

impl CeilingMeter {
    /// Starts measuring. `ceiling_dbtp` is the requested ceiling, without margin.
    pub fn new(sample_rate_hz: u32, ceiling_dbtp: f64) -> Self {
        let ceiling = highest_under(ceiling_dbtp);
        Self {
            scanner: BlockScanner::exact(),
            delivery: DeliveryMeters::new(sample_rate_hz),
            peaks: PeakCheck::new(ceiling),
            delivery_peaks: PeakCheck::new(ceiling),
        }
    }

    /// Takes the next frames.
    pub fn push(&mut self, frames: &[Frame]) {
        let Self { scanner, delivery, peaks, delivery_peaks } = self;
        rayon::join(
            || scanner.push(frames, |block| peaks.check(block)),
            || {
                let threshold = delivery_peaks.threshold();
                delivery.push(frames, threshold, |block, peak| delivery_peaks.note(block, peak));
            },
        );
    }

    /// Returns the true peak, dBTP, and every block over the ceiling.
    pub fn finish(self) -> (f64, Vec<CeilingExcess>) {
        let Self { scanner, delivery, mut peaks, mut delivery_peaks } = self;
        scanner.finish(|block| peaks.check(block));
        delivery.finish(delivery_peaks.threshold(), |block, peak| delivery_peaks.note(block, peak));
        let highest = peaks.highest.max(delivery_peaks.highest);
        (db_from_gain(f64::from(highest)), merged(peaks.excesses, delivery_peaks.excesses.into_iter()))
    }
}

/// Blocks over the ceiling, and the highest peak.
struct PeakCheck {
    ceiling: f32,
    highest: f32,
    block: u64,
    excesses: Vec<CeilingExcess>,
}

impl PeakCheck {
    fn new(ceiling: f32) -> Self {
        Self { ceiling, highest: 0.0, block: 0, excesses: Vec::new() }
    }

    /// Returns the level up to which peaks change nothing.
    fn threshold(&self) -> f32 {
        self.highest.min(self.ceiling)
    }

    fn check(&mut self, block: &analyzer::oversample::Block) {
        self.note(self.block, block.peak_above(self.threshold()));
        self.block += 1;
    }

    fn note(&mut self, block: u64, peak: f32) {
        self.highest = self.highest.max(peak);
        if peak > self.ceiling {
            let by_db = db_from_gain(f64::from(peak / self.ceiling)) + CEILING_MARGIN_DB;
            self.excesses.push(CeilingExcess { block, by_db });
        }
    }
}

/// Returns the largest sample that is not over the ceiling after conversion to decibels.
fn highest_under(ceiling_dbtp: f64) -> f32 {
    let gain = gain_from_db(ceiling_dbtp) as f32;
    if db_from_gain(f64::from(gain)) > ceiling_dbtp { gain.next_down() } else { gain }
}
