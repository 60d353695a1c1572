//! Text for a person at a terminal, with the same facts as the report.

mod check;
mod master;
pub(crate) mod progress_bar;
mod spark;
pub mod style;
mod text;

use std::fmt::Write as _;

use analyzer::crossover::{BAND_NAMES, BANDS};
use analyzer::profile::Profile;
use models::genre;
use models::norm::{NormProfile, UNIVERSAL};

pub(crate) use self::check::check_table;
pub(crate) use self::master::comparison_summary;
pub use self::master::{further_master, master_summary};
use self::style::TextStyle;
pub use self::text::printable;
use self::text::{bullets, optional, wrapped};
use crate::report::album::AlbumReport;
use crate::report::analysis::Analysis;
use crate::report::with_sentence::sentences;

/// Returns the genres that a song can be mastered towards, with the number of songs in each profile.
///
/// # Errors
/// If the compiled-in files do not fit this program.
pub(crate) fn genre_table() -> Result<String, models::error::Error> {
    let recognizable = genre::recognizable_genres()?;
    let mut out = String::new();
    for NormProfile { name, songs, .. } in genre::profiles()? {
        let note = if recognizable.contains(name) { "" } else { "   by name or tags: its sound does not tell it" };
        let _ = writeln!(out, "{name:14}{songs:>4} songs{note}");
    }
    let universal = NormProfile::universal()?;
    let _ = writeln!(out, "{UNIVERSAL:14}{:>4} songs   of all kinds", universal.songs);
    let _ = writeln!(out, "{:14}what a song sounds like, as far as it can be told; {UNIVERSAL} for the rest", "auto");
    Ok(out)
}

/// Returns the table of an album.
pub(crate) fn album_table(album: &AlbumReport) -> String {
    let mut out = String::new();
    if let Some(name) = &album.name {
        let _ = writeln!(out, "{name}");
    }
    let lufs = |value: Option<f64>| value.map_or_else(|| "-".to_string(), |v| format!("{v:.1}"));
    let _ = writeln!(out, "{:34}{:>8}{:>8}{:>8}{:>8}{:>7}{:>7}", "", "before", "after", "moved", "peak", "tone", "now");
    let _ = writeln!(out, "{:34}{:>8}{:>8}{:>8}{:>8}{:>7}{:>7}", "", "LUFS", "LUFS", "LU", "dBTP", "dB", "dB");
    for song in &album.songs {
        let name: String = song.file_name().chars().take(33).collect();
        let moved = song.moved_lu.map_or_else(|| "-".to_string(), |v| format!("{v:+.1}"));
        let (before, after) = (lufs(song.before_lufs), lufs(song.after_lufs));
        let (peak, tone, now) = (song.true_peak_dbtp, song.tone_before_db, song.tone_after_db);
        let _ = writeln!(out, "{name:34}{before:>8}{after:>8}{moved:>8}{peak:>8.1}{tone:>7.1}{now:>7.1}");
    }
    let _ = writeln!(out);
    for sentence in album.sentences() {
        let _ = writeln!(out, "{}", wrapped(&sentence, 0, TextStyle::default().columns));
    }
    out
}

/// Returns the measurements of one file.
pub(crate) fn profile_summary(analysis: &Analysis, style: &TextStyle) -> String {
    let Analysis { path, codec, warnings, profile } = analysis;
    let path = crate::io::name(path.as_ref());
    let mut out = String::new();
    let seconds = profile.seconds();
    let channels = if profile.channels == 1 { "mono" } else { "stereo" };
    let _ = writeln!(
        out,
        "{path}\n{codec}, {channels}, {} Hz, {}:{:04.1}\n",
        profile.sample_rate_hz,
        (seconds / 60.0) as u64,
        seconds % 60.0
    );
    let is_silent = profile.is_inaudible();
    if !is_silent {
        readings(&mut out, profile);
    }
    let mut notes = sentences(warnings);
    if notes.is_empty() && is_silent {
        notes.push("There is nothing to hear.".into());
    } else if !is_silent && profile.loudness.max_momentary_lufs.is_none() {
        notes.push("Shorter than 0.4 s: too short for a loudness.".into());
    }
    bullets(&mut out, "Please note", &notes, style);
    out
}

fn readings(out: &mut String, profile: &Profile) {
    let is_stereo = profile.channels == 2;
    let mut row = |name: &str, value: String| {
        let _ = writeln!(out, "{name:22}{value}");
    };
    let loudness = &profile.loudness;
    row("integrated loudness", optional(loudness.integrated_lufs, "LUFS"));
    row("loudest 0.4 s, 3 s", {
        let momentary = optional(loudness.max_momentary_lufs, "LUFS");
        format!("{momentary}, {}", optional(loudness.max_short_term_lufs, "LUFS"))
    });
    row("loudness range", format!("{:.1} LU", loudness.range_lu));
    if let Some(floor) = loudness.noise_floor {
        row("noise in pauses", format!("{:.1} LUFS", floor.lufs));
    }
    row("true peak", format!("{:.2} dBTP", profile.peak.true_peak_dbtp));
    row("peak to loudness", optional(profile.plr_lu(), "LU"));
    let [_, psr, _] = profile.dynamics.psr_p10_p50_p95_lu;
    row("  of 3 s, median", optional(loudness.max_short_term_lufs.map(|_| psr), "LU"));
    row("tilt", format!("{:.1} dB per octave", profile.spectrum.tilt_db_per_octave));
    row("bandwidth", format!("{:.1} kHz", profile.spectrum.cutoff_hz / 1000.0));
    if let Some(bpm) = profile.rhythm.tempo_bpm {
        row("tempo", format!("{bpm:.0} beats per minute"));
    }
    if is_stereo {
        row("balance", balance(profile.stereo.balance_db));
        row("lost in mono", format!("{:.1} LU", profile.stereo.mono_loss_lu));
    }
    let names = BAND_NAMES.map(|name| name.replace('_', " "));
    let _ = writeln!(out, "\n{:22}{:>10}{:>10}{:>10}{:>10}", "", names[0], names[1], names[2], names[3]);
    let mut bands = |name: &str, value: &dyn Fn(usize) -> f64, digits: usize| {
        let cells: String = (0..BANDS).map(|band| format!("{:>10.digits$}", value(band))).collect();
        let _ = writeln!(out, "{name:22}{cells}");
    };
    bands("level, dBFS", &|b| profile.dynamics.bands[b].level_db, 1);
    bands("crest factor, dB", &|b| profile.dynamics.bands[b].crest_db, 1);
    bands("spread in 100 ms, dB", &|b| profile.dynamics.bands[b].spread_100ms_db, 1);
    if is_stereo {
        bands("side over mid, dB", &|b| profile.stereo.width_db[b], 1);
        bands("correlation", &|b| profile.stereo.correlation[b], 2);
    }
}

fn balance(left_over_right_db: f64) -> String {
    match left_over_right_db {
        db if db >= 0.05 => format!("{db:.1} dB to the left"),
        db if db <= -0.05 => format!("{:.1} dB to the right", -db),
        _ => "centred".into(),
    }
}
