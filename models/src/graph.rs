//! ONNX graphs that are compiled in, each with a sidecar that says what its numbers mean (the pure-Rust runtime reads
//! no ONNX metadata).

use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use crate::backend::environment;
use crate::error::Error;
use crate::features::names;

/// Refuses an answer that is not a number.
///
/// # Errors
/// One of the values is not finite.
pub(crate) fn check_finite<'a>(network: &'static str, values: impl IntoIterator<Item = &'a f64>) -> Result<(), Error> {
    if values.into_iter().all(|value| value.is_finite()) { Ok(()) } else { Err(Error::NotFinite { network }) }
}

/// A session of a graph whose file has the hash `blake3` and that was trained on `features`.
///
/// # Errors
/// Graph and sidecar do not belong together, or this program sees other features.
pub(crate) fn session(graph: &[u8], blake3: &str, features: &[String]) -> Result<Session, Error> {
    if features != names() {
        return Err(Error::Mismatch { what: "features of the network" });
    }
    own_session(graph, blake3)
}

/// A session of a graph whose file has the hash `blake3`; what it was trained on is checked by whoever asks.
///
/// # Errors
/// Graph and sidecar do not belong together.
pub(crate) fn own_session(graph: &[u8], blake3: &str) -> Result<Session, Error> {
    if blake3::hash(graph).to_hex().as_str() != blake3 {
        return Err(Error::Mismatch { what: "hash of the network" });
    }
    Session::builder(environment()?)
        .map_err(|e| Error::Runtime(e.to_string()))?
        .with_optimization_level(GraphOptimizationLevel::Level3)
        .map_err(|e| Error::Runtime(e.to_string()))?
        .commit_from_memory(graph)
        .map_err(|e| Error::Runtime(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_no_number_is_an_error() {
        assert!(check_finite("decider", &[0.0, -3.5]).is_ok());
        for wrong in [f64::NAN, f64::INFINITY] {
            let error = check_finite("decider", &[0.0, wrong]).expect_err("it is no number");
            assert!(error.to_string().contains("decider"), "{error}");
        }
    }
}
