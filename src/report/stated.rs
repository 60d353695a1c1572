//! Facts with their sentences: JSON contains both for every message to the user.

use std::fmt::Display;
use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fact as code and values, and the sentence that says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stated<T> {
    /// The fact itself.
    #[serde(flatten)]
    pub fact: T,
    /// The fact in plain English.
    pub sentence: String,
}

impl<T: Display> From<T> for Stated<T> {
    fn from(fact: T) -> Self {
        Self { sentence: fact.to_string(), fact }
    }
}

impl<T> Deref for Stated<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.fact
    }
}

/// Returns every fact with its sentence.
pub fn stated<T: Display>(facts: impl IntoIterator<Item = T>) -> Vec<Stated<T>> {
    facts.into_iter().map(Stated::from).collect()
}

/// Returns the sentences alone.
pub fn sentences<T>(facts: &[Stated<T>]) -> Vec<String> {
    facts.iter().map(|stated| stated.sentence.clone()).collect()
}
