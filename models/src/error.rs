//! Errors of decisions.

/// Error of a decision.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The song has no loudness.
    #[error("there is nothing to master: it is silent, a constant, or shorter than 0.4 s")]
    SilentSource,
    /// A reference has no loudness.
    #[error("reference {name} is silent, a constant, or shorter than 0.4 s: choose another")]
    SilentReference {
        /// The reference's name.
        name: String,
    },
    /// Two compiled-in files were made for different versions of the program.
    #[error("the compiled-in {what} do not fit this program: train the network again")]
    Mismatch {
        /// Description of the data that do not fit.
        what: &'static str,
    },
    /// A compiled-in file cannot be read.
    #[error("compiled-in data cannot be read: {0}")]
    Sidecar(String),
    /// A network answered with something that is not a number.
    #[error("the {network} network answered with something that is not a number, which is a fault of the program")]
    NotFinite {
        /// Name of the network.
        network: &'static str,
    },
    /// A profile of songs cannot be used.
    #[error("{0}")]
    Norm(String),
    /// The ONNX runtime failed.
    #[error("ONNX runtime: {0}")]
    Runtime(String),
}
