//! Arguments of `batch` and `merge-reports`.

use std::io::stdin;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum as _};

use super::shared::{check_is_local, check_settings};
use crate::batch::albums::{Arranged, Division, FolderKind, Order, SeveralAlbums, arranged};
use crate::batch::budget::parse_bytes;
use crate::batch::exclude::Exclusions;
use crate::batch::inputs::{self, Mixes};
use crate::batch::plan::{Plan, Relation, Shard};
use crate::batch::run::Options;
use crate::batch::settings::Settings;
use crate::batch::summary::today;
use crate::batch::table;
use crate::error::Error;
use crate::io::decode::begins_like_sound;
use crate::io::output_spec::Format;
use crate::request::job::{AlbumBalance, AlbumLoudness};
use crate::request::naming::{NamePattern, fields_help};
use crate::request::page::PageAudio;
use crate::request::reference::{Genre, GenreReference, Reference};
use crate::request::settings::MasterSettings;

#[derive(Args, Debug)]
pub struct BatchArgs {
    /// Files, folders (with all folders in them) and globs; `-` reads a list of files from the standard input
    #[arg(required_unless_present = "plan", conflicts_with = "plan")]
    pub inputs: Vec<PathBuf>,
    /// A table of songs with settings for each, .csv or .json
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Passes over files and folders, as '*demo*' or 'live/'; a .goldmasterignore in a folder has such patterns in its lines
    #[arg(long, value_name = "GLOB", conflicts_with = "plan")]
    pub exclude: Vec<String>,
    /// Folder for masters and reports; the folders of the input are kept in it
    #[arg(short, long, value_name = "FOLDER", default_value = "masters")]
    pub output: PathBuf,
    /// Names of the masters in their folders, as in '{track:02} {title} [{destination}]'
    #[arg(long, value_name = "PATTERN", long_help = fields_help())]
    pub name: Option<NamePattern>,
    /// A finished record that the songs of a genre should sound like, as in rock=hit.flac; several are weighted, as in
    /// rock=hit.flac:0.5. A song has the genre that it is given, that its tags name, or that it sounds like
    #[arg(long = "genre-reference", value_name = "GENRE=FILE[:WEIGHT]", conflicts_with_all = ["references", "profile"])]
    pub genre_references: Vec<GenreReference>,
    /// A folder of finished records: each song should sound like the one that is most like it
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["references", "profile", "genre", "genre_references"])]
    pub reference_folder: Option<PathBuf>,
    #[command(flatten)]
    pub settings: MasterSettings,
    /// File format of the masters
    #[arg(long, value_enum, default_value = "wav", help_heading = "Delivery")]
    pub format: Format,
    /// The songs are one record: its songs keep their differences in loudness and share one target for their tone. The
    /// album as a whole, or its loudest song, is brought to the loudness that is asked for
    #[arg(long, value_enum, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "whole", help_heading = "Album")]
    pub album: Option<AlbumChoice>,
    /// Loudness differences between the songs of an album: kept, or evened out
    #[arg(long, value_enum, value_name = "HOW", default_value_t, requires = "album", help_heading = "Album")]
    pub album_balance: AlbumBalance,
    /// Writes a cue sheet and a track list of every album, with so many seconds of silence between its songs
    #[arg(long, value_name = "GAP", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = gap_s, requires = "album", help_heading = "Album")]
    pub cue: Option<f64>,
    /// The record is its own reference: songs that stand out move towards the others
    #[arg(long, conflicts_with_all = ["references", "profile", "genre", "genre_references", "reference_folder"], help_heading = "Album")]
    pub reference_from_album: bool,
    #[command(flatten)]
    pub work: WorkArgs,
}

/// Parses the number of songs to work on at once.
fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    let words = "must be a number of songs from 1 on; without --jobs, there are as many as cores and memory allow";
    text.parse().map_err(|_| words.to_owned())
}

/// Parses a gap between songs, seconds.
fn gap_s(text: &str) -> Result<f64, String> {
    let gap_s = text.parse().ok().filter(|gap_s| (0.0..=60.0).contains(gap_s));
    gap_s.ok_or_else(|| "must be a number of seconds from 0 to 60".to_owned())
}

/// Exit code for files that failed before in the same way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum KnownFailures {
    /// The exit code is that of any failure
    #[default]
    Fail,
    /// The exit code is that of the other songs
    Ok,
}

