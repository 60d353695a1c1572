//! Reference tracks of a batch: each is read only once, by the first song that needs it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use analyzer::profile::Profile;

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

/// All references that were requested so far.
#[derive(Default)]
pub struct References {
    known: Mutex<HashMap<(PathBuf, String), Arc<Known>>>,
}

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
        let measured = |reference: &Reference| {
            let known = self.get(&reference.path, reference.section);
            let measure = || measure_part(&reference.path, reference.section, observer).map_err(of_reference);
            let found = known.profile.get_or_init(measure);
            found.clone().map(|(profile, warnings)| (reference.name(), reference.weight, profile, warnings))
        };
        references.iter().map(measured).collect()
    }
}
