//! `variations`.

use std::path::Path;

use goldmaster::error::Error;
use goldmaster::io;
use goldmaster::request::settings::MasterSettings;
use goldmaster::terminal::progress_bar::ProgressBar;
use goldmaster::workflows::variations::{Variation, VariationKind, variations};

use crate::cli::variations::VariationsArgs;
use crate::commands::{print, print_data};

/// Writes the page of several masters, and says how they compare.
pub fn run_variations(args: &VariationsArgs) -> Result<(), Error> {
    let page = args.page()?;
    let job = args.job()?;
    let command = |kind: VariationKind, settings: &MasterSettings| {
        command_line(&args.input, settings, &args.input.with_extension(format!("{}.wav", kind.name())))
    };
    let bar = ProgressBar::new(args.json);
    let done = variations(&job, &page, &command, &bar)?;
    bar.finish();
    if args.json {
        return print_data(&serde_json::to_string_pretty(&done).expect("plain data has a JSON form"));
    }
    for Variation { kind, qualities, .. } in &done {
        print(&format!("{:10}{}", kind.name(), qualities.change_words().unwrap_or_default()))?;
    }
    print(&format!("\nPage: {}", io::name(&page.path)))
}

/// The command that renders one variation whole.
fn command_line(input: &Path, settings: &MasterSettings, output: &Path) -> String {
    // A name that begins with a hyphen would be an option.
    let file = |path: &Path| {
        let name = path.display().to_string();
        if name.starts_with('-') { format!("./{name}") } else { name }
    };
    let mut words = vec!["goldmaster".to_owned(), file(input)];
    words.extend(settings.options(&MasterSettings::default()));
    words.extend(["-o".to_owned(), file(output)]);
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
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
    use goldmaster::request::delivery::LoudnessTarget;
    use goldmaster::request::settings::Percent;
    use models::character::Character;

    use super::*;

    #[test]
    fn a_command_says_all_settings_that_are_not_the_default() {
        let line = |settings: &MasterSettings| {
            command_line(Path::new("-my song.wav"), settings, Path::new("my song.loud.wav"))
        };
        assert_eq!(line(&MasterSettings::default()), "goldmaster './-my song.wav' -o 'my song.loud.wav'");
        let mut settings = MasterSettings { strict: true, character: Character::Warm, ..MasterSettings::default() };
        settings.references = vec!["it's.flac:0.5".parse().expect("a reference")];
        settings.values = vec!["multiband.low.ratio=1.5".parse().expect("a setting")];
        settings.delivery.loudness = Some(LoudnessTarget::Lufs(-8.0));
        settings.amounts.intensity = Percent(50.0);
        let line = line(&settings);
        let mut words: Vec<&str> = line.split(" --").collect();
        words.sort_unstable();
        let expected = [
            "character warm",
            "goldmaster './-my song.wav'",
            "intensity 50",
            "loudness -8",
            r"reference 'it'\''s.flac:0.5'",
            "set multiband.low.ratio=1.5",
            "strict -o 'my song.loud.wav'",
        ];
        // The last option stands before the name of the output, whichever it is.
        assert_eq!(words, expected, "{line}");
    }
}
