//! `variations`.

use goldmaster::error::Error;
use goldmaster::io;
use goldmaster::request::settings::MasterSettings;
use goldmaster::terminal::progress_bar::ProgressBar;
use goldmaster::workflows::variations::{Variation, VariationKind, variations};

use crate::cli::hints::check_song;
use crate::cli::variations::VariationsArgs;
use crate::commands::{print, print_data};

/// Writes the page of several masters, and says how they compare.
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
