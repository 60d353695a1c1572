//! How one song of a batch is mastered: what holds for all, and what a row of a plan says instead.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use models::amounts::Amounts;
use models::genre::tellable;
use models::norm::UNIVERSAL;
use renderer::recipe::SampleFormat;

use crate::error::Error;
use crate::io::output_spec::Format;
use crate::request::destination::Destination;
use crate::request::job::Effort;
use crate::request::job::Strictness;
use crate::request::job::{
    DeciderKind, DeliveryRequest, Genre, GenreReference, MasterJob, MatchKind, Output, Reference,
};
use crate::workflows::master::check_format;

/// Everything that decides how a song comes out, but for the song.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What to go towards; empty means a profile, a genre, or the record itself.
    pub references: Vec<Reference>,
    /// The profile; `None` means that of the genre.
    pub profile: Option<PathBuf>,
    /// The genre, where there are neither references nor a profile.
    pub genre: Genre,
    /// What songs of a genre go towards instead of its profile.
    pub genre_references: Vec<GenreReference>,
    /// Loudness and samples.
    pub wanted: DeliveryRequest,
    /// Who decides.
    pub decider: DeciderKind,
    /// How references are taken.
    pub matching: MatchKind,
    /// How closely the chain is made to do what was decided.
    pub effort: Effort,
    /// How much of everything is done, %.
    pub intensity_pct: f64,
    /// How much of the equalisation, %.
    pub tone_pct: f64,
    /// How much of compression and expansion, %.
    pub dynamics_pct: f64,
    /// How much of the change of the image, %.
    pub width_pct: f64,
    /// Single values of the recipe that are set by hand, path and value.
    pub values: Vec<(String, String)>,
    /// Container of the masters.
    pub format: Format,
    /// What makes a song fail.
    pub strictness: Strictness,
}

/// What a row may set; `input` and `output` are the plan's own.
pub const COLUMNS: [&str; 17] = [
    "reference",
    "profile",
    "genre",
    "for",
    "loudness",
    "ceiling",
    "max_limiting_db",
    "rate",
    "bits",
    "intensity",
    "tone",
    "dynamics",
    "width",
    "decider",
    "match",
    "refine",
    "set",
];

/// The columns that say where a song goes: a row has one of them at most.
pub const DIRECTIONS: [&str; 3] = ["reference", "profile", "genre"];

/// The columns that take several values.
pub const TAKE_SEVERAL: [&str; 2] = ["reference", "set"];

