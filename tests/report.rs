//! Reports of a run: the terminal's text, the page's words and the JSON, each compared with the expected output.

mod common;

use std::path::Path;

use analyzer::defects::{Defect, DefectKind};
use goldmaster::page::silent_html;
use goldmaster::render::promises::{Promise, PromiseKind, Shortfall, Verdict};
use goldmaster::render::series::Series;
use goldmaster::report::actions::{Action, Move};
use goldmaster::report::figures::{Equalizer, Figures, ImageFigure, SoundFigures, SpectrumFigure, TargetSpectrum};
use goldmaster::report::qualities::{Qualities, Sound};
use goldmaster::report::warning::{Subject, Warning, WarningKind};
use goldmaster::report::with_sentence::with_sentences;
use goldmaster::report::{DecisionReport, FileReport, Levels, REPORT_VERSION, Report};
use goldmaster::request::settings::DeciderKind;
use goldmaster::terminal::style::TextStyle;
use goldmaster::terminal::{further_master, master_summary, printable};
use models::decision::Confidence;
use models::target::TargetKind;
use renderer::recipe::Recipe;

/// Made-up qualities with one of each outcome.
fn qualities() -> Qualities {
    let sound = |brightness_lu: f64, width_db: f64, crest_db: f64, lufs: f64| {
        let mid: Vec<f64> = (0..40).map(|band| if band > 30 { brightness_lu } else { -10.0 }).collect();
        let side = mid.iter().map(|_| -40.0).collect();
        Sound {
            loudness_lufs: Some(lufs),
            spectrum_lu: Some([mid, side]),
            width_db: Some([width_db; 4]),
            crest_db: Some([crest_db; 4]),
            plr_lu: Some(-1.0 - lufs),
        }
    };
    let (mix, target) = (sound(-22.0, -14.0, 12.0, -20.0), sound(-18.0, -9.0, 12.2, -14.0));
    Qualities::new(Some(&mix), Some(&target), &sound(-19.0, -11.0, 10.5, -14.5))
}

