//! `analyze`.

use goldmaster::error::Error;
use goldmaster::io;
use goldmaster::song::measure;
use goldmaster::terminal;
use goldmaster::terminal::progress_bar::ProgressBar;

use crate::cli::analyze::AnalyzeArgs;
use crate::commands::{look, print, print_data, some_failed};

/// Measures every file; one that cannot be read does not stop the others.
pub fn run_analyze(args: &AnalyzeArgs) -> Result<(), Error> {
    let mut failed = Vec::new();
    let mut separator = "";
    for path in &args.inputs {
        let bar = ProgressBar::new(args.json);
        let measured = measure(path, &bar);
        bar.finish();
        let (info, profile, warnings) = match measured {
            Ok(measured) => measured,
            Err(error @ io::Error::Interrupted) => return Err(error.into()),
            Err(error) => {
                failed.push(error.into());
                continue;
            }
        };
        if args.json {
            let path = path.display().to_string();
            let line =
                serde_json::json!({ "path": path, "codec": info.codec, "warnings": warnings, "profile": profile });
            print_data(&line.to_string())?;
            continue;
        }
        print(&format!(
            "{separator}{}",
            terminal::profile_summary(&io::name(path), &info.codec, &profile, &warnings, &look())
        ))?;
        separator = "\n";
    }
    let succeeded = args.inputs.len() - failed.len();
    some_failed(failed, succeeded)
}
