//! The gains of the multiband stage over time, recorded while a song is rendered.

use analyzer::crossover::BANDS;
use analyzer::stream::{Frame, Source};
use renderer::chain::Rendered;

use crate::render::series::Series;
use crate::song::blocks::BLOCK;

/// Gain of each band after every block of [`BLOCK`] frames, dB; `None` for a band that passes unchanged.
#[derive(Default)]
pub struct BandGains {
    noted: Vec<[Option<f32>; BANDS]>,
    frames: u64,
}

/// The output of a chain. Reading it records the gains of the bands.
pub struct BandGainSource<'a, S> {
    rendered: Rendered<S>,
    gains: &'a mut BandGains,
}

impl<'a, S: Source> BandGainSource<'a, S> {
    /// Creates a source that records into `gains` while `rendered` is read.
    pub fn new(rendered: Rendered<S>, gains: &'a mut BandGains) -> Self {
        Self { rendered, gains }
    }
}

impl<S: Source> Source for BandGainSource<'_, S> {
    type Error = S::Error;

    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, S::Error> {
        let gains = &mut *self.gains;
        // The gains are recorded at the same frames however the song is split into reads.
        let to_note = BLOCK - (gains.frames % BLOCK as u64) as usize;
        let most = frames.len().min(to_note);
        let count = self.rendered.read(&mut frames[..most])?;
        gains.frames += count as u64;
        if count == to_note {
            gains.noted.push(self.rendered.band_gains_db().map(|gain| gain.map(|db| db as f32)));
        }
        Ok(count)
    }
}

impl BandGains {
    /// Returns the gain of each band over time, low to high: in each part of the song, the one furthest from 0 dB.
    /// `None` for a band that passed unchanged.
    pub fn series(&self, sample_rate_hz: u32) -> Vec<Option<Series>> {
        let step_s = BLOCK as f64 / f64::from(sample_rate_hz);
        let furthest = |run: &[f32]| {
            f64::from(run.iter().copied().reduce(|a, b| if b.abs() > a.abs() { b } else { a }).unwrap_or_default())
        };
        let band = |band: usize| {
            let values: Option<Vec<f32>> = self.noted.iter().map(|gains| gains[band]).collect();
            let values = values.filter(|values| !values.is_empty())?;
            Some(Series::folded(&values, step_s, step_s, 2, furthest))
        };
        (0..BANDS).map(band).collect()
    }
}
