//! Compares the measurements of two files.

use std::path::Path;

use crate::error::Error;
use crate::io::encode::ensure_distinct;
use crate::page;
use crate::report::comparison::Compared;
use crate::report::comparison::Comparison;
use crate::report::figures::{Figures, SoundFigures};
use crate::report::qualities::{Qualities, Sound};
use crate::report::warning::{Subject, Warning};
use crate::report::with_sentence::with_sentences;
use crate::report::{FileReport, Levels, REPORT_VERSION};
use crate::request::page::Page;
use crate::request::paths::check_other_path;
use crate::song::measure_with_timeline;
use crate::song::observer::{InterruptOnly, Observer};

/// Measures both files, and writes the page if one is requested.
///
/// # Errors
/// If a file cannot be read, or the page cannot be written.
pub fn compare([before, after]: [&Path; 2], page: Option<&Page>, observer: &dyn Observer) -> Result<Comparison, Error> {
    if ensure_distinct(before, after).is_err() {
        return Err(Error::Usage(format!("{} and {} are one file", before.display(), after.display())));
    }
    if let Some(page) = page {
        check_other_path("report", &page.path, [before, after].into_iter(), page.force)?;
    }
    let (first, second) = rayon::join(
        || measured(before, Subject::Mix, observer),
        || measured(after, Subject::Master, &InterruptOnly(observer)),
    );
    let (first, second) = (first?, second?);
    let Levels { integrated_lufs, plr_lu, .. } = second.compared.levels;
    let nothing = || Sound::of_loudness(integrated_lufs, plr_lu);
    let qualities = Qualities::new(first.sound.as_ref(), None, &second.sound.clone().unwrap_or_else(nothing));
    let figures = Figures {
        before: Some(first.figures),
        after: second.figures,
        limiting: None,
        band_gain: Vec::new(),
        equalizer: None,
    };
    let comparison = Comparison {
        version: REPORT_VERSION,
        before: first.compared,
        after: second.compared,
        qualities,
        figures,
        short_term_lufs: first.short_term_lufs,
    };
    if let Some(page) = page {
        page::of_comparison(page, &comparison)?;
    }
    Ok(comparison)
}

/// Measurements of one file.
struct MeasuredFile {
    compared: Compared,
    figures: SoundFigures,
    sound: Option<Sound>,
    short_term_lufs: Vec<f32>,
}

fn measured(path: &Path, subject: Subject, observer: &dyn Observer) -> Result<MeasuredFile, crate::io::Error> {
    let (info, profile, timeline, faults) = measure_with_timeline(path, observer)?;
    let figures = SoundFigures::of_profile(&profile, &timeline);
    let warnings = with_sentences(Warning::of_measured(&subject, &faults, &profile, Some(&timeline)));
    let file = FileReport {
        path: path.display().to_string(),
        codec: info.codec,
        sample_rate_hz: info.sample_rate_hz,
        channels: info.channels,
        frames: profile.frames,
    };
    Ok(MeasuredFile {
        compared: Compared { file, levels: Levels::of_profile(&profile), warnings },
        figures,
        sound: Sound::of_profile(&profile),
        short_term_lufs: timeline.short_term_lufs,
    })
}
