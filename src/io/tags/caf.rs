//! Reads the information chunk of CAF (Apple, *Core Audio Format Specification 1.0*).

use super::MAX_ENTRIES;
use super::found::{Found, MAX_TEXT_BYTES};
use super::names::SOFTWARE;
use crate::io::bytes::ReadAt;
use crate::io::caf::Chunk;

/// Reads the tags of a CAF.
pub(super) fn read(bytes: &mut impl ReadAt) -> Found {
    let mut found = Found::default();
    let mut at = 8;
    for _ in 0..MAX_ENTRIES {
        let Ok(Some(Chunk { id, body, size })) = Chunk::at(bytes, at) else { break };
        match &id {
            b"info" if size <= MAX_TEXT_BYTES as u64 => {
                let Some(chunk) = bytes.bytes(body, size) else { break };
                texts(chunk.get(4..).unwrap_or_default(), &mut found);
            }
            b"info" => found.leave_out("texts of too many megabytes"),
            b"mark" | b"regn" => found.leave_out("markers"),
            _ => {}
        }
        let Some(next) = body.checked_add(size) else { break };
        at = next;
    }
    found
}

/// Reads alternating names and texts, each terminated by a zero.
fn texts(chunk: &[u8], found: &mut Found) {
    let parts: Vec<_> = chunk.split(|&b| b == 0).map(String::from_utf8_lossy).collect();
    for pair in parts.chunks_exact(2) {
        let name = match pair[0].as_ref() {
            "track number" => "TRACKNUMBER",
            "year" => "DATE",
            "encoding application" => SOFTWARE,
            "tempo" => "BPM",
            "key signature" => "INITIALKEY",
            name => name,
        };
        found.text(name, &pair[1]);
    }
}
