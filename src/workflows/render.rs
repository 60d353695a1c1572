//! Renders a recipe to the files of a master.

use analyzer::profile::Profile;
use renderer::recipe::{ENGINE_VERSION, Recipe, Solution};

use super::master::{ReportInputs, note_page, report};
use crate::error::Error;
use crate::io::tags::Tags;
use crate::page;
use crate::render::finish::{SolutionSource, WriteRequest, finish, settings_hash};
use crate::report::Report;
use crate::report::warning::{Subject, Warning};
use crate::request::delivery::fitted_to;
use crate::request::edges::LongFade;
use crate::request::job::RenderJob;
use crate::request::paths::{check_distinct, check_paths};
use crate::request::settings::{check_format, with_values};
use crate::song::Song;
use crate::song::observer::Observer;

/// Renders one song from a recipe. If the recipe was solved for this input, nothing is searched.
///
/// # Errors
/// See [`Error`]; on an error, nothing is written.
pub fn render(job: &RenderJob, observer: &dyn Observer) -> Result<Report, Error> {
    let recipe = checked(job)?;
    let mut song = loaded(job, &recipe, observer)?;
    rendered(job, recipe, &mut song, &mut None, observer)
}

/// Renders one song to several files, each with the same result as alone; the song is read once. The jobs differ only
/// in their outputs.
///
/// # Errors
/// See [`Error`]; masters written before an error are kept, and `reports` contains their reports.
pub fn render_each(jobs: &[RenderJob], observer: &dyn Observer, reports: &mut Vec<Report>) -> Result<(), Error> {
    let recipes = jobs.iter().map(checked).collect::<Result<Vec<_>, _>>()?;
    check_distinct(&jobs.iter().flat_map(|job| job.output.files()).collect::<Vec<_>>())?;
    let (Some(first), Some(recipe)) = (jobs.first(), recipes.first()) else { return Ok(()) };
    let (mut song, mut profile) = (loaded(first, recipe, observer)?, None);
    for (job, recipe) in jobs.iter().zip(recipes) {
        reports.push(rendered(job, recipe, &mut song, &mut profile, observer)?);
    }
    Ok(())
}

/// Returns the recipe that a job renders, after checking for every error that can be found before any work is done.
fn checked(job: &RenderJob) -> Result<Recipe, Error> {
    let output = fitted_to(job.recipe.output, job.output.format, None);
    let recipe = with_values(Recipe { output, ..job.recipe.clone() }, &job.settings)?;
    check_format(job.output.format, recipe.output.sample_format)?;
    check_paths(&job.input, std::iter::empty(), &job.output)?;
    Ok(recipe)
}

/// Reads the song of a job, without the parts that its recipe cuts off.
fn loaded(job: &RenderJob, recipe: &Recipe, observer: &dyn Observer) -> Result<Song, Error> {
    Ok(Song::load(&job.input, observer)?.edited(&recipe.edges)?)
}

/// Renders and writes a song that was read; `profile` holds its measurements once they are needed.
fn rendered(
    job: &RenderJob,
    recipe: Recipe,
    song: &mut Song,
    profile: &mut Option<Profile>,
    observer: &dyn Observer,
) -> Result<Report, Error> {
    let is_solved = recipe.solution.as_ref().is_some_and(|solution| job.as_is || fits(solution, song, &recipe));
    // A page shows the mix as well. A master whose report has no mix when it is rendered alone has none beside others.
    let needs_profile = !is_solved || job.output.page.is_some();
    if profile.is_none() && needs_profile {
        *profile = Some(song.profile(observer)?);
    }
    let profile = profile.as_ref().filter(|_| needs_profile);
    let solve = match (&recipe.solution, profile) {
        (Some(solution), _) if fits(solution, song, &recipe) => SolutionSource::Given(solution.clone()),
        (Some(solution), _) if job.as_is => SolutionSource::AsIs(solution.clone()),
        (_, Some(profile)) if profile.loudness.integrated_lufs.is_some() => SolutionSource::Anew(profile),
        _ => return Err(Error::Decide { path: job.input.clone(), source: models::error::Error::SilentSource }),
    };
    let tags = Tags::read(&job.input);
    let capture = page::capture(job.output.page.as_ref(), song, &recipe);
    let request = WriteRequest { output: &job.output, tags, strictness: job.strictness, capture, is_kept: true };
    let mut finished = finish(song, &recipe, solve, request, observer)?;
    let captured = std::mem::take(&mut finished.passages);
    let fades = LongFade::all(&song.edges, song.seconds());
    let warnings =
        [Warning::of_file(&Subject::Mix, &song.warnings), Warning::of_fades(&fades), Warning::of_recipe(&recipe)]
            .concat();
    let tone = profile.map(|_| song.tone()).transpose()?;
    let report_inputs = ReportInputs { input: &job.input, song, profile, tone, decision: None, warnings };
    let mut report = report(report_inputs, finished, &job.output);
    note_page(page::of_master(&job.output, &report, song, captured), &mut report);
    Ok(report)
}

/// Returns true if a solution belongs to this engine, this song and these settings.
fn fits(solution: &Solution, song: &Song, recipe: &Recipe) -> bool {
    let Solution { engine, input_hash, settings_hash: of_settings, .. } = solution;
    *engine == ENGINE_VERSION && *input_hash == song.hash && *of_settings == settings_hash(recipe)
}
