//! Profiles of songs to master towards.
#![no_main]

use models::norm::NormProfile;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = NormProfile::from_json(text);
});
