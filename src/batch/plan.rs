//! The plan of a batch: every song with its settings and its place in the output.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::batch::inputs::{Found, tree_path};
use crate::batch::outcome::{Outcome, Summary};
use crate::batch::settings::Settings;
use crate::error::Error;
use crate::io::encode::identity;
use crate::io::name;
use crate::io::output_spec::Format;
use crate::io::tags::{TagFacts, Tags};
use crate::report::album::some_names;
use crate::request::job::{AlbumBalance, AlbumLoudness};
use crate::request::naming::{Field, NamePattern, NoName};
use crate::request::paths::{with_extension, without_extension};
use crate::request::settings::MasterSettings;

/// One master of the plan: a mix, its settings and its place in the output.
#[derive(Clone, Debug)]
pub struct Item {
    /// Position in the plan, from 0.
    pub index: usize,
    /// Path of the mix.
    pub input: PathBuf,
    /// Path of the master, relative to the output folder.
    pub output: PathBuf,
    /// Settings to master it with.
    pub settings: Arc<Settings>,
    /// The reason why it cannot be mastered, if already known.
    pub problem: Option<String>,
    /// Number of its album within the plan.
    pub album: usize,
}

/// All items of a batch, in order.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The items of this run.
    pub items: Vec<Item>,
    /// The shard that `items` are, if the plan is divided among several machines.
    pub shard: Option<Shard>,
    /// The relation between the songs.
    pub relation: Relation,
    /// Names of the albums, if the songs are divided into several.
    pub albums: Vec<String>,
    /// Number of masters in the whole plan, over all shards.
    pub songs: usize,
    /// Hash that identifies the whole plan.
    pub hash: String,
}

/// The relation between the songs of a plan; by default there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Relation {
    /// The album loudness mode if the songs are one album, which keeps the differences in loudness and has one target
    /// for tone.
    pub album: Option<AlbumLoudness>,
    /// The treatment of differences in loudness between the songs of an album.
    pub balance: AlbumBalance,
    /// True if the songs' own middle is their reference.
    pub is_own_reference: bool,
}

impl Relation {
    /// Work done on all songs before the first is mastered, relative to the work of mastering them. It is used for the
    /// progress display only.
    pub fn analysis_passes(&self) -> u64 {
        match (self.album, self.is_own_reference) {
            (Some(_), _) | (None, true) => 1,
            (None, false) => 0,
        }
    }
}

/// One of several equal parts of a plan, for one of several machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Number of the part, from 1.
    pub number: usize,
    /// Total number of parts.
    pub of: usize,
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err("must be NUMBER/COUNT, as in 3/16, from 1 on".to_owned()),
        }
    }
}

/// A song whose place in the output is not settled yet.
#[derive(Clone, Debug)]
pub struct Request {
    /// The mix.
    pub found: Found,
    /// Path of the master, if the plan names it.
    pub output: Option<PathBuf>,
    /// Settings to master it with.
    pub settings: Arc<Settings>,
}

impl Request {
    /// Splits the request into one per destination. Masters are named by `pattern` unless the plan names them. A song
    /// without a tag that the pattern needs is added to `unnamed`, with that tag.
    fn each(self, pattern: Option<&NamePattern>, unnamed: &mut Vec<String>) -> Vec<Self> {
        let places = self.settings.master.each_destination();
        let has_several = places.len() > 1;
        let of_destinations = has_several.then(NamePattern::of_destinations);
        let pattern = pattern.or(of_destinations.as_ref());
        let Some(pattern) = pattern.filter(|_| has_several || self.output.is_none()) else { return vec![self] };
        let tags = if pattern.needs_tags() { Tags::read(&self.found.path).facts() } else { TagFacts::default() };
        let mut missing = None;
        let named = |master: MasterSettings| {
            let mut found = self.found.clone();
            let destination = master.delivery.destination();
            let settings = Arc::new(Settings { master, ..(*self.settings).clone() });
            let extension = settings.format.extension();
            let output = match &self.output {
                Some(output) => {
                    let place = destination.map_or_else(String::new, |place| format!(" [{place}]"));
                    Some(appended(&without_extension(output), &format!("{place}.{extension}")))
                }
                None => match pattern.fill(&found.path, &tags, destination) {
                    Ok(name) => Some(found.relative.with_file_name(appended(&name, &format!(".{extension}")))),
                    Err(cause) => {
                        missing = Some(cause).filter(|_| found.problem.is_none());
                        found.problem.get_or_insert(format!("{}: {cause}", name(&found.path)));
                        None
                    }
                },
            };
            Self { found, output, settings }
        };
        let mut masters: Vec<Self> = places.into_iter().map(named).collect();
        if let Some(NoName::Tag(field)) = missing {
            unnamed.push(format!("{} has no {field}", self.found.path.display()));
        }
        // A song without a name has no place of its own for each of its masters: it fails once.
        if masters.iter().all(|master| master.output.is_none()) {
            masters.truncate(1);
        }
        masters
    }
}

