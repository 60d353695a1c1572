//! A cue sheet and a track list of an album, beside its masters.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::batch::outcome::Outcome;
use crate::batch::plan::{Item, Plan};
use crate::batch::record::Records;
use crate::batch::report::{csv_line, text_cell};
use crate::error::Error;
use crate::io::output_spec::Format;
use crate::io::tags::{TagFacts, Tags};
use crate::io::text;

/// Frames of a CD per second, in which a cue sheet counts.
const CD_FRAMES_PER_S: f64 = 75.0;
/// Letters and digits of an ISRC (ISO 3901).
const ISRC_LENGTH: usize = 12;

/// The first line of a sheet.
const MARK: &str = "REM COMMENT \"goldmaster\"\n";
/// How a track list begins.
const LIST_BEGINS: &str = "track,title,artist,";

/// A track of an album.
struct Track {
    /// The master, relative to the sheet.
    file: String,
    tags: TagFacts,
    /// Its name without folders and extension.
    name: String,
    length_s: f64,
}

/// Writes the cue sheet and the track list of an album whose songs all have masters, `gap_s` of silence before every track
/// but the first; `None` where a master is missing.
///
/// # Errors
/// They cannot be written.
pub(super) fn write(
    plan: &Plan,
    name: Option<&str>,
    output: &Path,
    (records, outcomes): (&Records, &[Outcome]),
    gap_s: f64,
) -> Result<Option<PathBuf>, Error> {
    let has_master = |outcome: &Outcome| matches!(outcome, Outcome::Mastered | Outcome::Unchanged);
    if plan.items.is_empty() || !outcomes.iter().all(has_master) {
        return Ok(None);
    }
    let folder = common_folder(&plan.items);
    let tracks = plan.items.iter().map(|item| track(item, &folder, records)).collect::<Option<Vec<Track>>>();
    let Some(tracks) = tracks else { return Ok(None) };
    let title = shared(&tracks, |tags| tags.album.as_ref());
    let own_name = name.and_then(|name| Path::new(name).file_name()).map(|name| name.to_string_lossy().into_owned());
    let stem = own_name.unwrap_or_else(|| "album".to_owned());
    let sheet = output.join(&folder).join(format!("{stem}.cue"));
    text::replace(&sheet, &cue_sheet(&tracks, title, gap_s), MARK)?;
    let list = sheet.with_file_name(format!("{stem}.tracks.csv"));
    text::replace(&list, &String::from_utf8_lossy(&track_list(&tracks, gap_s)), LIST_BEGINS)?;
    Ok(Some(sheet))
}

fn track(item: &Item, folder: &Path, records: &Records) -> Option<Track> {
    let report = records.read(&item.output)?.report()?;
    let file = item.output.strip_prefix(folder).unwrap_or(&item.output);
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let length_s = report.output.frames as f64 / f64::from(report.output.sample_rate_hz);
    let file = file.to_string_lossy().replace('\\', "/");
    Some(Track { file, tags: Tags::read(&item.input).facts(), name, length_s })
}

/// The deepest folder that holds all masters.
fn common_folder(items: &[Item]) -> PathBuf {
    let folder = |item: &Item| item.output.parent().map(Path::to_owned).unwrap_or_default();
    let mut folders = items.iter().map(folder);
    let first = folders.next().unwrap_or_default();
    folders.fold(first, |common, folder| {
        let parts = common.components().zip(folder.components());
        parts.take_while(|(one, other)| one == other).map(|(one, _)| one).collect()
    })
}

/// What the tags of all tracks agree on.
fn shared<'a>(tracks: &'a [Track], of: impl Fn(&'a TagFacts) -> Option<&'a String>) -> Option<&'a String> {
    let first = of(&tracks.first()?.tags);
    first.filter(|_| tracks.iter().all(|track| of(&track.tags) == first))
}

