//! The chain's output through limiter and dither: the samples that are written.

use analyzer::oversample::BLOCK_FRAMES;
use analyzer::stream::{Frame, Source};
use analyzer::units::db_from_gain;
use renderer::recipe::{OutputParams, Solution};
use renderer::stages::dither::Dither;
use renderer::stages::limiter::{LimiterApply, LimiterGain, LimiterStep};

use crate::io;
use crate::io::spool::{Spool, SpoolReader};
use crate::render::limiter_timeline::LimiterTimeline;
use crate::render::solve::{Blocks, LimitingHistogram, Steps, Trace, blocks_of};
use crate::render::trims::Over;

/// See [`limited_source`].
pub struct LimitedSource<'a, B> {
    rendered: SpoolReader<'a, Frame>,
    steps: Steps<B>,
    /// Of the next block.
    step: LimiterStep,
    apply: LimiterApply,
    dither: Option<Dither>,
    is_stereo: bool,
    /// Of what was read.
    pub limiting: LimitingHistogram,
    /// The same over time.
    pub timeline: LimiterTimeline,
    /// Blocks whose samples pass full scale, where the written ones cannot show by how much; in order.
    pub clipped: Vec<Over>,
    blocks: u64,
}

/// The rendered frames, limited by what `limiter` makes of their trace.
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
    let mut steps = Steps::new(blocks_of(trace), limiter, &solution.trims);
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
    })
}

impl<B: Blocks> Source for LimitedSource<'_, B> {
    type Error = io::Error;

    /// Takes whole blocks of [`BLOCK_FRAMES`]: `frames` holds at least one.
    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, io::Error> {
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
                self.clipped.push(Over { block: self.blocks, by_db: db_from_gain(f64::from(highest)) });
            }
            self.blocks += 1;
        }
        if let Some(dither) = &mut self.dither {
            dither.process(&mut frames[..count], self.is_stereo);
        }
        Ok(count)
    }
}
