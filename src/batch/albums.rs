//! Groups the songs of a batch into albums and puts them in order, by their folders and tags.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

use crate::batch::plan::{Item, Plan, Relation};
use crate::io::tags::{TagFacts, Tags};

/// The way a batch is divided into albums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Division {
    /// All songs form one album.
    One,
    /// Every folder whose songs form an album by their tags or names is one album; folders that are discs of one album
    /// belong together.
    Folders,
}

/// The order of the songs of an album.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By the disc and track numbers in their tags.
    Tags,
    /// In the order in which they are listed.
    Listed,
}

/// Signs that songs mastered as one album come from several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeveralAlbums {
    /// The album titles in the tags, in lower case and without disc numbers.
    pub titles: BTreeSet<String>,
    /// The album artists in the tags, or the track artists where there are none; empty if there is one title.
    pub artists: BTreeSet<String>,
    /// Number of folders that could be albums of their own.
    pub folders: usize,
}

impl Display for SeveralAlbums {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let several = [(self.titles.len(), "albums"), (self.artists.len(), "artists"), (self.folders, "folders")];
        let counts: Vec<String> =
            several.iter().filter(|(count, _)| *count > 1).map(|(count, what)| format!("{count} {what}")).collect();
        let counts = counts.join(", ");
        write!(
            f,
            "the songs are from {counts}, and --album masters them as one album; --album=folders masters the album in \
             each folder"
        )
    }
}

/// The reason why the songs of a folder count as an album or as singles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderReason {
    /// An album: at least half of the songs name an album in their tags, and all that do name the same one.
    Title,
    /// An album: the folders are named as discs.
    Discs,
    /// An album: all songs have track numbers, in their tags or at the start of their file names.
    Numbers,
    /// Singles: the tags name this many different albums.
    Titles(usize),
    /// Singles: nothing indicates an album.
    Nothing,
}

impl FolderReason {
    fn is_album(self) -> bool {
        match self {
            Self::Title | Self::Discs | Self::Numbers => true,
            Self::Titles(_) | Self::Nothing => false,
        }
    }
}

/// A folder of songs, classified as an album or as singles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderKind {
    /// Name of the folder.
    pub name: String,
    /// Number of songs in it.
    pub songs: usize,
    /// The classification, and the reason for it.
    pub reason: FolderReason,
}

impl Display for FolderKind {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Self { name, songs, reason } = self;
        match reason {
            FolderReason::Title => write!(f, "{name}: an album of {songs} songs (their tags name one)"),
            FolderReason::Discs => write!(f, "{name}: an album of {songs} songs (their folders are discs)"),
            FolderReason::Numbers => write!(f, "{name}: an album of {songs} songs (they have track numbers)"),
            FolderReason::Titles(count) => write!(f, "{name}: {songs} singles (their tags name {count} albums)"),
            FolderReason::Nothing => write!(
                f,
                "{name}: {songs} singles (no album in their tags, no track numbers; --album on this folder makes them one)"
            ),
        }
    }
}

/// The songs of a plan, divided into albums.
pub struct Arranged {
    /// The plan, sorted by album.
    pub plan: Plan,
    /// Signs that the songs come from several albums although all are mastered as one.
    pub several: Option<SeveralAlbums>,
    /// The classification of every folder with several songs.
    pub folders: Vec<FolderKind>,
}

