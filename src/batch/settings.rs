//! Settings of the songs of a batch: defaults for all, and changes by the rows of a plan.

use std::path::{Path, PathBuf};

use models::norm::UNIVERSAL;
use renderer::recipe::ENGINE_VERSION;
use serde::Serialize;

use crate::error::Error;
use crate::io::output_spec::Format;
use crate::request::job::{MasterJob, Output};
use crate::request::reference::{Genre, GenreReference, Reference};
use crate::request::settings::MasterSettings;

/// Everything that determines the master of a song, apart from the song itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The settings that also apply to a single song.
    pub master: MasterSettings,
    /// References for the songs of a genre, in place of the genre's profile.
    pub genre_references: Vec<GenreReference>,
    /// References of which each song is mastered towards the most similar one.
    pub folder_references: Vec<Reference>,
    /// File format of the masters.
    pub format: Format,
}

impl Settings {
    /// Sets the value of a column of a plan. Paths are relative to `base`.
    ///
    /// # Errors
    /// The column is unknown or does not accept these values: the message gives the reason.
    pub fn set(&mut self, column: &str, values: &[String], base: &Path) -> Result<(), String> {
        self.master.set(column, values, base)
    }

    /// Creates the job that masters `input` with these settings.
    pub fn job(&self, input: PathBuf, output: PathBuf, force: bool) -> MasterJob {
        let output = Output { path: output, format: self.format, force, delta: None, page: None };
        MasterJob { input, output, settings: self.master.clone(), recipe: None }
    }

    /// Returns the references for songs of this genre.
    pub fn references_of(&self, genre: &str) -> Vec<Reference> {
        let own = self.genre_references.iter().filter(|of| of.genre == genre);
        own.map(|of| of.reference.clone()).collect()
    }

    /// True if the references of a song depend on its genre, which may only be known from its sound.
    pub fn picks_reference_by_genre(&self) -> bool {
        self.master.references.is_empty() && self.master.profile.is_none() && !self.genre_references.is_empty()
    }

    /// True if each song is mastered towards the most similar record of a folder.
    pub fn picks_most_similar_reference(&self) -> bool {
        let has_direction = !self.master.references.is_empty() || self.master.profile.is_some();
        !has_direction && self.master.genre() == Genre::Auto && !self.folder_references.is_empty()
    }

    /// Returns all references that a song may be mastered towards.
    pub fn possible_references(&self) -> Vec<Reference> {
        match self.master.genre() {
            _ if self.picks_most_similar_reference() => self.folder_references.clone(),
            _ if !self.picks_reference_by_genre() => self.master.references.clone(),
            Genre::Universal => self.references_of(UNIVERSAL),
            Genre::Named(name) => self.references_of(&name),
            Genre::Auto => self.genre_references.iter().map(|of| of.reference.clone()).collect(),
        }
    }

    /// Returns all files that songs are mastered towards.
    pub fn sources(&self) -> impl Iterator<Item = &PathBuf> {
        let by_genre = self.genre_references.iter().map(|of| &of.reference).chain(&self.folder_references);
        self.master.references.iter().chain(by_genre).map(|reference| &reference.path).chain(&self.master.profile)
    }

    /// Refuses settings with which no song could be mastered.
    ///
    /// # Errors
    /// A value is not accepted by any recipe, or the format does not support the samples.
    pub fn check(&self) -> Result<(), Error> {
        self.master.check(self.format)
    }

    /// Refuses a reference for a genre that no song can have, unless a row of a plan overrides the genre.
    ///
    /// # Errors
    /// There is such a reference: the message names it and the remedy.
    pub fn check_genre_references(&self) -> Result<(), Error> {
        let given = match self.master.genre() {
            // The tags of a song may name any genre.
            Genre::Auto => return Ok(()),
            Genre::Named(name) => name,
            Genre::Universal => UNIVERSAL.to_owned(),
        };
        let Some(GenreReference { genre, reference }) = self.genre_references.iter().find(|of| of.genre != given)
        else {
            return Ok(());
        };
        let file = reference.path.display();
        Err(Error::Usage(format!(
            "--genre-reference {genre}={file}: with --genre {given} no song is of it: say --genre {genre}, or name genres in \
             the column genre of a --plan"
        )))
    }

    /// Hashes everything that determines the master of a song, apart from the song itself. `references` are the hashes
    /// of the files of [`possible_references`](Self::possible_references), in order; `profile` is the hash of the
    /// profile's file; `context` is the hash of everything else that a song is mastered towards.
    ///
    /// # Panics
    /// Never: plain data has a JSON form.
    pub fn hash(&self, references: &[String], profile: Option<&str>, context: &str) -> String {
        #[derive(Serialize)]
        struct Hashed<'a> {
            program: &'static str,
            engine: u32,
            settings: MasterSettings,
            format: Format,
            references: Vec<(&'a String, Option<String>, f64)>,
            genres: Vec<&'a str>,
            is_by_likeness: bool,
            profile: Option<&'a str>,
            context: &'a str,
        }
        let is_by_genre = self.master.references.is_empty() && self.master.profile.is_none();
        let genre = is_by_genre.then(|| self.master.genre());
        let hashed = Hashed {
            program: concat!("goldmaster ", env!("CARGO_PKG_VERSION"), " batch 2"),
            engine: ENGINE_VERSION,
            genres: match genre {
                Some(Genre::Auto) => self.genre_references.iter().map(|of| of.genre.as_str()).collect(),
                _ => Vec::new(),
            },
            is_by_likeness: self.picks_most_similar_reference(),
            // Files are hashed by their content, not by their paths.
            settings: MasterSettings { references: Vec::new(), profile: None, genre, ..self.master.clone() },
            format: self.format,
            references: references
                .iter()
                .zip(self.possible_references())
                .map(|(hash, reference)| (hash, reference.section.map(|s| s.to_string()), reference.weight))
                .collect(),
            profile,
            context,
        };
        let text = serde_json::to_vec(&hashed).expect("plain data has a JSON form");
        blake3::hash(&text).to_hex().to_string()
    }
}

