//! The program `goldmaster`.

use std::process::ExitCode;

fn main() -> ExitCode {
    goldmaster::program::run(std::env::args_os().collect()).into()
}
