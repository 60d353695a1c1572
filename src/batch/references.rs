//! Reference tracks of a batch: each is read once, by the first song that needs it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use analyzer::profile::Profile;

use crate::io::Warning;
use crate::io::hash::file_hash;
use crate::report::reference_name;
use crate::request::reference::Reference;
use crate::song::measure;
use crate::song::observer::Observer;
use crate::workflows::master::MeasuredReference;

/// What is known of one reference, or why nothing is.
#[derive(Default)]
struct Known {
    hash: OnceLock<Result<String, String>>,
    profile: OnceLock<Result<(Profile, Vec<Warning>), String>>,
}

/// All references that were asked for so far.
#[derive(Default)]
pub struct References {
    known: Mutex<HashMap<PathBuf, Arc<Known>>>,
}

impl References {
    fn get(&self, path: &Path) -> Arc<Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(path.to_owned()).or_default())
    }

    /// Hashes of the files, in order.
    ///
    /// # Errors
    /// One of them cannot be read: says which, and why.
    pub fn hashes(&self, references: &[Reference]) -> Result<Vec<String>, String> {
        references.iter().map(|Reference { path, .. }| self.hash(path)).collect()
    }

    /// Hash of a file that songs are mastered towards.
    ///
    /// # Errors
    /// It cannot be read: says why.
    pub fn hash(&self, path: &Path) -> Result<String, String> {
        self.get(path).hash.get_or_init(|| file_hash(path).map_err(|e| e.to_string())).clone()
    }

    /// All of them, measured.
    ///
    /// # Errors
    /// One of them holds no sound: says which, and why.
    pub fn measured(
        &self,
        references: &[Reference],
        observer: &dyn Observer,
    ) -> Result<Vec<MeasuredReference>, String> {
        let measured = |Reference { path, weight }: &Reference| {
            let known = self.get(path);
            let found = known.profile.get_or_init(|| match measure(path, observer) {
                Ok((_, profile, warnings)) => Ok((profile, warnings)),
                Err(error) => Err(error.to_string()),
            });
            found.clone().map(|(profile, warnings)| (reference_name(path), *weight, profile, warnings))
        };
        references.iter().map(measured).collect()
    }
}
