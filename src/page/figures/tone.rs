//! Drawings over frequency and level.

use analyzer::crossover::BANDS;
use analyzer::spectrum_bands::band_centre_hz;

use super::{BAND_LABELS, BAND_RANGES, Figure, FigureData, QUIETEST_LUFS, Table, ends, hz_words, range, signed, step};
use crate::page::plot::{Axis, Plot, number};
use crate::report::Levels;
use crate::report::figures::SoundFigures;

/// Range of a spectrum's drawing below its highest level, dB.
const SPECTRUM_DEPTH_DB: f64 = 60.0;
/// Level of side over mid at and below which there is no side, dB.
const NARROWEST_DB: f64 = -40.0;
/// Largest change that is drawn, dB.
const MAX_CHANGE_DB: f64 = 18.0;
/// Spectrum bands between two rows of a table: an octave.
const TABLE_BANDS: usize = 4;

impl FigureData<'_> {
    /// Returns the level of the mid per band relative to the song's loudness, as targets are described.
    fn over_loudness(&self, sound: &SoundFigures, levels: Option<&Levels>) -> Option<Vec<[f64; 2]>> {
        let spectrum = sound.spectrum.as_ref()?;
        // A silent song has no level to compare at.
        levels?.integrated_lufs?;
        let [mid_lu, _] = spectrum.over_own_loudness();
        Some(known(&mid_lu, spectrum.cutoff_hz).collect())
    }

    /// Draws the differences of master and mix, and of target and mix, at equal loudness.
    pub(super) fn spectrum_change(&self) -> Option<Figure> {
        let after = self.over_loudness(&self.figures.after, Some(self.after))?;
        let before = self.over_loudness(self.figures.before.as_ref()?, self.before)?;
        let over = |levels: &[[f64; 2]]| -> Vec<[f64; 2]> {
            levels.iter().zip(&before).map(|([hz, level], [_, mix])| [*hz, level - mix]).collect()
        };
        let change = over(&after);
        let wanted = self.target.map(|target| over(&known(&target.mid_lu, target.cutoff_hz).collect::<Vec<_>>()));
        let drawn = change.iter().chain(wanted.iter().flatten()).map(|[_, db]| db.abs());
        let reach = drawn.fold(3.0, f64::max).min(MAX_CHANGE_DB).ceil();
        let mut plot = Plot::new(Axis::hz(), Axis::linear("dB", [-reach, reach], step(2.0 * reach)));
        let mut legend = vec![("master", "what the master changed")];
        let area: Vec<[f64; 3]> = change.iter().map(|[hz, db]| [*hz, db.min(0.0), db.max(0.0)]).collect();
        plot = plot.area("change", &area).line("master", change.iter().copied()).level("zero", 0.0, self.names[0]);
        let mut columns = vec![("master − mix (dB)", change.clone())];
        if let Some(wanted) = wanted {
            plot = plot.line("target", wanted.iter().copied());
            legend.push(("target", "what the target has over the mix"));
            columns.push(("target − mix (dB)", wanted));
        }
        let most = change.iter().copied().reduce(|a, b| if b[1].abs() > a[1].abs() { b } else { a });
        let most = most.map_or_else(String::new, |[hz, db]| format!(" Most: {} dB at {}.", signed(db), hz_words(hz)));
        let summary =
            format!("Above the line the master has more than the mix at equal loudness, below it less.{most}");
        let head = std::iter::once("Hz".to_owned()).chain(columns.iter().map(|(name, _)| (*name).to_owned()));
        let table = Table { head: head.collect(), rows: octaves(&columns) };
        let (id, title, drawings) = ("tone-change", "Change of tone", plot.html(&summary, ""));
        Some(Figure { id, title, summary, legend, drawings, table, is_wide: false })
    }

    pub(super) fn spectrum(&self) -> Option<Figure> {
        let after = self.over_loudness(&self.figures.after, Some(self.after))?;
        let before = self.figures.before.as_ref().and_then(|sound| self.over_loudness(sound, self.before));
        let target: Option<Vec<[f64; 3]>> = self.target.map(|target| {
            let spread = &target.mid_spread_lu;
            known(&target.mid_lu, target.cutoff_hz).enumerate().map(|(n, [hz, lu])| [hz, lu, spread[n]]).collect()
        });
        let lines = [Some(&after), before.as_ref()].into_iter().flatten().flatten().map(|[_, lu]| *lu);
        let targets = target.iter().flatten().flat_map(|[_, lu, spread]| [lu - spread, lu + spread]);
        let (lowest, highest) = range(&lines.chain(targets).collect::<Vec<_>>())?;
        let y = Axis::linear(
            "LU over the song’s loudness",
            ends([lowest.max(highest - SPECTRUM_DEPTH_DB), highest], 10.0),
            10.0,
        );
        let mut plot = Plot::new(Axis::hz(), y);
        let mut legend = Vec::new();
        if let Some(target) = &target {
            let has_spread = target.iter().any(|[.., spread]| *spread > 0.0);
            if has_spread {
                let spread: Vec<_> = target.iter().map(|[hz, lu, spread]| [*hz, lu - spread, lu + spread]).collect();
                plot = plot.area("spread", &spread);
                legend.push(("spread", "where two thirds of such songs lie"));
            }
            plot = plot.line("target", target.iter().map(|[hz, lu, _]| [*hz, *lu]));
            legend.push(("target", "target"));
        }
        if let Some(before) = &before {
            plot = plot.line("mix", before.iter().copied());
        }
        plot = plot.line("master", after.iter().copied());
        legend.extend(self.legend());
        let summary = match (&before, &target) {
            (Some(before), Some(target)) => {
                let target: Vec<[f64; 2]> = target.iter().map(|[hz, lu, _]| [*hz, *lu]).collect();
                format!(
                    "Spectrum of the mid (left plus right), all at the same loudness. On average the mix is {} dB from the target and the master {} dB.",
                    number(distance(before, &target), 1),
                    number(distance(&after, &target), 1)
                )
            }
            _ => "Spectrum of the mid (left plus right), all at the same loudness.".to_owned(),
        };
        let mut table = Table { head: vec!["Hz".to_owned()], rows: Vec::new() };
        let columns: Vec<(&str, Vec<[f64; 2]>)> = [
            ("mix (LU)", before.clone()),
            ("target (LU)", target.map(|t| t.iter().map(|[hz, lu, _]| [*hz, *lu]).collect())),
            ("master (LU)", Some(after)),
        ]
        .into_iter()
        .filter_map(|(name, points)| Some((name, points?)))
        .collect();
        table.head.extend(columns.iter().map(|(name, _)| (*name).to_owned()));
        table.rows = octaves(&columns);
        let (id, title, drawings) = ("spectrum", "Spectrum", plot.html(&summary, ""));
        Some(Figure { id, title, summary, legend, drawings, table, is_wide: false })
    }

    pub(super) fn equalizer(&self) -> Option<Figure> {
        let eq = self.figures.equalizer.as_ref()?;
        let points =
            |gains: &[f64]| eq.hz.iter().copied().zip(gains.iter().copied()).map(|(hz, db)| [hz, db]).collect();
        let mid: Vec<[f64; 2]> = points(&eq.mid_db);
        let side: Option<Vec<[f64; 2]>> = eq.side_db.as_deref().map(points);
        let all: Vec<f64> = mid.iter().chain(side.iter().flatten()).map(|[_, db]| *db).collect();
        let (lowest, highest) = range(&all)?;
        let reach = highest.max(-lowest).max(2.0).ceil() + 1.0;
        let mut plot = Plot::new(Axis::hz(), Axis::linear("dB", [-reach, reach], step(2.0 * reach)));
        if let Some(side) = &side {
            plot = plot.line("side", side.iter().copied());
        }
        plot = plot.line("mid", mid.iter().copied());
        let extreme = |curve: &[[f64; 2]]| {
            let most = curve.iter().copied().reduce(|a, b| if b[1].abs() > a[1].abs() { b } else { a });
            most.map(|[hz, db]| format!("{}{} dB at {}", if db > 0.0 { "+" } else { "" }, number(db, 1), hz_words(hz)))
        };
        let summary = if highest - lowest < 0.05 {
            "The equaliser changed nothing.".to_owned()
        } else {
            let sides = side.as_deref().and_then(extreme).map(|words| format!("; side, most: {words}"));
            format!("What the equaliser did. Mid, most: {}{}.", extreme(&mid)?, sides.unwrap_or_default())
        };
        let mut legend = vec![("mid", "mid")];
        let mut columns = vec![("mid (dB)", mid)];
        if let Some(side) = side {
            legend.push(("side", "side"));
            columns.push(("side (dB)", side));
        }
        let head = std::iter::once("Hz".to_owned()).chain(columns.iter().map(|(name, _)| (*name).to_owned()));
        let table = Table { head: head.collect(), rows: every(&columns, 12) };
        let (id, title, drawings) = ("equalizer", "Equaliser", plot.html(&summary, ""));
        Some(Figure { id, title, summary, legend, drawings, table, is_wide: false })
    }

    /// Draws the change of each band's width.
    pub(super) fn width_change(&self) -> Option<Figure> {
        let after = self.figures.after.image.as_ref()?;
        let before = self.figures.before.as_ref()?.image.as_ref()?;
        let change: [f64; BANDS] =
            std::array::from_fn(|n| after.width_db[n].max(NARROWEST_DB) - before.width_db[n].max(NARROWEST_DB));
        let reach = change.iter().fold(3.0, |most: f64, db| most.max(db.abs())).ceil();
        let y = Axis::linear("dB", [-reach, reach], step(2.0 * reach));
        let bar = |n: usize| {
            let [from, to] = [n as f64 - 0.3, n as f64 + 0.3];
            let (low, high) = (change[n].min(0.0), change[n].max(0.0));
            [[from, low, high], [to, low, high]]
        };
        let plot = (0..BANDS).fold(Plot::new(Axis::named(&BAND_LABELS, ""), y), |plot, n| plot.area("master", &bar(n)));
        let plot = plot.level("zero", 0.0, self.names[0]);
        let words = (0..BANDS).map(|n| format!("{} {} dB", BAND_LABELS[n], signed(change[n])));
        let summary = format!(
            "Above the line a band is wider than in the mix (side level against mid), below it narrower: {}.",
            words.collect::<Vec<_>>().join(", ")
        );
        let row = |n: usize| {
            let [before, after] = [before.width_db[n], after.width_db[n]].map(|db| number(db, 1));
            vec![format!("{} ({})", BAND_LABELS[n], BAND_RANGES[n]), before, after, signed(change[n])]
        };
        let head = [
            "band".to_owned(),
            format!("{} (dB)", self.names[0]),
            format!("{} (dB)", self.names[1]),
            "change (dB)".into(),
        ];
        let table = Table { head: head.into(), rows: (0..BANDS).map(row).collect() };
        let (id, title, drawings) = ("width-change", "Change of width", plot.html(&summary, ""));
        Some(Figure { id, title, summary, legend: Vec::new(), drawings, table, is_wide: false })
    }

    pub(super) fn correlation(&self) -> Option<Figure> {
        self.figures.after.image.as_ref()?;
        let y = Axis::linear("correlation", [-1.15, 1.15], 0.5);
        let mut plot = Plot::new(Axis::named(&BAND_LABELS, ""), y);
        let mut table = Table { head: vec!["band".to_owned()], rows: Vec::new() };
        table.rows = (0..BANDS).map(|n| vec![format!("{} ({})", BAND_LABELS[n], BAND_RANGES[n])]).collect();
        for ((style, name), sound) in self.sounds() {
            let correlation = sound.image.as_ref()?.correlation;
            let sign = if style == "master" { '●' } else { '○' };
            plot = plot.marks(style, sign, correlation.iter().enumerate().map(|(n, value)| [n as f64, *value]));
            table.head.push(name.to_owned());
            table.rows.iter_mut().zip(correlation).for_each(|(row, value)| row.push(number(value, 2)));
        }
        let lowest = self.figures.after.image.as_ref()?.correlation.into_iter().fold(1.0, f64::min);
        let verdict =
            if lowest < 0.0 { "below 0, parts of the sound disappear in mono" } else { "nothing disappears in mono" };
        let summary = format!(
            "How similar left and right are: 1 is mono, 0 unrelated, −1 cancels. Lowest in the master: {}; {verdict}.",
            number(lowest, 2)
        );
        let legend = vec![("mark-mix", self.names[0]), ("mark-master", self.names[1])];
        let legend = if self.figures.before.is_some() { legend } else { legend[1..].to_vec() };
        let (id, title, drawings) = ("correlation", "Correlation of left and right", plot.html(&summary, ""));
        Some(Figure { id, title, summary, legend, drawings, table, is_wide: false })
    }

    pub(super) fn histogram(&self) -> Option<Figure> {
        let bins = |sound: &SoundFigures| {
            let shares = sound.histogram.iter().enumerate();
            shares.map(|(n, share)| [QUIETEST_LUFS + n as f64 + 0.5, share * 100.0]).collect::<Vec<_>>()
        };
        let all: Vec<[f64; 2]> = self.sounds().flat_map(|(_, sound)| bins(sound)).filter(|[_, y]| *y >= 0.1).collect();
        let (lowest, highest) = range(&all.iter().map(|[x, _]| *x).collect::<Vec<_>>())?;
        let (_, most) = range(&all.iter().map(|[_, y]| *y).collect::<Vec<_>>())?;
        let x =
            Axis::linear("LUFS, momentary (0.4 s)", ends([lowest.max(highest - 45.0) - 1.0, highest + 1.0], 5.0), 5.0);
        let y = Axis::linear("% of the time", [0.0, (most / 5.0).ceil() * 5.0], step(most));
        let mut plot = Plot::new(x, y);
        for ((style, _), sound) in self.sounds() {
            let mut bins = bins(sound);
            if let Some([end, _]) = bins.last().copied() {
                bins.push([end + 1.0, 0.0]);
            }
            plot = plot.steps(style, 1.0, bins);
        }
        let usual = |sound: &SoundFigures| {
            let most = bins(sound).into_iter().reduce(|a, b| if b[1] > a[1] { b } else { a });
            most.map(|[lufs, _]| format!("{} to {} LUFS", number(lufs - 0.5, 0), number(lufs + 0.5, 0)))
        };
        let words: Vec<String> =
            self.sounds().filter_map(|((_, name), sound)| Some(format!("{name} {}", usual(sound)?))).collect();
        let summary = format!("How long the song is how loud. Most often: {}.", words.join(", "));
        let columns: Vec<_> = self.sounds().map(|((_, name), sound)| (name, bins(sound))).collect();
        let head = std::iter::once("LUFS".to_owned()).chain(columns.iter().map(|(name, _)| format!("{name} (%)")));
        let rows =
            all.iter().map(|[x, _]| *x as i64).collect::<std::collections::BTreeSet<i64>>().into_iter().map(|lufs| {
                let cell = |bins: &[[f64; 2]]| bins.iter().find(|[x, _]| *x as i64 == lufs).map_or(0.0, |[_, y]| *y);
                let cells = columns.iter().map(|(_, bins)| number(cell(bins), 1));
                std::iter::once(format!("{} to {}", number(lufs as f64 - 1.0, 0), number(lufs as f64, 0)))
                    .chain(cells)
                    .collect()
            });
        let table = Table { head: head.collect(), rows: rows.collect() };
        let (id, title, drawings) = ("histogram", "How loud for how long", plot.html(&summary, ""));
        Some(Figure { id, title, summary, legend: self.legend(), drawings, table, is_wide: false })
    }
}

