//! What stands on a page, in the order of the page.

use std::path::Path;

use askama::Template;

use super::audio::Sound;
use super::figures::{Drawn, Figure, signed};
use super::plot::{Axis, Plot, clock, number};
use super::words::{self, ActionExplanation};
use crate::page::plot::typeset;
use crate::render::promises::Verdict;
use crate::report::comparison::Comparison;
use crate::report::playback::playback;
use crate::report::reference_name;
use crate::report::{FileReport, Levels, Report};

/// A page.
#[derive(Template)]
#[template(path = "page.html")]
pub struct View {
    title: String,
    /// What the page tells of: a master, or two files.
    is_master: bool,
    program: &'static str,
    files: Vec<[String; 3]>,
    towards: Option<String>,
    headline: Vec<Headline>,
    levels: Vec<[String; 4]>,
    sounds: Vec<Sound>,
    sounds_json: String,
    played: Vec<[String; 3]>,
    waveforms: Vec<String>,
    passage: String,
    figures: Vec<Figure>,
    promises: Vec<PromiseView>,
    deeds: Vec<ActionExplanation>,
    confidence: Option<String>,
    notes: Vec<String>,
    services: Vec<Vec<String>>,
    sources: Vec<String>,
    recipe: Option<String>,
}

/// One of the figures at the top.
struct Headline {
    name: &'static str,
    value: String,
    note: String,
}

/// A promise.
struct PromiseView {
    class: &'static str,
    sign: &'static str,
    verdict: &'static str,
    name: String,
    measured: String,
}

pub const PROGRAM: &str = concat!("goldmaster ", env!("CARGO_PKG_VERSION"));

impl View {
    /// Of a master.
    pub fn of_report(report: &Report, sounds: Vec<Sound>) -> Self {
        let decision = report.decision.as_ref();
        let drawn = Drawn {
            figures: &report.figures,
            before: report.before.as_ref(),
            after: &report.after,
            wanted_lufs: Some(report.wanted.loudness_lufs),
            target: decision.map(|decision| &decision.spectrum),
            limiting_db: Some(report.limiting_db),
        };
        let mut headline = headline(report.before.as_ref(), &report.after);
        let kept = report.promises.iter().filter(|promise| promise.verdict == Verdict::Kept).count();
        headline.push(Headline {
            name: "Promises",
            value: format!("{kept} of {}", report.promises.len()),
            note: "kept".to_owned(),
        });
        let mut view = Self {
            is_master: true,
            title: name(&report.input.path),
            towards: decision.map(|decision| {
                let genre = words::genre(decision).map_or_else(String::new, |genre| format!("; {genre}"));
                words::towards(decision) + &genre
            }),
            headline,
            levels: levels(
                report.before.as_ref(),
                Some((report.wanted.loudness_lufs, report.wanted.ceiling_dbtp)),
                &report.after,
            ),
            figures: drawn.all(),
            promises: report.promises.iter().map(PromiseView::of).collect(),
            deeds: words::deeds(report),
            confidence: decision.and_then(words::confidence),
            notes: report.warnings.iter().map(|note| typeset(note)).collect(),
            recipe: Some(report.recipe.to_json()),
            ..Self::new(&[("before", &report.input), ("after", &report.output)], sounds)
        };
        view.deliver(&report.after);
        view
    }

    /// Of two files.
    pub fn of_comparison(comparison: &Comparison, sounds: Vec<Sound>) -> Self {
        let Comparison { before, after, figures, .. } = comparison;
        let drawn = Drawn {
            figures,
            before: Some(&before.levels),
            after: &after.levels,
            wanted_lufs: None,
            target: None,
            limiting_db: None,
        };
        let of = |which: &str, warnings: &[String]| {
            warnings.iter().map(|warning| format!("{which}: {}", typeset(warning))).collect::<Vec<_>>()
        };
        let mut view = Self {
            title: format!("{} and {}", name(&before.file.path), name(&after.file.path)),
            headline: headline(Some(&before.levels), &after.levels),
            levels: levels(Some(&before.levels), None, &after.levels),
            figures: drawn.all(),
            notes: [of("before", &before.warnings), of("after", &after.warnings)].concat(),
            ..Self::new(&[("before", &before.file), ("after", &after.file)], sounds)
        };
        view.deliver(&after.levels);
        view
    }

