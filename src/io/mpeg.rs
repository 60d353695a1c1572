//! Headers of MPEG audio frames.

/// Returns the sample rate in the header of an MPEG audio frame (ISO/IEC 11172-3, 2.4.2.3, and its extensions).
pub(super) fn mpeg_sample_rate_hz(frame: &[u8]) -> Option<u32> {
    const MPEG1_HZ: [u32; 3] = [44_100, 48_000, 32_000];
    let header = frame.first_chunk::<4>()?;
    let rate_hz = MPEG1_HZ.get(usize::from(header[2] >> 2 & 3))?;
    match header[1] >> 3 & 3 {
        3 => Some(*rate_hz),
        2 => Some(rate_hz / 2),
        0 => Some(rate_hz / 4),
        _ => None,
    }
}

/// True if a frame has the header of layer I or II (ISO/IEC 11172-3, 2.4.2.3).
pub(super) fn is_layer_1_or_2(frame: &[u8]) -> bool {
    frame.first_chunk().is_some_and(|&[sync, kind]| sync == 0xff && kind >> 5 == 7 && kind >> 1 & 3 >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_told_apart() {
        assert!([[0xff, 0xfd], [0xff, 0xfc], [0xff, 0xff], [0xff, 0xf5]].iter().all(|head| is_layer_1_or_2(head)));
        assert!(
            [[0xff, 0xfb], [0xff, 0xf3], [0xff, 0xf9], [0x21, 0xfd], [0xff, 0x1d]].iter().all(|h| !is_layer_1_or_2(h))
        );
        assert!(!is_layer_1_or_2(&[]) && !is_layer_1_or_2(&[0xff]));
    }
}
