//! `render`.

use goldmaster::error::Error;
use goldmaster::terminal::progress_bar::ProgressBar;
use goldmaster::workflows::master::render;

use crate::cli::render::RenderArgs;
use crate::commands::master::show;

pub fn run_render(args: &RenderArgs) -> Result<(), Error> {
    let job = args.job()?;
    let bar = ProgressBar::new(args.show.quiet || args.show.json);
    let report = render(&job, &bar)?;
    bar.finish();
    show(&args.show, &report, job.output.page.as_ref(), None)
}
