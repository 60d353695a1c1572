//! The command `check`.

use crate::cli::check::CheckArgs;
use crate::cli::hints::check_files;
use crate::commands::{print, print_data, some_failed, text_style};
use crate::error::Error;
use crate::io;
use crate::terminal::check_table;
use crate::terminal::progress_bar::ProgressBar;
use crate::workflows::check::check;

/// Checks every file. A file that cannot be read does not stop the others.
pub fn run_check(args: &CheckArgs) -> Result<(), Error> {
    check_files(&args.inputs)?;
    let (mut checks, mut unread) = (Vec::new(), Vec::new());
    for path in &args.inputs {
        let bar = ProgressBar::new(args.json);
        let checked = check(path, args.destination, &bar);
        bar.finish();
        match checked {
            Ok(checked) => {
                if !args.json {
                    let separator = if checks.is_empty() { "" } else { "\n" };
                    print(&format!("{separator}{}", check_table(&checked, &text_style())))?;
                }
                checks.push(checked);
            }
            Err(error @ io::Error::Interrupted) => return Err(error.into()),
            Err(error) => unread.push(Error::from(error)),
        }
    }
    if args.json {
        print_data(&serde_json::to_string_pretty(&checks).expect("plain data has a JSON form"))?;
    }
    let not_ready = checks.iter().filter(|checked| !checked.is_ready).count();
    some_failed(unread, checks.len())?;
    if not_ready == 0 { Ok(()) } else { Err(Error::NotReady { not_ready, files: checks.len() }) }
}
