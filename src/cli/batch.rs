//! Arguments of `batch` and `merge-reports`.

use std::io::stdin;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use goldmaster::batch::budget::parse_bytes;
use goldmaster::batch::exclude::Exclusions;
use goldmaster::batch::inputs::{self, Mixes};
use goldmaster::batch::plan::{Plan, Relation, Shard};
use goldmaster::batch::run::Options;
use goldmaster::batch::settings::Settings;
use goldmaster::batch::table;
use goldmaster::error::Error;
use goldmaster::io::output_spec::Format;
use goldmaster::request::job::AlbumLoudness;
use goldmaster::request::page::PageAudio;
use goldmaster::request::reference::{Genre, GenreReference};
use goldmaster::request::settings::MasterSettings;

use super::shared::{check_is_local, check_settings};

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
    /// A finished record that the songs of a genre should sound like, as in rock=hit.flac; several are weighted, as in
    /// rock=hit.flac:0.5. A song has the genre that it is given, or else the one that it sounds like
    #[arg(long = "genre-reference", value_name = "GENRE=FILE[:WEIGHT]", conflicts_with_all = ["references", "profile"])]
    pub genre_references: Vec<GenreReference>,
    #[command(flatten)]
    pub settings: MasterSettings,
    /// File format of the masters
    #[arg(long, value_enum, default_value = "wav", help_heading = "Delivery")]
    pub format: Format,
    /// The songs are one record: its songs keep their differences in loudness and share one target for their tone. The
    /// album as a whole, or its loudest song, is brought to the loudness that is asked for
    #[arg(long, value_enum, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "whole", help_heading = "Album")]
    pub album: Option<AlbumLoudness>,
    /// The record is its own reference: songs that stand out move towards the others
    #[arg(long, conflicts_with_all = ["references", "profile", "genre", "genre_references"], help_heading = "Album")]
    pub reference_from_album: bool,
    #[command(flatten)]
    pub work: WorkArgs,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Work")]
pub struct WorkArgs {
    /// Songs at once, one thread each [default: as many as there are cores and memory for]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Memory for all of them together, as in 800M or 4G [default: half of what is free]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
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
    /// The songs with their settings, and what was left out.
    pub fn plan(&self) -> Result<(Plan, Mixes), Error> {
        let settings = self.settings();
        settings.check()?;
        if self.plan.is_none() {
            settings.check_genre_references()?;
            check_settings(&settings.master, &settings.genre_references)?;
        }
        let mut left_out = Mixes::default();
        let exclusions = Exclusions::new(&self.exclude).map_err(|e| Error::Usage(format!("--exclude {e}")))?;
        let plan = match &self.plan {
            Some(path) => table::read(path, &settings, &self.output)?,
            None if self.inputs == [Path::new("-")] => {
                let listed = inputs::listed(stdin().lock())?;
                let kept = listed.into_iter().filter(|input| !exclusions.cover_file(&input.relative)).collect();
                Plan::uniform(kept, settings, &self.output)?
            }
            None => {
                self.inputs.iter().try_for_each(|input| check_is_local(input))?;
                left_out = inputs::mixes(&self.inputs, &self.output, exclusions)?;
                Plan::uniform(std::mem::take(&mut left_out.found), settings, &self.output)?
            }
        };
        let plan = plan.related(Relation { album: self.album, is_own_reference: self.reference_from_album });
        let plan = match self.work.shard {
            Some(shard) => plan.part(shard),
            None => plan,
        };
        Ok((plan, left_out))
    }

    fn settings(&self) -> Settings {
        let genre = self.settings.genre.clone().or(Some(Genre::Auto));
        Settings {
            master: MasterSettings { genre, ..self.settings.clone() },
            genre_references: self.genre_references.clone(),
            format: self.format,
        }
    }

    /// The options of the run, which change no master.
    pub fn options(&self) -> Options {
        let WorkArgs { jobs, memory, no_resume, force, report, report_audio, .. } = &self.work;
        let pages = report.then(|| report_audio.unwrap_or_default());
        Options { jobs: *jobs, memory_bytes: *memory, force: *force, resume: !no_resume, pages }
    }
}

impl MergeArgs {
    /// File of the joint report.
    pub fn output(&self) -> PathBuf {
        let beside = || self.reports.first().map(|first| first.with_file_name("report.json"));
        self.output.clone().or_else(beside).unwrap_or_default()
    }
}