/// Returns the bands under a cutoff, with their centres.
fn known(levels: &[f64], cutoff_hz: f64) -> impl Iterator<Item = [f64; 2]> {
    let bands = levels.iter().enumerate().map(|(band, db)| [band_centre_hz(band), *db]);
    bands.take_while(move |[hz, _]| *hz <= cutoff_hz.max(100.0))
}

/// Returns the mean distance of two spectra from 40 Hz to 12 kHz, dB.
fn distance(a: &[[f64; 2]], b: &[[f64; 2]]) -> f64 {
    let pairs = a.iter().zip(b).filter(|([hz, _], _)| (40.0..12_000.0).contains(hz));
    let differences: Vec<f64> = pairs.map(|([_, a], [_, b])| a - b).collect();
    differences.iter().map(|d| d.abs()).sum::<f64>() / differences.len().max(1) as f64
}

fn octaves(columns: &[(&str, Vec<[f64; 2]>)]) -> Vec<Vec<String>> {
    every(columns, TABLE_BANDS)
}

/// Returns every `stride`th point of curves that share their frequencies.
fn every(columns: &[(&str, Vec<[f64; 2]>)], stride: usize) -> Vec<Vec<String>> {
    let longest = columns.iter().map(|(_, points)| points).max_by_key(|points| points.len());
    let places = longest.into_iter().flatten().enumerate().skip(stride / 2).step_by(stride);
    let row = |(n, [hz, _]): (usize, &[f64; 2])| {
        let cell = |points: &[[f64; 2]]| points.get(n).map_or_else(|| "–".to_owned(), |[_, value]| number(*value, 1));
        std::iter::once(format!("{hz:.0}")).chain(columns.iter().map(|(_, points)| cell(points))).collect()
    };
    places.map(row).collect()
}