/// The songs that form an album, and the loudness that is brought to the wanted value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AlbumChoice {
    /// All songs are one album, which is brought to the loudness played through (BS.1770 over the album)
    Whole,
    /// All songs are one album, whose loudest song is brought to it, as AES TD1008 wants albums for streaming
    Loudest,
    /// Every folder is an album, played through, whose songs have one album title in their tags, or track numbers in tags or
    /// names; folders such as "CD1" and "Disc 2" whose tags agree are one. Other songs are mastered as singles
    Folders,
    /// The same, by the loudest song of each
    FoldersLoudest,
}

impl AlbumChoice {
    fn parts(self) -> (AlbumLoudness, Division) {
        match self {
            Self::Whole => (AlbumLoudness::Whole, Division::One),
            Self::Loudest => (AlbumLoudness::Loudest, Division::One),
            Self::Folders => (AlbumLoudness::Whole, Division::Folders),
            Self::FoldersLoudest => (AlbumLoudness::Loudest, Division::Folders),
        }
    }
}

/// The songs that the arguments name, with remarks to print before any work.
pub struct Requested {
    /// The songs with their settings.
    pub plan: Plan,
    /// Numbers of files that were left out.
    pub left_out: Mixes,
    /// The albums, artists and folders, if one album seems to be made of several.
    pub several: Option<SeveralAlbums>,
    /// The classification of each folder with several songs: album or singles.
    pub folders: Vec<FolderKind>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Work")]
pub struct WorkArgs {
    /// Songs at once, one thread each [default: as many as there are cores and memory for]
    #[arg(short, long, value_name = "N", allow_hyphen_values = true, value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Memory for all of them together, as in 800M or 4G [default: half of what is free]
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = parse_bytes)]
    pub memory: Option<u64>,
    /// Masters one part of the songs only, as in 3/16: for several machines
    #[arg(long, value_name = "N/COUNT")]
    pub shard: Option<Shard>,
    /// Masters finished songs again
    #[arg(long)]
    pub no_resume: bool,
    /// Leaves songs alone whose master is there, from the same mix and settings; this is the default
    #[arg(long, conflicts_with = "no_resume")]
    pub resume: bool,
    /// Replaces files that no batch has written, and masters that were edited
    #[arg(short, long)]
    pub force: bool,
    /// Exit code for a file that failed before in the same way, and has not changed since
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub known_failures: KnownFailures,
    /// Writes summary-DATE.txt and summary-DATE.json into the output folder, for a mail
    #[arg(long)]
    pub summary: bool,
    /// Opens every file, says what would be done, and writes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Writes a page for every song beside its master, and index.html of all
    #[arg(long)]
    pub report: bool,
    /// What the pages play [default: excerpt]
    #[arg(long, value_enum, value_name = "WHAT", requires = "report")]
    pub report_audio: Option<PageAudio>,
    /// Prints failures only
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Args, Debug)]
pub struct MergeArgs {
    /// The reports of all parts, report.N-of-COUNT.json
    #[arg(required = true)]
    pub reports: Vec<PathBuf>,
    /// File of the joint report; its table gets the same name with .csv [default: report.json beside the first]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

impl BatchArgs {
    /// Returns the songs with their settings, and the numbers of files that were left out.
    pub fn plan(&self) -> Result<Requested, Error> {
        self.check()?;
        let settings = self.settings()?;
        settings.check()?;
        if self.plan.is_none() {
            settings.check_genre_references()?;
            let of_genres = settings.genre_references.iter().map(|of| &of.reference);
            check_settings(&settings.master, &of_genres.chain(&settings.folder_references).collect::<Vec<_>>())?;
        }
        let mut left_out = Mixes::default();
        let exclusions = Exclusions::new(&self.exclude).map_err(|e| Error::Usage(format!("--exclude {e}")))?;
        let pattern = self.name.as_ref();
        let plan = match &self.plan {
            Some(path) => table::read(path, &settings, &self.output, pattern)?,
            None if self.inputs == [Path::new("-")] => {
                let listed = inputs::listed(stdin().lock())?;
                let kept = listed.into_iter().filter(|input| !exclusions.excludes_file(&input.relative)).collect();
                Plan::uniform(kept, settings, &self.output, pattern)?
            }
            None => {
                self.inputs.iter().try_for_each(|input| check_is_local(input))?;
                left_out = inputs::mixes(&self.inputs, &self.output, exclusions)?;
                self.check_found(&left_out)?;
                Plan::uniform(std::mem::take(&mut left_out.found), settings, &self.output, pattern)?
            }
        };
        let album = self.album.map(AlbumChoice::parts);
        let relation = Relation {
            album: album.map(|(loudness, _)| loudness),
            balance: self.album_balance,
            is_own_reference: self.reference_from_album,
        };
        let order = if self.plan.is_some() { Order::Listed } else { Order::Tags };
        let division = album.map_or(Division::One, |(_, division)| division);
        let Arranged { plan, several, folders } = arranged(plan, relation, division, order);
        let plan = match self.work.shard {
            Some(shard) => plan.part(shard),
            None => plan,
        };
        Ok(Requested { plan, left_out, several, folders })
    }

