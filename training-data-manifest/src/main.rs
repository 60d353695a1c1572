//! The command line: check the list, describe it, name the files of a class of licences, propose rows.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use manifest::check::{Checked, List, check_folder, read_folder};
use manifest::finding::Finding;
use manifest::licence::{self, Class};
use manifest::{Error, audio, croissant, import};

/// Checks the list of the music that goldmaster's network was trained on.
///
/// Exit code: 0 in order, 1 there is something to mend, 2 it could not be looked at.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    /// Folder of manifest.csv, schema.json and croissant.json
    #[arg(long, global = true, default_value = "training-data-manifest", value_name = "FOLDER")]
    manifest: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks columns, cells, licences, addresses, splits and croissant.json; prints one line for each thing to mend
    Check {
        /// Folder with the audio: every listed file is there, with the hash that is listed, and no other
        #[arg(long, value_name = "FOLDER")]
        audio: Option<PathBuf>,
    },
    /// Writes croissant.json from manifest.csv
    Croissant,
    /// Prints the names of the files whose licences are of these classes, one per line
    List {
        /// permissive (the artist is named, at most), share-alike (adaptations keep the licence), or both
        #[arg(long, value_delimiter = ',', default_value = "permissive,share-alike", value_name = "CLASS")]
        licences: Vec<Class>,
        /// Folder with the audio: names are those the files have there, found by hash
        #[arg(long, value_name = "FOLDER")]
        audio: Option<PathBuf>,
    },
    /// Prints rows for the files of a folder that are not listed, for you to complete
    Import {
        /// Folder with the audio, named genre__artist__title.ext
        audio: PathBuf,
        /// What `goldmaster analyze --json FILES` printed
        #[arg(long, value_name = "FILE")]
        analysis: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(findings) if findings.is_empty() => ExitCode::SUCCESS,
        Ok(findings) => {
            for finding in findings {
                print(&format!("{finding}\n"));
            }
            ExitCode::from(1)
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "goldmaster-manifest: {error}");
            ExitCode::from(2)
        }
    }
}

/// Writes to the standard output; who closed it wants no more.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn run(cli: &Cli) -> Result<Vec<Finding>, Error> {
    match &cli.command {
        Command::Check { audio } => run_check(&cli.manifest, audio.as_deref()),
        Command::Croissant => Ok(match read_folder(&cli.manifest)? {
            Err(findings) => findings,
            Ok(List { croissant: text, .. }) => {
                let path = cli.manifest.join(croissant::FILE);
                std::fs::write(&path, text).map_err(|source| Error::Io { path, source })?;
                Vec::new()
            }
        }),
        Command::List { licences, audio } => run_list(&cli.manifest, licences, audio.as_deref()),
        Command::Import { audio, analysis } => run_import(&cli.manifest, audio, analysis.as_deref()),
    }
}

fn run_check(folder: &Path, audio_folder: Option<&Path>) -> Result<Vec<Finding>, Error> {
    let Checked { table, mut findings } = check_folder(folder)?;
    if let Some(audio_folder) = audio_folder {
        findings.extend(audio::check(&table, &audio::hashes(audio_folder)?));
    }
    if findings.is_empty() {
        let audio_note = if audio_folder.is_some() { ", and the audio is theirs" } else { "" };
        print(&format!("{} excerpts, all in order{audio_note}\n", table.rows.len()));
    }
    Ok(findings)
}

fn run_list(folder: &Path, classes: &[Class], audio_folder: Option<&Path>) -> Result<Vec<Finding>, Error> {
    let table = match read_folder(folder)? {
        Ok(List { table, .. }) => table,
        Err(findings) => return Ok(findings),
    };
    let names: Option<BTreeMap<String, String>> = match audio_folder {
        Some(folder) => Some(audio::hashes(folder)?.into_iter().map(|(name, hash)| (hash, name)).collect()),
        None => None,
    };
    let (mut listed, mut findings) = (String::new(), Vec::new());
    for row in &table.rows {
        match licence::find(&row.licence) {
            Ok(licence) if !classes.contains(&licence.class) => continue,
            Ok(_) => {}
            Err(cause) => findings.push(Finding::new(row.place(), cause, "mend the list before it is used")),
        }
        match names.as_ref().map_or(Some(&row.file), |names| names.get(&row.sha256)) {
            Some(name) => listed += &format!("{name}\n"),
            None => findings.push(Finding::new(row.place(), "its audio is not there", "fetch it, or take the row out")),
        }
    }
    if findings.is_empty() {
        print(&listed);
    }
    Ok(findings)
}

fn run_import(folder: &Path, audio_folder: &Path, analysis: Option<&Path>) -> Result<Vec<Finding>, Error> {
    let table = match read_folder(folder)? {
        Ok(List { table, .. }) => table,
        Err(findings) => return Ok(findings),
    };
    let rows = import::rows(&table, &audio::hashes(audio_folder)?, analysis)?;
    print(&import::text(&rows));
    Ok(Vec::new())
}
