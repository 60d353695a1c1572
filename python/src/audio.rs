//! Reads and writes samples.

use std::path::PathBuf;

use goldmaster::error::Error;
use goldmaster::io::decode::open;
use goldmaster::io::encode::Encoder;
use goldmaster::io::output_spec::{Format, OutputSpec, SampleFormat};
use goldmaster::song::blocks::each_block;
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyByteArray;

use crate::failure::raised;

/// Returns the samples of a file as 32-bit floats, frame by frame, with its sample rate in Hz and its number of
/// channels.
#[pyfunction]
pub fn read_audio(py: Python<'_>, path: PathBuf) -> PyResult<(Bound<'_, PyByteArray>, u32, u8)> {
    let read = || -> Result<_, Error> {
        let mut decoder = open(&path)?;
        let info = decoder.info().clone();
        let mut bytes = Vec::new();
        each_block(&mut decoder, |block| {
            let samples = block.iter().flat_map(|frame| &frame[..usize::from(info.channels)]);
            bytes.extend(samples.flat_map(|sample| sample.to_ne_bytes()));
            Ok::<(), goldmaster::io::Error>(())
        })?;
        Ok((bytes, info.sample_rate_hz, info.channels))
    };
    let (bytes, sample_rate_hz, channels) = py.detach(read).map_err(|error| raised(py, &error))?;
    Ok((PyByteArray::new(py, &bytes), sample_rate_hz, channels))
}

/// Writes samples, frame by frame, as WAV with 32-bit floats.
#[pyfunction]
pub fn write_audio(
    py: Python,
    path: PathBuf,
    samples: PyBuffer<f32>,
    sample_rate_hz: u32,
    channels: u8,
) -> PyResult<()> {
    let samples = samples.to_vec(py)?;
    let write = || -> Result<_, Error> {
        let per_frame = usize::from(channels);
        let spec = OutputSpec {
            sample_rate_hz,
            channels,
            format: Format::Wav,
            sample_format: SampleFormat::Float32,
            bitrate_kbps: None,
            frames: (samples.len() / per_frame) as u64,
        };
        let mut encoder = Encoder::create(&path, spec, false)?;
        let frames: Vec<_> = samples.chunks_exact(per_frame).map(|frame| [frame[0], frame[per_frame - 1]]).collect();
        encoder.write(&frames)?;
        encoder.finish(None)?;
        Ok(())
    };
    py.detach(write).map_err(|error| raised(py, &error))
}
