//! `report`.

use goldmaster::error::Error;
use goldmaster::io::name;
use goldmaster::terminal::comparison_summary;
use goldmaster::terminal::progress_bar::ProgressBar;
use goldmaster::workflows::compare::compare;

use crate::cli::hints::check_files;
use crate::cli::report::ReportArgs;
use crate::commands::{look, print, print_data};

/// Two files, compared on a page and in the terminal.
pub fn run_report(args: &ReportArgs) -> Result<(), Error> {
    check_files([&args.before, &args.after])?;
    let page = args.page()?;
    let bar = ProgressBar::new(args.json);
    let comparison = compare([&args.before, &args.after], Some(&page), &bar)?;
    bar.finish();
    if args.json {
        print_data(&comparison.to_json())
    } else {
        print(&comparison_summary(&comparison, &look()))?;
        print(&format!("\nPage: {}", name(&page.path)))
    }
}
