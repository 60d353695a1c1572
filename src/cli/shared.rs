//! Arguments that several commands have.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Args, Command, ValueEnum as _};

use super::report::PageArgs;
use crate::error::Error;
use crate::io;
use crate::io::decode::begins_like_sound;
use crate::io::output_spec::Format;
use crate::io::tags::Tags;
use crate::request::default_master_path;
use crate::request::destination::Destination;
use crate::request::job::Output;
use crate::request::naming::{Field, NamePattern, NoName, fields_help};
use crate::request::reference::{Genre, MatchKind, Reference};
use crate::request::settings::MasterSettings;
use crate::terminal::genre_table;

#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder
    /// [default: SONG.master.wav beside the mix]
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
    /// File format of the master, where its name does not say it [default: wav]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Name of the master, as in '{track:02} {title} [{destination}].flac'
    #[arg(long, value_name = "PATTERN", long_help = fields_help())]
    pub name: Option<NamePattern>,
    /// Replaces existing files
    #[arg(short, long)]
    pub force: bool,
    /// Writes only what was taken away or added: the master minus the mix at the same gain
    #[arg(long, value_name = "FILE")]
    pub delta: Option<PathBuf>,
    #[command(flatten)]
    pub page: PageArgs,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Display")]
pub struct ShowArgs {
    /// Prints the report as JSON
    #[arg(long, conflicts_with = "quiet")]
    pub json: bool,
    /// Prints errors only
    #[arg(short, long)]
    pub quiet: bool,
}

impl OutputArgs {
    /// Returns the files to write: those of one master, or of one master per destination. Difference and page go with
    /// the first file.
    pub fn outputs(&self, input: &Path, places: &[Destination]) -> Result<Vec<Vec<Output>>, Error> {
        self.outputs.iter().try_for_each(|path| check_is_one_file(path))?;
        if self.name.is_some() && self.outputs.len() > 1 {
            let words = "with --name, -o is the folder of the masters: give a single one";
            return Err(Error::Usage(words.to_owned()));
        }
        if places.len() < 2 {
            return Ok(vec![self.files(input, places.first().copied(), false)?]);
        }
        if self.delta.is_some() || self.page.is_asked_for() {
            let words = "--delta and --report belong to one master: give a single --for with them";
            return Err(Error::Usage(words.to_owned()));
        }
        if let Some(pattern) = self.name.as_ref().filter(|pattern| !pattern.has(Field::Destination)) {
            let words =
                format!("--name {pattern} has no {{destination}}: masters for several places would have one name");
            return Err(Error::Usage(words));
        }
        places.iter().map(|place| self.files(input, Some(*place), true)).collect()
    }

    /// Returns the files of one master. Their names include the destination if there are several.
    fn files(&self, input: &Path, place: Option<Destination>, is_one_of_several: bool) -> Result<Vec<Output>, Error> {
        let shown = place.filter(|_| is_one_of_several);
        let paths = match (&self.name, self.outputs.as_slice()) {
            (Some(pattern), _) => vec![self.named(pattern, input, place)?],
            (None, []) => vec![with_place(default_master_path(input).with_extension(self.extension()), shown)],
            (None, files) => files.iter().map(|file| with_place(file.clone(), shown)).collect(),
        };
        let mut files = paths.into_iter().map(|path| self.output(input, path)).collect::<Result<Vec<_>, _>>()?;
        if let Some(first) = files.first_mut() {
            (first.delta, first.page) = (self.delta.clone(), self.page.page(self.force)?);
        }
        Ok(files)
    }

    /// Fills a name pattern, and returns the path in the given folder, or beside the mix.
    fn named(&self, pattern: &NamePattern, input: &Path, place: Option<Destination>) -> Result<PathBuf, Error> {
        let refused = |cause: NoName| Error::Usage(format!("{}: {cause}", input.display()));
        let mut name = pattern.fill(input, &Tags::read(input).facts(), place).map_err(refused)?.into_os_string();
        if Format::of_path(name.as_ref()).is_none() {
            name.push(".");
            name.push(self.extension());
        }
        let folder = self.outputs.first().cloned().or_else(|| input.parent().map(Path::to_owned)).unwrap_or_default();
        let path = folder.join(name);
        io::text::create_folder(path.parent().unwrap_or(Path::new("")))?;
        Ok(path)
    }

    /// Returns the extension for a master whose name has none.
    fn extension(&self) -> &'static str {
        self.format.unwrap_or(Format::Wav).extension()
    }

    fn output(&self, input: &Path, path: PathBuf) -> Result<Output, Error> {
        if path.is_dir() || path.to_string_lossy().ends_with(std::path::is_separator) {
            let name = default_master_path(input).with_extension(self.extension());
            let file = path.join(name.file_name().unwrap_or_default());
            let words = format!("{} is a folder: name the file in it, as in {}", path.display(), file.display());
            return Err(Error::Usage(words));
        }
        let output = Output::at(path)?;
        if let Some(asked) = self.format.filter(|asked| *asked != output.format) {
            let (path, format) = (output.path.display(), output.format);
            return Err(Error::Usage(format!("{path} is the name of a {format}, and --format asks for {asked}")));
        }
        Ok(Output { force: self.force, ..output })
    }
}