/// Returns the path with `more` appended to its file name.
fn appended(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    name.into()
}

impl Plan {
    /// Builds a plan that masters all found songs with the same settings.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn uniform(
        found: Vec<Found>,
        settings: Settings,
        folder: &Path,
        pattern: Option<&NamePattern>,
    ) -> Result<Self, Error> {
        let settings = Arc::new(settings);
        let request = |found| Request { found, output: None, settings: Arc::clone(&settings) };
        Self::new(found.into_iter().map(request).collect(), folder, pattern)
    }

    /// Gives every song a place of its own under `folder`. A song keeps its name and folders; where songs differ only
    /// in their extension, `a.flac` becomes `a.flac.wav`. Masters of one song for several destinations, and masters
    /// with a `pattern`, get names of their own.
    ///
    /// # Errors
    /// There is no song, two songs claim the same place, or a place is the path of a song, a reference or a profile.
    pub fn new(requests: Vec<Request>, folder: &Path, pattern: Option<&NamePattern>) -> Result<Self, Error> {
        let has_several = requests.iter().any(|request| request.settings.master.delivery.destinations.len() > 1);
        if let Some(pattern) = pattern.filter(|pattern| has_several && !pattern.has(Field::Destination)) {
            let words =
                format!("--name {pattern} has no {{destination}}: masters for several places would have one name");
            return Err(Error::Usage(words));
        }
        let goes_nowhere =
            |request: &Request| request.output.is_none() && request.settings.master.delivery.destinations.is_empty();
        if pattern.is_some_and(|pattern| pattern.has(Field::Destination))
            && !requests.is_empty()
            && requests.iter().all(goes_nowhere)
        {
            return Err(Error::Usage(NoName::Destination.to_string()));
        }
        let mut unnamed = Vec::new();
        let requests = requests.into_iter().flat_map(|request| request.each(pattern, &mut unnamed));
        let requests: Vec<Request> = requests.collect();
        let problems: Vec<String> = requests.iter().filter_map(|request| request.found.problem.clone()).collect();
        if problems.len() == requests.len() {
            return Err(Error::Usage(no_song(&problems, &unnamed, pattern)));
        }
        let outputs = places(&requests)?;
        let items = requests.into_iter().zip(outputs).enumerate().map(|(index, (request, output))| {
            let Request { found: Found { path, problem, .. }, settings, .. } = request;
            Item { index, input: path, output, settings, problem, album: 0 }
        });
        let items: Vec<Item> = items.collect();
        spare_sources(&items, folder)?;
        let mut hasher = blake3::Hasher::new();
        for Item { input, output, settings, problem, .. } in &items {
            for path in [input, output].into_iter().chain(settings.sources()) {
                hasher.update(path.as_os_str().as_encoded_bytes()).update(b"\n");
            }
            hasher.update(settings.hash(&[], None, problem.as_deref().unwrap_or_default()).as_bytes()).update(b"\n");
        }
        let hash = hasher.finalize().to_hex().to_string();
        let relation = Relation::default();
        Ok(Self { songs: items.len(), items, shard: None, relation, albums: Vec::new(), hash })
    }

    /// Returns the same plan with `relation` between its songs; the relation becomes part of the hash.
    pub fn related(self, relation: Relation) -> Self {
        let hash = {
            let relation = serde_json::to_string(&relation).expect("plain data has a JSON form");
            blake3::hash(format!("{} {relation}", self.hash).as_bytes()).to_hex().to_string()
        };
        Self { relation, hash, ..self }
    }

    /// Returns the same plan with its album names as part of the hash.
    pub fn divided(self) -> Self {
        if self.albums.is_empty() {
            return self;
        }
        let albums = serde_json::to_string(&self.albums).expect("plain data has a JSON form");
        let hash = blake3::hash(format!("{} {albums}", self.hash).as_bytes()).to_hex().to_string();
        Self { hash, ..self }
    }

    /// Returns the groups of songs that are mastered together: one part per album, or one for the whole plan if it is
    /// not divided into albums. Albums of a single song are collected in one further part, in which each song is
    /// mastered by itself.
    pub fn parts(&self) -> Vec<Part> {
        let songs = |album: usize| self.items.iter().filter(move |item| item.album == album);
        let whole = || Part { plan: self.clone(), name: None };
        if self.albums.is_empty() {
            return vec![whole()];
        }
        let (mut parts, mut singles) = (Vec::new(), Vec::new());
        for (album, name) in self.albums.iter().enumerate() {
            let items: Vec<Item> = songs(album).cloned().collect();
            match items.len() {
                0 | 1 => singles.extend(items),
                _ => parts.push(Part { plan: Self { items, ..self.clone() }, name: Some(name.clone()) }),
            }
        }
        if !singles.is_empty() {
            parts.push(Part {
                plan: Self { items: singles, relation: Relation::default(), ..self.clone() },
                name: None,
            });
        }
        parts
    }

    /// Counts the songs by outcome; `outcomes` are in the order of the items.
    pub fn summary(&self, outcomes: &[Outcome]) -> Summary {
        Summary::of(self.items.iter().map(|item| item.input.as_path()).zip(outcomes))
    }

    /// Returns every `shard.of`th song with all of its masters. Neighbours, which are often similar and equally long,
    /// go to different shards.
    pub fn part(mut self, shard: Shard) -> Self {
        let mut songs = HashMap::new();
        self.items.retain(|item| {
            let next = songs.len();
            *songs.entry(item.input.clone()).or_insert(next) % shard.of == shard.number - 1
        });
        Self { shard: Some(shard), ..self }
    }
}

