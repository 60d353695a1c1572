//! Records of finished songs, and the state of a song's master when a batch comes to it.
//!
//! Every song has a record and, while a process works on it, a claim. Both lie in a hidden folder of the output, under
//! the hash of the song's place. The record is written after the master has its final name; if the run is killed
//! before that, the claim stays behind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use analyzer::profile::Profile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Cause;
use crate::io;
use crate::io::claim::Claim;
use crate::io::hash::file_hash;
use crate::report::Report;

/// Name of the folder with records and claims, in the output folder.
const FOLDER: &str = ".goldmaster";

/// Version of the record format; raised when records of older programs would be misread.
const RECORD_VERSION: u32 = 1;

/// The inputs of a master, and the results of making it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of the record format.
    pub version: u32,
    /// Hashes of the mix and of everything else that determines the master.
    pub made_from: MadeFrom,
    /// Hash of the master's file.
    pub output_hash: String,
    /// Measurements of the mix: a [`Profile`].
    pub profile: Value,
    /// Report of the master: a [`Report`].
    pub report: Value,
    /// Locations of mix and master, if their paths are valid Unicode.
    #[serde(default)]
    pub places: Option<Places>,
}

/// Locations of a mix and its master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Places {
    /// Absolute path of the mix.
    pub mix: String,
    /// Path of the master, relative to the output folder.
    pub master: String,
}

impl Places {
    /// Returns the locations of the mix `input` and its master `output`, which is relative to the output folder.
    fn of(input: &Path, output: &Path) -> Option<Self> {
        let mix = std::path::absolute(input).ok()?;
        Some(Self { mix: mix.to_str()?.to_owned(), master: output.to_str()?.to_owned() })
    }
}

/// Hashes of everything that a master depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MadeFrom {
    /// Hash of the mix's file.
    pub input_hash: String,
    /// Hash of the settings, the references and the program.
    pub settings_hash: String,
}

/// A record of a song that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Version of the record format.
    pub version: u32,
    /// Hashes of what the master would have been made from; empty if a file cannot be read.
    pub made_from: MadeFrom,
    /// The reason for the failure, in one line.
    pub cause: Cause,
}

impl Failure {
    /// Creates a failure of the present version.
    pub fn new(made_from: MadeFrom, cause: Cause) -> Self {
        Self { version: RECORD_VERSION, made_from, cause }
    }
}

/// The state of a song's master before the song is mastered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterState {
    /// The master exists, made from the same mix and settings.
    Finished,
    /// There is no master yet.
    New,
    /// The master exists, but the mix or the settings have changed since.
    Outdated,
    /// A file exists at the master's place that no batch has written.
    Foreign,
    /// The master exists, but was changed after a batch wrote it.
    Edited,
}

/// The records of an output folder, in its hidden folder.
#[derive(Clone, Debug)]
pub struct Records {
    output: PathBuf,
    folder: PathBuf,
}

impl Records {
    /// Returns the records of the output folder `output`.
    pub fn of(output: &Path) -> Self {
        Self { output: output.to_owned(), folder: output.join(FOLDER) }
    }

    /// Creates the hidden folder.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn create(&self) -> Result<(), io::Error> {
        io::text::create_folder(&self.folder)
    }

    /// Removes temporary files that killed runs have left here and in the output folder itself.
    pub fn sweep(&self) {
        io::claim::sweep(&self.folder);
        io::claim::sweep(&self.output);
    }

    fn path(&self, output: &Path, extension: &str) -> PathBuf {
        // A hash is short however long the name is, and distinct.
        let name = blake3::hash(output.as_os_str().as_encoded_bytes()).to_hex();
        self.folder.join(format!("{}.{extension}", &name[..32]))
    }

    /// Returns the record of the master at `output`, relative to the output folder. An unreadable record counts as
    /// missing.
    pub fn read(&self, output: &Path) -> Option<Record> {
        let text = io::text::read(&self.path(output, "json")).ok()?;
        serde_json::from_str(&text).ok().filter(|record: &Record| record.version == RECORD_VERSION)
    }

    /// Writes the record of a master.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn write(&self, output: &Path, record: &Record) -> Result<(), io::Error> {
        let text = serde_json::to_string(record).expect("plain data has a JSON form") + "\n";
        io::text::write(&self.path(output, "json"), &text, true)
    }

    /// Returns the masters that exist although their mixes are gone, except those at the places `known`.
    pub fn orphans<'a>(&self, known: impl Iterator<Item = &'a Path>) -> Vec<Places> {
        let known: BTreeSet<PathBuf> = known.map(|output| self.path(output, "json")).collect();
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_record = |path: &PathBuf| {
            let has_hash = |stem: &std::ffi::OsStr| !stem.as_encoded_bytes().contains(&b'.');
            path.extension().is_some_and(|extension| extension == "json") && path.file_stem().is_some_and(has_hash)
        };
        let orphan = |path: PathBuf| {
            let record: Record = serde_json::from_str(&io::text::read(&path).ok()?).ok()?;
            let places = record.places?;
            let is_orphan = self.path(Path::new(&places.master), "json") == path
                && self.output.join(&places.master).exists()
                && !Path::new(&places.mix).exists();
            is_orphan.then_some(places)
        };
        let unknown = entries.filter(|path| is_record(path) && !known.contains(path));
        let mut orphans: Vec<Places> = unknown.filter_map(orphan).collect();
        orphans.sort_unstable_by(|a, b| a.master.cmp(&b.master));
        orphans
    }

    /// Records that a song failed. Returns true if it failed in the same way the last time.
    ///
    /// # Errors
    /// The failure cannot be written.
    pub fn fail(&self, output: &Path, failure: &Failure) -> Result<bool, io::Error> {
        let path = self.path(output, "failure.json");
        let known = io::text::read(&path).ok().and_then(|text| serde_json::from_str::<Failure>(&text).ok());
        if known.as_ref() == Some(failure) {
            return Ok(true);
        }
        let text = serde_json::to_string(failure).expect("plain data has a JSON form") + "\n";
        io::text::write(&path, &text, true).map(|()| false)
    }

    /// Removes the record of a failure.
    pub fn forget_failure(&self, output: &Path) {
        // Usually there is none.
        let _ = std::fs::remove_file(self.path(output, "failure.json"));
    }

    /// Claims a song. Returns `None` while another batch works on it.
    ///
    /// # Errors
    /// The claim cannot be written.
    pub fn claim(&self, output: &Path) -> Result<Option<Claim>, io::Error> {
        Claim::take(&self.path(output, "claim"))
    }

    /// True if another batch works on the song.
    pub fn is_busy(&self, output: &Path) -> bool {
        Claim::is_held(&self.path(output, "claim"))
    }

    /// Removes the claim of a run that was killed after its song was finished.
    pub fn clear_claim(&self, output: &Path) {
        if self.path(output, "claim").exists()
            && let Ok(Some(claim)) = self.claim(output)
        {
            claim.release();
        }
    }

    /// Returns the state of the master at `output`, which is to be made from `made_from`.
    ///
    /// # Errors
    /// The master exists and cannot be read.
    pub fn master_state(&self, output: &Path, made_from: &MadeFrom) -> Result<MasterState, io::Error> {
        let path = self.output.join(output);
        if std::fs::symlink_metadata(&path).is_err() {
            return Ok(MasterState::New);
        }
        let Some(record) = self.read(output) else { return Ok(MasterState::Foreign) };
        Ok(match file_hash(&path)? == record.output_hash {
            true if record.made_from == *made_from => MasterState::Finished,
            true => MasterState::Outdated,
            false => MasterState::Edited,
        })
    }
}