/// Refuses the names of several masters with commas between them.
fn check_is_one_file(path: &Path) -> Result<(), Error> {
    let text = path.to_string_lossy();
    let files: Vec<&str> = text.split(',').map(str::trim).collect();
    if files.len() < 2 || files.iter().any(|file| Format::of_path(Path::new(file)).is_none()) {
        return Ok(());
    }
    let each = files.iter().map(|file| format!("-o {file}")).collect::<Vec<_>>().join(" ");
    Err(Error::Usage(format!("-o {text} would be one file: for several, give -o for each: {each}")))
}

/// Inserts the destination, if any, into a file name.
fn with_place(path: PathBuf, place: Option<Destination>) -> PathBuf {
    let Some(place) = place else { return path };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let formats = Format::value_variants().iter().map(|format| format.extension());
    let end = formats
        .flat_map(|extension| [format!(".master.{extension}"), format!(".{extension}")])
        .find(|end| name.to_lowercase().ends_with(end))
        .unwrap_or_default();
    path.with_file_name(format!("{} [{place}]{}", &name[..name.len() - end.len()], &name[name.len() - end.len()..]))
}

/// Parses the name of a genre; `list` prints all genres instead.
#[derive(Clone)]
pub struct GenreParser;

impl TypedValueParser for GenreParser {
    type Value = Genre;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Genre, clap::Error> {
        if value == "list" {
            let table = genre_table().map_err(|error| clap::Error::raw(ErrorKind::Io, error))?;
            // Printed like the version: on the standard output, with success.
            return Err(clap::Error::raw(ErrorKind::DisplayVersion, table));
        }
        TypedValueParser::parse_ref(&|text: &str| text.parse::<Genre>(), command, arg, value)
    }
}

/// Refuses settings that cannot work: references on the web, and `--match literal` without a reference. `others` are
/// references given in other ways, such as those of genres.
pub fn check_settings(settings: &MasterSettings, others: &[&Reference]) -> Result<(), Error> {
    let references = others.iter().copied().chain(&settings.references);
    references.clone().try_for_each(|reference| check_reference(&reference.path))?;
    if let Some(profile) = settings.profile.as_ref().filter(|profile| begins_like_sound(profile)) {
        let profile = profile.display();
        return Err(Error::Usage(format!(
            "{profile} is a sound file, not a profile; to sound like it: --reference {profile}"
        )));
    }
    if settings.matching == MatchKind::Literal && references.count() == 0 {
        return Err(Error::Usage("--match literal takes a record as it is: name it with --reference".to_owned()));
    }
    Ok(())
}

/// Refuses a reference that is an address on the web, a folder, or a list of files.
fn check_reference(path: &Path) -> Result<(), Error> {
    check_is_local(path)?;
    let text = path.to_string_lossy();
    if path.is_dir() {
        return Err(Error::Usage(format!(
            "{text} is a folder, and a reference is a file; to choose a record in it for each song: goldmaster batch SONGS \
             --reference-folder {text}"
        )));
    }
    let parts: Vec<&str> = text.split([',', ';', ' ']).filter(|part| !part.is_empty()).collect();
    if parts.len() > 1 && !path.exists() && parts.iter().all(|part| Path::new(part).exists()) {
        let each: String = parts.iter().map(|part| format!(" -r {part}")).collect();
        return Err(Error::Usage(format!("every reference needs a -r of its own:{each}")));
    }
    Ok(())
}

/// Refuses a web address.
pub fn check_is_local(path: &Path) -> Result<(), Error> {
    let text = path.to_string_lossy();
    match text.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
            let file = rest.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("FILE");
            Err(Error::Usage(format!(
                "{text} is an address; goldmaster reads files on this machine: download it first, then name the file, \
                 as in {file}"
            )))
        }
        _ => Ok(()),
    }
}

/// Returns the error for several songs given to a command that masters one: what to type for several songs or
/// references.
pub fn several_songs(song: &Path, others: &[PathBuf], has_reference: bool) -> Error {
    let quoted: Vec<_> =
        [song].into_iter().chain(others.iter().map(PathBuf::as_path)).map(|s| format!("{s:?}")).collect();
    let songs = quoted.join(" ");
    let references = if has_reference { "; every reference needs a -r of its own: -r ONE -r TWO" } else { "" };
    Error::Usage(format!("one song at a time; for several: goldmaster batch {songs}{references}"))
}
