//! Pages of real runs: their size, what they play, and how they behave in a browser where one is installed.

mod common;

use analyzer::stream::Frame;
use analyzer::synth::{demo_mix, silence};
use common::browser::{Browser, chromium};
use common::{FAILED, Folder, MIX, OTHER_MIX, RATE_HZ, USAGE, louder, read};
use goldmaster::io::output_spec::Format;
use serde_json::{Value, json};

/// Largest difference in loudness between the sounds of a page, LU.
const MATCHED_LU: f64 = 0.2;

fn page(folder: &Folder, file: &str) -> String {
    std::fs::read_to_string(folder.path(file)).expect("a page")
}

/// Returns the page's data on the sounds it plays.
fn sounds_of(html: &str) -> Vec<Value> {
    let json = html.split_once(r#"id="sounds">"#).expect("sounds").1.split_once("</script>").expect("an end").0;
    serde_json::from_str(json).expect("JSON")
}

/// Decodes the FLAC of a sound from base64 (RFC 4648).
fn flac(html: &str, id: &str) -> Vec<u8> {
    let text = html.split_once(&format!(r#"id="audio-{id}">"#)).expect("a sound").1;
    let text = text.split_once('<').expect("an end").0;
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|c| *c != b'=').map(digit).collect();
    let bits = digits.chunks(4).flat_map(|chunk| {
        let word = chunk.iter().fold(0_u32, |word, digit| word << 6 | u32::from(*digit)) << (6 * (4 - chunk.len()));
        word.to_be_bytes()[1..chunk.len()].to_vec()
    });
    bits.collect()
}

#[test]
fn sounds_are_equally_loud_and_show_the_same_moment() {
    let folder = Folder::new();
    let song = demo_mix(RATE_HZ, 24.0);
    folder.wav("mix.wav", 2, &song);
    folder.flac("hit.flac", &louder(&OTHER_MIX, 6.0));
    let arguments = ["mix.wav", "-r", "hit.flac", "--report", "page.html", "--loudness", "-12"];
    folder.goldmaster(&arguments).succeeded();
    let html = page(&folder, "page.html");
    assert!(html.len() < 6_000_000, "{} bytes", html.len());
    let sounds = sounds_of(&html);
    assert_eq!(sounds.iter().map(|sound| &sound["id"]).collect::<Vec<_>>(), ["mix", "master", "reference"]);
    let mut loudnesses = Vec::new();
    for sound in &sounds {
        let id = sound["id"].as_str().expect("a name");
        let path = folder.file(&format!("{id}.flac"), &flac(&html, id));
        let mut sound_read = read(&path);
        sound_read.frames = louder(&sound_read.frames, sound["gain_db"].as_f64().expect("a gain"));
        assert!(sound["gain_db"].as_f64() <= Some(0.0), "nothing is turned up");
        loudnesses.push(sound_read.loudness_lufs());
    }
    let [quietest, loudest] = [f64::min, f64::max].map(|pick| loudnesses.iter().copied().reduce(pick).expect("sounds"));
    assert!(loudest - quietest < MATCHED_LU, "{loudnesses:?}");
    // The parts of the mix that are played are passages of the mix, dithered to 16 bits.
    let mix = read(&folder.path("mix.flac"));
    let error = |a: &Frame, b: &Frame| (a[0] - b[0]).abs().max((a[1] - b[1]).abs());
    let parts = sounds[0]["parts"].as_array().expect("a list");
    assert_eq!(parts.len(), 2, "a typical part and the loudest");
    for part in parts {
        let [from, to, start] = ["from_s", "to_s", "song_s"]
            .map(|name| (part[name].as_f64().expect("a time") * f64::from(RATE_HZ)).round() as usize);
        let worst = mix.frames[from..to].iter().zip(&song[start..]).map(|(a, b)| error(a, b)).fold(0.0, f32::max);
        assert!(worst < 3.0 / 32_768.0, "{worst} {part}");
    }
    assert_eq!(sounds[0]["parts"], sounds[1]["parts"], "of the master the same");
}

#[test]
fn a_page_plays_as_much_as_is_asked_for_and_changes_no_byte_of_the_master() {
    let folder = Folder::new();
    folder.wav("my song.wav", 2, &demo_mix(RATE_HZ, 20.0));
    folder.goldmaster(&["my song.wav", "-o", "plain.wav"]).succeeded();
    let mut sizes = Vec::new();
    for audio in ["none", "excerpt", "full"] {
        let html = format!("{audio} page.html");
        let arguments = ["my song.wav", "-o", "master.wav", "--report", &html, "--report-audio", audio, "--force"];
        folder.goldmaster(&arguments).succeeded();
        let html = page(&folder, &html);
        let seconds =
            html.contains(r#"id="sounds">"#).then(|| sounds_of(&html)[1]["seconds"].as_f64().expect("a length"));
        sizes.push((html.len(), seconds));
    }
    let [(none, silent), (excerpt, short), (full, whole)] = sizes[..] else { unreachable!() };
    assert!(none < 300_000 && none < excerpt && excerpt < full, "{sizes:?}");
    assert_eq!((silent, short, whole), (None, Some(16.0), Some(20.0)));
    let [plain, shown] = ["plain.wav", "master.wav"].map(|name| std::fs::read(folder.path(name)).expect("a master"));
    assert!(plain == shown, "a page is only looked at");
}

#[test]
fn songs_of_every_kind_have_a_page() {
    let folder = Folder::new();
    let song = demo_mix(RATE_HZ, 8.0);
    let pause: Vec<Frame> =
        [&song[..RATE_HZ as usize * 3], &silence(RATE_HZ, 6.0), &song[..RATE_HZ as usize * 2]].concat();
    folder.wav("mono.wav", 1, &song);
    folder.wav("pause.wav", 2, &pause);
    folder.wav("blink.wav", 2, &song[..RATE_HZ as usize / 2]);
    folder.wav_at("high.wav", 96_000, 2, &demo_mix(96_000, 4.0));
    folder.wav_at("low.wav", 8_000, 1, &demo_mix(8_000, 4.0));
    for name in ["mono", "pause", "blink", "high", "low"] {
        let (mix, html) = (format!("{name}.wav"), format!("{name}.html"));
        let rate = if name == "high" { "44100" } else { "8000" };
        let mut arguments = vec![mix.as_str(), "--report", &html];
        if name == "high" {
            arguments.extend(["--rate", rate]);
        }
        folder.goldmaster(&arguments).succeeded();
        let html = page(&folder, &html);
        assert!(html.ends_with("</html>\n") || html.ends_with("</html>"), "{name}");
        let shown = html.split_once("<body>").expect("a body").1.split("<script").next().expect("a page");
        assert!(!shown.contains("NaN") && !shown.contains("inf"), "{name}");
        assert_eq!(sounds_of(&html).len(), 2, "{name}");
        assert_eq!(html.contains(r#"id="width-change""#), !matches!(name, "mono" | "low"), "{name}");
    }
}

#[test]
fn any_two_files_are_shown_beside_each_other() {
    let folder = Folder::new();
    folder.wav("a mix.wav", 2, &MIX);
    folder.integers("b.flac", Format::Flac, &louder(&MIX, 5.0));
    let run = folder.goldmaster(&["report", "a mix.wav", "b.flac"]).succeeded();
    assert!(run.stdout.contains("before") && run.stdout.contains("b.html"), "{run:?}");
    let html = page(&folder, "b.html");
    assert!(html.contains("a mix.wav and b.flac") && !html.contains("id=\"recipe\""));
    let gain = sounds_of(&html)[1]["gain_db"].as_f64().expect("a gain");
    assert!((gain + 5.0).abs() < 0.05, "{gain}");
    let again = folder.goldmaster(&["report", "a mix.wav", "b.flac"]);
    assert_eq!(again.code, Some(FAILED), "an existing page is replaced only by --force: {again:?}");
    folder.goldmaster(&["report", "a mix.wav", "b.flac", "--force"]).succeeded();
}

#[test]
fn what_cannot_be_a_page_is_refused_before_any_work() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    let before = folder.contents();
    let cases: [(&[&str], i32, &str); 6] = [
        (&["mix.wav", "--report", "page.txt"], USAGE, ".html"),
        (&["mix.wav", "--report", "no/page.html"], FAILED, "no"),
        (&["mix.wav", "--report-audio", "full"], USAGE, "--report"),
        (&["mix.wav", "--report", "a.html", "--report-audio", "loud"], USAGE, "excerpt"),
        (&["report", "mix.wav", "mix.wav"], USAGE, "one file"),
        (&["report", "mix.wav", "missing.wav"], FAILED, "missing.wav"),
    ];
    for (arguments, code, word) in cases {
        let run = folder.goldmaster(arguments);
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(run.stderr.contains(word), "{run:?}");
        assert!(folder.contents() == before, "{arguments:?}");
    }
}

#[test]
fn a_batch_has_a_page_for_every_song_and_one_of_all() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("in/side b")).expect("a folder");
    folder.wav("in/index.wav", 2, &MIX);
    folder.wav("in/side b/second & last.wav", 2, &OTHER_MIX);
    folder.file("in/broken.wav", b"no song");
    let batch = |more: &[&str]| folder.goldmaster(&[&["batch", "in", "-o", "out", "--quiet"], more].concat());
    batch(&[]);
    assert!(!folder.path("out/index.html").exists());
    batch(&["--report", "--report-audio", "none"]);
    let index = page(&folder, "out/index.html");
    for link in ["index.wav.html", "side%20b/second%20%26%20last.wav.html"] {
        assert!(index.contains(&format!("href=\"{link}\"")), "{link}");
    }
    assert!(index.contains("broken.wav") && index.contains("failed"));
    for song in ["out/index.wav.html", "out/side b/second & last.wav.html"] {
        assert!(page(&folder, song).contains("Promises"), "{song}");
    }
    batch(&["--report", "--report-audio", "none"]);
    assert!(page(&folder, "out/index.html").contains("0 mastered, 2 unchanged, 1 failed"));
    std::fs::write(folder.path("out/index.html"), "my own page").expect("space");
    let refused = batch(&["--report"]);
    assert!(refused.stderr.contains("index.html") && refused.stderr.contains("exists"), "{refused:?}");
    assert_eq!(page(&folder, "out/index.html"), "my own page");
}

/// Opens a page and returns the result of the script at its end, and everything that was said on the console. `None` if
/// there is no browser.
fn browsed(folder: &Folder, html: &str) -> Option<(Value, Vec<String>)> {
    let program = chromium(html)?;
    let script = include_str!("page.js");
    let scripted = page(folder, html).replace("</body>", &format!("<script type=\"module\">{script}</script></body>"));
    let path = folder.file("scripted.html", scripted.as_bytes());
    let mut browser = Browser::start(folder, program);
    browser.call("Page.navigate", json!({ "url": format!("file://{}", path.display()) }));
    let result = browser.wait_for("window.examined");
    let result = serde_json::from_str(result.as_str().expect("a text")).expect("JSON");
    Some((result, browser.console().iter().map(ToString::to_string).collect()))
}

#[test]
fn in_a_browser_the_page_plays_switches_and_draws() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &demo_mix(RATE_HZ, 20.0));
    folder.wav_at("hit.wav", 48_000, 2, &demo_mix(48_000, 15.0));
    let dynamics = ["--set", "multiband.low.ratio=1.6", "--set", "multiband.high.ratio=0.8"];
    let arguments = ["mix.wav", "-r", "hit.wav", "--report", "page.html"];
    folder.goldmaster(&[&arguments[..], &dynamics].concat()).succeeded();
    let Some((result, console)) = browsed(&folder, "page.html") else { return };
    assert_eq!(result["fault"], Value::Null, "{result:#}");
    assert_eq!(console, Vec::<String>::new(), "nothing is said on the console");
    assert_eq!(
        (&result["violations"], &result["requests"]),
        (&Value::Array(vec![]), &Value::Array(vec![])),
        "nothing leaves the page"
    );
    assert_eq!(result["sounds"], json!(["mix", "master", "reference"]));
    let matched: Vec<f64> =
        result["matched_lufs"].as_array().expect("a list").iter().filter_map(Value::as_f64).collect();
    let [low, high] = [f64::min, f64::max].map(|pick| matched.iter().copied().reduce(pick).expect("sounds"));
    assert!(matched.len() == 3 && high - low < MATCHED_LU, "{matched:?}");
    assert_eq!(result["true_gains"], json!([1, 1, 1]));
    let switches = result["switches"].as_array().expect("a list");
    assert_eq!(switches.len(), 4);
    for switch in switches {
        let to = &switch["to"];
        assert_eq!((&switch["chosen"], &switch["audible"], &switch["shown"]), (to, &json!([to]), &json!([to])));
        assert_eq!(switch["starts"], 1, "all sounds were started at one moment, at one place: {switch}");
        // The clocks of sound and page are read some milliseconds apart, more on a busy machine.
        assert!(switch["drift_s"].as_f64().expect("a time").abs() < 0.1, "time goes on through a switch: {switch}");
    }
    let looped = result["looped_at"].as_f64().expect("a time");
    assert!((1.0..=1.5).contains(&looped), "{looped}");
    let jump = &result["loudest"];
    let past = jump["at"].as_f64().expect("a time") - jump["told"].as_f64().expect("a time");
    assert!((0.0..1.0).contains(&past), "{jump}");
    assert_eq!((&result["pauses"], &result["key_2"]), (&Value::Bool(true), &Value::from("master")));
    let figures = result["figures"].as_array().expect("a list");
    let ids: Vec<&str> = figures.iter().filter_map(|figure| figure["id"].as_str()).collect();
    assert_eq!(
        ids,
        [
            "tone-change",
            "width-change",
            "waveform",
            "loudness",
            "limiting",
            "bands",
            "spectrum",
            "equalizer",
            "correlation",
            "histogram"
        ]
    );
    for figure in figures {
        let count = |of: &str| figure[of].as_u64().expect("a number");
        assert!(count("drawn") >= 1 && count("rows") >= 2 && count("summary") > 20, "{figure}");
    }
    assert_eq!(result["overflow_px"], 0, "nothing sticks out");
}

