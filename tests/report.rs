//! What a run tells: the terminal's text, the page's words and the JSON, each against what is expected of it.

mod common;
#[path = "common/schema.rs"]
mod schema;

use std::path::Path;

use analyzer::synth::demo_mix;
use common::{Folder, MIX, OTHER_MIX, RATE_HZ};
use goldmaster::page::silent_html;
use goldmaster::render::promises::{Promise, Verdict};
use goldmaster::render::series::Series;
use goldmaster::report::figures::{Equalizer, Figures, ImageFigure, SoundFigures, SpectrumFigure, TargetSpectrum};
use goldmaster::report::{DecisionReport, FileReport, Levels, REPORT_VERSION, Report};
use goldmaster::request::settings::DeciderKind;
use goldmaster::terminal::look::Look;
use goldmaster::terminal::{master_summary, printable};
use models::decision::Confidence;
use models::target::TargetKind;
use renderer::recipe::Recipe;
use serde_json::Value;

/// A report whose every figure is made up, so that no change of a stage or a network changes what is expected of its words.
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
        short_term_lufs: series(2.0, 1.0, (0..57).map(|n| lufs - 8.0 + 0.2 * f64::from(n.min(50))).collect()),
        loudest_at_s: Some(50.5),
        histogram: [vec![0.0; 40], vec![0.25; 4]].concat(),
        spectrum: Some(SpectrumFigure { mid_db: curve(-20.0, -0.5), side_db: curve(-50.0, 0.25), cutoff_hz: 20_000.0 }),
        image: Some(ImageFigure { width_db: [-30.0, -12.0, -8.0, -6.0], correlation: [0.99, 0.8, 0.6, 0.25] }),
    };
    let recipe = Recipe::default();
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
        actions: vec!["Tone: -1.5 dB at 60 Hz, +2.0 dB at 9.4 kHz".to_owned()],
        promises: [
            ("loudness within 0.1 LU of the target", Verdict::Short, "-14.50 LUFS, 0.5 LU quieter than -14.00"),
            ("true peak at or under the ceiling", Verdict::Kept, "-1.01 dBTP, ceiling -1.00"),
            ("same length as the mix", Verdict::Broken, "2646000 frames"),
            ("no invalid samples", Verdict::Kept, "0 found"),
        ]
        .map(|(name, verdict, measured)| Promise { name, verdict, measured: measured.to_owned() })
        .into(),
        warnings: vec!["The mix clips: 1204 flat tops of up to 9 samples, the first at 0:12.3. Mastering cannot undo that; export the mix again with the master fader lower.".to_owned()],
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
    let plain = Look { columns: 80, is_coloured: false, is_unicode: true };
    assert_expected("terminal.txt", &master_summary(&report, &plain));
    let narrow = master_summary(&report, &Look { columns: 40, is_unicode: false, ..plain });
    assert_expected("terminal_narrow.txt", &narrow);
    for line in narrow.lines().skip(1) {
        assert!(line.chars().count() <= 40, "{line:?}");
    }
    assert!(narrow.is_ascii(), "no signs where they cannot be shown");
    let coloured = printable(&master_summary(&report, &Look { is_coloured: true, ..plain }));
    assert_ne!(coloured, master_summary(&report, &plain));
    let bare: String = coloured
        .split('\x1b')
        .enumerate()
        .map(|(n, part)| if n == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) })
        .collect();
    assert_eq!(bare, master_summary(&report, &plain), "colour is never the only sign, and moves no line");
}

#[test]
fn what_names_hold_moves_nothing_in_a_terminal() {
    let mut report = report();
    report.output.path = "a\u{1b}[31mred\r\n\u{9b}2J\u{202e}vaw.\u{7}".to_owned();
    report.warnings = vec!["reference \u{1b}]0;title\u{7}: quiet".to_owned()];
    let text = printable(&master_summary(&report, &Look { columns: 80, is_coloured: false, is_unicode: true }));
    assert!(text.starts_with("a\u{fffd}[31mred\u{fffd}\u{fffd}\u{fffd}2J\u{fffd}vaw.\u{fffd}\n"), "{text}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
}

/// The words of a page in order, one line per element that has some; drawings and what is played left out.
fn outline(html: &str) -> String {
    let body = html.split_once("<body>").expect("a body").1;
    let mut text = String::new();
    let mut hidden: Option<&str> = None;
    for part in body.split('<').skip(1) {
        let (tag, words) = part.split_once('>').expect("closed tags");
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

fn published() -> Value {
    serde_json::from_str(include_str!("../report.schema.json")).expect("the schema is JSON")
}

#[test]
fn the_published_schema_describes_what_is_printed() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    folder.wav("mono.wav", 1, &demo_mix(RATE_HZ, 1.0));
    folder.flac("hit.flac", &OTHER_MIX);
    let schema = published();
    let runs: [&[&str]; 4] = [
        &["mix.wav", "--json", "--recipe", "recipe.json", "--set", "multiband.low.ratio=1.5"],
        &["mix.wav", "--json", "-r", "hit.flac", "-o", "towards.flac", "--report", "towards.html"],
        &["mono.wav", "--json"],
        &["render", "mix.wav", "--recipe", "recipe.json", "-o", "again.wav", "--json"],
    ];
    for arguments in runs {
        let printed = folder.goldmaster(arguments).succeeded().json();
        assert_eq!(schema::violations(&schema, &printed), Vec::<String>::new(), "{arguments:?}");
    }
    let compared = folder.goldmaster(&["report", "mix.wav", "mix.master.wav", "--json"]).succeeded().json();
    let comparison = schema::definition(&schema, "comparison");
    assert_eq!(schema::violations(&comparison, &compared), Vec::<String>::new());
    folder.goldmaster(&["batch", "mono.wav"]).succeeded();
    let batch: Value =
        serde_json::from_slice(&std::fs::read(folder.path("masters/report.json")).expect("it")).expect("JSON");
    assert_eq!(schema::violations(&schema, &batch["songs"][0]["report"]), Vec::<String>::new());
}

#[test]
fn the_schema_refuses_what_is_none() {
    let schema = published();
    let mut json = serde_json::to_value(report()).expect("plain data");
    json["recipe"]["solution"] = serde_json::json!({});
    assert_eq!(schema::violations(&schema, &json), Vec::<String>::new());
    let faults: [(&str, Value); 5] = [
        ("/after/true_peak_dbtp", Value::Null),
        ("/promises/0/verdict", "perhaps".into()),
        ("/input/channels", 3.into()),
        ("/figures/after/peaks/values", serde_json::json!(["loud"])),
        ("/decision/spectrum/mid_lu", serde_json::json!([1.0])),
    ];
    for (at, fault) in faults {
        let mut wrong = json.clone();
        *wrong.pointer_mut(at).expect("it is there") = fault;
        assert!(schema::violations(&schema, &wrong).iter().any(|what| what.starts_with(at)), "{at}");
    }
    json["surprise"] = 1.into();
    assert_eq!(schema::violations(&schema, &json).len(), 1);
}
