//! ONNX graphs that are compiled in, each with a sidecar that says what its numbers mean (the pure-Rust runtime reads
//! no ONNX metadata).

use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use crate::backend::environment;
use crate::error::Error;
use crate::features::names;

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