#[cfg(test)]
pub(super) fn defaults() -> Settings {
    let master = MasterSettings { genre: Some(Genre::Auto), ..MasterSettings::default() };
    Settings { master, genre_references: Vec::new(), folder_references: Vec::new(), format: Format::Wav }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_known_and_changes_the_hash() {
        let values = [
            ("reference", "a.flac:0.5"),
            ("profile", "a.profile.json"),
            ("genre", "rock"),
            ("for", "cd"),
            ("loudness", "-11"),
            ("ceiling", "-2"),
            ("codec_safe", "true"),
            ("max_limiting_db", "3"),
            ("rate", "48000"),
            ("bits", "16"),
            ("bitrate", "256"),
            ("intensity", "50"),
            ("tone", "50"),
            ("dynamics", "50"),
            ("width", "50"),
            ("decider", "rules"),
            ("match", "literal"),
            ("character", "warm"),
            ("refine", "best"),
            ("set", "limiter.release_ms=80"),
            ("strict", "true"),
            ("trim", "20"),
            ("fade_in", "0.5"),
            ("fade_out", "8:linear"),
        ];
        let columns = serde_json::to_value(&defaults().master).expect("plain data");
        let known: Vec<&String> = columns.as_object().expect("named values").keys().collect();
        assert!(known.len() == values.len(), "every column is tried: {known:?}");
        let unchanged = defaults().hash(&[], None, "");
        for (column, value) in values {
            let mut settings = defaults();
            settings.set(column, &[value.to_owned()], Path::new("base")).unwrap_or_else(|e| panic!("{column}: {e}"));
            let references: Vec<_> = settings.master.references.iter().map(|r| r.path.display().to_string()).collect();
            let profile = settings.master.profile.as_ref().map(|path| path.display().to_string());
            assert_ne!(settings.hash(&references, profile.as_deref(), ""), unchanged, "{column}");
            let nonsense = ["nonsense".to_owned()];
            let is_path = ["reference", "profile"].contains(&column);
            assert!(settings.set(column, &nonsense, Path::new("")).is_err() || is_path, "{column}");
            let twice = [value.to_owned(), value.to_owned()];
            let is_taken = settings.set(column, &twice, Path::new("")).is_ok();
            assert_eq!(is_taken, MasterSettings::takes_several(column), "{column}");
        }
        assert!(defaults().set("colour", &["red".to_owned()], Path::new("")).is_err());
        assert_ne!(defaults().hash(&[], None, "a record"), unchanged);
    }

    #[test]
    fn a_row_turns_away_from_where_all_others_go() {
        let set = |settings: &mut Settings, column: &str, value: &str| {
            settings.set(column, &[value.to_owned()], Path::new("")).expect("well-formed");
        };
        let mut settings = defaults();
        set(&mut settings, "reference", "a.flac");
        set(&mut settings, "genre", "rock");
        assert!(settings.master.references.is_empty() && settings.master.genre() == Genre::Named("rock".to_owned()));
        set(&mut settings, "profile", "a.profile.json");
        let content = |profile| settings.hash(&[], Some(profile), "");
        assert_ne!(content("one"), content("another"));
        set(&mut settings, "reference", "a.flac");
        assert_eq!((settings.master.references.len(), settings.master.profile), (1, None));
    }

    #[test]
    fn a_song_depends_on_the_records_of_the_genres_that_it_may_be_of() {
        let of = |text: &str| text.parse::<GenreReference>().expect("well-formed");
        let mut settings = defaults();
        settings.genre_references = vec![of("rock=r.flac"), of("electronic=e.flac"), of("rock=s.flac:2")];
        let files = |settings: &Settings| -> Vec<String> {
            settings.possible_references().iter().map(|r| r.path.display().to_string()).collect()
        };
        assert_eq!(files(&settings), ["r.flac", "e.flac", "s.flac"]);
        let hash = |settings: &Settings| settings.hash(&files(settings), None, "");
        let whole = hash(&settings);
        settings.genre_references[1].genre = "orchestral".to_owned();
        assert_ne!(hash(&settings), whole);
        for (genre, expected) in [("rock", &["r.flac", "s.flac"][..]), ("orchestral", &["e.flac"]), ("universal", &[])]
        {
            settings.set("genre", &[genre.to_owned()], Path::new("")).expect("a genre");
            assert_eq!(files(&settings), expected, "{genre}");
        }
        settings.set("reference", &["own.flac".to_owned()], Path::new("")).expect("a path");
        assert_eq!(files(&settings), ["own.flac"]);
        settings.set("profile", &["p.json".to_owned()], Path::new("")).expect("a path");
        assert!(files(&settings).is_empty());
    }

    #[test]
    fn a_value_that_no_recipe_accepts_is_found_before_any_work() {
        defaults().check().expect("the defaults are legal");
        for (column, value) in [("ceiling", "3"), ("rate", "5"), ("set", "limiter.colour=1"), ("loudness", "nan")] {
            let mut settings = defaults();
            settings.set(column, &[value.to_owned()], Path::new("")).expect("well-formed");
            assert!(settings.check().is_err(), "{column}");
        }
        let flac = Settings { format: Format::Flac, ..defaults() };
        let mut float = flac;
        float.set("bits", &["32f".to_owned()], Path::new("")).expect("well-formed");
        assert!(float.check().is_err());
    }
}
