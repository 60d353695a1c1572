//! Drawings as HTML and SVG: shapes are stretched with the page, text keeps its size.

use std::fmt::Write as _;

/// Units of a drawing on either side; the page stretches them.
const UNITS: f64 = 1000.0;

/// One axis of a drawing.
#[derive(Clone, Debug)]
pub struct Axis {
    range: [f64; 2],
    is_log: bool,
    /// Value, label, and true if a narrow drawing leaves it out.
    ticks: Vec<(f64, String, bool)>,
    label: &'static str,
}

impl Axis {
    /// Creates a linear axis from `low` to `high` with a tick at every multiple of `step`.
    pub fn linear(label: &'static str, [low, high]: [f64; 2], step: f64) -> Self {
        let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
        let digits = if step < 0.1 { 2 } else { usize::from(step < 1.0) };
        let ticks = (first..=last).map(|n| {
            let value = n as f64 * step;
            (value, number(value, digits), (n - first) % 2 == 1)
        });
        Self { range: [low, high], is_log: false, ticks: ticks.collect(), label }
    }

    /// Creates a logarithmic axis of the audible frequencies.
    pub fn hz() -> Self {
        let tick = |hz: f64| {
            let label = if hz >= 1000.0 { format!("{} k", hz / 1000.0) } else { format!("{hz}") };
            (hz, label, !matches!(hz as u32, 20 | 100 | 1000 | 10_000))
        };
        let ticks = [20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 2e4].map(tick).into();
        Self { range: [20.0, 20_480.0], is_log: true, ticks, label: "Hz" }
    }

    /// Creates an axis of the time from the start of a song.
    pub fn time(seconds: f64) -> Self {
        let steps = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0];
        let step = steps.into_iter().find(|step| seconds / step <= 10.0).unwrap_or((seconds / 10.0).ceil());
        let count = (seconds / step + 1e-9).floor() as usize;
        let tick = |n: usize| {
            let at = n as f64 * step;
            (at, if step < 1.0 { format!("0:{at:04.1}") } else { clock(at) }, n % 2 == 1)
        };
        let range = [0.0, seconds.max(1e-3)];
        Self { range, is_log: false, ticks: (0..=count).map(tick).collect(), label: "minutes : seconds" }
    }

    /// Creates an axis of evenly spaced names.
    pub fn named(names: &[&str], label: &'static str) -> Self {
        let ticks = names.iter().enumerate().map(|(n, name)| (n as f64, (*name).to_owned(), false)).collect();
        Self { range: [-0.5, names.len() as f64 - 0.5], is_log: false, ticks, label }
    }

    /// Returns the axis without ticks and label.
    pub fn bare(mut self) -> Self {
        (self.ticks, self.label) = (Vec::new(), "");
        self
    }

    /// Returns the position of `value`, 0 to 1; values outside the range are moved to its border.
    fn place(&self, value: f64) -> f64 {
        self.at(value).clamp(0.0, 1.0)
    }

    /// Returns the position of `value`; values far outside the range are moved to a little outside.
    fn at(&self, value: f64) -> f64 {
        let [low, high] = self.range;
        let at = if self.is_log { (value / low).ln() / (high / low).ln() } else { (value - low) / (high - low) };
        if at.is_nan() { 0.0 } else { at.clamp(-0.5, 1.5) }
    }
}

/// Formats a number with a true minus sign; zero has no sign.
pub fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let is_zero = text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.'));
    if is_zero { text.trim_start_matches('-').to_owned() } else { text.replace('-', "−") }
}

/// Formats a time in minutes and seconds.
pub fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

/// A drawing with two axes.
pub struct Plot {
    x: Axis,
    y: Axis,
    shapes: String,
    labels: String,
}

impl Plot {
    /// Creates an empty drawing with its grid.
    pub fn new(x: Axis, y: Axis) -> Self {
        let mut plot = Self { x, y, shapes: String::new(), labels: String::new() };
        let mut grid = String::new();
        for (value, ..) in &plot.x.ticks {
            let _ = write!(grid, "M{:.1} 0V{UNITS}", plot.x.place(*value) * UNITS);
        }
        for (value, ..) in &plot.y.ticks {
            let _ = write!(grid, "M0 {:.1}H{UNITS}", (1.0 - plot.y.place(*value)) * UNITS);
        }
        plot.path("grid", &grid);
        plot
    }

    fn path(&mut self, class: &str, d: &str) {
        if !d.is_empty() {
            let _ = write!(self.shapes, r#"<path class="{class}" d="{d}"/>"#);
        }
    }

    fn at(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.x.place(x) * UNITS, (1.0 - self.y.place(y)) * UNITS]
    }

    /// Returns a path through the points. The page clips everything outside the field.
    fn run(&self, points: impl IntoIterator<Item = [f64; 2]>) -> String {
        let mut d = String::new();
        for [x, y] in points {
            let (x, y) = (self.x.place(x) * UNITS, (1.0 - self.y.at(y)) * UNITS);
            let _ = write!(d, "{}{x:.1} {y:.1}", if d.is_empty() { 'M' } else { 'L' });
        }
        d
    }

