//! Tags of every format, read from whole files.
#![no_main]

use std::io::Write as _;

use goldmaster::io::tags::Tags;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("space");
    let tags = Tags::read(file.path());
    let _ = (tags.facts(), tags.software());
});
