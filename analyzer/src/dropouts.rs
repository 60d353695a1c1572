//! Gaps of digital silence in the middle of a sound, as a lost buffer leaves them.

use crate::stream::Frame;

/// Shortest gap, in frames; shorter ones are zero crossings.
const MIN_DROPOUT_FRAMES: u64 = 16;
/// Longest gap, seconds; longer silence is a rest.
const MAX_DROPOUT_S: f64 = 0.23;
/// Smallest jump at both edges of a gap, −40 dBFS: music ends and begins near zero.
const MIN_EDGE_JUMP: f32 = 0.01;

/// Gaps of a song.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Dropouts {
    /// Number of gaps.
    pub count: u64,
    /// First frame of the first gap.
    pub first_frame: u64,
}

/// Counts the dropouts of a stream.
pub(crate) struct DropoutMeter {
    longest: u64,
    found: Dropouts,
    frames: u64,
    /// Length of the current silence in frames, and true if it began with a jump.
    silent: u64,
    began_with_jump: bool,
    last_peak: f32,
}

impl DropoutMeter {
    pub fn new(sample_rate_hz: u32) -> Self {
        Self {
            longest: (MAX_DROPOUT_S * f64::from(sample_rate_hz)) as u64,
            found: Dropouts::default(),
            frames: 0,
            silent: 0,
            began_with_jump: false,
            last_peak: 0.0,
        }
    }

    pub fn push(&mut self, block: &[Frame]) {
        let has_silence = block.contains(&[0.0; 2]);
        if let ([.., last], false, 0) = (block, has_silence, self.silent) {
            self.last_peak = peak(*last);
            self.frames += block.len() as u64;
            return;
        }
        for &frame in block {
            self.next(peak(frame));
        }
    }

    fn next(&mut self, peak: f32) {
        if peak == 0.0 {
            if self.silent == 0 {
                self.began_with_jump = self.last_peak > MIN_EDGE_JUMP;
            }
            self.silent += 1;
        } else {
            if self.began_with_jump
                && peak > MIN_EDGE_JUMP
                && (MIN_DROPOUT_FRAMES..=self.longest).contains(&self.silent)
            {
                if self.found.count == 0 {
                    self.found.first_frame = self.frames - self.silent;
                }
                self.found.count += 1;
            }
            self.silent = 0;
        }
        self.last_peak = peak;
        self.frames += 1;
    }

    pub fn finish(&self) -> Dropouts {
        self.found
    }
}

fn peak(frame: Frame) -> f32 {
    frame[0].abs().max(frame[1].abs())
}
