//! Decisions: measurements and a target become the settings of a recipe.

pub(crate) mod genres;
pub(crate) mod reference;
pub mod refine;
pub(crate) mod target;
pub(crate) mod vinyl;