/// A report in which every figure is made up, so that changes of a stage or a network do not change the expected words.
fn report() -> Report {
    let file = |path: &str, codec: &str| FileReport {
        path: path.to_owned(),
        codec: codec.to_owned(),
        sample_rate_hz: 44_100,
        channels: 2,
        frames: 44_100 * 60,
    };
    let levels = |lufs: f64, peak: f64| Levels {
        integrated_lufs: Some(lufs),
        max_short_term_lufs: Some(lufs + 2.5),
        range_lu: 6.25,
        true_peak_dbtp: peak,
        plr_lu: Some(peak - lufs),
    };
    let curve =
        |at_20_hz: f64, per_band: f64| (0..40).map(|band| at_20_hz + per_band * f64::from(band)).collect::<Vec<_>>();
    let series = |start_s, step_s, values: Vec<f64>| Series { start_s, step_s, values };
    let sound = |lufs: f64, peak: f64| SoundFigures {
        seconds: 60.0,
        peaks: series(0.5, 1.0, (0..60).map(|n| peak * (1.0 - 0.5 * f64::from(n % 3))).collect()),
        rms: series(0.5, 1.0, (0..60).map(|n| 0.3 * peak * (1.0 - 0.25 * f64::from(n % 3))).collect()),
        short_term_lufs: series(2.0, 1.0, (0..57).map(|n| lufs - 8.0 + 0.2 * f64::from(n.min(50))).collect()),
        loudest_at_s: Some(50.5),
        histogram: [vec![0.0; 40], vec![0.25; 4]].concat(),
        spectrum: Some(SpectrumFigure { mid_db: curve(-20.0, -0.5), side_db: curve(-50.0, 0.25), cutoff_hz: 20_000.0 }),
        image: Some(ImageFigure { width_db: [-30.0, -12.0, -8.0, -6.0], correlation: [0.99, 0.8, 0.6, 0.25] }),
    };
    let recipe = Recipe::default();
    let kind = DefectKind::Clipping { flat_tops: 1204, longest_samples: 9 };
    let clipping = Defect { kind, severity: 0.75, at_s: 12.3 };
    Report {
        version: REPORT_VERSION,
        input: file("songs/Ballad <1> & more.flac", "FLAC 24 bit"),
        output: file("songs/Ballad <1> & more.master.wav", "wav int24"),
        input_hash: "0".repeat(64),
        decision: Some(DecisionReport {
            decider: DeciderKind::Model,
            target: "hit.flac".to_owned(),
            target_kind: TargetKind::Reference,
            target_lufs: -10.0,
            character: models::character::Character::default(),
            confidence: Confidence { tone: 0.5, width: 0.25, dynamics: 0.0 },
            spectrum: TargetSpectrum {
                mid_lu: curve(-2.0, -0.55),
                side_lu: curve(-30.0, 0.2),
                mid_spread_lu: curve(4.0, 0.0),
                cutoff_hz: 16_000.0,
            },
            target_sound: None,
            references: Vec::new(),
            refinement: None,
            genre: None,
        }),
        before: Some(levels(-20.0, -3.0)),
        wanted: recipe.delivery,
        after: levels(-14.5, -1.0),
        drive_db: 7.0,
        limiting_db: 3.0,
        peak_limiting_db: 6.5,
        actions: with_sentences([
            Action::Tone { moves: vec![Move { hz: 60.0, gain_db: -1.5 }, Move { hz: 9400.0, gain_db: 2.0 }] },
            Action::Width { moves: vec![Move { hz: 1700.0, gain_db: 0.7 }] },
            Action::Level { gain_db: 7.0, limiting_db: 3.0, peak_limiting_db: 6.5 },
            Action::FineTuning { miss_before_db: 1.25, miss_after_db: 0.75, largest_db: 1.125 },
        ]),
        promises: with_sentences([
            Promise {
                kind: PromiseKind::Loudness {
                    wanted_lufs: -14.0,
                    measured_lufs: Some(-14.5),
                    shortfall: Some(Shortfall::LimitingAllowed { max_limiting_db: 3.0 }),
                },
                verdict: Verdict::Short,
            },
            Promise {
                kind: PromiseKind::TruePeak { ceiling_dbtp: -1.0, measured_dbtp: -1.01 },
                verdict: Verdict::Kept,
            },
            Promise {
                kind: PromiseKind::Length { expected_frames: 2_646_001, written_frames: 2_646_000 },
                verdict: Verdict::Broken,
            },
            Promise { kind: PromiseKind::ValidSamples { invalid: 0 }, verdict: Verdict::Kept },
        ]),
        warnings: with_sentences(Warning::of_defects(&Subject::Mix, &[clipping])),
        qualities: qualities(),
        figures: Figures {
            before: Some(sound(-20.0, 0.7)),
            after: sound(-14.5, 0.89),
            limiting: Some(series(0.5, 1.0, (0..60).map(|n| f64::from(n % 7)).collect())),
            band_gain: vec![Some(series(0.5, 1.0, vec![-1.0, 0.5, 1.25])), None, None, None],
            equalizer: Some(Equalizer::of(&recipe, 2, 44_100)),
        },
        recipe,
    }
}

/// Compares with a file under `tests/expected`; with `UPDATE_EXPECTED` set, writes it.
fn assert_expected(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(name);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, text).expect("space");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(text == expected, "{name} has changed; if it should, run again with UPDATE_EXPECTED=1:\n{text}");
}

#[test]
fn the_terminal_says_the_same_at_every_width() {
    let report = report();
    let plain = TextStyle { columns: 80, is_coloured: false, is_unicode: true };
    assert_expected("terminal.txt", &master_summary(&report, &plain));
    let narrow = master_summary(&report, &TextStyle { columns: 40, is_unicode: false, ..plain });
    assert_expected("terminal_narrow.txt", &narrow);
    for line in narrow.lines().skip(1) {
        assert!(line.chars().count() <= 40, "{line:?}");
    }
    assert!(narrow.is_ascii(), "no signs where they cannot be shown");
    let coloured = printable(&master_summary(&report, &TextStyle { is_coloured: true, ..plain }));
    assert_ne!(coloured, master_summary(&report, &plain));
    let bare: String = coloured
        .split('\x1b')
        .enumerate()
        .map(|(n, part)| if n == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) })
        .collect();
    assert_eq!(bare, master_summary(&report, &plain), "colour is never the only sign, and moves no line");
}