/// Divides the songs of a plan into albums and puts them in order.
pub fn arranged(plan: Plan, relation: Relation, division: Division, order: Order) -> Arranged {
    let plan = plan.related(relation);
    if relation == Relation::default() {
        return Arranged { plan, several: None, folders: Vec::new() };
    }
    let is_album = relation.album.is_some();
    let order = if is_album { order } else { Order::Listed };
    let facts = |item: &Item| if is_album { Tags::read(&item.input).facts() } else { TagFacts::default() };
    let tags: Vec<TagFacts> = plan.items.iter().map(facts).collect();
    let mut folders = Folders::of(&plan.items, &tags);
    let several = folders.several(&tags);
    let mut songs: Vec<(Item, TagFacts)> = plan.items.into_iter().zip(tags).collect();
    let mut kinds = Vec::new();
    if division == Division::Folders {
        songs.iter_mut().for_each(|(item, _)| item.album = folders.album(item));
        kinds = folders.kinds(&songs);
        folders.set_singles_apart(&kinds, &mut songs);
    }
    songs.sort_by_key(|(item, tags)| match order {
        Order::Listed => (item.album, 0, 0, 0, item.index),
        Order::Tags => (item.album, disc(item, tags), folders.place(item), tags.track.unwrap_or(u32::MAX), item.index),
    });
    let destination = |item: &Item| item.settings.master.delivery.destination();
    let destinations: Vec<_> = songs.iter().map(|(item, _)| destination(item)).fold(Vec::new(), |mut known, place| {
        if !known.contains(&place) {
            known.push(place);
        }
        known
    });
    let mut names = match division {
        Division::One if destinations.len() == 1 => Vec::new(),
        Division::One => vec![name_of_one(songs.iter().map(|(item, _)| item))],
        Division::Folders => folders.names,
    };
    // An album for several destinations is solved as several albums: each destination has a loudness of its own.
    if destinations.len() > 1 {
        let place = |item: &Item| destinations.iter().position(|place| *place == destination(item)).unwrap_or(0);
        songs.iter_mut().for_each(|(item, _)| item.album = item.album * destinations.len() + place(item));
        songs.sort_by_key(|(item, _)| item.album);
        let named = |name: &String| {
            destinations
                .iter()
                .map(|place| place.map_or_else(|| name.clone(), |place| format!("{name} [{place}]")))
                .collect::<Vec<_>>()
        };
        names = names.iter().flat_map(named).collect();
    }
    let items = songs.into_iter().enumerate().map(|(index, (item, _))| Item { index, ..item }).collect();
    let plan = Plan { items, albums: names, ..plan }.divided();
    let several = several.filter(|_| is_album && division == Division::One);
    Arranged { plan, several, folders: kinds.into_iter().filter(|kind| kind.songs > 1).collect() }
}

/// Returns the number of a song's disc, from its tags or else from its folder; 1 if neither names one.
pub(super) fn disc(item: &Item, tags: &TagFacts) -> u32 {
    tags.disc.or_else(|| disc_of_folder(folder(item))).unwrap_or(1)
}

/// Returns the folder that contains a song's file.
fn folder(item: &Item) -> &Path {
    item.input.parent().unwrap_or(Path::new(""))
}

/// The folders that contain songs, and the albums that they make up.
struct Folders {
    /// For every folder, its position in the order of the plan and the number of its album.
    folders: BTreeMap<PathBuf, (usize, usize)>,
    /// Name of each album, by its number.
    names: Vec<String>,
}

impl Folders {
    fn of(items: &[Item], tags: &[TagFacts]) -> Self {
        let mut titles: Vec<(&Path, BTreeSet<String>, PathBuf)> = Vec::new();
        for (item, tags) in items.iter().zip(tags) {
            let title = tags.album.as_deref().map(plain_title);
            let output = item.output.parent().unwrap_or(Path::new(""));
            match titles.iter_mut().find(|(known, ..)| *known == folder(item)) {
                Some((_, titles, common)) => {
                    titles.extend(title);
                    *common = common_folder([common.as_path(), output].into_iter());
                }
                None => titles.push((folder(item), title.into_iter().collect(), output.to_owned())),
            }
        }
        let mut albums: Vec<((PathBuf, Option<String>), PathBuf, bool)> = Vec::new();
        let mut folders = BTreeMap::new();
        for (place, (path, own, output)) in titles.iter().enumerate() {
            let discs = path.parent().filter(|_| disc_of_folder(path).is_some());
            let all_titles: BTreeSet<&String> = titles
                .iter()
                .filter(|(other, ..)| other.parent() == path.parent() && disc_of_folder(other).is_some())
                .flat_map(|(_, titles, _)| titles)
                .collect();
            // Disc folders without tags belong to the same album as their tagged neighbours if these agree on one
            // title.
            let title = match own.first() {
                _ if all_titles.len() <= 1 => all_titles.first().map(|title| (*title).clone()),
                Some(title) if own.len() == 1 => Some(title.clone()),
                _ => None,
            };
            let is_of_discs = discs.is_some() && (all_titles.len() <= 1 || title.is_some());
            let key = match discs {
                Some(parent) if is_of_discs => (parent.to_owned(), title),
                _ => (path.to_path_buf(), None),
            };
            let album = albums.iter().position(|(known, ..)| *known == key).unwrap_or_else(|| {
                albums.push((key, output.clone(), is_of_discs));
                albums.len() - 1
            });
            albums[album].1 = common_folder([albums[album].1.as_path(), output.as_path()].into_iter());
            folders.insert(path.to_path_buf(), (place, album));
        }
        let names = albums.iter().map(|((input, _), output, is_of_discs)| name(input, output, *is_of_discs)).collect();
        Self { folders, names }
    }

