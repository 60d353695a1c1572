//! Command-line arguments, and the jobs that they ask for.

pub mod analyze;
pub mod batch;
pub mod check;
pub mod demo;
pub mod hints;
pub mod master;
pub mod profile;
pub mod render;
pub mod report;
pub mod shared;
pub mod ui;
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
use self::ui::UiArgs;
use self::variations::VariationsArgs;

/// Masters music, and checks what it wrote
///
/// Measures a mix, decides how to treat it (like reference tracks, or like finished records of its kind), renders it,
/// and checks loudness and true peak of the master before it gets its name.
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
    /// Masters one song; the same as no command at all
    Master(Box<MasterArgs>),
    /// Measures files and shows what was found
    #[command(alias = "analyse")]
    Analyze(AnalyzeArgs),
    /// Checks finished files against what a destination asks for
    Check(CheckArgs),
    /// Measures records that you like, to master towards them with `--profile`
    Profile(ProfileArgs),
    /// Renders a recipe; on the song that it was made for, the same bytes again
    Render(Box<RenderArgs>),
    /// Masters many songs or a whole album; goes on where it was interrupted
    Batch(Box<BatchArgs>),
    /// Joins the reports of a batch that ran in parts (`--shard`)
    MergeReports(MergeArgs),
    /// Compares two files, as a mix and its master, on a page to listen and look
    Report(ReportArgs),
    /// Masters one song in several ways, to hear before choosing
    Variations(Box<VariationsArgs>),
    /// Opens a page in the browser to master with: drop, listen, choose, export
    Ui(UiArgs),
    /// Makes a mix with typical faults and masters it: needs no file
    Demo(DemoArgs),
    /// Prints completions for a shell
    Completions(CompletionsArgs),
    /// Prints the manual page
    Man,
}

/// Returns the definition of all commands, in which `--genre list` prints the genres.
pub fn command() -> clap::Command {
    let with_list = |command: clap::Command| command.mut_arg("genre", |arg| arg.value_parser(GenreParser));
    with_list(Cli::command())
        .mut_subcommand("master", with_list)
        .mut_subcommand("batch", with_list)
        .mut_subcommand("variations", with_list)
}
