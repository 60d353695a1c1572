//! The mastering page, with requests as a browser and an attacker would send them.

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use analyzer::synth::{demo_mix, silence};
use common::browser::{Browser, chromium};
use common::{Folder, MIX, OTHER_MIX, RATE_HZ};
use serde_json::{Value, json};

/// Timeout that is longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// A page that is being served.
struct Page {
    child: Child,
    port: u16,
    token: String,
}

/// Response of the server.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {} {text}", self.status))
    }
}

impl Page {
    fn open(folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = folder.command(&["ui", "--no-browser"]);
        command.args(arguments).env("TMPDIR", folder.path("")).stdout(std::process::Stdio::piped());
        let mut child = command.spawn().expect("the program");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
        let (_, address) = line.trim().split_once("http://127.0.0.1:").unwrap_or_else(|| panic!("{line:?}"));
        let (port, token) = address.split_once('/').expect("a path");
        Self { child, port: port.parse().expect("a port"), token: token.trim_end_matches('/').to_owned() }
    }

    /// Sends exactly these bytes.
    fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        // A server that refuses a large body closes the connection before receiving all of it.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
        let headers = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let status = headers.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default();
        let body = bytes.get(end + 4..).unwrap_or_default().to_vec();
        let body = if headers.contains("chunked") { joined(&body) } else { body };
        Answer { status, headers, body }
    }

    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let head = format!(
            "{method} /{}/{path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.token,
            self.port,
            body.len()
        );
        self.raw(&[head.as_bytes(), body].concat())
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, b"")
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, body.to_string().as_bytes())
    }

    /// Returns everything that the page shows at this moment.
    fn state(&self) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let head = format!("GET /{}/events HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", self.token, self.port);
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        stream.write_all(head.as_bytes()).expect("it reads");
        let lines = BufReader::new(stream).lines().map(|line| line.expect("text"));
        let event = lines.into_iter().find_map(|line| Some(line.strip_prefix("data: ")?.to_owned()));
        serde_json::from_str(&event.expect("news")).expect("JSON")
    }

    /// Waits until an item on the page is ready or has failed.
    fn settled(&self, list: &str, id: &Value) -> Value {
        let start = Instant::now();
        loop {
            let state = self.state();
            let entries = state[list].as_array().expect("a list");
            let entry = entries.iter().find(|entry| entry["id"] == *id).unwrap_or_else(|| panic!("{id} in {state}"));
            if ["ready", "failed"].contains(&entry["progress"].as_str().expect("a word")) {
                return entry.clone();
            }
            assert!(start.elapsed() < PATIENCE, "{entry}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until a master is ready or has failed, and returns the stages of work on it that were seen.
    fn stages(&self, id: &Value) -> BTreeSet<String> {
        let (start, mut stages) = (Instant::now(), BTreeSet::new());
        loop {
            let state = self.state();
            let mut exports = state["exports"].as_array().expect("a list").iter();
            let export = exports.find(|export| export["id"] == *id).unwrap_or_else(|| panic!("{id} in {state}"));
            if ["ready", "failed"].contains(&export["progress"].as_str().expect("a word")) {
                return stages;
            }
            stages.insert(export["stage"].as_str().expect("a word").to_owned());
            assert!(start.elapsed() < PATIENCE, "{export}");
        }
    }

    /// Ends the program as Ctrl-C does, and returns its exit code.
    #[cfg(unix)]
    fn interrupt(mut self) -> Option<i32> {
        let killed = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(killed.expect("a shell").success());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Joins a body that was sent in chunks.
fn joined(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(&String::from_utf8_lossy(&body[..end]), 16).expect("a size");
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 2 + size + 2..];
    }
    whole
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn a_master_from_the_page_has_the_bytes_of_the_command_line() {
    let folder = Folder::new();
    let mix = folder.wav("My mix.wav", 2, &MIX);
    let hit = folder.flac("hit.flac", &OTHER_MIX);
    let page = Page::open(&folder, &["-o", "masters"]);
    let html = page.get("");
    assert_eq!(html.status, 200);
    assert!(html.headers.contains("content-security-policy: default-src 'none'"), "{}", html.headers);
    for file in ["page.css", "ui.css", "ui.js", "ui-dom.js", "ui-drop.js", "ui-masters.js", "ui-wave.js", "player.js"] {
        assert_eq!(page.get(file).status, 200, "{file}");
    }

    let song = page.ask("PUT", "songs?name=My%20mix.wav", &bytes(&mix)).json();
    let record = page.ask("PUT", "references?name=hit.flac", &bytes(&hit)).json();
    let view = page.settled("songs", &song);
    assert_eq!((&view["progress"], &view["name"]), (&json!("ready"), &json!("My mix.wav")));
    let state = page.state();
    let place = &state["destinations"][1];
    assert_eq!((&place["value"], &place["name"]), (&json!("apple-music"), &json!("Apple Music")));
    assert_eq!(page.settled("references", &record)["progress"], "ready");
    let sound = page.get(view["sound"]["url"].as_str().expect("an address"));
    assert!(sound.status == 200 && sound.body.starts_with(b"RIFF"));

    let settings = json!({ "settings": [["character", "warm"], ["loudness", "-11"]], "references": [record] });
    let preview = page.post(&format!("songs/{song}/previews"), &settings).json();
    assert!((preview["expected_lufs"].as_f64().expect("a number") + 11.0).abs() < 0.5, "{preview}");
    let sound = page.get(preview["sound"]["url"].as_str().expect("an address"));
    assert!(sound.status == 200 && sound.body.starts_with(b"RIFF"));

    let export = json!({ "master": settings, "formats": ["wav", "flac", "mp3"] });
    let made = page.post(&format!("songs/{song}/exports"), &export).json();
    // The first file is decided, and the others are written as it is.
    let stages = page.stages(&made[2]);
    assert!(!stages.contains("reading") && !stages.contains("refining"), "{stages:?}");
    let settled: Vec<Value> = made.as_array().expect("a list").iter().map(|id| page.settled("exports", id)).collect();
    let names = ["My mix.master.wav", "My mix.master.flac", "My mix.master.mp3"];
    assert_eq!(settled.iter().map(|e| e["name"].clone()).collect::<Vec<_>>(), names);
    assert!(settled.iter().all(|export| export["progress"] == "ready"), "{settled:?}");
    let arguments = ["-r", "hit.flac", "--character", "warm", "--loudness", "-11"];
    for name in names {
        folder.goldmaster(&[&["My mix.wav", "-o", name][..], &arguments[..]].concat()).succeeded();
        assert!(bytes(&folder.path("masters").join(name)) == bytes(&folder.path(name)), "{name}");
    }
    let id = &made[0];
    let master = page.get(&format!("exports/{id}/master"));
    assert!(master.body == bytes(&folder.path("masters/My mix.master.wav")), "{}", master.headers);
    assert!(master.headers.contains("attachment; filename*=utf-8''my%20mix.master.wav"), "{}", master.headers);
    let report = page.get(&format!("exports/{id}/page"));
    assert!(report.body.starts_with(b"<!doctype html>") && report.headers.contains("sandbox allow-scripts"));
    for id in made.as_array().expect("a list") {
        assert_eq!(page.get(&format!("exports/{id}/recipe")).json()["delivery"]["loudness_lufs"], -11.0);
    }

    // A second master does not replace the first, and the next run finds all files.
    let again = page.post(&format!("songs/{song}/exports"), &json!({ "master": {}, "formats": ["wav"] })).json();
    assert_eq!(page.settled("exports", &again[0])["name"], "My mix 2.master.wav");
    drop(page);
    let page = Page::open(&folder, &["-o", "masters"]);
    let found = page.state();
    let found: Vec<&str> =
        found["exports"].as_array().expect("a list").iter().filter_map(|e| e["name"].as_str()).collect();
    assert_eq!(found[0], "My mix 2.master.wav", "the newest first");
    assert!(found.len() == 4 && names.iter().all(|name| found.contains(name)), "{found:?}");
}

#[cfg(unix)]
#[test]
fn files_that_are_named_are_there_and_ctrl_c_removes_what_is_temporary() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("songs")).expect("a folder");
    folder.wav("songs/one.wav", 2, &MIX);
    folder.file("songs/two.wav", b"no sound at all");
    let page = Page::open(&folder, &["songs", "-o", "out"]);
    let state = page.state();
    let ids: Vec<&Value> = state["songs"].as_array().expect("a list").iter().map(|song| &song["id"]).collect();
    let [one, two] = ids[..] else { panic!("{state}") };
    assert_eq!(page.settled("songs", one)["progress"], "ready");
    let failed = page.settled("songs", two);
    assert!(
        failed["progress"] == "failed" && failed["error"].as_str().is_some_and(|e| e.contains("two.wav")),
        "{failed}"
    );
    page.ask("PUT", "songs?name=dropped.wav", &bytes(&folder.path("songs/one.wav")));
    let scratch = || {
        let entries = std::fs::read_dir(folder.path("")).expect("the folder").flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("goldmaster-")).count()
    };
    assert_eq!(scratch(), 1);
    assert_eq!(page.interrupt(), Some(0));
    assert_eq!(scratch(), 0);
    assert!(folder.path("songs/one.wav").exists() && !folder.path("out").exists());
}

