//! What a master was mastered towards, as its file remembers it: mastered once more towards the same, it is left as it is.
//!
//! An estimator that takes a part of what it sees takes a part of the rest the next time. Only memory ends that.

use std::path::Path;

use models::character::Character;
use models::target::{Target, TargetKind};

use crate::io::tags::Tags;

/// How the text in a file's tags begins that names the program that wrote it.
const PROGRAM: &str = "goldmaster towards ";
/// Features that differ by less are the same, dB.
const STEP_DB: f64 = 0.01;
/// Digits that tell targets apart.
const DIGITS: usize = 16;
/// The program's own idea of finished records, of all kinds or of a genre: a genre is told from the song, and so from the
/// master not quite as from the mix.
const OWN: &str = "records";

/// The name of a target; `is_own` where a norm is the program's own.
pub fn origin(target: &Target, is_own: bool, character: Character) -> String {
    if target.kind == TargetKind::Norm && is_own {
        return if character == Character::default() { OWN.to_owned() } else { OWN.to_owned() + character.name() };
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
    // What a profile says of any song, not of this one.
    for value in target.conditional.as_ref().map_or(target.features, |conditional| conditional.general) {
        hasher.update(&((value / STEP_DB).round() as i64).to_le_bytes());
    }
    hasher.finalize().to_hex()[..DIGITS].to_owned()
}

/// The text that a master's file is marked with.
pub fn mark(origin: &str) -> String {
    let letters = origin.chars().filter(char::is_ascii_alphanumeric).take(DIGITS);
    PROGRAM.to_owned() + &letters.collect::<String>()
}

/// Whether the file is a master that was mastered towards the target of this name.
pub fn was_mastered_towards(file: &Path, origin: &str) -> bool {
    Tags::read(file).software() == Some(&mark(origin))
}

/// Whether the file says that it was mastered by this program.
pub fn is_master(file: &Path) -> bool {
    Tags::read(file).software().is_some_and(|software| software.starts_with(PROGRAM))
}