    fn place(&self, item: &Item) -> usize {
        self.folders.get(folder(item)).map_or(0, |(place, _)| *place)
    }

    fn album(&self, item: &Item) -> usize {
        self.folders.get(folder(item)).map_or(0, |(_, album)| *album)
    }

    /// Classifies the songs of every album, in the order of the albums' numbers.
    fn kinds(&self, songs: &[(Item, TagFacts)]) -> Vec<FolderKind> {
        let kind = |(album, name): (usize, &String)| {
            let songs: Vec<&(Item, TagFacts)> = songs.iter().filter(|(item, _)| item.album == album).collect();
            FolderKind { name: name.clone(), songs: mixes(&songs), reason: reason(&songs) }
        };
        self.names.iter().enumerate().map(kind).collect()
    }

    /// Moves every song whose folder is not an album into an album of its own.
    fn set_singles_apart(&mut self, kinds: &[FolderKind], songs: &mut [(Item, TagFacts)]) {
        let mut singles: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for (item, _) in songs.iter_mut().filter(|(item, _)| !kinds[item.album].reason.is_album()) {
            item.album = *singles.entry(item.input.clone()).or_insert_with(|| {
                self.names.push(kinds[item.album].name.clone());
                self.names.len() - 1
            });
        }
    }

    /// Returns the titles, artists and folders if they suggest several albums.
    fn several(&self, tags: &[TagFacts]) -> Option<SeveralAlbums> {
        let titles: BTreeSet<String> = tags.iter().filter_map(|tags| tags.album.as_deref().map(plain_title)).collect();
        let artists = tags.iter().filter_map(|tags| tags.album_artist.as_ref().or(tags.artist.as_ref()));
        // Different artists under one title make a compilation, not several albums.
        let artists = if titles.len() == 1 { BTreeSet::new() } else { artists.cloned().collect() };
        let several = SeveralAlbums { titles, artists, folders: self.names.len() };
        let counts = [several.titles.len(), several.artists.len(), several.folders];
        counts.into_iter().any(|count| count > 1).then_some(several)
    }
}

/// Returns the name of an album: the folder in the output that holds all of its masters, above those of its discs. An
/// album at the top of the output has the name of its input folder.
fn name(input: &Path, output: &Path, is_of_discs: bool) -> String {
    let parts = output.components();
    let tree: PathBuf = parts.take_while(|part| !is_of_discs || disc_of_folder(Path::new(part)).is_none()).collect();
    let name = if tree.as_os_str().is_empty() { input.file_name().unwrap_or_default().into() } else { tree };
    name.display().to_string()
}

