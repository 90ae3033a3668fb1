//! `zt audit`: verify the log offline, read it, copy it out, prove one record of it.

mod prove;
mod pseudonym;
mod query;
mod verify;

use std::path::{Path, PathBuf};

use anstream::println;
use clap::Subcommand;
use zt_core::audit::{self, Entry};
use zt_core::runtime::Config;
use zt_core::text::shown;
use zt_core::{Error, Result};

use crate::{Answer, paint};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Recompute every chain and tree, and name the first record of each log that is not what was written or signed.
    Verify(verify::Verify),
    /// The logs of the folder: which process wrote each, until when, and how it ended.
    Writers(verify::Writers),
    /// Print the newest records, oldest first.
    Tail {
        /// The folder of the log; default: that of `zt.toml`.
        #[arg(id = "log")]
        folder: Option<PathBuf>,
        /// How many.
        #[arg(short = 'n', long, default_value_t = 20)]
        count: usize,
        /// Refusals only.
        #[arg(long)]
        denied: bool,
        /// Print one JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Print the records that were asked for, the newest at the end.
    Query(query::Query),
    /// Copy records out, for other tools.
    Export(query::Export),
    /// Print what the log writes for a value of a secret attribute, under each key: the value is read from standard input.
    Pseudonym(pseudonym::Pseudonym),
    /// Add a key of pseudonyms, which processes use that are opened from now on.
    RotatePseudonyms,
    /// Print the public part of the audit key, which auditors verify with.
    Key,
    /// Write a bundle that proves one record to somebody without the log.
    Prove(prove::Prove),
    /// Does a bundle prove its record?
    VerifyBundle(prove::VerifyBundle),
}

impl Audit {
    pub(crate) async fn run(self, config: impl Fn() -> Result<Config>) -> Result<Answer, Error> {
        let folder = |given: Option<PathBuf>| match given {
            Some(folder) => Ok(folder),
            None => config().map(|config| config.audit_folder()),
        };
        match self {
            Self::Verify(verify) => verify.run(folder),
            Self::Writers(writers) => writers.run(folder),
            Self::Tail {
                folder: given,
                count,
                denied,
                json,
            } => tail(&folder(given)?, count, denied, json),
            Self::Query(query) => query.run(folder, &config),
            Self::Export(export) => export.run(folder, &config),
            Self::Pseudonym(pseudonym) => pseudonym.run(&config()?),
            Self::RotatePseudonyms => pseudonym::rotate(&config()?),
            Self::Key => prove::key(&config()?).await,
            Self::Prove(prove) => prove.run(config).await,
            Self::VerifyBundle(bundle) => bundle.run(),
        }
    }
}

fn tail(folder: &Path, count: usize, denied: bool, json: bool) -> Result<Answer> {
    for entry in audit::tail(folder, count, |entry| !denied || is_refusal(entry))? {
        if json {
            println!("{}", serde_json::to_string(&entry).unwrap_or_default());
        } else {
            print_entry(&entry, is_refusal(&entry));
        }
    }
    Ok(Answer::Yes)
}

fn is_refusal(entry: &Entry) -> bool {
    matches!(
        entry.outcome.as_str(),
        "explicit_deny" | "default_deny" | "refused" | "failed"
    )
}

/// What stands in a log may have been chosen by a caller: nothing of it reaches the terminal as it is.
fn print_entry(entry: &Entry, is_refusal: bool) {
    let style = if is_refusal { paint::BAD } else { paint::GOOD };
    let dim = paint::DIM;
    let caller = shown(entry.caller.as_deref().unwrap_or("-"));
    let mut line = format!(
        "{dim}{}{dim:#} {style}{:<13}{style:#} {caller} {} {}",
        shown(&entry.at),
        shown(&entry.outcome),
        shown(&entry.action),
        shown(&entry.resource)
    );
    if !entry.policies.is_empty() {
        line.push_str(&format!(" by {}", shown(&entry.policies.join(", "))));
    }
    if let Some(count) = entry.count {
        line.push_str(&format!(" ×{count}"));
    }
    for fact in &entry.facts {
        line.push_str(&format!(
            " {dim}{}={}{dim:#}",
            shown(&fact.name),
            shown(&fact.value)
        ));
    }
    for (name, value) in &entry.detail {
        line.push_str(&format!(" {dim}{}={}{dim:#}", shown(name), shown(value)));
    }
    println!("{line}");
    for miss in &entry.near_misses {
        println!("    {dim}{}{dim:#}", shown(miss));
    }
}
