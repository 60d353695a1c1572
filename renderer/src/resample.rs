//! Changes the sample rate by a rational factor: polyphase windowed sinc.
//!
//! Flat to 0.92 of the lower Nyquist frequency, images and aliases under −115 dB (Kaiser window, β = 12).

use std::f64::consts::PI;

use analyzer::stream::{Frame, Source};

/// Input frames that weigh in on one output frame, when the rate goes up.
const TAPS: usize = 192;
const BETA: f64 = 12.0;
/// Centre of the transition band, of the lower Nyquist frequency: it ends just there.
const CUTOFF: f64 = 0.96;

/// A source at another sample rate. Neither early nor late; `frames · to / from` long, rounded up.
pub struct Resampled<S> {
    source: S,
    /// Output frames per `down` input frames.
    up: u64,
    down: u64,
    phases: Vec<Vec<f64>>,
    /// Input from frame `first` on, `taps / 2` frames of silence before the start.
    buffer: Vec<Frame>,
    first: i64,
    next: u64,
    read: u64,
    ended: bool,
}

impl<S: Source> Resampled<S> {
    /// `source` is at `from_hz`, the result at `to_hz`.
    pub fn new(source: S, from_hz: u32, to_hz: u32) -> Self {
        let divisor = gcd(from_hz, to_hz);
        let (up, down) = (u64::from(to_hz / divisor), u64::from(from_hz / divisor));
        let shrink = (f64::from(to_hz) / f64::from(from_hz)).min(1.0);
        let taps = (libm::ceil(TAPS as f64 / shrink) as usize).next_multiple_of(2);
        let phases = (0..up).map(|phase| sinc_phase(phase as f64 / up as f64, taps, shrink * CUTOFF)).collect();
        let first = -(taps as i64 / 2);
        Self { source, up, down, phases, buffer: vec![[0.0; 2]; taps / 2], first, next: 0, read: 0, ended: false }
    }

    fn taps(&self) -> usize {
        self.phases[0].len()
    }

    /// Makes input up to frame `end` available; past the stream's end it is silence.
    fn fill(&mut self, end: i64) -> Result<(), S::Error> {
        while self.first + (self.buffer.len() as i64) < end {
            let start = self.buffer.len();
            self.buffer.resize(start + 4096, [0.0; 2]);
            if !self.ended {
                let count = self.source.read(&mut self.buffer[start..])?;
                self.read += count as u64;
                if count == 0 {
                    self.ended = true;
                } else {
                    self.buffer.truncate(start + count);
                }
            }
        }
        Ok(())
    }
}

/// Coefficients for an output `offset` of a frame after an input frame; unity gain at 0 Hz.
fn sinc_phase(offset: f64, taps: usize, cutoff: f64) -> Vec<f64> {
    let half = taps as f64 / 2.0;
    let value = |tap: usize| {
        let t = tap as f64 - (half - 1.0) - offset;
        let x = PI * t * cutoff;
        let sinc = if x.abs() < 1e-12 { 1.0 } else { libm::sin(x) / x };
        let edge = (t / half).clamp(-1.0, 1.0);
        sinc * analyzer::oversample::bessel_i0(BETA * libm::sqrt(1.0 - edge * edge))
    };
    let raw: Vec<f64> = (0..taps).map(value).collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|v| v / sum).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl<S: Source> Source for Resampled<S> {
    type Error = S::Error;

    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, S::Error> {
        let taps = self.taps();
        for (written, frame) in frames.iter_mut().enumerate() {
            let at = (self.next * self.down / self.up) as i64;
            let start = at - (taps as i64 / 2 - 1);
            self.fill(start + taps as i64)?;
            if self.ended && at >= self.read as i64 {
                return Ok(written);
            }
            let window = &self.buffer[(start - self.first) as usize..][..taps];
            let phase = &self.phases[(self.next * self.down % self.up) as usize];
            let mut sums = [[0.0f64; 2]; 2];
            for (pair, h) in window.chunks_exact(2).zip(phase.chunks_exact(2)) {
                for k in 0..2 {
                    sums[k][0] += f64::from(pair[k][0]) * h[k];
                    sums[k][1] += f64::from(pair[k][1]) * h[k];
                }
            }
            *frame = [(sums[0][0] + sums[1][0]) as f32, (sums[0][1] + sums[1][1]) as f32];
            self.next += 1;
            let done = start - self.first;
            if done > 8192 {
                self.buffer.drain(..done as usize);
                self.first = start;
            }
        }
        Ok(frames.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resampled(frames: &[Frame], from: u32, to: u32) -> Vec<Frame> {
        let mut source = Resampled::new(frames, from, to);
        let mut out = vec![[0.0; 2]; 3 * frames.len() + 10];
        let mut filled = 0;
        loop {
            let end = (filled + 1000).min(out.len());
            match source.read(&mut out[filled..end]).expect("memory does not fail") {
                0 => break,
                count => filled += count,
            }
        }
        out.truncate(filled);
        out
    }

    fn sine(hz: f64, rate: u32, frames: usize) -> Vec<Frame> {
        let w = 2.0 * PI * hz / f64::from(rate);
        (0..frames).map(|n| [(0.5 * (w * n as f64).sin()) as f32, 0.0]).collect()
    }

    #[test]
    fn a_tone_stays_where_it_was_and_as_loud() {
        for (from, to, hz) in [(44_100, 48_000, 19_000.0), (96_000, 44_100, 1000.0), (48_000, 44_100, 20_000.0)] {
            let out = resampled(&sine(hz, from, 20_000), from, to);
            let wanted = sine(hz, to, out.len());
            let middle = 2000..out.len() - 2000;
            let worst = middle.map(|n| (out[n][0] - wanted[n][0]).abs()).fold(0.0, f32::max);
            assert!(worst < 2e-6, "{from} to {to}: {worst}");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone() {
        let out = resampled(&sine(23_000.0, 96_000, 40_000), 96_000, 44_100);
        let worst = out[2000..out.len() - 2000].iter().map(|f| f[0].abs()).fold(0.0, f32::max);
        assert!(worst < 1e-6, "{worst}");
    }

    #[test]
    fn length_follows_the_ratio() {
        assert_eq!(resampled(&sine(100.0, 44_100, 44_100), 44_100, 48_000).len(), 48_000);
        assert_eq!(resampled(&sine(100.0, 48_000, 1), 48_000, 44_100).len(), 1);
    }
}
