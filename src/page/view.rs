//! Content of a page, in the order of the page.

use std::cmp::Reverse;
use std::path::Path;

use askama::Template;

use super::audio::Sound;
use super::figures::{Figure, FigureData, signed};
use super::player::Player;
use super::plot::{clock, number, typeset};
use super::words::{self, ActionExplanation};
use crate::render::promises::{Promise, Verdict};
use crate::report::comparison::Comparison;
use crate::report::playback::playback;
use crate::report::qualities::{Qualities, Quality, QualityRow};
use crate::report::reference_name;
use crate::report::warning::{Severity, Warning};
use crate::report::with_sentence::WithSentence;
use crate::report::{FileReport, Levels, Report};

/// A page.
#[derive(Template)]
#[template(path = "page.html")]
pub struct View {
    title: String,
    /// True if the page is about a master, and not about two arbitrary files.
    is_master: bool,
    program: &'static str,
    /// Names of the two sounds.
    names: [&'static str; 2],
    files: Vec<[String; 3]>,
    towards: Option<String>,
    /// The changes and the improvement, in one line.
    story: Option<String>,
    headline: Vec<Headline>,
    qualities: Vec<QualityView>,
    levels: Vec<[String; 4]>,
    player: Option<Player>,
    figures: Vec<Figure>,
    promises: Vec<PromiseView>,
    explained_actions: Vec<ActionExplanation>,
    notes: Vec<NoteView>,
    services: Vec<ServiceView>,
    sources: Vec<String>,
    recipe: Option<String>,
}

/// One of the figures at the top.
struct Headline {
    name: &'static str,
    value: String,
    note: String,
}

/// A quality in numbers, and as positions on a line, %.
struct QualityView {
    name: String,
    unit: &'static str,
    what: &'static str,
    values: [String; 3],
    places: [Option<String>; 3],
    verdict: String,
    class: &'static str,
}

/// A promise.
struct PromiseView {
    class: &'static str,
    sign: &'static str,
    verdict: &'static str,
    sentence: String,
}

/// A warning.
#[derive(Clone)]
struct NoteView {
    class: &'static str,
    name: &'static str,
    sentence: String,
}

/// Effect of a streaming service on the song.
struct ServiceView {
    name: String,
    cells: [String; 3],
    words: String,
    class: &'static str,
}

pub const PROGRAM: &str = concat!("goldmaster ", env!("CARGO_PKG_VERSION"));

/// Loudness below that of other songs from which on a song is noticed as quieter, LU.
const QUIETER_LU: f64 = 1.0;

impl View {
    /// Returns the page of a master.
    pub fn of_report(report: &Report, sounds: Vec<Sound>) -> Self {
        let decision = report.decision.as_ref();
        let names = ["mix", "master"];
        let drawn = FigureData {
            figures: &report.figures,
            names,
            before: report.before.as_ref(),
            after: &report.after,
            wanted_lufs: Some(report.wanted.loudness_lufs),
            target: decision.map(|decision| &decision.spectrum),
            limiting_db: Some(report.limiting_db),
        };
        let mut view = Self {
            is_master: true,
            title: name(&report.input.path),
            towards: decision.map(words::towards),
            story: story(&report.qualities),
            headline: headline(report),
            qualities: report.qualities.rows.iter().map(QualityView::of).collect(),
            levels: levels(report.before.as_ref(), Some(report.wanted.ceiling_dbtp), &report.after),
            figures: drawn.all(),
            promises: report.promises.iter().map(PromiseView::of).collect(),
            explained_actions: words::explained_actions(report),
            notes: notes(&report.warnings, None),
            recipe: Some(report.recipe.to_json()),
            ..Self::new(names, [&report.input, &report.output], sounds)
        };
        view.deliver(&report.after);
        view
    }

    /// Returns the page of two files.
    pub fn of_comparison(comparison: &Comparison, sounds: Vec<Sound>) -> Self {
        let Comparison { before, after, qualities, figures, .. } = comparison;
        let names = ["first", "second"];
        let drawn = FigureData {
            figures,
            names,
            before: Some(&before.levels),
            after: &after.levels,
            wanted_lufs: None,
            target: None,
            limiting_db: None,
        };
        let mut view = Self {
            title: format!("{} and {}", name(&before.file.path), name(&after.file.path)),
            story: qualities.change_words().map(|words| format!("The second is {words}.")),
            qualities: qualities.rows.iter().map(QualityView::of).collect(),
            levels: levels(Some(&before.levels), None, &after.levels),
            figures: drawn.all(),
            notes: [notes(&before.warnings, Some(names[0])), notes(&after.warnings, Some(names[1]))].concat(),
            ..Self::new(names, [&before.file, &after.file], sounds)
        };
        view.deliver(&after.levels);
        view
    }

