//! `zt audit verify` and `zt audit writers`.

use std::path::PathBuf;

use anstream::println;
use clap::Args;
use zt_core::audit::{self, Head, Verification, VerifyOptions};
use zt_core::text::shown;
use zt_core::{Code, Error, Result};

use super::prove::read_key;
use crate::{Answer, paint};

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The folder of the log; default: that of `zt.toml`.
    #[arg(id = "log")]
    folder: Option<PathBuf>,
    /// The folder is a copy that a sink made: it has no checkpoints.
    #[arg(long)]
    copy: bool,
    /// An audit key to trust, a file in PEM; may be given again. Then every log that has ended must be signed under it.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Checkpoints that were kept elsewhere, a file; may be given again. The log must still hold what they sign.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Writers {
    /// The folder of the log; default: that of `zt.toml`.
    #[arg(id = "log")]
    folder: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) fn run(
        self,
        folder: impl FnOnce(Option<PathBuf>) -> Result<PathBuf>,
    ) -> Result<Answer> {
        let mut options = VerifyOptions::new();
        if self.copy {
            options = options.of_copy();
        }
        for file in &self.key {
            options = options.with_key(read_key(file)?);
        }
        for file in &self.checkpoint {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(file).map_err(|why| {
                Error::new(Code::InvalidArgument, format!("cannot read `{name}`")).with_source(why)
            })?;
            options = options.with_checkpoints(&name, &text)?;
        }
        let found = audit::verify_with(folder(self.folder)?, &options)?;
        if self.json {
            println!("{:#}", serde_json::json!(found));
        } else {
            print(&found, !self.key.is_empty());
        }
        Ok(match found.is_intact() {
            true => Answer::Yes,
            false => Answer::No,
        })
    }
}

impl Writers {
    pub(super) fn run(
        self,
        folder: impl FnOnce(Option<PathBuf>) -> Result<PathBuf>,
    ) -> Result<Answer> {
        let found = audit::verify(folder(self.folder)?)?;
        if self.json {
            println!("{:#}", serde_json::json!(found.heads));
            return Ok(Answer::Yes);
        }
        for head in &found.heads {
            let dim = paint::DIM;
            println!(
                "{} {:>8} records, {} signed, {} {dim}{}{dim:#}",
                head.writer,
                head.seq,
                head.signed,
                state(head),
                shown(&head.hash)
            );
        }
        Ok(Answer::Yes)
    }
}

fn state(head: &Head) -> String {
    let at = shown(&head.at);
    match (head.is_closed, head.is_alive) {
        (true, _) => format!("closed at {at}"),
        (false, true) => format!("alive, newest record at {at}"),
        (false, false) => format!("ended without close, last sign of life at {at}"),
    }
}

fn print(found: &Verification, has_key: bool) {
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
            shown(&recovery.file),
            recovery.bytes_cut,
            recovery.last_good_seq,
            shown(&recovery.kept_as)
        );
    }
    for head in found.open_logs() {
        println!("log {}: {}", head.writer, state(head));
    }
    for note in &found.notes {
        println!("note: {}", shown(note));
    }
    let logs = if found.writers == 1 { "log" } else { "logs" };
    let mut count = format!("{} records in {} {logs}", found.records, found.writers);
    if found.unsigned() > 0 {
        count.push_str(&format!(
            ", the last {} under no checkpoint",
            found.unsigned()
        ));
    }
    if !has_key && found.heads.iter().any(|head| head.signed > 0) {
        count.push_str(", signed; `--key` says by whom");
    }
    let (good, bad) = (paint::GOOD, paint::BAD);
    match found.findings.len() {
        0 => println!("{good}intact{good:#}: {count}"),
        1 => println!("{bad}not intact{bad:#}: 1 finding, {count} are good"),
        findings => println!("{bad}not intact{bad:#}: {findings} findings, {count} are good"),
    }
}
