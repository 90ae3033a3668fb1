//! `zt replay`: which recorded decisions a draft of the tables would change.

use std::path::PathBuf;

use anstream::println;
use clap::Args;
use serde::Serialize;
use zt_core::audit;
use zt_core::policy::{self, AttributeSet, ReplayFlip, Replayed};
use zt_core::runtime::Config;
use zt_core::text::shown;
use zt_core::{Code, Error, Result};

use crate::principal::{self, Membership};
use crate::{Answer, diff, paint};

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The draft: a TOML file, a CSV file, or a folder of them.
    draft: PathBuf,
    /// The folder of the log; default: that of `zt.toml`.
    #[arg(long, value_name = "FOLDER")]
    audit: Option<PathBuf>,
    /// Who is in which group, `user:maya=group:grp-security`, beside `[development.groups]`.
    #[arg(long = "group", value_name = "CALLER=GROUP")]
    groups: Vec<Membership>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub(crate) async fn run(self, config: Option<&Config>, audit: PathBuf) -> Result<Answer> {
        let draft = diff::read(&self.draft).await?;
        let mut replay = policy::Replay::new();
        let unreadable = audit::each(audit, |entry| replay.add(&entry))?;
        let found = replay.on(&draft, &principal::groups_told(config, &self.groups));
        if self.json {
            let report = Report {
                found: &found,
                unreadable_lines: unreadable,
            };
            println!(
                "{}",
                serde_json::to_string_pretty(&report).unwrap_or_default()
            );
        } else {
            print(&found, unreadable);
        }
        match (found.beyond, found.flips.is_empty()) {
            (_, false) => Ok(Answer::No),
            (0, true) => Ok(Answer::Yes),
            (beyond, true) => {
                let message = format!(
                    "none of {} decisions changes, but {beyond} more were too many to hold",
                    found.replayed
                );
                Err(Error::new(Code::InvalidArgument, message)
                    .with_help("replay a folder with fewer segments"))
            }
        }
    }

    /// The folder that was named.
    pub(crate) const fn audit(&self) -> Option<&PathBuf> {
        self.audit.as_ref()
    }
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    found: &'a Replayed,
    unreadable_lines: u64,
}

fn print(found: &Replayed, unreadable: u64) {
    for flip in &found.flips {
        print_flip(flip);
    }
    let (good, bad, dim) = (paint::GOOD, paint::BAD, paint::DIM);
    match found.flips.len() {
        0 => println!("{good}nothing changes{good:#}"),
        1 => println!("{bad}1 change{bad:#}"),
        changes => println!("{bad}{changes} changes{bad:#}"),
    }
    println!(
        "{dim}{} of {} recorded decisions decided again, {} different questions{dim:#}",
        found.replayed, found.entries, found.questions
    );
    for left in &found.left_out {
        println!(
            "not decided again: {} × {}, {} to {}",
            left.times,
            shown(&left.reason),
            shown(&left.first),
            shown(&left.last)
        );
    }
    if found.beyond > 0 {
        println!(
            "{bad}cut{bad:#}: {} decisions were too many to hold",
            found.beyond
        );
    }
    if unreadable > 0 {
        println!(
            "not decided again: {unreadable} lines that are no records; see `zt audit verify`"
        );
    }
    for caller in &found.unknown_callers {
        println!(
            "{} has no row in the draft: it matches `*` alone",
            shown(caller)
        );
    }
    for (caller, groups) in &found.assumed_groups {
        let groups = if groups.is_empty() {
            "no group".to_owned()
        } else {
            groups.join(", ")
        };
        println!(
            "{dim}assumed: {} is in {}{dim:#}",
            shown(caller),
            shown(&groups)
        );
    }
}

fn print_flip(flip: &ReplayFlip) {
    let facts: Vec<String> = flip
        .context
        .facts(&AttributeSet::default())
        .map(|(name, value)| format!(" {name}={value}"))
        .collect();
    let dim = paint::DIM;
    println!(
        "{} {} {}{} {dim}×{}, {} to {}{dim:#}",
        shown(&flip.caller),
        flip.action,
        shown(&flip.resource),
        shown(&facts.concat()),
        flip.times,
        shown(&flip.first),
        shown(&flip.last)
    );
    let by = match flip.recorded_policies.is_empty() {
        true => String::new(),
        false => format!(" by {}", flip.recorded_policies.join(", ")),
    };
    println!("    recorded {}{}", shown(&flip.recorded), shown(&by));
    println!("    draft    {}", diff::painted(&flip.after));
}
