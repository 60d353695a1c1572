//! Requests of the page, turned into settings.

use std::path::Path;

use serde::Deserialize;

use crate::io::output_spec::Format;
use crate::request::destination::Destination;
use crate::request::reference::Reference;
use crate::request::settings::MasterSettings;
use crate::ui::view::Id;
use crate::workflows::variations::VariationKind;

/// The settings that a page may change; none of them names a file.
const COLUMNS: [&str; 13] = [
    "bits",
    "ceiling",
    "character",
    "codec_safe",
    "dynamics",
    "for",
    "genre",
    "intensity",
    "loudness",
    "match",
    "max_limiting_db",
    "tone",
    "width",
];

/// Settings for mastering a song.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasterRequest {
    /// Settings as text, by the name of their column in a plan.
    #[serde(default)]
    pub settings: Vec<(String, String)>,
    /// The records to sound like.
    #[serde(default)]
    pub references: Vec<Id>,
    /// Variation of these settings, if one is wanted.
    #[serde(default)]
    pub variation: Option<VariationKind>,
    /// Id of the requesting page, so that its previews cancel one another, but not those of other pages.
    #[serde(default)]
    pub page: u64,
}

impl MasterRequest {
    /// Returns the settings, with `references` as their references.
    ///
    /// # Errors
    /// If one of them is invalid; the error names it and the cause.
    pub fn settings(&self, references: Vec<Reference>) -> Result<MasterSettings, String> {
        let mut settings = MasterSettings { references, ..MasterSettings::default() };
        for (column, value) in &self.settings {
            if !COLUMNS.contains(&column.as_str()) {
                return Err(format!("{column} is no setting of this page"));
            }
            settings
                .set(column, std::slice::from_ref(value), Path::new(""))
                .map_err(|cause| format!("{column}: {cause}"))?;
        }
        settings.check(Format::Wav).map_err(|error| error.to_string())?;
        Ok(settings)
    }
}

/// Request to write masters of a song.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// Settings of the masters.
    pub master: MasterRequest,
    /// Formats of the files.
    pub formats: Vec<Format>,
    /// Destinations, each with a master of its own; if there are none, those of the settings apply.
    #[serde(default)]
    pub destinations: Vec<Destination>,
}

/// Request to write the masters of an album.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlbumRequest {
    /// Songs of the album, in their order.
    pub songs: Vec<Id>,
    /// Settings of the masters.
    pub master: MasterRequest,
    /// Format of the files.
    pub format: Format,
    /// True if all songs are to be equally loud; otherwise they keep their differences.
    #[serde(default)]
    pub is_even: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(settings: &[(&str, &str)]) -> MasterRequest {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        MasterRequest { settings, ..MasterRequest::default() }
    }

    #[test]
    fn a_page_sets_what_a_row_of_a_plan_sets_but_for_names_of_files() {
        let settings = request(&[("character", "warm"), ("loudness", "-9"), ("for", "club")]).settings(Vec::new());
        let options = settings.expect("legal").options(&MasterSettings::default());
        assert_eq!(options, ["--character", "warm", "--for", "club", "--loudness", "-9"]);
        for refused in [("reference", "/etc/passwd"), ("profile", "x.json"), ("set", "a=1"), ("rate", "1")] {
            let error = request(&[refused]).settings(Vec::new()).expect_err("refused");
            assert!(error.contains("no setting of this page"), "{error}");
        }
        for wrong in [("intensity", "101"), ("loudness", "loud"), ("loudness", "9"), ("for", "moon")] {
            assert!(request(&[wrong]).settings(Vec::new()).is_err(), "{wrong:?}");
        }
    }
}
