//! The command `analyze`.

use crate::cli::analyze::AnalyzeArgs;
use crate::cli::hints::check_files;
use crate::commands::{print, print_data, some_failed, text_style};
use crate::error::Error;
use crate::io;
use crate::report::analysis::Analysis;
use crate::song::measure_with_timeline;
use crate::terminal;
use crate::terminal::progress_bar::ProgressBar;

/// Measures every file. A file that cannot be read does not stop the others.
pub fn run_analyze(args: &AnalyzeArgs) -> Result<(), Error> {
    check_files(&args.inputs)?;
    let mut failed = Vec::new();
    let mut separator = "";
    for path in &args.inputs {
        let bar = ProgressBar::new(args.json);
        let measured = measure_with_timeline(path, &bar);
        bar.finish();
        let analysis = match measured {
            Ok((info, profile, timeline, faults)) => {
                Analysis::new(path.display().to_string(), info.codec, &faults, (profile, &timeline))
            }
            Err(error @ io::Error::Interrupted) => return Err(error.into()),
            Err(error) => {
                failed.push(error.into());
                continue;
            }
        };
        if args.json {
            print_data(&analysis.to_json())?;
            continue;
        }
        print(&format!("{separator}{}", terminal::profile_summary(&analysis, &text_style())))?;
        separator = "\n";
    }
    let succeeded = args.inputs.len() - failed.len();
    some_failed(failed, succeeded)
}
