//! Writes a cue sheet and a track list of an album, beside its masters.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::batch::albums::{common_folder, disc, disc_of_folder, name_of_one, without_disc};
use crate::batch::outcome::Outcome;
use crate::batch::plan::{Item, Plan};
use crate::batch::record::Records;
use crate::batch::report::{csv_line, text_cell};
use crate::error::Error;
use crate::io;
use crate::io::output_spec::Format;
use crate::io::tags::{TagFacts, Tags};
use crate::io::text;
use crate::report::album::{StaleCueSheets, WithoutCueSheet};
use crate::request::naming::harmless;
use crate::request::paths::{MAX_NAME_BYTES, shortened};

/// Frames of a CD per second: the time unit of cue sheets.
const CD_FRAMES_PER_S: f64 = 75.0;
/// Room for the disc and the extension in the name of a sheet or list, bytes.
const ENDING_BYTES: usize = 32;
/// Number of letters and digits in an ISRC (ISO 3901).
const ISRC_LENGTH: usize = 12;

/// The first line of every sheet; marks it as written by this program.
const CUE_SHEET_START: &str = "REM COMMENT \"goldmaster\"\n";
/// The start of every track list.
const TRACK_LIST_START: &str = "track,title,artist,";

/// A track of an album.
struct Track {
    /// Path of the master, relative to the sheet.
    file: PathBuf,
    tags: TagFacts,
    /// File name without folders and extension.
    name: String,
    length_s: f64,
}

/// Remarks about the cue sheets of an album.
#[derive(Default)]
pub(super) struct CueNotes {
    /// The unfinished songs, if nothing was written.
    pub without: Option<WithoutCueSheet>,
    /// Sheets of earlier runs that are no longer written, if there are any.
    pub stale: Option<StaleCueSheets>,
}

/// Writes the cue sheet and the track list of an album, with `gap_s` seconds of silence before every track but the
/// first. An album of several discs gets both for each disc, beside the masters of that disc. If a song has no master,
/// nothing is written and the unfinished songs are returned.
///
/// # Errors
/// The files cannot be written.
pub(super) fn write(
    plan: &Plan,
    name: Option<&str>,
    output: &Path,
    (records, outcomes): (&Records, &[Outcome]),
    gap_s: f64,
) -> Result<CueNotes, Error> {
    let mut titles = Vec::new();
    let mut discs: BTreeMap<u32, Vec<(&Item, Option<Track>)>> = BTreeMap::new();
    for (item, outcome) in plan.items.iter().zip(outcomes) {
        let tags = Tags::read(&item.input).facts();
        titles.extend(tags.album.as_deref().map(|title| without_disc(title).to_owned()));
        let disc = disc(item, &tags);
        let track = if outcome.has_master() { track(item, tags, records) } else { None };
        discs.entry(disc).or_default().push((item, track));
    }
    let all = discs.values().flatten();
    let unfinished: Vec<_> =
        all.filter(|(_, track)| track.is_none()).map(|(item, _)| item.input.display().to_string()).collect();
    let (stem, count) = (stem(plan, name, &titles), discs.len());
    let beside = |folder: &Path, number: u32, ending: &str| {
        let disc = if count > 1 { format!(" (disc {number})") } else { String::new() };
        output.join(folder).join(format!("{stem}{disc}.{ending}"))
    };
    let mut earlier = earlier_sheets(&stem, output, discs.values().map(|tracks| folder_of(tracks)).collect());
    let album = name.map(str::to_owned);
    let shown = |sheets: BTreeSet<PathBuf>| sheets.iter().map(|sheet| sheet.display().to_string()).collect();
    if !unfinished.is_empty() {
        let without = WithoutCueSheet { album, songs: plan.items.len(), unfinished, earlier: shown(earlier) };
        return Ok(CueNotes { without: Some(without), ..CueNotes::default() });
    }
    for (number, tracks) in discs {
        let folder = folder_of(&tracks);
        let tracks: Vec<Track> = tracks.into_iter().filter_map(|(_, track)| Some(track?.seen_from(&folder))).collect();
        let disc = (count > 1).then_some((number, count));
        let [sheet, list] = ["cue", "tracks.csv"].map(|ending| beside(&folder, number, ending));
        text::replace_own(&sheet, &cue_sheet(&tracks, disc, gap_s), CUE_SHEET_START)?;
        text::replace_own(&list, &String::from_utf8_lossy(&track_list(&tracks, gap_s)), TRACK_LIST_START)?;
        earlier.remove(&sheet);
    }
    let stale = (!earlier.is_empty()).then(|| StaleCueSheets { album, sheets: shown(earlier) });
    Ok(CueNotes { stale, ..CueNotes::default() })
}

