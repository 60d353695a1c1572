//! Builds one target profile from several finished songs.

use std::path::PathBuf;

use analyzer::profile::Profile;
use models::error::Error::SilentReference;
use models::features::features;
use models::norm::NormProfile;
use rayon::prelude::*;

use crate::batch::inputs::{Found, find};
use crate::error::Error;
use crate::io;
use crate::request::paths::{check_other_path, is_audio_file_name};
use crate::song::measure;
use crate::song::observer::{Observer, OneOfMany, Stage};

/// A request to build a profile from several songs.
#[derive(Clone, Debug)]
pub struct ProfileJob {
    /// Files, folders (searched recursively) and globs.
    pub inputs: Vec<PathBuf>,
    /// Path of the profile to write.
    pub output: PathBuf,
    /// Name of the profile.
    pub name: String,
    /// True if an existing file may be replaced.
    pub force: bool,
}

/// The profile that was written, and the songs that are not part of it.
pub struct Aggregate {
    /// Median and spread over the readable songs; `None`, and nothing written, when there are none.
    pub norm: Option<NormProfile>,
    /// The error of each song that was left out.
    pub failed: Vec<Error>,
}

/// Measures every song and writes a profile of their medians and spreads. A song that cannot be read or is silent is
/// left out; the others are still used.
///
/// # Errors
/// No song is found, the profile has the name of a sound or cannot be written, or the run is interrupted.
pub fn aggregate(job: &ProfileJob, observer: &dyn Observer) -> Result<Aggregate, Error> {
    if is_audio_file_name(&job.output) {
        let [output, file] = [&job.output, &job.output.with_extension("profile.json")].map(|path| io::name(path));
        return Err(Error::Usage(format!("{output} is the name of a sound, and a profile is JSON: -o {file}")));
    }
    let found = find(&job.inputs, &job.output)?;
    if found.is_empty() {
        let names: Vec<_> = job.inputs.iter().map(|path| path.display().to_string()).collect();
        return Err(Error::Folder(format!("{}: there is no song in it", names.join(", "))));
    }
    check_other_path("profile", &job.output, found.iter().map(|song| song.path.as_path()), job.force)?;
    let bytes = |song: &Found| std::fs::metadata(&song.path).map_or(0, |metadata| metadata.len());
    observer.stage(Stage::Measuring, Some(found.iter().map(bytes).sum()));
    let measured: Vec<Result<(String, Profile), Error>> = found
        .par_iter()
        .map(|song| match &song.problem {
            Some(problem) => Err(Error::Folder(problem.clone())),
            None => {
                let progress = OneOfMany::new(observer, bytes(song));
                let measured = measure(&song.path, &progress);
                progress.finish()?;
                let (_, profile, _) = measured?;
                Ok((song.path.display().to_string(), profile))
            }
        })
        .collect();
    let (mut songs, mut failed) = (Vec::new(), Vec::new());
    for result in measured {
        match result {
            Ok((name, profile)) if features(&profile).is_none() => failed.push(Error::Silent(SilentReference { name })),
            Ok(song) => songs.push(song),
            Err(error @ Error::Io(io::Error::Interrupted)) => return Err(error),
            Err(error) => failed.push(error),
        }
    }
    if songs.is_empty() {
        return Ok(Aggregate { norm: None, failed });
    }
    let universal = NormProfile::universal().map_err(Error::Network)?;
    let norm = NormProfile::of_songs(&job.name, &songs, &universal).map_err(Error::of_target)?;
    io::text::write(&job.output, &norm.to_json(), job.force)?;
    Ok(Aggregate { norm: Some(norm), failed })
}