#[test]
fn in_a_browser_variations_play_and_switch() {
    let folder = Folder::new();
    folder.wav("my mix.wav", 2, &demo_mix(RATE_HZ, 40.0));
    let run = folder.goldmaster(&["variations", "my mix.wav", "--refine", "off"]).succeeded();
    assert!(["gentle", "balanced", "loud", "open"].iter().all(|name| run.stdout.contains(name)), "{run:?}");
    let html = page(&folder, "my mix.variations.html");
    let command = "goldmaster &#39;my mix.wav&#39; --intensity 50 --refine off -o &#39;my mix.gentle.wav&#39;";
    assert!(html.contains(command), "the command that renders it whole");
    let sounds = sounds_of(&html);
    let ids: Vec<&str> = sounds.iter().filter_map(|sound| sound["id"].as_str()).collect();
    assert_eq!(ids, ["mix", "gentle", "balanced", "loud", "open"]);
    assert!(sounds.iter().all(|sound| sound["seconds"] == 30.0), "half a minute of each");
    let Some((result, console)) = browsed(&folder, "my mix.variations.html") else { return };
    assert_eq!((&result["fault"], console), (&Value::Null, Vec::new()), "{result:#}");
    let switches = result["switches"].as_array().expect("a list");
    assert!(switches.iter().all(|switch| switch["chosen"] == switch["to"] && switch["starts"] == 1), "{result:#}");
    assert_eq!((&result["requests"], &result["overflow_px"]), (&Value::Array(vec![]), &Value::from(0)));
}

