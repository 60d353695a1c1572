//! Head and tail of a song: silence and noise are cut and both ends are faded, before any other processing.

use analyzer::stream::Frame;
use analyzer::units::db_from_power;
use serde::{Deserialize, Serialize};

use crate::params::{Param, Params};

/// Shape of a fade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FadeShape {
    /// The square of a sine: no corner at either end.
    #[default]
    Smooth,
    /// The gain changes linearly.
    Linear,
    /// The level changes linearly in dB, from 60 dB down.
    Exponential,
}

/// Depth at which an exponential fade begins, in decades of gain: 60 dB.
const FADE_DECADES: f64 = 3.0;

impl FadeShape {
    /// All shapes.
    pub const ALL: [Self; 3] = [Self::Smooth, Self::Linear, Self::Exponential];

    /// Returns the name of the shape, as in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smooth => "smooth",
            Self::Linear => "linear",
            Self::Exponential => "exponential",
        }
    }

    /// Returns the gain at a position from 0 (silent) to 1 (full level).
    pub fn gain(self, position: f64) -> f64 {
        let position = position.clamp(0.0, 1.0);
        match self {
            _ if position == 0.0 => 0.0,
            Self::Smooth => {
                let sine = libm::sin(position * std::f64::consts::FRAC_PI_2);
                sine * sine
            }
            Self::Linear => position,
            Self::Exponential => libm::pow(10.0, FADE_DECADES * (position - 1.0)),
        }
    }
}

/// Trimming and fades of head and tail.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EdgeParams {
    /// True if silence and noise before the first sound and after the last are cut.
    pub is_trimmed: bool,
    /// Length kept before the first sound, ms.
    pub lead_in_ms: f64,
    /// Length of the fade at the head, s.
    pub fade_in_s: f64,
    /// Shape of the fade at the head.
    pub fade_in_shape: FadeShape,
    /// Length of the fade at the tail, s.
    pub fade_out_s: f64,
    /// Shape of the fade at the tail.
    pub fade_out_shape: FadeShape,
}

/// Range of the lead-in, ms.
const LEAD_IN: Param = Param::linear(0.0, 10_000.0, 20.0, 1.0);
/// Range of the length of fades, s.
const FADE: Param = Param::linear(0.0, 120.0, 0.0, 0.01);

impl Default for EdgeParams {
    fn default() -> Self {
        Self {
            is_trimmed: false,
            lead_in_ms: LEAD_IN.default,
            fade_in_s: FADE.default,
            fade_in_shape: FadeShape::default(),
            fade_out_s: FADE.default,
            fade_out_shape: FadeShape::default(),
        }
    }
}

impl Params for EdgeParams {
    fn visit(&mut self, path: &str, visitor: &mut dyn FnMut(&str, &Param, &mut f64)) {
        let Self { is_trimmed: _, lead_in_ms, fade_in_s, fade_in_shape: _, fade_out_s, fade_out_shape: _ } = self;
        visitor(&format!("{path}.lead_in_ms"), &LEAD_IN, lead_in_ms);
        visitor(&format!("{path}.fade_in_s"), &FADE, fade_in_s);
        visitor(&format!("{path}.fade_out_s"), &FADE, fade_out_s);
    }
}

impl EdgeParams {
    /// Returns true if nothing is changed.
    pub fn is_neutral(&self) -> bool {
        !self.is_trimmed && self.fade_in_s == 0.0 && self.fade_out_s == 0.0
    }
}

/// Blocks per second in which sound is distinguished from silence.
const BLOCKS_PER_S: u32 = 200;
/// Blocks at either end whose median level counts as the noise there: 50 ms.
const NOISE_BLOCKS: usize = 10;
/// Smallest level of sound over the noise at its end, dB.
const OVER_NOISE_DB: f64 = 10.0;
/// Lowest threshold, dB below the loudest block, however quiet the noise is.
const DEEPEST_DB: f64 = 60.0;
/// Highest threshold, dB below the loudest block: anything louder is sound in any case.
const SHALLOWEST_DB: f64 = 40.0;
/// Number of blocks in a row that make a sound: a single one is a click.
const SOUND_BLOCKS: usize = 2;
/// Length kept after the last sound and faded, s.
const TAIL_S: f64 = 0.1;
/// Length of the fade over the noise that is kept before the first sound, s.
const HEAD_FADE_S: f64 = 0.005;

