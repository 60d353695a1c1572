//! The command `profile`.

use models::norm::NormProfile;

use crate::batch::aggregate::{Aggregate, aggregate};
use crate::cli::profile::ProfileArgs;
use crate::commands::{print, some_failed};
use crate::error::Error;
use crate::io::name as name_of;
use crate::terminal::progress_bar::ProgressBar;

pub fn run_profile(args: &ProfileArgs) -> Result<(), Error> {
    let bar = ProgressBar::new(false);
    let Aggregate { norm, failed } = aggregate(&args.job(), &bar)?;
    bar.finish();
    let songs = norm.as_ref().map_or(0, |norm| norm.songs as usize);
    if let Some(NormProfile { name, loudness_lufs: [lufs, spread], .. }) = &norm {
        let path = name_of(&args.output);
        print(&format!("{path}: {name}, {songs} songs, loudness {lufs:.1} LUFS ± {spread:.1} LU"))?;
    }
    some_failed(failed, songs)
}
