//! `zt lint`: every problem of the tables, at once; and of tables without one, what smells.

use anstream::println;
use clap::Args;
use zt_core::Error;
use zt_core::metadata::{self, Snapshot};
use zt_core::policy::{self, Finding};
use zt_core::runtime::{self, Config};

use crate::{Answer, paint, problems};

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Answer no when something smells, too.
    #[arg(long)]
    strict: bool,
    /// Print the problems, or the smells, as JSON.
    #[arg(long)]
    json: bool,
}

impl Lint {
    pub(crate) async fn run(self, config: &Config) -> Result<Answer, Error> {
        match runtime::tables(config).await {
            Ok(store) => Ok(self.clean(&store.current())),
            Err(error) => match error.report() {
                Some(report) => {
                    self.print(report);
                    Ok(Answer::No)
                }
                None => Err(error),
            },
        }
    }

    /// Tables without a problem may still not say what their author meant.
    fn clean(&self, snapshot: &Snapshot) -> Answer {
        let findings = policy::lint(snapshot);
        if self.json {
            let findings = serde_json::to_string_pretty(&findings).unwrap_or_default();
            println!("{findings}");
        } else {
            say(snapshot, &findings);
        }
        if self.strict && !findings.is_empty() {
            Answer::No
        } else {
            Answer::Yes
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

fn say(snapshot: &Snapshot, findings: &[Finding]) {
    for finding in findings {
        println!("{finding}");
    }
    let counts = snapshot.tables().counts().filter(|(_, rows)| *rows > 0);
    let counts: Vec<usize> = counts.map(|(_, rows)| rows).collect();
    let (filled, rows) = (counts.len(), counts.iter().sum::<usize>());
    let hash: String = snapshot.hash().to_string().chars().take(12).collect();
    let (good, dim) = (paint::GOOD, paint::DIM);
    let smells = match findings.len() {
        0 => String::new(),
        1 => ", 1 smell".to_owned(),
        several => format!(", {several} smells"),
    };
    println!(
        "{good}no problems{good:#}{smells} in {filled} tables, {rows} rows {dim}{hash}{dim:#}"
    );
}
