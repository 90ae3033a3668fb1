//! `zt audit query` and `zt audit export`.

use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use anstream::println;
use clap::{Args, ValueEnum};
use zt_core::audit::{self, ExportFormat, Filter};
use zt_core::clock::Timestamp;
use zt_core::runtime::Config;
use zt_core::{Code, Error, Result};

use crate::Answer;

/// Which records. A text that ends in `*` is a beginning.
#[derive(Debug, Args)]
struct Which {
    /// Written at this time or later: `2026-09-21` or `2026-09-21T08:00:00Z`.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Written before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// By this caller.
    #[arg(long)]
    caller: Option<String>,
    /// With this action.
    #[arg(long)]
    action: Option<String>,
    /// On this resource.
    #[arg(long)]
    resource: Option<String>,
    /// With this outcome: `allow`, `explicit_deny`, `default_deny`, `refused`, `ok` or `failed`.
    #[arg(long)]
    outcome: Option<String>,
    /// Of this decision.
    #[arg(long)]
    decision: Option<String>,
    /// That state this fact, also by its pseudonym; without `=` the value is read from standard input.
    #[arg(long, value_name = "NAME=VALUE")]
    fact: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// The folder of the log; default: that of `zt.toml`.
    #[arg(id = "log")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// How many at most, the newest.
    #[arg(short = 'n', long, default_value_t = 1000)]
    count: usize,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The folder of the log; default: that of `zt.toml`.
    #[arg(id = "log")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// For which tool.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// To a file that does not exist yet, instead of the terminal.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// A record a line.
    Jsonl,
    /// A header and a row for each record.
    Csv,
    /// OCSF API Activity, an event a line.
    Ocsf,
    /// OpenTelemetry log records, a line of OTLP/JSON each.
    Otel,
}

impl Which {
    fn filter(self, config: &impl Fn() -> Result<Config>) -> Result<Filter> {
        let mut filter = Filter::default();
        filter.since = self.since.as_deref().map(time).transpose()?;
        filter.until = self.until.as_deref().map(time).transpose()?;
        filter.caller = self.caller;
        filter.action = self.action;
        filter.resource = self.resource;
        filter.outcome = self.outcome;
        filter.decision = self.decision;
        let fact = self.fact.map(|fact| super::pseudonym::fact(&fact, config));
        filter.fact = fact.transpose()?;
        Ok(filter)
    }
}

fn time(text: &str) -> Result<Timestamp> {
    let midnight = format!("{text}T00:00:00Z");
    let read = text.parse().or_else(|_| midnight.parse());
    read.map_err(|_| {
        Error::new(Code::InvalidArgument, format!("`{text}` is no time"))
            .with_help("write `2026-09-21` or `2026-09-21T08:00:00Z`")
    })
}

impl Query {
    pub(super) fn run(
        self,
        folder: impl FnOnce(Option<PathBuf>) -> Result<PathBuf>,
        config: &impl Fn() -> Result<Config>,
    ) -> Result<Answer> {
        let filter = self.which.filter(config)?;
        let found = audit::tail(folder(self.folder)?, self.count, |entry| {
            filter.keeps(entry)
        })?;
        for entry in &found {
            if self.json {
                println!("{}", serde_json::to_string(entry).unwrap_or_default());
            } else {
                super::print_entry(entry, super::is_refusal(entry));
            }
        }
        Ok(match found.is_empty() {
            true => Answer::No,
            false => Answer::Yes,
        })
    }
}

impl Export {
    pub(super) fn run(
        self,
        folder: impl FnOnce(Option<PathBuf>) -> Result<PathBuf>,
        config: &impl Fn() -> Result<Config>,
    ) -> Result<Answer> {
        let filter = self.which.filter(config)?;
        let format = match self.format {
            Format::Jsonl => ExportFormat::JsonLines,
            Format::Csv => ExportFormat::Csv,
            Format::Ocsf => ExportFormat::Ocsf,
            Format::Otel => ExportFormat::OpenTelemetry,
        };
        let folder = folder(self.folder)?;
        match &self.to {
            None => {
                let mut out = BufWriter::new(std::io::stdout().lock());
                audit::export(folder, &filter, format, &mut out)?;
            }
            Some(file) => {
                let failed = |why| {
                    let message = format!("cannot write `{}`", file.display());
                    Error::new(Code::InvalidArgument, message).with_source(why)
                };
                let mut options = std::fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut out = BufWriter::new(options.open(file).map_err(failed)?);
                let records = audit::export(folder, &filter, format, &mut out)?;
                out.flush().map_err(failed)?;
                println!("{records} records");
            }
        }
        Ok(Answer::Yes)
    }
}
