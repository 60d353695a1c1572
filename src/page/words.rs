//! Sentences for musicians: what was done and why, and what a service will do with the result.

use models::norm::UNIVERSAL;
use models::target::TargetKind;

use super::plot::number;
use crate::page::plot::typeset;
use crate::report::playback::Playback;
use crate::report::{DecisionReport, Report};

/// Something that was done, and the reason.
pub struct ActionExplanation {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// What the song went towards.
pub fn towards(decision: &DecisionReport) -> String {
    match decision.target_kind {
        TargetKind::Balance | TargetKind::Reference => format!("towards {}", decision.target),
        TargetKind::Literal => format!("with the spectrum of {}, taken as it is", decision.target),
        TargetKind::Norm if decision.target == UNIVERSAL => "towards what finished records have in common".to_owned(),
        TargetKind::Norm => format!("towards what finished records have in common ({})", decision.target),
    }
}

/// The level, as one more thing that was done.
pub fn level(report: &Report) -> String {
    let turned = if report.drive_db < 0.0 { "down" } else { "up" };
    let level = format!("Level: turned {turned} {:.1} dB", report.drive_db.abs());
    match (report.peak_limiting_db, report.limiting_db) {
        (peak, _) if peak < 0.05 => format!("{level}; the limiter had nothing to do"),
        (peak, limiting) if limiting < 0.1 => {
            format!(
                "{level}; the limiter took next to nothing for 95 % of the time, single peaks down by up to {peak:.1} dB"
            )
        }
        (peak, limiting) => {
            format!(
                "{level}; the limiter took at most {limiting:.1} dB for 95 % of the time, single peaks down by up to {peak:.1} dB"
            )
        }
    }
}

/// What was corrected after listening, as one more thing that was done.
pub fn refinement(report: &Report) -> Option<String> {
    report.decision.as_ref()?.refinement.as_ref()?.words()
}

/// Everything that was done, with its reason.
pub fn deeds(report: &Report) -> Vec<ActionExplanation> {
    let decision = report.decision.as_ref();
    let model = decision.map(|decision| match decision.target_kind {
        TargetKind::Balance | TargetKind::Reference | TargetKind::Literal => "your reference",
        TargetKind::Norm => "finished records",
    });
    let mut deeds: Vec<ActionExplanation> =
        report.actions.iter().map(|what| ActionExplanation { what: typeset(what), why: why(what, model) }).collect();
    let wanted = &report.wanted;
    let why = match report.before.as_ref().and_then(|before| before.integrated_lufs) {
        Some(lufs) => format!(
            "Your mix is at {} LUFS and {} LUFS was asked for; no peak may pass {} dBTP.",
            number(lufs, 1),
            number(wanted.loudness_lufs, 1),
            number(wanted.ceiling_dbtp, 1)
        ),
        None => "The recipe says so.".to_owned(),
    };
    deeds.push(ActionExplanation { what: level(report), why });
    deeds.extend(refinement(report).map(|what| ActionExplanation {
        what,
        why: "Compressors and limiter disturb what an equaliser does; what came out was compared with what was meant.".to_owned(),
    }));
    deeds
}

/// Why an action is taken; `model` is what the song was compared with, if it was.
fn why(action: &str, model: Option<&str>) -> String {
    let Some(model) = model else { return "The recipe says so.".to_owned() };
    let begins = |words: &[&str]| words.iter().any(|word| action.starts_with(word));
    match action {
        _ if begins(&["Tone:"]) => {
            format!(
                "There your mix is darker or brighter than {model}; what mastering usually mends is mended, what makes it another song is left."
            )
        }
        _ if begins(&["Width", "Sides", "Made the bass"]) => {
            format!(
                "The sides of your mix, against its middle, differ from those of {model}; the sum to mono is guarded."
            )
        }
        _ if begins(&["Dynamics:", "Glue"]) => {
            format!("Loud and quiet moments of a band lie further apart, or closer together, than in {model}.")
        }
        _ if begins(&["Held down"]) => {
            "A narrow tone, a hiss or a bass note sticks out; it is turned down only while it does.".to_owned()
        }
        _ if begins(&["Removed"]) => "Nothing musical lies there, but it takes room from the bass.".to_owned(),
        _ if begins(&["Moved the balance"]) => format!("The song leans to one side, and {model} does not."),
        _ if begins(&["Saturator", "Clipper"]) => "You asked for it.".to_owned(),
        _ => format!("Your mix is already as close to {model} as a master brings it."),
    }
}

/// What kind of music the song was taken for, if that decided anything.
pub fn genre(decision: &DecisionReport) -> Option<String> {
    decision.genre.as_ref().map(|genre| format!("taken for {genre}"))
}

/// How sure the decider was; a record that is taken as it is leaves nothing to decide.
pub fn confidence(decision: &DecisionReport) -> Option<String> {
    let percent = |share: f64| (share * 100.0).round();
    let c = decision.confidence;
    (!decision.target_kind.is_followed()).then(|| {
        format!(
            "certainty (0 % is a guess): tone {} %, width {} %, dynamics {} %",
            percent(c.tone),
            percent(c.width),
            percent(c.dynamics)
        )
    })
}

/// What a service does to a song.
pub fn playback(playback: &Playback) -> String {
    let Playback { gain_db, encoder_over_db, over_asked_db, .. } = *playback;
    let level = match gain_db {
        db if db <= -0.05 => format!("turned down {} dB", number(-db, 1)),
        db if db >= 0.05 => format!("turned up {} dB", number(db, 1)),
        _ => "played as it is".to_owned(),
    };
    let asked = if over_asked_db > 0.0 {
        format!("; its peak is {} dB over what is asked for", number(over_asked_db, 1))
    } else {
        String::new()
    };
    let encoder = if encoder_over_db >= 0.05 {
        format!("; encoded, peaks may pass full scale by {} dB: `--codec-safe` prevents it", number(encoder_over_db, 1))
    } else {
        String::new()
    };
    format!("{level}{asked}{encoder}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Levels;
    use crate::report::playback::SERVICES;

    fn song(lufs: f64, true_peak_dbtp: f64) -> Levels {
        let plr_lu = Some(true_peak_dbtp - lufs);
        Levels { integrated_lufs: Some(lufs), max_short_term_lufs: None, range_lu: 5.0, true_peak_dbtp, plr_lu }
    }

    #[test]
    fn a_minus_is_one_before_numbers_alone() {
        assert_eq!(
            typeset("-1.5 dB at 60 Hz, (-2) and x-3, add --force"),
            "−1.5 dB at 60 Hz, (−2) and x-3, add --force"
        );
    }

    #[test]
    fn what_a_service_does_is_said_in_the_order_of_what_is_heard() {
        let words = |n: usize, song: &Levels| playback(&SERVICES[n].plays(song).expect("a loudness"));
        assert_eq!(words(0, &song(-14.0, -1.0)), "played as it is");
        assert_eq!(words(2, &song(-20.0, -6.0)), "played as it is");
        let loud = words(0, &song(-9.0, -0.3));
        assert!(loud.starts_with("turned down 5.0 dB; its peak is 0.7 dB over"), "{loud}");
        let over = format!("pass full scale by {:.1} dB", crate::request::destination::codec_room_db(-9.0) - 0.3);
        assert!(loud.contains(&over), "{loud}");
    }
}
