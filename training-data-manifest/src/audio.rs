//! The audio itself, for whoever has it: which file is which excerpt.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::finding::Finding;
use crate::table::Table;

/// SHA-256 (FIPS 180-4) of a file, 64 lower-case hexadecimal digits. Memory does not grow with the file.
///
/// # Errors
/// It cannot be read.
pub fn sha256_of_file(path: &Path) -> Result<String, Error> {
    let failed = Error::io(path);
    let mut file = File::open(path).map_err(&failed)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block).map_err(&failed)? {
            0 => return Ok(hex(&hash.finalize())),
            count => hash.update(&block[..count]),
        }
    }
}

/// SHA-256 of bytes, as [`sha256_of_file`].
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names and hashes of the files that lie directly in `folder`, by name.
///
/// # Errors
/// Something in it cannot be read.
pub fn hashes(folder: &Path) -> Result<BTreeMap<String, String>, Error> {
    let failed = Error::io(folder);
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(&failed)? {
        let path = entry.map_err(&failed)?.path();
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.insert(name, sha256_of_file(&path)?);
        }
    }
    Ok(found)
}

/// Compares the list with the files in a folder, by hash.
pub fn check(table: &Table, found: &BTreeMap<String, String>) -> Vec<Finding> {
    let by_hash: BTreeMap<&str, &str> = found.iter().map(|(name, hash)| (hash.as_str(), name.as_str())).collect();
    let mut findings = Vec::new();
    for row in &table.rows {
        let named = found.get(&row.file);
        if named == Some(&row.sha256) {
            continue;
        }
        findings.push(match (by_hash.get(row.sha256.as_str()), named) {
            (Some(name), _) => {
                Finding::new(row.place(), format!("its audio is called {name}"), format!("rename it to {}", row.file))
            }
            (None, Some(hash)) => Finding::new(
                row.place(),
                format!("{} has the sha256 {hash}", row.file),
                "fetch the file that is listed, or list this one",
            ),
            (None, None) => {
                Finding::new(row.place(), format!("{} is not there", row.file), "fetch it, or take the row out")
            }
        });
    }
    let named: BTreeSet<&str> = table.rows.iter().map(|row| row.file.as_str()).collect();
    for (name, hash) in found.iter().filter(|(name, _)| !named.contains(name.as_str())) {
        match table.rows.iter().find(|row| row.sha256 == *hash) {
            None => findings.push(Finding::new(name, "is not listed", "add a row (see import), or take the file out")),
            Some(row) if found.get(&row.file) == Some(hash) => {
                findings.push(Finding::new(name, format!("is {} once more", row.file), "take one of them out"));
            }
            // Its row has told that it is to be renamed.
            Some(_) => {}
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{check, hashes, sha256};
    use crate::table::{Row, Table};

    #[test]
    fn hashes_are_those_of_the_standard() {
        // FIPS 180-4's examples: "abc" and the empty message.
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn missing_changed_renamed_copied_and_unlisted_files_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let files =
            [("same", "same"), ("changed", "now"), ("new-name", "renamed"), ("copy", "same"), ("other", "other")];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let row = |file: &str, text: &str| Row { file: file.into(), sha256: sha256(text.as_bytes()), ..Row::default() };
        let rows = vec![row("same", "same"), row("changed", "then"), row("old-name", "renamed"), row("gone", "gone")];
        let findings = check(&Table { rows }, &hashes(folder.path()).unwrap());
        let causes: Vec<_> = findings.iter().map(|finding| finding.cause.clone()).collect();
        let changed = format!("changed has the sha256 {}", sha256(b"now"));
        let renamed = "its audio is called new-name";
        assert_eq!(causes, [&changed, renamed, "gone is not there", "is same once more", "is not listed"]);
    }
}
