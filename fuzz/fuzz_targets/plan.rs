//! Plans of a batch: the first byte says whether as a table or as JSON.
#![no_main]

use std::io::Write as _;
use std::path::Path;

use goldmaster::batch::settings::Settings;
use goldmaster::batch::table;
use goldmaster::io::output_spec::Format;
use goldmaster::request::settings::MasterSettings;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, text)) = bytes.split_first() else { return };
    let suffix = if kind % 2 == 0 { ".csv" } else { ".json" };
    let mut file = tempfile::Builder::new().suffix(suffix).tempfile().expect("a temporary file");
    file.write_all(text).expect("space");
    let master = MasterSettings::default();
    let settings =
        Settings { master, genre_references: Vec::new(), folder_references: Vec::new(), format: Format::Wav };
    let _ = table::read(file.path(), &settings, Path::new("out"), None);
});
