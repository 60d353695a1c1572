//! Checks a file against the specification of a destination.

use std::path::Path;

use analyzer::analyze::Analyzer;
use analyzer::stream::Meter as _;
use analyzer::units::db_from_gain;
use ebur128::{EbuR128, Mode};

use crate::io;
use crate::io::decode::open;
use crate::io::tags::Tags;
use crate::report::check::{CheckInputs, FileCheck};
use crate::request::destination::Destination;
use crate::song::blocks::each_block;
use crate::song::observer::{Observer, Stage};

/// Measures a file and checks it. The true peak is measured by our own meter and by the crate `ebur128`, which
/// interpolates to 4 points per sample, as BS.1770 requires.
///
/// # Errors
/// If the file cannot be read.
pub fn check(path: &Path, destination: Destination, observer: &dyn Observer) -> Result<FileCheck, io::Error> {
    let mut decoder = open(path)?;
    let info = decoder.info().clone();
    observer.stage(Stage::Measuring, info.frames_hint);
    let mut analyzer = Analyzer::new(info.sample_rate_hz, info.channels);
    let mut second = EbuR128::new(2, info.sample_rate_hz, Mode::TRUE_PEAK).ok();
    each_block(&mut decoder, |block| {
        analyzer.push(block);
        if let Some(meter) = &mut second {
            // Adding whole frames of two channels never fails.
            let _ = meter.add_frames_f32(block.as_flattened());
        }
        observer.advance(block.len() as u64)
    })?;
    let (profile, timeline) = analyzer.finish_with_timeline();
    let second = second.and_then(|meter| Some(meter.true_peak(0).ok()?.max(meter.true_peak(1).ok()?)));
    let inputs = CheckInputs {
        info: &info,
        profile: &profile,
        timeline: &timeline,
        second_dbtp: second.map_or(profile.peak.true_peak_dbtp, db_from_gain),
        faults: decoder.warnings(),
        tags: &Tags::read(path).facts(),
    };
    Ok(FileCheck::new(path.display().to_string(), destination, &inputs))
}