/// Returns the name of songs that are all one album: the folder that holds all of their mixes, above its discs.
pub(super) fn name_of_one<'a>(items: impl Iterator<Item = &'a Item>) -> String {
    let common = common_folder(items.map(folder));
    let name = common.ancestors().find(|path| disc_of_folder(path).is_none()).and_then(Path::file_name);
    name.map_or_else(|| "album".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Returns the deepest folder that holds all of these folders; an empty path if there is none.
pub(super) fn common_folder<'a>(mut folders: impl Iterator<Item = &'a Path>) -> PathBuf {
    let first = folders.next().unwrap_or(Path::new("")).to_owned();
    folders.fold(first, |common, folder| {
        let parts = common.components().zip(folder.components());
        parts.take_while(|(one, other)| one == other).map(|(one, _)| one).collect()
    })
}

/// Returns the number of different mixes: a mix is listed several times if it has several destinations.
fn mixes(songs: &[&(Item, TagFacts)]) -> usize {
    songs.iter().map(|(item, _)| &item.input).collect::<BTreeSet<_>>().len()
}

/// Classifies the songs of a folder, or of all discs of an album.
fn reason(songs: &[&(Item, TagFacts)]) -> FolderReason {
    let titles: BTreeSet<String> =
        songs.iter().filter_map(|(_, tags)| Some(plain_title(tags.album.as_deref()?))).collect();
    let artists: BTreeSet<&String> = songs.iter().filter_map(|(_, tags)| tags.album_artist.as_ref()).collect();
    let albums = if titles.is_empty() { 0 } else { titles.len().max(artists.len()) };
    let named = songs.iter().filter(|(_, tags)| tags.album.is_some()).count();
    match albums {
        1 if 2 * named >= songs.len() => FolderReason::Title,
        2.. => FolderReason::Titles(albums),
        _ if songs.iter().all(|(item, _)| disc_of_folder(folder(item)).is_some()) => FolderReason::Discs,
        _ if are_numbered(songs) => FolderReason::Numbers,
        _ => FolderReason::Nothing,
    }
}

/// True if the songs have the track numbers of an album: every mix has a number of its own, and no number exceeds
/// twice the number of mixes, as in "99 Nights".
fn are_numbered(songs: &[&(Item, TagFacts)]) -> bool {
    let by_tags = |(item, tags): &&(Item, TagFacts)| Some((disc(item, tags), tags.track?));
    let by_names = |(item, _): &&(Item, TagFacts)| track_of_name(&item.input);
    let count = mixes(songs);
    let fit = |numbers: Option<BTreeSet<(u32, u32)>>| {
        let most = u32::try_from(2 * count).unwrap_or(u32::MAX);
        numbers.is_some_and(|numbers| numbers.len() == count && numbers.iter().all(|(_, track)| *track <= most))
    };
    fit(songs.iter().map(by_tags).collect()) || fit(songs.iter().map(by_names).collect())
}

/// Returns the disc and track numbers at the start of a file name: `03 Song`, `3.wav`, `1-03 Song`.
fn track_of_name(file: &Path) -> Option<(u32, u32)> {
    let stem = file.file_stem()?.to_string_lossy();
    let number = |text: &str| {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let is_whole = !text[digits..].starts_with(char::is_alphanumeric);
        Some((text[..digits].parse::<u32>().ok().filter(|_| is_whole)?, digits))
    };
    let (first, end) = number(&stem)?;
    let second = stem[end..].strip_prefix(['-', '.']).and_then(number);
    Some(second.map_or((1, first), |(second, _)| (first, second)))
}

/// Words at the start of the name of a disc folder.
const DISC_WORDS: [&str; 5] = ["disc", "disk", "cd", "lp", "vinyl"];

/// Returns the disc number in the name of a folder: `CD1`, `Disc 2`, `disc-02 live`.
pub(super) fn disc_of_folder(folder: &Path) -> Option<u32> {
    let name = folder.file_name()?.to_string_lossy().to_lowercase();
    let rest = DISC_WORDS.iter().find_map(|word| name.strip_prefix(word))?;
    let rest = rest.trim_start_matches([' ', '_', '-', '.', '#']);
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let is_whole = !rest[digits..].starts_with(char::is_alphanumeric);
    rest[..digits].parse().ok().filter(|_| is_whole)
}

/// Normalizes the title of an album: lower case, without its disc.
fn plain_title(title: &str) -> String {
    without_disc(title).to_lowercase()
}

/// Returns the title of an album without the disc that some tags append: `Songs (Disc 2)` becomes `Songs`.
pub(super) fn without_disc(title: &str) -> &str {
    let begins_disc =
        |at: usize| disc_of_folder(Path::new(title[at..].trim_start_matches(['(', '[', '-', ',', ' ']))).is_some();
    let cut = title
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| title[*at..].starts_with(['(', '[', '-', ',']) && begins_disc(*at));
    title[..cut.unwrap_or(title.len())].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_a_disc_is_known_by_its_name() {
        let discs = ["CD1", "cd 02", "Disc 2", "disk-3", "Disc 1 (live)", "CDs", "cd", "Discovery", "Disc 1a", "1"];
        let numbers = [Some(1), Some(2), Some(2), Some(3), Some(1), None, None, None, None, None];
        assert_eq!(discs.map(|name| disc_of_folder(Path::new(name))), numbers);
    }

    #[test]
    fn the_discs_of_an_album_have_one_title() {
        for title in ["Songs", " songs ", "Songs (Disc 2)", "Songs [CD1]", "Songs - Disc 1", "Songs, Disk 2"] {
            assert_eq!(plain_title(title), "songs", "{title}");
        }
        assert_eq!(plain_title("Songs (Discography)"), "songs (discography)");
    }

    fn item(index: usize, input: &str) -> Item {
        let settings = std::sync::Arc::new(crate::batch::settings::defaults());
        Item { index, input: input.into(), output: input.into(), settings, problem: None, album: 0 }
    }

    #[test]
    fn an_album_has_the_name_of_the_folder_of_all_its_masters() {
        let names = |songs: &[(&str, &str)]| {
            let item = |(n, (input, output)): (usize, &(&str, &str))| Item { output: output.into(), ..item(n, input) };
            let items: Vec<Item> = songs.iter().enumerate().map(item).collect();
            let folders = Folders::of(&items, &vec![TagFacts::default(); items.len()]);
            (folders.names, name_of_one(items.iter()))
        };
        for (songs, name) in [
            ([("in/b/CD1/x.wav", "b/CD1/B/x.wav"), ("in/b/CD2/x.wav", "b/CD2/B/x.wav")], "b"),
            ([("in/CD1/x.wav", "CD1/B/x.wav"), ("in/CD2/x.wav", "CD2/B/x.wav")], "in"),
            ([("in/CD1/x.wav", "CD1/B/x.wav"), ("in/CD1/y.wav", "CD1/B/y.wav")], "in"),
            ([("in/c/x.wav", "c/One/x.wav"), ("in/c/y.wav", "c/Two/y.wav")], "c"),
        ] {
            assert_eq!(names(&songs), (vec![name.to_owned()], name.to_owned()));
        }
        assert_eq!(names(&[("x.wav", "x.wav")]).1, "album");
    }

    #[test]
    fn folders_are_albums_and_discs_of_one_album_belong_together() {
        let of = |album: Option<&str>| TagFacts { album: album.map(str::to_owned), ..TagFacts::default() };
        let songs = [
            ("a/x.wav", None),
            ("b/CD1/x.wav", Some("B")),
            ("b/CD2/x.wav", Some("b (Disc 2)")),
            ("c/CD1/x.wav", Some("One")),
            ("c/CD2/x.wav", Some("Another")),
            ("d/cd1/x.wav", None),
            ("d/cd2/x.wav", None),
        ];
        let items: Vec<Item> = songs.iter().enumerate().map(|(n, (input, _))| item(n, input)).collect();
        let tags: Vec<TagFacts> = songs.iter().map(|(_, album)| of(*album)).collect();
        let folders = Folders::of(&items, &tags);
        let albums: Vec<usize> = items.iter().map(|item| folders.album(item)).collect();
        assert_eq!(albums, [0, 1, 1, 2, 3, 4, 4]);
        assert_eq!(folders.names, ["a", "b", "c", "c", "d"]);
        let several = folders.several(&tags).expect("they are several").to_string();
        assert!(several.contains("3 albums, 5 folders") && several.contains("--album=folders"), "{several}");
        assert_eq!(folders.several(&[of(Some("B")), of(Some("B (Disc 2)"))]).map(|s| s.titles.len()), Some(1));
    }
}
