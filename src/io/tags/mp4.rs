//! Reads the item list of an MP4 (Apple, *iTunes metadata format*), and the user data of QuickTime.

use super::found::{Found, MAX_TEXT_BYTES, Picture};
use super::genres::genre;
use super::names::{DISC, NAMES, SOFTWARE, TRACK};
use crate::io::bytes::ReadAt;
use crate::io::mp4::{Span, child, children, movie};

/// Reads the tags of an MP4.
pub(super) fn read(bytes: &mut impl ReadAt) -> Found {
    let mut found = Found::default();
    let Some(movie) = movie(bytes) else { return found };
    let user_data = child(bytes, movie, b"udta");
    let meta = user_data.and_then(|data| child(bytes, data, b"meta")).or_else(|| child(bytes, movie, b"meta"));
    if let Some(list) = meta.and_then(|meta| item_list(bytes, meta)) {
        for item in children(bytes, list) {
            read_item(bytes, item, &mut found);
        }
    }
    // QuickTime writes texts without a list: length, language, text.
    for atom in user_data.map(|data| children(bytes, data)).unwrap_or_default() {
        if atom.name[0] == 0xa9
            && let Some(&[a, b, _, _]) = bytes.bytes(atom.start, 4).as_deref()
            && let Some(text) = bytes.bytes(atom.start + 4, u64::from(u16::from_be_bytes([a, b])))
        {
            texts_of(atom.name, &text, &mut found);
        }
        if &atom.name == b"chpl" {
            found.leave_out("chapters");
        }
    }
    found
}

/// Returns the item list. `meta` has a version field in MP4 and none in QuickTime.
fn item_list(bytes: &mut impl ReadAt, meta: Span) -> Option<Span> {
    let has_version = bytes.array::<4>(meta.start + 4) != Some(*b"hdlr");
    child(bytes, Span { start: meta.start + if has_version { 4 } else { 0 }, ..meta }, b"ilst")
}

fn read_item(bytes: &mut impl ReadAt, item: Span, found: &mut Found) {
    let mut own_name = None;
    for part in children(bytes, item) {
        let text_bytes = part.end - part.start;
        match &part.name {
            b"name" if text_bytes <= 1024 => {
                own_name = bytes.bytes(part.start + 4, text_bytes.saturating_sub(4));
            }
            b"data" => {
                let (start, size) = (part.start + 8, text_bytes.saturating_sub(8));
                let Some([_, kind @ ..]) = bytes.array::<4>(part.start) else { continue };
                let kind = u32::from_be_bytes([0, kind[0], kind[1], kind[2]]);
                if &item.name == b"covr" {
                    if found.wants_picture(size)
                        && let Some(data) = bytes.bytes(start, size)
                    {
                        let media_type = if kind == 14 { "image/png" } else { "image/jpeg" }.to_owned();
                        found.picture(Picture { kind: 3, media_type, description: String::new(), data });
                    }
                    continue;
                }
                if size > MAX_TEXT_BYTES as u64 {
                    found.leave_out(format!("a text of {} MB", size.div_ceil(1_000_000)));
                    continue;
                }
                let Some(data) = bytes.bytes(start, size) else { continue };
                match &own_name {
                    Some(name) => found.text(&String::from_utf8_lossy(name), &String::from_utf8_lossy(&data)),
                    None if kind == 1 => texts_of(item.name, &data, found),
                    None => number(item.name, &data, found),
                }
            }
            _ => {}
        }
    }
}

fn texts_of(atom: [u8; 4], text: &[u8], found: &mut Found) {
    let atom: String = atom.iter().map(|&b| char::from(b)).collect();
    let text = String::from_utf8_lossy(text);
    match (NAMES.iter().find(|name| name.mp4 == atom), atom.as_str()) {
        (Some(name), _) => found.text(name.name, &text),
        (None, "\u{a9}too" | "\u{a9}swr" | "\u{a9}enc") => found.text(SOFTWARE, &text),
        (None, "desc" | "ldes") => found.text("DESCRIPTION", &text),
        (None, atom) => found.leave_out(format!("MP4 item {atom}")),
    }
}

/// Reads items that are not text.
fn number(atom: [u8; 4], data: &[u8], found: &mut Found) {
    let short = |at: usize| data.get(at..at + 2).map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]));
    let value = data.iter().take(8).fold(0_u64, |value, &b| value << 8 | u64::from(b));
    match &atom {
        b"trkn" => found.text(TRACK, &format!("{}/{}", short(2), short(4))),
        b"disk" => found.text(DISC, &format!("{}/{}", short(2), short(4))),
        b"tmpo" if value > 0 => found.text("BPM", &value.to_string()),
        b"cpil" if value > 0 => found.text("COMPILATION", "1"),
        b"gnre" => found.text("GENRE", genre(usize::from(short(0)).wrapping_sub(1)).unwrap_or_default()),
        // Notes of shops and players for their own use.
        b"tmpo" | b"cpil" | b"pgap" | b"rtng" | b"stik" | b"hdvd" | b"pcst" | b"shwm" => {}
        _ => match std::str::from_utf8(data) {
            Ok(_) => texts_of(atom, data, found),
            Err(_) => found.leave_out(format!("MP4 item {}", String::from_utf8_lossy(&atom))),
        },
    }
}
