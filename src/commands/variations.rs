//! The command `variations`.

use crate::cli::hints::check_song;
use crate::cli::variations::VariationsArgs;
use crate::commands::{print, print_data};
use crate::error::Error;
use crate::io;
use crate::request::settings::MasterSettings;
use crate::terminal::progress_bar::ProgressBar;
use crate::workflows::variations::{Variation, VariationKind, variations};

/// Writes a page with several masters of a song, and prints how they compare.
pub fn run_variations(args: &VariationsArgs) -> Result<(), Error> {
    check_song(&args.input, &[])?;
    let page = args.page()?;
    let job = args.job()?;
    let command = |kind: VariationKind, settings: &MasterSettings| {
        settings.command_line(&args.input, &args.input.with_extension(format!("{}.wav", kind.name())))
    };
    let bar = ProgressBar::new(args.json);
    let done = variations(&job, &page, &command, &bar)?;
    bar.finish();
    if args.json {
        return print_data(&serde_json::to_string_pretty(&done).expect("plain data has a JSON form"));
    }
    for Variation { kind, qualities, .. } in &done {
        print(&format!("{:10}{}", kind.name(), qualities.change_words().unwrap_or_default()))?;
    }
    print(&format!("\nPage: {}", io::name(&page.path)))
}
