//! Removes comments from the head of an Ogg if they are longer than a demuxer accepts: a picture of 12 MB is no reason
//! to refuse the sound.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use super::ogg_pages::{CONTINUED, HEAD_BYTES, SEQUENCE_AT, SERIAL_AT, sealed};
use super::window::Window;

/// Most bytes of comments that are kept.
const MAX_COMMENT_BYTES: u64 = 1 << 20;
/// Most pages that are searched; no comments take as many.
const MAX_PAGES: usize = 1 << 16;

/// Empty comments of Opus (RFC 7845, section 5.2) and Vorbis (section 5 of its specification).
const NO_OPUS_COMMENTS: &[u8] = b"OpusTags\0\0\0\0\0\0\0\0";
const NO_VORBIS_COMMENTS: &[u8] = b"\x03vorbis\0\0\0\0\0\0\0\0\x01";

/// Replaces the comments of the first stream by empty ones if they are long. If several streams are interleaved, the
/// window is returned unchanged.
pub(super) fn without_long_comments(mut window: Window) -> io::Result<Window> {
    let replaced = replacement(&mut window)?;
    let window = match replaced {
        Some((head, start)) => window.with_head(head, start),
        None => window,
    };
    rewound(window)
}

fn rewound(mut window: Window) -> io::Result<Window> {
    window.rewind()?;
    Ok(window)
}