/// Finds the start and the end of a song.
pub struct EdgeFinder {
    block_frames: usize,
    sums: [f64; 2],
    filled: usize,
    /// Level of every block, dBFS.
    levels_db: Vec<f32>,
    frames: u64,
}

impl EdgeFinder {
    /// Creates a finder for songs at this sample rate.
    pub fn new(sample_rate_hz: u32) -> Self {
        let block_frames = (sample_rate_hz / BLOCKS_PER_S).max(1) as usize;
        Self { block_frames, sums: [0.0; 2], filled: 0, levels_db: Vec::new(), frames: 0 }
    }

    /// Takes the next frames, any number of them.
    pub fn push(&mut self, frames: &[Frame]) {
        self.frames += frames.len() as u64;
        for frame in frames {
            for (sum, x) in self.sums.iter_mut().zip(frame) {
                *sum += f64::from(*x) * f64::from(*x);
            }
            self.filled += 1;
            if self.filled == self.block_frames {
                self.end_block();
            }
        }
    }

    fn end_block(&mut self) {
        let power = self.sums[0].max(self.sums[1]) / self.filled.max(1) as f64;
        self.levels_db.push(if power > 0.0 { db_from_power(power) as f32 } else { f32::NEG_INFINITY });
        (self.sums, self.filled) = ([0.0; 2], 0);
    }

    /// Returns the edges of the song for these parameters; a silent song is kept whole.
    pub fn finish(mut self, params: &EdgeParams, sample_rate_hz: u32) -> Edges {
        if self.filled > 0 {
            self.end_block();
        }
        let rate = f64::from(sample_rate_hz);
        let (mut start, mut end) = (0, self.frames);
        let mut least_fades_s = [0.0; 2];
        if params.is_trimmed
            && let Some((first, last)) = self.sound()
        {
            let [first, after] = [first, last + 1].map(|block| (block * self.block_frames) as u64);
            start = first.saturating_sub((params.lead_in_ms / 1000.0 * rate).round() as u64);
            end = (after + (TAIL_S * rate) as u64).min(self.frames);
            if start > 0 {
                least_fades_s[0] = HEAD_FADE_S.min(params.lead_in_ms / 1000.0);
            }
            if end < self.frames {
                least_fades_s[1] = TAIL_S;
            }
        }
        let length = end - start;
        let frames = |seconds: f64| ((seconds * rate).round() as u64).min(length);
        Edges {
            start,
            end,
            fade_in: (frames(params.fade_in_s.max(least_fades_s[0])), params.fade_in_shape),
            fade_out: (frames(params.fade_out_s.max(least_fades_s[1])), params.fade_out_shape),
        }
    }

    /// First and last block with sound.
    fn sound(&self) -> Option<(usize, usize)> {
        let loudest = f64::from(self.levels_db.iter().copied().reduce(f32::max)?);
        if !loudest.is_finite() {
            return None;
        }
        let at_end = |levels: &mut dyn Iterator<Item = f32>| {
            let levels: Vec<f32> = levels.collect();
            let mut ends: Vec<f32> = levels.iter().copied().take(NOISE_BLOCKS).collect();
            ends.sort_unstable_by(f32::total_cmp);
            let noise = ends.get(ends.len() / 2).copied().map_or(f64::NEG_INFINITY, f64::from);
            let threshold = (noise + OVER_NOISE_DB).clamp(loudest - DEEPEST_DB, loudest - SHALLOWEST_DB);
            let is_sound = |blocks: &[f32]| blocks.iter().all(|level| f64::from(*level) >= threshold);
            levels.windows(SOUND_BLOCKS.min(levels.len())).position(is_sound)
        };
        let first = at_end(&mut self.levels_db.iter().copied())?;
        let from_behind = at_end(&mut self.levels_db.iter().rev().copied())?;
        let last = self.levels_db.len() - 1 - from_behind;
        (first <= last).then_some((first, last))
    }
}

