//! Decisions: measurements and a target become the settings of a recipe.

pub mod genres;
pub mod reference;
pub mod refine;
pub mod target;
pub mod vinyl;
