//! The commands `batch` and `merge-reports` in a terminal: a line per song, a progress bar for all, and a summary.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar as Bar, ProgressDrawTarget, ProgressStyle};
use models::target::TargetKind;

use crate::batch::inputs::Mixes;
use crate::batch::merge::merge;
use crate::batch::outcome::{Outcome, Summary, named};
use crate::batch::plan::Plan;
use crate::batch::prospect::{self, Prospect};
use crate::batch::record::MasterState;
use crate::batch::report::paths;
use crate::batch::run::{self, Finished};
use crate::batch::watch::{Ended, Watch};
use crate::cli::batch::{BatchArgs, KnownFailures, MergeArgs, Requested};
use crate::commands::{print, print_warning};
use crate::error::Error;
use crate::io::decode::open;
use crate::io::name;
use crate::report::DecisionReport;
use crate::report::warning::Warning;
use crate::terminal::album_table;
use crate::terminal::progress_bar::{finish_current_songs_first, interrupts, tick};

pub fn run_batch(args: &BatchArgs) -> Result<(), Error> {
    let Requested { plan, left_out, several, folders } = args.plan()?;
    let Mixes { masters, excluded, .. } = left_out;
    if masters > 0 && !args.work.quiet {
        print(&format!("left out: masters that goldmaster has made ({masters}); given by themselves, they are taken"))?;
    }
    if excluded > 0 && !args.work.quiet {
        print(&format!("left out: {excluded} files or folders by --exclude or .goldmasterignore"))?;
    }
    if let Some(several) = several.filter(|_| !args.work.quiet) {
        print(&format!("please note: {several}"))?;
    }
    folders.iter().filter(|_| !args.work.quiet).try_for_each(|folder| print(&folder.to_string()))?;
    if args.work.dry_run {
        return print_preview(args, &plan);
    }
    finish_current_songs_first();
    let watch = Terminal::new(plan.items.len(), args.work.quiet);
    let finished = run::run(&plan, &args.output, &args.options(), &watch)?;
    let Finished { summary, albums, without_cue_sheet, stale_cue_sheets, unusable_records } = finished;
    watch.bar.finish_and_clear();
    for record in &unusable_records {
        print_warning(&format!("warning: left out of --reference-folder: {record}"));
    }
    without_cue_sheet.iter().for_each(|album| print_warning(&format!("warning: {album}")));
    stale_cue_sheets.iter().for_each(|album| print_warning(&format!("warning: {album}")));
    let [report, _] = paths(&args.output, plan.shard);
    if !args.work.quiet {
        for album in &albums {
            watch.print(&format!("\n{}", album_table(album)));
        }
        watch.print(&format!("\n{}; see {}", summary, name(&report)));
    }
    let is_known_ok = args.work.known_failures == KnownFailures::Ok;
    check_summary(&summary, is_known_ok, report)?;
    watch.printed()
}

pub fn run_merge(args: &MergeArgs) -> Result<(), Error> {
    let report = args.output();
    let summary = merge(&args.reports, &report)?;
    let printed = print(&format!("{}; see {}", summary, name(&report)));
    check_summary(&summary, false, report)?;
    printed
}

fn check_summary(summary: &Summary, is_known_ok: bool, report: std::path::PathBuf) -> Result<(), Error> {
    match *summary {
        Summary { left: left @ 1.., songs, .. } => Err(Error::SomeLeft { left, songs }),
        Summary { failed, failed_again, songs, .. } => {
            let failed = failed + if is_known_ok { 0 } else { failed_again };
            if failed > 0 { Err(Error::SomeFailed { failed, songs, report }) } else { Ok(()) }
        }
    }
}

/// Prints what the run would do to every song.
fn print_preview(args: &BatchArgs, plan: &Plan) -> Result<(), Error> {
    let records = plan.items.first().map_or(&[][..], |item| &item.settings.folder_references);
    let unreadable = records.iter().filter_map(|record| open(&record.path).err());
    unreadable.map(|error| format!("left out   {error}")).try_for_each(|line| print(&line))?;
    for (item, prospect) in prospect::preview_run(plan, &args.output, &args.options()) {
        let (input, output) = (name(&item.input), name(&args.output.join(&item.output)));
        let long_fades = match &prospect {
            Prospect::Ready { long_fades, .. } => Warning::of_fades(long_fades),
            Prospect::Growing(_) | Prospect::Fails(_) => Vec::new(),
        };
        print(&match prospect {
            Prospect::Ready { state: MasterState::Finished, .. } if !args.work.no_resume => {
                format!("unchanged  {input} -> {output}")
            }
            Prospect::Ready { state: MasterState::Foreign, .. } if !args.work.force => {
                format!("exists     {input} -> {output}: not written by a batch")
            }
            Prospect::Ready { state: MasterState::Edited, .. } if !args.work.force => {
                format!("edited     {input} -> {output}: changed since goldmaster wrote it")
            }
            Prospect::Ready { state: MasterState::New, .. } => format!("master     {input} -> {output}"),
            Prospect::Ready { .. } => format!("again      {input} -> {output}"),
            Prospect::Growing(file) if file == item.input => {
                format!(
                    "growing    {input}: written to just now, and may not be all there: left for the next run if it grows on"
                )
            }
            Prospect::Growing(file) => format!("growing    {input}: its album waits for {}", name(&file)),
            Prospect::Fails(cause) => format!("fails      {}", named(&input, &cause.sentence)),
        })?;
        long_fades.iter().try_for_each(|fade| print(&format!("  please note: {fade}")))?;
    }
    Ok(())
}

