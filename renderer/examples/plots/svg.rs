//! Draws curves as SVG.

use std::fmt::Write;

const SIZE: [f64; 2] = [900.0, 420.0];
/// Left, top, right, bottom of the frame.
const FRAME: [f64; 4] = [60.0, 40.0, 720.0, 370.0];
const COLOURS: [&str; 6] = ["#1f6fb4", "#d9541e", "#2a9d54", "#8a4fb0", "#7a7a7a", "#c2a000"];

/// One axis of a plot.
pub struct Axis {
    pub label: &'static str,
    pub range: [f64; 2],
    pub ticks: Vec<f64>,
    pub is_log: bool,
}

impl Axis {
    /// An evenly spaced axis with a tick every `step`.
    pub fn linear(label: &'static str, range: [f64; 2], step: f64) -> Self {
        let count = libm::floor((range[1] - range[0]) / step + 1e-9) as usize;
        // Rounded, so that they print as intended.
        let tick = |n: usize| libm::round(1e3 * (range[0] + n as f64 * step)) / 1e3;
        Self { label, range, ticks: (0..=count).map(tick).collect(), is_log: false }
    }

    /// A logarithmic axis of frequencies from `low` to `high`.
    pub fn hz([low, high]: [f64; 2]) -> Self {
        let ticks = [20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 2e4];
        let ticks = ticks.into_iter().filter(|hz| (low..=high).contains(hz)).collect();
        Self { label: "Hz", range: [low, high], ticks, is_log: true }
    }

    /// Position of `value`, 0 to 1.
    fn position(&self, value: f64) -> f64 {
        let [low, high] = self.range;
        if self.is_log { libm::log(value / low) / libm::log(high / low) } else { (value - low) / (high - low) }
    }
}

/// A diagram with one line per series.
pub struct Plot {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<(String, Vec<[f64; 2]>)>,
}

impl Plot {
    /// Adds a line; points outside the frame are moved to its border.
    pub fn with(mut self, label: impl Into<String>, points: Vec<[f64; 2]>) -> Self {
        self.series.push((label.into(), points));
        self
    }

    fn place(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [left, top, right, bottom] = FRAME;
        let (x, y) = (self.x.position(x).clamp(0.0, 1.0), self.y.position(y).clamp(0.0, 1.0));
        [left + x * (right - left), bottom - y * (bottom - top)]
    }

    /// Returns the whole file.
    pub fn svg(&self) -> String {
        let mut svg = String::new();
        self.write(&mut svg).expect("a string takes everything");
        svg
    }

    fn write(&self, svg: &mut String) -> std::fmt::Result {
        let ([width, height], [left, top, right, bottom]) = (SIZE, FRAME);
        writeln!(svg, r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-size="12">"#)?;
        writeln!(svg, r#"<rect width="{width}" height="{height}" fill="white"/>"#)?;
        writeln!(svg, r#"<text x="{left}" y="24" font-size="15">{}</text>"#, self.title)?;
        for tick in &self.x.ticks {
            let [x, _] = self.place([*tick, self.y.range[0]]);
            writeln!(svg, r##"<path d="M{x:.1} {top}V{bottom}" stroke="#dddddd"/>"##)?;
            writeln!(svg, r#"<text x="{x:.1}" y="{}" text-anchor="middle">{tick}</text>"#, bottom + 16.0)?;
        }
        for tick in &self.y.ticks {
            let [_, y] = self.place([self.x.range[0], *tick]);
            writeln!(svg, r##"<path d="M{left} {y:.1}H{right}" stroke="#dddddd"/>"##)?;
            writeln!(svg, r#"<text x="{}" y="{:.1}" text-anchor="end">{tick}</text>"#, left - 6.0, y + 4.0)?;
        }
        writeln!(svg, r#"<text x="{right}" y="{}" text-anchor="end">{}</text>"#, bottom + 34.0, self.x.label)?;
        writeln!(svg, r#"<text x="8" y="{}">{}</text>"#, top - 4.0, self.y.label)?;
        for (n, (label, points)) in self.series.iter().enumerate() {
            let colour = COLOURS[n % COLOURS.len()];
            write!(svg, r#"<polyline fill="none" stroke="{colour}" stroke-width="1.4" points=""#)?;
            for point in points {
                let [x, y] = self.place(*point);
                write!(svg, "{x:.1},{y:.1} ")?;
            }
            let y = top + 18.0 * n as f64 + 12.0;
            writeln!(svg, r#""/><text x="{}" y="{y}" fill="{colour}">{label}</text>"#, right + 10.0)?;
        }
        writeln!(svg, "</svg>")
    }
}
