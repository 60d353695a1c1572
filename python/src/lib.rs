//! The compiled half of the Python package `goldmaster`: it takes paths and text, and returns JSON; the steps of an
//! album pass bytes. The part for Python
//! users is `package/goldmaster`.

mod album;
mod audio;
mod failure;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;

use goldmaster::batch::aggregate::{ProfileJob, aggregate};
use goldmaster::batch::run::{self, Finished};
use goldmaster::error::Error;
use goldmaster::io::claim;
use goldmaster::program::BatchRequest;
use goldmaster::report::analysis::Analysis;
use goldmaster::request::destination::Destination;
use goldmaster::request::job::{MasterJob, Output, RenderJob};
use goldmaster::request::page::{Page, PageAudio};
use goldmaster::request::settings::{MasterSettings, Strictness};
use goldmaster::song::measure_with_timeline;
use goldmaster::workflows;
use pyo3::prelude::*;
use renderer::recipe::Recipe;

use crate::failure::raised;
use crate::watch::{BatchWatch, Followed};

/// Settings by name, as text.
type Settings = Vec<(String, Vec<String>)>;

/// Networks, references and settings, shared by many masters.
#[pyclass(frozen)]
struct Master(goldmaster::Master);

#[pymethods]
impl Master {
    #[new]
    fn new(py: Python, settings: Settings) -> PyResult<Self> {
        master_with(settings).map(Self).map_err(|error| raised(py, &error))
    }

    /// Masters a file and returns the report.
    #[pyo3(signature = (input, output, force, threads, on_progress))]
    fn master(
        &self,
        py: Python,
        input: PathBuf,
        output: PathBuf,
        force: bool,
        threads: Option<usize>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let work = |observer: &Followed| Ok(self.0.master_to(&input, output_at(output, force)?, observer)?.to_json());
        watch::followed(py, threads, on_progress, work)
    }

    /// Writes a page with excerpts of several masters and returns their comparison.
    fn variations(
        &self,
        py: Python,
        input: PathBuf,
        page: PathBuf,
        force: bool,
        threads: Option<usize>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let settings = self.0.settings().clone();
        let work = |observer: &Followed| {
            let output = Output::at(input.with_extension("master.wav"))?;
            let job = MasterJob { input: input.clone(), output, settings, recipe: None };
            let command = |kind: workflows::variations::VariationKind, settings: &MasterSettings| {
                settings.command_line(&input, &input.with_extension(format!("{}.wav", kind.name())))
            };
            let page = Page::at(page, PageAudio::default(), force)?;
            Ok(json(&workflows::variations::variations(&job, &page, &command, observer)?))
        };
        watch::followed(py, threads, on_progress, work)
    }
}

fn master_with(settings: Settings) -> Result<goldmaster::Master, Error> {
    settings.into_iter().try_fold(goldmaster::Master::new(), |master, (name, values)| master.set(&name, values))
}

fn output_at(path: PathBuf, force: bool) -> Result<Output, Error> {
    Ok(Output { force, ..Output::at(path)? })
}

fn json(data: &impl serde::Serialize) -> String {
    serde_json::to_string(data).expect("plain data has a JSON form")
}

/// Renders a recipe and returns the report.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "one per argument of the Python function")]
fn render(
    py: Python,
    input: PathBuf,
    output: PathBuf,
    recipe: String,
    values: Vec<String>,
    as_is: bool,
    strict: bool,
    force: bool,
    threads: Option<usize>,
    on_progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let work = |observer: &Followed| {
        let values = values.iter().map(|text| text.parse().map_err(Error::Usage)).collect::<Result<_, _>>()?;
        let job = RenderJob {
            output: output_at(output, force)?,
            recipe: Recipe::from_json(&recipe)?,
            input,
            settings: values,
            as_is,
            strictness: if strict { Strictness::Shortfalls } else { Strictness::Promises },
        };
        Ok(workflows::render::render(&job, observer)?.to_json())
    };
    watch::followed(py, threads, on_progress, work)
}

