//! What is written, measured while it is.

use analyzer::loudness::LoudnessMeter;
use analyzer::oversample::BlockScanner;
use analyzer::stream::{Frame, Meter};
use analyzer::units::{db_from_gain, gain_from_db};

use crate::finish::CEILING_MARGIN_DB;
use crate::solve::Limiting;
use crate::trims::Over;
use crate::verify::Measured;

/// Measures what is written.
pub struct OutputMeter {
    scanner: BlockScanner,
    peaks: PeakCheck,
    unreadable: u64,
}

/// Blocks over the ceiling, and the highest peak.
struct PeakCheck {
    ceiling: f32,
    highest: f32,
    block: u64,
    overs: Vec<Over>,
}

impl PeakCheck {
    fn look(&mut self, block: &analyzer::oversample::Block) {
        let peak = block.peak_above(self.highest.min(self.ceiling));
        self.highest = self.highest.max(peak);
        if peak > self.ceiling {
            let by_db = db_from_gain(f64::from(peak / self.ceiling)) + CEILING_MARGIN_DB;
            self.overs.push(Over { block: self.block, by_db });
        }
        self.block += 1;
    }
}

impl OutputMeter {
    /// `ceiling_dbtp` as it was asked for.
    pub fn new(ceiling_dbtp: f64) -> Self {
        let peaks = PeakCheck { ceiling: gain_from_db(ceiling_dbtp) as f32, highest: 0.0, block: 0, overs: Vec::new() };
        Self { scanner: BlockScanner::exact(), peaks, unreadable: 0 }
    }

    /// Takes the next frames.
    pub fn push(&mut self, frames: &[Frame]) {
        self.scanner.push(frames, |block| self.peaks.look(block));
        self.unreadable += frames.as_flattened().iter().filter(|x| !x.is_finite()).count() as u64;
    }

    /// What was measured, here and by `loudness`, and every block over the ceiling.
    pub fn finish(self, frames: u64, loudness: LoudnessMeter, limiting: &Limiting) -> (Measured, Vec<Over>) {
        let Self { scanner, mut peaks, unreadable } = self;
        scanner.finish(|block| peaks.look(block));
        let [limiting_db, peak_limiting_db] = limiting.reading_db();
        let measured = Measured {
            loudness: loudness.finish(),
            true_peak_dbtp: db_from_gain(f64::from(peaks.highest)),
            limiting_db,
            peak_limiting_db,
            frames,
            unreadable,
        };
        (measured, peaks.overs)
    }
}
