//! The `zt` command: what an engineer asks before, and an auditor asks after.
//!
//! `check`, `explain`, `plan`, `list`, `diff` and `replay` simulate on the tables; they open no vault, write no log and never
//! release anything. Exit codes: 0 yes, 1 no (denied, not runnable, nothing listed, a decision changes, problems found, log
//! not intact), 2 the question could not be answered.

mod audit;
mod check;
#[cfg(all(feature = "azure", feature = "testing"))]
mod conformance;
#[cfg(feature = "testing")]
mod dev_token;
mod diff;
mod doctor;
mod lint;
mod list;
mod paint;
mod plan;
mod principal;
mod problems;
mod replay;
mod seal;
mod status;
mod transfer;
mod vault;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstream::eprintln;
use clap::{Parser, Subcommand};
use zt_core::Error;
use zt_core::runtime::Config;
use zt_core::text::shown;

/// Zero trust for AI pipelines on Azure: who may do what, and what was done.
#[derive(Debug, Parser)]
#[command(name = "zt", version, max_term_width = 100)]
struct Cli {
    /// The folder that holds `zt.toml`.
    #[arg(
        short = 'C',
        long,
        global = true,
        env = "ZT_FOLDER",
        default_value = "."
    )]
    folder: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read the tables and report every problem at once.
    Lint(lint::Lint),
    /// Would this be allowed? A simulation: nothing is released.
    Check(check::Check),
    /// Why, and what nearly allowed it.
    Explain(check::Check),
    /// Who may do what: the resources of an action, the principals of a resource, the actions on it.
    List(list::List),
    /// Which decisions change between two versions of the tables.
    Diff(diff::Diff),
    /// Which recorded decisions a draft of the tables would change.
    Replay(replay::Replay),
    /// What a run of a job needs, or all that it lacks. A simulation, as `check`.
    Plan(plan::Plan),
    /// What is wrong with the path to a host, and what to do.
    #[command(subcommand)]
    Doctor(doctor::Doctor),
    /// Write the tables as CSV, a folder with a file a table, or as one TOML file.
    Export(transfer::Export),
    /// Read tables from anywhere, check them, and write them as TOML or CSV.
    Import(transfer::Import),
    /// How the live processes of this folder are.
    Status(status::Status),
    /// Seal a file for an output. The caller's token is in ZT_TOKEN.
    Seal(seal::Seal),
    /// Open a sealed file of an output.
    Open(seal::Seal),
    /// The encrypted local vault.
    #[command(subcommand)]
    Vault(vault::Vault),
    /// The tamper-evident log.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// The contract suites, against a real tenant or an emulator.
    #[cfg(all(feature = "azure", feature = "testing"))]
    #[command(subcommand)]
    Conformance(conformance::Conformance),
    /// A token of the development issuer. A production `zt.toml` refuses it.
    #[cfg(feature = "testing")]
    DevToken(dev_token::DevToken),
}

/// What a command found out.
enum Answer {
    Yes,
    No,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let answer = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| Error::new(zt_core::Code::Internal, "no executor").with_source(why))
        .and_then(|executor| executor.block_on(run(cli)));
    match answer {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

async fn run(cli: Cli) -> Result<Answer, Error> {
    let config = || Config::load(&cli.folder);
    match cli.command {
        Command::Lint(lint) => lint.run(&config()?).await,
        Command::Check(check) => check.run(&config()?, check::Depth::Decision).await,
        Command::Explain(check) => check.run(&config()?, check::Depth::Explanation).await,
        Command::List(list) => list.run(&config()?).await,
        Command::Diff(diff) => diff.run(maybe_config(&cli.folder)?.as_ref()).await,
        Command::Replay(replay) => {
            let found = maybe_config(&cli.folder)?;
            let audit = match (replay.audit(), &found) {
                (Some(folder), _) => folder.clone(),
                (None, Some(config)) => config.audit_folder(),
                (None, None) => config()?.audit_folder(),
            };
            replay.run(found.as_ref(), audit).await
        }
        Command::Plan(plan) => plan.run(&config()?).await,
        Command::Doctor(doctor) => doctor.run(&config()?).await,
        Command::Export(export) => export.run(&config()?).await,
        Command::Import(import) => import.run().await,
        Command::Status(status) => status.run(&config()?),
        Command::Seal(seal) => seal.run(config()?, seal::Way::Seal).await,
        Command::Open(open) => open.run(config()?, seal::Way::Open).await,
        Command::Vault(vault) => vault.run(&config()?).await,
        Command::Audit(audit) => audit.run(config).await,
        #[cfg(all(feature = "azure", feature = "testing"))]
        Command::Conformance(conformance) => conformance.run(&config()?).await,
        #[cfg(feature = "testing")]
        Command::DevToken(token) => token.run(&config()?).await,
    }
}

/// The configuration of a folder that has one: some commands need it for groups alone.
fn maybe_config(folder: &Path) -> Result<Option<Config>, Error> {
    match folder.join("zt.toml").exists() {
        true => Config::load(folder).map(Some),
        false => Ok(None),
    }
}

fn complain(error: &Error) {
    let (bad, plain) = (paint::BAD, paint::BAD.render_reset());
    eprintln!("{bad}{}{plain} {}", error.code(), shown(error.message()));
    if let Some(help) = error.help() {
        eprintln!("        {}", shown(help));
    }
    let mut cause = std::error::Error::source(error);
    let mut said = error.message().to_owned();
    while let Some(source) = cause {
        let text = source.to_string();
        if !said.contains(&text) {
            eprintln!("        because {}", shown(&text));
            said = text;
        }
        cause = source.source();
    }
}
