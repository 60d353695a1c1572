//! The summary at the end of a run: levels, actions, promises, and curves in lines of text.

use std::fmt::Write as _;

use super::spark::spark;
use super::style::{Colour, TextStyle};
use super::text::{bullets, optional, wrapped};
use crate::io::name;
use crate::page::words;
use crate::render::promises::{Promise, Verdict};
use crate::report::comparison::Comparison;
use crate::report::figures::Figures;
use crate::report::qualities::{Qualities, QualityRow};
use crate::report::warning::Warning;
use crate::report::with_sentence::{WithSentence, sentences};
use crate::report::{Levels, Report};

/// Width of the names of curves.
const NAME_COLUMNS: usize = 22;
/// Width of the names in the table.
const ROW_NAME_COLUMNS: usize = 15;
/// Width of a value in the table.
const VALUE_COLUMNS: usize = 12;
/// Width of the last column, which says how much closer the master came.
const VERDICT_COLUMNS: usize = 18;
/// Range of the loudness curve below its highest value, LU.
const SPARK_DEPTH_LU: f64 = 15.0;
/// Range of the limiting curve, dB; larger if the curve exceeds it.
const SPARK_LIMITING_DB: f64 = 3.0;

/// Returns the summary at the end of a run.
pub fn master_summary(report: &Report, style: &TextStyle) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", name(report.output.path.as_ref()));
    if let Some(decision) = &report.decision {
        let _ = writeln!(out, "{}", wrapped(&words::towards(decision), 0, style.columns));
    }
    let story: Vec<String> =
        report.qualities.change_words().into_iter().chain(report.qualities.balance_words()).collect();
    if !story.is_empty() {
        let _ = writeln!(out, "{}", wrapped(&story.join("; "), 0, style.columns));
    }
    let ceiling = Some(report.wanted.ceiling_dbtp);
    // A recipe is replayed without measuring the mix, which has no column then.
    let names = [if report.before.is_some() { "mix" } else { "" }, "target", "master"];
    table(&mut out, names, &rows(&report.qualities, report.before.as_ref(), ceiling, &report.after), style);
    curves(&mut out, &report.figures, style);
    bullets(&mut out, "What was done", &sentences(&report.actions), style);
    let promises: Vec<String> = report.promises.iter().map(|promise| promise_line(promise, style)).collect();
    bullets(&mut out, "Promises", &promises, style);
    bullets(&mut out, "Please note", &sentences(&report.warnings), style);
    out
}

/// Returns a promise and its verdict.
fn promise_line(promise: &WithSentence<Promise>, style: &TextStyle) -> String {
    let (verdict, colour) = match promise.verdict {
        Verdict::Kept => ("kept", Colour::Good),
        Verdict::Short => ("NOT REACHED", Colour::Warning),
        Verdict::Broken => ("NOT KEPT", Colour::Bad),
    };
    format!("{}: {}", style.coloured(colour, verdict), promise.sentence)
}

/// Returns a line on a further master of a song, with the promises that were not kept, and the warnings that none of
/// the `earlier` masters has.
pub fn further_master(report: &Report, earlier: &[Report], style: &TextStyle) -> String {
    let Levels { integrated_lufs, true_peak_dbtp, .. } = report.after;
    let (file, loudness) = (name(report.output.path.as_ref()), optional(integrated_lufs, "LUFS"));
    let space = if earlier.len() == 1 { "\n" } else { "" };
    let mut out = format!("{space}{file}: {loudness}, {true_peak_dbtp:.1} dBTP\n");
    let not_kept = report.promises.iter().filter(|promise| promise.verdict != Verdict::Kept);
    let not_kept = not_kept.map(|promise| promise_line(promise, style));
    let is_new = |warning: &&WithSentence<Warning>| !earlier.iter().any(|other| other.warnings.contains(warning));
    let warnings = report.warnings.iter().filter(is_new).map(|warning| warning.sentence.clone());
    for note in not_kept.chain(warnings) {
        let _ = writeln!(out, "  - {}", wrapped(&note, 4, style.columns));
    }
    out
}