/// Prints the progress of a batch to the terminal.
struct Terminal {
    bar: Bar,
    songs: usize,
    ended: AtomicUsize,
    is_quiet: bool,
    /// Failures and other causes already printed.
    printed_causes: Mutex<BTreeSet<String>>,
    /// Number of Ctrl-C presses whose effect was printed.
    announced_interrupts: AtomicU8,
    /// The first error of writing to the standard output. The masters are made all the same.
    print_error: OnceLock<Error>,
}

impl Terminal {
    fn new(songs: usize, is_quiet: bool) -> Self {
        let target = if is_quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = Bar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template("{msg:12} {wide_bar} {percent:>3} % {elapsed:>4}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        Self {
            bar,
            songs,
            ended: AtomicUsize::new(0),
            is_quiet,
            printed_causes: Mutex::default(),
            announced_interrupts: AtomicU8::new(0),
            print_error: OnceLock::new(),
        }
    }

    fn print(&self, text: &str) {
        if let Err(error) = print(text) {
            let _ = self.print_error.set(error);
        }
    }

    /// Returns the first error of printing, if any.
    fn printed(self) -> Result<(), Error> {
        self.print_error.into_inner().map_or(Ok(()), Err)
    }

    /// True if this text was not printed before: a song with several destinations fails for the same reason in each.
    fn is_first(&self, words: &str) -> bool {
        self.printed_causes.lock().unwrap_or_else(PoisonError::into_inner).insert(words.to_owned())
    }

    fn count(&self, ended: usize) {
        self.bar.set_message(format!("{ended} of {}", self.songs));
    }

    /// Returns the number of Ctrl-C presses. The first call after each press prints its effect, because the terminal
    /// shows nothing by itself.
    fn interrupts(&self) -> u8 {
        let interrupts = interrupts();
        let words = match interrupts {
            1 => "stopping: the songs at work come to their end; Ctrl-C again ends them at once",
            2 => "ending: nothing is kept of the songs at work",
            _ => return interrupts,
        };
        if self.announced_interrupts.fetch_max(interrupts, Ordering::Relaxed) < interrupts && !self.is_quiet {
            self.bar.suspend(|| print_warning(words));
        }
        interrupts
    }
}

impl Watch for Terminal {
    fn begins(&self, bytes: u64) {
        self.bar.set_length(bytes);
        self.count(0);
        tick(&self.bar, Duration::from_millis(200));
    }

    fn worked(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn ended(&self, song: &Ended) {
        self.count(self.ended.fetch_add(1, Ordering::Relaxed) + 1);
        let (input, output) = (name(song.input), name(song.output));
        self.bar.suspend(|| match song.outcome {
            Outcome::Failed(cause) | Outcome::FailedAgain(cause) => {
                let again = if matches!(song.outcome, Outcome::FailedAgain(_)) { " as before" } else { "" };
                let words = format!("failed{again}: {}", named(&input, &cause.sentence));
                if self.is_first(&words) {
                    print_warning(&words);
                }
            }
            _ if self.is_quiet => {}
            Outcome::Unchanged => self.print(&format!("{output}: unchanged")),
            Outcome::Changing(cause) => {
                let words = format!("left for the next run: {}", named(&input, &cause.sentence));
                if self.is_first(&words) {
                    self.print(&words);
                }
            }
            Outcome::Left => self.print(&format!("{input}: left")),
            Outcome::Mastered { is_silent, .. } => {
                let mut words = String::new();
                if *is_silent {
                    words.push_str("silent, or shorter than 0.4 s: written as it is");
                } else if let Some(after) = song.after {
                    let loudness = after.integrated_lufs.unwrap_or(f64::NEG_INFINITY);
                    let _ = write!(words, "{loudness:.1} LUFS, {:.1} dBTP", after.true_peak_dbtp);
                }
                if let Some(DecisionReport { genre: Some(genre), target, target_kind, .. }) = song.decision {
                    let _ = write!(words, ", {genre}");
                    if *target_kind != TargetKind::Norm {
                        let _ = write!(words, ": towards {target}");
                    }
                }
                if let Some(DecisionReport { genre: None, target, references, .. }) = song.decision
                    && !references.is_empty()
                {
                    let _ = write!(words, ", towards {target}");
                }
                song.notes.iter().for_each(|note| {
                    let _ = write!(words, "\n  please note: {}", note.sentence);
                });
                self.print(&format!("{output}: {words}"));
            }
        });
        for shortfall in &song.shortfalls {
            self.bar.suspend(|| print_warning(&format!("{output}: warning: {shortfall}")));
        }
    }

    fn is_stopping(&self) -> bool {
        self.interrupts() > 0
    }

    fn is_aborting(&self) -> bool {
        self.interrupts() > 1
    }
}
