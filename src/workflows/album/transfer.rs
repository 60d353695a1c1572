//! The bytes in which the result of one step of an album reaches the next step, in this process or another.

use renderer::recipe::ENGINE_VERSION;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Data of an album that may go to another process. It arrives exactly as it was sent, to the last bit of every number.
pub trait Transfer: Sized {
    /// Returns the data as bytes, which only the same version of the program reads.
    ///
    /// # Errors
    /// Temporary data cannot be read.
    fn to_bytes(&self) -> Result<Vec<u8>, Error>;

    /// Reads the data from the bytes of [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// The bytes are something else or of another version ([`Error::Usage`]), or temporary data cannot be written.
    fn from_bytes(bytes: &[u8]) -> Result<Self, Error>;
}

const PROGRAM: &str = concat!("goldmaster ", env!("CARGO_PKG_VERSION"));

fn title(kind: &str) -> String {
    format!("{PROGRAM}, engine {ENGINE_VERSION}: {kind}\n")
}

/// Joins plain data of a `kind` and a tail of bytes.
pub fn packed(kind: &str, data: &impl Serialize, tail: &[u8]) -> Vec<u8> {
    let data = serde_json::to_vec(data).expect("plain data has a JSON form");
    [title(kind).as_bytes(), &(data.len() as u64).to_le_bytes(), &data, tail].concat()
}

/// Returns the data and the tail that [`packed`] joined.
///
/// # Errors
/// The bytes are something else, or of another version.
pub fn unpacked<'a, T: DeserializeOwned>(kind: &str, bytes: &'a [u8]) -> Result<(T, &'a [u8]), Error> {
    let parts = || {
        let (count, rest) = bytes.strip_prefix(title(kind).as_bytes())?.split_first_chunk()?;
        let (data, tail) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*count)).ok()?)?;
        Some((serde_json::from_slice(data).ok()?, tail))
    };
    parts().ok_or_else(|| refused(kind))
}

/// Returns the error for bytes that are nothing of this `kind`.
pub fn refused(kind: &str) -> Error {
    Error::Usage(format!(
        "these bytes are no {kind} of {PROGRAM}; each step of an album takes what the step before it returned, in the \
         same version"
    ))
}
