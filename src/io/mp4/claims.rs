//! Checks the claims of an MP4's tables: every sample takes at least one byte of the file.

use std::fs::File;

use super::boxes::{Span, bytes, first_children, whole};

/// Boxes that contain the tables, directly or indirectly.
const CONTAINERS: &[&[u8; 4]] = &[b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"edts"];

/// Tables, with the offset of their count and the least bytes of an entry.
const TABLES: &[(&[u8; 4], u64, u64)] = &[
    (b"stts", 4, 8),
    (b"ctts", 4, 8),
    (b"stsc", 4, 12),
    (b"stco", 4, 4),
    (b"co64", 4, 8),
    (b"stss", 4, 4),
    (b"elst", 4, 12),
];

/// Most entries of tables that are searched from the start for every sample: more would take too long.
const MAX_LOOKED_UP: u64 = 1 << 16;

/// Most boxes side by side: enough for a fragment for every packet of five hours. A file with more is refused, because
/// the rest would not be checked.
const MAX_SIDE_BY_SIDE: usize = 1 << 21;

/// Flags of a track fragment run; each adds one field to every sample.
const RUN_FLAGS: [u32; 4] = [0x100, 0x200, 0x400, 0x800];

/// True if no table claims more than the file contains.
pub(in crate::io) fn are_possible(file: &mut File) -> bool {
    let whole = whole(file);
    let mut samples = 0;
    check(file, whole, 0, whole.end, &mut samples) && samples <= whole.end
}

fn check(file: &mut File, span: Span, depth: usize, file_bytes: u64, samples: &mut u64) -> bool {
    let boxes = first_children(file, span, MAX_SIDE_BY_SIDE);
    if boxes.len() == MAX_SIDE_BY_SIDE {
        return false;
    }
    boxes.into_iter().all(|inner| {
        if CONTAINERS.contains(&&inner.name) && depth < CONTAINERS.len() {
            return check(file, inner, depth + 1, file_bytes, samples);
        }
        let size = inner.end - inner.start;
        match &inner.name {
            b"stsz" => {
                let (Some(constant), Some(count)) = (word(file, inner, 4), word(file, inner, 8)) else { return true };
                if constant == 0 { 12 + count * 4 <= size } else { count <= file_bytes }
            }
            b"trun" => {
                let (Some(flags), Some(count)) = (word(file, inner, 0), word(file, inner, 4)) else { return true };
                let fields = RUN_FLAGS.iter().filter(|&&flag| flags as u32 & flag != 0).count() as u64;
                *samples += count;
                8 + count * 4 * fields <= size && *samples <= file_bytes
            }
            name => TABLES.iter().find(|(known, ..)| *known == name).is_none_or(|&(name, at, entry_bytes)| {
                let count = word(file, inner, at).unwrap_or(0);
                let is_looked_up = matches!(name, b"stts" | b"stsc");
                at + 4 + count * entry_bytes <= size && !(is_looked_up && count > MAX_LOOKED_UP)
            }),
        }
    })
}

fn word(file: &mut File, span: Span, at: u64) -> Option<u64> {
    bytes(file, span, at).map(|word| u64::from(u32::from_be_bytes(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::testing::{boxed, file};

    fn is_possible(bytes: &[u8]) -> bool {
        are_possible(&mut File::open(file(bytes).path()).expect("the file"))
    }

    fn run(flags: u32, count: u32, entries: usize) -> Vec<u8> {
        let body = [&flags.to_be_bytes()[..], &count.to_be_bytes(), &vec![0; entries]].concat();
        boxed(b"moof", &boxed(b"traf", &boxed(b"trun", &body)))
    }

    fn table(name: &[u8; 4], words: &[u32]) -> Vec<u8> {
        let body: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        ["stbl", "minf", "mdia", "trak", "moov"]
            .iter()
            .fold(boxed(name, &body), |inner, name| boxed(name.as_bytes().first_chunk().expect("four letters"), &inner))
    }

    #[test]
    fn no_table_has_more_entries_than_bytes() {
        assert!(is_possible(&table(b"stts", &[0, 1, 10, 1024])));
        assert!(is_possible(&table(b"stsz", &[0, 0, 2, 100, 100])));
        assert!(!is_possible(&table(b"stts", &[0, 2, 10, 1024])));
        assert!(!is_possible(&table(b"stsz", &[0, 0, 0x7fff_ffff, 100])));
        assert!(!is_possible(&table(b"stsz", &[0, 1, 0x7fff_ffff])));
    }

    #[test]
    fn runs_of_fragments_have_no_more_samples_than_the_file_has_bytes() {
        assert!(is_possible(&run(0x300, 2, 16)));
        assert!(!is_possible(&run(0x300, 3, 16)) && !is_possible(&run(0x300, 2, 12)));
        assert!(!is_possible(&run(0, u32::MAX, 0)));
        assert!(is_possible(&run(0, 20, 0)) && !is_possible(&run(0, 40, 0).repeat(3)));
    }

    #[test]
    fn a_claim_behind_many_boxes_is_checked() {
        let many = boxed(b"free", b"").repeat(20_000);
        assert!(is_possible(&[&many[..], &run(0, 20, 0)].concat()));
        assert!(!is_possible(&[&many[..], &run(0, u32::MAX, 0)].concat()));
    }
}
