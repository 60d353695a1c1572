//! What kind of music songs are, and what finished records of that kind are like.

use analyzer::profile::Profile;
use models::error::Error;
use models::genre::{self, GenreHead};
use models::norm::{NormProfile, UNIVERSAL};

use crate::report::GenreReport;
use crate::request::reference::Genre;

/// Recognises genres, with a network that is loaded when a song first needs it.
#[derive(Default)]
pub struct Genres {
    head: Option<GenreHead>,
}

impl Genres {
    /// The genre of a song, or of all `songs` of a record, and the profile that stands for it. A song that cannot be heard
    /// is of none.
    ///
    /// # Errors
    /// The runtime failed, or a compiled-in profile does not fit this program.
    pub fn find(
        &mut self,
        genre: &Genre,
        norm: &NormProfile,
        songs: &[&Profile],
    ) -> Result<(GenreReport, NormProfile), Error> {
        let given = |name: &str, profile: &NormProfile| {
            (GenreReport { name: name.to_owned(), probability: None }, profile.clone())
        };
        match genre {
            Genre::Universal => Ok(given(UNIVERSAL, norm)),
            Genre::Named(name) => {
                let profile = genre::profiles()?.into_iter().find(|profile| profile.name == *name);
                let profile = profile.ok_or(Error::Mismatch { what: "profiles of the genres" })?;
                Ok(given(name, &profile))
            }
            Genre::Auto => {
                let head = match &mut self.head {
                    Some(head) => head,
                    none => none.insert(GenreHead::load()?),
                };
                let Some(told) = head.classify(songs)? else { return Ok(given(UNIVERSAL, norm)) };
                let (name, share) = told.likeliest();
                let report = GenreReport { name: name.to_owned(), probability: Some(share) };
                Ok((report, told.profile(norm)?))
            }
        }
    }
}