#[test]
fn a_further_master_is_a_line_and_what_is_new_about_it() {
    let style = TextStyle { columns: 80, is_coloured: false, is_unicode: true };
    let (first, mut further) = (report(), report());
    further.output.path = "Ballad.mp3".to_owned();
    further.warnings.extend(with_sentences([Warning::of_mix(WarningKind::CutOff { under_lu: 3.0 })]));
    let text = further_master(&further, &[first], &style);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["", "Ballad.mp3: -14.5 LUFS, -1.0 dBTP"]);
    for words in ["- NOT REACHED: Loudness", "- NOT KEPT: Length", "- The song is cut off"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!text.contains("kept") && !text.contains("clips") && !text.contains("Tone"), "{text}");
}

#[test]
fn a_mix_that_was_not_measured_has_no_column() {
    let mut report = report();
    let columns = |report: &Report| {
        let text = master_summary(report, &TextStyle { columns: 80, is_coloured: false, is_unicode: true });
        let head = text.lines().find(|line| line.starts_with(' ') && line.ends_with("master")).expect("a table");
        head.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(columns(&report), ["mix", "target", "master"]);
    report.before = None;
    assert_eq!(columns(&report), ["target", "master"]);
}

#[test]
fn what_names_hold_moves_nothing_in_a_terminal() {
    let mut report = report();
    report.output.path = "a\u{1b}[31mred\r\n\u{9b}2J\u{202e}vaw.\u{7}".to_owned();
    let name = Subject::Reference("\u{1b}]0;title\u{7}".to_owned());
    report.warnings = with_sentences([Warning::new(name, WarningKind::ReferenceIsDamaged)]);
    let text = printable(&master_summary(&report, &TextStyle { columns: 80, is_coloured: false, is_unicode: true }));
    assert!(text.starts_with("a\u{fffd}[31mred\u{fffd}\u{fffd}\u{fffd}2J\u{fffd}vaw.\u{fffd}\n"), "{text}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
}

/// Returns the words of a page in order, one line per element that has some, without drawings and sounds.
fn outline(html: &str) -> String {
    let body = html.split_once("<body>").expect("a body").1;
    let mut text = String::new();
    let mut hidden: Option<&str> = None;
    for part in body.split('<').skip(1) {
        let Some((tag, words)) = part.split_once('>') else {
            assert!(hidden.is_some(), "tags are closed, if not what a script compares: {part}");
            continue;
        };
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        match hidden {
            Some(end) if name == end => hidden = None,
            Some(_) => continue,
            None => {
                hidden = match name {
                    "script" => Some("/script"),
                    "svg" => Some("/svg"),
                    "pre" => Some("/pre"),
                    _ => None,
                };
                if hidden.is_some() {
                    continue;
                }
            }
        }
        let heading = if matches!(name, "h1" | "h2" | "h3") {
            format!("{} ", "#".repeat(name[1..].parse().expect("a digit")))
        } else {
            String::new()
        };
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        if !words.is_empty() {
            text.push_str(&format!("{heading}{words}\n"));
        }
    }
    text
}

#[test]
fn the_page_says_what_is_expected_in_the_expected_order() {
    let html = silent_html(&report());
    assert_expected("page.txt", &outline(&html));
    assert!(!html.contains("Ballad <1>"), "names are escaped");
    assert!(html.len() < 300_000, "{} bytes without audio", html.len());
}

#[test]
fn a_page_fetches_nothing_and_every_name_in_it_is_unique() {
    let html = silent_html(&report());
    for far in ["http:", "https:", "//cdn", "@import", "url("] {
        assert!(!html.contains(far), "{far}");
    }
    let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    for link in html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(&link), "#{link} leads nowhere");
    }
    for figure in html.split("<figure").skip(1) {
        assert!(
            figure.contains("<figcaption>")
                && figure.contains("role=\"img\" aria-label=\"")
                && figure.contains("<table>")
        );
    }
}