/// Songs of a plan that are mastered together.
pub struct Part {
    /// The plan of these songs. They keep their index in the whole plan.
    pub plan: Plan,
    /// Name of the album, if there are several.
    pub name: Option<String>,
}

/// Returns the reason why there is no song to master, from the problems of all songs. `unnamed` are the songs that lack
/// a tag of the pattern.
fn no_song(problems: &[String], unnamed: &[String], pattern: Option<&NamePattern>) -> String {
    let songs = problems.len();
    match (problems, pattern) {
        ([], _) => "there is no song to master".to_owned(),
        ([problem], _) => problem.clone(),
        (_, Some(pattern)) if unnamed.len() == songs => format!(
            "none of the {songs} songs has all tags that --name '{pattern}' asks for: {}; tag them, or use {{name}}, the \
             name of the file, which every song has",
            some_names(unnamed)
        ),
        _ => format!("none of the {songs} songs can be mastered: {}", some_names(problems)),
    }
}

fn places(requests: &[Request]) -> Result<Vec<PathBuf>, Error> {
    let extension = |request: &Request| request.settings.format.extension();
    let mut outputs: Vec<PathBuf> = requests
        .iter()
        .map(|request| {
            request.output.clone().unwrap_or_else(|| with_extension(&request.found.relative, extension(request)))
        })
        .collect();
    let mut claims: HashMap<PathBuf, usize> = HashMap::new();
    outputs.iter().for_each(|output| *claims.entry(output.clone()).or_default() += 1);
    for (request, output) in requests.iter().zip(&mut outputs) {
        if claims[output] > 1 && request.output.is_none() && request.found.relative != *output {
            let mut name = request.found.relative.clone().into_os_string();
            name.push(".");
            name.push(extension(request));
            *output = name.into();
        }
    }
    let mut taken: HashMap<&Path, &Request> = HashMap::new();
    for (request, output) in requests.iter().zip(&outputs).filter(|(request, _)| request.found.problem.is_none()) {
        if let Some(other) = taken.insert(output, request) {
            let (one, other) = (other.found.path.display(), request.found.path.display());
            let words =
                format!("{one} and {other} would both become {}: rename one, or name their folder", output.display());
            return Err(Error::Usage(words));
        }
    }
    Ok(outputs)
}

