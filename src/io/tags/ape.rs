//! APEv2 tags at the end of a file (wiki.hydrogenaud.io, *APEv2 specification*).

use super::MAX_ENTRIES;
use super::found::{Found, MAX_TEXT_BYTES, Picture};
use crate::io::bytes::ReadAt;
use crate::io::tag_places::ApeFooter;

/// Reads a tag before an ID3v1 tag, or at the very end.
pub(super) fn read(bytes: &mut impl ReadAt) -> Found {
    let mut found = Found::default();
    let len = bytes.len();
    for end in [len, len.saturating_sub(128)] {
        if let Ok(Some(footer)) = ApeFooter::before(bytes, end) {
            items(bytes, end.saturating_sub(footer.bytes), footer.items_end, footer.items, &mut found);
            break;
        }
    }
    found
}

fn items(bytes: &mut impl ReadAt, mut at: u64, end: u64, count: u32, found: &mut Found) -> Option<()> {
    for _ in 0..(count as usize).min(MAX_ENTRIES) {
        let [a, b, c, d, flags, ..] = bytes.array::<8>(at)?;
        let size = u64::from(u32::from_le_bytes([a, b, c, d]));
        let key_bytes = bytes.bytes(at + 8, 256.min(end.saturating_sub(at + 8)))?;
        let key_end = key_bytes.iter().position(|&b| b == 0)?;
        let key = String::from_utf8_lossy(&key_bytes[..key_end]).into_owned();
        let start = at + 8 + key_end as u64 + 1;
        at = start.checked_add(size).filter(|&next| next <= end)?;
        match flags >> 1 & 3 {
            0 if size > MAX_TEXT_BYTES as u64 => found.leave_out(format!("{} (too long)", key.to_lowercase())),
            0 => {
                let text = String::from_utf8_lossy(&bytes.bytes(start, size)?).into_owned();
                text.split('\0').for_each(|text| found.text(&key, text));
            }
            1 if key.to_lowercase().starts_with("cover art") => picture(bytes, &key, start, size, found)?,
            1 => found.leave_out(key),
            _ => found.leave_out("links"),
        }
    }
    Some(())
}

fn picture(bytes: &mut impl ReadAt, key: &str, start: u64, size: u64, found: &mut Found) -> Option<()> {
    if !found.wants_picture(size) {
        return Some(());
    }
    let item = bytes.bytes(start, size)?;
    // The item begins with a file name.
    let data = item[item.iter().position(|&b| b == 0)? + 1..].to_vec();
    let media_type = if data.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" }.to_owned();
    let kind = if key.to_lowercase().contains("back") { 4 } else { 3 };
    found.picture(Picture { kind, media_type, description: String::new(), data });
    Some(())
}