/// Returns the sheets that earlier runs have written for an album, however many discs it had then. `folders` are those
/// of its discs, relative to the output folder.
fn earlier_sheets(stem: &str, output: &Path, folders: Vec<PathBuf>) -> BTreeSet<PathBuf> {
    let paths = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let common = common_folder(folders.iter().map(PathBuf::as_path));
    let above_discs = common.ancestors().find(|folder| disc_of_folder(folder).is_none()).unwrap_or(Path::new(""));
    let above_discs = output.join(above_discs);
    let discs = paths(&above_discs).into_iter().filter(|path| disc_of_folder(path).is_some() && path.is_dir());
    let all: BTreeSet<PathBuf> =
        folders.iter().map(|folder| output.join(folder)).chain(discs).chain([above_discs]).collect();
    let is_sheet = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let disc = name.strip_prefix(stem).and_then(|rest| rest.strip_suffix(".cue"));
        disc.is_some_and(|disc| disc.is_empty() || number_of_disc(disc).is_some())
            && text::starts_with(path, CUE_SHEET_START)
    };
    all.iter().flat_map(|folder| paths(folder)).filter(is_sheet).collect()
}

/// Returns the number in ` (disc 2)`.
fn number_of_disc(text: &str) -> Option<u32> {
    text.strip_prefix(" (disc ")?.strip_suffix(')')?.parse().ok()
}

/// Returns the track of a song, relative to the output folder; `None` if its record is missing.
fn track(item: &Item, tags: TagFacts, records: &Records) -> Option<Track> {
    let report = records.read(&item.output)?.report()?;
    let name = item.output.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let length_s = report.output.frames as f64 / f64::from(report.output.sample_rate_hz);
    Some(Track { file: item.output.clone(), tags, name, length_s })
}

impl Track {
    /// Returns the same track with its path relative to `folder`.
    fn seen_from(self, folder: &Path) -> Self {
        let file = self.file.strip_prefix(folder).map(Path::to_owned);
        Self { file: file.unwrap_or(self.file), ..self }
    }

    /// Returns the path as text, with the slashes that every player reads.
    fn file(&self) -> String {
        self.file.to_string_lossy().replace('\\', "/")
    }
}

/// Formats a name for the FILE line. Cue sheets cannot escape a quotation mark: players take either a word without
/// quotation marks and spaces, or the text between two equal marks.
fn file_name(name: &str) -> String {
    match name {
        name if !name.contains('"') => format!("\"{name}\""),
        name if !name.contains(char::is_whitespace) => name.to_owned(),
        name if !name.contains('\'') => format!("'{name}'"),
        name => format!("\"{name}\""),
    }
}

/// Returns the deepest folder that contains all masters, relative to the output folder.
fn folder_of(tracks: &[(&Item, Option<Track>)]) -> PathBuf {
    common_folder(tracks.iter().map(|(item, _)| item.output.parent().unwrap_or(Path::new(""))))
}

/// Returns the name of an album's sheets: its title, if all tags that have one agree, or else the name of its folder.
/// Those of one of several destinations name that as well.
fn stem(plan: &Plan, name: Option<&str>, titles: &[String]) -> String {
    let first = titles.first().filter(|first| !first.is_empty());
    let title = first.filter(|first| titles.iter().all(|title| title.to_lowercase() == first.to_lowercase()));
    let place = plan.items.first().and_then(|item| item.settings.master.delivery.destination());
    let place = place.map(|place| format!(" [{place}]"));
    let place = place.filter(|place| name.is_some_and(|name| name.ends_with(place.as_str())));
    let folder = name.and_then(|name| Path::new(name).file_name()).map(|name| name.to_string_lossy().into_owned());
    let stem = match title {
        Some(title) => harmless(title) + &place.unwrap_or_default(),
        None => folder.unwrap_or_else(|| name_of_one(plan.items.iter())),
    };
    shortened(stem.as_ref(), MAX_NAME_BYTES - ENDING_BYTES).to_string_lossy().into_owned()
}

/// Returns the value that the tags of all tracks agree on.
fn shared<'a>(tracks: &'a [Track], of: impl Fn(&'a TagFacts) -> Option<&'a String>) -> Option<&'a String> {
    let first = of(&tracks.first()?.tags);
    first.filter(|_| tracks.iter().all(|track| of(&track.tags) == first))
}

/// Returns the cue sheet of an album, or of one of its discs: `disc` is the number of the disc and the number of
/// discs.
fn cue_sheet(tracks: &[Track], disc: Option<(u32, usize)>, gap_s: f64) -> String {
    let mut out = CUE_SHEET_START.to_owned();
    let quoted =
        |text: &str| text.chars().map(|c| if c.is_control() || c == '"' { '\'' } else { c }).collect::<String>();
    let mut line = |indent: usize, text: String| {
        let _ = writeln!(out, "{:indent$}{text}", "");
    };
    let performer = |tags: &TagFacts| tags.artist.clone().or_else(|| tags.album_artist.clone());
    let album_artist =
        shared(tracks, |tags| tags.album_artist.as_ref()).or_else(|| shared(tracks, |tags| tags.artist.as_ref()));
    album_artist.into_iter().for_each(|artist| line(0, format!("PERFORMER \"{}\"", quoted(artist))));
    let title = shared(tracks, |tags| tags.album.as_ref());
    disc.into_iter().for_each(|(number, count)| {
        line(0, format!("REM DISCNUMBER {number}"));
        line(0, format!("REM TOTALDISCS {count}"));
    });
    title.into_iter().for_each(|title| line(0, format!("TITLE \"{}\"", quoted(title))));
    for (n, track) in tracks.iter().enumerate() {
        let Track { file, tags, name, .. } = track;
        // Players take WAVE to mean any kind of sound but MP3.
        let kind = if Format::of_path(file) == Some(Format::Mp3) { "MP3" } else { "WAVE" };
        line(0, format!("FILE {} {kind}", file_name(&io::name(track.file().as_ref()))));
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
        let Track { file: _, tags, name, length_s } = track;
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
            text_cell(&track.file()),
        ]));
        at_s += length_s;
    }
    out
}

