//! Runs work without the interpreter's lock; Python follows its progress and may end it.
//!
//! The work has its own threads. The calling thread waits for them, calls `on_progress` and checks for signals; an
//! exception from either ends the work at its next block of frames.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, scope};
use std::time::{Duration, Instant};

use goldmaster::batch::watch::{Ended, Watch};
use goldmaster::error::Error;
use goldmaster::io;
use goldmaster::song::observer::{Observer, Stage};
use pyo3::prelude::*;

use crate::failure::{fault, no_thread, raised};

/// Time between two checks for signals.
const LOOK: Duration = Duration::from_millis(50);
/// Shortest time between two calls of `on_progress` within a stage; it is also called at the start of each stage.
const STEP: Duration = Duration::from_millis(100);

/// Progress to report; the work continues once it is answered.
struct Event {
    stage: String,
    done: u64,
    total: Option<u64>,
    answer: SyncSender<()>,
}

/// Observes the work and reports its progress to the calling thread.
pub struct Followed<'a> {
    events: Option<Sender<Event>>,
    is_over: &'a AtomicBool,
    stage: Mutex<(String, Option<u64>)>,
    done: AtomicU64,
    reported: Mutex<Instant>,
}

impl Followed<'_> {
    fn report(&self) -> Result<(), io::Error> {
        if let Some(events) = &self.events {
            let (stage, total) = self.stage.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let (answer, answered) = sync_channel(1);
            if events.send(Event { stage, done: self.done.load(Relaxed), total, answer }).is_ok() {
                // There is no answer once the work is over.
                let _ = answered.recv();
            }
        }
        self.go_on()
    }

    fn go_on(&self) -> Result<(), io::Error> {
        if self.is_over.load(Relaxed) { Err(io::Error::Interrupted) } else { Ok(()) }
    }

    fn begin(&self, stage: String, total: Option<u64>) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = (stage, total);
        self.done.store(0, Relaxed);
        // The result can be ignored here: the first step checks for the end as well.
        let _ = self.report();
    }

    fn step(&self, done: u64) -> Result<(), io::Error> {
        self.done.fetch_add(done, Relaxed);
        let is_due = self.events.is_some() && {
            let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
            let is_due = reported.elapsed() >= STEP;
            if is_due {
                *reported = Instant::now();
            }
            is_due
        };
        if is_due { self.report() } else { self.go_on() }
    }
}

impl Observer for Followed<'_> {
    fn stage(&self, stage: Stage, frames: Option<u64>) {
        self.begin(stage.to_string(), frames);
    }

    fn advance(&self, frames: u64) -> Result<(), io::Error> {
        self.step(frames)
    }
}

/// Observes a batch, which is a single stage, counted in bytes of its files.
pub struct BatchWatch<'a>(pub &'a Followed<'a>);

impl Watch for BatchWatch<'_> {
    fn begins(&self, bytes: u64) {
        self.0.begin("mastering".to_owned(), Some(bytes));
    }

    fn worked(&self, bytes: u64) {
        // The batch asks `is_stopping` whether it has to stop.
        let _ = self.0.step(bytes);
    }

    fn ended(&self, _: &Ended) {}

    fn is_stopping(&self) -> bool {
        self.0.go_on().is_err()
    }

    fn is_aborting(&self) -> bool {
        self.is_stopping()
    }
}

/// Runs `work` in this number of threads, or in as many as there are cores.
pub fn followed<T: Send>(
    py: Python,
    threads: Option<usize>,
    on_progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Followed) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let is_over = AtomicBool::new(false);
    let (sender, events) = channel();
    let has_progress = on_progress.is_some();
    let is_over = &is_over;
    let (done, stopped) = py.detach(move || {
        scope(|scope| {
            let work = move || {
                // The sender is held until the end of the work: the receiver sees the end by its disconnection.
                let events = has_progress.then(|| sender.clone());
                let (stage, reported) = (Mutex::default(), Mutex::new(Instant::now()));
                let followed = Followed { events, is_over, stage, done: AtomicU64::new(0), reported };
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build().ok()?;
                let done = pool.install(|| work(&followed));
                drop(sender);
                Some(done)
            };
            let Ok(worker) = Builder::new().spawn_scoped(scope, work) else { return (Ok(None), None) };
            let stopped = wait(&events, on_progress.as_ref(), is_over);
            (worker.join(), stopped)
        })
    });
    match (stopped, done) {
        (Some(stopped), _) => Err(stopped),
        (None, Ok(Some(done))) => done.map_err(|error| raised(py, &error)),
        (None, Ok(None)) => Err(no_thread(py)),
        (None, Err(_)) => Err(fault(py)),
    }
}

/// Waits for the end of the work, and returns the exception that ended it, if any.
fn wait(events: &Receiver<Event>, on_progress: Option<&Py<PyAny>>, is_over: &AtomicBool) -> Option<PyErr> {
    let mut stopped = None;
    loop {
        let event = events.recv_timeout(LOOK);
        if matches!(event, Err(RecvTimeoutError::Disconnected)) {
            return stopped;
        }
        if stopped.is_none() {
            stopped = Python::attach(|py| {
                let called = match (&event, on_progress) {
                    (Ok(Event { stage, done, total, .. }), Some(call)) => {
                        call.call1(py, (stage, *done, *total)).map(drop)
                    }
                    _ => Ok(()),
                };
                called.and_then(|()| py.check_signals()).err()
            });
            is_over.store(stopped.is_some(), Relaxed);
        }
        if let Ok(Event { answer, .. }) = event {
            // The thread that sent the event waits for this answer.
            let _ = answer.send(());
        }
    }
}
