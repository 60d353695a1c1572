//! Arguments, and from them jobs.

pub mod analyze;
pub mod batch;
pub mod check;
pub mod demo;
pub mod master;
pub mod profile;
pub mod render;
pub mod report;
pub mod shared;
pub mod variations;

use clap::{CommandFactory as _, Parser, Subcommand};

use self::analyze::AnalyzeArgs;
use self::batch::{BatchArgs, MergeArgs};
use self::check::CheckArgs;
use self::demo::DemoArgs;
use self::master::MasterArgs;
use self::profile::ProfileArgs;
use self::render::RenderArgs;
use self::report::{CompletionsArgs, ReportArgs};
use self::shared::GenreParser;
use self::variations::VariationsArgs;

/// Masters music, and proves it.
///
/// Measures a mix, decides how to treat it (towards reference tracks, or towards what finished records have in
/// common), renders, and checks loudness and true peak of what it wrote.
#[derive(Parser, Debug)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub master: Option<MasterArgs>,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Masters one song (the same as without a command)
    Master(MasterArgs),
    /// Measures files and shows what was found
    Analyze(AnalyzeArgs),
    /// Checks finished files against what a destination asks for
    Check(CheckArgs),
    /// Aggregates several songs to a profile that `--profile` masters towards
    Profile(ProfileArgs),
    /// Renders a song from a recipe: on the song it was made for, the same bytes
    Render(RenderArgs),
    /// Masters many songs, and goes on where it was interrupted
    Batch(Box<BatchArgs>),
    /// Joins the reports of the parts of a batch
    MergeReports(MergeArgs),
    /// Shows two files beside each other, as a mix and its master, on one page
    Report(ReportArgs),
    /// Masters an excerpt of one song in several ways, to hear before choosing
    Variations(Box<VariationsArgs>),
    /// Synthesises a mix with typical faults and masters it
    Demo(DemoArgs),
    /// Prints the completions of a shell
    Completions(CompletionsArgs),
    /// Prints the manual page
    Man,
}

/// All commands; `--genre list` answers by itself.
pub fn command() -> clap::Command {
    let with_list = |command: clap::Command| command.mut_arg("genre", |arg| arg.value_parser(GenreParser));
    with_list(Cli::command()).mut_subcommand("master", with_list).mut_subcommand("batch", with_list).mut_subcommand("variations", with_list)
}
