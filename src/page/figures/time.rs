//! Drawings over time.

use analyzer::crossover::BANDS;
use analyzer::units::db_from_gain;

use super::{BAND_LABELS, BAND_RANGES, Figure, FigureData, QUIETEST_LUFS, Table, ends, range, step};
use crate::page::plot::{Axis, Plot, clock, number};
use crate::render::series::Series;
use crate::report::figures::SoundFigures;

/// Line styles of the bands.
const BAND_STYLES: [&str; BANDS] = ["low", "low-mid", "high-mid", "high"];
/// Range of the drawing below the loudest moment, LU; quieter parts of fades leave it.
const LOUDNESS_DEPTH_LU: f64 = 30.0;
/// Rows of a table over time.
const TIME_ROWS: usize = 12;

impl FigureData<'_> {
    pub(super) fn waveform(&self) -> Figure {
        let (mut drawings, mut words) = (String::new(), Vec::new());
        for ((style, name), sound) in self.sounds() {
            let mirrored = |series: &Series| series.points().map(|[x, y]| [x, -y, y]).collect::<Vec<[f64; 3]>>();
            let highest = sound.peaks.values.iter().copied().fold(0.0, f64::max);
            let peak = format!("{name} {} dBFS", number(db_from_gain(highest).max(-120.0), 1));
            let full = highest.max(1.0);
            let y = Axis::linear("full scale = 1", [-full, full], if full < 2.0 { 0.5 } else { full / 2.0 });
            let plot = Plot::new(Axis::time(self.seconds()), y)
                .area(&format!("{style} peaks"), &mirrored(&sound.peaks))
                .area(style, &mirrored(&sound.rms));
            drawings.push_str(&format!(r#"<p class="lane">{name}</p>"#));
            drawings.push_str(&plot.html(&format!("Waveform, highest peak {peak}"), "flat"));
            words.push(peak);
        }
        Figure {
            id: "waveform",
            title: "Waveform",
            summary: format!(
                "Dark: how loud it is (RMS level, weighted as loudness is). Light: the peaks. Highest peak: {}.",
                words.join(", ")
            ),
            legend: Vec::new(),
            drawings,
            table: self.over_time("peak, full scale = 1", 2, |sound| &sound.peaks),
            is_wide: true,
        }
    }

    /// Returns a table with a row for every twelfth of the song and a column for each sound: the highest value in it.
    fn over_time(&self, unit: &str, digits: usize, series: impl Fn(&SoundFigures) -> &Series) -> Table {
        let (seconds, rows) = (self.seconds(), TIME_ROWS);
        let span = |row: usize| [row, row + 1].map(|edge| seconds * edge as f64 / rows as f64);
        let head = std::iter::once("time".to_owned());
        let head = head.chain(self.sounds().map(|((_, name), _)| format!("{name} ({unit})"))).collect();
        let cell = |sound: &SoundFigures, [from, to]: [f64; 2]| {
            let inside = series(sound).points().filter(|[x, _]| (from..to).contains(x)).map(|[_, y]| y);
            inside.reduce(f64::max).map_or_else(|| "–".to_owned(), |value| number(value, digits))
        };
        let row = |row: usize| {
            let [from, to] = span(row);
            let time = format!("{} to {}", clock(from), clock(to));
            std::iter::once(time).chain(self.sounds().map(|(_, sound)| cell(sound, [from, to]))).collect()
        };
        Table { head, rows: (0..rows).map(row).collect() }
    }

    pub(super) fn loudness(&self) -> Option<Figure> {
        let values = |sound: &SoundFigures| sound.short_term_lufs.values.clone();
        let audible_lufs: Vec<f64> =
            self.sounds().flat_map(|(_, sound)| values(sound)).filter(|lufs| *lufs > QUIETEST_LUFS).collect();
        let (lowest, highest) = range(&audible_lufs)?;
        let top = self.wanted_lufs.map_or(highest, |wanted| highest.max(wanted));
        let y = Axis::linear("LUFS", ends([lowest.max(top - LOUDNESS_DEPTH_LU), top], 5.0), 5.0);
        let mut plot = Plot::new(Axis::time(self.seconds()), y);
        if let Some(wanted) = self.wanted_lufs {
            plot = plot.level("target", wanted, "target");
        }
        let mut words = Vec::new();
        for ((style, name), sound) in self.sounds() {
            plot = plot.line(style, sound.short_term_lufs.points());
            if let (Some((_, loudest)), Some(at_s)) = (range(&values(sound)), sound.loudest_at_s) {
                words.push(format!("{name} loudest at {}, {} LUFS", clock(at_s), number(loudest, 1)));
            }
        }
        let summary = format!("Short-term loudness, 3 s at a time: {}.", words.join("; "));
        let mut legend = self.legend();
        if self.wanted_lufs.is_some() {
            legend.push(("target", "target for the whole song"));
        }
        Some(Figure {
            id: "loudness",
            title: "Loudness over time",
            drawings: plot.html(&summary, ""),
            summary,
            legend,
            table: self.over_time("LUFS", 1, |sound| &sound.short_term_lufs),
            is_wide: true,
        })
    }

    pub(super) fn limiting(&self) -> Option<Figure> {
        let series = self.figures.limiting.as_ref()?;
        let deepest = series.values.iter().copied().fold(0.0, f64::max);
        let depth = (deepest / 3.0).ceil().max(1.0) * 3.0;
        let y = Axis::linear("dB", [-depth, 0.0], if depth > 12.0 { 6.0 } else { 1.0 * (depth / 3.0) });
        let points: Vec<[f64; 3]> = series.points().map(|[x, db]| [x, -db, 0.0]).collect();
        let plot = Plot::new(Axis::time(self.seconds()), y).area("master", &points);
        let summary = if deepest < 0.05 {
            "The limiter was not needed.".to_owned()
        } else {
            let most = match self.limiting_db {
                Some(db) if db >= 0.1 => format!("by more than {} dB for 5 % of the time", number(db, 1)),
                _ => "on single hits only".to_owned(),
            };
            let step_s = number(series.step_s, 1);
            format!(
                "How far the limiter turned the music down: at most {} dB, {most}. The deepest moment of every {step_s} s is drawn.",
                number(deepest, 1)
            )
        };
        Some(Figure {
            id: "limiting",
            title: "Limiter: gain over time",
            drawings: plot.html(&summary, "low"),
            summary,
            legend: Vec::new(),
            table: single(series, self.seconds(), "gain (dB)"),
            is_wide: true,
        })
    }

    pub(super) fn bands(&self) -> Option<Figure> {
        let at_work = || (0..BANDS).filter_map(|n| Some((n, self.figures.band_gain.get(n)?.as_ref()?)));
        let all: Vec<f64> = at_work().flat_map(|(_, series)| series.values.iter().copied()).collect();
        let (lowest, highest) = range(&all)?;
        let y = Axis::linear("dB", ends([lowest.min(-1.0), highest.max(1.0)], 1.0), step(highest - lowest));
        let mut plot = Plot::new(Axis::time(self.seconds()), y);
        let (mut legend, mut words) = (Vec::new(), Vec::new());
        for (n, series) in at_work() {
            plot = plot.line(BAND_STYLES[n], series.points());
            legend.push((BAND_STYLES[n], BAND_LABELS[n]));
            let (low, high) = range(&series.values)?;
            words.push(format!("{} {} to {} dB", BAND_LABELS[n], number(low, 1), number(high, 1)));
        }
        let summary = format!("How each band was turned up and down: {}.", words.join(", "));
        let mut table =
            Table { head: vec!["band".to_owned(), "least gain (dB)".into(), "most gain (dB)".into()], rows: vec![] };
        for (n, series) in at_work() {
            let (low, high) = range(&series.values)?;
            table.rows.push(vec![format!("{} ({})", BAND_LABELS[n], BAND_RANGES[n]), number(low, 1), number(high, 1)]);
        }
        let (id, title, drawings) = ("bands", "Multiband dynamics: gain over time", plot.html(&summary, "low"));
        Some(Figure { id, title, summary, legend, drawings, table, is_wide: true })
    }
}

fn single(series: &Series, seconds: f64, name: &str) -> Table {
    let rows = (0..TIME_ROWS).map(|row| {
        let [from, to] = [row, row + 1].map(|edge| seconds * edge as f64 / TIME_ROWS as f64);
        let inside = series.points().filter(|[x, _]| (from..to).contains(x)).map(|[_, y]| y);
        let deepest = inside.reduce(f64::max).map_or_else(|| "–".to_owned(), |db| number(-db, 1));
        vec![format!("{} to {}", clock(from), clock(to)), deepest]
    });
    Table { head: vec!["time".to_owned(), name.to_owned()], rows: rows.collect() }
}
