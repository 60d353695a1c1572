//! Facts with their sentences: JSON contains both for every message to the user.

use std::fmt::Display;
use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fact as code and values, and the sentence that says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Stated")]
pub struct WithSentence<T> {
    /// The fact itself.
    #[serde(flatten)]
    pub fact: T,
    /// The fact in plain English.
    pub sentence: String,
}

impl<T: Display> From<T> for WithSentence<T> {
    fn from(fact: T) -> Self {
        Self { sentence: fact.to_string(), fact }
    }
}

impl<T> Deref for WithSentence<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.fact
    }
}

/// Returns every fact with its sentence.
pub fn with_sentences<T: Display>(facts: impl IntoIterator<Item = T>) -> Vec<WithSentence<T>> {
    facts.into_iter().map(WithSentence::from).collect()
}

/// Returns the sentences alone.
pub fn sentences<T>(facts: &[WithSentence<T>]) -> Vec<String> {
    facts.iter().map(|fact| fact.sentence.clone()).collect()
}
