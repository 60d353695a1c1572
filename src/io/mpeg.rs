//! Headers of MPEG audio frames.

/// The sample rate in the header of an MPEG audio frame (ISO/IEC 11172-3, 2.4.2.3, and its extensions).
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