/// Returns the ISRC of a song in the form of cue sheets: twelve letters and digits, upper case.
fn isrc(tags: &TagFacts) -> Option<String> {
    let code: String = tags.isrc.as_ref()?.chars().filter(char::is_ascii_alphanumeric).collect();
    (code.len() == ISRC_LENGTH).then(|| code.to_uppercase())
}

/// Formats a time as minutes, seconds and CD frames.
fn cd_time(seconds: f64) -> String {
    let frames = (seconds * CD_FRAMES_PER_S).round() as u64;
    format!("{:02}:{:02}:{:02}", frames / 75 / 60, frames / 75 % 60, frames % 75)
}

/// Formats a time as minutes, seconds and milliseconds.
fn clock(seconds: f64) -> String {
    let thousandths = (seconds * 1000.0).round() as u64;
    format!("{}:{:02}.{:03}", thousandths / 60_000, thousandths / 1000 % 60, thousandths % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::inputs::Found;
    use crate::batch::settings::defaults;
    use crate::request::destination::Destination;

    fn track(title: Option<&str>, isrc: Option<&str>, length_s: f64) -> Track {
        let text = |text: &str| text.to_owned();
        let tags = TagFacts {
            title: title.map(text),
            artist: Some("A".to_owned()),
            album: Some("B".to_owned()),
            isrc: isrc.map(text),
            ..TagFacts::default()
        };
        Track { file: "CD1/x.wav".into(), tags, name: "x".to_owned(), length_s }
    }

    #[test]
    fn a_cue_sheet_has_titles_codes_and_gaps() {
        let tracks = [track(Some("One \"1\""), Some("us-abc-12-34567"), 61.5), track(None, Some("short"), 2.0)];
        let sheet = cue_sheet(&tracks, None, 2.0);
        let expected = "REM COMMENT \"goldmaster\"\nPERFORMER \"A\"\nTITLE \"B\"\n\
            FILE \"CD1/x.wav\" WAVE\n  TRACK 01 AUDIO\n    TITLE \"One '1'\"\n    PERFORMER \"A\"\n    ISRC USABC1234567\n    INDEX 01 00:00:00\n\
            FILE \"CD1/x.wav\" WAVE\n  TRACK 02 AUDIO\n    TITLE \"x\"\n    PERFORMER \"A\"\n    PREGAP 00:02:00\n    INDEX 01 00:00:00\n";
        assert_eq!(sheet, expected);
        let list = String::from_utf8(track_list(&tracks, 2.0)).expect("text");
        assert!(list.contains("2,x,A,,0:02.000,0:02.000,1:03.500,CD1/x.wav"), "{list}");
        let disc = cue_sheet(&tracks, Some((2, 3)), 0.0);
        assert!(disc.contains("REM DISCNUMBER 2\nREM TOTALDISCS 3\nTITLE \"B\"\n"), "{disc}");
    }

    #[test]
    fn sheets_have_the_title_of_the_album_or_the_name_of_its_folder() {
        let mut settings = defaults();
        settings.master.delivery.destinations = vec![Destination::Cd];
        let found = Found { path: "in/x.wav".into(), relative: "x.wav".into(), problem: None };
        let plan = Plan::uniform(vec![found], settings, Path::new("out"), None).expect("one song");
        let stem_of = |name: Option<&str>, titles: &[&str]| {
            let titles: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
            stem(&plan, name, &titles)
        };
        assert_eq!(stem_of(Some("a/b"), &["AC/DC", "ac/dc"]), "AC_DC");
        assert_eq!(stem_of(Some("a/b [cd]"), &["One"]), "One [cd]");
        assert_eq!(stem_of(Some("a/b [cd]"), &["One", "Two"]), "b [cd]");
        assert_eq!(stem_of(Some("a/b"), &[""]), "b");
        assert_eq!(stem_of(None, &[]), "in");
        assert_eq!(stem_of(None, &["é".repeat(300).as_str()]).len(), MAX_NAME_BYTES - ENDING_BYTES);
    }

    #[test]
    fn a_quotation_mark_in_the_name_of_a_file_ends_no_name() {
        let names = ["a b.wav", "it's.wav", "12\"-mix.wav", "The 12\" Mix.wav"];
        assert_eq!(names.map(file_name), ["\"a b.wav\"", "\"it's.wav\"", "12\"-mix.wav", "'The 12\" Mix.wav'"]);
    }
}