/// Returns the comparison of two files.
pub fn comparison_summary(comparison: &Comparison, style: &TextStyle) -> String {
    let Comparison { before, after, qualities, figures, .. } = comparison;
    let mut out = format!("before: {}\nafter:  {}\n", name(before.file.path.as_ref()), name(after.file.path.as_ref()));
    let names = ["before", "", "after"];
    table(&mut out, names, &rows(qualities, Some(&before.levels), None, &after.levels), style);
    curves(&mut out, figures, style);
    let named = |name: &str, warnings: &[WithSentence<Warning>]| {
        warnings.iter().map(|warning| format!("{name}: {}", warning.sentence)).collect::<Vec<_>>()
    };
    bullets(
        &mut out,
        "Please note",
        &[named("before", &before.warnings), named("after", &after.warnings)].concat(),
        style,
    );
    out
}

/// A row of the table.
struct Row {
    name: String,
    /// Mix, target and master.
    values: [String; 3],
    /// Statement on how much closer the master came.
    verdict: String,
}

/// Returns the qualities, then the levels that are not qualities.
fn rows(qualities: &Qualities, before: Option<&Levels>, ceiling_dbtp: Option<f64>, after: &Levels) -> Vec<Row> {
    let quality = |row: &QualityRow| {
        let value = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.1} {}", row.quality.unit()));
        let values = [value(row.mix), value(row.target), value(row.master)];
        Row { name: row.quality.to_string(), values, verdict: row.verdict() }
    };
    let level = |name: &str, target: String, pick: fn(&Levels) -> String| Row {
        name: name.to_owned(),
        values: [before.map(pick).unwrap_or_default(), target, pick(after)],
        verdict: String::new(),
    };
    let peak = |dbtp: f64| format!("{dbtp:.1} dBTP");
    qualities
        .rows
        .iter()
        .map(quality)
        .chain([
            level("true peak", ceiling_dbtp.map(peak).unwrap_or_default(), |l| format!("{:.1} dBTP", l.true_peak_dbtp)),
            level("loudness range", String::new(), |l| format!("{:.1} LU", l.range_lu)),
            level("loudest 3 s", String::new(), |l| optional(l.max_short_term_lufs, "LUFS")),
        ])
        .collect()
}

/// Writes the rows as a table, or each as a sentence if the terminal is too narrow.
fn table(out: &mut String, names: [&str; 3], rows: &[Row], style: &TextStyle) {
    let _ = writeln!(out);
    let shown: Vec<usize> = (0..3).filter(|n| !names[*n].is_empty()).collect();
    let has_verdicts = rows.iter().any(|row| !row.verdict.is_empty());
    let columns = ROW_NAME_COLUMNS + shown.len() * VALUE_COLUMNS + if has_verdicts { VERDICT_COLUMNS } else { 0 };
    if style.columns < columns {
        for Row { name, values, verdict } in rows {
            let known = shown.iter().filter(|n| !values[**n].is_empty());
            let mut parts: Vec<String> = known.map(|n| format!("{} {}", names[*n], values[*n])).collect();
            parts.extend((!verdict.is_empty()).then(|| verdict.clone()));
            let _ = writeln!(out, "{}", wrapped(&format!("{name}: {}", parts.join(", ")), 2, style.columns));
        }
        return;
    }
    let mut line = |name: &str, values: [&str; 3], verdict: &str| {
        let cells: String = shown.iter().map(|n| format!("{:>VALUE_COLUMNS$}", values[*n])).collect();
        let _ = writeln!(out, "{}", format!("{name:ROW_NAME_COLUMNS$}{cells}   {verdict}").trim_end());
    };
    line("", names, "");
    rows.iter().for_each(|row| line(&row.name, row.values.each_ref().map(String::as_str), &row.verdict));
}

/// Writes loudness and limiting over time, each in one line.
fn curves(out: &mut String, figures: &Figures, style: &TextStyle) {
    let columns = style.columns.saturating_sub(NAME_COLUMNS);
    if !style.is_unicode || columns < 10 {
        return;
    }
    let mut lines: Vec<(&str, String)> = Vec::new();
    for (name, sound) in [("loudness, mix", figures.before.as_ref()), ("loudness, master", Some(&figures.after))] {
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
