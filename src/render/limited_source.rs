//! The chain's output behind limiter and dither: the samples that are written.

use analyzer::oversample::BLOCK_FRAMES;
use analyzer::stream::{Frame, Source};
use analyzer::units::db_from_gain;
use renderer::recipe::{OutputParams, Solution};
use renderer::stages::dither::Dither;
use renderer::stages::limiter::{LimiterApply, LimiterGain, LimiterStep};

use crate::io;
use crate::io::spool::{Spool, SpoolReader};
use crate::render::limiter_timeline::LimiterTimeline;
use crate::render::limiting::LimitingHistogram;
use crate::render::trace::{Blocks, Steps, Trace, steps_from};
use crate::render::trims::CeilingExcess;

/// See [`limited_source`].
pub struct LimitedSource<'a, B> {
    rendered: SpoolReader<'a, Frame>,
    steps: Steps<B>,
    /// Limiter step of the next block.
    step: LimiterStep,
    apply: LimiterApply,
    dither: Option<Dither>,
    is_stereo: bool,
    /// Gain reduction of the frames read so far.
    pub limiting: LimitingHistogram,
    /// Gain reduction over time.
    pub timeline: LimiterTimeline,
    /// Blocks whose samples exceed full scale, in order. The written samples cannot show by how much.
    pub clipped: Vec<CeilingExcess>,
    blocks: u64,
    /// Frames of a block that did not fit into the buffer of the last read, and the number of them already returned.
    rest: (Vec<Frame>, usize),
}

/// Returns the rendered frames, limited by the gain that `limiter` derives from their trace.
///
/// # Errors
/// The trace lies in a temporary file that cannot be read.
pub fn limited_source<'a>(
    rendered: &'a Spool<Frame>,
    trace: &'a Trace,
    limiter: LimiterGain,
    solution: &Solution,
    output: &OutputParams,
    channels: u8,
) -> Result<LimitedSource<'a, impl Blocks + Send>, io::Error> {
    let mut steps = steps_from(trace, 0, limiter, &solution.trims);
    let bits = output.sample_format.integer_bits();
    Ok(LimitedSource {
        rendered: rendered.reader(),
        step: steps.next_step()?,
        steps,
        apply: LimiterApply::new(solution.drive_db),
        dither: bits.map(|bits| Dither::new(bits, u64::from(output.dither_seed))),
        is_stereo: channels == 2,
        limiting: LimitingHistogram::default(),
        timeline: LimiterTimeline::new(trace.sample_rate_hz),
        clipped: Vec::new(),
        blocks: 0,
        rest: (Vec::new(), 0),
    })
}

impl<B: Blocks> LimitedSource<'_, B> {
    /// Fills whole blocks of [`BLOCK_FRAMES`] from the start of `frames`; returns 0 at the end.
    fn read_blocks(&mut self, frames: &mut [Frame]) -> Result<usize, io::Error> {
        let whole = frames.len() / BLOCK_FRAMES * BLOCK_FRAMES;
        let mut count = 0;
        while count < whole {
            match self.rendered.read(&mut frames[count..whole])? {
                0 => break,
                read => count += read,
            }
        }
        for block in frames[..count].chunks_mut(BLOCK_FRAMES) {
            let next = self.steps.next_step()?;
            self.limiting.note(&self.step);
            self.timeline.note(&self.step);
            self.apply.process_block(block, &self.step, &next);
            self.step = next;
            let highest = block.as_flattened().iter().fold(0.0, |max: f32, x| max.max(x.abs()));
            if highest > 1.0 && self.dither.is_some() {
                self.clipped.push(CeilingExcess { block: self.blocks, by_db: db_from_gain(f64::from(highest)) });
            }
            self.blocks += 1;
        }
        if let Some(dither) = &mut self.dither {
            dither.process(&mut frames[..count], self.is_stereo);
        }
        Ok(count)
    }
}

impl<B: Blocks> Source for LimitedSource<'_, B> {
    type Error = io::Error;

    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, io::Error> {
        if self.rest.1 == self.rest.0.len() {
            if frames.len() >= BLOCK_FRAMES {
                return self.read_blocks(frames);
            }
            let mut block = std::mem::take(&mut self.rest.0);
            block.resize(BLOCK_FRAMES, [0.0; 2]);
            let count = self.read_blocks(&mut block)?;
            block.truncate(count);
            self.rest = (block, 0);
        }
        let (block, at) = &mut self.rest;
        let count = frames.len().min(block.len() - *at);
        frames[..count].copy_from_slice(&block[*at..][..count]);
        *at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use analyzer::synth::demo_mix;
    use renderer::recipe::ENGINE_VERSION;
    use renderer::stages::limiter::LimiterParams;

    use super::*;
    use crate::render::trace::TraceMeter;

    const RATE_HZ: u32 = 48_000;

    #[test]
    fn the_samples_do_not_depend_on_the_size_of_the_buffer() {
        let frames = &demo_mix(RATE_HZ, 0.2)[..9_001];
        let mut rendered = Spool::new(usize::MAX);
        rendered.push(frames).expect("memory");
        let mut meter = TraceMeter::new(RATE_HZ, 0.0, usize::MAX);
        meter.push(frames).expect("memory");
        let trace = meter.finish().expect("memory");
        let solution = Solution {
            engine: ENGINE_VERSION,
            input_hash: String::new(),
            settings_hash: String::new(),
            is_aimed: true,
            band_levels_dbfs: Default::default(),
            exact_above_dbfs: 0.0,
            drive_db: 12.0,
            codec_room_db: 0.0,
            trims: Vec::new(),
        };
        let read = |buffer_frames: usize| {
            let limiter = LimiterGain::new(&LimiterParams::default(), solution.drive_db, -1.0, RATE_HZ);
            let output = OutputParams::default();
            let mut source = limited_source(&rendered, &trace, limiter, &solution, &output, 2).expect("memory");
            let (mut all, mut buffer) = (Vec::new(), vec![[0.0; 2]; buffer_frames]);
            loop {
                match source.read(&mut buffer).expect("memory") {
                    0 => return all,
                    count => all.extend_from_slice(&buffer[..count]),
                }
            }
        };
        let expected = read(4096);
        assert_eq!(expected.len(), frames.len());
        for buffer_frames in [1, BLOCK_FRAMES - 1, BLOCK_FRAMES, BLOCK_FRAMES + 1, 1000] {
            assert!(read(buffer_frames) == expected, "{buffer_frames}");
        }
    }
}
