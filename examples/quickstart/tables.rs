//! The tables: read, validated, compiled.

use std::time::Instant;

use zt_core::runtime::{self, Config};

use crate::Outcome;
use crate::story::{Story, aside};

pub(crate) async fn lint(story: &mut Story, config: &Config) -> Outcome {
    let began = Instant::now();
    let snapshot = runtime::tables(config).await?.current();
    story.step("the metadata tables become a snapshot", began.elapsed());
    let filled: Vec<_> = snapshot
        .tables()
        .counts()
        .filter(|(_, rows)| *rows > 0)
        .collect();
    let rows: usize = filled.iter().map(|(_, rows)| rows).sum();
    story.check(
        true,
        format!("{} tables, {rows} rows, no problems", filled.len()),
    );
    aside(format!(
        "version {}, content sha-256 {}",
        snapshot.version(),
        snapshot.hash()
    ));
    Ok(())
}
