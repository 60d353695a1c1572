//! `variations`.

use goldmaster::error::Error;
use goldmaster::io;
use goldmaster::terminal::progress_bar::ProgressBar;
use goldmaster::workflows::variations::{Variation, VariationKind, variations};

use crate::cli::variations::VariationsArgs;
use crate::commands::{print, print_data};

/// Writes the page of several masters, and says how they compare.
pub fn run_variations(args: &VariationsArgs) -> Result<(), Error> {
    let page = args.page()?;
    let given: Vec<String> = std::env::args().skip(1).collect();
    let command = |kind: VariationKind, options: &[(String, String)]| {
        let output = args.input.with_extension(format!("{}.wav", kind.name()));
        command_line(&given, options, &output.display().to_string())
    };
    let bar = ProgressBar::new(args.json);
    let done = variations(&args.job(), &page, &command, &bar)?;
    bar.finish();
    if args.json {
        return print_data(&serde_json::to_string_pretty(&done).expect("plain data has a JSON form"));
    }
    for Variation { kind, qualities, .. } in &done {
        print(&format!("{:10}{}", kind.name(), qualities.change_words().unwrap_or_default()))?;
    }
    print(&format!("\nPage: {}", io::name(&page.path)))
}

/// Options of `variations` that `master` has not, or that mean something else there; whether a value follows.
const OWN: [(&str, bool); 6] =
    [("variations", false), ("-o", true), ("--output", true), ("-f", false), ("--force", false), ("--json", false)];

/// The command that renders one variation whole: the options that were given, and its own in their place.
fn command_line(given: &[String], options: &[(String, String)], output: &str) -> String {
    let mut words = vec!["goldmaster".to_owned()];
    let mut given = given.iter();
    while let Some(word) = given.next() {
        let (flag, is_joined) = word.split_once('=').map_or((word.as_str(), false), |(flag, _)| (flag, true));
        let own = OWN.iter().find(|(own, _)| *own == flag).map(|(_, takes_value)| *takes_value);
        let replaced = options.iter().any(|(replaced, _)| replaced == flag).then_some(true);
        match own.or(replaced) {
            Some(takes_value) if takes_value && !is_joined => drop(given.next()),
            Some(_) => {}
            None => words.push(quoted(word)),
        }
    }
    for (flag, value) in options {
        words.extend([flag.clone(), quoted(value)]);
    }
    words.extend(["-o".to_owned(), quoted(output)]);
    words.join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_keeps_what_was_given_but_for_what_the_variation_sets() {
        let given = [
            "variations",
            "my song.wav",
            "-r",
            "hit.flac",
            "--loudness=-12",
            "--intensity",
            "80",
            "-o",
            "a.html",
            "-f",
        ];
        let given: Vec<String> = given.map(str::to_owned).into();
        let options = [("--loudness".to_owned(), "-8.0".to_owned())];
        assert_eq!(
            command_line(&given, &options, "my song.loud.wav"),
            "goldmaster 'my song.wav' -r hit.flac --intensity 80 --loudness -8.0 -o 'my song.loud.wav'"
        );
    }
}
