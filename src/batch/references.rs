//! Reference tracks of a batch: each is read only once, by the first song that needs it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use analyzer::profile::Profile;
use models::features::features;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::batch::outcome::named;
use crate::decide::target::MeasuredReference;
use crate::error::Cause;
use crate::io::Warning;
use crate::io::hash::file_hash;
use crate::request::reference::Reference;
use crate::song::measure_part;
use crate::song::observer::Observer;
use crate::song::section::Section;

/// The results for one reference, or the errors of reading it.
#[derive(Default)]
struct Known {
    hash: OnceLock<Result<String, Cause>>,
    profile: OnceLock<Result<(Profile, Vec<Warning>), Cause>>,
}

/// A record of `--reference-folder` that no song can be mastered towards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnusableRecord {
    /// Path of the record.
    pub path: String,
    /// Message of one line: the failure and its remedy.
    pub cause: String,
}

impl std::fmt::Display for UnusableRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&named(&self.path, &self.cause))
    }
}

/// All references that were requested so far.
#[derive(Default)]
pub struct References {
    known: Mutex<HashMap<(PathBuf, String), Arc<Known>>>,
}

/// Cause why a record without a loudness cannot be used.
const SILENT: &str = "it is silent, a constant, or shorter than 0.4 s";

/// Returns the cause of a failure that is a reference's, not the mix's.
fn of_reference(error: crate::io::Error) -> Cause {
    Cause::new("reference", error.to_string())
}

impl References {
    fn get(&self, path: &Path, section: Option<Section>) -> Arc<Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let section = section.map(|section| section.to_string()).unwrap_or_default();
        Arc::clone(known.entry((path.to_owned(), section)).or_default())
    }

    /// Returns the hashes of the references' files, in order.
    ///
    /// # Errors
    /// A file cannot be read: the message names it and the reason.
    pub fn hashes(&self, references: &[Reference]) -> Result<Vec<String>, Cause> {
        references.iter().map(|reference| self.hash(&reference.path)).collect()
    }

    /// Returns the hash of a file that songs are mastered towards.
    ///
    /// # Errors
    /// The file cannot be read: the message gives the reason.
    pub fn hash(&self, path: &Path) -> Result<String, Cause> {
        self.get(path, None).hash.get_or_init(|| file_hash(path).map_err(of_reference)).clone()
    }

    /// Returns all references, measured.
    ///
    /// # Errors
    /// A reference contains no sound: the message names it and the reason.
    pub fn measured(&self, references: &[Reference], observer: &dyn Observer) -> Result<Vec<MeasuredReference>, Cause> {
        references.iter().map(|reference| self.measure(reference, observer)).collect()
    }

    /// Returns the records that songs can be mastered towards, measured, and those that cannot be read or are silent.
    pub fn usable(
        &self,
        records: &[Reference],
        observer: &dyn Observer,
    ) -> (Vec<(Reference, Profile)>, Vec<UnusableRecord>) {
        let (mut usable, mut unusable) = (Vec::new(), Vec::new());
        for record in records {
            let cause = match self.measure(record, observer) {
                Ok((_, _, profile, _)) if features(&profile).is_some() => {
                    usable.push((record.clone(), profile));
                    continue;
                }
                Ok(_) => SILENT.to_owned(),
                Err(cause) => cause.sentence,
            };
            unusable.push(UnusableRecord { path: record.path.display().to_string(), cause });
        }
        (usable, unusable)
    }

    fn measure(&self, reference: &Reference, observer: &dyn Observer) -> Result<MeasuredReference, Cause> {
        let known = self.get(&reference.path, reference.section);
        let measure = || measure_part(&reference.path, reference.section, observer).map_err(of_reference);
        let found = known.profile.get_or_init(measure);
        found.clone().map(|(profile, warnings)| (reference.name(), reference.weight, profile, warnings))
    }
}