impl Settings {
    /// Sets what `column` says. Only `reference` and `set` take several values. Paths are relative to `base`.
    ///
    /// # Errors
    /// The column is unknown or cannot hold these values: says why.
    pub fn set(&mut self, column: &str, values: &[String], base: &Path) -> Result<(), String> {
        let wanted = &mut self.wanted;
        let (value, takes_several) = (values.first().map_or("", String::as_str), TAKE_SEVERAL.contains(&column));
        if values.len() != 1 && !takes_several {
            return Err("takes one value".to_owned());
        }
        if DIRECTIONS.contains(&column) {
            (self.references, self.profile) = (Vec::new(), None);
        }
        match column {
            "profile" => self.profile = Some(base.join(value)),
            "genre" => self.genre = value.parse()?,
            "reference" => {
                let reference =
                    |text: &str| text.parse::<Reference>().map(|of| Reference { path: base.join(&of.path), ..of });
                self.references = values.iter().map(|text| reference(text)).collect::<Result<_, _>>()?;
            }
            "for" => wanted.destination = Some(Destination::from_str(value, true)?),
            "loudness" => wanted.loudness = Some(value.parse()?),
            "ceiling" => wanted.ceiling_dbtp = Some(number(value)?),
            "max_limiting_db" => wanted.max_limiting_db = Some(number(value)?),
            "rate" => wanted.sample_rate_hz = Some(number(value)?),
            "bits" => wanted.sample_format = Some(sample_format(value)?),
            "intensity" => self.intensity_pct = percent(value)?,
            "tone" => self.tone_pct = percent(value)?,
            "dynamics" => self.dynamics_pct = percent(value)?,
            "width" => self.width_pct = percent(value)?,
            "decider" => self.decider = DeciderKind::from_str(value, true)?,
            "match" => self.matching = MatchKind::from_str(value, true)?,
            "refine" => self.effort = Effort::from_str(value, true)?,
            "set" => {
                let pair = |text: &String| {
                    let (path, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is not PATH=VALUE"))?;
                    Ok((path.trim().to_owned(), value.trim().to_owned()))
                };
                self.values = values.iter().map(pair).collect::<Result<_, String>>()?;
            }
            _ => return Err(format!("unknown; known are input, output, {}", COLUMNS.join(", "))),
        }
        Ok(())
    }

    /// The job of mastering `input` with these settings.
    pub fn job(&self, input: PathBuf, output: PathBuf, force: bool) -> MasterJob {
        let share = |percent: f64| percent / 100.0 * (self.intensity_pct / 100.0);
        MasterJob {
            input,
            output: Output { path: output, format: self.format, force, delta: None, page: None },
            references: self.references.clone(),
            profile: self.profile.clone(),
            genre: self.genre.clone(),
            wanted: self.wanted.clone(),
            decider: self.decider,
            matching: self.matching,
            effort: self.effort,
            amounts: Amounts {
                tone: share(self.tone_pct),
                dynamics: share(self.dynamics_pct),
                width: share(self.width_pct),
            },
            recipe: None,
            settings: self.values.clone(),
            strictness: self.strictness,
        }
    }

    /// The records that the song goes towards if it is of this genre.
    pub fn references_of(&self, genre: &str) -> Vec<Reference> {
        let own = self.genre_references.iter().filter(|of| of.genre == genre);
        own.map(|of| of.reference.clone()).collect()
    }

    /// Whether only the sound of a song tells which references it has.
    pub fn goes_by_genre(&self) -> bool {
        self.references.is_empty() && self.profile.is_none() && !self.genre_references.is_empty()
    }

    /// All records that the song may come to go towards.
    pub fn possible_references(&self) -> Vec<Reference> {
        match &self.genre {
            _ if !self.goes_by_genre() => self.references.clone(),
            Genre::Universal => self.references_of(UNIVERSAL),
            Genre::Named(name) => self.references_of(name),
            Genre::Auto => self.genre_references.iter().map(|of| of.reference.clone()).collect(),
        }
    }

    /// All files that songs are mastered towards.
    pub fn sources(&self) -> impl Iterator<Item = &PathBuf> {
        let by_genre = self.genre_references.iter().map(|of| &of.reference);
        self.references.iter().chain(by_genre).map(|reference| &reference.path).chain(&self.profile)
    }

    /// Refuses what no song could be mastered with.
    ///
    /// # Errors
    /// A value that no recipe accepts.
    pub fn check(&self) -> Result<(), Error> {
        let job = self.job(PathBuf::new(), PathBuf::new(), false);
        self.wanted.delivery(0.0, false, None)?;
        check_format(&job.output, self.wanted.output()?.sample_format)?;
        let recipe = renderer::recipe::Recipe::default();
        job.settings.iter().try_fold(recipe, |recipe, (path, value)| recipe.with(path, value))?;
        Ok(())
    }

    /// Refuses a reference of a genre that no song will be of, as long as no row of a plan says otherwise.
    ///
    /// # Errors
    /// There is one: says which, and what to do.
    pub fn check_genre_references(&self) -> Result<(), Error> {
        let possible: Vec<String> = match &self.genre {
            Genre::Auto => tellable().map_err(Error::Network)?.into_iter().chain([UNIVERSAL.to_owned()]).collect(),
            Genre::Named(name) => vec![name.clone()],
            Genre::Universal => vec![UNIVERSAL.to_owned()],
        };
        let Some(GenreReference { genre, reference }) =
            self.genre_references.iter().find(|of| !possible.contains(&of.genre))
        else {
            return Ok(());
        };
        let why = match self.genre {
            Genre::Auto => format!("{genre} cannot be told from the sound, only {} can", possible.join(", ")),
            _ => format!("with --genre {} no song is of it", possible.join(", ")),
        };
        let file = reference.path.display();
        Err(Error::Usage(format!(
            "--genre-reference {genre}={file}: {why}: say --genre {genre}, or name genres in the column genre of a --plan"
        )))
    }

    /// Hash of all that decides how a song comes out, but for the song. `references` are the hashes of the files of
    /// [`possible_references`](Self::possible_references), in order, `profile` is that of its file, `context` is whatever else a song is mastered towards.
    pub fn hash(&self, references: &[String], profile: Option<&str>, context: &str) -> String {
        let genre = (self.references.is_empty() && self.profile.is_none()).then_some(&self.genre);
        let Self { wanted, decider, matching, effort, values, format, strictness, .. } = self;
        let amounts = self.job(PathBuf::new(), PathBuf::new(), false).amounts;
        let weights: Vec<_> =
            references.iter().zip(self.possible_references().iter().map(|r| (r.section, r.weight))).collect();
        let genres = match genre {
            Some(Genre::Auto) => self.genre_references.iter().map(|of| of.genre.as_str()).collect(),
            _ => Vec::new(),
        };
        // The debug form names every field, so that one that is added counts by itself.
        let towards = format!("{weights:?} {genres:?} {profile:?} {genre:?} {context}");
        let text = format!(
            "{wanted:?} {decider:?} {matching:?} {effort:?} {amounts:?} {values:?} {format:?} {strictness:?} {towards}"
        );
        let program = concat!("goldmaster ", env!("CARGO_PKG_VERSION"), " batch 1\n");
        blake3::hash((program.to_owned() + &text).as_bytes()).to_hex().to_string()
    }
}

fn number<T: std::str::FromStr>(value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{value:?} is not a number that is possible here"))
}

fn percent(value: &str) -> Result<f64, String> {
    let value = number(value)?;
    if (0.0..=100.0).contains(&value) { Ok(value) } else { Err(format!("{value} is not from 0 to 100")) }
}

fn sample_format(value: &str) -> Result<SampleFormat, String> {
    match value {
        "16" => Ok(SampleFormat::Int16),
        "24" => Ok(SampleFormat::Int24),
        "32f" => Ok(SampleFormat::Float32),
        _ => Err(format!("{value:?} is none of 16, 24, 32f")),
    }
}

#[cfg(test)]
pub(super) fn defaults() -> Settings {
    Settings {
        references: Vec::new(),
        profile: None,
        genre: Genre::Auto,
        genre_references: Vec::new(),
        wanted: DeliveryRequest::default(),
        decider: DeciderKind::default(),
        matching: MatchKind::default(),
        effort: Effort::default(),
        intensity_pct: 100.0,
        tone_pct: 100.0,
        dynamics_pct: 100.0,
        width_pct: 100.0,
        values: Vec::new(),
        format: Format::Wav,
        strictness: Strictness::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_known_and_changes_the_hash() {
        let values = [
            "a.flac:0.5",
            "a.profile.json",
            "rock",
            "cd",
            "-11",
            "-2",
            "3",
            "48000",
            "16",
            "50",
            "50",
            "50",
            "50",
            "rules",
            "literal",
            "best",
            "limiter.release_ms=80",
        ];
        let unchanged = defaults().hash(&[], None, "");
        for (column, value) in COLUMNS.into_iter().zip(values) {
            let mut settings = defaults();
            settings.set(column, &[value.to_owned()], Path::new("base")).unwrap_or_else(|e| panic!("{column}: {e}"));
            let references: Vec<_> = settings.references.iter().map(|r| r.path.display().to_string()).collect();
            let profile = settings.profile.as_ref().map(|path| path.display().to_string());
            assert_ne!(settings.hash(&references, profile.as_deref(), ""), unchanged, "{column}");
            let nonsense = ["nonsense".to_owned()];
            let is_path = ["reference", "profile"].contains(&column);
            assert!(settings.set(column, &nonsense, Path::new("")).is_err() || is_path, "{column}");
            let twice = [value.to_owned(), value.to_owned()];
            let is_taken = settings.set(column, &twice, Path::new("")).is_ok();
            assert_eq!(is_taken, TAKE_SEVERAL.contains(&column), "{column}");
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
        assert!(settings.references.is_empty() && settings.genre == Genre::Named("rock".to_owned()));
        set(&mut settings, "profile", "a.profile.json");
        let content = |profile| settings.hash(&[], Some(profile), "");
        assert_ne!(content("one"), content("another"));
        set(&mut settings, "reference", "a.flac");
        assert_eq!((settings.references.len(), settings.profile), (1, None));
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
        let float = DeliveryRequest { sample_format: Some(SampleFormat::Float32), ..DeliveryRequest::default() };
        assert!(Settings { wanted: float, ..flac }.check().is_err());
    }
}
