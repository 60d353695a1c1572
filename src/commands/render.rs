//! `render`.

use goldmaster::error::Error;
use goldmaster::terminal::progress_bar::ProgressBar;
use goldmaster::workflows::render::render_each;

use crate::cli::render::RenderArgs;
use crate::commands::master::show;

pub fn run_render(args: &RenderArgs) -> Result<(), Error> {
    let jobs = args.jobs()?;
    let bar = ProgressBar::new(args.show.quiet || args.show.json);
    let mut reports = Vec::new();
    let done = render_each(&jobs, &bar, &mut reports);
    bar.finish();
    let shown = reports.iter().zip(&jobs).map(|(report, job)| show(&args.show, report, job.output.page.as_ref(), None));
    // All of them are shown, whatever becomes of one.
    shown.collect::<Vec<_>>().into_iter().chain([done]).collect()
}
