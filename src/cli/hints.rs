//! Suggests corrections for command lines that cannot be meant as typed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::command;
use super::shared::check_is_local;
use crate::error::Error;

/// Least Jaro-Winkler similarity of a word to the command that it misspells.
const MIN_SIMILARITY: f64 = 0.85;

/// Refuses a song that is a mistyped command, a folder or a web address.
pub fn check_song(song: &Path, others: &[PathBuf]) -> Result<(), Error> {
    check_is_local(song)?;
    if song.is_dir() {
        let song = song.display();
        return Err(Error::Usage(format!("{song} is a folder; to master all songs in it: goldmaster batch {song}")));
    }
    let spaced = [song].into_iter().chain(others.iter().map(PathBuf::as_path)).map(Path::to_string_lossy);
    let spaced = spaced.collect::<Vec<_>>().join(" ");
    if !others.is_empty() && !song.exists() && Path::new(&spaced).is_file() {
        return Err(Error::Usage(format!(
            "a name with spaces stands between quotation marks: goldmaster \"{spaced}\""
        )));
    }
    match meant_command(song) {
        Some(command) => {
            let rest: String = others.iter().map(|other| format!(" {}", other.display())).collect();
            let song = song.display();
            Err(Error::Usage(format!("there is no command or file {song}; did you mean: goldmaster {command}{rest}")))
        }
        None => Ok(()),
    }
}

/// Refuses folders where files are expected.
pub fn check_files<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Result<(), Error> {
    match files.into_iter().find(|file| file.is_dir()) {
        Some(folder) => {
            let files = folder.join("*.wav");
            let words = format!("{} is a folder: name the files in it, as in {}", folder.display(), files.display());
            Err(Error::Usage(words))
        }
        None => Ok(()),
    }
}

/// Options of other programs, with the equivalent options of this one.
const SYNONYMS: [(&str, &str); 14] = [
    ("bit-depth", "bits"),
    ("destination", "for"),
    ("limit", "ceiling"),
    ("lufs", "loudness"),
    ("out", "output"),
    ("peak", "ceiling"),
    ("platform", "for"),
    ("preset", "for"),
    ("sample-rate", "rate"),
    ("style", "genre"),
    ("target", "for"),
    ("threads", "jobs"),
    ("true-peak", "ceiling"),
    ("volume", "loudness"),
];

/// Suggests a correction for arguments that clap refuses: a similar command name, the command that has the option, or
/// the separator that is missing between two words.
pub fn advice(error: &clap::Error, arguments: impl Iterator<Item = OsString>) -> Option<String> {
    let mut words = arguments.skip_while(|word| word == "help");
    let first = words.next()?;
    let is_option = first.to_string_lossy().starts_with('-');
    let first = if is_option { words.by_ref().find(|word| Path::new(word).exists())? } else { first };
    let command = command();
    let known = command.find_subcommand(&first).map(clap::Command::get_name);
    if let Some(meant) = known.is_none().then(|| meant_command(Path::new(&first))).flatten() {
        return Some(format!("Did you mean: goldmaster {meant}"));
    }
    let context = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let argument = context(ContextKind::InvalidArg)?;
    match (error.kind(), argument.strip_prefix("--")) {
        (ErrorKind::InvalidValue, Some(option)) if option.starts_with("for ") => {
            let places = context(ContextKind::InvalidValue)?.split([' ', ';']).collect::<Vec<_>>();
            (places.len() > 1).then(|| format!("Several places have commas between them: --for {}", places.join(",")))
        }
        (ErrorKind::UnknownArgument, Some(option)) => {
            let called = SYNONYMS.iter().find(|(other, _)| *other == option).map(|(_, meant)| *meant);
            let option = called.unwrap_or(option);
            let has_option =
                |command: &&clap::Command| command.get_arguments().any(|arg| arg.get_long() == Some(option));
            let owners = command.get_subcommands().filter(has_option).map(clap::Command::get_name);
            let mut owners: Vec<&str> = owners.collect();
            if called.is_some() && owners.contains(&known.unwrap_or("master")) {
                return Some(format!("goldmaster calls that --{option}"));
            }
            owners.retain(|owner| Some(*owner) != known);
            match (owners.as_slice(), known) {
                ([], _) => None,
                ([owner, ..], None) => {
                    let song = first.display();
                    Some(format!("--{option} is an option of {owner}: goldmaster {owner} {song} --{option}"))
                }
                (owners, Some(_)) => Some(format!("--{option} is an option of goldmaster {}", owners.join(", "))),
            }
        }
        (ErrorKind::UnknownArgument, None) if known == Some("render") => {
            let is_recipe = |name: &str| name.ends_with(".json");
            let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
            let recipe = words.iter().find(|word| is_recipe(word))?;
            let song = words.iter().find(|word| !is_recipe(word) && !word.starts_with('-'))?;
            Some(format!("Did you mean: goldmaster render {song} --recipe {recipe}"))
        }
        _ => None,
    }
}

/// Returns the command that a word misspells. A word that is the name of a file is never a misspelling.
fn meant_command(word: &Path) -> Option<String> {
    let text = word.to_str().filter(|text| text.chars().all(|c| c.is_alphabetic() || c == '-'))?;
    if word.exists() {
        return None;
    }
    let likeness = |name: &str| strsim::jaro_winkler(&text.to_lowercase(), name);
    let command = command();
    let names = command.get_subcommands().map(clap::Command::get_name);
    let closest = names.max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(closest) >= MIN_SIMILARITY).then(|| closest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(result: Result<(), Error>) -> String {
        result.expect_err("it cannot be meant").to_string()
    }

    #[test]
    fn a_misspelt_command_is_recognised_and_a_song_is_not() {
        for (word, command) in
            [("analize", "analyze"), ("Batch", "batch"), ("rendr", "render"), ("reprot", "report"), ("demos", "demo")]
        {
            assert_eq!(meant_command(Path::new(word)).as_deref(), Some(command), "{word}");
        }
        for song in ["song", "mix", "analize.wav", "final-mix", "Ballad"] {
            assert_eq!(meant_command(Path::new(song)), None, "{song}");
        }
        let words = refused(check_song(Path::new("analize"), &["x.wav".into()]));
        assert!(words.ends_with("did you mean: goldmaster analyze x.wav"), "{words}");
    }

    #[test]
    fn an_address_is_no_file() {
        for address in ["https://example.org/a/hit.mp3", "ftp://example.org", "spotify://track"] {
            assert!(refused(check_is_local(Path::new(address))).contains("download it first"), "{address}");
        }
        for file in ["a.wav", "C:\\a.wav", "a:b.wav", "://x"] {
            check_is_local(Path::new(file)).unwrap_or_else(|e| panic!("{e}"));
        }
    }
}
