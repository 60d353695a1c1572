//! The command `report`.

use crate::cli::hints::check_files;
use crate::cli::report::ReportArgs;
use crate::commands::{print, print_data, text_style};
use crate::error::Error;
use crate::io::name;
use crate::terminal::comparison_summary;
use crate::terminal::progress_bar::ProgressBar;
use crate::workflows::compare::compare;

/// Compares two files, on a page and in the terminal.
pub fn run_report(args: &ReportArgs) -> Result<(), Error> {
    check_files([&args.before, &args.after])?;
    let page = args.page()?;
    let bar = ProgressBar::new(args.json);
    let comparison = compare([&args.before, &args.after], Some(&page), &bar)?;
    bar.finish();
    if args.json {
        print_data(&comparison.to_json())
    } else {
        print(&comparison_summary(&comparison, &text_style()))?;
        print(&format!("\nPage: {}", name(&page.path)))
    }
}