#[test]
fn the_command_of_a_variation_gives_the_master_that_was_heard() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &demo_mix(RATE_HZ, 12.0));
    folder.goldmaster(&["variations", "mix.wav"]).succeeded();
    folder.goldmaster(&["mix.wav", "--intensity", "50", "-o", "gentle.wav"]).succeeded();
    let html = page(&folder, "mix.variations.html");
    let played = read(&folder.file("heard.flac", &flac(&html, "gentle"))).frames;
    let rendered = read(&folder.path("gentle.wav")).frames;
    let worst =
        played.iter().zip(&rendered).map(|(a, b)| (a[0] - b[0]).abs().max((a[1] - b[1]).abs())).fold(0.0, f32::max);
    assert!(played.len() == rendered.len() && worst < 3.0 / 32_768.0, "{worst}");
}

#[test]
fn in_a_browser_a_page_without_sound_is_quiet_as_well() {
    let folder = Folder::new();
    folder.wav("mono.wav", 1, &MIX);
    folder.goldmaster(&["mono.wav", "--report", "page.html", "--report-audio", "none"]).succeeded();
    let Some((result, console)) = browsed(&folder, "page.html") else { return };
    assert_eq!((&result["fault"], &result["requests"]), (&Value::Null, &Value::Array(vec![])), "{result:#}");
    assert_eq!(console, Vec::<String>::new());
}
