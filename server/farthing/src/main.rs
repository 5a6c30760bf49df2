//! The binary: command line, server, demo.

mod commands;
mod place;
mod setup;
mod ui;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::cost::CostArgs;
use crate::commands::prices::PricesArgs;
use crate::commands::review::ReviewArgs;
use crate::commands::run::RunArgs;
use crate::place::At;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Scoped subagents in any editor, with the price on the label.
///
/// Farthing is a language server: editors start `farthing serve`. The other commands do the same work without an
/// editor, or show what it did and what it cost.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Speak the language server protocol on standard input and output. Editors start this.
    ///
    /// Logs go to standard error; FARTHING_LOG sets how much, as in `FARTHING_LOG=debug`.
    Serve {
        /// Accepted for editors that pass it; standard input and output are the only transport.
        #[arg(long, hide = true)]
        stdio: bool,
    },
    /// Show the main job from start to end on a small project, without a key and without a network.
    ///
    /// A copy of the project is opened as an editor would open it; a run works on it against a scripted model on this
    /// machine; hunks land, one is kept, one is undone, and the ledger is printed.
    Demo(commands::demo::DemoArgs),
    /// Index a folder and say what is in it.
    Index(commands::index::IndexArgs),
    /// List what the light bulb would offer at a place, with prices.
    Actions {
        /// The place: FILE:LINE or FILE:LINE:COLUMN, both counted from 1.
        at: At,
        /// Print a JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Run an action without an editor. Shows the diff; changes nothing without --apply.
    ///
    /// Exit code: 0 when the run completed, 1 when it failed, 3 when the budget stopped it, 130 when cancelled.
    Run(RunArgs),
    /// Review a folder: the findings of the editor, for people or for a build server.
    ///
    /// Without --model it needs no model and no network, and never anything installed in the folder. Exit code: 0 when
    /// there is nothing to mend, 1 when there are warnings, 2 when the review itself failed; with --model also 3 when the
    /// budget stopped it, 130 when cancelled.
    Review(ReviewArgs),
    /// Show what was spent.
    Cost(CostArgs),
    /// Show what models cost, from when until when, and where that was found.
    ///
    /// Exit code with --check: 0 when every model in use has a price that was looked up lately, else 1.
    Prices(PricesArgs),
    /// Say what is configured, what is missing, and what to do about it.
    Doctor {
        /// Print one JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Serve a scripted model on this machine, for tests. Prints its address as JSON and stops when its input closes.
    #[command(hide = true)]
    Scripted {
        /// The script; see docs/scripted-provider.md.
        #[arg(long)]
        script: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve { stdio: _ } => commands::serve::serve(),
        Command::Demo(args) => commands::demo::demo(&args),
        Command::Index(args) => commands::index::index(&args),
        Command::Actions { at, json } => commands::actions::actions(&at, json),
        Command::Run(args) => commands::run::run(&args),
        Command::Review(args) => commands::review::review(&args),
        Command::Cost(args) => commands::cost::cost(&args),
        Command::Prices(args) => commands::prices::prices(&args),
        Command::Doctor { json } => commands::doctor::doctor(json),
        Command::Scripted { script } => commands::scripted::scripted(&script),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            // A reader that went away, as `head` does, is no error of ours.
            if error
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
            {
                return ExitCode::SUCCESS;
            }
            ui::error(&error);
            ExitCode::from(2)
        }
    }
}