impl Record {
    /// Returns the measurements of the mix, or `None` if another version of the program wrote them.
    pub fn profile(&self) -> Option<Profile> {
        Profile::deserialize(&self.profile).ok()
    }

    /// Returns the report of the master, or `None` if another version of the program wrote it.
    pub fn report(&self) -> Option<Report> {
        Report::deserialize(&self.report).ok()
    }

    /// Creates a record of the present version.
    pub fn new(made_from: MadeFrom, output_hash: String, profile: Value, report: Value) -> Self {
        Self { version: RECORD_VERSION, made_from, output_hash, profile, report, places: None }
    }

    /// Returns the same record with the locations of mix and master.
    pub fn at(self, input: &Path, output: &Path) -> Self {
        Self { places: Places::of(input, output), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_from(input: &str, settings: &str) -> MadeFrom {
        MadeFrom { input_hash: input.to_owned(), settings_hash: settings.to_owned() }
    }

    #[test]
    fn a_song_is_finished_only_while_nothing_has_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let records = Records::of(folder.path());
        records.create().expect("space");
        let (output, master) = (Path::new("a.wav"), folder.path().join("a.wav"));
        let made = made_from("mix", "settings");
        let master_state = |made: &MadeFrom| records.master_state(output, made).expect("readable");
        assert_eq!(master_state(&made), MasterState::New);
        std::fs::write(&master, "master").expect("space");
        assert_eq!(master_state(&made), MasterState::Foreign);
        let hash = file_hash(&master).expect("readable");
        let record = Record::new(made.clone(), hash, Value::from(1.25), Value::Null);
        records.write(output, &record).expect("space");
        assert_eq!(records.read(output), Some(record));
        assert_eq!(master_state(&made), MasterState::Finished);
        assert_eq!(master_state(&made_from("another mix", "settings")), MasterState::Outdated);
        assert_eq!(master_state(&made_from("mix", "other settings")), MasterState::Outdated);
        std::fs::write(&master, "edited").expect("space");
        assert_eq!(master_state(&made), MasterState::Edited);
        std::fs::remove_file(&master).expect("ours");
        assert_eq!(master_state(&made), MasterState::New);
    }

    #[test]
    fn a_master_whose_mix_is_gone_is_an_orphan_unless_it_is_known_or_gone_as_well() {
        let folder = tempfile::tempdir().expect("a folder");
        let records = Records::of(folder.path());
        records.create().expect("space");
        let mix = |name: &str| folder.path().join(format!("{name}.mix.wav"));
        for name in ["a", "b", "known", "there"] {
            let output = format!("{name}.wav");
            std::fs::write(folder.path().join(&output), "master").expect("space");
            let record = Record::new(made_from("mix", "settings"), String::new(), Value::Null, Value::Null);
            records.write(Path::new(&output), &record.at(&mix(name), Path::new(&output))).expect("space");
        }
        std::fs::write(mix("there"), "mix").expect("space");
        std::fs::remove_file(folder.path().join("b.wav")).expect("ours");
        let failure = Failure::new(made_from("mix", "settings"), Cause::new("damaged", "no sound"));
        records.fail(Path::new("failed.wav"), &failure).expect("space");
        let orphans = records.orphans([Path::new("known.wav")].into_iter());
        assert_eq!(orphans.iter().map(|places| places.master.as_str()).collect::<Vec<_>>(), ["a.wav"]);
    }

    #[test]
    fn names_of_any_length_have_records() {
        let folder = tempfile::tempdir().expect("a folder");
        let records = Records::of(folder.path());
        records.create().expect("space");
        let name = "x".repeat(251) + ".wav";
        let record = Record::new(made_from("a", "b"), String::new(), Value::Null, Value::Null);
        records.write(Path::new(&name), &record).expect("space");
        assert_eq!(records.read(Path::new(&name)), Some(record));
    }
}
