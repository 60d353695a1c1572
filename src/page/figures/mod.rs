//! The drawings of a page, each with its content in words and in numbers.

mod time;
mod tone;

use analyzer::crossover::BANDS;

use super::plot::number;
use crate::report::Levels;
use crate::report::figures::{Figures, SoundFigures, TargetSpectrum};

/// One drawing, or several under one title.
pub struct Figure {
    /// Id in the page.
    pub id: &'static str,
    /// Title of the drawing.
    pub title: &'static str,
    /// Content of the drawing, in a sentence.
    pub summary: String,
    /// Line style and name of each series.
    pub legend: Vec<(&'static str, &'static str)>,
    /// The drawings as HTML.
    pub drawings: String,
    /// The data of the drawing as a table.
    pub table: Table,
    /// True if the drawing takes the whole width.
    pub is_wide: bool,
}

/// Numbers, row by row.
#[derive(Default)]
pub struct Table {
    /// Names of the columns.
    pub head: Vec<String>,
    /// A name and a value per column.
    pub rows: Vec<Vec<String>>,
}

/// Data that the drawings are made from.
pub struct FigureData<'a> {
    pub figures: &'a Figures,
    /// Names of the two sounds.
    pub names: [&'static str; 2],
    pub before: Option<&'a Levels>,
    pub after: &'a Levels,
    /// Loudness that was requested, LUFS.
    pub wanted_lufs: Option<f64>,
    pub target: Option<&'a TargetSpectrum>,
    /// Gain reduction that the limiter exceeded for a twentieth of the time, dB.
    pub limiting_db: Option<f64>,
}

/// Names of the crossover's bands on a page.
pub const BAND_LABELS: [&str; BANDS] = ["low", "low mid", "high mid", "high"];
/// Frequency ranges of these bands.
const BAND_RANGES: [&str; BANDS] = ["below 120 Hz", "120 Hz to 1 kHz", "1 to 6 kHz", "above 6 kHz"];

/// Line styles of the two sounds.
const STYLES: [&str; 2] = ["mix", "master"];

/// Lowest loudness that is drawn, LUFS.
const QUIETEST_LUFS: f64 = -70.0;

impl FigureData<'_> {
    /// Returns all drawings for which there is data.
    pub fn all(&self) -> Vec<Figure> {
        let mut all = Vec::new();
        all.extend(self.spectrum_change());
        all.extend(self.width_change());
        all.push(self.waveform());
        all.extend(self.loudness());
        all.extend(self.limiting());
        all.extend(self.bands());
        all.extend(self.spectrum());
        all.extend(self.equalizer());
        all.extend(self.correlation());
        all.extend(self.histogram());
        all
    }

    /// Mix and master, with their line styles.
    fn sounds(&self) -> impl Iterator<Item = ((&'static str, &'static str), &SoundFigures)> {
        let [before, after] = [0, 1].map(|n| (STYLES[n], self.names[n]));
        self.figures.before.iter().map(move |sound| (before, sound)).chain([(after, &self.figures.after)])
    }

    fn legend(&self) -> Vec<(&'static str, &'static str)> {
        self.sounds().map(|(style, _)| style).collect()
    }

    fn seconds(&self) -> f64 {
        self.sounds().map(|(_, sound)| sound.seconds).fold(0.0, f64::max)
    }
}

fn range(values: &[f64]) -> Option<(f64, f64)> {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    Some((finite().reduce(f64::min)?, finite().reduce(f64::max)?))
}

/// Returns the ends of an axis, rounded outwards to multiples of `step`.
fn ends([low, high]: [f64; 2], step: f64) -> [f64; 2] {
    let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
    [low, if high > low { high } else { low + step }]
}

/// Returns a distance between ticks that gives about five of them.
fn step(range: f64) -> f64 {
    [0.5, 1.0, 2.0, 5.0, 10.0, 20.0].into_iter().find(|step| range / step <= 6.0).unwrap_or(50.0)
}

/// Formats a number as a change, with its sign.
pub fn signed(value: f64) -> String {
    let text = number(value, 1);
    if value > 0.0 && text != "0.0" { format!("+{text}") } else { text }
}

/// Formats a frequency with its unit.
pub fn hz_words(hz: f64) -> String {
    if hz >= 1000.0 { format!("{:.1} kHz", hz / 1000.0) } else { format!("{hz:.0} Hz") }
}
