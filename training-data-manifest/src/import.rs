//! Rows for files that are not listed yet, as far as the files themselves tell.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::error::Error;
use crate::table::{Row, Table, read};

/// What `goldmaster analyze --json` says of one file.
#[derive(Debug, Clone, Default, PartialEq)]
struct Measured {
    codec: String,
    sample_rate_hz: String,
    duration_s: String,
    bandwidth_hz: String,
}

/// Rows for those of the files (names and hashes) that `table` does not list, by name. Genre, artist and title are the
/// parts of `genre__artist__title.ext`; codec, rate, duration and bandwidth come from `analysis`, the lines that
/// `goldmaster analyze --json FILES` prints. Licence, source and the rest are left empty, for [`crate::check`] to ask
/// for.
///
/// # Errors
/// `analysis` cannot be read, or is not what `analyze --json` prints.
pub fn rows(table: &Table, files: &BTreeMap<String, String>, analysis: Option<&Path>) -> Result<Vec<Row>, Error> {
    let measured = analysis.map_or(Ok(BTreeMap::new()), measurements)?;
    let unlisted = files.iter().filter(|(_, hash)| !table.rows.iter().any(|row| row.sha256 == **hash));
    let row = |(name, hash): (&String, &String)| {
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
        let mut parts = stem.splitn(3, "__").map(|part| part.replace('-', " "));
        let Measured { codec, sample_rate_hz, duration_s, bandwidth_hz } =
            measured.get(name).cloned().unwrap_or_default();
        Row {
            id: hash.get(..12).unwrap_or_default().to_owned(),
            file: name.clone(),
            genre: parts.next().unwrap_or_default(),
            artist: parts.next().unwrap_or_default(),
            title: parts.next().unwrap_or_default(),
            codec,
            sample_rate_hz,
            duration_s,
            bandwidth_hz,
            sha256: hash.clone(),
            split: "train".to_owned(),
            ..Row::default()
        }
    };
    Ok(unlisted.map(row).collect())
}

/// Rows as lines of `manifest.csv`, without its header.
pub fn text(rows: &[Row]) -> String {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).expect("rows are strings, and memory takes them");
    }
    String::from_utf8(writer.into_inner().expect("memory takes them")).expect("strings are UTF-8")
}

fn measurements(path: &Path) -> Result<BTreeMap<String, Measured>, Error> {
    let wrong = |cause: String| Error::Json { path: path.to_owned(), cause };
    let text = String::from_utf8(read(path)?).map_err(|e| wrong(e.to_string()))?;
    let mut found = BTreeMap::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let value: Value = serde_json::from_str(line).map_err(|e| wrong(format!("line {}: {e}", n + 1)))?;
        let (name, measured) =
            measurement(&value).ok_or_else(|| wrong(format!("line {} is not of analyze --json", n + 1)))?;
        found.insert(name, measured);
    }
    Ok(found)
}

fn measurement(value: &Value) -> Option<(String, Measured)> {
    let name = Path::new(value["path"].as_str()?).file_name()?.to_str()?.to_owned();
    let profile = &value["profile"];
    let rate = profile["sample_rate_hz"].as_u64().filter(|rate| *rate > 0)?;
    let seconds = profile["frames"].as_u64()? as f64 / rate as f64;
    let codec = value["codec"].as_str()?.split(' ').next()?.to_lowercase();
    let measured = Measured {
        codec: if matches!(codec.as_str(), "wav" | "aiff") { "pcm".to_owned() } else { codec },
        sample_rate_hz: rate.to_string(),
        duration_s: format!("{seconds:.1}"),
        bandwidth_hz: format!("{:.0}", profile["spectrum"]["cutoff_hz"].as_f64()?),
    };
    Some((name, measured))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::rows;
    use crate::audio::sha256;
    use crate::table::{Row, Table};

    #[test]
    fn unlisted_files_become_rows_and_nothing_is_invented() {
        let listed = sha256(b"listed");
        let new = sha256(b"new");
        let table = Table { rows: vec![Row { sha256: listed.clone(), ..Row::default() }] };
        let files = BTreeMap::from([
            ("pop__some-one__old.flac".to_owned(), listed),
            ("pop__some-one__new-song.flac".to_owned(), new.clone()),
        ]);
        let folder = tempfile::tempdir().unwrap();
        let analysis = folder.path().join("analysis.jsonl");
        let line = r#"{"path":"a/pop__some-one__new-song.flac","codec":"FLAC","profile":
            {"sample_rate_hz":44100,"frames":882000,"spectrum":{"cutoff_hz":22050.0}}}"#;
        std::fs::write(&analysis, line.replace('\n', "")).unwrap();
        let expected = Row {
            id: new[..12].to_owned(),
            file: "pop__some-one__new-song.flac".into(),
            genre: "pop".into(),
            artist: "some one".into(),
            title: "new song".into(),
            codec: "flac".into(),
            sample_rate_hz: "44100".into(),
            duration_s: "20.0".into(),
            bandwidth_hz: "22050".into(),
            sha256: new,
            split: "train".into(),
            ..Row::default()
        };
        assert_eq!(rows(&table, &files, Some(&analysis)).unwrap(), [expected]);
    }
}
