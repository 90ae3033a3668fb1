//! `zt diff`: which decisions change between two versions of the tables.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anstream::println;
use clap::Args;
use zt_core::clock::{Clock as _, SystemClock};
use zt_core::metadata::Snapshot;
use zt_core::policy::{self, AttributeSet, DiffOptions, Flip, Ruling};
use zt_core::runtime::{self, Config};
use zt_core::text::shown;
use zt_core::{Code, Error, Result};

use crate::principal::{self, Membership};
use crate::{Answer, paint};

/// So many contexts of one change are printed.
const MOST_FACTS: usize = 6;

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The tables before: a TOML file, a CSV file, or a folder of them.
    old: PathBuf,
    /// The tables after.
    new: PathBuf,
    /// Who is in which group, `user:maya=group:grp-security`, beside `[development.groups]`.
    #[arg(long = "group", value_name = "CALLER=GROUP")]
    groups: Vec<Membership>,
    /// Decide at most this many cells, each on both.
    #[arg(long, default_value_t = 2_000_000)]
    most_cells: u64,
    /// Report at most this many changes.
    #[arg(long, default_value_t = 10_000)]
    most_flips: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Diff {
    pub(crate) async fn run(self, config: Option<&Config>) -> Result<Answer> {
        let (old, new) = (read(&self.old).await?, read(&self.new).await?);
        let groups = principal::groups_told(config, &self.groups);
        let options = DiffOptions::new()
            .with_groups(groups.clone())
            .most_cells(self.most_cells)
            .most_flips(self.most_flips);
        let diff = policy::diff(&old, &new, &options);
        if self.json {
            println!(
                "{}",
                serde_json::to_string_pretty(&diff).unwrap_or_default()
            );
        } else {
            print(&diff);
            let dim = paint::DIM;
            println!("{dim}{}{dim:#}", principal::assumed(&groups));
        }
        match (&diff.cut, diff.flips.is_empty()) {
            (_, false) => Ok(Answer::No),
            (None, true) => Ok(Answer::Yes),
            (Some(_), true) => {
                let (done, all) = (diff.universe.decided, diff.universe.cells);
                let message =
                    format!("{done} of {all} cells were decided and none of them changes");
                Err(Error::new(Code::InvalidArgument, message)
                    .with_help("raise `--most-cells` to know about the rest"))
            }
        }
    }
}

/// Tables from anywhere, checked and compiled.
pub(crate) async fn read(path: &Path) -> Result<Arc<Snapshot>> {
    let raw = runtime::read_tables(path).await?;
    Ok(Arc::new(Snapshot::compile(
        &raw,
        1,
        SystemClock::new().now(),
    )?))
}

fn print(diff: &policy::Diff) {
    let key = |flip: &Flip| {
        let cell = [&flip.principal, &flip.action, &flip.resource].map(String::clone);
        (cell, flip.at, flip.before.clone(), flip.after.clone())
    };
    for alike in diff.flips.chunk_by(|one, other| key(one) == key(other)) {
        print_flips(alike);
    }
    let (good, bad, dim) = (paint::GOOD, paint::BAD, paint::DIM);
    match diff.flips.len() {
        0 => println!("{good}nothing changes{good:#}"),
        1 => println!("{bad}1 change{bad:#}"),
        changes => println!("{bad}{changes} changes{bad:#}"),
    }
    let seen = &diff.universe;
    println!(
        "{dim}{} principals, {} questions of which {} can differ, {} contexts: {} of {} cells decided{dim:#}",
        seen.principals,
        seen.questions,
        seen.open_questions,
        seen.contexts,
        seen.decided,
        seen.cells
    );
    if !seen.untried.is_empty() {
        let names = seen.untried.join(", ");
        println!("{dim}rows also look at {names}: not stated, or not in every value{dim:#}");
    }
    if let Some(cut) = &diff.cut {
        println!(
            "{bad}cut{bad:#} by --most-{}: nothing is known from {} {} {} on",
            cut.bound,
            cut.action,
            shown(&cut.resource),
            shown(&cut.principal)
        );
    }
    if diff.flips.iter().any(|flip| flip.resource.contains('*')) {
        println!("{dim}`*` in a resource stands for a name that no table has{dim:#}");
    }
}

/// Cells that differ in their facts alone, as one.
fn print_flips(flips: &[Flip]) {
    let Some(flip) = flips.first() else { return };
    println!(
        "{} {} {}",
        shown(&flip.principal),
        flip.action,
        shown(&flip.resource)
    );
    if let Some(at) = flip.at {
        let dim = paint::DIM;
        println!("    {dim}at {at}{dim:#}");
    }
    if !flip.in_every_context {
        let facts: Vec<String> = flips.iter().take(MOST_FACTS).map(facts).collect();
        let more = match flips.len().saturating_sub(MOST_FACTS) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let dim = paint::DIM;
        println!("    {dim}under {}{more}{dim:#}", shown(&facts.join("; ")));
    }
    println!("    before {}", painted(&flip.before));
    println!("    after  {}", painted(&flip.after));
}

fn facts(flip: &Flip) -> String {
    let facts: Vec<String> = flip
        .context
        .facts(&AttributeSet::default())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    match facts.is_empty() {
        true => "no facts".to_owned(),
        false => facts.join(" "),
    }
}

/// A decision in its colour.
pub(crate) fn painted(ruling: &Ruling) -> String {
    let text = shown(&ruling.to_string());
    text.replacen(ruling.kind.as_str(), &paint::decision(ruling.kind), 1)
}
