//! Files of sound, container by container: the corpus decides which, the first bytes say so to the program.
#![no_main]

use std::io::Write as _;

use analyzer::stream::Source as _;
use goldmaster::io::decode::open;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::Builder::new().suffix(".mp3").tempfile().expect("a temporary file");
    file.write_all(bytes).expect("space");
    let Ok(mut decoder) = open(file.path()) else { return };
    let (mut frames, mut block) = (0_u64, vec![[0.0; 2]; 4096]);
    while let Ok(count @ 1..) = decoder.read(&mut block) {
        frames += count as u64;
        assert!(frames <= bytes.len() as u64 * 65_535, "more sound than the bytes can carry");
    }
});
