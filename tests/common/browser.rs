//! Chromium, if it is installed, driven by its own protocol over pipes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Folder;

/// Longest time that a page may take to be loaded, played and examined.
const PATIENCE: Duration = Duration::from_secs(90);

/// Environment variable that makes tests fail if there is no browser.
const REQUIRED: &str = "GOLDMASTER_BROWSER_TEST";

/// Arguments of every run of the browser.
const ARGUMENTS: [&str; 5] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
];

/// Returns the name of the browser; `None`, with a loud message, if there is none and none is required. A browser is
/// driven on Unix only.
pub fn chromium(page: &str) -> Option<&'static str> {
    const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let starts =
        |name: &&str| Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let found = NAMES.into_iter().find(|name| cfg!(unix) && starts(name));
    if found.is_none() {
        let skipped = format!("{page} was not opened in a browser: there is none of {}", NAMES.join(", "));
        assert!(std::env::var_os(REQUIRED).is_none(), "{skipped}");
        // This bypasses the test runner, which hides the output of tests that pass.
        let _ = writeln!(std::io::stderr(), "\nWARNING: SKIPPED: {skipped}");
    }
    found
}

/// A browser with one page, ended with the test.
pub struct Browser {
    child: Child,
    orders: ChildStdin,
    messages: Receiver<Value>,
    session: Value,
    last_id: u64,
    /// All events of the page, as sent by the protocol.
    pub events: Vec<Value>,
}

impl Browser {
    /// Starts the browser with an empty page.
    pub fn start(folder: &Folder, program: &str) -> Self {
        // The protocol uses the third and the fourth pipe.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", program])
            .args(ARGUMENTS)
            .args(["--remote-debugging-pipe", "--window-size=1280,900", "--no-first-run"])
            .arg(format!("--user-data-dir={}", folder.path("profile").display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the browser starts");
        let orders = child.stdin.take().expect("a pipe");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        let (say, messages) = channel();
        std::thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                drop(say.send(serde_json::from_slice(&message).expect("JSON")));
            }
        });
        let mut browser = Self { child, orders, messages, session: Value::Null, last_id: 0, events: Vec::new() };
        let begun = Instant::now();
        let page = loop {
            let targets = browser.call("Target.getTargets", json!({}));
            let targets = targets["targetInfos"].as_array().expect("a list").clone();
            if let Some(page) = targets.into_iter().find(|target| target["type"] == "page") {
                break page;
            }
            assert!(begun.elapsed() < PATIENCE, "the browser has no page");
            std::thread::sleep(Duration::from_millis(50));
        };
        let attached = browser.call("Target.attachToTarget", json!({ "targetId": page["targetId"], "flatten": true }));
        browser.session = attached["sessionId"].clone();
        for domain in ["Page", "Runtime", "Log", "Network", "DOM"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Sends a command and waits for its answer.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let mut order = json!({ "id": self.last_id, "method": method, "params": params });
        if !self.session.is_null() {
            order["sessionId"] = self.session.clone();
        }
        self.orders.write_all(format!("{order}\0").as_bytes()).expect("the browser listens");
        loop {
            let message = self.messages.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("{method}: {e}"));
            if message["id"] == self.last_id {
                assert_eq!(message["error"], Value::Null, "{method}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    /// Evaluates an expression in the page and returns its settled value.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", params);
        assert_eq!(answer["exceptionDetails"], Value::Null, "{expression}: {answer:#}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression in the page is neither null nor false.
    pub fn wait_for(&mut self, expression: &str) -> Value {
        let begun = Instant::now();
        loop {
            let value = self.evaluate(expression);
            if !matches!(value, Value::Null | Value::Bool(false)) {
                return value;
            }
            assert!(begun.elapsed() < PATIENCE, "{expression}; {:#?}", self.events);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Everything that was said on the console.
    pub fn console(&self) -> Vec<&Value> {
        let kinds = ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"];
        kinds.iter().flat_map(|kind| self.events_of(kind)).collect()
    }

    /// Events of one kind.
    pub fn events_of(&self, method: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["method"] == method).map(|event| &event["params"]).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