/// Measures a file and returns the measurements.
#[pyfunction]
fn analyze(py: Python, input: PathBuf, threads: Option<usize>, on_progress: Option<Py<PyAny>>) -> PyResult<String> {
    let work = |observer: &Followed| {
        let (info, profile, timeline, faults) = measure_with_timeline(&input, observer)?;
        Ok(Analysis::new(input.display().to_string(), info.codec, &faults, (profile, &timeline)).to_json())
    };
    watch::followed(py, threads, on_progress, work)
}

/// Checks a file against the specification of a destination and returns the results.
#[pyfunction]
fn check(
    py: Python,
    input: PathBuf,
    destination: String,
    threads: Option<usize>,
    on_progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let work = |observer: &Followed| {
        let destination: Destination = destination.parse().map_err(Error::Usage)?;
        Ok(json(&workflows::check::check(&input, destination, observer)?))
    };
    watch::followed(py, threads, on_progress, work)
}

/// Measures records and writes their profile; returns the profile, and the reasons why files are missing from it.
#[pyfunction]
fn profile(
    py: Python,
    inputs: Vec<PathBuf>,
    output: PathBuf,
    name: String,
    force: bool,
    threads: Option<usize>,
    on_progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let work = |observer: &Followed| {
        let mut aggregate = aggregate(&ProfileJob { inputs, output, name, force }, observer)?;
        let Some(norm) = aggregate.norm else {
            let all = aggregate.failed.len();
            return Err(aggregate.failed.pop().filter(|_| all == 1).unwrap_or(Error::SomeUnread { failed: all, all }));
        };
        let failed: Vec<String> = aggregate.failed.iter().map(ToString::to_string).collect();
        Ok(json(&serde_json::json!({ "profile": norm, "failed": failed })))
    };
    watch::followed(py, threads, on_progress, work)
}

/// Masters the songs that the words of a command line select, and returns the results.
#[pyfunction]
fn batch(py: Python, words: Vec<OsString>, on_progress: Option<Py<PyAny>>) -> PyResult<String> {
    let work = |observer: &Followed| {
        let BatchRequest { plan, output, options } = BatchRequest::parse(words)?;
        let Finished { summary, albums, without_cue_sheet, stale_cue_sheets, unusable_records } =
            run::run(&plan, &output, &options, &BatchWatch(observer))?;
        let [report, table] =
            goldmaster::batch::report::paths(&output, plan.shard).map(|path| path.display().to_string());
        Ok(json(&serde_json::json!({
            "summary": summary,
            "albums": albums,
            "without_cue_sheet": without_cue_sheet,
            "stale_cue_sheets": stale_cue_sheets,
            "unusable_records": unusable_records,
            "report": report,
            "table": table,
        })))
    };
    watch::followed(py, None, on_progress, work)
}

/// Runs the command line and returns its exit code.
#[pyfunction]
fn command_line(py: Python, words: Vec<OsString>) -> u8 {
    py.detach(|| goldmaster::program::run(words))
}

/// Returns the names of the settings that a master can have.
#[pyfunction]
fn setting_names() -> Vec<String> {
    MasterSettings::names()
}

/// A folder for temporary files, which is removed with this object, or by a later one if this process is killed.
#[pyclass(frozen)]
struct TemporaryFolder(claim::TemporaryFolder);

#[pymethods]
impl TemporaryFolder {
    #[new]
    fn new(py: Python) -> PyResult<Self> {
        claim::TemporaryFolder::new().map(Self).map_err(|error| raised(py, &error.into()))
    }

    /// Path of the folder.
    #[getter]
    fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }
}

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::album::Album;
    #[pymodule_export]
    use super::audio::{read_audio, write_audio};
    #[pymodule_export]
    use super::{Master, TemporaryFolder, analyze, batch, check, command_line, profile, render, setting_names};
}
