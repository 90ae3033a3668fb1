//! `zt audit`: verify the log offline, read its end.

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
    /// Recompute every chain and name the first record of each that is not what was written.
    Verify {
        /// The folder of the log; default: that of `zt.toml`.
        #[arg(id = "log")]
        folder: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
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
}

impl Audit {
    pub(crate) fn run(self, config: impl FnOnce() -> Result<Config>) -> Result<Answer, Error> {
        let folder = |given: Option<PathBuf>| match given {
            Some(folder) => Ok(folder),
            None => config().map(|config| config.audit_folder()),
        };
        match self {
            Self::Verify {
                folder: given,
                json,
            } => verify(&folder(given)?, json),
            Self::Tail {
                folder: given,
                count,
                denied,
                json,
            } => tail(&folder(given)?, count, denied, json),
        }
    }
}

fn verify(folder: &Path, json: bool) -> Result<Answer> {
    let found = audit::verify(folder)?;
    let answer = if found.is_intact() {
        Answer::Yes
    } else {
        Answer::No
    };
    if json {
        let report = serde_json::json!({
            "intact": found.is_intact(),
            "writers": found.writers,
            "segments": found.segments,
            "records": found.records,
            "heads": found.heads,
            "recoveries": found.recoveries,
            "findings": found.findings,
            "notes": found.notes,
        });
        println!("{report:#}");
        return Ok(answer);
    }
    for finding in &found.findings {
        let (bad, dim) = (paint::BAD, paint::DIM);
        let place = shown(&format!("{}:{}", finding.file, finding.line));
        println!(
            "{bad}{place}{bad:#} {} {dim}byte {}{dim:#}",
            shown(&finding.message),
            finding.byte_offset
        );
    }
    for recovery in &found.recoveries {
        println!(
            "recovered {}: {} bytes cut after record {}, kept as {}",
            recovery.file, recovery.bytes_cut, recovery.last_good_seq, recovery.kept_as
        );
    }
    for note in &found.notes {
        println!("note: {}", shown(note));
    }
    let logs = if found.writers == 1 { "log" } else { "logs" };
    let count = format!("{} records in {} {logs}", found.records, found.writers);
    let (good, bad) = (paint::GOOD, paint::BAD);
    match found.findings.len() {
        0 => println!("{good}intact{good:#}: {count}"),
        1 => println!("{bad}not intact{bad:#}: 1 finding, {count} are good"),
        findings => println!("{bad}not intact{bad:#}: {findings} findings, {count} are good"),
    }
    Ok(answer)
}

fn tail(folder: &Path, count: usize, denied: bool, json: bool) -> Result<Answer> {
    let refusal = |entry: &Entry| {
        matches!(
            entry.outcome.as_str(),
            "explicit_deny" | "default_deny" | "refused" | "failed"
        )
    };
    for entry in audit::tail(folder, count, |entry| !denied || refusal(entry))? {
        if json {
            println!("{}", serde_json::to_string(&entry).unwrap_or_default());
        } else {
            print_entry(&entry, refusal(&entry));
        }
    }
    Ok(Answer::Yes)
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
