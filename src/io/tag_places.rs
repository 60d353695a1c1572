//! Locates the tags around the sound of a file: ID3v2 before it, APEv2 and ID3v1 after it.

use std::io;

use super::bytes::ReadAt;

/// Most consecutive tags before the sound: some programs write a second one, none writes more.
pub(super) const MAX_LEADING_TAGS: usize = 16;

/// Header of an ID3v2 tag (id3.org, ID3v2.4.0 section 3.1).
#[derive(Clone, Copy)]
pub(super) struct Id3v2 {
    pub version: u8,
    pub flags: u8,
    /// Offset of its frames.
    pub body: u64,
    /// Size of its frames, bytes.
    pub body_bytes: u64,
}

impl Id3v2 {
    /// Reads the tag at `at`, if one starts there.
    pub fn at(file: &mut impl ReadAt, at: u64) -> io::Result<Option<Self>> {
        let Some([b'I', b'D', b'3', version, _, flags, size @ ..]) = file.try_array::<10>(at)? else { return Ok(None) };
        let is_tag = size.iter().all(|b| b & 0x80 == 0);
        Ok(is_tag.then(|| Self { version, flags, body: at + 10, body_bytes: u64::from(syncsafe(size)) }))
    }

    /// Returns the end of the tag as stated in its header.
    pub fn end(self) -> u64 {
        let footer_bytes = if self.version == 4 && self.flags & 0x10 != 0 { 10 } else { 0 };
        self.body + self.body_bytes + footer_bytes
    }
}

/// Decodes a number of seven bits per byte (ID3v2.4.0 section 6.2).
pub(super) fn syncsafe(size: [u8; 4]) -> u32 {
    size.iter().fold(0, |size, &b| size << 7 | u32::from(b & 0x7f))
}

/// Footer of an APEv2 tag (wiki.hydrogenaud.io, *APEv2 specification*).
pub(super) struct ApeFooter {
    /// End of its items.
    pub items_end: u64,
    /// Size of its items and this footer, bytes.
    pub bytes: u64,
    /// Number of its items.
    pub items: u32,
    has_header: bool,
}

impl ApeFooter {
    /// Reads the footer that ends at `end`, if there is one.
    pub fn before(file: &mut impl ReadAt, end: u64) -> io::Result<Option<Self>> {
        let Some(items_end) = end.checked_sub(32) else { return Ok(None) };
        let footer = file.try_array::<32>(items_end)?.filter(|footer| footer.starts_with(b"APETAGEX"));
        Ok(footer.map(|footer| {
            let long = |at: usize| u32::from_le_bytes(std::array::from_fn(|k| footer[at + k]));
            Self { items_end, bytes: u64::from(long(12)), items: long(16), has_header: long(20) >> 31 == 1 }
        }))
    }

    /// Returns the size of the whole tag, bytes.
    pub fn whole_bytes(&self) -> u64 {
        self.bytes + if self.has_header { 32 } else { 0 }
    }
}

/// Reads the ID3v1 tag at the end of a file, if there is one.
pub(super) fn id3v1(file: &mut impl ReadAt) -> io::Result<Option<[u8; 128]>> {
    let Some(at) = file.len().checked_sub(128) else { return Ok(None) };
    Ok(file.try_array(at)?.filter(|tag: &[u8; 128]| tag.starts_with(b"TAG")))
}
