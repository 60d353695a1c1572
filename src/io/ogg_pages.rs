//! Writes Ogg pages (RFC 3533).

use std::io::{self, BufReader, BufWriter, Read, Write};

/// Most segments of a page, and most bytes of a segment.
pub(super) const MAX_SEGMENTS: usize = 255;

/// Bytes of a page's head, before the lengths of its segments.
pub(super) const HEAD_BYTES: usize = 27;

/// Offsets of serial number, sequence number and checksum in the head of a page.
pub(super) const SERIAL_AT: usize = 14;
pub(super) const SEQUENCE_AT: usize = 18;
const CHECKSUM_AT: usize = 22;

/// Flags of a page that continues a packet, and of the first page of a stream.
pub(super) const CONTINUED: u8 = 1;
const FIRST: u8 = 2;

/// Position of a page on which no packet ends.
const NO_POSITION: u64 = u64::MAX;

/// Returns the number of segments of a packet. The last one is shorter than 255 bytes and may be empty.
pub(super) fn segments(packet_bytes: usize) -> usize {
    packet_bytes / 255 + 1
}

/// Writes the pages of one stream.
pub(super) struct Pages<W> {
    writer: W,
    serial: u32,
    sequence: u32,
    /// Checksum of all packets except headers.
    checksum: u32,
}

impl<W: Write> Pages<W> {
    pub fn new(writer: W) -> Self {
        Self { writer, serial: 0, sequence: 0, checksum: 0 }
    }

    /// Writes a header packet, on as many pages as needed.
    pub fn header(&mut self, packet: &[u8]) -> io::Result<()> {
        let lengths: Vec<u8> = lengths(packet).collect();
        let (mut rest, pages) = (packet, lengths.chunks(MAX_SEGMENTS));
        let count = pages.len();
        for (n, lengths) in pages.enumerate() {
            let (body, after) = rest.split_at(lengths.iter().map(|&length| usize::from(length)).sum());
            let kind = if n > 0 { CONTINUED } else { 0 } | if self.sequence == 0 { FIRST } else { 0 };
            self.page(lengths, body, if n + 1 == count { 0 } else { NO_POSITION }, kind)?;
            rest = after;
        }
        Ok(())
    }

    /// Writes a page of whole packets that ends at `position`.
    pub fn packets(&mut self, packets: &[Vec<u8>], position: u64, kind: u8) -> io::Result<()> {
        let lengths: Vec<u8> = packets.iter().flat_map(|packet| lengths(packet)).collect();
        let body = packets.concat();
        self.checksum = checksum(self.checksum, &body);
        self.page(&lengths, &body, position, kind)
    }

    /// Flushes all buffers. Returns the checksum of all packets except headers.
    pub fn finish(mut self) -> io::Result<u32> {
        self.writer.flush()?;
        Ok(self.checksum)
    }

    fn page(&mut self, lengths: &[u8], body: &[u8], position: u64, kind: u8) -> io::Result<()> {
        let mut page = [&b"OggS\0"[..], &[kind], &position.to_le_bytes(), &[0; 12], &[lengths.len() as u8]].concat();
        page.extend(lengths);
        page.extend(body);
        self.numbered(page)
    }

    /// Writes a page as the next one of this stream.
    fn numbered(&mut self, mut page: Vec<u8>) -> io::Result<()> {
        page[SERIAL_AT..][..4].copy_from_slice(&self.serial.to_le_bytes());
        page[SEQUENCE_AT..][..4].copy_from_slice(&self.sequence.to_le_bytes());
        self.sequence += 1;
        self.writer.write_all(&sealed(page))
    }
}

/// Returns the page with its checksum filled in.
pub(super) fn sealed(mut page: Vec<u8>) -> Vec<u8> {
    page[CHECKSUM_AT..][..4].fill(0);
    let checksum = checksum(0, &page);
    page[CHECKSUM_AT..][..4].copy_from_slice(&checksum.to_le_bytes());
    page
}

/// Returns the lengths of the segments of a packet.
fn lengths(packet: &[u8]) -> impl Iterator<Item = u8> {
    std::iter::repeat_n(255, packet.len() / 255).chain([(packet.len() % 255) as u8])
}

/// Copies a stream whose second page holds exactly its comments. Replaces the comments and the serial number, which
/// must differ between streams that are played one after the other.
pub(super) fn copy_with_comments(from: impl Read, to: impl Write, comments: &[u8], serial: u32) -> io::Result<()> {
    let mut from = BufReader::new(from);
    let mut pages = Pages { serial, ..Pages::new(BufWriter::new(to)) };
    let mut number = 0;
    while let Some(page) = read_page(&mut from)? {
        match number {
            1 => pages.header(comments)?,
            _ => pages.numbered(page)?,
        }
        number += 1;
    }
    pages.finish().map(drop)
}

/// Reads the next page of a stream that this module wrote; returns `None` at its end.
fn read_page(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut page = Vec::new();
    if from.take(HEAD_BYTES as u64).read_to_end(&mut page)? < HEAD_BYTES {
        return Ok(None);
    }
    let count = page[HEAD_BYTES - 1];
    from.take(count.into()).read_to_end(&mut page)?;
    let body_bytes: u64 = page[HEAD_BYTES..].iter().map(|&length| u64::from(length)).sum();
    from.take(body_bytes).read_to_end(&mut page)?;
    Ok(Some(page))
}

/// Continues a checksum over further bytes (RFC 3533, section 6): polynomial 0x04c11db7, no reflection.
pub(super) fn checksum(checksum: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(checksum, |sum, &byte| sum << 8 ^ TABLE[usize::from((sum >> 24) as u8 ^ byte)])
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let (mut sum, mut bit) = ((n as u32) << 24, 0);
        while bit < 8 {
            sum = sum << 1 ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 };
            bit += 1;
        }
        table[n] = sum;
        n += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::super::testing::page;
    use super::*;

    #[test]
    fn a_page_is_what_rfc_3533_says() {
        let mut pages = Vec::new();
        let mut writer = Pages { serial: 7, ..Pages::new(&mut pages) };
        writer.header(b"head").expect("memory");
        writer.packets(&[vec![1; 300]], 960, 4).expect("memory");
        assert_eq!(pages, [page(7, 0, 2, 0, b"head"), page(7, 1, 4, 960, &[1; 300])].concat());
    }

    #[test]
    fn a_long_header_goes_over_several_pages_and_comes_back_whole() {
        for bytes in [0, 254, 255, 255 * 255 - 1, 255 * 255, 255 * 255 + 1, 200_000] {
            let packet: Vec<u8> = (0..bytes).map(|n| (n % 251) as u8).collect();
            let mut written = Vec::new();
            let mut writer = Pages::new(&mut written);
            writer.header(b"head").expect("memory");
            writer.header(&packet).expect("memory");
            writer.finish().expect("memory");
            let (mut read, mut rest) = (Vec::new(), &written[..]);
            let mut number = 0;
            while let Some(page) = read_page(&mut rest).expect("memory") {
                assert_eq!(page[SEQUENCE_AT], number);
                number += 1;
                if number > 1 {
                    read.extend_from_slice(&page[HEAD_BYTES + usize::from(page[HEAD_BYTES - 1])..]);
                }
            }
            assert!(read == packet, "{bytes}");
        }
    }
}