/// Refuses a plan in which a master would replace a song, a reference or a profile.
fn spare_sources(items: &[Item], folder: &Path) -> Result<(), Error> {
    let sources: HashMap<_, _> = items
        .iter()
        .flat_map(|item| item.settings.sources().chain([&item.input]))
        .filter_map(|path| Some((identity(path)?, path)))
        .collect();
    for item in items {
        let output = folder.join(&item.output);
        if let Some(source) = identity(&output).and_then(|id| sources.get(&id)) {
            let master = if output == **source { "a master".to_owned() } else { output.display().to_string() };
            let words = format!("{master} would replace {}: choose another output folder", source.display());
            return Err(Error::Usage(words));
        }
    }
    Ok(())
}

/// Parses the path of a master that a plan names.
///
/// # Errors
/// The path leads out of the output folder, or its extension is not a supported output format.
pub fn named_output(text: &str) -> Result<(PathBuf, Format), String> {
    let path = tree_path(Path::new(text));
    if !Path::new(text).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(format!("{text:?} leads out of the output folder"));
    }
    let format = Format::of_path(&path).ok_or_else(|| format!("{text:?} is none of .wav, .flac, .mp3 and .opus"))?;
    Ok((path, format))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::settings::defaults;

    fn plan(relatives: &[&str]) -> Result<Plan, Error> {
        let found = relatives.iter().enumerate().map(|(n, relative)| Found {
            path: format!("/{n}/{relative}").into(),
            relative: relative.into(),
            problem: None,
        });
        Plan::uniform(found.collect(), defaults(), Path::new("out"), None)
    }

    fn outputs(plan: &Plan) -> Vec<String> {
        plan.items.iter().map(|item| item.output.to_string_lossy().replace('\\', "/")).collect()
    }

    #[test]
    fn the_output_mirrors_the_input() {
        let plan = plan(&["a.mp3", "cd1/a.mp3", "cd1/b.live.flac", "unnamed"]).expect("distinct");
        assert_eq!(outputs(&plan), ["a.wav", "cd1/a.wav", "cd1/b.live.wav", "unnamed.wav"]);
    }

    #[test]
    fn songs_that_differ_in_their_extension_keep_it() {
        let plan = plan(&["a.wav", "a.flac", "a.mp3", "b.flac"]).expect("distinct");
        assert_eq!(outputs(&plan), ["a.wav", "a.flac.wav", "a.mp3.wav", "b.wav"]);
    }

    #[test]
    fn two_songs_for_one_place_are_refused_before_any_work() {
        let refused = plan(&["a.wav", "a.wav"]).expect_err("one place");
        assert!(refused.to_string().contains("/0/a.wav and /1/a.wav"), "{refused}");
        assert!(plan(&["a.wav", "a.flac", "a.flac.wav"]).is_err());
        assert!(plan(&[]).is_err());
    }

    #[test]
    fn the_parts_of_a_plan_are_the_plan() {
        let names: Vec<String> = (0..10).map(|n| format!("{n}.wav")).collect();
        let whole = plan(&names.iter().map(String::as_str).collect::<Vec<_>>()).expect("distinct");
        let parts: Vec<Plan> = (1..=4).map(|number| whole.clone().part(Shard { number, of: 4 })).collect();
        let mut indices: Vec<usize> = parts.iter().flat_map(|part| part.items.iter().map(|item| item.index)).collect();
        indices.sort_unstable();
        assert_eq!(indices, (0..10).collect::<Vec<_>>());
        assert!(parts.iter().all(|part| part.hash == whole.hash && (2..=3).contains(&part.items.len())));
    }

    #[test]
    fn shards_count_from_one() {
        assert_eq!("3/16".parse(), Ok(Shard { number: 3, of: 16 }));
        for wrong in ["0/4", "5/4", "3", "3/", "a/b", "-1/2", "0/0"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
