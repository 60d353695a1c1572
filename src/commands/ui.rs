//! The command `ui`.

use crate::cli::ui::UiArgs;
use crate::commands::{print, print_warning};
use crate::error::Error;
use crate::ui::serve;

/// Serves the page until Ctrl-C.
pub fn run_ui(args: &UiArgs) -> Result<(), Error> {
    serve(&args.options()?, |url| {
        print(&format!("The page is at {url}\nMasters go to {}. Ctrl-C ends it.", args.output.display()))?;
        if !args.no_browser
            && let Err(error) = open::that_detached(url)
        {
            print_warning(&format!("no browser could be opened ({error}): open the address above"));
        }
        Ok(())
    })
}
