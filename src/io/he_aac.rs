//! Distinguishes HE-AAC from plain AAC. The decoder would decode only the lower half of its spectrum.
//!
//! The upper half (spectral band replication, ISO/IEC 14496-3, 4.6.18) is coded in a fill element at the end of every
//! frame. The data before it cannot be skipped without decoding, so the element is searched from the end: a fill
//! element of that kind whose length leads exactly to the end of the frame.

/// Identifiers of the elements that are searched.
const FILL: u32 = 6;
const END: u32 = 7;
/// Types of fill elements: band replication without and with a checksum.
const REPLICATION: [u32; 2] = [13, 14];

/// Number of frames that are examined.
const FRAMES: u32 = 24;

/// Examines the first frames of a stream.
#[derive(Debug, Default)]
pub(super) struct Detector {
    looked_at: u32,
    found: u32,
}

impl Detector {
    /// Examines the next frame. Returns true if the frames so far are HE-AAC.
    pub fn finds(&mut self, frame: &[u8]) -> bool {
        if self.looked_at >= FRAMES {
            return false;
        }
        self.looked_at += 1;
        self.found += u32::from(ends_with_replication(frame));
        // One plain frame in a hundred matches by chance.
        self.found >= 3 && self.found * 2 > self.looked_at
    }
}

fn ends_with_replication(frame: &[u8]) -> bool {
    let bits = frame.len() * 8;
    let read = |at: usize, count: usize| {
        (at..at + count)
            .try_fold(0, |value, bit| Some(value << 1 | u32::from(frame.get(bit / 8)? >> (7 - bit % 8) & 1)))
    };
    // The end marker is followed by zero bits up to the next byte.
    let Some(&last) = frame.last() else { return false };
    if last == 0 {
        return false;
    }
    let end = bits - last.trailing_zeros() as usize;
    let Some(end) = end.checked_sub(3).filter(|&at| read(at, 3) == Some(END)) else { return false };
    // The length has 4 bits, and 8 more if these are all ones.
    (1..=269).any(|bytes: usize| {
        let head = if bytes < 15 { 7 } else { 15 };
        let Some(at) = end.checked_sub(8 * bytes + head) else { return false };
        let length = if bytes < 15 {
            read(at + 3, 4) == Some(bytes as u32)
        } else {
            read(at + 3, 4) == Some(15) && read(at + 7, 8) == Some(bytes as u32 - 14)
        };
        read(at, 3) == Some(FILL) && length && read(at + head, 4).is_some_and(|kind| REPLICATION.contains(&kind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a frame of random bits, with a fill element of this type and length, or without one.
    fn frame(seed: u64, bits: usize, fill: Option<(u32, usize)>) -> Vec<u8> {
        let mut state = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32
        };
        let mut all: Vec<bool> = (0..bits).map(|_| random() & 1 == 1).collect();
        let mut push = |value: u32, count: usize| all.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        if let Some((kind, bytes)) = fill {
            push(FILL, 3);
            if bytes < 15 {
                push(bytes as u32, 4);
            } else {
                push(15, 4);
                push(bytes as u32 - 14, 8);
            }
            push(kind, 4);
            push(random(), 4);
            (1..bytes).for_each(|_| push(random(), 8));
        }
        push(END, 3);
        all.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |b, (n, &bit)| b | u8::from(bit) << (7 - n))).collect()
    }

    #[test]
    fn band_replication_is_found_whatever_its_length() {
        for (kind, bytes) in [(13, 3), (14, 14), (13, 15), (13, 40), (14, 200)] {
            let mut detector = Detector::default();
            let found = (0..20).any(|seed| detector.finds(&frame(seed, 400 + seed as usize, Some((kind, bytes)))));
            assert!(found, "{kind} {bytes}");
        }
    }

    #[test]
    fn plain_aac_is_not_taken_for_it() {
        for stream in 0..200 {
            let mut detector = Detector::default();
            // Encoders of plain AAC also write fill elements, with padding in them.
            let fill = (stream % 2 == 0).then_some((0, 10));
            let found = (0..u64::from(FRAMES)).any(|seed| detector.finds(&frame(stream * 100 + seed, 1500, fill)));
            assert!(!found, "{stream}");
        }
    }
}