#[test]
fn a_song_that_is_cut_off_while_it_sounds_is_named_beside_it() {
    let folder = Folder::new();
    folder.wav("cut.wav", 2, &demo_mix(RATE_HZ, 5.0)[..4 * RATE_HZ as usize]);
    folder.wav("whole.wav", 2, &[&MIX[..], &silence(RATE_HZ, 0.1)].concat());
    let page = Page::open(&folder, &["cut.wav", "whole.wav"]);
    let note = "The song is cut off while it still sounds. Export it again with its tail, or with a fade.";
    for song in page.state()["songs"].as_array().expect("a list") {
        let song = page.settled("songs", &song["id"]);
        let is_named = song["notes"].as_array().expect("a list").iter().any(|found| found["text"] == note);
        assert_eq!(is_named, song["name"] == "cut.wav", "{song}");
    }
}

#[test]
fn whoever_may_not_ask_is_refused() {
    let folder = Folder::new();
    let page = Page::open(&folder, &[]);
    let (port, token) = (page.port, &page.token);
    let status = |head: &str| page.raw(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).status;
    let here = format!("Host: 127.0.0.1:{port}");
    assert_eq!(status(&format!("GET /{token}/ HTTP/1.1\r\n{here}")), 200);
    // Without the secret, from another page, and by another site's domain name.
    for path in ["/", "/ui.js", "/events", "/0123456789abcdef0123456789abcdef/", "//", &format!("/x/../{token}/")] {
        assert_eq!(status(&format!("GET {path} HTTP/1.1\r\n{here}")), 403, "{path}");
    }
    for other in ["evil.example", "127.0.0.1", "evil.example:80", "127.0.0.1.evil.example"] {
        assert_eq!(status(&format!("GET /{token}/ HTTP/1.1\r\nHost: {other}")), 403, "{other}");
    }
    for extra in ["Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"] {
        let head = format!("POST /{token}/songs/1/exports HTTP/1.1\r\n{here}\r\n{extra}\r\nContent-Length: 0");
        assert_eq!(status(&head), 403, "{extra}");
    }
    // Paths that lead outside the page's files, and ids that do not exist.
    for path in
        ["sounds/..%2f..%2fetc%2fpasswd", "exports/1/..%2fmaster", "sounds/-1", "exports/99999999999999999999/master"]
    {
        let code = page.get(path).status;
        assert!(code == 400 || code == 404, "{path}: {code}");
    }
    // Requests that no page sends.
    let cases = [
        json!({ "settings": [["reference", "/etc/passwd"]] }),
        json!({ "settings": [["intensity", "1e99"]] }),
        json!({ "references": [17] }),
        json!({ "path": "/etc/passwd" }),
        json!([1, 2]),
    ];
    let mix = folder.wav("mix.wav", 2, &MIX);
    let song = page.ask("PUT", "songs?name=..%2F..%2F%00evil%1B%5B31m.wav", &bytes(&mix)).json();
    let view = page.settled("songs", &song);
    assert_eq!(view["name"], "evil[31m.wav");
    assert!(!folder.path("../evil[31m.wav").exists() && !folder.path("evil[31m.wav").exists());
    for case in cases {
        let code = page.post(&format!("songs/{song}/previews"), &case).status;
        assert!(code == 400 || code == 422, "{case}: {code}");
    }
    assert_eq!(page.ask("PUT", "references", b"a file without a name").status, 400);
    let large = page.ask("POST", &format!("songs/{song}/previews"), &vec![b' '; 1 << 20]);
    assert_eq!(large.status, 413);
    let head = format!(
        "PUT /{token}/songs?name=x.wav HTTP/1.1\r\n{here}\r\nContent-Length: 99999999999999\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(page.raw(head.as_bytes()).status, 413);
}

#[test]
fn songs_are_one_album_variations_differ_and_what_is_stopped_is_not_written() {
    let folder = Folder::new();
    folder.wav("one.wav", 2, &MIX);
    folder.wav("two.wav", 2, &OTHER_MIX);
    let page = Page::open(&folder, &["one.wav", "two.wav", "-o", "out"]);
    let state = page.state();
    let ids: Vec<Value> = state["songs"].as_array().expect("a list").iter().map(|song| song["id"].clone()).collect();
    ids.iter().for_each(|id| assert_eq!(page.settled("songs", id)["progress"], "ready"));

    let preview =
        |variation: &str| page.post(&format!("songs/{}/previews", ids[0]), &json!({ "variation": variation }));
    let early = preview("loud");
    assert_eq!(early.status, 400, "how loud is loud is not known yet");
    let balanced = preview("balanced").json();
    let loud = preview("loud").json();
    let lufs = |preview: &Value| preview["expected_lufs"].as_f64().expect("a number");
    assert!(lufs(&loud) > lufs(&balanced) + 2.0, "{balanced} {loud}");
    let suited = balanced["suited"].as_str().expect("a word");
    assert!(["warm", "open"].contains(&suited));

    let album = json!({ "songs": ids, "master": {}, "format": "flac" });
    let made = page.post("albums", &album).json();
    let album = page.settled("exports", &made[0]);
    assert_eq!((&album["progress"], &album["name"]), (&json!("ready"), &json!("album")), "{album}");
    assert!(folder.path("out/album/one.flac").exists() && folder.path("out/album/two.flac").exists());
    assert_eq!(page.get(&format!("exports/{}/page", made[0])).status, 200);
    assert_eq!(page.get(&format!("exports/{}/master", made[0])).status, 404);

    // The second one waits for the first, so it can be stopped before anything is written.
    let export = json!({ "master": {}, "formats": ["wav", "flac"], "destinations": ["spotify", "cd"] });
    let planned = page.post(&format!("songs/{}/exports", ids[1]), &export).json();
    let planned = planned.as_array().expect("a list");
    assert_eq!(planned.len(), 4);
    assert_eq!(page.ask("DELETE", &format!("exports/{}", planned[3]), b"").status, 200);
    assert_eq!(page.settled("exports", &planned[2])["progress"], "ready");
    let names = ["two [spotify].master.wav", "two [spotify].master.flac", "two [cd].master.wav"];
    assert!(names.iter().all(|name| folder.path("out").join(name).exists()));
    assert!(!folder.path("out/two [cd].master.flac").exists());

    // A removed song is gone, but its file is kept.
    assert_eq!(page.ask("DELETE", &format!("songs/{}", ids[0]), b"").status, 200);
    assert_eq!(preview("balanced").status, 400);
    assert!(folder.path("one.wav").exists());
}

#[cfg(unix)]
#[test]
fn in_a_browser_a_mix_is_dropped_heard_shaped_and_exported() {
    let folder = Folder::new();
    let mix = folder.wav("My mix.wav", 2, &MIX);
    let page = Page::open(&folder, &["-o", "masters"]);
    let Some(program) = chromium("the page of ui") else { return };
    let mut browser = Browser::start(&folder, program);
    let here = format!("http://127.0.0.1:{}/", page.port);
    browser.call("Page.navigate", json!({ "url": format!("{here}{}/", page.token) }));
    browser.wait_for("document.readyState === 'complete' && window.goldmaster?.state.program !== undefined");
    for kind in ["dragEnter", "dragOver", "drop"] {
        let data = json!({ "items": [], "files": [mix], "dragOperationsMask": 1 });
        browser.call("Input.dispatchDragEvent", json!({ "type": kind, "x": 300, "y": 300, "data": data }));
    }
    browser.wait_for("window.goldmaster.heard.balanced !== undefined");
    browser.evaluate("document.querySelector('input[value=balanced]').click()");
    browser.evaluate("document.getElementById('play').click()");
    browser.wait_for("window.goldmaster.player.currentTime > 0.2");
    let audible =
        "window.goldmaster.player.running.filter((sound) => sound.gain > 1e-4).map((sound) => sound.id).join()";
    browser.wait_for(&format!("{audible} === 'balanced'"));
    browser.evaluate("document.querySelector('input[value=mix]').click()");
    browser.wait_for(&format!("{audible} === 'mix'"));
    browser.evaluate(
        "const tone = document.getElementById('tone'); tone.value = 60; \
         tone.dispatchEvent(new Event('input', { bubbles: true }))",
    );
    browser.wait_for("window.goldmaster.heard.yours !== undefined");
    browser.wait_for(&format!("{audible} === 'yours'"));
    browser.evaluate("document.getElementById('export-song').click()");
    browser.wait_for("window.goldmaster.state.exports[0]?.progress === 'ready'");

    folder.goldmaster(&["My mix.wav", "--tone", "60", "-o", "whole.wav"]).succeeded();
    assert!(bytes(&folder.path("masters/My mix.master.wav")) == bytes(&folder.path("whole.wav")));
    assert_eq!(browser.console(), Vec::<&Value>::new());
    let asked = browser.events_of("Network.requestWillBeSent");
    let addresses = asked.iter().map(|event| event["request"]["url"].as_str().expect("an address"));
    let elsewhere = addresses.filter(|url| !url.starts_with(&here) && !url.starts_with("data:"));
    assert_eq!(elsewhere.collect::<Vec<_>>(), Vec::<&str>::new());
}
