//! Profiles of synthesised songs, for the tests.

use analyzer::analyze::Analyzer;
use analyzer::profile::Profile;
use analyzer::stream::{Frame, Meter as _};

/// Measures stereo frames at 44.1 kHz.
pub(crate) fn profile(frames: &[Frame]) -> Profile {
    let mut analyzer = Analyzer::new(44_100, 2);
    analyzer.push(frames);
    analyzer.finish()
}
