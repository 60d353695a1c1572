//! `render`.

use crate::cli::render::RenderArgs;
use crate::commands::master::show;
use crate::error::Error;
use crate::terminal::progress_bar::ProgressBar;
use crate::workflows::master::render;

pub fn run_render(args: &RenderArgs) -> Result<(), Error> {
    let job = args.job()?;
    let bar = ProgressBar::new(args.show.quiet || args.show.json);
    let report = render(&job, &bar)?;
    bar.finish();
    show(&args.show, &report, job.output.page.as_ref(), None)
}
