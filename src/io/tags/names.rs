//! Maps the names of texts in all formats to those of Vorbis comments.

/// A text for which several formats have a field of their own.
pub(super) struct Name {
    pub name: &'static str,
    /// Frame of ID3v2.4.
    pub id3: &'static str,
    /// Frame of ID3v2.2.
    pub id3_short: &'static str,
    /// Item of an MP4, in which `\u{a9}` is the Mac OS Roman character.
    pub mp4: &'static str,
    /// Chunk of a RIFF INFO list.
    pub info: &'static str,
}

const fn name(
    name: &'static str,
    id3: &'static str,
    id3_short: &'static str,
    mp4: &'static str,
    info: &'static str,
) -> Name {
    Name { name, id3, id3_short, mp4, info }
}

/// Texts with fields of their own; any other keeps its name and is written as a custom field.
pub(super) const NAMES: &[Name] = &[
    name("TITLE", "TIT2", "TT2", "\u{a9}nam", "INAM"),
    name("ARTIST", "TPE1", "TP1", "\u{a9}ART", "IART"),
    name("ALBUM", "TALB", "TAL", "\u{a9}alb", "IPRD"),
    name("ALBUMARTIST", "TPE2", "TP2", "aART", ""),
    name("DATE", "TDRC", "TYE", "\u{a9}day", "ICRD"),
    name("ORIGINALDATE", "TDOR", "TOR", "", ""),
    name("GENRE", "TCON", "TCO", "\u{a9}gen", "IGNR"),
    name(TRACK, "TRCK", "TRK", "", "ITRK"),
    name(DISC, "TPOS", "TPA", "", ""),
    name("COMPOSER", "TCOM", "TCM", "\u{a9}wrt", "IMUS"),
    name("LYRICIST", "TEXT", "TXT", "", "IWRI"),
    name("CONDUCTOR", "TPE3", "TP3", "", ""),
    name("REMIXER", "TPE4", "TP4", "", ""),
    name("BPM", "TBPM", "TBP", "", ""),
    name("INITIALKEY", "TKEY", "TKE", "", ""),
    name("ISRC", "TSRC", "TRC", "", ""),
    name("COPYRIGHT", "TCOP", "TCR", "cprt", "ICOP"),
    name("LABEL", "TPUB", "TPB", "", "IPUB"),
    name("LANGUAGE", "TLAN", "TLA", "", "ILNG"),
    name("GROUPING", "TIT1", "TT1", "\u{a9}grp", ""),
    name("SUBTITLE", "TIT3", "TT3", "", ""),
    name("DISCSUBTITLE", "TSST", "", "", ""),
    name("MOOD", "TMOO", "", "", ""),
    name("MEDIA", "TMED", "TMT", "", "IMED"),
    name("COMPILATION", "TCMP", "TCP", "", ""),
    name("ORIGINALARTIST", "TOPE", "TOA", "", ""),
    name("ORIGINALALBUM", "TOAL", "TOT", "", ""),
    name("TITLESORT", "TSOT", "TST", "sonm", ""),
    name("ARTISTSORT", "TSOP", "TSP", "soar", ""),
    name("ALBUMSORT", "TSOA", "TSA", "soal", ""),
    name("ALBUMARTISTSORT", "TSO2", "TS2", "soaa", ""),
    name("COMPOSERSORT", "TSOC", "TSC", "soco", ""),
    // ID3 has special frames for comments and lyrics.
    name(COMMENT, "", "", "\u{a9}cmt", "ICMT"),
    name(LYRICS, "", "", "\u{a9}lyr", ""),
    name("ENGINEER", "", "", "", "IENG"),
    name("SUBJECT", "", "", "", "ISBJ"),
    name("KEYWORDS", "", "", "", "IKEY"),
    // The ISRC field of INFO is the source of a recording, not its code.
    name("SOURCE", "", "", "", "ISRC"),
];

pub(super) const TRACK: &str = "TRACKNUMBER";
pub(super) const TRACK_TOTAL: &str = "TRACKTOTAL";
pub(super) const DISC: &str = "DISCNUMBER";
pub(super) const DISC_TOTAL: &str = "DISCTOTAL";
pub(super) const COMMENT: &str = "COMMENT";
pub(super) const LYRICS: &str = "LYRICS";
/// Name of the program that wrote a file.
pub(super) const SOFTWARE: &str = "ENCODER";

/// Other spellings of names, with the canonical ones.
const ALIASES: &[(&str, &str)] = &[
    ("TOTALTRACKS", TRACK_TOTAL),
    ("TRACKC", TRACK_TOTAL),
    ("TOTALDISCS", DISC_TOTAL),
    ("DISCC", DISC_TOTAL),
    ("TRACK", TRACK),
    ("DISC", DISC),
    ("YEAR", "DATE"),
    ("ALBUM ARTIST", "ALBUMARTIST"),
    ("ALBUM_ARTIST", "ALBUMARTIST"),
    ("UNSYNCEDLYRICS", LYRICS),
    ("UNSYNCED LYRICS", LYRICS),
    ("ORGANIZATION", "LABEL"),
    ("PUBLISHER", "LABEL"),
    ("TEMPO", "BPM"),
    ("DATE_RECORDED", "DATE"),
    ("COMMENTS", COMMENT),
];

/// Names, or prefixes of names, of texts that describe the loudness, the length or the encoder of the source.
const STALE_NAMES: &[&str] = &[
    "REPLAYGAIN_",
    "R128_",
    "MP3GAIN_",
    "ITUNNORM",
    "ITUNSMPB",
    "ITUNES_CDDB_",
    "ENCODER",
    "ENCODING",
    "ENCODED",
    "LENGTH",
    "SQAM_",
    "WAVEFORMATEXTENSIBLE_",
    "DURATION",
    "NUMBER_OF_",
    "_STATISTICS",
    "CWFB_",
    "ACCURATERIP",
    "REPLAY GAIN",
];

/// Returns the canonical spelling of a name.
pub(super) fn canonical(name: &str) -> String {
    let upper: String = name.trim().to_uppercase();
    ALIASES.iter().find(|(other, _)| *other == upper).map_or(upper, |(_, name)| (*name).to_owned())
}

/// True if a text of this name would be wrong for the master.
pub(super) fn is_stale(name: &str) -> bool {
    let name = name.rsplit(':').next().unwrap_or(name).to_ascii_uppercase();
    STALE_NAMES.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_names_are_known_in_any_spelling() {
        for name in ["replaygain_track_gain", "R128_ALBUM_GAIN", "----:com.apple.iTunes:iTunNORM", "Encoder"] {
            assert!(is_stale(name), "{name}");
        }
        assert!(!is_stale("TITLE") && !is_stale("GAIN"));
    }

    #[test]
    fn no_place_holds_two_texts() {
        type Place = fn(&Name) -> &'static str;
        let places: [Place; 5] = [|n| n.name, |n| n.id3, |n| n.id3_short, |n| n.mp4, |n| n.info];
        for place in places {
            let mut all: Vec<&str> = NAMES.iter().map(place).filter(|text| !text.is_empty()).collect();
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count);
        }
    }
}
