//! The command `render`.

use crate::cli::render::RenderArgs;
use crate::commands::master::{show, show_all};
use crate::error::Error;
use crate::terminal::progress_bar::ProgressBar;
use crate::workflows::render::render_each;

pub fn run_render(args: &RenderArgs) -> Result<(), Error> {
    let jobs = args.jobs()?;
    let bar = ProgressBar::new(args.show.quiet || args.show.json);
    let mut reports = Vec::new();
    let done = render_each(&jobs, &bar, &mut reports);
    bar.finish();
    let written = jobs.iter().enumerate().take(reports.len());
    show_all(done, written.map(|(n, job)| show(&args.show, &reports[..=n], job.output.page.as_ref(), None)))
}
