//! The end of a run: levels, what was done, promises, and curves in lines of text.

use std::fmt::Write as _;

use super::look::{Colour, Look};
use super::spark::spark;
use super::text::{bullets, optional, wrapped};
use crate::io::name;
use crate::page::words;
use crate::render::promises::Verdict;
use crate::report::comparison::Comparison;
use crate::report::figures::Figures;
use crate::report::{Levels, Report};

/// Width of the names of rows.
const NAME_COLUMNS: usize = 22;
/// Width of a level.
const LEVEL_COLUMNS: usize = 14;
/// Loudness is drawn from so far under the highest, LU.
const SPARK_DEPTH_LU: f64 = 15.0;
/// Limiting is drawn up to this, or to its own largest, dB.
const SPARK_LIMITING_DB: f64 = 3.0;

/// The end of a run.
pub fn master_summary(report: &Report, look: &Look) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", name(report.output.path.as_ref()));
    if let Some(decision) = &report.decision {
        let certainty = words::confidence(decision).map_or_else(String::new, |words| format!("; {words}"));
        let words = words::towards(decision) + &certainty;
        let _ = writeln!(out, "{}", wrapped(&words, 0, look.columns));
    }
    let wanted = &report.wanted;
    let targets = [format!("{:.1} LUFS", wanted.loudness_lufs), format!("{:.1} dBTP", wanted.ceiling_dbtp)];
    levels(&mut out, report.before.as_ref(), Some(targets), &report.after, look);
    curves(&mut out, &report.figures, look);
    let mut done = report.actions.clone();
    done.push(words::level(report));
    done.extend(words::refinement(report));
    bullets(&mut out, "What was done", &done, look);
    let promises: Vec<String> = report
        .promises
        .iter()
        .map(|promise| {
            let (verdict, colour) = match promise.verdict {
                Verdict::Kept => ("kept", Colour::Good),
                Verdict::Short => ("SHORT", Colour::Warning),
                Verdict::Broken => ("NOT KEPT", Colour::Bad),
            };
            format!("{}: {} ({})", look.coloured(colour, verdict), promise.name, promise.measured)
        })
        .collect();
    bullets(&mut out, "Promises", &promises, look);
    bullets(&mut out, "Please note", &report.warnings, look);
    out
}

/// Two files beside each other.
pub fn comparison_summary(comparison: &Comparison, look: &Look) -> String {
    let Comparison { before, after, figures, .. } = comparison;
    let mut out = format!("before: {}\nafter:  {}\n", name(before.file.path.as_ref()), name(after.file.path.as_ref()));
    levels(&mut out, Some(&before.levels), None, &after.levels, look);
    curves(&mut out, figures, look);
    let named = |name: &str, warnings: &[String]| {
        warnings.iter().map(|warning| format!("{name}: {warning}")).collect::<Vec<_>>()
    };
    bullets(
        &mut out,
        "Please note",
        &[named("before", &before.warnings), named("after", &after.warnings)].concat(),
        look,
    );
    out
}

/// A table, or one line per level where there is no room for it.
fn levels(out: &mut String, before: Option<&Levels>, targets: Option<[String; 2]>, after: &Levels, look: &Look) {
    let has_targets = targets.is_some();
    let [loudness, ceiling] = targets.unwrap_or_default();
    let none = String::new;
    type Pick = fn(&Levels) -> String;
    let rows: [(&str, String, Pick); 5] = [
        ("integrated loudness", loudness, |l| optional(l.integrated_lufs, "LUFS")),
        ("true peak", ceiling, |l| format!("{:.1} dBTP", l.true_peak_dbtp)),
        ("peak to loudness", none(), |l| optional(l.plr_lu, "LU")),
        ("loudness range", none(), |l| format!("{:.1} LU", l.range_lu)),
        ("loudest 3 s", none(), |l| optional(l.max_short_term_lufs, "LUFS")),
    ];
    let level_columns = if has_targets { 3 } else { 2 };
    let is_narrow = look.columns < NAME_COLUMNS + level_columns * LEVEL_COLUMNS;
    let target = |text: &str| if has_targets { format!("{text:>14}") } else { String::new() };
    if is_narrow {
        let _ = writeln!(out);
    } else {
        let _ = writeln!(out, "\n{:22}{:>14}{}{:>14}", "", "before", target("target"), "after");
    }
    for (name, wanted, pick) in rows {
        let before = before.map_or_else(|| "-".to_string(), pick);
        if is_narrow {
            let wanted = if wanted.is_empty() { wanted } else { format!(", target {wanted}") };
            let line = format!("{name}: {before}, now {}{wanted}", pick(after));
            let _ = writeln!(out, "{}", wrapped(&line, 2, look.columns));
        } else {
            let _ = writeln!(out, "{name:22}{before:>14}{}{:>14}", target(&wanted), pick(after));
        }
    }
}

/// Loudness and limiting over time, each in one line.
fn curves(out: &mut String, figures: &Figures, look: &Look) {
    let columns = look.columns.saturating_sub(NAME_COLUMNS);
    if !look.is_unicode || columns < 10 {
        return;
    }
    let mut lines: Vec<(&str, String)> = Vec::new();
    for (name, sound) in [("loudness before", figures.before.as_ref()), ("loudness after", Some(&figures.after))] {
        let Some(sound) = sound else { continue };
        let values = &sound.short_term_lufs.values;
        let Some(highest) = values.iter().copied().reduce(f64::max) else { continue };
        lines.push((name, spark(values, [highest - SPARK_DEPTH_LU, highest], columns)));
    }
    if let Some(limiting) = &figures.limiting {
        let deepest = limiting.values.iter().copied().fold(SPARK_LIMITING_DB, f64::max);
        let line = spark(&limiting.values, [0.0, deepest], columns);
        if !line.trim().is_empty() {
            lines.push(("limiting", line));
        }
    }
    if !lines.is_empty() {
        let _ = writeln!(out);
    }
    for (name, line) in lines {
        let _ = writeln!(out, "{name:22}{}", line.trim_end());
    }
}
