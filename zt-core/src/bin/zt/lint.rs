//! `zt lint`: every problem of the tables, at once.

use anstream::println;
use clap::Args;
use zt_core::runtime::{self, Config};
use zt_core::{Error, metadata};

use crate::{Answer, paint, problems};

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Print the problems as JSON.
    #[arg(long)]
    json: bool,
}

impl Lint {
    pub(crate) async fn run(self, config: &Config) -> Result<Answer, Error> {
        match runtime::tables(config).await {
            Ok(store) => {
                let snapshot = store.current();
                if self.json {
                    println!("[]");
                    return Ok(Answer::Yes);
                }
                let rows: usize = snapshot.tables().counts().map(|(_, rows)| rows).sum();
                let filled = snapshot
                    .tables()
                    .counts()
                    .filter(|(_, rows)| *rows > 0)
                    .count();
                let hash: String = snapshot.hash().to_string().chars().take(12).collect();
                let (good, dim) = (paint::GOOD, paint::DIM);
                println!(
                    "{good}no problems{good:#} in {filled} tables, {rows} rows {dim}{hash}{dim:#}"
                );
                Ok(Answer::Yes)
            }
            Err(error) => match error.report() {
                Some(report) => {
                    self.print(report);
                    Ok(Answer::No)
                }
                None => Err(error),
            },
        }
    }

    fn print(&self, report: &metadata::Report) {
        if self.json {
            let problems = serde_json::to_string_pretty(report.problems()).unwrap_or_default();
            println!("{problems}");
            return;
        }
        problems::print(report);
    }
}