    /// Adds a line through points.
    pub fn line(mut self, class: &str, points: impl IntoIterator<Item = [f64; 2]>) -> Self {
        let d = self.run(points);
        self.path(&format!("line {class}"), &d);
        self
    }

    /// Adds a line with steps: each value holds for `width`, centred on its point.
    pub fn steps(self, class: &str, width: f64, points: impl IntoIterator<Item = [f64; 2]>) -> Self {
        let corners = points.into_iter().flat_map(|[x, y]| [[x - width / 2.0, y], [x + width / 2.0, y]]);
        self.line(class, corners)
    }

    /// Fills the area between two values at every point.
    pub fn area(mut self, class: &str, points: &[[f64; 3]]) -> Self {
        let low = points.iter().map(|[x, low, _]| [*x, *low]);
        let high = points.iter().rev().map(|[x, _, high]| [*x, *high]);
        let d = self.run(low.chain(high));
        if !d.is_empty() {
            self.path(&format!("area {class}"), &(d + "Z"));
        }
        self
    }

    /// Adds a horizontal line with its name on it.
    pub fn level(mut self, class: &str, value: f64, name: &str) -> Self {
        let [_, y] = self.at([0.0, value]);
        self.path(&format!("line {class}"), &format!("M0 {y:.1}H{UNITS}"));
        let _ = write!(self.labels, r#"<span class="tag" style="top:{:.1}%">{name}</span>"#, y / UNITS * 100.0);
        self
    }

    /// Adds marks, as text, so that they stay round.
    pub fn marks(mut self, class: &str, sign: char, points: impl IntoIterator<Item = [f64; 2]>) -> Self {
        for point in points {
            let [x, y] = self.at(point).map(|v| v / UNITS * 100.0);
            let _ = write!(self.labels, r#"<span class="mark {class}" style="left:{x:.1}%;top:{y:.1}%">{sign}</span>"#);
        }
        self
    }

    /// Returns the shapes alone, without axes.
    pub fn svg(&self) -> String {
        let size = format!(r#"viewBox="0 0 {UNITS} {UNITS}" preserveAspectRatio="none""#);
        format!(r#"<svg {size} aria-hidden="true" focusable="false">{}</svg>"#, self.shapes)
    }

    /// Returns the drawing. `what` describes it in words.
    pub fn html(&self, what: &str, size: &str) -> String {
        let mut html = format!(r#"<div class="plot {size}" role="img" aria-label="{}">"#, escaped(what));
        if !self.y.label.is_empty() {
            let _ = write!(html, r#"<span class="unit">{}</span>"#, self.y.label);
        }
        html.push_str(r#"<div class="y">"#);
        for (value, label, _) in &self.y.ticks {
            let top = (1.0 - self.y.place(*value)) * 100.0;
            let _ = write!(html, r#"<span style="top:{top:.1}%">{label}</span>"#);
        }
        let _ = write!(html, r#"</div><div class="field">{}{}</div><div class="x">"#, self.svg(), self.labels);
        for (value, label, is_minor) in &self.x.ticks {
            let class = if *is_minor { r#" class="minor""# } else { "" };
            let _ = write!(html, r#"<span{class} style="left:{:.1}%">{label}</span>"#, self.x.place(*value) * 100.0);
        }
        html.push_str("</div>");
        if !self.x.label.is_empty() {
            let _ = write!(html, r#"<span class="unit under">{}</span>"#, self.x.label);
        }
        html.push_str("</div>");
        html
    }
}

/// Escapes text for an attribute or between tags.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Replaces hyphens before numbers by true minus signs. Values of options stay as they are typed.
pub fn typeset(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_value = false;
    for word in text.split_inclusive(' ') {
        let mut rest = word.chars().peekable();
        let mut before = ' ';
        while let Some(sign) = rest.next() {
            let is_minus = sign == '-' && !before.is_alphanumeric() && rest.peek().is_some_and(char::is_ascii_digit);
            out.push(if is_minus && !is_value { '−' } else { sign });
            before = sign;
        }
        is_value = word.starts_with("--");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lie_where_the_axis_says_and_never_outside() {
        let axis = Axis::linear("dB", [-10.0, 10.0], 5.0);
        assert_eq!([-99.0, -10.0, 0.0, 10.0, f64::NAN].map(|v| axis.place(v)), [0.0, 0.0, 0.5, 1.0, 0.0]);
        let labels: Vec<&str> = axis.ticks.iter().map(|(_, label, _)| label.as_str()).collect();
        assert_eq!(labels, ["−10", "−5", "0", "5", "10"]);
        assert!((Axis::hz().place(640.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn time_has_a_few_ticks_whatever_the_length() {
        for seconds in [0.0, 0.4, 3.0, 59.0, 240.0, 3600.0, 86_400.0] {
            let ticks = Axis::time(seconds).ticks;
            assert!((1..=11).contains(&ticks.len()), "{seconds}: {ticks:?}");
        }
        assert_eq!(Axis::time(240.0).ticks[3].1, "1:30");
    }

    #[test]
    fn nothing_to_draw_draws_nothing_but_the_grid() {
        let plot = Plot::new(Axis::hz(), Axis::linear("dB", [0.0, 1.0], 0.5)).line("master", []).area("mix", &[]);
        assert_eq!(plot.html("nothing", "").matches("<path").count(), 1);
    }
}
