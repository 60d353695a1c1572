//! Two files beside each other: what was measured of both.

use std::path::Path;

use crate::error::Error;
use crate::io::encode::ensure_distinct;
use crate::page;
use crate::report::comparison::Compared;
use crate::report::comparison::Comparison;
use crate::report::figures::{Figures, SoundFigures};
use crate::report::{FileReport, Levels, REPORT_VERSION};
use crate::request::page::Page;
use crate::request::paths::check_other_path;
use crate::song::measure_with_timeline;
use crate::song::observer::{Observer, Unseen};

/// Measures both files, and writes the page that is asked for.
///
/// # Errors
/// A file cannot be read, or the page not be written.
pub fn compare([before, after]: [&Path; 2], page: Option<&Page>, observer: &dyn Observer) -> Result<Comparison, Error> {
    if ensure_distinct(before, after).is_err() {
        return Err(Error::Usage(format!("{} and {} are one file", before.display(), after.display())));
    }
    if let Some(page) = page {
        check_other_path("report", &page.path, [before, after].into_iter(), page.force)?;
    }
    let (first, second) = rayon::join(|| measured(before, observer), || measured(after, &Unseen(observer)));
    let ((before, figures_before), (after, figures_after)) = (first?, second?);
    let figures = Figures {
        before: Some(figures_before),
        after: figures_after,
        limiting: None,
        band_gain: Vec::new(),
        equalizer: None,
    };
    let comparison = Comparison { version: REPORT_VERSION, before, after, figures };
    if let Some(page) = page {
        page::of_comparison(page, &comparison)?;
    }
    Ok(comparison)
}

fn measured(path: &Path, observer: &dyn Observer) -> Result<(Compared, SoundFigures), crate::io::Error> {
    let (info, profile, timeline, mut warnings) = measure_with_timeline(path, observer)?;
    let figures = SoundFigures::of_profile(&profile, &timeline);
    warnings.extend(profile.defects.iter().map(|defect| defect.sentence.clone()));
    let file = FileReport {
        path: path.display().to_string(),
        codec: info.codec,
        sample_rate_hz: info.sample_rate_hz,
        channels: info.channels,
        frames: profile.frames,
    };
    Ok((Compared { file, levels: Levels::of_profile(&profile), warnings }, figures))
}
