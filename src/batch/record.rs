//! What a batch remembers of a finished song, and how a song stands when a batch comes to it.
//!
//! Every song has a record and, while somebody works on it, a claim, both in a hidden folder of the output and named by
//! the hash of its place. The record is written after the master has its name; whatever happens in between leaves the
//! claim behind.

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

/// Where records and claims lie, in the output folder.
const FOLDER: &str = ".goldmaster";

/// Raised when a record of an older program would be misread.
const RECORD_VERSION: u32 = 1;

/// What a master was made from, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of the meaning of a record.
    pub version: u32,
    /// Hashes of the mix and of everything that decides how it comes out.
    pub made_from: MadeFrom,
    /// Hash of the master's file.
    pub output_hash: String,
    /// What was measured of the mix: a [`Profile`].
    pub profile: Value,
    /// What was done: a [`Report`].
    pub report: Value,
    /// Where mix and master lie, where their names are text.
    #[serde(default)]
    pub places: Option<Places>,
}

/// Where a mix and its master lie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Places {
    /// The mix, from the root of its disk.
    pub mix: String,
    /// The master, in the output folder.
    pub master: String,
}

impl Places {
    /// Of the mix `input` and its master `output`, relative to the output folder.
    fn of(input: &Path, output: &Path) -> Option<Self> {
        let mix = std::path::absolute(input).ok()?;
        Some(Self { mix: mix.to_str()?.to_owned(), master: output.to_str()?.to_owned() })
    }
}

/// What a master depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MadeFrom {
    /// Of the mix's file.
    pub input_hash: String,
    /// Of the settings, the references and the program.
    pub settings_hash: String,
}

/// Why a song has no master.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Version of the meaning of a failure.
    pub version: u32,
    /// What its master would have been made from; nothing where its file cannot be read.
    pub made_from: MadeFrom,
    /// Why.
    pub cause: Cause,
}

impl Failure {
    /// A failure of the present version.
    pub fn new(made_from: MadeFrom, cause: Cause) -> Self {
        Self { version: RECORD_VERSION, made_from, cause }
    }
}

/// How a song stands before it is mastered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterState {
    /// Its master is there, from the same mix and settings.
    Finished,
    /// It has no master yet.
    New,
    /// Its master is there, but mix or settings have changed since.
    Outdated,
    /// A file is there that no batch has written.
    Foreign,
    /// Its master is there, but was changed since a batch wrote it.
    Edited,
}

/// The hidden folder of an output.
#[derive(Clone, Debug)]
pub struct Records {
    output: PathBuf,
    folder: PathBuf,
}

impl Records {
    /// The records of the output folder `output`.
    pub fn of(output: &Path) -> Self {
        Self { output: output.to_owned(), folder: output.join(FOLDER) }
    }

    /// Makes the folder.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(&self) -> Result<(), io::Error> {
        io::text::create_folder(&self.folder)
    }

    /// Removes what killed runs have left here and in the output folder itself.
    pub fn sweep(&self) {
        io::claim::sweep(&self.folder);
        io::claim::sweep(&self.output);
    }

    fn path(&self, output: &Path, extension: &str) -> PathBuf {
        // Short whatever the name is, and distinct.
        let name = blake3::hash(output.as_os_str().as_encoded_bytes()).to_hex();
        self.folder.join(format!("{}.{extension}", &name[..32]))
    }

    /// What is known of the master at `output`, relative to the output folder. A record that cannot be read is none.
    pub fn read(&self, output: &Path) -> Option<Record> {
        let text = io::text::read(&self.path(output, "json")).ok()?;
        serde_json::from_str(&text).ok().filter(|record: &Record| record.version == RECORD_VERSION)
    }

    /// Remembers a master.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn write(&self, output: &Path, record: &Record) -> Result<(), io::Error> {
        let text = serde_json::to_string(record).expect("plain data has a JSON form") + "\n";
        io::text::write(&self.path(output, "json"), &text, true)
    }

    /// Masters that are there although their mixes are gone, but for those at the places `known`.
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

    /// Remembers that a song failed; whether it failed in the same way the last time.
    ///
    /// # Errors
    /// That cannot be written.
    pub fn fail(&self, output: &Path, failure: &Failure) -> Result<bool, io::Error> {
        let path = self.path(output, "failure.json");
        let known = io::text::read(&path).ok().and_then(|text| serde_json::from_str::<Failure>(&text).ok());
        if known.as_ref() == Some(failure) {
            return Ok(true);
        }
        let text = serde_json::to_string(failure).expect("plain data has a JSON form") + "\n";
        io::text::write(&path, &text, true).map(|()| false)
    }

    /// Forgets that a song failed.
    pub fn forget_failure(&self, output: &Path) {
        // There is none as a rule.
        let _ = std::fs::remove_file(self.path(output, "failure.json"));
    }

    /// Claims a song; `None` while another batch works on it.
    ///
    /// # Errors
    /// The claim cannot be written.
    pub fn claim(&self, output: &Path) -> Result<Option<Claim>, io::Error> {
        Claim::take(&self.path(output, "claim"))
    }

    /// Whether another batch works on a song.
    pub fn is_busy(&self, output: &Path) -> bool {
        Claim::is_held(&self.path(output, "claim"))
    }

    /// Takes away the claim of a run that was killed after its song was finished.
    pub fn clear_claim(&self, output: &Path) {
        if self.path(output, "claim").exists()
            && let Ok(Some(claim)) = self.claim(output)
        {
            claim.release();
        }
    }

    /// How the song stands whose master is to be made from `made_from`.
    ///
    /// # Errors
    /// The master is there and cannot be read.
    pub fn standing(&self, output: &Path, made_from: &MadeFrom) -> Result<MasterState, io::Error> {
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
    /// What was measured of the mix; `None` where another version of the program wrote it.
    pub fn profile(&self) -> Option<Profile> {
        Profile::deserialize(&self.profile).ok()
    }

    /// What was done; `None` where another version of the program wrote it.
    pub fn report(&self) -> Option<Report> {
        Report::deserialize(&self.report).ok()
    }

    /// A record of the present version.
    pub fn new(made_from: MadeFrom, output_hash: String, profile: Value, report: Value) -> Self {
        Self { version: RECORD_VERSION, made_from, output_hash, profile, report, places: None }
    }

    /// The same with the places of mix and master.
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
        let standing = |made: &MadeFrom| records.standing(output, made).expect("readable");
        assert_eq!(standing(&made), MasterState::New);
        std::fs::write(&master, "master").expect("space");
        assert_eq!(standing(&made), MasterState::Foreign);
        let hash = file_hash(&master).expect("readable");
        let record = Record::new(made.clone(), hash, Value::from(1.25), Value::Null);
        records.write(output, &record).expect("space");
        assert_eq!(records.read(output), Some(record));
        assert_eq!(standing(&made), MasterState::Finished);
        assert_eq!(standing(&made_from("another mix", "settings")), MasterState::Outdated);
        assert_eq!(standing(&made_from("mix", "other settings")), MasterState::Outdated);
        std::fs::write(&master, "edited").expect("space");
        assert_eq!(standing(&made), MasterState::Edited);
        std::fs::remove_file(&master).expect("ours");
        assert_eq!(standing(&made), MasterState::New);
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
