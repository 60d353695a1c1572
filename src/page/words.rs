//! Sentences for musicians: what was done and why, and what a streaming service will do with the result.

use models::norm::UNIVERSAL;
use models::target::TargetKind;

use super::plot::number;
use crate::page::plot::typeset;
use crate::report::actions::{Action, Model};
use crate::report::playback::Playback;
use crate::report::with_sentence::WithSentence;
use crate::report::{DecisionReport, GenreReport, MOSTLY, Report};

/// An action, and the reason for it.
pub struct ActionExplanation {
    /// The action, in a sentence.
    pub what: String,
    /// The reason, in a sentence; empty if there is none to give.
    pub why: String,
}

/// Returns the target of the song in words, and the genre that it sounds like if that led there.
pub fn towards(decision: &DecisionReport) -> String {
    let target = match decision.target_kind {
        TargetKind::Balance | TargetKind::Reference => format!("towards {}", decision.target),
        TargetKind::Literal => format!("with the spectrum of {}", decision.target),
        TargetKind::Norm => format!("towards what {} have in common", records(decision)),
    };
    match &decision.genre {
        Some(genre) if genre.probability.is_some() => format!("{target}: the song {genre}"),
        _ => target,
    }
}

/// Returns the records that a master without a reference goes towards, in words.
fn records(decision: &DecisionReport) -> String {
    match &decision.genre {
        None if decision.target == UNIVERSAL => "finished records".to_owned(),
        None => format!("the songs of the profile {}", decision.target),
        Some(GenreReport { name, .. }) if name == UNIVERSAL => "finished records of all kinds".to_owned(),
        Some(GenreReport { name, probability: Some(share) }) if *share < MOSTLY => {
            format!("finished records of all kinds, {name} ones above all,")
        }
        Some(GenreReport { name, .. }) => format!("finished {name} records"),
    }
}

/// Returns everything that was done, with its reason.
pub fn explained_actions(report: &Report) -> Vec<ActionExplanation> {
    let model = report.decision.as_ref().map(|decision| match decision.target_kind {
        TargetKind::Balance | TargetKind::Reference | TargetKind::Literal => Model::Reference,
        TargetKind::Norm => Model::FinishedRecords,
    });
    let explained = |action: &WithSentence<Action>| ActionExplanation {
        what: typeset(&action.sentence),
        why: typeset(&action.reason(model).unwrap_or_else(|| level_reason(report, &action.fact))),
    };
    report.actions.iter().map(explained).collect()
}

/// Returns the reason for the level; empty for any other action.
fn level_reason(report: &Report, action: &Action) -> String {
    let (Action::Level { .. }, Some(before)) = (action, &report.before) else { return String::new() };
    let wanted = &report.wanted;
    before.integrated_lufs.map_or_else(String::new, |lufs| {
        format!(
            "The mix is at {lufs:.1} LUFS, {:.1} LUFS was asked for, and no peak may pass {:.1} dBTP.",
            wanted.loudness_lufs, wanted.ceiling_dbtp
        )
    })
}

/// Describes the effect of a streaming service on a song.
pub fn playback(playback: &Playback) -> String {
    let Playback { gain_db, quieter_lu, encoder_over_db, over_limit_db, .. } = *playback;
    let level = match gain_db {
        db if db <= -0.05 => format!("turned down {} dB", number(-db, 1)),
        db if db >= 0.05 => format!("turned up {} dB", number(db, 1)),
        _ => "played unchanged".to_owned(),
    };
    let over_limit = if over_limit_db > 0.0 {
        format!("; true peak {} dB above the limit of the service", number(over_limit_db, 1))
    } else {
        String::new()
    };
    let encoder = if encoder_over_db >= 0.05 {
        format!(
            "; encoding may raise peaks {} dB over full scale (--codec-safe prevents it)",
            number(encoder_over_db, 1)
        )
    } else {
        String::new()
    };
    let quieter = if quieter_lu >= 1.0 {
        format!(", {} LU quieter than other songs", number(quieter_lu, 1))
    } else {
        String::new()
    };
    format!("{level}{quieter}{over_limit}{encoder}")
}

