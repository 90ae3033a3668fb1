//! `zt status`: how the live processes of this machine are, from the files that they write.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anstream::println;
use clap::Args;
use serde_json::Value;
use zt_core::clock::{Clock, SystemClock, Timestamp};
use zt_core::runtime::{Config, ConfigKey};
use zt_core::text::shown;
use zt_core::{Code, Error, Result};

use crate::{Answer, paint};

/// A process writes every five seconds; one that has not for three times as long is gone or stuck.
const SILENT: Duration = Duration::from_secs(15);

/// How the processes that use this folder are: slots and their ages, last errors, gates, tables, audit log.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// This process alone.
    #[arg(long)]
    process: Option<u32>,
    /// Print one JSON object a process.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(crate) fn run(self, config: &Config) -> Result<Answer> {
        let Some(folder) = config.value(ConfigKey::StatusFolder) else {
            let key = ConfigKey::StatusFolder;
            let message = format!("no process writes its status: `{key}` is not set");
            return Err(Error::new(Code::Config, message).with_help(format!(
                "set `{key} = \".zt/status\"` or {}, and start it anew",
                key.env()
            )));
        };
        let folder = config.folder().join(folder);
        let mut answer = Answer::Yes;
        let found = read(&folder, self.process)?;
        if found.is_empty() {
            println!("no process has written to `{}`", folder.display());
            return Ok(Answer::No);
        }
        for status in found {
            let silent = silent_for(&status);
            if silent.is_some() || !status["ready"].is_null() {
                answer = Answer::No;
            }
            if self.json {
                println!("{status}");
            } else {
                print(&status, silent);
            }
        }
        Ok(answer)
    }
}

fn read(folder: &Path, process: Option<u32>) -> Result<Vec<Value>> {
    let unreadable = |why: std::io::Error| {
        let message = format!("cannot read `{}`", folder.display());
        Error::new(Code::Config, message).with_source(why)
    };
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(why) => return Err(unreadable(why)),
    };
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let number = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .and_then(|stem| stem.parse::<u32>().ok());
        let is_asked = number.is_some_and(|number| process.is_none_or(|asked| asked == number));
        if !is_asked || path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        // One that ends just now takes its file along.
        let Ok(text) = fs::read(&path) else { continue };
        if let Ok(status) = serde_json::from_slice(&text) {
            found.push(status);
        }
    }
    found.sort_by_key(|status: &Value| status["process"].as_u64());
    Ok(found)
}

/// For how long nothing was heard of it, if that is too long.
fn silent_for(status: &Value) -> Option<Duration> {
    let at: Timestamp = status["at"].as_str()?.parse().ok()?;
    let passed = SystemClock::new()
        .now()
        .as_millis()
        .saturating_sub(at.as_millis());
    let passed = Duration::from_millis(u64::try_from(passed).unwrap_or(0));
    (passed > SILENT).then_some(passed)
}

fn print(status: &Value, silent: Option<Duration>) {
    let (bad, good, dim) = (paint::BAD, paint::GOOD, paint::DIM);
    let text = |value: &Value| shown(value.as_str().unwrap_or("?")).to_string();
    println!("process {} ({})", status["process"], text(&status["mode"]));
    if let Some(silent) = silent {
        let seconds = silent.as_secs();
        println!(
            "  {bad}silent{bad:#} for {seconds} s: it is gone or stuck, and the rest is as old"
        );
    }
    match status["ready"].as_str() {
        None => println!("  {good}ready{good:#}"),
        Some(why) => println!("  {bad}not ready{bad:#}: {}", shown(why)),
    }
    let snapshot = &status["snapshot"];
    println!(
        "  tables    version {}, confirmed {} s ago",
        snapshot["version"], snapshot["confirmed_s"]
    );
    for keys in status["keys"].as_array().into_iter().flatten() {
        println!("  identity  {}", text(keys));
    }
    let audit = &status["audit"];
    let writable = match audit["is_writable"].as_bool() {
        Some(true) => format!("{good}writable{good:#}"),
        _ => format!("{bad}not writable{bad:#}"),
    };
    println!(
        "  audit     {writable}, {} records, {} waiting",
        audit["records"], audit["queued"]
    );
    let memory = &status["memory"];
    println!(
        "  memory    {}, {} bytes mapped, {} values on the heap so far",
        text(&memory["protection"]),
        memory["mapped_bytes"],
        memory["heap_fallbacks"]
    );
    let secrets = &status["secrets"];
    for gate in secrets["gates"].as_array().into_iter().flatten() {
        let state = text(&gate["state"]);
        let style = if state == "open" { good } else { bad };
        let closed = gate["closed_for_ms"].as_u64().unwrap_or(0);
        let closed = match closed {
            0 => String::new(),
            ms => format!(", for another {:.1} s", ms as f64 / 1000.0),
        };
        println!(
            "  vault     {} {style}{state}{style:#}{closed}",
            text(&gate["vault"])
        );
    }
    for slot in secrets["slots"].as_array().into_iter().flatten() {
        let state = text(&slot["state"]);
        let style = match state.as_str() {
            "fresh" | "refresh_due" => good,
            "stale" | "negative" | "forbidden" | "dead" => bad,
            _ => dim,
        };
        let age = slot["age_s"].as_u64();
        let age = age.map_or_else(String::new, |age| format!(", {age} s old"));
        println!(
            "  secret    {} {style}{state}{style:#}{age}, {} reads",
            text(&slot["name"]),
            slot["hits"]
        );
        if let Some(error) = slot["last_error"].as_str() {
            println!("            {dim}{}{dim:#}", shown(error));
        }
    }
}
