//! A progress bar on the terminal, and Ctrl-C, which ends the work.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::io::Error;
use crate::song::observer::{Observer, Stage};
use indicatif::{ProgressBar as Bar, ProgressDrawTarget, ProgressStyle};

/// Number of times Ctrl-C was pressed.
static INTERRUPTS: AtomicU8 = AtomicU8::new(0);

/// Number of the Ctrl-C that ends the program at once, whatever it is doing.
static LAST: AtomicU8 = AtomicU8::new(2);

/// Installs the Ctrl-C handler: the first one ends the run at the next block of frames, a second one at once.
pub fn listen_for_interrupt() {
    // Without a handler, Ctrl-C still ends the program, only less tidily.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTS.fetch_add(1, Ordering::Relaxed) + 1 >= LAST.load(Ordering::Relaxed) {
            crate::io::claim::remove_temporaries();
            std::process::exit(i32::from(crate::error::Error::from(Error::Interrupted).exit_code()));
        }
    });
}

/// Changes the handling: from now on the first Ctrl-C lets the current songs finish, a second one ends cleanly, a third
/// at once.
pub fn finish_current_songs_first() {
    LAST.store(3, Ordering::Relaxed);
}

/// Returns the number of times Ctrl-C was pressed so far.
pub fn interrupts() -> u8 {
    INTERRUPTS.load(Ordering::Relaxed)
}

/// Keeps a bar moving while nothing happens, if it is visible and a thread can be started for it.
pub fn tick(bar: &Bar, interval: Duration) {
    if !bar.is_hidden() && std::thread::Builder::new().spawn(|| ()).is_ok() {
        bar.enable_steady_tick(interval);
    }
}

/// A bar on standard error; nothing is drawn if that is not a terminal.
pub struct ProgressBar {
    bar: Bar,
}

impl ProgressBar {
    /// Creates a bar; with `hidden`, nothing is drawn at all.
    pub fn new(hidden: bool) -> Self {
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = Bar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{msg:10} {wide_bar} {percent:>3} % {elapsed:>4}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        tick(&bar, Duration::from_millis(100));
        Self { bar }
    }

    /// Takes the bar off the screen.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for ProgressBar {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Observer for ProgressBar {
    fn stage(&self, stage: Stage, frames: Option<u64>) {
        self.bar.set_message(stage.to_string());
        self.bar.set_position(0);
        match frames {
            Some(frames) => self.bar.set_length(frames),
            None => self.bar.unset_length(),
        }
    }

    fn advance(&self, frames: u64) -> Result<(), Error> {
        self.bar.inc(frames);
        if interrupts() > 0 { Err(Error::Interrupted) } else { Ok(()) }
    }
}