/// Start and end of a song, with the fades there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edges {
    /// First frame that is kept.
    pub start: u64,
    /// The frame after the last one that is kept.
    pub end: u64,
    fade_in: (u64, FadeShape),
    fade_out: (u64, FadeShape),
}

impl Edges {
    /// Fades `frames`, which begin at frame `at` of the part that is kept.
    pub fn fade(&self, at: u64, frames: &mut [Frame]) {
        let length = self.end - self.start;
        let share = |at: u64, of: u64| at as f64 / of as f64;
        for (n, frame) in frames.iter_mut().enumerate() {
            let at = at + n as u64;
            let mut gain = 1.0;
            if at < self.fade_in.0 {
                gain *= self.fade_in.1.gain(share(at, self.fade_in.0));
            }
            let left = length.saturating_sub(at + 1);
            if left < self.fade_out.0 {
                gain *= self.fade_out.1.gain(share(left, self.fade_out.0));
            }
            if gain != 1.0 {
                *frame = frame.map(|x| (f64::from(x) * gain) as f32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: u32 = 48_000;

    /// Half a second of noise, a second of tone, a second of noise.
    fn song(noise: f32) -> Vec<Frame> {
        let at = |n: usize| if n.is_multiple_of(2) { noise } else { -noise };
        let tone = |n: usize| 0.5 * (n as f32 * 0.05).sin();
        (0..RATE_HZ as usize * 5 / 2)
            .map(|n| {
                if (RATE_HZ as usize / 2..RATE_HZ as usize * 3 / 2).contains(&n) {
                    [tone(n) + at(n); 2]
                } else {
                    [at(n); 2]
                }
            })
            .collect()
    }

    fn edges(frames: &[Frame], params: &EdgeParams) -> Edges {
        let mut finder = EdgeFinder::new(RATE_HZ);
        frames.chunks(1000).for_each(|block| finder.push(block));
        finder.finish(params, RATE_HZ)
    }

    #[test]
    fn silence_and_noise_are_cut_down_to_the_lead_in() {
        let trimmed = EdgeParams { is_trimmed: true, lead_in_ms: 100.0, ..EdgeParams::default() };
        for noise in [0.0, 1e-4, 1e-3] {
            let found = edges(&song(noise), &trimmed);
            let [start_s, end_s] = [found.start, found.end].map(|frame| frame as f64 / f64::from(RATE_HZ));
            assert!((start_s - 0.4).abs() < 0.011 && (end_s - 1.6).abs() < 0.011, "{noise}: {start_s} {end_s}");
        }
        let whole = edges(&[[0.0; 2]; 5000], &trimmed);
        assert_eq!((whole.start, whole.end), (0, 5000));
        assert_eq!(edges(&[], &trimmed).end, 0);
    }

    #[test]
    fn a_fade_begins_and_ends_where_it_should_in_any_blocks() {
        let frames = vec![[1.0_f32; 2]; 1000];
        for shape in FadeShape::ALL {
            let params = EdgeParams {
                fade_in_s: 0.005,
                fade_in_shape: shape,
                fade_out_s: 0.01,
                fade_out_shape: shape,
                ..EdgeParams::default()
            };
            let found = edges(&frames, &params);
            let faded = |block: usize| {
                let mut frames = frames.clone();
                let mut at = 0;
                for block in frames.chunks_mut(block) {
                    found.fade(at, block);
                    at += block.len() as u64;
                }
                frames
            };
            let whole = faded(1000);
            assert!(whole == faded(7));
            assert_eq!((whole[0][0], whole[240][0], whole[519][0], whole[999][0]), (0.0, 1.0, 1.0, 0.0), "{shape:?}");
            assert!(whole[..241].is_sorted_by(|a, b| a[0] < b[0]) && whole[520..].is_sorted_by(|a, b| a[0] > b[0]));
        }
    }
}