    fn new(files: &[(&str, &FileReport)], sounds: Vec<Sound>) -> Self {
        let row = |(which, file): &(&str, &FileReport)| {
            let seconds = file.frames as f64 / f64::from(file.sample_rate_hz);
            let channels = if file.channels == 1 { "mono" } else { "stereo" };
            let what = format!("{}, {channels}, {} Hz, {}", file.codec, file.sample_rate_hz, clock(seconds));
            [(*which).to_owned(), name(&file.path), what]
        };
        // `</script>` cannot stand in what a script element holds.
        let json = serde_json::to_string(&sounds).unwrap_or_default().replace('<', "\\u003c");
        let passage = sounds.first().map_or_else(String::new, |sound| {
            format!(
                "{:.0} seconds, from {} to {}",
                sound.seconds,
                clock(sound.start_s),
                clock(sound.start_s + sound.seconds)
            )
        });
        Self {
            title: String::new(),
            is_master: false,
            program: PROGRAM,
            files: files.iter().map(row).collect(),
            towards: None,
            headline: Vec::new(),
            levels: Vec::new(),
            sounds_json: json,
            played: sounds
                .iter()
                .map(|s| {
                    [
                        s.label.clone(),
                        s.lufs.map_or_else(|| "–".to_owned(), |lufs| number(lufs, 1)),
                        number(s.gain_db, 1),
                    ]
                })
                .collect(),
            waveforms: sounds.iter().map(waveform).collect(),
            passage,
            sounds,
            figures: Vec::new(),
            promises: Vec::new(),
            deeds: Vec::new(),
            confidence: None,
            notes: Vec::new(),
            services: Vec::new(),
            sources: Vec::new(),
            recipe: None,
        }
    }

    fn deliver(&mut self, after: &Levels) {
        for played in playback(after) {
            self.services.push(vec![
                played.service.to_owned(),
                format!("{} LUFS", number(played.lufs, 1)),
                format!("{} dB", signed(played.gain_db)),
                format!("{} dBTP", number(played.true_peak_dbtp, 1)),
                words::playback(&played),
            ]);
            self.sources.push(format!("{}: {}", played.service, played.source));
        }
    }
}

impl PromiseView {
    fn of(promise: &crate::render::promises::Promise) -> Self {
        let (class, sign, verdict) = match promise.verdict {
            Verdict::Kept => ("kept", "✓", "kept"),
            Verdict::Short => ("short", "△", "short"),
            Verdict::Broken => ("broken", "✕", "not kept"),
        };
        Self { class, sign, verdict, name: promise.name.to_owned(), measured: typeset(&promise.measured) }
    }
}

/// The last part of a path.
fn name(path: &str) -> String {
    reference_name(Path::new(path))
}

fn lufs(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |lufs| format!("{} LUFS", number(lufs, 1)))
}

fn headline(before: Option<&Levels>, after: &Levels) -> Vec<Headline> {
    let was = |text: Option<String>| text.map_or_else(String::new, |text| format!("was {text}"));
    vec![
        Headline {
            name: "Loudness",
            value: lufs(after.integrated_lufs),
            note: was(before.map(|before| lufs(before.integrated_lufs))),
        },
        Headline {
            name: "True peak",
            value: format!("{} dBTP", number(after.true_peak_dbtp, 1)),
            note: was(before.map(|before| format!("{} dBTP", number(before.true_peak_dbtp, 1)))),
        },
        Headline {
            name: "Loudness range",
            value: format!("{} LU", number(after.range_lu, 1)),
            note: was(before.map(|before| format!("{} LU", number(before.range_lu, 1)))),
        },
    ]
}

/// Name, before, target, after.
fn levels(before: Option<&Levels>, target: Option<(f64, f64)>, after: &Levels) -> Vec<[String; 4]> {
    let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| number(value, 1));
    let row = |name: &str, target: Option<f64>, pick: fn(&Levels) -> Option<f64>| {
        [name.to_owned(), figure(before.and_then(pick)), figure(target), figure(pick(after))]
    };
    let (loudness, ceiling) = target.unzip();
    vec![
        row("integrated loudness, LUFS", loudness, |l| l.integrated_lufs),
        row("true peak, dBTP", ceiling, |l| Some(l.true_peak_dbtp)),
        row("peak to loudness, LU", None, |l| l.plr_lu),
        row("loudness range, LU", None, |l| Some(l.range_lu)),
        row("loudest 3 s, LUFS", None, |l| l.max_short_term_lufs),
    ]
}

/// The waveform of a player: shape alone.
fn waveform(sound: &Sound) -> String {
    let peaks = &sound.figures.peaks;
    let highest = peaks.values.iter().copied().fold(1e-3, f64::max);
    let points: Vec<[f64; 3]> = peaks.points().map(|[x, peak]| [x, -peak, peak]).collect();
    let class = if sound.id == "reference" { "target" } else { sound.id };
    let (x, y) = (Axis::time(sound.seconds).bare(), Axis::linear("", [-highest, highest], highest).bare());
    Plot::new(x, y).area(class, &points).svg()
}