    fn new(names: [&'static str; 2], files: [&FileReport; 2], sounds: Vec<Sound>) -> Self {
        let row = |(which, file): (&str, &FileReport)| {
            let seconds = file.frames as f64 / f64::from(file.sample_rate_hz);
            let channels = if file.channels == 1 { "mono" } else { "stereo" };
            let what = format!("{}, {channels}, {} Hz, {}", file.codec, file.sample_rate_hz, clock(seconds));
            [which.to_owned(), name(&file.path), what]
        };
        Self {
            title: String::new(),
            is_master: false,
            program: PROGRAM,
            names,
            files: names.into_iter().zip(files).map(row).collect(),
            towards: None,
            story: None,
            headline: Vec::new(),
            qualities: Vec::new(),
            levels: Vec::new(),
            player: Player::new(sounds, "master"),
            figures: Vec::new(),
            promises: Vec::new(),
            explained_actions: Vec::new(),
            notes: Vec::new(),
            services: Vec::new(),
            sources: Vec::new(),
            recipe: None,
        }
    }

    fn deliver(&mut self, after: &Levels) {
        for played in playback(after) {
            self.services.push(ServiceView {
                name: played.service.to_owned(),
                cells: [
                    format!("{} LUFS", number(played.lufs, 1)),
                    format!("{} dB", signed(played.gain_db)),
                    format!("{} dBTP", number(played.true_peak_dbtp, 1)),
                ],
                words: words::playback(&played),
                class: if played.quieter_lu >= QUIETER_LU || played.over_limit_db > 0.0 { "warned" } else { "" },
            });
            self.sources.push(format!("{}: {}", played.service, played.source));
        }
    }
}

/// Returns the changes, and how much closer to the target they bring the master.
fn story(qualities: &Qualities) -> Option<String> {
    let change = qualities.change_words()?;
    let balance = qualities.balance_words().map_or_else(String::new, |words| format!("; {words}"));
    Some(typeset(&format!("Compared with the mix: {change}{balance}.")))
}

impl QualityView {
    fn of(row: &QualityRow) -> Self {
        let all = [row.mix, row.target, row.master];
        let known = || all.iter().flatten().copied();
        let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
        // A line spans at least 4 dB, so that a small difference looks small.
        let margin = ((4.0 - (high - low)) / 2.0).max(0.15 * (high - low));
        let place = |value: f64| format!("{:.1}", 100.0 * (value - low + margin) / (high - low + 2.0 * margin));
        let cell = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| number(value, 1));
        Self {
            name: row.quality.to_string(),
            unit: row.quality.unit(),
            what: what_it_is(row.quality),
            values: all.map(cell),
            places: all.map(|value| value.map(place)),
            verdict: typeset(&row.verdict()),
            class: match row.is_closer() {
                Some(true) => "kept",
                Some(false) => "short",
                None => "",
            },
        }
    }
}

/// Returns the quantity that a quality measures, in a few words.
fn what_it_is(quality: Quality) -> &'static str {
    match quality {
        Quality::Loudness => "integrated",
        Quality::Brightness => "4 to 12 kHz",
        Quality::Mids => "250 Hz to 2 kHz",
        Quality::Bass => "40 to 120 Hz",
        Quality::Width => "side against mid",
        Quality::Punch => "crest of loud moments",
        Quality::Density => "peak over loudness",
    }
}

impl PromiseView {
    fn of(promise: &WithSentence<Promise>) -> Self {
        let (class, sign, verdict) = match promise.verdict {
            Verdict::Kept => ("kept", "✓", "kept"),
            Verdict::Short => ("short", "!", "not reached"),
            Verdict::Broken => ("broken", "✕", "not kept"),
        };
        Self { class, sign, verdict, sentence: typeset(&promise.sentence) }
    }
}

/// Returns the warnings, the worst first; `of` names their file if there are two files.
fn notes(warnings: &[WithSentence<Warning>], of: Option<&str>) -> Vec<NoteView> {
    let mut sorted: Vec<&WithSentence<Warning>> = warnings.iter().collect();
    sorted.sort_by_key(|warning| Reverse(warning.severity));
    let view = |warning: &WithSentence<Warning>| {
        let (class, name) = match warning.severity {
            Severity::Serious => ("broken", "Serious"),
            Severity::Caution => ("short", "Caution"),
            Severity::Note => ("note", "Note"),
        };
        let of = of.map_or_else(String::new, |of| format!("{of}: "));
        NoteView { class, name, sentence: of + &typeset(&warning.sentence) }
    };
    sorted.into_iter().map(view).collect()
}

/// Returns the last part of a path.
fn name(path: &str) -> String {
    reference_name(Path::new(path))
}

fn lufs(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |lufs| format!("{} LUFS", number(lufs, 1)))
}

fn headline(report: &Report) -> Vec<Headline> {
    let was = |text: Option<String>| text.map_or_else(String::new, |text| format!("mix {text}"));
    let (before, after) = (report.before.as_ref(), &report.after);
    let peak = |levels: &Levels| format!("{} dBTP", number(levels.true_peak_dbtp, 1));
    let kept = report.promises.iter().filter(|promise| promise.verdict == Verdict::Kept).count();
    let mut all = vec![
        Headline {
            name: "Loudness",
            value: lufs(after.integrated_lufs),
            note: was(before.map(|before| lufs(before.integrated_lufs))),
        },
        Headline { name: "True peak", value: peak(after), note: was(before.map(peak)) },
    ];
    all.extend(report.qualities.balance.map(|balance| Headline {
        name: "Tonal balance",
        value: format!("{} dB", number(balance.master_db, 1)),
        note: format!("from the target; mix {} dB", number(balance.mix_db, 1)),
    }));
    all.push(Headline {
        name: "Promises",
        value: format!("{kept} of {}", report.promises.len()),
        note: "kept".to_owned(),
    });
    all
}

/// Returns rows for levels that are not qualities: name, mix, target, master.
fn levels(before: Option<&Levels>, ceiling_dbtp: Option<f64>, after: &Levels) -> Vec<[String; 4]> {
    let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| number(value, 1));
    let row = |name: &str, target: Option<f64>, pick: fn(&Levels) -> Option<f64>| {
        [name.to_owned(), figure(before.and_then(pick)), figure(target), figure(pick(after))]
    };
    vec![
        row("true peak, dBTP", ceiling_dbtp, |l| Some(l.true_peak_dbtp)),
        row("loudness range, LU", None, |l| Some(l.range_lu)),
        row("loudest 3 s, LUFS", None, |l| l.max_short_term_lufs),
    ]
}