fn cue_sheet(tracks: &[Track], title: Option<&String>, gap_s: f64) -> String {
    let mut out = MARK.to_owned();
    let quoted =
        |text: &str| text.chars().map(|c| if c.is_control() || c == '"' { '\'' } else { c }).collect::<String>();
    let mut line = |indent: usize, text: String| {
        let _ = writeln!(out, "{:indent$}{text}", "");
    };
    let performer = |tags: &TagFacts| tags.artist.clone().or_else(|| tags.album_artist.clone());
    let album_artist =
        shared(tracks, |tags| tags.album_artist.as_ref()).or_else(|| shared(tracks, |tags| tags.artist.as_ref()));
    album_artist.into_iter().for_each(|artist| line(0, format!("PERFORMER \"{}\"", quoted(artist))));
    title.into_iter().for_each(|title| line(0, format!("TITLE \"{}\"", quoted(title))));
    for (n, Track { file, tags, name, .. }) in tracks.iter().enumerate() {
        // The type that players know for sound of other kinds as well.
        let kind = if Format::of_path(Path::new(file)) == Some(Format::Mp3) { "MP3" } else { "WAVE" };
        line(0, format!("FILE \"{}\" {kind}", quoted(file)));
        line(2, format!("TRACK {:02} AUDIO", n + 1));
        line(4, format!("TITLE \"{}\"", quoted(tags.title.as_ref().unwrap_or(name))));
        performer(tags).into_iter().for_each(|artist| line(4, format!("PERFORMER \"{}\"", quoted(&artist))));
        isrc(tags).into_iter().for_each(|isrc| line(4, format!("ISRC {isrc}")));
        if n > 0 && gap_s > 0.0 {
            line(4, format!("PREGAP {}", cd_time(gap_s)));
        }
        line(4, "INDEX 01 00:00:00".to_owned());
    }
    out
}

fn track_list(tracks: &[Track], gap_s: f64) -> Vec<u8> {
    let mut out = csv_line(&["track", "title", "artist", "isrc", "length", "gap_before", "starts_at", "file"]);
    let mut at_s = 0.0;
    for (n, track) in tracks.iter().enumerate() {
        let Track { file, tags, name, length_s } = track;
        let gap_s = if n > 0 { gap_s } else { 0.0 };
        at_s += gap_s;
        out.extend(csv_line(&[
            (n + 1).to_string(),
            text_cell(tags.title.as_ref().unwrap_or(name)),
            text_cell(tags.artist.as_deref().unwrap_or_default()),
            isrc(tags).unwrap_or_default(),
            clock(*length_s),
            clock(gap_s),
            clock(at_s),
            text_cell(file),
        ]));
        at_s += length_s;
    }
    out
}

/// The ISRC of a song as a cue sheet has it: twelve letters and digits.
fn isrc(tags: &TagFacts) -> Option<String> {
    let code: String = tags.isrc.as_ref()?.chars().filter(char::is_ascii_alphanumeric).collect();
    (code.len() == ISRC_LENGTH).then(|| code.to_uppercase())
}

/// Minutes, seconds and frames of a CD.
fn cd_time(seconds: f64) -> String {
    let frames = (seconds * CD_FRAMES_PER_S).round() as u64;
    format!("{:02}:{:02}:{:02}", frames / 75 / 60, frames / 75 % 60, frames % 75)
}

/// Minutes, seconds and thousandths.
fn clock(seconds: f64) -> String {
    let thousandths = (seconds * 1000.0).round() as u64;
    format!("{}:{:02}.{:03}", thousandths / 60_000, thousandths / 1000 % 60, thousandths % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(title: Option<&str>, isrc: Option<&str>, length_s: f64) -> Track {
        let text = |text: &str| text.to_owned();
        let tags = TagFacts {
            title: title.map(text),
            artist: Some("A".to_owned()),
            album: Some("B".to_owned()),
            isrc: isrc.map(text),
            ..TagFacts::default()
        };
        Track { file: "CD1/x.wav".to_owned(), tags, name: "x".to_owned(), length_s }
    }

    #[test]
    fn a_cue_sheet_has_titles_codes_and_gaps() {
        let tracks = [track(Some("One \"1\""), Some("us-abc-12-34567"), 61.5), track(None, Some("short"), 2.0)];
        let sheet = cue_sheet(&tracks, shared(&tracks, |tags| tags.album.as_ref()), 2.0);
        let expected = "REM COMMENT \"goldmaster\"\nPERFORMER \"A\"\nTITLE \"B\"\n\
            FILE \"CD1/x.wav\" WAVE\n  TRACK 01 AUDIO\n    TITLE \"One '1'\"\n    PERFORMER \"A\"\n    ISRC USABC1234567\n    INDEX 01 00:00:00\n\
            FILE \"CD1/x.wav\" WAVE\n  TRACK 02 AUDIO\n    TITLE \"x\"\n    PERFORMER \"A\"\n    PREGAP 00:02:00\n    INDEX 01 00:00:00\n";
        assert_eq!(sheet, expected);
        let list = String::from_utf8(track_list(&tracks, 2.0)).expect("text");
        assert!(list.contains("2,x,A,,0:02.000,0:02.000,1:03.500,CD1/x.wav"), "{list}");
    }
}