#[cfg(test)]
mod tests {
    use models::character::Character;
    use models::decision::Confidence;

    use super::*;
    use crate::report::Levels;
    use crate::report::figures::TargetSpectrum;
    use crate::report::playback::SERVICES;
    use crate::request::settings::DeciderKind;

    fn song(lufs: f64, true_peak_dbtp: f64) -> Levels {
        let plr_lu = Some(true_peak_dbtp - lufs);
        Levels { integrated_lufs: Some(lufs), max_short_term_lufs: None, range_lu: 5.0, true_peak_dbtp, plr_lu }
    }

    fn decision(target_kind: TargetKind, target: &str, genre: Option<(&str, Option<f64>)>) -> DecisionReport {
        let (mid_lu, side_lu, mid_spread_lu) = (Vec::new(), Vec::new(), Vec::new());
        DecisionReport {
            decider: DeciderKind::Model,
            target: target.to_owned(),
            target_kind,
            target_lufs: -14.0,
            genre: genre.map(|(name, probability)| GenreReport { name: name.to_owned(), probability }),
            character: Character::default(),
            confidence: Confidence { tone: 0.0, width: 0.0, dynamics: 0.0 },
            refinement: None,
            spectrum: TargetSpectrum { mid_lu, side_lu, mid_spread_lu, cutoff_hz: 20_000.0 },
            target_sound: None,
            references: Vec::new(),
        }
    }

    #[test]
    fn a_genre_is_named_in_words_without_its_probability() {
        let mixed = "electronic 42 %, orchestral 2 %, universal 56 %";
        let norm = |genre| towards(&decision(TargetKind::Norm, mixed, genre));
        let cases = [
            (("rock", Some(0.9)), "finished rock records have in common: the song sounds like rock music"),
            (("rock", Some(0.51)), "finished rock records have in common: the song sounds mostly like rock music"),
            (
                ("rock", Some(0.36)),
                "finished records of all kinds, rock ones above all, have in common: the song sounds a little like \
                 rock music",
            ),
            (
                (UNIVERSAL, Some(0.56)),
                "finished records of all kinds have in common: the song sounds like no single genre",
            ),
            (("folk", None), "finished folk records have in common"),
        ];
        for (genre, words) in cases {
            assert_eq!(norm(Some(genre)), format!("towards what {words}"));
        }
        let without_genre = |target: &str| towards(&decision(TargetKind::Norm, target, None));
        assert_eq!(without_genre(UNIVERSAL), "towards what finished records have in common");
        assert_eq!(without_genre("mine"), "towards what the songs of the profile mine have in common");
        let matched = decision(TargetKind::Balance, "hit.flac", Some(("rock", Some(0.6))));
        assert_eq!(towards(&matched), "towards hit.flac: the song sounds mostly like rock music");
    }

    #[test]
    fn a_minus_is_one_before_numbers_alone() {
        assert_eq!(
            typeset("-1.5 dB at 60 Hz, (-2) and x-3, add --force"),
            "−1.5 dB at 60 Hz, (−2) and x-3, add --force"
        );
        assert_eq!(typeset("-8 LUFS: --loudness -8 or -9 dB"), "−8 LUFS: --loudness -8 or −9 dB", "it can be typed");
    }

    #[test]
    fn what_a_service_does_is_said_in_the_order_of_what_is_heard() {
        let words = |n: usize, song: &Levels| playback(&SERVICES[n].plays(song).expect("a loudness"));
        assert_eq!(words(0, &song(-14.0, -1.0)), "played unchanged");
        assert_eq!(words(2, &song(-20.0, -6.0)), "played unchanged, 6.0 LU quieter than other songs");
        let loud = words(0, &song(-9.0, -0.3));
        assert!(loud.starts_with("turned down 5.0 dB; true peak 0.7 dB above"), "{loud}");
        let over =
            format!("raise peaks {:.1} dB over full scale", crate::request::destination::codec_room_db(-9.0) - 0.3);
        assert!(loud.contains(&over), "{loud}");
    }
}