    /// Refuses an output that is a file, a plan that is not a table, and option values that were taken for songs.
    fn check(&self) -> Result<(), Error> {
        let refused = |words: String| Err(Error::Usage(words));
        if self.output.is_file() {
            return refused(format!(
                "-o {} is a file: a batch writes into a folder, as in -o masters",
                self.output.display()
            ));
        }
        if let Some(plan) = self.plan.as_ref().filter(|plan| plan.is_dir() || begins_like_sound(plan)) {
            let plan = plan.display();
            return refused(format!(
                "{plan} is no plan, which is a table, .csv or .json; to master it: goldmaster batch {plan}"
            ));
        }
        for input in self.inputs.iter().filter(|input| !input.exists()) {
            let text = input.to_string_lossy();
            if self.album.is_some() && AlbumChoice::from_str(&text, true).is_ok() {
                return refused(format!(
                    "there is no file {text}; the word after --album needs an equals sign: --album={text}"
                ));
            }
            if self.cue.is_some() && text.parse::<f64>().is_ok() {
                return refused(format!(
                    "there is no file {text}; the gap after --cue needs an equals sign: --cue={text}"
                ));
            }
            if self.work.report && text.ends_with(".html") {
                return refused(format!(
                    "there is no file {text}; --report of a batch takes no name: each master gets a page"
                ));
            }
        }
        Ok(())
    }

    /// Refuses a batch without songs.
    fn check_found(&self, Mixes { found, masters: _, excluded }: &Mixes) -> Result<(), Error> {
        if !found.is_empty() {
            return Ok(());
        }
        let places: Vec<_> = self.inputs.iter().map(|input| input.display().to_string()).collect();
        let are = if *excluded == 1 { "is" } else { "are" };
        let excluded = match excluded {
            0 => String::new(),
            excluded => format!(", and {excluded} {are} left out by --exclude or .goldmasterignore"),
        };
        Err(Error::Usage(format!("no song was found in {}{excluded}", places.join(", "))))
    }

    fn settings(&self) -> Result<Settings, Error> {
        let genre = self.settings.genre.clone().or(Some(Genre::Auto));
        let folder_references = match &self.reference_folder {
            Some(folder) if !folder.is_dir() => {
                return Err(Error::Usage(format!("--reference-folder {}: is not a folder", folder.display())));
            }
            Some(folder) => inputs::find(std::slice::from_ref(folder), &self.output)?,
            None => Vec::new(),
        };
        if let Some(problem) = folder_references.iter().find_map(|found| found.problem.clone()) {
            return Err(Error::Folder(problem));
        }
        if let Some(folder) = self.reference_folder.as_ref().filter(|_| folder_references.is_empty()) {
            return Err(Error::Usage(format!("--reference-folder {}: holds no record", folder.display())));
        }
        Ok(Settings {
            master: MasterSettings { genre, ..self.settings.clone() },
            genre_references: self.genre_references.clone(),
            folder_references: folder_references.into_iter().map(|found| Reference::whole(found.path)).collect(),
            format: self.format,
        })
    }

    /// Returns the options of the run, which do not change any master.
    pub fn options(&self) -> Options {
        let WorkArgs { jobs, memory, no_resume, force, report, report_audio, summary, .. } = &self.work;
        let pages = report.then(|| report_audio.unwrap_or_default());
        Options {
            jobs: *jobs,
            memory_bytes: *memory,
            force: *force,
            resume: !no_resume,
            pages,
            cue_gap_s: self.cue,
            summary_date: summary.then(today),
        }
    }
}

impl MergeArgs {
    /// Returns the path of the joint report.
    pub fn output(&self) -> PathBuf {
        let beside = || self.reports.first().map(|first| first.with_file_name("report.json"));
        self.output.clone().or_else(beside).unwrap_or_default()
    }
}
