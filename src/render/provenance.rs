//! Provenance: a master's file records its target. When it is mastered towards the same target again, it is left
//! unchanged.
//!
//! An estimator that applies part of a difference applies part of the remainder the next time. Only a record of the
//! first run stops it.

use std::path::Path;

use models::character::Character;
use models::target::{Target, TargetKind};

use crate::io::tags::Tags;

/// Start of the tag by which a master names the program that wrote it.
const PROGRAM: &str = "goldmaster towards ";
/// Resolution of the features in a target's name, dB.
const STEP_DB: f64 = 0.01;
/// Number of characters in a target's name.
const DIGITS: usize = 16;
/// Name of all norms that are part of the program, universal or of a genre. They share one name, because the genre
/// detected from a master may differ from that of its mix.
const BUILT_IN_NORMS: &str = "records";

/// Returns the name of a target. `is_own` is true if a norm is part of the program.
pub fn origin(target: &Target, is_own: bool, character: Character) -> String {
    if target.kind == TargetKind::Norm && is_own {
        return if character == Character::default() {
            BUILT_IN_NORMS.to_owned()
        } else {
            BUILT_IN_NORMS.to_owned() + character.name()
        };
    }
    let mut hasher = blake3::Hasher::new();
    let kind: &[u8] = match target.kind {
        TargetKind::Reference => b"Reference",
        TargetKind::Balance => b"Balance",
        TargetKind::Literal => b"Literal",
        TargetKind::Norm => b"Norm",
    };
    hasher.update(kind);
    if character != Character::default() {
        hasher.update(character.name().as_bytes());
    }
    // A profile enters with its general features, not with those predicted for this song.
    for value in target.conditional.as_ref().map_or(target.features, |conditional| conditional.general) {
        hasher.update(&((value / STEP_DB).round() as i64).to_le_bytes());
    }
    hasher.finalize().to_hex()[..DIGITS].to_owned()
}

/// Returns the text that marks a master's file.
pub fn software_name(origin: &str) -> String {
    let letters = origin.chars().filter(char::is_ascii_alphanumeric).take(DIGITS);
    PROGRAM.to_owned() + &letters.collect::<String>()
}

/// Returns true if the file is a master that was made towards the target of this name.
pub fn was_mastered_towards(file: &Path, origin: &str) -> bool {
    Tags::read(file).software() == Some(&software_name(origin))
}

/// Returns true if the file's tags say that this program mastered it.
pub fn is_master(file: &Path) -> bool {
    Tags::read(file).software().is_some_and(|software| software.starts_with(PROGRAM))
}
