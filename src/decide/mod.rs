//! From measurements and a target to the settings of a recipe.

pub mod genres;
pub mod reference;
pub mod refine;
pub mod target;
pub mod vinyl;