/// Returns the new head, and the offset in the file at which the rest follows; `None` if the comments are short or not
/// found.
fn replacement(window: &mut Window) -> io::Result<Option<(Vec<u8>, u64)>> {
    let Some(first) = Page::at(window, 0)? else { return Ok(None) };
    let head = first.whole(window)?;
    let packet = head.get(first.body_at()..).unwrap_or_default();
    let comments = match packet {
        [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', ..] => NO_OPUS_COMMENTS,
        [1, b'v', b'o', b'r', b'b', b'i', b's', ..] => NO_VORBIS_COMMENTS,
        _ => return Ok(None),
    };
    let (mut at, mut comment_bytes) = (first.end(), 0);
    for _ in 0..MAX_PAGES {
        let Some(page) = Page::at(window, at)?.filter(|page| page.serial() == first.serial()) else { break };
        let ending = page.lengths.iter().position(|&length| length < 255);
        let of_comments = &page.lengths[..ending.map_or(page.lengths.len(), |n| n + 1)];
        comment_bytes += bytes_of(of_comments);
        at = page.end();
        if ending.is_some() {
            let is_long = comment_bytes > MAX_COMMENT_BYTES;
            let page = is_long.then(|| page.with_start(window, of_comments.len(), comments)).transpose()?;
            return Ok(page.map(|page| ([head, page].concat(), window.range().start + at)));
        }
    }
    Ok(None)
}

/// A page of Ogg (RFC 3533, section 6).
struct Page {
    /// Offset of the page in the window.
    at: u64,
    head: [u8; HEAD_BYTES],
    /// Lengths of its segments.
    lengths: Vec<u8>,
}

impl Page {
    fn at(window: &mut Window, at: u64) -> io::Result<Option<Self>> {
        let bytes = bytes_at(window, at, HEAD_BYTES as u64 + 255)?;
        let Some(head) = bytes.first_chunk::<HEAD_BYTES>().filter(|head| head.starts_with(b"OggS")) else {
            return Ok(None);
        };
        let lengths = bytes[HEAD_BYTES..].get(..usize::from(head[HEAD_BYTES - 1]));
        Ok(lengths.map(|lengths| Self { at, head: *head, lengths: lengths.to_vec() }))
    }

    fn serial(&self) -> &[u8] {
        &self.head[SERIAL_AT..SEQUENCE_AT]
    }

    fn body_at(&self) -> usize {
        HEAD_BYTES + self.lengths.len()
    }

    fn end(&self) -> u64 {
        self.at + self.body_at() as u64 + bytes_of(&self.lengths)
    }

    fn whole(&self, window: &mut Window) -> io::Result<Vec<u8>> {
        bytes_at(window, self.at, self.end() - self.at)
    }

    /// Returns the page with its first segments replaced by a packet of less than 255 bytes.
    fn with_start(&self, window: &mut Window, segments: usize, packet: &[u8]) -> io::Result<Vec<u8>> {
        let (replaced, kept) = self.lengths.split_at(segments);
        let body = self.whole(window)?;
        let rest = body.get(self.body_at() + bytes_of(replaced) as usize..).unwrap_or_default();
        let mut page = self.head.to_vec();
        // The page on which the packet began is removed.
        page[5] &= !CONTINUED;
        page[HEAD_BYTES - 1] = (kept.len() + 1) as u8;
        page.push(packet.len() as u8);
        page.extend([kept, packet, rest].concat());
        Ok(sealed(page))
    }
}

fn bytes_of(lengths: &[u8]) -> u64 {
    lengths.iter().map(|&length| u64::from(length)).sum()
}

fn bytes_at(window: &mut Window, at: u64, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    window.seek(SeekFrom::Start(at))?;
    window.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::super::testing::{file, page};
    use super::*;

    /// Reads a file after its long comments were removed.
    fn read(bytes: &[u8]) -> Vec<u8> {
        let file = file(bytes);
        let window = Window::without_tags(File::open(file.path()).expect("the file")).expect("readable");
        let mut read = Vec::new();
        without_long_comments(window).expect("readable").read_to_end(&mut read).expect("readable");
        read
    }

    /// Creates pages with this many bytes of comments. The last page also contains the data after them.
    fn comments(bytes: usize, after: &[u8]) -> Vec<Vec<u8>> {
        let full = bytes / (255 * 255);
        let mut pages: Vec<Vec<u8>> =
            (0..full).map(|n| raw_page(n as u32 + 1, u8::from(n > 0), &[255; 255], &vec![b'c'; 255 * 255])).collect();
        let rest = bytes % 200;
        let body = [&vec![b'c'; rest][..], after].concat();
        pages.push(raw_page(full as u32 + 1, 1, &[rest as u8, after.len() as u8], &body));
        pages
    }

    fn raw_page(sequence: u32, kind: u8, lengths: &[u8], body: &[u8]) -> Vec<u8> {
        let mut page = [&b"OggS\0"[..], &[kind], &[0; 8], &7_u32.to_le_bytes(), &sequence.to_le_bytes()].concat();
        page.extend([0; 4]);
        page.push(lengths.len() as u8);
        page.extend([lengths, body].concat());
        sealed(page)
    }

    #[test]
    fn long_comments_are_left_out_and_all_else_stays() {
        let sound = page(7, 99, 4, 960, b"sound");
        for (head, none) in
            [(&b"OpusHead and more"[..], NO_OPUS_COMMENTS), (b"\x01vorbis and more", NO_VORBIS_COMMENTS)]
        {
            let first = page(7, 0, 2, 0, head);
            let long = comments(20_000_000, b"setup");
            let last = long.len() as u32;
            let kept = raw_page(last, 0, &[none.len() as u8, 5], &[none, b"setup"].concat());
            let bytes = [&first[..], &long.concat(), &sound].concat();
            assert!(read(&bytes) == [&first[..], &kept, &sound].concat());
        }
    }

    #[test]
    fn what_is_short_or_broken_stays_as_it_is() {
        let first = page(7, 0, 2, 0, b"OpusHead");
        let other = page(8, 0, 2, 0, b"another stream");
        let long = comments(20_000_000, b"");
        let cases = [
            [&first[..], &comments(100, b"setup").concat()].concat(),
            [&page(7, 0, 2, 0, b"\x7fFLAC")[..], &long.concat()].concat(),
            [&first[..], &other, &long.concat()].concat(),
            [&first[..], &long[..3].concat()].concat(),
            first[..30].to_vec(),
            b"OggS".to_vec(),
            Vec::new(),
        ];
        for bytes in cases {
            assert!(read(&bytes) == bytes, "{} bytes", bytes.len());
        }
    }
}
